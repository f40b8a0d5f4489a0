//! Fetches: a night of frames from online archives into the directories of a reduction pipeline.
//!
//! ```text
//!   FetchConfig + Rules ──▶ plan: every listed frame, compared by checksum with what the tree has
//!      ──▶ several at a time: transfer ─▶ store (the frame is named in the catalog)
//!                                └─ while its bytes come: unpack under a hidden name
//!      ──▶ one after the other: configure ─▶ lock? ─▶ into its place ─▶ lists ──▶ report
//! ```
//!
//! The catalog is the journal: a frame's bytes are in the store before the file made of them has its name, and each file is whole in its
//! place before that is written down. So whoever comes after a kill goes on where it was.

mod check;
mod coming;
mod config;
mod configuration;
mod connect;
mod fields;
mod files;
mod frame_list;
mod history;
mod jobs;
mod load;
mod log_file;
mod make;
mod model;
mod packing;
mod place;
mod plan;
mod prepare;
mod preview;
mod python;
mod report;
mod row;
mod rules;
mod run;
mod schedule;
mod table;
mod template;
mod transfer;
mod undo;
mod yaml;

pub use config::{ArchiveConfig, FetchConfig, MOST_BYTES, Window};
pub use configuration::Template as ConfigurationTemplate;
pub use connect::{Secrets, connect};
pub use history::{FetchPage, FetchRecord, MOST_ITEMS};
pub use jobs::{FetchHandler, KIND};
pub use model::{Change, Fetch, FetchFrame, FrameState, Tally, UnknownFrameState};
pub use preview::PreviewedFrame;
pub use report::Report;
pub use rules::Rules;
pub use run::{FetchOptions, FetchRequest, Sources};
pub use schedule::Schedule;
pub use undo::{UndoAction, UndoStep};
