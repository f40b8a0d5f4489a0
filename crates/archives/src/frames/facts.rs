//! What is known of a frame: read from its headers, or from what another archive said of it.

use std::time::Duration;

use holotype_core::Instant;
use holotype_fits::Hdu;
use serde_json::{Map, Value};

use super::header::{self, Description};

/// How long a frame of an observatory that follows the OCS's conventions is its proposal's own, where its header does not say.
const PROPRIETARY_PERIOD: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// What makes a header one of an OCS observatory.
const OCS_KEYWORDS: [&str; 6] = ["PROPID", "SITEID", "TELID", "INSTRUME", "OBSTYPE", "RLEVEL"];

/// What is known of a frame. Everything but its name may be unknown.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// Its name, without the ending of its file.
    pub basename: String,
    /// When the exposure began.
    pub observation_date: Option<Instant>,
    /// The night, as `YYYY-MM-DD`.
    pub observation_day: Option<String>,
    /// For which proposal.
    pub proposal_id: Option<String>,
    /// With which instrument.
    pub instrument_id: Option<String>,
    /// Of what; empty where there was no target.
    pub target_name: Option<String>,
    /// At which site.
    pub site_id: Option<String>,
    /// With which telescope.
    pub telescope_id: Option<String>,
    /// Through which filter.
    pub primary_optical_element: Option<String>,
    /// What kind of exposure: `EXPOSE`, `BIAS`, ….
    pub configuration_type: Option<String>,
    /// Who asked for it.
    pub submitter: Option<String>,
    /// How far it is reduced: 0 is raw.
    pub reduction_level: Option<i64>,
    /// Seconds.
    pub exposure_time: Option<f64>,
    /// When everybody may see it; while that is unknown, only members of its project.
    pub public_date: Option<Instant>,
    /// Of which observation.
    pub observation_id: Option<i64>,
    /// Of which request.
    pub request_id: Option<i64>,
    /// Its outline on the sky, a closed ring of right ascension and declination in degrees.
    pub area: Option<Vec<[f64; 2]>>,
    /// The keywords of its header.
    pub headers: Map<String, Value>,
    /// The names of frames it was made from or with.
    pub related: Vec<String>,
}

impl Facts {
    /// What the headers of a file say.
    pub fn of_header(basename: &str, hdus: &[Hdu]) -> Self {
        let mut about = Description::of(hdus);
        let observation_date = about.observed();
        let public_date = about.instant("L1PUBDAT").or_else(|| {
            let ours = OCS_KEYWORDS.iter().all(|keyword| about.text(&[keyword]).is_some());
            observation_date.filter(|_| ours).map(|date| date.after(PROPRIETARY_PERIOD))
        });
        Self {
            basename: basename.to_owned(),
            observation_date,
            observation_day: about.day(),
            proposal_id: about.text(&["PROPID"]),
            instrument_id: about.text(&["INSTRUME"]),
            target_name: about.target(),
            site_id: about.text(&["SITEID"]),
            telescope_id: about.text(&["TELID", "TELESCOP"]),
            primary_optical_element: about.text(&["FILTER"]),
            configuration_type: about.text(&["OBSTYPE", "IMAGETYP"]),
            submitter: about.text(&["USERID"]),
            reduction_level: about.integer(&["RLEVEL"]),
            exposure_time: about.real(&["EXPTIME", "EXPOSURE"]),
            public_date,
            observation_id: about.integer(&["BLKUID"]),
            request_id: about.integer(&["REQNUM"]),
            area: about.area.take(),
            headers: about.keywords(),
            related: about.related(basename),
        }
    }

    /// What an OCS archive says of a frame, by the names it gives now, or else by those it gave before.
    pub fn of_listing(fields: &Map<String, Value>) -> Self {
        let listed = Listed(fields);
        Self {
            basename: listed.text("basename", "basename").unwrap_or_default(),
            observation_date: listed.instant("observation_date", "DATE_OBS"),
            observation_day: listed.text("observation_day", "DAY_OBS").and_then(|text| header::day(&text)),
            proposal_id: listed.text("proposal_id", "PROPID"),
            instrument_id: listed.text("instrument_id", "INSTRUME"),
            target_name: listed.any_text("target_name", "OBJECT"),
            site_id: listed.text("site_id", "SITEID"),
            telescope_id: listed.text("telescope_id", "TELID"),
            primary_optical_element: listed.text("primary_optical_element", "FILTER"),
            configuration_type: listed.text("configuration_type", "OBSTYPE"),
            submitter: listed.text("submitter", "USERID"),
            reduction_level: listed.integer("reduction_level", "RLEVEL"),
            exposure_time: listed.real("exposure_time", "EXPTIME"),
            public_date: listed.instant("public_date", "L1PUBDAT"),
            observation_id: listed.integer("observation_id", "BLKUID"),
            request_id: listed.integer("request_id", "REQNUM"),
            area: fields.get("area").and_then(ring),
            headers: Map::new(),
            related: Vec::new(),
        }
    }

    /// These facts, with what they leave open taken from others.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            basename: if self.basename.is_empty() { other.basename } else { self.basename },
            observation_date: self.observation_date.or(other.observation_date),
            observation_day: self.observation_day.or(other.observation_day),
            proposal_id: self.proposal_id.or(other.proposal_id),
            instrument_id: self.instrument_id.or(other.instrument_id),
            target_name: self.target_name.or(other.target_name),
            site_id: self.site_id.or(other.site_id),
            telescope_id: self.telescope_id.or(other.telescope_id),
            primary_optical_element: self.primary_optical_element.or(other.primary_optical_element),
            configuration_type: self.configuration_type.or(other.configuration_type),
            submitter: self.submitter.or(other.submitter),
            reduction_level: self.reduction_level.or(other.reduction_level),
            exposure_time: self.exposure_time.or(other.exposure_time),
            public_date: self.public_date.or(other.public_date),
            observation_id: self.observation_id.or(other.observation_id),
            request_id: self.request_id.or(other.request_id),
            area: self.area.or(other.area),
            headers: if self.headers.is_empty() { other.headers } else { self.headers },
            related: if self.related.is_empty() { other.related } else { self.related },
        }
    }

    /// The names of the facts that are not known.
    pub fn missing(&self) -> Vec<&'static str> {
        let known = [
            ("observation_date", self.observation_date.is_some()),
            ("observation_day", self.observation_day.is_some()),
            ("proposal_id", self.proposal_id.is_some()),
            ("instrument_id", self.instrument_id.is_some()),
            ("target_name", self.target_name.is_some()),
            ("reduction_level", self.reduction_level.is_some()),
            ("site_id", self.site_id.is_some()),
            ("telescope_id", self.telescope_id.is_some()),
            ("exposure_time", self.exposure_time.is_some()),
            ("primary_optical_element", self.primary_optical_element.is_some()),
            ("public_date", self.public_date.is_some()),
            ("configuration_type", self.configuration_type.is_some()),
            ("observation_id", self.observation_id.is_some()),
            ("request_id", self.request_id.is_some()),
            ("area", self.area.is_some()),
        ];
        known.into_iter().filter(|(_, is_known)| !is_known).map(|(name, _)| name).collect()
    }
}

/// The fields of a listing; each has a name of now and one of before.
struct Listed<'f>(&'f Map<String, Value>);

impl Listed<'_> {
    fn value(&self, name: &str, alias: &str) -> Option<&Value> {
        let given = |name| self.0.get(name).filter(|value| !value.is_null());
        given(name).or_else(|| given(alias))
    }

    fn any_text(&self, name: &str, alias: &str) -> Option<String> {
        let text = self.value(name, alias)?.as_str()?;
        Some(text.chars().filter(|character| !character.is_control()).collect())
    }

    fn text(&self, name: &str, alias: &str) -> Option<String> {
        self.any_text(name, alias).filter(|text| !text.is_empty())
    }

    fn instant(&self, name: &str, alias: &str) -> Option<Instant> {
        header::instant(&self.text(name, alias)?)
    }

    fn integer(&self, name: &str, alias: &str) -> Option<i64> {
        self.value(name, alias)?.as_i64()
    }

    fn real(&self, name: &str, alias: &str) -> Option<f64> {
        self.value(name, alias)?.as_f64().filter(|number| number.is_finite())
    }
}

/// The outer ring of a GeoJSON polygon.
fn ring(area: &Value) -> Option<Vec<[f64; 2]>> {
    let ring = area.get("coordinates")?.get(0)?.as_array()?;
    let pair = |pair: &Value| match pair.as_array()?.as_slice() {
        [longitude, latitude] => Some([longitude.as_f64()?, latitude.as_f64()?]),
        _ => None,
    };
    ring.iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn listing(value: Value) -> Facts {
        Facts::of_listing(value.as_object().unwrap())
    }

    #[test]
    fn a_listing_is_read_by_its_names_of_now_and_else_of_before() {
        let facts = listing(json!({
            "basename": "a", "PROPID": "old", "proposal_id": "new", "RLEVEL": 91, "DATE_OBS": "2024-07-16T00:07:00Z",
            "observation_date": null, "OBJECT": "", "DAY_OBS": "2024-07-15",
            "area": {"type": "Polygon", "coordinates": [[[-89.5, -29.0], [-89.5, -28.5], [-89.0, -28.5], [-89.5, -29.0]]]},
        }));
        assert_eq!(facts.proposal_id.as_deref(), Some("new"));
        assert_eq!(facts.reduction_level, Some(91));
        assert_eq!(facts.observation_date, "2024-07-16T00:07:00Z".parse().ok());
        assert_eq!(facts.target_name.as_deref(), Some(""));
        assert_eq!(facts.area.as_ref().map(Vec::len), Some(4));
        assert!(facts.missing().contains(&"site_id") && !facts.missing().contains(&"area"));
    }

    #[test]
    fn a_listing_of_something_else_is_no_failure() {
        let facts = listing(json!({"basename": 5, "area": [], "exposure_time": "long", "reduction_level": 1.5}));
        assert_eq!(facts, Facts::default());
    }

    #[test]
    fn what_is_open_is_taken_from_others() {
        let mine = Facts { target_name: Some("M 31".to_owned()), ..Facts::default() };
        let theirs = listing(json!({"basename": "b", "target_name": "M 32", "site_id": "lsc"}));
        let both = mine.or(theirs);
        assert_eq!(
            (both.basename.as_str(), both.target_name.as_deref(), both.site_id.as_deref()),
            ("b", Some("M 31"), Some("lsc"))
        );
    }
}
