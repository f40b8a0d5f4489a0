//! Where a catalog is.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

use crate::CatalogError;

/// Where a catalog is: a SQLite file or a PostgreSQL database. A password inside it is never shown.
#[derive(Clone)]
pub struct CatalogUrl(Place);

#[derive(Clone)]
pub(crate) enum Place {
    Sqlite(PathBuf),
    Postgres(Box<PgConnectOptions>),
}

impl CatalogUrl {
    /// Reads `sqlite:///path/catalog.db` (everything after `sqlite://` is the path as it is), a path, or
    /// `postgres://…`.
    ///
    /// # Errors
    /// [`CatalogError::InvalidUrl`], which does not repeat the text.
    pub fn parse(text: &str) -> Result<Self, CatalogError> {
        let invalid = |problem: &str| CatalogError::InvalidUrl { problem: problem.to_owned() };
        match text.split_once(':') {
            Some(("postgres" | "postgresql", _)) => PgConnectOptions::from_str(text)
                .map(|options| Self(Place::Postgres(Box::new(options.application_name("holotype")))))
                // The driver's message may quote the text.
                .map_err(|_| invalid("it is not a PostgreSQL URL")),
            Some(("sqlite", rest)) => {
                Self::file(rest.strip_prefix("//").ok_or_else(|| invalid("sqlite: must be followed by //"))?)
            }
            Some((_, rest)) if rest.starts_with("//") => Err(invalid("only sqlite: and postgres: are known")),
            _ => Self::file(text),
        }
    }

    fn file(path: &str) -> Result<Self, CatalogError> {
        if path.is_empty() || path.contains('\0') {
            return Err(CatalogError::InvalidUrl {
                problem: "the path of the database file is empty or not a path".to_owned(),
            });
        }
        Ok(Self::from(Path::new(path)))
    }

    pub(crate) fn place(&self) -> &Place {
        &self.0
    }
}

impl From<&Path> for CatalogUrl {
    fn from(path: &Path) -> Self {
        Self(Place::Sqlite(path.to_owned()))
    }
}

impl FromStr for CatalogUrl {
    type Err = CatalogError;

    fn from_str(text: &str) -> Result<Self, CatalogError> {
        Self::parse(text)
    }
}

/// Without user and password.
impl fmt::Display for CatalogUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Place::Postgres(options) => {
                let database = options.get_database().unwrap_or(options.get_username());
                match options.get_socket() {
                    Some(socket) => write!(f, "postgres://{}/{database}", socket.display()),
                    None => write!(f, "postgres://{}:{}/{database}", options.get_host(), options.get_port()),
                }
            }
        }
    }
}

impl fmt::Debug for CatalogUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CatalogUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_and_a_sqlite_url_name_the_same_file() {
        for text in ["/data/catalog.db", "sqlite:///data/catalog.db"] {
            assert_eq!(CatalogUrl::parse(text).unwrap().to_string(), "sqlite:///data/catalog.db");
        }
        assert_eq!(CatalogUrl::parse("sqlite://a b%20c.db").unwrap().to_string(), "sqlite://a b%20c.db");
    }

    #[test]
    fn a_password_is_never_shown() {
        let url = CatalogUrl::parse("postgres://keeper:hush-hush@db.example:5433/lab").unwrap();
        assert_eq!(url.to_string(), "postgres://db.example:5433/lab");
        assert!(!format!("{url:?}").contains("hush"));
        let error = CatalogUrl::parse("postgres://keeper:hush-hush@[db/lab").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hush"), "{error:?}");
    }

    #[test]
    fn other_databases_and_empty_paths_are_refused() {
        for text in ["mysql://host/lab", "", "sqlite:", "sqlite://", "sqlite:catalog.db", "a\0b"] {
            assert!(matches!(CatalogUrl::parse(text), Err(CatalogError::InvalidUrl { .. })), "{text:?}");
        }
    }
}
