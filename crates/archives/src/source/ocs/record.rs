//! A frame as the archive tells it.

use std::time::Duration;

use holotype_core::Instant;
use serde_json::{Map, Value};
use url::Url;

use super::super::{Algorithm, Checksum, Download, Listed, SourceError, check_name};
use crate::http::message::plain;

/// The names that are to be read, and the older ones that servers gave and will drop.
const ALIASES: &[(&str, &str)] = &[
    ("observation_date", "DATE_OBS"),
    ("observation_day", "DAY_OBS"),
    ("proposal_id", "PROPID"),
    ("instrument_id", "INSTRUME"),
    ("target_name", "OBJECT"),
    ("reduction_level", "RLEVEL"),
    ("site_id", "SITEID"),
    ("telescope_id", "TELID"),
    ("exposure_time", "EXPTIME"),
    ("primary_optical_element", "FILTER"),
    ("public_date", "L1PUBDAT"),
    ("configuration_type", "OBSTYPE"),
    ("observation_id", "BLKUID"),
    ("request_id", "REQNUM"),
];

/// The frame of a row, in its newest version. Fields that have only their older name get the newer one too.
pub(super) fn listed(row: Value) -> Result<Listed, SourceError> {
    let Value::Object(mut fields) = row else {
        return Err(refused("?", "it is no object"));
    };
    for (name, old) in ALIASES {
        if !fields.contains_key(*name)
            && let Some(value) = fields.get(*old).cloned()
        {
            fields.insert((*name).to_owned(), value);
        }
    }
    let id = id(&fields).ok_or_else(|| refused(&shown(&fields), "it has no id"))?;
    let newest = newest(&fields).ok_or_else(|| refused(&shown(&fields), "it has no version to fetch"))?;
    let name = name(&fields, newest).ok_or_else(|| refused(&shown(&fields), "it has no file name"))?;
    check_name(&name).map_err(|problem| refused(&name, &format!("its name {problem}")))?;
    let checksum = match text(newest, "md5").filter(|md5| !md5.is_empty()) {
        Some(md5) => {
            Some(Checksum::parse(md5, Some(Algorithm::Md5)).map_err(|error| refused(&name, &error.to_string()))?)
        }
        None => None,
    };
    let version = text(newest, "key").or_else(|| text(newest, "md5")).map(str::to_owned);
    let url = text(newest, "url").or_else(|| text(&fields, "url"));
    let download = match url {
        Some(url) => {
            let url = Url::parse(url).map_err(|_| refused(&name, "its address cannot be read"))?;
            Some(Download::open(url))
        }
        None => None,
    };
    Ok(Listed { id, name, size: None, checksum, version, download, fields })
}

/// The address of the version that was listed, if the archive still has it.
pub(super) fn address(answer: &Value, frame: &Listed) -> Option<Url> {
    let fields = answer.as_object()?;
    let versions = fields.get("version_set")?.as_array()?.iter().filter_map(Value::as_object);
    let same = |version: &&Map<String, Value>| {
        let key = text(version, "key").or_else(|| text(version, "md5"));
        key.is_some() && key == frame.version.as_deref()
    };
    let version = versions.into_iter().find(same)?;
    Url::parse(text(version, "url").or_else(|| text(fields, "url"))?).ok()
}

/// The versions come newest first.
fn newest(fields: &Map<String, Value>) -> Option<&Map<String, Value>> {
    fields.get("version_set")?.as_array()?.first()?.as_object()
}

fn id(fields: &Map<String, Value>) -> Option<String> {
    match fields.get("id")? {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) if !text.is_empty() && text.len() <= 200 => Some(text.clone()),
        _ => None,
    }
}

/// The file's name, or what it is made of.
fn name(fields: &Map<String, Value>, version: &Map<String, Value>) -> Option<String> {
    if let Some(name) = text(fields, "filename") {
        return Some(name.to_owned());
    }
    Some(format!("{}{}", text(fields, "basename")?, text(version, "extension")?))
}

fn text<'f>(fields: &'f Map<String, Value>, name: &str) -> Option<&'f str> {
    fields.get(name)?.as_str()
}

/// What a message calls a frame.
fn shown(fields: &Map<String, Value>) -> String {
    text(fields, "filename")
        .or_else(|| text(fields, "basename"))
        .map(str::to_owned)
        .or_else(|| id(fields))
        .unwrap_or_default()
}

fn refused(frame: &str, problem: &str) -> SourceError {
    SourceError::Frame { frame: plain(frame), problem: problem.to_owned() }
}

/// Whether an address carries its own permission.
pub(super) fn is_signed(url: &Url) -> bool {
    url.query_pairs().any(|(name, _)| name.eq_ignore_ascii_case("X-Amz-Signature") || name == "Signature")
}

/// When a signed address expires, if it says so.
pub(super) fn expiry(url: &Url) -> Option<Instant> {
    let value = |wanted: &str| url.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned());
    if let (Some(date), Some(seconds)) = (value("X-Amz-Date"), value("X-Amz-Expires")) {
        let signed = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", &date).ok()?;
        let signed = signed.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
        return Some(Instant::from_micros(signed.as_microsecond()).after(Duration::from_secs(seconds.parse().ok()?)));
    }
    let seconds: i64 = value("Expires")?.parse().ok()?;
    Some(Instant::from_micros(seconds.checked_mul(1_000_000)?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row() -> Value {
        json!({"id": 59, "basename": "a-e91", "INSTRUME": "sq32", "target_name": "new", "OBJECT": "old", "version_set": [
            {"key": "k2", "md5": "d8b7bce5f24922c5d03dec9fb73b6c8b", "extension": ".fits.fz", "url": "http://h/2"},
            {"key": "k1", "md5": "00b7bce5f24922c5d03dec9fb73b6c8b", "extension": ".fits.fz", "url": "http://h/1"}]})
    }

    #[test]
    fn a_frame_is_read_in_its_newest_version_and_by_its_newest_names() {
        let frame = listed(row()).unwrap();
        assert_eq!((frame.id.as_str(), frame.name.as_str()), ("59", "a-e91.fits.fz"));
        assert_eq!(frame.version.as_deref(), Some("k2"));
        assert_eq!(frame.checksum.unwrap().to_string(), "md5:d8b7bce5f24922c5d03dec9fb73b6c8b");
        assert_eq!(frame.download.unwrap().to_string(), "http://h/2");
        assert_eq!((&frame.fields["instrument_id"], &frame.fields["target_name"]), (&json!("sq32"), &json!("new")));
    }

    #[test]
    fn the_address_asked_for_again_is_that_of_the_version_that_was_listed() {
        let mut frame = listed(row()).unwrap();
        frame.version = Some("k1".to_owned());
        assert_eq!(address(&row(), &frame).unwrap().as_str(), "http://h/1");
        frame.version = Some("k0".to_owned());
        assert_eq!(address(&row(), &frame), None);
    }

    #[test]
    fn a_row_that_cannot_be_a_file_here_is_refused_by_itself() {
        let with = |name: &str, value: Value| {
            let mut row = row();
            row[name] = value;
            listed(row).unwrap_err()
        };
        for error in [
            with("filename", json!("../../.ssh/authorized_keys")),
            with("filename", json!("a\0b")),
            with("version_set", json!([])),
            with("version_set", json!([{"md5": "short", "extension": ".fits", "url": "http://h/"}])),
            with("version_set", json!([{"md5": null, "extension": ".fits", "url": "::"}])),
            with("id", Value::Null),
            listed(json!([])).unwrap_err(),
        ] {
            assert!(error.is_about_one_frame(), "{error}");
        }
    }

    #[test]
    fn a_signed_address_tells_when_it_expires() {
        let url = "http://h/a?X-Amz-Date=20261120T131609Z&X-Amz-Expires=172800&X-Amz-Signature=6e".parse().unwrap();
        assert!(is_signed(&url));
        assert_eq!(expiry(&url).unwrap().to_string(), "2026-11-22T13:16:09Z");
        assert_eq!(expiry(&"http://h/a".parse().unwrap()), None);
    }
}
