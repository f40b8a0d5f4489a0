//! The database narrows and never decides: on both engines a query means what the matcher means, document by document.

use holotype_core::filter::{Budget, Filter};
use holotype_datapoints::{Datapoints, Selection, Submission};
use holotype_testkit::documents::Generator;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::bench::{Bench, PROJECT, ids};

/// Documents stored at a time, and filters tried on them.
const DOCUMENTS: usize = 250;
const FILTERS: usize = 100;

/// The rounds of an ordinary run: 25,000 pairs of document and filter on each engine.
const ROUNDS: u64 = 1;

async fn rounds(bench: Bench, seed: u64) {
    let rounds = if std::env::var("HOLOTYPE_SOAK").is_ok() { 200 * ROUNDS } else { ROUNDS };
    let mut generator = Generator::new(seed);
    let mut matched = 0;
    for round in 0..rounds {
        // A project of its own each time, so that every round begins with nothing.
        let project = bench.catalog.create_project(&bench.owner, &format!("round {round}")).await.unwrap().id;
        let documents: Vec<Value> = (0..DOCUMENTS).map(|_| generator.document()).collect();
        let submissions =
            documents.iter().map(|document| Submission::from_value(document.clone(), &TimeZone::UTC).unwrap());
        for stored in bench.datapoints.submit_batch(&bench.owner, project, submissions.collect()).await {
            stored.unwrap();
        }
        for _ in 0..FILTERS {
            let filter = generator.filter();
            let expected = by_the_matcher(&filter, &documents);
            let found = by_the_database(&bench.datapoints, &bench, project, &filter).await;
            assert_eq!(found, expected, "seed {seed}, round {round}: {filter}");
            matched += expected.len();
        }
    }
    let pairs = DOCUMENTS * FILTERS * usize::try_from(rounds).unwrap();
    assert!(matched > pairs / 100 && matched < pairs, "{matched} of {pairs} matched: the filters tell nothing");
}

fn by_the_matcher(filter: &Value, documents: &[Value]) -> Vec<String> {
    let filter = Filter::parse(filter).unwrap();
    let mut budget = Budget::new(u64::MAX);
    let matching = documents.iter().filter(|document| filter.matches(document, &mut budget).unwrap());
    matching.map(|document| document["_id"].as_str().unwrap().to_owned()).collect()
}

async fn by_the_database(
    datapoints: &Datapoints,
    bench: &Bench,
    project: holotype_core::ProjectId,
    filter: &Value,
) -> Vec<String> {
    let selection = Selection::parse(filter).unwrap();
    ids(datapoints.query(&bench.owner, project, selection).await.unwrap()).await
}

#[tokio::test]
async fn a_query_means_what_the_matcher_means_on_sqlite() {
    rounds(Bench::sqlite().await, 1).await;
}

#[tokio::test]
async fn a_query_means_what_the_matcher_means_on_postgres() {
    rounds(Bench::postgres().await, 2).await;
}

/// Conditions on the columns that narrow, at their edges.
#[tokio::test]
async fn narrowing_at_its_edges_loses_nothing() {
    for bench in [Bench::sqlite().await, Bench::postgres().await] {
        let long = "é".repeat(250);
        let labels = [
            None,
            Some(""),
            Some("a"),
            Some("a\0"),
            Some("a\0b"),
            Some("B"),
            Some("é"),
            Some("\u{10ffff}"),
            Some(long.as_str()),
        ];
        let documents: Vec<Value> = labels
            .iter()
            .enumerate()
            .map(|(number, label)| crate::bench::value(&format!("{number}"), serde_json::json!({ "label": label })))
            .collect();
        for document in &documents {
            bench.submit(document.clone()).await.unwrap();
        }
        let stored: Vec<Value> =
            futures::future::join_all((0..labels.len()).map(|number| bench.get_owned(number.to_string()))).await;
        for operator in ["$eq", "$ne", "$gt", "$gte", "$lt", "$lte", "$in", "$nin"] {
            for operand in labels {
                let operand = if operator.ends_with("in") {
                    serde_json::json!([operand, "a", 5])
                } else {
                    serde_json::json!(operand)
                };
                let filter = serde_json::json!({ "label": { operator: operand } });
                let found = by_the_database(&bench.datapoints, &bench, PROJECT, &filter).await;
                assert_eq!(found, by_the_matcher(&filter, &stored), "{filter}");
            }
        }
    }
}
