//! FITS files in directories, by their names.

use std::fs;
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// How the names of FITS files end.
const ENDINGS: [&str; 7] = [".fits", ".fits.fz", ".fits.gz", ".fit", ".fits.fz.gz", ".fts", ".fit.gz"];

/// Deepest directory that is looked into.
const DEEPEST: usize = 32;

/// The files to hand in: each that is named, and those below directories whose names end like FITS, in the order of names.
pub(super) fn named(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in paths {
        match fs::metadata(path) {
            Ok(about) if about.is_dir() => below(path, 0, &mut files)?,
            Ok(_) => files.push(path.clone()),
            Err(source) => return Err(unreadable(path, source)),
        }
    }
    Ok(files)
}

/// The FITS files below a directory. Hidden ones are somebody's unfinished business.
pub(super) fn below(directory: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let entries = fs::read_dir(directory).map_err(|source| unreadable(directory, source))?;
    let mut entries = entries.collect::<Result<Vec<_>, _>>().map_err(|source| unreadable(directory, source))?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (name, path) = (entry.file_name(), entry.path());
        let name = name.to_string_lossy().to_ascii_lowercase();
        // A link to a directory is not followed, so that there is no circle.
        let is_directory = entry.file_type().map_err(|source| unreadable(&path, source))?.is_dir();
        if name.starts_with('.') {
            continue;
        } else if is_directory {
            if depth < DEEPEST {
                below(&path, depth + 1, found)?;
            }
        } else if ENDINGS.iter().any(|ending| name.ends_with(ending)) && path.is_file() {
            found.push(path);
        }
    }
    Ok(())
}

fn unreadable(path: &Path, source: std::io::Error) -> Failure {
    Failure::io(format!("{} cannot be read", path.display()), source)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_looked_through_for_fits_and_files_are_taken_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("night/.hidden")).unwrap();
        for name in ["night/b.FITS.fz", "night/a.fits", "night/.c.fits", "night/.hidden/d.fits", "night/log.txt", "raw"]
        {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let found = named(&[folder.path().join("night"), folder.path().join("raw")]).unwrap();
        let names: Vec<_> = found.iter().map(|path| path.file_name().unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["a.fits", "b.FITS.fz", "raw"]);
        assert!(named(&[folder.path().join("absent")]).is_err());
    }
}
