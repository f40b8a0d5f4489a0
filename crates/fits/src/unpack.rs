//! A file with compressed images and tables, made plain: what `funpack` gives, pixel for pixel and card for card.

use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};

use flate2::read::MultiGzDecoder;

use crate::checksum::{self, Sum, Verdict};
use crate::header::BLOCK;
use crate::image::plain_pieces;
use crate::structure::is_storage;
use crate::table::packed;
use crate::{Card, FitsError, Hdu, Header, Kind, Value};

/// The largest file that is made from one compressed with gzip, in bytes.
pub const MAX_FILE_BYTES: u64 = 1 << 36;

/// What came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpacked {
    /// How many images were compressed.
    pub images: usize,
    /// How many tables were compressed.
    pub tables: usize,
    /// How many HDUs were written.
    pub hdus: usize,
    /// How many bytes were written.
    pub bytes: u64,
    /// The HDUs, by their place in the packed file, whose `ZDATASUM` had not been that of their data even when they were
    /// packed: their own sums hold.
    pub stale: Vec<usize>,
}

/// Writes `source` with its images and tables plain, to where the sink stands. An empty primary that stands only before a
/// packed one is left out; all other HDUs are copied byte for byte. `CHECKSUM` and `DATASUM` of what was packed are made
/// anew unless they still hold; as they stand before the data, the sink is taken back to them. Of an image a row of tiles
/// is held at a time, a table is held as a whole.
///
/// # Errors
/// [`FitsError::Damaged`] if a packed HDU's own sums say so, or if it has none and `ZDATASUM` says so of data that are
/// packed without loss; else as [`Hdu::walk`], [`crate::Image::read`], [`crate::table::Table::read`] and the sink. What
/// was written before is incomplete.
pub fn unpack(source: &mut (impl Read + Seek), sink: &mut (impl Write + Seek)) -> Result<Unpacked, FitsError> {
    let hdus = Hdu::walk(source)?;
    let replaced = matches!(hdus.as_slice(), [first, second, ..] if first.data_length == 0 && was_primary(second));
    let start = sink.stream_position()?;
    let mut unpacked = Unpacked { images: 0, tables: 0, hdus: 0, bytes: 0, stale: Vec::new() };
    for hdu in hdus.iter().skip(usize::from(replaced)) {
        let kept = match hdu.kind {
            Kind::CompressedImage => {
                unpacked.images += 1;
                unpack_image(source, hdu, unpacked.hdus == 0, sink)?
            }
            Kind::CompressedTable => {
                unpacked.tables += 1;
                unpack_table(source, hdu, sink)?
            }
            _ => {
                copy(source, hdu, sink)?;
                Kept::Right
            }
        };
        if kept == Kept::Stale {
            unpacked.stale.push(hdu.index);
        }
        unpacked.hdus += 1;
    }
    unpacked.bytes = sink.stream_position()? - start;
    Ok(unpacked)
}

/// Writes what `source`, compressed with gzip, holds, and tells how many bytes that are. Its own sum is checked.
///
/// # Errors
/// [`FitsError::NotFits`] if that does not begin as a FITS file does, [`FitsError::Gzip`] if it is cut or damaged,
/// [`FitsError::TooLarge`] past [`MAX_FILE_BYTES`], [`FitsError::Io`].
pub fn gunzip(source: &mut impl Read, sink: &mut impl Write) -> Result<u64, FitsError> {
    let mut plain = MultiGzDecoder::new(source);
    let mut piece = vec![0; 64 * 1024];
    let mut bytes = 0;
    loop {
        let found = crate::header::fill(&mut plain, &mut piece).map_err(|error| match error.kind() {
            ErrorKind::InvalidInput | ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
                FitsError::Gzip { problem: error.to_string() }
            }
            _ => error.into(),
        })?;
        if bytes == 0 && !piece[..found].starts_with(b"SIMPLE  ") {
            let problem = "what is compressed with gzip is none either; see what it is with 'gzip -dc FILE | file -'";
            return Err(FitsError::NotFits { problem: problem.to_owned() });
        }
        bytes += found as u64;
        if bytes > MAX_FILE_BYTES {
            let what = "a file that was compressed with gzip (in bytes)".to_owned();
            return Err(FitsError::TooLarge { what, size: bytes, limit: MAX_FILE_BYTES });
        }
        sink.write_all(&piece[..found])?;
        if found < piece.len() {
            return Ok(bytes);
        }
    }
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

/// What the sum that was kept in a packed HDU says of what came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// Nothing against it.
    Right,
    /// It is that of other data, and was already when they were packed.
    Stale,
}

fn unpack_image(
    source: &mut (impl Read + Seek),
    hdu: &Hdu,
    primary: bool,
    sink: &mut (impl Write + Seek),
) -> Result<Kept, FitsError> {
    let vouched = vouched(source, hdu)?;
    let header = plain_header(&hdu.header, primary)?;
    let is_whole = hdu.header.integer("ZBITPIX").is_some_and(|bits| bits > 0);
    // HCOMPRESS_1 may leave out what is below the noise, and quantised reals are near what they were.
    let is_lossless = match is_whole {
        true => hdu.codec() != Some("HCOMPRESS_1"),
        false => hdu.header.text("ZQUANTIZ") == Some("NONE"),
    };
    write(sink, hdu.index, header, vouched || !is_lossless, |sink| plain_pieces(source, hdu, sink))
        .map(|kept| if is_lossless { kept } else { Kept::Right })
}

fn unpack_table(source: &mut (impl Read + Seek), hdu: &Hdu, sink: &mut (impl Write + Seek)) -> Result<Kept, FitsError> {
    let vouched = vouched(source, hdu)?;
    let (header, data) = packed::plain(source, hdu)?;
    write(sink, hdu.index, header, vouched, |sink| sink(&data))
}

/// Whether the packed HDU's own sums say that it is as it was packed; false if it has none.
fn vouched(source: &mut (impl Read + Seek), hdu: &Hdu) -> Result<bool, FitsError> {
    let found = checksum::verify(source, hdu)?;
    if found.is_wrong() {
        return Err(FitsError::damaged(hdu.index, "they are not those that its CHECKSUM and DATASUM were written for"));
    }
    Ok(found.datasum == Verdict::Right || found.checksum == Verdict::Right)
}

/// Writes an HDU whose data `pieces` gives one after the other. The sums that its header has are kept if they hold.
///
/// If they do not, the packed HDU's own sums decide: where these vouch for it, the data were packed so, with a sum that
/// somebody had not brought up to date (`funpack` makes nothing of it either); where there are none, it is the one sign
/// of damage that there is.
fn write(
    sink: &mut (impl Write + Seek),
    index: usize,
    mut header: Header,
    vouched: bool,
    pieces: impl FnOnce(&mut dyn FnMut(&[u8]) -> Result<(), FitsError>) -> Result<(), FitsError>,
) -> Result<Kept, FitsError> {
    let start = sink.stream_position()?;
    let mut stamped = header.clone();
    checksum::stamp(&mut stamped, Sum::default())?;
    stamped.write(sink)?;
    let (mut sum, mut length) = (Sum::default(), 0);
    pieces(&mut |piece| {
        sum.add(piece);
        length += piece.len();
        Ok(sink.write_all(piece)?)
    })?;
    sink.write_all(&vec![0; length.next_multiple_of(BLOCK) - length])?;
    let verdicts = checksum::verdicts(&header, sum);
    if verdicts.1 == Verdict::Wrong && !vouched {
        return Err(FitsError::damaged(index, "what they unpack to is not what ZDATASUM was written for"));
    }
    let room = stamped.to_bytes().len();
    if verdicts != (Verdict::Right, Verdict::Right) || header.to_bytes().len() != room {
        checksum::stamp(&mut header, sum)?;
    }
    let end = sink.stream_position()?;
    sink.seek(SeekFrom::Start(start))?;
    header.write(sink)?;
    sink.seek(SeekFrom::Start(end))?;
    Ok(if verdicts.1 == Verdict::Wrong { Kept::Stale } else { Kept::Right })
}

/// The header of an image, from that of the table it was packed in. `primary` says that it begins the file.
pub(crate) fn plain_header(packed: &Header, primary: bool) -> Result<Header, FitsError> {
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
