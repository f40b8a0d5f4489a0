//! The client against small servers that behave well and badly.

#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing")]

mod conversation;
mod failures;
mod files;
mod server;
mod streams;
