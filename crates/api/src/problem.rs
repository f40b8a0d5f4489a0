//! What every route under `/api/v1` answers when it cannot do what was asked.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Problem details (RFC 9457), sent as `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A URI that names the kind of problem; `about:blank` says that the status tells all.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong, why, and what to do next.
    pub detail: String,
    /// The stable name of the kind of failure: not_found, conflict, invalid, denied, busy, unavailable or internal.
    pub category: String,
    /// The id under which the server's log knows this request.
    pub request_id: String,
    /// The single faults of an invalid request, when there is more to say than `detail`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Fault>,
}

/// One fault in a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// Where it is: names of members and positions in arrays, beginning with `body`, `query`, `path` or `header`.
    #[schema(schema_with = crate::schema::location)]
    pub loc: Vec<Step>,
    /// What is wrong there.
    pub message: String,
}

/// One step of the way to a fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum Step {
    /// A position in an array or a text, from 0.
    Index(u64),
    /// The name of a member.
    Name(String),
}

impl From<&str> for Step {
    fn from(name: &str) -> Self {
        Step::Name(name.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_found_by_names_and_positions() {
        let text = r#"{"loc":["body","items",3,"label"],"message":"too long"}"#;
        let fault: Fault = serde_json::from_str(text).unwrap();
        assert_eq!(fault.loc[2], Step::Index(3));
        assert_eq!(serde_json::to_string(&fault).unwrap(), text);
    }
}
