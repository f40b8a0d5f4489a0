//! Sessions and operations as the front end knows them.

use holotype_app::sessions::{OperationRecord, Session, output};
use holotype_core::Instant;
use serde_json::{Value, json};

use super::outputs::output_link;
use crate::routes::frames::{Links, Parameters};
use crate::state::ServerState;

/// A session with its operations.
pub(super) fn session(state: &ServerState, links: &Links, session: &Session) -> Value {
    let operations: Vec<Value> = session.operations.iter().map(|one| operation(state, links, one)).collect();
    json!({
        "id": session.id.0,
        "operations": operations,
        "user": session.owner_name,
        "name": session.name,
        "input_data": session.input_data,
        "created": time(session.created),
        "accessed": time(session.accessed),
        "modified": time(session.modified),
    })
}

/// An operation; files are told by their signed addresses.
pub(super) fn operation(state: &ServerState, links: &Links, operation: &OperationRecord) -> Value {
    let link = |name: &_| output_link(state, links, name);
    json!({
        "id": operation.id.0,
        "name": operation.name,
        "status": operation.status.name(),
        "message": operation.message,
        "operation_progress": operation.progress,
        "output": operation.output.as_ref().map(|made| output::with_links(made, &link)),
        "input_data": operation.input_data,
        "created": time(operation.created),
    })
}

/// A page by number.
pub(super) fn page(links: &Links, path: &str, asked: &Parameters, count: u64, results: Vec<Value>) -> Value {
    let (limit, offset) = (asked.limit(), asked.offset());
    let at = |offset: Option<u64>| {
        let changes = [("limit", Some(limit.to_string())), ("offset", offset.map(|offset| offset.to_string()))];
        links.page(path, asked.with(&changes))
    };
    let next = offset.checked_add(limit).filter(|next| *next < count).map(|next| at(Some(next)));
    let previous = (offset > 0).then(|| at(offset.checked_sub(limit).filter(|before| *before > 0)));
    json!({ "count": count, "next": next, "previous": previous, "results": results })
}

/// An instant with its microseconds, unless there are none.
fn time(instant: Instant) -> String {
    let form = if instant.as_micros() % 1_000_000 == 0 { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%dT%H:%M:%S.%6fZ" };
    instant.timestamp().strftime(form).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_written_with_six_digits_or_none() {
        let written = |text: &str| time(text.parse().unwrap());
        assert_eq!(written("2026-11-20T13:14:58.8Z"), "2026-11-20T13:14:58.800000Z");
        assert_eq!(written("2026-11-20T13:14:58Z"), "2026-11-20T13:14:58Z");
    }
}
