//! Frames that lie differently on the sky, added up.

use holotype_fits::wcs::{Pixel, SkyPosition, Wcs};
use holotype_fits::{Card, Header, Pixels, Value};
use holotype_imaging::stack::stack;
use holotype_imaging::{Frame, ImagingError, Raster, unwatched};

use crate::frames::{file, frame, frame_of, header};

const SIDE: usize = 90;

/// Half an arcsecond, in degrees.
const SCALE: f64 = 0.5 / 3600.0;

/// The coordinates of a frame that is turned by `angle` degrees and points to a position given in pixels beside (150, 2).
fn coordinates(angle: f64, scale: f64, east: f64, north: f64) -> Header {
    let (sin, cos) = angle.to_radians().sin_cos();
    let real = Value::Real;
    header(&[
        ("EXTNAME", Value::Text("SCI".to_owned())),
        ("CTYPE1", Value::Text("RA---TAN".to_owned())),
        ("CTYPE2", Value::Text("DEC--TAN".to_owned())),
        ("CRVAL1", real(150.0 + east * SCALE)),
        ("CRVAL2", real(2.0 + north * SCALE)),
        ("CRPIX1", real(SIDE as f64 / 2.0)),
        ("CRPIX2", real(SIDE as f64 / 2.0)),
        ("CD1_1", real(-scale * cos)),
        ("CD1_2", real(-scale * sin)),
        ("CD2_1", real(-scale * sin)),
        ("CD2_2", real(scale * cos)),
        ("CDELT1", real(17.0)),
        ("A_ORDER", Value::Integer(2)),
        ("B_ORDER", Value::Integer(2)),
    ])
}

/// Where the stars are, and how many counts they give.
const STARS: [(f64, f64, f64); 4] = [(0.0, 0.0, 5000.0), (9.3, -4.2, 3000.0), (-8.1, 7.7, 8000.0), (3.4, 12.6, 2000.0)];

fn position((east, north, _): (f64, f64, f64)) -> SkyPosition {
    SkyPosition { right_ascension: 150.0 + east * SCALE, declination: 2.0 + north * SCALE }
}

/// A frame of these coordinates that shows the stars as they are.
fn sky(header: &Header) -> Frame {
    let wcs = Wcs::from_header(header).unwrap().unwrap();
    let [scale, _] = wcs.pixel_scales();
    let sigma = 1.5 * SCALE / scale;
    let mut values = vec![0.0_f64; SIDE * SIDE];
    for star in STARS {
        let place = wcs.pixel(position(star)).unwrap();
        for (index, value) in values.iter_mut().enumerate() {
            let (x, y) = ((index % SIDE) as f64 + 1.0 - place.x, (index / SIDE) as f64 + 1.0 - place.y);
            *value += star.2 / (2.0 * std::f64::consts::PI * sigma * sigma)
                * (-(x * x + y * y) / (2.0 * sigma * sigma)).exp();
        }
    }
    frame_of(file(header, SIDE, Pixels::F32(values.into_iter().map(|value| value as f32).collect())))
}

/// The counts about a place, and their middle.
fn measured(raster: &Raster, place: Pixel) -> (f64, Pixel) {
    let (mut sum, mut x, mut y) = (0.0, 0.0, 0.0);
    for (index, value) in raster.values.iter().enumerate() {
        let (column, row) = ((index % raster.width) as f64 + 1.0, (index / raster.width) as f64 + 1.0);
        if (column - place.x).hypot(row - place.y) < 5.5 {
            let value = f64::from(*value);
            (sum, x, y) = (sum + value, x + value * column, y + value * row);
        }
    }
    (sum, Pixel { x: x / sum, y: y / sum })
}

#[test]
fn stars_stay_where_they_are_on_the_sky_and_as_bright() {
    let headers = [
        coordinates(0.0, SCALE, 0.3, 0.2),
        coordinates(30.0, SCALE, 2.4, -1.7),
        coordinates(117.0, SCALE * 1.25, -3.1, 2.2),
        coordinates(-64.0, SCALE * 1.1, 0.0, 0.0),
    ];
    let frames: Vec<Frame> = headers.iter().map(sky).collect();
    let (made, header) = stack(&frames, &unwatched).unwrap();
    assert!(made.width > 50 && made.height > 50 && made.width < 2 * SIDE, "{} x {}", made.width, made.height);
    let wcs = Wcs::from_header(&header).unwrap().unwrap();
    // Only one form of coordinates is left of the first frame's header.
    for keyword in ["CDELT1", "A_ORDER", "B_ORDER", "PC1_1", "CROTA2"] {
        assert!(header.get(keyword).is_none(), "{keyword}");
    }
    let turned = wcs.matrix();
    assert!((turned[0][0] + SCALE).abs() < 1e-12 && (turned[1][1] - SCALE).abs() < 1e-12 && turned[0][1] == 0.0);
    for star in STARS {
        let place = wcs.pixel(position(star)).unwrap();
        let (counts, middle) = measured(&made, place);
        let expected = 4.0 * star.2;
        assert!((counts / expected - 1.0).abs() < 0.01, "{star:?}: {counts} of {expected}");
        assert!((middle.x - place.x).hypot(middle.y - place.y) < 0.05, "{star:?}: {middle:?} is not {place:?}");
    }
}

#[test]
fn pixels_that_are_nan_count_as_nothing() {
    let good = sky(&coordinates(0.0, SCALE, 0.0, 0.0));
    let blank = frame_of(file(&coordinates(20.0, SCALE, 1.0, 1.0), SIDE, Pixels::F32(vec![f32::NAN; SIDE * SIDE])));
    let (made, header) = stack(&[good, blank], &unwatched).unwrap();
    let wcs = Wcs::from_header(&header).unwrap().unwrap();
    let (counts, _) = measured(&made, wcs.pixel(position(STARS[0])).unwrap());
    assert!((counts / STARS[0].2 - 1.0).abs() < 0.01, "{counts}");
    assert!(made.values.iter().all(|value| value.is_finite()));
}

#[test]
fn frames_without_a_place_in_common_are_refused() {
    let near = sky(&coordinates(0.0, SCALE, 0.0, 0.0));
    assert!(matches!(stack(&[], &unwatched), Err(ImagingError::TooFew { .. })));
    let none = frame(SIDE, vec![1.0; SIDE * SIDE]);
    assert!(matches!(stack(&[near.clone(), none], &unwatched), Err(ImagingError::NoCoordinates { .. })));
    let plain = |header: &Header| frame_of(file(header, SIDE, Pixels::F32(vec![1.0; SIDE * SIDE])));
    for (east, north) in [(500.0, 0.0), (0.0, 125_000.0), (1.2e6, 0.0)] {
        let far = plain(&coordinates(0.0, SCALE, east, north));
        let error = stack(&[near.clone(), far], &unwatched).unwrap_err();
        assert!(matches!(error, ImagingError::NothingInCommon | ImagingError::Frame { .. }), "{error}");
    }
    let tiny = plain(&coordinates(0.0, SCALE * 1e-6, 0.0, 0.0));
    assert!(stack(&[near.clone(), tiny], &unwatched).is_err());
    let mut other = coordinates(0.0, SCALE, 0.0, 0.0);
    other.push(Card::new("RADESYS", Value::Text("FK4".to_owned()), "").unwrap());
    let error = stack(&[near, plain(&other)], &unwatched).unwrap_err();
    assert!(matches!(&error, ImagingError::Frame { .. }), "{error}");
}
