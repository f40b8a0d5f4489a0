//! From the JSON text a client sends to a [`Submission`], with every fault found on the way.
//!
//! The rules and the names of faults are those that clients of the contract know; the faults of one request are answered together.

use holotype_core::json::{self, JsonError};
use holotype_core::number;
use jiff::tz::TimeZone;
use serde_json::{Map, Number, Value, json};

use crate::fault::{Faults, FieldError};
use crate::model::{Content, OWNER_FIELDS, ObjectRecord, Ownership, Submission};
use crate::timestamp::Timestamp;

/// The longest id, in bytes: what an index entry of both engines holds with room to spare.
const LONGEST_ID: usize = 512;

impl Submission {
    /// Reads a datapoint from the JSON text of the `datapoint` field. A timestamp without an offset is a local time of `zone`.
    ///
    /// # Errors
    /// Everything that is wrong with it, at most a hundred faults.
    pub fn parse(text: &[u8], limits: &json::Limits, zone: &TimeZone) -> Result<Self, Vec<FieldError>> {
        let value = json::parse(text, limits).map_err(|error| not_json(&error))?;
        Self::from_value(value, zone)
    }

    /// Reads a datapoint from a JSON value that was already parsed exactly.
    ///
    /// # Errors
    /// As for [`Submission::parse`].
    pub fn from_value(value: Value, zone: &TimeZone) -> Result<Self, Vec<FieldError>> {
        let mut faults = Faults::default();
        let Value::Object(members) = value else {
            faults.add(&[], "dict_type", "Input should be a valid dictionary", &value);
            return Err(faults.into_vec());
        };
        let mut fields = Fields { members, faults };
        let label = fields.optional_text("label");
        let ownership = fields.ownership();
        let id = fields.id();
        let timestamp = fields.timestamp(zone);
        let content = fields.content();
        let Fields { members: extras, faults } = fields;
        match content {
            Some(content) => faults.or(Self { id, label, ownership, timestamp, content, extras }),
            None => Err(faults.into_vec()),
        }
    }
}

/// The fault of text that is not acceptable JSON.
fn not_json(error: &JsonError) -> Vec<FieldError> {
    let mut faults = Faults::default();
    let context = json!({ "error": error.to_string() });
    faults.add_with(&[], "json_invalid", format!("JSON decode error: {error}"), &json!({}), Some(context));
    faults.into_vec()
}

/// The members that are still to be read; what is left at the end is kept as it came.
struct Fields {
    members: Map<String, Value>,
    faults: Faults,
}

impl Fields {
    /// Takes a member out, keeping the order of the others.
    fn take(&mut self, key: &str) -> Option<Value> {
        self.members.shift_remove(key)
    }

    fn missing(&mut self, key: &str) {
        self.faults.add(&[key], "missing", "Field required", &Value::Null);
    }

    fn not_text(&mut self, path: &[&str], input: &Value) {
        self.faults.add(path, "string_type", "Input should be a valid string", input);
    }

    fn optional_text(&mut self, key: &str) -> Option<String> {
        match self.take(key) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text),
            Some(other) => {
                self.not_text(&[key], &other);
                None
            }
        }
    }

    fn required_text(&mut self, key: &str) -> String {
        match self.take(key) {
            Some(Value::String(text)) => return text,
            Some(other) => self.not_text(&[key], &other),
            None => self.missing(key),
        }
        String::new()
    }

    /// `_id`, else `datapoint_id`; a scalar counts as its text, null as absent.
    fn id(&mut self) -> Option<String> {
        let (stored, sent) = (self.take("_id"), self.take("datapoint_id"));
        let stored = stored.filter(|value| !value.is_null()).map(|value| ("_id", value));
        let sent = sent.filter(|value| !value.is_null()).map(|value| ("datapoint_id", value));
        let (key, value) = stored.or(sent)?;
        let id = match &value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(true) => "True".to_owned(),
            Value::Bool(false) => "False".to_owned(),
            other => {
                self.not_text(&[key], other);
                return None;
            }
        };
        if id.is_empty() {
            self.faults.add(&[key], "string_too_short", "String should have at least 1 character", &value);
        } else if id.len() > LONGEST_ID {
            let message = format!("String should have at most {LONGEST_ID} bytes");
            self.faults.add(&[key], "string_too_long", message, &value);
        } else if id.contains('\0') {
            self.faults.add(&[key], "value_error", "String should not contain U+0000", &value);
        }
        Some(id)
    }

    fn ownership(&mut self) -> Ownership {
        let mut members = match self.take("ownership_info") {
            None => return Ownership::Unsaid,
            Some(Value::Null) => return Ownership::Nobody,
            Some(Value::Object(members)) => members,
            Some(other) => {
                let message = "Input should be a valid dictionary or instance of OwnershipInfo";
                let context = Some(json!({ "class_name": "OwnershipInfo" }));
                self.faults.add_with(&["ownership_info"], "model_type", message, &other, context);
                return Ownership::Nobody;
            }
        };
        let mut known = Vec::new();
        for field in OWNER_FIELDS {
            match members.remove(field) {
                None | Some(Value::Null) => {}
                Some(Value::String(text)) if is_ulid(&text) => known.push((field, text)),
                Some(Value::String(text)) => {
                    let message = format!("Value error, Invalid ULID {} for field {field}", cut(&text));
                    self.faults.add(&["ownership_info", field], "value_error", message, &Value::from(text));
                }
                Some(other) => self.not_text(&["ownership_info", field], &other),
            }
        }
        Ownership::Known(known)
    }

    fn timestamp(&mut self, zone: &TimeZone) -> Option<Timestamp> {
        let value = self.take("data_timestamp")?;
        match Timestamp::parse(&value, zone) {
            Ok(timestamp) => Some(timestamp),
            Err(problem) => {
                self.faults.add(&["data_timestamp"], problem.kind(), problem.to_string(), &value);
                None
            }
        }
    }

    /// The members that `data_type` declares; none if it names no type.
    fn content(&mut self) -> Option<Content> {
        let data_type = self.take("data_type");
        match data_type.as_ref().and_then(Value::as_str) {
            Some("json") => {
                let value = self.take("value");
                if value.is_none() {
                    self.missing("value");
                }
                Some(Content::Json { value: value.unwrap_or_default() })
            }
            Some("file") => Some(Content::File { path: self.required_text("path") }),
            Some("object_storage") => Some(Content::ObjectStorage(Box::new(self.object_record()))),
            _ => {
                match data_type {
                    None => self.missing("data_type"),
                    Some(other) => {
                        let message = "Input should be 'json', 'file' or 'object_storage'";
                        let context = Some(json!({ "expected": "'json', 'file' or 'object_storage'" }));
                        self.faults.add_with(&["data_type"], "enum", message, &other, context);
                    }
                }
                None
            }
        }
    }

    fn object_record(&mut self) -> ObjectRecord {
        ObjectRecord {
            url: self.optional_text("url"),
            storage_endpoint: self.required_text("storage_endpoint"),
            public_endpoint: self.optional_text("public_endpoint"),
            path: self.required_text("path"),
            bucket_name: self.optional_text("bucket_name"),
            object_name: self.optional_text("object_name"),
            content_type: self.optional_text("content_type"),
            size_bytes: self.optional_integer("size_bytes"),
            etag: self.optional_text("etag"),
            custom_metadata: self.texts("custom_metadata"),
        }
    }

    /// An integer, also as a whole number with a point, as text, or as a boolean.
    fn optional_integer(&mut self, key: &str) -> Option<Number> {
        let value = self.take(key)?;
        let (kind, message) = match &value {
            Value::Null => return None,
            Value::Bool(flag) => return Some(Number::from(u8::from(*flag))),
            Value::Number(number) if number::is_written_as_integer(number) => return Some(number.clone()),
            Value::Number(number) => match number::to_integer(number) {
                Some(whole) => return Some(Number::from(whole)),
                None => ("int_from_float", "Input should be a valid integer, got a number with a fractional part"),
            },
            Value::String(text) => match text_to_integer(text) {
                Some(number) => return Some(number),
                None => ("int_parsing", "Input should be a valid integer, unable to parse string as an integer"),
            },
            _ => ("int_type", "Input should be a valid integer"),
        };
        self.faults.add(&[key], kind, message, &value);
        None
    }

    /// An object of text to text; absent, it is empty.
    fn texts(&mut self, key: &str) -> Map<String, Value> {
        let members = match self.take(key) {
            None => return Map::new(),
            Some(Value::Object(members)) => members,
            Some(other) => {
                self.faults.add(&[key], "dict_type", "Input should be a valid dictionary", &other);
                return Map::new();
            }
        };
        for (name, value) in members.iter().filter(|(_, value)| !value.is_string()) {
            self.not_text(&[key, cut(name)], value);
        }
        members
    }
}

/// Text of a message, cut to what a line holds.
fn cut(text: &str) -> &str {
    text.get(..text.floor_char_boundary(80)).unwrap_or(text)
}

/// 26 characters of Crockford's base 32 in either case, within 128 bits.
fn is_ulid(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() && !b"ILOU".contains(&byte.to_ascii_uppercase());
    text.len() == 26 && text.starts_with(|first: char| first <= '7') && text.bytes().all(is_digit)
}

/// The integer that lax text means: `5`, ` 5 `, `5.0`, `1_000`.
fn text_to_integer(text: &str) -> Option<Number> {
    let text = text.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let (sign, digits) = match whole.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", whole.strip_prefix('+').unwrap_or(whole)),
    };
    let groups_are_digits =
        digits.split('_').all(|group| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit()));
    if !groups_are_digits || digits.len() > json::MOST_DIGITS || !fraction.bytes().all(|byte| byte == b'0') {
        return None;
    }
    let digits = digits.replace('_', "");
    let significant = digits.trim_start_matches('0');
    serde_json::from_str(&if significant.is_empty() { "0".to_owned() } else { format!("{sign}{significant}") }).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Rendering;

    const ULID: &str = "01M7WHETCQB7WPQGFM195VD84M";

    fn parse(value: &Value) -> Result<Submission, Vec<FieldError>> {
        Submission::parse(value.to_string().as_bytes(), &json::Limits::default(), &TimeZone::UTC)
    }

    /// The text of a submission that says everything itself.
    fn stored(text: &str) -> String {
        let submission = Submission::parse(text.as_bytes(), &json::Limits::default(), &TimeZone::UTC).unwrap();
        submission.render(&Rendering {
            id: submission.id.as_deref().unwrap_or("new"),
            ownership: &submission.ownership,
            timestamp: submission.timestamp.as_ref().map_or("now", |timestamp| &timestamp.text),
            content: &submission.content,
            extra_path: None,
        })
    }

    /// Kind and place of each fault.
    fn faults(value: &Value) -> Vec<(String, String)> {
        let place = |fault: &FieldError| {
            let steps = serde_json::to_value(&fault.loc).unwrap();
            steps.as_array().unwrap().iter().skip(2).map(|step| step.as_str().unwrap()).collect::<Vec<_>>().join(".")
        };
        parse(value).unwrap_err().iter().map(|fault| (fault.kind.to_string(), place(fault))).collect()
    }

    fn with(members: Value) -> Value {
        let mut base = json!({"data_type": "json", "value": 1, "datapoint_id": "x", "ownership_info": {}, "data_timestamp": "2026-01-01"});
        base.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        base
    }

    #[test]
    fn keys_are_stored_in_the_order_of_the_contract_and_extras_after_them() {
        let text = r#"{"zeta":1,"value":{"b":1,"a":[]},"data_timestamp":"2026-11-20","datapoint_id":"x","alpha":{"b":[1]},
            "data_type":"json","ownership_info":{"manager_id":"01M7WHETCQB7WPQGFM195VD84M","unknown":5,"lab_id":null,
            "user_id":"01m7whetcqb7wpqgfm195vd84m"},"label":"Temp ≈ 😀"}"#;
        let expected = concat!(
            r#"{"label":"Temp ≈ 😀","ownership_info":{"user_id":"01m7whetcqb7wpqgfm195vd84m","manager_id":"01M7WHETCQB7WPQGFM195VD84M"},"#,
            r#""data_type":"json","_id":"x","data_timestamp":"2026-11-20T00:00:00","value":{"b":1,"a":[]},"zeta":1,"alpha":{"b":[1]}}"#
        );
        assert_eq!(stored(text), expected);
    }

    #[test]
    fn values_keep_every_digit_and_every_character() {
        for value in [
            "9007199254740993",
            "1.0",
            "-0.0",
            "123456789012345678901234567890",
            "\"a\\u0000\\\"\\\\b\"",
            "[{\"\":null}]",
            "null",
        ] {
            let text = format!(
                r#"{{"ownership_info":null,"data_type":"json","_id":"x","data_timestamp":"2026-11-20","value":{value}}}"#
            );
            let expected = format!(
                r#"{{"label":null,"ownership_info":null,"data_type":"json","_id":"x","data_timestamp":"2026-11-20T00:00:00","value":{value}}}"#
            );
            assert_eq!(stored(&text), expected);
        }
    }

    #[test]
    fn an_object_record_is_stored_with_all_its_members() {
        let text = r#"{"data_type":"object_storage","_id":"o","data_timestamp":"2026-11-20","ownership_info":{},"path":"/d/a.bin",
            "storage_endpoint":"s3:8333","size_bytes":"3","custom_metadata":{"k":"v"},"etag":"abc","more":1}"#;
        let expected = concat!(
            r#"{"label":null,"ownership_info":{},"data_type":"object_storage","_id":"o","data_timestamp":"2026-11-20T00:00:00","#,
            r#""url":null,"storage_endpoint":"s3:8333","public_endpoint":null,"path":"/d/a.bin","bucket_name":null,"object_name":null,"#,
            r#""content_type":null,"size_bytes":3,"etag":"abc","custom_metadata":{"k":"v"},"more":1}"#
        );
        assert_eq!(stored(text), expected);
    }

    #[test]
    fn an_id_is_any_scalar_and_the_stored_key_wins() {
        for (given, id) in [
            (json!({"datapoint_id": 7}), Some("7")),
            (json!({"datapoint_id": 7.5}), Some("7.5")),
            (json!({"datapoint_id": true}), Some("True")),
            (json!({"datapoint_id": null}), None),
            (json!({"datapoint_id": "a", "_id": "b"}), Some("b")),
            (json!({"datapoint_id": "a", "_id": null}), Some("a")),
            (json!({"datapoint_id": "../../X"}), Some("../../X")),
        ] {
            let submission = parse(&with(given)).unwrap();
            assert_eq!(submission.id.as_deref(), id);
            assert!(submission.extras.is_empty(), "neither key stays among the extras");
        }
        for bad in [json!([]), json!({}), json!(""), json!("a\0b"), json!("x".repeat(513))] {
            assert_eq!(parse(&with(json!({ "_id": bad }))).unwrap_err().len(), 1, "{bad}");
        }
    }

    #[test]
    fn absent_null_and_empty_ownership_are_three_things() {
        let ownership = |members| parse(&with(members)).unwrap().ownership;
        assert_eq!(ownership(json!({"ownership_info": null})), Ownership::Nobody);
        assert_eq!(ownership(json!({"ownership_info": {"foo": 1, "lab_id": null}})), Ownership::Known(vec![]));
        assert_eq!(
            ownership(json!({"ownership_info": {"lab_id": ULID}})),
            Ownership::Known(vec![("lab_id", ULID.to_owned())])
        );
        assert_eq!(parse(&json!({"data_type": "json", "value": 1})).unwrap().ownership, Ownership::Unsaid);
    }

    #[test]
    fn every_fault_is_named_with_its_place() {
        let one = |kind: &str, place: &str| vec![(kind.to_owned(), place.to_owned())];
        assert_eq!(faults(&with(json!({"label": 1}))), one("string_type", "label"));
        assert_eq!(faults(&with(json!({"ownership_info": []}))), one("model_type", "ownership_info"));
        for bad in ["x", "", "I1M7WHETCQB7WPQGFM195VD84M", "8ZZZZZZZZZZZZZZZZZZZZZZZZZ", "01M7WHETCQB7WPQGFM195VD84M "]
        {
            let place = "ownership_info.experiment_id";
            assert_eq!(
                faults(&with(json!({"ownership_info": {"experiment_id": bad}}))),
                one("value_error", place),
                "{bad}"
            );
        }
        assert_eq!(
            faults(&with(json!({"ownership_info": {"user_id": 5}}))),
            one("string_type", "ownership_info.user_id")
        );
        assert_eq!(faults(&with(json!({"data_timestamp": "x"}))), one("datetime_from_date_parsing", "data_timestamp"));
        for bad in [json!("data_value"), json!("JSON"), json!(5), json!(null), json!(["json"])] {
            assert_eq!(faults(&with(json!({ "data_type": bad }))), one("enum", "data_type"));
        }
        assert_eq!(faults(&json!({"value": 1})), one("missing", "data_type"));
        assert_eq!(faults(&json!({"data_type": "json"})), one("missing", "value"));
        assert_eq!(faults(&json!({"data_type": "file"})), one("missing", "path"));
        assert_eq!(faults(&json!({"data_type": "file", "path": 5})), one("string_type", "path"));
        assert_eq!(faults(&json!([1])), one("dict_type", ""));
        let object = |members: Value| {
            let mut value = json!({"data_type": "object_storage", "path": "p", "storage_endpoint": "e"});
            value.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            faults(&value)
        };
        assert_eq!(object(json!({"custom_metadata": {"a": 1}})), one("string_type", "custom_metadata.a"));
        assert_eq!(object(json!({"custom_metadata": null})), one("dict_type", "custom_metadata"));
        assert_eq!(object(json!({"size_bytes": 5.5})), one("int_from_float", "size_bytes"));
        assert_eq!(object(json!({"size_bytes": "x"})), one("int_parsing", "size_bytes"));
        assert_eq!(object(json!({"size_bytes": []})), one("int_type", "size_bytes"));
        assert_eq!(object(json!({"url": 5})), one("string_type", "url"));
    }

    #[test]
    fn the_faults_of_a_request_are_answered_together() {
        let value = json!({"data_type": "object_storage", "label": 5, "ownership_info": {"user_id": 7}, "_id": [], "data_timestamp": "x"});
        let places: Vec<String> = faults(&value).into_iter().map(|(_, place)| place).collect();
        assert_eq!(places, ["label", "ownership_info.user_id", "_id", "data_timestamp", "storage_endpoint", "path"]);
    }

    #[test]
    fn text_that_is_not_json_is_a_fault_of_the_field() {
        for text in ["", "{", "{\"a\":NaN}", "[1]]", "\u{feff}{}"] {
            let faults = Submission::parse(text.as_bytes(), &json::Limits::default(), &TimeZone::UTC).unwrap_err();
            assert_eq!(faults.first().map(|fault| fault.kind.as_ref()), Some("json_invalid"), "{text:?}");
        }
        let deep = format!(r#"{{"data_type":"json","value":{}{}}}"#, "[".repeat(200), "]".repeat(200));
        assert!(Submission::parse(deep.as_bytes(), &json::Limits::default(), &TimeZone::UTC).is_err());
    }

    #[test]
    fn integers_may_be_written_in_several_ways() {
        for (given, read) in [
            (json!(5), "5"),
            (json!(5.0), "5"),
            (json!("5"), "5"),
            (json!(" 5 "), "5"),
            (json!("5.0"), "5"),
            (json!("1_0"), "10"),
            (json!("-007"), "-7"),
            (json!(true), "1"),
            (serde_json::from_str("1000000000000000000000000000000").unwrap(), "1000000000000000000000000000000"),
        ] {
            let value =
                json!({"data_type": "object_storage", "path": "p", "storage_endpoint": "e", "size_bytes": given});
            let Content::ObjectStorage(record) = parse(&value).unwrap().content else { panic!("an object record") };
            assert_eq!(record.size_bytes.unwrap().to_string(), read);
        }
    }
}
