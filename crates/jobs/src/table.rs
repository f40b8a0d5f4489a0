//! The activities and their logs in the catalog: the only file with statements on them.

use holotype_catalog::{CatalogError, Column, Row, Sql, ToValue, Tx, values};
use holotype_core::{ActivityId, Instant, ProjectId, UserId, json};
use sea_query::{Expr, ExprTrait, Order, Query, SelectStatement};
use serde_json::Value;

use crate::JobError;
use crate::model::{JobFilter, JobRecord, Level, LogLine, NewJob, Priority};
use crate::recorder::{Line, Progress};
use crate::state::{Position, State};

/// What a transition needs to know of a job; its row is locked until the transaction ends.
#[derive(Debug, Clone)]
pub(crate) struct Locked {
    pub id: ActivityId,
    pub project: ProjectId,
    pub kind: String,
    pub agent: UserId,
    pub position: Position,
    pub priority: Priority,
    pub params: String,
    pub run_after: Instant,
    pub heartbeat_at: Option<Instant>,
}

/// Where a job goes, and what is written beside that.
#[derive(Debug)]
pub(crate) struct Move<'m> {
    pub next: Position,
    pub run_after: Instant,
    pub error: Option<String>,
    pub result: Option<String>,
    pub code_version: &'m str,
}

/// An attempt that is said to run, and the last sign of life it gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sign {
    pub id: ActivityId,
    pub attempt: u32,
    pub heartbeat_at: Option<Instant>,
}

pub(crate) async fn insert(tx: &mut Tx, id: ActivityId, job: &NewJob, code_version: &str) -> Result<(), CatalogError> {
    let now = tx.now();
    let run_after = job.run_after.unwrap_or(now);
    tx.exec_sql(
        "INSERT INTO activities (id, project, kind, agent, state, attempt, max_attempts, priority, params, progress, \
         code_version, created_at, run_after) \
         VALUES ($1, $2, $3, $4, $5, 1, $6, $7, $8, 0.0, $9, $10, $11)",
        values![
            id,
            job.project,
            job.kind,
            job.agent,
            State::Queued,
            i64::from(job.max_attempts),
            job.priority,
            job.params.to_string(),
            code_version,
            now,
            run_after,
        ],
    )
    .await?;
    Ok(())
}

/// The job, locked against everyone else until the transaction ends.
pub(crate) async fn lock(tx: &mut Tx, id: ActivityId) -> Result<Option<Locked>, CatalogError> {
    const SELECT: Sql = Sql {
        sqlite: "SELECT project, kind, agent, state, attempt, max_attempts, priority, params, run_after, heartbeat_at \
                 FROM activities WHERE id = $1",
        postgres: "SELECT project, kind, agent, state, attempt, max_attempts, priority, params, run_after, heartbeat_at \
                   FROM activities WHERE id = $1 FOR UPDATE",
    };
    let Some(row) = tx.row_sql(SELECT, values![id]).await? else { return Ok(None) };
    Ok(Some(Locked {
        id,
        project: row.get("project")?,
        kind: row.get("kind")?,
        agent: row.get("agent")?,
        position: Position {
            state: row.get("state")?,
            attempt: count(&row, "attempt")?,
            max_attempts: count(&row, "max_attempts")?,
        },
        priority: row.get("priority")?,
        params: row.get("params")?,
        run_after: row.get("run_after")?,
        heartbeat_at: row.get("heartbeat_at")?,
    }))
}

/// Moves the job if it still stands where it was seen; whether it did.
pub(crate) async fn apply(tx: &mut Tx, job: &Locked, to: &Move<'_>) -> Result<bool, CatalogError> {
    let next = to.next;
    let mut seen = values![job.id, job.position.state, i64::from(job.position.attempt), next.state];
    let now = tx.now();
    let changed = match next.state {
        State::Queued => {
            seen.extend(values![
                i64::from(next.attempt),
                i64::from(next.max_attempts),
                to.run_after,
                to.error.as_deref()
            ]);
            tx.exec_sql(
                "UPDATE activities SET state = $4, attempt = $5, max_attempts = $6, run_after = $7, error = $8, result = NULL, \
                 progress = 0.0, message = NULL, heartbeat_at = NULL, finished_at = NULL \
                 WHERE id = $1 AND state = $2 AND attempt = $3",
                seen,
            )
        }
        State::Running => {
            seen.extend(values![now, to.code_version]);
            tx.exec_sql(
                "UPDATE activities SET state = $4, started_at = $5, heartbeat_at = $5, code_version = $6 \
                 WHERE id = $1 AND state = $2 AND attempt = $3",
                seen,
            )
        }
        State::Cancelling => {
            tx.exec_sql("UPDATE activities SET state = $4 WHERE id = $1 AND state = $2 AND attempt = $3", seen)
        }
        State::Succeeded => {
            seen.extend(values![now, to.result.as_deref()]);
            tx.exec_sql(
                "UPDATE activities SET state = $4, finished_at = $5, result = $6, error = NULL, progress = 1.0, \
                 heartbeat_at = NULL WHERE id = $1 AND state = $2 AND attempt = $3",
                seen,
            )
        }
        State::Failed | State::Cancelled => {
            seen.extend(values![now, to.error.as_deref()]);
            tx.exec_sql(
                "UPDATE activities SET state = $4, finished_at = $5, error = $6, heartbeat_at = NULL \
                 WHERE id = $1 AND state = $2 AND attempt = $3",
                seen,
            )
        }
    }
    .await?;
    Ok(changed == 1)
}

/// A sign of life of a running attempt, with the progress it made; `None` if the attempt does not hold the job any more.
///
/// The instant always grows, even while the clock stands still or is set back: that it changes is the sign.
pub(crate) async fn beat(
    tx: &mut Tx,
    id: ActivityId,
    attempt: u32,
    progress: Option<&Progress>,
) -> Result<Option<State>, CatalogError> {
    let now = tx.now();
    let fraction = progress.map(|progress| progress.fraction);
    let message = progress.map(|progress| progress.message.as_str());
    let row = tx
        .row_sql(
            "UPDATE activities SET heartbeat_at = CASE WHEN heartbeat_at >= $3 THEN heartbeat_at + 1 ELSE $3 END, \
             progress = COALESCE($4, progress), message = COALESCE($5, message) \
             WHERE id = $1 AND attempt = $2 AND state IN ('running', 'cancelling') RETURNING state",
            values![id, i64::from(attempt), now, fraction, message],
        )
        .await?;
    row.map(|row| row.get("state")).transpose()
}

/// Every attempt that is said to run.
pub(crate) async fn signs(tx: &mut Tx) -> Result<Vec<Sign>, CatalogError> {
    let rows = tx
        .rows_sql(
            "SELECT id, attempt, heartbeat_at FROM activities WHERE state IN ('running', 'cancelling')",
            values![],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Sign { id: row.get("id")?, attempt: count(row, "attempt")?, heartbeat_at: row.get("heartbeat_at")? })
        })
        .collect()
}

/// Adds lines to a job's log. The job's row must be locked by this transaction, so that nobody else gives out the same numbers.
///
/// A log has at most `limit` lines; the last of them says that it was cut.
pub(crate) async fn append_log(tx: &mut Tx, id: ActivityId, lines: &[Line], limit: u32) -> Result<(), CatalogError> {
    if lines.is_empty() {
        return Ok(());
    }
    let limit = i64::from(limit);
    let last = tx
        .row_sql("SELECT COALESCE(MAX(sequence), 0) AS last FROM job_logs WHERE activity = $1", values![id])
        .await?
        .map_or(Ok(0), |row| row.get::<i64>("last"))?;
    let kept: Vec<(i64, Line)> = (last + 1..=limit)
        .zip(lines)
        .map(|(sequence, line)| (sequence, if sequence < limit { line.clone() } else { line.as_last_of(limit) }))
        .collect();
    for chunk in kept.chunks(500) {
        let mut insert = Query::insert();
        insert.into_table("job_logs").columns(["activity", "sequence", "at", "level", "text"]);
        for (sequence, line) in chunk {
            insert.values_panic([
                Expr::value(id.to_value()),
                Expr::value(*sequence),
                Expr::value(line.at.to_value()),
                Expr::value(line.level.to_value()),
                Expr::value(line.text.as_str()),
            ]);
        }
        tx.exec(&insert).await?;
    }
    Ok(())
}

/// At most `limit` lines of a job's log, after the one with this number.
pub(crate) async fn log(tx: &mut Tx, id: ActivityId, after: i64, limit: u32) -> Result<Vec<LogLine>, CatalogError> {
    let rows = tx
        .rows_sql(
            "SELECT sequence, at, level, text FROM job_logs WHERE activity = $1 AND sequence > $2 ORDER BY sequence LIMIT $3",
            values![id, after, i64::from(limit)],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(LogLine {
                sequence: row.get("sequence")?,
                at: row.get("at")?,
                level: row.get("level")?,
                text: row.get("text")?,
            })
        })
        .collect()
}

/// One job.
pub(crate) async fn record(tx: &mut Tx, id: ActivityId) -> Result<Option<JobRecord>, JobError> {
    let mut select = records();
    select.and_where(Expr::col("id").eq(id.to_string()));
    tx.row(&select).await?.map(|row| read_record(&row)).transpose()
}

/// Jobs older than `after`, newest first; only those of `projects`, and of no kind in `except`.
pub(crate) async fn list(
    tx: &mut Tx,
    filter: &JobFilter,
    projects: Option<&[ProjectId]>,
    except: &[&'static str],
    after: Option<ActivityId>,
    limit: u64,
) -> Result<Vec<JobRecord>, JobError> {
    let mut select = records();
    select.order_by("id", Order::Desc).limit(limit);
    if let Some(projects) = projects {
        select.and_where(Expr::col("project").is_in(projects.iter().map(ToString::to_string)));
    }
    if !except.is_empty() {
        select.and_where(Expr::col("kind").is_not_in(except.iter().copied()));
    }
    if let Some(state) = filter.state {
        select.and_where(Expr::col("state").eq(state.name()));
    }
    if let Some(kind) = &filter.kind {
        select.and_where(Expr::col("kind").eq(kind.as_str()));
    }
    if let Some(after) = after {
        select.and_where(Expr::col("id").lt(after.to_string()));
    }
    tx.rows(&select).await?.iter().map(read_record).collect()
}

fn records() -> SelectStatement {
    let mut select = Query::select();
    select.from("activities").columns([
        "id",
        "project",
        "kind",
        "agent",
        "state",
        "attempt",
        "max_attempts",
        "priority",
        "params",
        "result",
        "error",
        "progress",
        "message",
        "code_version",
        "created_at",
        "started_at",
        "finished_at",
        "run_after",
        "heartbeat_at",
    ]);
    select
}

fn read_record(row: &Row) -> Result<JobRecord, JobError> {
    let id: ActivityId = row.get("id")?;
    let result: Option<String> = row.get("result")?;
    Ok(JobRecord {
        id,
        project: row.get("project")?,
        kind: row.get("kind")?,
        agent: row.get("agent")?,
        state: row.get("state")?,
        attempt: count(row, "attempt")?,
        max_attempts: count(row, "max_attempts")?,
        priority: row.get("priority")?,
        params: read_json(id, "params", &row.get::<String>("params")?)?,
        result: result.map(|text| read_json(id, "result", &text)).transpose()?,
        error: row.get("error")?,
        progress: row.get("progress")?,
        message: row.get("message")?,
        code_version: row.get("code_version")?,
        created_at: row.get("created_at")?,
        started_at: row.get("started_at")?,
        finished_at: row.get("finished_at")?,
        run_after: row.get("run_after")?,
        heartbeat_at: row.get("heartbeat_at")?,
    })
}

/// The JSON that we wrote into a column ourselves.
pub(crate) fn read_json(id: ActivityId, column: &'static str, text: &str) -> Result<Value, JobError> {
    json::parse(text.as_bytes(), &json::Limits::default()).map_err(|error| JobError::Damaged {
        id,
        column,
        problem: error.to_string(),
    })
}

fn count(row: &Row, column: &str) -> Result<u32, CatalogError> {
    let number: i64 = row.get(column)?;
    u32::try_from(number)
        .map_err(|_| CatalogError::Column { column: column.to_owned(), problem: format!("{number} is not a count") })
}

/// Columns that hold one of our own words, as text.
macro_rules! text_columns {
    ($($word:ty),*) => {$(
        impl Column for $word {
            fn read(row: &Row, column: &str) -> Result<Self, CatalogError> {
                let name: String = row.get(column)?;
                name.parse().map_err(|error: <$word as std::str::FromStr>::Err| CatalogError::Column {
                    column: column.to_owned(),
                    problem: error.to_string(),
                })
            }
        }

        impl ToValue for $word {
            fn to_value(&self) -> sea_query::Value {
                self.name().into()
            }
        }
    )*};
}

text_columns!(State, Level);

impl Column for Priority {
    fn read(row: &Row, column: &str) -> Result<Self, CatalogError> {
        let number: i64 = row.get(column)?;
        Priority::from_number(number).ok_or_else(|| CatalogError::Column {
            column: column.to_owned(),
            problem: format!("{number} is not a priority"),
        })
    }
}

impl ToValue for Priority {
    fn to_value(&self) -> sea_query::Value {
        i64::from(self.number()).into()
    }
}
