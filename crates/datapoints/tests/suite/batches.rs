//! Many datapoints at once.

use bytes::Bytes;
use futures::{StreamExt, stream};
use holotype_datapoints::{BatchLine, DatapointError};
use holotype_testkit::on_both_engines;
use serde_json::{Value, json};

use crate::bench::{Bench, PROJECT, submission, value};

/// The lines of a body that arrives in pieces of a size, and what became of them.
async fn submit(bench: &Bench, body: &str, piece: usize) -> Vec<BatchLine> {
    let pieces: Vec<Result<Bytes, std::io::Error>> =
        body.as_bytes().chunks(piece).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let results = bench.datapoints.submit_lines(&bench.owner, PROJECT, stream::iter(pieces)).await.unwrap();
    results.collect().await
}

/// `line:created` or `line:category`.
fn short(lines: &[BatchLine]) -> Vec<String> {
    let word = |line: &BatchLine| match &line.result {
        Ok(stored) => stored.created.to_string(),
        Err(error) => error.category().name().to_owned(),
    };
    lines.iter().map(|line| format!("{}:{}", line.line, word(line))).collect()
}

on_both_engines! {
    async fn each_line_is_answered_in_its_turn(bench: Bench) {
        bench.keep("taken", json!({"value": 0})).await;
        let lines = [
            value("a", json!({})).to_string(),
            String::new(),
            "not JSON".to_owned(),
            value("a", json!({})).to_string(),
            value("a", json!({"value": 2})).to_string(),
            value("taken", json!({})).to_string(),
            json!({"data_type": "json"}).to_string(),
            "\r".to_owned(),
            value("b", json!({"ownership_info": {"lab_id": crate::bench::ULID}})).to_string(),
        ];
        let body = lines.join("\n");
        for piece in [1, 7, 10_000] {
            let found = short(&submit(&bench, &body, piece).await);
            let first = if piece == 1 { "true" } else { "false" };
            let expected = [
                format!("1:{first}"), "3:invalid".to_owned(), "4:false".to_owned(), "5:conflict".to_owned(), "6:conflict".to_owned(),
                "7:invalid".to_owned(), format!("9:{first}"),
            ];
            assert_eq!(found, expected, "{piece}");
        }
        assert_eq!(bench.query(json!({})).await, ["taken", "a", "b"]);
        assert_eq!(bench.query(json!({"ownership_info.lab_id": crate::bench::ULID})).await, ["b"]);
    }

    async fn thousands_are_stored_in_their_order(bench: Bench) {
        let ids: Vec<String> = (0..2_345).map(|number| format!("{:05}", (number * 7_919) % 10_000)).collect();
        let body: String = ids.iter().map(|id| format!("{}\n", value(id, json!({})))).collect();
        let results = submit(&bench, &body, 4_096).await;
        assert_eq!(results.len(), ids.len());
        assert!(results.iter().all(|line| line.result.as_ref().is_ok_and(|stored| stored.created)));
        assert_eq!(bench.query(json!({})).await, ids);
        let again = submit(&bench, &body, 1 << 20).await;
        assert!(again.iter().all(|line| line.result.as_ref().is_ok_and(|stored| !stored.created)));
    }

    async fn a_batch_that_breaks_off_keeps_what_came_before(bench: Bench) {
        let body = format!("{}\n{}", value("a", json!({})), r#"{"data_type":"#);
        let broken = std::io::Error::other("the line went dead");
        let pieces = vec![Ok(Bytes::from(body)), Err(broken)];
        let results = bench.datapoints.submit_lines(&bench.owner, PROJECT, stream::iter(pieces)).await.unwrap();
        let results: Vec<BatchLine> = results.collect().await;
        assert_eq!(short(&results), ["1:true", "2:invalid"]);
        assert!(results[1].result.as_ref().unwrap_err().to_string().contains("went dead"));
    }

    async fn a_line_without_an_end_is_not_kept_in_memory(bench: Bench) {
        let chunk = Bytes::from(vec![b'x'; 1 << 20]);
        let pieces = stream::iter((0..64).map(move |_| Ok::<_, std::io::Error>(chunk.clone())));
        let results = bench.datapoints.submit_lines(&bench.owner, PROJECT, pieces).await.unwrap();
        assert_eq!(short(&results.collect::<Vec<_>>().await), ["1:invalid"]);
    }

    async fn a_client_that_waits_for_an_answer_gets_it(bench: Bench) {
        let (send, receive) = futures::channel::mpsc::unbounded::<Result<Bytes, std::io::Error>>();
        let mut results = bench.datapoints.submit_lines(&bench.owner, PROJECT, receive).await.unwrap();
        for id in ["a", "b"] {
            send.unbounded_send(Ok(format!("{}\n", value(id, json!({}))).into())).unwrap();
            assert_eq!(results.next().await.unwrap().result.unwrap().id, id);
        }
        drop(send);
        assert!(results.next().await.is_none());
    }

    async fn a_list_of_submissions_is_answered_one_by_one(bench: Bench) {
        bench.datapoints.put_label_schema(&bench.owner, PROJECT, "n", json!({"type": "number"}), None).await.unwrap();
        let documents: [Value; 4] = [
            value("a", json!({"label": "n", "value": 1})),
            value("b", json!({"label": "n", "value": "text"})),
            value("c", json!({"label": "other", "value": "text"})),
            value("a", json!({"label": "n", "value": 1})),
        ];
        let results = bench.datapoints.submit_batch(&bench.owner, PROJECT, documents.iter().map(submission).collect()).await;
        let created: Vec<_> = results.iter().map(|result| result.as_ref().ok().map(|stored| stored.created)).collect();
        assert_eq!(created, [Some(true), None, Some(true), Some(false)]);
        assert!(matches!(&results[1], Err(DatapointError::Invalid { .. })));
    }
}
