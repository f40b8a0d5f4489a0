//! Foreign front ends: directories served as they are.
//!
//! A front end that uses threads of WebAssembly must be isolated from other origins, so every answer carries the headers
//! that isolate it. Nothing outside the directory is answered, whatever the path says and wherever a symbolic link leads.

use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use axum::body::Body;
use axum::http::header::{ACCEPT, ALLOW, CONTENT_LENGTH, CONTENT_TYPE, ETAG, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use holotype_app::config::Mount;
use holotype_core::Category;
use percent_encoding::percent_decode_str;
use tokio::fs::File;
use tokio_util::io::ReaderStream;

use crate::content;
use crate::listen::ServeError;
use crate::problem::{Failure, method_not_allowed};

/// First segments that belong to the API and its pages.
const TAKEN: [&str; 17] = [
    "api",
    "api-token-auth",
    "authprofile",
    "datapoint",
    "datapoints",
    "docs",
    "frames",
    "health",
    "names",
    "openapi.json",
    "profile",
    "redoc",
    "revoke_token",
    "settings",
    "thumbnails",
    "ui",
    "versions",
];

/// What isolates a page from other origins.
const ISOLATION: [(&str, &str); 3] = [
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// Checks at the start that what is to be served is there and in nobody's way.
pub(crate) fn check(mounts: &[Mount]) -> Result<(), ServeError> {
    for mount in mounts {
        if is_taken(&mount.path) {
            return Err(ServeError::PathTaken { path: mount.path.clone() });
        }
        let unusable = |source| ServeError::Directory { directory: mount.directory.clone(), source };
        if !std::fs::metadata(&mount.directory).map_err(unusable)?.is_dir() {
            return Err(unusable(io::Error::from(io::ErrorKind::NotADirectory)));
        }
    }
    Ok(())
}

/// Whether a path is the API's or a page's, however it goes on.
fn is_taken(path: &str) -> bool {
    TAKEN.contains(&path.trim_start_matches('/').split('/').next().unwrap_or_default())
}

/// Whether a front end is served at the root itself.
pub(crate) fn at_the_root(mounts: &[Mount]) -> bool {
    mounts.iter().any(|mount| mount.path.is_empty())
}

/// Answers a path under one of the mounts; `None` when it is under none. What belongs to the API is under none, also if the
/// API does not know it: a front end at the root must not hide that.
pub(crate) async fn serve(mounts: &[Mount], request: &Parts) -> Option<Response> {
    let path = request.uri.path();
    if is_taken(path) {
        return None;
    }
    let under = |mount: &&Mount| {
        path.strip_prefix(mount.path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let mount = mounts.iter().filter(under).max_by_key(|mount| mount.path.len())?;
    let rest = path.strip_prefix(mount.path.as_str()).unwrap_or_default();
    let mut response = match request.method {
        Method::GET | Method::HEAD => answer(mount, rest, request).await.unwrap_or_else(Failure::into_response),
        _ => method_not_allowed().with_header(ALLOW, HeaderValue::from_static("GET, HEAD")).into_response(),
    };
    for (name, value) in ISOLATION {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response.headers_mut().insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    Some(response)
}

async fn answer(mount: &Mount, rest: &str, request: &Parts) -> Result<Response, Failure> {
    if rest.is_empty() {
        // Without the slash, the page's own relative links would lead elsewhere.
        let location = HeaderValue::try_from(format!("{}/", mount.path)).map_err(Failure::internal)?;
        return Ok((StatusCode::TEMPORARY_REDIRECT, [(LOCATION, location)]).into_response());
    }
    let relative = relative(rest).ok_or_else(absent)?;
    match open(&mount.directory, &relative).await {
        Ok(found) => found.respond(request),
        // A front end that keeps its own addresses is entered anywhere.
        Err(error) if is_absent(&error) && wants_page(&request.headers) && relative.extension().is_none() => {
            open(&mount.directory, Path::new("index.html")).await.map_err(|error| failed(&error))?.respond(request)
        }
        Err(error) => Err(failed(&error)),
    }
}

/// The path below the directory; `None` for one that tries to leave it.
fn relative(rest: &str) -> Option<PathBuf> {
    let decoded = percent_decode_str(rest).decode_utf8().ok()?;
    let mut path = PathBuf::new();
    for segment in decoded.split('/').filter(|segment| !segment.is_empty()) {
        // Hidden files are nobody's front end; `..` is one of them.
        if segment.starts_with('.') || segment.contains(['\\', '\0']) {
            return None;
        }
        path.push(segment);
    }
    Some(path)
}

struct Found {
    file: File,
    size: u64,
    entity_tag: String,
    media_type: String,
}

async fn open(directory: &Path, relative: &Path) -> io::Result<Found> {
    let root = tokio::fs::canonicalize(directory).await?;
    let mut path = tokio::fs::canonicalize(root.join(relative)).await?;
    if tokio::fs::metadata(&path).await?.is_dir() {
        path = tokio::fs::canonicalize(path.join("index.html")).await?;
    }
    if !path.starts_with(&root) {
        return Err(io::Error::from(io::ErrorKind::NotFound));
    }
    let file = File::open(&path).await?;
    let facts = file.metadata().await?;
    if !facts.is_file() {
        return Err(io::Error::from(io::ErrorKind::NotFound));
    }
    let changed = facts.modified()?.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros());
    let entity_tag = format!("\"{changed:x}-{:x}\"", facts.len());
    let guess = mime_guess::from_path(&path).first_or_octet_stream();
    let media_type =
        if guess.type_() == mime_guess::mime::TEXT { format!("{guess}; charset=utf-8") } else { guess.to_string() };
    Ok(Found { file, size: facts.len(), entity_tag, media_type })
}

impl Found {
    fn respond(self, request: &Parts) -> Result<Response, Failure> {
        let mut headers = HeaderMap::new();
        headers.insert(ETAG, HeaderValue::try_from(&self.entity_tag).map_err(Failure::internal)?);
        if content::is_held(&request.headers, &self.entity_tag) {
            return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
        }
        headers.insert(CONTENT_TYPE, HeaderValue::try_from(&self.media_type).map_err(Failure::internal)?);
        headers.insert(CONTENT_LENGTH, HeaderValue::from(self.size));
        let body = match request.method {
            Method::HEAD => Body::empty(),
            _ => Body::from_stream(ReaderStream::with_capacity(self.file, 64 * 1024)),
        };
        Ok((headers, body).into_response())
    }
}

fn wants_page(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn absent() -> Failure {
    Failure::new(Category::NotFound, "Not Found")
}

fn failed(error: &io::Error) -> Failure {
    match error.kind() {
        _ if is_absent(error) => absent(),
        io::ErrorKind::PermissionDenied => absent(),
        _ => Failure::internal(format!("a static file cannot be read: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    async fn get(mounts: &[Mount], path: &str) -> Option<Response> {
        let request = axum::http::Request::get(path).header(ACCEPT, "text/html").body(()).unwrap();
        serve(mounts, &request.into_parts().0).await
    }

    async fn body(response: Response) -> String {
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    fn front_end() -> (tempfile::TempDir, Vec<Mount>) {
        let folder = tempfile::tempdir().unwrap();
        let directory = folder.path().join("dist");
        fs::create_dir_all(directory.join("assets")).unwrap();
        fs::write(folder.path().join("secret.txt"), "secret").unwrap();
        fs::write(directory.join("index.html"), "<p>front end</p>").unwrap();
        fs::write(directory.join("assets/a b.js"), "code()").unwrap();
        fs::write(directory.join(".env"), "secret").unwrap();
        std::os::unix::fs::symlink("../secret.txt", directory.join("link.txt")).unwrap();
        std::os::unix::fs::symlink("..", directory.join("up")).unwrap();
        let mounts = vec![Mount { path: "/app".to_owned(), directory }];
        (folder, mounts)
    }

    #[tokio::test]
    async fn files_are_served_with_the_headers_that_isolate_them() {
        let (_folder, mounts) = front_end();
        let response = get(&mounts, "/app/assets/a%20b.js").await.unwrap();
        assert_eq!(response.headers()[CONTENT_TYPE], "text/javascript; charset=utf-8");
        for (name, value) in ISOLATION {
            assert_eq!(response.headers()[name], value);
        }
        assert_eq!(body(response).await, "code()");
        assert!(get(&mounts, "/application/").await.is_none());
    }

    #[tokio::test]
    async fn nothing_outside_the_directory_is_served() {
        let (_folder, mounts) = front_end();
        let tries = [
            "/app/../secret.txt",
            "/app/%2e%2e/secret.txt",
            "/app/..%2fsecret.txt",
            "/app/assets/..%5c..%5csecret.txt",
            "/app/link.txt",
            "/app/up/secret.txt",
            "/app/.env",
            "/app/a%00b.txt",
            "/app//etc/passwd.txt",
            "/app/%ff.txt",
        ];
        for path in tries {
            let response = get(&mounts, path).await.unwrap();
            assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }

    #[tokio::test]
    async fn a_front_end_is_entered_anywhere() {
        let (_folder, mounts) = front_end();
        assert_eq!(get(&mounts, "/app").await.unwrap().headers()[LOCATION], "/app/");
        for path in ["/app/", "/app/index.html", "/app/some/view"] {
            assert_eq!(body(get(&mounts, path).await.unwrap()).await, "<p>front end</p>", "{path}");
        }
        assert_eq!(get(&mounts, "/app/missing.js").await.unwrap().status(), StatusCode::NOT_FOUND);
    }

    #[tokio::test]
    async fn a_front_end_at_the_root_has_all_but_the_api() {
        let (_folder, mut mounts) = front_end();
        mounts[0].path.clear();
        assert!(at_the_root(&mounts));
        for path in ["/", "/projects", "/datasessions"] {
            assert_eq!(body(get(&mounts, path).await.unwrap()).await, "<p>front end</p>", "{path}");
        }
        assert_eq!(body(get(&mounts, "/assets/a%20b.js").await.unwrap()).await, "code()");
        for path in ["/api/nothing", "/frames/1/nothing/", "/names/", "/ui/nothing"] {
            assert!(get(&mounts, path).await.is_none(), "{path}");
        }
    }

    #[tokio::test]
    async fn a_file_that_is_held_is_not_sent_again() {
        let (_folder, mounts) = front_end();
        let tag = get(&mounts, "/app/index.html").await.unwrap().headers()[ETAG].clone();
        let again = axum::http::Request::get("/app/index.html").header("if-none-match", tag).body(()).unwrap();
        assert_eq!(serve(&mounts, &again.into_parts().0).await.unwrap().status(), StatusCode::NOT_MODIFIED);
    }

    #[test]
    fn a_directory_must_be_there_and_in_nobodys_way() {
        let (_folder, mounts) = front_end();
        assert!(check(&mounts).is_ok());
        let at = |path: &str, directory: &Path| [Mount { path: path.to_owned(), directory: directory.to_owned() }];
        assert!(matches!(check(&at("/ui/x", &mounts[0].directory)), Err(ServeError::PathTaken { .. })));
        assert!(matches!(check(&at("/x", Path::new("/nonexistent"))), Err(ServeError::Directory { .. })));
    }
}
