//! Images in colours, beside recorded results.

use std::path::Path;

use holotype_fits::table::Table;
use holotype_fits::{Hdu, hdu};
use holotype_imaging::align::{Star, align, resample};
use holotype_imaging::colour::{Channel, compose};

use crate::analysis::json;
use crate::frames::{bits, folder, image};

fn stars(path: &Path) -> Vec<Star> {
    let mut source = std::fs::File::open(path).unwrap();
    let hdus = Hdu::walk(&mut source).unwrap();
    let table = Table::read(&mut source, hdu::find(&hdus, "CAT").unwrap()).unwrap();
    let column = |name: &str| table.column(name).unwrap().to_reals().unwrap();
    let places = column("x").into_iter().zip(column("y")).zip(column("flux"));
    places.map(|((x, y), flux)| Star { x, y, flux }).collect()
}

#[test]
fn stars_lay_images_over_each_other_as_recorded() {
    let Some(folder) = folder("sessions") else { return };
    let path = |name: &str| folder.join(format!("upstream/color_image/{name}.fits"));
    let recorded = json(&folder.join("golden/color_align.json"));
    let reference = stars(&path("red"));
    for expected in recorded.as_array().unwrap() {
        let name = expected["ukn"].as_str().unwrap();
        let found = align(&reference, &stars(&path(name))).unwrap();
        let number = |index: usize| expected["abcd"][index].as_f64().unwrap();
        let (x, y) = (
            |(x, y): (f64, f64)| number(0) * x - number(1) * y + number(2),
            |(x, y): (f64, f64)| number(1) * x + number(0) * y + number(3),
        );
        for corner in [(0.0, 0.0), (100.0, 0.0), (0.0, 100.0), (100.0, 100.0)] {
            let (u, v) = found.similarity.apply(corner);
            assert!((u - x(corner)).hypot(v - y(corner)) < 1e-3, "{name}: {found:?} is not {expected}");
        }
        assert_eq!(found.matched as u64, expected["nmatch"].as_u64().unwrap(), "{name}");
    }
}

#[test]
fn a_channel_is_laid_on_the_reference_as_recorded() {
    let Some(folder) = folder("sessions") else { return };
    let path = |name: &str| folder.join(format!("upstream/color_image/{name}.fits"));
    let found = align(&stars(&path("red")), &stars(&path("blue"))).unwrap();
    let made = resample(&image(&path("blue")), &found.similarity, 100, 100);
    let expected = image(&folder.join("golden/color_aligned_blue.fits"));
    let off = bits(&made)
        .iter()
        .zip(bits(&expected))
        .filter(|(a, b)| (f32::from_bits(**a) - f32::from_bits(*b)).abs() > 1e-2)
        .count();
    assert_eq!((made.values.len(), off), (expected.values.len(), 0));
}

#[test]
fn a_picture_in_colours_is_the_recorded_one_pixel_for_pixel() {
    let Some(folder) = folder("sessions") else { return };
    let inputs = json(&folder.join("golden/color_composite.json"));
    let inputs = inputs.as_array().unwrap();
    let file =
        |input: &serde_json::Value| folder.join("upstream/color_image").join(input["fits_path"].as_str().unwrap());
    let rasters: Vec<_> = inputs.iter().map(|input| image(&file(input))).collect();
    let channels: Vec<Channel> = inputs
        .iter()
        .zip(&rasters)
        .map(|(input, raster)| Channel {
            raster,
            colour: [0, 1, 2].map(|index| input["color"][index].as_f64().unwrap()),
            black: input["zmin"].as_f64().unwrap(),
            white: input["zmax"].as_f64().unwrap(),
        })
        .collect();
    let made = compose(&channels).unwrap();
    let png = std::fs::read(folder.join("golden/color_composite_rgb.png")).unwrap();
    let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
    let mut expected = vec![0; reader.output_buffer_size().unwrap()];
    reader.next_frame(&mut expected).unwrap();
    let different = made.levels().iter().zip(&expected).filter(|(a, b)| a != b).count();
    assert_eq!((different, made.levels().len()), (0, expected.len()));
    assert!(made.thumbnail(50).jpeg().unwrap().starts_with(&[0xFF, 0xD8]));
}
