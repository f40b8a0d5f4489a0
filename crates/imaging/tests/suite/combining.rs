//! Many frames to one.

use std::ops::ControlFlow;
use std::sync::Mutex;

use holotype_fits::write::{self, Quantisation};
use holotype_fits::{Header, Image, Pixels};
use holotype_imaging::combine::{Blank, Clip, Combination, Method, combine};
use holotype_imaging::{Frame, ImagingError, Raster, unwatched};

use crate::frames::{bits, file, folder, frame, frame_of, image, named, random};

fn by(method: Method, blank: Blank, frames: &[Frame]) -> Raster {
    combine(frames, &Combination::new(method, blank), &unwatched).unwrap()
}

#[test]
fn the_median_is_the_recorded_one_bit_for_bit() {
    let Some(folder) = folder("sessions") else { return };
    let frames = ["fits_1.fits.fz", "fits_2.fits.fz"].map(|name| folder.join("upstream").join(name));
    let frames = frames.map(|path| Frame::at_path(&path).unwrap());
    let found = by(Method::Median, Blank::Spreads, &frames);
    assert_eq!(bits(&found), bits(&image(&folder.join("golden/op_median_exact_0.fits"))));
}

/// What a method makes of one pixel, written down as simply as possible.
fn expected(method: Method, blank: Blank, values: &[f32]) -> f32 {
    let kept: Vec<f32> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    if blank == Blank::Spreads && kept.len() < values.len() {
        return f32::NAN;
    }
    let mut sorted = kept.clone();
    sorted.sort_by(f32::total_cmp);
    let sum = |values: &[f32]| values.iter().map(|value| f64::from(*value)).sum::<f64>();
    let (count, sum_of_all) = (kept.len(), sum(&kept));
    match method {
        Method::Sum => sum_of_all as f32,
        _ if count == 0 => f32::NAN,
        Method::Mean => (sum_of_all / count as f64) as f32,
        Method::Median if count % 2 == 1 => sorted[count / 2],
        Method::Median => (sorted[count / 2 - 1] + sorted[count / 2]) / 2.0,
        Method::ClippedMean(clip) => {
            let mut left = sorted;
            for _ in 0..clip.passes {
                let mean = sum(&left) / left.len() as f64;
                let deviation = (left.iter().map(|value| (f64::from(*value) - mean).powi(2)).sum::<f64>()
                    / left.len() as f64)
                    .sqrt();
                let middle = (f64::from(left[(left.len() - 1) / 2]) + f64::from(left[left.len() / 2])) / 2.0;
                let (low, high) = (middle - clip.low * deviation, middle + clip.high * deviation);
                left.retain(|value| (low..=high).contains(&f64::from(*value)));
            }
            (sum(&left) / left.len() as f64) as f32
        }
    }
}

#[test]
fn every_method_gives_what_its_definition_says_for_any_number_of_frames() {
    let (width, height) = (67, 5);
    let methods =
        [Method::Median, Method::Mean, Method::Sum, Method::ClippedMean(Clip { low: 1.5, high: 1.2, passes: 3 })];
    for count in [1, 2, 3, 4, 7, 8, 10, 16, 31, 32, 33, 64, 100, 255, 256, 257, 300] {
        let mut next = random(count);
        let mut value = |place: usize| match (next() * 50.0) as u32 {
            0 if place.is_multiple_of(5) => f32::NAN,
            1 => 100.0,
            _ => next() * 30.0 + 90.0,
        };
        let data: Vec<Vec<f32>> = (0..count).map(|_| (0..width * height).map(&mut value).collect()).collect();
        let frames: Vec<Frame> = data.iter().map(|values| frame(width, values.clone())).collect();
        for method in methods {
            for blank in [Blank::Spreads, Blank::LeftOut] {
                let found = by(method, blank, &frames);
                assert_eq!((found.width, found.height), (width, height));
                for (pixel, found) in found.values.iter().enumerate() {
                    let column: Vec<f32> = data.iter().map(|values| values[pixel]).collect();
                    let expected = expected(method, blank, &column);
                    let same = found.to_bits() == expected.to_bits()
                        || (found.is_nan() && expected.is_nan())
                        || (method != Method::Median && (found - expected).abs() <= expected.abs() * 1e-6);
                    assert!(same, "{method:?} {blank:?} of {count}: {found} is not {expected}, pixel {pixel}");
                }
            }
        }
    }
}

#[test]
fn infinities_and_nan_have_their_places() {
    let (nan, infinity) = (f32::NAN, f32::INFINITY);
    let columns =
        [[1.0, infinity, 3.0], [-infinity, 2.0, infinity], [nan, 1.0, 2.0], [nan, nan, nan], [-0.0, 0.0, 5.0]];
    let frames: Vec<Frame> =
        (0..3).map(|index| frame(5, columns.iter().map(|column| column[index]).collect())).collect();
    let same = |found: Raster, expected: [f32; 5]| {
        let pairs = found.values.iter().zip(expected);
        assert!(pairs.clone().all(|(a, b)| *a == b || (a.is_nan() && b.is_nan())), "{found:?} {expected:?}");
    };
    same(by(Method::Median, Blank::Spreads, &frames), [3.0, 2.0, nan, nan, 0.0]);
    same(by(Method::Median, Blank::LeftOut, &frames), [3.0, 2.0, 1.5, nan, 0.0]);
    same(by(Method::Sum, Blank::LeftOut, &frames), [infinity, nan, 3.0, 0.0, 5.0]);
    same(by(Method::ClippedMean(Clip::default()), Blank::LeftOut, &frames), [infinity, nan, 1.5, nan, 5.0 / 3.0]);
}

#[test]
fn frames_of_different_sizes_are_cropped_from_their_first_pixel_on() {
    let ramp = |width: usize, height: usize| {
        frame(width, (0..width * height).map(|index| (index % width + 100 * (index / width)) as f32).collect())
    };
    let found = by(Method::Mean, Blank::Spreads, &[ramp(7, 3), ramp(5, 9), ramp(6, 4)]);
    assert_eq!((found.width, found.height), (5, 3));
    let expected: Vec<f32> = (0..15).map(|index| (index % 5 + 100 * (index / 5)) as f32).collect();
    assert_eq!(found.values, expected);
}

#[test]
fn whole_numbers_packed_frames_and_reals_combine_to_the_same() {
    let counts: Vec<u16> = (0..90 * 70).map(|index| (index * 37 % 60_000) as u16).collect();
    let reals: Vec<f32> = counts.iter().map(|count| f32::from(*count)).collect();
    let mut packed = Vec::new();
    write::empty_primary(&mut packed, &Header::default()).unwrap();
    let image = Image { shape: vec![70, 90], pixels: Pixels::U16(counts.clone()) };
    write::rice(&mut packed, &named("sci"), &image, Quantisation { level: 16.0, dither: false }).unwrap();
    let frames = [
        frame_of(packed),
        frame_of(file(&named("SCI"), 90, Pixels::U16(counts.clone()))),
        frame_of(file(&named("Sci"), 90, Pixels::I32(counts.iter().map(|count| i32::from(*count)).collect()))),
        frame_of(file(&named("SCI"), 90, Pixels::F64(counts.iter().map(|count| f64::from(*count)).collect()))),
        frame(90, reals.clone()),
    ];
    assert_eq!(by(Method::Median, Blank::Spreads, &frames).values, reals);
    for frame in &frames {
        assert_eq!(frame.raster().unwrap().values, reals);
    }
}

#[test]
fn tiles_of_any_shape_are_the_same_by_strips_as_at_once() {
    let Some(folder) = folder("sessions/fitsio") else { return };
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            continue;
        }
        let mut source = std::fs::File::open(&path).unwrap();
        let hdus = holotype_fits::Hdu::walk(&mut source).unwrap();
        let whole = Image::read(&mut source, hdus.iter().find(|hdu| hdu.is_image()).unwrap()).unwrap();
        let opened = path.clone();
        let frame = Frame::first("sample", move || Ok(Box::new(std::fs::File::open(&opened)?))).unwrap();
        let budget = |bytes| {
            let wanted = Combination { budget: bytes, ..Combination::new(Method::Median, Blank::Spreads) };
            bits(&combine(&[frame.clone(), frame.clone()], &wanted, &unwatched).unwrap())
        };
        let expected: Vec<u32> = match whole.pixels {
            Pixels::F32(values) => values.iter().map(|value| value.to_bits()).collect(),
            Pixels::F64(values) => values.iter().map(|value| (*value as f32).to_bits()).collect(),
            Pixels::I16(values) => values.iter().map(|value| f32::from(*value).to_bits()).collect(),
            Pixels::U16(values) => values.iter().map(|value| f32::from(*value).to_bits()).collect(),
            Pixels::I32(values) => values.iter().map(|value| (*value as f32).to_bits()).collect(),
            other => panic!("{} of {}", other.dtype(), path.display()),
        };
        let numbers = |bits: &[u32]| -> Vec<Option<u32>> {
            bits.iter().map(|bits| Some(*bits).filter(|bits| !f32::from_bits(*bits).is_nan())).collect()
        };
        // Strips of all sizes: one row, some, and tiles that are longer than a strip.
        for bytes in [1, 30_000, 200_000, 64 << 20] {
            assert!(numbers(&budget(bytes)) == numbers(&expected), "{} within {bytes}", path.display());
        }
        seen += 1;
    }
    assert_eq!(seen, 30);
}

#[test]
fn what_a_mask_marks_is_left_out() {
    let frames = [frame(3, vec![1.0, 2.0, 3.0]), frame(3, vec![5.0, 6.0, 7.0]), frame(3, vec![9.0, 9.0, 9.0])];
    let mask = |values: Vec<u8>| Some(frame_of(file(&named("SCI"), 3, Pixels::U8(values))));
    let masks = [None, mask(vec![0, 0, 128]), mask(vec![0, 1, 1])];
    let wanted = Combination { masks: &masks, ..Combination::new(Method::Mean, Blank::LeftOut) };
    assert_eq!(combine(&frames, &wanted, &unwatched).unwrap().values, [5.0, 4.0, 3.0]);
    let wanted = Combination { masks: &masks[..2], ..Combination::new(Method::Mean, Blank::LeftOut) };
    assert!(matches!(combine(&frames, &wanted, &unwatched), Err(ImagingError::Invalid { .. })));
}

#[test]
fn progress_rises_to_the_end_and_work_that_is_not_wanted_stops() {
    let frames: Vec<Frame> = (0..3).map(|index| frame(64, vec![index as f32; 64 * 512])).collect();
    let told = Mutex::new(Vec::new());
    let wanted = Combination::new(Method::Median, Blank::Spreads);
    let tell = |done: f64| {
        told.lock().unwrap().push(done);
        ControlFlow::Continue(())
    };
    combine(&frames, &wanted, &tell).unwrap();
    let told = told.into_inner().unwrap();
    assert!(told.len() > 4 && told.contains(&1.0) && told.iter().all(|done| (0.0..=1.0).contains(done)), "{told:?}");
    let stop = |_: f64| ControlFlow::Break(());
    assert!(matches!(combine(&frames, &wanted, &stop), Err(ImagingError::Cancelled)));
}
