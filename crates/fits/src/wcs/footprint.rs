//! The outline of an image on the sky, as archives keep it.

use super::{Pixel, SkyPosition, Wcs};

impl Wcs {
    /// The outline of an image of `width` times `height` pixels as the ring of a GeoJSON polygon: five pairs of right
    /// ascension and declination in degrees, the centres of the pixels (1, 1), (1, height), (width, height), (width, 1) and
    /// again (1, 1).
    ///
    /// The first right ascension is within -180 to 180 and the others are within 180 of it: the ring of an image
    /// across 180 degrees stays in one piece, with some values outside of that range. Nothing for an image without pixels,
    /// for one that holds a pole (no polygon in these coordinates outlines it), and where the header's numbers overflow.
    pub fn footprint(&self, width: u64, height: u64) -> Option<[[f64; 2]; 5]> {
        let (right, top) = (width as f64, height as f64);
        if width == 0 || height == 0 || self.holds_a_pole(right, top) {
            return None;
        }
        let [a, b, c, d] = [(1.0, 1.0), (1.0, top), (right, top), (right, 1.0)].map(|(x, y)| self.sky(Pixel { x, y }));
        let first = if a.right_ascension > 180.0 { a.right_ascension - 360.0 } else { a.right_ascension };
        let ring = [a, b, c, d, a].map(|corner| [near(first, corner.right_ascension), corner.declination]);
        ring.iter().flatten().all(|angle| angle.is_finite()).then_some(ring)
    }

    fn holds_a_pole(&self, right: f64, top: f64) -> bool {
        [-90.0, 90.0]
            .iter()
            .filter_map(|&declination| self.pixel(SkyPosition { right_ascension: 0.0, declination }))
            .any(|pole| (0.5..=right + 0.5).contains(&pole.x) && (0.5..=top + 0.5).contains(&pole.y))
    }
}

/// The angle that is `angle` plus or minus a whole turn and lies nearest to `reference`, both being less than two turns apart.
fn near(reference: f64, angle: f64) -> f64 {
    match angle - reference {
        ahead if ahead > 180.0 => angle - 360.0,
        behind if behind < -180.0 => angle + 360.0,
        _ => angle,
    }
}
