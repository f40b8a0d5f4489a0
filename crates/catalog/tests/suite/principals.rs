//! Users, passwords and tokens: who is let in, and who is not.

use std::time::Duration;

use holotype_catalog::{Catalog, CatalogError, User};
use holotype_core::{Caller, Clock as _, ProjectId, Role, UserId};
use secrecy::{ExposeSecret as _, SecretString};

use crate::engines::{Bench, on_both};

fn password(text: &str) -> Option<SecretString> {
    Some(SecretString::from(text))
}

/// The first user, who is the administrator, and a second one.
pub(crate) async fn two_users(catalog: &Catalog) -> (Caller, Caller) {
    let local = Catalog::local_owner();
    let ada = caller(catalog.create_user(&local, "ada", None, false).await.unwrap());
    let ben = caller(catalog.create_user(&ada, "ben", None, false).await.unwrap());
    (ada, ben)
}

pub(crate) fn caller(user: User) -> Caller {
    Caller { user: user.id, name: user.name, token: None, project: user.project, admin: user.admin }
}

async fn token(catalog: &Catalog, caller: &Caller) -> SecretString {
    catalog.create_token(caller, &caller.name, "notebook", None).await.unwrap().1
}

on_both! {
    the_first_user_takes_over_and_later_ones_start_anew
    two_first_users_at_once_make_one_administrator
    a_users_project_has_a_name_of_its_own_when_the_users_is_taken
    only_administrators_manage_users
    a_name_is_given_once
    a_password_lets_its_user_in_and_nobody_else
    a_token_lets_its_user_in_until_it_is_revoked
    a_token_expires
    a_disabled_user_is_out_everywhere
    the_use_of_a_token_is_noted_once_a_minute
    tokens_belong_to_their_users
    what_is_done_to_principals_is_on_record_without_secrets
}

async fn the_first_user_takes_over_and_later_ones_start_anew(bench: Bench) {
    let (catalog, local) = (&bench.catalog, Catalog::local_owner());
    assert!(!catalog.users_exist().await.unwrap());
    let made = catalog.create_project(&local, "survey").await.unwrap();
    let ada = catalog.create_user(&local, "ada", None, false).await.unwrap();
    assert!(catalog.users_exist().await.unwrap());
    assert!(ada.admin, "somebody must be able to create the others");
    assert_eq!(ada.project, ProjectId::DEFAULT);
    for project in [ProjectId::DEFAULT, made.id] {
        assert_eq!(catalog.role_of(ada.id, project).await.unwrap(), Some(Role::Owner));
    }
    let ben = catalog.create_user(&caller(ada), "ben", None, false).await.unwrap();
    assert!(!ben.admin);
    assert_ne!(ben.project, ProjectId::DEFAULT);
    assert_eq!(catalog.role_of(ben.id, ben.project).await.unwrap(), Some(Role::Owner));
    assert_eq!(catalog.role_of(ben.id, ProjectId::DEFAULT).await.unwrap(), None);
}

async fn two_first_users_at_once_make_one_administrator(bench: Bench) {
    let (catalog, local) = (&bench.catalog, Catalog::local_owner());
    let (ada, ben) =
        tokio::join!(catalog.create_user(&local, "ada", None, false), catalog.create_user(&local, "ben", None, false));
    let (ada, ben) = (ada.unwrap(), ben.unwrap());
    assert_ne!(ada.admin, ben.admin);
    assert_ne!(ada.project, ben.project);
}

async fn a_users_project_has_a_name_of_its_own_when_the_users_is_taken(bench: Bench) {
    let catalog = &bench.catalog;
    let (ada, _) = two_users(catalog).await;
    catalog.create_project(&ada, "cleo").await.unwrap();
    let cleo = catalog.create_user(&ada, "cleo", None, false).await.unwrap();
    let projects = catalog.list_projects(&caller(cleo.clone())).await.unwrap();
    assert_eq!(projects.iter().map(|project| &project.name).collect::<Vec<_>>(), [&format!("cleo ({})", cleo.id)]);
}

async fn only_administrators_manage_users(bench: Bench) {
    let catalog = &bench.catalog;
    let (ada, ben) = two_users(catalog).await;
    assert!(matches!(catalog.create_user(&ben, "eve", None, true).await, Err(CatalogError::AdminOnly { .. })));
    assert!(matches!(catalog.list_users(&ben).await, Err(CatalogError::AdminOnly { .. })));
    assert!(matches!(catalog.disable_user(&ben, "ada").await, Err(CatalogError::AdminOnly { .. })));
    assert!(matches!(catalog.audit_events(&ben, None, 10).await, Err(CatalogError::AdminOnly { .. })));
    assert!(matches!(catalog.find_user(&ben, "ada").await, Err(CatalogError::NotFound { .. })));
    assert!(matches!(
        catalog.set_password(&ben, "ada", SecretString::from("long enough")).await,
        Err(CatalogError::NotFound { .. })
    ));
    assert_eq!(catalog.find_user(&ben, "ben").await.unwrap().name, "ben");
    assert_eq!(catalog.list_users(&ada).await.unwrap().len(), 2);
}

async fn a_name_is_given_once(bench: Bench) {
    let catalog = &bench.catalog;
    let (ada, _) = two_users(catalog).await;
    assert!(matches!(catalog.create_user(&ada, "ben", None, false).await, Err(CatalogError::Conflict { .. })));
    assert!(matches!(catalog.create_user(&ada, "a/b", None, false).await, Err(CatalogError::Invalid { .. })));
}

async fn a_password_lets_its_user_in_and_nobody_else(bench: Bench) {
    let catalog = &bench.catalog;
    let local = Catalog::local_owner();
    let ada = catalog.create_user(&local, "ada", password("correct horse"), true).await.unwrap();
    catalog.create_user(&local, "robot", None, false).await.unwrap();
    let right = SecretString::from("correct horse");
    assert_eq!(catalog.authenticate_password("ada", &right).await.unwrap(), Some(caller(ada)));
    for (name, text) in
        [("ada", "correct house"), ("nobody", "correct horse"), ("robot", "correct horse"), ("robot", "")]
    {
        assert_eq!(
            catalog.authenticate_password(name, &SecretString::from(text)).await.unwrap(),
            None,
            "{name} {text}"
        );
    }
    catalog.set_password(&local, "ada", SecretString::from("battery staple")).await.unwrap();
    assert_eq!(catalog.authenticate_password("ada", &right).await.unwrap(), None);
    assert!(catalog.authenticate_password("ada", &SecretString::from("battery staple")).await.unwrap().is_some());
}

async fn a_token_lets_its_user_in_until_it_is_revoked(bench: Bench) {
    let catalog = &bench.catalog;
    let (ada, ben) = two_users(catalog).await;
    let (id, secret) = catalog.create_token(&ben, "ben", "notebook", None).await.unwrap();
    assert!(secret.expose_secret().starts_with("holo_") && secret.expose_secret().len() == 48);
    for _ in 0..2 {
        let found = catalog.authenticate_token(&secret).await.unwrap().unwrap();
        assert_eq!((found.user, found.token, found.project), (ben.user, Some(id), ben.project));
    }
    let wrong = secret.expose_secret().replace("holo_", "holO_");
    let other = format!("holo_{}", "A".repeat(43));
    for text in [wrong.as_str(), other.as_str(), "", "holo_", "Basic x", &secret.expose_secret()[..47]] {
        assert_eq!(catalog.authenticate_token(&SecretString::from(text)).await.unwrap(), None);
    }
    assert!(matches!(
        catalog.revoke_token(&ben, token_of(catalog, &ada).await).await,
        Err(CatalogError::NotFound { .. })
    ));
    catalog.revoke_token(&ben, id).await.unwrap();
    assert_eq!(catalog.authenticate_token(&secret).await.unwrap(), None);
    assert!(catalog.list_tokens(&ben, "ben").await.unwrap().is_empty());
    assert!(matches!(catalog.revoke_token(&ben, id).await, Err(CatalogError::NotFound { .. })));
}

async fn a_token_expires(bench: Bench) {
    let catalog = &bench.catalog;
    let (ada, _) = two_users(catalog).await;
    let expires_at = bench.clock.now().after(Duration::from_secs(3));
    let (_, secret) = catalog.create_token(&ada, "ada", "short", Some(expires_at)).await.unwrap();
    assert!(catalog.authenticate_token(&secret).await.unwrap().is_some());
    // Within what is remembered, too.
    bench.clock.advance(Duration::from_secs(3));
    assert_eq!(catalog.authenticate_token(&secret).await.unwrap(), None);
}

async fn a_disabled_user_is_out_everywhere(bench: Bench) {
    let catalog = &bench.catalog;
    let other = bench.again().await;
    let (ada, _) = two_users(catalog).await;
    let cleo = caller(catalog.create_user(&ada, "cleo", password("correct horse"), false).await.unwrap());
    let secret = token(catalog, &cleo).await;
    assert!(other.authenticate_token(&secret).await.unwrap().is_some());
    catalog.disable_user(&ada, "cleo").await.unwrap();
    assert_eq!(catalog.authenticate_token(&secret).await.unwrap(), None);
    assert_eq!(catalog.authenticate_password("cleo", &SecretString::from("correct horse")).await.unwrap(), None);
    // Another process remembers for some seconds.
    bench.clock.advance(Duration::from_secs(5));
    assert_eq!(other.authenticate_token(&secret).await.unwrap(), None);
    assert!(catalog.list_users(&ada).await.unwrap().iter().any(|user| user.name == "cleo" && user.disabled));
    assert!(
        matches!(catalog.disable_user(&ada, "ada").await, Err(CatalogError::Conflict { .. })),
        "the last administrator"
    );
}

async fn the_use_of_a_token_is_noted_once_a_minute(bench: Bench) {
    let catalog = &bench.catalog;
    let (ada, _) = two_users(catalog).await;
    let secret = token(catalog, &ada).await;
    let start = bench.clock.now();
    let mut noted = Vec::new();
    for _ in 0..8 {
        catalog.authenticate_token(&secret).await.unwrap().unwrap();
        noted.push(catalog.list_tokens(&ada, "ada").await.unwrap()[0].last_used_at.unwrap());
        bench.clock.advance(Duration::from_secs(20));
    }
    let minute = |count: u64| start.after(Duration::from_secs(60 * count));
    assert_eq!(noted, [0_u64, 0, 0, 1, 1, 1, 2, 2].map(minute));
}

async fn tokens_belong_to_their_users(bench: Bench) {
    let catalog = &bench.catalog;
    let (ada, ben) = two_users(catalog).await;
    assert!(matches!(catalog.create_token(&ben, "ada", "sly", None).await, Err(CatalogError::NotFound { .. })));
    assert!(matches!(catalog.list_tokens(&ben, "ada").await, Err(CatalogError::NotFound { .. })));
    let (id, secret) = catalog.create_token(&ada, "ben", "for the robot", None).await.unwrap();
    assert_eq!(catalog.authenticate_token(&secret).await.unwrap().unwrap().user, ben.user);
    assert_eq!(catalog.list_tokens(&ben, "ben").await.unwrap()[0].id, id);
    catalog.revoke_token(&ada, id).await.unwrap();
}

async fn what_is_done_to_principals_is_on_record_without_secrets(bench: Bench) {
    let catalog = &bench.catalog;
    let (ada, _) = two_users(catalog).await;
    let secret = token(catalog, &ada).await;
    let cleo = catalog.create_user(&ada, "cleo", password("correct horse"), false).await.unwrap();
    catalog.disable_user(&ada, &cleo.name).await.unwrap();
    let events = catalog.audit_events(&ada, None, 100).await.unwrap();
    let actions: Vec<&str> = events.iter().map(|event| event.action.as_str()).collect();
    assert_eq!(actions, ["user.disable", "user.create", "token.create", "user.create", "user.create"]);
    assert_eq!((events[4].user, events[0].user), (UserId::LOCAL, ada.user));
    let text = format!("{events:?}");
    assert!(!text.contains("correct horse") && !text.contains(secret.expose_secret()) && !text.contains("argon2"));
    let older = catalog.audit_events(&ada, Some(events[1].sequence), 2).await.unwrap();
    assert_eq!(older, events[2..4]);
}

async fn token_of(catalog: &Catalog, caller: &Caller) -> holotype_core::TokenId {
    catalog.create_token(caller, &caller.name, "other", None).await.unwrap().0
}
