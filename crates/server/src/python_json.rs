//! Where Python's JSON reader stops, and what it says there.
//!
//! The contract's clients were written against a server that answers a body that is not JSON with the position and the
//! words of Python's `json` module. Bodies are read by `holotype_core::json`; only when that has refused one is it walked
//! again here, to tell of the fault in the same words.

/// The characters before the fault, and the fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PythonError {
    /// Characters before the fault.
    pub(crate) position: usize,
    /// What is wrong there.
    pub(crate) message: &'static str,
}

/// The fault that Python finds in `text`; `None` when it finds none, for it takes more than JSON: `NaN`, for example.
///
/// Depth is bounded, since the walk is recursive: what nests deeper than `depth` is not looked into.
pub(crate) fn fault(text: &str, depth: usize) -> Option<PythonError> {
    let mut walk = Walk { characters: text.chars().collect(), position: 0 };
    walk.space();
    match walk.value(depth) {
        Err(Stop::Fault(error)) => Some(error),
        Err(Stop::TooDeep) => None,
        Ok(()) => {
            walk.space();
            let rest = walk.position < walk.characters.len();
            rest.then_some(PythonError { position: walk.position, message: "Extra data" })
        }
    }
}

enum Stop {
    Fault(PythonError),
    TooDeep,
}

struct Walk {
    characters: Vec<char>,
    position: usize,
}

impl Walk {
    fn peek(&self) -> Option<char> {
        self.characters.get(self.position).copied()
    }

    fn eats(&mut self, character: char) -> bool {
        let found = self.peek() == Some(character);
        self.position += usize::from(found);
        found
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.position += 1;
        }
    }

    fn stop<T>(&self, position: usize, message: &'static str) -> Result<T, Stop> {
        Err(Stop::Fault(PythonError { position, message }))
    }

    fn value(&mut self, depth: usize) -> Result<(), Stop> {
        let start = self.position;
        match self.peek() {
            Some('{' | '[') if depth == 0 => Err(Stop::TooDeep),
            Some('{') => self.object(depth - 1),
            Some('[') => self.array(depth - 1),
            Some('"') => self.string(),
            _ if self.number()
                || ["null", "true", "false", "NaN", "Infinity", "-Infinity"].iter().any(|word| self.word(word)) =>
            {
                Ok(())
            }
            _ => self.stop(start, "Expecting value"),
        }
    }

    fn word(&mut self, word: &str) -> bool {
        let found = word.chars().enumerate().all(|(at, c)| self.characters.get(self.position + at) == Some(&c));
        self.position += if found { word.len() } else { 0 };
        found
    }

    /// An integer, then a fraction and an exponent as far as they are whole.
    fn number(&mut self) -> bool {
        let digits =
            |walk: &Self, from: usize| walk.characters.iter().skip(from).take_while(|c| c.is_ascii_digit()).count();
        let start = self.position + usize::from(self.peek() == Some('-'));
        let integer = match self.characters.get(start) {
            Some('0') => 1,
            _ => digits(self, start),
        };
        if integer == 0 {
            return false;
        }
        self.position = start + integer;
        let fraction = if self.peek() == Some('.') { digits(self, self.position + 1) } else { 0 };
        self.position += if fraction > 0 { fraction + 1 } else { 0 };
        if matches!(self.peek(), Some('e' | 'E')) {
            let sign = usize::from(matches!(self.characters.get(self.position + 1), Some('+' | '-')));
            let exponent = digits(self, self.position + 1 + sign);
            self.position += if exponent > 0 { 1 + sign + exponent } else { 0 };
        }
        true
    }

    fn string(&mut self) -> Result<(), Stop> {
        let start = self.position;
        self.position += 1;
        loop {
            match self.peek() {
                None => return self.stop(start, "Unterminated string starting at"),
                Some('"') => {
                    self.position += 1;
                    return Ok(());
                }
                Some('\\') => self.escape(start)?,
                Some(control) if control < ' ' => return self.stop(self.position, "Invalid control character at"),
                Some(_) => self.position += 1,
            }
        }
    }

    fn escape(&mut self, start: usize) -> Result<(), Stop> {
        match self.characters.get(self.position + 1) {
            None => self.stop(start, "Unterminated string starting at"),
            Some('u') => {
                let digits =
                    self.characters.iter().skip(self.position + 2).take(4).filter(|c| c.is_ascii_hexdigit()).count();
                if digits < 4 {
                    return self.stop(self.position + 1, "Invalid \\uXXXX escape");
                }
                self.position += 6;
                Ok(())
            }
            Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't') => {
                self.position += 2;
                Ok(())
            }
            Some(_) => self.stop(self.position, "Invalid \\escape"),
        }
    }

    fn array(&mut self, depth: usize) -> Result<(), Stop> {
        self.position += 1;
        self.space();
        if self.eats(']') {
            return Ok(());
        }
        loop {
            self.value(depth)?;
            self.space();
            if self.eats(']') {
                return Ok(());
            }
            if !self.eats(',') {
                return self.stop(self.position, "Expecting ',' delimiter");
            }
            self.space();
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), Stop> {
        self.position += 1;
        self.space();
        if self.eats('}') {
            return Ok(());
        }
        loop {
            if self.peek() != Some('"') {
                return self.stop(self.position, "Expecting property name enclosed in double quotes");
            }
            self.string()?;
            self.space();
            if !self.eats(':') {
                return self.stop(self.position, "Expecting ':' delimiter");
            }
            self.space();
            self.value(depth)?;
            self.space();
            if self.eats('}') {
                return Ok(());
            }
            if !self.eats(',') {
                return self.stop(self.position, "Expecting ',' delimiter");
            }
            self.space();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_told_as_python_tells_it() {
        // Each line was answered by `json.loads` of Python 3.11.
        for (text, position, message) in [
            ("{", 1, "Expecting property name enclosed in double quotes"),
            ("{\"a\"", 4, "Expecting ':' delimiter"),
            ("{\"a\":", 5, "Expecting value"),
            ("{\"a\":1", 6, "Expecting ',' delimiter"),
            ("{\"a\":1,", 7, "Expecting property name enclosed in double quotes"),
            ("[1,]", 3, "Expecting value"),
            ("{a:1}", 1, "Expecting property name enclosed in double quotes"),
            ("nul", 0, "Expecting value"),
            ("\"abc", 0, "Unterminated string starting at"),
            ("{\"a\":1} x", 8, "Extra data"),
            ("", 0, "Expecting value"),
            ("  ", 2, "Expecting value"),
            ("[1 2]", 3, "Expecting ',' delimiter"),
            ("{\"a\" 1}", 5, "Expecting ':' delimiter"),
            ("\"\u{1}\"", 1, "Invalid control character at"),
            ("\"\\x\"", 1, "Invalid \\escape"),
            ("\"\\u12\"", 2, "Invalid \\uXXXX escape"),
            ("{\"a\":1,}", 7, "Expecting property name enclosed in double quotes"),
            ("\n\n{\"b\":}", 7, "Expecting value"),
            ("-", 0, "Expecting value"),
            ("01", 1, "Extra data"),
            ("{\"é😀\":}", 6, "Expecting value"),
        ] {
            assert_eq!(fault(text, 100), Some(PythonError { position, message }), "{text:?}");
        }
    }

    #[test]
    fn what_python_takes_has_no_fault() {
        for text in
            ["NaN", "[NaN, -Infinity]", "{\"a\": [1.5e-3, -0, \"\\u00e9\\n\"]}", " null ", "[]", "{}", "1.", "1e"]
        {
            let expected = matches!(text, "1." | "1e");
            assert_eq!(fault(text, 100).is_some(), expected, "{text}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        assert_eq!(fault(&"[".repeat(1_000_000), 100), None);
        assert!(fault(&"[".repeat(100), 100).is_some());
    }
}
