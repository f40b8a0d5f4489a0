//! Where blobs are kept, as an operator writes it down.

use std::path::PathBuf;

use holotype_core::Category;
use object_store::path::Path;
use secrecy::SecretString;
use url::Url;

/// Where blobs are kept.
#[derive(Debug, Clone)]
pub enum Location {
    /// A directory of this machine, or one that several mount; made if it is absent.
    Directory(PathBuf),
    /// A bucket that speaks the S3 protocol.
    S3(S3Location),
    /// This process's memory: for tests and examples.
    Memory,
}

/// A bucket, and a folder in it.
#[derive(Debug, Clone)]
pub struct S3Location {
    /// The bucket's name; it must exist.
    pub bucket: String,
    /// The folder that all keys lie under, without slashes at its ends; empty for the bucket itself.
    pub prefix: String,
    /// The server, for anything but AWS; `http` is allowed, user and password in it are not.
    pub endpoint: Option<Url>,
    /// The region; most servers other than AWS ignore it.
    pub region: Option<String>,
    /// The key to sign requests with; without one, the identity the machine has from its cloud.
    pub key: Option<S3Key>,
}

/// An access key. Its secret half shows in no log and no error.
#[derive(Debug, Clone)]
pub struct S3Key {
    /// The public half.
    pub id: String,
    /// The secret half.
    pub secret: SecretString,
}

/// Text that names no location.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{text}' is not a location of blobs: {problem}; a directory (/srv/blobs, file:///srv/blobs) or s3://BUCKET/PREFIX is needed"
)]
pub struct InvalidLocation {
    /// What was given, without user and password, cut to 80 characters.
    pub text: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl InvalidLocation {
    /// A wrong location is the fault of whoever wrote it.
    pub fn category(&self) -> Category {
        Category::Invalid
    }
}

impl Location {
    /// Reads `/a/directory`, `file:///a/directory` or `s3://bucket/prefix`. Endpoint, region and key of a bucket are not part of the text.
    ///
    /// # Errors
    /// If the text is anything else, or carries a user or a password.
    pub fn parse(text: &str) -> Result<Self, InvalidLocation> {
        let invalid = |problem| InvalidLocation { text: without_userinfo(text), problem };
        if text.starts_with('/') {
            return Ok(Self::Directory(PathBuf::from(text)));
        }
        let url = Url::parse(text).map_err(|_| invalid("it is neither an absolute path nor a URL"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(invalid("keys do not belong in a URL, where they end up in logs"));
        }
        match url.scheme() {
            "file" => {
                url.to_file_path().map(Self::Directory).map_err(|()| invalid("a file URL has three slashes and a path"))
            }
            "s3" => {
                let bucket = url
                    .host_str()
                    .filter(|bucket| !bucket.is_empty())
                    .ok_or_else(|| invalid("the bucket is missing"))?;
                let prefix =
                    Path::from_url_path(url.path()).map_err(|_| invalid("the prefix has an empty or dotted part"))?;
                Ok(Self::S3(S3Location {
                    bucket: bucket.to_owned(),
                    prefix: prefix.into(),
                    endpoint: None,
                    region: None,
                    key: None,
                }))
            }
            _ => Err(invalid("its scheme is unknown")),
        }
    }
}

/// What may be repeated in a message: everything but what stands between `//` and `@`.
fn without_userinfo(text: &str) -> String {
    let shown = match (text.split_once("//"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}//{rest}"),
        _ => text.to_owned(),
    };
    shown.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(text: &str) -> (String, String) {
        match Location::parse(text).unwrap() {
            Location::S3(S3Location { bucket, prefix, .. }) => (bucket, prefix),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_path_and_a_file_url_name_the_same_directory() {
        for text in ["/srv/blobs", "file:///srv/blobs"] {
            assert!(
                matches!(Location::parse(text).unwrap(), Location::Directory(path) if path.as_os_str() == "/srv/blobs")
            );
        }
    }

    #[test]
    fn a_bucket_may_have_a_prefix() {
        assert_eq!(bucket("s3://lab"), ("lab".into(), String::new()));
        assert_eq!(bucket("s3://lab/holotype/blobs/"), ("lab".into(), "holotype/blobs".into()));
    }

    #[test]
    fn what_is_no_location_is_refused_without_repeating_a_password() {
        for text in ["", "blobs", "ftp://host/x", "s3://", "file://host/x/y", "s3://b/a//c"] {
            assert_eq!(Location::parse(text).unwrap_err().text, text);
        }
        let error = Location::parse("s3://key:secret@lab/x").unwrap_err();
        assert!(!error.to_string().contains("secret") && error.text == "s3://lab/x", "{error}");
    }

    #[test]
    fn a_key_does_not_show_its_secret() {
        let key = S3Key { id: "AKIA".into(), secret: SecretString::from("hunter2") };
        assert!(!format!("{key:?}").contains("hunter2"));
    }
}
