//! What is handed in: JSON as an argument, in a file, or on stdin.

use std::io::Read;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::failure::Failure;

/// The most that is read as one JSON text; servers take no more by default.
const LARGEST: u64 = 64 << 20;

/// JSON that a command takes: the text itself, `@FILE`, or `-` for stdin.
pub(crate) async fn json(argument: &str, what: &str) -> Result<Value, Failure> {
    let text = text(argument, what).await?;
    serde_json::from_str(&text).map_err(|source| Failure::Json { what: format!("{what} '{}'", cut(argument)), source })
}

/// A text that a command takes: the text itself, `@FILE`, or `-` for stdin.
async fn text(argument: &str, what: &str) -> Result<String, Failure> {
    let from = match argument {
        "-" => None,
        other => match other.strip_prefix('@') {
            Some(path) => Some(PathBuf::from(path)),
            None => return Ok(other.to_owned()),
        },
    };
    let what = what.to_owned();
    // Reading a pipe may take for ever, so it has a thread of its own.
    tokio::task::spawn_blocking(move || read(from.as_deref(), &what))
        .await
        .map_err(|error| Failure::io("the input cannot be read", std::io::Error::other(error)))?
}

fn read(from: Option<&Path>, what: &str) -> Result<String, Failure> {
    let name = from.map_or_else(|| "stdin".to_owned(), |path| path.display().to_string());
    let failed = |source| Failure::io(format!("{what} cannot be read from {name}"), source);
    let source: Box<dyn Read> = match from {
        Some(path) => Box::new(std::fs::File::open(path).map_err(failed)?),
        None => Box::new(std::io::stdin().lock()),
    };
    let mut text = String::new();
    let length = source.take(LARGEST + 1).read_to_string(&mut text).map_err(failed)? as u64;
    if length > LARGEST {
        return Err(Failure::input(
            format!("{what} from {name} is larger than {LARGEST} bytes"),
            "send it as a file: holotype datapoint submit --file",
        ));
    }
    Ok(text)
}

/// A short form of what was typed, for messages.
fn cut(argument: &str) -> String {
    crate::ui::short(argument, 60)
}

/// A secret from the first line of a file, of stdin for `-`.
pub(crate) fn secret_line(path: &Path, what: &str) -> Result<SecretString, Failure> {
    let from = (path != Path::new("-")).then_some(path);
    let text = SecretString::from(read(from, what)?);
    let line = text.expose_secret().lines().next().unwrap_or_default().trim();
    if line.is_empty() {
        return Err(Failure::input(format!("{what} in {} is empty", path.display()), "write it on the first line"));
    }
    Ok(line.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn json_is_taken_from_the_argument_or_from_a_file() {
        assert_eq!(json("21.50", "value").await.unwrap().to_string(), "21.50");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("value.json");
        std::fs::write(&path, "{\"a\": 1}").unwrap();
        assert_eq!(json(&format!("@{}", path.display()), "value").await.unwrap()["a"], 1);
    }

    #[tokio::test]
    async fn what_is_not_json_is_refused_by_name() {
        let failure = json("cold", "value").await.unwrap_err();
        assert!(failure.to_string().contains("value 'cold' is not JSON"), "{failure}");
    }
}
