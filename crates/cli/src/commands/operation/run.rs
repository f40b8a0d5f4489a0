//! `holotype operation run`

use std::path::{Path, PathBuf};

use holotype_api::session::{NewOperation, Operation};
use holotype_client::Client;
use serde_json::{Map, Value};

use super::describe;
use crate::commands::session::item;
use crate::context::{Context, Need};
use crate::destination::Destination;
use crate::failure::Failure;
use crate::follow::follow;
use crate::ui::Ui;

/// Do something with the frames of a session, and wait for it
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
NAME is one of: Median, Stacking, Subtraction, Normalization, 'Color Image', 'Light Curve',
'Variable Star', 'Aperture Photometry', 'Non-Sidereal Aperture Photometry',
'Moving Target Aperture Photometry', 'HR Diagram'. All frames of the session go into the field
input_files, unless --input says otherwise; an output of an earlier operation is named by its
file's name without the ending. Fields that are not set have their defaults.

The same work is done once: if it is done or under way, this only waits for it. Exit code 1 if it
failed.

Examples:
  holotype operation run 7 Median
  holotype operation run 7 Stacking --set stacking_mode=reproject --output stacked/
  holotype operation run 7 Subtraction --input subtraction_file=dark-0001
  holotype operation run 7 'Light Curve' --set 'source={\"ra\": 10.68, \"dec\": 41.27}' --json
  holotype operation run 7 Median --input input_files=a-0001,a-0002,a-0003 --detach")]
pub(super) struct Run {
    /// The session's number
    session: i64,
    /// What to do
    name: String,
    /// The frames of a field, by their names
    #[arg(long, value_name = "FIELD=FRAME,..", value_parser = pair)]
    input: Vec<(String, String)>,
    /// What to put into a field: JSON, or a text
    #[arg(long, value_name = "FIELD=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// Write the files that are made into this directory
    #[arg(long, short, value_name = "DIR", conflicts_with = "detach")]
    output: Option<PathBuf>,
    /// Write in place of files that are there
    #[arg(long, requires = "output")]
    force: bool,
    /// Do not wait; the workers of the server, or of the next command, will do it
    #[arg(long)]
    detach: bool,
}

impl Run {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let need = if self.detach { Need::Answers } else { Need::Jobs };
        let ui = context.ui;
        let ended = context.call(need, async |client| self.operate(client, ui).await).await?;
        ui.result(&ended, || describe(&ended))?;
        if ended.status == "FAILED" { Err(Failure::Negative) } else { Ok(()) }
    }

    async fn operate(&self, client: &Client, ui: Ui) -> Result<Operation, Failure> {
        let frames = client.session(self.session).await?.input_data;
        let input_data = self.input_data(frames);
        let new = NewOperation { name: self.name.clone(), input_data };
        let mut operation = client.operate(self.session, &new).await?;
        if self.detach {
            return Ok(operation);
        }
        if let Some(job) = operation.job {
            follow(client, client.job(job).await?, ui).await?;
        }
        operation = client.operation(operation.id).await?;
        if let Some(folder) = &self.output {
            save(client, &operation, folder, self.force).await?;
        }
        Ok(operation)
    }

    /// The request: the frames of the session, and what was said instead or beside.
    fn input_data(&self, frames: Vec<Value>) -> Value {
        let mut request = Map::new();
        request.insert("input_files".to_owned(), frames.into());
        for (field, names) in &self.input {
            let items: Vec<Value> = names.split(',').map(|name| item(name.trim())).collect();
            request.insert(field.clone(), items.into());
        }
        for (field, text) in &self.set {
            let value = serde_json::from_str(text).unwrap_or_else(|_| text.clone().into());
            request.insert(field.clone(), value);
        }
        request.into()
    }
}

/// `FIELD=VALUE`
fn pair(text: &str) -> Result<(String, String), String> {
    let (field, value) = text.split_once('=').ok_or("FIELD=VALUE is needed")?;
    Ok((field.to_owned(), value.to_owned()))
}

/// Writes the files of an operation into a folder, each whole or not at all.
async fn save(client: &Client, operation: &Operation, folder: &Path, force: bool) -> Result<(), Failure> {
    let unwritable = |source| Failure::io(format!("{} cannot be made", folder.display()), source);
    tokio::fs::create_dir_all(folder).await.map_err(unwritable)?;
    for name in &operation.files {
        // A name from the server must not lead out of the folder.
        let own = Path::new(name).file_name().filter(|own| *own == name.as_str());
        let Some(own) = own else { continue };
        let mut destination = Destination::create(&folder.join(own), force).await?;
        client.output(name).await?.copy_to(destination.writer(), |_| {}).await?;
        destination.keep().await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_set_is_json_or_text_and_what_is_named_comes_before_the_sessions_frames() {
        let words = |text: &str| pair(text).unwrap();
        let run = Run {
            session: 1,
            name: "Stacking".to_owned(),
            input: vec![words("subtraction_file=dark-1")],
            set: vec![words("radius=7.5"), words("stacking_mode=simple"), words("source={\"ra\":1}")],
            output: None,
            force: false,
            detach: true,
        };
        let request = run.input_data(vec![json!({"basename": "a"})]);
        let expected = json!({
            "input_files": [{"basename": "a"}], "subtraction_file": [{"source": "archive", "basename": "dark-1"}],
            "radius": 7.5, "stacking_mode": "simple", "source": {"ra": 1},
        });
        assert_eq!(request.to_string(), expected.to_string());
        assert!(pair("nothing").is_err());
    }
}
