//! Reads a setting's value from text or from a file's JSON, TOML or YAML, as leniently as MADSci does and no more.

use serde_json::{Number, Value};
use url::Url;

use super::table::{Kind, Setting};

/// The value of a setting in its one form: URLs normalised, numbers as numbers.
///
/// # Errors
/// What is needed instead, as a sentence without the value, which may be a secret.
pub(crate) fn read(setting: &Setting, found: &Value) -> Result<Value, String> {
    if found.is_null() {
        return if setting.optional { Ok(Value::Null) } else { Err("a value is needed, not null".to_owned()) };
    }
    let read = match setting.kind {
        Kind::Text | Kind::Path => {
            found.as_str().map(Value::from).ok_or("text is needed (in quotes, if it looks like a number)")
        }
        Kind::Url => url(found).ok_or("a URL is needed, for example http://localhost:8004"),
        Kind::Flag => flag(found).map(Value::from).ok_or("true or false is needed"),
        Kind::Count => count(found).map(Value::from).ok_or("a whole number of at least 1 is needed"),
        Kind::Decimal => decimal(found).ok_or("a number is needed"),
        Kind::Texts => texts(found).ok_or("a list of texts is needed, in a variable as JSON: [\"10.0.0.1\"]"),
        Kind::Choice(choices) => {
            let chosen = found.as_str().filter(|text| choices.contains(text)).map(Value::from);
            return chosen.ok_or_else(|| format!("one of these is needed: {}", choices.join(", ")));
        }
    };
    read.map_err(str::to_owned)
}

fn url(found: &Value) -> Option<Value> {
    let text = found.as_str()?.trim();
    // `host:port` parses as a URL of the scheme `host`; what has no host is no address.
    Url::parse(text).ok().filter(Url::has_host).map(|url| Value::from(url.as_str()))
}

fn flag(found: &Value) -> Option<bool> {
    match found {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => match number.as_u64()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "on" | "1" => Some(true),
            "false" | "f" | "no" | "n" | "off" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// The text of a number, whether it was written as one or as text.
fn digits(found: &Value) -> Option<String> {
    match found {
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.trim().to_owned()),
        _ => None,
    }
}

fn count(found: &Value) -> Option<u64> {
    let text = digits(found)?;
    // "5.0" is five, as MADSci reads it.
    let whole = text
        .split_once('.')
        .filter(|(_, rest)| rest.bytes().all(|digit| digit == b'0'))
        .map_or(&*text, |(whole, _)| whole);
    whole.parse().ok().filter(|count| *count >= 1)
}

fn decimal(found: &Value) -> Option<Value> {
    let number: f64 = digits(found)?.parse().ok()?;
    Number::from_f64(number).map(Value::Number)
}

fn texts(found: &Value) -> Option<Value> {
    let list = match found {
        Value::String(text) => serde_json::from_str(text).ok()?,
        other => other.clone(),
    };
    let all_texts = list.as_array()?.iter().all(Value::is_string);
    all_texts.then_some(list)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::table::{DATA, Setting};
    use super::*;

    fn setting(name: &str) -> &'static Setting {
        DATA.settings.iter().find(|setting| setting.name == name).unwrap()
    }

    #[test]
    fn values_are_read_from_text_and_from_their_own_form() {
        for (name, found, value) in [
            ("server_url", json!("http://0.0.0.0:9000"), json!("http://0.0.0.0:9000/")),
            ("rate_limit_requests", json!(" 5 "), json!(5)),
            ("rate_limit_requests", json!("5.0"), json!(5)),
            ("rate_limit_requests", json!(7), json!(7)),
            ("rate_limit_enabled", json!("Off"), json!(false)),
            ("otel_enabled", json!("Y"), json!(true)),
            ("otel_enabled", json!(1), json!(true)),
            ("rate_limit_exempt_ips", json!("[]"), json!([])),
            ("rate_limit_exempt_ips", json!(["10.0.0.1"]), json!(["10.0.0.1"])),
            ("rate_limit_short_requests", Value::Null, Value::Null),
            ("registry_lock_timeout", json!("12"), json!(12.0)),
            ("manager_name", json!(""), json!("")),
            ("manager_type", json!("lab_manager"), json!("lab_manager")),
        ] {
            assert_eq!(read(setting(name), &found), Ok(value), "{name} = {found}");
        }
    }

    #[test]
    fn values_that_do_not_fit_are_refused() {
        for (name, found) in [
            ("server_url", json!("nope")),
            ("server_url", json!("localhost:8004")),
            ("rate_limit_requests", json!("")),
            ("rate_limit_requests", json!(0)),
            ("rate_limit_requests", json!("5.5")),
            ("rate_limit_requests", Value::Null),
            ("rate_limit_enabled", json!("maybe")),
            ("rate_limit_enabled", json!(2)),
            ("rate_limit_exempt_ips", json!("10.0.0.1,10.0.0.2")),
            ("rate_limit_exempt_ips", json!([1])),
            ("registry_lock_timeout", json!("inf")),
            ("manager_name", json!(5)),
            ("otel_exporter", json!("xx")),
        ] {
            assert!(read(setting(name), &found).is_err(), "{name} = {found}");
        }
    }
}
