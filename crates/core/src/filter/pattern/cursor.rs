//! The characters of a pattern that are still to be read.

/// A place in a pattern.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'p> {
    whole: &'p str,
    rest: &'p str,
    /// Between `\Q` and `\E`, where every character means itself.
    quoted: bool,
}

/// The least and the most times something is repeated.
type Counts = (u64, Option<u64>);

impl<'p> Cursor<'p> {
    pub(super) fn new(pattern: &'p str) -> Self {
        Self { whole: pattern, rest: pattern, quoted: false }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let next = characters.next();
        self.rest = characters.as_str();
        next
    }

    pub(super) fn quoted(&self) -> bool {
        self.quoted
    }

    /// Steps over `text` if it comes next; answers whether it did.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => self.rest = rest,
            None => return false,
        }
        true
    }

    /// Steps over every next character that `accepts` takes, `most` of them at most.
    pub(super) fn take(&mut self, most: usize, accepts: impl Fn(char) -> bool) -> &'p str {
        let end = self.rest.char_indices().take(most).take_while(|(_, next)| accepts(*next)).last();
        let (taken, rest) = self.rest.split_at(end.map_or(0, |(start, last)| start + last.len_utf8()));
        self.rest = rest;
        taken
    }

    /// A reason together with the place, in characters from the start.
    pub(super) fn error(&self, reason: &str) -> String {
        let read = self.whole.len() - self.rest.len();
        format!("{reason} (character {})", self.whole.get(..read).unwrap_or_default().chars().count())
    }

    /// Steps over the marks of quoting and, outside it, over comments and what the `x` option ignores.
    pub(super) fn skip_ignored(&mut self, extended: bool) -> Result<(), String> {
        loop {
            if self.skip_quoting() {
            } else if self.quoted {
                return Ok(());
            } else if self.eat("(?#") {
                self.take(usize::MAX, |next| next != ')');
                if !self.eat(")") {
                    return Err(self.error("a comment is not closed"));
                }
            } else if extended && self.eat("#") {
                self.take(usize::MAX, |next| next != '\n');
            } else if !extended || self.take(usize::MAX, |next| matches!(next, '\t'..='\r' | ' ')).is_empty() {
                return Ok(());
            }
        }
    }

    /// Steps over one mark of quoting; answers whether there was one.
    pub(super) fn skip_quoting(&mut self) -> bool {
        if self.eat(r"\E") {
            self.quoted = false;
            return true;
        }
        let starts = !self.quoted && self.eat(r"\Q");
        self.quoted |= starts;
        starts
    }

    /// The name of a group, up to `close`.
    pub(super) fn name(&mut self, close: char) -> Result<&'p str, String> {
        let name = self.take(32, |next| next.is_ascii_alphanumeric() || next == '_');
        if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) || self.next() != Some(close) {
            return Err(self.error("a group is named by up to 32 ASCII letters, digits and underscores"));
        }
        Ok(name)
    }

    /// What is between here and `close`, of characters that `accepts` takes.
    pub(super) fn enclosed(&mut self, close: char, accepts: impl Fn(char) -> bool) -> Result<&'p str, String> {
        let text = self.take(64, accepts);
        if text.is_empty() || self.next() != Some(close) {
            return Err(self.error(&format!("something up to '{close}' is needed")));
        }
        Ok(text)
    }

    /// Whether a class, its bracket being read already, looks like a named one outside of a class.
    pub(super) fn is_at_named_class(&self) -> bool {
        let mut ahead = self.clone();
        let opens = ahead.eat(":");
        ahead.eat("^");
        ahead.take(usize::MAX, |next| next.is_ascii_lowercase());
        opens && ahead.eat(":]")
    }

    /// The counts of `{2}`, `{2,}` or `{2,3}`, the opening brace being read already; anything else is no quantifier.
    pub(super) fn counts(&mut self) -> Option<Counts> {
        let least = self.take(5, |next| next.is_ascii_digit()).parse().ok()?;
        let most = if self.eat(",") {
            self.take(5, |next| next.is_ascii_digit())
        } else {
            return self.eat("}").then_some((least, Some(least)));
        };
        self.eat("}").then_some(())?;
        if most.is_empty() { Some((least, None)) } else { Some((least, Some(most.parse().ok()?))) }
    }

    pub(super) fn counts_in_braces(&mut self) -> Option<Counts> {
        self.eat("{").then(|| self.counts())?
    }

    /// Steps over the quantifier that comes next.
    pub(super) fn quantifier(&mut self) -> &'p str {
        let start = self.rest;
        if self.counts_in_braces().is_none() {
            self.rest = start;
            self.next();
        }
        start.get(..start.len() - self.rest.len()).unwrap_or_default()
    }
}
