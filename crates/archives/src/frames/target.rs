//! Where a target is: what the frames of it say.

use holotype_fits::wcs::SkyPosition;
use holotype_fits::{Header, Value as CardValue};
use serde_json::{Map, Value};

use super::{Filter, FrameQuery, PageRequest, Region, Shape, Viewer};
use crate::{ArchiveError, Archives};

/// Frames of a target whose headers are looked at, the latest first: those of one target mostly agree.
const LOOKED_AT: u64 = 20;

/// Keywords for a position, the target's own before that of the telescope.
const KEYWORDS: [(&str, &str); 3] = [("CAT-RA", "CAT-DEC"), ("OBJRA", "OBJDEC"), ("RA", "DEC")];

/// A target that frames were taken of.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// Its name, as the frames have it.
    pub name: String,
    /// Where it is.
    pub position: SkyPosition,
}

impl Archives {
    /// Finds a target by its name, in small or capital letters, with or without accents, among the frames that a viewer sees.
    ///
    /// # Errors
    /// What the catalog refuses.
    pub async fn target(&self, viewer: Viewer, name: &str) -> Result<Option<Target>, ArchiveError> {
        let query = FrameQuery { filters: vec![Filter::TargetIs(name.trim().to_owned())], ..FrameQuery::default() };
        let page = PageRequest::Numbered { limit: LOOKED_AT, offset: 0 };
        let frames = self.frames(viewer, query, page, Shape::default()).await?.frames;
        for frame in frames {
            let headers = self.headers(viewer, frame.id).await?;
            if let Some(position) = position(&headers).or_else(|| middle(frame.facts.area.as_deref()?)) {
                return Ok(Some(Target { name: frame.facts.target_name.unwrap_or_default(), position }));
            }
        }
        Ok(None)
    }
}

/// The first pair of keywords that is a position.
fn position(headers: &Map<String, Value>) -> Option<SkyPosition> {
    KEYWORDS.iter().find_map(|(right_ascension, declination)| {
        let mut header = Header::default();
        for keyword in [right_ascension, declination] {
            header.set(keyword, card(headers.get(*keyword)?)?, None).ok()?;
        }
        SkyPosition::from_header(&header, right_ascension, declination).ok()
    })
}

/// The middle of an image on the sky.
fn middle(ring: &[[f64; 2]]) -> Option<SkyPosition> {
    let [right_ascension, declination] = Region::of_ring(ring)?.centre().degrees();
    Some(SkyPosition { right_ascension: right_ascension.rem_euclid(360.0), declination })
}

fn card(value: &Value) -> Option<CardValue> {
    match value {
        Value::String(text) => Some(CardValue::Text(text.clone())),
        Value::Number(number) => number.as_f64().map(CardValue::Real),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_targets_own_position_comes_before_the_telescopes() {
        let read = |headers: Value| {
            position(headers.as_object().unwrap()).map(|found| (found.right_ascension, found.declination))
        };
        let both = json!({"CAT-RA": "12:30:00.0", "CAT-DEC": "-00:30:00", "RA": 10.0, "DEC": 20.0});
        assert_eq!(read(both), Some((187.5, -0.5)));
        assert_eq!(read(json!({"CAT-RA": "N/A", "CAT-DEC": "N/A", "RA": 10.0, "DEC": "20.5"})), Some((10.0, 20.5)));
        assert_eq!(read(json!({"RA": 10.0})), None);
        assert_eq!(read(json!({"RA": 400.0, "DEC": 0.0})), None);
    }

    #[test]
    fn the_middle_of_an_image_is_where_its_target_is_looked_for() {
        let ring = [[359.0, -1.0], [359.0, 1.0], [1.0, 1.0], [1.0, -1.0], [359.0, -1.0]];
        let found = middle(&ring).unwrap();
        assert!(found.separation(SkyPosition { right_ascension: 0.0, declination: 0.0 }) < 1e-9, "{found:?}");
        assert_eq!(middle(&ring[..2]), None);
    }
}
