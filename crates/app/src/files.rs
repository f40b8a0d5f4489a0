//! Small files: read whole within a bound, written whole or not at all.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

/// The text of a file of at most `largest` bytes, or nothing if there is no such file.
pub(crate) fn read_text(path: &Path, largest: u64) -> io::Result<Option<String>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut text = String::new();
    file.take(largest + 1).read_to_string(&mut text)?;
    if u64::try_from(text.len()).is_ok_and(|length| length > largest) {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {largest} bytes")));
    }
    Ok(Some(text))
}

/// Writes a file whole and durably: beside it first, then under its name.
pub(crate) fn write_text(path: &Path, text: &str) -> io::Result<()> {
    write(path, &[text.as_bytes()])
}

/// As [`write_text`], of bytes that come in pieces.
pub(crate) fn write(path: &Path, pieces: &[&[u8]]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.new", std::process::id()));
    let beside = Path::new(&beside);
    let written = File::create(beside).and_then(|mut file| {
        for piece in pieces {
            file.write_all(piece)?;
        }
        file.sync_all()
    });
    if let Err(error) = written.and_then(|()| fs::rename(beside, path)) {
        // The error that is told is the one that happened first.
        drop(fs::remove_file(beside));
        return Err(error);
    }
    sync_directory(path.parent().unwrap_or(Path::new(".")))
}

/// Makes the names in a directory durable.
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_up_to_its_bound_and_not_beyond() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        assert_eq!(read_text(&path, 4).unwrap(), None);
        write_text(&path, "four").unwrap();
        assert_eq!(read_text(&path, 4).unwrap().as_deref(), Some("four"));
        assert_eq!(read_text(&path, 3).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        fs::write(&path, [0xff]).unwrap();
        assert_eq!(read_text(&path, 4).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("taken");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("inside"), "kept").unwrap();
        assert!(write_text(&path, "text").is_err());
        assert_eq!(fs::read_to_string(path.join("inside")).unwrap(), "kept");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
