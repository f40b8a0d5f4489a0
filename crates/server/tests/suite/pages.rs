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
    let mut operations = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        assert!(!path.contains('*'), "{path}");
        for (method, operation) in methods.as_object().unwrap() {
            operations += 1;
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
    assert!(operations > 40, "{operations} operations");
    let text = document.to_string();
    let dangling: Vec<&str> = text
        .split("\"#/components/schemas/")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|name| document["components"]["schemas"].get(name).is_none())
        .collect();
    assert!(dangling.is_empty(), "{dangling:?}");
}
