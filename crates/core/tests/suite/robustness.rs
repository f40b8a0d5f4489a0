//! Arbitrary input never does worse than an error.

use holotype_core::filter::{Budget, Filter, FilterError, Problem};
use holotype_core::json::{self, Limits};
use proptest::prelude::*;
use serde_json::Value;

/// Any JSON, with the names of operators and of the fields of a document mixed in.
fn any_json() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "-?[1-9][0-9]{0,40}(\\.[0-9]{1,5})?(e-?[0-9]{1,2})?".prop_map(|text| serde_json::from_str(&text).unwrap()),
        any_pattern().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let key = prop_oneof![
        prop::sample::select(vec![
            "$eq",
            "$ne",
            "$gt",
            "$gte",
            "$lt",
            "$lte",
            "$in",
            "$nin",
            "$exists",
            "$type",
            "$regex",
            "$options",
            "$mod",
            "$size",
            "$all",
            "$elemMatch",
            "$not",
            "$and",
            "$or",
            "$nor",
            "$where",
            "a",
            "b",
            "0",
            "a.b",
            "a.0",
            "a.0.b",
            "",
            ".",
            "a.",
            "a..b",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    scalar.prop_recursive(4, 40, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Text made of what patterns are made of.
fn any_pattern() -> impl Strategy<Value = String> {
    let pieces = vec![
        "a",
        "é",
        ".",
        "^",
        "$",
        "|",
        "(",
        ")",
        "(?:",
        "(?=",
        "(?!",
        "(?<=",
        "(?<!",
        "(?>",
        "(?i)",
        "(?x:",
        "(?#",
        "(?<n>",
        "[",
        "]",
        "[^",
        "-",
        "\\",
        "\\b",
        "\\d",
        "\\W",
        "\\Q",
        "\\E",
        "\\1",
        "\\g{-1}",
        "\\k<n>",
        "\\x{",
        "\\p{L}",
        "{2}",
        "{2,",
        "}",
        "*",
        "+",
        "?",
        "[:alpha:]",
        "#",
        " ",
        "\n",
        "&&",
        "\\Z",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..12).prop_map(|pieces| pieces.concat())
}

/// Whether matching came to an answer, or found that it would take too long.
fn is_answer(outcome: Result<bool, FilterError>) -> bool {
    outcome.map_or_else(|error| error.problem == Problem::TooManySteps, |_| true)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn bytes_are_read_or_refused(bytes in any::<Vec<u8>>()) {
        let ours = json::parse(&bytes, &Limits::default());
        prop_assert_eq!(ours.is_ok(), serde_json::from_slice::<Value>(&bytes).is_ok());
    }

    #[test]
    fn text_like_json_is_read_as_serde_json_reads_it(text in "[\\[\\]{}:,\"\\\\ a\\-0-9.eEtruflsn\n]{0,40}") {
        let ours = json::parse(text.as_bytes(), &Limits::default());
        let theirs = serde_json::from_str::<Value>(&text);
        prop_assert_eq!(ours.is_ok(), theirs.is_ok());
        if let Err(error) = ours {
            prop_assert!(error.offset <= text.chars().count());
        }
    }

    #[test]
    fn what_is_written_is_read_back(value in any_json()) {
        prop_assert_eq!(json::parse(value.to_string().as_bytes(), &Limits::default()).unwrap(), value);
    }

    #[test]
    fn a_filter_is_used_or_refused(filter in any_json(), document in any_json()) {
        if let Ok(filter) = Filter::parse(&filter) {
            filter.conjuncts();
            prop_assert!(is_answer(filter.matches(&document, &mut Budget::new(100_000))));
        }
    }

    #[test]
    fn a_pattern_is_used_or_refused(pattern in any_pattern(), options in "[imsx]{0,2}", text in any::<String>()) {
        let filter = serde_json::json!({"a": {"$regex": pattern, "$options": options}});
        if let Ok(filter) = Filter::parse(&filter) {
            let document = serde_json::json!({"a": text});
            prop_assert!(is_answer(filter.matches(&document, &mut Budget::new(1_000_000))));
        }
    }

    #[test]
    fn comparing_numbers_agrees_with_doubles(left in any::<f64>(), right in any::<f64>()) {
        let number = |double: f64| serde_json::Number::from_f64(double);
        if let (Some(left_number), Some(right_number)) = (number(left), number(right)) {
            prop_assert_eq!(Some(holotype_core::number::compare(&left_number, &right_number)), left.partial_cmp(&right));
        }
    }

    #[test]
    fn comparing_numbers_agrees_with_integers(left in any::<i128>(), right in any::<i128>()) {
        let number = |integer: i128| serde_json::from_str(&integer.to_string()).unwrap();
        prop_assert_eq!(holotype_core::number::compare(&number(left), &number(right)), left.cmp(&right));
    }
}
