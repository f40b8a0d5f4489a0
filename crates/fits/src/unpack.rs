//! A file with compressed images, made plain: what `funpack` gives, pixel for pixel and card for card.

use std::io::{self, Read, Seek, SeekFrom, Write};

use crate::checksum::{self, Sum, Verdict};
use crate::header::BLOCK;
use crate::image::{Stored, read_stored};
use crate::structure::is_storage;
use crate::{Card, FitsError, Hdu, Header, Kind, Value};

/// What came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unpacked {
    /// How many images were compressed.
    pub images: usize,
    /// How many HDUs were written.
    pub hdus: usize,
    /// How many bytes were written.
    pub bytes: u64,
}

/// Writes `source` with its images plain. An empty primary that stands only before a packed one is left out; all other
/// HDUs are copied byte for byte. `CHECKSUM` and `DATASUM` of an image are made anew unless they still hold.
///
/// # Errors
/// [`FitsError::Damaged`] if a packed HDU's own sums, or the sum of losslessly packed pixels, say so; else as
/// [`Hdu::walk`], [`crate::Image::read`] and the sink. What was written before is incomplete.
pub fn unpack(source: &mut (impl Read + Seek), sink: &mut impl Write) -> Result<Unpacked, FitsError> {
    let hdus = Hdu::walk(source)?;
    let replaced = matches!(hdus.as_slice(), [first, second, ..] if first.data_length == 0 && was_primary(second));
    let mut sink = Counted { sink, bytes: 0 };
    let mut unpacked = Unpacked { images: 0, hdus: 0, bytes: 0 };
    for hdu in hdus.iter().skip(usize::from(replaced)) {
        if hdu.kind == Kind::CompressedImage {
            unpack_image(source, hdu, unpacked.hdus == 0, &mut sink)?;
            unpacked.images += 1;
        } else {
            copy(source, hdu, &mut sink)?;
        }
        unpacked.hdus += 1;
    }
    unpacked.bytes = sink.bytes;
    Ok(unpacked)
}

fn was_primary(hdu: &Hdu) -> bool {
    hdu.kind == Kind::CompressedImage && hdu.header.logical("ZSIMPLE") == Some(true)
}

/// Copies an HDU as it stands, with the filling of its last block where that is missing.
fn copy(source: &mut (impl Read + Seek), hdu: &Hdu, sink: &mut impl Write) -> Result<(), FitsError> {
    let length = hdu.end() - hdu.offset;
    source.seek(SeekFrom::Start(hdu.offset))?;
    let copied = io::copy(&mut source.by_ref().take(length), sink)?;
    Ok(sink.write_all(&vec![0; (length - copied).min(BLOCK as u64) as usize])?)
}

fn unpack_image(
    source: &mut (impl Read + Seek),
    hdu: &Hdu,
    primary: bool,
    sink: &mut impl Write,
) -> Result<(), FitsError> {
    if checksum::verify(source, hdu)?.is_wrong() {
        return Err(FitsError::damaged(hdu.index, "they are not those that its CHECKSUM and DATASUM were written for"));
    }
    let stored = read_stored(source, hdu)?;
    let mut sum = Sum::default();
    let mut length = 0;
    stored.pieces(|piece| {
        sum.add(piece);
        length += piece.len();
        Ok(())
    })?;
    let mut header = plain_header(&hdu.header, primary)?;
    match checksum::verdicts(&header, sum) {
        (Verdict::Right, Verdict::Right) => {}
        (_, Verdict::Wrong) if is_lossless(&hdu.header, &stored) => {
            return Err(FitsError::damaged(hdu.index, "its pixels are not those that ZDATASUM was written for"));
        }
        _ => checksum::stamp(&mut header, sum)?,
    }
    header.write(sink)?;
    stored.pieces(|piece| Ok(sink.write_all(piece)?))?;
    Ok(sink.write_all(&vec![0; length.next_multiple_of(BLOCK) - length])?)
}

/// Whether the packed pixels are the very pixels that were packed.
fn is_lossless(packed: &Header, stored: &Stored) -> bool {
    match stored {
        Stored::F32(_) | Stored::F64(_) => packed.text("ZQUANTIZ") == Some("NONE"),
        // Which may leave out what is below the noise.
        _ => packed.text("ZCMPTYPE") != Some("HCOMPRESS_1"),
    }
}

/// The header of an image, from that of the table it was packed in. `primary` says that it begins the file.
///
/// # Errors
/// [`FitsError::Header`] if the packed header does not say what the image is.
pub fn plain_header(packed: &Header, primary: bool) -> Result<Header, FitsError> {
    let mut header = Header::default();
    let mut take = |packed_as: &str, keyword: &str, otherwise: Option<(Value, &str)>| {
        match (packed.get(packed_as), otherwise) {
            (Some(card), _) => header.push(card.renamed(keyword)),
            (None, Some((value, comment))) => header.push(Card::new(keyword, value, comment)?),
            (None, None) => {}
        }
        Ok::<(), FitsError>(())
    };
    if primary {
        take("ZSIMPLE", "SIMPLE", Some((Value::Logical(true), "file does conform to FITS standard")))?;
    } else {
        take("ZTENSION", "XTENSION", Some((Value::Text("IMAGE".to_owned()), "IMAGE extension")))?;
    }
    take("ZBITPIX", "BITPIX", None)?;
    take("ZNAXIS", "NAXIS", None)?;
    for axis in 1..=packed.size("ZNAXIS")? {
        take(&format!("ZNAXIS{axis}"), &format!("NAXIS{axis}"), None)?;
    }
    if primary {
        take("ZEXTEND", "EXTEND", None)?;
        take("ZBLOCKED", "BLOCKED", None)?;
    } else {
        take("ZPCOUNT", "PCOUNT", Some((Value::Integer(0), "number of parameters")))?;
        take("ZGCOUNT", "GCOUNT", Some((Value::Integer(1), "number of groups")))?;
    }
    for card in packed.cards() {
        match card.keyword() {
            "ZHECKSUM" => header.push(card.renamed("CHECKSUM")),
            "ZDATASUM" => header.push(card.renamed("DATASUM")),
            "EXTNAME" if matches!(card.value(), Some(Value::Text(name)) if name == "COMPRESSED_IMAGE") => {}
            _ if is_storage(card) => {}
            _ => header.push(card.clone()),
        }
    }
    Ok(header)
}

/// Counts what passes.
struct Counted<W> {
    sink: W,
    bytes: u64,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.sink.write(bytes)?;
        self.bytes += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}
