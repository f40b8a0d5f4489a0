//! Who is let in, by what, from where.

use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::support::{Answer, Lab, ask, send};

async fn with_header(lab: &Lab, path: &str, value: &str) -> Answer {
    lab.send(ask("GET", path).header("authorization", value).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn while_nobody_exists_this_machine_is_the_owner_and_no_other_is() {
    let lab = Lab::new().await;
    let me = lab.get("/api/v1/whoami").await.expect(200).json();
    assert_eq!((&me["name"], &me["admin"]), (&json!("local"), &json!(true)));
    let lab = lab.from(Some("[::1]:1"));
    lab.get("/api/v1/whoami").await.expect(200);
    let lab = lab.from(Some("192.0.2.1:1"));
    lab.get("/api/v1/whoami").await.expect(401);
    lab.get("/datapoints").await.expect(401);
    let lab = lab.from(None);
    lab.get("/api/v1/whoami").await.expect(401);
}

#[tokio::test]
async fn a_request_that_was_forwarded_is_not_from_this_machine() {
    let lab = Lab::new().await;
    for name in ["x-forwarded-for", "forwarded", "x-real-ip", "via"] {
        let request = ask("GET", "/api/v1/whoami").header(name, "127.0.0.1").body(Body::empty()).unwrap();
        lab.send(request).await.expect(401);
    }
}

#[tokio::test]
async fn what_is_presented_and_wrong_is_refused_also_while_nobody_exists() {
    let lab = Lab::new().await;
    for value in ["Bearer holo_wrong", "Token x", "Basic eDp5", "Digest x", "Bearer "] {
        for path in ["/api/v1/whoami", "/datapoints", "/settings", "/health"] {
            with_header(&lab, path, value).await.expect(401);
        }
    }
}

#[tokio::test]
async fn with_users_everybody_signs_in() {
    let lab = Lab::new().await;
    let token = lab.user("ann").await;
    let refused = lab.get("/datapoints").await.expect(401);
    assert_eq!(refused.header("www-authenticate"), "Bearer realm=\"holotype\"");
    assert!(refused.json()["detail"].is_string());
    assert_eq!(lab.get("/api/v1/jobs").await.expect(401).json()["category"], "denied");
    let basic = |name: &str, secret: &str| format!("Basic {}", STANDARD.encode(format!("{name}:{secret}")));
    for value in [format!("Bearer {token}"), format!("Token {token}"), basic("anything", &token), basic("", &token)] {
        let me = with_header(&lab, "/api/v1/whoami", &value).await.expect(200).json();
        assert_eq!((&me["name"], &me["admin"]), (&json!("ann"), &json!(true)), "the first user runs the service");
        with_header(&lab, "/datapoints", &value).await.expect(200);
    }
    let password = json!({"password": "correct horse battery"});
    let request = ask("PUT", "/api/v1/users/ann/password")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json");
    lab.send(request.body(Body::from(password.to_string())).unwrap()).await.expect(204);
    with_header(&lab, "/api/v1/whoami", &basic("ann", "correct horse battery")).await.expect(200);
    with_header(&lab, "/api/v1/whoami", &basic("ann", "wrong")).await.expect(401);
    with_header(&lab, "/api/v1/whoami", &basic("nobody", "correct horse battery")).await.expect(401);
}

#[tokio::test]
async fn a_revoked_or_expired_token_is_worth_nothing() {
    let lab = Lab::new().await;
    let token = lab.user("ann").await;
    let request = ask("POST", "/api/v1/tokens")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json");
    let body = json!({"name": "short", "expires_in_days": 1}).to_string();
    let created = lab.send(request.body(Body::from(body)).unwrap()).await.expect(201).json();
    let short = created["token"].as_str().unwrap();
    lab.get_as(short, "/api/v1/whoami").await.expect(200);
    lab.clock.advance(std::time::Duration::from_secs(86_401));
    lab.get_as(short, "/api/v1/whoami").await.expect(401);
    let tokens = lab.get_as(&token, "/api/v1/tokens").await.expect(200).json();
    let own = tokens["items"].as_array().unwrap().iter().find(|token| token["name"] == "test").unwrap()["id"].clone();
    let path = format!("/api/v1/tokens/{}", own.as_str().unwrap());
    let request = ask("DELETE", &path).header("authorization", format!("Bearer {token}"));
    lab.send(request.body(Body::empty()).unwrap()).await.expect(204);
    lab.get_as(&token, "/api/v1/whoami").await.expect(401);
}

#[tokio::test]
async fn this_process_is_the_owner_also_when_users_exist() {
    let lab = Lab::new().await;
    lab.user("ann").await;
    let router = holotype_server::in_process(lab.app.clone(), holotype_server::ServerOptions::new(lab.app.config()));
    let request = || axum::http::Request::get("/api/v1/whoami").body(Body::empty()).unwrap();
    assert_eq!(send(&router, None, request()).await.expect(200).json()["name"], "local");
    send(&lab.router, None, request()).await.expect(400);
}

#[tokio::test]
async fn the_first_user_takes_over_what_the_owner_stored() {
    let lab = Lab::new().await;
    lab.submit(r#"{"data_type":"json","_id":"old","value":1}"#).await.expect(200);
    let (first, second) = (lab.user("ann").await, lab.user("bob").await);
    lab.get_as(&first, "/datapoint/old").await.expect(200);
    lab.get_as(&second, "/datapoint/old").await.expect(404);
}
