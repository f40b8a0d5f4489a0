//! Does one piece of work again and again, and prints how long each time took, for the benchmarks.
//!
//!     measure REPEAT combine METHOD FRAME...
#![expect(clippy::unwrap_used, reason = "it may fail as it likes")]

use std::path::Path;
use std::time::Instant;

use holotype_imaging::combine::{Blank, Clip, Combination, Method, combine};
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
        ["raster", path] => {
            let made = Frame::at_path(Path::new(path)).unwrap().raster().unwrap();
            format!("{}", made.values[12345])
        }
        _ => "what?".to_owned(),
    }
}
