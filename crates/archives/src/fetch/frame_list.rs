//! The pipeline's lists of frames: `main_data_list.txt`, `data_summary.txt`, and the list that a configuration names.
//!
//! A line is added by one write at the end of the file, so a list is whole at every moment; what a crash of the machine may
//! leave of a last line is cut off when the list is opened next.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::row;
use crate::ArchiveError;

/// The longest line of a list that is read.
const MOST_BYTES_OF_A_LINE: u64 = 64 * 1024;

/// What a list holds of each frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// The 34 columns.
    Table,
    /// A name on each line.
    Names,
}

/// What is read of a list.
struct Content {
    form: Form,
    names: HashSet<String>,
    /// The bytes of its whole lines.
    whole: u64,
    /// Whether there is less than a line behind them.
    torn: bool,
}

impl Content {
    fn read(path: &Path, file: &File) -> Result<Self, ArchiveError> {
        let failed = |error| ArchiveError::io(path, "cannot be read", error);
        let (mut reader, mut line, mut column) = (BufReader::new(file), Vec::new(), 0);
        let mut content = Self { form: Form::Names, names: HashSet::new(), whole: 0, torn: false };
        loop {
            line.clear();
            let length =
                reader.by_ref().take(MOST_BYTES_OF_A_LINE + 1).read_until(b'\n', &mut line).map_err(failed)? as u64;
            if length > MOST_BYTES_OF_A_LINE {
                return Err(ArchiveError::file(path, "it has a line of over 64 KiB, so it is no list of frames"));
            }
            if line.last() != Some(&b'\n') {
                content.torn = length > 0;
                return Ok(content);
            }
            let text = std::str::from_utf8(&line)
                .map_err(|_| ArchiveError::file(path, "it is not UTF-8, so it is no list of frames"))?;
            let cells = row::cells(text);
            let first = content.whole == 0;
            content.whole += length;
            match cells.iter().position(|cell| cell == row::COLUMNS[0]) {
                Some(found) if first => {
                    if cells != row::COLUMNS {
                        let problem = "its columns are not those of the pipeline; move it away, and a new one is made";
                        return Err(ArchiveError::file(path, problem));
                    }
                    (content.form, column) = (Form::Table, found);
                }
                _ => content.names.extend(cells.into_iter().nth(column)),
            }
        }
    }
}

/// An open list of frames.
#[derive(Debug)]
pub(super) struct FrameList {
    path: PathBuf,
    file: File,
    form: Form,
    names: HashSet<String>,
}

impl FrameList {
    /// Opens a list, and makes one with its heading where there is none.
    ///
    /// # Errors
    /// [`ArchiveError::File`] if it cannot be read or written, or is no list of frames.
    pub(super) fn open_or_create(path: &Path) -> Result<Self, ArchiveError> {
        if let Some(list) = Self::open(path)? {
            return Ok(list);
        }
        super::files::write_whole(path, format!("{}\n", row::heading()).as_bytes())?;
        Self::open(path)?.ok_or_else(|| ArchiveError::file(path, "it was removed while it was made"))
    }

    /// Opens a list; `None` if there is none.
    ///
    /// # Errors
    /// [`ArchiveError::File`] if it cannot be read or written, or is no list of frames.
    pub(super) fn open(path: &Path) -> Result<Option<Self>, ArchiveError> {
        let failed = |error| ArchiveError::io(path, "cannot be opened", error);
        let file = match OpenOptions::new().read(true).append(true).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let Content { form, names, whole, torn } = Content::read(path, &file)?;
        if torn {
            file.set_len(whole).map_err(failed)?;
        }
        Ok(Some(Self { path: path.to_owned(), file, form, names }))
    }

    /// Whether a file is on the list.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Adds the line of a file that is not on the list.
    ///
    /// # Errors
    /// [`ArchiveError::File`], for a full disk among others: the list is as it was then.
    pub(super) fn add(&mut self, name: &str, line: &str) -> Result<(), ArchiveError> {
        if self.contains(name) {
            return Ok(());
        }
        let text = match self.form {
            Form::Table => format!("{line}\n"),
            Form::Names => format!("{name}\n"),
        };
        let failed = |error| ArchiveError::io(&self.path, "cannot be written", error);
        let before = self.file.seek(SeekFrom::End(0)).map_err(failed)?;
        if let Err(error) = self.file.write_all(text.as_bytes()) {
            // Half a line would be read as a frame.
            self.file.set_len(before).map_err(failed)?;
            return Err(failed(error));
        }
        self.names.insert(name.to_owned());
        Ok(())
    }

    /// Takes files off the list, by writing it anew.
    ///
    /// # Errors
    /// [`ArchiveError::File`]; the list is as it was then.
    pub(super) fn remove(&mut self, unwanted: &HashSet<String>) -> Result<(), ArchiveError> {
        if self.names.is_disjoint(unwanted) {
            return Ok(());
        }
        let text =
            fs::read_to_string(&self.path).map_err(|error| ArchiveError::io(&self.path, "cannot be read", error))?;
        let kept: String = text
            .split_inclusive('\n')
            .filter(|line| row::cells(line).first().is_none_or(|name| !unwanted.contains(name)))
            .collect();
        super::files::write_whole(&self.path, kept.as_bytes())?;
        match Self::open(&self.path)? {
            Some(list) => *self = list,
            None => return Err(ArchiveError::file(&self.path, "it was removed while it was written")),
        }
        Ok(())
    }

    /// Has what was added outlast a crash of the machine.
    ///
    /// # Errors
    /// [`ArchiveError::File`].
    pub(super) fn flush(&self) -> Result<(), ArchiveError> {
        self.file.sync_data().map_err(|error| ArchiveError::io(&self.path, "cannot be written", error))
    }
}

/// The files that a list names; none if it is not there. Nothing is written.
pub(super) fn names(path: &Path) -> Result<HashSet<String>, ArchiveError> {
    match File::open(path) {
        Ok(file) => Ok(Content::read(path, &file)?.names),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(HashSet::new()),
        Err(error) => Err(ArchiveError::io(path, "cannot be opened", error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &Path) -> Vec<String> {
        let text = fs::read_to_string(path).unwrap();
        text.lines().skip(1).map(|line| line.split(' ').next().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_frame_is_listed_once_however_often_it_is_added() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("main_data_list.txt");
        for _ in 0..2 {
            let mut list = FrameList::open_or_create(&path).unwrap();
            for name in ["a.fits", "b.fits", "a.fits"] {
                list.add(name, &format!("{name} None 1")).unwrap();
            }
            assert!(list.contains("b.fits") && !list.contains("c.fits"));
        }
        assert_eq!(names(&path), ["a.fits", "b.fits"]);
    }

    #[test]
    fn what_a_crash_left_of_a_last_line_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.txt");
        fs::write(&path, format!("{}\na.fits None\nb.fi", row::heading())).unwrap();
        let mut list = FrameList::open_or_create(&path).unwrap();
        assert!(list.contains("a.fits") && !list.contains("b.fi"));
        list.add("c.fits", "c.fits None").unwrap();
        assert_eq!(names(&path), ["a.fits", "c.fits"]);
    }

    #[test]
    fn a_plain_list_of_names_stays_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("frames.txt");
        fs::write(&path, "a.fits\n").unwrap();
        let mut list = FrameList::open(&path).unwrap().unwrap();
        assert!(list.contains("a.fits"));
        list.add("b.fits", "b.fits None 1 2").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "a.fits\nb.fits\n");
    }

    #[test]
    fn frames_are_taken_off_and_the_rest_stays_to_the_byte() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.txt");
        let mut list = FrameList::open_or_create(&path).unwrap();
        for name in ["a.fits", "b.fits", "c.fits"] {
            list.add(name, &format!("{name} \"x y\"")).unwrap();
        }
        list.remove(&HashSet::from(["b.fits".to_owned()])).unwrap();
        assert_eq!(names(&path), ["a.fits", "c.fits"]);
        assert!(!list.contains("b.fits"));
    }

    #[test]
    fn what_is_no_list_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("list.txt");
        for content in [b"file other\nx 1\n".to_vec(), vec![0xff, b'\n'], vec![b'a'; 100_000]] {
            fs::write(&path, &content).unwrap();
            assert!(FrameList::open(&path).is_err());
            assert_eq!(fs::read(&path).unwrap().len(), content.len());
        }
        assert!(FrameList::open(&folder.path().join("absent.txt")).unwrap().is_none());
    }
}
