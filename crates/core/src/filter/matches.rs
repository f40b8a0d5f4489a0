//! Whether a document, or a value in it, is what a filter asks for.

use serde_json::Value;

use super::budget::Budget;
use super::error::Problem;
use super::order::{self, Bracket};
use super::path::{Path, Place};
use super::predicate::{Node, Operand, Predicate, Relation};
use crate::number;

/// Whether every node holds.
pub(super) fn every(nodes: &[Node], place: Place<'_>, budget: &mut Budget) -> Result<bool, Problem> {
    for node in nodes {
        if !holds(node, place, budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn any(nodes: &[Node], place: Place<'_>, budget: &mut Budget) -> Result<bool, Problem> {
    for node in nodes {
        if holds(node, place, budget)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn holds(node: &Node, place: Place<'_>, budget: &mut Budget) -> Result<bool, Problem> {
    budget.spend(1)?;
    match node {
        Node::And(nodes) => every(nodes, place, budget),
        Node::Or(nodes) => any(nodes, place, budget),
        Node::Nor(nodes) => any(nodes, place, budget).map(|found| !found),
        Node::Field(path, predicates) => field(path, predicates, place, budget),
    }
}

/// Whether every predicate holds for what the path leads to.
fn field(path: &Path, predicates: &[Predicate], place: Place<'_>, budget: &mut Budget) -> Result<bool, Problem> {
    for predicate in predicates {
        let holds = match predicate {
            Predicate::Not(negated) => !field(path, negated, place, budget)?,
            Predicate::All(parts) => !parts.is_empty() && field(path, parts, place, budget)?,
            _ => path.any(place, predicate.last_array(), budget, |value, budget| passes(predicate, value, budget))?,
        };
        if !holds {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether one value passes every predicate.
fn passes_every(predicates: &[Predicate], value: Option<&Value>, budget: &mut Budget) -> Result<bool, Problem> {
    for predicate in predicates {
        if !passes(predicate, value, budget)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether one value, or one missing field, passes a predicate by itself.
fn passes(predicate: &Predicate, value: Option<&Value>, budget: &mut Budget) -> Result<bool, Problem> {
    Ok(match (predicate, value) {
        (Predicate::Compare(relation, operand), _) => compare(*relation, operand, value, budget)?,
        (Predicate::In(choices), _) => {
            budget.spend(choices.steps())?;
            choices.contains(value.unwrap_or(&Value::Null))
        }
        (Predicate::Not(negated), _) => !passes_every(negated, value, budget)?,
        (Predicate::All(parts), _) => !parts.is_empty() && passes_every(parts, value, budget)?,
        (_, None) => false,
        (Predicate::Exists, Some(_)) => true,
        (Predicate::Kind(kinds), Some(value)) => kinds.contain(value),
        (Predicate::Regex(pattern), Some(Value::String(text))) => pattern.is_found_in(text, budget)?,
        (Predicate::Remainder { divisor, remainder }, Some(Value::Number(number))) => {
            number::remainder(number, *divisor) == Some(*remainder)
        }
        (Predicate::Size(size), Some(Value::Array(items))) => u64::try_from(items.len()) == Ok(*size),
        (Predicate::ElementValue(predicates), Some(Value::Array(items))) => element_value(predicates, items, budget)?,
        (Predicate::ElementObject(nodes), Some(Value::Array(items))) => element_object(nodes, items, budget)?,
        _ => false,
    })
}

/// A missing field stands to `null` as `null` does, and to nothing else.
fn compare(relation: Relation, operand: &Operand, value: Option<&Value>, budget: &mut Budget) -> Result<bool, Problem> {
    let value = value.unwrap_or(&Value::Null);
    if Bracket::of(value) != Bracket::of(&operand.value) {
        return Ok(false);
    }
    budget.spend(operand.steps)?;
    Ok(relation.accepts(order::compare(value, &operand.value)))
}

fn element_value(predicates: &[Predicate], items: &[Value], budget: &mut Budget) -> Result<bool, Problem> {
    for item in items {
        budget.spend(1)?;
        if passes_every(predicates, Some(item), budget)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn element_object(nodes: &[Node], items: &[Value], budget: &mut Budget) -> Result<bool, Problem> {
    for item in items {
        budget.spend(1)?;
        let place = match item {
            Value::Object(_) => Place::Value(item),
            Value::Array(items) => Place::ArrayAsObject(items),
            _ => continue,
        };
        if every(nodes, place, budget)? {
            return Ok(true);
        }
    }
    Ok(false)
}
