//! The database, SQLite or PostgreSQL: transactions, migrations, principals, blob references, lineage, audit.
//!
//! ```text
//! CatalogUrl ──open──▶ Catalog ──write(work)──▶ Tx ──commit──▶ durable
//!                         └──────read(work)───▶ Tx on a snapshot
//! ```
//!
//! A room above gives [`Catalog::write`] a piece of work: a function from a [`Tx`] to a result. On SQLite one task
//! commits the work of many callers together; on PostgreSQL each piece has its own transaction. Either way a piece is
//! stored whole or not at all, and is durable when the answer comes.
//!
//! Statements whose text never varies are written as SQL with `$1`, `$2`, which both engines take; what is composed at
//! run time is built with sea-query. [`values!`] binds ids, digests and instants, and [`Row::get`] reads them back.
//!
//! ```
//! use std::sync::Arc;
//! use holotype_catalog::{Catalog, CatalogError, CatalogUrl, values};
//! # use holotype_testkit::clock::HandClock;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let (path, clock) = (folder.path().join("catalog.db"), Arc::new(HandClock::default()));
//! let url = CatalogUrl::from(path.as_path());
//! Catalog::initialise(&url, &*clock).await?;
//! let catalog = Catalog::open(url, clock).await?;
//! catalog.create_project(&Catalog::local_owner(), "survey").await?;
//! let names: Vec<String> = catalog
//!     .read(|tx| {
//!         Box::pin(async move {
//!             let rows = tx.rows_sql("SELECT name FROM projects ORDER BY name", values![]).await?;
//!             rows.iter().map(|row| row.get("name")).collect::<Result<_, CatalogError>>()
//!         })
//!     })
//!     .await?;
//! assert_eq!(names, ["default", "survey"]);
//! # Ok(())
//! # }
//! ```

mod audit;
mod backup;
mod blobs;
mod catalog;
mod error;
mod exclusive;
mod lineage;
mod migrate;
mod names;
mod nesting;
mod passwords;
mod postgres;
mod presence;
mod profiles;
mod projects;
pub mod random;
mod row;
mod sqlite;
mod tables;
mod tokens;
mod tx;
mod url;
mod users;
mod writer;

pub use audit::AuditEvent;
pub use backup::{BlobList, Existing, Manifest, ManifestBlobs, ManifestFile};
pub use blobs::{BlobCounts, BlobInfo, BlobReference, BlobState, DELETION_LEASE, PinOutcome};
pub use catalog::{Catalog, Engine, Pools};
pub use error::CatalogError;
pub use lineage::{BLOB, Direction, Edge, Entity, Graph, JOB, Node, RecordKind, Relation};
pub use migrate::Migrated;
pub use profiles::Profile;
pub use projects::{Member, Project};
pub use row::{Column, Row, ToValue};
pub use tokens::Token;
pub use tx::{AfterCommit, Connection, Inserted, Sql, Tx};
pub use url::CatalogUrl;
pub use users::User;
