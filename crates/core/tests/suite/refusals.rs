//! Filters that are refused, and where the message says the reason lies.

use holotype_core::Category;
use holotype_core::filter::{Filter, Problem};
use serde_json::{Value, json};

/// A filter, and the place that its refusal names.
fn refused() -> Vec<(Value, &'static str)> {
    vec![
        (json!([]), ""),
        (json!("abc"), ""),
        (json!(5), ""),
        (json!(true), ""),
        (json!({"$where": "1 == 1"}), "$where"),
        (json!({"a": {"$where": "1 == 1"}}), "a.$where"),
        (json!({"$and": [{"b": 1}, {"$where": "1"}]}), "$and[1].$where"),
        (json!({"$expr": {}}), "$expr"),
        (json!({"$text": {"$search": "x"}}), "$text"),
        (json!({"$gt": 5}), "$gt"),
        (json!({"a": {"$near": [0, 0]}}), "a.$near"),
        (json!({"a": {"$GT": 5}}), "a.$GT"),
        (json!({"a": {"$": 5}}), "a.$"),
        (json!({"_id": {"$oid": "0"}}), "_id.$oid"),
        (json!({"a": {"$gt": 5, "b": 1}}), "a.b"),
        (json!({"a": {"$not": {"b": 1}}}), "a.$not.b"),
        (json!({"a": {"$not": {}}}), "a.$not"),
        (json!({"a": {"$not": "x"}}), "a.$not"),
        (json!({"a": {"$not": {"$gt": 1, "$nope": 1}}}), "a.$not.$nope"),
        (json!({"$and": []}), "$and"),
        (json!({"$or": {}}), "$or"),
        (json!({"$nor": "x"}), "$nor"),
        (json!({"$or": [{"a": 1}, 5]}), "$or[1]"),
        (json!({"$or": [null]}), "$or[0]"),
        (json!({"a": {"$and": [{"$gt": 1}]}}), "a.$and"),
        (json!({"a": {"$in": 5}}), "a.$in"),
        (json!({"a": {"$in": [{"$regex": "x"}]}}), "a.$in"),
        (json!({"a": {"$nin": {"0": 1}}}), "a.$nin"),
        (json!({"a": {"$all": 5}}), "a.$all"),
        (json!({"a": {"$all": [{"$gt": 5}]}}), "a.$all"),
        (json!({"a": {"$all": [{"$elemMatch": {"b": 1}}, 5]}}), "a.$all"),
        (json!({"a": {"$all": [{"$elemMatch": {"$nope": 1}}]}}), "a.$all[0].$elemMatch.$nope"),
        (json!({"a": {"$elemMatch": 5}}), "a.$elemMatch"),
        (json!({"a": {"$elemMatch": [1]}}), "a.$elemMatch"),
        (json!({"a": {"$elemMatch": {"b": {"$nope": 1}}}}), "a.$elemMatch.b.$nope"),
        (json!({"a": {"$elemMatch": {"$where": "1"}}}), "a.$elemMatch.$where"),
        (json!({"a": {"$elemMatch": {"$gt": 1, "b": 1}}}), "a.$elemMatch.b"),
        (json!({"a": {"$size": -1}}), "a.$size"),
        (json!({"a": {"$size": 1.5}}), "a.$size"),
        (json!({"a": {"$size": "1"}}), "a.$size"),
        (json!({"a": {"$mod": 2}}), "a.$mod"),
        (json!({"a": {"$mod": []}}), "a.$mod"),
        (json!({"a": {"$mod": [2]}}), "a.$mod"),
        (json!({"a": {"$mod": [2, 0, 0]}}), "a.$mod"),
        (json!({"a": {"$mod": [0, 0]}}), "a.$mod"),
        (json!({"a": {"$mod": [0.9, 0]}}), "a.$mod"),
        (json!({"a": {"$mod": ["2", 0]}}), "a.$mod"),
        (json!({"a": {"$mod": [1e300, 0]}}), "a.$mod"),
        (json!({"a": {"$type": "int32"}}), "a.$type"),
        (json!({"a": {"$type": 0}}), "a.$type"),
        (json!({"a": {"$type": 20}}), "a.$type"),
        (json!({"a": {"$type": 1.5}}), "a.$type"),
        (json!({"a": {"$type": []}}), "a.$type"),
        (json!({"a": {"$type": ["string", true]}}), "a.$type"),
        (json!({"a": {"$regex": 5}}), "a.$regex"),
        (json!({"a": {"$regex": "("}}), "a.$regex"),
        (json!({"a": {"$regex": "x", "$options": "g"}}), "a.$regex"),
        (json!({"a": {"$regex": "x", "$options": 1}}), "a.$regex"),
        (json!({"a": {"$options": "i"}}), "a.$options"),
        (json!({"a": {"$regex": "(?R)"}}), "a.$regex"),
    ]
}

#[test]
fn what_is_wrong_is_refused_with_its_place() {
    for (filter, place) in refused() {
        let error = Filter::parse(&filter).expect_err(&filter.to_string());
        assert_eq!(error.path, place, "{filter}: {error}");
        assert_eq!(error.category(), Category::Invalid);
        assert!(error.to_string().contains(place));
    }
}

#[test]
fn code_is_refused_as_code_and_a_misspelt_operator_with_the_ones_there_are() {
    assert_eq!(Filter::parse(&json!({"$where": "1"})).unwrap_err().problem, Problem::Code);
    let message = Filter::parse(&json!({"a": {"$regexp": "x"}})).unwrap_err().to_string();
    assert!(
        message.starts_with("filter, at a.$regexp: '$regexp' is not an operator here; supported are $eq, "),
        "{message}"
    );
}

#[test]
fn a_filter_may_nest_and_grow_up_to_its_limits() {
    let nested = |levels: usize| (0..levels).fold(json!({"a": 1}), |inner, _| json!({"$and": [inner]}));
    assert!(Filter::parse(&nested(99)).is_ok());
    assert_eq!(Filter::parse(&nested(100)).unwrap_err().problem, Problem::TooDeep);
    let negated = (0..200).fold(json!({"$gt": 1}), |inner, _| json!({"$not": inner}));
    assert_eq!(Filter::parse(&json!({"a": negated})).unwrap_err().problem, Problem::TooDeep);
    let operand = (0..101).fold(json!(1), |inner, _| json!([inner]));
    assert_eq!(Filter::parse(&json!({"a": operand})).unwrap_err().problem, Problem::TooDeep);
    let many: Vec<u32> = (0..100_000).collect();
    assert_eq!(Filter::parse(&json!({"a": {"$in": many}})).unwrap_err().problem, Problem::TooManyOperands);
    assert!(Filter::parse(&json!({"a": {"$in": many[..90_000]}})).is_ok());
}

#[test]
fn patterns_have_a_size_alone_and_together() {
    // The last one is small as written and large when compiled.
    for pattern in
        ["a".repeat(20_000).as_str(), "(a{1000}){1000}", "a{65535}", "((a{99}){99}){99}", r"(\p{L}{100}){40}"]
    {
        let error = Filter::parse(&json!({"a": {"$regex": pattern}})).unwrap_err();
        assert_eq!(error.problem, Problem::PatternsTooLarge);
    }
    let many: Vec<Value> = (0..2_000).map(|number| json!({"a": {"$regex": format!("x{number}")}})).collect();
    assert_eq!(Filter::parse(&json!({"$or": many})).unwrap_err().problem, Problem::PatternsTooLarge);
    assert!(Filter::parse(&json!({"$or": many[..200]})).is_ok());
}
