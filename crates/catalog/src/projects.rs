//! Projects, and who may do what in them.

use holotype_core::{Caller, Instant, ProjectId, Role, UserId};
use sea_query::{Expr, ExprTrait as _, Func, Query};
use serde_json::json;

use crate::row::Row;
use crate::{Catalog, CatalogError, Tx, names, random, values};

/// What records belong to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its id.
    pub id: ProjectId,
    /// Its name, unique in the catalog.
    pub name: String,
    /// When it was created.
    pub created_at: Instant,
    /// The caller's role in it; `None` for an administrator who has none.
    pub role: Option<Role>,
}

/// A user's role in a project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The user.
    pub user: UserId,
    /// The user's name.
    pub name: String,
    /// What the user may do.
    pub role: Role,
}

impl Tx {
    /// A user's role in a project, if the project exists and the user has one. The local owner owns every project.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn role_of(&mut self, user: UserId, project: ProjectId) -> Result<Option<Role>, CatalogError> {
        if user == UserId::LOCAL {
            if project == ProjectId::DEFAULT {
                // It is there from the beginning and is never deleted: a single user's lab need not ask.
                return Ok(Some(Role::Owner));
            }
            let row = self.row_sql("SELECT id FROM projects WHERE id = $1", values![project]).await?;
            return Ok(row.map(|_| Role::Owner));
        }
        let select = "SELECT role FROM members WHERE project = $1 AND user_id = $2";
        self.row_sql(select, values![project, user]).await?.map(|row| row.get("role")).transpose()
    }

    /// Refuses a caller who has not at least `role` in the project.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`] alike for a project that does not exist and one in which the caller has no role;
    /// [`CatalogError::RoleTooLow`].
    pub async fn require(&mut self, caller: &Caller, project: ProjectId, role: Role) -> Result<(), CatalogError> {
        match self.role_of(caller.user, project).await? {
            None => Err(CatalogError::not_found("project", project)),
            Some(has) if has < role => Err(CatalogError::RoleTooLow { has, needs: role }),
            Some(_) => Ok(()),
        }
    }

    /// As [`require`](Self::require) for an owner, but an administrator may as well: somebody must be able to help.
    async fn require_steward(&mut self, caller: &Caller, project: ProjectId) -> Result<(), CatalogError> {
        if !caller.admin {
            return self.require(caller, project, Role::Owner).await;
        }
        let row = self.row_sql("SELECT id FROM projects WHERE id = $1", values![project]).await?;
        row.map(drop).ok_or_else(|| CatalogError::not_found("project", project))
    }

    /// Makes a project with its first owner.
    pub(crate) async fn add_project(&mut self, name: &str, owner: UserId) -> Result<ProjectId, CatalogError> {
        let id = ProjectId::from_parts(self.now(), random::bits()?);
        let insert = "INSERT INTO projects (id, name, created_at) VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING";
        if self.exec_sql(insert, values![id, name, self.now()]).await? == 0 {
            return Err(CatalogError::conflict(format!("there is already a project named '{name}'")));
        }
        self.put_member(id, owner, Role::Owner).await?;
        Ok(id)
    }

    pub(crate) async fn put_member(
        &mut self,
        project: ProjectId,
        user: UserId,
        role: Role,
    ) -> Result<(), CatalogError> {
        let upsert = "INSERT INTO members (project, user_id, role) VALUES ($1, $2, $3)
            ON CONFLICT (project, user_id) DO UPDATE SET role = excluded.role";
        self.exec_sql(upsert, values![project, user, role]).await.map(drop)
    }

    /// Refuses to leave a project that people use without an owner.
    async fn expect_owner(&mut self, project: ProjectId) -> Result<(), CatalogError> {
        let select = "SELECT user_id FROM members WHERE project = $1 AND role = 'owner'";
        match self.row_sql(select, values![project]).await? {
            Some(_) => Ok(()),
            None => Err(CatalogError::conflict("a project keeps at least one owner; make another member owner first")),
        }
    }

    /// Makes changes of a project's members wait for each other, so that two owners cannot remove one another.
    async fn lock_project(&mut self, project: ProjectId) -> Result<(), CatalogError> {
        self.exec_sql("UPDATE projects SET name = name WHERE id = $1", values![project]).await.map(drop)
    }
}

impl Catalog {
    /// A user's role in a project.
    ///
    /// # Errors
    /// As [`Tx::role_of`].
    pub async fn role_of(&self, user: UserId, project: ProjectId) -> Result<Option<Role>, CatalogError> {
        self.read(move |tx| Box::pin(async move { tx.role_of(user, project).await })).await
    }

    /// Refuses a caller who has not at least `role` in the project.
    ///
    /// # Errors
    /// As [`Tx::require`].
    pub async fn require(&self, caller: &Caller, project: ProjectId, role: Role) -> Result<(), CatalogError> {
        let caller = caller.clone();
        self.read(move |tx| {
            let caller = caller.clone();
            Box::pin(async move { tx.require(&caller, project, role).await })
        })
        .await
    }

    /// Creates a project; the caller becomes its owner.
    ///
    /// # Errors
    /// [`CatalogError::Invalid`] and [`CatalogError::Conflict`] for the name.
    pub async fn create_project(&self, caller: &Caller, name: &str) -> Result<Project, CatalogError> {
        names::check("project", name)?;
        let (caller, name) = (caller.clone(), name.to_owned());
        self.write(move |tx| {
            let (caller, name) = (caller.clone(), name.clone());
            Box::pin(async move {
                let id = tx.add_project(&name, caller.user).await?;
                tx.audit(&caller, "project.create", &name, json!({ "id": id })).await?;
                Ok(Project { id, name, created_at: tx.now(), role: Some(Role::Owner) })
            })
        })
        .await
    }

    /// The projects in which the caller has a role, and for an administrator all of them, by name.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn list_projects(&self, caller: &Caller) -> Result<Vec<Project>, CatalogError> {
        let caller = caller.clone();
        self.read(move |tx| {
            let caller = caller.clone();
            Box::pin(async move {
                let select = "SELECT p.id, p.name, p.created_at, m.role FROM projects p
                    LEFT JOIN members m ON m.project = p.id AND m.user_id = $1
                    WHERE m.role IS NOT NULL OR $2 ORDER BY p.name";
                let rows = tx.rows_sql(select, values![caller.user, caller.admin]).await?;
                rows.iter().map(|row| project(row, &caller)).collect()
            })
        })
        .await
    }

    /// The project of this id or name, if the caller has a role in it or is an administrator.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`].
    pub async fn find_project(&self, caller: &Caller, id_or_name: &str) -> Result<Project, CatalogError> {
        let (caller, wanted) = (caller.clone(), id_or_name.to_owned());
        self.read(move |tx| {
            let (caller, wanted) = (caller.clone(), wanted.clone());
            Box::pin(async move {
                let select = "SELECT p.id, p.name, p.created_at, m.role FROM projects p
                    LEFT JOIN members m ON m.project = p.id AND m.user_id = $1
                    WHERE (m.role IS NOT NULL OR $2) AND (p.id = $3 OR p.name = $4)";
                // Ids are written in capitals, and read in either case.
                let id = wanted.parse::<ProjectId>().map_or(String::new(), |id| id.to_string());
                let row = tx.row_sql(select, values![caller.user, caller.admin, id, wanted]).await?;
                project(&row.ok_or_else(|| CatalogError::not_found("project", wanted))?, &caller)
            })
        })
        .await
    }

    /// Deletes a project that holds nothing and is nobody's default.
    ///
    /// # Errors
    /// As [`Tx::require`] for an owner; [`CatalogError::Conflict`] if it is in use.
    pub async fn delete_project(&self, caller: &Caller, id: ProjectId) -> Result<(), CatalogError> {
        let (caller, kinds) = (caller.clone(), self.record_kinds());
        self.write(move |tx| {
            let (caller, kinds) = (caller.clone(), kinds.clone());
            Box::pin(async move {
                tx.require_steward(&caller, id).await?;
                tx.lock_project(id).await?;
                let of_a_user = "SELECT id FROM users WHERE default_project = $1 LIMIT 1";
                if id == ProjectId::DEFAULT || tx.row_sql(of_a_user, values![id]).await?.is_some() {
                    return Err(CatalogError::conflict("this project is a user's default, so it stays"));
                }
                let tables = kinds.iter().map(|kind| (kind.table, kind.project_column));
                for (table, column) in tables.chain([("activities", "project"), ("blob_references", "project")]) {
                    let mut select = Query::select();
                    select.expr_as(Func::count(Expr::val(1)), "records").from(table);
                    select.and_where(Expr::col(column).eq(id.to_string()));
                    let records: i64 = tx.row(&select).await?.map_or(Ok(0), |row| row.get("records"))?;
                    if records > 0 {
                        let problem =
                            format!("this project still holds {records} of {table}; only an empty one is deleted");
                        return Err(CatalogError::conflict(problem));
                    }
                }
                tx.exec_sql("DELETE FROM projects WHERE id = $1", values![id]).await?;
                tx.audit(&caller, "project.delete", &id.to_string(), json!({})).await
            })
        })
        .await
    }

    /// Who has a role in a project, by name. Its members and administrators may ask.
    ///
    /// # Errors
    /// [`CatalogError::NotFound`].
    pub async fn members(&self, caller: &Caller, project: ProjectId) -> Result<Vec<Member>, CatalogError> {
        let caller = caller.clone();
        self.read(move |tx| {
            let caller = caller.clone();
            Box::pin(async move {
                if !caller.admin {
                    tx.require(&caller, project, Role::Viewer).await?;
                }
                let select = "SELECT u.id, u.name, m.role FROM members m JOIN users u ON u.id = m.user_id
                    WHERE m.project = $1 ORDER BY u.name";
                let rows = tx.rows_sql(select, values![project]).await?;
                rows.iter()
                    .map(|row| Ok(Member { user: row.get("id")?, name: row.get("name")?, role: row.get("role")? }))
                    .collect()
            })
        })
        .await
    }

    /// Gives a user a role in a project, or another one.
    ///
    /// # Errors
    /// As [`Tx::require`] for an owner; [`CatalogError::NotFound`] for the user; [`CatalogError::Conflict`] if no owner
    /// were left.
    pub async fn set_role(
        &self,
        caller: &Caller,
        project: ProjectId,
        user: &str,
        role: Role,
    ) -> Result<(), CatalogError> {
        let (caller, name) = (caller.clone(), user.to_owned());
        self.write(move |tx| {
            let (caller, name) = (caller.clone(), name.clone());
            Box::pin(async move {
                tx.require_steward(&caller, project).await?;
                tx.lock_project(project).await?;
                let user = tx.user_named(&name).await?;
                tx.put_member(project, user.id, role).await?;
                tx.expect_owner(project).await?;
                let detail = json!({ "user": name, "role": role });
                tx.audit(&caller, "member.set", &project.to_string(), detail).await
            })
        })
        .await
    }

    /// Takes a user's role in a project away. Owners and administrators may, and everybody for themselves.
    ///
    /// # Errors
    /// As [`set_role`](Self::set_role).
    pub async fn remove_member(&self, caller: &Caller, project: ProjectId, user: &str) -> Result<(), CatalogError> {
        let (caller, name) = (caller.clone(), user.to_owned());
        self.write(move |tx| {
            let (caller, name) = (caller.clone(), name.clone());
            Box::pin(async move {
                if caller.name == name {
                    tx.require(&caller, project, Role::Viewer).await?;
                } else {
                    tx.require_steward(&caller, project).await?;
                }
                tx.lock_project(project).await?;
                let user = tx.user_named(&name).await?;
                if user.project == project {
                    return Err(CatalogError::conflict(
                        "this is the user's default project, so the user stays a member",
                    ));
                }
                let delete = "DELETE FROM members WHERE project = $1 AND user_id = $2";
                if tx.exec_sql(delete, values![project, user.id]).await? == 0 {
                    return Err(CatalogError::not_found("member", name));
                }
                tx.expect_owner(project).await?;
                tx.audit(&caller, "member.remove", &project.to_string(), json!({ "user": name })).await
            })
        })
        .await
    }
}

fn project(row: &Row, caller: &Caller) -> Result<Project, CatalogError> {
    let role = if caller.user == UserId::LOCAL { Some(Role::Owner) } else { row.get("role")? };
    Ok(Project { id: row.get("id")?, name: row.get("name")?, created_at: row.get("created_at")?, role })
}
