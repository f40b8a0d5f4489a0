//! What the rooms above rely on, tested from outside.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by failing")]

mod budgets;
mod cases;
mod differential;
mod oracle;
mod refusals;
mod robustness;
