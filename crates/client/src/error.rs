//! What can go wrong between asking and having the answer.

use std::path::PathBuf;
use std::time::Duration;

use holotype_api::Problem;
use holotype_core::Category;

/// Why a call has no result.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The server cannot be meant: its address is not usable.
    #[error("'{address}' is not a usable server address: {reason}")]
    Address {
        /// The part of the address that can be shown.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A request cannot be made ready: certificates or credentials that cannot be used, mostly.
    #[error("the request cannot be prepared")]
    Setup(#[source] reqwest::Error),
    /// Nobody answers at the address.
    #[error("no server answers at {target}")]
    Connect {
        /// The server.
        target: String,
        /// What the connection says.
        #[source]
        source: reqwest::Error,
    },
    /// The server shows a certificate that nobody here vouches for.
    #[error("the certificate of {target} is not trusted")]
    Untrusted {
        /// The server.
        target: String,
        /// What is wrong with it.
        #[source]
        source: reqwest::Error,
    },
    /// The connection ended before the answer did.
    #[error("the exchange with {target} broke off")]
    Broken {
        /// The server.
        target: String,
        /// What the connection says.
        #[source]
        source: reqwest::Error,
    },
    /// No byte moved for as long as the client waits.
    #[error("{target} has been silent for {} s", limit.as_secs())]
    Stalled {
        /// The server.
        target: String,
        /// How long the client waits.
        limit: Duration,
    },
    /// The server said what is wrong.
    #[error("{}", .0.detail)]
    Problem(Box<Problem>),
    /// A stream ended in the middle, and the server said why.
    #[error("{detail}")]
    Ended {
        /// The stable name of the kind of failure.
        category: String,
        /// The server's words.
        detail: String,
    },
    /// An answer that no Holotype server gives.
    #[error(
        "{target} answered with status {status} and no problem document; is it a Holotype server? It began: {start}"
    )]
    Foreign {
        /// The server.
        target: String,
        /// The HTTP status.
        status: u16,
        /// The first characters of the answer.
        start: String,
    },
    /// An answer in a shape this version does not know.
    #[error("the answer to {call} cannot be read; are client and server of the same version?")]
    Unreadable {
        /// What was asked.
        call: String,
        /// Where reading stopped.
        #[source]
        source: serde_json::Error,
    },
    /// An answer larger than the client takes into memory.
    #[error("the answer to {call} is larger than {limit} bytes; ask for less at a time")]
    TooLarge {
        /// What was asked.
        call: String,
        /// The most that is taken, in bytes.
        limit: usize,
    },
    /// A name that cannot be part of an address or a form.
    #[error("'{name}' cannot be sent as a name: {reason}")]
    Name {
        /// The name, cut to 80 characters.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A file that was to be sent cannot be read.
    #[error("'{}' cannot be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The system gives no random bytes for an idempotency key.
    #[error("the system gives no random bytes")]
    Random(#[source] getrandom::Error),
}

impl ClientError {
    /// The kind of the failure.
    pub fn category(&self) -> Category {
        match self {
            ClientError::Address { .. }
            | ClientError::Setup(_)
            | ClientError::Name { .. }
            | ClientError::File { .. } => Category::Invalid,
            ClientError::Untrusted { .. }
            | ClientError::Connect { .. }
            | ClientError::Broken { .. }
            | ClientError::Stalled { .. } => Category::Unavailable,
            ClientError::Problem(problem) => named(&problem.category),
            ClientError::Ended { category, .. } => named(category),
            ClientError::Foreign { .. }
            | ClientError::Unreadable { .. }
            | ClientError::TooLarge { .. }
            | ClientError::Random(_) => Category::Internal,
        }
    }

    /// The problem document, if the server sent one.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            ClientError::Problem(problem) => Some(problem),
            _ => None,
        }
    }
}

/// The category of this name; one of a later version is taken for a fault of the server.
fn named(name: &str) -> Category {
    [Category::NotFound, Category::Conflict, Category::Invalid, Category::Denied, Category::Busy, Category::Unavailable]
        .into_iter()
        .find(|category| category.name() == name)
        .unwrap_or(Category::Internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(category: &str) -> ClientError {
        ClientError::Problem(Box::new(Problem {
            kind: "about:blank".to_owned(),
            title: "Not Found".to_owned(),
            status: 404,
            detail: "there is no datapoint 'x'".to_owned(),
            category: category.to_owned(),
            request_id: "1".to_owned(),
            errors: Vec::new(),
        }))
    }

    #[test]
    fn a_problem_keeps_its_category_and_its_words() {
        assert_eq!(problem("not_found").category(), Category::NotFound);
        assert_eq!(problem("not_found").to_string(), "there is no datapoint 'x'");
        assert_eq!(problem("of a later version").category(), Category::Internal);
    }
}
