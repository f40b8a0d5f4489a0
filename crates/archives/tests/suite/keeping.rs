//! Frames on their way in: what is kept, what is new, what is refused.

use holotype_archives::frames::{Facts, FrameId, FrameRecord, ThumbnailQuery, Viewer, put};
use holotype_archives::{ArchiveError, frames};
use holotype_catalog::{Direction, Entity};
use holotype_core::{Category, ProjectId, UserId};
use holotype_testkit::on_both_engines;

use crate::bench::{Bench, fits, gzipped, observed, packed, text};

on_both_engines! {
    async fn a_file_is_a_frame_whatever_form_it_has(bench: Bench) {
        let cards = observed(60, "p1", "M 31", (10.0, 20.0));
        let plain = fits(&cards, 0);
        for (name, bytes) in [("a.fits", plain.clone()), ("b.fits.fz", packed(&cards, 0)), ("c.fits.gz", gzipped(&plain))] {
            let ingested = bench.ingest(name, &bytes).await;
            assert!(ingested.facts.missing().is_empty(), "{name}: {:?}", ingested.facts.missing());
            let frame = bench.archives.frame(Viewer::Everything, ingested.recorded.frame).await.unwrap();
            assert_eq!(frame.facts.observation_date, "2024-07-15T01:00:00Z".parse().ok());
            assert_eq!(frame.facts.observation_day.as_deref(), Some("2024-07-14"));
            assert_eq!((frame.facts.request_id, frame.facts.target_name.as_deref()), (Some(3_600_001), Some("M 31")));
            assert_eq!(format!("{}{}", frame.facts.basename, frame.versions[0].extension), name);
            let headers = bench.archives.headers(Viewer::Everything, frame.id).await.unwrap();
            assert_eq!((headers["NAXIS1"].as_i64(), headers["EXPTIME"].as_f64()), (Some(48), Some(60.0)), "{name}");
            let (count, _) = bench
                .archives
                .thumbnails(Viewer::Everything, ThumbnailQuery { basename: Some(frame.facts.basename), ..Default::default() }, 10, 0)
                .await
                .unwrap();
            assert_eq!(count, 2, "{name}");
        }
    }

    async fn what_a_header_lacks_is_said_and_never_refused(bench: Bench) {
        let ingested = bench.ingest("somebody's.fits", &fits(&[("OBJECT", text("N/A")), ("EXPTIME", text("30"))], 0)).await;
        let missing = ingested.facts.missing();
        assert!(missing.contains(&"observation_date") && missing.contains(&"site_id") && missing.contains(&"area"), "{missing:?}");
        assert!(!missing.contains(&"target_name") && !missing.contains(&"exposure_time"), "{missing:?}");
        let frame = bench.archives.frame(Viewer::Everything, ingested.recorded.frame).await.unwrap();
        assert_eq!((frame.facts.target_name.as_deref(), frame.facts.public_date), (Some(""), None));
    }

    async fn the_same_bytes_change_nothing_and_others_are_a_new_version(bench: Bench) {
        let cards = observed(60, "p1", "M 31", (10.0, 20.0));
        let first = bench.ingest("a.fits.fz", &packed(&cards, 0)).await.recorded;
        assert!(first.is_new_frame && first.is_new_version);
        let again = bench.ingest("a.fits.fz", &packed(&cards, 0)).await.recorded;
        assert_eq!((again.frame, again.version, again.is_new_frame, again.is_new_version), (first.frame, first.version, false, false));
        let other = bench.ingest("a.fits.fz", &packed(&observed(60, "p1", "M 32", (10.0, 20.0)), 1)).await.recorded;
        assert!(!other.is_new_frame && other.is_new_version && other.frame == first.frame);
        let frame = bench.archives.frame(Viewer::Everything, first.frame).await.unwrap();
        let versions: Vec<_> = frame.versions.iter().map(|version| version.id).collect();
        assert_eq!(versions, [other.version, first.version], "the newest first");
        assert_eq!(frame.facts.target_name.as_deref(), Some("M 32"));
        let back = bench.ingest("a.fits.fz", &packed(&cards, 0)).await.recorded;
        assert!(back.is_new_version, "the bytes of before are not those of the newest version");
    }

    async fn a_frame_does_not_become_public_earlier_by_being_handed_in_again(bench: Bench) {
        let cards = observed(60, "p1", "M 31", (10.0, 20.0));
        let id = bench.ingest("a.fits", &fits(&cards, 0)).await.recorded.frame;
        let later = "2099-01-01T00:00:00Z".parse().ok();
        let facts = Facts { basename: "a".to_owned(), public_date: later, ..Facts::default() };
        bench.archives.record(&bench.owner, FrameRecord { facts, versions: vec![] }).await.unwrap();
        for seed in [0, 1] {
            bench.ingest("a.fits", &fits(&cards, seed)).await;
            let frame = bench.archives.frame(Viewer::Everything, id).await.unwrap();
            assert_eq!(frame.facts.public_date, later);
            assert_eq!(frame.facts.target_name.as_deref(), Some("M 31"), "what was not described stays");
        }
    }

    async fn two_who_bring_the_same_at_once_bring_it_once(bench: Bench) {
        let bytes = fits(&observed(60, "p1", "M 31", (10.0, 20.0)), 0);
        let (one, other) = tokio::join!(bench.ingest("a.fits", &bytes), bench.ingest("a.fits", &bytes));
        assert_eq!((one.recorded.frame, one.recorded.version), (other.recorded.frame, other.recorded.version));
        assert!(one.recorded.is_new_frame != other.recorded.is_new_frame);
    }

    async fn what_is_no_fits_file_is_refused_and_leaves_nothing(bench: Bench) {
        let whole = fits(&observed(60, "p1", "M 31", (10.0, 20.0)), 0);
        let html = b"<html><body>404</body></html>".to_vec();
        for (name, bytes) in [("a.fits", html.clone()), ("a.fits", whole[..whole.len() - 2880].to_vec()), ("a.fits.gz", html), ("a.fits", vec![]),
            ("a.fits.gz", gzipped(&whole[..whole.len() - 2880]))] {
            let error = bench.try_ingest(name, &bytes).await.unwrap_err();
            assert_eq!(error.category(), Category::Invalid, "{error}");
        }
        assert!(matches!(bench.try_ingest("../a.fits", &whole).await.unwrap_err(), ArchiveError::FrameName { .. }));
        assert!(bench.find(vec![]).await.is_empty());
    }

    async fn a_header_with_bytes_that_are_no_text_is_taken_without_them(bench: Bench) {
        let mut bytes = fits(&observed(60, "p1", "M 31abcd", (10.0, 20.0)), 0);
        let at = bytes.windows(4).position(|window| window == b"abcd").unwrap();
        bytes[at..at + 4].copy_from_slice(b"\0\x01\x7f\xff");
        let id = bench.ingest("a.fits", &bytes).await.recorded.frame;
        let frame = bench.archives.frame(Viewer::Everything, id).await.unwrap();
        let target = frame.facts.target_name.unwrap();
        assert!(target.starts_with("M 31") && !target.contains(char::is_control), "{target:?}");
        let headers = bench.archives.headers(Viewer::Everything, id).await.unwrap();
        assert!(headers["OBJECT"].as_str().unwrap().starts_with("M 31"));
    }

    async fn relatives_are_known_in_both_directions_and_whatever_comes_first(bench: Bench) {
        let mut cards = observed(60, "p1", "M 31", (10.0, 20.0));
        cards.push(("L1IDBIAS", text("bias.fits")));
        cards.push(("L1IDFLAT", text("N/A")));
        cards.push(("ORIGNAME", text("raw.fits")));
        let reduced = bench.ingest("reduced.fits", &fits(&cards, 0)).await.recorded.frame;
        let related = |id: FrameId| { let archives = bench.archives.clone(); async move {
            crate::bench::names(&archives.related(Viewer::Everything, id).await.unwrap())
        }};
        assert!(related(reduced).await.is_empty(), "a frame that is not there is no relative");
        let raw = bench.ingest("raw.fits", &fits(&[("ORIGNAME", text("raw.fits"))], 1)).await.recorded.frame;
        let bias = bench.ingest("bias.fits", &fits(&[], 2)).await.recorded.frame;
        assert_eq!(related(reduced).await, ["raw", "bias"]);
        assert_eq!(related(raw).await, ["reduced"]);
        let frame = bench.archives.frame(Viewer::Everything, bias).await.unwrap();
        assert_eq!(frame.related, Some(vec![reduced]));
    }

    async fn facts_of_a_listing_are_completed_by_the_header(bench: Bench) {
        let bytes = fits(&observed(60, "p1", "M 31", (10.0, 20.0)), 0);
        let held = bench.hold(&bytes).await;
        let listed = Facts { basename: "a".to_owned(), target_name: Some("M31".to_owned()), ..Facts::default() };
        let (agent, project) = (UserId::LOCAL, ProjectId::DEFAULT);
        let recorded = bench.catalog.write::<_, ArchiveError, _>(move |tx| {
            let (listed, held) = (listed.clone(), held.clone());
            Box::pin(async move { put(tx, project, agent, &listed, &held, ".fits").await })
        }).await.unwrap();
        assert!(recorded.is_new_frame);
        bench.ingest("a.fits", &bytes).await;
        let frame = bench.archives.frame(Viewer::Everything, recorded.frame).await.unwrap();
        assert_eq!((frame.facts.target_name.as_deref(), frame.facts.site_id.as_deref()), (Some("M31"), Some("lsc")));
    }

    async fn an_administrator_describes_only_what_is_held(bench: Bench) {
        let facts = Facts { basename: "a".to_owned(), site_id: Some("lsc".to_owned()), ..Facts::default() };
        let record = |versions| FrameRecord { facts: facts.clone(), versions };
        let absent = bench.archives.record(&bench.owner, record(vec![([7; 16], ".fits".to_owned())])).await.unwrap_err();
        assert!(matches!(absent, ArchiveError::NotHeld { .. }), "{absent}");
        assert!(bench.archives.record(&bench.owner, record(vec![])).await.is_err(), "a frame has bytes");
        assert!(bench.find(vec![]).await.is_empty());
        let held = bench.hold(&fits(&[], 0)).await;
        let frame = bench.archives.record(&bench.owner, record(vec![(held.md5, ".fits".to_owned())])).await.unwrap();
        assert_eq!((frame.facts.site_id.as_deref(), frame.versions[0].digest), (Some("lsc"), held.digest));
        let stranger = holotype_core::Caller { admin: false, ..bench.owner.clone() };
        let refused = bench.archives.record(&stranger, record(vec![])).await.unwrap_err();
        assert_eq!(refused.category(), Category::Denied);
    }

    async fn the_bytes_of_every_version_are_kept_and_shown_in_the_lineage(bench: Bench) {
        let first = bench.ingest("a.fits", &fits(&[], 0)).await.recorded;
        let second = bench.ingest("a.fits", &fits(&[], 1)).await.recorded;
        for version in [first.version, second.version] {
            let content = bench.archives.content(Some(Viewer::Everything), first.frame, version).await.unwrap();
            let opened = content.open(Some(0..6)).await.unwrap();
            let pieces: Vec<bytes::Bytes> = futures::TryStreamExt::try_collect(opened.stream).await.unwrap();
            assert_eq!(pieces.concat(), b"SIMPLE");
        }
        let start = Entity::record(frames::KIND, ProjectId::DEFAULT, first.frame.to_string());
        let graph = bench.catalog.lineage(&bench.owner, start, Direction::Both, 3).await.unwrap();
        assert!(graph.nodes.len() >= 3, "{graph:?}");
        let nothing = Entity::record(frames::KIND, ProjectId::DEFAULT, "no number");
        assert!(bench.catalog.lineage(&bench.owner, nothing, Direction::Both, 3).await.is_err());
    }
}
