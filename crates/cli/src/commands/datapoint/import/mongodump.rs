//! `holotype datapoint import mongodump`

use std::path::PathBuf;
use std::str::FromStr;

use holotype_app::catalog::Catalog;
use holotype_app::datapoints::import::{Checksum, Dump, FileTree, ImportReport};
use holotype_app::{App, SystemClock};
use holotype_core::{Caller, ProjectId};
use serde_json::json;

use crate::config_flags::ConfigFlags;
use crate::context::Context;
use crate::failure::Failure;
use crate::interrupt::Interrupts;
use crate::logging;
use crate::ui::bytes;

/// Take over a MADSci Data Manager: a mongodump of its database, and the tree of its files
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
DUMP is what mongodump or MADSci's backup tool wrote; a checksum beside it is compared. --files says
where files are now: what lay under PREFIX on the old server lies under DIR here. Every record is
read back and compared before it counts, and the whole can be repeated: what is there stays, and
what was left out is tried again. Exit code 1 when something was left out.

It works on the home itself, beside a running server if there is one, and not over --server.

Examples:
  holotype datapoint import mongodump backup/madsci_data
  holotype datapoint import mongodump backup --files /home/lab/.madsci/datapoints=./datapoints
  holotype datapoint import mongodump backup --files /data=/mnt/old/data --project old-lab")]
pub(super) struct Mongodump {
    /// The directory of the dump
    dump: PathBuf,
    /// Where the files that lay under a directory of the old server are now; may be given several times
    #[arg(long, value_name = "PREFIX=DIR")]
    files: Vec<Mapping>,
    /// The collection that holds the datapoints
    #[arg(long, value_name = "NAME", default_value = "datapoints")]
    collection: String,
}

/// A directory of the old server, and what stands in for it.
#[derive(Debug, Clone)]
struct Mapping {
    prefix: String,
    directory: PathBuf,
}

impl FromStr for Mapping {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.rsplit_once('=') {
            Some((prefix, directory)) if !directory.is_empty() => {
                Ok(Self { prefix: prefix.to_owned(), directory: directory.into() })
            }
            _ => Err("PREFIX=DIR is needed, for example /home/lab/.madsci/datapoints=./datapoints"),
        }
    }
}

impl Mongodump {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        if context.global.server.is_some() {
            return Err(Failure::input(
                "an import works on a home, not over --server",
                "run it where the home is, or with a home whose catalog.url and store.url are those of the server",
            ));
        }
        logging::start_quiet()?;
        let mut interrupts = Interrupts::listen().map_err(|source| Failure::io("signals cannot be heard", source))?;
        let (home, _) = context.home()?;
        home.require()?;
        let app = App::open(context.config(home, &ConfigFlags::default())?, SystemClock::shared()).await?;
        let report = tokio::select! {
            report = self.import(context, &app) => report,
            () = interrupts.next() => Err(Failure::Interrupted),
        };
        app.close().await;
        tell(context, &report?)
    }

    async fn import(&self, context: &Context, app: &App) -> Result<ImportReport, Failure> {
        let (caller, project) = principal(context, app).await?;
        let mut tree = FileTree::default();
        for mapping in &self.files {
            tree = tree.map(&mapping.prefix, &mapping.directory)?;
        }
        let (path, collection) = (self.dump.clone(), self.collection.clone());
        let dump = tokio::task::spawn_blocking(move || Dump::open(&path, &collection))
            .await
            .map_err(|error| Failure::io("the dump cannot be read", std::io::Error::other(error)))??;
        context.ui.note(match dump.checksum() {
            Checksum::Verified => "the dump is what was dumped: its checksum is right",
            Checksum::Absent => "the dump came without a checksum",
        });
        let transfer = context.ui.transfer("importing files", None);
        let moved = std::sync::atomic::AtomicU64::new(0);
        let progress = |report: &ImportReport| {
            let before = moved.swap(report.bytes, std::sync::atomic::Ordering::Relaxed);
            transfer.moved(report.bytes.saturating_sub(before));
        };
        let report = app.datapoints().import(&caller, project, &dump, &tree, progress).await;
        transfer.finish();
        Ok(report?)
    }
}

/// Who imports, and into which project.
async fn principal(context: &Context, app: &App) -> Result<(Caller, ProjectId), Failure> {
    let caller = match context.token()? {
        Some(token) => app.catalog().authenticate_token(&token).await?.ok_or_else(|| {
            Failure::input("this token is not known here, or no longer", "leave it out: the home's owner needs none")
        })?,
        None => Catalog::local_owner(),
    };
    let project = match &context.global.project {
        Some(project) => app.catalog().find_project(&caller, project).await?.id,
        None => caller.project,
    };
    Ok((caller, project))
}

fn tell(context: &Context, report: &ImportReport) -> Result<(), Failure> {
    let reasons: Vec<_> =
        report.reasons.iter().map(|left_out| json!({ "record": left_out.record, "reason": left_out.reason })).collect();
    let value = json!({
        "documents": report.documents,
        "imported": report.imported,
        "present": report.present,
        "verified": report.verified,
        "files": report.files,
        "bytes": report.bytes,
        "left_out": report.left_out,
        "reasons": reasons,
        "complete": report.is_complete(),
    });
    for left_out in &report.reasons {
        context.ui.complain(&format!("left out: {}: {}", left_out.record, left_out.reason));
    }
    context.ui.result(&value, || {
        format!(
            "{} of {} records are here and were compared: {} imported now, {} before; {} left out\n{} files, {}\n",
            report.verified,
            report.documents,
            report.imported,
            report.present,
            report.left_out,
            report.files,
            bytes(report.bytes),
        )
    })?;
    if report.is_complete() { Ok(()) } else { Err(Failure::Negative) }
}
