//! A BSON document as JSON, without loss.
//!
//! What JSON has stays what it is: objects keep the order of their keys, 32- and 64-bit integers are integers, doubles keep their
//! point, text, booleans, null. What it has not is written as MongoDB's Extended JSON writes it: `{"$date": ..}`, `{"$oid": ..}`,
//! `{"$numberDecimal": ..}`, `{"$binary": ..}`, `{"$numberDouble": "NaN"}` and so on.

use bson::Bson;
use bson::raw::{RawBsonRef, RawDocument};
use serde_json::{Map, Number, Value};

/// The deepest that a document nests: the limit of MongoDB itself.
const DEEPEST: usize = 100;

/// A datapoint's record as JSON, with the two members that JSON texts of the contract spell otherwise.
pub(super) fn record(document: &RawDocument) -> Result<Value, String> {
    let mut members = object(document, DEEPEST)?;
    for (member, key) in [("_id", "$oid"), ("data_timestamp", "$date")] {
        let plain = members.get(member).and_then(|value| value.get(key)).filter(|value| value.is_string()).cloned();
        if let Some(plain) = plain {
            members.insert(member.to_owned(), plain);
        }
    }
    Ok(Value::Object(members))
}

fn object(document: &RawDocument, depth: usize) -> Result<Map<String, Value>, String> {
    let mut members = Map::new();
    for element in document {
        let (key, element) = element.map_err(|error| error.to_string())?;
        members.insert(key.as_str().to_owned(), value(element, depth)?);
    }
    Ok(members)
}

fn value(element: RawBsonRef<'_>, depth: usize) -> Result<Value, String> {
    let below = || depth.checked_sub(1).ok_or_else(|| format!("it nests deeper than {DEEPEST} levels"));
    Ok(match element {
        RawBsonRef::Document(document) => Value::Object(object(document, below()?)?),
        RawBsonRef::Array(array) => {
            let depth = below()?;
            let items = array.into_iter().map(|item| value(item.map_err(|error| error.to_string())?, depth));
            Value::Array(items.collect::<Result<_, _>>()?)
        }
        RawBsonRef::String(text) => Value::from(text),
        RawBsonRef::Boolean(flag) => Value::Bool(flag),
        RawBsonRef::Null => Value::Null,
        RawBsonRef::Int32(number) => Value::from(number),
        RawBsonRef::Int64(number) => Value::from(number),
        RawBsonRef::Double(number) if number.is_finite() => Number::from_f64(number).map_or(Value::Null, Value::Number),
        // A scope is a document and may nest as deep as it likes.
        RawBsonRef::JavaScriptCodeWithScope(code) => {
            let scope = object(code.scope, below()?)?;
            Value::Object(Map::from_iter([("$code".to_owned(), code.code.into()), ("$scope".to_owned(), scope.into())]))
        }
        scalar => Bson::try_from(scalar).map_err(|error| error.to_string())?.into_relaxed_extjson(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::{Binary, DateTime, Decimal128, doc, oid::ObjectId, spec::BinarySubtype};

    fn json(document: &bson::Document) -> String {
        let raw = bson::RawDocumentBuf::try_from(document).unwrap();
        record(&raw).unwrap().to_string()
    }

    #[test]
    fn what_json_has_stays_what_it_is() {
        let document = doc! {
            "z": 1_i32, "a": i64::MAX, "d": 1.0, "n": -0.0, "e": 1e300, "t": "≈\0\"", "b": true, "null": null, "list": [1_i32, { "x": 2.5 }],
        };
        let expected = concat!(
            r#"{"z":1,"a":9223372036854775807,"d":1.0,"n":-0.0,"e":1e+300,"t":"≈\u0000\"","b":true,"null":null,"#,
            r#""list":[1,{"x":2.5}]}"#
        );
        assert_eq!(json(&document), expected);
    }

    #[test]
    fn what_json_has_not_is_written_as_extended_json() {
        let document = doc! {
            "date": DateTime::from_millis(1_700_000_000_123), "oid": ObjectId::parse_str("65539e2f0000000000000001").unwrap(),
            "nan": f64::NAN, "inf": f64::NEG_INFINITY, "dec": "1.10".parse::<Decimal128>().unwrap(),
            "bin": Binary { subtype: BinarySubtype::Generic, bytes: vec![1, 2, 255] },
        };
        let expected = concat!(
            r#"{"date":{"$date":"2023-11-14T22:13:20.123Z"},"oid":{"$oid":"65539e2f0000000000000001"},"#,
            r#""nan":{"$numberDouble":"NaN"},"inf":{"$numberDouble":"-Infinity"},"dec":{"$numberDecimal":"1.10"},"#,
            r#""bin":{"$binary":{"base64":"AQL/","subType":"00"}}}"#
        );
        assert_eq!(json(&document), expected);
    }

    #[test]
    fn an_id_and_a_timestamp_of_mongodbs_own_become_text() {
        let oid = ObjectId::parse_str("65539e2f0000000000000001").unwrap();
        let document = doc! { "_id": oid, "data_timestamp": DateTime::from_millis(1_700_000_000_000) };
        assert_eq!(json(&document), r#"{"_id":"65539e2f0000000000000001","data_timestamp":"2023-11-14T22:13:20Z"}"#);
    }

    #[test]
    fn a_document_that_nests_without_end_is_refused() {
        let deep = (0..300).fold(doc! {}, |inner, _| doc! { "a": inner });
        let raw = bson::RawDocumentBuf::try_from(&deep).unwrap();
        assert!(record(&raw).unwrap_err().contains("100 levels"));
    }
}
