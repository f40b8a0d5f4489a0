//! The columns of a binary table: what `TFORMn` says, and where each stands in a row.

use crate::{FitsError, Header};

/// The most columns a table may have, by the standard.
pub(super) const MAX_COLUMNS: u64 = 999;

/// The type of a column's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element {
    Logical,
    Bit,
    Byte,
    Short,
    Integer,
    Long,
    Character,
    Real,
    Double,
    Complex,
    DoubleComplex,
}

impl Element {
    fn of(code: u8) -> Option<Self> {
        Some(match code {
            b'L' => Self::Logical,
            b'X' => Self::Bit,
            b'B' => Self::Byte,
            b'I' => Self::Short,
            b'J' => Self::Integer,
            b'K' => Self::Long,
            b'A' => Self::Character,
            b'E' => Self::Real,
            b'D' => Self::Double,
            b'C' => Self::Complex,
            b'M' => Self::DoubleComplex,
            _ => return None,
        })
    }

    /// How many bytes `count` elements take; nothing if that is beyond 64 bits.
    pub(crate) fn bytes(self, count: u64) -> Option<u64> {
        let each = match self {
            Self::Bit => return Some(count.div_ceil(8)),
            Self::Logical | Self::Byte | Self::Character => 1,
            Self::Short => 2,
            Self::Integer | Self::Real => 4,
            Self::Long | Self::Double | Self::Complex => 8,
            Self::DoubleComplex => 16,
        };
        count.checked_mul(each)
    }
}

/// How a column's elements stand in a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `count` elements in each row.
    Fixed { element: Element, count: u64 },
    /// In each row at most one descriptor of elements on the heap: of 64-bit numbers if `wide`, else of 32-bit ones.
    Variable { element: Element, wide: bool, count: u64 },
}

impl Form {
    /// Reads `TFORMn`, for example `1PB(363)` or `16A`.
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim().as_bytes();
        let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let count = if digits == 0 { 1 } else { std::str::from_utf8(&text[..digits]).ok()?.parse().ok()? };
        match text.get(digits)? {
            code @ (b'P' | b'Q') if count <= 1 => {
                Some(Self::Variable { element: Element::of(*text.get(digits + 1)?)?, wide: *code == b'Q', count })
            }
            code => Some(Self::Fixed { element: Element::of(*code)?, count }),
        }
    }

    /// How many bytes of a row it takes.
    fn width(self) -> Option<u64> {
        match self {
            Self::Fixed { element, count } => element.bytes(count),
            Self::Variable { wide, count, .. } => Some(count * if wide { 16 } else { 8 }),
        }
    }
}

/// A column by its place in a row.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// `TTYPEn`, empty if there is none.
    pub(crate) name: String,
    pub(crate) form: Form,
    /// Where it begins in a row, in bytes.
    pub(crate) offset: usize,
    /// How many bytes of a row it takes.
    pub(crate) width: usize,
}

/// The columns of a binary table, all within the row's `NAXIS1` bytes.
pub(crate) fn places(header: &Header) -> Result<Vec<Place>, FitsError> {
    formats(header, "TFORM", header.size("NAXIS1")?)
}

/// The columns that the cards of `name` and a number describe, all within the `row` bytes of a row.
pub(super) fn formats(header: &Header, name: &str, row: u64) -> Result<Vec<Place>, FitsError> {
    let count = header.size("TFIELDS")?;
    if count > MAX_COLUMNS {
        return Err(FitsError::header("TFIELDS", format!("{count} columns, and at most {MAX_COLUMNS} are allowed")));
    }
    let mut places = Vec::new();
    let mut offset = 0_u64;
    for index in 1..=count {
        let keyword = format!("{name}{index}");
        let text = header.text(&keyword).ok_or_else(|| FitsError::header(&keyword, "it is missing"))?;
        let form = Form::parse(text).ok_or_else(|| FitsError::header(&keyword, format!("'{text}' is no format")))?;
        let end = form.width().and_then(|width| offset.checked_add(width)).filter(|&end| end <= row);
        let (Some(end), Ok(start)) = (end, usize::try_from(offset)) else {
            return Err(FitsError::header(&keyword, format!("the columns need more than the {row} bytes of a row")));
        };
        let name = header.text(&format!("TTYPE{index}")).unwrap_or_default().to_owned();
        let width = usize::try_from(end - offset).unwrap_or(usize::MAX);
        places.push(Place { name, form, offset: start, width });
        offset = end;
    }
    Ok(places)
}

/// How many elements a descriptor names, and where they begin on the heap, in bytes.
pub(crate) fn descriptor(bytes: &[u8]) -> Option<(u64, u64)> {
    match *bytes {
        [a, b, c, d, e, f, g, h] => {
            Some((u32::from_be_bytes([a, b, c, d]).into(), u32::from_be_bytes([e, f, g, h]).into()))
        }
        _ => {
            let (count, offset) = bytes.split_first_chunk::<8>()?;
            Some((u64::from_be_bytes(*count), u64::from_be_bytes(*offset.first_chunk()?)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Card, Value};

    #[test]
    fn a_format_says_what_a_row_holds() {
        let fixed = |element, count| Some(Form::Fixed { element, count });
        assert_eq!(Form::parse("D"), fixed(Element::Double, 1));
        assert_eq!(Form::parse("16A"), fixed(Element::Character, 16));
        assert_eq!(Form::parse("12X").and_then(Form::width), Some(2));
        let list = Some(Form::Variable { element: Element::Byte, wide: false, count: 1 });
        assert_eq!(Form::parse("1PB(363)"), list);
        assert_eq!(Form::parse("QE(9)").and_then(Form::width), Some(16));
        for wrong in ["", "Z", "12", "2PB", "P", "99999999999999999999D"] {
            assert_eq!(Form::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn columns_that_do_not_fit_the_row_are_refused() {
        let header = |form: &str| -> Header {
            let cards = [
                ("NAXIS1", Value::Integer(8)),
                ("TFIELDS", Value::Integer(1)),
                ("TFORM1", Value::Text(form.to_owned())),
            ];
            cards.into_iter().map(|(keyword, value)| Card::new(keyword, value, "").unwrap()).collect()
        };
        assert_eq!(places(&header("1D")).unwrap().len(), 1);
        for form in ["2D", "18446744073709551615M", "9L", "1QB"] {
            assert!(matches!(places(&header(form)), Err(FitsError::Header { .. })), "{form}");
        }
    }
}
