//! Datapoints: submit, read, find, remove, follow, export.

use bytes::Bytes;
use futures::{Stream, TryStreamExt};
use holotype_api::datapoint::{
    BatchResult, Count, CountRequest, DatapointFile, DatapointSchema, PutDatapointSchema, QueryRequest,
};
use holotype_api::{Document, Page};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use reqwest::multipart::Form;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::download::Download;
use crate::events::Events;
use crate::lines::Lines;
use crate::upload::FileUpload;
use crate::{Client, ClientError, PageQuery};

const NDJSON: &str = "application/x-ndjson";

/// Which datapoints to list.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DatapointQuery {
    /// Only datapoints with this label.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Only datapoints of this type: `json`, `file` or `object_storage`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub data_type: Option<String>,
    /// Only datapoints whose time is this or later.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Only datapoints whose time is before this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Whether to list deleted datapoints, and those alone.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    /// `data_timestamp`, `sequence` or `label`, with a leading `-` for descending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    /// Most items in the page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The `next` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// A datapoint as it is stored now.
#[derive(Debug, Clone)]
pub struct Submitted {
    /// Its exact JSON.
    pub document: Document,
    /// Whether this submission stored it: false when the same datapoint was there before.
    pub created: bool,
}

/// What became of each line of a batch, as the server tells it.
pub struct BatchResults(Lines);

impl BatchResults {
    /// The next result; `None` after the last one.
    pub async fn next(&mut self) -> Result<Option<BatchResult>, ClientError> {
        match self.0.next().await? {
            Some(line) => Ok(Some(self.0.parse(&line)?)),
            None => Ok(None),
        }
    }
}

/// Datapoints as they arrive.
pub struct Tail(Events);

impl Tail {
    /// The next datapoint; `None` when the server ends the stream.
    pub async fn next(&mut self) -> Result<Option<Document>, ClientError> {
        while let Some(event) = self.0.next().await? {
            if event.name == "datapoint" {
                return RawValue::from_string(event.data).map(Some).map_err(|source| self.0.unreadable(source));
            }
        }
        Ok(None)
    }
}

impl Client {
    /// Stores a datapoint with its files. Durable when this returns; repeating it changes nothing.
    pub async fn submit_datapoint(&self, datapoint: &Value, files: Vec<FileUpload>) -> Result<Submitted, ClientError> {
        let request = self.creation(&["datapoints"])?;
        let answer = if files.is_empty() {
            self.open(request.json(datapoint)).await?
        } else {
            let mut form = Form::new().text("datapoint", datapoint.to_string());
            for file in files {
                form = form.part("files", file.into_part());
            }
            self.open(request.multipart(form)).await?
        };
        let created = answer.created();
        Ok(Submitted { document: answer.json().await?, created })
    }

    /// Stores many datapoints, one JSON text per line, and answers what became of each while they are sent.
    pub async fn submit_batch<S, E>(&self, lines: S) -> Result<BatchResults, ClientError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: Into<Box<dyn std::error::Error + Send + Sync>> + 'static,
    {
        let request = self.request(Method::POST, &["datapoints", "batch"])?.header(CONTENT_TYPE, NDJSON);
        let body = reqwest::Body::wrap_stream(lines.map_err(Into::into));
        Ok(BatchResults(Lines::new(self.open(request.body(body)).await?)))
    }

    /// One datapoint.
    pub async fn datapoint(&self, id: &str) -> Result<Document, ClientError> {
        self.json(self.request(Method::GET, &["datapoints", id])?).await
    }

    /// A datapoint's value: JSON for a value, bytes for a file.
    pub async fn datapoint_value(&self, id: &str) -> Result<Download, ClientError> {
        self.open(self.request(Method::GET, &["datapoints", id, "value"])?).await
    }

    /// The files of a datapoint.
    pub async fn datapoint_files(&self, id: &str) -> Result<Page<DatapointFile>, ClientError> {
        self.json(self.request(Method::GET, &["datapoints", id, "files"])?).await
    }

    /// The bytes of one file of a datapoint.
    pub async fn datapoint_file(&self, id: &str, position: u32) -> Result<Download, ClientError> {
        self.open(self.request(Method::GET, &["datapoints", id, "files", &position.to_string()])?).await
    }

    /// One page of datapoints.
    pub async fn datapoints(&self, query: &DatapointQuery) -> Result<Page<Document>, ClientError> {
        self.json(self.request(Method::GET, &["datapoints"])?.query(query)).await
    }

    /// One page of the datapoints that a filter lets pass.
    pub async fn query_datapoints(&self, query: &QueryRequest) -> Result<Page<Document>, ClientError> {
        self.json(self.request(Method::POST, &["datapoints", "query"])?.json(query)).await
    }

    /// How many datapoints a filter lets pass.
    pub async fn count_datapoints(&self, filter: Value) -> Result<u64, ClientError> {
        let request = self.request(Method::POST, &["datapoints", "count"])?.json(&CountRequest { filter });
        Ok(self.json::<Count>(request).await?.count)
    }

    /// Takes a datapoint out of sight. It can be restored until a sweep removes it.
    pub async fn delete_datapoint(&self, id: &str) -> Result<(), ClientError> {
        self.done(self.request(Method::DELETE, &["datapoints", id])?).await
    }

    /// Brings a deleted datapoint back.
    pub async fn restore_datapoint(&self, id: &str) -> Result<(), ClientError> {
        self.done(self.request(Method::POST, &["datapoints", id, "restore"])?).await
    }

    /// Datapoints that a filter lets pass, from now on, as they arrive.
    pub async fn tail_datapoints(&self, filter: &Value) -> Result<Tail, ClientError> {
        let request = self.request(Method::GET, &["datapoints", "tail"])?.query(&[("filter", filter.to_string())]);
        Ok(Tail(Events::new(self.open(request).await?)))
    }

    /// All datapoints that a filter lets pass, as `ndjson`, `csv` or `parquet`.
    pub async fn export_datapoints(&self, format: &str, filter: &Value) -> Result<Download, ClientError> {
        let request = self.request(Method::GET, &["datapoints", "export"])?;
        self.open(request.query(&[("format", format), ("filter", &filter.to_string())])).await
    }

    /// One page of the schemas of labels.
    pub async fn datapoint_schemas(&self, page: &PageQuery) -> Result<Page<DatapointSchema>, ClientError> {
        self.json(self.request(Method::GET, &["datapoint-schemas"])?.query(page)).await
    }

    /// The schema of a label.
    pub async fn datapoint_schema(&self, label: &str) -> Result<DatapointSchema, ClientError> {
        self.json(self.request(Method::GET, &["datapoint-schemas", label])?).await
    }

    /// Sets the schema of a label, in place of the one it has.
    pub async fn put_datapoint_schema(
        &self,
        label: &str,
        schema: &PutDatapointSchema,
    ) -> Result<DatapointSchema, ClientError> {
        self.json(self.request(Method::PUT, &["datapoint-schemas", label])?.json(schema)).await
    }

    /// Removes the schema of a label; datapoints already stored stay as they are.
    pub async fn delete_datapoint_schema(&self, label: &str) -> Result<(), ClientError> {
        self.done(self.request(Method::DELETE, &["datapoint-schemas", label])?).await
    }
}
