//! Real files and recorded results, where the folder of samples is at hand.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use holotype_fits::stats::FileStats;
use serde_json::Value;

/// The folder `name` of the samples, or nothing, said once, where they are absent.
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/samples")).join(name);
    if !path.is_dir() {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}

#[test]
fn every_codec_and_type_decodes_to_the_recorded_digest() {
    let Some(folder) = folder("sessions/fitsio") else { return };
    let manifest: Value = serde_json::from_reader(File::open(folder.join("manifest.json")).unwrap()).unwrap();
    let mut wrong = Vec::new();
    for (name, expected) in manifest.as_object().unwrap() {
        let mut source = BufReader::new(File::open(folder.join(name)).unwrap());
        let stats = match FileStats::read(&mut source) {
            Ok(stats) => serde_json::to_value(&stats.hdus).unwrap(),
            Err(error) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        let found = &stats[0];
        let same = found["sha256"] == expected["sha256_le_pixels"]
            && found["shape"] == expected["shape"]
            && found["dtype"] == expected["dtype"]
            && found["nan"] == expected["n_nan"];
        let sum = |value: &Value| value.as_f64().unwrap();
        if !same || (sum(&found["sum"]) / sum(&expected["sum_f64"]) - 1.0).abs() > 1e-12 {
            wrong.push(format!("{name}: {found} is not {expected}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
    assert_eq!(manifest.as_object().unwrap().len(), 30);
}
