//! Who asks, and what they may do.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{ProjectId, TokenId, UserId};

/// What a user may do in a project. Each role may do what the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// May read everything.
    Viewer,
    /// May also add, change and delete records.
    Editor,
    /// May also change the project and its members.
    Owner,
}

/// Text that names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a role: viewer, editor or owner is needed")]
pub struct UnknownRole {
    /// What was given, cut to 80 characters.
    pub text: String,
}

impl Role {
    /// The stable name, as stored and as written in commands.
    pub fn name(self) -> &'static str {
        match self {
            Role::Viewer => "viewer",
            Role::Editor => "editor",
            Role::Owner => "owner",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        [Role::Viewer, Role::Editor, Role::Owner]
            .into_iter()
            .find(|role| role.name() == text)
            .ok_or_else(|| UnknownRole { text: text.chars().take(80).collect() })
    }
}

/// The principal behind a request, established once at the edge and handed to everything below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The user who asks; [`UserId::LOCAL`] while nobody has been created.
    pub user: UserId,
    /// The user's name, for messages and audit.
    pub name: String,
    /// The token that was presented, if one was.
    pub token: Option<TokenId>,
    /// Where records go when a request names no project.
    pub project: ProjectId,
    /// Whether the user runs the service: users, store, database, everyone's jobs.
    pub admin: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_higher_role_may_do_what_a_lower_one_may() {
        assert!(Role::Owner > Role::Editor && Role::Editor > Role::Viewer);
        assert_eq!("editor".parse::<Role>().unwrap(), Role::Editor);
        assert_eq!("root".parse::<Role>().unwrap_err().text, "root");
    }
}
