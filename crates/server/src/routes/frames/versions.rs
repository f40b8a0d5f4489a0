//! `/versions/`: whether bytes are held already, for those who bring more.

use axum::Json;
use axum::extract::{RawQuery, State};
use serde_json::Value;

use super::answer;
use super::pages::{self, Parameters};
use super::record::md5;
use super::refusal::Refusal;
use super::visitor::Visitor;
use crate::state::ServerState;

/// List versions of frames, or those with an MD5. Administrators only.
#[utoipa::path(get, path = "/versions/", tag = "archive",
    params(
        ("md5" = Option<String>, Query, description = "Only versions whose bytes have this MD5"),
        ("limit" = Option<u64>, Query, description = "Most versions in the page: 100 if not given, at most 1000"),
        ("offset" = Option<u64>, Query, description = "Versions before the page"),
    ),
    responses((status = 200, description = "A page of versions", body = Value), (status = 403, description = "The caller is no administrator", body = Value)),
)]
pub(crate) async fn list(
    State(state): State<ServerState>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    visitor.expect_admin()?;
    let asked = Parameters::of(query.as_deref());
    // What is no MD5 is that of nothing.
    let wanted = asked.last("md5").map(|text| md5(text).map_or_else(Vec::new, |bytes| bytes.to_vec()));
    let (count, found) = state.app().archives().versions(wanted, asked.limit(), asked.offset()).await?;
    let results = found.iter().map(|(version, name)| answer::version(&visitor.links, version, name)).collect();
    Ok(Json(pages::numbered(&visitor.links, "/versions/", &asked, count, results)))
}
