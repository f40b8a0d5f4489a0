//! Who the client says it is.

use percent_encoding::percent_decode_str;
use reqwest::RequestBuilder;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::ClientError;

/// What a client presents with every request. Its secret is never printed.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// A token, as `holotype token create` prints it once.
    Token(SecretString),
    /// A user's name with a password, or with a token in its place.
    Password {
        /// The user's name.
        user: String,
        /// The password or token.
        password: SecretString,
    },
}

impl Credentials {
    /// Parts an address from the credentials written into it (`https://user:token@host/`), if any.
    pub fn split_from(mut address: Url) -> Result<(Url, Option<Self>), ClientError> {
        let found = match (address.username(), address.password()) {
            ("", None) => return Ok((address, None)),
            (_, None) => {
                let reason = "it names a user but no password; write user:token@host, or use HOLOTYPE_TOKEN";
                return Err(ClientError::Address { address: host(&address), reason: reason.to_owned() });
            }
            (user, Some(password)) => Credentials::Password { user: decode(user), password: decode(password).into() },
        };
        // Only an address without a host refuses this, and such a one carries no credentials.
        if address.set_username("").is_err() || address.set_password(None).is_err() {
            return Err(ClientError::Address { address: host(&address), reason: "it names no host".to_owned() });
        }
        Ok((address, Some(found)))
    }

    /// Puts them on a request; reqwest marks the header so that no log shows it.
    pub(crate) fn apply(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Credentials::Token(token) => request.bearer_auth(token.expose_secret()),
            Credentials::Password { user, password } => request.basic_auth(user, Some(password.expose_secret())),
        }
    }
}

fn host(address: &Url) -> String {
    address.host_str().unwrap_or("(no host)").to_owned()
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_leave_the_address_and_are_decoded() {
        let (address, credentials) =
            Credentials::split_from("https://ada:p%40ss@lab.example:8004/base/".parse().unwrap()).unwrap();
        assert_eq!(address.as_str(), "https://lab.example:8004/base/");
        let Some(Credentials::Password { user, password }) = credentials else { panic!("no password") };
        assert_eq!((user.as_str(), password.expose_secret()), ("ada", "p@ss"));
    }

    #[test]
    fn a_secret_is_not_printed() {
        let shown = format!("{:?}", Credentials::Token("holo_secret".into()));
        assert!(!shown.contains("holo_secret"), "{shown}");
    }

    #[test]
    fn a_user_without_a_password_is_refused_with_the_cure() {
        let error = Credentials::split_from("http://ada@lab.example/".parse().unwrap()).unwrap_err();
        assert!(error.to_string().contains("user:token@host"), "{error}");
    }
}
