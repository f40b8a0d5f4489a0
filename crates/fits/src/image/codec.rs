//! The codecs of compressed tiles.
//!
//! `HCOMPRESS_1` and `PLIO_1` are `fitsio-pure`'s, which is given one tile at a time as a table of one row: so that no size
//! or offset of the file reaches it unchecked. Rice coding, which most frames use, is our own for its speed, tile by tile.
//! Gzip is unpacked here, no further than a tile can need.

use std::io::Read;

use fitsio_pure::hdu::{Hdu as PureHdu, HduInfo};
use fitsio_pure::header::Card as PureCard;
use fitsio_pure::image::ImageData;
use fitsio_pure::tiled::read_tiled_image;
use fitsio_pure::value::Value as PureValue;
use flate2::read::GzDecoder;

use super::rice;
use crate::{FitsError, Header, Value};

/// How the tiles of an image are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    /// Differences of pixels, in blocks of `block`, from numbers of `bytes` bytes.
    Rice { block: usize, bytes: usize },
    /// A wavelet; `narrow` is the `BITPIX` for which it counts in 32 bits.
    Hcompress { smooth: bool, narrow: Option<i64> },
    /// Runs, made for masks.
    Plio,
    /// Gzip, of bytes as they are or sorted by significance.
    Gzip { shuffled: bool },
    /// Bytes as they are.
    None,
}

/// What comes out of a tile.
pub(super) enum Unpacked {
    /// Whole numbers.
    Numbers(Vec<i32>),
    /// Bytes of pixels, most significant first.
    Bytes(Vec<u8>),
}

impl Codec {
    /// By `ZCMPTYPE` and its parameters.
    pub(super) fn of(header: &Header, bits: i64) -> Result<Self, FitsError> {
        let name = header.text("ZCMPTYPE").ok_or_else(|| FitsError::header("ZCMPTYPE", "it is missing"))?;
        Ok(match name.trim_end() {
            "RICE_1" | "RICE_ONE" => {
                let block = parameter(header, "BLOCKSIZE")?.unwrap_or(32);
                let bytes = parameter(header, "BYTEPIX")?.unwrap_or(4);
                if !(1..=1024).contains(&block) {
                    return Err(FitsError::header("BLOCKSIZE", format!("{block} is not between 1 and 1024")));
                }
                match bytes {
                    1 | 2 | 4 => Self::Rice { block: block as usize, bytes: bytes as usize },
                    // The standard names 8, but how its blocks are written no standard or program says.
                    _ => return Err(FitsError::Unsupported { what: format!("RICE_1 with BYTEPIX {bytes}") }),
                }
            }
            "HCOMPRESS_1" => Self::Hcompress {
                smooth: parameter(header, "SMOOTH")?.unwrap_or(0) != 0,
                narrow: matches!(bits, 8 | 16).then_some(bits),
            },
            "PLIO_1" => Self::Plio,
            "GZIP_1" => Self::Gzip { shuffled: false },
            "GZIP_2" => Self::Gzip { shuffled: true },
            "NOCOMPRESS" => Self::None,
            other => {
                return Err(FitsError::Unsupported { what: format!("ZCMPTYPE '{}'", crate::error::shown(other)) });
            }
        })
    }

    /// Unpacks a tile of `count` pixels; what is wrong with it is told in words.
    pub(super) fn unpack(self, tile: &[u8], count: usize) -> Result<Unpacked, String> {
        match self {
            Self::None => Ok(Unpacked::Bytes(tile.to_vec())),
            Self::Gzip { shuffled: false } => gunzip(tile, longest(count)).map(Unpacked::Bytes),
            Self::Gzip { shuffled: true } => {
                gunzip(tile, longest(count)).map(|bytes| Unpacked::Bytes(unshuffled(&bytes, count)))
            }
            Self::Rice { block, bytes } => rice::unpack(tile, count, block, bytes).map(Unpacked::Numbers),
            Self::Hcompress { smooth, narrow } => {
                let name = if smooth { "HCOMPRESS_1 smooth" } else { "HCOMPRESS_1" };
                one_tile(name, tile, count, narrow.unwrap_or(32)).map(Unpacked::Numbers)
            }
            Self::Plio => one_tile("PLIO_1", tile, count, 32).map(Unpacked::Numbers),
        }
    }
}

/// The most bytes that `count` pixels can have.
pub(super) fn longest(count: usize) -> u64 {
    8 * count as u64
}

/// The parameter `name`: the `ZVALn` of the `ZNAMEn` that names it. A logical counts as 1 or 0.
fn parameter(header: &Header, name: &str) -> Result<Option<i64>, FitsError> {
    let named = |index: &u32| {
        header.text(&format!("ZNAME{index}")).is_some_and(|found| found.trim_end().eq_ignore_ascii_case(name))
    };
    let Some(index) = (1..=99).find(named) else { return Ok(None) };
    let keyword = format!("ZVAL{index}");
    match header.value(&keyword) {
        Some(Value::Integer(value)) => {
            i64::try_from(*value).map(Some).map_err(|_| FitsError::header(&keyword, "it is out of range"))
        }
        Some(Value::Real(value)) => Ok(Some(*value as i64)),
        Some(Value::Logical(value)) => Ok(Some(i64::from(*value))),
        _ => Err(FitsError::header(&keyword, format!("the {name} of the compression is needed"))),
    }
}

/// Gives one tile to `fitsio-pure`, as the only row of a table, and takes its whole numbers.
fn one_tile(codec: &str, tile: &[u8], count: usize, bits: i64) -> Result<Vec<i32>, String> {
    let length = u32::try_from(tile.len()).map_err(|_| "it is longer than 4 GiB".to_owned())?;
    let (codec, smooth) = codec.split_once(' ').map_or((codec, false), |(codec, _)| (codec, true));
    let info = HduInfo::CompressedImage {
        zbitpix: bits,
        znaxes: vec![count],
        zcmptype: codec.to_owned(),
        ztile: vec![count],
        blocksize: 32,
        rice_bytepix: 4,
        naxis1: 8,
        naxis2: 1,
        pcount: tile.len(),
        tfields: 1,
    };
    let text = |keyword: &str, text: &str| PureCard::new(keyword, PureValue::String(text.to_owned()));
    let cards = [
        text("TTYPE1", "COMPRESSED_DATA"),
        text("TFORM1", "1PB"),
        text("ZNAME1", "SMOOTH"),
        PureCard::new("ZVAL1", PureValue::Integer(smooth.into())),
    ];
    let cards: Result<Vec<_>, _> = cards.into_iter().collect();
    let mut data = Vec::with_capacity(8 + tile.len());
    data.extend_from_slice(&length.to_be_bytes());
    data.extend_from_slice(&[0; 4]);
    data.extend_from_slice(tile);
    let hdu = cards.map(|cards| PureHdu { info, header_start: 0, data_start: 0, data_len: data.len(), cards });
    match hdu.and_then(|hdu| read_tiled_image(&data, &hdu)) {
        Ok(ImageData::I32(values)) => Ok(values),
        Ok(ImageData::I16(values)) => Ok(values.into_iter().map(i32::from).collect()),
        Ok(ImageData::U8(values)) => Ok(values.into_iter().map(i32::from).collect()),
        Ok(_) => Err("it does not hold whole numbers".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// Unpacks gzip, checked by its own sum, to at most `limit` bytes.
pub(crate) fn gunzip(packed: &[u8], limit: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    GzDecoder::new(packed).take(limit + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > limit {
        return Err(format!("it unpacks to more than the {limit} bytes that it may have"));
    }
    Ok(bytes)
}

/// Puts bytes that are sorted by significance back to their pixels.
pub(crate) fn unshuffled(bytes: &[u8], count: usize) -> Vec<u8> {
    if count == 0 || !bytes.len().is_multiple_of(count) {
        return bytes.to_vec();
    }
    let width = bytes.len() / count;
    let mut pixels = vec![0; bytes.len()];
    for (place, plane) in bytes.chunks_exact(count).enumerate() {
        for (pixel, byte) in plane.iter().enumerate() {
            pixels[pixel * width + place] = *byte;
        }
    }
    pixels
}
