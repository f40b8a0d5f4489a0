//! `holotype operation`: what is done with the frames of a session.

mod cancel;
mod list;
mod run;
mod show;

use clap::Subcommand;
use holotype_api::session::Operation as Record;

use crate::context::Context;
use crate::failure::Failure;
use crate::ui::{or_dash, plain, when};

/// Operations: what is done with the frames of a session
#[derive(Debug, clap::Args)]
pub(crate) struct Operation {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    List(list::List),
    Run(run::Run),
    Show(show::Show),
    Cancel(cancel::Cancel),
}

impl Operation {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self.verb {
            Verb::List(verb) => verb.run(context).await,
            Verb::Run(verb) => verb.run(context).await,
            Verb::Show(verb) => verb.run(context).await,
            Verb::Cancel(verb) => verb.run(context).await,
        }
    }
}

/// An operation on one line.
pub(super) fn line(operation: &Record) -> String {
    let message = match operation.message.is_empty() {
        true => String::new(),
        false => format!(": {}", plain(&operation.message)),
    };
    let share = operation.progress * 100.0;
    format!("{} {} {} ({share:.0} %){message}", operation.id, operation.name, operation.status)
}

/// An operation in a few lines.
fn describe(operation: &Record) -> String {
    let mut lines = vec![
        format!("operation {}", operation.id),
        format!("name      {}", operation.name),
        format!("session   {}", operation.session),
        format!("status    {} ({:.0} %)", operation.status, operation.progress * 100.0),
        format!("created   {}", when(operation.created_at)),
        format!("job       {}", or_dash(operation.job.map(|job| job.to_string()))),
    ];
    if !operation.message.is_empty() {
        lines.push(format!("message   {}", plain(&operation.message)));
    }
    lines.extend(operation.files.iter().map(|name| format!("file      {name}")));
    lines.join("\n") + "\n"
}
