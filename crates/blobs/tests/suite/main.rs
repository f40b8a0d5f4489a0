//! What a record names is there: whatever fails, and whoever comes at the same time.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by failing")]

mod bench;
mod interleaving;
mod put;
mod spool;
mod sweep;
mod verify;
