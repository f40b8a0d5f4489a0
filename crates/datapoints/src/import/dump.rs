//! A directory that `mongodump` wrote: where its collection is, whether it is whole, and its documents one by one.

use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use bson::raw::RawDocument;
use holotype_core::{Digest, Hasher};
use serde_json::Value;

use crate::DatapointError;
use crate::import::value;

/// The longest document: MongoDB's own limit of 16 MiB and the room it allows around it.
const LONGEST_DOCUMENT: usize = 16 * 1024 * 1024 + 16 * 1024;

/// A dump of one collection, found and checked.
#[derive(Debug)]
pub struct Dump {
    file: PathBuf,
    checksum: Checksum,
}

/// Whether a dump is what was dumped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checksum {
    /// It has a checksum, and it is right.
    Verified,
    /// It came without one.
    Absent,
}

/// One document of a dump: its JSON, or why it has none.
pub(super) type Document = Result<Value, String>;

impl Dump {
    /// Finds the collection in a directory: of a database, of a dump, or of a MADSci backup. Checks the backup's checksum.
    ///
    /// Reads every file of the database if there is a checksum: call it where blocking is allowed.
    ///
    /// # Errors
    /// [`DatapointError::Import`] if the collection is not there, or the checksum is another one.
    pub fn open(directory: &Path, collection: &str) -> Result<Self, DatapointError> {
        if collection.contains(['/', '\\', '\0']) {
            return Err(refused(directory, "the name of a collection has no separators".to_owned()));
        }
        let name = format!("{collection}.bson");
        let database = database(directory, &name)?;
        let checksum = checksum(directory, &database)?;
        Ok(Self { file: database.join(name), checksum })
    }

    /// Whether the dump is what was dumped.
    pub fn checksum(&self) -> Checksum {
        self.checksum
    }

    /// The file of the collection.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The documents, read as they are taken.
    pub(super) fn documents(&self) -> Result<Documents, DatapointError> {
        let file = File::open(&self.file).map_err(|error| refused(&self.file, error.to_string()))?;
        Ok(Documents { path: self.file.clone(), reader: BufReader::with_capacity(1 << 20, file), offset: 0 })
    }
}

/// The documents of a collection.
pub(super) struct Documents {
    path: PathBuf,
    reader: BufReader<File>,
    offset: u64,
}

impl Documents {
    /// The next document, where in the file it begins, and its length in bytes; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<(u64, usize, Document)>, DatapointError> {
        let start = self.offset;
        let mut length = [0; 4];
        match self.reader.read(&mut length[..1]).map_err(|error| refused(&self.path, error.to_string()))? {
            0 => return Ok(None),
            _ => self.read(&mut length[1..], start)?,
        }
        let size = usize::try_from(i32::from_le_bytes(length)).unwrap_or(0);
        if !(5..=LONGEST_DOCUMENT).contains(&size) {
            let problem =
                format!("at byte {start} a document of {size} bytes is announced; the file is damaged or not BSON");
            return Err(refused(&self.path, problem));
        }
        let mut bytes = vec![0; size];
        bytes[..4].copy_from_slice(&length);
        self.read(&mut bytes[4..], start)?;
        self.offset += size as u64;
        let document = RawDocument::from_bytes(&bytes).map_err(|error| error.to_string()).and_then(value::record);
        Ok(Some((start, size, document)))
    }

    fn read(&mut self, bytes: &mut [u8], start: u64) -> Result<(), DatapointError> {
        self.reader.read_exact(bytes).map_err(|error| {
            refused(
                &self.path,
                format!("the document at byte {start} is cut short ({error}); dump the collection again"),
            )
        })
    }
}

/// The directory that holds the collection: the one given, or the only one below it that does.
fn database(directory: &Path, name: &str) -> Result<PathBuf, DatapointError> {
    if directory.join(name).is_file() {
        return Ok(directory.to_owned());
    }
    let entries = fs::read_dir(directory).map_err(|error| refused(directory, error.to_string()))?;
    let below: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    let mut found = below.iter().filter(|path| path.join(name).is_file());
    match (found.next(), found.next()) {
        (Some(only), None) => Ok(only.clone()),
        (Some(_), Some(_)) => {
            Err(refused(directory, format!("several databases have a {name}; name the directory of one")))
        }
        (None, _) => {
            let zipped = format!("{name}.gz");
            let is_zipped = below.iter().any(|path| path.ends_with(&zipped) || path.join(&zipped).is_file());
            let advice = if is_zipped { "; it is compressed: run gunzip on it first" } else { "" };
            Err(refused(directory, format!("there is no {name} in it or in a directory below it{advice}")))
        }
    }
}

/// Compares the checksums that MADSci's backup tool leaves with the files of the database.
fn checksum(directory: &Path, database: &Path) -> Result<Checksum, DatapointError> {
    // The tool's files lie beside the database's directory, whichever of the two was named.
    let beside = if directory == database { database.parent().unwrap_or(directory) } else { directory };
    let mut expected = Vec::new();
    if let Some(text) = read_if_there(&beside.join("backup.checksum"))? {
        expected.push((beside.join("backup.checksum"), text.trim().to_owned()));
    }
    let metadata = beside.join("backup_metadata.json");
    if let Some(text) = read_if_there(&metadata)? {
        let value: Value = serde_json::from_str(&text).map_err(|error| refused(&metadata, error.to_string()))?;
        expected.extend(value.get("checksum").and_then(Value::as_str).map(|text| (metadata, text.to_owned())));
    }
    if expected.is_empty() {
        return Ok(Checksum::Absent);
    }
    let found = digest_of(database)?;
    match expected.into_iter().find(|(_, digest)| digest.parse::<Digest>().ok() != Some(found)) {
        None => Ok(Checksum::Verified),
        Some((file, digest)) => {
            let shown: String = digest.chars().take(80).collect();
            let problem =
                format!("it says {shown}, and the files of {} have {found}; the backup is damaged", database.display());
            Err(refused(&file, problem))
        }
    }
}

/// The SHA-256 over all `*.bson` files of a directory, one after the other in the order of their names.
fn digest_of(database: &Path) -> Result<Digest, DatapointError> {
    let entries = fs::read_dir(database).map_err(|error| refused(database, error.to_string()))?;
    let mut files: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "bson"));
    files.sort();
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; 1 << 20];
    for path in files {
        let mut file = File::open(&path).map_err(|error| refused(&path, error.to_string()))?;
        loop {
            match file.read(&mut buffer).map_err(|error| refused(&path, error.to_string()))? {
                0 => break,
                count => hasher.update(buffer.get(..count).unwrap_or_default()),
            }
        }
    }
    Ok(hasher.finish())
}

fn read_if_there(path: &Path) -> Result<Option<String>, DatapointError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(refused(path, error.to_string())),
    }
}

pub(super) fn refused(path: &Path, problem: String) -> DatapointError {
    DatapointError::Import { path: path.to_owned(), problem }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bson::doc;

    fn collection(documents: &[bson::Document]) -> Vec<u8> {
        documents.iter().flat_map(|document| document.to_vec().unwrap()).collect()
    }

    fn dump(root: &Path, bytes: &[u8]) -> PathBuf {
        let database = root.join("madsci_data");
        fs::create_dir_all(&database).unwrap();
        fs::write(database.join("datapoints.bson"), bytes).unwrap();
        fs::write(database.join("schema_versions.bson"), collection(&[doc! { "version": "1.0.1" }])).unwrap();
        database
    }

    #[test]
    fn a_collection_is_found_in_its_database_and_one_level_below() {
        let root = tempfile::tempdir().unwrap();
        let database = dump(root.path(), &collection(&[doc! { "_id": "a" }, doc! { "_id": "b" }]));
        for directory in [root.path(), &database] {
            let dump = Dump::open(directory, "datapoints").unwrap();
            let mut documents = dump.documents().unwrap();
            let mut ids = Vec::new();
            while let Some((_, _, document)) = documents.next().unwrap() {
                ids.push(document.unwrap()["_id"].as_str().unwrap().to_owned());
            }
            assert_eq!((ids.join(","), dump.checksum()), ("a,b".to_owned(), Checksum::Absent));
        }
        assert!(Dump::open(root.path(), "none").unwrap_err().to_string().contains("there is no none.bson"));
        fs::write(database.join("zipped.bson.gz"), b"").unwrap();
        assert!(Dump::open(root.path(), "zipped").unwrap_err().to_string().contains("gunzip"));
        assert!(Dump::open(root.path(), "../madsci_data/datapoints").is_err());
    }

    #[test]
    fn a_checksum_is_compared_with_all_files_of_the_database() {
        let root = tempfile::tempdir().unwrap();
        let database = dump(root.path(), &collection(&[doc! { "_id": "a" }]));
        let all = [
            fs::read(database.join("datapoints.bson")).unwrap(),
            fs::read(database.join("schema_versions.bson")).unwrap(),
        ]
        .concat();
        fs::write(root.path().join("backup.checksum"), format!("{}\n", Digest::of(&all))).unwrap();
        fs::write(root.path().join("backup_metadata.json"), format!(r#"{{"checksum":"{}"}}"#, Digest::of(&all)))
            .unwrap();
        assert_eq!(Dump::open(root.path(), "datapoints").unwrap().checksum(), Checksum::Verified);
        assert_eq!(Dump::open(&database, "datapoints").unwrap().checksum(), Checksum::Verified);
        fs::write(database.join("schema_versions.bson"), b"changed").unwrap();
        assert!(Dump::open(root.path(), "datapoints").unwrap_err().to_string().contains("damaged"));
    }

    #[test]
    fn a_file_that_is_cut_or_not_bson_is_refused_where_it_breaks() {
        let root = tempfile::tempdir().unwrap();
        let whole = collection(&[doc! { "_id": "a" }, doc! { "_id": "b" }]);
        for (bytes, problem) in [
            (&whole[..whole.len() - 1], "cut short"),
            (&whole[..whole.len() / 2 + 2], "cut short"),
            (b"this is text, not BSON".as_slice(), "not BSON"),
            (&[255, 255, 255, 255, 0], "not BSON"),
        ] {
            dump(root.path(), bytes);
            let mut documents = Dump::open(root.path(), "datapoints").unwrap().documents().unwrap();
            let error = loop {
                match documents.next() {
                    Ok(Some(_)) => {}
                    Ok(None) => panic!("the end of a broken file was taken for a good one"),
                    Err(error) => break error.to_string(),
                }
            };
            assert!(error.contains(problem), "{error}");
        }
    }
}
