//! Ids are types: a token's id cannot be passed for a user's.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use ulid::Ulid;

use crate::Instant;

/// Text that is not a ULID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a {kind} id: 26 characters of Crockford base 32 (a ULID) are needed")]
pub struct InvalidId {
    /// What the id should have named.
    pub kind: &'static str,
    /// What was given, cut to 80 characters.
    pub text: String,
}

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Ulid);

        impl $name {
            /// An id made at `now` out of 80 bits of `random`; later ids sort after earlier ones.
            pub fn from_parts(now: Instant, random: u128) -> Self {
                Self(Ulid::from_parts(u64::try_from(now.as_micros() / 1000).unwrap_or(0), random))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Ulid::from_string(text)
                    .map(Self)
                    .map_err(|_| InvalidId { kind: $kind, text: text.chars().take(80).collect() })
            }
        }
    };
}

id_type!(
    /// A person or a program that signs in.
    UserId, "user"
);
id_type!(
    /// A secret that stands for a user.
    TokenId, "token"
);
id_type!(
    /// What records belong to, and what users have roles on.
    ProjectId, "project"
);
id_type!(
    /// One execution of something: a job, and afterwards its place in the lineage.
    ActivityId, "job"
);

impl UserId {
    /// The owner of a home in which nobody has been created yet, and who acts for the service itself.
    pub const LOCAL: Self = Self(Ulid(0));
}

impl ProjectId {
    /// The project every home starts with; it belongs to [`UserId::LOCAL`] until the first user takes it over.
    pub const DEFAULT: Self = Self(Ulid(0));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_being_written_and_read() {
        let id = UserId::from_parts(Instant::from_micros(1_700_000_000_000_000), 7);
        assert_eq!(id.to_string().len(), 26);
        assert_eq!(id.to_string().parse::<UserId>().unwrap(), id);
        assert_eq!(serde_json::from_str::<UserId>(&serde_json::to_string(&id).unwrap()).unwrap(), id);
    }

    #[test]
    fn a_refused_id_says_what_it_should_have_named() {
        let error = "..".parse::<ProjectId>().unwrap_err();
        assert!(error.to_string().starts_with("'..' is not a project id"), "{error}");
    }
}
