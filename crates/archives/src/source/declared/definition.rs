//! An archive as data: what a definition may say, and how it is read.

use std::collections::{BTreeMap, BTreeSet};

use holotype_core::filter::Filter;
use regex::Regex;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::path::Path;
use super::template::Template;
use super::tree::Tree;
use crate::http::Redirects;
use crate::source::Algorithm;

/// A larger definition is something else.
const MAX_BYTES: usize = 256 * 1024;

/// A definition of an archive, read from YAML.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// What the archive is called.
    pub name: String,
    /// What it holds, for people.
    #[serde(default)]
    pub about: String,
    /// What differs from one user to another: a default, or nothing for what must be given.
    #[serde(default)]
    pub settings: BTreeMap<String, Option<String>>,
    pub(super) request: Request,
    #[serde(default)]
    pub(super) auth: Auth,
    #[serde(default)]
    pub(super) pages: Paging,
    pub(super) windows: Option<Windows>,
    pub(super) decode: Decoder,
    pub(super) expand: Option<Expand>,
    pub(super) fields: Fields,
    pub(super) filter: Option<Condition>,
    #[serde(default)]
    pub(super) transfer: Transfer,
    #[serde(default)]
    pub(super) limits: LimitsOf,
    /// What to do with a fetched file, by the end of its name.
    #[serde(default)]
    pub unpack: BTreeMap<String, Unpack>,
    /// Where frames go: rules that are read by whoever sorts them.
    pub place: Option<Value>,
}

/// What is asked.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    #[serde(default)]
    pub(super) method: Method,
    pub(super) url: Template,
    /// Parameters of the address. One whose holes cannot be filled is left out.
    #[serde(default)]
    pub(super) query: BTreeMap<String, Choice>,
    #[serde(default)]
    pub(super) headers: BTreeMap<String, Template>,
    pub(super) body: Option<Body>,
    /// How `{start}` and `{end}` are written.
    #[serde(default)]
    pub(super) dates: Dates,
    pub(super) adql: Option<Adql>,
}

/// Templates, of which the first counts that can be filled.
#[derive(Debug, Clone)]
pub(super) struct Choice(pub(super) Vec<Template>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Method {
    #[default]
    Get,
    Post,
}

/// What is posted. Texts in it are templates, and what cannot be filled is left out.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Body {
    Json(Tree),
    /// A value that is no text is written as JSON.
    Form(BTreeMap<String, Tree>),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(from = "String")]
pub(super) enum Dates {
    Mjd,
    Pattern(String),
}

impl Default for Dates {
    fn default() -> Self {
        Self::Pattern("%Y-%m-%dT%H:%M:%S".to_owned())
    }
}

impl From<String> for Dates {
    fn from(text: String) -> Self {
        if text == "mjd" { Self::Mjd } else { Self::Pattern(text) }
    }
}

/// A query in ADQL, which fills the hole `{adql}`. A condition whose holes cannot be filled is left out.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Adql {
    pub(super) select: Template,
    #[serde(default, rename = "where")]
    pub(super) conditions: Vec<Template>,
    #[serde(default)]
    pub(super) order: String,
}

/// How we say who we are, in one of the ways. Secrets stand in environment variables, which are named here.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Auth {
    pub(super) header: Option<HeaderAuth>,
    pub(super) basic: Option<BasicAuth>,
    pub(super) query: Option<QueryAuth>,
    pub(super) oauth: Option<OauthAuth>,
    pub(super) s3: Option<S3Auth>,
    /// Without the secret, ask without it.
    #[serde(default)]
    pub(super) optional: bool,
    /// Who is told it.
    #[serde(default = "queries")]
    pub(super) to: BTreeSet<Recipient>,
    /// Other origins whose files may be asked for with it, beside that of the request.
    #[serde(default)]
    pub(super) hosts: Vec<Template>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HeaderAuth {
    pub(super) name: String,
    /// With the hole `{secret}`.
    pub(super) value: Template,
    pub(super) secret: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BasicAuth {
    pub(super) user: String,
    pub(super) password: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct QueryAuth {
    pub(super) parameter: String,
    pub(super) secret: String,
}

/// A token for a client, which is asked for when the first request is made.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OauthAuth {
    pub(super) token_url: Template,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) scope: Option<String>,
}

/// Signature Version 4 of S3.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct S3Auth {
    pub(super) key: String,
    pub(super) secret: String,
    pub(super) region: Template,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Recipient {
    Query,
    Files,
}

fn queries() -> BTreeSet<Recipient> {
    BTreeSet::from([Recipient::Query])
}

/// How a list comes in pieces.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Paging {
    /// All at once.
    #[default]
    None,
    /// `{offset}` and `{limit}`.
    Offset(Offset),
    /// `{page}` and `{limit}`.
    Page(Numbered),
    /// `{cursor}`, from the answer before.
    Cursor(At),
    /// The address of the next page is in the answer.
    NextLink(At),
    /// It is in the header `Link`.
    LinkHeader,
    /// `{limit}`; an answer that reached it is cut, and asked for again by halves of its time.
    Maxrec(Maxrec),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Offset {
    pub(super) limit: usize,
    #[serde(default)]
    pub(super) until: Until,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Numbered {
    pub(super) limit: usize,
    #[serde(default = "one")]
    pub(super) first: usize,
    #[serde(default)]
    pub(super) until: Until,
}

fn one() -> usize {
    1
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct At {
    pub(super) at: Path,
    /// How many rows there are in all, if that is a count and no estimate: a list that ends earlier is not whole.
    pub(super) count: Option<Path>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Maxrec {
    pub(super) limit: usize,
}

/// What ends a list.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Until {
    /// A page with nothing on it: right with every server.
    #[default]
    EmptyPage,
    /// A page that is not full: right where the server gives as many as were asked for.
    ShortPage,
    /// The number that the answer gives: right where it is a count and no estimate.
    Count(Path),
}

/// Ask for no more days than this at a time.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Windows {
    pub(super) days: u16,
}

/// What an answer is made of.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Decoder {
    Json(JsonDecoder),
    Votable,
    Csv(CsvDecoder),
    S3Listing,
    HtmlLinks(HtmlDecoder),
    Lines(LinesDecoder),
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JsonDecoder {
    /// Where the rows are: a list, or one object for a single row.
    #[serde(default)]
    pub(super) rows: Path,
    /// What an answer looks like that is not there yet.
    pub(super) pending: Option<Pending>,
}

/// The query is still being worked on while the value there is one of these; then it is asked again.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pending {
    pub(super) at: Path,
    pub(super) is: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CsvDecoder {
    #[serde(default = "comma")]
    pub(super) separator: char,
    /// Lines that begin with it are skipped.
    pub(super) comment: Option<char>,
}

fn comma() -> char {
    ','
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HtmlDecoder {
    /// Which folders are entered.
    pub(super) folders: Option<Pattern>,
    /// How deep.
    #[serde(default)]
    pub(super) depth: usize,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LinesDecoder {
    /// Its groups `digest`, `path`, `url`, `name`, `size`, `version` and `date` are the columns; a line that does not match is no
    /// row. Without it, lines of `md5sum` and its like.
    pub(super) pattern: Option<Pattern>,
}

/// More about each row: a list within it, or one request for it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Expand {
    /// Each value of this list of the row is a file.
    Within(Path),
    /// Each row of the answer to this request is a file.
    Request(Box<Further>),
}

/// One more request, about one row.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Further {
    pub(super) request: Request,
    pub(super) decode: Decoder,
}

/// What is made of a row.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fields {
    pub(super) id: Expression,
    pub(super) name: Expression,
    /// Absent where `transfer.link` finds it.
    pub(super) url: Option<Expression>,
    pub(super) size: Option<Expression>,
    pub(super) checksum: Option<Expression>,
    /// The algorithm of a checksum that does not say it.
    pub(super) algorithm: Option<Algorithm>,
    pub(super) version: Option<Expression>,
    /// When it was observed: by it a list is cut to the query's dates, where the request does not do that.
    pub(super) date: Option<Expression>,
    #[serde(default)]
    pub(super) metadata: BTreeMap<String, Expression>,
}

/// A value made from a row: a template, or a part of what it gives.
#[derive(Debug, Clone)]
pub(super) enum Expression {
    Template(Template),
    Part(PartOf),
}

/// The part of a text that a pattern's group `value`, or else its whole, matches. No match, no value.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PartOf {
    pub(super) from: Template,
    #[serde(rename = "match")]
    pub(super) pattern: Pattern,
}

/// A regular expression that takes no more than linear time.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Pattern(Regex);

impl Pattern {
    pub(super) fn captures<'t>(&self, text: &'t str) -> Option<regex::Captures<'t>> {
        self.0.captures(text)
    }

    pub(super) fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let built = regex::RegexBuilder::new(&text).size_limit(1 << 20).build();
        built.map(Self).map_err(|error| format!("'{text}' is no pattern: {error}"))
    }
}

/// A condition on a mapped row, in the words of the queries on datapoints: `{name: {$regex: ...}, $or: [...]}`.
#[derive(Debug, Clone)]
pub(super) struct Condition(pub(super) Filter);

impl<'de> Deserialize<'de> for Condition {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        Filter::parse(&value).map(Self).map_err(serde::de::Error::custom)
    }
}

/// How files come.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Transfer {
    #[serde(default = "yes")]
    pub(super) ranges: bool,
    #[serde(default)]
    pub(super) redirects: Redirects,
    /// An address works for so many minutes after it was listed.
    pub(super) expires_after_minutes: Option<u32>,
    /// The file's address is the answer to one more request, made when the file is wanted.
    pub(super) link: Option<Box<Link>>,
}

impl Default for Transfer {
    fn default() -> Self {
        Self { ranges: true, redirects: Redirects::default(), expires_after_minutes: None, link: None }
    }
}

fn yes() -> bool {
    true
}

/// The request for an address. Its rows are under `link`; the first that satisfies the filter is taken.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Link {
    pub(super) request: Request,
    pub(super) decode: Decoder,
    pub(super) filter: Option<Condition>,
    pub(super) url: Template,
}

/// How the archive is to be treated.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct LimitsOf {
    pub(super) connections: usize,
    pub(super) requests_per_second: Option<f64>,
    pub(super) requests: Option<u64>,
    pub(super) tries: u32,
    pub(super) patience_seconds: u64,
    /// The largest answer to a query.
    pub(super) answer_megabytes: usize,
}

impl Default for LimitsOf {
    fn default() -> Self {
        let (connections, tries, patience_seconds, answer_megabytes) = (4, 5, 120, 64);
        Self { connections, requests_per_second: None, requests: None, tries, patience_seconds, answer_megabytes }
    }
}

/// What to do with a fetched file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Unpack {
    /// Tile-compressed FITS to plain FITS.
    Funpack,
    /// Gzip.
    Gunzip,
    /// Keep it as it is.
    Keep,
}

/// A definition that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is no definition of an archive: {problem}")]
pub struct InvalidDefinition {
    /// What the definition was called when it was read, for example its file.
    pub name: String,
    /// What is wrong, with its line and column where that is known.
    pub problem: String,
}

impl InvalidDefinition {
    /// A wrong definition is the fault of whoever wrote it.
    pub fn category(&self) -> holotype_core::Category {
        holotype_core::Category::Invalid
    }
}

impl Definition {
    /// Reads a definition; `name` is what errors call it.
    ///
    /// # Errors
    /// With line and column, where the text is not YAML, says something unknown or of another type, or names values that
    /// nothing fills.
    pub fn parse(name: &str, text: &str) -> Result<Self, InvalidDefinition> {
        let invalid = |problem: String| InvalidDefinition { name: name.to_owned(), problem };
        if text.len() > MAX_BYTES {
            return Err(invalid(format!("it is longer than {MAX_BYTES} bytes")));
        }
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! { max_depth: 32, max_aliases: 100, max_anchors: 100, max_nodes: 20_000 },
        };
        let definition: Self =
            serde_saphyr::from_str_with_options(text, options).map_err(|error| invalid(error.render()))?;
        definition.check().map_err(|problem| invalid(problem.to_owned()))?;
        Ok(definition)
    }

    /// What no single key can say by itself.
    fn check(&self) -> Result<(), &'static str> {
        let auth = &self.auth;
        let ways = [
            auth.header.is_some(),
            auth.basic.is_some(),
            auth.query.is_some(),
            auth.oauth.is_some(),
            auth.s3.is_some(),
        ];
        if ways.into_iter().filter(|way| *way).count() > 1 {
            return Err("'auth' has more than one way to say who we are");
        }
        if self.fields.url.is_some() == self.transfer.link.is_some() {
            return Err("the address of a file is either 'fields.url' or found by 'transfer.link'");
        }
        if self.windows.as_ref().is_some_and(|windows| windows.days == 0) {
            return Err("'windows.days' is 0, and there would be no end of windows");
        }
        let rate = self.limits.requests_per_second;
        if rate.is_some_and(|rate| !(rate.is_finite() && rate > 0.0)) {
            return Err("'limits.requests_per_second' is no rate");
        }
        Ok(())
    }
}
