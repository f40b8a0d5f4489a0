//! The calibrated stars of a frame, and those that two frames share.

use holotype_core::Instant;
use holotype_fits::wcs::{SkyPosition, Wcs};

use crate::catalogue::Quantity;
use crate::sphere::{ARCSECOND, SkyIndex};
use crate::{Frame, PhotometryError as Error};

/// Stars of two frames are the same within this, in degrees.
const SAME: f64 = 2.0 * ARCSECOND;

/// A star of one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Star {
    pub(super) position: SkyPosition,
    pub(super) magnitude: f64,
    pub(super) error: f64,
}

/// A star of both frames, where the redder one has it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Matched {
    pub(super) position: SkyPosition,
    /// In the redder frame.
    pub(super) magnitude: f64,
    pub(super) error: f64,
    /// In the bluer frame.
    pub(super) blue: f64,
    pub(super) blue_error: f64,
}

/// What a frame shows.
pub(super) struct Field {
    pub(super) stars: Vec<Star>,
    pub(super) date: Option<Instant>,
    wcs: Option<Wcs>,
    size: (usize, usize),
}

impl Field {
    /// Whether a position lies in the image; nothing if the frame does not say where it points.
    pub(super) fn shows(&self, position: SkyPosition) -> Option<bool> {
        let wcs = self.wcs.as_ref()?;
        let within = |place: f64, length: usize| (0.5..=length as f64 + 0.5).contains(&place);
        Some(wcs.pixel(position).is_some_and(|pixel| within(pixel.x, self.size.0) && within(pixel.y, self.size.1)))
    }
}

/// Reads the stars of a frame that are neither doubtful nor saturated.
pub(super) fn read(frame: &Frame) -> Result<Field, Error> {
    let mut open = frame.open()?;
    let (size, wcs, date) = (open.size()?, open.wcs().ok(), open.date().ok());
    let saturation = open.header()?.real("SATURATE").unwrap_or(f64::INFINITY);
    let catalogue = open.catalogue()?;
    let missing = |quantity: Quantity| {
        Error::frame(frame.name(), format!("its CAT table has no column {}, which a diagram needs", quantity.column()))
    };
    let column = |quantity| catalogue.column(quantity).ok_or_else(|| missing(quantity));
    let (magnitude, error) = (column(Quantity::Magnitude)?, column(Quantity::MagnitudeError)?);
    let positions = catalogue.positions(wcs.as_ref());
    let (flag, peak) = (catalogue.column(Quantity::Flag), catalogue.column(Quantity::Peak));
    let is_sound = |row: usize| {
        flag.is_none_or(|flag| flag[row] == 0.0)
            && peak.is_none_or(|peak| peak[row] < saturation)
            && magnitude[row].is_finite()
            && error[row].is_finite()
    };
    let star = |row: usize| {
        let position = positions[row].filter(|_| is_sound(row))?;
        Some(Star { position, magnitude: magnitude[row], error: error[row] })
    };
    Ok(Field { stars: (0..catalogue.rows()).filter_map(star).collect(), date, wcs, size })
}

/// The stars that both frames show.
pub(super) fn shared(blue: &[Star], red: &[Star]) -> Vec<Matched> {
    let positions = |stars: &[Star]| stars.iter().map(|star| star.position).collect::<Vec<_>>();
    let partners = pairs(&positions(blue), &positions(red), SAME);
    let matched = |(blue, partner): (&Star, Option<usize>)| {
        let red = &red[partner?];
        Some(Matched {
            position: red.position,
            magnitude: red.magnitude,
            error: red.error,
            blue: blue.magnitude,
            blue_error: blue.error,
        })
    };
    blue.iter().zip(partners).filter_map(matched).collect()
}

/// The partner of each of `these` among `those` within `distance` degrees: the nearest pairs first, each in one pair only.
pub(super) fn pairs(these: &[SkyPosition], those: &[SkyPosition], distance: f64) -> Vec<Option<usize>> {
    let mut index = SkyIndex::new(distance);
    those.iter().enumerate().for_each(|(that, &position)| index.insert(that, position));
    let near = |(this, &position): (usize, &SkyPosition)| {
        index.within(position).into_iter().map(move |(that, distance)| (distance, this, that)).collect::<Vec<_>>()
    };
    let mut candidates: Vec<(f64, usize, usize)> = these.iter().enumerate().flat_map(near).collect();
    candidates.sort_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    let (mut partners, mut is_taken) = (vec![None; these.len()], vec![false; those.len()]);
    for (_, this, that) in candidates {
        if partners[this].is_none() && !is_taken[that] {
            partners[this] = Some(that);
            is_taken[that] = true;
        }
    }
    partners
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_pairs_are_made_first_and_nobody_is_in_two() {
        let at = |arcseconds: f64| SkyPosition { right_ascension: 80.0, declination: arcseconds * ARCSECOND };
        // 0.9 is nearest to 1.0, which leaves 2.5 for 1.6, and 9.0 has nobody.
        let partners = pairs(&[0.9, 1.6, 9.0].map(at), &[1.0, 2.5].map(at), SAME);
        assert_eq!(partners, [Some(0), Some(1), None]);
    }
}
