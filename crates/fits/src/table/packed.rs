//! Tables in compressed tiles: some rows at a time, each column packed by itself.

use std::io::{Read, Seek};

use super::MAX_TABLE_BYTES;
use super::form::{Element, Form, Place, descriptor, formats, places};
use crate::image::{codec, rice};
use crate::{FitsError, Hdu, Header};

/// The length of the descriptors that name packed lists, in bytes.
const WIDE: usize = 16;

/// The table that `hdu` is the packed form of: its header, still with the sums that were kept for it, and its data.
///
/// # Errors
/// [`FitsError::TooLarge`] past [`MAX_TABLE_BYTES`]; [`FitsError::Header`], [`FitsError::Damaged`] and
/// [`FitsError::Unsupported`] as header and data call for.
pub(crate) fn plain(source: &mut (impl Read + Seek), hdu: &Hdu) -> Result<(Header, Vec<u8>), FitsError> {
    let layout = Layout::of(&hdu.header)?;
    let packed = hdu.read_data(source, MAX_TABLE_BYTES)?;
    let (row, tiles) = hdu.rows()?;
    if tiles != layout.rows.div_ceil(layout.tile) {
        let problem = format!("{tiles} tiles for {} rows of which each holds {}", layout.rows, layout.tile);
        return Err(FitsError::header("ZTILELEN", problem));
    }
    let heap = &packed[hdu.heap((row * tiles) as u64)? as usize..];
    let columns = places(&hdu.header)?;
    let mut data = vec![0; layout.length];
    let mut left = layout.length - layout.row * layout.rows;
    for tile in 0..tiles {
        let rows = tile * layout.tile..layout.rows.min((tile + 1) * layout.tile);
        for (place, column) in columns.iter().zip(&layout.columns) {
            let field = &packed[tile * row + place.offset..][..place.width];
            let mut unpacked = || {
                let bytes = part(heap, place.form, field)?;
                layout.put(column, rows.clone(), bytes, heap, &mut data, &mut left)
            };
            unpacked().map_err(|fault| match fault {
                Fault::Damaged(problem) => {
                    let problem = format!("column {}, tile {}: {problem}", column.place.name, tile + 1);
                    FitsError::damaged(hdu.index, problem)
                }
                Fault::Unsupported(what) => FitsError::Unsupported { what },
            })?;
        }
    }
    Ok((header(&hdu.header), data))
}

/// Why a column is not unpacked.
enum Fault {
    Damaged(String),
    Unsupported(String),
}

impl From<String> for Fault {
    fn from(problem: String) -> Self {
        Self::Damaged(problem)
    }
}

impl From<&str> for Fault {
    fn from(problem: &str) -> Self {
        Self::Damaged(problem.to_owned())
    }
}

/// The table as it was before.
struct Layout {
    /// The bytes of a row.
    row: usize,
    rows: usize,
    /// Where its heap begins in the data.
    heap: usize,
    /// The bytes of all data.
    length: usize,
    /// The rows of a tile.
    tile: usize,
    columns: Vec<Column>,
}

struct Column {
    place: Place,
    codec: String,
}

impl Layout {
    fn of(header: &Header) -> Result<Self, FitsError> {
        let size = |keyword: &str, default: u64| match header.get(keyword) {
            Some(_) => header.size(keyword),
            None => Ok(default),
        };
        let (row, rows) = (header.size("ZNAXIS1")?, header.size("ZNAXIS2")?);
        let table = row.saturating_mul(rows);
        let length = table.saturating_add(size("ZPCOUNT", 0)?);
        if length > MAX_TABLE_BYTES || rows > MAX_TABLE_BYTES {
            let (what, size) = ("an unpacked table (in bytes)".to_owned(), length.max(rows));
            return Err(FitsError::TooLarge { what, size, limit: MAX_TABLE_BYTES });
        }
        let heap = size("ZTHEAP", table)?;
        if heap < table || heap > length {
            return Err(FitsError::header("ZTHEAP", format!("{heap} is not within the data")));
        }
        let tile = header.size("ZTILELEN")?;
        if tile == 0 {
            return Err(FitsError::header("ZTILELEN", "a tile needs a length"));
        }
        let column = |(index, place): (usize, Place)| {
            let keyword = format!("ZCTYP{}", index + 1);
            let codec = header.text(&keyword).ok_or_else(|| FitsError::header(&keyword, "it is missing"))?;
            Ok(Column { place, codec: codec.trim_end().to_owned() })
        };
        let columns = formats(header, "ZFORM", row)?.into_iter().enumerate().map(column);
        Ok(Self {
            row: row as usize,
            rows: rows as usize,
            heap: heap as usize,
            length: length as usize,
            tile: tile.min(rows.max(1)) as usize,
            columns: columns.collect::<Result<_, FitsError>>()?,
        })
    }

    /// Puts the packed `bytes` of a column to their rows, and its lists, which are on the heap of packed bytes, to the heap of
    /// the table, of which at most `left` bytes more are to be filled.
    fn put(
        &self,
        column: &Column,
        rows: std::ops::Range<usize>,
        bytes: &[u8],
        heap: &[u8],
        data: &mut [u8],
        left: &mut usize,
    ) -> Result<(), Fault> {
        let Place { form, width, offset, .. } = column.place;
        if width == 0 {
            return Ok(());
        }
        let count = rows.len();
        let (cells, lists) = match form {
            Form::Fixed { element, count: each } => {
                (column.values(element, bytes, each as usize * count, width * count)?, Vec::new())
            }
            Form::Variable { .. } => {
                let mut cells = codec::gunzip(bytes, (count * (width + WIDE)) as u64)?;
                let lists = cells.split_off((width * count).min(cells.len()));
                (cells, lists)
            }
        };
        let described = if matches!(form, Form::Variable { .. }) { count * WIDE } else { 0 };
        if cells.len() != width * count || lists.len() != described {
            return Err(format!("it holds {} bytes of {}", cells.len() + lists.len(), width * count + described).into());
        }
        for (row, cell) in rows.clone().zip(cells.chunks_exact(width)) {
            data[row * self.row + offset..][..width].copy_from_slice(cell);
        }
        let Form::Variable { element, .. } = form else { return Ok(()) };
        for (cell, list) in cells.chunks_exact(width).zip(lists.chunks_exact(WIDE)) {
            let (Some((items, at)), Some((packed, start))) = (descriptor(cell), descriptor(list)) else { continue };
            let length = element.bytes(items).and_then(|length| usize::try_from(length).ok()).unwrap_or(usize::MAX);
            if length == 0 {
                continue;
            }
            // Lists that share bytes could be far larger together than the table.
            *left = left.checked_sub(length).ok_or("its lists are larger together than the table")?;
            let packed = slice(heap, start, packed).ok_or("a list is not within the packed table")?;
            // What did not become shorter was left as it is.
            let values = match packed.len() == length {
                true => packed.to_vec(),
                false => column.list(element, packed, items as usize, length)?,
            };
            let place =
                usize::try_from(at).ok().and_then(|at| data.get_mut(self.heap..)?.get_mut(at..)?.get_mut(..length));
            match place {
                Some(place) if values.len() == length => place.copy_from_slice(&values),
                Some(_) => return Err(format!("a list holds {} bytes of {length}", values.len()).into()),
                None => return Err("a list is not within the table".into()),
            }
        }
        Ok(())
    }
}

impl Column {
    /// The bytes of `count` elements, `length` of them.
    fn values(&self, element: Element, packed: &[u8], count: usize, length: usize) -> Result<Vec<u8>, Fault> {
        match self.codec.as_str() {
            "NOCOMPRESS" => Ok(packed.to_vec()),
            "GZIP_1" => Ok(codec::gunzip(packed, length as u64)?),
            "GZIP_2" => {
                let bytes = codec::gunzip(packed, length as u64)?;
                Ok(match element {
                    Element::Short | Element::Integer | Element::Real | Element::Long | Element::Double => {
                        codec::unshuffled(&bytes, count)
                    }
                    // Writers leave the others, complex numbers too, as they are.
                    _ => bytes,
                })
            }
            "RICE_1" => {
                let numbers = |bytes| rice::unpack(packed, count, 32, bytes);
                Ok(match element {
                    Element::Byte => numbers(1)?.into_iter().map(|number| number as u8).collect(),
                    Element::Short => {
                        numbers(2)?.into_iter().flat_map(|number| (number as i16).to_be_bytes()).collect()
                    }
                    Element::Integer => numbers(4)?.into_iter().flat_map(i32::to_be_bytes).collect(),
                    _ => return Err("RICE_1 is for whole numbers of at most 32 bits".into()),
                })
            }
            other => Err(Fault::Unsupported(format!("a table column with ZCTYP '{}'", crate::error::shown(other)))),
        }
    }

    /// The bytes of a list.
    fn list(&self, element: Element, packed: &[u8], count: usize, length: usize) -> Result<Vec<u8>, Fault> {
        let is_complex = matches!(element, Element::Complex | Element::DoubleComplex);
        if is_complex && self.codec == "GZIP_2" {
            // The usual writer sorts the bytes of some of them, and its reader fails on all.
            return Err(Fault::Unsupported("a packed list of complex numbers".to_owned()));
        }
        self.values(element, packed, count, length)
    }
}

/// What a descriptor names on the heap of packed bytes.
fn part<'h>(heap: &'h [u8], form: Form, field: &[u8]) -> Result<&'h [u8], Fault> {
    let Form::Variable { element: Element::Byte, .. } = form else {
        return Err("it is not a column of packed bytes".into());
    };
    if field.is_empty() {
        return Ok(&[]);
    }
    let (length, start) = descriptor(field).ok_or("its row is cut")?;
    Ok(slice(heap, start, length).ok_or("its data are not within the heap")?)
}

fn slice(heap: &[u8], start: u64, length: u64) -> Option<&[u8]> {
    let (start, length) = (usize::try_from(start).ok()?, usize::try_from(length).ok()?);
    heap.get(start..start.checked_add(length)?)
}

/// The header of the table, from that of the one it was packed in.
fn header(packed: &Header) -> Header {
    let mut plain = Header::default();
    for card in packed.cards() {
        let keyword = card.keyword();
        let numbered = |name: &str| keyword.strip_prefix(name).filter(|number| number.parse::<u16>().is_ok());
        let kept = match keyword {
            "NAXIS1" | "NAXIS2" | "PCOUNT" | "THEAP" => format!("Z{keyword}"),
            "ZHECKSUM" => {
                plain.push(card.renamed("CHECKSUM"));
                continue;
            }
            "ZDATASUM" => {
                plain.push(card.renamed("DATASUM"));
                continue;
            }
            "CHECKSUM" | "DATASUM" | "ZTABLE" | "ZTILELEN" | "ZNAXIS1" | "ZNAXIS2" | "ZPCOUNT" | "ZTHEAP" => continue,
            _ if numbered("ZFORM").is_some() || numbered("ZCTYP").is_some() => continue,
            _ => match numbered("TFORM") {
                Some(number) => format!("ZFORM{number}"),
                None => {
                    plain.push(card.clone());
                    continue;
                }
            },
        };
        if let Some(card) = packed.get(&kept) {
            plain.push(card.renamed(keyword));
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Card, Value};

    #[test]
    fn a_header_becomes_what_it_was_in_the_same_order() {
        let text = |text: &str| Value::Text(text.to_owned());
        let cards = [
            ("XTENSION", text("BINTABLE")),
            ("NAXIS1", Value::Integer(16)),
            ("NAXIS2", Value::Integer(1)),
            ("PCOUNT", Value::Integer(77)),
            ("TFIELDS", Value::Integer(1)),
            ("TTYPE1", text("ID")),
            ("TFORM1", text("1QB(77)")),
            ("ZDATASUM", text("5")),
            ("ZTABLE", Value::Logical(true)),
            ("ZTILELEN", Value::Integer(10)),
            ("ZNAXIS1", Value::Integer(4)),
            ("ZNAXIS2", Value::Integer(10)),
            ("ZPCOUNT", Value::Integer(0)),
            ("ZFORM1", text("J")),
            ("ZCTYP1", text("RICE_1")),
            ("DATASUM", text("6")),
        ];
        let packed: Header = cards.into_iter().map(|(keyword, value)| Card::new(keyword, value, "").unwrap()).collect();
        let plain = header(&packed);
        let found: Vec<_> = plain.cards().iter().map(|card| (card.keyword(), card.value().unwrap().clone())).collect();
        let expected = [
            ("XTENSION", text("BINTABLE")),
            ("NAXIS1", Value::Integer(4)),
            ("NAXIS2", Value::Integer(10)),
            ("PCOUNT", Value::Integer(0)),
            ("TFIELDS", Value::Integer(1)),
            ("TTYPE1", text("ID")),
            ("TFORM1", text("J")),
            ("DATASUM", text("5")),
        ];
        assert_eq!(found, expected);
    }
}
