//! The composition root: configuration to a running application, and its upkeep.
//!
//! ```text
//!  flags, variables, holotype.toml, MADSci's settings ── Config ── App::open ── App
//!                                                          │                     ├─ catalog, store, blobs, jobs, datapoints, archives
//!                                       Home (lock, identity)                    ├─ run_workers   jobs, upkeep among them
//!                                                                                └─ run_upkeep    asks for what is due
//! ```
//!
//! [`Config::load`] reads the configuration of a [`Home`] out of values: the library itself looks at no variable and no working
//! directory. [`App::initialise`] makes a home, [`App::open`] opens it, [`upkeep`] looks after it, [`doctor`] examines it, and
//! [`demo`] fills one with a laboratory to look at. The rooms below are re-exported, for edges that speak their types.

mod app;
mod clock;
mod disk;
mod environment;
mod error;
mod fetching;
mod files;
mod gaia;
mod inputs;

pub mod config;
pub mod demo;
pub mod doctor;
pub mod home;
pub mod madsci;
pub mod portal;
pub mod upkeep;

pub use app::App;
pub use clock::SystemClock;
pub use config::Config;
pub use environment::Environment;
pub use error::AppError;
pub use home::Home;

pub use holotype_archives as archives;
pub use holotype_blobs as blobs;
pub use holotype_catalog as catalog;
pub use holotype_datapoints as datapoints;
pub use holotype_jobs as jobs;
pub use holotype_sessions as sessions;
pub use holotype_store as store;
