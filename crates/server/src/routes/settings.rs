//! The contract's `/settings`: what the manager is configured with, without secrets.

use axum::Json;
use axum::extract::{RawQuery, State};
use holotype_app::madsci::SettingsQuery;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Authenticated;
use crate::problem::{Failure, Fault};
use crate::state::ServerState;

pub(crate) fn routes() -> OpenApiRouter<ServerState> {
    OpenApiRouter::new().routes(routes!(settings))
}

/// What to tell.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the query, which is read by hand: keys it does not name are passed over")]
struct Which {
    /// Whether to list settings that have their default value; true if not given.
    include_defaults: Option<bool>,
    /// Whether to add a JSON Schema of the settings; false if not given.
    include_schema: Option<bool>,
}

/// What the manager is configured with, without secrets.
#[utoipa::path(get, path = "/settings", tag = "MADSci", params(Which), responses(
    (status = 200, description = "The settings", body = Value),
    (status = 422, description = "A parameter is not a truth value", body = Value),
))]
async fn settings(
    State(state): State<ServerState>,
    Authenticated(_caller): Authenticated,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Failure> {
    let query = query.unwrap_or_default();
    let asked = SettingsQuery {
        include_defaults: truth(&query, "include_defaults")?.unwrap_or(true),
        include_schema: truth(&query, "include_schema")?.unwrap_or(false),
    };
    Ok(Json(state.app().settings(asked)))
}

/// A truth value in the words that the contract's framework takes; the last one counts.
fn truth(query: &str, name: &str) -> Result<Option<bool>, Failure> {
    let given = url::form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name).last();
    let Some((_, text)) = given else { return Ok(None) };
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "on" | "t" | "y" | "yes" => Ok(Some(true)),
        "false" | "0" | "off" | "f" | "n" | "no" => Ok(Some(false)),
        _ => {
            let message = "Input should be a valid boolean, unable to interpret input";
            Err(Failure::invalid(vec![Fault::new("bool_parsing", &["query", name], message, text.into_owned().into())]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn truth_is_told_in_many_words() {
        for (query, expected) in [("", None), ("x=true", None), ("x=1&a=YES", Some(true)), ("a=1&a=off", Some(false))] {
            assert_eq!(truth(query, "a"), Ok(expected), "{query}");
        }
        assert!(truth("a=perhaps", "a").is_err() && truth("a=", "a").is_err());
    }
}
