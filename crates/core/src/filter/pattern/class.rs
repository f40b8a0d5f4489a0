//! Classes of characters in brackets.

use super::escape::{Escape, WORD};
use super::{Item, Translator};

/// The named classes, as the inside of a class.
const NAMED: [(&str, &str); 14] = [
    ("alpha", "A-Za-z"),
    ("digit", "0-9"),
    ("alnum", "0-9A-Za-z"),
    ("upper", "A-Z"),
    ("lower", "a-z"),
    ("punct", r"\x{21}-\x{2F}\x{3A}-\x{40}\x{5B}-\x{60}\x{7B}-\x{7E}"),
    ("space", r"\t-\r\x{20}"),
    ("blank", r"\t\x{20}"),
    ("cntrl", r"\x{00}-\x{1F}\x{7F}"),
    ("graph", r"\x{21}-\x{7E}"),
    ("print", r"\x{20}-\x{7E}"),
    ("xdigit", "0-9A-Fa-f"),
    ("word", WORD),
    ("ascii", r"\x{00}-\x{7F}"),
];

impl Translator<'_> {
    /// Reads a class, its opening bracket being read already.
    pub(super) fn class(&mut self) -> Result<Item, String> {
        self.output.push('[');
        if self.input.eat("^") {
            self.output.push('^');
        }
        let mut weight = 1;
        let mut first = true;
        loop {
            while self.input.skip_quoting() {}
            if !self.input.quoted() && !first && self.input.eat("]") {
                self.output.push(']');
                return Ok(Item::Repeatable(weight));
            }
            first = false;
            let member = self.member()?;
            self.range(member)?;
            weight += 1;
        }
    }

    /// Reads one member of a class.
    fn member(&mut self) -> Result<Escape, String> {
        let next = self.input.next();
        match next {
            None => Err(self.input.error("a bracket is not closed")),
            Some(character) if self.input.quoted() => Ok(Escape::Character(character)),
            Some('\\') if self.input.eat("b") => Ok(Escape::Character('\x08')),
            Some('\\') => self.common_escape(),
            Some('[') if self.input.eat(":") => self.named(),
            Some('[') if matches!(self.input.peek(), Some('.' | '=')) => {
                Err(self.input.error("collating elements are not supported"))
            }
            Some(character) => Ok(Escape::Character(character)),
        }
    }

    /// Reads a named class, `[:` being read already. A bracket and a colon that begin no name are two characters.
    fn named(&mut self) -> Result<Escape, String> {
        let negated = self.input.eat("^");
        let name = self.input.enclosed(':', |next| next.is_ascii_lowercase())?;
        let known = NAMED.iter().find(|(known, _)| *known == name).filter(|_| self.input.eat("]"));
        known
            .map(|(_, set)| Escape::Set((*set).to_owned(), negated))
            .ok_or_else(|| self.input.error("this is not a named class"))
    }

    /// Writes a member, with what it is the start of a range to.
    fn range(&mut self, member: Escape) -> Result<(), String> {
        let start = match member {
            Escape::Character(character) => character,
            Escape::Set(set, negated) => {
                self.write_set(&set, negated);
                return Ok(());
            }
        };
        while self.input.skip_quoting() {}
        let mut ahead = self.input.clone();
        let is_range = !ahead.quoted() && ahead.eat("-") && ahead.peek().is_some_and(|next| next != ']');
        if !is_range {
            self.write_member(start);
            return Ok(());
        }
        self.input.next();
        while self.input.skip_quoting() {}
        match self.member()? {
            Escape::Character(end) if end < start => Err(self.input.error("a range of characters counts down")),
            Escape::Character(end) => {
                self.write_member(start);
                self.output.push('-');
                self.write_member(end);
                Ok(())
            }
            Escape::Set(set, negated) => {
                self.write_member(start);
                self.write_member('-');
                self.write_set(&set, negated);
                Ok(())
            }
        }
    }

    fn write_set(&mut self, set: &str, negated: bool) {
        self.output.push_str(if negated { "[^" } else { "[" });
        self.output.push_str(set);
        self.output.push(']');
    }
}
