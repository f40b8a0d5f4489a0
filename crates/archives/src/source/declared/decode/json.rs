//! JSON, with rows somewhere in it.

use serde_json::Value;

use super::super::definition::JsonDecoder;
use super::Decoded;

pub(super) fn decode(decoder: &JsonDecoder, document: Value) -> Result<Decoded, String> {
    if let Some(pending) = &decoder.pending
        && let Some(Value::String(found)) = pending.at.find(&document)
        && pending.is.contains(found)
    {
        return Ok(Decoded { pending: true, ..Decoded::default() });
    }
    let rows = match decoder.rows.find(&document) {
        Some(Value::Array(rows)) => rows.clone(),
        Some(row @ Value::Object(_)) => vec![row.clone()],
        Some(_) => return Err("there are no rows where they should be".to_owned()),
        None => return Err(absent(&document)),
    };
    Ok(Decoded { rows, document, ..Decoded::default() })
}

/// Why there are no rows, in the server's own words if it has any.
fn absent(document: &Value) -> String {
    let said = ["message", "msg", "detail", "error"].iter().find_map(|name| document.get(name)?.as_str());
    match said {
        Some(said) => format!("it has no rows, and says: {}", crate::http::message::plain(said)),
        None => "it has no rows where they should be".to_owned(),
    }
}
