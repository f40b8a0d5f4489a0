//! What an observatory's portal told of a user.

use holotype_core::{Caller, UserId};
use serde_json::json;

use crate::row::Row;
use crate::{Catalog, CatalogError, users, values};

/// Most characters of a name or an address.
const LONGEST: usize = 200;

/// What a portal told of a user. It grants nothing here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Profile {
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// The address for mail.
    pub email: String,
    /// Whether the user wants to see at the portal what its staff sees.
    pub staff_view: bool,
    /// Whether the user is of the portal's staff.
    pub is_staff: bool,
    /// Whether the user runs the portal.
    pub is_superuser: bool,
}

impl Catalog {
    /// Writes down what a portal told of a user, instead of what it told before. Administrators only.
    ///
    /// # Errors
    /// [`CatalogError::AdminOnly`]; [`CatalogError::NotFound`] for the user; [`CatalogError::Invalid`] for what is too long.
    pub async fn put_profile(&self, caller: &Caller, user: &str, profile: Profile) -> Result<(), CatalogError> {
        users::expect_admin(caller, "write down what a portal tells of users")?;
        for text in [&profile.first_name, &profile.last_name, &profile.email] {
            if text.chars().count() > LONGEST || text.chars().any(char::is_control) {
                return Err(CatalogError::invalid(
                    "names and addresses have at most 200 characters and no control characters",
                ));
            }
        }
        let (user, caller) = (self.find_user(caller, user).await?, caller.clone());
        self.write(move |tx| {
            let (user, caller, profile) = (user.clone(), caller.clone(), profile.clone());
            Box::pin(async move {
                let put = "INSERT INTO profiles (user_id, first_name, last_name, email, staff_view, is_staff, is_superuser)
                    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (user_id) DO UPDATE SET first_name = excluded.first_name,
                    last_name = excluded.last_name, email = excluded.email, staff_view = excluded.staff_view,
                    is_staff = excluded.is_staff, is_superuser = excluded.is_superuser";
                let Profile { first_name, last_name, email, staff_view, is_staff, is_superuser } = profile;
                let row = values![user.id, first_name, last_name, email, staff_view, is_staff, is_superuser];
                tx.exec_sql(put, row).await?;
                tx.audit(&caller, "user.profile", &user.name, json!({ "id": user.id })).await
            })
        })
        .await
    }

    /// What a portal told of a user, if it told anything.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn profile(&self, user: UserId) -> Result<Option<Profile>, CatalogError> {
        self.read(move |tx| {
            Box::pin(async move {
                let select = "SELECT first_name, last_name, email, staff_view, is_staff, is_superuser
                    FROM profiles WHERE user_id = $1";
                tx.row_sql(select, values![user]).await?.as_ref().map(profile).transpose()
            })
        })
        .await
    }
}

fn profile(row: &Row) -> Result<Profile, CatalogError> {
    Ok(Profile {
        first_name: row.get("first_name")?,
        last_name: row.get("last_name")?,
        email: row.get("email")?,
        staff_view: row.get("staff_view")?,
        is_staff: row.get("is_staff")?,
        is_superuser: row.get("is_superuser")?,
    })
}
