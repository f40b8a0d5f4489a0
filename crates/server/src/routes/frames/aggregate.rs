//! `/frames/aggregate/`: what there is to choose from.

use axum::Json;
use axum::extract::{RawQuery, State};
use holotype_app::archives::frames::{Aggregates, Filter, FrameQuery, TextField};
use serde_json::{Value, json};

use super::filters::instant;
use super::pages::Parameters;
use super::refusal::Refusal;
use super::visitor::Visitor;
use crate::state::ServerState;

/// The longest time between the two bounds, in microseconds.
const LONGEST: i64 = 365 * 86_400 * 1_000_000;

const TEXTS: [(&str, TextField); 6] = [
    ("site_id", TextField::Site),
    ("telescope_id", TextField::Telescope),
    ("primary_optical_element", TextField::OpticalElement),
    ("instrument_id", TextField::Instrument),
    ("configuration_type", TextField::Kind),
    ("proposal_id", TextField::Proposal),
];

/// Tell the sites, telescopes, filters, instruments, kinds and proposals of the frames that the caller may see.
///
/// Without any parameter, of all of them; else of those between two times.
#[utoipa::path(get, path = "/frames/aggregate/", tag = "archive",
    params(
        ("start" = Option<String>, Query, description = "Observed at this time or later"),
        ("end" = Option<String>, Query, description = "Observed at this time or earlier, at most 365 days after"),
        ("public" = Option<bool>, Query, description = "`false`: of the caller's own projects and proposals alone"),
        ("site_id" = Option<String>, Query, description = "At this site"),
        ("telescope_id" = Option<String>, Query, description = "With this telescope"),
        ("primary_optical_element" = Option<String>, Query, description = "Through this filter"),
        ("instrument_id" = Option<String>, Query, description = "Of this instrument"),
        ("configuration_type" = Option<String>, Query, description = "Of this kind of exposure"),
        ("proposal_id" = Option<String>, Query, description = "Of this proposal"),
    ),
    responses((status = 200, description = "The different values", body = Value), (status = 400, description = "A bound is missing or wrong", body = Value)),
)]
pub(crate) async fn aggregate(
    State(state): State<ServerState>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Result<Json<Value>, Refusal> {
    let query = read(&Parameters::of(query.as_deref()))?;
    let found = state.app().archives().aggregate(visitor.viewer(), query).await?;
    let Aggregates { sites, telescopes, filters, instruments, kinds, proposals } = found;
    let mut answer = json!({
        "sites": sites,
        "telescopes": telescopes,
        "filters": filters,
        "instruments": instruments,
        "obstypes": kinds,
        "proposals": proposals,
    });
    answer["generated_at"] = json!(state.now());
    Ok(Json(answer))
}

fn read(asked: &Parameters) -> Result<FrameQuery, Refusal> {
    if asked.is_empty() {
        return Ok(FrameQuery::default());
    }
    let refuse = |message: &str| Refusal::Fields(message.into());
    let (Some(start), Some(end)) = (asked.last("start"), asked.last("end")) else {
        return Err(refuse("both start & end must be specified"));
    };
    let (Some(start), Some(end)) = (instant(start), instant(end)) else {
        return Err(refuse("start & end must be valid dates/times"));
    };
    if end.as_micros().saturating_sub(start.as_micros()) > LONGEST {
        return Err(refuse("the maximum time between start & end is 365 days"));
    }
    let mut filters = vec![Filter::From(start), Filter::Until(end)];
    for (name, field) in TEXTS {
        if let Some(value) = asked.last(name).filter(|value| !value.contains('\0')) {
            filters.push(Filter::Text(field, value.to_owned()));
        }
    }
    if asked.truth("public") == Some(false) {
        filters.push(Filter::Own);
    }
    Ok(FrameQuery { filters, ..FrameQuery::default() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_bounds_are_needed_and_not_too_far_apart() {
        let refused = |query: &str| read(&Parameters::of(Some(query))).is_err();
        assert!(refused("start=2024-07-14") && refused("site_id=lsc") && refused("start=x&end=y"));
        assert!(refused("start=2024-01-01&end=2025-01-01") && !refused("start=2024-01-01&end=2024-12-31"));
        assert_eq!(read(&Parameters::of(None)), Ok(FrameQuery::default()));
    }
}
