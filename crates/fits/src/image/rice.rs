//! Rice coding: the differences of neighbouring pixels, in blocks that each say how many low bits stand as they are.

/// How blocks are written for pixels of one width.
struct Width {
    /// The bits that say how many low bits of each difference are kept.
    head: u32,
    /// The value of the head, less one, for a block whose differences are written in full.
    full: u32,
    /// The bits of a pixel.
    bits: u32,
}

/// Unpacks a tile of `count` pixels of `bytes` bytes (1, 2 or 4), coded in blocks of `block`; what is wrong with it is told
/// in words. Single bytes are taken for unsigned, longer numbers for signed.
pub(crate) fn unpack(tile: &[u8], count: usize, block: usize, bytes: usize) -> Result<Vec<i32>, String> {
    // A byte of zeros stands for hundreds of pixels: what is held grows with what is really there.
    let mut values = Vec::with_capacity(count.min(1 << 16));
    unpack_to(tile, count, block, bytes, &mut values)?;
    Ok(values)
}

/// The same in place of what `values` holds.
pub(super) fn unpack_to(
    tile: &[u8],
    count: usize,
    block: usize,
    bytes: usize,
    values: &mut Vec<i32>,
) -> Result<(), String> {
    let width = match bytes {
        1 => Width { head: 3, full: 6, bits: 8 },
        2 => Width { head: 4, full: 14, bits: 16 },
        _ => Width { head: 5, full: 25, bits: 32 },
    };
    let (first, coded) = tile.split_at_checked(bytes).ok_or(CUT)?;
    let first = first.iter().fold(0, |value, &byte| value << 8 | u32::from(byte));
    values.clear();
    let mut last = first;
    let mut bits = Bits::new(coded);
    while values.len() < count {
        let length = block.min(count - values.len());
        block_of(&mut bits, &width, length, &mut last, values)?;
    }
    // Differences of short numbers run over their range and back.
    match bytes {
        1 => values.iter_mut().for_each(|value| *value &= 0xFF),
        2 => values.iter_mut().for_each(|value| *value = i32::from(*value as i16)),
        _ => {}
    }
    Ok(())
}

/// The most low bits of which four numbers mostly fit into what is held.
const SHORT: u32 = 11;

const CUT: &str = "it ends before its last pixel";

/// Unpacks one block of `length` pixels behind `values`.
fn block_of(
    bits: &mut Bits,
    width: &Width,
    length: usize,
    last: &mut u32,
    values: &mut Vec<i32>,
) -> Result<(), &'static str> {
    let start = values.len();
    values.resize(start + length, last.cast_signed());
    let block = &mut values[start..];
    let mut next = |folded: u32| {
        // Even numbers stand for what is not negative, odd ones for the rest.
        *last = last.wrapping_add(folded >> 1 ^ (folded & 1).wrapping_neg());
        last.cast_signed()
    };
    match bits.take(width.head)? {
        0 => {}
        head if head - 1 == width.full => {
            for value in block {
                *value = next(bits.take(width.bits)?);
            }
        }
        head if head - 1 < width.full => {
            let kept = head - 1;
            let (fours, rest) = if kept <= SHORT { block.as_chunks_mut::<4>() } else { (&mut [][..], block) };
            for four in fours {
                for (value, folded) in four.iter_mut().zip(bits.four(kept)?) {
                    *value = next(folded);
                }
            }
            for value in rest {
                *value = next(bits.split(kept)?);
            }
        }
        _ => return Err("a block keeps more bits than a pixel has"),
    }
    Ok(())
}

/// Bits, the most significant of each byte first.
struct Bits<'a> {
    /// The bytes that are not in `word` yet. Some bits of the first may be, behind those that count.
    rest: &'a [u8],
    /// The next bits, at its high end.
    word: u64,
    /// How many bits of `word` count, at most 63.
    held: u32,
}

impl<'a> Bits<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, word: 0, held: 0 }
    }

    /// Holds at least 56 bits, or all there are.
    #[inline]
    fn fill(&mut self) {
        if let Some(eight) = self.rest.first_chunk::<8>() {
            self.word |= u64::from_be_bytes(*eight) >> self.held;
            let whole = (63 - self.held) / 8;
            self.rest = &self.rest[whole as usize..];
            self.held += 8 * whole;
            return;
        }
        while self.held <= 55
            && let Some((&byte, rest)) = self.rest.split_first()
        {
            self.word |= u64::from(byte) << (56 - self.held);
            self.rest = rest;
            self.held += 8;
        }
    }

    /// The next `count` bits, at most 32.
    #[inline]
    fn take(&mut self, count: u32) -> Result<u32, &'static str> {
        if self.held < count {
            self.fill();
            if self.held < count {
                return Err(CUT);
            }
        }
        let taken = (self.word >> 1 >> (63 - count)) as u32;
        self.word <<= count;
        self.held -= count;
        Ok(taken)
    }

    /// Four numbers, each as [`Bits::split`] gives it.
    ///
    /// They are taken from what is held as if that were enough, and are right if no more was used than was held. So each waits
    /// for the length of the one before, and for nothing else.
    #[inline]
    fn four(&mut self, kept: u32) -> Result<[u32; 4], &'static str> {
        self.fill();
        let (mut word, mut used, mut numbers) = (self.word, 0, [0; 4]);
        for number in &mut numbers {
            let Some(first) = word.checked_ilog2() else {
                used = u32::MAX;
                break;
            };
            let length = 64 + kept - first;
            // The low bits with the one before them, which counts as a zero more than there are.
            let low = word.wrapping_shr(first.wrapping_sub(kept)) as u32;
            *number = (62_u32.wrapping_sub(first) << kept).wrapping_add(low);
            word = word.wrapping_shl(length);
            used += length;
        }
        if used <= self.held {
            self.word = word;
            self.held -= used;
            return Ok(numbers);
        }
        Ok([self.split(kept)?, self.split(kept)?, self.split(kept)?, self.split(kept)?])
    }

    /// A number whose high part stands as so many zeros and a one, and whose `kept` low bits follow, at most 24.
    #[inline]
    fn split(&mut self, kept: u32) -> Result<u32, &'static str> {
        // More than nearly all numbers have.
        if self.held < 40 {
            self.fill();
        }
        let zeros = self.word.leading_zeros();
        let length = zeros + 1 + kept;
        if length <= self.held {
            let rest = self.word << zeros << 1;
            self.word = rest << kept;
            self.held -= length;
            return Ok(zeros << kept | (rest >> 1 >> (63 - kept)) as u32);
        }
        let high = self.zeros()?;
        Ok(high << kept | self.take(kept)?)
    }

    /// How many zeros stand before the next one, which is taken too.
    #[inline]
    fn zeros(&mut self) -> Result<u32, &'static str> {
        let mut zeros = 0_u32;
        loop {
            let here = self.word.leading_zeros();
            if here < self.held {
                self.word <<= here + 1;
                self.held -= here + 1;
                return Ok(zeros.wrapping_add(here));
            }
            zeros = zeros.wrapping_add(self.held);
            self.word <<= self.held;
            self.held = 0;
            self.fill();
            if self.held == 0 {
                return Err(CUT);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_come_in_their_order_across_bytes() {
        let bytes = [0b1010_0000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0b0001_1111, 0xFF];
        let mut bits = Bits::new(&bytes);
        assert_eq!((bits.take(1), bits.take(2), bits.zeros()), (Ok(1), Ok(1), Ok(80)));
        assert_eq!((bits.take(0), bits.take(12), bits.take(1)), (Ok(0), Ok(0xFFF), Err(CUT)));
        assert_eq!(bits.zeros(), Err(CUT));
    }

    #[test]
    fn a_number_in_two_parts_is_the_same_at_any_place_and_of_any_length() {
        for (skipped, zeros, kept) in [(0, 0, 0), (0, 3, 5), (7, 61, 0), (31, 70, 24), (3, 30, 24), (20, 200, 1)] {
            // Ones wherever they do not count as zeros.
            let mut text = "1".repeat(skipped as usize) + &"0".repeat(zeros as usize) + "1" + &"10".repeat(12);
            text += &"1".repeat(text.len().next_multiple_of(8) - text.len());
            let bytes: Vec<u8> =
                text.as_bytes().chunks(8).map(|byte| byte.iter().fold(0, |all, bit| all << 1 | (bit - b'0'))).collect();
            let mut bits = Bits::new(&bytes);
            bits.take(skipped).unwrap();
            let low = 0xAA_AAAA >> (24 - kept);
            assert_eq!(bits.split(kept), Ok(zeros << kept | low), "{skipped} {zeros} {kept}");
        }
        assert_eq!(Bits::new(&[0, 0, 1]).split(1), Err(CUT));
    }

    #[test]
    fn four_numbers_at_once_are_those_that_come_one_by_one() {
        let mut state = 1_u64;
        let mut byte = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Fewer ones make longer numbers, and zeros alone the longest.
            (state >> 33) as u8 & (state >> 41) as u8 & if state >> 60 == 0 { 0 } else { 0xFF }
        };
        for kept in 0..=SHORT {
            let bytes: Vec<u8> = (0..10_000).map(|_| byte()).collect();
            let (mut four, mut one) = (Bits::new(&bytes), Bits::new(&bytes));
            let mut count = 0;
            while let Ok(numbers) = four.four(kept) {
                assert_eq!(numbers.map(Ok), [(); 4].map(|()| one.split(kept)), "{kept}, after {count}");
                count += 4;
            }
            assert!(count > 1000 && (0..4).any(|_| one.split(kept).is_err()), "{kept}: {count}");
        }
    }

    #[test]
    fn a_full_word_is_taken_at_any_place() {
        let bytes = [0x12, 0x34, 0x56, 0x78, 0x9A, 0xBC, 0xDE, 0xF0, 0x0F, 0xED, 0xCB, 0xA9];
        for skipped in 0..32 {
            let mut bits = Bits::new(&bytes);
            bits.take(skipped).unwrap();
            let whole = u128::from_be_bytes([&bytes[..], &[0; 4]].concat().try_into().unwrap());
            assert_eq!(bits.take(32), Ok((whole << skipped >> 96) as u32), "{skipped}");
        }
    }

    #[test]
    fn a_block_without_differences_needs_no_bits() {
        // The first pixel, then two heads of zero.
        assert_eq!(unpack(&[0, 0, 0, 7, 0, 0], 40, 32, 4), Ok(vec![7; 40]));
        assert_eq!(unpack(&[0, 0, 0, 7], 40, 32, 4), Err(CUT.to_owned()));
        assert_eq!(unpack(&[0, 0], 1, 32, 4), Err(CUT.to_owned()));
    }

    #[test]
    fn a_head_that_no_writer_makes_is_refused() {
        assert!(unpack(&[0, 0, 0, 9, 0xFF, 0xFF], 4, 32, 4).unwrap_err().contains("more bits"));
    }
}
