//! Taking a fetch back: the files that it placed go, unless somebody changed them since, and what they replaced comes again.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use holotype_core::{ActivityId, Caller, Role};
use serde::{Deserialize, Serialize};

use super::files::{self, Claim};
use super::frame_list::FrameList;
use super::model::{Fetch, FrameState, HeldFrame};
use super::packing::{Form, Packing};
use super::place::{SUMMARY, stamp};
use super::run::MAIN_LIST;
use super::table::{self, Outcome, Placed, Shelf};
use super::{configuration, make, prepare};
use crate::{ArchiveError, Archives};

/// Frames that are read from the catalog at a time.
const PAGE: i64 = 200;

/// What taking a fetch back means for one of its files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndoStep {
    /// The frame.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// What is done with the file.
    pub action: UndoAction,
}

/// What is done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UndoAction {
    /// It is removed.
    Remove,
    /// The version that was there before comes again, from the store.
    Restore,
    /// It stays, since it was changed since it was placed.
    Keep,
    /// It is gone already.
    Nothing,
}

/// A frame to take back, with what the catalog knows of it.
struct Step {
    shown: UndoStep,
    placed: Placed,
    shelf: Shelf,
    previous: Option<HeldFrame>,
}

impl Archives {
    /// What taking a fetch back would do.
    ///
    /// # Errors
    /// [`ArchiveError::NoFetch`] for a stranger to its project too.
    pub async fn undo_plan(&self, caller: &Caller, id: ActivityId) -> Result<Vec<UndoStep>, ArchiveError> {
        let fetch = self.fetch_for(caller, id, Role::Editor).await?;
        Ok(self.steps(&fetch).await?.into_iter().map(|step| step.shown).collect())
    }

    /// Takes a fetch back. Its frames stay in the store, so fetching them again transfers nothing.
    ///
    /// # Errors
    /// [`ArchiveError::InUse`] while a fetch works in the same directories; a disk that fails. Run it again then: what was taken back stays so.
    pub async fn undo(&self, caller: &Caller, id: ActivityId) -> Result<Vec<UndoStep>, ArchiveError> {
        let fetch = self.fetch_for(caller, id, Role::Editor).await?;
        let _claim = Claim::take(&fetch.config.reduction_directory)?;
        let mut steps = self.steps(&fetch).await?;
        let removed: HashSet<String> = steps
            .iter()
            .filter(|step| matches!(step.shown.action, UndoAction::Remove | UndoAction::Nothing))
            .filter_map(|step| Some(step.shown.path.file_name()?.to_str()?.to_owned()))
            .collect();
        for step in &mut steps {
            self.take_back(&fetch, step).await?;
        }
        unlist(&fetch, &steps, &removed)?;
        self.catalog().write(move |tx| Box::pin(table::mark_undone(tx, id))).await?;
        Ok(steps.into_iter().map(|step| step.shown).collect())
    }

    async fn steps(&self, fetch: &Fetch) -> Result<Vec<Step>, ArchiveError> {
        let (mut steps, mut after, id) = (Vec::new(), -1, fetch.id);
        loop {
            let page = self.catalog().read(move |tx| Box::pin(table::placed(tx, id, after, PAGE))).await?;
            let Some(last) = page.last() else { return Ok(steps) };
            after = last.position;
            for placed in page {
                let shelf = Shelf { project: fetch.project, tree: fetch.tree.clone(), archive: placed.archive.clone() };
                let held = self.held_frame(&shelf, &placed.name).await?;
                // A later fetch has put another file there: that one is to be taken back first.
                if let Some(held) = held.filter(|held| held.fetch == fetch.id) {
                    steps.push(step(placed, shelf, &held)?);
                }
            }
        }
    }

    async fn take_back(&self, fetch: &Fetch, step: &mut Step) -> Result<(), ArchiveError> {
        let path = &step.shown.path;
        match step.shown.action {
            UndoAction::Remove => {
                fs::remove_file(path).map_err(|error| ArchiveError::io(path, "cannot be removed", error))?;
                leave_empty(fetch, path);
            }
            UndoAction::Restore => self.restore(step).await?,
            UndoAction::Keep | UndoAction::Nothing => {}
        }
        let (shelf, name, previous, action) =
            (step.shelf.clone(), step.placed.name.clone(), step.previous.clone(), step.shown.action);
        let outcome = Outcome {
            position: step.placed.position,
            state: FrameState::Undone,
            reason: (action == UndoAction::Keep).then(|| "its file was changed since, and is kept".to_owned()),
            path: None,
            transferred: 0,
            replaced: None,
        };
        let id = fetch.id;
        self.catalog()
            .write(move |tx| {
                let (shelf, name, previous, outcome) = (shelf.clone(), name.clone(), previous.clone(), outcome.clone());
                Box::pin(async move {
                    match (&previous, action) {
                        (Some(previous), UndoAction::Restore) => table::hold_again(tx, &shelf, &name, previous).await?,
                        _ => table::let_go(tx, &shelf, &name).await?,
                    }
                    table::settle(tx, id, &outcome).await
                })
            })
            .await?;
        Ok(())
    }

    /// Unpacks the version that was there before, over the one that is taken back.
    async fn restore(&self, step: &mut Step) -> Result<(), ArchiveError> {
        let Some(previous) = &mut step.previous else { return Ok(()) };
        let Some(blob) = previous.blob else { return Ok(()) };
        let path = step.shown.path.clone();
        let packed = files::hidden(&path.with_file_name(format!("{blob}-{}", step.shown.name)))?;
        prepare::bring_from_store(self, blob, &packed).await?;
        // It was unpacked before, to this very name.
        let form = match Packing(None).of(&step.shown.name) {
            (file, form) if path.ends_with(&file) => form,
            _ => Form::Other,
        };
        make::unpack_over(&packed, form, &path).await?;
        fs::remove_file(&packed).map_err(|error| ArchiveError::io(&packed, "cannot be removed", error))?;
        previous.path = Some(path.to_string_lossy().into_owned());
        previous.stamp = Some(stamp(&path)?);
        Ok(())
    }
}

fn step(placed: Placed, shelf: Shelf, held: &HeldFrame) -> Result<Step, ArchiveError> {
    let previous: Option<HeldFrame> =
        placed.replaced.as_deref().map(serde_json::from_str).transpose().map_err(ArchiveError::internal)?;
    let path = PathBuf::from(held.path.clone().unwrap_or_default());
    let action = match stamp(&path) {
        Err(_) => UndoAction::Nothing,
        Ok(now) if held.stamp.as_deref() != Some(now.as_str()) => UndoAction::Keep,
        Ok(_) if previous.as_ref().is_some_and(|previous| previous.blob.is_some()) => UndoAction::Restore,
        Ok(_) => UndoAction::Remove,
    };
    Ok(Step { shown: UndoStep { name: placed.name.clone(), path, action }, placed, shelf, previous })
}

/// Removes the dataset's directory, and those above it, if nothing is left there but the configuration that came with it.
fn leave_empty(fetch: &Fetch, file: &Path) {
    let root = &fetch.config.reduction_directory;
    let Some(dataset) = file.parent().filter(|dataset| dataset.starts_with(root) && *dataset != root) else { return };
    let names: Vec<_> = fs::read_dir(dataset).into_iter().flatten().flatten().map(|entry| entry.file_name()).collect();
    if names.iter().all(|name| name == configuration::NAME) {
        // What cannot be removed stays, and does no harm.
        drop(fs::remove_file(dataset.join(configuration::NAME)));
        for directory in dataset.ancestors().take_while(|directory| *directory != root) {
            if fs::remove_dir(directory).is_err() {
                break;
            }
        }
    }
}

/// Takes the removed files off the lists.
fn unlist(fetch: &Fetch, steps: &[Step], removed: &HashSet<String>) -> Result<(), ArchiveError> {
    let datasets = steps.iter().filter_map(|step| step.shown.path.parent()).map(|dataset| dataset.join(SUMMARY));
    let mut lists: HashSet<PathBuf> = datasets.collect();
    lists.insert(fetch.config.log_directory.join(MAIN_LIST));
    lists.insert(fetch.config.frame_list.clone());
    for path in lists {
        if let Some(mut list) = FrameList::open(&path)? {
            list.remove(removed)?;
        }
    }
    Ok(())
}
