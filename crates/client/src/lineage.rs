//! Where something came from, and what became of it.

use holotype_api::lineage::Lineage;
use reqwest::Method;
use serde::Serialize;
use serde_json::Value;

use crate::{Client, ClientError};

/// Which way to walk, and how far.
#[derive(Debug, Clone, Serialize)]
pub struct LineageQuery {
    /// `both`, `back` to what it was made from, or `forward` to what was made from it.
    pub direction: String,
    /// Most steps away from the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depth: Option<u32>,
}

impl Client {
    /// What lies around one entity.
    pub async fn lineage(&self, kind: &str, id: &str, query: &LineageQuery) -> Result<Lineage, ClientError> {
        self.json(self.request(Method::GET, &["lineage", kind, id])?.query(query)).await
    }

    /// The same as a W3C PROV-JSON document.
    pub async fn provenance(&self, kind: &str, id: &str, query: &LineageQuery) -> Result<Value, ClientError> {
        let request = self.request(Method::GET, &["lineage", kind, id])?;
        self.json(request.query(query).query(&[("format", "prov")])).await
    }
}
