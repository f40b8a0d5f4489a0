//! Who may: two users, and every method.

use futures::TryStreamExt;
use holotype_catalog::User;
use holotype_core::{Caller, Category, ProjectId, Role};
use holotype_datapoints::export::Format;
use holotype_datapoints::import::{Dump, FileTree};
use holotype_datapoints::{DatapointError, PageRequest, Selection};
use holotype_testkit::on_both_engines;
use serde_json::json;

use crate::bench::{Bench, submission, value};

pub(crate) fn caller(user: &User) -> Caller {
    Caller { user: user.id, name: user.name.clone(), token: None, project: user.project, admin: user.admin }
}

/// What each method answers to a caller: `ok`, or the category of the error.
async fn attempt(bench: &Bench, caller: &Caller, project: ProjectId) -> Vec<(&'static str, &'static str)> {
    fn word<T>(result: Result<T, DatapointError>) -> &'static str {
        result.map_or_else(|error| error.category().name(), |_| "ok")
    }
    let points = &bench.datapoints;
    let fresh = || submission(&value(&format!("by {}", caller.name), json!({})));
    let dump = bench.path("dump");
    std::fs::create_dir_all(&dump).unwrap();
    std::fs::write(dump.join("datapoints.bson"), b"").unwrap();
    let dump = Dump::open(&dump, "datapoints").unwrap();
    let lines = futures::stream::empty::<Result<bytes::Bytes, std::io::Error>>();
    vec![
        ("get", word(points.get(caller, project, "x").await)),
        ("files", word(points.files(caller, project, "x").await)),
        ("file", word(points.file(caller, project, "x", 0).await)),
        ("value", word(points.value(caller, project, "x").await)),
        ("latest", word(points.latest(caller, project, 1).await)),
        ("query", word(points.query(caller, project, Selection::default()).await)),
        ("count", word(points.count(caller, project, Selection::default()).await)),
        ("page", word(points.page(caller, project, PageRequest::default()).await)),
        ("tail", word(points.tail(caller, project, Selection::default(), None).await)),
        ("export", word(points.export(caller, project, Selection::default(), Format::Csv).await)),
        ("label_schemas", word(points.label_schemas(caller, project).await)),
        ("label_schema", word(points.label_schema(caller, project, "s").await)),
        ("submit", word(points.submit(caller, project, fresh(), vec![]).await)),
        ("submit_batch", word(points.submit_batch(caller, project, vec![fresh()]).await.remove(0))),
        ("submit_lines", word(points.submit_lines(caller, project, lines).await)),
        ("delete", word(points.delete(caller, project, "x").await)),
        ("restore", word(points.restore(caller, project, "x").await)),
        ("put_label_schema", word(points.put_label_schema(caller, project, "s", json!(true), None).await)),
        ("delete_label_schema", word(points.delete_label_schema(caller, project, "s").await)),
        ("import", word(points.import(caller, project, &dump, &FileTree::default(), |_| {}).await)),
    ]
}

on_both_engines! {
    async fn a_project_does_not_exist_for_strangers_and_cannot_be_changed_by_viewers(bench: Bench) {
        let admin = caller(&bench.catalog.create_user(&bench.owner, "admin", None, true).await.unwrap());
        let alice = caller(&bench.catalog.create_user(&admin, "alice", None, false).await.unwrap());
        let bob = caller(&bench.catalog.create_user(&admin, "bob", None, false).await.unwrap());
        let project = alice.project;
        let points = &bench.datapoints;
        let document = value("x", json!({}));
        points.submit(&alice, project, submission(&document), vec![bench.file("f", b"f").await]).await.unwrap();
        points.put_label_schema(&alice, project, "s", json!(true), None).await.unwrap();

        for (method, answer) in attempt(&bench, &bob, project).await {
            assert_eq!(answer, "not_found", "{method} by a stranger");
        }
        bench.catalog.set_role(&alice, project, "bob", Role::Viewer).await.unwrap();
        let reading = ["get", "files", "file", "value", "latest", "query", "count", "page", "tail", "export", "label_schemas", "label_schema"];
        for (method, answer) in attempt(&bench, &bob, project).await {
            let expected = if reading.contains(&method) { "ok" } else { "denied" };
            assert_eq!(answer, expected, "{method} by a viewer");
        }
        bench.catalog.set_role(&alice, project, "bob", Role::Editor).await.unwrap();
        for (method, answer) in attempt(&bench, &bob, project).await {
            assert_eq!(answer, "ok", "{method} by an editor");
        }
    }

    async fn projects_do_not_see_each_others_datapoints(bench: Bench) {
        let admin = caller(&bench.catalog.create_user(&bench.owner, "admin", None, true).await.unwrap());
        let alice = caller(&bench.catalog.create_user(&admin, "alice", None, false).await.unwrap());
        let bob = caller(&bench.catalog.create_user(&admin, "bob", None, false).await.unwrap());
        let points = &bench.datapoints;
        for (who, number) in [(&alice, 1), (&bob, 2)] {
            let document = value("same id", json!({"value": number, "ownership_info": {"lab_id": crate::bench::ULID}}));
            let stored = points.submit(who, who.project, submission(&document), vec![]).await.unwrap();
            assert!(stored.created, "an id is unique in a project");
        }
        let filter = Selection::parse(&json!({"ownership_info.lab_id": crate::bench::ULID})).unwrap();
        let found: Vec<_> = points.query(&bob, bob.project, filter).await.unwrap().try_collect().await.unwrap();
        assert_eq!(found.len(), 1);
        assert!(found[0].document.contains(r#""value":2"#));
        assert_eq!(points.count(&alice, alice.project, Selection::default()).await.unwrap(), 1);
        points.delete(&alice, alice.project, "same id").await.unwrap();
        assert!(points.get(&bob, bob.project, "same id").await.is_ok());
        let refused = points.get(&bob, alice.project, "same id").await.unwrap_err();
        assert_eq!(refused.category(), Category::NotFound);
    }
}
