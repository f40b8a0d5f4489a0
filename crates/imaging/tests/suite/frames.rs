//! Frames to work on: small ones made here, and those of the samples.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use holotype_fits::write::{self, Position};
use holotype_fits::{Card, Hdu, Header, Image, Pixels, Value};
use holotype_imaging::{Frame, Raster};

/// The folder `name` of the samples, or nothing, said once, where they are absent.
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/samples")).join(name);
    if !path.is_dir() {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}

/// The image of reals of the first HDU that has one.
pub(crate) fn image(path: &Path) -> Raster {
    let mut source = std::fs::File::open(path).unwrap();
    let hdus = Hdu::walk(&mut source).unwrap();
    let hdu = hdus.iter().find(|hdu| hdu.is_image()).unwrap();
    let Image { shape, pixels: Pixels::F32(values) } = Image::read(&mut source, hdu).unwrap() else {
        panic!("{} is not of 32-bit reals", path.display())
    };
    Raster { width: shape[1], height: shape[0], values }
}

/// The bits of pixels, of which those of NaN are compared too.
pub(crate) fn bits(raster: &Raster) -> Vec<u32> {
    raster.values.iter().map(|value| value.to_bits()).collect()
}

/// Cards of these keywords and values.
pub(crate) fn header(cards: &[(&str, Value)]) -> Header {
    cards.iter().map(|(keyword, value)| Card::new(keyword, value.clone(), "").unwrap()).collect()
}

pub(crate) fn named(name: &str) -> Header {
    header(&[("EXTNAME", Value::Text(name.to_owned()))])
}

/// The bytes of a file with an empty primary and this image, plain.
pub(crate) fn file(header: &Header, width: usize, pixels: Pixels) -> Vec<u8> {
    let shape = vec![pixels.len() / width, width];
    let mut bytes = Vec::new();
    write::empty_primary(&mut bytes, &Header::default()).unwrap();
    write::image(&mut bytes, Position::Extension, header, &Image { shape, pixels }).unwrap();
    bytes
}

/// The frame of these bytes.
pub(crate) fn frame_of(bytes: Vec<u8>) -> Frame {
    let bytes: Arc<[u8]> = bytes.into();
    Frame::science("made", move || Ok(Box::new(Cursor::new(bytes.clone())))).unwrap()
}

/// A frame of these reals.
pub(crate) fn frame(width: usize, values: Vec<f32>) -> Frame {
    frame_of(file(&named("SCI"), width, Pixels::F32(values)))
}

/// A generator of numbers from 0 to 1, the same every time.
pub(crate) fn random(seed: u32) -> impl FnMut() -> f32 {
    let mut state = seed;
    move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32
    }
}
