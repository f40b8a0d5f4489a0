//! `holotype datapoint submit`

use std::path::PathBuf;

use holotype_client::{Client, ClientError, FileUpload, Submitted};
use serde_json::{Map, Value};
use ulid::Ulid;

use super::owner::Owner;
use super::row::Row;
use crate::context::Context;
use crate::failure::Failure;
use crate::input;
use crate::ui::Ui;

/// Store a value, files, or both; print the id
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("content").required(true).multiple(true).args(["value", "file", "document"]))]
#[command(after_long_help = "\
When the command ends with 0, what was sent is on disk. To store again what is stored already
changes nothing. VALUE and JSON are JSON texts; @FILE reads a file, - reads stdin.
Many at once: 'holotype datapoint import ndjson'.

Examples:
  holotype datapoint submit --label temperature --value 21.5
  holotype datapoint submit --label note --value '\"started the pump\"'
  holotype datapoint submit --label frame --file frame.fits --file frame.log
  holotype datapoint submit --value @result.json --owner experiment=01JD3Z5N2V8Q0W4X6Y7Z8A9B0C")]
pub(super) struct Submit {
    /// The value, as JSON
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    value: Option<String>,
    /// A file to keep; may be given several times
    #[arg(long, value_name = "FILE")]
    file: Vec<PathBuf>,
    /// A whole datapoint as JSON, with all members it is to have
    #[arg(long, value_name = "JSON", conflicts_with = "value")]
    document: Option<String>,
    /// What it is a measurement of
    #[arg(long)]
    label: Option<String>,
    /// Whose it is: user, experiment, campaign, project, node, workcell, lab, step, workflow or manager
    #[arg(long, value_name = "KIND=ID")]
    owner: Vec<Owner>,
    /// Its id, if it has one already
    #[arg(long)]
    id: Option<String>,
    /// When it was measured, as ISO 8601; the time of arrival otherwise
    #[arg(long, value_name = "TIME")]
    timestamp: Option<String>,
}

impl Submit {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let datapoint = self.datapoint().await?;
        let stored = context.api(async |client| self.send(client, &datapoint, context.ui).await).await?;
        context.ui.note(if stored.created { "stored" } else { "it was stored before; nothing was changed" });
        if context.ui.is_json() {
            return context.ui.json(&stored.document);
        }
        context.ui.text(&format!("{}\n", Row::read(&stored.document)?.id.unwrap_or_default()))
    }

    /// The datapoint as it is sent: the document, with what the options say about it.
    async fn datapoint(&self) -> Result<Value, Failure> {
        let mut members = match &self.document {
            Some(argument) => match input::json(argument, "the document").await? {
                Value::Object(members) => members,
                _ => {
                    return Err(Failure::input(
                        "the document is not a JSON object",
                        "hand in {\"label\": .., \"value\": ..}",
                    ));
                }
            },
            None => Map::new(),
        };
        let path = self.file.first().map(|path| path.display().to_string());
        if let Some(argument) = &self.value {
            members.insert("data_type".to_owned(), "json".into());
            members.insert("value".to_owned(), input::json(argument, "the value").await?);
        } else if let Some(path) = path {
            members.entry("data_type").or_insert_with(|| "file".into());
            members.entry("path").or_insert_with(|| path.into());
        }
        let said = [("label", &self.label), ("_id", &self.id), ("data_timestamp", &self.timestamp)];
        for (name, text) in said {
            if let Some(text) = text {
                members.insert(name.to_owned(), text.as_str().into());
            }
        }
        // Chosen here, so that a repeated request is the same datapoint, and so that ids sort by when they were made.
        if !members.contains_key("datapoint_id") {
            members.entry("_id").or_insert_with(|| Ulid::generate().to_string().into());
        }
        if !self.owner.is_empty() {
            let owners: Map<_, _> =
                self.owner.iter().map(|owner| (owner.field.clone(), owner.id.clone().into())).collect();
            members.insert("ownership_info".to_owned(), owners.into());
        }
        Ok(Value::Object(members))
    }

    async fn send(&self, client: &Client, datapoint: &Value, ui: Ui) -> Result<Submitted, ClientError> {
        let transfer = ui.transfer("sending", Some(0));
        let mut files = Vec::with_capacity(self.file.len());
        for path in &self.file {
            let moving = transfer.clone();
            let file = FileUpload::open(path, move |bytes| moving.moved(bytes)).await?;
            transfer.expect(file.size());
            files.push(file);
        }
        let stored = client.submit_datapoint(datapoint, files).await;
        transfer.finish();
        stored
    }
}
