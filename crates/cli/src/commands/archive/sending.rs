//! One file on its way to the archive, and what is told of it.

use std::path::Path;

use holotype_api::frame::IngestedFrame;
use holotype_client::{Client, ClientError, FileUpload};
use holotype_core::Category;
use serde_json::json;

use crate::failure::Failure;
use crate::ui::{Transfer, Ui};

/// What became of a file.
#[derive(Debug)]
pub(super) enum Sent {
    /// It is held, now or since before.
    Kept(Box<IngestedFrame>),
    /// It is not, and for a reason of its own: others may be.
    Refused(ClientError),
}

/// Hands a file in. What concerns more than this file is a failure.
pub(super) async fn send(client: &Client, path: &Path, transfer: &Transfer) -> Result<Sent, ClientError> {
    let moving = transfer.clone();
    let sent = async {
        let file = FileUpload::open(path, move |bytes| moving.moved(bytes)).await?;
        client.ingest_frame(file).await
    };
    match sent.await {
        Ok(frame) => Ok(Sent::Kept(Box::new(frame))),
        Err(error) if concerns_the_file(&error) => Ok(Sent::Refused(error)),
        Err(error) => Err(error),
    }
}

fn concerns_the_file(error: &ClientError) -> bool {
    let of_this_machine = matches!(error, ClientError::File { .. } | ClientError::Name { .. });
    of_this_machine || matches!(error.category(), Category::Invalid | Category::Conflict)
}

/// Tells of a file: a line for people, or a JSON value on a line for programs.
pub(super) fn tell(ui: Ui, path: &Path, sent: &Sent) -> Result<(), Failure> {
    let shown = path.display();
    match sent {
        Sent::Kept(frame) if ui.is_json() => ui.json(&json!({"path": shown.to_string(), "stored": frame})),
        Sent::Refused(error) if ui.is_json() => {
            let error = json!({"category": error.category().name(), "detail": error.to_string()});
            ui.json(&json!({"path": shown.to_string(), "error": error}))
        }
        Sent::Kept(frame) => ui.text(&format!("{}\n", line(path, frame))),
        Sent::Refused(error) => {
            ui.complain(&format!("{shown}: {error}"));
            Ok(())
        }
    }
}

fn line(path: &Path, frame: &IngestedFrame) -> String {
    let what = match (frame.new_frame, frame.new_version) {
        (true, _) => "new frame",
        (false, true) => "new version of frame",
        (false, false) => "unchanged, frame",
    };
    let missing = match frame.missing.as_slice() {
        [] => String::new(),
        names => format!("; its header does not say {}", names.join(", ")),
    };
    format!("{}: {what} {}{missing}", path.display(), frame.frame)
}
