//! Which frames are wanted, and in which order.

use holotype_core::Instant;
use serde_json::{Value, json};

use super::sky::{Point, Region};

/// One condition. All of a query's must hold.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Observed at this instant or later.
    From(Instant),
    /// Observed at this instant or earlier.
    Until(Instant),
    /// Observed at this very instant.
    ObservedAt(Instant),
    /// Of this night, as `YYYY-MM-DD`.
    Night(String),
    /// This text is in the name, in small or capital letters.
    NameHas(String),
    /// Of this name.
    Name(String),
    /// This text is in the target's name, in small or capital letters, with or without accents.
    TargetHas(String),
    /// Of this target.
    Target(String),
    /// Of the target of this name, in small or capital letters, with or without accents.
    TargetIs(String),
    /// Without a target.
    NoTarget,
    /// Public from this very instant on.
    PublicAt(Instant),
    /// A user's own frames and those of their proposals; for who sees everything, and for the public, those that are not public.
    Own,
    /// Exposed for so many seconds or longer.
    ExposedFor(f64),
    /// A text field has this value.
    Text(TextField, String),
    /// A whole number has this value.
    Number(NumberField, i64),
    /// Of one of these kinds of exposure.
    KindIn(Vec<String>),
    /// Of none of these kinds of exposure.
    KindNotIn(Vec<String>),
    /// Its area holds this position.
    Covers(Point),
    /// Its area and this one have a position in common.
    Intersects(Region),
}

/// Text fields that a frame is found by as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextField {
    /// The proposal.
    Proposal,
    /// The instrument.
    Instrument,
    /// The site.
    Site,
    /// The telescope.
    Telescope,
    /// The filter.
    OpticalElement,
    /// The kind of exposure.
    Kind,
    /// Who asked for it.
    Submitter,
}

/// Whole numbers that a frame is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberField {
    /// The observation.
    Observation,
    /// The request.
    Request,
    /// How far it is reduced.
    ReductionLevel,
}

/// What a list is sorted by. Frames that lack it come last, and the number of the frame decides among equals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderField {
    /// The number of the frame.
    Id,
    /// The name.
    Basename,
    /// When it was observed.
    ObservationDate,
    /// The filter.
    OpticalElement,
    /// The kind of exposure.
    Kind,
    /// The proposal.
    Proposal,
    /// The instrument.
    Instrument,
    /// The target.
    Target,
    /// How far it is reduced.
    ReductionLevel,
    /// How long it was exposed.
    ExposureTime,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// What it is sorted by.
    pub field: OrderField,
    /// Whether the greatest comes first.
    pub descending: bool,
}

impl Default for Order {
    /// The latest observation first.
    fn default() -> Self {
        Self { field: OrderField::ObservationDate, descending: true }
    }
}

/// Which frames are wanted, and in which order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FrameQuery {
    /// What must hold.
    pub filters: Vec<Filter>,
    /// The order.
    pub order: Order,
}

impl FrameQuery {
    /// Whether only the sphere decides.
    pub(crate) fn has_area(&self) -> bool {
        self.filters.iter().any(|filter| matches!(filter, Filter::Covers(_) | Filter::Intersects(_)))
    }

    /// Whether an area is where the query wants it. Without an area, a frame is nowhere.
    pub(crate) fn admits(&self, area: Option<&str>) -> bool {
        let ring = area.and_then(|text| serde_json::from_str::<Vec<[f64; 2]>>(text).ok());
        let region = ring.and_then(|ring| Region::of_ring(&ring));
        self.filters.iter().all(|filter| match filter {
            Filter::Covers(point) => region.as_ref().is_some_and(|region| region.covers(*point)),
            Filter::Intersects(wanted) => region.as_ref().is_some_and(|region| region.intersects(wanted)),
            _ => true,
        })
    }
}

/// A value that a list is sorted by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Key {
    Nothing,
    Text(String),
    Integer(i64),
    Real(f64),
}

/// A place in a list, and which way it goes on from there.
#[derive(Debug, Clone, PartialEq)]
pub struct Position {
    pub(crate) key: Key,
    pub(crate) id: i64,
    /// Whether what comes before it is wanted.
    pub(crate) backwards: bool,
}

impl Position {
    /// The place as a text for a cursor; its form is nobody's business.
    pub fn to_text(&self) -> String {
        let key = match &self.key {
            Key::Nothing => Value::Null,
            Key::Text(text) => text.as_str().into(),
            Key::Integer(number) => (*number).into(),
            Key::Real(number) => json!({ "bits": number.to_bits() }),
        };
        json!([key, self.id, self.backwards]).to_string()
    }

    /// Reads what [`to_text`](Self::to_text) wrote.
    pub fn from_text(text: &str) -> Option<Self> {
        let written: Value = serde_json::from_str(text).ok()?;
        let [key, id, backwards] = written.as_array()?.as_slice() else { return None };
        let key = match key {
            Value::Null => Key::Nothing,
            Value::String(text) if !text.contains('\0') => Key::Text(text.clone()),
            Value::Number(number) => Key::Integer(number.as_i64()?),
            Value::Object(members) => Key::Real(f64::from_bits(members.get("bits")?.as_u64()?)),
            _ => return None,
        };
        Some(Self { key, id: id.as_i64()?, backwards: backwards.as_bool()? })
    }

    /// Whether it can be a place in a list of this order.
    pub fn suits(&self, order: Order) -> bool {
        match (&self.key, order.field) {
            (Key::Nothing, _) => true,
            (Key::Integer(_), OrderField::Id | OrderField::ObservationDate | OrderField::ReductionLevel) => true,
            (Key::Real(number), OrderField::ExposureTime) => number.is_finite(),
            (Key::Text(_), field) => !matches!(
                field,
                OrderField::Id | OrderField::ObservationDate | OrderField::ReductionLevel | OrderField::ExposureTime
            ),
            _ => false,
        }
    }
}

/// A text as targets are searched: in small letters, without accents.
pub(crate) fn folded(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization as _;
    use unicode_normalization::char::is_combining_mark;
    text.nfkd().filter(|character| !is_combining_mark(*character)).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_found_without_its_accents() {
        assert_eq!(folded("Höchst Nébuleuse M 31"), "hochst nebuleuse m 31");
        assert_eq!(folded("ΩMEGA"), "ωmega");
    }

    #[test]
    fn a_place_is_read_as_it_was_written() {
        for key in [Key::Nothing, Key::Text("a\"b".to_owned()), Key::Integer(-5), Key::Real(0.1)] {
            for backwards in [true, false] {
                let position = Position { key: key.clone(), id: 7, backwards };
                assert_eq!(Position::from_text(&position.to_text()), Some(position));
            }
        }
        for text in ["", "[]", "[1,2]", "[{},1,true]", "[true,1,true]", "[1.5,1,true]", "{}", "[\"\\u0000\",1,true]"] {
            assert_eq!(Position::from_text(text), None, "{text}");
        }
    }

    #[test]
    fn a_place_of_another_order_is_noticed() {
        let by_name = Position { key: Key::Text("a".to_owned()), id: 1, backwards: false };
        assert!(by_name.suits(Order { field: OrderField::Basename, descending: false }));
        assert!(!by_name.suits(Order::default()));
    }
}
