//! Images in compressed tiles.

use std::io::{Read, Seek};

use super::codec::{self, Codec, Unpacked};
use super::grid::Grid;
use super::pixels::{Pixel, Stored, bytes_be};
use super::quantise::{Quantisation, Step};
use super::rice;
use super::window::Window;
use crate::FitsError;
use crate::hdu::Hdu;
use crate::table::form::{Element, Form, Place, descriptor, places};

/// The least that is given at a time, in bytes, but for the end: bands may be rows, and a call for each would cost.
const PIECE: usize = 64 * 1024;

/// Where and how the tiles of a compressed image are stored.
pub(super) struct Tiles {
    hdu: usize,
    grid: Grid,
    codec: Codec,
    quantisation: Option<Quantisation>,
    /// The length of a row of the table.
    row: u64,
    rows: Range,
    heap: Range,
    compressed: Option<Place>,
    gzipped: Option<Place>,
    uncompressed: Option<Place>,
    scale: Given,
    zero: Given,
    blank: Given,
}

/// A number that each tile has in a column of its own, or all have from the header, if any.
enum Given {
    Column(Place),
    Header(Option<f64>),
}

/// What is held of the file while tiles are read: a piece of the table and one of its heap.
pub(super) struct Tape {
    rows: Window,
    heap: Window,
}

/// What the table says of one tile.
struct Entry {
    /// Where its bytes are on the heap, for each column that can have some.
    compressed: Range,
    gzipped: Range,
    uncompressed: Range,
    /// What its reals became whole numbers with; nothing if they did not.
    step: Option<Step>,
}

/// A part of the heap or of the file: its place and its length, both in bytes.
type Range = (u64, u64);

/// Why a tile cannot be given.
enum Fault {
    /// What is wrong with it, in words.
    Tile(String),
    /// The source.
    Source(FitsError),
}

impl From<String> for Fault {
    fn from(problem: String) -> Self {
        Self::Tile(problem)
    }
}

impl From<&str> for Fault {
    fn from(problem: &str) -> Self {
        Self::Tile(problem.to_owned())
    }
}

impl From<FitsError> for Fault {
    fn from(error: FitsError) -> Self {
        Self::Source(error)
    }
}

impl Tiles {
    /// The tiles of the image of `hdu`, whose pixels have `bits` bits.
    pub(super) fn of(hdu: &Hdu, bits: i64) -> Result<Self, FitsError> {
        let header = &hdu.header;
        let grid = Grid::of(header)?;
        let (row, rows) = hdu.rows()?;
        if rows as u64 != grid.len() {
            let problem = format!("{rows} tiles, and the image has {}", grid.len());
            return Err(FitsError::header("NAXIS2", problem));
        }
        let (row, table) = (row as u64, row as u64 * rows as u64);
        let heap = hdu.heap(table)?;
        let columns = places(header)?;
        let find = |name: &str| columns.iter().find(|place| place.name.trim_end().eq_ignore_ascii_case(name)).cloned();
        if header.get("ZMASKCMP").is_some() || find("NULL_PIXEL_MASK").is_some() {
            // No program is known to write one; without it blank pixels would be taken for values.
            return Err(FitsError::Unsupported { what: "a compressed mask of blank pixels (ZMASKCMP)".to_owned() });
        }
        let given = |name: &str| match find(name) {
            Some(place) => Given::Column(place),
            None => Given::Header(header.real(name)),
        };
        Ok(Self {
            hdu: hdu.index,
            grid,
            codec: Codec::of(header, bits)?,
            quantisation: if bits < 0 { Quantisation::of(header)? } else { None },
            row,
            rows: (hdu.data_offset, table),
            heap: (hdu.data_offset + heap, hdu.data_length - heap),
            compressed: find("COMPRESSED_DATA"),
            gzipped: find("GZIP_COMPRESSED_DATA"),
            uncompressed: find("UNCOMPRESSED_DATA"),
            scale: given("ZSCALE"),
            zero: given("ZZERO"),
            blank: given("ZBLANK"),
        })
    }

    /// A beginning: nothing of the file is held yet.
    fn tape(&self) -> Tape {
        Tape { rows: Window::new(self.rows.0, self.rows.1), heap: Window::new(self.heap.0, self.heap.1) }
    }

    /// The whole image.
    pub(super) fn all<T: Pixel>(self, source: &mut (impl Read + Seek)) -> Result<Stored, FitsError> {
        let count = self.grid.pixels();
        let (mut tape, mut image) = (self.tape(), Vec::new());
        for band in self.bands() {
            self.append::<T>(&mut tape, source, band, &mut image)?;
            // Once the first band was really there.
            image.reserve_exact(count - image.len());
        }
        Ok(T::stored(image))
    }

    /// Gives the image piece by piece, as it stands plain in a file: most significant byte first.
    pub(super) fn pieces<T: Pixel>(
        self,
        source: &mut (impl Read + Seek),
        mut sink: impl FnMut(&[u8]) -> Result<(), FitsError>,
    ) -> Result<(), FitsError> {
        let (mut tape, mut pixels, mut room) = (self.tape(), Vec::new(), Vec::new());
        for band in self.bands() {
            self.append::<T>(&mut tape, source, band, &mut pixels)?;
            if pixels.len() * T::BYTES >= PIECE {
                sink(bytes_be(&pixels, &mut room))?;
                pixels.clear();
            }
        }
        sink(bytes_be(&pixels, &mut room))
    }

    /// How many rows a row of tiles has, of an image of two axes.
    pub(super) fn group(&self) -> usize {
        self.grid.rows_of_a_tile()
    }

    /// Gives rows of an image of two axes as reals; `real` makes the reals of what is stored.
    pub(super) fn rows<T: Pixel>(
        &self,
        source: &mut (impl Read + Seek),
        rows: std::ops::Range<usize>,
        real: impl Fn(Stored, &mut [f32]),
        into: &mut [f32],
    ) -> Result<(), FitsError> {
        self.groups(source, rows, into, |tape, source, tiles, part| {
            let mut stored = Vec::with_capacity(part.len());
            self.append::<T>(tape, source, tiles, &mut stored)?;
            real(T::stored(stored), part);
            Ok(())
        })
    }

    /// Gives rows of an image of two axes that is stored as 32-bit reals.
    pub(super) fn rows_of_reals(
        &self,
        source: &mut (impl Read + Seek),
        rows: std::ops::Range<usize>,
        into: &mut [f32],
    ) -> Result<(), FitsError> {
        let mut numbers = Vec::new();
        self.groups(source, rows, into, |tape, source, tiles, part| {
            if let [tile] = tiles.clone().collect::<Vec<_>>()[..] {
                return self.reals(tape, source, tile, &mut numbers, part).map_err(|fault| self.error(tile, fault));
            }
            let mut values = Vec::with_capacity(part.len());
            self.append::<f32>(tape, source, tiles, &mut values)?;
            part.copy_from_slice(&values);
            Ok(())
        })
    }

    /// Goes through the rows of tiles that `rows` are in, and gives each its part of `into`.
    fn groups<S: Read + Seek>(
        &self,
        source: &mut S,
        rows: std::ops::Range<usize>,
        into: &mut [f32],
        mut one: impl FnMut(&mut Tape, &mut S, std::ops::Range<usize>, &mut [f32]) -> Result<(), FitsError>,
    ) -> Result<(), FitsError> {
        if rows.is_empty() {
            return Ok(());
        }
        let (group, (height, width)) = (self.group(), self.grid.sides());
        let across = self.grid.len() as usize / height.div_ceil(group);
        let groups = rows.start / group..rows.end.div_ceil(group);
        let mut tape = self.tape();
        tape.rows.end_at((groups.end * across) as u64 * self.row);
        let heap_end = self.heap_end(&mut tape, source, groups.end * across - 1)?;
        tape.heap.end_at(heap_end);
        let mut spare = Vec::new();
        let mut done = 0;
        for index in groups {
            let (first, end) = (index * group, ((index + 1) * group).min(height));
            let wanted = first.max(rows.start)..end.min(rows.end);
            let part = &mut into[done..done + wanted.len() * width];
            done += part.len();
            let tiles = index * across..(index + 1) * across;
            if wanted == (first..end) {
                one(&mut tape, source, tiles, part)?;
            } else {
                spare.resize((end - first) * width, 0.0);
                one(&mut tape, source, tiles, &mut spare)?;
                part.copy_from_slice(&spare[(wanted.start - first) * width..][..part.len()]);
            }
        }
        Ok(())
    }

    /// Where the data of a tile end on the heap: those of the tiles before it mostly stand before.
    fn heap_end(&self, tape: &mut Tape, source: &mut (impl Read + Seek), tile: usize) -> Result<u64, FitsError> {
        let entry = self.entry(tape, source, tile).map_err(|fault| self.error(tile, fault))?;
        let ends =
            [entry.compressed, entry.gzipped, entry.uncompressed].map(|(start, length)| start.saturating_add(length));
        Ok(ends.into_iter().max().unwrap_or_default())
    }

    /// The pixels of a tile of 32-bit reals, in `into`; `numbers` is room for what they are made of.
    fn reals(
        &self,
        tape: &mut Tape,
        source: &mut (impl Read + Seek),
        tile: usize,
        numbers: &mut Vec<i32>,
        into: &mut [f32],
    ) -> Result<(), Fault> {
        let entry = self.entry(tape, source, tile)?;
        let packed = bytes(&mut tape.heap, source, entry.compressed)?;
        match (self.codec, &self.quantisation, entry.step) {
            (Codec::Rice { block, bytes }, Some(quantisation), Some(step)) if !packed.is_empty() => {
                rice::unpack_to(packed, into.len(), block, bytes, numbers)?;
                quantisation.restore_to(tile, step, numbers, into);
            }
            _ => into.copy_from_slice(&self.tile::<f32>(tape, source, tile, into.len())?),
        }
        Ok(())
    }

    fn error(&self, tile: usize, fault: Fault) -> FitsError {
        match fault {
            Fault::Tile(problem) => FitsError::damaged(self.hdu, format!("tile {}: {problem}", tile + 1)),
            Fault::Source(error) => error,
        }
    }

    /// The tiles of each band, by number.
    fn bands(&self) -> impl Iterator<Item = std::ops::Range<usize>> + use<> {
        let (tiles, band) = (self.grid.len() as usize, self.grid.band());
        (0..tiles).step_by(band).map(move |first| first..first + band)
    }

    /// Unpacks the tiles of a band behind the pixels that come before it.
    fn append<T: Pixel>(
        &self,
        tape: &mut Tape,
        source: &mut (impl Read + Seek),
        band: std::ops::Range<usize>,
        pixels: &mut Vec<T>,
    ) -> Result<(), FitsError> {
        let (before, start) = (pixels.len(), self.grid.place(band.start).first);
        let length: usize = band.clone().map(|tile| self.grid.place(tile).count()).sum();
        for tile in band {
            let count = self.grid.place(tile).count();
            let values = self.tile::<T>(tape, source, tile, count).map_err(|fault| self.error(tile, fault))?;
            // Nothing is held for a band before its first tile was really there.
            if pixels.len() == before {
                pixels.resize(before + length, T::default());
            }
            self.grid.place(tile).put(&values, start, &mut pixels[before..]);
        }
        Ok(())
    }

    /// The `count` pixels of a tile.
    fn tile<T: Pixel>(
        &self,
        tape: &mut Tape,
        source: &mut (impl Read + Seek),
        tile: usize,
        count: usize,
    ) -> Result<Vec<T>, Fault> {
        let entry = self.entry(tape, source, tile)?;
        let packed = bytes(&mut tape.heap, source, entry.compressed)?;
        if !packed.is_empty() {
            let unpacked = self.codec.unpack(packed, count)?;
            return match (&self.quantisation, entry.step) {
                (Some(quantisation), Some(step)) => Ok(quantisation.restore(tile, step, &numbers(unpacked, count)?)),
                _ => Ok(plain(unpacked, count)?),
            };
        }
        // What did not compress well is kept whole.
        let gzipped = bytes(&mut tape.heap, source, entry.gzipped)?;
        if !gzipped.is_empty() {
            let unpacked = codec::gunzip(gzipped, codec::longest(count))?;
            return Ok(plain(Unpacked::Bytes(unpacked), count)?);
        }
        match bytes(&mut tape.heap, source, entry.uncompressed)? {
            [] => Err("it has no data".into()),
            bytes => Ok(plain(Unpacked::Bytes(bytes.to_vec()), count)?),
        }
    }

    /// What the row of a tile says.
    fn entry(&self, tape: &mut Tape, source: &mut (impl Read + Seek), tile: usize) -> Result<Entry, Fault> {
        let row = tape.rows.get(source, tile as u64 * self.row, self.row)?.ok_or("its row is cut")?;
        let real = |given: &Given| match given {
            Given::Column(place) => number(row, place),
            Given::Header(number) => *number,
        };
        let step = || {
            self.quantisation.as_ref()?;
            Some(Step {
                scale: real(&self.scale)?,
                zero: real(&self.zero)?,
                blank: real(&self.blank).map(|blank| blank as i32),
            })
        };
        Ok(Entry {
            compressed: range(row, self.compressed.as_ref())?,
            gzipped: range(row, self.gzipped.as_ref())?,
            uncompressed: range(row, self.uncompressed.as_ref())?,
            step: step(),
        })
    }
}

/// What lies in `range` of the heap.
fn bytes<'w>(heap: &'w mut Window, source: &mut (impl Read + Seek), range: Range) -> Result<&'w [u8], Fault> {
    match range {
        (_, 0) => Ok(&[]),
        (offset, length) => heap.get(source, offset, length)?.ok_or_else(|| "its data are not within the heap".into()),
    }
}

/// Where the bytes of `column` are that a row names; none if there is no such column.
fn range(row: &[u8], column: Option<&Place>) -> Result<Range, String> {
    let Some(place) = column else { return Ok((0, 0)) };
    let Form::Variable { element, .. } = place.form else {
        return Err(format!("column {} is not one of variable length", place.name));
    };
    if place.width == 0 {
        return Ok((0, 0));
    }
    let (count, offset) =
        row.get(place.offset..place.offset + place.width).and_then(descriptor).ok_or("its row is cut")?;
    let length = element.bytes(count).ok_or("its data are not within the heap")?;
    Ok((offset, length))
}

/// The number of a column.
fn number(row: &[u8], place: &Place) -> Option<f64> {
    let bytes = row.get(place.offset..place.offset + place.width)?;
    match place.form {
        Form::Fixed { element: Element::Double, count: 1 } => Some(f64::from_be(bytes)),
        Form::Fixed { element: Element::Real, count: 1 } => Some(f32::from_be(bytes).into()),
        Form::Fixed { element: Element::Integer, count: 1 } => Some(i32::from_be_bytes(*bytes.first_chunk()?).into()),
        Form::Fixed { element: Element::Short, count: 1 } => Some(i16::from_be_bytes(*bytes.first_chunk()?).into()),
        Form::Fixed { element: Element::Byte, count: 1 } => bytes.first().copied().map(f64::from),
        _ => None,
    }
}

/// The whole numbers of a tile of reals.
fn numbers(unpacked: Unpacked, count: usize) -> Result<Vec<i32>, String> {
    match unpacked {
        Unpacked::Numbers(numbers) => exactly(numbers, count),
        Unpacked::Bytes(bytes) => whole(&bytes, count).ok_or_else(|| wrong_length(bytes.len(), count)),
    }
}

/// The pixels of a tile that needs no scale.
fn plain<T: Pixel>(unpacked: Unpacked, count: usize) -> Result<Vec<T>, String> {
    match unpacked {
        Unpacked::Bytes(bytes) if bytes.len() == count * T::BYTES => {
            Ok(bytes.chunks_exact(T::BYTES).map(T::from_be).collect())
        }
        Unpacked::Numbers(_) if !T::WHOLE => Err("it holds whole numbers and has no ZSCALE and ZZERO".to_owned()),
        Unpacked::Numbers(numbers) => Ok(exactly(numbers, count)?.into_iter().map(T::from_i32).collect()),
        Unpacked::Bytes(bytes) => match whole(&bytes, count) {
            Some(numbers) if T::WHOLE => Ok(numbers.into_iter().map(T::from_i32).collect()),
            _ => Err(wrong_length(bytes.len(), count)),
        },
    }
}

/// Bytes as whole numbers of the width that `count` pixels give them: writers take narrower and wider ones.
fn whole(bytes: &[u8], count: usize) -> Option<Vec<i32>> {
    if bytes.len() == count {
        return Some(bytes.iter().copied().map(i32::from).collect());
    }
    if bytes.len() == 2 * count {
        return Some(bytes.as_chunks().0.iter().map(|pair| i16::from_be_bytes(*pair).into()).collect());
    }
    (bytes.len() == 4 * count).then(|| bytes.as_chunks().0.iter().map(|four| i32::from_be_bytes(*four)).collect())
}

fn exactly(numbers: Vec<i32>, count: usize) -> Result<Vec<i32>, String> {
    if numbers.len() == count { Ok(numbers) } else { Err(format!("it holds {} of {count} pixels", numbers.len())) }
}

fn wrong_length(bytes: usize, count: usize) -> String {
    format!("its {bytes} bytes are not {count} pixels")
}
