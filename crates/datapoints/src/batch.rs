//! Many datapoints at once: lines of JSON in, what became of each out, while more lines come in.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use holotype_core::{Caller, ProjectId, Role};
use tokio::time::Instant;

use crate::model::Submission;
use crate::schema::ProjectSchemas;
use crate::store::for_each;
use crate::submit::{Prepared, Stored};
use crate::{DatapointError, Datapoints, Inner};

/// Lines stored in one transaction: enough to share a flush of the disk, few enough that others do not wait for long.
const PORTION_LINES: usize = 4_000;

/// Bytes of lines stored in one transaction. While they are read, JSON takes many times its length in memory.
const PORTION_BYTES: usize = 2 * 1024 * 1024;

/// How long the first line of a portion waits for others: a client that sends them one by one is answered soon.
const LINGER: Duration = Duration::from_millis(50);

/// What became of one line.
#[derive(Debug)]
pub struct BatchLine {
    /// The line, from 1; empty lines are counted and have no result.
    pub line: u64,
    /// What is stored, or why it is not.
    pub result: Result<Stored, DatapointError>,
}

impl Datapoints {
    /// Stores a stream of lines, each the JSON text of a datapoint without files, and answers for each in their order.
    ///
    /// Up to four thousand lines are stored in one transaction; while it is committed, the next lines are read. A line that is wrong
    /// does not hinder the others. An error of the stream itself, or a line that is too long, ends the batch after an answer that says so.
    ///
    /// # Errors
    /// If the caller may not write to the project.
    pub async fn submit_lines<E>(
        &self,
        caller: &Caller,
        project: ProjectId,
        body: impl Stream<Item = Result<Bytes, E>> + Send + 'static,
    ) -> Result<BoxStream<'static, BatchLine>, DatapointError>
    where
        E: std::fmt::Display + Send + 'static,
    {
        self.require(caller, project, Role::Editor).await?;
        let longest = self.inner.settings.limits.json.bytes;
        let lines = Lines { body: body.boxed(), buffer: BytesMut::new(), line: 0, searched: 0, longest, ended: false };
        let portions = stream::unfold(lines, |mut lines| async move {
            let portion = lines.portion().await;
            (!portion.is_empty()).then_some((portion, lines))
        });
        let (datapoints, caller, inner) = (self.clone(), caller.clone(), Arc::clone(&self.inner));
        let prepared = portions.map(move |lines| {
            let (numbers, texts): (Vec<u64>, Vec<_>) = lines.into_iter().unzip();
            // A task of its own goes on while the portion before is being stored; a future would wait to be asked.
            let work = tokio::spawn(prepare(Arc::clone(&inner), project, texts));
            async move { (numbers, work.await) }
        });
        // One portion is made ready while the one before is committed, and no more than that waits in memory.
        let stored = prepared.buffered(2).then(move |(numbers, batch)| {
            let (datapoints, caller) = (datapoints.clone(), caller.clone());
            async move {
                let batch = batch.unwrap_or_else(|error| for_each(error.into(), numbers.len()));
                let results = datapoints.store_prepared(&caller, project, batch).await;
                numbers.into_iter().zip(results).map(|(line, result)| BatchLine { line, result }).collect::<Vec<_>>()
            }
        });
        Ok(stored.flat_map(stream::iter).boxed())
    }
}

/// The text of a line, or why it cannot be read.
type Text = Result<Bytes, DatapointError>;

/// What of each line is to be stored, or why nothing is.
async fn prepare(inner: Arc<Inner>, project: ProjectId, texts: Vec<Text>) -> Vec<Result<Prepared, DatapointError>> {
    let count = texts.len();
    let work = async move {
        let schemas = inner.schemas(project).await?;
        let lines = move || texts.into_iter().map(|text| prepare_line(&inner, &schemas, &text?)).collect();
        Ok(tokio::task::spawn_blocking(lines).await?)
    };
    work.await.unwrap_or_else(|error| for_each(error, count))
}

fn prepare_line(inner: &Inner, schemas: &ProjectSchemas, text: &[u8]) -> Result<Prepared, DatapointError> {
    let settings = &inner.settings;
    let submission = Submission::parse(text, &settings.limits.json, &settings.time_zone);
    inner.prepare_value(schemas, &submission.map_err(|errors| DatapointError::Invalid { errors })?)
}

/// The lines of a body.
struct Lines<E> {
    body: BoxStream<'static, Result<Bytes, E>>,
    buffer: BytesMut,
    /// The number of the last line taken.
    line: u64,
    /// How much of the buffer is known to hold no line break.
    searched: usize,
    longest: usize,
    ended: bool,
}

impl<E: std::fmt::Display + Send + 'static> Lines<E> {
    /// The next lines, at most what one transaction takes; none at the end.
    async fn portion(&mut self) -> Vec<(u64, Text)> {
        let Some(first) = self.next().await else { return Vec::new() };
        let deadline = Instant::now() + LINGER;
        let mut bytes = first.1.as_ref().map_or(0, Bytes::len);
        let mut lines = vec![first];
        while lines.len() < PORTION_LINES && bytes < PORTION_BYTES {
            // What is dropped when time is up has taken nothing from the body.
            let Ok(Some(line)) = tokio::time::timeout_at(deadline, self.next()).await else { break };
            bytes += line.1.as_ref().map_or(0, Bytes::len);
            lines.push(line);
        }
        lines
    }

    /// The next line that is not empty.
    async fn next(&mut self) -> Option<(u64, Text)> {
        loop {
            let from = self.searched;
            if let Some(position) = self.buffer.get(from..)?.iter().position(|byte| *byte == b'\n') {
                let line = self.buffer.split_to(from + position + 1).freeze();
                self.searched = 0;
                self.line += 1;
                let line = line.slice(..line.len() - 1);
                if !line.trim_ascii().is_empty() {
                    return Some((self.line, Ok(line)));
                }
                continue;
            }
            self.searched = self.buffer.len();
            if self.ended {
                let rest = self.buffer.split().freeze();
                self.searched = 0;
                self.line += 1;
                return (!rest.trim_ascii().is_empty()).then_some((self.line, Ok(rest)));
            }
            if self.buffer.len() > self.longest {
                return Some(self.end(format!("the line is longer than {} bytes", self.longest)));
            }
            match self.body.next().await {
                Some(Ok(bytes)) => self.buffer.extend_from_slice(&bytes),
                Some(Err(error)) => return Some(self.end(format!("the batch broke off: {error}"))),
                None => self.ended = true,
            }
        }
    }

    /// An answer to the line that cannot be read, after which there is none.
    fn end(&mut self, problem: String) -> (u64, Text) {
        self.body = stream::empty().boxed();
        self.buffer.clear();
        self.searched = 0;
        self.ended = true;
        (self.line + 1, Err(DatapointError::parameter("line", problem)))
    }
}
