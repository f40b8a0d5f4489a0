//! Users: who may sign in.

use holotype_core::{Caller, Instant, ProjectId, UserId};
use secrecy::SecretString;
use serde_json::json;

use crate::row::Row;
use crate::{Catalog, CatalogError, Tx, names, random, values};

/// A person or a program that signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// The name, unique in the catalog.
    pub name: String,
    /// Whether the user runs the service.
    pub admin: bool,
    /// Whether the user may no longer sign in.
    pub disabled: bool,
    /// Where the user's records go when a request names no project.
    pub project: ProjectId,
    /// When the user was created.
    pub created_at: Instant,
}

impl Tx {
    /// The user of this name.
    pub(crate) async fn user_named(&mut self, name: &str) -> Result<User, CatalogError> {
        let select = "SELECT id, name, admin, disabled_at, default_project, created_at FROM users WHERE name = $1";
        let row = self.row_sql(select, values![name]).await?;
        row.as_ref().map_or_else(|| Err(CatalogError::not_found("user", name)), user)
    }

    /// Makes changes of who runs the service wait for each other.
    async fn lock_users(&mut self) -> Result<(), CatalogError> {
        self.exec_sql("UPDATE projects SET name = name WHERE id = $1", values![ProjectId::DEFAULT]).await.map(drop)
    }

    /// The default project of a new user: the first one takes over what the local owner made, others get their own.
    async fn project_for(&mut self, id: UserId, name: &str, first: bool) -> Result<ProjectId, CatalogError> {
        if first {
            let take = "UPDATE members SET user_id = $1 WHERE user_id = $2";
            self.exec_sql(take, values![id, UserId::LOCAL]).await?;
            return Ok(ProjectId::DEFAULT);
        }
        // A project of that name may be there; the user's id makes a name that is not.
        let taken = self.row_sql("SELECT id FROM projects WHERE name = $1", values![name]).await?.is_some();
        if taken { self.add_project(&format!("{name} ({id})"), id).await } else { self.add_project(name, id).await }
    }
}

impl Catalog {
    /// Who asks while nobody has been created, and who acts for the service itself: may do everything.
    pub fn local_owner() -> Caller {
        Caller { user: UserId::LOCAL, name: "local".to_owned(), token: None, project: ProjectId::DEFAULT, admin: true }
    }

    /// Whether any user has been created. The answer no may be a second old if another process created the first one.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn users_exist(&self) -> Result<bool, CatalogError> {
        let now = self.clock().now();
        if let Some(known) = self.presence().known(now) {
            return Ok(known);
        }
        let read = self.read(|tx| Box::pin(async move { tx.row_sql("SELECT id FROM users LIMIT 1", values![]).await }));
        let exist = read.await?.is_some();
        self.presence().learn(exist, now);
        Ok(exist)
    }

    /// Creates a user. The first one becomes an administrator and takes over what the local owner made; every later one
    /// gets a project of their own. Administrators only.
    ///
    /// # Errors
    /// [`CatalogError::AdminOnly`]; [`CatalogError::Invalid`] for the name or the password; [`CatalogError::Conflict`]
    /// for a name that is taken.
    pub async fn create_user(
        &self,
        caller: &Caller,
        name: &str,
        password: Option<SecretString>,
        admin: bool,
    ) -> Result<User, CatalogError> {
        expect_admin(caller, "create users")?;
        names::check("user", name)?;
        let password = match password {
            Some(password) => Some(self.passwords().hash(password).await?),
            None => None,
        };
        let (caller, name) = (caller.clone(), name.to_owned());
        let created: Result<User, CatalogError> = self
            .write(move |tx| {
                let (caller, name, password) = (caller.clone(), name.clone(), password.clone());
                Box::pin(async move {
                    tx.lock_users().await?;
                    let first = tx.row_sql("SELECT id FROM users LIMIT 1", values![]).await?.is_none();
                    if tx.row_sql("SELECT id FROM users WHERE name = $1", values![name]).await?.is_some() {
                        return Err(CatalogError::conflict(format!("there is already a user named '{name}'")));
                    }
                    let id = UserId::from_parts(tx.now(), random::bits()?);
                    let project = tx.project_for(id, &name, first).await?;
                    let user = User { id, name, admin: admin || first, disabled: false, project, created_at: tx.now() };
                    let insert = "INSERT INTO users (id, name, password, admin, default_project, created_at)
                    VALUES ($1, $2, $3, $4, $5, $6)";
                    tx.exec_sql(insert, values![id, user.name, password, user.admin, project, user.created_at]).await?;
                    tx.audit(&caller, "user.create", &user.name, json!({ "id": id, "admin": user.admin })).await?;
                    Ok(user)
                })
            })
            .await;
        if let Ok(user) = &created {
            self.presence().learn(true, user.created_at);
        }
        created
    }

    /// All users, by name. Administrators only.
    ///
    /// # Errors
    /// [`CatalogError::AdminOnly`].
    pub async fn list_users(&self, caller: &Caller) -> Result<Vec<User>, CatalogError> {
        expect_admin(caller, "list users")?;
        self.read(|tx| {
            Box::pin(async move {
                let select =
                    "SELECT id, name, admin, disabled_at, default_project, created_at FROM users ORDER BY name";
                tx.rows_sql(select, values![]).await?.iter().map(user).collect()
            })
        })
        .await
    }

    /// A user, for an administrator or the user.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`], for others as well.
    pub async fn find_user(&self, caller: &Caller, name: &str) -> Result<User, CatalogError> {
        if !caller.admin && caller.name != name {
            return Err(CatalogError::not_found("user", name));
        }
        let name = name.to_owned();
        self.read(move |tx| {
            let name = name.clone();
            Box::pin(async move { tx.user_named(&name).await })
        })
        .await
    }

    /// Keeps a user from signing in, by password or token. What the user made stays. Administrators only.
    ///
    /// # Errors
    /// [`CatalogError::AdminOnly`]; [`CatalogError::NotFound`]; [`CatalogError::Conflict`] for the last administrator.
    pub async fn disable_user(&self, caller: &Caller, name: &str) -> Result<(), CatalogError> {
        expect_admin(caller, "disable users")?;
        let (caller, name, catalog) = (caller.clone(), name.to_owned(), self.clone());
        self.write(move |tx| {
            let (caller, name, catalog) = (caller.clone(), name.clone(), catalog.clone());
            Box::pin(async move {
                tx.lock_users().await?;
                let user = tx.user_named(&name).await?;
                let disable = "UPDATE users SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NULL";
                if tx.exec_sql(disable, values![user.id, tx.now()]).await? == 0 {
                    return Ok(());
                }
                let admins = "SELECT id FROM users WHERE admin AND disabled_at IS NULL LIMIT 1";
                if tx.row_sql(admins, values![]).await?.is_none() {
                    return Err(CatalogError::conflict("the last administrator stays; create another one first"));
                }
                tx.after_commit(Box::new(move || catalog.token_cache().forget_all()));
                tx.audit(&caller, "user.disable", &name, json!({ "id": user.id })).await
            })
        })
        .await
    }

    /// Sets a user's password. Administrators may, and everybody for themselves.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`], also for a caller who may not; [`CatalogError::Invalid`].
    pub async fn set_password(&self, caller: &Caller, name: &str, password: SecretString) -> Result<(), CatalogError> {
        let user = self.find_user(caller, name).await?;
        let hash = self.passwords().hash(password).await?;
        let caller = caller.clone();
        self.write(move |tx| {
            let (caller, user, hash) = (caller.clone(), user.clone(), hash.clone());
            Box::pin(async move {
                tx.exec_sql("UPDATE users SET password = $2 WHERE id = $1", values![user.id, hash]).await?;
                tx.audit(&caller, "user.password", &user.name, json!({ "id": user.id })).await
            })
        })
        .await
    }

    /// Who signs in with this name and password, if anybody may.
    ///
    /// # Errors
    /// [`CatalogError::TooManyLogins`].
    pub async fn authenticate_password(
        &self,
        name: &str,
        password: &SecretString,
    ) -> Result<Option<Caller>, CatalogError> {
        let name = name.to_owned();
        let found = self
            .read(move |tx| {
                let name = name.clone();
                Box::pin(async move {
                    let select = "SELECT id, name, admin, default_project, password FROM users
                        WHERE name = $1 AND disabled_at IS NULL";
                    let Some(row) = tx.row_sql(select, values![name]).await? else { return Ok(None) };
                    let hash: Option<String> = row.get("password")?;
                    Ok::<_, CatalogError>(Some((caller(&row)?, hash)))
                })
            })
            .await?;
        let (caller, hash) = found.unzip();
        let right = self.passwords().verify(password.clone(), hash.flatten()).await?;
        Ok(caller.filter(|_| right))
    }
}

/// Refuses everybody but administrators.
pub(crate) fn expect_admin(caller: &Caller, action: &'static str) -> Result<(), CatalogError> {
    if caller.admin { Ok(()) } else { Err(CatalogError::AdminOnly { action }) }
}

/// The caller a row of `users` stands for.
pub(crate) fn caller(row: &Row) -> Result<Caller, CatalogError> {
    let (user, project) = (row.get("id")?, row.get("default_project")?);
    Ok(Caller { user, name: row.get("name")?, token: None, project, admin: row.get("admin")? })
}

fn user(row: &Row) -> Result<User, CatalogError> {
    Ok(User {
        id: row.get("id")?,
        name: row.get("name")?,
        admin: row.get("admin")?,
        disabled: row.get::<Option<Instant>>("disabled_at")?.is_some(),
        project: row.get("default_project")?,
        created_at: row.get("created_at")?,
    })
}
