//! The server from outside: what clients send and what they get.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by failing")]

mod access;
mod archive_replay;
mod browsers;
mod contract;
mod datapoints;
mod fetches;
mod frames;
mod hostile;
mod jobs;
mod limits;
mod pages;
#[cfg(test)]
mod portal;
mod replay;
mod sessions;
mod sign_in;
mod sockets;
mod support;
