//! `holotype fits`: files on the disk, sound and damaged, without a home.

use std::io::Write;
use std::path::PathBuf;

use holotype_fits::write::{Position, Quantisation, empty_primary, image, rice};
use holotype_fits::{Card, Header, Image, Pixels, Value};
use serde_json::json;

use crate::lab::Lab;

fn picture() -> Image {
    Image { shape: vec![40, 60], pixels: Pixels::U16((0..2400).map(|value| 1000 + value * 7 % 400).collect()) }
}

fn header() -> Header {
    let text = |text: &str| Value::Text(text.to_owned());
    let mut header: Header = [
        ("EXTNAME", text("SCI")),
        ("OBJECT", text("M 31")),
        ("EXPTIME", Value::Real(30.5)),
        ("GAIN", Value::Integer(1)),
        ("GAIN", Value::Integer(2)),
    ]
    .into_iter()
    .map(|(keyword, value)| Card::new(keyword, value, "").unwrap())
    .collect();
    header.push(Card::commentary("HISTORY", "made by a test").unwrap());
    header
}

/// A file whose second HDU is an image, plain or in compressed tiles.
fn fits(packed: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    empty_primary(&mut bytes, &Header::default()).unwrap();
    match packed {
        true => rice(&mut bytes, &header(), &picture(), Quantisation { level: 4.0, dither: false }).unwrap(),
        false => image(&mut bytes, Position::Extension, &header(), &picture()).unwrap(),
    }
    bytes
}

#[test]
fn the_hdus_of_a_file_are_listed_without_a_home() {
    let lab = Lab::bare();
    lab.file("a.fits.fz", fits(true));
    let listed = lab.run(["fits", "info", "a.fits.fz"]).text().to_owned();
    let rows: Vec<Vec<&str>> = listed.lines().map(|line| line.split("  ").map(str::trim).collect()).collect();
    assert_eq!(rows.len(), 3, "{listed}");
    assert!(listed.contains("compressed image  40 x 60  uint16  RICE_1"), "{listed}");
    let hdus = lab.run(["fits", "info", "a.fits.fz", "--json"]).json();
    assert_eq!(hdus["hdus"][0]["kind"], "primary");
    let image = &hdus["hdus"][1];
    assert_eq!((&image["name"], &image["dtype"], &image["codec"]), (&json!("SCI"), &json!("uint16"), &json!("RICE_1")));
    assert_eq!(image["shape"], json!([40, 60]));
    assert!(!lab.home().exists(), "no home is made");
}

#[test]
fn a_header_is_printed_card_by_card_with_duplicates() {
    let lab = Lab::bare();
    lab.file("a.fits", fits(false));
    let text = lab.run(["fits", "header", "a.fits", "--hdu", "sci"]).text().to_owned();
    assert!(text.contains("\nEXTNAME = 'SCI     '\n") && text.contains("\nHISTORY made by a test\n"), "{text}");
    let cards = lab.run(["fits", "header", "a.fits", "--hdu", "1", "--json"]).json();
    let gains: Vec<_> =
        cards.as_array().unwrap().iter().filter(|card| card["keyword"] == "GAIN").map(|card| &card["value"]).collect();
    assert_eq!(gains, [&json!(1), &json!(2)]);
    assert!(lab.run(["fits", "header", "a.fits"]).text().starts_with("SIMPLE  ="));
    let missing = lab.run(["fits", "header", "a.fits", "--hdu", "BPM"]);
    assert!(missing.fails(3).contains("a.fits: the file has no HDU BPM"), "{missing:#?}");
}

#[test]
fn figures_are_the_same_however_a_file_is_packed() {
    let lab = Lab::bare();
    lab.file("a.fits", fits(false));
    lab.file("a.fits.fz", fits(true));
    let plain = lab.run(["fits", "stats", "a.fits", "--json"]).json();
    let keys: Vec<_> = plain["hdus"][0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["index", "name", "shape", "dtype", "nan", "min", "max", "sum", "sha256"]);
    assert_eq!(plain.as_object().unwrap().len(), 1);
    assert_eq!(lab.run(["fits", "stats", "a.fits.fz", "--json"]).json(), plain);
    let Pixels::U16(values) = picture().pixels else { unreachable!("the picture is made so") };
    assert_eq!(plain["hdus"][0]["sum"], values.iter().map(|&value| u64::from(value)).sum::<u64>());
    let both = lab.run(["fits", "stats", "a.fits", "a.fits.fz", "--json"]).text().to_owned();
    let files: Vec<_> = both
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["file"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(files, ["a.fits", "a.fits.fz"]);
}

#[test]
fn a_changed_byte_is_found_and_ends_with_1() {
    let lab = Lab::bare();
    let mut bytes = fits(false);
    lab.file("good.fits", &bytes);
    let place = bytes.len() - 2880;
    bytes[place] ^= 1;
    lab.file("bad.fits", &bytes);
    assert!(lab.run(["fits", "verify", "good.fits"]).text().contains("SCI      right     right"));
    let bad = lab.run(["fits", "verify", "bad.fits"]);
    assert_eq!((bad.code, bad.stderr.as_str()), (Some(1), ""), "{bad:#?}");
    assert!(bad.stdout.contains("SCI      wrong     wrong"), "{bad:#?}");
    let both = lab.run(["fits", "verify", "bad.fits", "good.fits", "--json"]);
    assert_eq!((both.code, both.stdout.lines().count()), (Some(1), 2), "{both:#?}");
}

#[test]
fn an_unpacked_file_is_whole_and_never_in_place_of_another() {
    let lab = Lab::bare();
    lab.file("a.fits.fz", fits(true));
    let told = lab.run(["fits", "unpack", "a.fits.fz", "--json"]).json();
    assert_eq!((&told["path"], &told["images"], &told["hdus"]), (&json!("a.fits"), &json!(1), &json!(2)));
    let unpacked = std::fs::read(lab.folder().join("a.fits")).unwrap();
    assert_eq!(told["size"], unpacked.len());
    lab.run(["fits", "verify", "a.fits"]).text();
    let again = lab.run(["fits", "unpack", "a.fits.fz"]);
    assert!(again.fails(4).contains("--force"), "{again:#?}");
    lab.run(["fits", "unpack", "a.fits.fz", "--force"]).text();
    assert_eq!(std::fs::read(lab.folder().join("a.fits")).unwrap(), unpacked);

    let mut damaged = fits(true);
    let place = damaged.len() - 2880;
    damaged[place] ^= 1;
    lab.file("b.fits.fz", damaged);
    let refused = lab.run(["fits", "unpack", "b.fits.fz"]);
    assert!(refused.fails(2).contains("b.fits.fz: the data of HDU 1 are damaged"), "{refused:#?}");
    let mut names: Vec<PathBuf> =
        lab.folder().read_dir().unwrap().map(|entry| entry.unwrap().file_name().into()).collect();
    names.sort();
    assert_eq!(names, ["a.fits", "a.fits.fz", "b.fits.fz"].map(PathBuf::from), "nothing half done is left");
}

#[test]
fn files_that_are_compressed_as_a_whole_are_unpacked_too() {
    let lab = Lab::bare();
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    lab.file("a.fits.gz", gzip(&fits(false)));
    lab.file("b.fits.fz.gz", gzip(&fits(true)));
    lab.file("c.txt.gz", gzip(b"some text"));
    let mut cut = gzip(&fits(false));
    cut.truncate(cut.len() / 2);
    lab.file("d.fits.gz", cut);
    std::fs::create_dir(lab.folder().join("night")).unwrap();
    lab.run(["fits", "unpack", "a.fits.gz", "b.fits.fz.gz", "--output", "night"]).text();
    assert_eq!(std::fs::read(lab.folder().join("night/a.fits")).unwrap(), fits(false));
    let stats = |name: &str| lab.run(["fits", "stats", name, "--json"]).json();
    assert_eq!(stats("night/a.fits"), stats("night/b.fits"));
    for (name, says) in [("c.txt.gz", "is none either"), ("d.fits.gz", "cut or damaged")] {
        let refused = lab.run(["fits", "unpack", name, "--output", "night"]);
        assert!(refused.fails(2).contains(says), "{refused:#?}");
    }
    let packed = lab.run(["fits", "info", "a.fits.gz"]);
    assert!(packed.fails(2).contains("'holotype fits unpack'"), "{packed:#?}");
}

#[test]
fn a_file_that_fails_does_not_keep_the_others_from_their_turn() {
    let lab = Lab::bare();
    lab.file("a.fits", fits(false));
    let mixed = lab.run(["fits", "stats", "missing.fits", "a.fits", "--json"]);
    assert_eq!((mixed.code, mixed.stdout.lines().count(), mixed.stderr.lines().count()), (Some(3), 1, 1), "{mixed:#?}");
    assert!(mixed.stderr.contains("missing.fits cannot be read"), "{mixed:#?}");
}

#[test]
fn a_picture_is_written_in_the_size_that_was_asked_for() {
    let lab = Lab::bare();
    lab.file("a.fits.fz", fits(true));
    let told = lab.run(["fits", "preview", "a.fits.fz", "-o", "a.jpg", "--size", "30", "--json"]).json();
    assert_eq!((&told["hdu"], &told["width"], &told["height"]), (&json!(1), &json!(30), &json!(20)));
    let jpeg = std::fs::read(lab.folder().join("a.jpg")).unwrap();
    assert!(jpeg.starts_with(&[0xFF, 0xD8, 0xFF]) && told["size"] == jpeg.len());
    assert_eq!(lab.run(["fits", "preview", "a.fits.fz", "-o", "b.jpg"]).text(), "b.jpg  60 x 40\n");
    let wrong = lab.run(["fits", "preview", "a.fits.fz", "-o", "c.jpg", "--hdu", "0"]);
    assert!(wrong.fails(2).contains("HDU 0 is empty"), "{wrong:#?}");
    assert!(!lab.folder().join("c.jpg").exists());
}

#[test]
fn hostile_files_end_in_a_clear_error() {
    let lab = Lab::bare();
    let card = |text: &str| format!("{text:<80}").into_bytes();
    let primary = |cards: &[&str]| {
        let mut bytes: Vec<u8> = cards.iter().flat_map(|text| card(text)).collect();
        bytes.extend(card("END"));
        bytes.resize(bytes.len().next_multiple_of(2880), b' ');
        bytes
    };
    let simple = "SIMPLE  =                    T";
    let axes = |length: &str| {
        primary(&[
            simple,
            "BITPIX  =                  -64",
            "NAXIS   =                    1",
            &format!("NAXIS1  = {length:>20}"),
        ])
    };
    let mut cut = fits(true);
    cut.truncate(cut.len() - 3000);
    let endless: Vec<u8> = card(simple).into_iter().chain(b"COMMENT   ".repeat(1_000_000)).collect();
    for (name, bytes, says) in [
        ("empty", Vec::new(), "it is empty"),
        ("html", b"<!DOCTYPE html><p>Not found".to_vec(), "it begins with '<!DOCTYP'"),
        ("giant", axes("4611686018427387904"), "more data than any file holds"),
        ("large", axes("1000000000"), "the file is cut"),
        ("negative", axes("-5"), "-5 is no size"),
        ("cut", cut, "the file is cut"),
        ("endless", endless, "a header without END"),
    ] {
        lab.file(name, bytes);
        for verb in ["info", "header", "stats", "verify"] {
            let refused = lab.run(["fits", verb, name]);
            let said = refused.fails(2);
            assert!(said.starts_with(&format!("error: {name}: ")) && said.contains(says), "{refused:#?}");
        }
        let refused = lab.run(["fits", "unpack", name, "--output", "out.fits"]);
        assert!(refused.fails(2).contains(says) && !lab.folder().join("out.fits").exists(), "{refused:#?}");
    }
    let folder = lab.run(["fits", "info", "."]);
    assert!(folder.fails(2).contains("is not a file"), "{folder:#?}");
}
