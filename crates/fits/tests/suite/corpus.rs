//! The corpus of the fuzz targets, replayed: what fuzzing once found, and small files of every kind.

use std::path::Path;

#[path = "../../../../fuzz/src/targets.rs"]
#[expect(unreachable_pub, reason = "the fuzz crate gives them to its programs")]
mod targets;

/// A fuzz target.
type Target = fn(&[u8]);

const TARGETS: [(&str, Target); 8] = [
    ("header", targets::header),
    ("hdu", targets::hdu),
    ("image", targets::image),
    ("table", targets::table),
    ("checksum", targets::checksum),
    ("unpack", targets::unpack),
    ("wcs", targets::wcs),
    ("display", targets::display),
];

#[test]
fn every_target_takes_every_file_of_the_corpus() {
    let mut count = 0;
    for folder in ["files", "headers", "found"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(folder);
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            let data = std::fs::read(&path).unwrap();
            for (name, target) in TARGETS {
                eprintln!("{name}: {}", path.display());
                target(&data);
            }
            count += 1;
        }
    }
    assert!(count > 30, "only {count} files");
}
