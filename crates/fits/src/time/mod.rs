//! When an exposure was taken: dates as headers write them, Julian dates, and the heliocentric Julian date.

mod earth;

use std::time::Duration;

use holotype_core::Instant;

use crate::FitsError;
use crate::wcs::SkyPosition;

const MICROSECONDS_OF_A_DAY: f64 = 86_400e6;

/// The Julian date of 1970-01-01T00:00:00.
const JULIAN_DATE_OF_1970: f64 = 2_440_587.5;

/// Days that light needs for one astronomical unit.
const DAYS_OF_LIGHT: f64 = 499.004_783_836 / 86_400.0;

/// Days by which dynamical time was ahead of UTC from 2017 on. It was up to 69 s less in the twentieth century, in which the
/// Earth goes 2,100 km: less than 1e-7 days of light.
const DYNAMICAL_TIME_AHEAD: f64 = 69.184 / 86_400.0;

/// The instant that a header's date stands for, usually `DATE-OBS`: `2024-07-15T03:14:00.000`, `2024-07-15`, or with a `Z` or
/// an offset. Without one it is UTC, as the standard says.
///
/// # Errors
/// [`FitsError::Header`] with the keyword if the text is no date.
pub fn instant(keyword: &str, text: &str) -> Result<Instant, FitsError> {
    let text = text.trim_matches(' ');
    [text.to_owned(), format!("{text}Z"), format!("{text}T00:00:00Z")]
        .iter()
        .find_map(|text| text.parse().ok())
        .ok_or_else(|| FitsError::header(keyword, format!("'{text}' is not a date such as 2024-07-15T03:14:00.000")))
}

/// The middle of an exposure that began at `start` and took `exposure_seconds`.
///
/// # Errors
/// [`FitsError::Header`] with `EXPTIME` if that is no length of time.
pub fn middle(start: Instant, exposure_seconds: f64) -> Result<Instant, FitsError> {
    match Duration::try_from_secs_f64(exposure_seconds) {
        Ok(exposure) => Ok(start.after(exposure / 2)),
        Err(_) => Err(FitsError::header("EXPTIME", format!("{exposure_seconds} is not a number of seconds"))),
    }
}

/// The Julian date in UTC, to about 20 microseconds (the step of an `f64` at this size is twice that). Every day has 86,400
/// seconds, also one with a leap second.
pub fn julian_date(instant: Instant) -> f64 {
    instant.as_micros() as f64 / MICROSECONDS_OF_A_DAY + JULIAN_DATE_OF_1970
}

/// The heliocentric Julian date in UTC: when the light that arrived at `instant` passed the distance of the Sun, had it come
/// from a star at `target` (ICRS or J2000).
///
/// The Earth's centre stands for the observatory. This date is therefore 0 to 2.5e-7 days too small for a target
/// above the horizon: it is that many days (21 ms) of light from the surface to the centre. With the 1.3e-7 days by which the
/// series for the Earth may be off, and 1e-7 for dynamical time, it is within 5e-7 days of the exact one from 1900 to 2100.
pub fn heliocentric_julian_date(instant: Instant, target: SkyPosition) -> f64 {
    let julian_date = julian_date(instant);
    let earth = earth::heliocentric_position(julian_date + DYNAMICAL_TIME_AHEAD);
    julian_date + crate::wcs::dot(earth, target.direction()) * DAYS_OF_LIGHT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heliocentric(date: &str, exposure_seconds: f64, right_ascension: f64, declination: f64) -> f64 {
        let middle = middle(instant("DATE-OBS", date).unwrap(), exposure_seconds).unwrap();
        heliocentric_julian_date(middle, SkyPosition { right_ascension, declination })
    }

    #[test]
    fn a_date_without_offset_is_utc() {
        for text in
            ["2024-07-15T03:14:00", "2024-07-15T03:14:00.000 ", "2024-07-15T03:14:00Z", "2024-07-15T05:14:00+02:00"]
        {
            assert_eq!(instant("DATE-OBS", text).unwrap().to_string(), "2024-07-15T03:14:00Z", "{text}");
        }
        assert_eq!(instant("DATE-OBS", "2024-07-15").unwrap().to_string(), "2024-07-15T00:00:00Z");
    }

    #[test]
    fn what_is_no_date_or_no_time_is_refused_with_its_keyword() {
        for text in ["", "UNKNOWN", "15/07/99", "2024-13-01", "2024-07-15T25:00:00"] {
            let error = instant("DATE-END", text).unwrap_err();
            assert!(matches!(&error, FitsError::Header { keyword, .. } if keyword == "DATE-END"), "{error}");
        }
        for seconds in [-1.0, f64::NAN, f64::INFINITY, 1e300] {
            assert!(middle(Instant::from_micros(0), seconds).is_err());
        }
    }

    #[test]
    fn a_julian_date_begins_at_noon() {
        let at = |text: &str| julian_date(instant("DATE-OBS", text).unwrap());
        assert_eq!(at("2000-01-01T12:00:00"), 2_451_545.0);
        assert_eq!(at("1858-11-17"), 2_400_000.5);
    }

    #[test]
    fn the_heliocentric_date_is_that_of_an_ephemeris() {
        // From lists of an earlier program, which took the observatory's place into account: sites in Chile, on Tenerife,
        // in Australia and in South Africa.
        for (date, right_ascension, declination, expected) in [
            ("2024-07-15T03:14:00.000", 270.548, -28.97786111111111, 2460506.6404747404),
            ("2024-07-16T00:00:00.000", 270.548, -28.97786111111111, 2460507.505719574),
            ("2024-07-15T13:00:00.000", 270.548, -28.97786111111111, 2460507.047403904),
            ("2024-07-15T21:14:00.000", 266.76408333333336, -34.18919444444444, 2460507.39024172),
        ] {
            let difference = heliocentric(date, 60.0, right_ascension, declination) - expected;
            assert!((-4e-7..1.5e-7).contains(&difference), "{date}: {difference:e} days off");
        }
    }

    #[test]
    fn the_light_of_a_star_opposite_to_the_sun_passes_the_earth_first() {
        // At the June solstice the Sun stands at 6 hours, so a star on the ecliptic at 18 hours is nearest to the Earth.
        let date = "2024-06-20T20:51:00";
        let early = heliocentric(date, 0.0, 270.0, -23.44) - julian_date(instant("DATE-OBS", date).unwrap());
        assert!((early - 1.0163 * DAYS_OF_LIGHT).abs() < 1e-6, "{early}");
    }
}
