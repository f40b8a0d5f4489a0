//! Rate limits, with a clock turned by hand.

use std::time::Duration;

use axum::body::Body;

use crate::support::{Lab, ask};

const LIMITS: [(&str, &str); 4] = [
    ("DATA_RATE_LIMIT_REQUESTS", "3"),
    ("DATA_RATE_LIMIT_WINDOW", "60"),
    ("DATA_RATE_LIMIT_SHORT_REQUESTS", "2"),
    ("DATA_RATE_LIMIT_EXEMPT_IPS", "[]"),
];

#[tokio::test]
async fn requests_over_the_limits_wait() {
    let lab = Lab::with(&LIMITS, |_| {}).await;
    let first = lab.get("/datapoints").await.expect(200);
    assert_eq!((first.header("x-ratelimit-limit"), first.header("x-ratelimit-remaining")), ("3", "2"));
    assert_eq!((first.header("x-ratelimit-burst-limit"), first.header("x-ratelimit-burst-remaining")), ("2", "1"));
    assert_eq!(first.header("x-ratelimit-reset"), (lab_seconds(&lab) + 60).to_string());
    lab.get("/datapoint/none").await.expect(404);
    let burst = lab.get("/datapoints").await.expect(429);
    assert_eq!(burst.text(), r#"{"detail":"Rate limit exceeded: 2 requests per 1 seconds (burst limit)"}"#);
    assert_eq!(burst.header("retry-after"), "1");
    lab.clock.advance(Duration::from_secs(1));
    lab.get("/datapoints").await.expect(200);
    lab.clock.advance(Duration::from_secs(1));
    let long = lab.get("/datapoints").await.expect(429);
    assert_eq!(long.text(), r#"{"detail":"Rate limit exceeded: 3 requests per 60 seconds"}"#);
    assert_eq!((long.header("retry-after"), long.header("vary")), ("60", "Origin"));
    lab.clock.advance(Duration::from_secs(58));
    lab.get("/datapoints").await.expect(200);
}

fn lab_seconds(lab: &Lab) -> i64 {
    use holotype_core::Clock;
    lab.clock.now().as_micros() / 1_000_000
}

#[tokio::test]
async fn only_datapoint_routes_are_limited_and_this_machine_is_exempt_by_default() {
    let lab = Lab::with(&LIMITS, |_| {}).await;
    for _ in 0..10 {
        lab.get("/health").await.expect(200);
        lab.get("/settings").await.expect(200);
        lab.get("/api/v1/datapoints").await.expect(200);
    }
    let lab = Lab::with(&LIMITS[..3], |_| {}).await;
    for _ in 0..10 {
        assert_eq!(lab.get("/datapoints").await.expect(200).header("x-ratelimit-limit"), "");
    }
}

#[tokio::test]
async fn guessing_tokens_counts_and_addresses_do_not_share_a_limit() {
    let lab = Lab::with(&LIMITS, |_| {}).await.from(Some("192.0.2.1:1"));
    let guess = async |lab: &Lab| {
        let request = ask("GET", "/datapoints").header("authorization", "Bearer holo_guess");
        lab.send(request.body(Body::empty()).unwrap()).await.status.as_u16()
    };
    assert_eq!([guess(&lab).await, guess(&lab).await, guess(&lab).await], [401, 401, 429]);
    let other = lab.from(Some("192.0.2.2:1"));
    assert_eq!(guess(&other).await, 401);
}

#[tokio::test]
async fn behind_a_believed_proxy_the_clients_own_address_counts() {
    let variables = [LIMITS.as_slice(), &[("HOLOTYPE_BEHIND_PROXY", "10.0.0.0/8")]].concat();
    let lab = Lab::with(&variables, |_| {}).await.from(Some("10.0.0.1:1"));
    let through = async |client: &str| {
        let request = ask("GET", "/datapoints").header("x-forwarded-for", client).body(Body::empty()).unwrap();
        lab.send(request).await.status.as_u16()
    };
    assert_eq!([through("192.0.2.1").await, through("192.0.2.1").await, through("192.0.2.1").await], [401, 401, 429]);
    assert_eq!(through("192.0.2.2").await, 401);
}
