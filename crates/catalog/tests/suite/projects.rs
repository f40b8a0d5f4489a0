//! Projects and roles: what is not one's own does not exist.

use holotype_catalog::{Catalog, CatalogError, RecordKind, values};
use holotype_core::{ProjectId, Role, UserId};

use crate::engines::{Bench, on_both};
use crate::principals::two_users;

on_both! {
    a_project_without_a_role_and_one_that_does_not_exist_look_alike
    each_role_may_do_what_the_ones_below_may
    only_owners_change_members
    a_project_keeps_an_owner
    an_administrator_helps_out_but_has_no_role
    a_project_is_deleted_when_nothing_is_in_it
    projects_are_found_by_id_and_name
}

async fn a_project_without_a_role_and_one_that_does_not_exist_look_alike(bench: Bench) {
    let catalog = &bench.catalog;
    let (ada, ben) = two_users(catalog).await;
    let hidden = catalog.create_project(&ada, "hidden").await.unwrap().id;
    let nowhere = ProjectId::from_parts(holotype_core::Instant::from_micros(1), 1);
    for project in [hidden, nowhere] {
        for role in [Role::Viewer, Role::Owner] {
            match catalog.require(&ben, project, role).await {
                Err(CatalogError::NotFound { kind: "project", name }) => assert_eq!(name, project.to_string()),
                other => panic!("{other:?}"),
            }
        }
        assert!(matches!(catalog.members(&ben, project).await, Err(CatalogError::NotFound { .. })));
        assert!(matches!(
            catalog.set_role(&ben, project, "ben", Role::Owner).await,
            Err(CatalogError::NotFound { .. })
        ));
        assert!(matches!(catalog.remove_member(&ben, project, "ada").await, Err(CatalogError::NotFound { .. })));
        assert!(matches!(catalog.delete_project(&ben, project).await, Err(CatalogError::NotFound { .. })));
    }
    assert!(matches!(catalog.find_project(&ben, "hidden").await, Err(CatalogError::NotFound { .. })));
    assert!(matches!(catalog.find_project(&ben, &hidden.to_string()).await, Err(CatalogError::NotFound { .. })));
    assert!(catalog.list_projects(&ben).await.unwrap().iter().all(|project| project.id != hidden));
}

async fn each_role_may_do_what_the_ones_below_may(bench: Bench) {
    let catalog = &bench.catalog;
    let (ada, ben) = two_users(catalog).await;
    let project = catalog.create_project(&ada, "shared").await.unwrap().id;
    for has in [Role::Viewer, Role::Editor, Role::Owner] {
        catalog.set_role(&ada, project, "ben", has).await.unwrap();
        assert_eq!(catalog.role_of(ben.user, project).await.unwrap(), Some(has));
        for needs in [Role::Viewer, Role::Editor, Role::Owner] {
            match catalog.require(&ben, project, needs).await {
                Ok(()) => assert!(has >= needs),
                Err(CatalogError::RoleTooLow { .. }) => assert!(has < needs),
                other => panic!("{other:?}"),
            }
        }
    }
    let members = catalog.members(&ben, project).await.unwrap();
    let roles: Vec<_> = members.iter().map(|member| (member.name.as_str(), member.role)).collect();
    assert_eq!(roles, [("ada", Role::Owner), ("ben", Role::Owner)]);
    catalog.remove_member(&ben, project, "ada").await.unwrap();
    assert!(matches!(catalog.require(&ada, project, Role::Viewer).await, Err(CatalogError::NotFound { .. })));
}

async fn only_owners_change_members(bench: Bench) {
    let catalog = &bench.catalog;
    let (ada, ben) = two_users(catalog).await;
    let cleo = crate::principals::caller(catalog.create_user(&ada, "cleo", None, false).await.unwrap());
    let project = catalog.create_project(&ben, "bens").await.unwrap().id;
    catalog.set_role(&ben, project, "cleo", Role::Editor).await.unwrap();
    let refused = catalog.set_role(&cleo, project, "cleo", Role::Owner).await;
    assert!(matches!(refused, Err(CatalogError::RoleTooLow { has: Role::Editor, needs: Role::Owner })), "{refused:?}");
    assert!(matches!(catalog.remove_member(&cleo, project, "ben").await, Err(CatalogError::RoleTooLow { .. })));
    assert!(matches!(
        catalog.set_role(&ben, project, "nobody", Role::Viewer).await,
        Err(CatalogError::NotFound { .. })
    ));
    catalog.remove_member(&cleo, project, "cleo").await.unwrap();
    assert_eq!(catalog.role_of(cleo.user, project).await.unwrap(), None, "everybody may leave");
}

async fn a_project_keeps_an_owner(bench: Bench) {
    let catalog = &bench.catalog;
    let (_, ben) = two_users(catalog).await;
    let project = catalog.create_project(&ben, "bens").await.unwrap().id;
    assert!(matches!(catalog.set_role(&ben, project, "ben", Role::Viewer).await, Err(CatalogError::Conflict { .. })));
    assert!(matches!(catalog.remove_member(&ben, project, "ben").await, Err(CatalogError::Conflict { .. })));
    assert!(matches!(catalog.remove_member(&ben, ben.project, "ben").await, Err(CatalogError::Conflict { .. })));
    catalog.set_role(&ben, project, "ada", Role::Owner).await.unwrap();
    // Two owners who remove each other at the same time leave one.
    let (ada, _) = (catalog.find_user(&Catalog::local_owner(), "ada").await.unwrap(), ());
    let ada = crate::principals::caller(ada);
    let (one, other) =
        tokio::join!(catalog.remove_member(&ben, project, "ada"), catalog.remove_member(&ada, project, "ben"));
    assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
}

async fn an_administrator_helps_out_but_has_no_role(bench: Bench) {
    let catalog = &bench.catalog;
    let (ada, ben) = two_users(catalog).await;
    let project = catalog.create_project(&ben, "bens").await.unwrap().id;
    assert!(matches!(catalog.require(&ada, project, Role::Viewer).await, Err(CatalogError::NotFound { .. })));
    let seen = catalog.find_project(&ada, "bens").await.unwrap();
    assert_eq!((seen.id, seen.role), (project, None));
    catalog.set_role(&ada, project, "ada", Role::Owner).await.unwrap();
    catalog.require(&ada, project, Role::Owner).await.unwrap();
    let events = catalog.audit_events(&ada, None, 1).await.unwrap();
    assert_eq!((events[0].action.as_str(), events[0].user), ("member.set", ada.user), "and it is on record");
}

async fn a_project_is_deleted_when_nothing_is_in_it(bench: Bench) {
    let catalog = &bench.catalog;
    catalog.register_record_kind(RecordKind {
        kind: "datapoint",
        table: "datapoints",
        id_column: "id",
        integer_ids: false,
        project_column: "project",
        agent_column: "agent",
        created_column: "created_at",
    });
    let (ada, ben) = two_users(catalog).await;
    let project = catalog.create_project(&ben, "bens").await.unwrap().id;
    catalog
        .write(move |tx| {
            Box::pin(async move {
                let insert = "INSERT INTO datapoints
            (project, id, label, data_type, data_timestamp, document, content_digest, agent, created_at)
            VALUES ($1, 'x', '', 'json', '', '{}', $2, $3, 0)";
                tx.exec_sql(insert, values![project, vec![0_u8], UserId::LOCAL]).await
            })
        })
        .await
        .unwrap();
    match catalog.delete_project(&ben, project).await {
        Err(CatalogError::Conflict { problem }) => assert!(problem.contains("1 of datapoints"), "{problem}"),
        other => panic!("{other:?}"),
    }
    catalog.write(|tx| Box::pin(async move { tx.exec_sql("DELETE FROM datapoints", values![]).await })).await.unwrap();
    catalog.delete_project(&ben, project).await.unwrap();
    assert!(matches!(catalog.require(&ben, project, Role::Viewer).await, Err(CatalogError::NotFound { .. })));
    for kept in [ProjectId::DEFAULT, ben.project] {
        assert!(matches!(catalog.delete_project(&ada, kept).await, Err(CatalogError::Conflict { .. })));
    }
}

async fn projects_are_found_by_id_and_name(bench: Bench) {
    let (catalog, local) = (&bench.catalog, Catalog::local_owner());
    let made = catalog.create_project(&local, "survey").await.unwrap();
    assert_eq!(catalog.find_project(&local, "survey").await.unwrap(), made);
    assert_eq!(catalog.find_project(&local, &made.id.to_string().to_lowercase()).await.unwrap(), made);
    let names: Vec<_> = catalog.list_projects(&local).await.unwrap().into_iter().map(|project| project.name).collect();
    assert_eq!(names, ["default", "survey"]);
    assert!(matches!(catalog.create_project(&local, "survey").await, Err(CatalogError::Conflict { .. })));
    assert!(matches!(catalog.find_project(&local, "other").await, Err(CatalogError::NotFound { .. })));
}
