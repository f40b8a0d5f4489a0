//! The room from outside: whole files, read, unpacked and written.
#![expect(clippy::unwrap_used, reason = "a test says what it expects by failing, and so do its helpers")]

mod codecs;
mod corpus;
mod pictures;
mod samples;
mod sky;
mod unpack;
