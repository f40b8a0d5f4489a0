//! A typed client of the HTTP API.
//!
//! A [`Transport`] leads to one server: over the network, over the Unix socket of a home, or to a router in this
//! process. A [`Client`] speaks the API over it, one file per capability: [`Client::submit_datapoint`],
//! [`Client::jobs`], [`Client::users`], [`Client::lineage`], [`Client::store_status`], [`Client::back_up`] and their
//! neighbours. Files go up and down in pieces ([`FileUpload`], [`Download`]), so memory stays flat whatever their size.
//!
//! What is safe to repeat (everything but a `POST` without an idempotency key) is tried four times when the connection
//! breaks or the server is busy. There is no limit on how long a call takes, only on how long nothing moves. A failure
//! is a [`ClientError`] with a [`holotype_core::Category`]; tokens and passwords are in none of them.
//!
//! Install rustls' ring provider before the first [`Transport`] is made.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use holotype_client::{Client, Credentials, Transport};
//! let transport = Transport::network("https://lab.example:8004/".parse()?, None)?;
//! let client = Client::new(transport, Some(Credentials::Token(std::env::var("HOLOTYPE_TOKEN")?.into())));
//! let stored = client.submit_datapoint(&serde_json::json!({"label": "temperature", "data_type": "json", "value": 21.5}), vec![]).await?;
//! println!("{}", stored.document);
//! # Ok(()) }
//! ```

mod credentials;
mod database;
mod datapoints;
mod download;
mod error;
mod events;
mod exchange;
mod fetches;
mod frames;
mod jobs;
mod lineage;
mod lines;
mod paced;
mod patience;
mod principals;
mod sessions;
mod store;
mod transport;
mod upload;

pub use credentials::Credentials;
pub use datapoints::{BatchResults, DatapointQuery, Submitted, Tail};
pub use download::{CopyError, Download};
pub use error::ClientError;
pub use exchange::Client;
pub use jobs::{JobEvents, JobQuery};
pub use lineage::LineageQuery;
pub use transport::Transport;
pub use upload::FileUpload;

/// Which part of a list to answer.
#[derive(Debug, Clone, Default, serde::Serialize)]
pub struct PageQuery {
    /// Most items in the page: 1 to 1000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}
