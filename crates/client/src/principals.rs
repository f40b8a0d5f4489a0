//! Users, tokens, projects and their members.

use holotype_api::Page;
use holotype_api::principal::{
    ArchiveToken, AuditEvent, CreatedToken, Member, NewArchiveToken, NewPassword, NewProject, NewToken, NewUser,
    Project, SetRole, Token, User, WhoAmI,
};
use holotype_core::{Role, TokenId};
use reqwest::Method;

use crate::{Client, ClientError, PageQuery};

impl Client {
    /// Who the server takes this client for.
    pub async fn who_am_i(&self) -> Result<WhoAmI, ClientError> {
        self.json(self.request(Method::GET, &["whoami"])?).await
    }

    /// One page of users.
    pub async fn users(&self, page: &PageQuery) -> Result<Page<User>, ClientError> {
        self.json(self.request(Method::GET, &["users"])?.query(page)).await
    }

    /// One user, by name.
    pub async fn user(&self, name: &str) -> Result<User, ClientError> {
        self.json(self.request(Method::GET, &["users", name])?).await
    }

    /// Creates a user. The first one becomes the administrator.
    pub async fn create_user(&self, user: &NewUser) -> Result<User, ClientError> {
        self.json(self.creation(&["users"])?.json(user)).await
    }

    /// Disables a user, by name: what the user made stays, but none of the user's tokens or passwords works any more.
    pub async fn disable_user(&self, name: &str) -> Result<(), ClientError> {
        self.done(self.request(Method::DELETE, &["users", name])?).await
    }

    /// Sets a user's password.
    pub async fn set_password(&self, name: &str, password: &NewPassword) -> Result<(), ClientError> {
        self.done(self.request(Method::PUT, &["users", name, "password"])?.json(password)).await
    }

    /// Whether a user's token of the other archive is kept.
    pub async fn archive_token(&self, user: &str) -> Result<ArchiveToken, ClientError> {
        self.json(self.request(Method::GET, &["users", user, "archive-token"])?).await
    }

    /// Keeps a user's token of the other archive, instead of the one that is kept.
    pub async fn set_archive_token(&self, user: &str, token: &NewArchiveToken) -> Result<(), ClientError> {
        self.done(self.request(Method::PUT, &["users", user, "archive-token"])?.json(token)).await
    }

    /// Forgets a user's token of the other archive.
    pub async fn remove_archive_token(&self, user: &str) -> Result<(), ClientError> {
        self.done(self.request(Method::DELETE, &["users", user, "archive-token"])?).await
    }

    /// One page of the tokens of a user, of the caller if none is named.
    pub async fn tokens(&self, user: Option<&str>, page: &PageQuery) -> Result<Page<Token>, ClientError> {
        self.json(self.request(Method::GET, &["tokens"])?.query(page).query(&[("user", user)])).await
    }

    /// Creates a token. Its secret is in the answer and cannot be had again.
    pub async fn create_token(&self, token: &NewToken) -> Result<CreatedToken, ClientError> {
        self.json(self.creation(&["tokens"])?.json(token)).await
    }

    /// Makes a token cease to work.
    pub async fn revoke_token(&self, id: TokenId) -> Result<(), ClientError> {
        self.done(self.request(Method::DELETE, &["tokens", &id.to_string()])?).await
    }

    /// One page of the projects the caller has a role on.
    pub async fn projects(&self, page: &PageQuery) -> Result<Page<Project>, ClientError> {
        self.json(self.request(Method::GET, &["projects"])?.query(page)).await
    }

    /// One project, by name or id.
    pub async fn project(&self, project: &str) -> Result<Project, ClientError> {
        self.json(self.request(Method::GET, &["projects", project])?).await
    }

    /// Creates a project; the caller becomes its owner.
    pub async fn create_project(&self, project: &NewProject) -> Result<Project, ClientError> {
        self.json(self.creation(&["projects"])?.json(project)).await
    }

    /// Deletes an empty project.
    pub async fn delete_project(&self, project: &str) -> Result<(), ClientError> {
        self.done(self.request(Method::DELETE, &["projects", project])?).await
    }

    /// One page of a project's members.
    pub async fn members(&self, project: &str, page: &PageQuery) -> Result<Page<Member>, ClientError> {
        self.json(self.request(Method::GET, &["projects", project, "members"])?.query(page)).await
    }

    /// Gives a user a role on a project, instead of the one the user has.
    pub async fn set_role(&self, project: &str, user: &str, role: Role) -> Result<(), ClientError> {
        let request = self.request(Method::PUT, &["projects", project, "members", user])?;
        self.done(request.json(&SetRole { role })).await
    }

    /// Takes a user's role on a project away.
    pub async fn remove_member(&self, project: &str, user: &str) -> Result<(), ClientError> {
        self.done(self.request(Method::DELETE, &["projects", project, "members", user])?).await
    }

    /// One page of what somebody changed about the service itself, newest first.
    pub async fn audit(&self, page: &PageQuery) -> Result<Page<AuditEvent>, ClientError> {
        self.json(self.request(Method::GET, &["audit"])?.query(page)).await
    }
}
