//! What operators are given, checked.

use std::sync::Arc;

use serde_json::Value;

use super::error::Problem;
use super::kind::Kinds;
use super::predicate::{Operand, Predicate};
use super::regex::Pattern;
use super::{DEEPEST, MOST_PATTERN_BYTES};
use crate::number;

/// How much all patterns of one filter may weigh together.
const MOST_PATTERN_WEIGHT: u64 = 20_000;

impl Operand {
    /// # Errors
    /// A value that nests too deeply.
    pub(super) fn new(value: &Value) -> Result<Self, Problem> {
        Ok(Self { steps: steps(value, DEEPEST)?, value: value.clone() })
    }
}

/// How many steps comparing with a value may take.
fn steps(value: &Value, levels: usize) -> Result<u64, Problem> {
    let text = |text: &str| u64::try_from(text.len() / 64).unwrap_or(u64::MAX);
    let deeper = levels.checked_sub(1).ok_or(Problem::TooDeep);
    Ok(1 + match value {
        Value::Null | Value::Bool(_) => 0,
        Value::Number(number) => text(number.as_str()),
        Value::String(string) => text(string),
        Value::Array(items) => items.iter().map(|item| steps(item, deeper.clone()?)).sum::<Result<u64, _>>()?,
        Value::Object(members) => {
            members.iter().map(|(key, value)| Ok(text(key) + steps(value, deeper.clone()?)?)).sum::<Result<u64, _>>()?
        }
    })
}

/// What `$exists` takes for true: everything but `false`, `null` and zero.
pub(super) fn is_true(operand: &Value) -> bool {
    match operand {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => !number::is_zero(number),
        _ => true,
    }
}

/// `$type`: a name or a number, or a list of them.
pub(super) fn kinds(operand: &Value) -> Result<Kinds, Problem> {
    let names = operand.as_array().map_or(std::slice::from_ref(operand), Vec::as_slice);
    let mut kinds = Kinds::default();
    if names.is_empty() || !names.iter().all(|name| kinds.add(name)) {
        let needed = "the name of a type (double, string, object, array, bool, null, int, long, decimal, number), its number, or a list of them";
        return Err(Problem::WrongOperand { operator: "$type", needed });
    }
    Ok(kinds)
}

/// `$mod`: a divisor and a remainder.
pub(super) fn remainder(operand: &Value) -> Result<Predicate, Problem> {
    let wrong = Problem::WrongOperand {
        operator: "$mod",
        needed: "[divisor, remainder]: two numbers within 64 bits, the first not zero",
    };
    let Some([Value::Number(divisor), Value::Number(remainder)]) = operand.as_array().map(Vec::as_slice) else {
        return Err(wrong);
    };
    match (number::truncate(divisor), number::truncate(remainder)) {
        (None | Some(0), _) | (_, None) => Err(wrong),
        (Some(divisor), Some(remainder)) => Ok(Predicate::Remainder { divisor, remainder }),
    }
}

/// `$size`: a number of elements.
pub(super) fn size(operand: &Value) -> Result<u64, Problem> {
    let number = operand.as_number().and_then(number::to_integer);
    let wrong = Problem::WrongOperand { operator: "$size", needed: "a whole number, not negative" };
    number.and_then(|number| u64::try_from(number).ok()).ok_or(wrong)
}

/// `$regex` with its `$options`: the pattern, and the weight of all patterns so far.
pub(super) fn pattern(regex: &Value, options: Option<&Value>, weight: u64) -> Result<(Arc<Pattern>, u64), Problem> {
    let wrong = |operator, needed| Problem::WrongOperand { operator, needed };
    let source = regex.as_str().ok_or_else(|| wrong("$regex", "a string"))?;
    let options = options
        .map_or(Some(""), Value::as_str)
        .ok_or_else(|| wrong("$options", "a string of the letters i, m, s and x"))?;
    if source.len() > MOST_PATTERN_BYTES {
        return Err(Problem::PatternsTooLarge);
    }
    let pattern = Pattern::new(source, options, MOST_PATTERN_WEIGHT.saturating_sub(weight))?;
    let weight = weight + pattern.weight();
    Ok((Arc::new(pattern), weight))
}
