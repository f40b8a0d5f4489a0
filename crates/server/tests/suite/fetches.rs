//! Fetches and their schedules over HTTP: to members, to strangers, and what no server takes.

use axum::body::Body;
use holotype_app::archives::ArchiveError;
use holotype_app::archives::fetch::FetchRequest;
use holotype_app::catalog::{CatalogError, values};
use holotype_core::{ActivityId, Caller};
use serde_json::{Value, json};

use crate::support::{Answer, Lab, ask};

/// A request as a client reads it from files.
pub(crate) fn request(name: &str) -> Value {
    let archive = json!({"key": "lco", "name": "LCO", "active": true, "url": "http://127.0.0.1:9/", "token_variable": "LCO_TOKEN",
        "proposals": ["P1"], "image_level": 91, "spectrum_level": 90, "definition": null, "parameters": {}});
    let config = json!({"archives": [archive], "log_directory": "/data/logs", "frame_list": "/data/list.txt", "download_directory": "/data/in",
        "reduction_directory": "/data", "window": null, "template": "/data/template.yaml", "rules": null});
    let rules = json!({"tables": {}, "select": [{"configuration_type": {"is": "EXPOSE"}}], "datasets": [{"when": {}, "path": "{target_name}"}]});
    let window = json!({"start": "2026-11-19T09:00:00Z", "end": "2026-11-20T09:00:00Z"});
    let options = json!({"data_summary": true, "replace_amended": false});
    json!({"name": name, "config": config, "rules": rules, "template": {"target": {"name": "x"}}, "window": window, "options": options})
}

pub(crate) fn schedule(name: &str) -> Value {
    json!({"name": name, "cron": "0 9 * * *", "time_zone": "Europe/Berlin", "request": request("night.yaml")})
}

/// A fetch whose job waits.
pub(crate) async fn asked_for(lab: &Lab, caller: &Caller, name: &str) -> ActivityId {
    let request: FetchRequest = serde_json::from_value(request(name)).unwrap();
    let (jobs, job) = (lab.app.jobs().clone(), request.job(caller.project, caller.user).unwrap());
    let enqueued = lab.app.catalog().write::<_, ArchiveError, _>(move |tx| {
        let (jobs, job) = (jobs.clone(), job.clone());
        Box::pin(async move { Ok(jobs.enqueue(tx, &job).await?) })
    });
    enqueued.await.unwrap()
}

/// A fetch that listed frames: of three, the middle one failed.
pub(crate) async fn fetched(lab: &Lab, caller: &Caller, name: &str) -> ActivityId {
    let id = asked_for(lab, caller, name).await;
    let (caller, name, config) = (caller.clone(), name.to_owned(), request(name)["config"].to_string());
    let report = json!({"window": request("")["window"], "listed": 3, "unasked": [], "unusable": [], "gone": [["http://127.0.0.1:9/", "old.fits"]],
        "tally": {"frames": [["placed", 2], ["failed", 1]], "transferred": 30}});
    let written = lab.app.catalog().write::<_, CatalogError, _>(move |tx| {
        let (caller, name, config, report) = (caller.clone(), name.clone(), config.clone(), report.to_string());
        Box::pin(async move {
            let now = tx.now();
            let fetch = "INSERT INTO fetches (id, project, agent, name, tree, config, window_start, window_end, created_at, report) \
                         VALUES ($1, $2, $3, $4, '/data', $5, $6, $6, $6, $7)";
            tx.exec_sql(fetch, values![id, caller.project, caller.user, name, config, now, report]).await?;
            for (position, state) in ["placed", "failed", "placed"].into_iter().enumerate() {
                let frame = "INSERT INTO fetch_frames (fetch_id, position, archive, name, state, transferred, changed_at) \
                             VALUES ($1, $2, 'http://127.0.0.1:9/', $3, $4, 10, $5)";
                let file = format!("{name}-{position}.fits");
                tx.exec_sql(frame, values![id, position as i64, file, state, now]).await?;
            }
            Ok(())
        })
    });
    written.await.unwrap();
    id
}

/// A service with an administrator, and Ann, who is nobody's.
async fn laboratory() -> (Lab, String, Caller, String) {
    let lab = Lab::new().await;
    let admin = lab.user("admin").await;
    let ann = lab.user("ann").await;
    let caller = lab.app.catalog().authenticate_token(&admin.clone().into()).await.unwrap().unwrap();
    (lab, admin, caller, ann)
}

async fn send(lab: &Lab, token: &str, method: &str, path: &str, body: &Value) -> Answer {
    let request = ask(method, path).header("authorization", format!("Bearer {token}"));
    lab.send(request.header("content-type", "application/json").body(Body::from(body.to_string())).unwrap()).await
}

#[tokio::test]
async fn members_see_what_became_of_each_frame_and_strangers_nothing() {
    let (lab, admin, caller, ann) = laboratory().await;
    let done = fetched(&lab, &caller, "night").await;
    lab.clock.advance(std::time::Duration::from_secs(1));
    let waiting = asked_for(&lab, &caller, "next").await;
    let project = format!("project={}", caller.project);
    let first = lab.get_as(&admin, "/api/v1/fetches?limit=1").await.expect(200).json();
    assert_eq!((&first["items"][0]["id"], &first["items"][0]["state"]), (&json!(waiting), &json!("queued")));
    assert_eq!(first["items"][0]["complete"], Value::Null);
    let next = first["next"].as_str().unwrap();
    let second = lab.get_as(&admin, &format!("/api/v1/fetches?after={next}&limit=1")).await.expect(200).json();
    assert_eq!((&second["items"][0]["id"], &second["items"][0]["complete"]), (&json!(done), &json!(false)));
    assert_eq!(second["next"], Value::Null);

    let path = format!("/api/v1/fetches/{done}");
    let detail = lab.get_as(&admin, &path).await.expect(200).json();
    assert_eq!(detail["tally"]["frames"], json!([{"state": "placed", "count": 2}, {"state": "failed", "count": 1}]));
    assert_eq!((&detail["tally"]["transferred"], &detail["report"]["missing"]), (&json!(30), &json!(1)));
    assert_eq!(detail["report"]["gone"], json!([{"archive": "http://127.0.0.1:9/", "text": "old.fits"}]));
    assert_eq!((&detail["job"]["kind"], &detail["job"]["state"]), (&json!("archive.fetch"), &json!("queued")));
    let frames = lab.get_as(&admin, &format!("{path}/frames?limit=2")).await.expect(200).json();
    assert_eq!((frames["items"].as_array().unwrap().len(), &frames["next"]), (2, &json!("1")));
    let rest = lab.get_as(&admin, &format!("{path}/frames?limit=2&after=1")).await.expect(200).json();
    assert_eq!((&rest["items"][0]["name"], &rest["next"]), (&json!("night-2.fits"), &Value::Null));
    let failed = lab.get_as(&admin, &format!("{path}/frames?state=failed")).await.expect(200).json();
    assert_eq!((failed["items"].as_array().unwrap().len(), &failed["items"][0]["position"]), (1, &json!(1)));
    lab.get_as(&admin, &format!("{path}/frames?state=lost")).await.expect(422);
    lab.get_as(&admin, "/api/v1/fetches/nonsense").await.expect(404);
    let waits = lab.get_as(&admin, &format!("/api/v1/fetches/{waiting}/frames")).await.expect(200).json();
    assert_eq!(waits["items"], json!([]));

    for path in [
        path.clone(),
        format!("{path}/frames"),
        format!("/api/v1/fetches?{project}"),
        format!("/api/v1/fetch-schedules?{project}"),
    ] {
        lab.get_as(&ann, &path).await.expect(404);
    }
    assert_eq!(lab.get_as(&ann, "/api/v1/fetches").await.expect(200).json()["items"], json!([]));
    let member = format!("/api/v1/projects/{}/members/ann", caller.project);
    send(&lab, &admin, "PUT", &member, &json!({"role": "viewer"})).await.expect(204);
    assert_eq!(
        lab.get_as(&ann, &format!("/api/v1/fetches?{project}")).await.expect(200).json()["items"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    lab.get_as(&ann, &path).await.expect(200);
    lab.get_as(&ann, &format!("{path}/frames")).await.expect(200);
}

#[tokio::test]
async fn a_job_of_another_kind_is_no_fetch() {
    let (lab, admin, ..) = laboratory().await;
    let job = send(&lab, &admin, "POST", "/api/v1/store/verify", &json!({})).await.expect(202).json();
    lab.get_as(&admin, &format!("/api/v1/fetches/{}", job["id"].as_str().unwrap())).await.expect(404);
    assert_eq!(lab.get_as(&admin, "/api/v1/fetches").await.expect(200).json()["items"], json!([]));
}

#[tokio::test]
async fn a_schedule_is_made_listed_and_ended_by_an_administrator() {
    let (lab, admin, caller, ann) = laboratory().await;
    let made = send(&lab, &admin, "POST", "/api/v1/fetch-schedules", &schedule("nightly")).await.expect(201).json();
    assert_eq!(
        (&made["next_at"], &made["tree"], &made["config"]),
        (&json!("2026-11-21T08:00:00Z"), &json!("/data"), &json!("night.yaml"))
    );
    assert_eq!((&made["data_summary"], &made["last_fetch"]), (&json!(true), &Value::Null));
    send(&lab, &admin, "POST", "/api/v1/fetch-schedules", &schedule("nightly")).await.expect(409);
    send(&lab, &ann, "POST", "/api/v1/fetch-schedules", &schedule("mine")).await.expect(403);
    let place = format!("/api/v1/fetch-schedules?project={}", caller.project);
    send(&lab, &ann, "POST", &place, &schedule("mine")).await.expect(404);
    let member = format!("/api/v1/projects/{}/members/ann", caller.project);
    send(&lab, &admin, "PUT", &member, &json!({"role": "owner"})).await.expect(204);
    send(&lab, &ann, "POST", &place, &schedule("mine")).await.expect(403);
    let one = format!("/api/v1/fetch-schedules/nightly?project={}", caller.project);
    send(&lab, &ann, "DELETE", &one, &json!({})).await.expect(403);
    let listed = lab.get_as(&ann, &place).await.expect(200).json();
    assert_eq!(listed["items"], json!([made]));
    lab.clock.set("2026-11-21T08:00:00Z".parse().unwrap());
    assert_eq!(lab.app.archives().fetch_what_is_due().await.unwrap(), 1);
    let fetch = &lab.get_as(&admin, "/api/v1/fetches").await.expect(200).json()["items"][0];
    assert_eq!(fetch["window"], json!({"start": "2026-11-20T08:00:00Z", "end": "2026-11-21T08:00:00Z"}));
    let listed = lab.get_as(&admin, "/api/v1/fetch-schedules").await.expect(200).json();
    assert_eq!(listed["items"][0]["last_fetch"], fetch["id"]);
    send(&lab, &admin, "DELETE", "/api/v1/fetch-schedules/nightly", &json!({})).await.expect(204);
    send(&lab, &admin, "DELETE", "/api/v1/fetch-schedules/nightly", &json!({})).await.expect(404);
    assert_eq!(lab.get_as(&admin, "/api/v1/fetch-schedules").await.expect(200).json()["items"], json!([]));
}

#[tokio::test]
async fn a_request_that_no_client_reads_from_files_is_refused() {
    let (lab, admin, ..) = laboratory().await;
    for (part, value) in [
        ("/cron", json!("now and then")),
        ("/time_zone", json!("Mars/Olympus")),
        ("/name", json!("../nightly")),
        ("/request", json!("/etc/night.yaml")),
        ("/request/more", json!(1)),
        ("/request/config/archives/0/token", json!("geheim")),
        ("/request/config/archives/0/url", json!("file:///etc/passwd")),
        ("/request/config/archives/0/url", json!("https://me:geheim@archive.example.org/")),
        ("/request/config/archives/0/definition", json!("/etc/passwd")),
        ("/request/config/reduction_directory", json!("data")),
        ("/request/rules/datasets/0/path", json!("{target_name")),
        ("/request/window/start", json!("yesterday")),
    ] {
        let mut wrong = schedule("nightly");
        let (parent, member) = part.rsplit_once('/').unwrap();
        wrong.pointer_mut(parent).unwrap()[member] = value;
        let refused = send(&lab, &admin, "POST", "/api/v1/fetch-schedules", &wrong).await;
        assert_eq!(refused.status, 422, "{part}: {refused:?}");
        assert!(!refused.text().contains("geheim"), "{part}: {refused:?}");
    }
    let mut large = schedule("nightly");
    large["request"]["template"]["more"] = json!("x".repeat(100_000));
    send(&lab, &admin, "POST", "/api/v1/fetch-schedules", &large).await.expect(413);
    assert_eq!(lab.get_as(&admin, "/api/v1/fetch-schedules").await.expect(200).json()["items"], json!([]));
}
