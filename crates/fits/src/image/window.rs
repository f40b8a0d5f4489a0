//! A part of a source, of which only a piece at a time is held.

use std::io::{Read, Seek, SeekFrom};

use crate::FitsError;

/// How much is read at a time, in bytes: parts that are asked for mostly lie one behind the other.
const PIECE: u64 = 64 * 1024;

/// A part of a source, by its place.
pub(super) struct Window {
    start: u64,
    length: u64,
    /// Nothing is read ahead beyond this.
    wanted: u64,
    /// What is held, from `at` bytes after the start.
    held: Vec<u8>,
    at: u64,
}

impl Window {
    /// The `length` bytes that begin `start` bytes after the beginning of the source.
    pub(super) fn new(start: u64, length: u64) -> Self {
        Self { start, length, wanted: length, held: Vec::new(), at: 0 }
    }

    /// Says that nothing from `end` bytes after the start will be asked for, so that it need not be read.
    pub(super) fn end_at(&mut self, end: u64) {
        self.wanted = end.min(self.length);
    }

    /// The `length` bytes that begin `offset` bytes after the start; nothing if they do not lie within.
    pub(super) fn get(
        &mut self,
        source: &mut (impl Read + Seek),
        offset: u64,
        length: u64,
    ) -> Result<Option<&[u8]>, FitsError> {
        if offset.checked_add(length).is_none_or(|end| end > self.length) {
            return Ok(None);
        }
        if offset < self.at || offset + length > self.at + self.held.len() as u64 {
            source.seek(SeekFrom::Start(self.start + offset))?;
            self.held.clear();
            self.at = offset;
            // Grows with what is really there.
            let wanted = PIECE.min(self.wanted.saturating_sub(offset)).max(length);
            let found = source.by_ref().take(wanted).read_to_end(&mut self.held)? as u64;
            if found < length {
                return Err(FitsError::Cut { what: "a compressed image".to_owned(), needed: length, found });
            }
        }
        let first = (offset - self.at) as usize;
        Ok(self.held.get(first..first + length as usize))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    #[test]
    fn what_lies_within_is_given_in_any_order() {
        let bytes: Vec<u8> = (0..1_000_000_u32).map(|value| (value % 251) as u8).collect();
        let mut source = Cursor::new(&bytes);
        let mut window = Window::new(1000, 900_000);
        for (offset, length) in [(0, 10), (5, 300_000), (899_999, 1), (4, 6), (600_000, 300_000), (7, 0)] {
            let (first, end) = (1000 + offset as usize, 1000 + (offset + length) as usize);
            let found = window.get(&mut source, offset, length).unwrap();
            assert_eq!(found, Some(&bytes[first..end]), "{length} at {offset}");
        }
        for (offset, length) in [(900_000, 1), (0, 900_001), (u64::MAX, 2)] {
            assert_eq!(window.get(&mut source, offset, length).unwrap(), None);
        }
    }

    #[test]
    fn a_source_that_ends_too_early_is_cut() {
        let mut window = Window::new(10, 100);
        let error = window.get(&mut Cursor::new(vec![0; 60]), 0, 80).unwrap_err();
        assert!(matches!(error, FitsError::Cut { needed: 80, found: 50, .. }), "{error}");
    }
}
