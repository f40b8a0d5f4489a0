//! Filters that would take too long.

use holotype_core::filter::{Budget, Filter, Problem};
use serde_json::{Value, json};

fn steps_for(document: &Value, filter: &Value) -> u64 {
    let mut budget = Budget::new(u64::MAX);
    Filter::parse(filter).unwrap().matches(document, &mut budget).unwrap();
    u64::MAX - budget.remaining()
}

#[test]
fn a_budget_is_shared_by_all_documents_and_ends_with_an_error() {
    let filter = Filter::parse(&json!({"a": 1})).unwrap();
    let mut budget = Budget::new(10);
    let document = json!({"a": 1});
    let outcomes: Vec<_> = (0..10).map(|_| filter.matches(&document, &mut budget)).collect();
    assert!(outcomes[0].is_ok());
    let error = outcomes[9].as_ref().unwrap_err();
    assert_eq!((error.path.as_str(), &error.problem), ("", &Problem::TooManySteps));
    assert!(error.to_string().contains("too many steps"), "{error}");
}

#[test]
fn a_catastrophic_regular_expression_is_stopped() {
    let document = json!({"a": format!("{}!", "a".repeat(60))});
    for pattern in [r"^(a|aa)+(?!a)$", r"(a*)*\1b", r"^((a+)(?!b))+$", r"^(?:a+\B)+$"] {
        let filter = Filter::parse(&json!({"a": {"$regex": pattern}})).unwrap();
        for steps in [10_000, 100_000_000] {
            let error = filter.matches(&document, &mut Budget::new(steps)).unwrap_err();
            assert_eq!(error.problem, Problem::TooManySteps, "{pattern}");
        }
    }
}

#[test]
fn a_long_text_is_not_searched_again_from_every_place() {
    let document = json!({"a": "a".repeat(1 << 20)});
    for pattern in ["(?=(.*x))y", "(?:a*$|b)*c", r"(a+)\1b"] {
        let filter = Filter::parse(&json!({"a": {"$regex": pattern}})).unwrap();
        let error = filter.matches(&document, &mut Budget::new(100_000_000)).unwrap_err();
        assert_eq!(error.problem, Problem::TooManySteps, "{pattern}");
    }
}

#[test]
fn nested_repeats_without_look_around_take_linear_time() {
    let document = json!({"a": format!("{}!", "a".repeat(10_000))});
    assert!(steps_for(&document, &json!({"a": {"$regex": "^(a+)+$"}})) < 100_000);
}

#[test]
fn a_pattern_that_backtracks_more_than_at_first_allowed_still_finds_what_is_there() {
    let document = json!({"a": format!("{}ab", "a".repeat(3_000))});
    let pattern = json!({"a": {"$regex": "(?=a)a(?=b)b"}});
    assert!(Filter::parse(&pattern).unwrap().matches(&document, &mut Budget::new(100_000_000)).unwrap());
    assert!(steps_for(&document, &pattern) > 8_192, "the second stage was not needed");
}

#[test]
fn a_path_that_forks_at_every_level_is_stopped() {
    let document = (0..45).fold(json!(1), |inner, _| json!({"0": [inner, {"0": 1}]}));
    let path = vec!["0"; 60].join(".");
    let filter = Filter::parse(&json!({path: 2})).unwrap();
    assert_eq!(filter.matches(&document, &mut Budget::new(100_000)).unwrap_err().problem, Problem::TooManySteps);
}

#[test]
fn longer_work_takes_more_of_the_budget() {
    let short = json!({"a": "x"});
    let long = json!({"a": "x".repeat(10_000)});
    let pattern = json!({"a": {"$regex": "y+z"}});
    assert!(steps_for(&long, &pattern) > 1_000 * steps_for(&short, &pattern) / 2);
    assert!(steps_for(&long, &json!({"a": "x".repeat(10_000)})) > steps_for(&short, &json!({"a": "x"})) + 100);
    let array = json!({"a": (0..500).collect::<Vec<u32>>()});
    assert!(steps_for(&array, &json!({"a": 1_000})) >= 500);
    assert!(steps_for(&array, &json!({"a": {"$elemMatch": {"$gt": 1_000}}})) >= 500);
    assert!(steps_for(&array, &json!({"a": {"$in": (1_000..2_000).collect::<Vec<u32>>()}})) >= 5_000);
}
