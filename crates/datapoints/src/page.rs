//! Pages: datapoints in a chosen order, a part at a time, each page naming where the next one begins.

use std::fmt::Write as _;
use std::str::FromStr;
use std::sync::Arc;

use holotype_core::filter::Budget;
use holotype_core::{Caller, Instant, ProjectId, Role};

use crate::projection::Projection;
use crate::scan::{Scan, sift};
use crate::select::{Selection, parsed};
use crate::table::{Position, Sort, SortKey, Wanted};
use crate::{DatapointError, Datapoints};

/// The most items in a page.
pub const MOST_ITEMS: u32 = 1_000;

/// The datapoints after which a page ends, however few of them match: the next page goes on from there.
const MOST_SCANNED: usize = 50_000;

/// The bytes of documents after which a page ends.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// What a page is asked for.
#[derive(Debug, Clone, Default)]
pub struct PageRequest {
    /// Which datapoints.
    pub selection: Selection,
    /// Only datapoints of this point in time or a later one.
    pub since: Option<Instant>,
    /// Only datapoints of an earlier point in time.
    pub until: Option<Instant>,
    /// In which order; the newest `data_timestamp` first by default.
    pub order: PageOrder,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// The most items, from 1 to [`MOST_ITEMS`]; nothing means 100.
    pub limit: Option<u32>,
    /// Dotted paths to answer instead of whole documents.
    pub fields: Option<Vec<String>>,
    /// Deleted datapoints, and those alone.
    pub deleted: bool,
}

/// The order of a list: `data_timestamp`, `sequence` or `label`, with a leading `-` for descending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageOrder(Sort);

/// Some of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// JSON texts of the datapoints, whole or the chosen fields of them.
    pub items: Vec<Arc<str>>,
    /// What to ask with `after` for the next page; none at the end. A page may be short, or even empty, and not be the last.
    pub next: Option<String>,
}

impl Default for PageOrder {
    fn default() -> Self {
        Self(Sort { key: SortKey::Timestamp, descending: true })
    }
}

impl FromStr for PageOrder {
    type Err = DatapointError;

    fn from_str(text: &str) -> Result<Self, DatapointError> {
        let (name, descending) = text.strip_prefix('-').map_or((text, false), |name| (name, true));
        let key = match name {
            "data_timestamp" => SortKey::Timestamp,
            "sequence" => SortKey::Sequence,
            "label" => SortKey::Label,
            _ => {
                let problem = "it is data_timestamp, sequence or label, with a leading - for descending";
                return Err(DatapointError::parameter("sort", problem));
            }
        };
        Ok(Self(Sort { key, descending }))
    }
}

impl Datapoints {
    /// A page of the project's datapoints.
    ///
    /// # Errors
    /// If the caller may not read the project, a parameter is wrong, the selection takes too many steps, or the catalog fails.
    pub async fn page(
        &self,
        caller: &Caller,
        project: ProjectId,
        request: PageRequest,
    ) -> Result<Page, DatapointError> {
        self.require(caller, project, Role::Viewer).await?;
        let limit = request.limit.unwrap_or(100);
        if !(1..=MOST_ITEMS).contains(&limit) {
            return Err(DatapointError::parameter("limit", format!("it is 1 to {MOST_ITEMS}")));
        }
        let sort = request.order.0;
        let after = request.after.as_deref().map(|text| read_cursor(sort, text)).transpose()?;
        let fields =
            request.fields.as_ref().map(|fields| Projection::parse(fields.iter().map(String::as_str))).transpose()?;
        let mut narrowing = request.selection.narrowing();
        narrowing.within(request.since, request.until);
        let wanted = Wanted { project, deleted: request.deleted, narrowing };
        let scan = Scan::new(Arc::clone(&self.inner), wanted, sort, after, u64::from(limit) + 1);
        let budget = Budget::new(self.inner.settings.limits.query_steps);
        let (found, next) = collect(scan, Arc::new(request.selection), budget, limit).await?;
        let items = match fields {
            None => found.into_iter().map(|(_, document)| document).collect(),
            Some(projection) => tokio::task::spawn_blocking(move || project_all(&found, &projection)).await??,
        };
        Ok(Page { items, next: next.map(|position| cursor(sort, &position)) })
    }
}

/// Id and document of a datapoint.
type Found = (String, Arc<str>);

/// Reads until the page is full, and gives the position of its last item if there may be more.
async fn collect(
    mut scan: Scan,
    selection: Arc<Selection>,
    mut budget: Budget,
    limit: u32,
) -> Result<(Vec<Found>, Option<Position>), DatapointError> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let (mut found, mut scanned, mut bytes): (Vec<Found>, _, _) = (Vec::new(), 0, 0);
    let mut last = None;
    while let Some(portion) = scan.next().await? {
        scanned += portion.positions.len();
        let end = portion.positions.last().cloned();
        let (kept, rest) = sift(portion.candidates, Arc::clone(&selection), budget).await?;
        budget = rest;
        for candidate in kept {
            if found.len() == limit || bytes > MOST_BYTES {
                return Ok((found, last));
            }
            bytes += candidate.document.len();
            last = portion.positions.iter().find(|position| position.sequence == candidate.sequence).cloned();
            found.push((candidate.id, candidate.document));
        }
        if scanned >= MOST_SCANNED {
            return Ok((found, end));
        }
    }
    Ok((found, None))
}

fn project_all(found: &[Found], projection: &Projection) -> Result<Vec<Arc<str>>, DatapointError> {
    found.iter().map(|(id, document)| Ok(projection.apply(parsed(id, document)?).to_string().into())).collect()
}

/// A position as text: the order it belongs to, and its parts, in hexadecimal so that it is safe everywhere.
fn cursor(sort: Sort, position: &Position) -> String {
    let plain = format!("{}\0{}\0{}\0{}", mark(sort), position.sequence, position.timestamp, position.label);
    plain.bytes().fold(String::with_capacity(plain.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _infallible = write!(text, "{byte:02x}");
        text
    })
}

fn read_cursor(sort: Sort, text: &str) -> Result<Position, DatapointError> {
    let unusable = || {
        let problem = "it is the `next` of the page before, unchanged, and of the same sort";
        DatapointError::parameter("after", problem)
    };
    let digits = text.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?;
        u8::from_str_radix(pair, 16).ok()
    });
    let bytes: Vec<u8> = digits.collect::<Option<_>>().ok_or_else(unusable)?;
    let plain = String::from_utf8(bytes).map_err(|_| unusable())?;
    let parts: Vec<&str> = plain.split('\0').collect();
    let [order, sequence, timestamp, label] = parts.as_slice() else { return Err(unusable()) };
    if *order != mark(sort) {
        return Err(unusable());
    }
    let sequence = sequence.parse().map_err(|_| unusable())?;
    Ok(Position { sequence, timestamp: (*timestamp).to_owned(), label: (*label).to_owned() })
}

/// The order that a cursor belongs to.
fn mark(sort: Sort) -> &'static str {
    match (sort.key, sort.descending) {
        (SortKey::Sequence, false) => "s",
        (SortKey::Sequence, true) => "-s",
        (SortKey::Timestamp, false) => "t",
        (SortKey::Timestamp, true) => "-t",
        (SortKey::Label, false) => "l",
        (SortKey::Label, true) => "-l",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_back_and_belongs_to_its_order() {
        let position =
            Position { sequence: 7, timestamp: "2026-01-01T00:00:00".to_owned(), label: "Temp ≈ 😀".to_owned() };
        let (newest, by_label) = (PageOrder::default().0, "label".parse::<PageOrder>().unwrap().0);
        let text = cursor(newest, &position);
        assert_eq!(read_cursor(newest, &text).unwrap(), position);
        assert!(read_cursor(by_label, &text).is_err());
        for bad in ["", "x", "é", "0", "2d74", &format!("{text}00"), &text[2..]] {
            assert!(read_cursor(newest, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_order_is_named_with_a_sign_for_its_direction() {
        assert_eq!("-data_timestamp".parse::<PageOrder>().unwrap(), PageOrder::default());
        assert!("value".parse::<PageOrder>().is_err() && "--label".parse::<PageOrder>().is_err());
    }
}
