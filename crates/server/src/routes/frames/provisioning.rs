//! What an observatory's portal tells of its users.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use holotype_app::catalog::Profile;
use holotype_app::portal::Told;
use holotype_core::Category;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use super::refusal::{Faults, Refusal};
use crate::auth;
use crate::extract::{parse, read_bytes};
use crate::idempotency::SMALL_BODY;
use crate::peer::Remote;
use crate::problem::Failure;
use crate::state::ServerState;

/// Create or update a user of whom an observatory's portal tells, with the token that the user has there.
///
/// The portal proves itself with `Authorization: Server KEY`; the key is in the environment variable that `sessions.server_key_env`
/// names, and without one nobody may. What it tells makes no administrators, and changes none.
#[utoipa::path(post, path = "/authprofile/addupdateuser/", tag = "sessions", request_body = Value,
    responses(
        (status = 200, description = "It is done", body = Value),
        (status = 400, description = "A field is wrong", body = Value),
        (status = 403, description = "The key is missing or wrong, or the user is an administrator", body = Value),
    ),
)]
pub(crate) async fn add_or_update(State(state): State<ServerState>, request: Request) -> Result<Json<Value>, Refusal> {
    let remote = Remote::from_extensions(request.extensions());
    if !auth::is_right(&state, &remote, || is_the_portal(&state, request.headers()))? {
        return Err(Failure::new(Category::Denied, "Invalid or missing API Key.").into());
    }
    let body = read_bytes(request, SMALL_BODY).await?;
    let told = told(&parse(&body, SMALL_BODY, &["body"])?)?;
    state.app().provision(told).await.map_err(Failure::from)?;
    Ok(Json(json!({"message": "User account updated"})))
}

/// Whether a request carries the portal's key. It takes as long for a wrong one.
fn is_the_portal(state: &ServerState, headers: &HeaderMap) -> bool {
    let key = state.app().config().sessions.server_key.as_ref();
    let text = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|text| text.split_once(' '));
    let sent = text.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("server")).map(|(_, key)| key.trim());
    let signing = state.app().signing_key();
    key.zip(sent).is_some_and(|(key, sent)| signing.accepts(sent, &signing.sign(key.expose_secret())))
}

fn told(body: &Value) -> Result<Told, Refusal> {
    let mut faults = Faults::default();
    let text = |from: &Value, name: &str, faults: &mut Faults| match from.get(name) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(_) => {
            faults.add(name, "Not a valid string.");
            String::new()
        }
    };
    let truth = |from: &Value, name: &str, faults: &mut Faults| match from.get(name) {
        None | Some(Value::Null) => false,
        Some(Value::Bool(truth)) => *truth,
        Some(_) => {
            faults.add(name, "Must be a valid boolean.");
            false
        }
    };
    let name = text(body, "username", &mut faults);
    if name.is_empty() {
        faults.add("username", "This field is required.");
    }
    let nothing = Value::Null;
    let tokens = body.get("tokens").unwrap_or(&nothing);
    let token = text(tokens, "api_token", &mut faults);
    let profile = Profile {
        first_name: text(body, "first_name", &mut faults),
        last_name: text(body, "last_name", &mut faults),
        email: text(body, "email", &mut faults),
        staff_view: truth(body.get("profile").unwrap_or(&nothing), "staff_view", &mut faults),
        is_staff: truth(body, "is_staff", &mut faults),
        is_superuser: truth(body, "is_superuser", &mut faults),
    };
    faults.none()?;
    let token = Some(token).filter(|token| !token.is_empty()).map(SecretString::from);
    Ok(Told { name, profile, token })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_portal_tells_is_read_and_what_it_leaves_out_is_not_needed() {
        let all = told(&json!({
            "username": "ada", "first_name": "Ada", "last_name": "L", "email": "ada@example.org", "is_staff": true, "is_superuser": false,
            "tokens": {"api_token": "0123456789012345678901234567890123456789"}, "profile": {"staff_view": true},
        }));
        let all = all.unwrap();
        assert_eq!((all.name.as_str(), all.profile.staff_view, all.profile.is_staff), ("ada", true, true));
        assert!(all.token.is_some() && !format!("{all:?}").contains("0123456789"));
        assert!(told(&json!({"username": "ada"})).unwrap().token.is_none());
    }

    #[test]
    fn what_is_wrong_is_told_by_field() {
        for (body, fields) in [
            (json!({}), vec!["username"]),
            (json!([]), vec!["username"]),
            (json!({"username": 5, "is_staff": "yes"}), vec!["username", "is_staff"]),
            (
                json!({"username": "a", "tokens": {"api_token": 1}, "profile": {"staff_view": 1}}),
                vec!["api_token", "staff_view"],
            ),
        ] {
            let Err(Refusal::Fields(faults)) = told(&body) else { panic!("{body} is taken") };
            assert_eq!(faults.as_object().unwrap().len(), fields.len(), "{faults}");
            assert!(fields.iter().all(|field| faults.get(field).is_some()), "{faults}");
        }
    }
}
