//! Wire types of the HTTP API, on both sides of it: the server answers with them, the client reads them.
//!
//! One file per capability, named like its routes. The types are plain data: no rule is decided here, and nothing is
//! validated beyond its shape. Instants are RFC 3339 in UTC, ids are ULIDs, digests are SHA-256 in hexadecimal, sizes are
//! bytes, and secrets are [`Secret`], which never shows itself in `Debug`.
//!
//! Two wire shapes are not types: a *datapoint* is the client's own JSON, kept as [`Document`] so that every digit and
//! every key's place survive, and server-sent events are [`JobEvent`], whose name travels beside its data.

pub mod database;
pub mod datapoint;
pub mod fetch;
pub mod frame;
pub mod health;
pub mod job;
pub mod lineage;
pub mod page;
pub mod principal;
pub mod problem;
pub mod session;
pub mod store;

mod schema;
mod secret;

pub use datapoint::Document;
pub use job::JobEvent;
pub use page::Page;
pub use problem::Problem;
pub use secret::Secret;
