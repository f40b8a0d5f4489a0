//! What a front end asks of an observatory's services beside its archive: signing in, thumbnails, names; and what a portal tells.

use std::fs;

use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};

use crate::frames::{frame, ingest, path};
use crate::support::{Answer, Lab, ask};

const KEY: &str = "the portal's own key";
const TOKEN: &str = "0123456789abcdef0123456789abcdef01234567";

async fn sign_in(lab: &Lab, name: &str, password: &str) -> Answer {
    lab.json("POST", "/api-token-auth/", &json!({"username": name, "password": password})).await
}

async fn told(lab: &Lab, key: &str, body: &Value) -> Answer {
    let request = ask("POST", "/authprofile/addupdateuser/").header("content-type", "application/json");
    lab.send(request.header("authorization", format!("Server {key}")).body(Body::from(body.to_string())).unwrap()).await
}

async fn with_a_portal() -> Lab {
    let variables = [
        ("OAUTH_SERVER_KEY", KEY),
        ("HOLOTYPE_SESSIONS_ARCHIVE", "https://archive.example/"),
        ("HOLOTYPE_ARCHIVE_TOKEN_KEY", "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
    ];
    Lab::with(&variables, |_| {}).await
}

#[tokio::test]
async fn who_guesses_passwords_has_to_wait() {
    let lab = Lab::new().await;
    lab.user("ann").await;
    let owner = holotype_app::catalog::Catalog::local_owner();
    lab.app.catalog().set_password(&owner, "ann", "correct horse".into()).await.unwrap();
    for _ in 0..20 {
        sign_in(&lab, "ann", "correct horse").await.expect(200);
        sign_in(&lab, "ann", "wrong").await.expect(400);
    }
    let refused = sign_in(&lab, "ann", "correct horse").await.expect(429);
    assert_eq!(refused.header("retry-after"), "300");
    let basic = ask("GET", "/datapoints").header("authorization", "Basic YW5uOndyb25n").body(Body::empty()).unwrap();
    lab.send(basic).await.expect(429);
    lab.clock.advance(std::time::Duration::from_secs(300));
    sign_in(&lab, "ann", "correct horse").await.expect(200);
}

#[tokio::test]
async fn thumbnails_are_found_as_both_kinds_of_archives_have_them() {
    let lab = Lab::new().await;
    ingest(&lab, None, "a-e91.fits", frame(&["OBJECT  = 'M 31    '"], 0)).await.expect(201);
    let service = async |query: &str| lab.get(&format!("/thumbnails/a-e91/{query}")).await.expect(200).json();
    let small = service("?width=200&height=200").await;
    let large = service("?width=1000&height=1000").await;
    assert_eq!((&small["size"], &large["size"]), (&json!("small"), &json!("large")));
    assert_eq!(service("").await["size"], "large");
    assert_eq!(lab.get(&path(&small["url"])).await.expect(200).body[..2], [0xff, 0xd8]);
    lab.get("/thumbnails/nothing/?width=200").await.expect(404);

    for (name, size) in [("a-e91-small", "small"), ("a-e91-large", "large")] {
        let found = lab.get(&format!("/frames/?basename_exact={name}")).await.expect(200).json();
        assert_eq!((&found["count"], &found["results"][0]["basename"]), (&json!(1), &json!(name)));
        let address = path(&found["results"][0]["url"]);
        assert!(address.contains(&format!("a-e91-{size}.jpg")), "{address}");
        assert_eq!(lab.get(&address).await.expect(200).body[..2], [0xff, 0xd8]);
    }
    assert_eq!(lab.get("/frames/?basename_exact=a-e91-huge").await.expect(200).json()["count"], 0);
    // A frame that is really called so comes first.
    ingest(&lab, None, "b-small.fits", frame(&[], 1)).await.expect(201);
    let found = lab.get("/frames/?basename_exact=b-small").await.expect(200).json();
    assert!(path(&found["results"][0]["url"]).starts_with("/frames/"), "{found}");
}

#[tokio::test]
async fn thumbnails_of_what_somebody_may_not_see_are_not_found() {
    let lab = Lab::new().await;
    lab.user("admin").await;
    let (ann, bob) = (lab.user("ann").await, lab.user("bob").await);
    ingest(&lab, Some(&ann), "a.fits", frame(&["L1PUBDAT= '2099-01-01T00:00:00'"], 0)).await.expect(201);
    for (token, status, count) in [(&ann, 200, 1), (&bob, 404, 0)] {
        lab.get_as(token, "/thumbnails/a/?width=200").await.expect(status);
        let listed = lab.get_as(token, "/frames/?basename_exact=a-small").await.expect(200).json();
        assert_eq!(listed["count"], count);
    }
}

#[tokio::test]
async fn a_name_is_looked_up_among_what_the_caller_may_see() {
    let lab = Lab::new().await;
    lab.user("admin").await;
    let ann = lab.user("ann").await;
    let cards =
        |public: &'static str, target: &'static str| [target, "RA      = '12:30:00'", "DEC     = '-00:30:00'", public];
    let (open, private) = ("L1PUBDAT= '2020-01-01T00:00:00'", "L1PUBDAT= '2099-01-01T00:00:00'");
    ingest(&lab, Some(&ann), "a.fits", frame(&cards(open, "OBJECT  = 'Höchst 1'"), 0)).await;
    ingest(&lab, Some(&ann), "b.fits", frame(&cards(open, "OBJECT  = 'M 31    '"), 0)).await.expect(201);
    ingest(&lab, Some(&ann), "c.fits", frame(&cards(private, "OBJECT  = 'Secret  '"), 0)).await.expect(201);
    let found = lab.get("/names/m%2031?target_type=SIDEREAL").await.expect(200).json();
    assert_eq!((&found["name"], &found["ra"], &found["dec"]), (&json!("M 31"), &json!(187.5), &json!(-0.5)));
    assert_eq!((&found["ra_d"], &found["dec_d"]), (&found["ra"], &found["dec"]));
    lab.get_as(&ann, "/names/secret").await.expect(200);
    let absent = lab.get("/names/secret").await.expect(404).json();
    assert_eq!(absent, lab.get("/names/nothing").await.json());
    assert!(absent["error"].as_str().unwrap().contains("No frame"), "{absent}");
    lab.get("/names/M").await.expect(404);
    lab.get(&format!("/names/{}", "x".repeat(500))).await.expect(404);
    lab.get("/names/a%00b").await.expect(404);
}

#[tokio::test]
async fn a_profile_names_the_proposals_of_ones_own_frames() {
    let lab = Lab::new().await;
    lab.user("admin").await;
    let (ann, bob) = (lab.user("ann").await, lab.user("bob").await);
    ingest(&lab, Some(&ann), "a.fits", frame(&["PROPID  = 'KEY-1   '"], 0)).await.expect(201);
    let proposals =
        async |token: &str| lab.get_as(token, "/profile/").await.expect(200).json()["profile"]["proposals"].clone();
    assert_eq!(proposals(&ann).await, json!(["KEY-1", "ann"]));
    assert_eq!(proposals(&bob).await, json!(["bob"]));
}

#[tokio::test]
async fn a_front_end_at_the_root_is_the_page_and_programs_are_still_answered() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("index.html"), "<p>front end</p>").unwrap();
    let mount = format!("/={}", folder.path().display());
    let lab = Lab::with(&[("HOLOTYPE_STATIC", &mount)], |_| {}).await;
    let page =
        async |path: &str| lab.send(ask("GET", path).header("accept", "text/html").body(Body::empty()).unwrap()).await;
    for path in ["/", "/datasessions", "/projects?start=2026"] {
        let answer = page(path).await.expect(200);
        assert_eq!(answer.text(), "<p>front end</p>", "{path}");
        assert_eq!(answer.header("cross-origin-embedder-policy"), "require-corp");
    }
    assert_eq!(lab.get("/").await.expect(200).json()["service"], "holotype");
    for path in ["/api/nothing", "/frames/nothing/nothing", "/ui/nothing"] {
        page(path).await.expect(404);
    }
    page("/ui/").await.expect(200);
}

#[tokio::test]
async fn a_page_of_a_listed_origin_signs_in_and_is_a_stranger_until_then() {
    let lab = Lab::with(&[("HOLOTYPE_ALLOWED_ORIGINS", "https://app.example")], |_| {}).await;
    let cards = ["OBJECT  = 'M 31    '", "RA      = '12:30:00'", "DEC     = '-00:30:00'"];
    ingest(&lab, None, "a.fits", frame(&cards, 0)).await.expect(201);
    let from = |method: Method, path: &str| ask(method.as_str(), path).header("origin", "https://app.example");
    // On this machine and without users, our own page is the owner; this one is not.
    lab.get("/names/M%2031").await.expect(200);
    lab.send(from(Method::GET, "/names/M%2031").body(Body::empty()).unwrap()).await.expect(404);
    lab.send(from(Method::GET, "/profile/").body(Body::empty()).unwrap()).await.expect(401);
    let body = json!({"username": "ann", "password": "wrong password"}).to_string();
    let request = from(Method::POST, "/api-token-auth/").header("content-type", "application/json");
    let refused = lab.send(request.body(Body::from(body)).unwrap()).await.expect(400);
    assert_eq!(refused.header("access-control-allow-origin"), "https://app.example");
    // What it was given an address of, it may show.
    let small = lab.get("/thumbnails/a/?width=200").await.expect(200).json();
    let embedded =
        ask("GET", &path(&small["url"])).header("sec-fetch-site", "cross-site").header("sec-fetch-mode", "no-cors");
    let shown = lab.send(embedded.body(Body::empty()).unwrap()).await.expect(200);
    assert_eq!(shown.header("cross-origin-resource-policy"), "cross-origin");
}

#[tokio::test]
async fn a_portal_with_its_key_makes_users_who_sign_in_with_their_tokens_there() {
    let lab = with_a_portal().await;
    let ada = json!({
        "username": "ada", "first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.org", "is_staff": true,
        "is_superuser": true, "tokens": {"api_token": TOKEN}, "profile": {"staff_view": true},
    });
    told(&lab, KEY, &ada).await.expect(403);
    assert!(!lab.app.catalog().users_exist().await.unwrap(), "a portal makes no first user");
    let admin = lab.user("admin").await;
    for _ in 0..2 {
        let done = told(&lab, KEY, &ada).await.expect(200).json();
        assert_eq!(done, json!({"message": "User account updated"}));
    }
    let as_ada = async |path: &str| {
        lab.send(ask("GET", path).header("authorization", format!("Token {TOKEN}")).body(Body::empty()).unwrap()).await
    };
    let who = as_ada("/api/v1/whoami").await.expect(200).json();
    assert_eq!((&who["name"], &who["admin"]), (&json!("ada"), &json!(false)));
    let profile = as_ada("/profile/").await.expect(200).json();
    assert_eq!((&profile["first_name"], &profile["profile"]["staff_view"]), (&json!("Ada"), &json!(true)));
    let kept = as_ada("/api/v1/users/ada/archive-token").await.expect(200).json();
    assert_eq!(kept["archive"], "https://archive.example/");
    assert!(kept["set_at"].is_string() && !kept.to_string().contains(TOKEN), "{kept}");

    // Another token takes the place of the first.
    let other = TOKEN.replace('0', "f");
    told(&lab, KEY, &json!({"username": "ada", "tokens": {"api_token": other}})).await.expect(200);
    as_ada("/api/v1/whoami").await.expect(401);
    lab.get_as(&other, "/api/v1/whoami").await.expect(200);
    // And neither stands for somebody else.
    told(&lab, KEY, &json!({"username": "eve", "tokens": {"api_token": other}})).await.expect(409);
    told(&lab, KEY, &json!({"username": "admin", "tokens": {"api_token": "x".repeat(40)}})).await.expect(403);
    let audit = lab.get_as(&admin, "/api/v1/audit").await.expect(200).text().to_owned();
    assert!(audit.contains("token.adopt") && audit.contains("archive-token.set"), "{audit}");
    assert!(!audit.contains(TOKEN) && !audit.contains(&other), "no secret is written down");
}

#[tokio::test]
async fn without_its_key_nobody_speaks_for_a_portal() {
    let lab = with_a_portal().await;
    lab.user("admin").await;
    let body = json!({"username": "eve"});
    for key in ["", "wrong", &KEY[..5], &format!("{KEY}!")] {
        let refused = told(&lab, key, &body).await.expect(403).json();
        assert_eq!(refused, json!({"detail": "Invalid or missing API Key."}));
    }
    lab.json("POST", "/authprofile/addupdateuser/", &body).await.expect(403);
    told(&lab, KEY, &json!({})).await.expect(400);
    told(&lab, KEY, &json!({"username": "a/b"})).await.expect(400);
    told(&lab, KEY, &json!({"username": "eve", "tokens": {"api_token": "short"}})).await.expect(400);
    for _ in 0..30 {
        told(&lab, "wrong", &body).await;
    }
    told(&lab, KEY, &body).await.expect(429);
    let keyless = Lab::new().await;
    keyless.user("admin").await;
    told(&keyless, "", &body).await.expect(403);
}

#[tokio::test]
async fn an_archive_token_is_ones_own_business_and_the_administrators() {
    let lab = with_a_portal().await;
    let admin = lab.user("admin").await;
    let (ann, bob) = (lab.user("ann").await, lab.user("bob").await);
    let send = async |token: &str, method: &str, body: &Value| {
        let request = ask(method, "/api/v1/users/ann/archive-token").header("authorization", format!("Bearer {token}"));
        lab.send(request.header("content-type", "application/json").body(Body::from(body.to_string())).unwrap()).await
    };
    let token = json!({"token": "the token of ann"});
    for method in ["GET", "PUT", "DELETE"] {
        send(&bob, method, &token).await.expect(404);
    }
    assert_eq!(send(&ann, "GET", &json!(null)).await.expect(200).json()["set_at"], json!(null));
    send(&ann, "PUT", &token).await.expect(422);
    let token = json!({"token": "the-token-of-ann"});
    send(&ann, "PUT", &token).await.expect(204);
    assert!(send(&admin, "GET", &json!(null)).await.expect(200).json()["set_at"].is_string());
    send(&admin, "DELETE", &json!(null)).await.expect(204);
    assert_eq!(send(&ann, "GET", &json!(null)).await.expect(200).json()["set_at"], json!(null));
    let without = Lab::new().await;
    let refused = without.get("/api/v1/users/local/archive-token").await.expect(422).json();
    assert!(refused["detail"].as_str().unwrap().contains("sessions.archive"), "{refused}");
}
