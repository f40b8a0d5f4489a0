//! The HDUs of a file, found without reading their data.

use std::io::{Read, Seek, SeekFrom};

use crate::header::BLOCK;
use crate::{FitsError, Header};

/// The most axes an HDU may have, by the standard.
const MAX_AXES: u64 = 999;

/// What an HDU holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The first HDU: an image, or nothing.
    Primary,
    /// An image extension.
    Image,
    /// A binary table.
    Table,
    /// A table of text.
    AsciiTable,
    /// An image in compressed tiles, stored as a binary table.
    CompressedImage,
    /// A binary table in compressed tiles, stored as another one.
    CompressedTable,
    /// Random groups, an old form of the primary: kept, and not understood.
    RandomGroups,
    /// An extension that the standard does not define: kept, and not understood.
    Other,
}

impl Kind {
    /// The name shown to people and programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Image => "image",
            Self::Table => "table",
            Self::AsciiTable => "ascii_table",
            Self::CompressedImage => "compressed_image",
            Self::CompressedTable => "compressed_table",
            Self::RandomGroups => "random_groups",
            Self::Other => "other",
        }
    }
}

/// One header with its data, by its place in the file.
#[derive(Debug, Clone, PartialEq)]
pub struct Hdu {
    /// Its place among the HDUs, 0 for the primary.
    pub index: usize,
    /// `EXTNAME`; `PRIMARY` for a primary without it, empty for another.
    pub name: String,
    /// What it holds.
    pub kind: Kind,
    /// Its header as it stands in the file (of a compressed image: the header of its table).
    pub header: Header,
    /// Where its header begins, in bytes from the start of the file.
    pub offset: u64,
    /// Where its data begin, in bytes from the start of the file.
    pub data_offset: u64,
    /// The length of its data in bytes, without the filling of the last block.
    pub data_length: u64,
    /// An image's axes, slowest first as numpy has them (of a compressed image: the image's own); a table's rows and
    /// columns. Empty if there are no data.
    pub shape: Vec<u64>,
}

impl Hdu {
    /// Reads the header that begins at the source's position, `offset` bytes from the start of the file; nothing at the
    /// end. The source is left where the data begin. Bytes after the last HDU that begin no extension count as its end.
    ///
    /// # Errors
    /// [`FitsError::NotFits`] if a file begins otherwise, and what [`Header::read`] and the header itself give.
    pub fn read(source: &mut impl Read, index: usize, offset: u64) -> Result<Option<Self>, FitsError> {
        let mut start = [0; 8];
        let found = crate::header::fill(source, &mut start)?;
        let expected: &[u8] = if index == 0 { b"SIMPLE  " } else { b"XTENSION" };
        if start[..found] != *expected {
            return if index == 0 { Err(not_fits(&start[..found])) } else { Ok(None) };
        }
        let Some(header) = Header::read(&mut start.as_slice().chain(source))? else { return Ok(None) };
        let data_offset = offset + header.to_bytes().len() as u64;
        let data_length = data_length(&header, index)?;
        let kind = kind(&header, index);
        let shape = shape(&header, kind)?;
        let name = match header.text("EXTNAME") {
            Some(name) => name.to_owned(),
            None if index == 0 => "PRIMARY".to_owned(),
            None => String::new(),
        };
        Ok(Some(Self { index, name, kind, header, offset, data_offset, data_length, shape }))
    }

    /// All HDUs of a file, from its first byte, skipping their data.
    ///
    /// # Errors
    /// As [`Walk::next`].
    pub fn walk(source: &mut (impl Read + Seek)) -> Result<Vec<Self>, FitsError> {
        let (mut walk, mut hdus) = (Walk::default(), Vec::new());
        while let Some(hdu) = walk.next(source)? {
            hdus.push(hdu);
        }
        Ok(hdus)
    }

    /// Where the next HDU begins, in bytes from the start of the file.
    pub fn end(&self) -> u64 {
        self.data_offset + self.data_length.next_multiple_of(BLOCK as u64)
    }

    /// Whether this is an image with at least one pixel, compressed or not.
    pub fn is_image(&self) -> bool {
        matches!(self.kind, Kind::Primary | Kind::Image | Kind::CompressedImage)
            && !self.shape.is_empty()
            && !self.shape.contains(&0)
    }

    /// Whether the data are those of the axes and nothing more.
    pub(crate) fn has_one_group(&self) -> bool {
        let bits = self.header.integer("BITPIX").unwrap_or_default().unsigned_abs();
        product(&self.shape).and_then(|pixels| pixels.checked_mul(bits / 8)) == Some(self.data_length)
    }

    /// The length of a table's row in bytes and the number of rows: together no more than the data.
    pub(crate) fn rows(&self) -> Result<(usize, usize), FitsError> {
        let (row, rows) = (self.header.size("NAXIS1")?, self.header.size("NAXIS2")?);
        let fits = row.checked_mul(rows).is_some_and(|length| length <= self.data_length);
        match (usize::try_from(row), usize::try_from(rows)) {
            (Ok(row), Ok(rows)) if fits => Ok((row, rows)),
            _ => Err(FitsError::header("NAXIS2", format!("{rows} rows of {row} bytes are more than the data"))),
        }
    }

    /// Where the heap of a table begins whose rows have `rows` bytes, in bytes from the start of the data.
    pub(crate) fn heap(&self, rows: u64) -> Result<u64, FitsError> {
        let heap = match self.header.get("THEAP") {
            Some(_) => self.header.size("THEAP")?,
            None => rows,
        };
        if heap < rows || heap > self.data_length {
            return Err(FitsError::header("THEAP", format!("{heap} is not within the data")));
        }
        Ok(heap)
    }

    /// How the tiles of a compressed image are compressed, as its header says.
    pub fn codec(&self) -> Option<&str> {
        (self.kind == Kind::CompressedImage).then(|| self.header.text("ZCMPTYPE")).flatten()
    }

    /// Reads the data, all of them, from their place in the file.
    pub(crate) fn read_data(&self, source: &mut (impl Read + Seek), limit: u64) -> Result<Vec<u8>, FitsError> {
        let what = || format!("the data of HDU {}", self.index);
        if self.data_length > limit {
            return Err(FitsError::TooLarge { what: format!("{} (in bytes)", what()), size: self.data_length, limit });
        }
        source.seek(SeekFrom::Start(self.data_offset))?;
        // Grows with what is really there, whatever the header claims.
        let mut data = Vec::new();
        let found = source.by_ref().take(self.data_length).read_to_end(&mut data)? as u64;
        if found < self.data_length {
            return Err(FitsError::Cut { what: what(), needed: self.data_length, found });
        }
        Ok(data)
    }
}

/// The HDUs of a file, each found when it is asked for: of what comes behind it nothing is read.
#[derive(Debug, Default)]
pub struct Walk {
    /// How many have been found.
    found: usize,
    /// Where the data of the last one begin, how long they are, and where the next one begins.
    data_offset: u64,
    data_length: u64,
    end: u64,
}

impl Walk {
    /// The next HDU; nothing behind the last one. The source may stand anywhere, and is left where the data begin.
    ///
    /// # Errors
    /// As [`Hdu::read`], and [`FitsError::Cut`] if the HDU before promised data that the file does not hold. A last block
    /// that lacks only its filling is accepted.
    pub fn next(&mut self, source: &mut (impl Read + Seek)) -> Result<Option<Hdu>, FitsError> {
        // From the last byte of the data on, which must be there, to the end of its block.
        let last = self.data_offset + self.data_length.saturating_sub(1);
        source.seek(SeekFrom::Start(last))?;
        let mut filling = [0; BLOCK];
        let found = crate::header::fill(source, &mut filling[..(self.end - last) as usize])?;
        if found == 0 && self.data_length > 0 {
            let there = source.seek(SeekFrom::End(0))?.saturating_sub(self.data_offset);
            let what = format!("the data of HDU {}", self.found - 1);
            return Err(FitsError::Cut { what, needed: self.data_length, found: there });
        }
        let hdu = Hdu::read(source, self.found, self.end)?;
        if let Some(hdu) = &hdu {
            self.found += 1;
            (self.data_offset, self.data_length, self.end) = (hdu.data_offset, hdu.data_length, hdu.end());
        }
        Ok(hdu)
    }
}

/// The HDU of `name`, whatever the letter case; the first one if there are several.
pub fn find<'a>(hdus: &'a [Hdu], name: &str) -> Option<&'a Hdu> {
    hdus.iter().find(|hdu| hdu.name.eq_ignore_ascii_case(name))
}

fn not_fits(start: &[u8]) -> FitsError {
    let problem = match start {
        [] => "it is empty; fetch it again".to_owned(),
        [0x1F, 0x8B, ..] => "it is compressed with gzip; make it plain with 'holotype fits unpack'".to_owned(),
        _ => {
            let start = crate::error::shown(&crate::header::latin1(start));
            format!("it begins with '{start}' where 'SIMPLE' is needed; see what it is with 'file'")
        }
    };
    FitsError::NotFits { problem }
}

fn kind(header: &Header, index: usize) -> Kind {
    if index == 0 {
        return if is_groups(header) { Kind::RandomGroups } else { Kind::Primary };
    }
    match header.text("XTENSION") {
        Some("IMAGE" | "IUEIMAGE") => Kind::Image,
        Some("TABLE") => Kind::AsciiTable,
        Some("BINTABLE" | "A3DTABLE") if header.logical("ZIMAGE") == Some(true) => Kind::CompressedImage,
        Some("BINTABLE" | "A3DTABLE") if header.logical("ZTABLE") == Some(true) => Kind::CompressedTable,
        Some("BINTABLE" | "A3DTABLE") => Kind::Table,
        _ => Kind::Other,
    }
}

fn is_groups(header: &Header) -> bool {
    let has_axes = header.integer("NAXIS").is_some_and(|count| count > 0);
    has_axes && header.logical("GROUPS") == Some(true) && header.integer("NAXIS1") == Some(0)
}

/// The lengths of the axes, fastest first, by `NAXIS` or `ZNAXIS`.
pub(crate) fn axes(header: &Header, keyword: &str) -> Result<Vec<u64>, FitsError> {
    let count = header.size(keyword)?;
    if count > MAX_AXES {
        return Err(FitsError::header(keyword, format!("{count} axes, and at most {MAX_AXES} are allowed")));
    }
    (1..=count).map(|axis| header.size(&format!("{keyword}{axis}"))).collect()
}

fn shape(header: &Header, kind: Kind) -> Result<Vec<u64>, FitsError> {
    let reversed = |keyword| {
        let mut axes = axes(header, keyword)?;
        axes.reverse();
        Ok(axes)
    };
    match kind {
        Kind::Primary | Kind::Image | Kind::RandomGroups | Kind::Other => reversed("NAXIS"),
        Kind::CompressedImage => reversed("ZNAXIS"),
        Kind::CompressedTable => Ok(vec![header.size("ZNAXIS2")?, header.size("TFIELDS")?]),
        Kind::Table | Kind::AsciiTable => Ok(vec![header.size("NAXIS2")?, header.size("TFIELDS")?]),
    }
}

/// The length of the data in bytes: |BITPIX| / 8 x GCOUNT x (PCOUNT + the product of the axes).
fn data_length(header: &Header, index: usize) -> Result<u64, FitsError> {
    let bytes = match header.integer("BITPIX") {
        Some(bits @ (8 | 16 | 32 | 64 | -32 | -64)) => bits.unsigned_abs() / 8,
        _ => return Err(FitsError::header("BITPIX", "8, 16, 32, 64, -32 or -64 is needed")),
    };
    let axes = axes(header, "NAXIS")?;
    let groups = index == 0 && is_groups(header);
    let counted = if groups { &axes[1..] } else { &axes[..] };
    if counted.is_empty() {
        return Ok(0);
    }
    let optional = |keyword: &str, default| match header.get(keyword) {
        Some(_) => header.size(keyword),
        None => Ok(default),
    };
    let (parameters, count) =
        if index == 0 && !groups { (0, 1) } else { (optional("PCOUNT", 0)?, optional("GCOUNT", 1)?) };
    let pixels = product(counted);
    pixels
        .and_then(|pixels| pixels.checked_add(parameters)?.checked_mul(count)?.checked_mul(bytes))
        // Leaves room for offsets to be added up.
        .filter(|&length| length < 1 << 60)
        .ok_or_else(|| FitsError::header("NAXIS", "the axes make more data than any file holds"))
}

/// The product of the lengths of axes; nothing if it is beyond 64 bits.
pub(crate) fn product(axes: &[u64]) -> Option<u64> {
    if axes.contains(&0) {
        return Some(0);
    }
    axes.iter().try_fold(1_u64, |product, &length| product.checked_mul(length))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::{Card, Value};

    fn header(cards: &[(&str, Value)]) -> Header {
        cards.iter().map(|(keyword, value)| Card::new(keyword, value.clone(), "").unwrap()).collect()
    }

    fn image(first: (&str, Value), bits: i128, axes: &[i128]) -> Header {
        let mut header =
            header(&[first, ("BITPIX", Value::Integer(bits)), ("NAXIS", Value::Integer(axes.len() as i128))]);
        for (index, length) in axes.iter().enumerate() {
            header.set(&format!("NAXIS{}", index + 1), Value::Integer(*length), None).unwrap();
        }
        header
    }

    fn primary(bits: i128, axes: &[i128]) -> Header {
        image(("SIMPLE", Value::Logical(true)), bits, axes)
    }

    fn file(parts: &[(Header, usize)]) -> Cursor<Vec<u8>> {
        let mut bytes = Vec::new();
        for (header, data) in parts {
            bytes.extend(header.to_bytes());
            bytes.resize(bytes.len() + data.next_multiple_of(BLOCK), 0);
        }
        Cursor::new(bytes)
    }

    #[test]
    fn hdus_are_found_with_their_place_and_shape() {
        let mut extension = image(("XTENSION", Value::Text("IMAGE".into())), -32, &[30, 100]);
        extension.set("EXTNAME", Value::Text("Sci".into()), None).unwrap();
        let mut source = file(&[(primary(16, &[]), 0), (extension, 12_000)]);
        let hdus = Hdu::walk(&mut source).unwrap();
        let found: Vec<_> =
            hdus.iter().map(|hdu| (hdu.name.as_str(), hdu.kind, hdu.data_offset, hdu.data_length)).collect();
        assert_eq!(found, [("PRIMARY", Kind::Primary, 2880, 0), ("Sci", Kind::Image, 5760, 12_000)]);
        assert_eq!((hdus[1].shape.as_slice(), hdus[1].end()), ([100, 30].as_slice(), 5760 + 14_400));
        assert_eq!(find(&hdus, "SCI").map(|hdu| hdu.index), Some(1));
        assert!(hdus[1].is_image() && !hdus[0].is_image());
    }

    #[test]
    fn what_follows_the_last_hdu_is_not_an_hdu() {
        let mut source = file(&[(primary(8, &[10]), 10)]);
        source.get_mut().extend([0; 500]);
        assert_eq!(Hdu::walk(&mut source).unwrap().len(), 1);
        // The filling of the last block may be missing, the data may not.
        source.get_mut().truncate(2880 + 10);
        assert_eq!(Hdu::walk(&mut source).unwrap().len(), 1);
        source.get_mut().truncate(2880 + 9);
        assert!(matches!(Hdu::walk(&mut source), Err(FitsError::Cut { needed: 10, found: 9, .. })));
    }

    #[test]
    fn impossible_sizes_are_errors() {
        for axes in [vec![i64::MAX.into(), i64::MAX.into()], vec![-1], vec![i128::MAX], vec![1 << 40, 1 << 40]] {
            let error = Hdu::walk(&mut file(&[(primary(64, &axes), 0)])).unwrap_err();
            assert!(matches!(error, FitsError::Header { .. }), "{axes:?}: {error}");
        }
        let mut many = primary(8, &[]);
        many.set("NAXIS", Value::Integer(1_000_000_000), None).unwrap();
        assert!(matches!(Hdu::walk(&mut file(&[(many, 0)])), Err(FitsError::Header { .. })));
        let mut groups = primary(8, &[]);
        groups.set("GROUPS", Value::Logical(true), None).unwrap();
        groups.set("NAXIS1", Value::Integer(0), None).unwrap();
        assert_eq!(Hdu::walk(&mut file(&[(groups, 0)])).unwrap()[0].kind, Kind::Primary);
        let large = Hdu::walk(&mut file(&[(primary(8, &[1 << 50]), 0)])).unwrap_err();
        assert!(matches!(large, FitsError::Cut { found: 0, .. }), "{large}");
    }

    #[test]
    fn another_file_is_told_what_it_is() {
        let problem = |bytes: &[u8]| Hdu::walk(&mut Cursor::new(bytes)).unwrap_err().to_string();
        assert!(problem(b"").contains("empty"));
        assert!(problem(b"\x1f\x8b\x08\0").contains("gzip"));
        assert!(problem(b"<html><body>").contains("<html>"));
    }
}
