//! What the store promises, held to every place it keeps blobs in.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by failing")]

mod contract;
mod crash;
mod damage;
mod faults;
mod full;
mod model;
mod places;
