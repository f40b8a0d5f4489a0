//! What operations are asked for, checked before any frame is opened.

use holotype_fits::wcs::SkyPosition;
use serde::{Deserialize, Serialize};

use crate::{Frame, PhotometryError as Error};

/// A place on the sky that was asked for, in degrees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Target {
    /// What it is called, if it was looked up by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Right ascension, 0 to 360.
    pub ra: f64,
    /// Declination, -90 to 90.
    pub dec: f64,
}

impl Target {
    /// The place as a position.
    ///
    /// # Errors
    /// [`Error::Request`] if it is not on the sky.
    pub fn position(&self) -> Result<SkyPosition, Error> {
        position(self.ra, self.dec)
    }
}

/// The position of two angles in degrees.
pub(crate) fn position(ra: f64, dec: f64) -> Result<SkyPosition, Error> {
    if (0.0..=360.0).contains(&ra) && (-90.0..=90.0).contains(&dec) {
        return Ok(SkyPosition { right_ascension: ra, declination: dec });
    }
    let problem = format!("ra {ra} and dec {dec} received invalid input: 0 to 360 and -90 to 90 degrees are needed");
    Err(Error::request(problem))
}

/// The one filter of all frames, which must be one of `options` unless there are none.
///
/// # Errors
/// [`Error::Request`] if there is no frame, one has no filter or another one than allowed, or they differ.
pub fn single_filter(operation: &str, frames: &[Frame], options: &[&str]) -> Result<String, Error> {
    let mut found = std::collections::BTreeSet::new();
    for frame in frames {
        let filter = frame.filter().map(str::trim).filter(|filter| !filter.is_empty());
        let filter = filter.ok_or_else(|| {
            Error::request(format!(
                "{operation} needs the filter of each input file, and {} does not report a filter",
                frame.name()
            ))
        })?;
        if !options.is_empty() && !options.contains(&filter) {
            let allowed = options.join(", ");
            let name = frame.name();
            let problem = format!(
                "{operation} received invalid input: {name} uses the filter {filter}, and one of {allowed} is needed"
            );
            return Err(Error::request(problem));
        }
        found.insert(filter);
    }
    let used: Vec<&str> = found.into_iter().collect();
    match used[..] {
        [filter] => Ok(filter.to_owned()),
        [] => Err(Error::request(format!("{operation} received invalid input: there are no input files"))),
        _ => {
            let used = used.join(", ");
            Err(Error::request(format!("{operation} needs files of the same filter, but the input files use {used}")))
        }
    }
}

/// Refuses too few or too many frames.
///
/// # Errors
/// [`Error::Request`] with the counts.
pub fn count(operation: &str, frames: &[Frame], least: usize, most: usize) -> Result<(), Error> {
    if (least..=most).contains(&frames.len()) {
        return Ok(());
    }
    let found = frames.len();
    Err(Error::request(format!("{operation} received invalid input: {found} files, and {least} to {most} are needed")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(name: &str, filter: Option<&str>) -> Frame {
        Frame::new(name, || Err(std::io::Error::other("closed"))).with_filter(filter.map(str::to_owned))
    }

    fn refused(frames: &[Frame]) -> String {
        single_filter("Light Curve", frames, &["rp", "ip"]).unwrap_err().to_string()
    }

    #[test]
    fn frames_of_one_allowed_filter_are_accepted_and_others_told_apart() {
        let frames = [frame("a", Some("rp")), frame("b", Some("rp"))];
        assert_eq!(single_filter("Light Curve", &frames, &["rp", "ip"]).unwrap(), "rp");
        let mixed = refused(&[frame("a", Some("rp")), frame("b", Some("ip"))]);
        assert!(mixed.contains("same filter, but the input files use ip, rp"), "{mixed}");
        let none = refused(&[frame("a", Some("rp")), frame("b", None)]);
        assert!(none.contains("b does not report a filter"), "{none}");
        assert!(refused(&[frame("a", Some("B"))]).contains("received invalid input"));
        assert!(refused(&[]).contains("received invalid input"));
        assert!(count("Variable Star", &frames, 8, 999).unwrap_err().to_string().contains("2 files, and 8 to 999"));
    }

    #[test]
    fn a_place_that_is_not_on_the_sky_is_refused() {
        for (ra, dec) in [(f64::NAN, 0.0), (-1.0, 0.0), (10.0, 90.5)] {
            assert!(Target { name: None, ra, dec }.position().is_err());
        }
        let text = serde_json::to_string(&Target { name: None, ra: 1.5, dec: -2.0 }).unwrap();
        assert_eq!(text, r#"{"ra":1.5,"dec":-2.0}"#);
    }
}
