//! What work ends with: a FITS file of the pixels at full precision.

use std::io::Write;

use holotype_fits::pack::{self, Packed};
use holotype_fits::{Card, Header, Value, write};
use rayon::prelude::*;

use crate::picture::{Previews, grey, previews};
use crate::{ImagingError, Raster};

/// How a product came to be, as its headers tell it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Origin<'a> {
    /// The key of the operation, for the card `DLAB_KEY` of the primary header.
    pub key: &'a str,
    /// What was done to which inputs, for the primary's `COMMENT`.
    pub comment: &'a str,
    /// The steps, for the image's `HISTORY`.
    pub history: &'a [String],
    /// Further cards of the image, in place of those of the same keyword.
    pub cards: &'a [Card],
}

/// How many rows a tile has: as many as make it long enough to be worth a gzip, and few enough that a strip is read without its
/// neighbours.
const TILE_ROWS: usize = 8;

/// Writes a FITS file: a primary without data, and the image `SCI` in lossless compressed tiles, with the cards of `header` that
/// say what an image is (not how it is stored), packed on all cores.
///
/// # Errors
/// [`ImagingError::Product`] if it cannot be written: to the sink, or as the image has no pixel.
pub fn write_fits(sink: &mut impl Write, raster: &Raster, header: &Header, origin: Origin) -> Result<(), ImagingError> {
    let Raster { width, height, values } = raster;
    let tiles: Result<Vec<_>, _> = values.par_chunks((TILE_ROWS * width).max(1)).map(pack::tile).collect();
    let tiles = tiles.map_err(ImagingError::Product)?;
    let mut whole = || {
        let mut primary = Header::default();
        primary.push(Card::new("DLAB_KEY", Value::Text(origin.key.to_owned()), "")?);
        commentary(&mut primary, "COMMENT", origin.comment)?;
        write::empty_primary(sink, &primary)?;
        let mut image = header.clone();
        image.set("EXTNAME", Value::Text("SCI".to_owned()), None)?;
        for card in origin.cards {
            image.remove(|other| other.is(card.keyword()));
            image.push(card.clone());
        }
        for step in origin.history {
            commentary(&mut image, "HISTORY", step)?;
        }
        pack::image(sink, &image, Packed { width: *width, height: *height, tile_rows: TILE_ROWS, tiles: &tiles })
    };
    whole().map_err(ImagingError::Product)
}

/// Writes the FITS file of a product and makes its JPEGs, from pixels that were decoded once; `limits` are the values shown black
/// and white, if not those of the image itself.
///
/// # Errors
/// As [`write_fits`], [`grey`] and [`previews`].
pub fn publish(
    sink: &mut (impl Write + Send),
    raster: &Raster,
    header: &Header,
    origin: Origin,
    limits: Option<(f64, f64)>,
) -> Result<Previews, ImagingError> {
    let pictures = || previews(&grey(raster, limits)?);
    let (pictures, written) = rayon::join(pictures, || write_fits(sink, raster, header, origin));
    written.and(pictures)
}

/// Adds a text of any length as cards of a commentary. Characters that a header cannot hold become question marks.
fn commentary(header: &mut Header, keyword: &str, text: &str) -> Result<(), holotype_fits::FitsError> {
    const LENGTH: usize = 72;
    let printable: Vec<u8> = text.chars().map(|c| if (' '..='~').contains(&c) { c as u8 } else { b'?' }).collect();
    for part in printable.chunks(LENGTH) {
        header.push(Card::commentary(keyword, &String::from_utf8_lossy(part))?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use holotype_fits::{Hdu, Image, Pixels};

    use super::*;

    fn raster(width: usize, height: usize) -> Raster {
        Raster { width, height, values: (0..width * height).map(|index| index as f32 * 0.1).collect() }
    }

    #[test]
    fn a_product_has_the_pixels_bit_for_bit_and_says_where_it_comes_from() {
        let mut header = Header::default();
        for (keyword, value) in [
            ("OBJECT", Value::Text("M 31".into())),
            ("BSCALE", Value::Real(2.0)),
            ("ZTILE1", Value::Integer(3)),
            ("CRPIX1", Value::Real(1.0)),
        ] {
            header.set(keyword, value, None).unwrap();
        }
        let history = ["a step".to_owned(), "é".repeat(100)];
        let cards = [Card::new("CRPIX1", Value::Real(7.5), "").unwrap()];
        let origin = Origin { key: "abc", comment: "Median of a, b", history: &history, cards: &cards };
        for raster in [raster(30, 20), raster(1, 1), raster(5, 8), raster(100, 9)] {
            let mut bytes = Vec::new();
            write_fits(&mut bytes, &raster, &header, origin).unwrap();
            let mut source = Cursor::new(&bytes);
            let hdus = Hdu::walk(&mut source).unwrap();
            assert_eq!(hdus[0].header.text("DLAB_KEY"), Some("abc"));
            assert_eq!(hdus[0].header.get("COMMENT").unwrap().comment(), "Median of a, b");
            let image = &hdus[1].header;
            assert_eq!(
                (hdus[1].name.as_str(), image.text("OBJECT"), image.real("CRPIX1")),
                ("SCI", Some("M 31"), Some(7.5))
            );
            assert!(image.get("BSCALE").is_none());
            let steps: Vec<_> = image.cards().iter().filter(|card| card.is("HISTORY")).map(Card::comment).collect();
            assert_eq!(steps, ["a step", &"?".repeat(72), &"?".repeat(28)]);
            let read = Image::read(&mut source, &hdus[1]).unwrap();
            assert_eq!(
                read,
                Image { shape: vec![raster.height, raster.width], pixels: Pixels::F32(raster.values.clone()) }
            );
        }
        let nothing = Raster { width: 0, height: 0, values: Vec::new() };
        assert!(matches!(write_fits(&mut Vec::new(), &nothing, &header, origin), Err(ImagingError::Product(_))));
    }
}
