//! Tables, binary and of text: columns by name, as typed values.

mod cells;
pub(crate) mod form;
pub(crate) mod packed;

use std::io::{Read, Seek};

pub use cells::Cells;

use cells::Meaning;
use form::{Element, Form, Place, descriptor, places};

use crate::header::real;
use crate::{FitsError, Hdu, Header, Kind, Value};

/// The largest table that is read, in bytes. A column takes at most some 24 times its bytes when it is decoded.
pub const MAX_TABLE_BYTES: u64 = 1 << 27;

/// A table with its bytes; columns are decoded when they are asked for.
#[derive(Debug, Clone)]
pub struct Table {
    hdu: usize,
    rows: usize,
    row: usize,
    columns: Vec<Column>,
    /// All rows, then whatever else the data hold.
    data: Vec<u8>,
    heap: usize,
}

/// A column of a table.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name (`TTYPEn`); empty if it has none.
    pub name: String,
    /// Its unit (`TUNITn`), if it says one.
    pub unit: Option<String>,
    /// How many values each row has; 1 for strings and lists.
    pub width: usize,
    place: Place,
    stored: StoredAs,
    meaning: Meaning,
}

/// Whether a column's values stand as binary numbers or as text.
#[derive(Debug, Clone, PartialEq)]
enum StoredAs {
    Binary,
    /// By the letter of `TFORMn`, with the digits after a point that is not written, and the text of `TNULLn`.
    Text {
        letter: char,
        digits: i32,
        null: Option<String>,
    },
}

impl Table {
    /// Reads the table of `hdu`, compressed or not, which was found in this source.
    ///
    /// # Errors
    /// [`FitsError::WrongKind`] if it is none, [`FitsError::TooLarge`] past [`MAX_TABLE_BYTES`], [`FitsError::Header`] if
    /// its columns do not fit its rows; of a compressed one also [`FitsError::Damaged`] and [`FitsError::Unsupported`].
    pub fn read(source: &mut (impl Read + Seek), hdu: &Hdu) -> Result<Self, FitsError> {
        if hdu.kind == Kind::CompressedTable {
            let (header, data) = packed::plain(source, hdu)?;
            return match Hdu::read(&mut header.to_bytes().as_slice(), hdu.index, 0)? {
                Some(plain) if plain.data_length == data.len() as u64 => Self::of(&plain, data),
                _ => Err(FitsError::header("ZPCOUNT", "header and data of the unpacked table do not agree")),
            };
        }
        let data = hdu.read_data(source, MAX_TABLE_BYTES)?;
        Self::of(hdu, data)
    }

    /// The table of `hdu` with its data.
    fn of(hdu: &Hdu, data: Vec<u8>) -> Result<Self, FitsError> {
        let header = &hdu.header;
        let columns = match hdu.kind {
            Kind::Table | Kind::CompressedImage => {
                let places = places(header)?.into_iter().enumerate();
                places.map(|(index, place)| Column::binary(header, index + 1, place)).collect()
            }
            Kind::AsciiTable => text_columns(header)?,
            _ => {
                let (found, wanted) = (hdu.kind.name().to_owned(), "a table".to_owned());
                return Err(FitsError::WrongKind { hdu: hdu.index, found, wanted });
            }
        };
        let (row, rows) = hdu.rows()?;
        let heap = hdu.heap((row * rows) as u64)? as usize;
        // Rows of no bytes would cost nothing and could be any number.
        let rows = if row == 0 { 0 } else { rows };
        Ok(Self { hdu: hdu.index, rows, row, columns, data, heap })
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The columns in their order.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The values of the first column of `name`, whatever the letter case: [`Column::width`] for each row.
    ///
    /// # Errors
    /// [`FitsError::NotFound`] if there is no such column, [`FitsError::Damaged`] if its lists are not within the table
    /// or share their bytes, or text is no number.
    pub fn column(&self, name: &str) -> Result<Cells, FitsError> {
        let column = self.columns.iter().find(|column| column.name.trim_end().eq_ignore_ascii_case(name));
        let column = column.ok_or_else(|| {
            let what = format!("column {} in HDU {}", crate::error::shown(name), self.hdu);
            FitsError::NotFound { what }
        })?;
        self.cells(column)
    }

    /// The values of a column of this table, as [`Table::column`] gives them.
    ///
    /// # Errors
    /// As [`Table::column`].
    pub fn cells(&self, column: &Column) -> Result<Cells, FitsError> {
        let damaged = |problem: String| FitsError::damaged(self.hdu, format!("column {}: {problem}", column.name));
        match (&column.stored, column.place.form) {
            (StoredAs::Text { letter, digits, null }, _) => {
                self.written(column, *letter, *digits, null.as_deref()).map_err(damaged)
            }
            (StoredAs::Binary, Form::Fixed { element: Element::Character, .. }) => {
                Ok(Cells::Text(self.fields(&column.place).map(cells::text).collect()))
            }
            (StoredAs::Binary, Form::Fixed { element, count }) => {
                let bytes = self.fields(&column.place).collect::<Vec<_>>().concat();
                Ok(cells::cells(element, &bytes, count, column.meaning))
            }
            (StoredAs::Binary, Form::Variable { element, .. }) => self.lists(column, element).map_err(damaged),
        }
    }

    /// The bytes of a column, row by row.
    fn fields(&self, place: &Place) -> impl Iterator<Item = &[u8]> {
        let (start, end) = (place.offset, place.offset + place.width);
        (0..self.rows).map(move |row| &self.data[row * self.row + start..row * self.row + end])
    }

    fn lists(&self, column: &Column, element: Element) -> Result<Cells, String> {
        let heap = &self.data[self.heap..];
        let mut left = heap.len();
        let mut lists = Vec::with_capacity(self.rows);
        for field in self.fields(&column.place) {
            let (count, offset) = if field.is_empty() { (0, 0) } else { descriptor(field).ok_or("a row is cut")? };
            let length = element.bytes(count).and_then(|length| usize::try_from(length).ok());
            let list = length.zip(usize::try_from(offset).ok()).and_then(|(length, offset)| match length {
                0 => Some(&[][..]),
                _ => heap.get(offset..offset.checked_add(length)?),
            });
            let list = list.ok_or("a list is not within the table")?;
            // Lists that share bytes could be far larger together than the file.
            left = left.checked_sub(list.len()).ok_or("its lists are larger together than the table")?;
            lists.push(cells::cells(element, list, count, column.meaning));
        }
        Ok(Cells::Lists(lists))
    }

    fn written(&self, column: &Column, letter: char, digits: i32, null: Option<&str>) -> Result<Cells, String> {
        let fields = self.fields(&column.place).map(cells::text);
        let missing = |field: &str| null.is_some_and(|null| field.trim_matches(' ') == null.trim_matches(' '));
        let wrong = |field: &str| format!("'{}' is no number", crate::error::shown(field));
        match letter {
            'A' => Ok(Cells::Text(fields.collect())),
            'I' => {
                let whole = |field: String| match field.trim_matches(' ') {
                    field if missing(field) => Ok(None),
                    "" => Ok(Some(0)),
                    field => field.parse().map(Some).map_err(|_| wrong(field)),
                };
                let values: Vec<Option<i64>> = fields.map(whole).collect::<Result<_, String>>()?;
                let Meaning { factor, zero, .. } = column.meaning;
                if factor == 1.0 && zero == 0.0 {
                    return Ok(Cells::Integers(values));
                }
                let scaled = |value: Option<i64>| value.map_or(f64::NAN, |value| value as f64 * factor + zero);
                Ok(Cells::Reals(values.into_iter().map(scaled).collect()))
            }
            _ => {
                let number = |field: String| match field.trim_matches(' ') {
                    field if missing(field) => Ok(f64::NAN),
                    "" => Ok(0.0),
                    field => {
                        let value = real(field).ok_or_else(|| wrong(field))?;
                        // A number without a point has it before its last digits.
                        Ok(if field.contains('.') { value } else { value / 10_f64.powi(digits) })
                    }
                };
                let values: Vec<f64> = fields.map(number).collect::<Result<_, String>>()?;
                Ok(column.meaning.reals(values.into_iter()))
            }
        }
    }
}

impl Column {
    fn binary(header: &Header, index: usize, place: Place) -> Self {
        let width = match place.form {
            Form::Fixed { element: Element::Character, .. } | Form::Variable { .. } => 1,
            Form::Fixed { count, .. } => count as usize,
        };
        Self::of(header, index, place, width, StoredAs::Binary)
    }

    fn of(header: &Header, index: usize, place: Place, width: usize, stored: StoredAs) -> Self {
        let number = |name: &str, default| header.real(&format!("{name}{index}")).unwrap_or(default);
        let meaning = Meaning {
            factor: number("TSCAL", 1.0),
            zero: number("TZERO", 0.0),
            null: header.integer(&format!("TNULL{index}")),
        };
        let unit = header.text(&format!("TUNIT{index}")).map(str::to_owned);
        Self { name: place.name.clone(), unit, width, place, stored, meaning }
    }
}

/// The columns of a table of text, all within the row.
fn text_columns(header: &Header) -> Result<Vec<Column>, FitsError> {
    let (row, count) = (header.size("NAXIS1")?, header.size("TFIELDS")?);
    if count > form::MAX_COLUMNS {
        let problem = format!("{count} columns, and at most {} are allowed", form::MAX_COLUMNS);
        return Err(FitsError::header("TFIELDS", problem));
    }
    let mut columns = Vec::new();
    for index in 1..=count as usize {
        let keyword = format!("TFORM{index}");
        let text = header.text(&keyword).ok_or_else(|| FitsError::header(&keyword, "it is missing"))?;
        let (letter, width, digits) =
            text_form(text).ok_or_else(|| FitsError::header(&keyword, format!("'{text}' is no format")))?;
        let start = header.size(&format!("TBCOL{index}"))?;
        let end = start.checked_add(width).and_then(|end| end.checked_sub(1)).filter(|&end| start > 0 && end <= row);
        if end.is_none() {
            return Err(FitsError::header(&keyword, format!("the column is not within the {row} bytes of a row")));
        }
        let place = Place {
            name: header.text(&format!("TTYPE{index}")).unwrap_or_default().to_owned(),
            form: Form::Fixed { element: Element::Character, count: width },
            offset: start as usize - 1,
            width: width as usize,
        };
        let null = match header.value(&format!("TNULL{index}")) {
            Some(Value::Text(text)) => Some(text.clone()),
            Some(Value::Integer(number)) => Some(number.to_string()),
            _ => None,
        };
        columns.push(Column::of(header, index, place, 1, StoredAs::Text { letter, digits, null }));
    }
    Ok(columns)
}

/// The letter of a text format such as `F10.3`, its width and the digits after its point.
fn text_form(text: &str) -> Option<(char, u64, i32)> {
    let text = text.trim();
    let letter = text.chars().next().filter(|letter| "AIFED".contains(*letter))?;
    let (width, digits) = text[1..].split_once('.').unwrap_or((&text[1..], "0"));
    Some((letter, width.parse().ok()?, digits.parse().ok().filter(|digits| (0..=300).contains(digits))?))
}

#[cfg(test)]
mod tests;
