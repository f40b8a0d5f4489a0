//! The parameters of a list of frames, under the names of now and of before.

use holotype_app::archives::frames::{
    self, Filter, FrameQuery, NumberField, Order, OrderField, Point, Region, TextField,
};
use holotype_core::Instant;
use serde_json::json;

use super::pages::Parameters;
use super::refusal::{Faults, Refusal};

/// Kinds of exposure that are no calibrations.
const SCIENCE: [&str; 5] = ["EXPOSE", "TARGET", "SPECTRUM", "CATALOG", "OBJECT"];

/// Most kinds of exposure in one condition.
const MOST_KINDS: usize = 100;

const TEXTS: [(&str, TextField); 13] = [
    ("OBSTYPE", TextField::Kind),
    ("configuration_type", TextField::Kind),
    ("PROPID", TextField::Proposal),
    ("proposal_id", TextField::Proposal),
    ("INSTRUME", TextField::Instrument),
    ("instrument_id", TextField::Instrument),
    ("SITEID", TextField::Site),
    ("site_id", TextField::Site),
    ("TELID", TextField::Telescope),
    ("telescope_id", TextField::Telescope),
    ("FILTER", TextField::OpticalElement),
    ("primary_optical_element", TextField::OpticalElement),
    ("submitter", TextField::Submitter),
];

const NUMBERS: [(&str, NumberField); 6] = [
    ("BLKUID", NumberField::Observation),
    ("observation_id", NumberField::Observation),
    ("REQNUM", NumberField::Request),
    ("request_id", NumberField::Request),
    ("RLEVEL", NumberField::ReductionLevel),
    ("reduction_level", NumberField::ReductionLevel),
];

const ORDERS: [(&str, OrderField); 10] = [
    ("id", OrderField::Id),
    ("basename", OrderField::Basename),
    ("observation_date", OrderField::ObservationDate),
    ("primary_optical_element", OrderField::OpticalElement),
    ("configuration_type", OrderField::Kind),
    ("proposal_id", OrderField::Proposal),
    ("instrument_id", OrderField::Instrument),
    ("target_name", OrderField::Target),
    ("reduction_level", OrderField::ReductionLevel),
    ("exposure_time", OrderField::ExposureTime),
];

/// Which frames the parameters ask for. Parameters that are not known are passed over, as the archive does.
pub(super) fn query(asked: &Parameters) -> Result<FrameQuery, Refusal> {
    let mut reader = Reader { asked, filters: Vec::new(), faults: Faults::default() };
    reader.instants();
    reader.names();
    reader.texts();
    reader.numbers();
    reader.kinds();
    let Reader { mut filters, faults, .. } = reader;
    faults.none()?;
    if asked.truth("public") == Some(false) {
        filters.push(Filter::Own);
    }
    filters.extend(sky(asked)?);
    Ok(FrameQuery { filters, order: order(asked) })
}

/// An instant as the archive's clients write it.
pub(super) fn instant(text: &str) -> Option<Instant> {
    frames::instant(text)
}

/// A parameter, and the condition that its value makes.
type Form<T> = (&'static str, fn(T) -> Filter);

struct Reader<'a> {
    asked: &'a Parameters,
    filters: Vec<Filter>,
    faults: Faults,
}

impl Reader<'_> {
    /// Takes the last value of a parameter.
    fn take(&mut self, name: &str, problem: &str, read: impl FnOnce(&str) -> Option<Filter>) {
        let Some(text) = self.asked.last(name) else { return };
        // No text that is stored has it, and a database may refuse it.
        if text.contains('\0') {
            return self.faults.add(name, "Null characters are not allowed.");
        }
        match read(text) {
            Some(filter) => self.filters.push(filter),
            None => self.faults.add(name, problem),
        }
    }

    fn instants(&mut self) {
        let forms: [Form<Instant>; 4] = [
            ("start", Filter::From),
            ("end", Filter::Until),
            ("DATE_OBS", Filter::ObservedAt),
            ("L1PUBDAT", Filter::PublicAt),
        ];
        for (name, filter) in forms {
            self.take(name, "Enter a valid date/time.", |text| instant(text).map(filter));
        }
        for name in ["DAY_OBS", "dayobs"] {
            self.take(name, "Enter a valid date.", |text| frames::day(text).map(Filter::Night));
        }
    }

    fn names(&mut self) {
        let forms: [Form<String>; 5] = [
            ("basename", Filter::NameHas),
            ("basename_exact", Filter::Name),
            ("OBJECT", Filter::TargetHas),
            ("target_name", Filter::TargetHas),
            ("target_name_exact", Filter::Target),
        ];
        for (name, filter) in forms {
            self.take(name, "", |text| Some(filter(text.to_owned())));
        }
        self.take("empty_target_name", "", |_| Some(Filter::NoTarget));
    }

    fn texts(&mut self) {
        for (name, field) in TEXTS {
            self.take(name, "", |text| Some(Filter::Text(field, text.to_owned())));
        }
    }

    fn numbers(&mut self) {
        for (name, field) in NUMBERS {
            self.take(name, "Enter a number.", |text| {
                text.trim().parse().ok().map(|number| Filter::Number(field, number))
            });
        }
        for name in ["EXPTIME", "exposure_time"] {
            let finite = |number: &f64| number.is_finite();
            self.take(name, "Enter a number.", |text| text.trim().parse().ok().filter(finite).map(Filter::ExposedFor));
        }
    }

    fn kinds(&mut self) {
        let forms: [Form<Vec<String>>; 3] = [
            ("exclude_OBSTYPE", Filter::KindNotIn),
            ("exclude_configuration_type", Filter::KindNotIn),
            ("include_configuration_type", Filter::KindIn),
        ];
        for (name, filter) in forms {
            let kinds: Vec<String> = self.asked.all(name).take(MOST_KINDS + 1).map(str::to_owned).collect();
            if kinds.len() > MOST_KINDS || kinds.iter().any(|kind| kind.contains('\0')) {
                self.faults.add(name, "Select a valid choice.");
            } else if !kinds.is_empty() {
                self.filters.push(filter(kinds));
            }
        }
        if self.asked.truth("exclude_calibrations") == Some(true) {
            self.filters.push(Filter::KindIn(SCIENCE.map(str::to_owned).to_vec()));
        }
    }
}

/// Conditions on the sky. They are told of in a list, unlike all others.
fn sky(asked: &Parameters) -> Result<Vec<Filter>, Refusal> {
    let refuse = |message: &str| Refusal::Fields(json!([message]));
    let mut filters = Vec::new();
    if let Some(text) = asked.last("covers") {
        let point = Point::from_text(text).ok_or_else(|| {
            refuse("Error with covers query: Point must be specified with exact format 'POINT(RA DEC)'")
        })?;
        filters.push(Filter::Covers(point));
    }
    if let Some(text) = asked.last("intersects") {
        let region = Region::from_text(text).ok_or_else(|| {
            refuse("Error with intersects query: Polygon must be specified with exact format 'POLYGON((RA DEC, RA DEC, ..))', smaller than a hemisphere")
        })?;
        filters.push(Filter::Intersects(region));
    }
    Ok(filters)
}

/// The first order that is known; the latest first if none is.
fn order(asked: &Parameters) -> Order {
    let wanted = asked.last("ordering").unwrap_or_default();
    let read = |word: &str| {
        let word = word.trim();
        let (name, descending) = word.strip_prefix('-').map_or((word, false), |name| (name, true));
        ORDERS.iter().find(|(known, _)| *known == name).map(|(_, field)| Order { field: *field, descending })
    };
    wanted.split(',').find_map(read).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<FrameQuery, Refusal> {
        query(&Parameters::of(Some(text)))
    }

    #[test]
    fn old_and_new_names_mean_the_same() {
        for (old, new) in
            [("PROPID=a", "proposal_id=a"), ("RLEVEL=91", "reduction_level=91"), ("EXPTIME=1.5", "exposure_time=1.5")]
        {
            assert_eq!(read(old).unwrap(), read(new).unwrap());
        }
        assert_eq!(read("DAY_OBS=2024-07-15").unwrap(), read("dayobs=20240715").unwrap());
    }

    #[test]
    fn every_fault_is_told_of_at_once() {
        let faults = json!({"start": ["Enter a valid date/time."], "end": ["Enter a valid date/time."], "RLEVEL": ["Enter a number."]});
        assert_eq!(read("start=yesterday&end=today&RLEVEL=x"), Err(Refusal::Fields(faults)));
        assert!(read("basename=a%00b").is_err() && read("exclude_OBSTYPE=%00").is_err());
    }

    #[test]
    fn dates_come_in_many_forms() {
        for text in [
            "2024-07-14T00:00:00",
            "2024-07-14 00:00",
            "2024-07-14",
            "2024-07-14T00:00:00Z",
            "2024-07-14T02:00:00%2B02:00",
        ] {
            let expected = Filter::From("2024-07-14T00:00:00Z".parse().unwrap());
            assert_eq!(read(&format!("start={text}")).unwrap().filters, [expected], "{text}");
        }
    }

    #[test]
    fn what_is_not_known_is_passed_over() {
        assert_eq!(read("nonsense=1&reductionlevel=0&ordering=secret&PROPID=").unwrap(), FrameQuery::default());
        let order = read("ordering=secret,basename").unwrap().order;
        assert_eq!(order, Order { field: OrderField::Basename, descending: false });
    }

    #[test]
    fn a_place_that_is_none_is_told_of_as_the_archive_does() {
        let text = "Error with covers query: Point must be specified with exact format 'POINT(RA DEC)'";
        assert_eq!(read("covers=POINT(oops)"), Err(Refusal::Fields(json!([text]))));
        assert!(read("covers=POINT(1 2)&intersects=POLYGON((0 0,1 0,1 1,0 0))").is_ok());
    }
}
