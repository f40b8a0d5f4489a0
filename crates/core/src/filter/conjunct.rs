//! What a database may narrow by: conditions that every matching document fulfils.

use serde_json::Value;

use super::predicate::{Node, Predicate, Relation};

/// One condition on one field that every matching document fulfils.
///
/// It is necessary and not sufficient, so it can choose candidates and not decide. It holds as [`Filter::matches`](super::Filter::matches)
/// understands it: the path may lead through arrays, an element of an array may fulfil it, `null` includes a missing field, and
/// numbers compare by exact value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Conjunct<'f> {
    /// The dotted path as written.
    pub path: &'f str,
    /// What is asked of the values it leads to.
    pub test: Test<'f>,
}

/// What a [`Conjunct`] asks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Test<'f> {
    /// Equal to this.
    Equals(&'f Value),
    /// Equal to one of these, which are in order and different from each other.
    In(&'f [Value]),
    /// Of the same type bracket and not less.
    AtLeast(&'f Value),
    /// Of the same type bracket and greater.
    Above(&'f Value),
    /// Of the same type bracket and not greater.
    AtMost(&'f Value),
    /// Of the same type bracket and less.
    Below(&'f Value),
    /// Anything else.
    Other,
}

pub(super) fn of(nodes: &[Node]) -> Vec<Conjunct<'_>> {
    let mut found = Vec::new();
    collect(nodes, &mut found);
    found
}

fn collect<'f>(nodes: &'f [Node], found: &mut Vec<Conjunct<'f>>) {
    for node in nodes {
        match node {
            Node::And(nodes) => collect(nodes, found),
            Node::Field(path, predicates) => {
                let test = |predicate| if path.is_aliased() { Test::Other } else { test(predicate) };
                found.extend(
                    predicates.iter().flat_map(parts).map(|part| Conjunct { path: path.text(), test: test(part) }),
                );
            }
            Node::Or(_) | Node::Nor(_) => {}
        }
    }
}

/// A predicate, or what it is made of if all of that must hold.
fn parts(predicate: &Predicate) -> &[Predicate] {
    match predicate {
        Predicate::All(parts) if !parts.is_empty() => parts,
        _ => std::slice::from_ref(predicate),
    }
}

fn test(predicate: &Predicate) -> Test<'_> {
    match predicate {
        Predicate::Compare(Relation::Equal, operand) => Test::Equals(&operand.value),
        Predicate::Compare(Relation::Above, operand) => Test::Above(&operand.value),
        Predicate::Compare(Relation::AtLeast, operand) => Test::AtLeast(&operand.value),
        Predicate::Compare(Relation::Below, operand) => Test::Below(&operand.value),
        Predicate::Compare(Relation::AtMost, operand) => Test::AtMost(&operand.value),
        Predicate::In(choices) => Test::In(choices.values()),
        _ => Test::Other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::filter::{Aliases, Filter};

    fn described(filter: &Filter) -> Vec<String> {
        filter.conjuncts().iter().map(|conjunct| format!("{} {:?}", conjunct.path, conjunct.test)).collect()
    }

    #[test]
    fn every_condition_that_must_hold_is_told_and_no_other() {
        let filter = Filter::parse(&json!({
            "label": "x",
            "value.a": {"$gte": 1, "$lt": 2, "$ne": 3},
            "$and": [{"b": {"$in": [2, 1, 2]}}, {"$and": [{"c": {"$gt": "c"}}, {"d": {"$lte": "d"}}]}],
            "tags": {"$all": [1, 2]},
            "none": {"$all": []},
            "$or": [{"e": 1}, {"f": 1}],
            "$nor": [{"g": 1}],
        }));
        assert_eq!(
            described(&filter.unwrap()),
            [
                r#"label Equals(String("x"))"#,
                "value.a AtLeast(Number(1))",
                "value.a Below(Number(2))",
                "value.a Other",
                "b In([Number(1), Number(2)])",
                r#"c Above(String("c"))"#,
                r#"d AtMost(String("d"))"#,
                "tags Equals(Number(1))",
                "tags Equals(Number(2))",
                "none Other",
            ]
        );
    }

    #[test]
    fn a_condition_on_an_alias_cannot_narrow() {
        let aliases = Aliases::new([("created_at", "data_timestamp")]);
        let filter = Filter::parse_with(&json!({"created_at": "x", "data_timestamp": "y"}), &aliases).unwrap();
        assert_eq!(described(&filter), ["created_at Other", r#"data_timestamp Equals(String("y"))"#]);
    }
}
