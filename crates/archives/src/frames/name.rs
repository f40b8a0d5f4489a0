//! Names of files, taken apart into the frame and its form.

use crate::{ArchiveError, source};

/// Endings that say in what form a frame is kept, longer ones before those they end in.
const EXTENSIONS: [&str; 11] =
    [".fits.fz", ".fits.gz", ".fit.gz", ".tar.gz", ".fits", ".fit", ".fts", ".pdf", ".jpg", ".png", ".txt"];

/// The frame's name and the ending of its file: `X.fits.fz` is (`X`, `.fits.fz`). An ending that is not known belongs to the name.
pub fn split_name(file_name: &str) -> (&str, &str) {
    let ending = EXTENSIONS.iter().find_map(|extension| {
        let at = file_name.len().checked_sub(extension.len()).filter(|at| *at > 0)?;
        file_name.get(at..).filter(|ending| ending.eq_ignore_ascii_case(extension)).map(|_| at)
    });
    file_name.split_at(ending.unwrap_or(file_name.len()))
}

/// Refuses what is no plain name of a file.
///
/// # Errors
/// [`ArchiveError::FrameName`].
pub fn check_name(file_name: &str) -> Result<(), ArchiveError> {
    source::check_name(file_name)
        .map_err(|problem| ArchiveError::FrameName { name: file_name.chars().take(80).collect(), problem })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_frame_and_a_form() {
        for (name, expected) in [
            ("tfn0m419-sq32-20240715-0151-e91.fits.fz", ("tfn0m419-sq32-20240715-0151-e91", ".fits.fz")),
            ("a.b.fits", ("a.b", ".fits")),
            ("A.FITS", ("A", ".FITS")),
            ("x.fits.gz", ("x", ".fits.gz")),
            ("spectrum.tar.gz", ("spectrum", ".tar.gz")),
            ("plain", ("plain", "")),
            ("plain.dat", ("plain.dat", "")),
            (".fits", (".fits", "")),
            ("é.fits", ("é", ".fits")),
        ] {
            assert_eq!(split_name(name), expected);
        }
    }

    #[test]
    fn a_name_is_no_path_and_cannot_forge_a_header() {
        for name in ["", ".", "..", "a/b.fits", "a\\b.fits", "a\r\nb.fits", "a\0.fits", &"x".repeat(256)] {
            assert!(check_name(name).is_err(), "{name}");
        }
        check_name("Messung \"ä\" 1.fits").unwrap();
    }
}
