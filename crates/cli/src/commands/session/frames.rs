//! Frames as they are named on the command line: files of this machine, which are handed in, and names of frames that are held.

use std::path::Path;

use holotype_client::{Client, FileUpload};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::ui::Transfer;

/// Items of a session for what was named. A name is a file if there is one.
pub(super) async fn items(client: &Client, names: &[String], transfer: &Transfer) -> Result<Vec<Value>, Failure> {
    let mut items = Vec::with_capacity(names.len());
    for name in names {
        let path = Path::new(name);
        if path.is_file() {
            let moving = transfer.clone();
            let file = FileUpload::open(path, move |bytes| moving.moved(bytes)).await?;
            let frame = client.ingest_frame(file).await?;
            items.push(json!({ "source": "archive", "basename": frame.basename, "id": frame.frame }));
        } else {
            items.push(item(name));
        }
    }
    Ok(items)
}

/// The item that a name stands for: an output of an earlier operation if it begins with a key, else a frame.
pub(crate) fn item(name: &str) -> Value {
    let is_output = name.get(..64).is_some_and(|key| key.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let source = if is_output { "datalab" } else { "archive" };
    json!({ "source": source, "basename": name })
}

/// How many bytes there are to send.
pub(super) fn bytes_of(names: &[String]) -> u64 {
    names
        .iter()
        .filter_map(|name| Path::new(name).metadata().ok())
        .filter(|about| about.is_file())
        .map(|about| about.len())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_is_told_from_a_frame_by_the_key_in_its_name() {
        assert_eq!(item("tfn0m414-kb82-e91")["source"], "archive");
        assert_eq!(item(&format!("{}-1", "0a".repeat(32)))["source"], "datalab");
    }
}
