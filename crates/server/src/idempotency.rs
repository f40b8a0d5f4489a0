//! Creations that are safe to repeat: the answer under an `Idempotency-Key` is given again instead of doing it twice.
//!
//! Answers are remembered in memory, for a day and in bounded number, because what they hold may be a secret that is kept
//! nowhere (a new token). A datapoint does not need them: its key decides its id, so repeating it is harmless for ever.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, Method, Response as HttpResponse, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use holotype_core::{Category, Digest, Instant, UserId};

use crate::auth::Authenticated;
use crate::problem::Failure;
use crate::state::ServerState;

/// The header.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Longest key.
const LONGEST_KEY: usize = 256;
/// Most answers remembered.
const ANSWERS: usize = 2_000;
/// How long an answer is remembered.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);
/// Largest body of a creation, and of its answer.
pub(crate) const SMALL_BODY: usize = 64 * 1024;

/// Whose request it is, to what, under which key.
type Name = (UserId, String, String);

/// Answers that were given under a key.
#[derive(Debug, Default)]
pub(crate) struct Answers(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    entries: HashMap<Name, Entry>,
    order: VecDeque<(Instant, Name)>,
}

#[derive(Debug, Clone)]
struct Entry {
    /// Of the body, so that a key is not taken for another request.
    request: Digest,
    /// Absent while the first request is under way.
    answer: Option<Answer>,
}

#[derive(Debug, Clone)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// What a key says about a request.
enum Standing {
    /// It is the first; whoever asked must do it and [`Answers::settle`] it.
    First,
    /// It was done, and this was the answer.
    Done(Answer),
    /// It is under way.
    UnderWay,
    /// The key stood for another request.
    Other,
}

impl Answers {
    fn begin(&self, name: &Name, request: Digest, now: Instant) -> Standing {
        let mut remembered = self.lock();
        remembered.forget(now);
        match remembered.entries.get(name) {
            Some(entry) if entry.request != request => Standing::Other,
            Some(Entry { answer: Some(answer), .. }) => Standing::Done(answer.clone()),
            Some(_) => Standing::UnderWay,
            None => {
                remembered.entries.insert(name.clone(), Entry { request, answer: None });
                remembered.order.push_back((now, name.clone()));
                Standing::First
            }
        }
    }

    /// Remembers the answer, or forgets the key if there is none worth remembering.
    fn settle(&self, name: &Name, answer: Option<Answer>) {
        let mut remembered = self.lock();
        match (answer, remembered.entries.get_mut(name)) {
            (Some(answer), Some(entry)) => entry.answer = Some(answer),
            _ => {
                remembered.entries.remove(name);
                remembered.order.retain(|(_, other)| other != name);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Remembered> {
        // Each change is a single one, so what a panic leaves behind is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Remembered {
    fn forget(&mut self, now: Instant) {
        let since = now.before(KEPT);
        while self.order.front().is_some_and(|(at, _)| *at < since || self.order.len() >= ANSWERS) {
            if let Some((_, name)) = self.order.pop_front() {
                self.entries.remove(&name);
            }
        }
    }
}

/// The key of a request, if it has one.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<String>, Failure> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    match value.to_str() {
        Ok(key) if !key.is_empty() && key.len() <= LONGEST_KEY => Ok(Some(key.to_owned())),
        _ => {
            let detail = format!("Idempotency-Key must have 1 to {LONGEST_KEY} characters of plain text.");
            Err(Failure::new(Category::Invalid, detail))
        }
    }
}

/// Answers a repeated creation with what the first was answered. For routes with small bodies.
pub(crate) async fn remember(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    request: Request,
    next: Next,
) -> Result<Response, Failure> {
    let Some(key) = key(request.headers())?.filter(|_| request.method() == Method::POST) else {
        return Ok(next.run(request).await);
    };
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, SMALL_BODY).await.map_err(|_| Failure::too_large("The body", SMALL_BODY))?;
    let name = (caller.user, parts.uri.to_string(), key);
    match state.answers().begin(&name, Digest::of(&body), state.now()) {
        Standing::First => {}
        Standing::Done(answer) => return Ok(answer.into_response()),
        Standing::UnderWay => {
            return Err(Failure::new(
                Category::Busy,
                "The first request with this Idempotency-Key is still under way.",
            ));
        }
        Standing::Other => {
            let detail = "This Idempotency-Key was used for another request. Choose a new key for a new request.";
            return Err(Failure::new(Category::Conflict, detail));
        }
    }
    let settle = Settle { state: &state, name: &name, answer: None };
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    settle.with(response).await
}

/// Settles the key on every way out, also when the client hangs up in the middle.
struct Settle<'s> {
    state: &'s ServerState,
    name: &'s Name,
    answer: Option<Answer>,
}

impl Settle<'_> {
    async fn with(mut self, response: Response) -> Result<Response, Failure> {
        if !response.status().is_success() {
            return Ok(response);
        }
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, SMALL_BODY).await.map_err(Failure::internal)?;
        let answer = Answer { status: parts.status, headers: parts.headers, body };
        self.answer = Some(answer.clone());
        Ok(answer.into_response())
    }
}

impl Drop for Settle<'_> {
    fn drop(&mut self) {
        self.state.answers().settle(self.name, self.answer.take());
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = HttpResponse::new(Body::from(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(key: &str) -> Name {
        (UserId::LOCAL, "/api/v1/projects".to_owned(), key.to_owned())
    }

    fn answer(text: &'static str) -> Answer {
        Answer { status: StatusCode::CREATED, headers: HeaderMap::new(), body: Bytes::from_static(text.as_bytes()) }
    }

    const NOW: Instant = Instant::from_micros(1_700_000_000_000_000);

    #[test]
    fn a_repeated_request_gets_the_first_answer_and_another_one_is_refused() {
        let answers = Answers::default();
        let (request, other) = (Digest::of(b"a"), Digest::of(b"b"));
        assert!(matches!(answers.begin(&name("k"), request, NOW), Standing::First));
        assert!(matches!(answers.begin(&name("k"), request, NOW), Standing::UnderWay));
        answers.settle(&name("k"), Some(answer("made")));
        assert!(matches!(answers.begin(&name("k"), request, NOW), Standing::Done(answer) if answer.body == "made"));
        assert!(matches!(answers.begin(&name("k"), other, NOW), Standing::Other));
        assert!(matches!(answers.begin(&name("l"), other, NOW), Standing::First));
    }

    #[test]
    fn a_request_that_failed_may_be_tried_again() {
        let answers = Answers::default();
        assert!(matches!(answers.begin(&name("k"), Digest::of(b"a"), NOW), Standing::First));
        answers.settle(&name("k"), None);
        assert!(matches!(answers.begin(&name("k"), Digest::of(b"a"), NOW), Standing::First));
    }

    #[test]
    fn answers_are_remembered_for_a_day_and_in_bounded_number() {
        let answers = Answers::default();
        for number in 0..ANSWERS + 10 {
            answers.begin(&name(&number.to_string()), Digest::of(b"a"), NOW);
        }
        assert!(answers.lock().entries.len() <= ANSWERS);
        answers.begin(&name("tomorrow"), Digest::of(b"a"), NOW.after(KEPT + Duration::from_secs(1)));
        assert_eq!(answers.lock().entries.len(), 1);
    }
}
