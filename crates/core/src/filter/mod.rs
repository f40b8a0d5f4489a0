//! Which documents a query means: MongoDB's filter language over JSON.
//!
//! A [`Filter`] is read once and then matched against many documents. It alone decides; a database may narrow the candidates by
//! the filter's [`Conjunct`]s first. Supported are equality, `$eq $ne $gt $gte $lt $lte $in $nin $exists $type $regex`
//! (with `$options`) `$mod $size $all $elemMatch $not`, and `$and $or $nor`; anything else is refused by name.
//!
//! The meaning is MongoDB's, with these properties of JSON: numbers compare by exact decimal value, also beyond 64 bits and
//! beyond a double's digits; there are no dates and object ids, so `{"$date": ..}` is an ordinary object.
//!
//! ```
//! use holotype_core::filter::{Budget, Filter};
//! use serde_json::json;
//! let filter = Filter::parse(&json!({"label": {"$regex": "^temp"}, "value.celsius": {"$gt": 20}}))?;
//! let mut budget = Budget::new(1_000_000);
//! assert!(filter.matches(&json!({"label": "temperature", "value": {"celsius": 23.5}}), &mut budget)?);
//! assert!(!filter.matches(&json!({"label": "temperature", "value": {"celsius": "23.5"}}), &mut budget)?);
//! # Ok::<(), holotype_core::filter::FilterError>(())
//! ```

mod budget;
mod conjunct;
mod error;
mod kind;
mod matches;
mod operand;
pub mod order;
mod parse;
mod path;
mod pattern;
mod predicate;
mod regex;

use serde_json::Value;

pub use budget::Budget;
pub use conjunct::{Conjunct, Test};
pub use error::{FilterError, Problem};

use parse::Parser;
use path::Place;
use predicate::Node;

/// How deep conditions may nest in each other, and objects and arrays in an operand.
pub const DEEPEST: usize = 100;

/// How many conditions and operands a filter may have; each element of `$in` is an operand.
pub const MOST_OPERANDS: usize = 100_000;

/// How long one regular expression may be.
pub const MOST_PATTERN_BYTES: usize = 16_384;

/// A condition on documents, read and checked.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Conditions that all must hold.
    nodes: Vec<Node>,
}

/// Names of fields that callers use for others.
///
/// In a document without a field of the name, a condition on it is a condition on the other field.
#[derive(Debug, Clone, Default)]
pub struct Aliases {
    pairs: Vec<(String, String)>,
}

impl Aliases {
    /// Aliases from pairs of a field's name, without dots, and the path that stands in for it.
    pub fn new<const N: usize>(pairs: [(&str, &str); N]) -> Self {
        Self { pairs: pairs.map(|(name, path)| (name.to_owned(), path.to_owned())).into() }
    }

    /// What `path` is in a document without the field that it begins with.
    fn resolve(&self, path: &str) -> Option<String> {
        let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
        let (_, target) = self.pairs.iter().find(|(name, _)| name == first)?;
        Some(rest.map_or_else(|| target.clone(), |rest| format!("{target}.{rest}")))
    }
}

impl Filter {
    /// Reads a filter. `null` is the same as `{}`: every document.
    ///
    /// # Errors
    /// [`FilterError`] with the place and the reason.
    pub fn parse(filter: &Value) -> Result<Self, FilterError> {
        Self::parse_with(filter, &Aliases::default())
    }

    /// Reads a filter in which some fields have a second name.
    ///
    /// # Errors
    /// As [`Filter::parse`].
    pub fn parse_with(filter: &Value, aliases: &Aliases) -> Result<Self, FilterError> {
        if filter.is_null() {
            return Ok(Self { nodes: Vec::new() });
        }
        Parser::new(aliases).filter(filter).map(|nodes| Self { nodes })
    }

    /// Whether the document fulfils every condition.
    ///
    /// # Errors
    /// [`Problem::TooManySteps`] if that takes more than the budget; what was used of the budget stays used.
    pub fn matches(&self, document: &Value, budget: &mut Budget) -> Result<bool, FilterError> {
        let place = Place::Value(document);
        matches::every(&self.nodes, place, budget).map_err(|problem| FilterError { path: String::new(), problem })
    }

    /// The conditions on single fields that every matching document fulfils.
    pub fn conjuncts(&self) -> Vec<Conjunct<'_>> {
        conjunct::of(&self.nodes)
    }
}
