//! What can be wrong with a FITS file or with what is asked of it, and what to do about it.

use std::io;

use holotype_core::Category;

/// A failure to read or write FITS. What it says of the file is bounded in length and one line.
#[derive(Debug, thiserror::Error)]
pub enum FitsError {
    /// The bytes do not begin as a FITS file does.
    #[error("this is not a FITS file: {problem}")]
    NotFits {
        /// What stands there instead, and what to do about it.
        problem: String,
    },
    /// The file ends before what its header promises.
    #[error("the file is cut: {what} needs {needed} bytes and {found} are left; fetch the file again")]
    Cut {
        /// The part that is incomplete.
        what: String,
        /// How many bytes the part has by its header.
        needed: u64,
        /// How many of them are there.
        found: u64,
    },
    /// A file that is compressed with gzip cannot be made plain.
    #[error("what gzip made of the file is cut or damaged: {problem}; fetch the file again")]
    Gzip {
        /// What is wrong with it.
        problem: String,
    },
    /// A keyword is missing, has the wrong type, or contradicts another.
    #[error("keyword {keyword} of the header: {problem}; see it with 'holotype fits header'")]
    Header {
        /// The keyword at fault.
        keyword: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The data do not decode to what the header says.
    #[error("the data of HDU {hdu} are damaged: {problem}; check the file with 'holotype fits verify'")]
    Damaged {
        /// The index of the HDU, 0 for the primary.
        hdu: usize,
        /// What is wrong.
        problem: String,
    },
    /// Something is larger than we agree to hold.
    #[error("{what} has {size}, and at most {limit} is accepted")]
    TooLarge {
        /// The part that is too large.
        what: String,
        /// Its size, in the unit of the limit.
        size: u64,
        /// The largest size accepted.
        limit: u64,
    },
    /// The file is legal, but this is not read or written.
    #[error("{what} is not supported")]
    Unsupported {
        /// What the file uses.
        what: String,
    },
    /// The HDU is of another kind than the operation needs.
    #[error("HDU {hdu} is {found}, and {wanted} is needed; list the HDUs with 'holotype fits info'")]
    WrongKind {
        /// The index of the HDU, 0 for the primary.
        hdu: usize,
        /// What the HDU is.
        found: String,
        /// What the operation needs.
        wanted: String,
    },
    /// There is no such HDU or column.
    #[error("the file has no {what}; list its HDUs with 'holotype fits info'")]
    NotFound {
        /// What was looked for.
        what: String,
    },
    /// A value that was given cannot be written to a header or as data.
    #[error("{what} cannot be written: {problem}")]
    Unwritable {
        /// The card or data.
        what: String,
        /// What must be changed.
        problem: String,
    },
    /// The reader or writer that was given failed.
    #[error("reading or writing failed: {0}")]
    Io(#[from] io::Error),
}

impl FitsError {
    /// What kind of failure this is, as far as whoever asked can act on it.
    pub fn category(&self) -> Category {
        match self {
            Self::NotFits { .. }
            | Self::Cut { .. }
            | Self::Gzip { .. }
            | Self::Header { .. }
            | Self::Damaged { .. }
            | Self::TooLarge { .. }
            | Self::Unsupported { .. }
            | Self::WrongKind { .. }
            | Self::Unwritable { .. } => Category::Invalid,
            Self::NotFound { .. } => Category::NotFound,
            Self::Io(_) => Category::Unavailable,
        }
    }

    /// A keyword at fault. The keyword and the problem may hold text of the file: both are shortened to one line.
    pub fn header(keyword: &str, problem: impl AsRef<str>) -> Self {
        Self::Header { keyword: shown(keyword), problem: shown(problem.as_ref()) }
    }

    /// Data at fault in HDU `hdu`.
    pub(crate) fn damaged(hdu: usize, problem: impl AsRef<str>) -> Self {
        Self::Damaged { hdu, problem: shown(problem.as_ref()) }
    }
}

/// How much of a text of the file is shown.
const SHOWN: usize = 200;

/// One line of bounded length: the text comes from outside.
pub(crate) fn shown(text: &str) -> String {
    let mut line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(SHOWN).collect();
    if text.chars().nth(SHOWN).is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_hostile_file_says_is_shown_as_one_bounded_line() {
        let text = FitsError::header("A\nB", "x\u{1b}[2J".repeat(5_000)).to_string();
        assert!(text.len() < 400 && !text.contains(char::is_control), "{text}");
    }
}
