//! What can go wrong between us and an archive, told by what can be done about it. No message shows a secret.

use std::net::IpAddr;
use std::time::Duration;

use holotype_core::Category;

/// A failure to list or to fetch from an archive.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// An address that cannot be asked.
    #[error("the address {url} cannot be used: {problem}")]
    Address {
        /// The address, without what may be secret.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A name from the network leads to an address of this machine or its neighbours.
    #[error(
        "{host} is {address}, an address of this machine or its own network: an archive on the public network may not send us there"
    )]
    PrivateAddress {
        /// The name, as the archive gave it.
        host: String,
        /// What it stands for.
        address: IpAddr,
    },
    /// A redirect that is not followed.
    #[error("{host} redirects to {to}, which is not followed: {problem}")]
    Redirect {
        /// Who redirects.
        host: String,
        /// Where to, without what may be secret.
        to: String,
        /// Why not.
        problem: &'static str,
    },
    /// No connection could be made, or it did not hold.
    #[error("the connection with {host} failed: {problem}")]
    Connection {
        /// The other end.
        host: String,
        /// What failed.
        problem: String,
    },
    /// Nothing was heard for longer than we wait.
    #[error("{host} sent nothing, or too little, for too long; it may be down or overloaded")]
    Silence {
        /// The other end.
        host: String,
    },
    /// An answer that says no.
    #[error("{host} answered {status} to the request for {path}{}{}", colon(message), advice(*status))]
    Status {
        /// The other end.
        host: String,
        /// What was asked for, without what may be secret.
        path: String,
        /// The HTTP status.
        status: u16,
        /// What the server said about it; empty if nothing.
        message: String,
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// The host asked to be left alone for longer than we wait.
    #[error("{host} asked to be left alone for another {} s; try again then", wait.as_secs())]
    Waiting {
        /// The other end.
        host: String,
        /// How long still.
        wait: Duration,
    },
    /// As many requests as were allowed for one run have been made.
    #[error(
        "{host} has had the {requests} requests that its definition allows in one run; the rest must wait for another"
    )]
    Quota {
        /// The other end.
        host: String,
        /// How many those are.
        requests: u64,
    },
    /// An answer that is longer than any right one.
    #[error("the answer of {host} to {path} is larger than {limit} bytes; ask for less at a time")]
    TooLarge {
        /// The other end.
        host: String,
        /// What was asked for.
        path: String,
        /// The bound that it passed.
        limit: usize,
    },
    /// An answer that cannot be read as what it should be.
    #[error("the answer of {host} is not {expected}: {problem}")]
    Answer {
        /// The other end.
        host: String,
        /// What it should have been.
        expected: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// A frame that cannot be taken as listed; the others can.
    #[error("the archive lists '{frame}', which cannot be taken: {problem}")]
    Frame {
        /// Its name or id, cut to a length that can be shown.
        frame: String,
        /// What is wrong.
        problem: String,
    },
    /// A frame has other bytes now than when it was listed.
    #[error("'{frame}' was replaced in the archive after it had been listed; list again")]
    Replaced {
        /// Its name.
        frame: String,
    },
    /// The pages of a list do not fit together.
    #[error("the list of {host} cannot be shown to be whole: {problem}")]
    Unsteady {
        /// The other end.
        host: String,
        /// How that was noticed.
        problem: String,
    },
    /// A parameter that the archive does not know; it would ignore it, and list everything.
    #[error("the archive has no parameter '{parameter}', and would list frames as if it were not there{}", colon(hint))]
    Parameter {
        /// Its name.
        parameter: String,
        /// What to write instead; empty if nothing comes to mind.
        hint: String,
    },
    /// A part of a definition that cannot be used with what it is given.
    #[error("the definition's '{part}' cannot be used: {problem}")]
    Definition {
        /// The part.
        part: String,
        /// What is wrong.
        problem: String,
    },
    /// A secret that is needed is not there.
    #[error("the environment variable {variable} is not set; it must hold {purpose}")]
    Secret {
        /// Its name.
        variable: String,
        /// What it should hold.
        purpose: &'static str,
    },
}

impl SourceError {
    /// What kind of failure it is.
    pub fn category(&self) -> Category {
        match self {
            Self::Address { .. }
            | Self::TooLarge { .. }
            | Self::Frame { .. }
            | Self::Parameter { .. }
            | Self::Definition { .. } => Category::Invalid,
            Self::PrivateAddress { .. } | Self::Redirect { .. } | Self::Secret { .. } => Category::Denied,
            Self::Connection { .. } | Self::Silence { .. } | Self::Answer { .. } | Self::Unsteady { .. } => {
                Category::Unavailable
            }
            Self::Waiting { .. } | Self::Quota { .. } => Category::Busy,
            Self::Replaced { .. } => Category::Conflict,
            Self::Status { status, .. } => match status {
                401 | 403 => Category::Denied,
                404 | 410 => Category::NotFound,
                409 | 412 | 416 => Category::Conflict,
                202 | 408 | 425 | 429 => Category::Busy,
                500.. => Category::Unavailable,
                _ => Category::Invalid,
            },
        }
    }

    /// Whether the same request may succeed later without anyone changing it.
    pub fn is_transient(&self) -> bool {
        self.category().is_transient()
    }

    /// How long the archive asked to be left alone.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            Self::Waiting { wait, .. } => Some(*wait),
            _ => None,
        }
    }

    /// Whether it concerns one frame of a list only, so that the others still follow.
    pub fn is_about_one_frame(&self) -> bool {
        matches!(self, Self::Frame { .. })
    }
}

/// A part of a message that may be missing.
fn colon(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!(": {text}") }
}

/// What to do about a status that has one known cause.
fn advice(status: u16) -> &'static str {
    match status {
        401 => "; check the token",
        403 => "; the token's owner may not see this",
        429 => "; too many requests were made with this token or from this address",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(status: u16) -> SourceError {
        let (host, path) = ("archive.example".to_owned(), "/frames/".to_owned());
        SourceError::Status { host, path, status, message: "Invalid token.".to_owned(), retry_after: None }
    }

    #[test]
    fn a_refusal_says_who_refused_what_and_what_to_check() {
        assert_eq!(
            status(401).to_string(),
            "archive.example answered 401 to the request for /frames/: Invalid token.; check the token"
        );
    }

    #[test]
    fn only_what_may_pass_by_itself_is_transient() {
        for (code, transient) in
            [(400, false), (401, false), (404, false), (416, false), (429, true), (500, true), (503, true)]
        {
            assert_eq!(status(code).is_transient(), transient, "{code}");
        }
    }
}
