//! The archive's routes: downloads, links, errors, cross-origin reading, zips and sign-in, over small frames of our own.

use axum::body::Body;
use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Lab, ask};

/// A frame whose pixels are text, so that the file is easily told from others.
pub(crate) fn frame(cards: &[&str], fill: u8) -> Vec<u8> {
    let fixed = [
        "SIMPLE  =                    T",
        "BITPIX  =                    8",
        "NAXIS   =                    2",
        "NAXIS1  =                   60",
        "NAXIS2  =                   48",
    ];
    let mut file: String = fixed.iter().chain(cards).chain(&["END"]).map(|card| format!("{card:<80}")).collect();
    file.extend(std::iter::repeat_n(' ', file.len().next_multiple_of(2880) - file.len()));
    let mut bytes = file.into_bytes();
    bytes.extend((0..60 * 48).map(|pixel| (pixel % 200) as u8 ^ fill));
    bytes
}

pub(crate) async fn ingest(lab: &Lab, token: Option<&str>, name: &str, bytes: Vec<u8>) -> Answer {
    let mut request =
        ask("POST", &format!("/api/v1/frames?name={name}")).header("content-type", "application/octet-stream");
    if let Some(token) = token {
        request = request.header("authorization", format!("Token {token}"));
    }
    lab.send(request.body(Body::from(bytes)).unwrap()).await
}

/// The path and query of an absolute address.
pub(crate) fn path(url: &Value) -> String {
    let url = url.as_str().unwrap();
    url.strip_prefix("http://127.0.0.1:8004").unwrap_or_else(|| panic!("{url}")).to_owned()
}

const PRIVATE: [&str; 2] = ["DATE-OBS= '2024-07-15T01:00:00'", "L1PUBDAT= '2099-01-01T00:00:00'"];

/// A laboratory with users, of whom Ann has a frame that is not public yet.
async fn laboratory() -> (Lab, String, Value) {
    let lab = Lab::new().await;
    lab.user("admin").await;
    let ann = lab.user("ann").await;
    ingest(&lab, Some(&ann), "a.fits", frame(&PRIVATE, 0)).await.expect(201);
    let frame = lab.get_as(&ann, "/frames/").await.expect(200).json()["results"][0].clone();
    (lab, ann, frame)
}

#[tokio::test]
async fn a_frame_is_handed_in_once() {
    let lab = Lab::new().await;
    let answer = ingest(&lab, None, "a%20b.fits", frame(&["OBJECT  = 'M 31    '"], 0)).await.expect(201).json();
    assert_eq!(
        (&answer["basename"], &answer["new_frame"], &answer["size"]),
        (&json!("a b"), &json!(true), &json!(5760))
    );
    assert!(answer["missing"].as_array().unwrap().contains(&json!("observation_date")), "{answer}");
    let again = ingest(&lab, None, "a%20b.fits", frame(&["OBJECT  = 'M 31    '"], 0)).await.expect(200).json();
    assert_eq!((&again["version"], &again["new_version"]), (&answer["version"], &json!(false)));
    let other = ingest(&lab, None, "a%20b.fits", frame(&["OBJECT  = 'M 31    '"], 1)).await.expect(201).json();
    assert_eq!(
        (&other["frame"], &other["new_frame"], &other["new_version"]),
        (&answer["frame"], &json!(false), &json!(true))
    );
    let listed = lab.get("/frames/").await.expect(200).json();
    assert_eq!(
        (listed["count"].as_u64(), listed["results"][0]["version_set"].as_array().map(Vec::len)),
        (Some(1), Some(2))
    );
    assert_eq!(listed["results"][0]["version_set"][0]["id"], other["version"], "the newest is first");
}

#[tokio::test]
async fn what_cannot_be_a_frame_is_refused_with_the_reason() {
    let lab = Lab::new().await;
    let html = ingest(&lab, None, "a.fits", b"<html></html>".to_vec()).await.expect(422).json();
    assert!(html["detail"].as_str().unwrap().contains("FITS"), "{html}");
    for name in ["..", "a%2Fb.fits", "a%0Ab.fits", ""] {
        ingest(&lab, None, name, frame(&[], 0)).await.expect(422);
    }
    let nameless = ask("POST", "/api/v1/frames").header("content-type", "application/octet-stream");
    lab.send(nameless.body(Body::from(frame(&[], 0))).unwrap()).await.expect(422);
    assert_eq!(lab.get("/frames/").await.expect(200).json()["count"], 0);
}

#[tokio::test]
async fn a_file_that_is_too_large_is_refused() {
    let lab = Lab::with(&[], |options| options.config.upload_limit = 4_000).await;
    ingest(&lab, None, "a.fits", frame(&[], 0)).await.expect(413);
}

#[tokio::test]
async fn whoever_was_given_an_address_reads_the_bytes_without_more() {
    let (lab, _, listed) = laboratory().await;
    let address = path(&listed["url"]);
    let whole = lab.get(&address).await.expect(200);
    assert!(whole.body == frame(&PRIVATE, 0));
    assert_eq!(whole.header("etag"), format!("\"{}\"", listed["version_set"][0]["md5"].as_str().unwrap()));
    assert_eq!((whole.header("accept-ranges"), whole.header("content-length")), ("bytes", "5760"));
    assert_eq!(whole.header("content-disposition"), "attachment; filename=\"a.fits\"");
    let part =
        lab.send(ask("GET", &address).header("range", "bytes=0-5").body(Body::empty()).unwrap()).await.expect(206);
    assert_eq!((part.text(), part.header("content-range")), ("SIMPLE", "bytes 0-5/5760"));
    let beyond = lab.send(ask("GET", &address).header("range", "bytes=6000-").body(Body::empty()).unwrap()).await;
    assert_eq!(beyond.expect(416).header("content-range"), "bytes */5760");
    let held = ask("GET", &address).header("if-none-match", whole.header("etag")).body(Body::empty()).unwrap();
    lab.send(held).await.expect(304);
    let head = lab.send(ask("HEAD", &address).body(Body::empty()).unwrap()).await.expect(200);
    assert_eq!((head.body.len(), head.header("content-length")), (0, "5760"));
}

#[tokio::test]
async fn an_address_opens_what_it_was_made_for_and_for_two_days() {
    let (lab, ann, listed) = laboratory().await;
    let address = path(&listed["url"]);
    let (bare, query) = address.split_once('?').unwrap();
    lab.get(bare).await.expect(404);
    lab.get_as(&ann, bare).await.expect(200);
    for wrong in [
        format!("{bare}?{}", query.replace("signature=", "signature=0")),
        format!("{bare}?{}", query.split_once('&').unwrap().0),
        format!("{bare}?{}", query.replace("expires=", "expires=9")),
        address.replace("/versions/1/", "/versions/2/"),
        address.replace("/frames/1/", "/frames/2/"),
    ] {
        assert_ne!(wrong, address);
        let refused = lab.get(&wrong).await.expect(403);
        assert!(refused.json()["detail"].as_str().unwrap().contains("link"), "{wrong}");
        // A wrong signature is not made good by a right token: a page elsewhere may have made it up.
        lab.get_as(&ann, &wrong).await.expect(403);
    }
    lab.clock.advance(std::time::Duration::from_secs(48 * 60 * 60 + 1));
    lab.get(&address).await.expect(403);
}

#[tokio::test]
async fn a_page_of_a_listed_origin_reads_by_signed_addresses_and_others_do_not() {
    let lab = Lab::with(&[("HOLOTYPE_ALLOWED_ORIGINS", "https://app.example")], |_| {}).await;
    lab.user("admin").await;
    let ann = lab.user("ann").await;
    ingest(&lab, Some(&ann), "a.fits", frame(&PRIVATE, 0)).await.expect(201);
    let address = path(&lab.get_as(&ann, "/frames/").await.json()["results"][0]["url"]);
    let from = |origin: &str, path: &str| ask("GET", path).header("origin", origin).body(Body::empty()).unwrap();
    let read = lab.send(from("https://app.example", &address)).await.expect(200);
    assert_eq!(read.header("access-control-allow-origin"), "https://app.example");
    assert!(read.header("access-control-expose-headers").contains("content-range"));
    lab.send(from("https://app.example", address.split_once('?').unwrap().0)).await.expect(401);
    lab.send(from("https://app.example", "/frames/")).await.expect(401);
    lab.send(from("https://evil.example", &address)).await.expect(403);
}

#[tokio::test]
async fn errors_have_the_archives_shape() {
    let (lab, ann, listed) = laboratory().await;
    let bad = ask("GET", "/frames/").header("authorization", "Token wrong").body(Body::empty()).unwrap();
    let bad = lab.send(bad).await.expect(401);
    assert_eq!((bad.json(), bad.header("www-authenticate")), (json!({"detail": "Invalid token."}), "Token"));
    let varies = |answer: &Answer| {
        answer.headers.get_all("vary").iter().any(|value| value.to_str().unwrap().contains("Authorization"))
    };
    assert!(varies(&lab.get("/frames/").await.expect(200)), "no cache gives one's answer to another");
    let bob = lab.user("bob").await;
    let id = listed["id"].as_i64().unwrap();
    for path in [
        format!("/frames/{id}/"),
        format!("/frames/{id}/headers/"),
        format!("/frames/{id}/related/"),
        "/frames/99/".to_owned(),
        "/frames/x/".to_owned(),
    ] {
        let absent = lab.get_as(&bob, &path).await.expect(404).json();
        assert_eq!(absent, json!({"detail": "No Frame matches the given query."}), "{path}");
    }
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        let refused = lab.send(ask(method.as_str(), "/frames/1/").body(Body::empty()).unwrap()).await.expect(405);
        assert_eq!(refused.json(), json!({"detail": format!("Method \"{method}\" not allowed.")}));
    }
    assert_eq!(lab.get("/frames/1/nothing/").await.expect(404).json(), json!({"detail": "Not found."}));
    assert_eq!(
        lab.get_as(&ann, "/frames?limit=1").await.expect(301).header("location"),
        "http://127.0.0.1:8004/frames/?limit=1"
    );
    let forbidden = json!({"detail": "You do not have permission to perform this action."});
    assert_eq!(lab.get_as(&ann, "/versions/").await.expect(403).json(), forbidden);
    assert_eq!(
        lab.get("/versions/").await.expect(401).json(),
        json!({"detail": "Authentication credentials were not provided."})
    );
}

#[tokio::test]
async fn pages_are_told_by_absolute_addresses() {
    let lab = Lab::new().await;
    for number in 0..5 {
        ingest(&lab, None, &format!("f{number}.fits"), frame(&[], number)).await.expect(201);
    }
    let first = lab.get("/frames/?ordering=basename&limit=2").await.expect(200).json();
    assert_eq!(first["next"], "http://127.0.0.1:8004/frames/?limit=2&offset=2&ordering=basename");
    assert_eq!(
        (&first["previous"], &first["count"], &first["count_estimated"]),
        (&Value::Null, &json!(5), &json!(false))
    );
    let second = lab.get(&path(&first["next"])).await.expect(200).json();
    assert_eq!(second["previous"], "http://127.0.0.1:8004/frames/?limit=2&ordering=basename");
    let third = lab.get(&path(&second["next"])).await.expect(200).json();
    assert_eq!((&third["next"], third["results"].as_array().map(Vec::len)), (&Value::Null, Some(1)));
    let mut seen = Vec::new();
    let mut next = Some("/frames/?ordering=-basename&limit=2&pagination_style=cursor".to_owned());
    while let Some(page) = next {
        let page = lab.get(&page).await.expect(200).json();
        assert!(page.get("count").is_none());
        seen.extend(
            page["results"].as_array().unwrap().iter().map(|frame| frame["basename"].as_str().unwrap().to_owned()),
        );
        next = page["next"].is_string().then(|| path(&page["next"]));
    }
    assert_eq!(seen, ["f4", "f3", "f2", "f1", "f0"]);
    let invalid = lab.get("/frames/?pagination_style=cursor&cursor=x").await.expect(404);
    assert_eq!(invalid.json(), json!({"detail": "Invalid cursor"}));
}

#[tokio::test]
async fn thumbnails_are_pictures_with_addresses_of_their_own() {
    let (lab, ann, _) = laboratory().await;
    let listed = lab.get_as(&ann, "/frames/?include_thumbnails=true").await.expect(200).json();
    let thumbnails = listed["results"][0]["thumbnails"].as_array().unwrap().clone();
    assert_eq!(thumbnails.iter().map(|one| one["size"].as_str().unwrap()).collect::<Vec<_>>(), ["small", "large"]);
    let picture = lab.get(&path(&thumbnails[0]["url"])).await.expect(200);
    assert!(picture.body.starts_with(&[0xff, 0xd8]) && picture.header("content-type") == "image/jpeg");
    lab.get(path(&thumbnails[0]["url"]).split_once('?').unwrap().0).await.expect(404);
    let found = lab.get_as(&ann, "/thumbnails/?frame_basename=a&size=large").await.expect(200).json();
    assert_eq!((found["count"].as_u64(), &found["results"][0]["frame_basename"]), (Some(1), &json!("a")));
    assert_eq!(lab.get("/thumbnails/").await.expect(200).json()["count"], 0);
    lab.get("/thumbnails/?size=huge&request_id=x").await.expect(400);
}

#[tokio::test]
async fn who_signs_in_gets_a_token_that_works_until_it_is_revoked() {
    let lab = Lab::new().await;
    lab.user("admin").await;
    let owner = holotype_app::catalog::Catalog::local_owner();
    lab.app.catalog().create_user(&owner, "ann", Some("open sesame".to_owned().into()), false).await.unwrap();
    let wrong = lab.json("POST", "/api-token-auth/", &json!({"username": "ann", "password": "x"})).await.expect(400);
    assert_eq!(wrong.json(), json!({"non_field_errors": ["Unable to log in with provided credentials."]}));
    let empty = lab.json("POST", "/api-token-auth/", &json!({"username": "ann"})).await.expect(400);
    assert_eq!(empty.json(), json!({"password": ["This field is required."]}));
    let form = ask("POST", "/api-token-auth/").header("content-type", "application/x-www-form-urlencoded");
    let token = lab.send(form.body(Body::from("username=ann&password=open+sesame")).unwrap()).await.expect(200).json();
    let token = token["token"].as_str().unwrap().to_owned();
    let profile = lab.get_as(&token, "/profile/").await.expect(200).json();
    assert_eq!(
        (&profile["username"], &profile["profile"], &profile["is_staff"]),
        (&json!("ann"), &json!({"proposals": ["ann"]}), &json!(false))
    );
    let same =
        ask("POST", "/api-token-auth/").header("authorization", format!("Token {token}")).body(Body::empty()).unwrap();
    assert_eq!(lab.send(same).await.expect(200).json()["token"], token);
    let revoke =
        || ask("POST", "/revoke_token/").header("authorization", format!("Token {token}")).body(Body::empty()).unwrap();
    assert_eq!(lab.send(revoke()).await.expect(200).json(), json!({"message": "API token revoked."}));
    lab.get_as(&token, "/profile/").await.expect(401);
    assert_eq!(
        lab.get("/profile/").await.expect(200).json(),
        json!({"username": "", "profile": {}, "is_staff": false})
    );
}

#[tokio::test]
async fn an_administrator_describes_frames_and_finds_versions() {
    let lab = Lab::new().await;
    let admin = lab.user("admin").await;
    ingest(&lab, Some(&admin), "a.fits", frame(&[], 0)).await.expect(201);
    let listed = lab.get_as(&admin, "/versions/").await.expect(200).json();
    let md5 = listed["results"][0]["md5"].as_str().unwrap().to_owned();
    let found = lab.get_as(&admin, &format!("/versions/?md5={md5}")).await.expect(200).json();
    assert_eq!((&found["count"], &found["results"][0]["id"]), (&json!(1), &listed["results"][0]["id"]));
    for absent in ["d41d8cd98f00b204e9800998ecf8427e", "abc"] {
        assert_eq!(lab.get_as(&admin, &format!("/versions/?md5={absent}")).await.expect(200).json()["count"], 0);
    }
    let describe = async |token: &str, body: Value| {
        let request = ask("POST", "/frames/")
            .header("authorization", format!("Token {token}"))
            .header("content-type", "application/json");
        lab.send(request.body(Body::from(body.to_string())).unwrap()).await
    };
    let body = json!({
        "basename": "described", "site_id": "lsc", "public_date": "2020-01-01T00:00:00Z", "headers": {"X": 1},
        "version_set": [{"key": "k", "md5": md5, "extension": ".fits"}], "related_frame_filenames": ["a.fits"],
    });
    let made = describe(&admin, body).await.expect(201).json();
    assert_eq!((&made["site_id"], &made["filename"]), (&json!("lsc"), &json!("described.fits")));
    assert_eq!(lab.get(&path(&made["url"])).await.expect(200).body, frame(&[], 0));
    assert_eq!(lab.get("/frames/").await.expect(200).json()["count"], 1, "what is described as public is");
    let wrong = describe(&admin, json!({"version_set": "x"})).await.expect(400).json();
    assert!(wrong["basename"].is_array() && wrong["version_set"].is_array(), "{wrong}");
    let unheld =
        json!({"basename": "b", "version_set": [{"md5": "d41d8cd98f00b204e9800998ecf8427e", "extension": ".fits"}]});
    assert!(describe(&admin, unheld).await.expect(400).json()["version_set"][0].as_str().unwrap().contains("ingest"));
    let bob = lab.user("bob").await;
    describe(&bob, json!({})).await.expect(403);
}

#[tokio::test]
async fn a_zip_has_the_frames_that_the_caller_may_see() {
    let (lab, ann, listed) = laboratory().await;
    let id = listed["id"].as_i64().unwrap();
    let ask_zip = async |token: Option<&str>, body: Value| {
        let mut request = ask("POST", "/frames/zip/").header("content-type", "application/json");
        if let Some(token) = token {
            request = request.header("authorization", format!("Token {token}"));
        }
        lab.send(request.body(Body::from(body.to_string())).unwrap()).await
    };
    let zip = ask_zip(Some(&ann), json!({"frame_ids": [id, 77]})).await.expect(200);
    assert_eq!(zip.header("content-disposition"), "attachment; filename=ocs_archive_data-20261120-1.zip");
    assert!(zip.header("content-type") == "application/zip" && zip.body.starts_with(b"PK\x03\x04"));
    ask_zip(None, json!({"frame_ids": [id]})).await.expect(404);
    let form = |token: &str| {
        let request = ask("POST", "/frames/zip/").header("content-type", "application/x-www-form-urlencoded");
        request.body(Body::from(format!("frame_ids={id}&auth_token={token}"))).unwrap()
    };
    assert!(lab.send(form(&ann)).await.expect(200).body.starts_with(b"PK"));
    lab.send(form("wrong")).await.expect(401);
    lab.send(ask("GET", "/frames/zip/").body(Body::empty()).unwrap()).await.expect(405);
}
