//! Many datapoints at once: lines of JSON in, what became of each out, while more lines come in.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use holotype_core::{Caller, ProjectId, Role};

use crate::model::Submission;
use crate::submit::Stored;
use crate::{DatapointError, Datapoints, Inner};

/// Lines stored in one transaction: enough to share a flush of the disk, few enough that others do not wait for long.
const PORTION_LINES: usize = 2_000;

/// Bytes of lines stored in one transaction. While they are read, JSON takes many times its length in memory.
const PORTION_BYTES: usize = 2 * 1024 * 1024;

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
    /// Up to two thousand lines are stored in one transaction; while it is committed, the next lines are read. A line that is wrong
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
        let (datapoints, caller) = (self.clone(), caller.clone());
        let inner = Arc::clone(&self.inner);
        let parsed = portions.map(move |portion| {
            let inner = Arc::clone(&inner);
            tokio::task::spawn_blocking(move || parse(&inner, portion))
        });
        // One portion is read while the one before is committed, and no more than that waits in memory.
        let stored = parsed.buffered(2).then(move |portion| {
            let (datapoints, caller) = (datapoints.clone(), caller.clone());
            async move {
                match portion {
                    Ok(portion) => datapoints.store_portion(&caller, project, portion).await,
                    Err(error) => vec![BatchLine { line: 0, result: Err(error.into()) }],
                }
            }
        });
        Ok(stored.flat_map(stream::iter).boxed())
    }

    async fn store_portion(&self, caller: &Caller, project: ProjectId, portion: Vec<Parsed>) -> Vec<BatchLine> {
        let (mut submissions, mut refused) = (Vec::with_capacity(portion.len()), Vec::with_capacity(portion.len()));
        for (line, parsed) in portion {
            match parsed {
                Ok(submission) => {
                    submissions.push(submission);
                    refused.push((line, None));
                }
                Err(error) => refused.push((line, Some(error))),
            }
        }
        let mut stored = self.submit_batch(caller, project, submissions).await.into_iter();
        let answer = |(line, error): (u64, Option<DatapointError>)| {
            let result = error.map(Err).or_else(|| stored.next()).unwrap_or(Err(DatapointError::Interrupted));
            BatchLine { line, result }
        };
        refused.into_iter().map(answer).collect()
    }
}

/// A line and its number.
type Line = (u64, Result<Bytes, DatapointError>);

/// What a line says.
type Parsed = (u64, Result<Submission, DatapointError>);

fn parse(inner: &Inner, lines: Vec<Line>) -> Vec<Parsed> {
    let settings = &inner.settings;
    let read = |bytes: Bytes| {
        Submission::parse(&bytes, &settings.limits.json, &settings.time_zone)
            .map_err(|errors| DatapointError::Invalid { errors })
    };
    lines.into_iter().map(|(line, bytes)| (line, bytes.and_then(read))).collect()
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
    async fn portion(&mut self) -> Vec<Line> {
        let (mut lines, mut bytes) = (Vec::new(), 0);
        while lines.len() < PORTION_LINES && bytes < PORTION_BYTES {
            let Some(line) = self.next().await else { break };
            bytes += line.1.as_ref().map_or(0, Bytes::len);
            lines.push(line);
        }
        lines
    }

    /// The next line that is not empty.
    async fn next(&mut self) -> Option<Line> {
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
    fn end(&mut self, problem: String) -> Line {
        self.body = stream::empty().boxed();
        self.buffer.clear();
        self.searched = 0;
        self.ended = true;
        (self.line + 1, Err(DatapointError::parameter("line", problem)))
    }
}
