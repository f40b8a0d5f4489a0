//! Walking a declared archive's list to its end.

use std::collections::{HashSet, VecDeque};
use std::time::Duration;

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt, stream};
use holotype_core::{Category, Digest, Instant};
use reqwest::header::LINK;
use serde_json::{Map, Value, json};
use url::Url;

use super::decode::{Decoded, decode};
use super::definition::{Decoder, Definition, Expand, Paging, Recipient, Until};
use super::map::{A_ROW, Cut, Mapped, mapped, refused};
use super::path::Path;
use super::{Declared, ask};
use crate::http::{Answer, Request, host_name};
use crate::source::pages::{Page, Pages};
use crate::source::{Listed, Query, SourceError};

/// A list that has not settled after so many readings is not going to.
const MAX_PASSES: usize = 4;

/// So many pages in a row that say nothing new are a loop.
const MAX_IDLE_PAGES: usize = 3;

/// The longest pause between two looks at a query that is still being worked on.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// A list over more windows would take days.
const MAX_WINDOWS: usize = 20_000;

/// More frames than this, and it is no archive that lists them.
const MAX_FRAMES: usize = 5_000_000;

/// More folders than this are a maze.
const MAX_FOLDERS: usize = 100_000;

/// A list under way.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    source: &'a Declared,
    query: &'a Query,
    cut: Cut,
    /// What is still to be read, the next one first.
    stretches: VecDeque<Stretch>,
    /// The ids that were told.
    seen: HashSet<String>,
    /// What was said against which rows.
    refused: HashSet<(Digest, String)>,
    folders: HashSet<Url>,
}

/// A part of the list that is read page by page.
#[derive(Debug, Clone)]
struct Stretch {
    start: Option<Instant>,
    end: Option<Instant>,
    /// An address to read instead of the definition's: a folder, or a next page.
    url: Option<Url>,
    depth: usize,
    cursor: Option<String>,
    /// Rows read so far, and pages.
    offset: usize,
    pages: usize,
    /// The rows of this pass by their ids, or by themselves, to see whether the list moves while it is read.
    rows: HashSet<String>,
    moved: bool,
    idle: usize,
    passes: usize,
}

impl Stretch {
    fn new(start: Option<Instant>, end: Option<Instant>) -> Self {
        let (url, cursor, rows) = (None, None, HashSet::new());
        Self { start, end, url, depth: 0, cursor, offset: 0, pages: 0, rows, moved: false, idle: 0, passes: 1 }
    }
}

impl<'a> Walk<'a> {
    pub(super) fn new(source: &'a Declared, query: &'a Query) -> Result<Self, SourceError> {
        let cut = cut(source, query)?;
        let stretches = windows(source, query)?.into_iter().map(|(start, end)| Stretch::new(start, end)).collect();
        Ok(Self {
            source,
            query,
            cut,
            stretches,
            seen: HashSet::new(),
            refused: HashSet::new(),
            folders: HashSet::new(),
        })
    }

    /// What fills the holes of the request for the next page of a stretch.
    fn scope(&self, stretch: &Stretch) -> Value {
        let query = Query { start: stretch.start, end: stretch.end, ..self.query.clone() };
        let definition = &self.source.definition;
        let mut scope = ask::scope_of(&self.source.base, &query, &definition.request.dates);
        let limit = match &definition.pages {
            Paging::Offset(paging) => Some(paging.limit),
            Paging::Page(paging) => Some(paging.limit),
            Paging::Maxrec(paging) => Some(paging.limit),
            Paging::None | Paging::Cursor(_) | Paging::NextLink(_) | Paging::LinkHeader => None,
        };
        let first = if let Paging::Page(paging) = &definition.pages { paging.first } else { 1 };
        scope.insert("offset".to_owned(), json!(stretch.offset));
        scope.insert("page".to_owned(), json!(first + stretch.pages));
        scope.insert("limit".to_owned(), json!(limit));
        scope.insert("cursor".to_owned(), json!(stretch.cursor));
        Value::Object(scope)
    }

    async fn read(&mut self, mut stretch: Stretch) -> Result<Page, SourceError> {
        let scope = self.scope(&stretch);
        let mut request = ask::request(&self.source.definition.request, &scope)
            .map_err(|problem| ask::unfilled("request", problem))?;
        if let Some(url) = &stretch.url {
            request.url = url.clone();
        }
        let (answer, decoded) = self.source.ask(request, &self.source.definition.decode).await?;
        if self.halve(&stretch, &decoded)? {
            return Ok(Page::new());
        }
        self.enter(&stretch, &decoded)?;
        let rows = decoded.rows.len();
        let (page, keys) = self.frames(decoded.rows, scope).await?;
        // A row that was on an earlier page was pushed onto this one, and another may have been pushed off.
        stretch.moved |= keys.iter().any(|key| stretch.rows.contains(key));
        let before = stretch.rows.len();
        stretch.rows.extend(keys);
        let new = stretch.rows.len() > before;
        stretch.offset += rows;
        stretch.pages += 1;
        stretch.idle = if new { 0 } else { stretch.idle + 1 };
        self.go_on(stretch, &answer, &decoded.document, rows)?;
        Ok(page)
    }

    /// Whether an answer is cut; then its time is to be read by halves.
    fn halve(&mut self, stretch: &Stretch, decoded: &Decoded) -> Result<bool, SourceError> {
        let limit = if let Paging::Maxrec(paging) = &self.source.definition.pages { Some(paging.limit) } else { None };
        if !decoded.overflow && limit.is_none_or(|limit| decoded.rows.len() < limit) {
            return Ok(false);
        }
        let (Some(start), Some(end)) = (stretch.start, stretch.end) else {
            return Err(self.unsteady("it is cut, and there are no dates to ask for less by"));
        };
        let length = end.as_micros() - start.as_micros();
        if self.cut.dates {
            return Err(self.unsteady("it is cut, and the definition does not pass dates on to ask for less by"));
        }
        if length <= 1_000_000 {
            return Err(self.unsteady("it is cut, even for the shortest time that can be asked for"));
        }
        let middle = start.after(Duration::from_micros(length.unsigned_abs() / 2));
        // Both bounds belong to a stretch, so no instant lies between the two.
        self.stretches.push_front(Stretch::new(Some(middle), Some(end)));
        self.stretches.push_front(Stretch::new(Some(start), Some(middle)));
        Ok(true)
    }

    /// Takes note of the folders to enter.
    fn enter(&mut self, stretch: &Stretch, decoded: &Decoded) -> Result<(), SourceError> {
        let Decoder::HtmlLinks(decoder) = &self.source.definition.decode else { return Ok(()) };
        if stretch.depth >= decoder.depth {
            return Ok(());
        }
        for url in decoded.folders.iter().rev() {
            if self.folders.len() >= MAX_FOLDERS {
                return Err(self.unsteady("it has too many folders"));
            }
            if self.folders.insert(url.clone()) {
                let inner = Stretch::new(stretch.start, stretch.end);
                self.stretches.push_front(Stretch { url: Some(url.clone()), depth: stretch.depth + 1, ..inner });
            }
        }
        Ok(())
    }

    /// The frames of rows that were not told before and that the query means, and what each row is known by.
    async fn frames(&mut self, rows: Vec<Value>, scope: Value) -> Result<(Page, Vec<String>), SourceError> {
        let source = self.source;
        let connections = source.http.policy().pace.connections.max(1);
        let expanded = stream::iter(rows).map(|row| {
            let mut scope = scope.clone();
            scope["row"] = row;
            async move { source.files(scope).await }
        });
        let expanded: Vec<Files> = expanded.buffered(connections).try_collect().await?;
        let (mut page, mut keys) = (Page::new(), Vec::new());
        for files in expanded {
            // Rows may share a file, and a row that holds addresses is another one each time.
            let mut key = files.row.to_string();
            for scope in files.scopes {
                let id = match scope.and_then(|scope| mapped(&source.definition, &scope)) {
                    Ok(Mapped::Frame(frame)) => {
                        let id = frame.id.clone();
                        self.tell(*frame, &mut page).await?;
                        id
                    }
                    Ok(Mapped::LeftOut(id)) => id,
                    Err(error) if error.is_about_one_frame() => {
                        if self.refused.insert((files.row, error.to_string())) {
                            page.push(Err(error));
                        }
                        continue;
                    }
                    Err(error) => return Err(error),
                };
                if source.definition.expand.is_none() {
                    key = id;
                }
            }
            keys.push(key);
        }
        if self.seen.len() > MAX_FRAMES {
            return Err(self.unsteady("it has more frames than any archive; ask for fewer days at a time"));
        }
        Ok((page, keys))
    }

    /// Puts a frame on the page, if the query means it and it was not told before.
    async fn tell(&mut self, mut frame: Listed, page: &mut Page) -> Result<(), SourceError> {
        if self.cut.keeps(self.query, &frame) && self.seen.insert(frame.id.clone()) {
            frame.download = self.source.authorized(frame.download.take()).await?;
            page.push(Ok(frame));
        }
        Ok(())
    }

    /// What is to be read after a page.
    fn go_on(&mut self, stretch: Stretch, answer: &Answer, document: &Value, rows: usize) -> Result<(), SourceError> {
        if stretch.idle >= MAX_IDLE_PAGES {
            return Err(self.unsteady("its pages repeat without an end"));
        }
        let next = match &self.source.definition.pages {
            Paging::None | Paging::Maxrec(_) => None,
            Paging::Offset(paging) => self.next_by_number(stretch, &paging.until, paging.limit, document, rows)?,
            Paging::Page(paging) => self.next_by_number(stretch, &paging.until, paging.limit, document, rows)?,
            Paging::Cursor(at) => match text_at(at.at.find(document)) {
                Some(cursor) => Some(Stretch { cursor: Some(cursor), ..stretch }),
                None => self.ended(&stretch, at.count.as_ref(), document)?,
            },
            Paging::NextLink(at) => match text_at(at.at.find(document)) {
                Some(link) => Some(Stretch { url: Some(self.next_url(answer, &link)?), ..stretch }),
                None => self.ended(&stretch, at.count.as_ref(), document)?,
            },
            Paging::LinkHeader => match next_of_header(answer) {
                Some(link) => Some(Stretch { url: Some(self.next_url(answer, &link)?), ..stretch }),
                None => None,
            },
        };
        if let Some(next) = next {
            self.stretches.push_front(next);
        }
        Ok(())
    }

    /// The next page by number, until the list ends; then the whole again, if it moved while it was read.
    fn next_by_number(
        &self,
        stretch: Stretch,
        until: &Until,
        limit: usize,
        document: &Value,
        rows: usize,
    ) -> Result<Option<Stretch>, SourceError> {
        let at_end = match until {
            Until::EmptyPage => rows == 0,
            Until::ShortPage => rows < limit,
            Until::Count(path) => {
                let is_short = stretch.offset < self.count(path, document)?;
                if rows == 0 && is_short {
                    return self.ended(&stretch, Some(path), document);
                }
                !is_short
            }
        };
        if !at_end {
            return Ok(Some(stretch));
        }
        if !stretch.moved {
            return Ok(None);
        }
        if stretch.passes >= MAX_PASSES {
            return Err(self.unsteady("its order changes while it is read; ask for fewer days at a time"));
        }
        let again = Stretch::new(stretch.start, stretch.end);
        Ok(Some(Stretch { passes: stretch.passes + 1, ..again }))
    }

    /// No further page; an error if the archive counted more rows than came.
    fn ended(&self, stretch: &Stretch, count: Option<&Path>, document: &Value) -> Result<Option<Stretch>, SourceError> {
        let count = count.map(|path| self.count(path, document)).transpose()?;
        match count.filter(|count| stretch.offset < *count) {
            Some(count) => Err(self.unsteady(&format!("it ends after {} of {count}", stretch.offset))),
            None => Ok(None),
        }
    }

    fn count(&self, path: &Path, document: &Value) -> Result<usize, SourceError> {
        let count = path.find(document).map(|count| count.to_string());
        let count = count.and_then(|count| count.trim_matches('"').parse().ok());
        count.ok_or_else(|| self.unsteady("it does not say how many rows there are"))
    }

    /// The address of the next page, on the host that was asked: a server behind a proxy may think it has another scheme or port.
    fn next_url(&self, answer: &Answer, link: &str) -> Result<Url, SourceError> {
        let next = answer.url.join(link).map_err(|_| self.unsteady("its link to the next page is no address"))?;
        if next.host() != answer.url.host() {
            return Err(self.unsteady(&format!("its next page is on another host, {}", host_name(&next))));
        }
        let mut url = answer.url.clone();
        url.set_path(next.path());
        url.set_query(next.query());
        Ok(url)
    }

    fn unsteady(&self, problem: &str) -> SourceError {
        SourceError::Unsteady { host: host_name(&self.source.home), problem: problem.to_owned() }
    }
}

#[async_trait]
impl Pages for Walk<'_> {
    async fn next(&mut self) -> Result<Option<Page>, SourceError> {
        match self.stretches.pop_front() {
            Some(stretch) => self.read(stretch).await.map(Some),
            None => Ok(None),
        }
    }
}

/// What a row stands for: for each file, what fills the holes of the fields.
struct Files {
    row: Digest,
    scopes: Vec<Result<Value, SourceError>>,
}

impl Declared {
    /// What a row stands for: itself, or each file of it. `scope` holds it as `row`; each file is added as `file`.
    async fn files(&self, scope: Value) -> Result<Files, SourceError> {
        let row = Digest::of(scope["row"].to_string().as_bytes());
        let files = match &self.definition.expand {
            None => vec![scope["row"].clone()],
            Some(Expand::Within(path)) => match path.find(&scope["row"]) {
                Some(Value::Array(files)) => files.clone(),
                _ => Vec::new(),
            },
            Some(Expand::Request(further)) => {
                let request = match ask::request(&further.request, &scope) {
                    Ok(request) => request,
                    Err(problem) => {
                        let problem = ask::unfilled("expand.request", problem).to_string();
                        return Ok(Files { row, scopes: vec![Err(refused(A_ROW, &problem))] });
                    }
                };
                match self.ask(request, &further.decode).await {
                    Ok((_, decoded)) => decoded.rows,
                    // The archive is there, but not this row: the others still come.
                    Err(error) if error.category() == Category::NotFound => {
                        return Ok(Files { row, scopes: vec![Err(refused(A_ROW, &error.to_string()))] });
                    }
                    Err(error) => return Err(error),
                }
            }
        };
        let with = |file| {
            let mut scope = scope.clone();
            scope["file"] = file;
            Ok(scope)
        };
        Ok(Files { row, scopes: files.into_iter().map(with).collect() })
    }

    /// Asks with our credentials, again and again while the archive is still at work on the answer.
    pub(super) async fn ask(&self, request: Request, decoder: &Decoder) -> Result<(Answer, Decoded), SourceError> {
        let policy = self.http.policy();
        let (mut pause, mut waited) = (policy.first_pause, Duration::ZERO);
        loop {
            let mut signed = request.clone();
            self.credentials.sign(&self.http, &mut signed, Recipient::Query).await?;
            let answer = self.http.ask(&signed, self.max_bytes).await?;
            let decoded = decode(decoder, &answer)?;
            if !decoded.pending {
                return Ok((answer, decoded));
            }
            if waited + pause > policy.patience {
                return Err(SourceError::Waiting { host: answer.host(), wait: pause });
            }
            tokio::time::sleep(pause).await;
            waited += pause;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

fn text_at(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The address of `rel="next"` in the header `Link` (RFC 8288).
fn next_of_header(answer: &Answer) -> Option<String> {
    let links = answer.headers.get_all(LINK).iter().filter_map(|link| link.to_str().ok());
    let links = links.flat_map(|links| links.split(",<").flat_map(|part| part.split(", <")));
    links.into_iter().find_map(|link| {
        let (url, parameters) = link.trim_start_matches('<').split_once('>')?;
        let is_next = parameters.split(';').any(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or_default();
            name.trim().eq_ignore_ascii_case("rel") && value.trim().trim_matches('"').eq_ignore_ascii_case("next")
        });
        is_next.then(|| url.to_owned())
    })
}

/// A time with its bounds, either of which may be open.
type Window = (Option<Instant>, Option<Instant>);

/// The time of a query in windows, where the definition asks for no more at a time.
fn windows(source: &Declared, query: &Query) -> Result<Vec<Window>, SourceError> {
    let (Some(windows), Some(start), Some(end)) = (&source.definition.windows, query.start, query.end) else {
        return Ok(vec![(query.start, query.end)]);
    };
    let length = Duration::from_secs(u64::from(windows.days) * 86_400);
    let mut all = Vec::new();
    let mut from = start;
    while all.len() < MAX_WINDOWS {
        let to = from.after(length).min(end);
        all.push((Some(from), Some(to)));
        if to >= end {
            return Ok(all);
        }
        from = to;
    }
    let hint = format!("from {start} to {end} are more windows of {} days than anyone waits for", windows.days);
    Err(SourceError::Parameter { parameter: "start".to_owned(), hint })
}

/// What fills the holes of a request for a first page, whatever way of paging there is.
pub(super) fn first_scope(base: &Map<String, Value>, query: &Query, definition: &Definition) -> Value {
    let mut scope = ask::scope_of(base, query, &definition.request.dates);
    scope.extend([("offset", 0), ("page", 1), ("limit", 1)].map(|(name, value)| (name.to_owned(), json!(value))));
    Value::Object(scope)
}

/// What of the query the request cannot say, found by leaving it away: it is looked for among what is listed, where the
/// definition maps it, and else refused, because the list would be longer than it was meant to be.
fn cut(source: &Declared, query: &Query) -> Result<Cut, SourceError> {
    let definition = &source.definition;
    let fill = |query: &Query| {
        ask::request(&definition.request, &first_scope(&source.base, query, definition))
            .map(|request| (request.url, request.body.map(|body| body.bytes)))
    };
    let whole = fill(query).map_err(|problem| ask::unfilled("request", problem))?;
    let is_said = |without: Query| fill(&without).as_ref() != Ok(&whole);
    let mut cut = Cut::default();
    let refused = |name: &str| SourceError::Parameter { parameter: name.to_owned(), hint: String::new() };
    let bounds = [
        (query.start.is_some(), Query { start: None, ..query.clone() }),
        (query.end.is_some(), Query { end: None, ..query.clone() }),
    ];
    for (is_set, without) in bounds {
        cut.dates |= is_set && !is_said(without);
    }
    if cut.dates && definition.fields.date.is_none() {
        return Err(refused("start"));
    }
    let mut named: Vec<(&str, String, Query)> = Vec::new();
    named.extend(
        query.proposal.iter().map(|value| ("proposal_id", value.clone(), Query { proposal: None, ..query.clone() })),
    );
    named.extend(
        query.target.iter().map(|value| ("target_name", value.clone(), Query { target: None, ..query.clone() })),
    );
    for (name, value) in &query.parameters {
        let mut without = query.clone();
        without.parameters.remove(name);
        named.push((name, value.clone(), without));
    }
    for (name, value, without) in named {
        if is_said(without) {
            continue;
        }
        if !definition.fields.metadata.contains_key(name) {
            return Err(refused(name));
        }
        cut.fields.push((name.to_owned(), value));
    }
    Ok(cut)
}

/// What the settings are, for the holes `{settings.NAME}`.
pub(super) fn base(
    definition: &Definition,
    given: &std::collections::BTreeMap<String, String>,
) -> Result<Map<String, Value>, SourceError> {
    if let Some(unknown) = given.keys().find(|name| !definition.settings.contains_key(*name)) {
        let known: Vec<&str> = definition.settings.keys().map(String::as_str).collect();
        let hint = format!("the settings of '{}' are: {}", definition.name, known.join(", "));
        return Err(SourceError::Parameter { parameter: unknown.clone(), hint });
    }
    let mut settings = Map::new();
    for (name, default) in &definition.settings {
        let value = given.get(name).or(default.as_ref()).ok_or_else(|| SourceError::Parameter {
            parameter: name.clone(),
            hint: format!("'{}' needs it among its settings", definition.name),
        })?;
        settings.insert(name.clone(), without_slash(value).into());
    }
    Ok(Map::from_iter([("settings".to_owned(), Value::Object(settings))]))
}

/// An address is joined with what follows it by the definition.
fn without_slash(value: &str) -> &str {
    if value.contains("://") { value.trim_end_matches('/') } else { value }
}
