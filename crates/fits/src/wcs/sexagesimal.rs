//! Angles as observatories write them: `17:47:03.38`, `-34:11:21.1`.

/// Degrees of a right ascension written as hours, minutes and seconds with colons, from `00:00:00` to `24:00:00`.
pub(super) fn right_ascension(text: &str) -> Option<f64> {
    let (negative, hours) = parse(text)?;
    (!negative && hours <= 24.0).then_some(hours * 15.0)
}

/// Degrees of a declination written as degrees, minutes and seconds with colons, from `-90:00:00` to `90:00:00`.
pub(super) fn declination(text: &str) -> Option<f64> {
    let (negative, degrees) = parse(text)?;
    (degrees <= 90.0).then_some(if negative { -degrees } else { degrees })
}

/// The sign and the size of two or three fields with colons between them; only the last may have a fraction.
/// The sign is kept apart, as `-00:30` is below zero though its first field is not.
fn parse(text: &str) -> Option<(bool, f64)> {
    let text = text.trim_matches(' ');
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let fields: Vec<&str> = digits.split(':').take(4).collect();
    let (last, whole) = fields.split_last()?;
    if !matches!(whole.len(), 1 | 2) {
        return None;
    }
    let mut unit = 1.0;
    let mut sum = 0.0;
    for (index, field) in whole.iter().copied().chain([*last]).enumerate() {
        let fraction_allowed = index == whole.len();
        let value = number(field, fraction_allowed)?;
        if index > 0 && value >= 60.0 {
            return None;
        }
        sum += value / unit;
        unit *= 60.0;
    }
    Some((negative, sum))
}

/// Digits, with a point among them only where a fraction is allowed: no sign, no exponent, no `inf`.
fn number(field: &str, fraction_allowed: bool) -> Option<f64> {
    let (whole, fraction) = field.split_once('.').unwrap_or((field, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = !whole.is_empty() && digits(whole) && digits(fraction);
    (is_number && (fraction_allowed || !field.contains('.'))).then(|| field.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_become_degrees_and_a_sign_counts_also_before_zero() {
        assert_eq!(right_ascension("17:47:03.3800"), Some(266.76408333333336));
        assert_eq!(right_ascension(" 12:30 "), Some(187.5));
        assert_eq!(declination("-34:11:21.100"), Some(-34.18919444444444));
        assert_eq!(declination("-00:30:00"), Some(-0.5));
        assert_eq!(declination("+90:00:00"), Some(90.0));
    }

    #[test]
    fn what_is_no_angle_is_refused() {
        for text in
            ["", ":", "1:2:3:4", "12", "12:60:00", "12:00:60", "12.5:00:00", "1e1:00:00", "nan:00:00", "12:-1:00"]
        {
            assert_eq!(declination(text), None, "{text}");
        }
        assert_eq!(right_ascension("-01:00:00"), None);
        assert_eq!(right_ascension("24:00:01"), None);
        assert_eq!(declination("90:00:00.1"), None);
    }
}
