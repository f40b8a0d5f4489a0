//! From stored values to what they mean: `BZERO`, `BSCALE` and `BLANK`.

use super::pixels::{Pixels, Stored};
use crate::{Header, Value};

/// What a header says of the meaning of stored values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Scale {
    zero: f64,
    factor: f64,
    blank: Option<i64>,
}

impl Scale {
    /// By `BZERO`, `BSCALE` and `BLANK`; of a compressed image also `ZBLANK`, which stands for it.
    pub(crate) fn of(header: &Header) -> Self {
        Self {
            zero: header.real("BZERO").unwrap_or(0.0),
            factor: header.real("BSCALE").unwrap_or(1.0),
            blank: header.integer("BLANK").or_else(|| header.integer("ZBLANK")),
        }
    }

    /// Whether reals are meant as they are stored.
    pub(super) fn is_none(self) -> bool {
        self.factor == 1.0 && self.zero == 0.0
    }

    /// The values that are meant. Whole numbers stay whole: as they are, or with the offset that makes them unsigned (or,
    /// of bytes, signed). Otherwise bytes and 16-bit numbers become 32-bit reals, longer ones 64-bit reals, and blank
    /// pixels NaN.
    pub(crate) fn apply(self, stored: Stored) -> Pixels {
        let shifted = |sign: f64| self.factor == 1.0 && self.zero == sign;
        let same = self.factor == 1.0 && self.zero == 0.0;
        let whole = same && self.blank.is_none();
        match stored {
            Stored::U8(values) if whole => Pixels::U8(values),
            Stored::I16(values) if whole => Pixels::I16(values),
            Stored::I32(values) if whole => Pixels::I32(values),
            Stored::I64(values) if whole => Pixels::I64(values),
            // Flipping the highest bit adds half of the range.
            Stored::U8(values) if shifted(-128.0) => {
                Pixels::I8(values.into_iter().map(|value| (value ^ 0x80).cast_signed()).collect())
            }
            Stored::I16(values) if shifted(32_768.0) => {
                Pixels::U16(values.into_iter().map(|value| value.cast_unsigned() ^ 1 << 15).collect())
            }
            Stored::I32(values) if shifted(2_147_483_648.0) => {
                Pixels::U32(values.into_iter().map(|value| value.cast_unsigned() ^ 1 << 31).collect())
            }
            Stored::I64(values) if shifted(9_223_372_036_854_775_808.0) => {
                Pixels::U64(values.into_iter().map(|value| value.cast_unsigned() ^ 1 << 63).collect())
            }
            Stored::U8(values) => Pixels::F32(self.single(values, |value| (value.into(), value.into()))),
            Stored::I16(values) => Pixels::F32(self.single(values, |value| (value.into(), value.into()))),
            Stored::I32(values) => Pixels::F64(self.double(values, |value| (value.into(), value.into()))),
            Stored::I64(values) => Pixels::F64(self.double(values, |value| (value as f64, value))),
            Stored::F32(values) if same => Pixels::F32(values),
            Stored::F64(values) if same => Pixels::F64(values),
            Stored::F32(values) => {
                let (factor, zero) = (self.factor as f32, self.zero as f32);
                Pixels::F32(values.into_iter().map(|value| value * factor + zero).collect())
            }
            Stored::F64(values) => {
                Pixels::F64(values.into_iter().map(|value| value * self.factor + self.zero).collect())
            }
        }
    }

    /// In 32-bit arithmetic throughout, as astropy does it.
    fn single<T>(self, values: Vec<T>, number: impl Fn(T) -> (f32, i64)) -> Vec<f32> {
        let (factor, zero) = (self.factor as f32, self.zero as f32);
        let meant = |value| match number(value) {
            (_, whole) if Some(whole) == self.blank => f32::NAN,
            (value, _) => value * factor + zero,
        };
        values.into_iter().map(meant).collect()
    }

    fn double<T>(self, values: Vec<T>, number: impl Fn(T) -> (f64, i64)) -> Vec<f64> {
        let meant = |value| match number(value) {
            (_, whole) if Some(whole) == self.blank => f64::NAN,
            (value, _) => value * self.factor + self.zero,
        };
        values.into_iter().map(meant).collect()
    }
}

/// How `pixels` are stored, and the `BZERO` that says so.
pub(crate) fn unscaled(pixels: &Pixels) -> (Stored, Option<Value>) {
    let zero = |power: u32| Some(Value::Integer(1 << power));
    match pixels {
        Pixels::U8(values) => (Stored::U8(values.clone()), None),
        Pixels::I16(values) => (Stored::I16(values.clone()), None),
        Pixels::I32(values) => (Stored::I32(values.clone()), None),
        Pixels::I64(values) => (Stored::I64(values.clone()), None),
        Pixels::F32(values) => (Stored::F32(values.clone()), None),
        Pixels::F64(values) => (Stored::F64(values.clone()), None),
        Pixels::I8(values) => {
            let stored = values.iter().map(|value| value.cast_unsigned() ^ 0x80).collect();
            (Stored::U8(stored), Some(Value::Integer(-128)))
        }
        Pixels::U16(values) => {
            (Stored::I16(values.iter().map(|value| (value ^ 1 << 15).cast_signed()).collect()), zero(15))
        }
        Pixels::U32(values) => {
            (Stored::I32(values.iter().map(|value| (value ^ 1 << 31).cast_signed()).collect()), zero(31))
        }
        Pixels::U64(values) => {
            (Stored::I64(values.iter().map(|value| (value ^ 1 << 63).cast_signed()).collect()), zero(63))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Scale = Scale { zero: 0.0, factor: 1.0, blank: None };

    #[test]
    fn an_offset_of_half_the_range_changes_the_sign_and_loses_nothing() {
        let cases = [
            (Scale { zero: -128.0, ..NONE }, Stored::U8(vec![0, 128, 255]), Pixels::I8(vec![-128, 0, 127])),
            (Scale { zero: 32_768.0, ..NONE }, Stored::I16(vec![-32_768, 0]), Pixels::U16(vec![0, 32_768])),
            (Scale { zero: 2_147_483_648.0, ..NONE }, Stored::I32(vec![i32::MAX]), Pixels::U32(vec![u32::MAX])),
            (
                Scale { zero: 2_f64.powi(63), ..NONE },
                Stored::I64(vec![i64::MAX, i64::MIN]),
                Pixels::U64(vec![u64::MAX, 0]),
            ),
        ];
        for (scale, stored, meant) in cases {
            assert_eq!(scale.apply(stored.clone()), meant);
            let (again, zero) = unscaled(&meant);
            assert_eq!(again, stored);
            assert_eq!(zero.map(|zero| matches!(zero, Value::Integer(zero) if zero as f64 == scale.zero)), Some(true));
        }
    }

    #[test]
    fn a_scale_makes_reals_and_a_blank_makes_nan() {
        let scale = Scale { zero: 10.0, factor: 0.5, blank: Some(-1) };
        let Pixels::F32(values) = scale.apply(Stored::I16(vec![2, -1])) else { panic!("16 bits make 32-bit reals") };
        assert!(values[0] == 11.0 && values[1].is_nan());
        let Pixels::F64(values) = (Scale { blank: Some(7), ..NONE }).apply(Stored::I32(vec![7, 8])) else {
            panic!("a blank among 32-bit numbers makes 64-bit reals")
        };
        assert!(values[0].is_nan() && values[1] == 8.0);
    }
}
