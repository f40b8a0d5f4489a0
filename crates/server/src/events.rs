//! Server-sent events: streams that stay open, with a sign of life now and then.

use std::convert::Infallible;
use std::time::Duration;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::problem::Failure;

/// How often a silent stream says that it is alive; proxies close what is silent for a minute.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Answers with events until they end, one of them fails, or the server is to end. A failure is told as an event `error`.
pub(crate) fn answer(
    events: impl Stream<Item = Result<Event, Failure>> + Send + 'static,
    shutdown: &CancellationToken,
) -> Response {
    let mut failed = false;
    let events = events
        .take_while(move |event| {
            let go_on = !failed;
            failed = event.is_err();
            std::future::ready(go_on)
        })
        .map(|event| Ok::<_, Infallible>(event.unwrap_or_else(|failure| error(&failure))))
        .take_until(shutdown.clone().cancelled_owned());
    let mut response = Sse::new(events).keep_alive(KeepAlive::new().interval(HEARTBEAT).text("alive")).into_response();
    // A proxy that collects what it forwards would hold events back.
    response.headers_mut().insert("x-accel-buffering", axum::http::HeaderValue::from_static("no"));
    response
}

fn error(failure: &Failure) -> Event {
    if failure.category() == holotype_core::Category::Internal {
        tracing::error!(?failure, "a stream of events failed");
    }
    let data = json!({"category": failure.category().name(), "detail": failure.detail()});
    Event::default().event("error").data(data.to_string())
}

#[cfg(test)]
mod tests {
    use holotype_core::Category;

    use super::*;

    async fn text(response: Response) -> String {
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn a_failure_is_told_and_ends_the_stream() {
        let failure = Failure::new(Category::Unavailable, "the catalog cannot be reached");
        let events = futures::stream::iter([
            Ok(Event::default().event("log").data("1")),
            Err(failure),
            Ok(Event::default().event("log").data("2")),
        ]);
        let text = text(answer(events, &CancellationToken::new())).await;
        assert!(text.starts_with("event: log\ndata: 1\n\nevent: error\ndata: "), "{text}");
        assert!(!text.contains("data: 2"), "{text}");
    }

    #[tokio::test]
    async fn a_stream_ends_with_the_server() {
        let shutdown = CancellationToken::new();
        shutdown.cancel();
        assert_eq!(text(answer(futures::stream::pending(), &shutdown)).await, "");
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_stream_gives_signs_of_life() {
        let shutdown = CancellationToken::new();
        let response = answer(futures::stream::pending(), &shutdown);
        tokio::spawn(async move {
            tokio::time::sleep(HEARTBEAT * 2 + Duration::from_secs(1)).await;
            shutdown.cancel();
        });
        assert_eq!(text(response).await.matches(": alive").count(), 2);
    }
}
