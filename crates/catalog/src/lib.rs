//! The database, SQLite or PostgreSQL: transactions, migrations, principals, blob references, lineage, audit.
//!
//! ```text
//! CatalogUrl ──open──▶ Catalog ──write(work)──▶ Tx ──commit──▶ durable
//!                         └──────read(work)───▶ Tx on a snapshot
//! ```
//!
//! A room above gives [`Catalog::write`] a piece of work: a function from a [`Tx`] to a result. On SQLite one task commits the
//! work of many callers together; on PostgreSQL each piece has its own transaction. Either way a piece is stored whole or not at
//! all, and is durable when the answer comes.

mod catalog;
mod error;
mod exclusive;
mod migrate;
mod nesting;
mod postgres;
pub mod random;
mod row;
mod sqlite;
mod tx;
mod url;
mod writer;

pub use catalog::{Catalog, Engine, Pools};
pub use error::CatalogError;
pub use migrate::Migrated;
pub use row::{Column, Row, ToValue};
pub use tx::{AfterCommit, Connection, Sql, Tx};
pub use url::CatalogUrl;
