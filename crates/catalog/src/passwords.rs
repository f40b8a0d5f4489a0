//! Passwords, slow on purpose and one at a time: each check takes 19 MiB, and nobody may make the server take many.

use std::sync::Arc;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{Error, PasswordHasher as _, PasswordVerifier as _};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Semaphore;

use crate::CatalogError;

/// How many callers may wait for their turn.
const WAITING: usize = 16;

const SHORTEST: usize = 8;
const LONGEST: usize = 1_024;

/// The one place where passwords are hashed and checked.
#[derive(Debug)]
pub(crate) struct Passwords {
    waiting: Semaphore,
    turn: Arc<Semaphore>,
}

impl Passwords {
    pub(crate) fn new() -> Self {
        Self { waiting: Semaphore::new(WAITING), turn: Arc::new(Semaphore::new(1)) }
    }

    /// The argon2id hash of a new password, with a salt of its own.
    ///
    /// # Errors
    /// [`CatalogError::Invalid`] for a password too short or too long; [`CatalogError::TooManyLogins`].
    pub(crate) async fn hash(&self, password: SecretString) -> Result<String, CatalogError> {
        if !(SHORTEST..=LONGEST).contains(&password.expose_secret().len()) {
            return Err(CatalogError::invalid("a password has between 8 and 1024 bytes"));
        }
        self.alone(move || {
            let hash = Argon2::default().hash_password(password.expose_secret().as_bytes());
            hash.map(|hash| hash.to_string()).map_err(|error| unusable(&error))
        })
        .await?
    }

    /// Whether a password belongs to a hash. Without a hash it takes as long, so that the time does not tell who
    /// exists.
    ///
    /// # Errors
    /// [`CatalogError::TooManyLogins`]; [`CatalogError::Column`] for a hash that is none.
    pub(crate) async fn verify(&self, password: SecretString, hash: Option<String>) -> Result<bool, CatalogError> {
        if password.expose_secret().len() > LONGEST {
            return Ok(false);
        }
        self.alone(move || {
            let password = password.expose_secret().as_bytes();
            let Some(hash) = hash else {
                Argon2::default()
                    .hash_password_with_salt(password, b"nobody's salt")
                    .map_err(|error| unusable(&error))?;
                return Ok(false);
            };
            let hash = PasswordHash::new(&hash).map_err(|error| unusable(&error.into()))?;
            match Argon2::default().verify_password(password, &hash) {
                Ok(()) => Ok(true),
                Err(Error::PasswordInvalid) => Ok(false),
                Err(error) => Err(unusable(&error)),
            }
        })
        .await?
    }

    /// Runs slow work on a thread that may block, when it is its turn. The turn ends with the work, not with whoever
    /// waits for it.
    async fn alone<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T, CatalogError> {
        let _place = self.waiting.try_acquire().map_err(|_| CatalogError::TooManyLogins)?;
        let turn = Arc::clone(&self.turn).acquire_owned().await.map_err(|_| CatalogError::Closed)?;
        let working = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            work()
        });
        working.await.map_err(|_| CatalogError::Panicked)
    }
}

fn unusable(error: &Error) -> CatalogError {
    CatalogError::Column { column: "password".to_owned(), problem: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SecretString {
        SecretString::from(text)
    }

    #[tokio::test]
    async fn only_the_password_itself_belongs_to_its_hash() {
        let passwords = Passwords::new();
        let hash = passwords.hash(secret("correct horse")).await.unwrap();
        assert!(hash.starts_with("$argon2id$"), "{hash}");
        assert_ne!(passwords.hash(secret("correct horse")).await.unwrap(), hash, "each hash has its own salt");
        assert!(passwords.verify(secret("correct horse"), Some(hash.clone())).await.unwrap());
        assert!(!passwords.verify(secret("correct house"), Some(hash)).await.unwrap());
        assert!(!passwords.verify(secret("correct horse"), None).await.unwrap());
    }

    #[tokio::test]
    async fn passwords_too_short_or_too_long_are_refused() {
        let passwords = Passwords::new();
        for text in ["", "1234567", &"x".repeat(1_025)] {
            assert!(matches!(passwords.hash(secret(text)).await, Err(CatalogError::Invalid { .. })));
        }
        assert!(!passwords.verify(secret(&"x".repeat(1_025)), None).await.unwrap());
    }

    #[tokio::test]
    async fn a_crowd_of_logins_is_turned_away() {
        let passwords = Passwords::new();
        let checks = (0..WAITING + 4).map(|_| passwords.verify(secret("guess"), None));
        let answers = futures::future::join_all(checks).await;
        let refused = answers.iter().filter(|answer| matches!(answer, Err(CatalogError::TooManyLogins))).count();
        assert_eq!(refused, 4);
        assert!(!passwords.verify(secret("guess"), None).await.unwrap(), "and let in again afterwards");
    }
}
