//! A datapoint as it was submitted, and the exact JSON text under which it is kept.

use serde_json::{Map, Number, Value};

use crate::timestamp::Timestamp;

/// The members of `ownership_info`, in the order in which they are answered.
pub const OWNER_FIELDS: [&str; 10] = [
    "user_id",
    "experiment_id",
    "campaign_id",
    "project_id",
    "node_id",
    "workcell_id",
    "lab_id",
    "step_id",
    "workflow_id",
    "manager_id",
];

/// The owner that no index knows: nearly every datapoint of a laboratory names the same.
const UNINDEXED_OWNER: &str = "manager_id";

/// Whether datapoints are found by this owner without being looked at.
pub(crate) fn is_indexed_owner(field: &str) -> bool {
    field != UNINDEXED_OWNER
}

/// A datapoint as a client sent it, checked and brought into form. Read with [`Submission::parse`](crate::Submission::parse).
#[derive(Debug, Clone, PartialEq)]
pub struct Submission {
    /// The id the client chose, or none.
    pub id: Option<String>,
    /// What it is called.
    pub label: Option<String>,
    /// Whom it belongs to in the laboratory. This is metadata and grants nothing.
    pub ownership: Ownership,
    /// When it was measured, if the client says so.
    pub timestamp: Option<Timestamp>,
    /// What was measured.
    pub content: Content,
    /// Members that no type declares, kept as they came.
    pub extras: Map<String, Value>,
}

/// `ownership_info` as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ownership {
    /// Absent: the server's own ownership is recorded.
    Unsaid,
    /// An explicit null.
    Nobody,
    /// An object: its known members that are not null, in the order of [`OWNER_FIELDS`].
    Known(Vec<(&'static str, String)>),
}

/// What a datapoint holds, by its `data_type`.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// `json`: any JSON value.
    Json {
        /// The value.
        value: Value,
    },
    /// `file`: the bytes are sent beside the record.
    File {
        /// The path on the client's machine, or the logical one once the bytes are here.
        path: String,
    },
    /// `object_storage`: the bytes lie in a bucket.
    ObjectStorage(Box<ObjectRecord>),
}

impl Content {
    /// The value of `data_type`.
    pub fn data_type(&self) -> &'static str {
        match self {
            Self::Json { .. } => "json",
            Self::File { .. } => "file",
            Self::ObjectStorage(_) => "object_storage",
        }
    }
}

/// Where an object lies, as the record says it. The names are those of the contract.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ObjectRecord {
    /// A URL for people and browsers.
    pub url: Option<String>,
    /// Host and port of the store.
    pub storage_endpoint: String,
    /// Host and port under which others reach it.
    pub public_endpoint: Option<String>,
    /// The path on the client's machine.
    pub path: String,
    /// The bucket.
    pub bucket_name: Option<String>,
    /// The key in the bucket.
    pub object_name: Option<String>,
    /// The media type.
    pub content_type: Option<String>,
    /// Bytes.
    pub size_bytes: Option<Number>,
    /// The store's mark of this version, without quotation marks.
    pub etag: Option<String>,
    /// What else the client noted, text to text.
    pub custom_metadata: Map<String, Value>,
}

/// The values that a rendering takes from elsewhere than the submission itself.
pub(crate) struct Rendering<'r> {
    pub(crate) id: &'r str,
    pub(crate) ownership: &'r Ownership,
    pub(crate) timestamp: &'r str,
    pub(crate) content: &'r Content,
    /// The path of an uploaded file, which a value has among its extra members.
    pub(crate) extra_path: Option<&'r str>,
}

impl Submission {
    /// The JSON text under the contract's order of keys, compact, as it is stored and answered.
    pub(crate) fn render(&self, rendering: &Rendering<'_>) -> String {
        let mut writer = Writer(String::with_capacity(256));
        writer.text_or_null("label", self.label.as_deref());
        writer.key("ownership_info");
        match rendering.ownership {
            Ownership::Known(members) => {
                let members = members.iter().map(|(field, id)| ((*field).to_owned(), Value::from(id.as_str())));
                writer.value(&Value::Object(members.collect()));
            }
            Ownership::Unsaid | Ownership::Nobody => writer.value(&Value::Null),
        }
        writer.text("data_type", rendering.content.data_type());
        writer.text("_id", rendering.id);
        writer.text("data_timestamp", rendering.timestamp);
        match rendering.content {
            Content::Json { value } => writer.member("value", value),
            Content::File { path } => writer.text("path", path),
            Content::ObjectStorage(record) => writer.object_record(record),
        }
        let mut path = rendering.extra_path;
        for (key, value) in &self.extras {
            match path.filter(|_| key == "path") {
                Some(text) => {
                    writer.text(key, text);
                    path = None;
                }
                None => writer.member(key, value),
            }
        }
        if let Some(text) = path {
            writer.text("path", text);
        }
        writer.finish()
    }
}

/// Writes the members of one object, compact.
struct Writer(String);

impl Writer {
    fn key(&mut self, key: &str) {
        self.0.push(if self.0.is_empty() { '{' } else { ',' });
        self.quoted(key);
        self.0.push(':');
    }

    fn value(&mut self, value: &Value) {
        // `Display` of a value is its compact JSON; quoting here spares the formatter for the most frequent kind.
        match value {
            Value::String(text) => self.quoted(text),
            other => self.0.push_str(&other.to_string()),
        }
    }

    fn quoted(&mut self, text: &str) {
        if text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
            self.0.push_str(&Value::from(text).to_string());
        } else {
            self.0.push('"');
            self.0.push_str(text);
            self.0.push('"');
        }
    }

    fn member(&mut self, key: &str, value: &Value) {
        self.key(key);
        self.value(value);
    }

    fn text(&mut self, key: &str, text: &str) {
        self.key(key);
        self.quoted(text);
    }

    fn text_or_null(&mut self, key: &str, text: Option<&str>) {
        match text {
            Some(text) => self.text(key, text),
            None => self.member(key, &Value::Null),
        }
    }

    fn object_record(&mut self, record: &ObjectRecord) {
        self.text_or_null("url", record.url.as_deref());
        self.text("storage_endpoint", &record.storage_endpoint);
        self.text_or_null("public_endpoint", record.public_endpoint.as_deref());
        self.text("path", &record.path);
        self.text_or_null("bucket_name", record.bucket_name.as_deref());
        self.text_or_null("object_name", record.object_name.as_deref());
        self.text_or_null("content_type", record.content_type.as_deref());
        self.member("size_bytes", &record.size_bytes.clone().map_or(Value::Null, Value::Number));
        self.text_or_null("etag", record.etag.as_deref());
        self.key("custom_metadata");
        self.0.push_str(&Value::Object(record.custom_metadata.clone()).to_string());
    }

    fn finish(mut self) -> String {
        self.0.push('}');
        self.0
    }
}
