//! Reads one field of an `application/x-www-form-urlencoded` body as it streams by.
//!
//! Percent-encoding makes a value up to three times as long, so the body is decoded piece by piece and only the wanted
//! field is kept.

/// What is longer than it may be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong;

/// The decoder; feed it with [`Field::push`] and ask it with [`Field::finish`].
#[derive(Debug)]
pub(crate) struct Field {
    wanted: &'static str,
    limit: usize,
    name: Vec<u8>,
    value: Option<Vec<u8>>,
    in_value: bool,
    /// Undecided characters of a percent sequence: `%` and at most one digit.
    escape: Vec<u8>,
    found: Option<Vec<u8>>,
}

impl Field {
    /// Reads the last field called `wanted`, of at most `limit` bytes after decoding.
    pub(crate) fn new(wanted: &'static str, limit: usize) -> Self {
        let (name, escape) = (Vec::new(), Vec::new());
        Self { wanted, limit, name, value: None, in_value: false, escape, found: None }
    }

    /// Takes the next piece of the body.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<(), TooLong> {
        for byte in piece {
            match (self.escape.len(), byte) {
                (1, digit) if digit.is_ascii_hexdigit() => self.escape.push(*digit),
                (2, digit) if digit.is_ascii_hexdigit() => {
                    let high = self.escape.pop().map_or(0, hexadecimal);
                    self.escape.clear();
                    self.keep(high << 4 | hexadecimal(*digit))?;
                }
                _ => {
                    self.give_up_escape()?;
                    self.plain(*byte)?;
                }
            }
        }
        Ok(())
    }

    /// The decoded value, when the field was there.
    pub(crate) fn finish(mut self) -> Result<Option<Vec<u8>>, TooLong> {
        self.give_up_escape()?;
        self.end_pair();
        Ok(self.found)
    }

    fn plain(&mut self, byte: u8) -> Result<(), TooLong> {
        match byte {
            b'%' => self.escape.push(b'%'),
            b'&' => self.end_pair(),
            b'=' if !self.in_value => {
                self.in_value = true;
                self.value = (self.name == self.wanted.as_bytes()).then(Vec::new);
            }
            b'+' => self.keep(b' ')?,
            other => self.keep(other)?,
        }
        Ok(())
    }

    /// What looked like a percent sequence and is none stands for itself.
    fn give_up_escape(&mut self) -> Result<(), TooLong> {
        let characters = std::mem::take(&mut self.escape);
        characters.into_iter().try_for_each(|byte| self.keep(byte))
    }

    fn keep(&mut self, byte: u8) -> Result<(), TooLong> {
        match &mut self.value {
            Some(value) if value.len() >= self.limit => return Err(TooLong),
            Some(value) => value.push(byte),
            // A name longer than the wanted one is another one, whatever follows.
            None if !self.in_value && self.name.len() <= self.wanted.len() => self.name.push(byte),
            None => {}
        }
        Ok(())
    }

    fn end_pair(&mut self) {
        self.name.clear();
        self.in_value = false;
        if let Some(value) = self.value.take() {
            self.found = Some(value);
        }
    }
}

fn hexadecimal(digit: u8) -> u8 {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str, piece: usize) -> Option<String> {
        let mut field = Field::new("datapoint", 100);
        body.as_bytes().chunks(piece).for_each(|piece| field.push(piece).unwrap());
        field.finish().unwrap().map(|value| String::from_utf8(value).unwrap())
    }

    #[test]
    fn a_field_is_decoded_however_the_body_is_cut() {
        let cases = [
            ("datapoint=%7B%22a%22%3A+1%7D", Some("{\"a\": 1}")),
            ("x=1&datapoint=%E2%89%88%20b&y=2", Some("≈ b")),
            ("datapoint=1&datapoint=2", Some("2")),
            ("datapoint=", Some("")),
            ("data%70oint=a=b", Some("a=b")),
            ("datapoint=100%&x", Some("100%")),
            ("datapoint=%4", Some("%4")),
            ("datapoint=%zz%%34", Some("%zz%4")),
            ("datapoint", None),
            ("datapoints=1", None),
            ("xdatapoint=1", None),
            ("", None),
        ];
        for (body, expected) in cases {
            for piece in [1, 2, 3, 100] {
                assert_eq!(read(body, piece).as_deref(), expected, "{body} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn only_the_wanted_field_is_kept_and_measured() {
        let mut field = Field::new("datapoint", 4);
        field.push(b"x=").unwrap();
        field.push(&b"y".repeat(100_000)).unwrap();
        field.push(b"&datapoint=%31%32%33%34").unwrap();
        assert_eq!(field.push(b"5"), Err(TooLong));
    }
}
