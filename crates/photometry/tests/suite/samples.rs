//! Real files and recorded results, where the folder of samples is at hand.

use std::fs::File;
use std::path::PathBuf;

use serde_json::Value;

/// The folder of the samples, or nothing, said once, where it is absent.
pub(crate) fn folder() -> Option<PathBuf> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/samples/sessions"));
    if !path.is_dir() {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}

/// A recorded result.
pub(crate) fn golden(name: &str) -> Option<Value> {
    let path = folder()?.join("golden").join(name);
    Some(serde_json::from_reader(File::open(path).unwrap()).unwrap())
}

/// The numbers of a list, NaN for null.
pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|it| it.as_f64().unwrap_or(f64::NAN)).collect()
}

/// Whether two numbers agree to `relative`, both being NaN included.
pub(crate) fn alike(found: f64, expected: f64, relative: f64) -> bool {
    (found - expected).abs() <= relative * expected.abs() || (found.is_nan() && expected.is_nan())
}
