//! Measures datapoints on SQLite in a temporary directory: `cargo run --release -p holotype-datapoints --example measure [COUNT [batch]]`.
//!
//! Prints how many datapoints a second a batch stores, and then, without the word `batch`, how long queries on all of them take.
#![expect(clippy::unwrap_used, reason = "a measurement that cannot be made ends")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream};
use holotype_blobs::{BlobOptions, Blobs};
use holotype_catalog::{Catalog, CatalogUrl};
use holotype_core::ProjectId;
use holotype_datapoints::{Datapoints, Limits, PageRequest, Selection, Settings, Submission};
use holotype_store::{Location, Store};
use serde_json::json;

const LABELS: u64 = 100;

const SUBMITTING: Duration = Duration::from_secs(3);

#[derive(Debug)]
struct SystemClock;

impl holotype_core::Clock for SystemClock {
    fn now(&self) -> holotype_core::Instant {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        holotype_core::Instant::from_micros(0).after(since)
    }
}

#[tokio::main]
async fn main() {
    let count: u64 = std::env::args().nth(1).map_or(1_000_000, |text| text.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let datapoints = open(folder.path()).await;
    let owner = Catalog::local_owner();

    for callers in [1, 8, 32] {
        println!("submits one by one, {callers} at a time: {:.0}/s", submit_singly(&datapoints, callers).await);
    }
    let started = Instant::now();
    let body = stream::iter((0..count / 500).map(|part| Ok::<_, std::io::Error>(lines(part * 500..(part + 1) * 500))));
    let mut results = datapoints.submit_lines(&owner, ProjectId::DEFAULT, body).await.unwrap();
    while let Some(line) = results.next().await {
        line.result.unwrap();
    }
    let seconds = started.elapsed().as_secs_f64();
    println!("batch submit: {count} datapoints in {seconds:.1} s, {:.0}/s", count as f64 / seconds);
    if std::env::args().nth(2).is_some_and(|word| word == "batch") {
        return;
    }

    let by_label = async |number: u64| {
        let selection = Selection::parse(&json!({ "label": format!("sensor {}", number % LABELS) })).unwrap();
        let request = PageRequest { selection, ..PageRequest::default() };
        assert_eq!(datapoints.page(&owner, ProjectId::DEFAULT, request).await.unwrap().items.len(), 100);
    };
    measure("latest 100 of a label", 1_000, by_label).await;
    measure("latest 100", 1_000, async |_| {
        let latest = datapoints.latest(&owner, ProjectId::DEFAULT, 100).await.unwrap();
        assert_eq!(latest.try_collect::<Vec<_>>().await.unwrap().len(), 100);
    })
    .await;
    measure("get", 1_000, async |number| {
        let id = format!("{:026}", number * 7_919 % count);
        datapoints.get(&owner, ProjectId::DEFAULT, &id).await.unwrap();
    })
    .await;
    measure("query of one label, all of it", 5, async |number| {
        let selection = Selection::parse(&json!({ "label": format!("sensor {number}") })).unwrap();
        let found = datapoints.query(&owner, ProjectId::DEFAULT, selection).await.unwrap();
        assert_eq!(found.try_collect::<Vec<_>>().await.unwrap().len() as u64, count / LABELS);
    })
    .await;
    measure("count of everything", 5, async |_| {
        assert_eq!(datapoints.count(&owner, ProjectId::DEFAULT, Selection::default()).await.unwrap(), count);
    })
    .await;
    measure("count by a value that no index knows", 1, async |_| {
        let selection = Selection::parse(&json!({"value.celsius": {"$lt": 0}})).unwrap();
        assert_eq!(datapoints.count(&owner, ProjectId::DEFAULT, selection).await.unwrap(), 0);
    })
    .await;
}

/// Submits datapoints for three seconds, each by itself, and says how many a second. Their labels are none of the queries'.
async fn submit_singly(datapoints: &Datapoints, callers: usize) -> f64 {
    let started = Instant::now();
    let submit = |caller: usize| {
        let datapoints = datapoints.clone();
        tokio::spawn(async move {
            let mut count = 0_u32;
            while started.elapsed() < SUBMITTING {
                let value = json!({"label": format!("single {caller}"), "data_type": "json", "value": count});
                let submission = Submission::from_value(value, &jiff::tz::TimeZone::UTC).unwrap();
                datapoints.submit(&Catalog::local_owner(), ProjectId::DEFAULT, submission, Vec::new()).await.unwrap();
                count += 1;
            }
            count
        })
    };
    let submitting: Vec<_> = (0..callers).map(submit).collect();
    let mut total = 0;
    for counting in submitting {
        total += counting.await.unwrap();
    }
    f64::from(total) / started.elapsed().as_secs_f64()
}

async fn open(folder: &std::path::Path) -> Datapoints {
    let clock = Arc::new(SystemClock);
    let url = CatalogUrl::from(folder.join("catalog.db").as_path());
    Catalog::initialise(&url, &*clock).await.unwrap();
    let catalog = Catalog::open(url, clock).await.unwrap();
    let store = Store::open(Location::Directory(folder.join("store")), folder.join("staging")).unwrap();
    let hour = Duration::from_secs(3_600);
    let blobs =
        Blobs::open(store, catalog.clone(), BlobOptions { pin: hour, grace: hour, spool: folder.join("spool") })
            .unwrap();
    let settings = Settings {
        storage_root: "/srv/datapoints".into(),
        manager_id: "01M7WHEJCMGV6B9J0D4H1XDJTZ".to_owned(),
        time_zone: jiff::tz::TimeZone::UTC,
        object_storage: None,
        limits: Limits { query_steps: u64::MAX, ..Limits::default() },
    };
    Datapoints::new(catalog, blobs, settings).unwrap()
}

/// Datapoints as an instrument sends them, of a hundred labels in turn, one a second.
fn lines(numbers: std::ops::Range<u64>) -> Bytes {
    let line = |number: u64| {
        let (day, second) = (1 + number / 86_400, number % 86_400);
        let timestamp = format!(
            "2026-{:02}-{:02}T{:02}:{:02}:{:02}.123456",
            1 + day / 28,
            1 + day % 28,
            second / 3_600,
            second / 60 % 60,
            second % 60
        );
        let label = number % LABELS;
        let celsius = 20.0 + (number % 977) as f64 / 100.0;
        format!(
            r#"{{"label":"sensor {label}","ownership_info":{{"experiment_id":"01M7WHETCQB7WPQGFM195VD84M"}},"data_type":"json","datapoint_id":"{number:026}","data_timestamp":"{timestamp}","value":{{"celsius":{celsius},"unit":"°C"}}}}"#
        ) + "\n"
    };
    numbers.map(line).collect::<String>().into()
}

async fn measure(name: &str, times: u64, work: impl AsyncFn(u64)) {
    let mut taken = Vec::new();
    for number in 0..times {
        let started = Instant::now();
        work(number).await;
        taken.push(started.elapsed());
    }
    taken.sort();
    let at = |part: usize| taken[(taken.len() * part / 100).min(taken.len() - 1)].as_secs_f64() * 1_000.0;
    println!("{name}: p50 {:.2} ms, p99 {:.2} ms", at(50), at(99));
}
