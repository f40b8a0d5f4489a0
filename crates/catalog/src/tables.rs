//! The tables of the catalog, for what goes through all of them.

use sea_query::Value;

use crate::row::Row;
use crate::{CatalogError, Engine, Tx, values};

/// Every table, each after those that its rows refer to. What is not here is in no backup; a test compares it with the
/// schema.
pub(crate) const TABLES: &[&str] = &[
    "projects",
    "users",
    "tokens",
    "members",
    "audit_events",
    "blobs",
    "blob_references",
    "activities",
    "job_logs",
    "activity_inputs",
    "activity_outputs",
    "datapoints",
    "datapoint_owners",
    "datapoint_files",
    "datapoint_schemas",
    "frames",
    "frame_headers",
    "frame_versions",
    "frame_relations",
    "frame_thumbnails",
    "fetches",
    "fetch_frames",
    "held_frames",
    "fetch_schedules",
    "sessions",
    "results",
    "result_files",
    "operations",
    "archive_tokens",
    "profiles",
    "input_cache",
    "input_grants",
];

/// Where the migrations that have run are written down.
pub(crate) const MIGRATIONS: &str = "holotype_migrations";

/// The kinds of values that the tables hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Integer,
    Real,
    Boolean,
    Text,
    Bytes,
}

impl Kind {
    fn of_type(name: &str) -> Option<Self> {
        match name {
            "INTEGER" | "bigint" => Some(Self::Integer),
            "REAL" | "double precision" => Some(Self::Real),
            "boolean" => Some(Self::Boolean),
            "TEXT" | "text" => Some(Self::Text),
            "BLOB" | "bytea" => Some(Self::Bytes),
            _ => None,
        }
    }

    /// Takes a value out of a row to put it into another.
    pub(crate) fn take(self, row: &Row, column: &str) -> Result<Value, CatalogError> {
        Ok(match self {
            Self::Integer => row.get::<Option<i64>>(column)?.into(),
            Self::Real => row.get::<Option<f64>>(column)?.into(),
            Self::Boolean => row.get::<Option<bool>>(column)?.into(),
            Self::Text => row.get::<Option<String>>(column)?.into(),
            Self::Bytes => row.get::<Option<Vec<u8>>>(column)?.into(),
        })
    }
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) kind: Kind,
}

impl Tx {
    /// The tables of ours that are there, each after those that its rows refer to.
    pub(crate) async fn tables(&mut self) -> Result<Vec<&'static str>, CatalogError> {
        let there = self.all_tables().await?;
        Ok(TABLES.iter().copied().filter(|table| there.iter().any(|name| name == table)).collect())
    }

    /// All tables that are there, also those of others.
    pub(crate) async fn all_tables(&mut self) -> Result<Vec<String>, CatalogError> {
        let select = crate::Sql {
            sqlite: "SELECT name FROM sqlite_schema
                WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
            postgres: "SELECT tablename::text AS name FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1",
        };
        self.rows_sql(select, values![]).await?.iter().map(|row| row.get("name")).collect()
    }

    /// The columns of a table, in their order.
    pub(crate) async fn columns(&mut self, table: &str) -> Result<Vec<Column>, CatalogError> {
        let select = crate::Sql {
            sqlite: "SELECT name, type FROM pragma_table_info($1) ORDER BY cid",
            postgres: "SELECT column_name::text AS name, data_type::text AS type FROM information_schema.columns
                WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position",
        };
        let rows = self.rows_sql(select, values![table]).await?;
        rows.iter().map(column).collect()
    }

    /// The highest number that each table which counts its rows has ever given out.
    pub(crate) async fn counters(&mut self) -> Result<Vec<(&'static str, i64)>, CatalogError> {
        let select = crate::Sql {
            sqlite: "SELECT name, seq AS last FROM sqlite_sequence",
            postgres: "SELECT table_name::text AS name, coalesce(pg_sequence_last_value(
                    pg_get_serial_sequence(quote_ident(table_name), column_name)::regclass), 0) AS last
                FROM information_schema.columns WHERE table_schema = current_schema() AND is_identity = 'YES'",
        };
        let mut counters = Vec::new();
        for row in self.rows_sql(select, values![]).await? {
            let name: String = row.get("name")?;
            if let Some(table) = TABLES.iter().find(|table| **table == name) {
                counters.push((*table, row.get("last")?));
            }
        }
        Ok(counters)
    }

    /// Has a table that counts its rows go on after `last`.
    pub(crate) async fn set_counter(&mut self, table: &'static str, last: i64) -> Result<(), CatalogError> {
        if last == 0 {
            return Ok(());
        }
        if self.engine() == Engine::Postgres {
            let set = "SELECT setval(pg_get_serial_sequence(quote_ident($1), (SELECT column_name::text
                FROM information_schema.columns
                WHERE table_schema = current_schema() AND table_name = $1 AND is_identity = 'YES')), $2)";
            return self.rows_sql(set, values![table, last]).await.map(drop);
        }
        // SQLite keeps no key on this table of its own.
        self.exec_sql("DELETE FROM sqlite_sequence WHERE name = $1", values![table]).await?;
        self.exec_sql("INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)", values![table, last]).await.map(drop)
    }

    /// Drops a table, if it is there. The name is quoted; it comes from the database or from [`TABLES`].
    pub(crate) async fn drop_table(&mut self, table: &str) -> Result<(), CatalogError> {
        let cascade = if self.engine() == Engine::Postgres { " CASCADE" } else { "" };
        self.exec_text(format!("DROP TABLE IF EXISTS {}{cascade}", quoted(table)), values![]).await.map(drop)
    }
}

/// A name as both engines take it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn column(row: &Row) -> Result<Column, CatalogError> {
    let (name, of_type): (String, String) = (row.get("name")?, row.get("type")?);
    let kind = Kind::of_type(&of_type);
    let unknown = || CatalogError::Column { column: name.clone(), problem: format!("its type is {of_type}") };
    Ok(Column { kind: kind.ok_or_else(unknown)?, name })
}
