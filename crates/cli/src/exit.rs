//! How the process ends: from a kind of failure to the exit code that scripts rely on.

use std::process::ExitCode;

use holotype_core::Category;

/// Exit codes. They never change their meaning; `docs/guide/cli.md` lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    /// What was asked for is done.
    Done = 0,
    /// The command did its work and the answer is no: a check found something, a job failed.
    Negative = 1,
    /// The command line or the input is wrong. (The parser of the command line ends with 2 as well.)
    Invalid = 2,
    /// The named thing does not exist.
    NotFound = 3,
    /// It contradicts what is stored.
    Conflict = 4,
    /// The caller may not.
    Denied = 5,
    /// Something else holds what is needed, for example another process the home.
    Busy = 6,
    /// A server, database, bucket or disk cannot be reached or is full.
    Unavailable = 7,
    /// A fault of Holotype itself.
    Internal = 70,
    /// Ctrl-C, or a signal to end.
    Interrupted = 130,
    /// Whoever read the output went away.
    BrokenPipe = 141,
}

impl From<Category> for Exit {
    fn from(category: Category) -> Self {
        match category {
            Category::NotFound => Exit::NotFound,
            Category::Conflict => Exit::Conflict,
            Category::Invalid => Exit::Invalid,
            Category::Denied => Exit::Denied,
            Category::Busy => Exit::Busy,
            Category::Unavailable => Exit::Unavailable,
            Category::Internal => Exit::Internal,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}
