//! A file with compressed images and tables, made plain: what `funpack` gives, pixel for pixel and card for card.

use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};

use flate2::read::MultiGzDecoder;

use crate::checksum::{self, Sum, Verdict};
use crate::hdu::{Walk, axes};
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
    unpack_to(source, &mut Seekable(sink))
}

/// The same to a sink that cannot be taken back: each image is decoded twice, the first time for its sums.
///
/// # Errors
/// As [`unpack()`].
pub fn unpack_stream(source: &mut (impl Read + Seek), sink: &mut impl Write) -> Result<Unpacked, FitsError> {
    unpack_to(source, &mut Stream(sink))
}

fn unpack_to(source: &mut (impl Read + Seek), sink: &mut impl Sink) -> Result<Unpacked, FitsError> {
    let mut unpacked = Unpacked { images: 0, tables: 0, hdus: 0, bytes: 0, stale: Vec::new() };
    // Nothing is asked of what comes behind an HDU before it has been written: it may still be on its way.
    let (mut walk, mut empty) = (Walk::default(), None);
    while let Some(hdu) = walk.next(source)? {
        if let Some(primary) = empty.take()
            && !was_primary(&hdu)
        {
            unpacked.add(source, &primary, sink)?;
        }
        if hdu.index == 0 && hdu.data_length == 0 {
            empty = Some(hdu);
        } else {
            unpacked.add(source, &hdu, sink)?;
        }
    }
    if let Some(primary) = empty {
        unpacked.add(source, &primary, sink)?;
    }
    Ok(unpacked)
}

impl Unpacked {
    /// Writes an HDU behind those before it.
    fn add(&mut self, source: &mut (impl Read + Seek), hdu: &Hdu, sink: &mut impl Sink) -> Result<(), FitsError> {
        let (kept, bytes) = match hdu.kind {
            Kind::CompressedImage => {
                self.images += 1;
                unpack_image(source, hdu, self.hdus == 0, sink)?
            }
            Kind::CompressedTable => {
                self.tables += 1;
                unpack_table(source, hdu, sink)?
            }
            _ => (Kept::Right, copy(source, hdu, sink.writer())?),
        };
        if kept == Kept::Stale {
            self.stale.push(hdu.index);
        }
        self.hdus += 1;
        self.bytes += bytes;
        Ok(())
    }
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

/// Copies an HDU as it stands, with the filling of its last block where that is missing, and tells how many bytes that are.
fn copy(source: &mut (impl Read + Seek), hdu: &Hdu, sink: &mut impl Write) -> Result<u64, FitsError> {
    let length = hdu.end() - hdu.offset;
    source.seek(SeekFrom::Start(hdu.offset))?;
    let copied = io::copy(&mut source.by_ref().take(length), sink)?;
    sink.write_all(&vec![0; (length - copied).min(BLOCK as u64) as usize])?;
    Ok(length)
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
    sink: &mut impl Sink,
) -> Result<(Kept, u64), FitsError> {
    let is_whole = hdu.header.integer("ZBITPIX").is_some_and(|bits| bits > 0);
    // HCOMPRESS_1 may leave out what is below the noise, and quantised reals are near what they were.
    let is_lossless = match is_whole {
        true => hdu.codec() != Some("HCOMPRESS_1"),
        false => hdu.header.text("ZQUANTIZ") == Some("NONE"),
    };
    let header = plain_header(&hdu.header, primary)?;
    let plain = Hdu::read(&mut header.to_bytes().as_slice(), usize::from(!primary), 0)?;
    // The cards that were kept say for themselves what they are of, whatever was packed.
    if !plain.is_some_and(|plain| plain.is_image() && plain.shape == hdu.shape && plain.has_one_group()) {
        return Err(FitsError::header("ZTENSION", "the header that was packed is not that of the image"));
    }
    let plain = Plain { index: hdu.index, header, is_lossless };
    let mut known = None;
    sink.put(&plain, &mut |sink| {
        let decoded = plain_pieces(source, hdu, sink);
        // Only now, so that tiles are decoded as they come. What could not be decoded, its own sums may say why.
        let vouched = known.map_or_else(|| vouched(source, hdu), Ok)?;
        known = Some(vouched);
        decoded.map(|()| vouched)
    })
}

fn unpack_table(source: &mut (impl Read + Seek), hdu: &Hdu, sink: &mut impl Sink) -> Result<(Kept, u64), FitsError> {
    let vouched = vouched(source, hdu)?;
    let (header, data) = packed::plain(source, hdu)?;
    let plain = Hdu::read(&mut header.to_bytes().as_slice(), hdu.index, 0)?;
    if !plain.is_some_and(|plain| plain.kind == Kind::Table && plain.data_length == data.len() as u64) {
        return Err(FitsError::header("ZPCOUNT", "the header that was packed is not that of the table"));
    }
    sink.put(&Plain { index: hdu.index, header, is_lossless: true }, &mut |sink| sink(&data).map(|()| vouched))
}

/// Whether the packed HDU's own sums say that it is as it was packed; false if it has none.
fn vouched(source: &mut (impl Read + Seek), hdu: &Hdu) -> Result<bool, FitsError> {
    let found = checksum::verify(source, hdu)?;
    if found.is_wrong() {
        return Err(FitsError::damaged(hdu.index, "they are not those that its CHECKSUM and DATASUM were written for"));
    }
    Ok(found.datasum == Verdict::Right || found.checksum == Verdict::Right)
}

/// What is known of an unpacked HDU before its data are.
struct Plain {
    /// Its place in the packed file.
    index: usize,
    /// Its header, with the sums that were kept for it.
    header: Header,
    /// Whether the data are the very ones that were packed.
    is_lossless: bool,
}

impl Plain {
    /// The header with sums of its own, those of no data: as long as the one with the right sums.
    fn stamped(&self) -> Result<Header, FitsError> {
        let mut header = self.header.clone();
        checksum::stamp(&mut header, Sum::default())?;
        Ok(header)
    }

    /// The header for data with this sum. The sums that it has are kept if they hold.
    ///
    /// If they do not, though nothing is lost by packing, the packed HDU's own sums decide: where these vouch for it, the
    /// data were packed so, with a sum that somebody had not brought up to date (`funpack` makes nothing of it either);
    /// where there are none, it is the one sign of damage that there is.
    fn finished(&self, sum: Sum, vouched: bool) -> Result<(Header, Kept), FitsError> {
        let verdicts = checksum::verdicts(&self.header, sum);
        let is_stale = self.is_lossless && verdicts.1 == Verdict::Wrong;
        if is_stale && !vouched {
            return Err(FitsError::damaged(self.index, "what they unpack to is not what ZDATASUM was written for"));
        }
        let mut header = self.header.clone();
        if verdicts != (Verdict::Right, Verdict::Right) || header.to_bytes().len() != self.stamped()?.to_bytes().len() {
            checksum::stamp(&mut header, sum)?;
        }
        Ok((header, if is_stale { Kept::Stale } else { Kept::Right }))
    }
}

/// Gives data piece by piece, each time it is called, and tells whether the packed HDU is proven by sums of its own.
type Pieces<'p> = dyn FnMut(&mut dyn FnMut(&[u8]) -> Result<(), FitsError>) -> Result<bool, FitsError> + 'p;

/// Where unpacked HDUs go.
trait Sink {
    /// Where bytes go as they are.
    fn writer(&mut self) -> &mut impl Write;

    /// Writes an HDU with its header finished, and tells how many bytes that are.
    fn put(&mut self, plain: &Plain, pieces: &mut Pieces<'_>) -> Result<(Kept, u64), FitsError>;
}

/// A sink that can be taken back to where a header stands.
struct Seekable<'w, W>(&'w mut W);

impl<W: Write + Seek> Sink for Seekable<'_, W> {
    fn writer(&mut self) -> &mut impl Write {
        self.0
    }

    fn put(&mut self, plain: &Plain, pieces: &mut Pieces<'_>) -> Result<(Kept, u64), FitsError> {
        let start = self.0.stream_position()?;
        plain.stamped()?.write(self.0)?;
        let mut sum = Sum::default();
        let (_, vouched) = write_data(self.0, &mut |sink| {
            pieces(&mut |piece| {
                sum.add(piece);
                sink(piece)
            })
        })?;
        let (header, kept) = plain.finished(sum, vouched)?;
        let end = self.0.stream_position()?;
        self.0.seek(SeekFrom::Start(start))?;
        header.write(self.0)?;
        self.0.seek(SeekFrom::Start(end))?;
        Ok((kept, end - start))
    }
}

/// A sink that goes forward only.
struct Stream<'w, W>(&'w mut W);

impl<W: Write> Sink for Stream<'_, W> {
    fn writer(&mut self) -> &mut impl Write {
        self.0
    }

    fn put(&mut self, plain: &Plain, pieces: &mut Pieces<'_>) -> Result<(Kept, u64), FitsError> {
        let mut sum = Sum::default();
        let vouched = pieces(&mut |piece| {
            sum.add(piece);
            Ok(())
        })?;
        let (header, kept) = plain.finished(sum, vouched)?;
        header.write(self.0)?;
        let (length, _) = write_data(self.0, pieces)?;
        Ok((kept, header.to_bytes().len() as u64 + length))
    }
}

/// Writes data and fills up their last block, and tells how many bytes that are, beside what the pieces tell.
fn write_data(sink: &mut impl Write, pieces: &mut Pieces<'_>) -> Result<(u64, bool), FitsError> {
    let mut length = 0;
    let vouched = pieces(&mut |piece| {
        length += piece.len();
        Ok(sink.write_all(piece)?)
    })?;
    let filled = length.next_multiple_of(BLOCK);
    sink.write_all(&vec![0; filled - length])?;
    Ok((filled as u64, vouched))
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
    for axis in 1..=axes(packed, "ZNAXIS")?.len() {
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
