//! Sessions as their front end asks for them: shapes, errors, lengths, both forms of a path, signed files.

use axum::body::Body;
use holotype_app::sessions::SessionRequest;
use serde_json::{Value, json};

use crate::support::{Answer, Lab, ask};

/// Somebody who asks with a token, as the front end writes it.
struct User<'l> {
    lab: &'l Lab,
    token: String,
}

impl User<'_> {
    async fn ask(&self, method: &str, path: &str, body: Option<&str>) -> Answer {
        let request = ask(method, path).header("authorization", format!("Token {}", self.token));
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(Body::from(body.to_owned())),
            None => request.body(Body::empty()),
        };
        let answer = self.lab.send(request.unwrap()).await;
        if answer.status != 204 {
            assert_eq!(answer.header("content-length"), answer.body.len().to_string(), "{method} {path}");
        }
        answer
    }

    async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, None).await
    }

    async fn send(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.ask(method, path, Some(&body.to_string())).await
    }

    async fn session(&self, name: &str) -> Value {
        self.send("POST", "/api/datasessions/", &json!({ "name": name })).await.expect(201).json()
    }
}

async fn users(lab: &Lab) -> (User<'_>, User<'_>) {
    lab.user("admin").await;
    (User { lab, token: lab.user("alice").await }, User { lab, token: lab.user("bob").await })
}

#[tokio::test]
async fn a_session_is_made_found_named_filled_and_deleted() {
    let lab = Lab::new().await;
    let (alice, _) = users(&lab).await;
    let made =
        alice.send("POST", "/api/datasessions", &json!({ "name": "s1", "input_data": [{ "basename": "a" }] })).await;
    let made = made.expect(201).json();
    assert_eq!(
        made,
        json!({
            "id": made["id"], "operations": [], "user": "alice", "name": "s1", "input_data": [{ "basename": "a" }],
            "created": "2026-11-20T13:13:43Z", "accessed": "2026-11-20T13:13:43Z", "modified": "2026-11-20T13:13:43Z",
        })
    );
    let names: Vec<&String> = made.as_object().unwrap().keys().collect();
    assert_eq!(names, ["id", "operations", "user", "name", "input_data", "created", "accessed", "modified"]);

    let path = format!("/api/datasessions/{}", made["id"]);
    lab.clock.advance(std::time::Duration::from_micros(1_500_000));
    let more = json!({ "input_data": [{ "basename": "a" }, { "basename": "b" }] });
    let changed = alice.send("PATCH", &format!("{path}/"), &more).await.expect(200).json();
    assert_eq!(changed["input_data"], more["input_data"]);
    assert_eq!(changed["modified"], "2026-11-20T13:13:44.500000Z");
    let named = alice.send("PUT", &path, &json!({ "name": "s2" })).await.expect(200).json();
    assert_eq!((&named["name"], &named["input_data"]), (&json!("s2"), &more["input_data"]));

    alice.session("another").await;
    let list = alice.get("/api/datasessions/?limit=1&offset=0&name=S").await.expect(200).json();
    assert_eq!((list["count"].as_u64(), list["results"].as_array().unwrap().len()), (Some(1), 1));
    let page = alice.get("/api/datasessions?limit=1").await.expect(200).json();
    assert_eq!(page["next"], "http://127.0.0.1:8004/api/datasessions/?limit=1&offset=1");
    assert_eq!((page["count"].as_u64(), &page["previous"]), (Some(2), &Value::Null));

    let gone = alice.ask("DELETE", &path, None).await.expect(204);
    assert!(gone.body.is_empty());
    alice.get(&path).await.expect(404);
}

#[tokio::test]
async fn errors_have_the_shapes_that_the_front_end_knows() {
    let lab = Lab::new().await;
    let (alice, bob) = users(&lab).await;
    let hers = alice.session("hers").await["id"].to_string();
    let session = format!("/api/datasessions/{hers}/");
    let none = lab.get("/api/datasessions/").await.expect(401);
    assert_eq!(
        (none.json(), none.header("www-authenticate")),
        (json!({ "detail": "Authentication credentials were not provided." }), "Token")
    );
    let wrong = lab.get_as("holo_wrong", "/api/available_operations/").await.expect(401);
    assert_eq!((wrong.json(), wrong.header("www-authenticate")), (json!({ "detail": "Invalid token." }), "Token"));

    let nobody = json!({ "detail": "No DataSession matches the given query." });
    for (method, path) in [
        ("GET", session.clone()),
        ("DELETE", session.clone()),
        ("PATCH", session.clone()),
        ("GET", format!("{session}operations/")),
        ("POST", format!("{session}operations/bulk_delete/")),
        ("GET", "/api/datasessions/99999999999999999999/".to_owned()),
        ("GET", "/api/datasessions/x/".to_owned()),
    ] {
        assert_eq!(bob.ask(method, &path, None).await.expect(404).json(), nobody, "{method} {path}");
    }
    assert_eq!(
        alice.get(&format!("{session}operations/1/")).await.expect(404).json(),
        json!({ "detail": "No DataOperation matches the given query." })
    );
    let method = alice.ask("PUT", "/api/datasessions/", Some("{}")).await.expect(405);
    assert_eq!(method.json(), json!({ "detail": "Method \"PUT\" not allowed." }));

    let refused = [
        ("POST", "/api/datasessions/", "{nope", json!(null)),
        ("POST", "/api/datasessions/", "", json!({ "name": ["This field is required."] })),
        (
            "POST",
            "/api/datasessions/",
            "[]",
            json!({ "non_field_errors": ["Invalid data. Expected a dictionary, but got list."] }),
        ),
        ("GET", "/api/datasessions/?created_after=soon", "", json!({ "created_after": ["Enter a valid date/time."] })),
        (
            "POST",
            &format!("{session}operations/"),
            r#"{"name":"Nope","input_data":{}}"#,
            json!({ "name": ["\"Nope\" is not a valid choice."] }),
        ),
        ("POST", &format!("{session}operations/"), "{}", json!({ "name": ["This field is required."] })),
        (
            "POST",
            &format!("{session}operations/"),
            r#""x""#,
            json!({ "non_field_errors": ["Invalid data. Expected a dictionary, but got str."] }),
        ),
        ("POST", &format!("{session}operations/bulk_delete/"), "{}", json!({ "ids": ["This field is required."] })),
        (
            "POST",
            &format!("{session}operations/bulk_delete/"),
            r#"{"ids":["x"]}"#,
            json!({ "ids": ["Expected a list of whole numbers."] }),
        ),
        ("POST", "/api/analysis/nope/", "{}", json!({ "error": "Analysis action 'nope' not found" })),
    ];
    for (method, path, body, told) in refused {
        let answer = alice.ask(method, path, Some(body)).await.expect(400);
        match told {
            Value::Null => assert!(
                answer.json()["detail"].as_str().unwrap().starts_with("JSON parse error - "),
                "{}",
                answer.text()
            ),
            told => assert_eq!(answer.json(), told, "{method} {path}"),
        }
    }
    let none = alice.send("POST", &format!("{session}operations/bulk_delete"), &json!({ "ids": [1, 2] })).await;
    assert_eq!(none.expect(200).json(), json!({ "deleted": 0 }));
}

#[tokio::test]
async fn another_origin_is_answered_if_it_is_listed() {
    let lab = Lab::with(&[("HOLOTYPE_ALLOWED_ORIGINS", "http://ui.example")], |_| {}).await;
    let (alice, _) = users(&lab).await;
    let asked = ask("OPTIONS", "/api/datasessions/1/")
        .header("origin", "http://ui.example")
        .header("access-control-request-method", "PATCH")
        .header("access-control-request-headers", "authorization,content-type");
    let preflight = lab.send(asked.body(Body::empty()).unwrap()).await.expect(200);
    assert_eq!(preflight.header("access-control-allow-origin"), "http://ui.example");
    assert_eq!(preflight.header("access-control-allow-methods"), "PATCH");
    let asked = ask("GET", "/api/datasessions/").header("origin", "http://ui.example");
    let asked = asked.header("authorization", format!("Token {}", alice.token));
    let answer = lab.send(asked.body(Body::empty()).unwrap()).await.expect(200);
    assert_eq!(answer.header("access-control-allow-origin"), "http://ui.example");
}

#[tokio::test]
async fn names_are_kept_as_they_are() {
    let lab = Lab::new().await;
    let (alice, _) = users(&lab).await;
    let made = alice.session("Höchst \u{1F52D} <b>").await;
    assert_eq!(made["name"], "Höchst \u{1F52D} <b>");
    let exact =
        json!({ "name": "n", "input_data": [{ "id": 123_456_789_012_345_678_u64, "x": 1e-7, "nul": "\u{0}" }] });
    let made = alice.send("POST", "/api/datasessions/", &exact).await.expect(201).json();
    assert_eq!(made["input_data"], exact["input_data"]);
    assert!(SessionRequest::read(&exact).is_ok());
}

/// A FITS file with a small image named SCI, whose pixels are `level`.
fn frame(level: u8) -> Vec<u8> {
    let cards = [
        "SIMPLE  =                    T",
        "BITPIX  =                    8",
        "NAXIS   =                    2",
        "NAXIS1  =                   60",
        "NAXIS2  =                   48",
        "EXTNAME = 'SCI     '",
        "END",
    ];
    let mut file: Vec<u8> = cards.iter().flat_map(|card| format!("{card:<80}").into_bytes()).collect();
    file.resize(2880, b' ');
    file.extend(vec![level; 60 * 48]);
    file
}

impl User<'_> {
    /// Hands frames in; the items that name them.
    async fn frames(&self, names: &[&str]) -> Vec<Value> {
        let mut items = Vec::new();
        for (level, name) in (1_u8..).zip(names) {
            let request = ask("POST", &format!("/api/v1/frames?name={name}.fits"))
                .header("authorization", format!("Token {}", self.token))
                .header("content-type", "application/octet-stream");
            self.lab.send(request.body(Body::from(frame(level))).unwrap()).await.expect(201);
            items.push(json!({ "basename": name, "source": "archive" }));
        }
        items
    }

    async fn analyse(&self, action: &str, body: &Value) -> Answer {
        self.send("POST", &format!("/api/analysis/{action}/"), body).await
    }
}

/// The path and query of an address of this server.
fn local(url: &Value) -> &str {
    url.as_str().unwrap().strip_prefix("http://127.0.0.1:8004").unwrap()
}

#[tokio::test]
async fn files_have_addresses_that_stay_for_a_day_and_open_by_themselves() {
    let lab = Lab::new().await;
    let (alice, bob) = users(&lab).await;
    let stop = tokio_util::sync::CancellationToken::new();
    let (app, stopped) = (lab.app.clone(), stop.clone());
    let workers = tokio::spawn(async move { app.run_workers(stopped).await });
    let files = alice.frames(&["a", "b"]).await;
    let session = alice.session("s").await["id"].clone();
    let operations = format!("/api/datasessions/{session}/operations/");
    let body = json!({ "name": "Median", "input_data": { "input_files": [files[1], files[0]] } });
    let asked = alice.send("POST", &operations, &body).await.expect(201).json();
    assert_eq!((&asked["status"], &asked["input_data"]["input_files"]), (&json!("IN_PROGRESS"), &json!(files)));
    let path = format!("{operations}{}/", asked["id"]);
    let done = loop {
        let found = alice.get(&path).await.expect(200).json();
        if found["status"] != "IN_PROGRESS" {
            break found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    };
    assert_eq!((&done["status"], &done["operation_progress"]), (&json!("COMPLETED"), &json!(1.0)), "{done}");
    let product = &done["output"]["output_files"][0];
    let members: Vec<&String> = product.as_object().unwrap().keys().collect();
    assert_eq!(members, ["basename", "source", "type", "large_url", "small_url", "fits_url"]);

    let fits = local(&product["fits_url"]);
    let whole = lab.get(fits).await.expect(200);
    assert!(whole.body.starts_with(b"SIMPLE") && whole.header("content-length") == whole.body.len().to_string());
    assert_eq!(whole.header("cross-origin-resource-policy"), "cross-origin");
    let ranged = ask("GET", fits).header("range", "bytes=0-5").body(Body::empty()).unwrap();
    let part = lab.send(ranged).await.expect(206);
    assert_eq!((part.text(), part.header("content-length")), ("SIMPLE", "6"));
    assert_eq!(lab.get(local(&product["small_url"])).await.expect(200).header("content-type"), "image/jpeg");
    let bare = fits.split('?').next().unwrap();
    lab.get(bare).await.expect(401);
    lab.get(&fits.replace("signature=", "signature=0")).await.expect(403);
    bob.get(bare).await.expect(404);
    alice.get(bare).await.expect(200);

    assert_eq!(alice.get(&path).await.json()["output"], done["output"]);
    lab.clock.advance(std::time::Duration::from_secs(3600));
    assert_eq!(alice.get(&path).await.json()["output"], done["output"], "the same an hour later");
    lab.clock.advance(std::time::Duration::from_secs(47 * 3600));
    lab.get(fits).await.expect(200);
    assert_ne!(alice.get(&path).await.json()["output"], done["output"]);
    lab.clock.advance(std::time::Duration::from_secs(48 * 3600));
    lab.get(fits).await.expect(403);

    // What was made is an input of the next, and is looked into.
    let item = json!({ "basename": product["basename"], "source": "datalab", "max_size": 4 });
    let raw = alice.analyse("raw-data", &item).await.expect(200).json();
    assert!((raw["data"][0].as_f64().unwrap() - 1.5).abs() < 1e-6, "{raw}");
    assert_eq!((&raw["bitdepth"], &raw["width"]), (&json!(32), &json!(4)));
    bob.analyse("raw-data", &item).await.expect(400);
    stop.cancel();
    workers.await.unwrap().unwrap();
}

#[tokio::test]
async fn frames_are_looked_into_by_who_may_have_them() {
    let lab = Lab::new().await;
    let (alice, bob) = users(&lab).await;
    let frame = alice.frames(&["a"]).await.remove(0);
    let with = |more: Value| {
        let mut body = frame.clone();
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let tif = alice.analyse("get-tif", &frame).await.expect(200).json();
    let picture = lab.get(local(&tif["tif_url"])).await.expect(200);
    assert_eq!((picture.header("content-type"), &picture.body[..2]), ("image/tiff", b"II".as_slice()));
    lab.get(local(&tif["tif_url"]).split('?').next().unwrap()).await.expect(401);
    assert!(
        alice.analyse("get-jpg", &with(json!({ "zmin": 0, "zmax": 9 }))).await.expect(200).json()["jpg_base64"]
            .is_string()
    );
    let line = with(json!({ "width": 60, "height": 48, "x1": 1, "y1": 1, "x2": 4, "y2": 5 }));
    let profile = alice.analyse("line-profile", &line).await.expect(200).json();
    assert_eq!((profile["line_profile"].as_array().unwrap().len(), &profile["start_coords"]), (6, &Value::Null));
    let refused = [
        ("wcs", frame.clone(), "wcs Error: The frame does not say where it lies on the sky."),
        ("line-profile", frame.clone(), "line-profile Error: x1 must be a number."),
        ("raw-data", with(json!({ "max_size": 0 })), "raw-data Error: max_size must be a whole number above 0."),
        ("get-tif", json!({ "basename": "../a" }), "get-tif Error: \"../a\" is not a valid basename."),
        ("get-tif", json!([]), "get-tif Error: Each file must be an object."),
        ("get-tif", json!({ "basename": "nowhere" }), "get-tif Error: nowhere was not found in the archive"),
    ];
    for (action, body, told) in refused {
        assert_eq!(alice.analyse(action, &body).await.expect(400).json(), json!({ "error": told }));
    }
    // Nothing is to be seen in it: where there is no table of sources, they are looked for.
    let shown = with(json!({ "width": 60, "height": 48 }));
    assert_eq!(alice.analyse("source-catalog", &shown).await.expect(200).json(), json!([]));
    let answer = alice.analyse("centroiding", &frame).await.expect(400).json();
    assert!(answer["error"].as_str().unwrap().starts_with("centroiding Error: missing field"), "{answer}");
    assert_eq!(
        bob.analyse("get-jpg", &frame).await.expect(400).json(),
        json!({ "error": "get-jpg Error: a was not found in the archive" })
    );
}
