//! A definition's request, with its holes filled.

use bytes::Bytes;
use holotype_core::Instant;
use reqwest::header::HeaderName;
use serde_json::{Map, Value, json};
use url::Url;

use super::definition::{Adql, Body, Dates, Method, Request};
use super::template::{Form, Unfilled};
use crate::http;
use crate::source::{Query, SourceError, shown};

/// The modified Julian date of 1970-01-01.
const MJD_OF_THE_EPOCH: f64 = 40_587.0;
const MICROSECONDS_OF_A_DAY: f64 = 86_400_000_000.0;

/// Fills a request. Query parameters, headers and conditions whose holes cannot be filled are left out.
pub(super) fn request(request: &Request, scope: &Value) -> Result<http::Request, Unfilled> {
    let mut scope = scope.clone();
    if let Some(adql) = &request.adql {
        scope["adql"] = text_of(adql, &scope)?.into();
    }
    let text = request.url.fill(&scope, Form::Address)?;
    let mut url = Url::parse(&text).map_err(|error| Unfilled::Unfit(format!("'{text}' is no address: {error}")))?;
    for (name, choice) in &request.query {
        for template in &choice.0 {
            if let Some(value) = present(template.fill(&scope, Form::Plain))? {
                url.query_pairs_mut().append_pair(name, &value);
                break;
            }
        }
    }
    let mut headers = Vec::new();
    for (name, template) in &request.headers {
        if let Some(value) = present(template.fill(&scope, Form::Plain))? {
            let name = HeaderName::try_from(name).map_err(|_| Unfilled::Unfit(format!("'{name}' is no header")))?;
            headers.push((name, value.into()));
        }
    }
    let body = match (&request.body, request.method) {
        (Some(body), _) => Some(posted(body, &scope)?),
        (None, Method::Post) => Some(http::Body { media_type: "application/octet-stream", bytes: Bytes::new() }),
        (None, Method::Get) => None,
    };
    Ok(http::Request { url, headers, body })
}

fn posted(body: &Body, scope: &Value) -> Result<http::Body, Unfilled> {
    match body {
        Body::Json(tree) => {
            Ok(http::Body { media_type: "application/json", bytes: tree.fill(scope)?.to_string().into() })
        }
        Body::Form(fields) => {
            let mut form = url::form_urlencoded::Serializer::new(String::new());
            for (name, tree) in fields {
                match present(tree.fill(scope))? {
                    Some(Value::String(text)) => drop(form.append_pair(name, &text)),
                    Some(value) => drop(form.append_pair(name, &value.to_string())),
                    None => {}
                }
            }
            Ok(http::Body { media_type: "application/x-www-form-urlencoded", bytes: form.finish().into() })
        }
    }
}

fn text_of(adql: &Adql, scope: &Value) -> Result<String, Unfilled> {
    let mut conditions = Vec::new();
    for condition in &adql.conditions {
        conditions.extend(present(condition.fill(scope, Form::Adql))?);
    }
    let mut text = adql.select.fill(scope, Form::Adql)?;
    if !conditions.is_empty() {
        text = format!("{text} WHERE {}", conditions.join(" AND "));
    }
    if !adql.order.is_empty() {
        text = format!("{text} ORDER BY {}", adql.order);
    }
    Ok(text)
}

/// What could be filled; nothing where a value is absent.
pub(super) fn present<T>(filled: Result<T, Unfilled>) -> Result<Option<T>, Unfilled> {
    match filled {
        Ok(value) => Ok(Some(value)),
        Err(Unfilled::Absent(_)) => Ok(None),
        Err(unfit) => Err(unfit),
    }
}

/// The values that a query has, by their names, beside `base`.
pub(super) fn scope_of(base: &Map<String, Value>, query: &Query, dates: &Dates) -> Map<String, Value> {
    let mut scope = base.clone();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            scope.insert(name.to_owned(), value);
        }
    };
    put("start", query.start.map(|start| date(start, dates)));
    put("end", query.end.map(|end| date(end, dates)));
    put("proposal", query.proposal.clone().map(Value::from));
    put("target", query.target.clone().map(Value::from));
    put("parameters", Some(json!(query.parameters)));
    scope
}

/// An instant as the archive writes it.
pub(super) fn date(instant: Instant, dates: &Dates) -> Value {
    match dates {
        Dates::Mjd => json!(instant.as_micros() as f64 / MICROSECONDS_OF_A_DAY + MJD_OF_THE_EPOCH),
        Dates::Pattern(pattern) => {
            let zoned = instant.timestamp().to_zoned(jiff::tz::TimeZone::UTC);
            zoned.strftime(pattern.as_bytes()).to_string().into()
        }
    }
}

/// A date that an archive wrote: RFC 3339, or without a zone in UTC, or a modified Julian date.
pub(super) fn instant(value: &Value) -> Option<Instant> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        let night = jiff::civil::Date::strptime("%Y%m%d", &text).ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        return Some(Instant::from_micros(night.timestamp().as_microsecond()));
    }
    if let Ok(days) = text.parse::<f64>() {
        let micros = (days - MJD_OF_THE_EPOCH) * MICROSECONDS_OF_A_DAY;
        return (0.0..200_000.0).contains(&days).then(|| Instant::from_micros(micros.round() as i64));
    }
    if let Ok(instant) = text.parse() {
        return Some(instant);
    }
    let civil = text.parse::<jiff::civil::DateTime>().ok();
    let civil = civil.or_else(|| {
        ["%Y-%m-%d %H:%M", "%d-%b-%Y %H:%M:%S", "%d-%b-%Y %H:%M"]
            .iter()
            .find_map(|pattern| jiff::civil::DateTime::strptime(pattern, &text).ok())
    })?;
    let timestamp = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    Some(Instant::from_micros(timestamp.as_microsecond()))
}

/// The error for a request whose holes could not be filled.
pub(super) fn unfilled(what: &str, unfilled: Unfilled) -> SourceError {
    match unfilled {
        Unfilled::Absent(name) => {
            SourceError::Parameter { parameter: name, hint: format!("the definition's {what} needs it") }
        }
        Unfilled::Unfit(problem) => SourceError::Definition { part: what.to_owned(), problem },
    }
}

/// An address that a row named, as long as it is one.
pub(super) fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("its address cannot be read: {error}"))?;
    if matches!(url.scheme(), "http" | "https") { Ok(url) } else { Err(format!("its address is {}", shown(&url))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_in_every_form_that_archives_write() {
        for text in [
            "2024-07-15T01:02:00Z",
            "2024-07-15T03:02:00+02:00",
            "2024-07-15T01:02:00.000",
            "2024-07-15 01:02:00",
            "2024-07-15 01:02",
            "15-Jul-2024 01:02",
        ] {
            assert_eq!(
                instant(&text.into()).map(|instant| instant.to_string()).as_deref(),
                Some("2024-07-15T01:02:00Z"),
                "{text}"
            );
        }
        assert_eq!(instant(&json!("20240715")).unwrap().to_string(), "2024-07-15T00:00:00Z");
        assert_eq!(instant(&json!(60506.5)).unwrap().to_string(), "2024-07-15T12:00:00Z");
        assert_eq!(instant(&json!("60506.5")).unwrap().to_string(), "2024-07-15T12:00:00Z");
        for none in [json!("yesterday"), json!(null), json!(-5), json!("")] {
            assert_eq!(instant(&none), None, "{none}");
        }
    }

    #[test]
    fn dates_are_written_as_the_archive_wants_them() {
        let noon = "2024-07-15T12:00:00Z".parse().unwrap();
        assert_eq!(date(noon, &Dates::Mjd), json!(60506.5));
        assert_eq!(date(noon, &Dates::Pattern("%Y-%m-%d %H:%M".to_owned())), json!("2024-07-15 12:00"));
    }
}
