//! Walking a list to its true end.

use std::collections::HashSet;
use std::time::Duration;

use async_trait::async_trait;
use holotype_core::Instant;
use serde_json::{Map, Value};
use url::Url;

use super::super::pages::{Page, Pages};
use super::super::{Query, SourceError};
use super::{Ocs, query};
use crate::http::host_name;

/// More than this the archive does not give at a time.
pub(super) const LARGEST_PAGE: usize = 1000;

/// Over windows of this length, or of the longer one for a single proposal or target, the archive counts exactly.
const WINDOW: Duration = Duration::from_secs(7 * 86_400);
const WINDOW_OF_A_PROPOSAL: Duration = Duration::from_secs(63 * 86_400);

/// A list that has not settled after so many readings is not going to.
const MAX_PASSES: usize = 6;

/// So many pages in a row that say nothing new are a loop.
const MAX_IDLE_PAGES: usize = 3;

/// A list under way.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    ocs: &'a Ocs,
    parameters: Vec<(String, String)>,
    bounds: (Option<Instant>, Option<Instant>),
    longest: Duration,
    seen: HashSet<String>,
    place: Place,
}

/// Where the walk stands.
#[derive(Debug)]
enum Place {
    /// Nothing was asked yet, or the next page is at this cursor; so many pages have said nothing new.
    Cursor {
        cursor: Option<String>,
        idle: usize,
    },
    /// The server knows no cursors.
    Offset(Window),
    End,
}

/// A stretch of time that is read by offset, again and again until it holds still.
#[derive(Debug, Clone)]
struct Window {
    start: Option<Instant>,
    end: Option<Instant>,
    offset: usize,
    passes: usize,
    /// The ids of this pass.
    ids: HashSet<String>,
    /// Whether something moved while this pass was read.
    moved: bool,
    /// The exact count of this pass, where the server has one.
    count: Option<usize>,
}

impl Window {
    fn new(start: Option<Instant>, end: Option<Instant>) -> Self {
        Self { start, end, offset: 0, passes: 1, ids: HashSet::new(), moved: false, count: None }
    }
}

impl<'a> Walk<'a> {
    pub(super) fn new(ocs: &'a Ocs, query: &Query, parameters: Vec<(String, String)>) -> Self {
        let named = |name: &str| parameters.iter().any(|(parameter, _)| parameter == name);
        let narrow = named("proposal_id") || named("target_name_exact");
        Self {
            ocs,
            bounds: (query.start, query.end),
            longest: if narrow { WINDOW_OF_A_PROPOSAL } else { WINDOW },
            parameters,
            seen: HashSet::new(),
            place: Place::Cursor { cursor: None, idle: 0 },
        }
    }

    async fn page_at_cursor(&mut self, cursor: Option<String>, idle: usize) -> Result<Page, SourceError> {
        let mut paging = vec![("pagination_style", "cursor".to_owned())];
        paging.extend(cursor.iter().map(|cursor| ("cursor", cursor.clone())));
        let answer = self.ask(self.bounds, paging).await?;
        if answer.contains_key("count") {
            // The server does not know the word, and answers as it always did.
            return match cursor {
                None => self.first_window(answer),
                Some(_) => Err(self.unsteady("a page in the middle came without a cursor")),
            };
        }
        let next = self.next_cursor(&answer)?;
        let before = self.seen.len();
        let page = self.take(answer)?;
        let idle = if self.seen.len() > before { 0 } else { idle + 1 };
        self.place = match next {
            None => Place::End,
            Some(next) if Some(&next) == cursor.as_ref() || idle >= MAX_IDLE_PAGES => {
                return Err(self.unsteady("its pages repeat without an end"));
            }
            next => Place::Cursor { cursor: next, idle },
        };
        Ok(page)
    }

    /// The cursor in the link to the next page. Only that is used of the link: its host is the server's own idea of itself.
    fn next_cursor(&self, answer: &Map<String, Value>) -> Result<Option<String>, SourceError> {
        let link = match answer.get("next") {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(link)) => link,
            Some(_) => return Err(self.ocs.unexpected("a page of frames", "its 'next' is no address")),
        };
        let url = self.ocs.base.join(link).ok();
        let cursor = url.and_then(|url| {
            url.query_pairs().find(|(name, _)| name == "cursor").map(|(_, cursor)| cursor.into_owned())
        });
        match cursor {
            Some(cursor) => Ok(Some(cursor)),
            None => Err(self.ocs.unexpected("a page of frames", "its 'next' holds no cursor")),
        }
    }

    /// Begins again window by window, with what an answer over all windows has shown already: if it was exact and whole, that
    /// is all there is.
    fn first_window(&mut self, answer: Map<String, Value>) -> Result<Page, SourceError> {
        let (start, end) = self.bounds;
        let count = exact_count(&answer);
        let page = self.take(answer)?;
        let whole = count == Some(self.seen.len());
        self.place = if whole { Place::End } else { Place::Offset(Window::new(start, self.end_of_window(start, end))) };
        Ok(page)
    }

    fn end_of_window(&self, start: Option<Instant>, end: Option<Instant>) -> Option<Instant> {
        match (start, end) {
            (Some(start), Some(end)) => Some(end.min(start.after(self.longest))),
            _ => end,
        }
    }

    async fn page_at_offset(&mut self, mut window: Window) -> Result<Page, SourceError> {
        let paging = vec![("offset", window.offset.to_string())];
        let answer = self.ask((window.start, window.end), paging).await?;
        if !answer.contains_key("count") {
            return Err(self.unsteady("its pages change their form"));
        }
        let count = exact_count(&answer);
        window.moved |= window.offset > 0 && count != window.count;
        window.count = count;
        let rows = rows(&answer).map_or(0, Vec::len);
        let before = window.ids.len();
        for id in rows_ids(&answer) {
            window.moved |= !window.ids.insert(id);
        }
        window.offset += rows;
        let page = self.take(answer)?;
        // An estimate may be too small, and a page shorter than it was asked to be: only nothing new at all is the end.
        let at_end = window.ids.len() == before || count.is_some_and(|count| window.ids.len() >= count);
        self.place = if at_end { self.after_pass(window)? } else { Place::Offset(window) };
        Ok(page)
    }

    /// What follows when a pass over a window is done: the same window again if something moved meanwhile, or the next one.
    fn after_pass(&self, window: Window) -> Result<Place, SourceError> {
        let whole = match window.count {
            Some(count) => window.ids.len() == count,
            None => !window.moved,
        };
        if !whole {
            if window.passes >= MAX_PASSES {
                return Err(self.unsteady("its order changes while it is read; ask for fewer days at a time"));
            }
            let again = Window::new(window.start, window.end);
            return Ok(Place::Offset(Window { passes: window.passes + 1, ..again }));
        }
        Ok(match (window.end, self.bounds.1) {
            // Both bounds of a window belong to it, so no instant lies between two.
            (Some(reached), Some(end)) if reached < end => {
                Place::Offset(Window::new(Some(reached), self.end_of_window(Some(reached), Some(end))))
            }
            _ => Place::End,
        })
    }

    async fn ask(
        &self,
        (start, end): (Option<Instant>, Option<Instant>),
        paging: Vec<(&str, String)>,
    ) -> Result<Map<String, Value>, SourceError> {
        let mut url: Url = self.ocs.frames_url();
        {
            let mut pairs = url.query_pairs_mut();
            for (name, bound) in [("start", start), ("end", end)] {
                if let Some(bound) = bound {
                    pairs.append_pair(name, &query::date(bound));
                }
            }
            pairs.extend_pairs(&self.parameters).extend_pairs(paging);
            pairs.append_pair("limit", &self.ocs.page_size.to_string());
        }
        match self.ocs.ask(url).await? {
            Value::Object(answer) if rows(&answer).is_some() => Ok(answer),
            _ => Err(self.ocs.unexpected("a page of frames", "it holds no 'results'")),
        }
    }

    /// The frames of a page that were not seen before.
    fn take(&mut self, mut answer: Map<String, Value>) -> Result<Page, SourceError> {
        let Some(Value::Array(rows)) = answer.remove("results") else {
            return Err(self.ocs.unexpected("a page of frames", "it holds no 'results'"));
        };
        let mut page = Page::new();
        for row in rows {
            if self.seen.insert(row_id(&row)) {
                page.push(self.ocs.record(row));
            }
        }
        Ok(page)
    }

    fn unsteady(&self, problem: &str) -> SourceError {
        SourceError::Unsteady { host: host_name(&self.ocs.base), problem: problem.to_owned() }
    }
}

#[async_trait]
impl Pages for Walk<'_> {
    async fn next(&mut self) -> Result<Option<Page>, SourceError> {
        match std::mem::replace(&mut self.place, Place::End) {
            Place::Cursor { cursor, idle } => self.page_at_cursor(cursor, idle).await.map(Some),
            Place::Offset(window) => self.page_at_offset(window).await.map(Some),
            Place::End => Ok(None),
        }
    }
}

fn rows(answer: &Map<String, Value>) -> Option<&Vec<Value>> {
    answer.get("results")?.as_array()
}

fn rows_ids(answer: &Map<String, Value>) -> impl Iterator<Item = String> {
    rows(answer).into_iter().flatten().map(row_id)
}

/// What a row is told from others by: its id, or itself where it has none.
fn row_id(row: &Value) -> String {
    row.get("id").unwrap_or(row).to_string()
}

/// The count, where the server says that it is one and no estimate.
fn exact_count(answer: &Map<String, Value>) -> Option<usize> {
    match answer.get("count_estimated") {
        Some(Value::Bool(false)) => usize::try_from(answer.get("count")?.as_u64()?).ok(),
        _ => None,
    }
}
