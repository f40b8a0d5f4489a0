//! The tables of datapoints, and the only place where statements on them are made.

mod insert;

use std::collections::HashMap;
use std::sync::Arc;

use holotype_catalog::{CatalogError, Row, Tx, values};
use holotype_core::{Digest, Instant, ProjectId, UserId};
use sea_query::{Alias, Condition, Expr, ExprTrait, JoinType, Order, Query, SelectStatement};

pub(crate) use insert::{insert, insert_file};

use crate::narrow::{Narrowing, TextColumn, TextTest};

/// Ids in one statement.
const IDS_PER_SELECT: usize = 500;

/// The length of a document, for which neither engine reads the document. PostgreSQL would answer 32 bits.
const DOCUMENT_BYTES: &str = "CAST(octet_length(datapoints.document) AS bigint)";

/// A datapoint about to be stored.
#[derive(Debug, Clone)]
pub(crate) struct NewRow {
    pub(crate) id: String,
    pub(crate) label: String,
    pub(crate) data_type: &'static str,
    pub(crate) timestamp: String,
    pub(crate) instant: Option<Instant>,
    pub(crate) document: Arc<str>,
    pub(crate) content: Digest,
    pub(crate) owners: Vec<(&'static str, String)>,
}

/// What is stored under an id, as far as a submission of the same id must know.
#[derive(Debug, Clone)]
pub(crate) struct Existing {
    pub(crate) document: Arc<str>,
    pub(crate) content: Digest,
    pub(crate) deleted: bool,
}

/// A file of a datapoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileRow {
    pub(crate) position: i64,
    pub(crate) name: String,
    pub(crate) digest: Digest,
    pub(crate) size: i64,
    pub(crate) media_type: String,
    pub(crate) modified_at: Instant,
    pub(crate) path: String,
}

/// Which datapoints a scan or a count looks at.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) project: ProjectId,
    /// The deleted ones, and those alone.
    pub(crate) deleted: bool,
    pub(crate) narrowing: Narrowing,
}

/// How a database finds the next datapoints of an order. Neither knows by itself which way is short: SQLite has no statistics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// Along the order, passing over what is not wanted.
    Ordered,
    /// By the narrowing first, and then sorting what is left.
    Narrowed,
}

/// The order of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sort {
    pub(crate) key: SortKey,
    pub(crate) descending: bool,
}

/// What a scan is sorted by; the sequence decides among equals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SortKey {
    Sequence,
    Timestamp,
    /// By label, then by timestamp.
    Label,
}

/// A place in every order at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Position {
    pub(crate) sequence: i64,
    pub(crate) timestamp: String,
    pub(crate) label: String,
}

/// What a scan knows of a datapoint before it reads the document.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) position: Position,
    /// The length of the document in bytes.
    pub(crate) bytes: u64,
}

/// A datapoint that a scan has read.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) sequence: i64,
    pub(crate) id: String,
    pub(crate) document: Arc<str>,
}

/// A schema as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct SchemaRow {
    pub(crate) label: String,
    pub(crate) schema: String,
    pub(crate) unit: Option<String>,
    pub(crate) agent: UserId,
    pub(crate) updated_at: Instant,
}

/// What is stored under ids, deleted or not.
pub(crate) async fn existing(
    tx: &mut Tx,
    project: ProjectId,
    ids: &[&str],
) -> Result<HashMap<String, Existing>, CatalogError> {
    let mut found = HashMap::with_capacity(ids.len());
    for part in ids.chunks(IDS_PER_SELECT) {
        let mut statement = Query::select();
        statement.columns(["id", "document", "content_digest", "deleted_at"]).from("datapoints");
        statement.and_where(Expr::col("project").eq(project.to_string()));
        statement.and_where(Expr::col("id").is_in(padded(part).copied()));
        for row in tx.rows(&statement).await? {
            let deleted = row.get::<Option<Instant>>("deleted_at")?.is_some();
            let existing = Existing { document: text(&row, "document")?, content: row.get("content_digest")?, deleted };
            found.insert(row.get("id")?, existing);
        }
    }
    Ok(found)
}

/// The document of a datapoint that is not deleted.
pub(crate) async fn document(tx: &mut Tx, project: ProjectId, id: &str) -> Result<Option<Arc<str>>, CatalogError> {
    let row = tx
        .row_sql(
            "SELECT document FROM datapoints WHERE project = $1 AND id = $2 AND deleted_at IS NULL",
            values![project, id],
        )
        .await?;
    row.map(|row| text(&row, "document")).transpose()
}

/// The files of a datapoint, in their order.
pub(crate) async fn files(tx: &mut Tx, project: ProjectId, id: &str) -> Result<Vec<FileRow>, CatalogError> {
    let rows = tx
        .rows_sql(
            "SELECT position, name, digest, size, media_type, modified_at, path FROM datapoint_files \
             WHERE project = $1 AND datapoint = $2 ORDER BY position",
            values![project, id],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(FileRow {
                position: row.get("position")?,
                name: row.get("name")?,
                digest: row.get("digest")?,
                size: row.get("size")?,
                media_type: row.get("media_type")?,
                modified_at: row.get("modified_at")?,
                path: row.get("path")?,
            })
        })
        .collect()
}

/// The keys of the datapoints that come after a place in an order, without their documents.
pub(crate) async fn keys(
    tx: &mut Tx,
    wanted: &Wanted,
    (sort, route): (Sort, Route),
    after: Option<&Position>,
    limit: u64,
) -> Result<Vec<Key>, CatalogError> {
    let mut statement = Query::select();
    let sequence = from_wanted(&mut statement, wanted);
    let column = |name: &'static str| Expr::col(("datapoints", name));
    statement.expr_as(sequence.clone(), "sequence").expr(column("data_timestamp")).expr(column("label"));
    statement.expr_as(Expr::cust(DOCUMENT_BYTES), "bytes");
    let order = if sort.descending { Order::Desc } else { Order::Asc };
    let columns = match (sort.key, route) {
        (SortKey::Sequence, Route::Ordered) => vec![sequence],
        (SortKey::Timestamp, Route::Ordered) => vec![column("data_timestamp"), sequence],
        (SortKey::Label, Route::Ordered) => vec![column("label"), column("data_timestamp"), sequence],
        // An expression is no column: no index is read in its order.
        (SortKey::Sequence, Route::Narrowed) => vec![Expr::cust("datapoints.sequence + 0")],
        (SortKey::Timestamp, Route::Narrowed) => vec![Expr::cust("datapoints.data_timestamp || ''"), sequence],
        (SortKey::Label, Route::Narrowed) => {
            vec![Expr::cust("datapoints.label || ''"), column("data_timestamp"), sequence]
        }
    };
    if let Some(place) = after {
        let (sequence, timestamp) = (Expr::val(place.sequence), Expr::val(place.timestamp.as_str()));
        let place = match sort.key {
            SortKey::Sequence => vec![sequence],
            SortKey::Timestamp => vec![timestamp, sequence],
            SortKey::Label => vec![Expr::val(place.label.as_str()), timestamp, sequence],
        };
        let (here, there) = (Expr::tuple(columns.clone()), Expr::tuple(place));
        statement.and_where(if sort.descending { here.lt(there) } else { here.gt(there) });
    }
    for column in columns {
        statement.order_by_expr(column, order.clone());
    }
    statement.limit(limit);
    let rows = tx.rows(&statement).await?;
    rows.iter().map(key).collect()
}

fn key(row: &Row) -> Result<Key, CatalogError> {
    let position =
        Position { sequence: row.get("sequence")?, timestamp: row.get("data_timestamp")?, label: row.get("label")? };
    Ok(Key { position, bytes: row.get::<i64>("bytes")?.unsigned_abs() })
}

/// The datapoints with these sequence numbers, in no order.
pub(crate) async fn candidates(tx: &mut Tx, sequences: &[i64]) -> Result<Vec<Candidate>, CatalogError> {
    if sequences.is_empty() {
        return Ok(Vec::new());
    }
    let mut statement = Query::select();
    statement.columns(["sequence", "id", "document"]).from("datapoints");
    statement.and_where(Expr::col("sequence").is_in(padded(sequences).copied()));
    tx.rows(&statement).await?.iter().map(candidate).collect()
}

fn candidate(row: &Row) -> Result<Candidate, CatalogError> {
    Ok(Candidate { sequence: row.get("sequence")?, id: row.get("id")?, document: text(row, "document")? })
}

/// How many datapoints are wanted, by the narrowing alone.
pub(crate) async fn count(tx: &mut Tx, wanted: &Wanted) -> Result<u64, CatalogError> {
    let mut statement = Query::select();
    from_wanted(&mut statement, wanted);
    statement.expr_as(Expr::cust("count(*)"), "total");
    let row = tx.row(&statement).await?;
    Ok(row.map(|row| row.get::<i64>("total")).transpose()?.unwrap_or(0).unsigned_abs())
}

/// Whether the narrowing leaves at most a number of datapoints.
pub(crate) async fn are_few(tx: &mut Tx, wanted: &Wanted, most: u64) -> Result<bool, CatalogError> {
    let mut some = Query::select();
    from_wanted(&mut some, wanted);
    some.expr_as(Expr::val(1), "one").limit(most + 1);
    let mut statement = Query::select();
    statement.expr_as(Expr::cust("count(*)"), "total").from_subquery(some, "some");
    let row = tx.row(&statement).await?;
    let total = row.map(|row| row.get::<i64>("total")).transpose()?.unwrap_or(0);
    Ok(total.unsigned_abs() <= most)
}

/// Everything of a SELECT but its columns and its order. Gives the column of the sequence to sort and page by.
fn from_wanted(statement: &mut SelectStatement, wanted: &Wanted) -> Expr {
    let project = wanted.project.to_string();
    let column = |name: &'static str| Expr::col(("datapoints", name));
    let mut sequence = column("sequence");
    statement.from("datapoints").and_where(column("project").eq(project.as_str()));
    let deleted_at = column("deleted_at");
    statement.and_where(if wanted.deleted { deleted_at.is_not_null() } else { deleted_at.is_null() });
    for (text, test) in &wanted.narrowing.texts {
        let column = column(match text {
            TextColumn::Id => "id",
            TextColumn::Label => "label",
            TextColumn::DataType => "data_type",
            TextColumn::Timestamp => "data_timestamp",
        });
        statement.and_where(match test {
            TextTest::OneOf(values) => one_of(column, values),
            TextTest::AtLeast(bound) => column.gte(bound.as_str()),
            TextTest::AtMost(bound) => column.lte(bound.as_str()),
        });
    }
    if let Some(since) = wanted.narrowing.since {
        statement.and_where(column("instant").gte(since.as_micros()));
    }
    if let Some(until) = wanted.narrowing.until {
        statement.and_where(column("instant").lt(until.as_micros()));
    }
    for (number, (field, values)) in wanted.narrowing.owners.iter().enumerate() {
        let owner = Alias::new(format!("owner{number}"));
        let column = |name: &'static str| Expr::col((owner.clone(), name));
        let condition = Condition::all()
            .add(column("project").eq(project.as_str()))
            .add(column("field").eq(*field))
            .add(one_of(column("value"), values))
            .add(column("sequence").equals(("datapoints", "sequence")));
        statement.join_as(JoinType::InnerJoin, "datapoint_owners", owner.clone(), condition);
        // The owners' own key is in this order, so that a page of one owner's datapoints is read without a sort.
        sequence = column("sequence");
    }
    sequence
}

/// A column that has one of some values. A single one is an equality: only then does SQLite read an index in its order.
fn one_of(column: Expr, values: &[String]) -> Expr {
    match values {
        [only] => column.eq(only.as_str()),
        _ => column.is_in(padded(values).map(String::as_str)),
    }
}

/// Values of a list, the last one repeated up to the next power of two: each length is a statement of its own, which is kept.
fn padded<T>(values: &[T]) -> impl Iterator<Item = &T> {
    let length = if values.is_empty() { 0 } else { values.len().next_power_of_two() };
    values.iter().chain(values.last().into_iter().cycle()).take(length)
}

/// Marks a datapoint as deleted; whether there was one to mark.
pub(crate) async fn mark_deleted(tx: &mut Tx, project: ProjectId, id: &str) -> Result<bool, CatalogError> {
    let now = tx.now();
    let changed = tx
        .exec_sql(
            "UPDATE datapoints SET deleted_at = $3 WHERE project = $1 AND id = $2 AND deleted_at IS NULL",
            values![project, id, now],
        )
        .await?;
    Ok(changed > 0)
}

/// Takes the mark away; whether there was one.
pub(crate) async fn unmark_deleted(tx: &mut Tx, project: ProjectId, id: &str) -> Result<bool, CatalogError> {
    let changed = tx
        .exec_sql(
            "UPDATE datapoints SET deleted_at = NULL WHERE project = $1 AND id = $2 AND deleted_at IS NOT NULL",
            values![project, id],
        )
        .await?;
    Ok(changed > 0)
}

/// Datapoints that were deleted before an instant, the earliest first.
pub(crate) async fn deleted_before(
    tx: &mut Tx,
    before: Instant,
    limit: i64,
) -> Result<Vec<(ProjectId, String)>, CatalogError> {
    let rows = tx
        .rows_sql(
            "SELECT project, id FROM datapoints WHERE deleted_at IS NOT NULL AND deleted_at < $1 ORDER BY deleted_at LIMIT $2",
            values![before, limit],
        )
        .await?;
    rows.iter().map(|row| Ok((row.get("project")?, row.get("id")?))).collect()
}

/// Removes a datapoint that is still deleted since before an instant, with its files, and gives its number and document.
pub(crate) async fn remove(
    tx: &mut Tx,
    project: ProjectId,
    id: &str,
    before: Instant,
) -> Result<Option<(i64, Arc<str>)>, CatalogError> {
    let removed = tx
        .row_sql(
            "DELETE FROM datapoints WHERE project = $1 AND id = $2 AND deleted_at IS NOT NULL AND deleted_at < $3 \
             RETURNING sequence, document",
            values![project, id, before],
        )
        .await?;
    removed.map(|row| Ok((row.get("sequence")?, text(&row, "document")?))).transpose()
}

/// Removes an owner of a datapoint that is removed.
pub(crate) async fn remove_owner(
    tx: &mut Tx,
    project: ProjectId,
    (field, value): (&str, &str),
    sequence: i64,
) -> Result<(), CatalogError> {
    tx.exec_sql(
        "DELETE FROM datapoint_owners WHERE project = $1 AND field = $2 AND value = $3 AND sequence = $4",
        values![project, field, value, sequence],
    )
    .await
    .map(drop)
}

/// The sequence number of the newest datapoint of a project; 0 if it has none.
pub(crate) async fn newest(tx: &mut Tx, project: ProjectId) -> Result<i64, CatalogError> {
    let row = tx
        .row_sql(
            "SELECT sequence FROM datapoints WHERE project = $1 AND deleted_at IS NULL ORDER BY sequence DESC LIMIT 1",
            values![project],
        )
        .await?;
    row.map_or(Ok(0), |row| row.get("sequence"))
}

/// The sequence numbers of a project above one, the least first.
pub(crate) async fn above(
    tx: &mut Tx,
    project: ProjectId,
    sequence: i64,
    limit: i64,
) -> Result<Vec<i64>, CatalogError> {
    let rows = tx
        .rows_sql(
            "SELECT sequence FROM datapoints WHERE project = $1 AND deleted_at IS NULL AND sequence > $2 \
             ORDER BY sequence LIMIT $3",
            values![project, sequence, limit],
        )
        .await?;
    rows.iter().map(|row| row.get("sequence")).collect()
}

/// The lengths in bytes of the documents with these sequence numbers, in the order of the numbers.
pub(crate) async fn lengths(tx: &mut Tx, sequences: &[i64]) -> Result<Vec<(i64, u64)>, CatalogError> {
    let mut statement = Query::select();
    statement.column("sequence").expr_as(Expr::cust(DOCUMENT_BYTES), "bytes").from("datapoints");
    statement.and_where(Expr::col("sequence").is_in(padded(sequences).copied())).order_by("sequence", Order::Asc);
    let rows = tx.rows(&statement).await?;
    rows.iter().map(|row| Ok((row.get("sequence")?, row.get::<i64>("bytes")?.unsigned_abs()))).collect()
}

/// Every schema of a project, by label.
pub(crate) async fn schemas(tx: &mut Tx, project: ProjectId) -> Result<Vec<SchemaRow>, CatalogError> {
    let rows = tx
        .rows_sql(
            "SELECT label, schema, unit, agent, updated_at FROM datapoint_schemas WHERE project = $1 ORDER BY label",
            values![project],
        )
        .await?;
    rows.iter()
        .map(|row| {
            Ok(SchemaRow {
                label: row.get("label")?,
                schema: row.get("schema")?,
                unit: row.get("unit")?,
                agent: row.get("agent")?,
                updated_at: row.get("updated_at")?,
            })
        })
        .collect()
}

/// Stores a schema, over the label's earlier one if it has one.
pub(crate) async fn put_schema(tx: &mut Tx, project: ProjectId, row: &SchemaRow) -> Result<(), CatalogError> {
    tx.exec_sql(
        "INSERT INTO datapoint_schemas (project, label, schema, unit, agent, updated_at) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (project, label) DO UPDATE SET schema = excluded.schema, unit = excluded.unit, agent = excluded.agent, \
         updated_at = excluded.updated_at",
        values![project, row.label, row.schema, row.unit, row.agent, row.updated_at],
    )
    .await?;
    Ok(())
}

/// Removes the schema of a label; whether there was one.
pub(crate) async fn delete_schema(tx: &mut Tx, project: ProjectId, label: &str) -> Result<bool, CatalogError> {
    let removed =
        tx.exec_sql("DELETE FROM datapoint_schemas WHERE project = $1 AND label = $2", values![project, label]).await?;
    Ok(removed > 0)
}

fn text(row: &Row, column: &str) -> Result<Arc<str>, CatalogError> {
    row.get::<String>(column).map(Arc::from)
}
