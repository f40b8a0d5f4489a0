//! What a call says, and that the three ways say the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::extract::{Path, RawQuery, Request};
use axum::http::header::{AUTHORIZATION, HOST};
use axum::routing::{any, get};
use axum::{Json, Router};
use holotype_client::{Client, ClientError, Credentials, DatapointQuery};
use holotype_core::Category;
use serde_json::{Value, json};

use crate::server;

/// Answers a datapoint that says how it was asked for.
fn echo() -> Router {
    let show = async |Path(id): Path<String>, RawQuery(query): RawQuery, request: Request| {
        let header = |name| request.headers().get(name).and_then(|value: &axum::http::HeaderValue| value.to_str().ok());
        Json(
            json!({ "id": id, "query": query, "authorization": header(AUTHORIZATION), "host": header(HOST).is_some() }),
        )
    };
    Router::new().route("/api/v1/datapoints/{id}", get(show))
}

async fn ask(client: &Client, id: &str) -> Value {
    serde_json::from_str(client.datapoint(id).await.unwrap().get()).unwrap()
}

#[tokio::test]
async fn all_three_ways_carry_the_same_call() {
    let (over_unix, _folder) = server::over_unix(echo()).await;
    for client in [server::in_process(echo()), over_unix, server::over_tcp(echo(), None).await] {
        let client = client.in_project(Some("soil & sky".to_owned()));
        let heard = ask(&client, "a/b c?ü").await;
        assert_eq!(heard["id"], "a/b c?ü", "{}", client.target());
        assert_eq!(heard["query"], "project=soil+%26+sky", "{}", client.target());
        assert_eq!(heard["host"], true, "{}", client.target());
    }
}

#[tokio::test]
async fn an_id_that_would_name_another_address_is_not_sent() {
    let client = server::in_process(echo());
    for id in ["", ".", ".."] {
        let error = client.datapoint(id).await.unwrap_err();
        assert!(matches!(error, ClientError::Name { .. }), "{id}: {error}");
        assert_eq!(error.category(), Category::Invalid);
    }
}

#[tokio::test]
async fn credentials_are_sent_and_never_shown() {
    let token = Some(Credentials::Token("holo_secret".into()));
    let client = server::over_tcp(echo(), token).await;
    assert_eq!(ask(&client, "x").await["authorization"], "Bearer holo_secret");
    assert!(!format!("{client:?}").contains("holo_secret"));

    let password = Credentials::Password { user: "ada".to_owned(), password: "p:w".into() };
    let client = server::over_tcp(echo(), Some(password)).await;
    assert_eq!(ask(&client, "x").await["authorization"], "Basic YWRhOnA6dw==");
    assert!(!format!("{client:?}").contains("p:w"));
}

#[tokio::test]
async fn credentials_do_not_follow_a_redirect() {
    let asked = Arc::new(AtomicU32::new(0));
    let count = asked.clone();
    let elsewhere = Router::new().fallback(any(async move || count.fetch_add(1, Ordering::SeqCst).to_string()));
    let elsewhere = server::listen(elsewhere).await;
    let redirect = Router::new().fallback(any(async move || axum::response::Redirect::temporary(elsewhere.as_str())));
    let client = server::over_tcp(redirect, Some(Credentials::Token("holo_secret".into()))).await;
    let error = client.who_am_i().await.unwrap_err();
    assert!(matches!(error, ClientError::Foreign { status: 307, .. }), "{error}");
    assert_eq!(asked.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_question_names_only_what_it_asks_for() {
    let show = async |RawQuery(query): RawQuery| Json(json!({ "items": [{ "query": query }], "next": null }));
    let client = server::in_process(Router::new().route("/api/v1/datapoints", get(show)));
    let heard = async |query: &DatapointQuery| client.datapoints(query).await.unwrap().items[0].get().to_owned();
    assert_eq!(heard(&DatapointQuery::default()).await, r#"{"query":null}"#);
    let query = DatapointQuery {
        label: Some("a b".to_owned()),
        data_type: Some("json".to_owned()),
        limit: Some(5),
        deleted: true,
        ..DatapointQuery::default()
    };
    assert_eq!(heard(&query).await, r#"{"query":"label=a+b&type=json&deleted=true&limit=5"}"#);
}

#[tokio::test]
async fn every_digit_of_a_number_arrives() {
    let text = r#"{"_id":"x","value":[123456789012345678901234567890,1.10,-0.0]}"#;
    let client = server::in_process(Router::new().route("/api/v1/datapoints/x", get(async move || text)));
    assert_eq!(client.datapoint("x").await.unwrap().get(), text);
}
