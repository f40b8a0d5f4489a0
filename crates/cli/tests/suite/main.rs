//! The real `holotype` program on homes of its own: what it prints, how it ends, what it leaves.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by failing")]

mod archives;
mod configuration;
mod database;
mod datapoints;
mod errors;
mod fits;
mod help;
mod jobs;
mod lab;
mod lineage;
mod output;
mod pages;
mod principals;
mod serving;
mod sessions;
mod store;
mod takeover;
