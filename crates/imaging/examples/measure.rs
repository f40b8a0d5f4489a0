//! Does one piece of work again and again, and prints how long each time took, for the benchmarks.
//!
//!     measure REPEAT combine METHOD FRAME...
//!     measure REPEAT stack OUTPUT FRAME...            the median, with FITS and previews
//!     measure REPEAT align OUTPUT FRAME...            the sum on a common grid
//!     measure REPEAT resample FRAME GRID OUTPUT
//!     measure REPEAT pixels FRAME...                  the median of what is decoded before
//!     measure REPEAT publish FRAME OUTPUT
//!     measure REPEAT thumbnail|raster FRAME
//!     measure REPEAT raw-data FRAME SIDE
#![expect(clippy::unwrap_used, reason = "it may fail as it likes")]

use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use holotype_fits::wcs::Wcs;
use holotype_fits::write::{Position, empty_primary, image as write_image};
use holotype_fits::{Card, Header, Image, Pixels, Value};
use holotype_imaging::combine::{Blank, Clip, Combination, Method, combine};
use holotype_imaging::picture::grey;
use holotype_imaging::product::{Origin, publish, write_fits};
use holotype_imaging::raw_data::{ceiling, raw_data};
use holotype_imaging::reproject::{Area, resample};
use holotype_imaging::stack::stack;
use holotype_imaging::{Frame, Raster, unwatched};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let [repeat, work @ ..] = words.as_slice() else { return };
    for _ in 0..repeat.parse().unwrap() {
        let start = Instant::now();
        let said = once(work);
        println!("{:.4} s {said}", start.elapsed().as_secs_f64());
    }
}

fn once(work: &[&str]) -> String {
    match work {
        ["combine", method, frames @ ..] => {
            let frames: Vec<Frame> = frames.iter().map(|path| Frame::at_path(Path::new(path)).unwrap()).collect();
            let method = match *method {
                "mean" => Method::Mean,
                "sum" => Method::Sum,
                "clipped" => Method::ClippedMean(Clip::default()),
                _ => Method::Median,
            };
            let made = combine(&frames, &Combination::new(method, Blank::Spreads), &unwatched).unwrap();
            let sum: f64 = made.values.iter().copied().map(f64::from).sum();
            format!("{} x {}, mean {}", made.width, made.height, sum / made.values.len() as f64)
        }
        ["publish", path, output] => {
            let frame = Frame::at_path(Path::new(path)).unwrap();
            let (made, header) = (frame.raster().unwrap(), frame.header().unwrap());
            let start = Instant::now();
            let mut sink = std::io::BufWriter::new(std::fs::File::create(output).unwrap());
            let previews = publish(&mut sink, &made, &header, Origin::default(), None).unwrap();
            format!(
                "of which {:.4} s for writing; JPEG of {} bytes",
                start.elapsed().as_secs_f64(),
                previews.large.len()
            )
        }
        ["pixels", frames @ ..] => {
            let frames: Vec<Frame> = frames.iter().map(|path| in_memory(Path::new(path))).collect();
            let start = Instant::now();
            let made = combine(&frames, &Combination::new(Method::Median, Blank::Spreads), &unwatched).unwrap();
            format!("of which {:.4} s for {} pixels", start.elapsed().as_secs_f64(), made.values.len())
        }
        ["raw-data", path, side] => {
            let frame = Frame::at_path(Path::new(path)).unwrap();
            let ceiling = ceiling(&frame.header().unwrap(), frame.bits());
            let made = raw_data(&frame.raster().unwrap(), side.parse().unwrap(), ceiling).unwrap();
            format!("{} pixels", made.data.len())
        }
        ["stack", output, frames @ ..] => {
            let frames: Vec<Frame> = frames.iter().map(|path| Frame::at_path(Path::new(path)).unwrap()).collect();
            let start = Instant::now();
            let made = combine(&frames, &Combination::new(Method::Median, Blank::Spreads), &unwatched).unwrap();
            let combined = start.elapsed().as_secs_f64();
            let mut sink = std::io::BufWriter::new(std::fs::File::create(output).unwrap());
            let header = frames[0].header().unwrap();
            let previews = publish(&mut sink, &made, &header, Origin::default(), None).unwrap();
            std::fs::write(format!("{output}-large.jpg"), previews.large).unwrap();
            std::fs::write(format!("{output}-small.jpg"), previews.small).unwrap();
            format!("of which {combined:.4} s for the median of {} frames", frames.len())
        }
        ["thumbnail", path] => {
            let made = Frame::at_path(Path::new(path)).unwrap().raster().unwrap();
            let small = grey(&made, None).unwrap().thumbnail(200).unwrap();
            format!("{} bytes", small.jpeg().unwrap().len())
        }
        ["align", output, frames @ ..] => {
            let frames: Vec<Frame> = frames.iter().map(|path| Frame::at_path(Path::new(path)).unwrap()).collect();
            let (made, header) = stack(&frames, &unwatched).unwrap();
            write_fits(&mut std::fs::File::create(output).unwrap(), &made, &header, Origin::default()).unwrap();
            format!("{} x {}", made.width, made.height)
        }
        ["resample", path, grid, output] => {
            let (frame, grid) = (Frame::at_path(Path::new(path)).unwrap(), Frame::at_path(Path::new(grid)).unwrap());
            let wcs = |frame: &Frame| Wcs::from_header(&frame.header().unwrap()).unwrap().unwrap();
            let raster = frame.raster().unwrap();
            let start = Instant::now();
            let area = Area { columns: 0..grid.width(), rows: 0..grid.height() };
            let made = resample(&raster, &wcs(&frame), &wcs(&grid), &area);
            let took = start.elapsed().as_secs_f64();
            let mut sink = std::fs::File::create(output).unwrap();
            write_fits(&mut sink, &made, &grid.header().unwrap(), Origin::default()).unwrap();
            format!("of which {took:.4} s for the resampling")
        }
        ["raster", path] => {
            let made = Frame::at_path(Path::new(path)).unwrap().raster().unwrap();
            format!("{}", made.values[12345])
        }
        _ => "what?".to_owned(),
    }
}

/// The frame with its pixels decoded, and held as bytes of a plain file.
fn in_memory(path: &Path) -> Frame {
    let Raster { width, height, values } = Frame::at_path(path).unwrap().raster().unwrap();
    let header = [Card::new("EXTNAME", Value::Text("SCI".to_owned()), "").unwrap()].into_iter().collect();
    let image = Image { shape: vec![height, width], pixels: Pixels::F32(values) };
    let mut bytes = Vec::new();
    empty_primary(&mut bytes, &Header::default()).unwrap();
    write_image(&mut bytes, Position::Extension, &header, &image).unwrap();
    let bytes: Arc<[u8]> = bytes.into();
    Frame::science("in memory", move || Ok(Box::new(Cursor::new(bytes.clone())))).unwrap()
}
