//! The composition root: configuration to a running application, and its upkeep.

mod clock;
mod environment;
mod files;

pub mod config;
pub mod home;
pub mod madsci;

pub use clock::SystemClock;
pub use config::Config;
pub use environment::Environment;
pub use home::Home;
