//! Tables in compressed tiles: some rows at a time, each column packed by itself.

use std::io::{Read, Seek};
use std::ops::Range;

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
    // Columns of no bytes would cost time for each tile, and there may be any number of both.
    let columns: Vec<_> = columns.iter().zip(&layout.columns).filter(|(_, column)| column.place.width > 0).collect();
    let mut data = vec![0; layout.length];
    let mut left = layout.length - layout.row * layout.rows;
    for tile in 0..tiles {
        let rows = tile * layout.tile..layout.rows.min((tile + 1) * layout.tile);
        for &(place, column) in &columns {
            let field = &packed[tile * row + place.offset..][..place.width];
            let mut unpacked = || {
                let Form::Variable { element: Element::Byte, .. } = place.form else {
                    return Err("it is not a column of packed bytes".into());
                };
                layout.put(column, rows.clone(), slice(heap, field)?, heap, &mut data, &mut left)
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
        rows: Range<usize>,
        bytes: &[u8],
        heap: &[u8],
        data: &mut [u8],
        left: &mut usize,
    ) -> Result<(), Fault> {
        let (width, count) = (column.place.width, rows.len());
        match column.place.form {
            Form::Fixed { element, count: each } => {
                let cells = column.values(element, bytes, each as usize * count, width * count)?;
                self.put_cells(&column.place, rows, &cells, data)
            }
            // First the descriptors that the column had, then those of its packed lists.
            Form::Variable { element, .. } => {
                let both = codec::gunzip(bytes, (count * (width + WIDE)) as u64)?;
                let (cells, lists) = both.split_at_checked(width * count).ok_or("it ends before its last row")?;
                self.put_cells(&column.place, rows, cells, data)?;
                if lists.len() != count * WIDE {
                    return Err("it names another number of lists than it has rows".into());
                }
                for (cell, list) in cells.chunks_exact(width).zip(lists.chunks_exact(WIDE)) {
                    self.put_list(column, element, cell, slice(heap, list)?, data, left)?;
                }
                Ok(())
            }
        }
    }

    /// Puts the cells of a column to their rows.
    fn put_cells(&self, place: &Place, rows: Range<usize>, cells: &[u8], data: &mut [u8]) -> Result<(), Fault> {
        if cells.len() != place.width * rows.len() {
            return Err(format!("it holds {} bytes of {}", cells.len(), place.width * rows.len()).into());
        }
        for (row, cell) in rows.zip(cells.chunks_exact(place.width)) {
            data[row * self.row + place.offset..][..place.width].copy_from_slice(cell);
        }
        Ok(())
    }

    /// Puts a packed list to where its descriptor, the one in the table, says.
    fn put_list(
        &self,
        column: &Column,
        element: Element,
        cell: &[u8],
        packed: &[u8],
        data: &mut [u8],
        left: &mut usize,
    ) -> Result<(), Fault> {
        let (count, start) = descriptor(cell).ok_or("a row is cut")?;
        let length = element.bytes(count).and_then(|length| usize::try_from(length).ok()).unwrap_or(usize::MAX);
        if length == 0 {
            return Ok(());
        }
        // Lists that share bytes could be far larger together than the table.
        *left = left.checked_sub(length).ok_or("its lists are larger together than the table")?;
        // What did not become shorter was left as it is.
        let values = match packed.len() == length {
            true => packed.to_vec(),
            false => column.list(element, packed, count as usize, length)?,
        };
        if values.len() != length {
            return Err(format!("a list holds {} bytes of {length}", values.len()).into());
        }
        let place = usize::try_from(start).ok().and_then(|start| data[self.heap..].get_mut(start..)?.get_mut(..length));
        place.ok_or("a list is not within the table")?.copy_from_slice(&values);
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

/// What a descriptor names on the heap of packed bytes; nothing if it is empty.
fn slice<'h>(heap: &'h [u8], descriptor_bytes: &[u8]) -> Result<&'h [u8], Fault> {
    if descriptor_bytes.is_empty() {
        return Ok(&[]);
    }
    let (length, start) = descriptor(descriptor_bytes).ok_or("its row is cut")?;
    let within = || {
        let (start, length) = (usize::try_from(start).ok()?, usize::try_from(length).ok()?);
        heap.get(start..start.checked_add(length)?)
    };
    Ok(within().ok_or("its data are not within the heap")?)
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
