//! The question in the archive's words.

use holotype_core::Instant;

use super::super::{Query, SourceError};

/// What the archive filters by. It ignores a name that it does not know, and would list everything.
const FILTERS: &[&str] = &[
    "BLKUID",
    "DATE_OBS",
    "DAY_OBS",
    "EXPTIME",
    "FILTER",
    "INSTRUME",
    "L1PUBDAT",
    "OBJECT",
    "OBSTYPE",
    "PROPID",
    "REQNUM",
    "RLEVEL",
    "SITEID",
    "TELID",
    "basename",
    "basename_exact",
    "configuration_type",
    "covers",
    "dayobs",
    "empty_target_name",
    "exclude_OBSTYPE",
    "exclude_calibrations",
    "exclude_configuration_type",
    "exposure_time",
    "include_configuration_type",
    "include_related_frames",
    "include_thumbnails",
    "instrument_id",
    "intersects",
    "observation_id",
    "primary_optical_element",
    "proposal_id",
    "public",
    "reduction_level",
    "request_id",
    "site_id",
    "submitter",
    "target_name",
    "target_name_exact",
    "telescope_id",
];

/// What we say ourselves.
const OURS: &[(&str, &str)] = &[
    ("start", "it is the query's start"),
    ("end", "it is the query's end"),
    ("limit", "pages are asked for by themselves"),
    ("offset", "pages are asked for by themselves"),
    ("cursor", "pages are asked for by themselves"),
    ("pagination_style", "pages are asked for by themselves"),
    ("ordering", "a list is read in the archive's own order"),
    ("force_count", "counts are not needed"),
];

/// Everything but dates and paging, as the archive calls it.
pub(super) fn parameters(query: &Query) -> Result<Vec<(String, String)>, SourceError> {
    if let (Some(start), Some(end)) = (query.start, query.end)
        && start > end
    {
        return Err(SourceError::Parameter { parameter: "start".to_owned(), hint: format!("{start} is after {end}") });
    }
    let mut parameters = Vec::new();
    for (name, value) in &query.parameters {
        if !FILTERS.contains(&name.as_str()) {
            let reserved = OURS.iter().find(|(ours, _)| ours == name).map(|(_, why)| (*why).to_owned());
            let hint = reserved.or_else(|| similar(name)).unwrap_or_default();
            return Err(SourceError::Parameter { parameter: name.clone(), hint });
        }
        parameters.push((name.clone(), value.clone()));
    }
    let mut own = |name: &str, value: &Option<String>| {
        parameters.extend(value.iter().map(|value| (name.to_owned(), value.clone())));
    };
    own("proposal_id", &query.proposal);
    own("target_name_exact", &query.target);
    if !query.parameters.contains_key("include_related_frames") {
        // The archive joins them for each frame, which makes a page several times as slow.
        parameters.push(("include_related_frames".to_owned(), "false".to_owned()));
    }
    Ok(parameters)
}

/// The name that was probably meant: the same but for case, dashes and underscores.
fn similar(name: &str) -> Option<String> {
    let bare = |name: &str| name.to_ascii_lowercase().replace(['-', '_'], "");
    let meant = FILTERS.iter().find(|filter| bare(filter) == bare(name))?;
    Some(format!("'{meant}' may be meant"))
}

/// A date in the one form that the archive takes for both bounds: in UTC, without a zone.
pub(super) fn date(instant: Instant) -> String {
    let text = instant.timestamp().to_zoned(jiff::tz::TimeZone::UTC);
    let form = if instant.as_micros() % 1_000_000 == 0 { "%Y-%m-%dT%H:%M:%S" } else { "%Y-%m-%dT%H:%M:%S%.6f" };
    text.strftime(form).to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn with(name: &str) -> Query {
        Query { parameters: BTreeMap::from([(name.to_owned(), "1".to_owned())]), ..Query::default() }
    }

    #[test]
    fn dates_have_one_form_without_a_zone() {
        assert_eq!(date("2024-07-14T02:00:00+02:00".parse().unwrap()), "2024-07-14T00:00:00");
        assert_eq!(date("2024-07-14T00:00:00.25Z".parse().unwrap()), "2024-07-14T00:00:00.250000");
    }

    #[test]
    fn a_parameter_that_the_archive_would_ignore_is_refused_with_the_one_that_was_meant() {
        assert!(parameters(&with("reduction_level")).is_ok());
        let error = parameters(&with("reductionlevel")).unwrap_err().to_string();
        assert!(error.contains("'reductionlevel'") && error.contains("'reduction_level'"), "{error}");
        for ours in ["start", "offset", "nothing_like_it"] {
            assert!(parameters(&with(ours)).is_err(), "{ours}");
        }
    }

    #[test]
    fn a_query_that_ends_before_it_starts_is_refused() {
        let query =
            Query { start: Some(Instant::from_micros(2)), end: Some(Instant::from_micros(1)), ..Query::default() };
        assert!(parameters(&query).is_err());
    }
}
