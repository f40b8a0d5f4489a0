//! Does one piece of work again and again, and prints how long each time took, for the benchmarks.
//!
//!     measure REPEAT combine METHOD FRAME...
#![expect(clippy::unwrap_used, reason = "it may fail as it likes")]

use std::path::Path;
use std::time::Instant;

use holotype_imaging::combine::{Blank, Clip, Combination, Method, combine};
use holotype_imaging::picture::{Coloured, grey};
use holotype_imaging::product::{Origin, publish, write_fits};
use holotype_imaging::{Frame, unwatched};

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
        ["product", path] => {
            let frame = Frame::at_path(Path::new(path)).unwrap();
            let (made, header) = (frame.raster().unwrap(), frame.header().unwrap());
            let mut said = String::new();
            let mut lap = Instant::now();
            let mut note = |name: &str, size: usize| {
                said += &format!("{name} {size} in {:.4} s; ", lap.elapsed().as_secs_f64());
                lap = Instant::now();
            };
            let mut bytes = Vec::new();
            write_fits(&mut bytes, &made, &header, Origin::default()).unwrap();
            note("fits", bytes.len());
            std::fs::write("/tmp/imaging-product.fits", &bytes).unwrap();
            note("file", 0);
            let picture = grey(&made, None).unwrap();
            note("grey", picture.levels().len());
            let small = picture.thumbnail(200).unwrap();
            note("thumbnail", small.levels().len());
            note("small jpeg", small.jpeg().unwrap().len());
            note("large jpeg", picture.jpeg().unwrap().len());
            let coloured = Coloured::of_grey(&picture).unwrap();
            note("coloured", coloured.levels().len());
            note("coloured jpeg", coloured.jpeg().unwrap().len());
            note("tiff", coloured.tiff().len());
            note("png", coloured.png().unwrap().len());
            said
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
        ["raster", path] => {
            let made = Frame::at_path(Path::new(path)).unwrap().raster().unwrap();
            format!("{}", made.values[12345])
        }
        _ => "what?".to_owned(),
    }
}
