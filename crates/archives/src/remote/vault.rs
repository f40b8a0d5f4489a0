//! Users' tokens of archives, encrypted: XChaCha20-Poly1305 under one key of the installation, bound to whose token it is and
//! of which archive, so that a row that is moved to another user opens for nobody.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use holotype_catalog::random;
use holotype_core::UserId;
use secrecy::{ExposeSecret, SecretString};

use crate::ArchiveError;

/// Bytes of a key.
const KEY: usize = 32;

/// Bytes of a nonce: so many that they can be chosen by chance.
const NONCE: usize = 24;

/// What a sealed token begins with, so that another way of sealing can be told from this one.
const FORM: u8 = 1;

/// What seals tokens, and opens them again.
#[derive(Clone)]
pub(crate) struct Vault(XChaCha20Poly1305);

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault")
    }
}

impl Vault {
    /// The vault of a key in 64 hexadecimal digits; nothing if it is none.
    pub(crate) fn of(key: &SecretString) -> Option<Self> {
        let text = key.expose_secret().trim();
        let digits = text.len() == 2 * KEY && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let byte = |index: usize| u8::from_str_radix(text.get(2 * index..2 * index + 2)?, 16).ok();
        let bytes: Option<Vec<u8>> = digits.then(|| (0..KEY).map(byte).collect()).flatten();
        XChaCha20Poly1305::new_from_slice(&bytes?).ok().map(Self)
    }

    /// Seals a user's token of an archive.
    ///
    /// # Errors
    /// No random bits.
    pub(crate) fn seal(&self, user: UserId, archive: &str, token: &SecretString) -> Result<Vec<u8>, ArchiveError> {
        let nonce = random::bytes::<NONCE>()?;
        let whose = whose(user, archive);
        let payload = Payload { msg: token.expose_secret().as_bytes(), aad: whose.as_bytes() };
        let sealed = self.0.encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| ArchiveError::internal("a token cannot be encrypted"))?;
        Ok([&[FORM], nonce.as_slice(), &sealed].concat())
    }

    /// Opens a token again; nothing if it was sealed with another key, for somebody else, or was changed.
    pub(crate) fn open(&self, user: UserId, archive: &str, sealed: &[u8]) -> Option<SecretString> {
        let (nonce, sealed) = sealed.strip_prefix(&[FORM])?.split_first_chunk::<NONCE>()?;
        let whose = whose(user, archive);
        let payload = Payload { msg: sealed, aad: whose.as_bytes() };
        let token = self.0.decrypt(&XNonce::from(*nonce), payload).ok()?;
        String::from_utf8(token).ok().map(SecretString::from)
    }
}

/// What a sealed token is bound to.
fn whose(user: UserId, archive: &str) -> String {
    format!("token of {user} for {archive}")
}

#[cfg(test)]
mod tests {
    use holotype_core::Instant;

    use super::*;

    fn user(number: u128) -> UserId {
        UserId::from_parts(Instant::from_micros(0), number)
    }

    fn vault(digit: char) -> Vault {
        Vault::of(&SecretString::from(digit.to_string().repeat(64))).unwrap()
    }

    fn token() -> SecretString {
        SecretString::from("the token of ada")
    }

    #[test]
    fn a_token_opens_for_its_user_and_archive_and_for_nobody_else() {
        let (user, other) = (user(1), user(2));
        let sealed = vault('a').seal(user, "https://archive.example/", &token()).unwrap();
        let open = |vault: Vault, user, archive| vault.open(user, archive, &sealed).is_some();
        let opened = vault('a').open(user, "https://archive.example/", &sealed).unwrap();
        assert_eq!(opened.expose_secret(), token().expose_secret());
        assert!(!open(vault('b'), user, "https://archive.example/"));
        assert!(!open(vault('a'), other, "https://archive.example/"));
        assert!(!open(vault('a'), user, "https://elsewhere.example/"));
    }

    #[test]
    fn a_sealed_token_shows_nothing_and_cannot_be_changed() {
        let user = user(1);
        let seal = || vault('a').seal(user, "x", &token()).unwrap();
        let sealed = seal();
        assert_ne!(sealed, seal(), "each has a nonce of its own");
        assert!(!sealed.windows(5).any(|window| b"the token of ada".windows(5).any(|part| part == window)));
        for index in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(vault('a').open(user, "x", &changed).is_none(), "byte {index}");
        }
        for length in 0..sealed.len() {
            assert!(vault('a').open(user, "x", &sealed[..length]).is_none(), "{length} bytes");
        }
    }

    #[test]
    fn only_32_bytes_in_hexadecimal_are_a_key() {
        for text in ["", "secret", &"a".repeat(63), &"g".repeat(64), &"é".repeat(32)] {
            assert!(Vault::of(&SecretString::from(text)).is_none(), "{text}");
        }
        assert!(!format!("{:?}", vault('a')).contains("aaaa"));
    }
}
