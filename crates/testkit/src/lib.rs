//! For tests only: throw-away services, a hand-turned clock, and what else several rooms test with.
//!
//! Nothing here is linked into the program. What cannot be set up stops the test with a message that says what to install.
#![expect(clippy::expect_used, clippy::panic, reason = "a fixture that cannot be set up ends its test")]

pub mod clock;
pub mod documents;
mod engines;
pub mod fault;
pub mod postgres;
pub mod s3;
