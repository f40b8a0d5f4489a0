//! For whom frames are looked up.

use holotype_core::{Caller, UserId};

/// Who looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Viewer {
    /// Somebody who is not signed in, and sees what is public.
    Public,
    /// A user, who also sees the frames of projects in which they have a role, and of proposals that such a project is named after.
    User(UserId),
    /// Who runs the service, and sees everything.
    Everything,
}

impl Viewer {
    /// The viewer that a caller is; without one, the public.
    pub fn of(caller: Option<&Caller>) -> Self {
        match caller {
            None => Self::Public,
            Some(caller) if caller.admin || caller.user == UserId::LOCAL => Self::Everything,
            Some(caller) => Self::User(caller.user),
        }
    }
}
