//! The key with which a home signs links: whoever has a signed link may open what it leads to, until it expires.

use std::path::Path;

use hmac::{Hmac, KeyInit as _, Mac as _};
use holotype_catalog::random;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

use super::{Home, HomeError};
use crate::files;

/// Random bytes in a key.
const LENGTH: usize = 32;

/// Signs texts, and knows its own signatures.
#[derive(Debug, Clone)]
pub struct SigningKey(SecretString);

impl SigningKey {
    /// The signature of a text, in hexadecimal.
    pub fn sign(&self, text: &str) -> String {
        self.keyed(text).map(|mac| hexadecimal(&mac.finalize().into_bytes())).unwrap_or_default()
    }

    /// Whether a signature is ours, and of this text. It takes as long for a wrong one.
    pub fn accepts(&self, text: &str, signature: &str) -> bool {
        let Some(bytes) = bytes(signature) else { return false };
        self.keyed(text).is_some_and(|mac| mac.verify_slice(&bytes).is_ok())
    }

    fn keyed(&self, text: &str) -> Option<Hmac<Sha256>> {
        // A key of any length is taken.
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret().as_bytes()).ok()?;
        mac.update(text.as_bytes());
        Some(mac)
    }
}

impl Home {
    /// The key of this home, which is made when it is first asked for.
    ///
    /// # Errors
    /// A file that cannot be read or written, or that is no key; no random bits.
    pub fn signing_key(&self) -> Result<SigningKey, HomeError> {
        let path = self.root().join("links.key");
        let unreadable = |problem: String| HomeError::Unreadable { path: path.clone(), problem };
        let text = match files::read_text(&path, 1024).map_err(|error| unreadable(error.to_string()))? {
            Some(text) => text.trim().to_owned(),
            None => {
                let text = hexadecimal(&random::bytes::<LENGTH>().map_err(HomeError::Random)?);
                let not_writable = |source| HomeError::NotWritable { path: path.clone(), source };
                files::write_text(&path, &format!("{text}\n"))
                    .and_then(|()| only_for_its_owner(&path))
                    .map_err(not_writable)?;
                text
            }
        };
        match bytes(&text).is_some_and(|bytes| bytes.len() == LENGTH) {
            true => Ok(SigningKey(text.into())),
            false => Err(unreadable(
                "it holds no key; remove it, and a new one is made (links given out before cease to work)".to_owned(),
            )),
        }
    }
}

fn only_for_its_owner(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.is_ascii() && text.len().is_multiple_of(2);
    let pairs = digits
        .then(|| (0..text.len() / 2).map(|index| u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()))?;
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_stays_and_knows_its_own_signatures() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path());
        let (key, again) = (home.signing_key().unwrap(), home.signing_key().unwrap());
        let signature = key.sign("frame 1");
        assert_eq!(signature.len(), 64);
        assert!(again.accepts("frame 1", &signature));
        for (text, signature) in [
            ("frame 2", signature.as_str()),
            ("frame 1", ""),
            ("frame 1", "zz"),
            ("frame 1", "é"),
            ("frame 1", &signature[2..]),
        ] {
            assert!(!again.accepts(text, signature), "{text} {signature}");
        }
        assert!(
            !Home::at(tempfile::tempdir().unwrap().path())
                .signing_key()
                .is_ok_and(|key| key.accepts("frame 1", &signature))
        );
        assert!(!format!("{key:?}").contains(&std::fs::read_to_string(folder.path().join("links.key")).unwrap()[..8]));
    }

    #[test]
    fn what_is_no_key_is_not_signed_with() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["", "short", "00", &"zz".repeat(32)] {
            std::fs::write(folder.path().join("links.key"), text).unwrap();
            assert!(Home::at(folder.path()).signing_key().is_err(), "{text}");
        }
    }
}
