//! Users, tokens, projects, members, and the record of who changed them.

use holotype_core::{Instant, ProjectId, Role, TokenId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::Secret;

/// Who the server takes the caller for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WhoAmI {
    /// The user's id.
    #[schema(schema_with = crate::schema::id)]
    pub id: UserId,
    /// The user's name.
    pub name: String,
    /// Whether the user runs the service.
    pub admin: bool,
    /// Where records go when a request names no project.
    #[schema(schema_with = crate::schema::id)]
    pub project: ProjectId,
    /// The token that was presented, if one was.
    #[schema(schema_with = crate::schema::optional_id)]
    pub token: Option<TokenId>,
}

/// A person or a program that signs in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// The user's id.
    #[schema(schema_with = crate::schema::id)]
    pub id: UserId,
    /// The user's name, unique in the service.
    pub name: String,
    /// Whether the user runs the service.
    pub admin: bool,
    /// Whether the user may no longer sign in.
    pub disabled: bool,
    /// Where the user's records go when a request names no project.
    #[schema(schema_with = crate::schema::id)]
    pub project: ProjectId,
    /// When the user was created.
    #[schema(schema_with = crate::schema::instant)]
    pub created_at: Instant,
}

/// A user to create. The first one becomes the administrator and takes over what the local owner made.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// The name, unique in the service.
    pub name: String,
    /// The password; without one the user signs in by token alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// Whether the user runs the service.
    #[serde(default)]
    pub admin: bool,
}

/// A password to set.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// The new password.
    pub password: Secret,
}

/// A secret that stands for a user, without the secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// The token's id.
    #[schema(schema_with = crate::schema::id)]
    pub id: TokenId,
    /// The user it stands for.
    #[schema(schema_with = crate::schema::id)]
    pub user: UserId,
    /// What it is for.
    pub name: String,
    /// When it was created.
    #[schema(schema_with = crate::schema::instant)]
    pub created_at: Instant,
    /// When it ceases to work.
    #[schema(schema_with = crate::schema::optional_instant)]
    pub expires_at: Option<Instant>,
    /// When it was last used, to the minute.
    #[schema(schema_with = crate::schema::optional_instant)]
    pub last_used_at: Option<Instant>,
}

/// A token to create.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// What it is for.
    pub name: String,
    /// Days until it ceases to work; without it, it works until it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_days: Option<u32>,
    /// The user it stands for, by name: the caller unless the caller runs the service and says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// A token just created. This is the only time its secret can be seen.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CreatedToken {
    /// The token's id, by which it is revoked.
    #[schema(schema_with = crate::schema::id)]
    pub id: TokenId,
    /// The secret to present.
    pub token: Secret,
}

/// A user's own token of the other archive that is configured, without the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ArchiveToken {
    /// The archive's address.
    pub archive: String,
    /// When the token was set; nothing if there is none.
    #[schema(schema_with = crate::schema::optional_instant)]
    pub set_at: Option<Instant>,
}

/// A token of the other archive to keep for a user. It is stored encrypted, and shown to nobody.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewArchiveToken {
    /// The token, as the archive gave it to the user.
    pub token: Secret,
}

/// What records belong to, and what users have roles on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Project {
    /// The project's id.
    #[schema(schema_with = crate::schema::id)]
    pub id: ProjectId,
    /// The project's name, unique in the service.
    pub name: String,
    /// When it was created.
    #[schema(schema_with = crate::schema::instant)]
    pub created_at: Instant,
    /// The caller's role on it; null for an administrator who has none.
    #[schema(schema_with = crate::schema::optional_role)]
    pub role: Option<Role>,
}

/// A project to create; the caller becomes its owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProject {
    /// The name, unique in the service.
    pub name: String,
}

/// A user who has a role on a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Member {
    /// The user's id.
    #[schema(schema_with = crate::schema::id)]
    pub user: UserId,
    /// The user's name.
    pub name: String,
    /// What the user may do.
    #[schema(schema_with = crate::schema::role)]
    pub role: Role,
}

/// A role to give to a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRole {
    /// What the user may do.
    #[schema(schema_with = crate::schema::role)]
    pub role: Role,
}

/// Something that somebody changed about the service itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AuditEvent {
    /// Its place in the record; later events have higher numbers.
    pub sequence: i64,
    /// When it happened.
    #[schema(schema_with = crate::schema::instant)]
    pub at: Instant,
    /// Who did it.
    #[schema(schema_with = crate::schema::id)]
    pub user: UserId,
    /// The user's name at the time.
    pub user_name: String,
    /// With which token, if with one.
    #[schema(schema_with = crate::schema::optional_id)]
    pub token: Option<TokenId>,
    /// What was done, for example `user.create`.
    pub action: String,
    /// What it was done to.
    pub target: String,
    /// What else there is to know.
    pub detail: Value,
}
