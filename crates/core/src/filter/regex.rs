//! Regular expressions whose work is counted.

use std::fmt;
use std::sync::OnceLock;

use fancy_regex::{CompileError, Regex, RegexBuilder, RuntimeError};

use super::budget::Budget;
use super::error::Problem;
use super::pattern::{self, Translated};

/// How often the engine may backtrack: it tells only that a limit was passed, so a search that passes one is run again with the next.
const STAGES: [u64; 3] = [1 << 8, 1 << 13, 1 << 18];

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
    limit: u64,
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
        for stage in &self.stages {
            budget.spend(self.steps(stage, text))?;
            match self.compiled(stage)?.is_match(text) {
                Ok(found) => return Ok(found),
                Err(fancy_regex::Error::RuntimeError(RuntimeError::BacktrackLimitExceeded)) => {}
                Err(error) => return Err(problem(&error)),
            }
        }
        Err(Problem::TooManySteps)
    }

    /// The steps that a search may take. After backtracking the engine may look at the whole text again, which counts for long
    /// texts; how often it did is known only where the stage before was not enough.
    fn steps(&self, stage: &Stage, text: &str) -> u64 {
        let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
        let once = length.saturating_mul(self.translated.weight);
        let again = stage.limit.saturating_mul(length / 64);
        let [first, ..] = STAGES;
        let steps = match (stage.limit > first, self.translated.backtracks) {
            (true, _) => once.saturating_add(again).saturating_add(stage.limit),
            (false, true) => once.saturating_add(again),
            (false, false) => once / 8,
        };
        steps.saturating_add(1)
    }

    fn compiled<'p>(&self, stage: &'p Stage) -> Result<&'p Regex, Problem> {
        if let Some(regex) = stage.compiled.get() {
            return Ok(regex);
        }
        let limit = usize::try_from(stage.limit).unwrap_or(usize::MAX);
        let mut builder = RegexBuilder::new(&self.translated.text);
        let built = builder.backtrack_limit(limit).delegate_size_limit(MOST_COMPILED).build();
        let regex = built.map_err(|error| problem(&error))?;
        Ok(stage.compiled.get_or_init(|| regex))
    }
}

/// What the engine says, without places in a text that the caller has not written.
fn problem(error: &fancy_regex::Error) -> Problem {
    let reason = match error {
        fancy_regex::Error::RuntimeError(_) => return Problem::TooManySteps,
        fancy_regex::Error::CompileError(inner) => match inner.as_ref() {
            CompileError::InnerError(inner) if inner.size_limit().is_some() => return Problem::PatternsTooLarge,
            other => other.to_string(),
        },
        fancy_regex::Error::ParseError(_, kind) => kind.to_string(),
        other => other.to_string(),
    };
    Problem::Pattern { reason }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.translated.text).finish()
    }
}
