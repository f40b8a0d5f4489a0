//! Who sees which frames.

use holotype_archives::ArchiveError;
use holotype_archives::frames::{Filter, FrameQuery, ThumbnailQuery, Viewer, ZipOptions};
use holotype_catalog::User;
use holotype_core::{Caller, Role};
use holotype_testkit::on_both_engines;

use crate::bench::{Bench, fits, observed, text};

fn caller(user: &User) -> Caller {
    Caller { user: user.id, name: user.name.clone(), token: None, project: user.project, admin: user.admin }
}

on_both_engines! {
    async fn a_frame_is_its_projects_until_it_is_public(bench: Bench) {
        let admin = caller(&bench.catalog.create_user(&bench.owner, "admin", None, true).await.unwrap());
        let [ann, bob, eve] = [
            caller(&bench.catalog.create_user(&admin, "ann", None, false).await.unwrap()),
            caller(&bench.catalog.create_user(&admin, "bob", None, false).await.unwrap()),
            caller(&bench.catalog.create_user(&admin, "eve", None, false).await.unwrap()),
        ];
        // A project named like the proposal lets its members see; Bob is one.
        let proposal = bench.catalog.create_project(&admin, "p1").await.unwrap().id;
        bench.catalog.set_role(&admin, proposal, "bob", Role::Viewer).await.unwrap();
        let mut cards = observed(0, "p1", "M 31", (10.0, 20.0));
        cards.retain(|(keyword, _)| *keyword != "L1PUBDAT");
        cards.push(("L1PUBDAT", text("2030-01-01T00:00:00")));
        let held = bench.hold(&fits(&cards, 0)).await;
        let id = bench.archives.ingest(&ann, ann.project, "a.fits", held).await.unwrap().recorded.frame;
        let held = bench.hold(&fits(&[], 1)).await;
        let secret = bench.archives.ingest(&ann, ann.project, "b.fits", held).await.unwrap().recorded.frame;
        let sees = async |caller: Option<&Caller>| bench.find_as(Viewer::of(caller), vec![]).await;
        assert_eq!(sees(Some(&ann)).await, ["a", "b"]);
        assert_eq!(sees(Some(&admin)).await, ["a", "b"]);
        assert_eq!(sees(Some(&bob)).await, ["a"]);
        assert_eq!((sees(Some(&eve)).await.len(), sees(None).await.len()), (0, 0));
        for stranger in [Viewer::of(Some(&eve)), Viewer::Public] {
            let archives = &bench.archives;
            assert!(matches!(archives.frame(stranger, id).await, Err(ArchiveError::NoFrame)));
            assert!(matches!(archives.headers(stranger, id).await, Err(ArchiveError::NoFrame)));
            assert!(matches!(archives.related(stranger, id).await, Err(ArchiveError::NoFrame)));
            let version = archives.frame(Viewer::Everything, id).await.unwrap().versions[0].id;
            assert!(matches!(archives.content(Some(stranger), id, version).await, Err(ArchiveError::NoFrame)));
            assert!(matches!(archives.zip(stranger, vec![id.0], ZipOptions::default()).await, Err(ArchiveError::NoFrame)));
            assert_eq!(archives.thumbnails(stranger, ThumbnailQuery::default(), 10, 0).await.unwrap().0, 0);
            assert!(archives.aggregate(stranger, FrameQuery::default()).await.unwrap().sites.is_empty());
        }
        assert_eq!(bench.find_as(Viewer::of(Some(&bob)), vec![Filter::Own]).await, ["a"]);
        assert_eq!(bench.find_as(Viewer::of(Some(&eve)), vec![Filter::Own]).await.len(), 0);
        assert_eq!(bench.find_as(Viewer::Everything, vec![Filter::Own]).await.len(), 2);
        bench.clock.set("2030-01-01T00:00:00Z".parse().unwrap());
        assert_eq!(sees(Some(&eve)).await, ["a"], "its day has come");
        assert_eq!(sees(None).await, ["a"]);
        assert!(bench.archives.frame(Viewer::Public, secret).await.is_err(), "without a date it stays its project's");
        assert_eq!(bench.find_as(Viewer::of(Some(&eve)), vec![Filter::Own]).await.len(), 0, "public is not own");
        let held = bench.hold(&fits(&[], 2)).await;
        let refused = bench.archives.ingest(&bob, proposal, "c.fits", held).await.unwrap_err();
        assert_eq!(refused.category(), holotype_core::Category::Denied, "a viewer brings nothing");
    }

    async fn a_name_is_free_in_every_project(bench: Bench) {
        let admin = caller(&bench.catalog.create_user(&bench.owner, "admin", None, true).await.unwrap());
        let ann = caller(&bench.catalog.create_user(&admin, "ann", None, false).await.unwrap());
        let mut ids = Vec::new();
        for who in [&admin, &ann] {
            let held = bench.hold(&fits(&[], 0)).await;
            ids.push(bench.archives.ingest(who, who.project, "a.fits", held).await.unwrap().recorded.frame);
        }
        assert_ne!(ids[0], ids[1]);
    }
}
