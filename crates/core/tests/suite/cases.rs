//! Cases whose answers were worked out by hand from the documented behaviour of MongoDB.

use holotype_core::filter::{Aliases, Budget, Filter};
use holotype_core::json::{self, Limits};
use serde_json::Value;

/// A document, a filter, and whether the document matches it.
type Case = (&'static str, &'static str, bool);

fn read(text: &str) -> Value {
    json::parse(text.as_bytes(), &Limits::default()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn check(cases: &[Case]) {
    for (document, source, expected) in cases {
        let filter = Filter::parse(&read(source)).unwrap_or_else(|error| panic!("{source}: {error}"));
        let found = filter.matches(&read(document), &mut Budget::new(100_000)).unwrap();
        assert_eq!(found, *expected, "document {document}, filter {source}");
    }
}

#[test]
fn an_empty_filter_means_every_document() {
    check(&[(r#"{}"#, "{}", true), (r#"{"a": 1}"#, "{}", true), (r#"{"a": 1}"#, "null", true)]);
}

#[test]
fn equality_compares_numbers_by_value_and_keeps_types_apart() {
    check(&[
        (r#"{"a": 1}"#, r#"{"a": 1}"#, true),
        (r#"{"a": 1}"#, r#"{"a": 1.0}"#, true),
        (r#"{"a": 1.0}"#, r#"{"a": 1}"#, true),
        (r#"{"a": 100}"#, r#"{"a": 1e2}"#, true),
        (r#"{"a": -0.0}"#, r#"{"a": 0}"#, true),
        (r#"{"a": 1}"#, r#"{"a": true}"#, false),
        (r#"{"a": true}"#, r#"{"a": 1}"#, false),
        (r#"{"a": false}"#, r#"{"a": 0}"#, false),
        (r#"{"a": [true]}"#, r#"{"a": 1}"#, false),
        (r#"{"a": "1"}"#, r#"{"a": 1}"#, false),
        (r#"{"a": "a"}"#, r#"{"a": "a"}"#, true),
        (r#"{"a": "a"}"#, r#"{"a": "A"}"#, false),
        (r#"{"a": 1, "b": 2}"#, r#"{"a": 1, "b": 2}"#, true),
        (r#"{"a": 1, "b": 3}"#, r#"{"a": 1, "b": 2}"#, false),
        (r#"{"": 1}"#, r#"{"": 1}"#, true),
    ]);
}

#[test]
fn numbers_are_exact_beyond_64_bits_and_beyond_doubles() {
    check(&[
        (r#"{"a": 9007199254740993}"#, r#"{"a": 9007199254740992}"#, false),
        (r#"{"a": 9007199254740993}"#, r#"{"a": {"$gt": 9007199254740992.0}}"#, true),
        (r#"{"a": 9223372036854775808}"#, r#"{"a": {"$gt": 9223372036854775807}}"#, true),
        (r#"{"a": 123456789012345678901234567890}"#, r#"{"a": 123456789012345678901234567890}"#, true),
        (r#"{"a": 123456789012345678901234567890}"#, r#"{"a": 123456789012345678901234567891}"#, false),
        (r#"{"a": 123456789012345678901234567890}"#, r#"{"a": {"$lt": 123456789012345678901234567891}}"#, true),
        (r#"{"a": -123456789012345678901234567890}"#, r#"{"a": {"$gt": -123456789012345678901234567891}}"#, true),
        (r#"{"a": 0.1}"#, r#"{"a": 1e-1}"#, true),
    ]);
}

#[test]
fn null_means_null_or_missing() {
    check(&[
        (r#"{"a": null}"#, r#"{"a": null}"#, true),
        (r#"{}"#, r#"{"a": null}"#, true),
        (r#"{"a": 0}"#, r#"{"a": null}"#, false),
        (r#"{"a": [null]}"#, r#"{"a": null}"#, true),
        (r#"{"a": []}"#, r#"{"a": null}"#, false),
        (r#"{"a": [1]}"#, r#"{"a": null}"#, false),
        (r#"{"a": {}}"#, r#"{"a.b": null}"#, true),
        (r#"{"a": 1}"#, r#"{"a.b": null}"#, true),
        (r#"{"a": "x"}"#, r#"{"a.b.c": null}"#, true),
        (r#"{"a": []}"#, r#"{"a.b": null}"#, false),
        (r#"{"a": [1, 2]}"#, r#"{"a.b": null}"#, false),
        (r#"{"a": [{"b": 1}]}"#, r#"{"a.b": null}"#, false),
        (r#"{"a": [{"b": 1}, {}]}"#, r#"{"a.b": null}"#, true),
        (r#"{"a": [{"b": 1}, {"b": null}]}"#, r#"{"a.b": null}"#, true),
        (r#"{"a": null}"#, r#"{"a": {"$gte": null}}"#, true),
        (r#"{}"#, r#"{"a": {"$lte": null}}"#, true),
        (r#"{}"#, r#"{"a": {"$gt": null}}"#, false),
        (r#"{"a": 1}"#, r#"{"a": {"$gte": null}}"#, false),
        (r#"{}"#, r#"{"a": {"$ne": null}}"#, false),
        (r#"{"a": 0}"#, r#"{"a": {"$ne": null}}"#, true),
        (r#"{"a": [1, null]}"#, r#"{"a": {"$ne": null}}"#, false),
        (r#"{}"#, r#"{"a": {"$in": [1, null]}}"#, true),
        (r#"{}"#, r#"{"a": {"$nin": [1, null]}}"#, false),
    ]);
}

#[test]
fn an_array_is_met_whole_or_by_one_of_its_elements() {
    check(&[
        (r#"{"a": [1, 2]}"#, r#"{"a": 1}"#, true),
        (r#"{"a": [1, 2]}"#, r#"{"a": 3}"#, false),
        (r#"{"a": [1, 2]}"#, r#"{"a": [1, 2]}"#, true),
        (r#"{"a": [1, 2]}"#, r#"{"a": [2, 1]}"#, false),
        (r#"{"a": [1, 2]}"#, r#"{"a": [1]}"#, false),
        (r#"{"a": [1.0, 2]}"#, r#"{"a": [1, 2.0]}"#, true),
        (r#"{"a": [[1, 2], 3]}"#, r#"{"a": [1, 2]}"#, true),
        (r#"{"a": [[1, 2], 3]}"#, r#"{"a": 1}"#, false),
        (r#"{"a": [[[1]]]}"#, r#"{"a": [1]}"#, false),
        (r#"{"a": []}"#, r#"{"a": []}"#, true),
        (r#"{"a": [[]]}"#, r#"{"a": []}"#, true),
        (r#"{"a": [{"b": 1}]}"#, r#"{"a": {"b": 1}}"#, true),
        (r#"{"a": [1, 5]}"#, r#"{"a": {"$gt": 4, "$lt": 2}}"#, true),
        (r#"{"a": [1, "x"]}"#, r#"{"a": {"$gt": "w"}}"#, true),
    ]);
}

#[test]
fn an_object_is_met_whole_and_in_order() {
    check(&[
        (r#"{"a": {"b": 1, "c": 2}}"#, r#"{"a": {"b": 1, "c": 2}}"#, true),
        (r#"{"a": {"b": 1, "c": 2}}"#, r#"{"a": {"c": 2, "b": 1}}"#, false),
        (r#"{"a": {"b": 1, "c": 2}}"#, r#"{"a": {"b": 1}}"#, false),
        (r#"{"a": {"b": 1.0}}"#, r#"{"a": {"b": 1}}"#, true),
        (r#"{"a": {"b": true}}"#, r#"{"a": {"b": 1}}"#, false),
        (r#"{"a": {}}"#, r#"{"a": {}}"#, true),
        (r#"{"a": {"b": [1]}}"#, r#"{"a": {"b": 1}}"#, false),
        (r#"{"a": {"b": {"$gt": 1}}}"#, r#"{"a": {"b": {"$gt": 1}}}"#, true),
        (r#"{"a": {"$gt": 1}}"#, r#"{"a": {"$eq": {"$gt": 1}}}"#, true),
        (r#"{"a": {"$date": "x"}}"#, r#"{"a": {"$eq": {"$date": "x"}}}"#, true),
    ]);
}

#[test]
fn a_dotted_path_goes_into_objects_indices_and_arrays_of_objects() {
    check(&[
        (r#"{"a": {"b": 1}}"#, r#"{"a.b": 1}"#, true),
        (r#"{"a": {"b": {"c": 1}}}"#, r#"{"a.b.c": 1}"#, true),
        (r#"{"a.b": 1}"#, r#"{"a.b": 1}"#, false),
        (r#"{"a": [5, 7]}"#, r#"{"a.1": 7}"#, true),
        (r#"{"a": [5, 7]}"#, r#"{"a.0": 7}"#, false),
        (r#"{"a": [5, 7]}"#, r#"{"a.2": 7}"#, false),
        (r#"{"a": [5, 7]}"#, r#"{"a.01": 7}"#, false),
        (r#"{"a": [5, 7]}"#, r#"{"a.-1": 7}"#, false),
        (r#"{"a": {"0": 5}}"#, r#"{"a.0": 5}"#, true),
        (r#"{"a": [{"0": 5}]}"#, r#"{"a.0": 5}"#, true),
        (r#"{"a": [7, {"0": 5}]}"#, r#"{"a.0": 5}"#, true),
        (r#"{"a": [{"b": 1}, {"b": 2}]}"#, r#"{"a.b": 2}"#, true),
        (r#"{"a": [{"b": 1}, {"b": 2}]}"#, r#"{"a.0.b": 2}"#, false),
        (r#"{"a": [{"b": 1}, {"b": 2}]}"#, r#"{"a.1.b": 2}"#, true),
        (r#"{"a": [{"b": [1, 2]}]}"#, r#"{"a.b": 2}"#, true),
        (r#"{"a": [{"b": [1, 2]}]}"#, r#"{"a.b": [1, 2]}"#, true),
        (r#"{"a": [{"b": [1, 2]}]}"#, r#"{"a.b.1": 2}"#, true),
        (r#"{"a": [{"b": [{"c": 1}]}]}"#, r#"{"a.b.c": 1}"#, true),
        (r#"{"a": [[{"b": 1}]]}"#, r#"{"a.b": 1}"#, false),
        (r#"{"a": [[{"b": 1}]]}"#, r#"{"a.0.b": 1}"#, true),
        (r#"{"a": [[1, 2]]}"#, r#"{"a.0": [1, 2]}"#, true),
        (r#"{"a": [[1, 2]]}"#, r#"{"a.0": 1}"#, false),
        (r#"{"a": [[1, 2]]}"#, r#"{"a.0.1": 2}"#, true),
        (r#"{"a": [{"b": 1}]}"#, r#"{"a.0.b": null}"#, true),
        (r#"{"a": {"": {"b": 1}}}"#, r#"{"a..b": 1}"#, true),
    ]);
}

#[test]
fn order_stays_within_the_type_of_the_operand() {
    check(&[
        (r#"{"a": 5}"#, r#"{"a": {"$gt": 4}}"#, true),
        (r#"{"a": 5}"#, r#"{"a": {"$gt": 5}}"#, false),
        (r#"{"a": 5}"#, r#"{"a": {"$gte": 5.0}}"#, true),
        (r#"{"a": 5}"#, r#"{"a": {"$lt": 5.5}}"#, true),
        (r#"{"a": 5}"#, r#"{"a": {"$lte": 4.9}}"#, false),
        (r#"{"a": "5"}"#, r#"{"a": {"$gt": 4}}"#, false),
        (r#"{"a": 5}"#, r#"{"a": {"$lt": "6"}}"#, false),
        (r#"{"a": true}"#, r#"{"a": {"$gt": 0}}"#, false),
        (r#"{"a": true}"#, r#"{"a": {"$gt": false}}"#, true),
        (r#"{}"#, r#"{"a": {"$lt": 5}}"#, false),
        (r#"{"a": null}"#, r#"{"a": {"$lt": 5}}"#, false),
        (r#"{"a": "B"}"#, r#"{"a": {"$lt": "a"}}"#, true),
        (r#"{"a": "z"}"#, r#"{"a": {"$lt": "é"}}"#, true),
        (r#"{"a": "ab"}"#, r#"{"a": {"$gt": "a"}}"#, true),
        (r#"{"a": "2026-11-20T13:13:43"}"#, r#"{"a": {"$gte": "2026-11-20", "$lt": "2026-11-21"}}"#, true),
        (r#"{"a": {"b": 2}}"#, r#"{"a": {"$gt": {"b": 1}}}"#, true),
        (r#"{"a": {"b": 1}}"#, r#"{"a": {"$lt": {"a": "x"}}}"#, true),
        (r#"{"a": {"b": 1}}"#, r#"{"a": {"$lt": {"c": 0}}}"#, true),
        (r#"{"a": {"b": 1}}"#, r#"{"a": {"$lt": {"b": 1, "c": 0}}}"#, true),
        (r#"{"a": [1, 2]}"#, r#"{"a": {"$gt": [1]}}"#, true),
        (r#"{"a": [1, 2]}"#, r#"{"a": {"$lt": [1, 3]}}"#, true),
        (r#"{"a": [9]}"#, r#"{"a": {"$lt": [1]}}"#, false),
        (r#"{"a": ["x"]}"#, r#"{"a": {"$gt": [1]}}"#, true),
        (r#"{"a": 5}"#, r#"{"a": {"$gt": [1]}}"#, false),
    ]);
}

#[test]
fn negations_ask_that_no_value_fulfils_what_they_negate() {
    check(&[
        (r#"{"a": [1, 2]}"#, r#"{"a": {"$ne": 1}}"#, false),
        (r#"{"a": [1, 2]}"#, r#"{"a": {"$ne": 3}}"#, true),
        (r#"{}"#, r#"{"a": {"$ne": 1}}"#, true),
        (r#"{"a": true}"#, r#"{"a": {"$ne": 1}}"#, true),
        (r#"{"a": [1, 2]}"#, r#"{"a": {"$ne": [1, 2]}}"#, false),
        (r#"{"a": [{"b": 1}, {"b": 2}]}"#, r#"{"a.b": {"$ne": 1}}"#, false),
        (r#"{"a": [1, 2]}"#, r#"{"a": {"$nin": [2, 3]}}"#, false),
        (r#"{"a": [1, 2]}"#, r#"{"a": {"$nin": [3]}}"#, true),
        (r#"{}"#, r#"{"a": {"$nin": [1]}}"#, true),
        (r#"{"a": 1}"#, r#"{"a": {"$nin": []}}"#, true),
        (r#"{"a": "x"}"#, r#"{"a": {"$not": {"$gt": 5}}}"#, true),
        (r#"{}"#, r#"{"a": {"$not": {"$gt": 5}}}"#, true),
        (r#"{"a": [1, 9]}"#, r#"{"a": {"$not": {"$gt": 5}}}"#, false),
        (r#"{"a": 7}"#, r#"{"a": {"$not": {"$gt": 5, "$lt": 6}}}"#, true),
        (r#"{"a": [7, 4]}"#, r#"{"a": {"$not": {"$gt": 5, "$lt": 6}}}"#, false),
        (r#"{"a": 7}"#, r#"{"a": {"$not": {"$not": {"$gt": 5}}}}"#, true),
        (r#"{"a": "abc"}"#, r#"{"a": {"$not": {"$regex": "^a"}}}"#, false),
        (r#"{"a": "ABC"}"#, r#"{"a": {"$not": {"$regex": "^a", "$options": "i"}}}"#, false),
        (r#"{"a": 5}"#, r#"{"a": {"$not": {"$regex": "^a"}}}"#, true),
    ]);
}

#[test]
fn membership_is_equality_with_one_of_a_list() {
    check(&[
        (r#"{"a": 1}"#, r#"{"a": {"$in": [1, 2]}}"#, true),
        (r#"{"a": 1.0}"#, r#"{"a": {"$in": [1, 2]}}"#, true),
        (r#"{"a": true}"#, r#"{"a": {"$in": [1, 2]}}"#, false),
        (r#"{"a": [3, 2]}"#, r#"{"a": {"$in": [1, 2]}}"#, true),
        (r#"{"a": [1, 2]}"#, r#"{"a": {"$in": [[1, 2]]}}"#, true),
        (r#"{"a": {"b": 1}}"#, r#"{"a": {"$in": [{"b": 1}]}}"#, true),
        (r#"{"a": 1}"#, r#"{"a": {"$in": []}}"#, false),
        (r#"{"a": "x"}"#, r#"{"a": {"$in": [3, "x", null, true, [1]]}}"#, true),
    ]);
}

#[test]
fn existence_is_of_the_field_and_not_of_a_value() {
    check(&[
        (r#"{"a": null}"#, r#"{"a": {"$exists": true}}"#, true),
        (r#"{}"#, r#"{"a": {"$exists": true}}"#, false),
        (r#"{}"#, r#"{"a": {"$exists": false}}"#, true),
        (r#"{"a": []}"#, r#"{"a": {"$exists": true}}"#, true),
        (r#"{"a": []}"#, r#"{"a.b": {"$exists": false}}"#, true),
        (r#"{"a": [{}, {"b": 1}]}"#, r#"{"a.b": {"$exists": true}}"#, true),
        (r#"{"a": [{}, {"b": 1}]}"#, r#"{"a.b": {"$exists": false}}"#, false),
        (r#"{"a": [1]}"#, r#"{"a.0": {"$exists": true}}"#, true),
        (r#"{"a": [1]}"#, r#"{"a.1": {"$exists": true}}"#, false),
        (r#"{"a": 1}"#, r#"{"a": {"$exists": 1}}"#, true),
        (r#"{"a": 1}"#, r#"{"a": {"$exists": 0.0}}"#, false),
        (r#"{"a": 1}"#, r#"{"a": {"$exists": null}}"#, false),
        (r#"{"a": 1}"#, r#"{"a": {"$exists": ""}}"#, true),
    ]);
}

#[test]
fn types_have_names_and_numbers() {
    check(&[
        (r#"{"a": 1}"#, r#"{"a": {"$type": "int"}}"#, true),
        (r#"{"a": 1}"#, r#"{"a": {"$type": 16}}"#, true),
        (r#"{"a": 1}"#, r#"{"a": {"$type": "double"}}"#, false),
        (r#"{"a": 1.0}"#, r#"{"a": {"$type": "double"}}"#, true),
        (r#"{"a": 1.0}"#, r#"{"a": {"$type": 1}}"#, true),
        (r#"{"a": 2147483648}"#, r#"{"a": {"$type": "long"}}"#, true),
        (r#"{"a": 9223372036854775808}"#, r#"{"a": {"$type": "decimal"}}"#, true),
        (r#"{"a": 9223372036854775808}"#, r#"{"a": {"$type": "number"}}"#, true),
        (r#"{"a": true}"#, r#"{"a": {"$type": "number"}}"#, false),
        (r#"{"a": true}"#, r#"{"a": {"$type": ["string", "bool"]}}"#, true),
        (r#"{"a": "x"}"#, r#"{"a": {"$type": 2}}"#, true),
        (r#"{"a": null}"#, r#"{"a": {"$type": "null"}}"#, true),
        (r#"{}"#, r#"{"a": {"$type": "null"}}"#, false),
        (r#"{"a": [1, "x"]}"#, r#"{"a": {"$type": "string"}}"#, true),
        (r#"{"a": [1, "x"]}"#, r#"{"a": {"$type": "array"}}"#, true),
        (r#"{"a": []}"#, r#"{"a": {"$type": "array"}}"#, true),
        (r#"{"a": [{}]}"#, r#"{"a": {"$type": "object"}}"#, true),
        (r#"{"a": "2026-01-01"}"#, r#"{"a": {"$type": "date"}}"#, false),
    ]);
}

#[test]
fn patterns_search_in_strings() {
    check(&[
        (r#"{"a": "temperature"}"#, r#"{"a": {"$regex": "pera"}}"#, true),
        (r#"{"a": "temperature"}"#, r#"{"a": {"$regex": "^temp.*e$"}}"#, true),
        (r#"{"a": "Temp"}"#, r#"{"a": {"$regex": "^temp"}}"#, false),
        (r#"{"a": "Temp"}"#, r#"{"a": {"$regex": "^temp", "$options": "i"}}"#, true),
        (r#"{"a": "Temp"}"#, r#"{"a": {"$options": "i", "$regex": "^temp"}}"#, true),
        (r#"{"a": "x\ny"}"#, r#"{"a": {"$regex": "^y"}}"#, false),
        (r#"{"a": "x\ny"}"#, r#"{"a": {"$regex": "^y", "$options": "m"}}"#, true),
        (r#"{"a": "x\ny"}"#, r#"{"a": {"$regex": "x.y"}}"#, false),
        (r#"{"a": "x\ny"}"#, r#"{"a": {"$regex": "x.y", "$options": "s"}}"#, true),
        (r#"{"a": "ab"}"#, r#"{"a": {"$regex": " a b # both", "$options": "x"}}"#, true),
        (r#"{"a": "ab1"}"#, r#"{"a": {"$regex": "^(?!abc)(?=.*\\d)ab"}}"#, true),
        (r#"{"a": 12}"#, r#"{"a": {"$regex": "1"}}"#, false),
        (r#"{"a": null}"#, r#"{"a": {"$regex": ""}}"#, false),
        (r#"{"a": [1, "xy"]}"#, r#"{"a": {"$regex": "x"}}"#, true),
        (r#"{"a": [{"b": "xy"}]}"#, r#"{"a.b": {"$regex": "y$"}}"#, true),
        (r#"{"a": "xy"}"#, r#"{"a": {"$regex": "x", "$ne": "xy"}}"#, false),
    ]);
}

#[test]
fn remainders_are_of_whole_parts_and_have_the_sign_of_the_number() {
    check(&[
        (r#"{"a": 7}"#, r#"{"a": {"$mod": [4, 3]}}"#, true),
        (r#"{"a": 7.9}"#, r#"{"a": {"$mod": [4, 3]}}"#, true),
        (r#"{"a": -7}"#, r#"{"a": {"$mod": [4, -3]}}"#, true),
        (r#"{"a": -7}"#, r#"{"a": {"$mod": [4, 1]}}"#, false),
        (r#"{"a": 7}"#, r#"{"a": {"$mod": [-4, 3]}}"#, true),
        (r#"{"a": 7}"#, r#"{"a": {"$mod": [4.9, 3.9]}}"#, true),
        (r#"{"a": 0.5}"#, r#"{"a": {"$mod": [4, 0]}}"#, true),
        (r#"{"a": "7"}"#, r#"{"a": {"$mod": [4, 3]}}"#, false),
        (r#"{"a": true}"#, r#"{"a": {"$mod": [4, 1]}}"#, false),
        (r#"{}"#, r#"{"a": {"$mod": [4, 0]}}"#, false),
        (r#"{"a": [1, 7]}"#, r#"{"a": {"$mod": [4, 3]}}"#, true),
        (r#"{"a": 1e300}"#, r#"{"a": {"$mod": [2, 0]}}"#, false),
        (r#"{"a": 123456789012345678901234567890}"#, r#"{"a": {"$mod": [1000, 890]}}"#, true),
    ]);
}

#[test]
fn size_is_of_the_array_itself() {
    check(&[
        (r#"{"a": [1, 2]}"#, r#"{"a": {"$size": 2}}"#, true),
        (r#"{"a": [1, 2]}"#, r#"{"a": {"$size": 2.0}}"#, true),
        (r#"{"a": [1, 2]}"#, r#"{"a": {"$size": 1}}"#, false),
        (r#"{"a": [[1, 2]]}"#, r#"{"a": {"$size": 2}}"#, false),
        (r#"{"a": []}"#, r#"{"a": {"$size": 0}}"#, true),
        (r#"{}"#, r#"{"a": {"$size": 0}}"#, false),
        (r#"{"a": {"b": 1}}"#, r#"{"a": {"$size": 1}}"#, false),
        (r#"{"a": "xy"}"#, r#"{"a": {"$size": 2}}"#, false),
        (r#"{"a": [{"b": [1, 2]}]}"#, r#"{"a.b": {"$size": 2}}"#, true),
        (r#"{"a": [[1, 2]]}"#, r#"{"a.0": {"$size": 2}}"#, true),
    ]);
}

#[test]
fn all_asks_for_each_of_a_list() {
    check(&[
        (r#"{"a": [1, 2, 3]}"#, r#"{"a": {"$all": [3, 1]}}"#, true),
        (r#"{"a": [1, 2]}"#, r#"{"a": {"$all": [1, 3]}}"#, false),
        (r#"{"a": 1}"#, r#"{"a": {"$all": [1]}}"#, true),
        (r#"{"a": [1]}"#, r#"{"a": {"$all": []}}"#, false),
        (r#"{"a": []}"#, r#"{"a": {"$all": []}}"#, false),
        (r#"{"a": [[1, 2]]}"#, r#"{"a": {"$all": [[1, 2]]}}"#, true),
        (r#"{"a": [1, 2]}"#, r#"{"a": {"$all": [[1, 2]]}}"#, true),
        (r#"{}"#, r#"{"a": {"$all": [null]}}"#, true),
        (r#"{"a": [{"b": 1}, {"b": 2}]}"#, r#"{"a.b": {"$all": [1, 2]}}"#, true),
        (
            r#"{"a": [{"b": 1, "c": 2}, {"b": 3}]}"#,
            r#"{"a": {"$all": [{"$elemMatch": {"b": 1, "c": 2}}, {"$elemMatch": {"b": 3}}]}}"#,
            true,
        ),
        (r#"{"a": [{"b": 1}, {"c": 2}]}"#, r#"{"a": {"$all": [{"$elemMatch": {"b": 1, "c": 2}}]}}"#, false),
        (r#"{"a": [1, 9]}"#, r#"{"a": {"$all": [{"$elemMatch": {"$gt": 5}}, {"$elemMatch": {"$lt": 2}}]}}"#, true),
    ]);
}

#[test]
fn one_element_must_fulfil_the_whole_of_elem_match() {
    check(&[
        (r#"{"a": [1, 7]}"#, r#"{"a": {"$elemMatch": {"$gt": 5, "$lt": 9}}}"#, true),
        (r#"{"a": [1, 9]}"#, r#"{"a": {"$elemMatch": {"$gt": 5, "$lt": 9}}}"#, false),
        (r#"{"a": 7}"#, r#"{"a": {"$elemMatch": {"$gt": 5}}}"#, false),
        (r#"{"a": [[7]]}"#, r#"{"a": {"$elemMatch": {"$gt": 5}}}"#, false),
        (r#"{"a": [[7]]}"#, r#"{"a": {"$elemMatch": {"$elemMatch": {"$gt": 5}}}}"#, true),
        (r#"{"a": ["x", 7]}"#, r#"{"a": {"$elemMatch": {"$not": {"$gt": 5}}}}"#, true),
        (r#"{"a": [7, 8]}"#, r#"{"a": {"$elemMatch": {"$ne": 7}}}"#, true),
        (r#"{"a": [7]}"#, r#"{"a": {"$elemMatch": {"$nin": [7]}}}"#, false),
        (r#"{"a": [null]}"#, r#"{"a": {"$elemMatch": {"$exists": true}}}"#, true),
        (r#"{"a": [[1, 2]]}"#, r#"{"a": {"$elemMatch": {"$size": 2}}}"#, true),
        (r#"{"a": ["xy"]}"#, r#"{"a": {"$elemMatch": {"$regex": "X", "$options": "i"}}}"#, true),
        (r#"{"a": [{"b": 1, "c": 2}]}"#, r#"{"a": {"$elemMatch": {"b": 1, "c": 2}}}"#, true),
        (r#"{"a": [{"b": 1}, {"c": 2}]}"#, r#"{"a": {"$elemMatch": {"b": 1, "c": 2}}}"#, false),
        (r#"{"a": {"b": 1}}"#, r#"{"a": {"$elemMatch": {"b": 1}}}"#, false),
        (r#"{"a": [{"b": [1, 2]}]}"#, r#"{"a": {"$elemMatch": {"b": 2}}}"#, true),
        (r#"{"a": [{"b": 1}]}"#, r#"{"a": {"$elemMatch": {"$or": [{"b": 2}, {"b": 1}]}}}"#, true),
        (r#"{"a": [{}]}"#, r#"{"a": {"$elemMatch": {"b": null}}}"#, true),
        (r#"{"a": [5]}"#, r#"{"a": {"$elemMatch": {"b": null}}}"#, false),
        (r#"{"a": [{}]}"#, r#"{"a": {"$elemMatch": {}}}"#, true),
        (r#"{"a": [5]}"#, r#"{"a": {"$elemMatch": {}}}"#, false),
        (r#"{"a": [[5, 6]]}"#, r#"{"a": {"$elemMatch": {"1": 6}}}"#, true),
        (r#"{"a": [[{"b": 1}]]}"#, r#"{"a": {"$elemMatch": {"b": 1}}}"#, false),
        (r#"{"a": [[{"b": 1}]]}"#, r#"{"a": {"$elemMatch": {"0.b": 1}}}"#, true),
        (r#"{"a": [{"b": [{"c": 1}]}]}"#, r#"{"a.b": {"$elemMatch": {"c": 1}}}"#, true),
    ]);
}

#[test]
fn filters_are_joined_by_and_or_nor() {
    check(&[
        (r#"{"a": 1, "b": 2}"#, r#"{"$and": [{"a": 1}, {"b": 2}]}"#, true),
        (r#"{"a": 1, "b": 3}"#, r#"{"$and": [{"a": 1}, {"b": 2}]}"#, false),
        (r#"{"a": 1, "b": 3}"#, r#"{"$or": [{"a": 1}, {"b": 2}]}"#, true),
        (r#"{"a": 2, "b": 3}"#, r#"{"$or": [{"a": 1}, {"b": 2}]}"#, false),
        (r#"{"a": 2, "b": 3}"#, r#"{"$nor": [{"a": 1}, {"b": 2}]}"#, true),
        (r#"{"a": 1}"#, r#"{"$nor": [{"a": 1}, {"b": 2}]}"#, false),
        (r#"{}"#, r#"{"$nor": [{"a": {"$exists": true}}]}"#, true),
        (r#"{"a": 1, "b": 2}"#, r#"{"a": 1, "$or": [{"b": 1}, {"b": 2}]}"#, true),
        (r#"{"a": 1}"#, r#"{"$and": [{"$or": [{"a": 1}]}, {"$nor": [{"a": 2}]}]}"#, true),
        (r#"{"a": 1}"#, r#"{"$and": [{}]}"#, true),
        (r#"{"a": 1}"#, r#"{"$nor": [{}]}"#, false),
    ]);
}

#[test]
fn an_alias_is_used_where_the_document_lacks_the_field() {
    let aliases = Aliases::new([("experiment_id", "ownership_info.experiment_id"), ("created_at", "data_timestamp")]);
    let matches = |document: &str, filter: &str| {
        let filter = Filter::parse_with(&read(filter), &aliases).unwrap();
        filter.matches(&read(document), &mut Budget::new(1_000)).unwrap()
    };
    let document = r#"{"ownership_info": {"experiment_id": "X"}, "data_timestamp": "2026-11-20"}"#;
    assert!(matches(document, r#"{"experiment_id": "X"}"#));
    assert!(!matches(document, r#"{"experiment_id": {"$ne": "X"}}"#));
    assert!(matches(document, r#"{"$or": [{"created_at": {"$gte": "2026-11", "$lt": "2026-12"}}]}"#));
    let own = r#"{"experiment_id": null, "ownership_info": {"experiment_id": "X"}}"#;
    assert!(!matches(own, r#"{"experiment_id": "X"}"#));
    assert!(!matches(r#"{"a": [{"data_timestamp": 1}]}"#, r#"{"a": {"$elemMatch": {"created_at": 1}}}"#));
    assert!(
        !Filter::parse(&read(r#"{"experiment_id": "X"}"#))
            .unwrap()
            .matches(&read(document), &mut Budget::new(1_000))
            .unwrap()
    );
}
