//! What fuzzing runs: everything of the FITS room that reads, on bytes that may be anything.
//!
//! `scripts/fuzz.sh` runs it under libFuzzer; a test of the room replays the corpus through the same functions.

mod targets;

pub use targets::*;
