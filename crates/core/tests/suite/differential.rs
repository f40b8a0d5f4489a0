//! The matcher against the plain one.

use holotype_core::filter::{Budget, Conjunct, Filter, Test, order};
use holotype_testkit::documents::Generator;
use serde_json::Value;

use crate::oracle;

const ROUNDS: u64 = 120;

#[test]
fn both_matchers_agree_on_made_up_documents_and_filters() {
    for seed in 0..ROUNDS {
        let mut generator = Generator::new(seed);
        let documents: Vec<Value> = (0..25).map(|_| generator.document()).collect();
        for _ in 0..25 {
            let source = generator.filter();
            let filter = Filter::parse(&source).unwrap();
            for document in &documents {
                let found = filter.matches(document, &mut Budget::new(1_000_000)).unwrap();
                assert_eq!(
                    found,
                    oracle::matches(document, &source),
                    "seed {seed}\nfilter {source}\ndocument {document}"
                );
            }
        }
    }
}

#[test]
fn a_document_that_matches_fulfils_every_conjunct() {
    let mut checked = 0;
    for seed in 0..ROUNDS {
        let mut generator = Generator::new(seed);
        let documents: Vec<Value> = (0..25).map(|_| generator.document()).collect();
        for _ in 0..25 {
            let filter = Filter::parse(&generator.filter()).unwrap();
            for document in &documents {
                if filter.matches(document, &mut Budget::new(1_000_000)).unwrap() {
                    for conjunct in filter.conjuncts() {
                        checked += u32::from(fulfils_plain_field(document, &conjunct));
                    }
                }
            }
        }
    }
    assert!(checked > 1_000, "only {checked} conjuncts were on fields that a database narrows by");
}

/// Checks a conjunct as a database would, if it is on a field that is always one plain value.
fn fulfils_plain_field(document: &Value, conjunct: &Conjunct<'_>) -> bool {
    if !["label", "data_timestamp"].contains(&conjunct.path) {
        return false;
    }
    let value = &document[conjunct.path];
    let compared =
        |operand| (order::Bracket::of(value) == order::Bracket::of(operand)).then(|| order::compare(value, operand));
    let fulfilled = match conjunct.test {
        Test::Equals(operand) => compared(operand).is_some_and(|order| order.is_eq()),
        Test::In(operands) => operands.iter().any(|operand| compared(operand).is_some_and(|order| order.is_eq())),
        Test::AtLeast(operand) => compared(operand).is_some_and(|order| order.is_ge()),
        Test::Above(operand) => compared(operand).is_some_and(|order| order.is_gt()),
        Test::AtMost(operand) => compared(operand).is_some_and(|order| order.is_le()),
        Test::Below(operand) => compared(operand).is_some_and(|order| order.is_lt()),
        Test::Other => return false,
    };
    assert!(fulfilled, "{conjunct:?} does not hold for {document}");
    true
}
