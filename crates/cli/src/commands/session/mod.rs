//! `holotype session`: frames that are worked on together.

mod add;
mod create;
mod delete;
mod frames;
mod list;
mod show;

use clap::Subcommand;
use holotype_api::session::SessionDetail;

use super::operation;
use crate::context::Context;
use crate::failure::Failure;
use crate::ui::{plain, when};
pub(super) use frames::item;

/// Sessions: frames that are worked on together
#[derive(Debug, clap::Args)]
pub(crate) struct Session {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Create(create::Create),
    Add(add::Add),
    Show(show::Show),
    List(list::List),
    Delete(delete::Delete),
}

impl Session {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::Create(verb) => verb.run(context).await,
            Verb::Add(verb) => verb.run(context).await,
            Verb::Show(verb) => verb.run(context).await,
            Verb::List(verb) => verb.run(context).await,
            Verb::Delete(verb) => verb.run(context).await,
        }
    }
}

/// A session in a few lines.
fn describe(detail: &SessionDetail) -> String {
    let session = &detail.session;
    let mut lines = vec![
        format!("session   {}", session.id),
        format!("name      {}", plain(&session.name)),
        format!("created   {}", when(session.created_at)),
        format!("modified  {}", when(session.modified_at)),
        format!("frames    {}", session.frames),
    ];
    let basename = |frame: &serde_json::Value| frame["basename"].as_str().map(str::to_owned);
    let names = detail.input_data.iter().filter_map(basename);
    lines.extend(names.map(|name| format!("          {}", plain(&name))));
    lines.push(format!("operations {}", detail.operations.len()));
    lines.extend(detail.operations.iter().map(|one| format!("          {}", operation::line(one))));
    lines.join("\n") + "\n"
}
