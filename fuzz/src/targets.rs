//! One function for each target: what it is given may be anything, and it may stop only for a fault of ours.

use std::io::Cursor;

use holotype_fits::stats::{FileStats, ImageStats};
use holotype_fits::table::Table;
use holotype_fits::wcs::{Pixel, Wcs};
use holotype_fits::{Card, Hdu, Header, Image, Value, checksum, display, unpack};

/// Images larger than this are left out: they are accepted, and cost more time than they teach.
const MAX_PIXELS: u64 = 1 << 18;

/// The HDUs of a file, without those that would take long.
fn walk(source: &mut Cursor<&[u8]>) -> Vec<Hdu> {
    let mut hdus = Hdu::walk(source).unwrap_or_default();
    hdus.retain(|hdu| {
        hdu.shape
            .iter()
            .try_fold(1_u64, |count, &length| count.checked_mul(length))
            .is_some_and(|count| count <= MAX_PIXELS)
    });
    hdus
}

/// Text as a header, with the end that it may lack.
fn with_end(data: &[u8]) -> Vec<u8> {
    let mut bytes = data.to_vec();
    bytes.resize(bytes.len().next_multiple_of(80), b' ');
    bytes.extend_from_slice(b"END");
    bytes.resize(bytes.len().next_multiple_of(2880), b' ');
    bytes
}

/// A header is read, is written back as it was, and cards that can be made of its values have these values.
pub fn header(data: &[u8]) {
    for bytes in [data.to_vec(), with_end(data)] {
        let Ok(Some(header)) = Header::read(&mut bytes.as_slice()) else { continue };
        let written = header.to_bytes();
        assert_eq!(bytes[..written.len()], written, "a header is written back as it was");
        for card in header.cards() {
            let Some(value) = card.value() else { continue };
            let Ok(made) = Card::new(card.keyword(), value.clone(), card.comment()) else { continue };
            assert!(same(made.value(), value), "{made:?} is made of {card:?}");
            let again: Header = [made].into_iter().collect();
            let read = Header::read(&mut again.to_bytes().as_slice()).ok().flatten();
            let read = read.as_ref().and_then(|header| header.cards().first()).and_then(Card::value);
            assert!(same(read, value), "{read:?} is read back of {card:?}");
        }
    }
}

fn same(found: Option<&Value>, value: &Value) -> bool {
    match (found, value) {
        (Some(Value::Real(found)), Value::Real(value)) => found.to_bits() == value.to_bits(),
        (Some(Value::Complex(a, b)), Value::Complex(c, d)) => (a.to_bits(), b.to_bits()) == (c.to_bits(), d.to_bits()),
        (Some(found), value) => found == value,
        (None, _) => false,
    }
}

/// The HDUs of a file follow each other and lie within it.
pub fn hdu(data: &[u8]) {
    let hdus = Hdu::walk(&mut Cursor::new(data)).unwrap_or_default();
    let mut end = 0;
    for (index, hdu) in hdus.iter().enumerate() {
        assert_eq!((hdu.index, hdu.offset), (index, end));
        assert!(hdu.data_offset + hdu.data_length <= data.len() as u64);
        end = hdu.end();
        drop(Image::dtype(hdu));
    }
}

/// An image has the pixels that its shape says, of the type that its header says.
pub fn image(data: &[u8]) {
    let mut source = Cursor::new(data);
    for hdu in walk(&mut source) {
        let Ok(image) = Image::read(&mut source, &hdu) else { continue };
        assert_eq!(image.shape.iter().product::<usize>(), image.pixels.len());
        assert_eq!(Image::dtype(&hdu).ok().flatten(), Some(image.pixels.dtype()));
        ImageStats::of(&hdu, image);
    }
}

/// Every column of a table has as many cells as the table has rows.
pub fn table(data: &[u8]) {
    let mut source = Cursor::new(data);
    for hdu in walk(&mut source) {
        let Ok(table) = Table::read(&mut source, &hdu) else { continue };
        for column in table.columns() {
            let Ok(cells) = table.cells(column) else { continue };
            assert_eq!(cells.len(), table.rows() * column.width, "{column:?}");
        }
    }
}

/// What is stamped is right.
pub fn checksum(data: &[u8]) {
    let mut source = Cursor::new(data);
    for hdu in walk(&mut source) {
        drop(checksum::verify(&mut source, &hdu));
        let (mut header, Ok(sum)) = (hdu.header.clone(), checksum::data_sum(&mut source, &hdu)) else { continue };
        assert!(checksum::stamp(&mut header, sum).is_ok());
        let mut file = header.to_bytes();
        file.extend_from_slice(&data[hdu.data_offset as usize..data.len().min(hdu.end() as usize)]);
        file.resize(file.len().next_multiple_of(2880), 0);
        let stamped = Hdu::read(&mut file.as_slice(), hdu.index, 0).ok().flatten();
        let found = stamped.map(|stamped| checksum::verify(&mut Cursor::new(&file), &stamped));
        assert!(matches!(found, Some(Ok(found)) if !found.is_wrong()));
    }
}

/// What a file unpacks to holds the same images.
pub fn unpack(data: &[u8]) {
    if data.starts_with(&[0x1F, 0x8B]) {
        let mut plain = Vec::new();
        drop(unpack::gunzip(&mut &data[..], &mut plain));
        return;
    }
    let mut source = Cursor::new(data);
    if walk(&mut source).len() != Hdu::walk(&mut source).map_or(0, |hdus| hdus.len()) {
        return;
    }
    let mut plain = Cursor::new(Vec::new());
    let mut streamed = Vec::new();
    let forward = unpack::unpack_stream(&mut source, &mut streamed);
    let Ok(done) = unpack::unpack(&mut source, &mut plain) else {
        assert!(forward.is_err());
        return;
    };
    assert_eq!(done.bytes, plain.get_ref().len() as u64);
    assert_eq!(forward.ok(), Some(done));
    assert!(streamed == *plain.get_ref());
    let (Ok(packed), Ok(plain)) = (FileStats::read(&mut source), FileStats::read(&mut plain)) else { return };
    let figures = |stats: FileStats| -> Vec<_> {
        stats.hdus.into_iter().map(|image| (image.shape, image.dtype, image.sha256)).collect()
    };
    assert_eq!(figures(packed), figures(plain));
}

/// A pixel leads to a position, and where that leads back it leads to the same pixel.
pub fn wcs(data: &[u8]) {
    let bytes = with_end(data);
    let Ok(Some(header)) = Header::read(&mut bytes.as_slice()) else { return };
    let Ok(Some(wcs)) = Wcs::from_header(&header) else { return };
    for pixel in [Pixel { x: 0.0, y: 0.0 }, Pixel { x: 100.5, y: -7.25 }, Pixel { x: 1e9, y: 1e-9 }] {
        let position = wcs.sky(pixel);
        let _ = wcs.pixel(position);
    }
    wcs.footprint(100, 200);
    wcs.footprint(u64::MAX, 0);
}

/// An image becomes a picture.
pub fn display(data: &[u8]) {
    let mut source = Cursor::new(data);
    for hdu in walk(&mut source) {
        let Ok(image) = Image::read(&mut source, &hdu) else { continue };
        let Ok(picture) = display::picture(&image, None) else { continue };
        assert_eq!([picture.height(), picture.width()], image.shape[..]);
        let Ok(small) = picture.thumbnail(50) else { continue };
        assert!(small.width() <= 50 && small.height() <= 50);
        drop(small.jpeg());
    }
}
