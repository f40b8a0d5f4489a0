//! Frames that are not what they should be.

use std::io::Cursor;
use std::sync::Arc;

use holotype_fits::write::{self, Position};
use holotype_fits::{FitsError, Header, Image, Pixels};
use holotype_imaging::combine::{Blank, Combination, Method, combine};
use holotype_imaging::picture::grey;
use holotype_imaging::product::{Origin, publish};
use holotype_imaging::{Frame, ImagingError, Raster, unwatched};

use crate::frames::{file, frame, named};

fn open(bytes: Vec<u8>) -> Result<Frame, ImagingError> {
    let bytes: Arc<[u8]> = bytes.into();
    Frame::science("bad", move || Ok(Box::new(Cursor::new(bytes.clone()))))
}

fn extension(shape: Vec<usize>, name: &str) -> Vec<u8> {
    let count = shape.iter().product();
    let mut bytes = Vec::new();
    write::empty_primary(&mut bytes, &Header::default()).unwrap();
    let image = Image { shape, pixels: Pixels::F32(vec![1.0; count]) };
    write::image(&mut bytes, Position::Extension, &named(name), &image).unwrap();
    bytes
}

#[test]
fn a_frame_without_an_image_of_two_axes_named_sci_is_refused_by_name() {
    for bytes in [
        extension(vec![4, 4], "ERR"),
        extension(vec![16], "SCI"),
        extension(vec![2, 2, 4], "SCI"),
        extension(vec![0, 4], "SCI"),
        extension(vec![0, 0], "SCI"),
    ] {
        let error = open(bytes).err().unwrap();
        assert!(matches!(&error, ImagingError::NoImage { frame } if frame == "bad"), "{error}");
        assert_eq!(error.category(), holotype_core::Category::Invalid);
    }
}

#[test]
fn a_frame_that_is_cut_or_no_fits_file_at_all_is_an_error_with_its_name() {
    let whole = extension(vec![64, 64], "SCI");
    for length in [0, 10, 2879, 2880, 5760, whole.len() - 2880, 5760 + 64 * 64 * 4 - 1] {
        let error = open(whole[..length].to_vec()).err().unwrap();
        let named =
            matches!(&error, ImagingError::Frame { frame, .. } | ImagingError::NoImage { frame } if frame == "bad");
        assert!(named, "{length}: {error}");
    }
    let error = open(b"<html>".to_vec()).err().unwrap();
    assert!(matches!(error, ImagingError::Frame { source: FitsError::NotFits { .. }, .. }), "{error}");
}

#[test]
fn a_frame_that_is_damaged_after_it_was_opened_fails_the_work_and_says_which_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("frame.fits");
    std::fs::write(&path, file(&named("SCI"), 64, Pixels::F32(vec![1.0; 64 * 64]))).unwrap();
    let cut = Frame::at_path(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..9000]).unwrap();
    let frames = [frame(64, vec![1.0; 64 * 64]), cut];
    let wanted = Combination::new(Method::Median, Blank::Spreads);
    let error = combine(&frames, &wanted, &unwatched).unwrap_err();
    assert!(matches!(&error, ImagingError::Frame { frame, .. } if frame.ends_with("frame.fits")), "{error}");
    std::fs::remove_file(&path).unwrap();
    assert!(combine(&frames, &wanted, &unwatched).is_err() && frames[1].header().is_err());
}

#[test]
fn no_frames_are_too_few() {
    let wanted = Combination::new(Method::Sum, Blank::LeftOut);
    assert!(matches!(combine(&[], &wanted, &unwatched), Err(ImagingError::TooFew { least: 1, found: 0, .. })));
}

#[test]
fn frames_of_nothing_but_nan_make_a_product_of_nothing_but_nan() {
    let frames = [frame(30, vec![f32::NAN; 900]), frame(30, vec![f32::NAN; 900])];
    for blank in [Blank::Spreads, Blank::LeftOut] {
        let made = combine(&frames, &Combination::new(Method::Median, blank), &unwatched).unwrap();
        assert!(made.values.iter().all(|value| value.is_nan()));
        assert!(grey(&made, None).unwrap().levels().iter().all(|level| *level == 0));
        let mut bytes = Vec::new();
        publish(&mut bytes, &made, &Header::default(), Origin::default(), None).unwrap();
        assert!(open(bytes).unwrap().raster().unwrap().values.iter().all(|value| value.is_nan()));
    }
}

#[test]
fn a_picture_of_nothing_and_limits_that_are_not_in_order_are_refused() {
    assert!(grey(&Raster { width: 0, height: 0, values: Vec::new() }, None).is_err());
    let raster = Raster { width: 2, height: 1, values: vec![1.0, 2.0] };
    for limits in [(2.0, 1.0), (f64::NAN, 1.0), (0.0, f64::INFINITY)] {
        assert!(matches!(grey(&raster, Some(limits)), Err(ImagingError::Invalid { .. })));
    }
}
