//! Taking datapoints elsewhere: as NDJSON, CSV or Parquet, streamed, in flat memory whatever their number.

mod csv;
mod line;
mod ndjson;
mod parquet;

use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use holotype_core::filter::Budget;
use holotype_core::{Caller, ProjectId, Role};

use crate::export::line::Context;
use crate::list::IN_SEQUENCE;
use crate::scan::{Scan, sift};
use crate::select::Selection;
use crate::table::{Candidate, Wanted};
use crate::{DatapointError, Datapoints};

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One datapoint's exact JSON text in each line.
    Ndjson,
    /// A table with a header, after RFC 4180.
    Csv,
    /// The same table with types, compressed.
    Parquet,
}

impl Format {
    /// The name, as it is written in requests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }

    /// The media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }
}

impl FromStr for Format {
    type Err = DatapointError;

    fn from_str(text: &str) -> Result<Self, DatapointError> {
        let known = [Self::Ndjson, Self::Csv, Self::Parquet].into_iter().find(|format| format.name() == text);
        known.ok_or_else(|| DatapointError::parameter("format", "it is ndjson, csv or parquet"))
    }
}

/// Writes datapoints in a form, portion by portion.
trait Encoder: Send {
    /// The bytes that are ready once these datapoints are written.
    fn portion(&mut self, datapoints: Vec<Candidate>) -> Result<Vec<u8>, DatapointError>;

    /// The bytes that end the export.
    fn finish(self: Box<Self>) -> Result<Vec<u8>, DatapointError>;
}

impl Datapoints {
    /// The datapoints that `selection` means, in the order in which they were stored, in a form.
    ///
    /// # Errors
    /// If the caller may not read the project; in the stream, if the selection takes too many steps, or the catalog fails. A
    /// stream that ends with an error is not a whole export.
    pub async fn export(
        &self,
        caller: &Caller,
        project: ProjectId,
        selection: Selection,
        format: Format,
    ) -> Result<BoxStream<'static, Result<Bytes, DatapointError>>, DatapointError> {
        self.require(caller, project, Role::Viewer).await?;
        let context =
            Context { schemas: self.inner.schemas(project).await?, zone: self.inner.settings.time_zone.clone() };
        let encoder: Box<dyn Encoder> = match format {
            Format::Ndjson => Box::new(ndjson::Ndjson),
            Format::Csv => Box::new(csv::Csv::new(context)),
            Format::Parquet => Box::new(parquet::Parquet::new(context)?),
        };
        let wanted = Wanted { project, deleted: false, narrowing: selection.narrowing() };
        let export = Export {
            scan: Scan::new(Arc::clone(&self.inner), wanted, IN_SEQUENCE, None, 256),
            selection: Arc::new(selection),
            budget: Budget::new(self.inner.settings.limits.query_steps),
            encoder,
        };
        let portions = stream::try_unfold(Some(export), |export| async move {
            match export {
                Some(export) => export.next().await.map(Some),
                None => Ok(None),
            }
        });
        // A portion of which nothing matched has no bytes.
        Ok(portions.try_filter(|bytes| std::future::ready(!bytes.is_empty())).boxed())
    }
}

/// An export under way.
struct Export {
    scan: Scan,
    selection: Arc<Selection>,
    budget: Budget,
    encoder: Box<dyn Encoder>,
}

impl Export {
    /// The next bytes, and the rest of the export if they are not its end.
    async fn next(mut self) -> Result<(Bytes, Option<Self>), DatapointError> {
        let Some(portion) = self.scan.next().await? else {
            let encoder = self.encoder;
            let last = tokio::task::spawn_blocking(move || encoder.finish()).await??;
            return Ok((last.into(), None));
        };
        let (kept, budget) = sift(portion.candidates, Arc::clone(&self.selection), self.budget).await?;
        let mut encoder = self.encoder;
        let encode = move || encoder.portion(kept).map(|bytes| (bytes, encoder));
        let (bytes, encoder) = tokio::task::spawn_blocking(encode).await??;
        Ok((bytes.into(), Some(Self { budget, encoder, ..self })))
    }
}
