//! A filter after reading: what it asks of documents and of values.

use std::cmp::Ordering;
use std::sync::Arc;

use serde_json::Value;

use super::kind::Kinds;
use super::order;
use super::path::{LastArray, Path};
use super::regex::Pattern;

/// A condition on a document.
#[derive(Debug, Clone)]
pub(super) enum Node {
    /// `$and`: all of them.
    And(Vec<Node>),
    /// `$or`: at least one of them.
    Or(Vec<Node>),
    /// `$nor`: none of them.
    Nor(Vec<Node>),
    /// All predicates on what one path leads to, each by itself.
    Field(Path, Vec<Predicate>),
}

/// A condition on what a path leads to. Unless said otherwise, one of the values must fulfil it.
#[derive(Debug, Clone)]
pub(super) enum Predicate {
    /// `$eq`, `$gt` and so on.
    Compare(Relation, Operand),
    /// `$in`.
    In(Choices),
    /// `$exists: true`.
    Exists,
    /// `$type`.
    Kind(Kinds),
    /// `$regex`.
    Regex(Arc<Pattern>),
    /// `$mod`.
    Remainder { divisor: i64, remainder: i64 },
    /// `$size`: an array of so many elements.
    Size(u64),
    /// `$elemMatch` with operators: an array, one element of which fulfils all.
    ElementValue(Vec<Predicate>),
    /// `$elemMatch` with fields: an array, one object (or array, its indices being the keys) of which fulfils all.
    ElementObject(Vec<Node>),
    /// `$not`, and so `$ne`, `$nin` and `$exists: false`: not all of them hold.
    Not(Vec<Predicate>),
    /// `$all`: each holds by itself, and there is one.
    All(Vec<Predicate>),
}

impl Predicate {
    /// What the predicate looks at where its path ends at an array.
    pub(super) fn last_array(&self) -> LastArray {
        match self {
            Self::Size(_) | Self::ElementValue(_) | Self::ElementObject(_) => LastArray::Whole,
            _ => LastArray::ElementsToo,
        }
    }
}

/// How a value must stand to an operand of its own type bracket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    Above,
    AtLeast,
    Below,
    AtMost,
}

impl Relation {
    pub(super) fn accepts(self, order: Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Above => order.is_gt(),
            Self::AtLeast => order.is_ge(),
            Self::Below => order.is_lt(),
            Self::AtMost => order.is_le(),
        }
    }
}

/// What values are compared with.
#[derive(Debug, Clone)]
pub(super) struct Operand {
    pub(super) value: Value,
    /// The steps that one comparison may take.
    pub(super) steps: u64,
}

/// What values must be one of.
#[derive(Debug, Clone)]
pub(super) struct Choices {
    /// In order, without repetition.
    values: Vec<Value>,
    /// The steps that one search may take.
    steps: u64,
}

impl Choices {
    pub(super) fn new(operands: Vec<Operand>) -> Self {
        let largest = operands.iter().map(|operand| operand.steps).max().unwrap_or(0);
        let mut values: Vec<Value> = operands.into_iter().map(|operand| operand.value).collect();
        values.sort_by(order::compare);
        values.dedup_by(|left, right| order::compare(left, right).is_eq());
        let comparisons = u64::from(usize::BITS - values.len().leading_zeros());
        Self { values, steps: largest.saturating_mul(comparisons) }
    }

    pub(super) fn values(&self) -> &[Value] {
        &self.values
    }

    pub(super) fn steps(&self) -> u64 {
        self.steps
    }

    pub(super) fn contains(&self, value: &Value) -> bool {
        self.values.binary_search_by(|choice| order::compare(choice, value)).is_ok()
    }
}
