//! Pictures against those of an earlier program.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use holotype_fits::display::{self, Autoscale, Picture, Plane};
use holotype_fits::{Hdu, Image, Pixels};
use serde_json::Value;

use crate::samples::folder;

const FRAMES: [(&str, &str); 5] = [
    ("fits_1", "fits_1.fits.fz"),
    ("fits_2", "fits_2.fits.fz"),
    ("red", "color_image/red.fits"),
    ("green", "color_image/green.fits"),
    ("blue", "color_image/blue.fits"),
];

/// The first image of a file.
fn image(path: &Path) -> Image {
    let mut source = BufReader::new(File::open(path).unwrap());
    let hdus = Hdu::walk(&mut source).unwrap();
    Image::read(&mut source, hdus.iter().find(|hdu| hdu.is_image() && !hdu.shape.is_empty()).unwrap()).unwrap()
}

/// The first channel of a PNG and the number of its columns.
fn png(path: &Path) -> (usize, Vec<u8>) {
    let mut reader = png::Decoder::new(BufReader::new(File::open(path).unwrap())).read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut bytes).unwrap();
    let channels = frame.color_type.samples();
    (frame.width as usize, bytes[..frame.buffer_size()].iter().copied().step_by(channels).collect())
}

/// The levels of a decoded JPEG, which is grey whether it is said to be or not.
fn decoded(jpeg: &[u8]) -> Vec<u8> {
    image::load_from_memory_with_format(jpeg, image::ImageFormat::Jpeg).unwrap().to_luma8().into_raw()
}

/// The ratio of the greatest level to the differences, in decibels: 45 is about 1.4 levels.
fn likeness(a: &[u8], b: &[u8]) -> f64 {
    assert_eq!(a.len(), b.len());
    let sum: f64 = a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum();
    10.0 * (255.0 * 255.0 * a.len() as f64 / sum).log10()
}

#[test]
fn the_scale_of_a_frame_is_the_recorded_one() {
    let Some(folder) = folder("sessions") else { return };
    let recorded: Value = serde_json::from_reader(File::open(folder.join("golden/zscale.json")).unwrap()).unwrap();
    for (name, file) in FRAMES {
        let Image { shape, pixels: Pixels::F32(values) } = image(&folder.join("upstream").join(file)) else {
            panic!("{file} is not of 32-bit reals");
        };
        let scale = Autoscale::of(&Plane::new(shape[1], shape[0], &values).unwrap()).unwrap();
        for (key, found) in [("zmin", scale.low), ("median", scale.median), ("zmax", scale.high)] {
            let expected = recorded[name][key].as_f64().unwrap();
            assert!((found - expected).abs() < 1e-11 * expected, "{name} {key}: {found} is not {expected}");
        }
    }
    let curve = recorded["gamma_lut_2.5"].as_array().unwrap();
    for level in 0..=255 {
        assert_eq!(Some(u64::from(display::gamma(level))), curve[usize::from(level)].as_u64(), "{level}");
    }
}

/// The picture of one of [`FRAMES`] with its recorded limits, automatic or manual, and the recorded picture.
fn pictures(folder: &Path, name: &str, file: &str, manual: bool) -> (Picture, (usize, Vec<u8>)) {
    let recorded: Value = serde_json::from_reader(File::open(folder.join("golden/zscale.json")).unwrap()).unwrap();
    let number = |key: &str| recorded[name][key].as_f64().unwrap();
    let limits = manual.then(|| (number("median"), number("manual_zmax")));
    let kind = if manual { "manual" } else { "auto" };
    let expected = png(&folder.join(format!("golden/scaled_{kind}_{name}.png")));
    (display::picture(&image(&folder.join("upstream").join(file)), limits).unwrap(), expected)
}

#[test]
fn every_pixel_of_a_picture_is_the_recorded_one() {
    let Some(folder) = folder("sessions") else { return };
    for (name, file) in [FRAMES[0], FRAMES[2]] {
        for manual in [false, true] {
            let (found, (width, levels)) = pictures(&folder, name, file, manual);
            assert_eq!(found.width(), width, "{name}");
            let different = found.levels().iter().zip(&levels).filter(|(found, expected)| found != expected).count();
            assert_eq!((different, found.levels().len()), (0, levels.len()), "{name}, manual: {manual}");
        }
    }
}

#[test]
fn a_jpeg_shows_what_the_recorded_one_shows() {
    let Some(folder) = folder("sessions") else { return };
    let (name, file) = FRAMES[0];
    let (picture, (_, exact)) = pictures(&folder, name, file, false);
    let ours = decoded(&picture.jpeg().unwrap());
    let recorded = decoded(&std::fs::read(folder.join("upstream/file_utils/jpg_large_1.jpg")).unwrap());
    // The recorded JPEG is 43.6 decibels from the exact picture: more is lost in the format than between the two encoders.
    let (from_recorded, from_exact) = (likeness(&ours, &recorded), likeness(&ours, &exact));
    assert!(from_recorded >= 45.0 && from_exact >= 43.0, "{from_recorded} and {from_exact} decibels");
    assert_eq!(picture.thumbnail(200).unwrap(), picture);
}
