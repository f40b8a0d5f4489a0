//! How much work matching may take.

use super::error::Problem;

/// Steps that matching may still take, shared by all documents of one query.
///
/// A step is about the work of looking at one small value. Long operands and long strings under regular expressions take
/// more, in proportion; a regular expression that backtracks takes as many as it may have tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    remaining: u64,
}

impl Budget {
    /// A budget of so many steps.
    pub fn new(steps: u64) -> Self {
        Self { remaining: steps }
    }

    /// The steps that are left.
    pub fn remaining(&self) -> u64 {
        self.remaining
    }

    pub(super) fn spend(&mut self, steps: u64) -> Result<(), Problem> {
        match self.remaining.checked_sub(steps) {
            Some(rest) => self.remaining = rest,
            None => return Err(Problem::TooManySteps),
        }
        Ok(())
    }
}
