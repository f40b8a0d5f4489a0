//! The elements of a binary table, from their bytes.

use super::form::Element;

/// The values of a column, row after row.
#[derive(Debug, Clone, PartialEq)]
pub enum Cells {
    /// True, false, or neither.
    Logical(Vec<Option<bool>>),
    /// Whole numbers; nothing where the table says that a value is missing (`TNULLn`).
    Integers(Vec<Option<i64>>),
    /// Numbers; NaN where a value is missing.
    Reals(Vec<f64>),
    /// Pairs of numbers, real part first.
    Complex(Vec<(f64, f64)>),
    /// Strings, without trailing blanks.
    Text(Vec<String>),
    /// Lists of any length, one for each row.
    Lists(Vec<Cells>),
}

impl Cells {
    /// How many values there are; of lists: how many lists.
    pub fn len(&self) -> usize {
        match self {
            Self::Logical(values) => values.len(),
            Self::Integers(values) => values.len(),
            Self::Reals(values) => values.len(),
            Self::Complex(values) => values.len(),
            Self::Text(values) => values.len(),
            Self::Lists(values) => values.len(),
        }
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values as numbers, with NaN for what is missing; nothing if they are no numbers.
    pub fn to_reals(&self) -> Option<Vec<f64>> {
        match self {
            Self::Integers(values) => Some(values.iter().map(|value| value.map_or(f64::NAN, |it| it as f64)).collect()),
            Self::Reals(values) => Some(values.clone()),
            _ => None,
        }
    }
}

/// What stored numbers mean: `TSCALn`, `TZEROn` and `TNULLn`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Meaning {
    pub(super) factor: f64,
    pub(super) zero: f64,
    pub(super) null: Option<i64>,
}

impl Meaning {
    fn is_plain(self) -> bool {
        self.factor == 1.0 && self.zero == 0.0
    }

    fn real(self, value: f64) -> f64 {
        if self.is_plain() { value } else { value * self.factor + self.zero }
    }

    /// Whole numbers stay whole if they are neither scaled nor shifted by a part.
    pub(super) fn integers(self, values: impl Iterator<Item = i64>) -> Cells {
        let values: Vec<_> = values.map(|value| (Some(value) != self.null).then_some(value)).collect();
        // Up to 2^53 a shift is exact, and beyond it only the one that makes 64-bit numbers unsigned is in use.
        let shift = (self.factor == 1.0 && self.zero.fract() == 0.0 && self.zero.abs() <= 9_007_199_254_740_992.0)
            .then_some(self.zero as i64);
        let shifted = |shift: i64| {
            let shifted = |value: &Option<i64>| match value {
                Some(value) => value.checked_add(shift).map(Some),
                None => Some(None),
            };
            values.iter().map(shifted).collect::<Option<Vec<_>>>()
        };
        match shift.and_then(shifted) {
            Some(values) => Cells::Integers(values),
            None => {
                let real = |value: &Option<i64>| value.map_or(f64::NAN, |value| self.real(value as f64));
                Cells::Reals(values.iter().map(real).collect())
            }
        }
    }

    pub(super) fn reals(self, values: impl Iterator<Item = f64>) -> Cells {
        Cells::Reals(values.map(|value| self.real(value)).collect())
    }
}

/// The elements in `bytes`, all of one type. Bits stand in groups of `bits`, each beginning a byte.
pub(super) fn cells(element: Element, bytes: &[u8], bits: u64, meaning: Meaning) -> Cells {
    match element {
        Element::Logical => Cells::Logical(
            bytes
                .iter()
                .map(|byte| match byte {
                    b'T' => Some(true),
                    b'F' => Some(false),
                    _ => None,
                })
                .collect(),
        ),
        Element::Bit => {
            let width = (bits.div_ceil(8) as usize).max(1);
            let bit = |row: &'_ [u8], index: usize| row[index / 8] >> (7 - index % 8) & 1 == 1;
            let rows = bytes.chunks_exact(width);
            Cells::Logical(rows.flat_map(|row| (0..bits as usize).map(move |index| Some(bit(row, index)))).collect())
        }
        Element::Byte => meaning.integers(bytes.iter().copied().map(i64::from)),
        Element::Short => meaning.integers(bytes.as_chunks().0.iter().map(|word| i16::from_be_bytes(*word).into())),
        Element::Integer => meaning.integers(bytes.as_chunks().0.iter().map(|word| i32::from_be_bytes(*word).into())),
        Element::Long => meaning.integers(bytes.as_chunks().0.iter().map(|word| i64::from_be_bytes(*word))),
        Element::Real => meaning.reals(bytes.as_chunks().0.iter().map(|word| f32::from_be_bytes(*word).into())),
        Element::Double => meaning.reals(bytes.as_chunks().0.iter().map(|word| f64::from_be_bytes(*word))),
        Element::Complex => {
            let part = |word: &[u8; 4]| meaning.real(f32::from_be_bytes(*word).into());
            let pairs = bytes.as_chunks::<4>().0.as_chunks().0;
            Cells::Complex(pairs.iter().map(|[re, im]| (part(re), part(im))).collect())
        }
        Element::DoubleComplex => {
            let part = |word: &[u8; 8]| meaning.real(f64::from_be_bytes(*word));
            let pairs = bytes.as_chunks::<8>().0.as_chunks().0;
            Cells::Complex(pairs.iter().map(|[re, im]| (part(re), part(im))).collect())
        }
        Element::Character => Cells::Text(vec![text(bytes)]),
    }
}

/// A string of a table: it ends at a zero byte, and trailing blanks do not count.
pub(super) fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    crate::header::latin1(&bytes[..end]).trim_end_matches(' ').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Meaning = Meaning { factor: 1.0, zero: 0.0, null: None };

    #[test]
    fn numbers_mean_what_their_scale_says() {
        let words = [0x80, 0, 0, 1];
        let read = |meaning| cells(Element::Short, &words, 0, meaning);
        assert_eq!(read(PLAIN), Cells::Integers(vec![Some(-32_768), Some(1)]));
        assert_eq!(read(Meaning { zero: 32_768.0, ..PLAIN }), Cells::Integers(vec![Some(0), Some(32_769)]));
        assert_eq!(read(Meaning { null: Some(1), ..PLAIN }), Cells::Integers(vec![Some(-32_768), None]));
        let half = read(Meaning { factor: 0.5, null: Some(1), ..PLAIN }).to_reals().unwrap();
        assert!(half[0] == -16_384.0 && half[1].is_nan());
        let unsigned = cells(Element::Long, &[0xFF; 8], 0, Meaning { zero: 2_f64.powi(63), ..PLAIN });
        assert_eq!(unsigned, Cells::Reals(vec![2_f64.powi(63)]));
    }

    #[test]
    fn bits_logicals_and_pairs_are_read() {
        let bits = cells(Element::Bit, &[0b1010_0000, 0b1000_0000, 0, 0], 9, PLAIN);
        let Cells::Logical(bits) = bits else { panic!("bits are logical") };
        assert_eq!(bits.len(), 18);
        assert_eq!(
            (bits[0], bits[1], bits[2], bits[8], bits[9]),
            (Some(true), Some(false), Some(true), Some(true), Some(false))
        );
        assert_eq!(cells(Element::Logical, b"TF\0", 0, PLAIN), Cells::Logical(vec![Some(true), Some(false), None]));
        let pair: Vec<u8> = [1.5_f32, -2.0].iter().flat_map(|part| part.to_be_bytes()).collect();
        assert_eq!(cells(Element::Complex, &pair, 0, PLAIN), Cells::Complex(vec![(1.5, -2.0)]));
    }
}
