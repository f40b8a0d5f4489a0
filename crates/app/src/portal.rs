//! What an observatory's portal tells of its users: who they are, and the token that they have there.

use holotype_catalog::{Catalog, CatalogError, Profile};
use secrecy::SecretString;

use crate::{App, AppError};

/// What the token is called here that a user has at the portal.
const TOKEN_NAME: &str = "portal";

/// What a portal tells of a user.
#[derive(Debug, Clone)]
pub struct Told {
    /// The user's name.
    pub name: String,
    /// What else it knows of the user.
    pub profile: Profile,
    /// The user's token there, with which the user signs in here as well, and reads the archive.
    pub token: Option<SecretString>,
}

impl App {
    /// Creates or updates the user of whom a portal tells.
    ///
    /// A portal makes nobody an administrator, and does not speak for one: whoever has its key would have everything here.
    ///
    /// # Errors
    /// [`CatalogError::AdminOnly`] for the name of an administrator, and while there is none; a token that cannot be taken.
    pub async fn provision(&self, told: Told) -> Result<(), AppError> {
        let Told { name, profile, token } = told;
        let (catalog, owner) = (self.catalog(), Catalog::local_owner());
        if !catalog.users_exist().await? {
            // The first user takes over what is held.
            return Err(CatalogError::AdminOnly { action: "create the first user" }.into());
        }
        let user = match catalog.find_user(&owner, &name).await {
            Ok(user) => user,
            Err(CatalogError::NotFound { .. }) => match catalog.create_user(&owner, &name, None, false).await {
                // Somebody else was quicker.
                Err(CatalogError::Conflict { .. }) => catalog.find_user(&owner, &name).await?,
                created => created?,
            },
            Err(error) => return Err(error.into()),
        };
        if user.admin {
            return Err(CatalogError::AdminOnly { action: "change an administrator" }.into());
        }
        catalog.put_profile(&owner, &name, profile).await?;
        if let Some(token) = token {
            catalog.adopt_token(&owner, &name, TOKEN_NAME, &token).await?;
            if let Some(remote) = self.remote()
                && self.config().sessions.token_key.is_some()
            {
                remote.set_token(&owner, user.id, &token).await?;
            }
        }
        Ok(())
    }
}
