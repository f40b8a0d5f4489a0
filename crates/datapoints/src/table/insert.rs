//! Storing rows, many with one statement.
//!
//! A prepared statement of many rows is large, and each number of rows is a statement of its own. So there are few numbers,
//! and the texts are written once: that alone takes about as long as to run them.

use std::collections::HashMap;
use std::sync::LazyLock;

use holotype_catalog::{CatalogError, Engine, Row, Sql, Tx, values};
use holotype_core::{ProjectId, UserId};
use sea_query::Value;

use crate::table::{FileRow, NewRow};

/// The numbers of rows that there are statements for: each small one, because few come together most of the time.
const SIZES: [usize; 13] = [500, 100, 20, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1];

const COLUMNS: [&str; 10] = [
    "project",
    "id",
    "label",
    "data_type",
    "data_timestamp",
    "instant",
    "document",
    "content_digest",
    "agent",
    "created_at",
];

const OWNER_COLUMNS: [&str; 4] = ["project", "field", "value", "sequence"];

static STORING: LazyLock<Statements> = LazyLock::new(|| {
    let clause = " ON CONFLICT (project, id) DO NOTHING";
    Statements::new("datapoints", &COLUMNS, [clause, " ON CONFLICT (project, id) DO NOTHING RETURNING id, sequence"])
});

static STORING_OWNERS: LazyLock<Statements> =
    LazyLock::new(|| Statements::new("datapoint_owners", &OWNER_COLUMNS, ["", ""]));

/// The texts of an INSERT, one for each of [`SIZES`].
struct Statements(Vec<(usize, Texts)>);

/// A text for each engine.
struct Texts {
    sqlite: String,
    postgres: String,
}

impl Statements {
    /// The last part of the texts is another for each engine.
    fn new(table: &str, columns: &[&str], [sqlite_end, postgres_end]: [&str; 2]) -> Self {
        let text = |rows: usize, mark: fn(usize) -> String, end: &str| {
            let row =
                |row: usize| (1..=columns.len()).map(|column| mark(row * columns.len() + column)).collect::<Vec<_>>();
            let rows: Vec<String> = (0..rows).map(|number| format!("({})", row(number).join(", "))).collect();
            format!("INSERT INTO {table} ({}) VALUES {}{end}", columns.join(", "), rows.join(", "))
        };
        // SQLite looks a numbered mark up in a list of all of them.
        let sqlite = |rows| text(rows, |_| "?".to_owned(), sqlite_end);
        let postgres = |rows| text(rows, |number| format!("${number}"), postgres_end);
        Self(SIZES.map(|rows| (rows, Texts { sqlite: sqlite(rows), postgres: postgres(rows) })).into())
    }

    /// The first rows of `rest` that there is a statement for, the statement, and the other rows; none at the end.
    fn next<'r, R>(&'static self, rest: &'r [R]) -> Option<(&'r [R], Sql, &'r [R])> {
        let (size, texts) = self.0.iter().find(|(size, _)| *size <= rest.len())?;
        let (part, rest) = rest.split_at(*size);
        Some((part, Sql { sqlite: &texts.sqlite, postgres: &texts.postgres }, rest))
    }
}

/// Stores datapoints whose ids are not taken, in their order, and gives their sequence numbers. Ids must differ.
pub(crate) async fn insert(
    tx: &mut Tx,
    project: ProjectId,
    agent: UserId,
    rows: &[&NewRow],
) -> Result<HashMap<String, i64>, CatalogError> {
    let common = Common { project: project.to_string(), agent: agent.to_string(), now: tx.now().as_micros() };
    let mut stored = HashMap::with_capacity(rows.len());
    let values = |(part, statement, rest)| (part, statement, common.of(part), rest);
    let mut next = STORING.next(rows).map(values);
    while let Some((part, statement, values_of_part, rest)) = next {
        // The values of the next statement are made while the database is busy with this one.
        let following = async { STORING.next(rest).map(values) };
        let (inserted, following) = futures::join!(insert_part(tx, statement, values_of_part, part), following);
        stored.extend(inserted?);
        next = following;
    }
    insert_owners(tx, &common.project, rows, &stored).await?;
    Ok(stored)
}

/// Runs a statement and gives the ids that it stored with their numbers.
async fn insert_part(
    tx: &mut Tx,
    statement: Sql,
    values: Vec<Value>,
    rows: &[&NewRow],
) -> Result<Vec<(String, i64)>, CatalogError> {
    if tx.engine() == Engine::Postgres {
        return told(&tx.rows_sql(statement, values).await?);
    }
    // SQLite numbers rows one after the other, and each that it tells costs it a change of threads.
    let inserted = tx.insert_sql(statement, values).await?;
    match inserted.last {
        Some(last) if inserted.rows == rows.len() as u64 => {
            Ok(rows.iter().rev().zip(0..).map(|(row, before)| (row.id.clone(), last - before)).collect())
        }
        // Those that were passed over may have left gaps; those that were stored are the last there are.
        _ => {
            let newest = "SELECT id, sequence FROM datapoints ORDER BY sequence DESC LIMIT $1";
            told(&tx.rows_sql(newest, values![i64::try_from(inserted.rows).unwrap_or(i64::MAX)]).await?)
        }
    }
}

/// Rows of an id and its number.
fn told(rows: &[Row]) -> Result<Vec<(String, i64)>, CatalogError> {
    rows.iter().map(|row| Ok((row.get("id")?, row.get("sequence")?))).collect()
}

async fn insert_owners(
    tx: &mut Tx,
    project: &str,
    rows: &[&NewRow],
    stored: &HashMap<String, i64>,
) -> Result<(), CatalogError> {
    let new = rows.iter().filter_map(|row| Some((row, *stored.get(&row.id)?)));
    let owners = new.flat_map(|(row, sequence)| row.owners.iter().map(move |(field, value)| (*field, value, sequence)));
    let owners: Vec<(&str, &String, i64)> = owners.collect();
    let mut rest = owners.as_slice();
    while let Some((part, statement, next)) = STORING_OWNERS.next(rest) {
        let values = part.iter().flat_map(|(field, value, sequence)| values![project, *field, *value, *sequence]);
        tx.exec_sql(statement, values.collect()).await?;
        rest = next;
    }
    Ok(())
}

/// What the rows of a statement have in common.
struct Common {
    project: String,
    agent: String,
    now: i64,
}

impl Common {
    fn of(&self, rows: &[&NewRow]) -> Vec<Value> {
        rows.iter().flat_map(|row| self.with(row)).collect()
    }

    /// The values of a row, in the order of [`COLUMNS`].
    fn with(&self, row: &NewRow) -> Vec<Value> {
        let (document, project, agent) = (&*row.document, self.project.as_str(), self.agent.as_str());
        let (id, label, timestamp) = (row.id.as_str(), row.label.as_str(), row.timestamp.as_str());
        values![project, id, label, row.data_type, timestamp, row.instant, document, row.content, agent, self.now]
    }
}

/// Stores a file of a datapoint.
pub(crate) async fn insert_file(tx: &mut Tx, project: ProjectId, id: &str, file: &FileRow) -> Result<(), CatalogError> {
    tx.exec_sql(
        "INSERT INTO datapoint_files (project, datapoint, position, name, digest, size, media_type, modified_at, path) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        values![
            project,
            id,
            file.position,
            file.name,
            file.digest,
            file.size,
            file.media_type,
            file.modified_at,
            file.path
        ],
    )
    .await
    .map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_number_of_rows_is_stored_by_few_statements() {
        let rows = vec![(); 1_234];
        let (mut rest, mut sizes) = (rows.as_slice(), Vec::new());
        while let Some((part, statement, next)) = STORING_OWNERS.next(rest) {
            assert_eq!(statement.sqlite.matches('?').count(), part.len() * OWNER_COLUMNS.len());
            assert!(
                statement.postgres.ends_with(&format!("${})", part.len() * OWNER_COLUMNS.len())),
                "{}",
                statement.postgres
            );
            sizes.push(part.len());
            rest = next;
        }
        assert_eq!(sizes, [500, 500, 100, 100, 20, 10, 4]);
    }
}
