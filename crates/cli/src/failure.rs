//! Why a command did not do what was asked, and how that is told.

use std::error::Error;
use std::path::PathBuf;

use holotype_app::AppError;
use holotype_app::catalog::CatalogError;
use holotype_app::config::ConfigError;
use holotype_app::datapoints::DatapointError;
use holotype_app::home::HomeError;
use holotype_client::{ClientError, CopyError};
use holotype_core::{ActivityId, Category};
use holotype_fits::FitsError;
use holotype_server::ServeError;
use serde_json::json;

use crate::exit::Exit;
use crate::ui::plain;

/// Why a command ends with another code than 0.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// The server, or the way to it.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The home, its configuration, or a room below it.
    #[error(transparent)]
    App(#[from] AppError),
    /// The server does not start.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// What was typed or handed in, with the cure.
    #[error("{message}")]
    Input { message: String, next: String },
    /// Something is there that the command would overwrite.
    #[error("{message}")]
    InTheWay { message: String, next: String },
    /// A file or a stream of this machine.
    #[error("{doing}")]
    Io {
        doing: String,
        #[source]
        source: std::io::Error,
    },
    /// A FITS file that is damaged, or is not what the command needs.
    #[error("{}: {source}", .path.display())]
    Fits {
        path: PathBuf,
        #[source]
        source: FitsError,
    },
    /// A text that should be JSON.
    #[error("{what} is not JSON")]
    Json {
        what: String,
        #[source]
        source: serde_json::Error,
    },
    /// A job that was waited for did not succeed.
    #[error("job {id} ({kind}) has no result: {reason}")]
    Job { id: ActivityId, kind: String, reason: String },
    /// The command did its work, told what it found, and the answer is no.
    #[error("the answer is no")]
    Negative,
    /// The command told of each of its failures when it met them.
    #[error("told already")]
    Told { exit: Exit },
    /// Ctrl-C, or a signal to end.
    #[error("interrupted")]
    Interrupted,
    /// Nobody reads the output any more.
    #[error("nobody reads the output any more")]
    BrokenPipe,
}

impl Failure {
    /// Something wrong with what was typed or handed in.
    pub(crate) fn input(message: impl Into<String>, next: impl Into<String>) -> Self {
        Failure::Input { message: message.into(), next: next.into() }
    }

    /// A file that cannot be read or written while `doing` something with it.
    pub(crate) fn io(doing: impl Into<String>, source: std::io::Error) -> Self {
        if source.kind() == std::io::ErrorKind::BrokenPipe {
            return Failure::BrokenPipe;
        }
        Failure::Io { doing: doing.into(), source }
    }

    /// How the process ends.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Failure::Negative | Failure::Job { .. } => Exit::Negative,
            Failure::Told { exit } => *exit,
            Failure::Interrupted => Exit::Interrupted,
            Failure::BrokenPipe => Exit::BrokenPipe,
            other => other.category().into(),
        }
    }

    fn category(&self) -> Category {
        match self {
            Failure::Client(error) => error.category(),
            Failure::App(error) => error.category(),
            Failure::Serve(error) => error.category(),
            Failure::Fits { source, .. } => source.category(),
            Failure::Input { .. } | Failure::Json { .. } => Category::Invalid,
            Failure::InTheWay { .. } => Category::Conflict,
            Failure::Io { source, .. } => match source.kind() {
                std::io::ErrorKind::NotFound => Category::NotFound,
                std::io::ErrorKind::PermissionDenied | std::io::ErrorKind::ReadOnlyFilesystem => Category::Denied,
                std::io::ErrorKind::StorageFull => Category::Unavailable,
                std::io::ErrorKind::InvalidData | std::io::ErrorKind::IsADirectory => Category::Invalid,
                _ => Category::Unavailable,
            },
            Failure::Job { .. }
            | Failure::Negative
            | Failure::Told { .. }
            | Failure::Interrupted
            | Failure::BrokenPipe => Category::Internal,
        }
    }

    /// What to do next, where the message does not say it already.
    fn next(&self) -> Option<String> {
        match self {
            Failure::Input { next, .. } | Failure::InTheWay { next, .. } => Some(next.clone()),
            Failure::Job { id, .. } => Some(format!("holotype job log {id}")),
            Failure::Client(ClientError::Connect { .. }) => {
                Some("start it with 'holotype serve', or correct --server".to_owned())
            }
            Failure::Client(ClientError::Untrusted { .. }) => Some(
                "name the certificate of the laboratory's own authority with --ca-certificate FILE, if it has one"
                    .to_owned(),
            ),
            Failure::Client(error) if error.problem().is_some_and(|problem| problem.status == 401) => Some(
                "hand a token in as HOLOTYPE_TOKEN or with --token-file; 'holotype token create' makes one".to_owned(),
            ),
            _ => None,
        }
    }

    /// Tells people or programs, on stderr; quiet ends stay quiet.
    pub(crate) fn report(&self, as_json: bool) {
        let text = match self {
            Failure::Negative | Failure::Told { .. } | Failure::BrokenPipe => return,
            Failure::Interrupted if !as_json => "interrupted\n".to_owned(),
            other if as_json => format!("{}\n", other.as_json()),
            other => other.as_text(),
        };
        // If stderr is gone there is nobody left to tell.
        drop(std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes()));
    }

    fn as_text(&self) -> String {
        let mut text = format!("error: {}\n", plain(&self.to_string()));
        let mut say = |label: &str, words: &str| text.push_str(&format!("{label}: {}\n", plain(words)));
        for cause in self.causes() {
            say("cause", &cause);
        }
        for fault in self.faults() {
            say("fault", &fault);
        }
        if let Some(next) = self.next() {
            say("next", &next);
        }
        text
    }

    fn as_json(&self) -> serde_json::Value {
        let problem = match self {
            Failure::Client(error) => error.problem(),
            _ => None,
        };
        json!({ "error": {
            "category": if matches!(self, Failure::Interrupted) { "interrupted" } else { self.category().name() },
            "message": self.to_string(),
            "causes": self.causes(),
            "faults": problem.map_or(&[][..], |problem| &problem.errors),
            "next": self.next(),
            "request_id": problem.map(|problem| &problem.request_id),
            "exit_code": self.exit() as u8,
        }})
    }

    /// What lies behind the message, each said once.
    fn causes(&self) -> Vec<String> {
        let mut said = self.to_string();
        let mut causes = Vec::new();
        let mut source = self.source();
        while let Some(error) = source {
            let text = error.to_string();
            if !said.contains(&text) {
                said.push_str(&text);
                causes.push(text);
            }
            source = error.source();
        }
        causes
    }

    /// The single faults of an invalid request.
    fn faults(&self) -> Vec<String> {
        use holotype_api::problem::Step;
        let Failure::Client(error) = self else { return Vec::new() };
        let faults = error.problem().map_or(&[][..], |problem| &problem.errors);
        faults
            .iter()
            .map(|fault| {
                let steps: Vec<String> = fault
                    .loc
                    .iter()
                    .map(|step| match step {
                        Step::Index(index) => index.to_string(),
                        Step::Name(name) => name.clone(),
                    })
                    .collect();
                format!("{}: {}", steps.join("."), fault.message)
            })
            .collect()
    }
}

/// What a room below says is a failure of the application.
macro_rules! from_app_error {
    ($($error:ty),*) => {$(
        impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                AppError::from(error).into()
            }
        }
    )*};
}

from_app_error!(HomeError, ConfigError, CatalogError, DatapointError);

impl From<CopyError> for Failure {
    fn from(error: CopyError) -> Self {
        match error {
            CopyError::Source(error) => error.into(),
            CopyError::Destination(source) => Failure::io("the bytes cannot be written", source),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_told_with_its_cause_and_the_next_step() {
        let failure = Failure::Io {
            doing: "'/x/y' cannot be read".to_owned(),
            source: std::io::Error::other("the disk is on fire"),
        };
        assert_eq!(failure.as_text(), "error: '/x/y' cannot be read\ncause: the disk is on fire\n");
        let failure = Failure::input("'x' is no filter", "see docs/guide/datapoints.md");
        assert_eq!(failure.as_text(), "error: 'x' is no filter\nnext: see docs/guide/datapoints.md\n");
        assert_eq!(failure.as_json()["error"]["exit_code"], 2);
    }

    #[test]
    fn what_a_server_says_cannot_steer_the_terminal() {
        let failure = Failure::input("red \u{1b}[31m", "-");
        assert!(!failure.as_text().contains('\u{1b}'));
    }
}
