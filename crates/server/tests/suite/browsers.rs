//! What pages of strangers can do: nothing.

use axum::body::Body;

use crate::support::{Answer, Lab};

async fn with(lab: &Lab, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = axum::http::Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    lab.send(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_name_that_a_stranger_points_here_is_not_answered() {
    let lab = Lab::with(&[("HOLOTYPE_ALLOWED_HOSTS", "lab.example")], |_| {}).await;
    for host in ["evil.example", "evil.example:8004"] {
        let refused = with(&lab, "GET", "/datapoints", &[("host", host)]).await.expect(421);
        assert!(refused.text().contains("allowed_hosts"), "{}", refused.text());
    }
    for host in ["lab.example:8004", "localhost:1", "127.0.0.1", "[::1]:8004", "192.0.2.1"] {
        with(&lab, "GET", "/datapoints", &[("host", host)]).await.expect(200);
    }
    with(&lab, "GET", "/datapoints", &[]).await.expect(400);
}

#[tokio::test]
async fn a_page_of_another_origin_is_refused_whatever_it_asks() {
    let lab = Lab::new().await;
    let host = ("host", "127.0.0.1:8004");
    for origin in ["https://evil.example", "null", "http://127.0.0.1:9999", "http://localhost:8004"] {
        for (method, path) in [
            ("GET", "/datapoints"),
            ("POST", "/datapoint"),
            ("DELETE", "/api/v1/datapoints/x"),
            ("OPTIONS", "/datapoint"),
        ] {
            let refused = with(&lab, method, path, &[host, ("origin", origin)]).await.expect(403);
            assert_eq!(refused.header("access-control-allow-origin"), "");
            assert_eq!(refused.header("vary"), "Origin");
        }
    }
    with(&lab, "GET", "/datapoints", &[host, ("origin", "http://127.0.0.1:8004")]).await.expect(200);
    with(&lab, "GET", "/datapoints", &[host, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")])
        .await
        .expect(403);
    with(&lab, "GET", "/ui/", &[host, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")])
        .await
        .expect(200);
}

#[tokio::test]
async fn a_listed_origin_passes_with_a_token_in_a_header() {
    let lab = Lab::with(&[("HOLOTYPE_ALLOWED_ORIGINS", "https://app.example")], |_| {}).await;
    let (host, origin) = (("host", "127.0.0.1:8004"), ("origin", "https://app.example"));
    let bare = with(&lab, "GET", "/datapoints", &[host, origin]).await.expect(401);
    assert_eq!(bare.header("access-control-allow-origin"), "https://app.example", "the page may read why");
    let token = format!("Bearer {}", lab.user("ann").await);
    let passed = with(&lab, "GET", "/datapoints", &[host, origin, ("authorization", &token)]).await.expect(200);
    assert_eq!(passed.header("access-control-allow-origin"), "https://app.example");
    assert_eq!(passed.header("access-control-allow-credentials"), "");
    with(&lab, "GET", "/datapoints", &[host, origin, ("authorization", "Basic YW5uOng=")]).await.expect(401);
    let asked = [
        host,
        origin,
        ("access-control-request-method", "PUT"),
        ("access-control-request-headers", "authorization, content-type"),
    ];
    let preflight = with(&lab, "OPTIONS", "/api/v1/datapoint-schemas/x", &asked).await.expect(200);
    assert_eq!(preflight.header("access-control-allow-methods"), "PUT");
    assert_eq!(preflight.header("access-control-allow-headers"), "authorization, content-type");
}

#[tokio::test]
async fn what_an_instrument_sent_cannot_act_as_a_page_of_ours() {
    let lab = Lab::new().await;
    let page = b"<script>fetch('/api/v1/tokens')</script>";
    lab.submit_files(r#"{"data_type":"file","_id":"P","path":"x"}"#, &[("page.html", page)]).await.expect(200);
    for path in ["/datapoint/P/value", "/api/v1/datapoints/P/value", "/api/v1/datapoints/P/files/0"] {
        let answer = lab.get(path).await.expect(200);
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
        assert_eq!(answer.header("content-security-policy"), "sandbox; default-src 'none'", "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
    }
}
