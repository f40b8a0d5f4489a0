//! `CHECKSUM` and `DATASUM`: whether an HDU is as it was written, and the cards that say so.

use std::io::{Read, Seek, SeekFrom};

use fitsio_pure::checksum::encode_checksum;
use serde::Serialize;

use crate::{FitsError, Hdu, Header, Value};

/// The FITS sum of bytes: 32-bit words, most significant byte first, added with the carry put back at the low end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sum {
    total: u64,
    /// How many bytes of a word have been added.
    phase: usize,
}

impl Sum {
    /// Adds what follows. Missing bytes of the last word, and filling, count as zero.
    pub fn add(&mut self, bytes: &[u8]) {
        let lead = (4 - self.phase) % 4;
        let (head, words) = bytes.split_at(lead.min(bytes.len()));
        let (words, tail) = words.as_chunks::<4>();
        head.iter().for_each(|&byte| self.byte(byte));
        // 2^32 words, 16 GiB, before 64 bits would overflow: carries are put back far earlier.
        for part in words.chunks(1 << 20) {
            self.total += part.iter().map(|word| u64::from(u32::from_be_bytes(*word))).sum::<u64>();
            self.carry();
        }
        tail.iter().for_each(|&byte| self.byte(byte));
    }

    fn byte(&mut self, byte: u8) {
        self.total += u64::from(byte) << (24 - 8 * self.phase);
        self.phase = (self.phase + 1) % 4;
        self.carry();
    }

    fn carry(&mut self) {
        while let carry @ 1.. = self.total >> 32 {
            self.total = (self.total & 0xFFFF_FFFF) + carry;
        }
    }

    /// The sum so far.
    pub fn value(self) -> u32 {
        self.total as u32
    }
}

/// What a card says of the bytes it was written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// There is no such card.
    Absent,
    /// The bytes are as they were.
    Right,
    /// The bytes have changed, or the card is no sum.
    Wrong,
}

/// Whether an HDU is as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// The place of the HDU in the file, 0 for the primary.
    pub index: usize,
    /// The name of the HDU.
    pub name: String,
    /// What `CHECKSUM` says of header and data.
    pub checksum: Verdict,
    /// What `DATASUM` says of the data.
    pub datasum: Verdict,
}

impl Verification {
    /// Whether a card says that the HDU has changed.
    pub fn is_wrong(&self) -> bool {
        self.checksum == Verdict::Wrong || self.datasum == Verdict::Wrong
    }
}

/// Verifies `hdu`, which was found in this source, reading its data once in pieces.
///
/// # Errors
/// [`FitsError::Cut`] if its data are not all there, [`FitsError::Io`].
pub fn verify(source: &mut (impl Read + Seek), hdu: &Hdu) -> Result<Verification, FitsError> {
    let data = data_sum(source, hdu)?;
    let (checksum, datasum) = verdicts(&hdu.header, data);
    Ok(Verification { index: hdu.index, name: hdu.name.clone(), checksum, datasum })
}

/// The sum of the data of `hdu`, which was found in this source.
///
/// # Errors
/// As [`verify`].
pub fn data_sum(source: &mut (impl Read + Seek), hdu: &Hdu) -> Result<Sum, FitsError> {
    source.seek(SeekFrom::Start(hdu.data_offset))?;
    let mut data = source.by_ref().take(hdu.end() - hdu.data_offset);
    let mut piece = vec![0; 64 * 1024];
    let mut sum = Sum::default();
    let mut found = 0;
    loop {
        match crate::header::fill(&mut data, &mut piece)? {
            0 if found < hdu.data_length => {
                let what = format!("the data of HDU {}", hdu.index);
                return Err(FitsError::Cut { what, needed: hdu.data_length, found });
            }
            0 => return Ok(sum),
            length => {
                sum.add(&piece[..length]);
                found += length as u64;
            }
        }
    }
}

/// What `CHECKSUM` and `DATASUM` of a header say of it and of data with this sum.
pub(crate) fn verdicts(header: &Header, data: Sum) -> (Verdict, Verdict) {
    let checksum = match header.get("CHECKSUM") {
        None => Verdict::Absent,
        Some(_) => {
            let mut whole = data;
            whole.phase = 0;
            whole.add(&header.to_bytes());
            // All ones and all zeros are the two forms of nothing in this arithmetic.
            if matches!(whole.value(), 0 | u32::MAX) { Verdict::Right } else { Verdict::Wrong }
        }
    };
    let datasum = match header.value("DATASUM") {
        None => Verdict::Absent,
        Some(Value::Text(text)) if text.trim_matches(' ').parse() == Ok(data.value()) => Verdict::Right,
        Some(Value::Integer(value)) if *value == i128::from(data.value()) => Verdict::Right,
        Some(_) => Verdict::Wrong,
    };
    (checksum, datasum)
}

/// Gives a header the `CHECKSUM` and `DATASUM` of itself and of data with this sum, in place or at its end.
///
/// # Errors
/// None that a caller could cause: [`FitsError::Unwritable`] would be a fault of ours.
pub fn stamp(header: &mut Header, data: Sum) -> Result<(), FitsError> {
    let text = |text: &str| Value::Text(text.to_owned());
    header.set("CHECKSUM", text("0000000000000000"), Some("HDU checksum"))?;
    header.set("DATASUM", text(&data.value().to_string()), Some("data unit checksum"))?;
    let mut whole = Sum { phase: 0, ..data };
    whole.add(&header.to_bytes());
    let encoded = encode_checksum(whole.value(), true);
    header.set("CHECKSUM", text(&crate::header::latin1(&encoded)), None)
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::Card;

    fn sum(bytes: &[u8]) -> Sum {
        let mut sum = Sum::default();
        sum.add(bytes);
        sum
    }

    fn file(data: &[u8]) -> Vec<u8> {
        let cards = [
            ("SIMPLE", Value::Logical(true)),
            ("BITPIX", Value::Integer(8)),
            ("NAXIS", Value::Integer(1)),
            ("NAXIS1", Value::Integer(data.len() as i128)),
        ];
        let mut header: Header =
            cards.into_iter().map(|(keyword, value)| Card::new(keyword, value, "").unwrap()).collect();
        stamp(&mut header, sum(data)).unwrap();
        let mut bytes = header.to_bytes();
        bytes.extend_from_slice(data);
        bytes.resize(bytes.len().next_multiple_of(2880), 0);
        bytes
    }

    fn verified(bytes: &[u8]) -> (Verdict, Verdict) {
        let mut source = Cursor::new(bytes);
        let hdus = Hdu::walk(&mut source).unwrap();
        let found = verify(&mut source, &hdus[0]).unwrap();
        (found.checksum, found.datasum)
    }

    #[test]
    fn the_sum_carries_around_and_does_not_depend_on_the_pieces() {
        assert_eq!(sum(&[0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 2]).value(), 2);
        let bytes: Vec<u8> = (0..1000_u32).map(|index| (index * 37) as u8).collect();
        let mut pieces = Sum::default();
        bytes.chunks(7).for_each(|piece| pieces.add(piece));
        assert_eq!(pieces.value(), sum(&bytes).value());
    }

    #[test]
    fn what_is_stamped_verifies_and_a_changed_byte_is_found() {
        for seed in 0..200_u32 {
            let data: Vec<u8> = (0..seed * 17).map(|index| (index.wrapping_mul(seed) >> 3) as u8).collect();
            let mut bytes = file(&data);
            assert_eq!(verified(&bytes), (Verdict::Right, Verdict::Right), "{seed}");
            if seed > 0 {
                bytes[2880] ^= 1;
                assert_eq!(verified(&bytes), (Verdict::Wrong, Verdict::Wrong), "{seed}");
                bytes[2880] ^= 1;
            }
            bytes[7 * 80 - 1] ^= 1;
            assert_eq!(verified(&bytes), (Verdict::Wrong, Verdict::Right), "{seed}");
        }
    }

    #[test]
    fn an_encoded_sum_has_letters_and_digits_only() {
        for value in (0..u32::MAX).step_by(9_999_991) {
            assert!(encode_checksum(value, true).iter().all(u8::is_ascii_alphanumeric), "{value}");
        }
    }
}
