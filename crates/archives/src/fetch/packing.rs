//! How a frame's file is packed, told by the end of its name, and what it is called once it is unpacked.

use std::collections::BTreeMap;

use crate::source::declared::Unpack;

/// What is done with files where a definition does not say otherwise. The longest end that fits decides.
const USUAL: [(&str, Unpack); 7] = [
    (".fits.fz", Unpack::Funpack),
    (".fit.fz", Unpack::Funpack),
    (".fts.fz", Unpack::Funpack),
    (".fz", Unpack::Funpack),
    (".fits.gz", Unpack::Gunzip),
    (".fit.gz", Unpack::Gunzip),
    (".fts.gz", Unpack::Gunzip),
];

/// Ends of names of FITS files.
const FITS: [&str; 3] = [".fits", ".fit", ".fts"];

/// How a frame's file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// FITS, whose images may be compressed in tiles.
    Fits,
    /// FITS in a gzip.
    Gzip,
    /// Anything else, and what is to stay as it is.
    Other,
}

/// What is done with the files of an archive, by the ends of their names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packing<'p>(pub(super) Option<&'p BTreeMap<String, Unpack>>);

impl Packing<'_> {
    /// What a frame's file is called once it is unpacked, and how it is packed.
    pub(super) fn of(self, name: &str) -> (String, Form) {
        let declared = self.0.into_iter().flatten().map(|(end, unpack)| (end.as_str(), *unpack));
        let longest = |found: Option<(usize, Unpack)>, (end, unpack): (&str, Unpack)| {
            let longer = ends_with(name, end) && found.is_none_or(|(length, _)| end.len() > length);
            if longer { Some((end.len(), unpack)) } else { found }
        };
        let found = declared.fold(None, longest).or_else(|| USUAL.into_iter().fold(None, longest));
        let without = |ending: &str| name[..name.len() - ending.len()].to_owned();
        match found {
            Some((_, Unpack::Keep)) => (name.to_owned(), Form::Other),
            Some((_, Unpack::Funpack)) if ends_with(name, ".fz") => (without(".fz"), Form::Fits),
            Some((_, Unpack::Gunzip)) if ends_with(name, ".gz") => (without(".gz"), Form::Gzip),
            Some((_, Unpack::Gunzip)) => (name.to_owned(), Form::Gzip),
            _ if FITS.iter().any(|end| ends_with(name, end)) => (name.to_owned(), Form::Fits),
            Some((_, Unpack::Funpack)) => (name.to_owned(), Form::Fits),
            None => (name.to_owned(), Form::Other),
        }
    }
}

/// Whether a name has this end, in any case, and something before it.
fn ends_with(name: &str, end: &str) -> bool {
    let at = name.len().checked_sub(end.len()).filter(|at| *at > 0);
    at.and_then(|at| name.get(at..)).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_file_loses_its_last_ending_and_others_keep_their_names() {
        for (name, made, form) in [
            ("x-e91.fits.fz", "x-e91.fits", Form::Fits),
            ("x.fits", "x.fits", Form::Fits),
            ("x.FTS", "x.FTS", Form::Fits),
            ("x.fits.gz", "x.fits", Form::Gzip),
            ("x.tar.gz", "x.tar.gz", Form::Other),
            ("x.pdf", "x.pdf", Form::Other),
            (".fz", ".fz", Form::Other),
            ("ä.fz", "ä", Form::Fits),
        ] {
            assert_eq!(Packing(None).of(name), (made.to_owned(), form));
        }
    }

    #[test]
    fn a_definition_says_what_is_kept_as_it_is() {
        let declared = BTreeMap::from([(".gz".to_owned(), Unpack::Keep), (".dat.gz".to_owned(), Unpack::Gunzip)]);
        let packing = Packing(Some(&declared));
        assert_eq!(packing.of("x.fits.gz"), ("x.fits.gz".to_owned(), Form::Other));
        assert_eq!(packing.of("x.dat.gz"), ("x.dat".to_owned(), Form::Gzip));
        assert_eq!(packing.of("x.fits.fz"), ("x.fits".to_owned(), Form::Fits));
    }
}
