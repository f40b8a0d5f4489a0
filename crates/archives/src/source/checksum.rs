//! Checksums as archives give them, and the check of bytes against them.

use std::fmt;

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

/// How a checksum is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    /// MD5, 16 bytes.
    Md5,
    /// SHA-1, 20 bytes.
    Sha1,
    /// SHA-256, 32 bytes.
    Sha256,
    /// SHA-512, 64 bytes.
    Sha512,
}

/// A checksum of a file: not secret, and written `md5:HEX`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Checksum {
    /// MD5.
    Md5([u8; 16]),
    /// SHA-1.
    Sha1([u8; 20]),
    /// SHA-256.
    Sha256([u8; 32]),
    /// SHA-512.
    Sha512([u8; 64]),
}

/// Text that is no checksum.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a checksum: {expected} is needed")]
pub struct InvalidChecksum {
    /// What was given, cut to 140 characters.
    pub text: String,
    /// What would have been right.
    pub expected: &'static str,
}

impl Algorithm {
    /// The algorithm whose checksums have this many hexadecimal digits.
    pub fn of_hex_length(digits: usize) -> Option<Self> {
        match digits {
            32 => Some(Self::Md5),
            40 => Some(Self::Sha1),
            64 => Some(Self::Sha256),
            128 => Some(Self::Sha512),
            _ => None,
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().replace('-', "").as_str() {
            "md5" => Some(Self::Md5),
            "sha1" => Some(Self::Sha1),
            "sha256" => Some(Self::Sha256),
            "sha512" => Some(Self::Sha512),
            _ => None,
        }
    }
}

impl Checksum {
    /// Reads `HEX`, whose algorithm is the given one or else follows from its length, or `ALGORITHM:HEX`.
    ///
    /// # Errors
    /// If it is neither, or names another algorithm than the given one.
    pub fn parse(text: &str, algorithm: Option<Algorithm>) -> Result<Self, InvalidChecksum> {
        let invalid = |expected| InvalidChecksum { text: text.chars().take(140).collect(), expected };
        let (named, hex) = match text.trim().split_once(':') {
            Some((name, hex)) => {
                let known =
                    Algorithm::of_name(name).ok_or_else(|| invalid("md5, sha1, sha256 or sha512 before the colon"))?;
                (Some(known), hex)
            }
            None => (None, text.trim()),
        };
        let by_length = Algorithm::of_hex_length(hex.len());
        let wanted = named.or(algorithm).or(by_length);
        if wanted != by_length || algorithm.is_some_and(|given| Some(given) != wanted) {
            return Err(invalid("as many hexadecimal digits as the algorithm makes"));
        }
        let digits = "hexadecimal digits";
        match wanted {
            Some(Algorithm::Md5) => bytes(hex).map(Self::Md5),
            Some(Algorithm::Sha1) => bytes(hex).map(Self::Sha1),
            Some(Algorithm::Sha256) => bytes(hex).map(Self::Sha256),
            Some(Algorithm::Sha512) => bytes(hex).map(Self::Sha512),
            None => None,
        }
        .ok_or_else(|| invalid(digits))
    }

    /// How it was made.
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::Md5(_) => Algorithm::Md5,
            Self::Sha1(_) => Algorithm::Sha1,
            Self::Sha256(_) => Algorithm::Sha256,
            Self::Sha512(_) => Algorithm::Sha512,
        }
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Md5(bytes) => bytes,
            Self::Sha1(bytes) => bytes,
            Self::Sha256(bytes) => bytes,
            Self::Sha512(bytes) => bytes,
        }
    }

    /// What to feed the bytes of the file to.
    pub fn verifier(&self) -> Verifier {
        Verifier {
            wanted: *self,
            state: match self {
                Self::Md5(_) => State::Md5(Md5::new()),
                Self::Sha1(_) => State::Sha1(Sha1::new()),
                Self::Sha256(_) => State::Sha256(Sha256::new()),
                Self::Sha512(_) => State::Sha512(Box::new(Sha512::new())),
            },
        }
    }
}

/// The bytes of an even number of hexadecimal digits, if there are exactly as many as fit.
fn bytes<const N: usize>(hex: &str) -> Option<[u8; N]> {
    let digits = hex.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = value(pair[0])? << 4 | value(pair[1])?;
    }
    Some(bytes)
}

impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.algorithm() {
            Algorithm::Md5 => "md5:",
            Algorithm::Sha1 => "sha1:",
            Algorithm::Sha256 => "sha256:",
            Algorithm::Sha512 => "sha512:",
        })?;
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A checksum in the making, to be compared with what an archive said.
#[derive(Debug, Clone)]
pub struct Verifier {
    wanted: Checksum,
    state: State,
}

#[derive(Debug, Clone)]
enum State {
    Md5(Md5),
    Sha1(Sha1),
    Sha256(Sha256),
    Sha512(Box<Sha512>),
}

impl Verifier {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.state {
            State::Md5(state) => state.update(bytes),
            State::Sha1(state) => state.update(bytes),
            State::Sha256(state) => state.update(bytes),
            State::Sha512(state) => state.update(bytes),
        }
    }

    /// Whether the bytes are those of the checksum; if not, the checksum they have.
    ///
    /// # Errors
    /// The checksum of the bytes, where it is another one.
    pub fn finish(self) -> Result<(), Checksum> {
        let found = match self.state {
            State::Md5(state) => Checksum::Md5(state.finalize().into()),
            State::Sha1(state) => Checksum::Sha1(state.finalize().into()),
            State::Sha256(state) => Checksum::Sha256(state.finalize().into()),
            State::Sha512(state) => Checksum::Sha512(state.finalize().into()),
        };
        if found == self.wanted { Ok(()) } else { Err(found) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MD5_OF_ABC: &str = "900150983cd24fb0d6963f7d28e17f72";
    const SHA1_OF_ABC: &str = "a9993e364706816aba3e25717850c26c9cd0d89d";
    const SHA256_OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_checksum_is_read_bare_or_with_its_algorithm_and_written_with_it() {
        let bare = Checksum::parse(MD5_OF_ABC, None).unwrap();
        assert_eq!(bare.to_string(), format!("md5:{MD5_OF_ABC}"));
        assert_eq!(Checksum::parse(&bare.to_string().to_uppercase(), Some(Algorithm::Md5)).unwrap(), bare);
        assert_eq!(Checksum::parse(&format!("SHA-256:{SHA256_OF_ABC}"), None).unwrap().algorithm(), Algorithm::Sha256);
    }

    #[test]
    fn what_is_no_checksum_is_refused() {
        let wrong =
            ["", "abc", "md5:", "crc32:01020304", &format!("sha1:{MD5_OF_ABC}"), &"g".repeat(32), &"é".repeat(16)];
        for text in wrong {
            assert!(Checksum::parse(text, None).is_err(), "{text}");
        }
        assert!(Checksum::parse(MD5_OF_ABC, Some(Algorithm::Sha256)).is_err());
        assert!(Checksum::parse(&format!("md5:{MD5_OF_ABC}"), Some(Algorithm::Sha1)).is_err());
    }

    #[test]
    fn bytes_are_compared_with_the_checksum_however_they_are_cut() {
        for text in [MD5_OF_ABC, SHA1_OF_ABC, SHA256_OF_ABC] {
            let wanted = Checksum::parse(text, None).unwrap();
            let mut verifier = wanted.verifier();
            verifier.update(b"a");
            verifier.update(b"bc");
            assert_eq!(verifier.finish(), Ok(()));
            let mut other = wanted.verifier();
            other.update(b"abd");
            assert_ne!(other.finish().unwrap_err(), wanted);
        }
    }
}
