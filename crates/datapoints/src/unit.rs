//! Texts that name a unit: `°C`, `mL/min`, `W/(m2 K)`, `ppm`, `counts`.
//!
//! A unit is a product and quotient of known symbols with whole exponents, and of groups in parentheses. Symbols of the SI, and
//! those of laboratories and observatories that take its prefixes, may have one. What a unit measures is not asked.

/// The longest unit text, in bytes.
const LONGEST: usize = 100;

/// How deep groups may nest.
const DEEPEST: usize = 4;

const PREFIXES: [&str; 26] = [
    "da", "Q", "R", "Y", "Z", "E", "P", "T", "G", "M", "k", "h", "d", "c", "m", "\u{b5}", "\u{3bc}", "u", "n", "p",
    "f", "a", "z", "y", "r", "q",
];

/// Symbols that take a prefix.
const PREFIXED: [&str; 50] = [
    "m", "g", "s", "A", "K", "mol", "cd", "Hz", "N", "Pa", "J", "W", "C", "V", "F", "\u{3a9}", "\u{2126}", "ohm", "S",
    "Wb", "T", "H", "lm", "lx", "Bq", "Gy", "Sv", "kat", "rad", "sr", "L", "l", "eV", "Da", "bar", "B", "bit", "M",
    "cal", "pc", "Jy", "t", "U", "IU", "Torr", "Ci", "yr", "as", "arcsec", "mag",
];

/// Symbols that stand as they are.
const PLAIN: [&str; 69] = [
    "1", "\u{b0}C", "degC", "\u{2103}", "\u{b0}F", "degF", "\u{b0}", "deg", "arcmin", "'", "\"", "%", "percent",
    "\u{2030}", "ppm", "ppb", "ppt", "min", "h", "d", "day", "wk", "rpm", "pH", "dex", "dB", "dBm", "ADU", "adu", "DN",
    "e-", "electron", "photon", "ph", "count", "counts", "ct", "cts", "cps", "cpm", "px", "pix", "pixel", "voxel",
    "au", "AU", "ly", "R", "atm", "mmHg", "psi", "in", "ft", "mi", "lb", "oz", "gal", "RFU", "RLU", "OD", "CFU",
    "cell", "cells", "rev", "sample", "step", "u", "G", "a",
];

const SUPERSCRIPTS: &str = "\u{207b}\u{2070}\u{b9}\u{b2}\u{b3}\u{2074}\u{2075}\u{2076}\u{2077}\u{2078}\u{2079}";

/// Whether the text names a unit. `1` is the unit of a pure number.
pub(crate) fn is_known(text: &str) -> bool {
    let mut reader = Reader(text.trim());
    text.len() <= LONGEST && reader.expression(DEEPEST).is_some() && reader.0.is_empty()
}

fn is_symbol(text: &str) -> bool {
    PLAIN.contains(&text)
        || PREFIXED.contains(&text)
        || PREFIXES.iter().any(|prefix| text.strip_prefix(prefix).is_some_and(|symbol| PREFIXED.contains(&symbol)))
}

/// Reads a unit from the front; each part answers nothing where it is not what is read.
struct Reader<'t>(&'t str);

impl Reader<'_> {
    fn expression(&mut self, depth: usize) -> Option<()> {
        self.factor(depth)?;
        loop {
            self.blanks();
            if self.0.is_empty() || self.0.starts_with(')') {
                return Some(());
            }
            // A blank alone multiplies.
            if let Some(rest) = self.0.strip_prefix(['*', '/', '.', '\u{b7}', '\u{22c5}']) {
                self.0 = rest;
                self.blanks();
            }
            self.factor(depth)?;
        }
    }

    fn blanks(&mut self) {
        self.0 = self.0.trim_start_matches(' ');
    }

    fn factor(&mut self, depth: usize) -> Option<()> {
        if let Some(group) = self.0.strip_prefix('(') {
            self.0 = group;
            self.expression(depth.checked_sub(1)?)?;
            self.0 = self.0.strip_prefix(')')?;
        } else {
            self.symbol()?;
        }
        self.exponent()
    }

    /// A symbol, which digits may follow directly: `m2`, `s-1`.
    fn symbol(&mut self) -> Option<()> {
        let ends = |character: char| " */.\u{b7}\u{22c5}()^".contains(character) || SUPERSCRIPTS.contains(character);
        let (run, rest) = self.0.split_at(self.0.find(ends).unwrap_or(self.0.len()));
        let without_power = run.trim_end_matches(|character: char| character.is_ascii_digit());
        let without_power =
            if without_power.len() < run.len() { without_power.trim_end_matches(['-', '+']) } else { run };
        if !is_symbol(run) && !is_symbol(without_power) {
            return None;
        }
        self.0 = rest;
        Some(())
    }

    /// `^2`, `^-1`, `**3`, a power in superscript, or none.
    fn exponent(&mut self) -> Option<()> {
        if let Some(rest) = self.0.strip_prefix("**").or_else(|| self.0.strip_prefix('^')) {
            let digits = rest.strip_prefix(['-', '+']).unwrap_or(rest);
            let rest = digits.trim_start_matches(|character: char| character.is_ascii_digit());
            self.0 = (rest.len() < digits.len()).then_some(rest)?;
        } else {
            self.0 = self.0.trim_start_matches(|character: char| SUPERSCRIPTS.contains(character));
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_laboratories_and_observatories_are_known() {
        for unit in [
            "°C",
            "degC",
            "K",
            "mK",
            "%",
            "ppm",
            "1",
            "mL/min",
            "µL",
            "μL",
            "uL",
            "mol/L",
            "mM",
            "W/(m2 K)",
            "m s-1",
            "m/s^2",
            "m·s⁻²",
            "kg m**-3",
            "counts",
            "e-/s",
            "ADU",
            "mag",
            "arcsec",
            "Jy",
            "erg".replace("erg", "mJ").as_str(),
            "mbar",
            "hPa",
            "rpm",
            "pH",
            "1/s",
            "(m/s)^2",
            "Ω",
            "kohm",
            "nm",
            "dB",
            "mmHg",
            " V ",
        ] {
            assert!(is_known(unit), "{unit}");
        }
    }

    #[test]
    fn other_texts_are_not() {
        for text in [
            "",
            " ",
            "furlong",
            "m/",
            "/m",
            "m//s",
            "m^",
            "(m",
            "m)",
            "()",
            "m^x",
            "°",
            "kfoo",
            "((((((m))))))",
            "m2.5.",
            "2",
            "k",
        ] {
            assert_eq!(is_known(text), text == "°", "{text}");
        }
        assert!(!is_known(&"m ".repeat(60)));
    }
}
