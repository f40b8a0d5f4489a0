//! Frames to work on, as files: samples where they are, and small ones that are made here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use holotype_core::Digest;
use holotype_fits::{Card, Hdu, Header, Image, Pixels, write};
use holotype_sessions::{
    Desk, FileName, InputFile, InputItem, Operation, OperationError, Outcome, StarTable, Work, operations,
};
use serde_json::{Map, Value, json};

/// The folder of the samples, or nothing, said once, where they are absent.
pub(crate) fn samples() -> Option<PathBuf> {
    let path = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/samples/sessions"));
    if !path.is_dir() {
        eprintln!("skipped: {} is not there", path.display());
        return None;
    }
    Some(path)
}

pub(crate) fn json_of(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// A frame whose pixels are `base` and their own number, as the bytes of a file.
pub(crate) fn frame(width: usize, height: usize, base: f32) -> Vec<u8> {
    let mut header = Header::default();
    header.push(Card::new("EXTNAME", holotype_fits::Value::Text("SCI".to_owned()), "").unwrap());
    let pixels = Pixels::F32((0..width * height).map(|number| base + number as f32).collect());
    let mut bytes = Vec::new();
    let image = Image { shape: vec![height, width], pixels };
    write::image(&mut bytes, write::Position::Primary, &header, &image).unwrap();
    bytes
}

/// The reals of the first image of a file, with the sides of that.
pub(crate) fn pixels(path: &Path) -> (Vec<usize>, Vec<f32>) {
    let mut source = std::fs::File::open(path).unwrap();
    let hdus = Hdu::walk(&mut source).unwrap();
    let hdu = hdus.iter().find(|hdu| hdu.is_image() && hdu.shape.len() == 2).unwrap();
    match Image::read(&mut source, hdu).unwrap() {
        Image { shape, pixels: Pixels::F32(values) } => (shape, values),
        other => panic!("{other:?}"),
    }
}

/// A desk that keeps copies in a folder.
pub(crate) struct Shelf {
    folder: PathBuf,
    pub(crate) said: Mutex<Vec<(String, f64)>>,
    pub(crate) shown: Mutex<Vec<Value>>,
}

impl Desk for Shelf {
    fn report(&self, message: &str, fraction: f64) {
        self.said.lock().unwrap().push((message.to_owned(), fraction));
    }

    fn stopped(&self) -> Option<OperationError> {
        None
    }

    fn keep(&self, name: &FileName, path: &Path) -> Result<(), OperationError> {
        std::fs::copy(path, self.folder.join(name.as_str()))?;
        Ok(())
    }

    fn show(&self, product: Value) -> Result<(), OperationError> {
        self.shown.lock().unwrap().push(product);
        Ok(())
    }
}

/// What came of an operation.
pub(crate) struct Done {
    folder: tempfile::TempDir,
    pub(crate) key: Digest,
    pub(crate) outcome: Result<Outcome, OperationError>,
    pub(crate) shelf: Arc<Shelf>,
}

impl Done {
    /// Where the file of this ending was kept.
    pub(crate) fn kept(&self, ending: &str) -> PathBuf {
        self.folder.path().join("kept").join(format!("{}{ending}", self.key))
    }

    /// What was measured.
    pub(crate) fn measured(&self) -> Value {
        match &self.outcome {
            Ok(Outcome::Data(items)) => items[0].clone(),
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) fn all() -> Vec<Arc<dyn Operation>> {
    operations::all(Arc::new(StarTable::default()))
}

/// Does an operation with files: for each field, what the request says of each, and where it is.
pub(crate) fn operate(name: &str, parameters: Value, files: &[(&str, Vec<(Value, PathBuf)>)]) -> Done {
    let folder = tempfile::tempdir().unwrap();
    let (scratch, kept) = (folder.path().join("scratch"), folder.path().join("kept"));
    std::fs::create_dir(&scratch).unwrap();
    std::fs::create_dir(&kept).unwrap();
    let known = all();
    let operation = known.iter().find(|known| known.description().name == name).unwrap();
    let key = Digest::of(name.as_bytes());
    let shelf = Arc::new(Shelf { folder: kept, said: Mutex::default(), shown: Mutex::default() });
    let input = |(item, path): &(Value, PathBuf)| InputFile {
        item: InputItem::read(item).unwrap(),
        file_name: path.file_name().unwrap().to_str().unwrap().to_owned(),
        digest: Digest::of(b"bytes"),
        path: path.clone(),
    };
    let inputs: BTreeMap<String, Vec<InputFile>> =
        files.iter().map(|(field, files)| ((*field).to_owned(), files.iter().map(input).collect())).collect();
    let Value::Object(parameters): Value = parameters else { panic!("{name}") };
    let parameters: Map<String, Value> = parameters;
    let work = Work { key, name: name.to_owned(), parameters, inputs, scratch, desk: Arc::<Shelf>::clone(&shelf) };
    let outcome = operation.run(&work);
    Done { folder, key, outcome, shelf }
}

/// Files of the request under their own names.
pub(crate) fn named(paths: &[PathBuf]) -> Vec<(Value, PathBuf)> {
    let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().split('.').next().unwrap().to_owned();
    paths.iter().map(|path| (json!({ "basename": name(path), "filter": "rp" }), path.clone())).collect()
}
