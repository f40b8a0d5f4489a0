//! Headers: ordered cards, found by keyword, written back as they were.

mod card;
mod value;

use std::io::{self, Read, Write};

use card::{RECORD, Record};

pub use card::Card;
pub use value::Value;

pub(crate) use card::latin1;
pub(crate) use value::real;

use crate::FitsError;

/// The length of a block in bytes: headers and data are filled up to whole blocks.
pub const BLOCK: usize = 2880;

/// The longest header that is read, in records: some 8 MB, a hundred times what large observatories write.
pub const MAX_RECORDS: usize = 100_000;

/// The cards of one HDU, in their order, duplicates and commentary among them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Header {
    cards: Vec<Card>,
    /// The `END` record and what follows it in its block, as it was read.
    tail: Vec<u8>,
}

impl Header {
    /// Reads the header that begins here, to the end of its last block; nothing if the stream has ended.
    ///
    /// # Errors
    /// [`FitsError::Cut`] if the stream ends before the `END` record's block does, [`FitsError::TooLarge`] past
    /// [`MAX_RECORDS`], [`FitsError::Io`].
    pub fn read(source: &mut impl Read) -> Result<Option<Self>, FitsError> {
        let mut header = Self::default();
        let mut records = 0;
        let mut block = [0; BLOCK];
        loop {
            match fill(source, &mut block)? {
                0 if records == 0 => return Ok(None),
                BLOCK => {}
                found => {
                    return Err(FitsError::Cut {
                        what: "a header block".to_owned(),
                        needed: BLOCK as u64,
                        found: found as u64,
                    });
                }
            }
            for (index, record) in block.as_chunks::<RECORD>().0.iter().enumerate() {
                if record.starts_with(b"END     ") {
                    header.tail = block[index * RECORD..].to_vec();
                    return Ok(Some(header));
                }
                header.take(*record);
            }
            records += BLOCK / RECORD;
            if records > MAX_RECORDS {
                let what = "a header without END (in records)".to_owned();
                return Err(FitsError::TooLarge { what, size: records as u64, limit: MAX_RECORDS as u64 });
            }
        }
    }

    fn take(&mut self, record: Record) {
        if let Some(last) = self.cards.last_mut()
            && last.goes_on()
            && let Some((text, comment)) = Card::continuation(&record)
        {
            last.extend(record, &text, &comment);
        } else {
            self.cards.push(Card::read(record));
        }
    }

    /// Writes the header in whole blocks. One that was read and not changed is written as it was, byte for byte.
    ///
    /// # Errors
    /// [`FitsError::Io`].
    pub fn write(&self, sink: &mut impl Write) -> Result<(), FitsError> {
        Ok(sink.write_all(&self.to_bytes())?)
    }

    /// The header in whole blocks, as [`Header::write`] writes it.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.cards.iter().flat_map(Card::bytes).flatten().copied().collect();
        if self.tail.is_empty() || !(bytes.len() + self.tail.len()).is_multiple_of(BLOCK) {
            bytes.extend_from_slice(b"END");
            bytes.resize(bytes.len().next_multiple_of(BLOCK), b' ');
        } else {
            bytes.extend_from_slice(&self.tail);
        }
        bytes
    }

    /// All cards in their order.
    pub fn cards(&self) -> &[Card] {
        &self.cards
    }

    /// The first card of `keyword`, whatever the letter case and with or without `HIERARCH`.
    pub fn get(&self, keyword: &str) -> Option<&Card> {
        self.cards.iter().find(|card| card.is(keyword))
    }

    /// The value of the first card of `keyword`.
    pub fn value(&self, keyword: &str) -> Option<&Value> {
        self.get(keyword)?.value()
    }

    /// The string of `keyword`; nothing if it is absent or no string.
    pub fn text(&self, keyword: &str) -> Option<&str> {
        match self.value(keyword)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The whole number of `keyword`; nothing if it is absent, not whole, or beyond 64 bits.
    pub fn integer(&self, keyword: &str) -> Option<i64> {
        match self.value(keyword)? {
            Value::Integer(value) => i64::try_from(*value).ok(),
            _ => None,
        }
    }

    /// The number of `keyword`, whole or not; nothing if it is absent or no number.
    pub fn real(&self, keyword: &str) -> Option<f64> {
        match self.value(keyword)? {
            Value::Real(value) => Some(*value),
            Value::Integer(value) => Some(*value as f64),
            _ => None,
        }
    }

    /// The truth of `keyword`; nothing if it is absent or neither `T` nor `F`.
    pub fn logical(&self, keyword: &str) -> Option<bool> {
        match self.value(keyword)? {
            Value::Logical(value) => Some(*value),
            _ => None,
        }
    }

    /// The size that `keyword` must give: a whole number that is not negative.
    ///
    /// # Errors
    /// [`FitsError::Header`] if it is absent or anything else.
    pub fn size(&self, keyword: &str) -> Result<u64, FitsError> {
        match self.value(keyword) {
            None => Err(FitsError::header(keyword, "it is missing")),
            Some(Value::Integer(size)) => {
                u64::try_from(*size).map_err(|_| FitsError::header(keyword, format!("{size} is no size")))
            }
            Some(_) => Err(FitsError::header(keyword, "a whole number is needed")),
        }
    }

    /// Gives `keyword` a value: in place of its first card, or at the end. A comment of `None` keeps the one there is.
    ///
    /// # Errors
    /// [`FitsError::Unwritable`] as for [`Card::new`].
    pub fn set(&mut self, keyword: &str, value: Value, comment: Option<&str>) -> Result<(), FitsError> {
        let place = self.cards.iter().position(|card| card.is(keyword));
        let kept = place.map(|index| self.cards[index].comment()).unwrap_or_default();
        let card = Card::new(keyword, value, comment.unwrap_or(kept))?;
        match place {
            Some(index) => self.cards[index] = card,
            None => self.cards.push(card),
        }
        Ok(())
    }

    /// Adds a card at the end.
    pub fn push(&mut self, card: Card) {
        self.cards.push(card);
    }

    /// Puts a card at `index`, or at the end if there are fewer.
    pub fn insert(&mut self, index: usize, card: Card) {
        self.cards.insert(index.min(self.cards.len()), card);
    }

    /// Removes the cards that `unwanted` says yes to, and tells how many they were.
    pub fn remove(&mut self, mut unwanted: impl FnMut(&Card) -> bool) -> usize {
        let before = self.cards.len();
        self.cards.retain(|card| !unwanted(card));
        before - self.cards.len()
    }
}

impl FromIterator<Card> for Header {
    fn from_iter<I: IntoIterator<Item = Card>>(cards: I) -> Self {
        Self { cards: cards.into_iter().collect(), tail: Vec::new() }
    }
}

/// Fills `buffer` as far as the stream goes, and tells how far.
pub(crate) fn fill(source: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(records: &[&str]) -> Vec<u8> {
        let mut bytes: Vec<u8> = records.iter().flat_map(|text| format!("{text:<80}").into_bytes()).collect();
        bytes.resize(bytes.len().next_multiple_of(BLOCK), b' ');
        bytes
    }

    fn read(records: &[&str]) -> Header {
        Header::read(&mut block(records).as_slice()).unwrap().unwrap()
    }

    const PRIMARY: [&str; 9] = [
        "SIMPLE  =                    T",
        "BITPIX  =                   16 / bits",
        "STORY   = 'once upon &'",
        "CONTINUE  'a time&' / it",
        "CONTINUE  '' / was",
        "COMMENT one",
        "COMMENT two",
        "GAIN    = 1.5",
        "GAIN    = 2.5",
    ];

    fn primary() -> Vec<&'static str> {
        PRIMARY.into_iter().chain(["END"]).collect()
    }

    #[test]
    fn cards_are_found_by_keyword_and_keep_their_order() {
        let header = read(&primary());
        assert_eq!(header.logical("simple"), Some(true));
        assert_eq!(
            (header.integer("BITPIX"), header.real("BITPIX"), header.text("BITPIX")),
            (Some(16), Some(16.0), None)
        );
        assert_eq!(header.text("STORY"), Some("once upon a time"));
        assert_eq!(header.get("STORY").unwrap().comment(), "itwas");
        assert_eq!(header.real("GAIN"), Some(1.5));
        let comments: Vec<_> = header.cards().iter().filter(|card| card.is("COMMENT")).map(Card::comment).collect();
        assert_eq!(comments, ["one", "two"]);
        assert_eq!(header.cards().len(), 7);
    }

    #[test]
    fn a_header_that_is_not_changed_is_written_back_as_it_was() {
        let mut bytes = block(&primary());
        // What stands after END is of no meaning, and nobody's to change.
        bytes[BLOCK - 1] = b'x';
        assert_eq!(Header::read(&mut bytes.as_slice()).unwrap().unwrap().to_bytes(), bytes);
    }

    #[test]
    fn an_edit_changes_its_card_and_no_other() {
        let mut header = read(&primary());
        let before = header.clone();
        header.set("BITPIX", Value::Integer(-32), None).unwrap();
        header.set("NEW", Value::Text("x".into()), Some("made")).unwrap();
        assert_eq!(header.get("BITPIX").unwrap().comment(), "bits");
        assert_eq!(header.remove(|card| card.is("GAIN")), 2);
        let again = Header::read(&mut header.to_bytes().as_slice()).unwrap().unwrap();
        assert_eq!((again.integer("BITPIX"), again.text("NEW"), again.get("GAIN")), (Some(-32), Some("x"), None));
        assert_eq!(again.cards()[2..5], before.cards()[2..5]);
    }

    #[test]
    fn a_header_may_end_at_the_edge_of_a_block() {
        let exactly: Vec<&str> = std::iter::repeat_n("COMMENT", 35).chain(["END"]).collect();
        let mut header = read(&exactly);
        assert_eq!(header.to_bytes().len(), BLOCK);
        header.push(Card::commentary("HISTORY", "one more").unwrap());
        assert_eq!(header.to_bytes().len(), 2 * BLOCK);
        assert_eq!(Header::read(&mut header.to_bytes().as_slice()).unwrap().unwrap().cards().len(), 36);
    }

    #[test]
    fn a_header_that_is_cut_or_never_ends_is_an_error() {
        let bytes = block(&primary());
        assert!(matches!(Header::read(&mut &bytes[..100]), Err(FitsError::Cut { needed: 2880, found: 100, .. })));
        assert!(matches!(Header::read(&mut io::repeat(b'x')), Err(FitsError::TooLarge { .. })));
        assert!(Header::read(&mut io::empty()).unwrap().is_none());
    }

    #[test]
    fn sizes_are_whole_numbers_that_are_not_negative() {
        let header = read(&["A = 1", "B       = -1", "C       = 1.0", "D       = 7", "END"]);
        assert!(header.size("A").is_err() && header.size("B").is_err() && header.size("C").is_err());
        assert_eq!(header.size("D").unwrap(), 7);
    }
}
