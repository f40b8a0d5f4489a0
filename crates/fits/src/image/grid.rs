//! How an image is cut into tiles, and where each belongs.

use crate::hdu::axes;
use crate::{FitsError, Header};

/// The largest tile that is unpacked, in pixels: while one is, some twenty bytes for each pixel are held.
const MAX_TILE_PIXELS: u64 = 1 << 26;

/// How an image is cut into tiles. Lengths are fastest axis first, as headers have them.
pub(super) struct Grid {
    axes: Vec<usize>,
    tile: Vec<usize>,
    counts: Vec<usize>,
    length: u64,
}

impl Grid {
    /// By `ZNAXISn` and `ZTILEn`; without the latter a tile is a row.
    pub(super) fn of(header: &Header) -> Result<Self, FitsError> {
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

    pub(super) fn len(&self) -> u64 {
        self.length
    }

    /// The lengths of the second axis and of the first: rows and columns of an image of two axes.
    pub(super) fn sides(&self) -> (usize, usize) {
        let length = |axis: usize| self.axes.get(axis).copied().unwrap_or(1);
        (length(1), length(0))
    }

    /// How long tiles are along the second axis.
    pub(super) fn rows_of_a_tile(&self) -> usize {
        self.tile.get(1).copied().unwrap_or(1)
    }

    /// The number of pixels of the image.
    pub(super) fn pixels(&self) -> usize {
        self.axes.iter().product()
    }

    /// How many tiles make a band: the fewest that together are an unbroken part of the image.
    pub(super) fn band(&self) -> usize {
        // Along the axes after the last one on which a tile is longer than a pixel, bands follow each other.
        let last = self.tile.iter().rposition(|&length| length > 1).unwrap_or(0);
        self.counts[..last].iter().product()
    }

    /// Where tile `index` stands in the image; the last ones of an axis are cut where the image ends.
    pub(super) fn place(&self, index: usize) -> Rectangle<'_> {
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
pub(super) struct Rectangle<'a> {
    axes: &'a [usize],
    /// Its first pixel.
    pub(super) first: usize,
    /// Its lengths, fastest axis first.
    extent: Vec<usize>,
}

impl Rectangle<'_> {
    pub(super) fn count(&self) -> usize {
        self.extent.iter().product()
    }

    /// Copies the pixels of the tile to their rows in a part of the image that begins at its pixel `start`.
    pub(super) fn put<T: Copy>(&self, tile: &[T], start: usize, part: &mut [T]) {
        let Some(&length) = self.extent.first() else { return };
        let mut index = vec![0; self.extent.len()];
        for run in tile.chunks_exact(length) {
            let mut first = self.first - start;
            let mut stride = 1;
            for (place, axis) in index.iter().zip(self.axes) {
                first += place * stride;
                stride *= axis;
            }
            part[first..first + length].copy_from_slice(run);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Card, Value};

    fn grid(axes: &[i128], tile: &[i128]) -> Grid {
        let mut cards = vec![("ZNAXIS".to_owned(), axes.len() as i128)];
        for (name, lengths) in [("ZNAXIS", axes), ("ZTILE", tile)] {
            cards.extend(lengths.iter().enumerate().map(|(index, &length)| (format!("{name}{}", index + 1), length)));
        }
        let card = |(keyword, length): (String, i128)| Card::new(&keyword, Value::Integer(length), "").unwrap();
        Grid::of(&cards.into_iter().map(card).collect()).unwrap()
    }

    #[test]
    fn bands_follow_each_other_and_fill_the_image() {
        for (axes, tile, band) in [
            (&[10, 7][..], &[10, 1][..], 1),
            (&[10, 7], &[4, 3], 3),
            (&[10, 7], &[4, 1], 1),
            (&[10, 7], &[10, 7], 1),
            (&[10, 7], &[1, 1], 1),
            (&[10, 7, 3], &[4, 1, 1], 1),
            (&[10, 7, 3], &[4, 2, 1], 3),
            (&[10, 7, 3], &[4, 2, 2], 12),
            (&[10, 7, 3], &[1, 1, 2], 70),
            (&[5], &[2], 1),
        ] {
            let grid = grid(axes, tile);
            assert_eq!(grid.band(), band, "{axes:?} in {tile:?}");
            let pixels: i128 = axes.iter().product();
            let mut image = Vec::new();
            for first in (0..grid.len() as usize).step_by(band) {
                let start = image.len();
                let tiles: Vec<_> = (first..first + band).map(|index| grid.place(index)).collect();
                image.resize(start + tiles.iter().map(Rectangle::count).sum::<usize>(), 0_u8);
                for tile in tiles {
                    tile.put(&vec![1; tile.count()], start, &mut image[start..]);
                }
            }
            assert_eq!(image, vec![1; pixels as usize], "{axes:?} in {tile:?}");
        }
    }
}
