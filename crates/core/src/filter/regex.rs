//! Regular expressions whose work is counted.

use std::fmt;
use std::sync::OnceLock;

use fancy_regex::{Regex, RegexBuilder, RuntimeError};

use super::budget::Budget;
use super::error::Problem;
use super::pattern::{self, Translated};

/// How often the engine may backtrack: it tells only that a limit was passed, so a search that passes one is run again with the next.
const STAGES: [u32; 3] = [1 << 10, 1 << 15, 1 << 20];

/// How large one compiled part may be, in bytes.
const MOST_COMPILED: usize = 4 << 20;

/// What a pattern weighs beside its length: compiled, even the smallest takes some kilobytes.
const BASE_WEIGHT: u64 = 20;

/// A compiled regular expression.
pub(super) struct Pattern {
    translated: Translated,
    stages: [Stage; STAGES.len()],
}

/// The expression as it is compiled to backtrack so often and no more; made when it is first needed.
struct Stage {
    limit: u32,
    compiled: OnceLock<Regex>,
}

impl Pattern {
    /// # Errors
    /// A pattern that is wrong, or heavier than `most_weight`.
    pub(super) fn new(source: &str, options: &str, most_weight: u64) -> Result<Self, Problem> {
        let translated = pattern::translate(source, options).map_err(|reason| Problem::Pattern { reason })?;
        let stages = STAGES.map(|limit| Stage { limit, compiled: OnceLock::new() });
        let pattern = Self { translated, stages };
        if pattern.weight() > most_weight {
            return Err(Problem::PatternsTooLarge);
        }
        let [first, ..] = &pattern.stages;
        pattern.compiled(first)?;
        Ok(pattern)
    }

    /// The share of what all patterns of a filter may weigh.
    pub(super) fn weight(&self) -> u64 {
        self.translated.weight.saturating_add(BASE_WEIGHT)
    }

    /// Whether the pattern matches somewhere in `text`.
    pub(super) fn is_found_in(&self, text: &str, budget: &mut Budget) -> Result<bool, Problem> {
        let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
        let linear = length.saturating_mul(self.translated.weight);
        budget.spend(1 + if self.translated.backtracks { linear } else { linear / 8 })?;
        for (repetition, stage) in self.stages.iter().enumerate() {
            if repetition > 0 {
                budget.spend(u64::from(stage.limit).saturating_mul(1 + length / 64))?;
            }
            match self.compiled(stage)?.is_match(text) {
                Ok(found) => return Ok(found),
                Err(fancy_regex::Error::RuntimeError(RuntimeError::BacktrackLimitExceeded)) => {}
                Err(error) => return Err(Problem::Pattern { reason: reason(&error) }),
            }
        }
        Err(Problem::TooManySteps)
    }

    fn compiled<'p>(&self, stage: &'p Stage) -> Result<&'p Regex, Problem> {
        if let Some(regex) = stage.compiled.get() {
            return Ok(regex);
        }
        let limit = usize::try_from(stage.limit).unwrap_or(usize::MAX);
        let mut builder = RegexBuilder::new(&self.translated.text);
        let built = builder.backtrack_limit(limit).delegate_size_limit(MOST_COMPILED).build();
        let regex = built.map_err(|error| Problem::Pattern { reason: reason(&error) })?;
        Ok(stage.compiled.get_or_init(|| regex))
    }
}

/// What the engine says, without places in a text that the caller has not written.
fn reason(error: &fancy_regex::Error) -> String {
    match error {
        fancy_regex::Error::ParseError(_, kind) => kind.to_string(),
        other => other.to_string(),
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.translated.text).finish()
    }
}
