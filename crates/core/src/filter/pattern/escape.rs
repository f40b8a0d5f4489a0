//! What a backslash introduces.

use super::{Item, Translator};

/// The characters of words, which are ASCII.
pub(super) const WORD: &str = "0-9A-Za-z_";

const BOUNDARY: &str = "(?:(?<=[0-9A-Za-z_])(?![0-9A-Za-z_])|(?<![0-9A-Za-z_])(?=[0-9A-Za-z_]))";

const NO_BOUNDARY: &str = "(?:(?<=[0-9A-Za-z_])(?=[0-9A-Za-z_])|(?<![0-9A-Za-z_])(?![0-9A-Za-z_]))";

const LINE_BREAK: &str = r"(?>\r\n|[\n-\r\x{85}\x{2028}\x{2029}])";

/// What an escape means wherever it may stand.
pub(super) enum Escape {
    /// One character.
    Character(char),
    /// A set of characters, written as the inside of a class, and whether it is negated.
    Set(String, bool),
}

impl Translator<'_> {
    /// Reads an escape outside a class, its backslash being read already.
    pub(super) fn escape(&mut self) -> Result<Item, String> {
        let kind = self.input.peek();
        let assertion = match kind {
            Some('A' | 'G') => Some((r"\A", false)),
            Some('z') => Some((r"\z", false)),
            Some('Z') => {
                self.input.next();
                return Ok(self.end());
            }
            Some('b') => Some((BOUNDARY, true)),
            Some('B') => Some((NO_BOUNDARY, true)),
            _ => None,
        };
        if let Some((text, backtracks)) = assertion {
            self.input.next();
            return Ok(self.assertion(text, backtracks));
        }
        match kind {
            Some('1'..='9') => self.numbered_reference(),
            Some('g' | 'k') => self.named_reference(),
            Some('N') => {
                self.input.next();
                if self.input.peek() == Some('{') && self.input.clone().counts_in_braces().is_none() {
                    return Err(self.input.error("characters have no names here; write \\x{..}"));
                }
                Ok(self.emit(r"[^\x{A}]", 1))
            }
            Some('R') => {
                self.input.next();
                self.backtracks = true;
                Ok(self.emit(LINE_BREAK, 2))
            }
            _ => match self.common_escape()? {
                Escape::Character(character) => Ok(self.literal(character)),
                Escape::Set(set, negated) => {
                    let open = if negated { "[^" } else { "[" };
                    Ok(self.emit(&format!("{open}{set}]"), 2))
                }
            },
        }
    }

    /// Reads an escape that means the same in and outside a class.
    pub(super) fn common_escape(&mut self) -> Result<Escape, String> {
        let Some(kind) = self.input.next() else { return Err(self.input.error("it ends with a backslash")) };
        let set = match kind.to_ascii_lowercase() {
            'd' => "0-9",
            'w' => WORD,
            's' => r"\t-\r\x{20}",
            'h' => r"\t\x{20}\x{A0}\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}",
            'v' => r"\n-\r\x{85}\x{2028}\x{2029}",
            'p' => return Ok(Escape::Set(self.property()?, kind == 'P')),
            _ => return self.character(kind).map(Escape::Character),
        };
        Ok(Escape::Set(set.to_owned(), kind.is_ascii_uppercase()))
    }

    /// Reads a property of characters: `\p{Lu}`, `\p{^Greek}` or `\pL`, the letter p being read already.
    fn property(&mut self) -> Result<String, String> {
        if !self.input.eat("{") {
            let name = self.input.take(1, |next| next.is_ascii_alphabetic());
            return if name.is_empty() {
                Err(self.input.error("a property is needed"))
            } else {
                Ok(format!(r"\p{{{name}}}"))
            };
        }
        let kind = if self.input.eat("^") { 'P' } else { 'p' };
        let name = self.input.enclosed('}', |next| next.is_ascii_alphanumeric() || next == '_')?;
        Ok(format!(r"\{kind}{{{name}}}"))
    }

    /// The character that an escape of one character means.
    fn character(&mut self, kind: char) -> Result<char, String> {
        let code = match kind {
            'a' => 0x07,
            'e' => 0x1B,
            'f' => 0x0C,
            'n' => 0x0A,
            'r' => 0x0D,
            't' => 0x09,
            'c' => match self.input.next() {
                Some(next @ ' '..='~') => u32::from(next.to_ascii_uppercase()) ^ 0x40,
                _ => return Err(self.input.error("\\c needs a printable ASCII character")),
            },
            '0' => self.code(2, 8)?,
            'x' if self.input.eat("{") => self.code_in_braces(16)?,
            'x' => self.code(2, 16)?,
            'o' if self.input.eat("{") => self.code_in_braces(8)?,
            _ if kind.is_ascii_alphanumeric() => return Err(self.input.error(&format!("\\{kind} is not supported"))),
            _ => u32::from(kind),
        };
        char::from_u32(code).ok_or_else(|| self.input.error("this is not the code of a character"))
    }

    /// Reads up to `most` digits; none are zero.
    fn code(&mut self, most: usize, radix: u32) -> Result<u32, String> {
        let digits = self.input.take(most, |next| next.is_digit(radix));
        Ok(u32::from_str_radix(digits, radix).unwrap_or(0))
    }

    fn code_in_braces(&mut self, radix: u32) -> Result<u32, String> {
        let digits = self.input.enclosed('}', |next| next.is_digit(radix))?;
        u32::from_str_radix(digits, radix).map_err(|_| self.input.error("this is not the code of a character"))
    }

    /// Reads `\1`. Two digits may be a reference or an octal code, which depends on the rest of the pattern: refused.
    fn numbered_reference(&mut self) -> Result<Item, String> {
        let digits = self.input.take(usize::MAX, |next| next.is_ascii_digit());
        match digits.len() {
            1 => self.reference(&format!(r"\{digits}")),
            _ => Err(self.input.error("write \\g{10} for a group and \\x{..} for a character")),
        }
    }

    /// Reads `\k<name>`, `\g{name}`, `\g{2}`, `\g{-1}` and their variants.
    fn named_reference(&mut self) -> Result<Item, String> {
        let kind = self.input.next();
        let name = |next: char| next.is_ascii_alphanumeric() || next == '_' || next == '-';
        let target = if self.input.eat("{") {
            self.input.enclosed('}', name)?
        } else if kind == Some('k') && self.input.eat("<") {
            self.input.enclosed('>', name)?
        } else if kind == Some('k') && self.input.eat("'") {
            self.input.enclosed('\'', name)?
        } else if kind == Some('g') {
            self.input.take(6, |next| next.is_ascii_digit() || next == '-')
        } else {
            ""
        };
        let back = target.strip_prefix('-').map(|count| count.parse::<usize>().ok().filter(|count| *count > 0));
        match back {
            Some(Some(count)) if count <= self.groups => self.reference(&format!(r"\{}", self.groups + 1 - count)),
            None if !target.is_empty() && target.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.reference(&format!(r"\{target}"))
            }
            None if !target.is_empty()
                && !target.starts_with(|first: char| first.is_ascii_digit())
                && !target.contains('-') =>
            {
                self.reference(&format!(r"\k<{target}>"))
            }
            _ => Err(self.input.error("this reference to a group is not supported")),
        }
    }
}
