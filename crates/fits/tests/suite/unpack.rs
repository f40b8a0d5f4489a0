//! Packed frames made plain. `tests/fits` compares them with what other programs make of them.

use std::fs::File;
use std::io::{BufReader, Cursor};
use std::path::{Path, PathBuf};

use holotype_fits::stats::FileStats;
use holotype_fits::unpack::unpack;

use crate::samples::folder;

fn frames() -> Vec<PathBuf> {
    let Some(folder) = folder("archives/frames") else { return Vec::new() };
    let mut frames: Vec<_> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    frames.sort();
    assert_eq!(frames.len(), 28);
    frames
}

fn unpacked(path: &Path) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let done = unpack(&mut BufReader::new(File::open(path).unwrap()), &mut bytes).unwrap();
    assert_eq!(done.bytes, bytes.get_ref().len() as u64);
    bytes.into_inner()
}

#[test]
fn pixels_are_the_same_before_and_after_unpacking() {
    for path in frames() {
        let figures = |stats: FileStats| -> Vec<_> {
            stats.hdus.into_iter().map(|image| (image.name, image.shape, image.dtype, image.sha256)).collect()
        };
        let packed = FileStats::read(&mut BufReader::new(File::open(&path).unwrap())).unwrap();
        let plain = FileStats::read(&mut Cursor::new(unpacked(&path))).unwrap();
        assert_eq!(figures(packed), figures(plain), "{}", path.display());
    }
}

#[test]
fn a_plain_file_is_copied_byte_for_byte() {
    for path in frames().iter().filter(|path| path.extension().is_some_and(|end| end == "fits")) {
        assert!(unpacked(path) == std::fs::read(path).unwrap());
    }
}
