//! The tables of sessions, operations and results, and the only place where statements on them are made.

use std::collections::HashMap;

use holotype_catalog::{CatalogError, Row, Sql, Tx, values};
use holotype_core::{ActivityId, Digest, Instant, ProjectId, UserId};
use holotype_jobs::State;
use sea_query::{Expr, ExprTrait, JoinType, Order, Query, SelectStatement};
use serde_json::Value;

use crate::{FileName, OperationId, OperationRecord, ResultFile, Session, SessionError, SessionId, Status};

/// Values in a list of one statement.
const CHUNK: usize = 500;

/// A session about to be stored.
#[derive(Debug, Clone)]
pub(crate) struct NewSession {
    pub(crate) project: ProjectId,
    pub(crate) owner: UserId,
    pub(crate) owner_name: String,
    pub(crate) name: String,
    pub(crate) input_data: String,
}

/// A session in a list that is still to be narrowed.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    pub(crate) id: i64,
    pub(crate) name: String,
    pub(crate) owner_name: String,
}

/// A result whose row is locked to the end of the transaction.
#[derive(Debug, Clone)]
pub(crate) struct LockedResult {
    pub(crate) project: ProjectId,
    pub(crate) activity: Option<ActivityId>,
    pub(crate) finished: bool,
}

/// An operation about to be stored.
#[derive(Debug, Clone)]
pub(crate) struct NewOperation<'o> {
    pub(crate) session: SessionId,
    pub(crate) project: ProjectId,
    pub(crate) agent: UserId,
    pub(crate) name: &'o str,
    pub(crate) input_data: &'o str,
    pub(crate) result: &'o Digest,
}

pub(crate) async fn insert_session(tx: &mut Tx, new: &NewSession) -> Result<SessionId, CatalogError> {
    let insert = "INSERT INTO sessions (project, owner, owner_name, name, input_data, created, accessed, modified)
        VALUES ($1, $2, $3, $4, $5, $6, $6, $6) RETURNING id";
    let values = values![new.project, new.owner, new.owner_name, new.name, new.input_data, tx.now()];
    one_id(tx.row_sql(insert, values).await?).map(SessionId)
}

/// A session of an owner, without its operations.
pub(crate) async fn session(tx: &mut Tx, owner: UserId, id: SessionId) -> Result<Option<Session>, SessionError> {
    let select = "SELECT id, project, owner, owner_name, name, input_data, created, accessed, modified FROM sessions
        WHERE id = $1 AND owner = $2";
    tx.row_sql(select, values![id.0, owner]).await?.as_ref().map(read_session).transpose()
}

/// The same, locked to the end of the transaction.
pub(crate) async fn lock_session(tx: &mut Tx, owner: UserId, id: SessionId) -> Result<Session, SessionError> {
    let lock = "UPDATE sessions SET name = name WHERE id = $1 AND owner = $2
        RETURNING id, project, owner, owner_name, name, input_data, created, accessed, modified";
    let row = tx.row_sql(lock, values![id.0, owner]).await?.ok_or(SessionError::NoSession { id })?;
    read_session(&row)
}

/// Notes that a session was looked at.
pub(crate) async fn touch(tx: &mut Tx, id: SessionId) -> Result<(), CatalogError> {
    let update = "UPDATE sessions SET accessed = $2 WHERE id = $1";
    tx.exec_sql(update, values![id.0, tx.now()]).await.map(drop)
}

pub(crate) async fn update_session(
    tx: &mut Tx,
    id: SessionId,
    name: &str,
    input_data: &str,
) -> Result<(), CatalogError> {
    let update = "UPDATE sessions SET name = $2, input_data = $3, modified = $4, accessed = $4 WHERE id = $1";
    tx.exec_sql(update, values![id.0, name, input_data, tx.now()]).await.map(drop)
}

pub(crate) async fn delete_session(tx: &mut Tx, id: SessionId) -> Result<(), CatalogError> {
    tx.exec_sql("DELETE FROM sessions WHERE id = $1", values![id.0]).await.map(drop)
}

/// An owner's sessions within these times, both ends included; the last changed first.
pub(crate) async fn listed(
    tx: &mut Tx,
    owner: UserId,
    created: (Option<Instant>, Option<Instant>),
    modified: (Option<Instant>, Option<Instant>),
) -> Result<Vec<Listed>, CatalogError> {
    let mut select = Query::select();
    select.columns(["id", "name", "owner_name"]).from("sessions");
    select.and_where(Expr::col("owner").eq(owner.to_string()));
    for (column, (after, before)) in [("created", created), ("modified", modified)] {
        if let Some(after) = after {
            select.and_where(Expr::col(column).gte(after.as_micros()));
        }
        if let Some(before) = before {
            select.and_where(Expr::col(column).lte(before.as_micros()));
        }
    }
    select.order_by("modified", Order::Desc).order_by("id", Order::Desc);
    let listed =
        |row: &Row| Ok(Listed { id: row.get("id")?, name: row.get("name")?, owner_name: row.get("owner_name")? });
    tx.rows(&select).await?.iter().map(listed).collect()
}

/// Sessions by their numbers, in that order, without their operations.
pub(crate) async fn sessions(tx: &mut Tx, ids: &[i64]) -> Result<Vec<Session>, SessionError> {
    let mut found: HashMap<i64, Session> = HashMap::new();
    for chunk in ids.chunks(CHUNK) {
        let mut select = Query::select();
        select.columns([
            "id",
            "project",
            "owner",
            "owner_name",
            "name",
            "input_data",
            "created",
            "accessed",
            "modified",
        ]);
        select.from("sessions").and_where(Expr::col("id").is_in(chunk.iter().copied()));
        for row in tx.rows(&select).await? {
            let session = read_session(&row)?;
            found.insert(session.id.0, session);
        }
    }
    Ok(ids.iter().filter_map(|id| found.remove(id)).collect())
}

fn read_session(row: &Row) -> Result<Session, SessionError> {
    let id = SessionId(row.get("id")?);
    let input_data: String = row.get("input_data")?;
    Ok(Session {
        id,
        owner: row.get("owner")?,
        owner_name: row.get("owner_name")?,
        project: row.get("project")?,
        name: row.get("name")?,
        input_data: json(&format!("session {id}"), &input_data)?,
        created: row.get("created")?,
        accessed: row.get("accessed")?,
        modified: row.get("modified")?,
        operations: Vec::new(),
    })
}

pub(crate) async fn insert_operation(tx: &mut Tx, new: &NewOperation<'_>) -> Result<OperationId, CatalogError> {
    let insert = "INSERT INTO operations (session, project, agent, name, input_data, result, created)
        VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id";
    let now = tx.now();
    let values = values![new.session.0, new.project, new.agent, new.name, new.input_data, new.result.to_string(), now];
    one_id(tx.row_sql(insert, values).await?).map(OperationId)
}

/// Has an operation ask for something else.
pub(crate) async fn update_operation(tx: &mut Tx, id: OperationId, new: &NewOperation<'_>) -> Result<(), CatalogError> {
    let update = "UPDATE operations SET name = $2, input_data = $3, result = $4 WHERE id = $1";
    tx.exec_sql(update, values![id.0, new.name, new.input_data, new.result.to_string()]).await.map(drop)
}

/// Deletes operations of a session; which results they pointed to.
pub(crate) async fn delete_operations(
    tx: &mut Tx,
    session: SessionId,
    ids: &[i64],
) -> Result<Vec<String>, CatalogError> {
    let mut results = Vec::new();
    for chunk in ids.chunks(CHUNK) {
        let mut delete = Query::delete();
        delete.from_table("operations").and_where(Expr::col("session").eq(session.0));
        delete.and_where(Expr::col("id").is_in(chunk.iter().copied())).returning_col("result");
        for row in tx.rows(&delete).await? {
            results.push(row.get("result")?);
        }
    }
    Ok(results)
}

/// The results that the operations of a session point to.
pub(crate) async fn results_of(tx: &mut Tx, session: SessionId) -> Result<Vec<String>, CatalogError> {
    let select = "SELECT DISTINCT result FROM operations WHERE session = $1";
    tx.rows_sql(select, values![session.0]).await?.iter().map(|row| row.get("result")).collect()
}

/// An owner's operation.
pub(crate) async fn operation(
    tx: &mut Tx,
    owner: UserId,
    id: OperationId,
) -> Result<Option<OperationRecord>, SessionError> {
    let mut select = operation_columns();
    select.join(JoinType::InnerJoin, "sessions", Expr::col(("sessions", "id")).equals(("operations", "session")));
    select.and_where(Expr::col(("operations", "id")).eq(id.0));
    select.and_where(Expr::col(("sessions", "owner")).eq(owner.to_string()));
    tx.row(&select).await?.as_ref().map(read_operation).transpose()
}

/// The operations of sessions, in the order of their numbers.
pub(crate) async fn operations(tx: &mut Tx, sessions: &[i64]) -> Result<Vec<OperationRecord>, SessionError> {
    let mut found = Vec::new();
    for chunk in sessions.chunks(CHUNK) {
        let mut select = operation_columns();
        select.and_where(Expr::col(("operations", "session")).is_in(chunk.iter().copied()));
        for row in tx.rows(&select).await? {
            found.push(read_operation(&row)?);
        }
    }
    found.sort_by_key(|operation| operation.id);
    Ok(found)
}

/// A page of a session's operations, in the order of their numbers, and how many there are.
pub(crate) async fn operation_page(
    tx: &mut Tx,
    session: SessionId,
    limit: u64,
    offset: u64,
) -> Result<(u64, Vec<OperationRecord>), SessionError> {
    let count = "SELECT count(*) AS total FROM operations WHERE session = $1";
    let total: i64 = tx.row_sql(count, values![session.0]).await?.map_or(Ok(0), |row| row.get("total"))?;
    let mut select = operation_columns();
    select.and_where(Expr::col(("operations", "session")).eq(session.0));
    select.order_by(("operations", "id"), Order::Asc).limit(limit).offset(offset);
    let page = tx.rows(&select).await?.iter().map(read_operation).collect::<Result<_, _>>()?;
    Ok((total.unsigned_abs(), page))
}

/// An owner's operations of all sessions, the newest first, older than `before`.
pub(crate) async fn operations_of_owner(
    tx: &mut Tx,
    owner: UserId,
    before: Option<OperationId>,
    limit: u64,
) -> Result<Vec<OperationRecord>, SessionError> {
    let mut select = operation_columns();
    select.join(JoinType::InnerJoin, "sessions", Expr::col(("sessions", "id")).equals(("operations", "session")));
    select.and_where(Expr::col(("sessions", "owner")).eq(owner.to_string()));
    if let Some(before) = before {
        select.and_where(Expr::col(("operations", "id")).lt(before.0));
    }
    select.order_by(("operations", "id"), Order::Desc).limit(limit);
    tx.rows(&select).await?.iter().map(read_operation).collect()
}

fn operation_columns() -> SelectStatement {
    let mut select = Query::select();
    for name in ["id", "session", "name", "input_data", "created", "result"] {
        select.column(("operations", name));
    }
    for name in ["output", "finished_at", "activity"] {
        select.column(("results", name));
    }
    for name in ["state", "progress", "message", "error"] {
        select.column(("activities", name));
    }
    select
        .from("operations")
        .join(JoinType::InnerJoin, "results", Expr::col(("results", "key")).equals(("operations", "result")))
        .join(JoinType::LeftJoin, "activities", Expr::col(("activities", "id")).equals(("results", "activity")));
    select
}

fn read_operation(row: &Row) -> Result<OperationRecord, SessionError> {
    let id = OperationId(row.get("id")?);
    let what = || format!("operation {id}");
    let damaged = |problem: String| SessionError::Damaged { what: what(), problem };
    let state: Option<State> = match row.get::<Option<String>>("state")? {
        Some(name) => Some(name.parse().map_err(|error| damaged(format!("{error}")))?),
        None => None,
    };
    let finished = row.get::<Option<Instant>>("finished_at")?.is_some();
    let progress = row.get::<Option<f64>>("progress")?.unwrap_or(0.0);
    let message = row.get::<Option<String>>("message")?.unwrap_or_default();
    let (status, progress, message) = match (finished, state) {
        (true, _) => (Status::Completed, 1.0, String::new()),
        (false, None) => (Status::Pending, 0.0, String::new()),
        (false, Some(State::Queued | State::Running | State::Succeeded)) => (Status::InProgress, progress, message),
        (false, Some(State::Failed)) => {
            (Status::Failed, progress, row.get::<Option<String>>("error")?.unwrap_or_default())
        }
        (false, Some(State::Cancelling | State::Cancelled)) => (Status::Failed, progress, CANCELLED.to_owned()),
    };
    let input_data: String = row.get("input_data")?;
    let output = match status {
        Status::Completed | Status::InProgress => row.get::<Option<String>>("output")?,
        Status::Pending | Status::Failed => None,
    };
    Ok(OperationRecord {
        id,
        session: SessionId(row.get("session")?),
        name: row.get("name")?,
        input_data: json(&what(), &input_data)?,
        created: row.get("created")?,
        key: key(&row.get::<String>("result")?)?,
        status,
        progress,
        message,
        output: output.as_deref().map(|text| json(&what(), text)).transpose()?,
        job: row.get("activity")?,
    })
}

/// What an operation says whose job was stopped.
const CANCELLED: &str = "The operation was cancelled.";

/// Makes a result's row if there is none.
pub(crate) async fn ensure_result(
    tx: &mut Tx,
    key: &Digest,
    (project, agent): (ProjectId, UserId),
    operation: &str,
    request: &str,
) -> Result<(), CatalogError> {
    let insert = "INSERT INTO results (key, project, agent, operation, request, created_at)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (key) DO NOTHING";
    let now = tx.now();
    tx.exec_sql(insert, values![key.to_string(), project, agent, operation, request, now]).await.map(drop)
}

/// A result, locked to the end of the transaction.
pub(crate) async fn lock_result(tx: &mut Tx, key: &str) -> Result<Option<LockedResult>, CatalogError> {
    let lock = "UPDATE results SET operation = operation WHERE key = $1 RETURNING project, activity, finished_at";
    let Some(row) = tx.row_sql(lock, values![key]).await? else { return Ok(None) };
    Ok(Some(LockedResult {
        project: row.get("project")?,
        activity: row.get("activity")?,
        finished: row.get::<Option<Instant>>("finished_at")?.is_some(),
    }))
}

/// Where the job of an activity stands.
pub(crate) async fn job_state(tx: &mut Tx, id: ActivityId) -> Result<Option<String>, CatalogError> {
    let row = tx.row_sql("SELECT state FROM activities WHERE id = $1", values![id]).await?;
    row.map(|row| row.get("state")).transpose()
}

/// Gives a result to a new job, as if nothing had been made.
pub(crate) async fn begin_result(
    tx: &mut Tx,
    key: &Digest,
    (project, agent): (ProjectId, UserId),
    request: &str,
    activity: ActivityId,
) -> Result<(), CatalogError> {
    let update =
        "UPDATE results SET project = $2, agent = $3, request = $4, activity = $5, output = NULL WHERE key = $1";
    tx.exec_sql(update, values![key.to_string(), project, agent, request, activity]).await.map(drop)
}

/// How many operations point to a result, and how many of them are an owner's.
pub(crate) async fn waiting(tx: &mut Tx, key: &str, owner: Option<UserId>) -> Result<(i64, i64), CatalogError> {
    let count =
        "SELECT count(*) AS total, count(CASE WHEN agent = $2 THEN 1 END) AS own FROM operations WHERE result = $1";
    let row = tx.row_sql(count, values![key, owner]).await?;
    row.map_or(Ok((0, 0)), |row| Ok((row.get("total")?, row.get("own")?)))
}

/// What a result is the result of.
pub(crate) async fn request(tx: &mut Tx, key: &Digest) -> Result<Option<String>, CatalogError> {
    let row = tx.row_sql("SELECT request FROM results WHERE key = $1", values![key.to_string()]).await?;
    row.map(|row| row.get("request")).transpose()
}

/// Writes what has been made of a result, if it is still this job's to make; `finished` says that it is whole. Whether it was.
pub(crate) async fn put_output(
    tx: &mut Tx,
    key: &Digest,
    activity: ActivityId,
    output: Option<&str>,
    finished: bool,
) -> Result<bool, CatalogError> {
    let update = "UPDATE results SET output = $3, finished_at = $4
        WHERE key = $1 AND activity = $2 AND finished_at IS NULL";
    let at = finished.then(|| tx.now());
    Ok(tx.exec_sql(update, values![key.to_string(), activity, output, at]).await? == 1)
}

/// Forgets the files of a result.
pub(crate) async fn forget_files(tx: &mut Tx, key: &str) -> Result<(), CatalogError> {
    tx.exec_sql("DELETE FROM result_files WHERE result = $1", values![key]).await.map(drop)
}

/// Writes down a file of a result, in place of one of the same name.
pub(crate) async fn put_file(tx: &mut Tx, key: &Digest, file: &ResultFile) -> Result<(), CatalogError> {
    let insert = "INSERT INTO result_files (result, name, digest, size, created_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (result, name) DO UPDATE SET digest = $3, size = $4, created_at = $5";
    let size = i64::try_from(file.size).unwrap_or(i64::MAX);
    let values = values![key.to_string(), file.name.as_str(), file.digest, size, file.created];
    tx.exec_sql(insert, values).await.map(drop)
}

/// A file of a result.
pub(crate) async fn file(tx: &mut Tx, name: &FileName) -> Result<Option<ResultFile>, CatalogError> {
    let select = "SELECT digest, size, created_at FROM result_files WHERE result = $1 AND name = $2";
    let Some(key) = name.key() else { return Ok(None) };
    let Some(row) = tx.row_sql(select, values![key.to_string(), name.as_str()]).await? else { return Ok(None) };
    Ok(Some(ResultFile {
        name: name.clone(),
        digest: row.get("digest")?,
        size: row.get::<i64>("size")?.unsigned_abs(),
        created: row.get("created_at")?,
    }))
}

/// Whether a user has an operation that points to a result.
pub(crate) async fn has_result(tx: &mut Tx, owner: UserId, key: &Digest) -> Result<bool, CatalogError> {
    let select = Sql::from(
        "SELECT operations.id FROM operations JOIN sessions ON sessions.id = operations.session
        WHERE operations.result = $1 AND sessions.owner = $2 LIMIT 1",
    );
    Ok(tx.row_sql(select, values![key.to_string(), owner]).await?.is_some())
}

fn json(what: &str, text: &str) -> Result<Value, SessionError> {
    let damaged =
        |error: serde_json::Error| SessionError::Damaged { what: what.to_owned(), problem: error.to_string() };
    serde_json::from_str(text).map_err(damaged)
}

fn key(text: &str) -> Result<Digest, SessionError> {
    let damaged = |error| SessionError::Damaged { what: "a result".to_owned(), problem: format!("{error}") };
    text.parse().map_err(damaged)
}

fn one_id(row: Option<Row>) -> Result<i64, CatalogError> {
    let absent = || CatalogError::Column { column: "id".to_owned(), problem: "nothing was returned".to_owned() };
    row.ok_or_else(absent)?.get("id")
}
