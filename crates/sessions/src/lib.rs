//! Sessions: frames that are worked on together, and the operations that stack, measure and show them.
//!
//! ```text
//!   POST operation ─▶ check ─▶ resolve inputs (the caller's rights) ─▶ key ─▶ result, begun once ─▶ job session.operate
//!                                                                               │                       │
//!   every operation with that key  ◀── status, progress, output ───────────────┴── files and lineage ──┘
//! ```
//!
//! A *result* is what an operation makes of certain bytes with certain parameters; its *key* is the digest of all of that, so the same work
//! is done once, however often and in however many sessions it is asked for. An operation of a session only points to its result. Bytes
//! count as found for the caller who asks: whoever cannot have the inputs never comes to the key.

mod error;
mod input;
mod key;
mod model;
mod operation;
pub mod output;
mod wizard;

pub use error::{Faults, SessionError};
pub use input::{BroughtInput, FrameSource, InputError, InputItem, Origin, Place, Resolved};
pub use key::{Request, RequestedInput};
pub use model::{FileName, OperationId, OperationRecord, ResultFile, Session, SessionId, Status};
pub use operation::{Desk, InputFile, Operation, OperationError, Outcome, Product, Work};
pub use wizard::{Description, Input, Kind};

/// The kind of a session in lineage.
pub const SESSION: &str = "session";

/// The kind of an operation in lineage.
pub const OPERATION: &str = "operation";

/// The kind of a result in blob references and lineage.
pub const RESULT: &str = "result";

/// The kind of the jobs that operate.
pub const JOB_KIND: &str = "session.operate";
