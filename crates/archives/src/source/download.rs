//! Where the bytes of a frame are. What is secret in it shows nowhere.

use std::fmt;

use holotype_core::Instant;
use reqwest::header::HeaderName;
use secrecy::SecretString;
use url::Url;

/// Where the bytes of a frame are, and what to send along when asking for them.
#[derive(Clone)]
pub struct Download {
    /// The address; its query may hold a signature that lets anyone read the file.
    pub url: Url,
    /// Headers for the address's own origin. They are sent nowhere else, whatever the server redirects to.
    pub headers: Vec<(HeaderName, SecretString)>,
    /// After this instant it no longer works, where that is known.
    pub expires: Option<Instant>,
}

impl Download {
    /// A file that anyone who knows the address may read.
    pub fn open(url: Url) -> Self {
        Self { url, headers: Vec::new(), expires: None }
    }
}

impl fmt::Display for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.url))
    }
}

impl fmt::Debug for Download {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Download")
            .field("url", &shown(&self.url))
            .field("headers", &names)
            .field("expires", &self.expires)
            .finish()
    }
}

/// An address as a message may show it: without user, password, query and fragment, where secrets travel.
pub(crate) fn shown(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{host}{port}{}", url.scheme(), url.path())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_shows_in_a_download() {
        let download = Download {
            url: "https://user:pass@files.example:8443/a.fits?X-Amz-Signature=topsecret#frag".parse().unwrap(),
            headers: vec![(reqwest::header::AUTHORIZATION, SecretString::from("Token topsecret"))],
            expires: None,
        };
        assert_eq!(download.to_string(), "https://files.example:8443/a.fits");
        let debug = format!("{download:?}");
        assert!(!debug.contains("topsecret") && !debug.contains("pass"), "{debug}");
        assert!(debug.contains("authorization"), "{debug}");
    }
}
