//! Pages and the OpenAPI document.

use axum::body::Body;

use crate::support::{Lab, ask};

#[tokio::test]
async fn the_root_is_a_page_for_people_and_an_index_for_programs() {
    let lab = Lab::new().await;
    let page = ask("GET", "/").header("accept", "text/html,application/xhtml+xml").body(Body::empty()).unwrap();
    assert_eq!(lab.send(page).await.expect(307).header("location"), "/ui/");
    let index = lab.get("/").await.expect(200).json();
    assert_eq!(index["service"], "holotype");
    for (_, path) in index["links"].as_object().unwrap() {
        let status = lab.get(path.as_str().unwrap()).await.status.as_u16();
        assert_eq!(status, 200, "{path}");
    }
}

#[tokio::test]
async fn pages_are_public_and_load_nothing_from_elsewhere() {
    let lab = Lab::new().await;
    lab.user("ann").await;
    for path in ["/ui/", "/ui/ui.js", "/ui/style.css", "/ui/reference.js", "/docs", "/redoc"] {
        let page = lab.get(path).await.expect(200);
        let policy = page.header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'") && policy.contains("frame-ancestors 'none'"),
            "{path}: {policy}"
        );
        assert_eq!(page.header("x-content-type-options"), "nosniff");
    }
    assert_eq!(lab.get("/ui").await.expect(307).header("location"), "/ui/");
}

#[tokio::test]
async fn the_document_names_the_manager_and_describes_every_operation() {
    let lab = Lab::with(&[("DATA_MANAGER_NAME", "Bench")], |_| {}).await;
    let document = lab.get("/openapi.json").await.expect(200).json();
    assert_eq!(lab.get("/api/v1/openapi.json").await.expect(200).json(), document);
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    assert_eq!((&document["info"]["title"], &document["info"]["version"]), (&"Bench".into(), &"0.1.0".into()));
    assert_eq!(document["info"]["description"], "Bench Manager");
    let mut names = std::collections::HashSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        assert!(!path.contains('*'), "{path}");
        for (method, operation) in methods.as_object().unwrap() {
            assert!(names.insert(operation["operationId"].as_str().unwrap()), "{method} {path}: the name is taken");
            let what = format!("{method} {path}");
            assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{what} has no summary");
            assert!(operation["tags"][0].is_string(), "{what} has no tag");
            for (status, answer) in operation["responses"].as_object().unwrap() {
                assert!(answer["description"].as_str().is_some_and(|text| !text.is_empty()), "{what} {status}");
            }
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                assert!(parameter["description"].is_string(), "{what}: {}", parameter["name"]);
            }
        }
    }
    assert!(
        names.len() > 40 && names.contains("get_jobs_id_log") && names.contains("get_madsci_datapoint_id"),
        "{names:?}"
    );
    let text = document.to_string();
    let dangling: Vec<&str> = text
        .split("\"#/components/schemas/")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|name| document["components"]["schemas"].get(name).is_none())
        .collect();
    assert!(dangling.is_empty(), "{dangling:?}");
}

#[tokio::test]
async fn a_foreign_front_end_is_served_beside_the_api() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("index.html"), "<p>front end</p>").unwrap();
    let mount = format!("/app={}", folder.path().display());
    let lab = Lab::with(&[("HOLOTYPE_STATIC", &mount)], |_| {}).await;
    lab.user("ann").await;
    let page = lab.get("/app/").await.expect(200);
    assert_eq!((page.text(), page.header("cross-origin-embedder-policy")), ("<p>front end</p>", "require-corp"));
    let post = lab.send(ask("POST", "/app/").body(Body::empty()).unwrap()).await.expect(405);
    assert_eq!(post.header("allow"), "GET, HEAD");
    lab.get("/app/../home/catalog.db").await.expect(404);
    lab.get("/app/%2e%2e/home/catalog.db").await.expect(404);
}
