//! Work that comes to its end: outputs, files, lineage.

use std::sync::atomic::Ordering;

use futures::TryStreamExt as _;
use holotype_catalog::{Direction, Entity, Node, Relation};
use holotype_sessions::{FileName, OPERATION, Status, output};
use holotype_testkit::on_both_engines;
use serde_json::{Value, json};

use crate::bench::Bench;

on_both_engines! {
    async fn products_are_files_named_after_the_result(bench: Bench) {
        bench.work();
        bench.frame("a", b"frame a", None).await;
        bench.frame("b", b"frame b", None).await;
        let session = bench.session(&bench.ann).await;
        let asked = bench.ask(&bench.ann, session, &["a", "b"], "copy").await.unwrap();
        let ended = bench.ended(&bench.ann, asked.id).await;
        assert_eq!((ended.status, ended.progress, ended.message.as_str()), (Status::Completed, 1.0, ""));
        let key = ended.key;
        let link = |name: &FileName| format!("/{name}");
        let file = |number: usize| json!({
            "basename": format!("{key}-{number}"), "source": "datalab", "type": "fits",
            "large_url": format!("/{key}-{number}-large.jpg"), "small_url": format!("/{key}-{number}-small.jpg"),
            "fits_url": format!("/{key}-{number}.fits"),
        });
        let shown = output::with_links(&ended.output.unwrap(), &link);
        assert_eq!(shown, json!({ "output_files": [file(1), file(2)] }));

        let name = FileName::parse(&format!("{key}-2.fits")).unwrap();
        let content = bench.sessions.file(Some(&bench.ann), &name).await.unwrap();
        let read = content.open(Some(6..7)).await.unwrap();
        let bytes: Vec<bytes::Bytes> = read.stream.try_collect().await.unwrap();
        assert_eq!((bytes.concat(), read.range), (b"b".to_vec(), 6..7));
        let bob = bench.user("bob").await;
        assert!(bench.sessions.file(Some(&bob), &name).await.is_err());
        assert!(bench.sessions.file(None, &name).await.is_ok(), "whoever has a signed link");
        let info = bench.catalog.read(move |tx| Box::pin(tx.blob_info(content.file.digest))).await.unwrap().unwrap();
        assert_eq!(info.references, 3, "the result holds each of the three names that these bytes have");
        bench.scratch_is_empty().await;
    }

    async fn what_is_measured_may_have_files_and_nothing_where_there_is_no_number(bench: Bench) {
        bench.work();
        bench.frame("far-a", b"frame", None).await;
        let session = bench.session(&bench.ann).await;
        let asked = bench.ask(&bench.ann, session, &["far-a"], "measure").await.unwrap();
        let ended = bench.ended(&bench.ann, asked.id).await;
        let shown = output::with_links(&ended.output.unwrap(), &|name| format!("/{name}"));
        let image = format!("/{}-1-diagnostic.jpg", ended.key);
        assert_eq!(shown, json!({ "output_data": [{ "files": 1, "mag": null, "image": { "a": image } }] }));
    }

    async fn products_are_shown_while_the_work_goes_on(bench: Bench) {
        bench.work();
        bench.frame("a", b"a", None).await;
        let session = bench.session(&bench.ann).await;
        let asked = bench.ask(&bench.ann, session, &["a"], "wait").await.unwrap();
        assert_eq!((asked.status, asked.output), (Status::InProgress, None::<Value>));
        let waiting = bench.until(&bench.ann, asked.id, |found| found.progress > 0.0).await;
        assert_eq!((waiting.status, waiting.message.as_str()), (Status::InProgress, "Waiting: 25%"));
        bench.gate.open.store(true, Ordering::SeqCst);
        assert_eq!(bench.ended(&bench.ann, asked.id).await.status, Status::Completed);
    }

    async fn every_output_says_what_it_was_made_from(bench: Bench) {
        bench.work();
        let source = bench.frame("a", b"frame a", None).await;
        let session = bench.session(&bench.ann).await;
        let asked = bench.ask(&bench.ann, session, &["a"], "copy").await.unwrap();
        let ended = bench.ended(&bench.ann, asked.id).await;
        let start = Entity::record(OPERATION, bench.ann.project, asked.id.to_string());
        let graph = bench.catalog.lineage(&bench.ann, start, Direction::Both, 6).await.unwrap();
        let entity = |kind: &str| graph.nodes.iter().position(|node| matches!(node, Node::Entity { entity, .. } if entity.kind == kind));
        let activity = graph.nodes.iter().position(|node| matches!(node, Node::Activity { id, .. } if Some(*id) == ended.job)).unwrap();
        let input = graph.nodes.iter().position(
            |node| matches!(node, Node::Entity { entity, .. } if entity.id == source.to_string()),
        );
        let edge = |from: usize, to: usize, relation: Relation| {
            graph.edges.iter().any(|edge| edge.from == from && edge.to == to && edge.relation == relation)
        };
        assert!(edge(input.unwrap(), activity, Relation::Used));
        assert!(edge(activity, entity("operation").unwrap(), Relation::Generated));

        let start = Entity::record("result", bench.ann.project, ended.key.to_string());
        let graph = bench.catalog.lineage(&bench.ann, start, Direction::Both, 6).await.unwrap();
        assert!(graph.nodes.iter().any(|node| matches!(node, Node::Activity { id, .. } if Some(*id) == ended.job)));
        assert!(graph.edges.iter().any(|edge| edge.relation == Relation::Contains));
    }
}
