//! Classes of characters in brackets.

use super::escape::{Escape, WORD};
use super::{Item, Translator, write_character};

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

/// What a class holds. Ignoring case concerns its characters and ranges, and not its sets.
#[derive(Default)]
struct Members {
    characters: String,
    sets: String,
    count: u64,
}

impl Translator<'_> {
    /// Reads a class, its opening bracket being read already.
    pub(super) fn class(&mut self) -> Result<Item, String> {
        if self.input.is_at_named_class() {
            return Err(self.input.error("a named class stands in a class, as [[:alpha:]]"));
        }
        let negated = self.input.eat("^");
        let mut members = Members::default();
        loop {
            while self.input.skip_quoting() {}
            // A bracket that comes first is a member.
            if members.count > 0 && !self.input.quoted() && self.input.eat("]") {
                return Ok(self.write_class(&members, negated));
            }
            self.members(&mut members)?;
            members.count += 1;
        }
    }

    fn write_class(&mut self, members: &Members, negated: bool) -> Item {
        let Members { characters, sets, count } = members;
        let open = if negated { "[^" } else { "[" };
        let weight = count + 1;
        match (self.flags.ignore_case, characters.is_empty(), sets.is_empty()) {
            (true, false, false) if negated => {
                self.backtracks = true;
                self.emit(&format!("(?:(?!(?i:[{characters}])|[{sets}])(?s:.))"), weight)
            }
            (true, false, false) => self.emit(&format!("(?:(?i:[{characters}])|[{sets}])"), weight),
            (true, false, true) => self.emit(&format!("(?i:{open}{characters}])"), weight),
            _ => self.emit(&format!("{open}{characters}{sets}]"), weight),
        }
    }

    /// Reads one member of a class or a range.
    fn members(&mut self, members: &mut Members) -> Result<(), String> {
        let start = self.member()?;
        while self.input.skip_quoting() {}
        let mut ahead = self.input.clone();
        let is_range = !ahead.quoted() && ahead.eat("-") && ahead.peek().is_some_and(|next| next != ']');
        match start {
            Escape::Set(set, negated) if !is_range => {
                members.sets.push_str(if negated { "[^" } else { "[" });
                members.sets.push_str(&set);
                members.sets.push(']');
                Ok(())
            }
            Escape::Character(start) if !is_range => {
                write_character(&mut members.characters, start);
                Ok(())
            }
            _ => self.range(start, &mut members.characters),
        }
    }

    /// Reads the rest of a range, its start being read already.
    fn range(&mut self, start: Escape, characters: &mut String) -> Result<(), String> {
        self.input.eat("-");
        while self.input.skip_quoting() {}
        match (start, self.member()?) {
            (Escape::Character(start), Escape::Character(end)) if start <= end => {
                write_character(characters, start);
                characters.push('-');
                write_character(characters, end);
                Ok(())
            }
            (Escape::Character(_), Escape::Character(_)) => Err(self.input.error("a range of characters counts down")),
            _ => Err(self.input.error("a range goes from one character to another")),
        }
    }

    /// Reads one member of a class.
    fn member(&mut self) -> Result<Escape, String> {
        match self.input.next() {
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

    /// Reads a named class, `[:` being read already. Ignoring case, upper and lower letters are the same class.
    fn named(&mut self) -> Result<Escape, String> {
        let negated = self.input.eat("^");
        let name = match self.input.enclosed(':', |next| next.is_ascii_lowercase())? {
            "upper" | "lower" if self.flags.ignore_case => "alpha",
            name => name,
        };
        let known = NAMED.iter().find(|(known, _)| *known == name).filter(|_| self.input.eat("]"));
        let set = known.map(|(_, set)| Escape::Set((*set).to_owned(), negated));
        set.ok_or_else(|| self.input.error("this is not a named class"))
    }
}
