//! What operations work on, and where it comes from. Archives are behind a port: this room knows none.

use std::fmt;

use async_trait::async_trait;
use holotype_core::{Caller, Category, Digest, ProjectId, UserId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The most characters of a basename.
const MOST_NAME: usize = 200;

/// Which kind of place an input is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// An archive: the frames that are held here, or one elsewhere.
    Archive,
    /// The output of an earlier operation.
    Datalab,
}

impl Origin {
    /// The name in requests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Archive => "archive",
            Self::Datalab => "datalab",
        }
    }
}

/// One input, as a request names it.
#[derive(Debug, Clone, PartialEq)]
pub struct InputItem {
    /// Where it is.
    pub origin: Origin,
    /// What it is called there, without the `-large` or `-small` of its pictures: no path, no control characters.
    pub basename: String,
    /// All that the request says of it. Addresses in it are never followed.
    pub members: Map<String, Value>,
}

impl InputItem {
    /// Reads an item; without a `source` it is in the archive.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn read(value: &Value) -> Result<Self, String> {
        let Value::Object(members) = value else { return Err("Each file must be an object.".to_owned()) };
        let origin = match members.get("source") {
            None => Origin::Archive,
            Some(Value::String(name)) if name == "archive" => Origin::Archive,
            Some(Value::String(name)) if name == "datalab" => Origin::Datalab,
            Some(_) => return Err("The source of a file must be \"archive\" or \"datalab\".".to_owned()),
        };
        let Some(Value::String(basename)) = members.get("basename") else {
            return Err("Each file needs a basename.".to_owned());
        };
        let basename = basename.strip_suffix("-large").or_else(|| basename.strip_suffix("-small")).unwrap_or(basename);
        if !is_plain(basename) {
            let shown: String = basename.chars().take(80).collect();
            return Err(format!("{shown:?} is not a valid basename."));
        }
        Ok(Self { origin, basename: basename.to_owned(), members: members.clone() })
    }

    /// The filter that the request says it was taken through.
    pub fn filter(&self) -> Option<&str> {
        let named = |name| self.members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        named("filter").or_else(|| named("primary_optical_element"))
    }

    /// When the request says it was observed.
    pub fn observation_date(&self) -> Option<&str> {
        self.members.get("observation_date").and_then(Value::as_str)
    }
}

/// Whether a text can be the name of a frame and is nothing else: not a path, not an option, not a pattern.
fn is_plain(basename: &str) -> bool {
    let allowed = |character: char| character.is_alphanumeric() || "._-+ =@,:()".contains(character);
    (1..=MOST_NAME).contains(&basename.chars().count())
        && !basename.starts_with(['.', '-', ' '])
        && !basename.contains("..")
        && basename.chars().all(allowed)
}

/// Which bytes an input turned out to be, for a caller who may have them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// A name of exactly these bytes, the same whoever asks: `sha256:…`, or what an archive names its version by, as
    /// `md5:…@archive.example`. Part of the key of the result.
    pub version: String,
    /// What the file is called, with its ending.
    pub file_name: String,
    /// Where the bytes are.
    pub place: Place,
}

/// Where the bytes of an input are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// In the store.
    Held {
        /// Under this name.
        digest: Digest,
        /// So many bytes.
        size: u64,
    },
    /// Somewhere that [`FrameSource::bring`] finds by this. It is kept in the catalog: no secret belongs in it.
    Elsewhere {
        /// What the source needs to find it again.
        reference: Value,
    },
}

/// Bytes that a source brought into the store, where a reference of its own keeps them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BroughtInput {
    /// Their name.
    pub digest: Digest,
    /// How many they are.
    pub size: u64,
}

/// Where frames of an archive come from.
#[async_trait]
pub trait FrameSource: fmt::Debug + Send + Sync + 'static {
    /// Finds the newest version of the frame that an item of [`Origin::Archive`] names, if `caller` has the right to it.
    ///
    /// # Errors
    /// [`InputError::Absent`] also where the caller may not see it; an archive that does not answer is told at once, not waited for.
    async fn resolve(&self, caller: &Caller, item: &InputItem) -> Result<Resolved, InputError>;

    /// Brings what [`resolve`](Self::resolve) found [elsewhere](Place::Elsewhere) into the store, with the rights of `agent`.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    async fn bring(&self, agent: UserId, project: ProjectId, reference: &Value) -> Result<BroughtInput, InputError>;
}

/// Why an input cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    /// There is none of this name that the caller may have.
    #[error("{basename} was not found in {place}")]
    Absent {
        /// What was asked for.
        basename: String,
        /// Where: `the archive`, `your operations`.
        place: &'static str,
    },
    /// The archive wants a token that it was not given, or does not take.
    #[error("{problem}")]
    Refused {
        /// Why, and what to do; no secrets.
        problem: String,
    },
    /// It may be had later.
    #[error("{problem}")]
    Unavailable {
        /// Why it cannot be now; no secrets.
        problem: String,
    },
    /// A fault of ours.
    #[error("{problem}")]
    Internal {
        /// What happened.
        problem: String,
    },
}

impl InputError {
    /// What kind of failure it is.
    pub fn category(&self) -> Category {
        match self {
            Self::Absent { .. } => Category::NotFound,
            Self::Refused { .. } => Category::Denied,
            Self::Unavailable { .. } => Category::Unavailable,
            Self::Internal { .. } => Category::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> Result<InputItem, String> {
        InputItem::read(&value)
    }

    #[test]
    fn an_item_is_known_by_its_basename_whatever_picture_of_it_was_meant() {
        for basename in ["tfn0m414-kb82-20240611-0076-e91", "a b", "Überblick (1)", "x.fits"] {
            for ending in ["", "-small", "-large"] {
                let item = read(json!({"basename": format!("{basename}{ending}"), "url": "x"})).unwrap();
                assert_eq!((item.basename.as_str(), item.origin), (basename, Origin::Archive));
            }
        }
        assert_eq!(read(json!({"basename": "a", "source": "datalab"})).unwrap().origin, Origin::Datalab);
    }

    #[test]
    fn a_basename_leads_nowhere_else() {
        let long = "x".repeat(MOST_NAME + 1);
        for basename in
            ["", "../a", "a/b", "a\\b", "/etc/passwd", ".hidden", "a..b", "a\0b", "a\nb", "-rf", "a%2fb", "*", &long]
        {
            assert!(read(json!({"basename": basename})).is_err(), "{basename:?}");
        }
        for item in [json!("a"), json!({}), json!({"basename": 1}), json!({"basename": "a", "source": "disk"})] {
            assert!(InputItem::read(&item).is_err(), "{item}");
        }
    }

    #[test]
    fn the_filter_has_an_older_name() {
        let item = read(json!({"basename": "a", "filter": "", "primary_optical_element": "rp"})).unwrap();
        assert_eq!(item.filter(), Some("rp"));
    }
}
