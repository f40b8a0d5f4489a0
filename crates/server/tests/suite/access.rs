//! Two users with projects of their own: neither reads or changes what is the other's, by any route.
//!
//! The routes come from the OpenAPI document, so a new one is tried by itself. It must need a caller, or be listed in
//! [`PUBLIC`]; and a variable segment that this test has nothing for makes it fail until it is told what to put there.

use axum::body::Body;
use axum::http::StatusCode;
use holotype_app::catalog::Catalog;
use holotype_app::jobs::{JobError, NewJob};
use holotype_app::sessions::OperationId;
use holotype_core::{ActivityId, Caller};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::fetches;
use crate::support::{Lab, ask};

/// Operations that anybody may call, because they tell nothing of anybody.
const PUBLIC: [&str; 2] = ["get /health", "get /health/"];

/// Paths of the archive: anybody may call them, and is answered as far as they may see.
const BY_VISIBILITY: [&str; 8] = [
    "/frames/",
    "/names/",
    "/thumbnails/",
    "/versions/",
    "/api-token-auth/",
    "/authprofile/",
    "/revoke_token/",
    "/profile/",
];

/// In everything that is Ann's, and in nothing else.
const MARK: &str = "anns-own";

/// What Ann has.
struct Ann {
    token: String,
    caller: Caller,
    job: ActivityId,
    fetch: ActivityId,
    digest: String,
    token_id: String,
    frame: i64,
    version: i64,
    thumbnail: i64,
    session: i64,
    operation: i64,
    output: String,
}

struct Operation {
    method: String,
    path: String,
    facts: Value,
}

async fn operations(lab: &Lab) -> Vec<Operation> {
    let document = lab.get("/openapi.json").await.expect(200).json();
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, facts) in methods.as_object().unwrap() {
            operations.push(Operation { method: method.to_uppercase(), path: path.clone(), facts: facts.clone() });
        }
    }
    operations
}

impl Operation {
    fn name(&self) -> String {
        format!("{} {}", self.method.to_lowercase(), self.path)
    }

    /// The path with Ann's own in its variable segments.
    fn of(&self, ann: &Ann) -> String {
        let segments = self.path.split('/').map(|segment| match segment {
            segment if !segment.starts_with('{') => segment.to_owned(),
            "{id}" if self.path.starts_with("/api/v1/jobs/") => ann.job.to_string(),
            "{id}" if self.path.starts_with("/api/v1/fetches/") => ann.fetch.to_string(),
            "{name}" if self.path.starts_with("/api/v1/fetch-schedules/") => format!("{MARK}-nightly"),
            "{id}" if self.path.starts_with("/api/v1/tokens/") => ann.token_id.clone(),
            "{id}" if self.path.starts_with("/frames/") => ann.frame.to_string(),
            "{id}" if self.path.starts_with("/thumbnails/") => ann.thumbnail.to_string(),
            "{session}" => ann.session.to_string(),
            "{operation}" => ann.operation.to_string(),
            "{digest}" => ann.digest.clone(),
            "{action}" => "wcs".to_owned(),
            "{name}" if self.path.contains("/outputs/") => ann.output.clone(),
            "{id}" if self.path.starts_with("/api/v1/sessions/") => ann.session.to_string(),
            "{id}" if self.path.starts_with("/api/v1/operations/") => ann.operation.to_string(),
            "{name}" if self.path.starts_with("/names/") => MARK.to_owned(),
            "{basename}" => MARK.to_owned(),
            "{version}" => ann.version.to_string(),
            "{filename}" => "frame.fits".to_owned(),
            "{id}" if self.path.contains("/lineage/") || self.path.contains("/datapoint") => {
                format!("{MARK}-datapoint")
            }
            "{kind}" => "datapoint".to_owned(),
            "{position}" => "0".to_owned(),
            "{label}" => format!("{MARK}-label"),
            "{project}" => ann.caller.project.to_string(),
            "{name}" | "{user}" => ann.caller.name.clone(),
            other => panic!("{}: tell this test what of Ann's to put for {other}", self.path),
        });
        segments.collect::<Vec<_>>().join("/")
    }

    fn has_variables(&self) -> bool {
        self.path.contains('{')
    }

    fn names_project(&self) -> bool {
        let parameters = self.facts["parameters"].as_array();
        parameters.is_some_and(|all| all.iter().any(|one| one["name"] == "project" && one["in"] == "query"))
    }

    fn is_by_visibility(&self) -> bool {
        BY_VISIBILITY.iter().any(|start| self.path.starts_with(start))
    }

    /// A body that the operation takes, so that it is not refused for its form alone.
    fn body(&self) -> (&'static str, String) {
        let json = |value: Value| ("application/json", value.to_string());
        match (self.method.as_str(), self.path.as_str()) {
            ("POST", "/datapoint") => {
                ("application/x-www-form-urlencoded", crate::support::encoded(r#"{"data_type":"json","value":1}"#))
            }
            ("POST", "/api/v1/datapoints") => json(json!({"data_type": "json", "value": 1})),
            ("POST", "/api/v1/datapoints/batch") => {
                ("application/x-ndjson", "{\"data_type\":\"json\",\"value\":1}\n".to_owned())
            }
            ("POST", "/api/v1/frames") => {
                ("multipart/form-data; boundary=B", String::from_utf8(a_frame("bobs.fits", "bob's")).unwrap())
            }
            ("POST", "/api/datasessions/" | "/api/v1/sessions") => json(json!({"name": "bobs"})),
            ("POST", "/api/analysis/{action}/") => json(json!({"basename": MARK})),
            ("POST", path) if path.ends_with("/operations/") || path.ends_with("/operations") => json(asked()),
            ("POST", "/frames/zip/") => json(json!({"frame_ids": [1, 2, 3]})),
            ("POST", "/frames/") => json(json!({"basename": MARK, "version_set": []})),
            ("POST", "/api-token-auth/") => json(json!({"username": format!("{MARK}-ann"), "password": "a guess"})),
            ("POST", "/api/v1/users") => json(json!({"name": "carol"})),
            ("PUT", "/api/v1/users/{name}/password") => json(json!({"password": "a new password of bob's"})),
            ("PUT", "/api/v1/users/{name}/archive-token") => json(json!({"token": "a-token-of-bobs"})),
            ("POST", "/authprofile/addupdateuser/") => json(json!({"username": format!("{MARK}-ann")})),
            ("POST", "/api/v1/fetch-schedules") => json(fetches::schedule("bobs")),
            ("POST", "/api/v1/tokens") => json(json!({"name": "more", "user": format!("{MARK}-ann")})),
            ("POST", "/api/v1/projects") => json(json!({"name": "bobs-second"})),
            ("PUT", "/api/v1/projects/{project}/members/{user}") => json(json!({"role": "viewer"})),
            ("PUT", "/api/v1/datapoint-schemas/{label}") => json(json!({"schema": true})),
            _ => json(json!({})),
        }
    }
}

async fn laboratory() -> (Lab, Ann, String) {
    let lab = Lab::new().await;
    lab.user("admin").await;
    let token = lab.user(&format!("{MARK}-ann")).await;
    let bob = lab.user("bob").await;
    let secret = token.clone();
    let caller = lab.app.catalog().authenticate_token(&secret.into()).await.unwrap().unwrap();
    let as_ann = |request: axum::http::request::Builder| request.header("authorization", format!("Bearer {token}"));
    let datapoint = format!(r#"{{"data_type":"file","_id":"{MARK}-datapoint","label":"{MARK}-label","path":"x"}}"#);
    let form = crate::support::multipart(&datapoint, &[(&format!("{MARK}.txt"), MARK.as_bytes())]);
    let request = as_ann(ask("POST", "/datapoint")).header("content-type", "multipart/form-data; boundary=B");
    lab.send(request.body(Body::from(form)).unwrap()).await.expect(200);
    let schema = json!({"schema": {"description": MARK}}).to_string();
    let request = as_ann(ask("PUT", &format!("/api/v1/datapoint-schemas/{MARK}-label")))
        .header("content-type", "application/json");
    lab.send(request.body(Body::from(schema)).unwrap()).await.expect(200);
    let files = lab.get_as(&token, &format!("/api/v1/datapoints/{MARK}-datapoint/files")).await.expect(200).json();
    let tokens = lab.get_as(&token, "/api/v1/tokens").await.expect(200).json();
    let request = as_ann(ask("POST", "/api/v1/frames")).header("content-type", "multipart/form-data; boundary=B");
    let frame = request.body(Body::from(a_frame(&format!("{MARK}.fits"), MARK))).unwrap();
    let frame = lab.send(frame).await.expect(201).json();
    let as_admin = Caller { admin: true, ..caller.clone() };
    let request = serde_json::from_value(fetches::request(MARK)).unwrap();
    let nightly = format!("{MARK}-nightly");
    let archives = lab.app.archives();
    archives.add_schedule(&as_admin, caller.project, &nightly, "0 9 * * *", "UTC", request).await.unwrap();
    let pictures = lab.get_as(&token, "/thumbnails/").await.expect(200).json();
    let as_json = |path: &str| as_ann(ask("POST", path)).header("content-type", "application/json");
    let named = json!({"name": format!("{MARK}-session"), "input_data": [{"basename": MARK}]}).to_string();
    let session = lab.send(as_json("/api/datasessions/").body(Body::from(named)).unwrap()).await.expect(201).json();
    let session = session["id"].as_i64().unwrap();
    let path = format!("/api/datasessions/{session}/operations/");
    let operation = lab.send(as_json(&path).body(Body::from(asked().to_string())).unwrap()).await.expect(201).json();
    let operation = operation["id"].as_i64().unwrap();
    let record = lab.app.sessions().operation_record(&caller, OperationId(operation)).await.unwrap();
    let ann = Ann {
        session,
        operation,
        output: format!("{}.fits", record.key),
        frame: frame["frame"].as_i64().unwrap(),
        version: frame["version"].as_i64().unwrap(),
        thumbnail: pictures["results"][0]["id"].as_i64().unwrap(),
        job: enqueue(&lab, &caller).await,
        fetch: fetches::fetched(&lab, &caller, MARK).await,
        digest: files["items"][0]["digest"].as_str().unwrap().to_owned(),
        token_id: tokens["items"][0]["id"].as_str().unwrap().to_owned(),
        token,
        caller,
    };
    (lab, ann, bob)
}

/// A form with a FITS file that has nothing but a header, which is text.
fn a_frame(name: &str, target: &str) -> Vec<u8> {
    let cards = [
        "SIMPLE  =                    T".to_owned(),
        "BITPIX  =                    8".to_owned(),
        "NAXIS   =                    2".to_owned(),
        "NAXIS1  =                   60".to_owned(),
        "NAXIS2  =                   48".to_owned(),
        format!("OBJECT  = '{:<8}'", target.replace('\'', "''")),
        "END".to_owned(),
    ];
    let mut file: String = cards.iter().map(|card| format!("{card:<80}")).collect();
    file = format!("{file:<2880}");
    file.extend((0..60 * 48).map(|pixel| char::from(32 + (pixel % 90) as u8)));
    let head = format!("--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\r\n");
    format!("{head}{file}\r\n--B--\r\n").into_bytes()
}

/// An operation on Ann's frame.
fn asked() -> Value {
    let frame = json!({"basename": MARK, "source": "archive"});
    json!({"name": "Median", "input_data": {"input_files": [frame, frame]}})
}

async fn enqueue(lab: &Lab, caller: &Caller) -> ActivityId {
    let (jobs, job) =
        (lab.app.jobs().clone(), NewJob::new("test.wait", caller.project, caller.user, json!({"of": MARK})));
    let enqueued = lab.app.catalog().write::<_, JobError, _>(move |tx| {
        let (jobs, job) = (jobs.clone(), job.clone());
        Box::pin(async move { jobs.enqueue(tx, &job).await })
    });
    enqueued.await.unwrap()
}

/// Status and text of an answer; of a stream that does not end, only that it has begun.
async fn answer(lab: &Lab, operation: &Operation, path: &str, token: Option<&str>) -> (StatusCode, String) {
    let (content_type, body) = operation.body();
    let mut request = ask(&operation.method, path).header("content-type", content_type);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let body = if operation.method == "GET" { Body::empty() } else { Body::from(body) };
    let response = lab.router.clone().oneshot(request.body(body).unwrap()).await.unwrap();
    let status = response.status();
    let streams = response.headers().get("content-type").is_some_and(|value| value == "text/event-stream");
    let body = if streams { Body::empty() } else { response.into_body() };
    let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap();
    (status, String::from_utf8_lossy(&bytes).into_owned())
}

#[tokio::test]
async fn every_operation_needs_a_caller_unless_it_is_known_to_be_public() {
    let (lab, ann, _) = laboratory().await;
    for operation in operations(&lab).await {
        let (status, text) = answer(&lab, &operation, &operation.of(&ann), None).await;
        if PUBLIC.contains(&operation.name().as_str()) {
            let is_open = operation.facts.get("security").is_none_or(|security| security[0] == json!({}));
            assert!(status.is_success() && is_open, "{}", operation.name());
        } else if operation.is_by_visibility() {
            assert_eq!(operation.facts["security"][0], json!({}), "{}", operation.name());
            assert!(!operation.has_variables() || status == 404, "{}: {status} {text}", operation.name());
            assert!(operation.method == "GET" || !status.is_success(), "{}: {status} {text}", operation.name());
        } else {
            assert_eq!(status, 401, "{}: {text}", operation.name());
            assert!(operation.facts["security"].is_array(), "{}", operation.name());
        }
        assert!(!text.contains(MARK), "{}: {text}", operation.name());
    }
}

#[tokio::test]
async fn no_operation_shows_or_changes_what_is_anothers() {
    let (lab, ann, bob) = laboratory().await;
    let project = format!("project={}", ann.caller.project);
    // Its subject is the token that is presented, and Bob needs his for the rest.
    let all = operations(&lab).await.into_iter().filter(|operation| operation.path != "/revoke_token/");
    for operation in all {
        let path = operation.of(&ann);
        let (status, text) = answer(&lab, &operation, &path, Some(&bob)).await;
        let (_, body) = operation.body();
        assert!(!told(&text, &path, &body), "{}: {status} {text}", operation.name());
        // A schema of the same label in one's own project is one's own.
        if operation.has_variables() && operation.name() != "put /api/v1/datapoint-schemas/{label}" {
            let refused = [403, 404].contains(&status.as_u16())
                || (status == 400 && operation.path.starts_with("/api/analysis/"))
                || operation.path.starts_with("/api/v1/datapoint-schemas/");
            assert!(refused, "{}: {status} {text}", operation.name());
        }
        if operation.names_project() {
            let (status, text) = answer(&lab, &operation, &format!("{path}?{project}"), Some(&bob)).await;
            assert!(!told(&text, &path, &body), "{} in Ann's project: {status} {text}", operation.name());
            assert!(
                !changes(&operation) || !status.is_success(),
                "{} in Ann's project: {status} {text}",
                operation.name()
            );
        }
    }
    unchanged(&lab, &ann, &bob).await;
}

/// Whether an answer tells of Ann's, beyond what the request itself named.
fn told(text: &str, path: &str, body: &str) -> bool {
    let named = path.split('/').chain(body.split('"')).filter(|part| part.contains(MARK));
    let rest = named.fold(text.to_owned(), |text, segment| text.replace(segment, ""));
    rest.contains(MARK)
}

fn changes(operation: &Operation) -> bool {
    let reads = ["/query", "/count"].iter().any(|end| operation.path.ends_with(end));
    operation.method != "GET" && !reads && !operation.path.starts_with("/api/v1/tokens")
}

async fn unchanged(lab: &Lab, ann: &Ann, bob: &str) {
    let get = async |path: &str| lab.get_as(&ann.token, path).await.expect(200).json();
    let datapoint = format!("/api/v1/datapoints/{MARK}-datapoint");
    assert_eq!(get(&datapoint).await["label"], format!("{MARK}-label"));
    assert_eq!(lab.get_as(&ann.token, &format!("{datapoint}/value")).await.expect(200).text(), MARK);
    assert_eq!(get("/api/v1/datapoints").await["items"].as_array().unwrap().len(), 1);
    assert_eq!(get(&format!("/api/v1/datapoint-schemas/{MARK}-label")).await["schema"], json!({"description": MARK}));
    assert_eq!(get(&format!("/api/v1/jobs/{}", ann.job)).await["state"], "queued");
    assert_eq!(get("/api/v1/whoami").await["name"], ann.caller.name);
    let members = get(&format!("/api/v1/projects/{}/members", ann.caller.project)).await;
    assert_eq!(members["items"].as_array().unwrap().len(), 1);
    assert_eq!(get("/api/v1/tokens").await["items"].as_array().unwrap().len(), 1);
    assert_eq!(get("/api/v1/fetches").await["items"].as_array().unwrap().len(), 1);
    assert_eq!(get("/api/v1/fetch-schedules").await["items"][0]["name"], format!("{MARK}-nightly"));
    let session = get(&format!("/api/datasessions/{}/", ann.session)).await;
    assert_eq!(session["name"], format!("{MARK}-session"));
    assert_eq!(session["operations"][0]["status"], "IN_PROGRESS");
    let frames = get("/frames/").await;
    assert_eq!((frames["count"].as_u64(), &frames["results"][0]["basename"]), (Some(1), &json!(MARK)));
    // The same bytes are another entity in another project.
    lab.get_as(&ann.token, &format!("/api/v1/lineage/blob/{}", ann.digest)).await.expect(200);
    lab.get_as(bob, &format!("/api/v1/lineage/blob/{}", ann.digest)).await.expect(404);
    let audit = lab.app.catalog().audit_events(&Catalog::local_owner(), None, 1000).await.unwrap();
    assert!(
        !audit.iter().any(|event| event.user_name == "bob"
            && event.target.contains(MARK)
            && event.action != "datapoint-schema.put"
            && event.action != "datapoint-schema.delete"),
        "{audit:?}"
    );
}

#[tokio::test]
async fn a_role_lets_in_as_far_as_it_goes() {
    let (lab, ann, bob) = laboratory().await;
    let role = async |role: &str| {
        let path = format!("/api/v1/projects/{}/members/bob", ann.caller.project);
        let request = ask("PUT", &path)
            .header("authorization", format!("Bearer {}", ann.token))
            .header("content-type", "application/json");
        lab.send(request.body(Body::from(json!({"role": role}).to_string())).unwrap()).await.expect(204);
    };
    let place = format!("project={}", ann.caller.project);
    let submit = async || {
        let request = ask("POST", &format!("/api/v1/datapoints?{place}"))
            .header("authorization", format!("Bearer {bob}"))
            .header("content-type", "application/json");
        lab.send(request.body(Body::from(r#"{"data_type":"json","value":1}"#)).unwrap()).await.status.as_u16()
    };
    assert_eq!(submit().await, 404);
    role("viewer").await;
    lab.get_as(&bob, &format!("/api/v1/datapoints/{MARK}-datapoint?{place}")).await.expect(200);
    assert_eq!(submit().await, 403);
    role("editor").await;
    assert_eq!(submit().await, 201);
    let request = ask("DELETE", &format!("/api/v1/projects/{}", ann.caller.project))
        .header("authorization", format!("Bearer {bob}"));
    lab.send(request.body(Body::empty()).unwrap()).await.expect(403);
}
