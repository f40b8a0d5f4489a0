//! Tables of a service that speaks TAP (IVOA Table Access Protocol 1.1), asked one query at a time.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use holotype_core::Clock;
use reqwest::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use url::{Url, form_urlencoded};

use crate::http::{Answer, Body, Http, Pace, Policy, Redirects, Request, host_name, message};
use crate::source::SourceError;

/// How patient a client is by itself: a service says nothing until its database has found the rows.
pub const POLICY: Policy = Policy {
    connect_timeout: Duration::from_secs(10),
    read_timeout: Duration::from_secs(120),
    answer_timeout: Duration::from_secs(300),
    tries: 2,
    first_pause: Duration::from_secs(1),
    patience: Duration::from_secs(30),
    pace: Pace { connections: 1, requests_per_second: None },
    redirects: Redirects::Follow,
    requests: None,
    proxy: None,
};

/// What an answer should be, for messages.
const EXPECTED: &str = "a table in CSV";

/// A TAP service. Clones share connections and pace.
#[derive(Debug, Clone)]
pub struct Tap {
    http: Http,
    sync: Url,
}

impl Tap {
    /// Makes ready to ask the service at this address, without the `/sync`. Nothing is asked yet.
    ///
    /// # Errors
    /// [`SourceError::Address`] for an address that is none.
    pub fn new(service: &Url, policy: Policy, clock: Arc<dyn Clock>) -> Result<Self, SourceError> {
        let mut sync = service.clone();
        sync.set_path(&format!("{}/sync", service.path().trim_end_matches('/')));
        sync.set_query(None);
        sync.set_fragment(None);
        let http = Http::new(&sync, policy, clock)?;
        Ok(Self { http, sync })
    }

    /// Where queries go.
    pub fn address(&self) -> &str {
        self.sync.as_str()
    }

    /// The service's host, for messages.
    pub fn host(&self) -> String {
        host_name(&self.sync)
    }

    /// What a query in ADQL finds: CSV whose first line names the columns, and whose lines all have as many cells as that. At most
    /// `rows` are asked for, and at most `limit` bytes read. CSV does not say whether the service had more rows than it gave.
    ///
    /// # Errors
    /// The last one, after what may pass by itself was tried again. [`SourceError::Answer`] for a refusal without a status of its own,
    /// for what is no CSV and for what is cut: services answer so when they are overloaded, too, so it counts as transient.
    pub async fn csv(&self, query: &str, rows: usize, limit: usize) -> Result<Bytes, SourceError> {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("REQUEST", "doQuery")
            .append_pair("LANG", "ADQL")
            .append_pair("FORMAT", "csv")
            .append_pair("MAXREC", &rows.to_string())
            .append_pair("QUERY", query)
            .finish();
        let body = Body { media_type: "application/x-www-form-urlencoded", bytes: form.into() };
        let request = Request { url: self.sync.clone(), headers: Vec::new(), body: Some(body) };
        let answer = self.http.ask(&request, limit).await?;
        match objection(&answer) {
            Some(problem) => Err(SourceError::Answer { host: answer.host(), expected: EXPECTED, problem }),
            None => Ok(answer.bytes),
        }
    }
}

/// Why an answer is not the whole table that it should be, if so.
fn objection(answer: &Answer) -> Option<String> {
    let text = answer.bytes.trim_ascii_start();
    if text.is_empty() {
        return Some("it is empty".to_owned());
    }
    if text.starts_with(b"<") {
        let beginning = text.get(..message::MAX_BYTES).unwrap_or(text);
        return Some(match message::of(beginning) {
            reason if reason.is_empty() => "it is a web page or XML".to_owned(),
            reason => format!("the service refuses the query: {reason}"),
        });
    }
    // Where neither a length nor a last chunk says so, only the end of a line tells that the end has come.
    let is_framed = [CONTENT_LENGTH, TRANSFER_ENCODING].iter().any(|name| answer.headers.contains_key(name));
    if !is_framed && !text.ends_with(b"\n") {
        return Some("it is cut".to_owned());
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text);
    let mut record = csv::ByteRecord::new();
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => return Some(format!("it is damaged: {error}")),
        }
    }
}
