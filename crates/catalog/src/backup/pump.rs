//! Rows from one catalog into another, of either engine.

use std::path::Path;

use futures::TryStreamExt as _;
use holotype_core::Clock;
use sea_query::Value;
use sqlx::AssertSqlSafe;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::SqlitePoolOptions;

use super::make;
use crate::row::Row;
use crate::tables::{Column, Kind, quoted};
use crate::tx::{Connection, Held, Tx};
use crate::{CatalogError, Engine, migrate, values};

/// How many rows go into the other catalog with one statement: few enough for the widest table's values.
const ROWS: usize = 200;

/// With how many bytes a statement is full already.
const BYTES: usize = 4 << 20;

/// Copies a catalog from PostgreSQL, as one snapshot, into a SQLite file that does not exist.
pub(super) async fn from_postgres(
    options: &PgConnectOptions,
    clock: &dyn Clock,
    file: &Path,
) -> Result<(), CatalogError> {
    let source = PgPoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
    let snapshot = source.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let mut source = Tx::new(Held::Postgres(snapshot), clock.now());
    let target = make::options(file).create_if_missing(true);
    let target = SqlitePoolOptions::new().max_connections(1).connect_with(target).await?;
    let mut target = Tx::new(Held::Sqlite(target.begin_with("BEGIN IMMEDIATE").await?), clock.now());
    migrate::make_tables(&mut target, migrate::version_in(&mut source).await?).await?;
    copy(&mut source, &mut target).await?;
    target.commit().await.map(drop)
}

/// Copies every row of every table into tables that are empty, and what they have counted.
pub(super) async fn copy(source: &mut Tx, target: &mut Tx) -> Result<(), CatalogError> {
    for table in target.tables().await? {
        // PostgreSQL knows more: there a boolean is not a number.
        let columns = match (source.engine(), target.engine()) {
            (Engine::Postgres, _) => source.columns(table).await?,
            (Engine::Sqlite, _) => target.columns(table).await?,
        };
        copy_table(source, target, table, &columns).await?;
    }
    for (table, last) in source.counters().await? {
        target.set_counter(table, last).await?;
    }
    Ok(())
}

async fn copy_table(source: &mut Tx, target: &mut Tx, table: &str, columns: &[Column]) -> Result<(), CatalogError> {
    let names = columns.iter().map(|column| quoted(&column.name)).collect::<Vec<_>>().join(", ");
    let select = AssertSqlSafe(format!("SELECT {names} FROM {}", quoted(table)));
    let mut insert = Insert::into(target, table, &names, columns);
    match source.connection().await? {
        Connection::Sqlite(connection) => {
            let mut rows = sqlx::query(select).fetch(connection);
            while let Some(row) = rows.try_next().await? {
                insert.add(&row.into()).await?;
            }
        }
        Connection::Postgres(connection) => {
            let mut rows = sqlx::query(select).fetch(connection);
            while let Some(row) = rows.try_next().await? {
                insert.add(&row.into()).await?;
            }
        }
    }
    insert.finish().await
}

/// Collects rows and inserts many at once.
struct Insert<'t> {
    target: &'t mut Tx,
    columns: &'t [Column],
    head: String,
    values: Vec<Value>,
    bytes: usize,
}

impl<'t> Insert<'t> {
    fn into(target: &'t mut Tx, table: &str, names: &str, columns: &'t [Column]) -> Self {
        // The numbers are the ones that were given out before.
        let overriding = if target.engine() == Engine::Postgres { " OVERRIDING SYSTEM VALUE" } else { "" };
        let head = format!("INSERT INTO {} ({names}){overriding} VALUES ", quoted(table));
        Self { target, columns, head, values: values![], bytes: 0 }
    }

    async fn add(&mut self, row: &Row) -> Result<(), CatalogError> {
        for Column { name, kind } in self.columns {
            let value = kind.take(row, name)?;
            self.bytes += match (&value, kind) {
                (Value::String(Some(text)), Kind::Text) => text.len(),
                (Value::Bytes(Some(bytes)), Kind::Bytes) => bytes.len(),
                _ => 8,
            };
            self.values.push(value);
        }
        if self.values.len() >= ROWS * self.columns.len() || self.bytes >= BYTES {
            self.finish().await?;
        }
        Ok(())
    }

    async fn finish(&mut self) -> Result<(), CatalogError> {
        if self.values.is_empty() {
            return Ok(());
        }
        let mut text = self.head.clone();
        for place in 0..self.values.len() {
            let before = match (place, place % self.columns.len()) {
                (0, _) => "(",
                (_, 0) => "), (",
                _ => ", ",
            };
            text.push_str(&format!("{before}${}", place + 1));
        }
        text.push(')');
        self.bytes = 0;
        self.target.exec_text(text, std::mem::take(&mut self.values)).await.map(drop)
    }
}
