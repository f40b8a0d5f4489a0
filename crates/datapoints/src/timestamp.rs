//! Timestamps as clients send them, and the one form in which they are kept.
//!
//! In: ISO 8601 with or without an offset, a date alone, or unix seconds or milliseconds as a number or numeric text.
//! Out: `YYYY-MM-DDTHH:MM:SS`, six digits of fraction if there is one, then nothing (a local time), `Z`, or `+HH:MM`.
//! The text is the record and is sorted as text; beside it stands the point in time that it means.

use holotype_core::Instant;
use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use serde_json::{Number, Value};

/// Beyond this, a number counts milliseconds and not seconds.
const MOST_SECONDS: i128 = 20_000_000_000;

/// The last microsecond of the year 9999.
const LAST_MICROSECOND: i128 = 253_402_300_799_999_999;

/// The first microsecond of the year 1.
const FIRST_MICROSECOND: i128 = -62_135_596_800_000_000;

const MICROSECONDS: i128 = 1_000_000;

/// Where unix time begins, in UTC.
const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);

/// When a datapoint was measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timestamp {
    /// The form that is stored and answered.
    pub text: String,
    /// The point in time it means, where it means one.
    pub instant: Option<Instant>,
}

/// Why something is not a timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimestampProblem {
    /// Neither text nor a number.
    #[error("Input should be a valid datetime")]
    Type,
    /// Text that is no date and no time.
    #[error("Input should be a valid datetime or date, {0}")]
    Text(&'static str),
    /// A number outside the years 1 to 9999.
    #[error("Input should be a valid datetime, years 1 to 9999 are supported as unix timestamps")]
    Range,
}

impl TimestampProblem {
    /// The stable name that clients know the fault by.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Self::Type => "datetime_type",
            Self::Text(_) => "datetime_from_date_parsing",
            Self::Range => "datetime_parsing",
        }
    }
}

impl Timestamp {
    /// Reads what a client sent. A time without an offset is a local time of `zone`.
    ///
    /// # Errors
    /// [`TimestampProblem`] for anything that is not a timestamp of the years 1 to 9999.
    pub fn parse(value: &Value, zone: &TimeZone) -> Result<Self, TimestampProblem> {
        match value {
            Value::Number(number) => Self::from_unix(number_to_microseconds(number).ok_or(TimestampProblem::Range)?),
            Value::String(text) if is_numeric(text) => {
                let number = text.trim_start_matches('+');
                Self::from_unix(decimal_to_microseconds(number).ok_or(TimestampProblem::Range)?)
            }
            Value::String(text) => Self::from_text(text, zone),
            _ => Err(TimestampProblem::Type),
        }
    }

    /// The local time of `zone` at `now`, as it is recorded when a client gives none.
    pub fn local(now: Instant, zone: &TimeZone) -> Self {
        let civil = now.timestamp().to_zoned(zone.clone()).datetime();
        Self { text: written(civil, None), instant: Some(now) }
    }

    fn from_unix(microseconds: i128) -> Result<Self, TimestampProblem> {
        if !(FIRST_MICROSECOND..=LAST_MICROSECOND).contains(&microseconds) {
            return Err(TimestampProblem::Range);
        }
        let microseconds = i64::try_from(microseconds).map_err(|_| TimestampProblem::Range)?;
        let civil =
            EPOCH.checked_add(SignedDuration::from_micros(microseconds)).map_err(|_| TimestampProblem::Range)?;
        Ok(Self { text: written(civil, Some(0)), instant: Some(Instant::from_micros(microseconds)) })
    }

    fn from_text(text: &str, zone: &TimeZone) -> Result<Self, TimestampProblem> {
        let mut reader = Reader(text);
        let date = reader.date()?;
        let (time, offset) = if reader.0.is_empty() { (Time::midnight(), None) } else { reader.time_and_offset()? };
        let civil = DateTime::from_parts(date, time);
        let instant = match offset {
            Some(minutes) => {
                let microseconds = civil.duration_since(EPOCH).as_micros() - i128::from(minutes) * 60 * MICROSECONDS;
                i64::try_from(microseconds).ok().map(Instant::from_micros)
            }
            None => zone.to_timestamp(civil).ok().map(|local| Instant::from_micros(local.as_microsecond())),
        };
        Ok(Self { text: written(civil, offset), instant })
    }
}

/// The stored form; `offset` in minutes east of UTC.
fn written(civil: DateTime, offset: Option<i32>) -> String {
    let (date, time) = (civil.date(), civil.time());
    let mut text = format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
        date.year(),
        date.month(),
        date.day(),
        time.hour(),
        time.minute(),
        time.second()
    );
    let microseconds = time.subsec_nanosecond() / 1_000;
    if microseconds != 0 {
        text.push_str(&format!(".{microseconds:06}"));
    }
    match offset {
        None => {}
        Some(0) => text.push('Z'),
        Some(minutes) => {
            let sign = if minutes < 0 { '-' } else { '+' };
            text.push_str(&format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60));
        }
    }
    text
}

/// Whether the text is a plain decimal number: `1700000000`, `-1.5`, `1700000000.`.
fn is_numeric(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    !whole.is_empty() && whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit())
}

fn number_to_microseconds(number: &Number) -> Option<i128> {
    let text = number.as_str();
    if is_numeric(text) {
        return decimal_to_microseconds(text);
    }
    // Written with an exponent, which no clock does: a double is exact enough.
    let seconds = number.as_f64().filter(|seconds| seconds.abs() < 1e15)?;
    decimal_to_microseconds(&format!("{seconds:.9}"))
}

/// Microseconds of a number of seconds, or of milliseconds if it is too large for seconds; halves are rounded away from zero.
fn decimal_to_microseconds(text: &str) -> Option<i128> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole: i128 = whole.parse().ok().filter(|whole| *whole <= LAST_MICROSECOND)?;
    let nanos: String = fraction.chars().chain(std::iter::repeat('0')).take(9).collect();
    let nanos: i128 = nanos.parse().ok()?;
    let is_milliseconds = (whole, nanos) > (MOST_SECONDS, 0);
    let magnitude = if is_milliseconds {
        whole * 1_000 + (nanos + 500_000) / 1_000_000
    } else {
        whole * MICROSECONDS + (nanos + 500) / 1_000
    };
    Some(if negative { -magnitude } else { magnitude })
}

/// Reads a timestamp from the front.
struct Reader<'t>(&'t str);

impl Reader<'_> {
    fn date(&mut self) -> Result<Date, TimestampProblem> {
        if self.0.chars().count() < 10 {
            return Err(TimestampProblem::Text("input is too short"));
        }
        let year = self.digits(4).ok_or(TimestampProblem::Text("invalid character in year"))?;
        self.separator("-").ok_or(TimestampProblem::Text("invalid date separator, expected `-`"))?;
        let month = self.digits(2).ok_or(TimestampProblem::Text("invalid character in month"))?;
        self.separator("-").ok_or(TimestampProblem::Text("invalid date separator, expected `-`"))?;
        let day = self.digits(2).ok_or(TimestampProblem::Text("invalid character in day"))?;
        match (year, month) {
            (0, _) => Err(TimestampProblem::Text("year 0 is out of range")),
            (_, 1..=12) => Date::new(small(year)?, small(month)?, small(day)?)
                .map_err(|_| TimestampProblem::Text("day value is outside expected range")),
            _ => Err(TimestampProblem::Text("month value is outside expected range of 1-12")),
        }
    }

    /// The time behind a date, and its offset in minutes if it has one.
    fn time_and_offset(&mut self) -> Result<(Time, Option<i32>), TimestampProblem> {
        const UNEXPECTED: TimestampProblem =
            TimestampProblem::Text("unexpected extra characters at the end of the input");
        self.separator("Tt _").ok_or(UNEXPECTED)?;
        let hour = self.digits(2).ok_or(UNEXPECTED)?;
        self.separator(":").ok_or(UNEXPECTED)?;
        let minute = self.digits(2).ok_or(UNEXPECTED)?;
        let (mut second, mut nanos) = (0, 0);
        if self.separator(":").is_some() {
            second = self.digits(2).ok_or(UNEXPECTED)?;
            if self.separator(".,").is_some() {
                nanos = self.fraction().ok_or(UNEXPECTED)?;
            }
        }
        let time = Time::new(small(hour)?, small(minute)?, small(second)?, nanos).map_err(|_| UNEXPECTED)?;
        let offset = if self.0.is_empty() { None } else { Some(self.offset().ok_or(UNEXPECTED)?) };
        if self.0.is_empty() { Ok((time, offset)) } else { Err(UNEXPECTED) }
    }

    /// `Z`, `+HH:MM` or `+HHMM`, in minutes.
    fn offset(&mut self) -> Option<i32> {
        if self.separator("Zz").is_some() {
            return Some(0);
        }
        // The minus sign of typesetters is as good as the one of keyboards.
        let sign = if self.separator("+").is_some() { 1 } else { self.separator("-\u{2212}").map(|()| -1)? };
        let hours = self.digits(2)?;
        self.separator(":");
        let minutes = self.digits(2)?;
        (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
    }

    /// One to nine digits behind the point, cut to microseconds, in nanoseconds.
    fn fraction(&mut self) -> Option<i32> {
        let count = self.0.bytes().take_while(u8::is_ascii_digit).count();
        if !(1..=9).contains(&count) {
            return None;
        }
        let kept = count.min(6);
        let value = self.digits(kept)?;
        self.digits(count - kept)?;
        Some(value * 10_i32.pow(u32::try_from(9 - kept).ok()?))
    }

    fn digits(&mut self, count: usize) -> Option<i32> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        self.0 = rest;
        if digits.is_empty() { Some(0) } else { digits.parse().ok() }
    }

    fn separator(&mut self, any_of: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(|character| any_of.contains(character))?;
        Some(())
    }
}

/// Four digits fit a year, two fit everything else.
fn small<T: TryFrom<i32>>(value: i32) -> Result<T, TimestampProblem> {
    T::try_from(value).map_err(|_| TimestampProblem::Range)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn parse(value: Value) -> Result<Timestamp, TimestampProblem> {
        Timestamp::parse(&value, &TimeZone::UTC)
    }

    #[test]
    fn text_is_brought_into_one_form() {
        for (given, kept) in [
            ("2026-11-20T13:13:43.575470", "2026-11-20T13:13:43.575470"),
            ("2026-11-20", "2026-11-20T00:00:00"),
            ("2026-11-20 13:13", "2026-11-20T13:13:00"),
            ("2026-11-20_13:13:43", "2026-11-20T13:13:43"),
            ("2026-11-20t13:13z", "2026-11-20T13:13:00Z"),
            ("2026-11-20T13:13:43+02:00", "2026-11-20T13:13:43+02:00"),
            ("2026-11-20T13:13:43-0530", "2026-11-20T13:13:43-05:30"),
            ("2026-11-20T13:13:43\u{2212}02:00", "2026-11-20T13:13:43-02:00"),
            ("2026-11-20T13:13:43-00:00", "2026-11-20T13:13:43Z"),
            ("2026-11-20T13:13:43.5+00:00", "2026-11-20T13:13:43.500000Z"),
            ("2026-11-20T13:13:43,5", "2026-11-20T13:13:43.500000"),
            ("2026-11-20T13:13:43.123456789", "2026-11-20T13:13:43.123456"),
            ("2026-11-20T13:13:43.000000", "2026-11-20T13:13:43"),
            ("2026-11-20T13:13:43.9999999Z", "2026-11-20T13:13:43.999999Z"),
            ("0001-01-01", "0001-01-01T00:00:00"),
            ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        ] {
            assert_eq!(parse(json!(given)).map(|timestamp| timestamp.text), Ok(kept.to_owned()), "{given}");
        }
    }

    #[test]
    fn numbers_are_unix_seconds_and_large_ones_milliseconds() {
        for (given, kept) in [
            (json!(1_700_000_000), "2023-11-14T22:13:20Z"),
            (json!("1700000000"), "2023-11-14T22:13:20Z"),
            (json!("+1700000000"), "2023-11-14T22:13:20Z"),
            (json!("1700000000."), "2023-11-14T22:13:20Z"),
            (json!(1_700_000_000_123_i64), "2023-11-14T22:13:20.123000Z"),
            (json!(1_700_000_000.5), "2023-11-14T22:13:20.500000Z"),
            (json!("1700000000.1234567"), "2023-11-14T22:13:20.123457Z"),
            (json!(20_000_000_000_i64), "2603-10-11T11:33:20Z"),
            (json!(20_000_000_001_i64), "1970-08-20T11:33:20.001000Z"),
            (json!(-20_000_000_001_i64), "1969-05-14T12:26:39.999000Z"),
            (json!(-1), "1969-12-31T23:59:59Z"),
            (json!("-1.5"), "1969-12-31T23:59:58.500000Z"),
            (json!(253_402_300_799_999_i64), "9999-12-31T23:59:59.999000Z"),
            (serde_json::from_str("1.7e9").unwrap(), "2023-11-14T22:13:20Z"),
            (json!("20261120"), "1970-08-23T12:05:20Z"),
        ] {
            assert_eq!(parse(given.clone()).map(|timestamp| timestamp.text), Ok(kept.to_owned()), "{given}");
        }
    }

    #[test]
    fn what_is_no_timestamp_is_refused() {
        for given in [
            "",
            "abc",
            "1e3",
            "nan",
            "24:00",
            "2026-13-01",
            "2026-02-30",
            "0000-01-01",
            "10000-01-01",
            " 2026-11-20",
            "2026-11-20 ",
            "2026-11-20T13",
            "2026-11-20T24:00:00",
            "2026-11-20T23:59:60",
            "2026-11-20T13:13:43.",
            "2026-11-20T13:13:43+24:00",
            "2026-11-20T13:13:43+02",
            "2026-11-20T13:13:43 +02:00",
            "2026-1-2",
            "2026-11-20T13:13:43.5+00:00:00",
            "2026-11-20T13:13:43.1234567890",
            "\u{661}\u{667}\u{660}\u{660}-01-01",
        ] {
            assert!(matches!(parse(json!(given)), Err(TimestampProblem::Text(_))), "{given}");
        }
        for given in [json!(1_700_000_000_123_456_i64), json!("9".repeat(400)), serde_json::from_str("1e300").unwrap()]
        {
            assert_eq!(parse(given), Err(TimestampProblem::Range));
        }
        for given in [json!(true), json!(null), json!({}), json!([])] {
            assert_eq!(parse(given), Err(TimestampProblem::Type));
        }
    }

    #[test]
    fn a_timestamp_means_a_point_in_time() {
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        let meant = |text: &str| Timestamp::parse(&json!(text), &berlin).unwrap().instant.unwrap().to_string();
        assert_eq!(meant("2026-11-20T13:00:00+02:00"), "2026-11-20T11:00:00Z");
        assert_eq!(meant("2026-11-20T13:00:00Z"), "2026-11-20T13:00:00Z");
        assert_eq!(meant("2026-07-20T13:00:00"), "2026-07-20T11:00:00Z", "without an offset it is local");
        // An hour that the clocks skip is read as if they had not been put forward yet.
        assert_eq!(meant("2026-03-29T02:30:00"), "2026-03-29T01:30:00Z");
    }

    #[test]
    fn now_is_recorded_as_local_time_without_an_offset() {
        let zone = TimeZone::fixed(jiff::tz::offset(2));
        let now: Instant = "2026-11-20T13:18:47.5Z".parse().unwrap();
        let timestamp = Timestamp::local(now, &zone);
        assert_eq!((timestamp.text.as_str(), timestamp.instant), ("2026-11-20T15:18:47.500000", Some(now)));
    }
}
