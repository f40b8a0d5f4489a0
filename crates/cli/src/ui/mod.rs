//! Where a command writes: results to stdout, everything else to stderr.

mod progress;
mod table;
mod words;

use std::io::{IsTerminal, Write};

use serde::Serialize;

pub(crate) use progress::{Bar, Transfer};
pub(crate) use table::Table;
pub(crate) use words::{bytes, or_dash, plain, short, when, who};

use crate::failure::Failure;

/// What a command talks to people and programs with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ui {
    json: bool,
    quiet: bool,
}

impl Ui {
    pub(crate) fn new(json: bool, quiet: bool) -> Self {
        Self { json, quiet }
    }

    /// Whether results are for programs.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// Writes a result for people: text with its line ends.
    pub(crate) fn text(self, text: &str) -> Result<(), Failure> {
        self.bytes(text.as_bytes())
    }

    /// Writes a result for programs: one JSON value on one line.
    pub(crate) fn json<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Failure> {
        let mut line =
            serde_json::to_vec(value).map_err(|source| Failure::Json { what: "the result".to_owned(), source })?;
        line.push(b'\n');
        self.bytes(&line)
    }

    /// Writes a result as JSON if programs read it, else as `text` says.
    pub(crate) fn result<T: Serialize>(self, value: &T, text: impl FnOnce() -> String) -> Result<(), Failure> {
        if self.json { self.json(value) } else { self.text(&text()) }
    }

    /// Writes a piece of a result as it is.
    pub(crate) fn bytes(self, bytes: &[u8]) -> Result<(), Failure> {
        let mut stdout = std::io::stdout().lock();
        stdout
            .write_all(bytes)
            .and_then(|()| stdout.flush())
            .map_err(|source| Failure::io("the result cannot be written to stdout", source))
    }

    /// Tells people something beside the result. Programs and those who asked for quiet do not hear it.
    pub(crate) fn note(self, text: &str) {
        if !self.json && !self.quiet {
            // If stderr is gone there is nobody left to tell.
            drop(writeln!(std::io::stderr(), "{}", plain(text)));
        }
    }

    /// Tells of a part that went wrong while the rest goes on. Only programs, which have it in the result, do not hear it.
    pub(crate) fn complain(self, text: &str) {
        if !self.json {
            // If stderr is gone there is nobody left to tell.
            drop(writeln!(std::io::stderr(), "{}", plain(text)));
        }
    }

    /// Whether people watch: bars are drawn for them alone.
    fn is_watched(self) -> bool {
        !self.json && !self.quiet && std::io::stderr().is_terminal()
    }

    /// A bar for bytes on their way; without `total` it shows how many have come.
    pub(crate) fn transfer(self, what: &str, total: Option<u64>) -> Transfer {
        Transfer::new(self.is_watched(), what, total)
    }

    /// A bar for work that tells how far it is.
    pub(crate) fn bar(self, what: &str) -> Bar {
        Bar::new(self.is_watched(), what)
    }
}
