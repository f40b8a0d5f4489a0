//! What can be wrong with a filter.

use super::{DEEPEST, MOST_OPERANDS, MOST_PATTERN_BYTES};
use crate::Category;

/// A filter that cannot be used, and where in it the reason lies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("filter{}{path}: {problem}", if path.is_empty() { "" } else { ", at " })]
pub struct FilterError {
    /// The place in the filter, such as `$or[1].value.temperature.$gt`; empty for the filter as a whole.
    pub path: String,
    /// What is wrong there.
    pub problem: Problem,
}

impl FilterError {
    /// The request is wrong.
    pub fn category(&self) -> Category {
        Category::Invalid
    }
}

/// Why a filter cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The filter, or a part that must be one, is something else than an object.
    #[error("an object of fields and conditions is needed")]
    NotAnObject,
    /// `$where`: the one operator that means running the caller's code.
    #[error("$where runs code in the database and is refused; say it with comparison operators")]
    Code,
    /// An operator that does not exist, is not supported, or does not belong where it stands.
    #[error("'{name}' is not an operator here; supported are {supported}")]
    UnknownOperator {
        /// The operator, cut to 80 characters.
        name: String,
        /// The operators that may stand there.
        supported: &'static str,
    },
    /// An operator's operand has the wrong form.
    #[error("{operator} needs {needed}")]
    WrongOperand {
        /// The operator.
        operator: &'static str,
        /// What it needs.
        needed: &'static str,
    },
    /// A regular expression that cannot be used.
    #[error("the regular expression cannot be used: {reason}")]
    Pattern {
        /// The reason.
        reason: String,
    },
    /// Conditions or operands nest too deeply.
    #[error("the filter nests deeper than {DEEPEST} levels")]
    TooDeep,
    /// Too many conditions and operands together.
    #[error("the filter has more than {MOST_OPERANDS} conditions and operands; ask in several queries")]
    TooManyOperands,
    /// The regular expressions are too large together.
    #[error(
        "the regular expressions of the filter are too large together: a pattern has at most {MOST_PATTERN_BYTES} bytes, and counted repeats multiply"
    )]
    PatternsTooLarge,
    /// Matching took all the steps it was given.
    #[error(
        "the filter needs too many steps on these documents; narrow it with an equality or a range, or simplify its regular expressions"
    )]
    TooManySteps,
}
