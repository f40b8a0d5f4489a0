//! Sessions on both engines, with a store in a directory and workers that run.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by failing, and so do its helpers")]

mod asking;
mod bench;
mod ending;
mod frames;
mod keeping;
mod operating;
mod working;
