//! How many durable single-row writes a second a catalog takes: `cargo run -p holotype-catalog --example writes [URL]`.
//!
//! Without a URL it uses a SQLite file in a temporary directory. The database must be empty.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant as Stopwatch, SystemTime};

use futures::future::join_all;
use holotype_catalog::{Catalog, CatalogError, CatalogUrl, values};
use holotype_core::{Clock, Instant, ProjectId, UserId};

#[derive(Debug)]
struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Instant::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let url = match std::env::args().nth(1) {
        Some(url) => CatalogUrl::parse(&url)?,
        None => CatalogUrl::from(folder.path().join("catalog.db").as_path()),
    };
    Catalog::initialise(&url, &SystemClock).await?;
    let catalog = Catalog::open(url, Arc::new(SystemClock)).await?;
    for callers in [1, 8, 32] {
        let taken = measure(&catalog, callers, write).await?;
        report("writes", callers, &taken);
    }
    for callers in [1, 8, 32] {
        let taken = measure(&catalog, callers, read).await?;
        report("reads", callers, &taken);
    }
    catalog.close().await;
    Ok(())
}

/// Lets `callers` call as often as they can for some seconds; how long each call took.
async fn measure<F, A>(catalog: &Catalog, callers: usize, call: F) -> Result<Vec<Duration>, Box<dyn Error>>
where
    F: Fn(Catalog, u128) -> A + Copy + Send + 'static,
    A: Future<Output = Result<(), CatalogError>> + Send,
{
    let end = Stopwatch::now() + Duration::from_secs(3);
    let calling = (0..callers).map(|_| {
        let catalog = catalog.clone();
        tokio::spawn(async move {
            let mut taken = Vec::new();
            while Stopwatch::now() < end {
                let (start, random) = (Stopwatch::now(), holotype_catalog::random::bits()?);
                call(catalog.clone(), random).await?;
                taken.push(start.elapsed());
            }
            Ok::<_, CatalogError>(taken)
        })
    });
    let mut all = Vec::new();
    for taken in join_all(calling).await {
        all.extend(taken??);
    }
    all.sort_unstable();
    Ok(all)
}

async fn write(catalog: Catalog, random: u128) -> Result<(), CatalogError> {
    let write = catalog.write(move |tx| {
        Box::pin(async move {
            let insert =
                "INSERT INTO datapoints (project, id, label, data_type, data_timestamp, document, content_digest,
                    agent, created_at)
                VALUES ($1, $2, 'temperature', 'json', '2026-01-01T00:00:00', $3, $4, $5, $6)";
            let (id, document) = (format!("{random:032x}"), "x".repeat(300));
            let row = values![ProjectId::DEFAULT, id, document, vec![0_u8; 32], UserId::LOCAL, tx.now()];
            tx.exec_sql(insert, row).await
        })
    });
    write.await.map(drop)
}

async fn read(catalog: Catalog, _: u128) -> Result<(), CatalogError> {
    let read = catalog.read(|tx| Box::pin(async move { tx.role_of(UserId::LOCAL, ProjectId::DEFAULT).await }));
    read.await.map(drop)
}

fn report(what: &str, callers: usize, taken: &[Duration]) {
    let at = |share: f64| taken.get((taken.len() as f64 * share) as usize).copied().unwrap_or_default();
    let (p50, p99) = (at(0.5), at(0.99));
    println!("{what}: {callers:2} callers {:6}/s  p50 {p50:.0?}  p99 {p99:.0?}", taken.len() / 3);
}
