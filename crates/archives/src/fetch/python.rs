//! Numbers as Python writes them, which is what the pipeline's lists hold.

/// The shortest text that reads back as the same number: `60.0`, `1e-07`, `0.000202`, `nan`.
pub(super) fn real(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else { return scientific };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        let plain = value.to_string();
        return if plain.contains('.') { plain } else { format!("{plain}.0") };
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::real;

    #[test]
    fn reals_are_written_as_python_writes_them() {
        let cases = [
            (60.0, "60.0"),
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1e-7, "1e-07"),
            (-7.5e-5, "-7.5e-05"),
            (0.0001, "0.0001"),
            (0.000_202_777_777_777_777, "0.000202777777777777"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
            (2_460_507.515_441_414, "2460507.515441414"),
            (f64::NAN, "nan"),
            (f64::NEG_INFINITY, "-inf"),
        ];
        for (value, text) in cases {
            assert_eq!(real(value), text);
        }
    }
}
