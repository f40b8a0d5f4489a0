//! Sources of frames that have no table of them.

use holotype_fits::Value;
use holotype_photometry::catalogue::Quantity;
use holotype_photometry::detect::detect;
use holotype_photometry::source_catalogue;

use crate::sky::{Exposure, WIDTH, at, grid};

#[test]
fn stars_of_a_noisy_frame_are_found_where_they_are_with_their_counts() {
    let stars = grid(at(10.0, 40.0), 7, 7, 20.0);
    let mut exposure = Exposure::new("d", at(10.0, 40.0), "2026-01-01");
    exposure.size = (400, 360);
    exposure.noise = 5.0;
    exposure.cards = vec![("SATURATE", Value::Real(2_000.0))];
    let mut pixels = exposure.pixels(&stars);
    // A sky that rises to one side, a column that is dead, and a pixel that a particle hit.
    pixels.iter_mut().enumerate().for_each(|(index, value)| *value += (index % 400) as f32 * 0.05);
    (0..360).for_each(|row| pixels[row * 400 + 399] = f32::NAN);
    pixels[4_040] += 3_000.0;
    let frame = exposure.frame(pixels, None);
    let found = detect(&mut frame.open().unwrap()).unwrap();
    let column = |quantity| found.column(quantity).unwrap();
    // The Gaussian's tails hold 0.2 percent beyond the circle; the noise of the faintest star is some 2 percent.
    for star in &stars {
        let place = exposure.point(star.position).unwrap().to_pixel();
        let distance =
            |row: usize| (column(Quantity::XWindowed)[row] - place.x).hypot(column(Quantity::YWindowed)[row] - place.y);
        let row = (0..found.rows()).min_by(|&a, &b| distance(a).total_cmp(&distance(b))).unwrap();
        assert!(distance(row) < 0.1, "{star:?} is {} pixels off", distance(row));
        let counts = exposure.counts(star.magnitude);
        let off = column(Quantity::Flux)[row] / counts - 1.0;
        assert!(off.abs() < 0.05, "{star:?} is off by {off}");
        let is_full = counts / (std::f64::consts::TAU * WIDTH * WIDTH) > 2_500.0;
        assert!(!is_full || column(Quantity::Flag)[row] == 4.0);
        let sky = found.positions(None)[row].unwrap();
        assert!(sky.separation(star.position) * 3600.0 < 0.05);
        let width = column(Quantity::Fwhm)[row] / (2.355 * WIDTH);
        assert!((0.6..1.15).contains(&width) && column(Quantity::Ellipticity)[row] < 0.15, "{width}");
    }
    assert!(found.rows() <= stars.len() + 2, "{} sources of {} stars", found.rows(), stars.len());
    let flux = column(Quantity::Flux);
    assert!(flux.windows(2).all(|pair| pair[0] >= pair[1]));
    // The question for the sources of a picture is answered by them.
    let answer = source_catalogue::run(&frame, 800.0, 360.0).unwrap();
    assert_eq!(answer.len(), found.rows());
    assert!(answer[0].flux_fallback && answer[0].ra.is_some());
    assert!((answer[0].x - 2.0 * column(Quantity::X)[0]).abs() < 1e-9);
}

#[test]
fn frames_without_anything_have_no_sources() {
    let mut exposure = Exposure::new("e", at(10.0, 40.0), "2026-01-01");
    exposure.size = (70, 65);
    for value in [f32::NAN, 0.0, 1e30, -3.5, f32::INFINITY] {
        let frame = exposure.frame(vec![value; 70 * 65], None);
        assert_eq!(detect(&mut frame.open().unwrap()).unwrap().rows(), 0, "{value}");
    }
    exposure.size = (1, 1);
    let frame = exposure.frame(vec![1.0], None);
    assert_eq!(detect(&mut frame.open().unwrap()).unwrap().rows(), 0);
    exposure.size = (300, 300);
    exposure.noise = 4.0;
    let frame = exposure.frame(exposure.pixels(&[]), None);
    assert!(detect(&mut frame.open().unwrap()).unwrap().rows() <= 1, "noise is taken for stars");
}
