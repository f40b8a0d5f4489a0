//! The catalog's health: durability as it is set, counters as they are, and a clock that does not run behind.

use holotype_catalog::{CatalogError, Engine, Tx, values};
use holotype_core::Instant;

use super::Finding;
use crate::App;

/// How far the clock may be behind the newest event: another host's may be a little ahead.
const TOLERANCE_MICROS: i64 = 60_000_000;

pub(super) async fn findings(app: &App) -> Vec<Finding> {
    let checks = [
        ("catalog", durability(app).await),
        ("clock", newest_event(app).await),
        ("blobs", counters(app).await),
        ("users", users(app).await),
    ];
    let unreachable =
        |check, error: CatalogError| Finding::bad(check, error.to_string(), "look at the database's own log");
    checks.into_iter().map(|(check, result)| result.unwrap_or_else(|error| unreachable(check, error))).collect()
}

/// What the engine was told about flushing, asked of a connection that writes.
async fn durability(app: &App) -> Result<Finding, CatalogError> {
    let (journal, flush) = app.catalog().write(|tx| Box::pin(settings(tx))).await?;
    let detail = format!("{}: {journal}, {flush}", app.catalog().url());
    let durable = match app.catalog().engine() {
        Engine::Sqlite => journal == "journal_mode wal" && flush == "synchronous 2",
        Engine::Postgres => journal == "fsync on" && flush != "synchronous_commit off",
    };
    Ok(if durable {
        Finding::good("catalog", detail)
    } else {
        Finding::bad("catalog", detail, "what is acknowledged may be lost with the power: turn flushing on")
    })
}

async fn settings(tx: &mut Tx) -> Result<(String, String), CatalogError> {
    let sql = match tx.engine() {
        Engine::Sqlite => {
            "SELECT 'journal_mode ' || (SELECT journal_mode FROM pragma_journal_mode) AS journal,
                    'synchronous ' || (SELECT synchronous FROM pragma_synchronous) AS flush"
        }
        Engine::Postgres => {
            "SELECT 'fsync ' || current_setting('fsync') AS journal,
                    'synchronous_commit ' || current_setting('synchronous_commit') AS flush"
        }
    };
    let row = tx.row_sql(sql, values![]).await?;
    let text = |column| row.as_ref().map_or_else(|| Ok(String::new()), |row| row.get::<String>(column));
    Ok((text("journal")?, text("flush")?))
}

/// Records are stamped by the clock: one that was set back makes new ones older than old ones.
async fn newest_event(app: &App) -> Result<Finding, CatalogError> {
    let newest: Option<Instant> = app
        .catalog()
        .read(|tx| {
            Box::pin(async move {
                let sql = "SELECT max(at) AS newest FROM (SELECT max(at) AS at FROM audit_events
                    UNION ALL SELECT max(created_at) AS at FROM activities) AS events";
                let row = tx.row_sql(sql, values![]).await?;
                row.map_or(Ok(None), |row| row.get::<Option<Instant>>("newest"))
            })
        })
        .await?;
    let now = app.clock().now();
    Ok(match newest {
        Some(newest) if newest.as_micros() > now.as_micros().saturating_add(TOLERANCE_MICROS) => {
            let detail = format!("it is behind: the newest event is of {newest}");
            Finding::bad("clock", detail, "set the machine's clock, or wait until it is past that time")
        }
        _ => Finding::good("clock", "it is not behind what was recorded"),
    })
}

/// Each blob counts its references; a count that is wrong would let a sweep remove too much or too little.
async fn counters(app: &App) -> Result<Finding, CatalogError> {
    let (wrong, counts) = app
        .catalog()
        .read(|tx| {
            Box::pin(async move {
                let sql = "SELECT count(*) AS wrong FROM blobs AS b WHERE b.reference_count <>
                    (SELECT count(*) FROM blob_references AS r WHERE r.digest = b.digest)";
                let row = tx.row_sql(sql, values![]).await?;
                let wrong = row.map_or(Ok(0), |row| row.get::<i64>("wrong"))?;
                Ok::<_, CatalogError>((wrong, tx.blob_counts().await?))
            })
        })
        .await?;
    if wrong != 0 {
        let detail = format!("{wrong} blobs count their references wrongly");
        return Ok(Finding::bad("blobs", detail, "do not sweep; bring back a backup with `holotype db restore`"));
    }
    let detail = format!("{} held, {}", counts.blobs, super::bytes(counts.bytes));
    Ok(if counts.spooled > 0 {
        let detail = format!("{detail}; {} wait on the local disk for the bucket", counts.spooled);
        Finding::warning("blobs", detail, "see why the bucket cannot be reached; they are uploaded by themselves then")
    } else {
        Finding::good("blobs", detail)
    })
}

async fn users(app: &App) -> Result<Finding, CatalogError> {
    let exist = app.catalog().users_exist().await?;
    let listen = &app.config().server.listen;
    Ok(if exist {
        Finding::good("users", "there are users, so every request needs a token or a password")
    } else if listen.is_loopback() {
        Finding::good("users", "there is none: whoever reaches this machine's loopback is the owner")
    } else {
        let detail = format!("there is none, and the server is to listen on {listen}");
        Finding::bad(
            "users",
            detail,
            "it will not start: run `holotype user create NAME --admin`, or listen on 127.0.0.1",
        )
    })
}
