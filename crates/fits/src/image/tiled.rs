//! Images in compressed tiles.

use super::codec::{self, Codec, Unpacked};
use super::pixels::{Pixel, Stored};
use super::quantise::{Quantisation, Step};
use crate::hdu::{Hdu, axes};
use crate::table::form::{Element, Form, Place, descriptor, places};
use crate::{FitsError, Header};

/// The largest tile that is unpacked, in pixels: while one is, some twenty bytes for each pixel are held.
const MAX_TILE_PIXELS: u64 = 1 << 26;

/// Decodes the image of a compressed HDU whose table is `data`.
pub(super) fn decode(hdu: &Hdu, data: &[u8], bits: i64, count: usize) -> Result<Stored, FitsError> {
    let tiles = Tiles::of(hdu, data, bits)?;
    match bits {
        8 => tiles.all::<u8>(count),
        16 => tiles.all::<i16>(count),
        32 => tiles.all::<i32>(count),
        64 => tiles.all::<i64>(count),
        -32 => tiles.all::<f32>(count),
        _ => tiles.all::<f64>(count),
    }
}

/// The table of tiles.
struct Tiles<'a> {
    hdu: usize,
    header: &'a Header,
    grid: Grid,
    codec: Codec,
    quantisation: Option<Quantisation>,
    row: usize,
    rows: &'a [u8],
    heap: &'a [u8],
    compressed: Option<Place>,
    gzipped: Option<Place>,
    uncompressed: Option<Place>,
    scale: Option<Place>,
    zero: Option<Place>,
    blank: Option<Place>,
}

impl<'a> Tiles<'a> {
    fn of(hdu: &'a Hdu, data: &'a [u8], bits: i64) -> Result<Self, FitsError> {
        let header = &hdu.header;
        let grid = Grid::of(header)?;
        let (row, rows) = hdu.rows()?;
        if rows as u64 != grid.len() {
            let problem = format!("{rows} tiles, and the image has {}", grid.len());
            return Err(FitsError::header("NAXIS2", problem));
        }
        let table = row * rows;
        let heap = match header.get("THEAP") {
            Some(_) => usize::try_from(header.size("THEAP")?).unwrap_or(usize::MAX),
            None => table,
        };
        if heap < table || heap > data.len() {
            return Err(FitsError::header("THEAP", format!("{heap} is not within the data")));
        }
        let columns = places(header)?;
        let find = |name: &str| columns.iter().find(|place| place.name.trim_end().eq_ignore_ascii_case(name)).cloned();
        Ok(Self {
            hdu: hdu.index,
            header,
            grid,
            codec: Codec::of(header, bits)?,
            quantisation: if bits < 0 { Quantisation::of(header)? } else { None },
            row,
            rows: &data[..table],
            heap: &data[heap..],
            compressed: find("COMPRESSED_DATA"),
            gzipped: find("GZIP_COMPRESSED_DATA"),
            uncompressed: find("UNCOMPRESSED_DATA"),
            scale: find("ZSCALE"),
            zero: find("ZZERO"),
            blank: find("ZBLANK"),
        })
    }

    fn all<T: Pixel>(&self, count: usize) -> Result<Stored, FitsError> {
        let mut image = vec![T::default(); count];
        for tile in 0..self.grid.len() as usize {
            let place = self.grid.place(tile);
            let values = self
                .tile::<T>(tile, place.count())
                .map_err(|problem| FitsError::damaged(self.hdu, format!("tile {}: {problem}", tile + 1)))?;
            place.put(&values, &mut image);
        }
        Ok(T::stored(image))
    }

    /// The `count` pixels of a tile.
    fn tile<T: Pixel>(&self, tile: usize, count: usize) -> Result<Vec<T>, String> {
        let packed = self.bytes(self.compressed.as_ref(), tile)?;
        if !packed.is_empty() {
            let unpacked = self.codec.unpack(packed, count)?;
            return match self.step(tile) {
                Some(step) => self.restored(tile, step, &numbers(unpacked, count)?),
                None => plain(unpacked, count),
            };
        }
        // What did not compress well is kept whole.
        let gzipped = self.bytes(self.gzipped.as_ref(), tile)?;
        if !gzipped.is_empty() {
            return plain(Unpacked::Bytes(codec::gunzip(gzipped, count)?), count);
        }
        match self.bytes(self.uncompressed.as_ref(), tile)? {
            [] => Err("it has no data".to_owned()),
            bytes => plain(Unpacked::Bytes(bytes.to_vec()), count),
        }
    }

    /// What a tile has on the heap in `column`; nothing if there is no such column.
    fn bytes(&self, column: Option<&Place>, tile: usize) -> Result<&'a [u8], String> {
        let Some(place) = column else { return Ok(&[]) };
        let Form::Variable { element, .. } = place.form else {
            return Err(format!("column {} is not one of variable length", place.name));
        };
        if place.width == 0 {
            return Ok(&[]);
        }
        let (count, offset) = self.cell(place, tile).and_then(descriptor).ok_or("its row is cut")?;
        let range = element.bytes(count).and_then(|length| {
            let (start, length) = (usize::try_from(offset).ok()?, usize::try_from(length).ok()?);
            Some(start..start.checked_add(length)?)
        });
        if count == 0 {
            return Ok(&[]);
        }
        range.and_then(|range| self.heap.get(range)).ok_or_else(|| "its data are not within the heap".to_owned())
    }

    fn cell(&self, place: &Place, tile: usize) -> Option<&'a [u8]> {
        let start = tile * self.row + place.offset;
        self.rows.get(start..start + place.width)
    }

    /// What the reals of a tile became whole numbers with; nothing if they did not.
    fn step(&self, tile: usize) -> Option<Step> {
        self.quantisation.as_ref()?;
        let real = |column: Option<&Place>, keyword: &str| match column {
            Some(place) => self.number(place, tile),
            None => self.header.real(keyword),
        };
        let blank = match &self.blank {
            Some(place) => self.number(place, tile),
            None => self.header.real("ZBLANK"),
        };
        Some(Step {
            scale: real(self.scale.as_ref(), "ZSCALE")?,
            zero: real(self.zero.as_ref(), "ZZERO")?,
            blank: blank.map(|blank| blank as i32),
        })
    }

    fn number(&self, place: &Place, tile: usize) -> Option<f64> {
        let bytes = self.cell(place, tile)?;
        match place.form {
            Form::Fixed { element: Element::Double, count: 1 } => Some(f64::from_be(bytes)),
            Form::Fixed { element: Element::Real, count: 1 } => Some(f32::from_be(bytes).into()),
            Form::Fixed { element: Element::Integer, count: 1 } => {
                Some(i32::from_be_bytes(*bytes.first_chunk()?).into())
            }
            Form::Fixed { element: Element::Short, count: 1 } => Some(i16::from_be_bytes(*bytes.first_chunk()?).into()),
            Form::Fixed { element: Element::Byte, count: 1 } => bytes.first().copied().map(f64::from),
            _ => None,
        }
    }

    fn restored<T: Pixel>(&self, tile: usize, step: Step, numbers: &[i32]) -> Result<Vec<T>, String> {
        let mut values = Vec::with_capacity(numbers.len());
        if let Some(quantisation) = &self.quantisation {
            quantisation.restore(tile, step, numbers, |value| values.push(T::from_f64(value)));
        }
        Ok(values)
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

/// How an image is cut into tiles. Lengths are fastest axis first, as headers have them.
struct Grid {
    axes: Vec<usize>,
    tile: Vec<usize>,
    counts: Vec<usize>,
    length: u64,
}

impl Grid {
    /// By `ZNAXISn` and `ZTILEn`; without the latter a tile is a row.
    fn of(header: &Header) -> Result<Self, FitsError> {
        let mut grid = Self { axes: Vec::new(), tile: Vec::new(), counts: Vec::new(), length: 1 };
        let mut pixels = 1_u64;
        for (index, axis) in axes(header, "ZNAXIS")?.into_iter().enumerate() {
            let keyword = format!("ZTILE{}", index + 1);
            let tile = match header.get(&keyword) {
                None if index == 0 => axis,
                None => 1,
                Some(_) => header.size(&keyword)?.min(axis),
            };
            if tile == 0 {
                return Err(FitsError::header(&keyword, "a tile needs a length"));
            }
            // Within the pixels of the image, whose number is bounded.
            pixels = pixels.saturating_mul(tile);
            grid.length = grid.length.saturating_mul(axis.div_ceil(tile));
            grid.axes.push(axis as usize);
            grid.tile.push(tile as usize);
            grid.counts.push(axis.div_ceil(tile) as usize);
        }
        if pixels > MAX_TILE_PIXELS {
            let what = "a tile (in pixels)".to_owned();
            return Err(FitsError::TooLarge { what, size: pixels, limit: MAX_TILE_PIXELS });
        }
        Ok(grid)
    }

    fn len(&self) -> u64 {
        self.length
    }

    /// Where tile `index` stands in the image; the last ones of an axis are cut where the image ends.
    fn place(&self, index: usize) -> Rectangle<'_> {
        let mut rest = index;
        let mut stride = 1;
        let (mut first, mut extent) = (0, Vec::with_capacity(self.axes.len()));
        for ((&axis, &tile), &count) in self.axes.iter().zip(&self.tile).zip(&self.counts) {
            let start = rest % count * tile;
            rest /= count;
            first += start * stride;
            stride *= axis;
            extent.push(tile.min(axis - start));
        }
        Rectangle { axes: &self.axes, first, extent }
    }
}

/// A tile's part of the image.
struct Rectangle<'a> {
    axes: &'a [usize],
    /// Its first pixel.
    first: usize,
    /// Its lengths, fastest axis first.
    extent: Vec<usize>,
}

impl Rectangle<'_> {
    fn count(&self) -> usize {
        self.extent.iter().product()
    }

    /// Copies the pixels of the tile to their rows of the image.
    fn put<T: Copy>(&self, tile: &[T], image: &mut [T]) {
        let Some(&length) = self.extent.first() else { return };
        let mut index = vec![0; self.extent.len()];
        for run in tile.chunks_exact(length) {
            let mut start = self.first;
            let mut stride = 1;
            for (place, axis) in index.iter().zip(self.axes) {
                start += place * stride;
                stride *= axis;
            }
            image[start..start + length].copy_from_slice(run);
            for (place, extent) in index.iter_mut().zip(&self.extent).skip(1) {
                *place += 1;
                if *place < *extent {
                    break;
                }
                *place = 0;
            }
        }
    }
}
