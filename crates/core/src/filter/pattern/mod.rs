//! Patterns as MongoDB's engine, PCRE2, understands them, rewritten for the engine used here.
//!
//! The two differ in silence: `\w` and `\b` are ASCII in the one and Unicode in the other, `$` looks past a last line feed or does
//! not, `\h` is a blank or a hexadecimal digit, `[a&&b]` is three characters or an intersection. So a pattern is read by the rules of
//! PCRE2 and written out in forms that mean only one thing. What has no such form (recursion, conditions, verbs) is refused.

mod class;
mod cursor;
mod escape;

use cursor::Cursor;

/// Groups may nest this deep.
const DEEPEST_GROUP: usize = 50;

/// Where a subject ends for `$`: at its end, or before a line feed that ends it.
const END: &str = r"(?=\x{A}?\z)";

/// `^` with `m`: at the start, and behind every line feed but one that ends the subject.
const LINE_START: &str = r"(?:\A|(?m:^)(?!\z))";

/// A pattern in the syntax of the engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Translated {
    /// The pattern; it needs no options.
    pub(super) text: String,
    /// How many single-character steps the pattern has when its counted repeats are written out.
    pub(super) weight: u64,
    /// Whether matching may have to backtrack.
    pub(super) backtracks: bool,
}

/// Rewrites `pattern`, to be matched with `options`: any of the letters `i`, `m`, `s`, `x`, and `u`, which changes nothing.
///
/// # Errors
/// The reason why the pattern cannot be used, in words.
pub(super) fn translate(pattern: &str, options: &str) -> Result<Translated, String> {
    let mut flags = Flags::default();
    for letter in options.chars().filter(|letter| *letter != 'u') {
        if !flags.set(letter, true) {
            return Err(format!("'{letter}' is not an option; there are i, m, s and x"));
        }
    }
    if pattern.contains('\0') {
        return Err("a null character stands in it; write \\x00".to_owned());
    }
    let mut translator = Translator {
        input: Cursor::new(pattern),
        output: String::new(),
        flags,
        groups: 0,
        depth: 0,
        backtracks: false,
        ended: false,
    };
    let weight = translator.alternatives()?;
    match translator.input.peek() {
        None => Ok(Translated { text: translator.output, weight, backtracks: translator.backtracks }),
        Some(_) => Err(translator.input.error("a parenthesis closes that was not opened")),
    }
}

/// The options in force.
#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    ignore_case: bool,
    many_lines: bool,
    dot_is_any: bool,
    extended: bool,
}

impl Flags {
    /// Sets the option of a letter; answers whether there is one.
    fn set(&mut self, letter: char, on: bool) -> bool {
        let flag = match letter {
            'i' => &mut self.ignore_case,
            'm' => &mut self.many_lines,
            's' => &mut self.dot_is_any,
            'x' => &mut self.extended,
            _ => return false,
        };
        *flag = on;
        true
    }
}

/// What was read, as far as a quantifier behind it matters.
enum Item {
    /// Something that may be repeated, and its weight.
    Repeatable(u64),
    /// Something that may not: an anchor, a look-around, a change of options.
    Fixed(u64),
}

struct Translator<'p> {
    input: Cursor<'p>,
    output: String,
    flags: Flags,
    /// Capturing groups opened so far.
    groups: usize,
    depth: usize,
    backtracks: bool,
    /// Whether a `$` was read: as the last thing in a pattern it costs nothing, before others the engine backtracks.
    ended: bool,
}

impl Translator<'_> {
    /// Reads up to the end of the pattern or of a group. Answers the weight of all alternatives together.
    fn alternatives(&mut self) -> Result<u64, String> {
        let mut weight: u64 = 0;
        loop {
            self.input.skip_ignored(self.flags.extended)?;
            match self.input.peek() {
                None => return Ok(weight),
                Some(')') if !self.input.quoted() => return Ok(weight),
                Some(_) => self.backtracks |= self.ended,
            }
            if !self.input.quoted() && self.input.eat("|") {
                self.output.push('|');
                continue;
            }
            weight = weight.saturating_add(match self.item()? {
                Item::Repeatable(weight) => self.quantified(weight)?,
                Item::Fixed(weight) => weight,
            });
        }
    }

    fn item(&mut self) -> Result<Item, String> {
        let Some(character) = self.input.next() else { return Ok(Item::Fixed(0)) };
        if self.input.quoted() {
            return Ok(self.literal(character));
        }
        match character {
            '(' => self.group(),
            '[' => self.class(),
            '\\' => self.escape(),
            '.' => Ok(self.emit(if self.flags.dot_is_any { "(?s:.)" } else { r"[^\x{A}]" }, 1)),
            '^' if self.flags.many_lines => Ok(self.assertion(LINE_START, true)),
            '^' => Ok(self.assertion(r"\A", false)),
            '$' if self.flags.many_lines => Ok(self.assertion("(?m:$)", false)),
            '$' => Ok(self.end()),
            '*' | '+' | '?' => Err(self.input.error("there is nothing to repeat")),
            '{' if self.input.clone().counts().is_some() => Err(self.input.error("there is nothing to repeat")),
            _ => Ok(self.literal(character)),
        }
    }

    /// Writes something that can be repeated.
    fn emit(&mut self, text: &str, weight: u64) -> Item {
        self.output.push_str(text);
        Item::Repeatable(weight)
    }

    /// Writes something that can be repeated and whose case the options may ignore.
    fn emit_cased(&mut self, text: &str, weight: u64) -> Item {
        if self.flags.ignore_case { self.emit(&format!("(?i:{text})"), weight) } else { self.emit(text, weight) }
    }

    /// Writes something that takes no characters.
    fn assertion(&mut self, text: &str, backtracks: bool) -> Item {
        self.output.push_str(text);
        self.backtracks |= backtracks;
        Item::Fixed(1)
    }

    fn end(&mut self) -> Item {
        let item = self.assertion(END, false);
        self.ended = true;
        item
    }

    fn literal(&mut self, character: char) -> Item {
        let mut text = String::new();
        write_character(&mut text, character);
        if character.is_alphabetic() { self.emit_cased(&text, 1) } else { self.emit(&text, 1) }
    }

    /// Reads the quantifier behind something, if one is there. Answers the weight with it.
    fn quantified(&mut self, weight: u64) -> Result<u64, String> {
        self.input.skip_ignored(self.flags.extended)?;
        if self.input.quoted() {
            return Ok(weight);
        }
        let (least, most) = match self.input.peek() {
            Some('*') => (0, None),
            Some('+') => (1, None),
            Some('?') => (0, Some(1)),
            Some('{') => match self.input.clone().counts_in_braces() {
                Some(counts) => counts,
                None => return Ok(weight),
            },
            _ => return Ok(weight),
        };
        if most.is_some_and(|most| most < least) {
            return Err(self.input.error("a repeat counts down"));
        }
        let written = self.input.quantifier();
        self.output.push_str(written);
        if self.input.eat("?") {
            self.output.push('?');
        } else if self.input.eat("+") {
            self.output.push('+');
            self.backtracks = true;
        }
        Ok(weight.saturating_mul(most.unwrap_or(least).max(1)))
    }

    /// Reads a group, its opening parenthesis being read already.
    fn group(&mut self) -> Result<Item, String> {
        let outside = self.flags;
        let repeatable = match self.opening()? {
            Opening::Options => return Ok(Item::Fixed(0)),
            Opening::Reference(name) => return self.reference(&format!(r"\k<{name}>")),
            Opening::Group => true,
            Opening::LookAround => false,
        };
        self.depth += 1;
        if self.depth > DEEPEST_GROUP {
            return Err(self.input.error("groups nest too deeply"));
        }
        let weight = self.alternatives()?.saturating_add(1);
        if !self.input.eat(")") {
            return Err(self.input.error("a parenthesis is not closed"));
        }
        self.output.push(')');
        self.depth -= 1;
        self.flags = outside;
        Ok(if repeatable { Item::Repeatable(weight) } else { Item::Fixed(weight) })
    }

    /// Reads what stands at the start of a group, and writes it.
    fn opening(&mut self) -> Result<Opening, String> {
        if self.input.eat("*") {
            return Err(self.input.error("control verbs are not supported"));
        }
        if !self.input.eat("?") {
            self.groups += 1;
            self.output.push('(');
            return Ok(Opening::Group);
        }
        for look in ["=", "!", "<=", "<!"] {
            if self.input.eat(look) {
                self.output.push_str("(?");
                self.output.push_str(look);
                self.backtracks = true;
                return Ok(Opening::LookAround);
            }
        }
        for (open, close) in [("<", '>'), ("P<", '>'), ("'", '\'')] {
            if self.input.eat(open) {
                self.groups += 1;
                let name = self.input.name(close)?;
                self.output.push_str(&format!("(?<{name}>"));
                return Ok(Opening::Group);
            }
        }
        if self.input.eat("P=") {
            return self.input.name(')').map(|name| Opening::Reference(name.to_owned()));
        }
        if self.input.eat(">") {
            self.output.push_str("(?>");
            self.backtracks = true;
            return Ok(Opening::Group);
        }
        self.options()
    }

    /// Reads the options at the start of a group: `i-s)`, which changes them up to the end of the group around it, or `i-s:`.
    fn options(&mut self) -> Result<Opening, String> {
        let mut flags = self.flags;
        let mut on = true;
        loop {
            match self.input.next() {
                Some('-') if on => on = false,
                Some(')') => {
                    self.flags = flags;
                    return Ok(Opening::Options);
                }
                Some(':') => {
                    self.output.push_str("(?:");
                    self.flags = flags;
                    return Ok(Opening::Group);
                }
                Some(letter) if flags.set(letter, on) => {}
                _ => return Err(self.input.error("this kind of group is not supported")),
            }
        }
    }

    fn reference(&mut self, written: &str) -> Result<Item, String> {
        self.backtracks = true;
        // Its own group, so that a digit behind it is not taken for a part of it.
        Ok(self.emit_cased(&format!("(?:{written})"), 1))
    }
}

/// What a group turned out to be.
enum Opening {
    Group,
    LookAround,
    /// A change of options, complete.
    Options,
    /// A reference to the group of this name, complete.
    Reference(String),
}

/// Writes a character so that it means itself, in and outside a class.
fn write_character(output: &mut String, character: char) {
    if character.is_ascii() && !character.is_ascii_alphanumeric() {
        output.push_str(&format!(r"\x{{{:X}}}", u32::from(character)));
    } else {
        output.push(character);
    }
}

#[cfg(test)]
mod tests {
    use fancy_regex::Regex;

    use super::*;

    fn is_found(pattern: &str, options: &str, text: &str) -> bool {
        let translated = translate(pattern, options).unwrap_or_else(|reason| panic!("{pattern}: {reason}"));
        Regex::new(&translated.text).unwrap_or_else(|error| panic!("{pattern}: {error}")).is_match(text).unwrap()
    }

    /// Pattern, options, texts it is found in, texts it is not. PCRE2 10.42 gave these answers.
    type Row = (&'static str, &'static str, &'static [&'static str], &'static [&'static str]);

    const ROWS: &[Row] = &[
        // The end of a line and of the text.
        ("a$", "", &["a", "a\n"], &["a\nb", "a\n\n"]),
        ("a$", "m", &["a\nb", "a\n\n"], &["ab"]),
        (r"a\Z", "", &["a", "a\n"], &["a\n\n"]),
        (r"a\z", "", &["a"], &["a\n"]),
        ("^a", "m", &["b\na"], &["ba"]),
        ("^$", "m", &["", "a\n\nb"], &["a\n"]),
        (r"^\s*$", "", &["", "\n\n"], &["a"]),
        (".", "", &["é"], &["\n", ""]),
        (".", "s", &["\n"], &[""]),
        // Classes are ASCII.
        (r"\d", "", &["7"], &["\u{661}"]),
        (r"\w", "", &["a", "_"], &["é", "-"]),
        (r"\W", "", &["é", "-"], &["a"]),
        (r"\w", "i", &["K"], &["\u{17f}", "\u{212a}"]),
        ("k", "i", &["K", "\u{212a}"], &["c"]),
        ("É", "i", &["é"], &["e"]),
        (r"\bé", "", &["aé"], &[" é"]),
        (r"\Bé", "", &[" é"], &["aé"]),
        (r"\s", "", &["\u{b}", " "], &["\u{a0}"]),
        (r"\h", "", &["\u{a0}", "\t"], &["\n", "a"]),
        (r"\v", "", &["\u{2028}", "\u{b}"], &[" "]),
        (r"^\R$", "", &["\r\n", "\r", "\u{85}"], &["\n\r", ""]),
        (r"^\N$", "s", &["a"], &["\n\n"]),
        (r"\p{Lu}", "i", &["A", "É"], &["a"]),
        (r"\pL\P{L}\p{^L}", "", &["é11"], &["éé1"]),
        // Brackets.
        ("^[a&&b]+$", "", &["&", "ab"], &["c"]),
        ("^[[a]+$", "", &["[", "a"], &["]"]),
        ("^[]a]$", "", &["]"], &["["]),
        ("^[^]a]$", "", &["b", "\n"], &["]"]),
        ("^[a-]$", "", &["-"], &["b"]),
        (r"^[\]\-\\]$", "", &["]", "-", "\\"], &["a"]),
        (r"^[\b]$", "", &["\u{8}"], &["b"]),
        ("^[[:^digit:]]$", "", &["a", "é"], &["1"]),
        ("^[[:upper:]]$", "i", &["a"], &["1"]),
        (r"^[\Wk]$", "i", &["K", "-", "\u{212a}"], &["c"]),
        (r"^[^\dk]$", "i", &["c"], &["K", "1", "\u{212a}"]),
        (r"^[a b#]$", "x", &[" ", "#"], &["\n\n"]),
        (r"^[\Q]-\E]$", "", &["]", "-"], &["\\", "a"]),
        // Escapes.
        (r"\Qa.b\E+", "", &["a.bb"], &["acb"]),
        (r"\Qa|b", "", &["a|b"], &["a"]),
        (r"\Q\", "", &["\\"], &["a"]),
        (r"^\<\>$", "", &["<>"], &[""]),
        (r"^\x41\x{e9}\o{101}\0101\cA\e\x$", "", &["AéA\u{8}1\u{1}\u{1b}\0"], &["A"]),
        (r"\A\Ga", "", &["ab"], &["ba"]),
        // Quantifiers.
        ("^a{2}b{1,}c{0,2}$", "", &["aabbcc"], &["abc"]),
        ("^a{,2}$", "", &["a{,2}"], &["aa"]),
        ("^{a}{$", "", &["{a}{"], &["a"]),
        ("^a{1$", "", &["a{1"], &["a"]),
        ("a++a|b?+b", "", &[], &["aa", "b"]),
        ("^a+?$", "", &["aa"], &[""]),
        (" a + # many\n b", "x", &["aab"], &["a b"]),
        (r"a(?#comment)+\ b", "x", &["aa b"], &["b"]),
        // Groups and their options.
        ("a(?i)b|c", "", &["aB", "C"], &["Ab"]),
        ("(a(?i)b|c)d", "", &["aBd", "Cd"], &["aBD"]),
        ("(?i:a)b(?-i:c)", "", &["Abc"], &["abC", "aBc"]),
        ("(?i)a(?-i)b", "i", &["Ab"], &["aB"]),
        ("(?s-m:.$)", "m", &["\n"], &[""]),
        ("(?x: a )b c", "", &["ab c"], &["a b c"]),
        ("(?>a|ab)c", "", &["ac"], &["abc"]),
        ("(?=a)ab(?!c)", "", &["ab"], &["abc"]),
        ("(?<=a|bc)d(?<!x)", "", &["ad", "bcd"], &["cd"]),
        // References.
        (r"(a|b)\1", "", &["aa"], &["ab"]),
        (r"(a|b)\g{1}1\g1", "i", &["aA1a"], &["aa1b"]),
        (r"(a)(b)\g{-1}\g-2", "", &["abba"], &["abab"]),
        (r"(?<n>a|b)\k<n>(?P<m>c|d)(?P=m)\g{n}", "", &["bbddb"], &["bbdda"]),
        (r"(?:(a)|b)\1", "", &["aa"], &["b"]),
    ];

    #[test]
    fn patterns_mean_what_pcre2_says() {
        for (pattern, options, found, not_found) in ROWS {
            for text in *found {
                assert!(is_found(pattern, options, text), "/{pattern}/{options} in {text:?}");
            }
            for text in *not_found {
                assert!(!is_found(pattern, options, text), "/{pattern}/{options} not in {text:?}");
            }
        }
    }

    #[test]
    fn patterns_that_are_wrong_or_have_no_equal_here_are_refused_with_the_reason() {
        for (pattern, reason) in [
            ("(a", "a parenthesis is not closed (character 2)"),
            ("é)", "a parenthesis closes that was not opened (character 1)"),
            ("[a", "a bracket is not closed"),
            ("[]", "a bracket is not closed"),
            ("[z-a]", "a range of characters counts down"),
            (r"[a-\d]", "a range goes from one character to another"),
            ("[[:foo:]]", "this is not a named class"),
            ("[:alpha:]", "a named class stands in a class"),
            ("[[.a.]]", "collating elements"),
            ("*a", "there is nothing to repeat"),
            ("a**", "there is nothing to repeat"),
            ("a{1}{2}", "there is nothing to repeat"),
            ("(?=a)*", "there is nothing to repeat"),
            ("a{2,1}", "a repeat counts down"),
            ("a\\", "it ends with a backslash"),
            (r"\y", r"\y is not supported"),
            (r"\Ka", r"\K is not supported"),
            (r"\x{110000}", "not the code of a character"),
            (r"\x{", "something up to '}' is needed"),
            (r"\N{U+41}", "characters have no names"),
            (r"(a)\11", r"\g{10}"),
            (r"\g<1>", "this reference to a group"),
            (r"(a)\g{-2}", "this reference to a group"),
            ("(?R)", "this kind of group"),
            ("(?1)", "this kind of group"),
            ("(?(1)a)", "this kind of group"),
            ("(?|a)", "this kind of group"),
            ("(*UCP)a", "control verbs"),
            ("(?#a", "a comment is not closed"),
            ("(?<1>a)", "a group is named by"),
            ("a\0", "a null character"),
        ] {
            let refused = translate(pattern, "").unwrap_err();
            assert!(refused.contains(reason), "/{pattern}/: {refused}");
        }
        assert!(translate("a", "g").unwrap_err().starts_with("'g' is not an option"));
        assert!(translate(&"(".repeat(51), "").unwrap_err().starts_with("groups nest too deeply"));
    }

    #[test]
    fn patterns_that_make_the_engine_backtrack_are_known() {
        for pattern in ["^temp[0-9]+$", "(a|b)*c", "(?i:a)$", r"a\Z"] {
            assert!(!translate(pattern, "").unwrap().backtracks, "{pattern}");
        }
        for pattern in ["(?=a)", r"(a)\1", "a$|b", "(a$)b", r"\ba", "a++", "(?>a)", r"\R"] {
            assert!(translate(pattern, "").unwrap().backtracks, "{pattern}");
        }
    }

    #[test]
    fn counted_repeats_weigh_what_they_would_written_out() {
        for (pattern, weight) in
            [("abc", 3), ("a{10}", 10), ("(ab){10}", 30), ("((a{10}){10}){3,10}", 1_110), ("a*b+", 2), ("a{0}", 1)]
        {
            assert_eq!(translate(pattern, "").unwrap().weight, weight, "{pattern}");
        }
        assert!(translate("((((a{65535}){65535}){65535}){65535}){65535}", "").unwrap().weight > 1 << 60);
    }
}
