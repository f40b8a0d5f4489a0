//! Small packed images of every codec, sound and damaged. The tiles were made by astropy from the pixels below.

use std::io::Cursor;

use holotype_fits::stats::FileStats;
use holotype_fits::table::Table;
use holotype_fits::unpack::{Unpacked, unpack};
use holotype_fits::write::{Position, Quantisation, empty_primary, image, rice};
use holotype_fits::{Card, FitsError, Hdu, Header, Image, Kind, Pixels, Value, checksum};
use proptest::prelude::*;

const HCOMPRESS: &str = "dd99000000080000000c000000000000000000001160090403f6d7b71ed3f7958f7f6d64802ffd000212717d918bfe00429040fbd6fb0ffffffff83ef5bec3fffffc010a413fe0fbd6fbff83ef5bec00000000600600130320600c";
const HCOMPRESS_LOSSY: &str = "dd99000000080000000c0000000200000000000008b0080302f6d7b71ed3f7958f7f6d64802ffd000212717d9188010a4103ef5bec3fffffc3ef5bec3fffffc010a4103ef5beffe0000000600600130320600c";
const PLIO: &str = "00000007ff9c00120000000000002006001b400600064006000640063006000f400c000c";
const RICE: [&str; 4] = [
    "0064386343431802c31a1a18029a18d0d01e1a18d0c0",
    "007d38686f0d39a18531a0",
    "007a38686863400a6343431802c31a1a18029a18d0d0",
    "0093390c614d0de1a73430",
];
const GZIP: &str = "1f8b0800f8b4006b02ff6360a02d48c9cccb2b2eaea8ad6d6a6acfc9292c2babae6e686dedeaca2f29a9acab6b6eeee8ed9d545e5e53d3d8d6d6dd3d61ead4aafafa9696cebebec99367ccad6d6a6fefe999386ddaecd90b807afafba74c99396fdee2c5203dd3a7cf99b370d9b2d50031d45573c0000000";

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|index| u8::from_str_radix(&hex[2 * index..2 * index + 2], 16).unwrap()).collect()
}

/// 8 rows of 12 pixels: a slope with a pattern.
fn slope() -> Vec<i16> {
    let pixel = |x: i16, y: i16| 100 + 3 * x + 5 * y + (x * 7 + y * 13) % 5;
    (0..8).flat_map(|y| (0..12).map(move |x| pixel(x, y))).collect()
}

/// 8 rows of 12 pixels: two areas.
fn mask() -> Vec<i16> {
    let pixel = |x: usize, y: usize| match (x, y) {
        (3..=8, 2..=4) => 7,
        (_, 6) => 1,
        _ => 0,
    };
    (0..8).flat_map(|y| (0..12).map(move |x| pixel(x, y))).collect()
}

fn header(cards: &[(&str, Value)]) -> Header {
    cards.iter().map(|(keyword, value)| Card::new(keyword, value.clone(), "").unwrap()).collect()
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn whole(value: usize) -> Value {
    Value::Integer(value as i128)
}

/// A file whose second HDU is 8 by 12 pixels of 16 bits in these tiles; `more` replaces or adds cards.
fn packed(codec: &str, element: &str, tiles: &[Vec<u8>], more: &[(&str, Value)]) -> Vec<u8> {
    let heap: usize = tiles.iter().map(Vec::len).sum();
    let mut header = header(&[
        ("XTENSION", text("BINTABLE")),
        ("BITPIX", whole(8)),
        ("NAXIS", whole(2)),
        ("NAXIS1", whole(8)),
        ("NAXIS2", whole(tiles.len())),
        ("PCOUNT", whole(heap)),
        ("GCOUNT", whole(1)),
        ("TFIELDS", whole(1)),
        ("TTYPE1", text("COMPRESSED_DATA")),
        ("TFORM1", text(&format!("1P{element}"))),
        ("ZIMAGE", Value::Logical(true)),
        ("ZBITPIX", whole(16)),
        ("ZNAXIS", whole(2)),
        ("ZNAXIS1", whole(12)),
        ("ZNAXIS2", whole(8)),
        ("ZTILE1", whole(12)),
        ("ZTILE2", whole(8)),
        ("ZCMPTYPE", text(codec)),
    ]);
    for (keyword, value) in more {
        header.set(keyword, value.clone(), None).unwrap();
    }
    let mut file = Vec::new();
    empty_primary(&mut file, &Header::default()).unwrap();
    header.write(&mut file).unwrap();
    let mut offset = 0;
    for tile in tiles {
        let count = if element == "I" { tile.len() / 2 } else { tile.len() };
        file.extend_from_slice(&(count as u32).to_be_bytes());
        file.extend_from_slice(&(offset as u32).to_be_bytes());
        offset += tile.len();
    }
    file.extend(tiles.concat());
    file.resize(file.len().next_multiple_of(2880), 0);
    file
}

fn decoded(file: &[u8]) -> Result<Image, FitsError> {
    let mut source = Cursor::new(file);
    let hdus = Hdu::walk(&mut source)?;
    Image::read(&mut source, &hdus[1])
}

fn unpacked(file: &[u8]) -> Result<(Unpacked, Cursor<Vec<u8>>), FitsError> {
    let mut plain = Cursor::new(Vec::new());
    let done = unpack(&mut Cursor::new(file), &mut plain)?;
    Ok((done, plain))
}

fn rice_tiles() -> Vec<u8> {
    let more = [
        ("ZTILE1", whole(8)),
        ("ZTILE2", whole(4)),
        ("ZNAME1", text("BLOCKSIZE")),
        ("ZVAL1", whole(32)),
        ("ZNAME2", text("BYTEPIX")),
        ("ZVAL2", whole(2)),
    ];
    packed("RICE_1", "B", &RICE.map(bytes), &more)
}

fn smooth() -> [(&'static str, Value); 4] {
    [("ZNAME1", text("SCALE")), ("ZVAL1", whole(2)), ("ZNAME2", text("SMOOTH")), ("ZVAL2", whole(1))]
}

#[test]
fn every_codec_gives_back_the_pixels() {
    let expected = |pixels| Image { shape: vec![8, 12], pixels: Pixels::I16(pixels) };
    assert_eq!(decoded(&rice_tiles()).unwrap(), expected(slope()));
    assert_eq!(decoded(&packed("HCOMPRESS_1", "B", &[bytes(HCOMPRESS)], &[])).unwrap(), expected(slope()));
    assert_eq!(decoded(&packed("GZIP_2", "B", &[bytes(GZIP)], &[])).unwrap(), expected(slope()));
    assert_eq!(decoded(&packed("PLIO_1", "I", &[bytes(PLIO)], &[])).unwrap(), expected(mask()));
    let plain: Vec<u8> = slope().iter().flat_map(|pixel| pixel.to_be_bytes()).collect();
    assert_eq!(decoded(&packed("NOCOMPRESS", "B", &[plain], &[])).unwrap(), expected(slope()));
}

#[test]
fn a_lossy_tile_is_smoothed_as_its_header_asks() {
    let image = decoded(&packed("HCOMPRESS_1", "B", &[bytes(HCOMPRESS_LOSSY)], &smooth())).unwrap();
    let Pixels::I16(pixels) = image.pixels else { panic!("16 bits stay 16 bits") };
    assert_eq!(pixels[..12], [99, 104, 109, 110, 114, 115, 120, 125, 124, 129, 129, 134]);
    assert_eq!(pixels[84..], [136, 141, 141, 146, 150, 151, 155, 156, 161, 166, 166, 171]);
}

#[test]
fn what_does_not_fit_together_is_an_error() {
    let wrong = |more: &[(&str, Value)]| decoded(&packed("RICE_1", "B", &[bytes(RICE[0])], more)).unwrap_err();
    let header_of = |error: &FitsError| matches!(error, FitsError::Header { .. });
    assert!(header_of(&wrong(&[("ZTILE2", whole(4))])), "two tiles, one row");
    assert!(header_of(&wrong(&[("ZTILE1", whole(0))])));
    assert!(header_of(&wrong(&[("ZNAXIS1", Value::Integer(-12))])));
    assert!(header_of(&wrong(&[("ZBITPIX", whole(12))])));
    assert!(header_of(&wrong(&[("NAXIS1", whole(4))])), "the columns are wider than the row");
    assert!(header_of(&wrong(&[("THEAP", whole(4))])), "the heap lies within the rows");
    assert!(header_of(&wrong(&[("ZNAME1", text("BLOCKSIZE")), ("ZVAL1", whole(0))])));
    assert!(header_of(&wrong(&[("NAXIS", whole(1)), ("NAXIS2", Value::Integer(i128::from(u64::MAX)))])));
    let huge = [("ZNAXIS1", whole(1 << 40)), ("ZNAXIS2", whole(1 << 40))];
    assert!(matches!(wrong(&huge), FitsError::TooLarge { .. }));
    let long = [("ZNAXIS1", whole(1 << 28)), ("ZTILE1", whole(1 << 28)), ("ZNAXIS2", whole(1)), ("ZTILE2", whole(1))];
    assert!(matches!(wrong(&long), FitsError::TooLarge { .. }));
    assert!(matches!(wrong(&[("ZCMPTYPE", text("BZIP2"))]), FitsError::Unsupported { .. }));
    assert!(matches!(wrong(&[("TTYPE1", text("OTHER"))]), FitsError::Damaged { hdu: 1, .. }));
}

#[test]
fn a_tile_that_is_cut_is_an_error() {
    for (codec, element, tile) in
        [("HCOMPRESS_1", "B", HCOMPRESS), ("GZIP_2", "B", GZIP), ("PLIO_1", "I", PLIO), ("RICE_1", "B", RICE[0])]
    {
        let mut tile = bytes(tile);
        tile.truncate(tile.len() - 8);
        let error = decoded(&packed(codec, element, &[tile], &[])).unwrap_err();
        assert!(matches!(error, FitsError::Damaged { hdu: 1, .. }), "{codec}: {error}");
    }
}

#[test]
fn a_tile_that_unpacks_to_too_much_is_an_error() {
    let zeros = Image { shape: vec![1, 1 << 20], pixels: Pixels::U8(vec![0; 1 << 20]) };
    let mut plain = Vec::new();
    image(&mut plain, Position::Primary, &Header::default(), &zeros).unwrap();
    let bomb = fitsio_pure::gzip::compress(&plain, 9);
    let error = decoded(&packed("GZIP_1", "B", &[bomb], &[])).unwrap_err();
    assert!(error.to_string().contains("more than the 768 bytes"), "{error}");
}

#[test]
fn unpacking_gives_a_plain_image_with_true_sums() {
    let mut source = unpacked(&rice_tiles()).unwrap().1;
    let hdus = Hdu::walk(&mut source).unwrap();
    let keywords: Vec<_> = hdus[1].header.cards().iter().map(Card::keyword).collect();
    let expected = ["XTENSION", "BITPIX", "NAXIS", "NAXIS1", "NAXIS2", "PCOUNT", "GCOUNT", "CHECKSUM", "DATASUM"];
    assert_eq!(keywords, expected);
    let found = checksum::verify(&mut source, &hdus[1]).unwrap();
    assert_eq!((found.checksum, found.datasum), (checksum::Verdict::Right, checksum::Verdict::Right));
    assert_eq!(Image::read(&mut source, &hdus[1]).unwrap().pixels, Pixels::I16(slope()));
}

#[test]
fn an_image_that_was_the_primary_becomes_it_again() {
    let more = [("ZSIMPLE", Value::Logical(true)), ("EXTNAME", text("COMPRESSED_IMAGE")), ("OBJECT", text("M 31"))];
    let (done, mut file) = unpacked(&packed("GZIP_2", "B", &[bytes(GZIP)], &more)).unwrap();
    assert_eq!((done.images, done.hdus, done.bytes), (1, 1, file.get_ref().len() as u64));
    let hdus = Hdu::walk(&mut file).unwrap();
    assert_eq!((hdus.len(), hdus[0].name.as_str()), (1, "PRIMARY"));
    assert_eq!(hdus[0].header.text("OBJECT"), Some("M 31"));
}

#[test]
fn a_packed_image_that_has_changed_is_not_unpacked() {
    let pixels = Image { shape: vec![8, 12], pixels: Pixels::I16(slope()) };
    let mut file = Vec::new();
    empty_primary(&mut file, &Header::default()).unwrap();
    rice(&mut file, &Header::default(), &pixels, Quantisation { level: 4.0, dither: false }).unwrap();
    unpacked(&file).unwrap();
    let data = Hdu::walk(&mut Cursor::new(&file)).unwrap()[1].data_offset as usize;
    file[data + 70] ^= 1;
    let error = unpacked(&file).unwrap_err();
    assert!(matches!(error, FitsError::Damaged { hdu: 1, .. }), "{error}");
}

#[test]
fn a_sum_that_was_stale_when_the_image_was_packed_is_made_anew_and_told() {
    let mut file = packed("GZIP_2", "B", &[bytes(GZIP)], &[("ZDATASUM", text("12345"))]);
    let error = unpacked(&file).unwrap_err();
    assert!(error.to_string().contains("ZDATASUM"), "nothing vouches for the packed bytes: {error}");

    // The same with sums of its own.
    let table = Hdu::walk(&mut Cursor::new(&file)).unwrap().swap_remove(1);
    let sum = checksum::data_sum(&mut Cursor::new(&file), &table).unwrap();
    let mut header = table.header.clone();
    checksum::stamp(&mut header, sum).unwrap();
    assert_eq!(header.to_bytes().len(), table.header.to_bytes().len());
    file.splice(table.offset as usize..table.data_offset as usize, header.to_bytes());
    let (done, mut plain) = unpacked(&file).unwrap();
    assert_eq!(done.stale, [1]);
    let hdus = Hdu::walk(&mut plain).unwrap();
    let found = checksum::verify(&mut plain, &hdus[1]).unwrap();
    assert_eq!((found.checksum, found.datasum), (checksum::Verdict::Right, checksum::Verdict::Right));
    assert_eq!(Image::read(&mut plain, &hdus[1]).unwrap().pixels, Pixels::I16(slope()));
}

#[test]
fn what_is_not_read_is_refused_by_name() {
    let refused = |more: &[(&str, Value)]| match decoded(&packed("RICE_1", "B", &[bytes(RICE[0])], more)) {
        Err(FitsError::Unsupported { what }) => what,
        other => panic!("{other:?}"),
    };
    assert!(refused(&[("ZMASKCMP", text("RICE_1"))]).contains("ZMASKCMP"));
    assert!(refused(&[("ZNAME1", text("BYTEPIX")), ("ZVAL1", whole(8))]).contains("BYTEPIX 8"));
    assert!(refused(&[("ZCMPTYPE", text("BZIP2"))]).contains("BZIP2"));

    let groups = header(&[
        ("SIMPLE", Value::Logical(true)),
        ("BITPIX", whole(16)),
        ("NAXIS", whole(2)),
        ("NAXIS1", whole(0)),
        ("NAXIS2", whole(10)),
        ("GROUPS", Value::Logical(true)),
        ("PCOUNT", whole(2)),
        ("GCOUNT", whole(3)),
    ]);
    let mut file = groups.to_bytes();
    file.resize(2 * 2880, 0);
    let mut source = Cursor::new(&file);
    let hdus = Hdu::walk(&mut source).unwrap();
    assert_eq!((hdus[0].kind, hdus[0].data_length), (Kind::RandomGroups, 72));
    assert!(matches!(Image::read(&mut source, &hdus[0]), Err(FitsError::Unsupported { .. })));
    assert_eq!(unpacked(&file).unwrap().1.into_inner(), file, "copied as they are");
}

/// Everything that reads, on bytes that may be anything: none of it may panic.
fn read_all(file: &[u8]) {
    let mut source = Cursor::new(file);
    let _stats = FileStats::read(&mut source);
    let _unpacked = unpack(&mut source, &mut Cursor::new(Vec::new()));
    for hdu in Hdu::walk(&mut source).unwrap_or_default() {
        let _verified = checksum::verify(&mut source, &hdu);
        let _image = Image::read(&mut source, &hdu);
        if let Ok(table) = Table::read(&mut source, &hdu) {
            for column in table.columns() {
                let _cells = table.cells(column);
            }
        }
        assert_eq!(Header::read(&mut hdu.header.to_bytes().as_slice()).unwrap().unwrap(), hdu.header);
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let reals = Image { shape: vec![8, 12], pixels: Pixels::F32((0..96).map(|value| value as f32 * 0.7).collect()) };
    let mut quantised = Vec::new();
    empty_primary(&mut quantised, &Header::default()).unwrap();
    rice(&mut quantised, &Header::default(), &reals, Quantisation { level: 4.0, dither: true }).unwrap();
    vec![
        rice_tiles(),
        packed("HCOMPRESS_1", "B", &[bytes(HCOMPRESS)], &[]),
        packed("HCOMPRESS_1", "B", &[bytes(HCOMPRESS_LOSSY)], &smooth()),
        packed("PLIO_1", "I", &[bytes(PLIO)], &[]),
        packed("GZIP_2", "B", &[bytes(GZIP)], &[]),
        quantised,
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_files_never_stop_the_program(seed in 0_usize..6, changes in prop::collection::vec((0.0..1.0, any::<u8>()), 1..6)) {
        let mut file = seeds().swap_remove(seed);
        let end = file.len();
        for (place, byte) in changes {
            // The table and its heap, and the cards before them.
            let start = 2880;
            file[start + ((end - start) as f64 * place) as usize] = byte;
        }
        read_all(&file);
    }

    #[test]
    fn damaged_tiles_never_stop_the_program(seed in 0_usize..6, changes in prop::collection::vec((0_usize..160, any::<u8>()), 1..6)) {
        let mut file = seeds().swap_remove(seed);
        let data = Hdu::walk(&mut Cursor::new(&file)).unwrap()[1].data_offset as usize;
        for (place, byte) in changes {
            file[data + place] = byte;
        }
        read_all(&file);
    }

    #[test]
    fn digits_in_headers_never_stop_the_program(seed in 0_usize..6, card in 0_usize..24, number in any::<i128>(), shift in 0_u32..127) {
        let mut file = seeds().swap_remove(seed);
        let text = format!("{:>20}", (number >> shift).to_string().chars().take(20).collect::<String>());
        let start = 2880 + 80 * card + 10;
        file[start..start + 20].copy_from_slice(text.as_bytes());
        read_all(&file);
    }
}
