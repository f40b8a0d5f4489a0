//! What a request is told when it cannot be done: one [`Failure`], two shapes.
//!
//! Handlers and layers answer with a [`Failure`] and know nothing of shapes. [`render`], near the outside, writes it as
//! `application/problem+json` under `/api/v1/`, and as the contracts' clients know it (`{"detail": ...}`) elsewhere. A fault
//! of ours is logged here, once, under the request's id; its caller learns the id and nothing of our inside.

use axum::http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use holotype_api::problem::{Fault as ProblemFault, Problem, Step};
use holotype_core::Category;
use serde_json::{Value, json};

use crate::entrance::Asked;
use crate::routes;

/// What is told of a path that nobody serves.
const NOT_FOUND: &str = "Not Found";

/// One fault in a request, with what both shapes need.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fault {
    /// The contract's word for the kind of fault, for example `missing`.
    pub(crate) kind: String,
    /// The way to it.
    pub(crate) loc: Vec<Step>,
    /// What is wrong there.
    pub(crate) message: String,
    /// What was given.
    pub(crate) input: Value,
    /// What else the contract tells.
    pub(crate) context: Option<Value>,
}

impl Fault {
    pub(crate) fn new(kind: &str, loc: &[&str], message: impl Into<String>, input: Value) -> Self {
        let loc = loc.iter().map(|step| Step::from(*step)).collect();
        Self { kind: kind.to_owned(), loc, message: message.into(), input, context: None }
    }

    /// The fault of something required that is not there.
    pub(crate) fn missing(loc: &[&str]) -> Self {
        Self::new("missing", loc, "Field required", Value::Null)
    }

    fn contract(&self) -> Value {
        let mut entry = json!({"type": self.kind, "loc": self.loc, "msg": self.message, "input": self.input});
        if let (Some(context), Some(members)) = (&self.context, entry.as_object_mut()) {
            members.insert("ctx".to_owned(), context.clone());
        }
        entry
    }

    fn problem(&self) -> ProblemFault {
        ProblemFault { loc: self.loc.clone(), message: self.message.clone() }
    }
}

/// A request that cannot be done, and why.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Failure {
    status: StatusCode,
    category: Category,
    detail: String,
    faults: Vec<Fault>,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// The contract tells of absent datapoints in a member `message`.
    as_message: bool,
}

impl Failure {
    /// A failure of a room below, by its category.
    pub(crate) fn new(category: Category, detail: impl Into<String>) -> Self {
        Self {
            status: status_of(category),
            category,
            detail: detail.into(),
            faults: Vec::new(),
            headers: Vec::new(),
            as_message: false,
        }
    }

    /// A failure with a status that its category does not tell.
    pub(crate) fn with_status(status: StatusCode, category: Category, detail: impl Into<String>) -> Self {
        Self { status, ..Self::new(category, detail) }
    }

    /// A request with these faults.
    pub(crate) fn invalid(faults: Vec<Fault>) -> Self {
        let detail = match faults.as_slice() {
            [] => "The request is not valid.".to_owned(),
            [first, rest @ ..] => {
                let more = if rest.is_empty() { String::new() } else { format!(" (and {} more)", rest.len()) };
                format!("{}: {}{more}", place(&first.loc), first.message)
            }
        };
        Self { faults, ..Self::new(Category::Invalid, detail) }
    }

    /// A body, line or part that is larger than it may be.
    pub(crate) fn too_large(what: &str, limit: usize) -> Self {
        let detail = format!("{what} is larger than the {limit} bytes allowed here.");
        Self::with_status(StatusCode::PAYLOAD_TOO_LARGE, Category::Invalid, detail)
    }

    /// Who asks is not known.
    pub(crate) fn unauthenticated(detail: &str) -> Self {
        // No Basic challenge: it would make browsers ask for a password over the page that asks for a token. Programs
        // that put user and token into the URL send Basic without being asked.
        Self::with_status(StatusCode::UNAUTHORIZED, Category::Denied, detail)
            .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"holotype\""))
    }

    /// A fault of ours; `error` goes to the log alone.
    pub(crate) fn internal(error: impl std::fmt::Display) -> Self {
        Self::new(Category::Internal, error.to_string())
    }

    /// The same with a header.
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The same with these headers, of which each has one value.
    pub(crate) fn with_headers(self, headers: HeaderMap) -> Self {
        let named = headers.into_iter().filter_map(|(name, value)| Some((name?, value)));
        named.fold(self, |failure, (name, value)| failure.with_header(name, value))
    }

    /// The same, told in the contract's member `message`.
    pub(crate) fn told_as_message(self) -> Self {
        Self { as_message: true, ..self }
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn category(&self) -> Category {
        self.category
    }

    pub(crate) fn faults(&self) -> Vec<ProblemFault> {
        self.faults.iter().map(Fault::problem).collect()
    }

    /// What the caller may read: the inside of a fault of ours stays in the log.
    pub(crate) fn detail(&self) -> &str {
        match self.category {
            Category::Internal => "Something went wrong inside the server. Its log tells more under this request's id.",
            _ => &self.detail,
        }
    }

    /// The same as the archive's framework tells it.
    fn in_the_archives_words(self, method: &Method) -> Self {
        match self.status {
            StatusCode::UNPROCESSABLE_ENTITY => Self { status: StatusCode::BAD_REQUEST, faults: Vec::new(), ..self },
            StatusCode::METHOD_NOT_ALLOWED => Self { detail: format!("Method \"{method}\" not allowed."), ..self },
            StatusCode::NOT_FOUND if self.detail == NOT_FOUND => Self { detail: "Not found.".to_owned(), ..self },
            _ => self,
        }
    }

    fn problem(&self, request_id: &str) -> Value {
        json!(Problem {
            kind: "about:blank".to_owned(),
            title: self.status.canonical_reason().unwrap_or("Error").to_owned(),
            status: self.status.as_u16(),
            detail: self.detail().to_owned(),
            category: self.category.name().to_owned(),
            request_id: request_id.to_owned(),
            errors: self.faults(),
        })
    }

    fn contract(&self) -> Value {
        if self.as_message {
            json!({"message": self.detail()})
        } else if self.faults.is_empty() {
            json!({"detail": self.detail()})
        } else {
            json!({"detail": self.faults.iter().map(Fault::contract).collect::<Vec<_>>()})
        }
    }

    fn log(&self, request_id: &str, method: &str, path: &str) {
        let (status, category, detail) = (self.status.as_u16(), self.category.name(), &self.detail);
        if self.status.is_server_error() {
            tracing::error!(request_id, method, path, status, category, detail, "request failed");
        } else {
            tracing::debug!(request_id, method, path, status, category, detail, "request refused");
        }
    }
}

/// The one place where a category becomes a status.
fn status_of(category: Category) -> StatusCode {
    match category {
        Category::NotFound => StatusCode::NOT_FOUND,
        Category::Conflict => StatusCode::CONFLICT,
        Category::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Category::Denied => StatusCode::FORBIDDEN,
        // Both are answers that clients repeat by themselves, which is what helps.
        Category::Busy | Category::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Category::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn place(loc: &[Step]) -> String {
    let steps: Vec<String> = loc
        .iter()
        .map(|step| match step {
            Step::Index(index) => index.to_string(),
            Step::Name(name) => name.clone(),
        })
        .collect();
    steps.join(".")
}

impl IntoResponse for Failure {
    /// A response that carries the failure to [`render`].
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(Box::new(self));
        response
    }
}

/// Writes failures in the shape of the path that was asked for.
pub(crate) fn render(asked: &Asked, mut response: Response) -> Response {
    let failure = match response.extensions_mut().remove::<Box<Failure>>() {
        Some(failure) => *failure,
        None => match bare(&response) {
            Some(failure) => failure,
            None => return response,
        },
    };
    let (path, request_id) = (asked.path(), asked.id.as_str());
    let of_sessions = routes::sessions::owns(path);
    let of_the_archive = of_sessions || routes::frames::owns(path);
    let failure = if of_the_archive { failure.in_the_archives_words(&asked.method) } else { failure };
    failure.log(request_id, asked.method.as_str(), path);
    let (body, media_type) = match path.starts_with("/api/") && !of_sessions {
        true => (failure.problem(request_id), "application/problem+json"),
        false => (failure.contract(), "application/json"),
    };
    let body = if of_sessions { with_error(body, &failure) } else { body };
    let mut headers = std::mem::take(response.headers_mut());
    headers.extend(failure.headers);
    if of_the_archive && failure.status == StatusCode::UNAUTHORIZED {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Token"));
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    let body = body.to_string();
    headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    (failure.status, headers, body).into_response()
}

/// The front end of sessions shows its user what stands under `error`.
fn with_error(mut body: Value, failure: &Failure) -> Value {
    if failure.status.is_server_error() {
        body["error"] = failure.detail().into();
    }
    body
}

/// What the router itself answers without a body: a method that a path does not know.
fn bare(response: &Response) -> Option<Failure> {
    let allows = response.headers().contains_key(ALLOW);
    (response.status() == StatusCode::METHOD_NOT_ALLOWED && allows).then(method_not_allowed)
}

/// The answer to a method that a path does not know.
pub(crate) fn method_not_allowed() -> Failure {
    Failure::with_status(StatusCode::METHOD_NOT_ALLOWED, Category::Invalid, "Method Not Allowed")
}

/// The answer to a path that nobody serves.
pub(crate) async fn not_found() -> Failure {
    Failure::new(Category::NotFound, NOT_FOUND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_category_has_a_status_that_tells_a_client_whether_to_try_again() {
        let retried = [429, 500, 502, 503, 504];
        let categories = [
            Category::NotFound,
            Category::Conflict,
            Category::Invalid,
            Category::Denied,
            Category::Busy,
            Category::Unavailable,
        ];
        for category in categories {
            assert_eq!(retried.contains(&status_of(category).as_u16()), category.is_transient(), "{category:?}");
        }
    }

    #[test]
    fn an_inner_fault_is_not_told_to_the_caller() {
        let failure = Failure::internal("password authentication failed for user postgres");
        for body in [failure.contract(), failure.problem("R1")] {
            assert!(!body.to_string().contains("postgres"), "{body}");
        }
    }

    #[test]
    fn faults_are_told_in_both_shapes() {
        let failure = Failure::invalid(vec![Fault::missing(&["body", "datapoint"])]);
        assert_eq!(
            failure.contract().to_string(),
            r#"{"detail":[{"type":"missing","loc":["body","datapoint"],"msg":"Field required","input":null}]}"#
        );
        let problem = failure.problem("R1");
        assert_eq!(problem["detail"], "body.datapoint: Field required");
        assert_eq!(problem["errors"][0]["loc"], json!(["body", "datapoint"]));
        assert_eq!(problem["status"], 422);
    }
}
