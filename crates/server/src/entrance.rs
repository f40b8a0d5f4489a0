//! What every request passes on its way in, and every answer on its way out, in this order.
//!
//! One layer rather than one for each step: every layer of the framework is allocated, copied and dropped with each request.

use axum::extract::{Request, State};
use axum::http::{Method, Uri};
use axum::middleware::Next;
use axum::response::Response;
use tracing::Instrument as _;

use crate::request_id::RequestId;
use crate::state::ServerState;
use crate::{browser, peer, problem, request_id, routes};

/// What was asked for, as the answer's shape and the log need it.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) id: RequestId,
}

impl Asked {
    fn of(request: &Request) -> Self {
        Self { method: request.method().clone(), uri: request.uri().clone(), id: RequestId::of(request) }
    }

    pub(crate) fn path(&self) -> &str {
        self.uri.path()
    }
}

/// Takes a request in and sees its answer out.
pub(crate) async fn pass(State(state): State<ServerState>, mut request: Request, next: Next) -> Response {
    peer::locate(&state, &mut request);
    let asked = Asked::of(&request);
    let span = tracing::debug_span!("request", id = asked.id.as_str(), method = %asked.method, path = asked.path());
    let work = async {
        let answer = browser::guard(&state, request, next).await;
        let answer = problem::render(&asked, answer);
        let answer = routes::methods::allow(&asked, answer);
        request_id::echo(&asked, answer)
    };
    work.instrument(span).await
}
