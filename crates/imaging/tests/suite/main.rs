//! What is done to pixels, beside recorded results where the samples are at hand, and on small frames made here.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test says what it expects by failing, and so do its helpers")]

mod analysis;
mod colours;
mod combining;
mod frames;
mod hostile;
mod products;
mod stacking;
