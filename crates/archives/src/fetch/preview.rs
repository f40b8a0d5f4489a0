//! What a fetch would do, without doing it: nothing is written, and nothing but lists is asked of an archive.

use std::collections::HashSet;
use std::path::PathBuf;

use futures::StreamExt;
use holotype_core::{Caller, ProjectId, Role};
use serde::{Deserialize, Serialize};

use super::fields::Fields;
use super::frame_list;
use super::model::{Change, FrameState};
use super::plan::{self, judge};
use super::run::{FetchRequest, MAIN_LIST, Sources, tree_of};
use super::table::{self, Shelf};
use crate::source::Listed;
use crate::{ArchiveError, Archives};

/// What would become of a frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreviewedFrame {
    /// The archive's name.
    pub archive: String,
    /// The name of its file there.
    pub name: String,
    /// `planned`, `have` or `unwanted`.
    pub state: FrameState,
    /// How it differs from what the tree has.
    pub change: Option<Change>,
    /// Its size in bytes, if the archive says it.
    pub size: Option<u64>,
    /// The file that would be made of it, as far as its listing tells; it may be locked by then.
    pub path: Option<PathBuf>,
    /// Why it would not be fetched, or has no place.
    pub reason: Option<String>,
}

impl Archives {
    /// Looks what a fetch would do, and hands each listed frame to `show`, in the archives' order.
    ///
    /// # Errors
    /// The archive's first that ends a list, and what is wrong with the lists of frames.
    pub async fn preview(
        &self,
        caller: &Caller,
        project: ProjectId,
        request: &FetchRequest,
        sources: &Sources,
        mut show: impl FnMut(PreviewedFrame),
    ) -> Result<(), ArchiveError> {
        self.catalog().require(caller, project, Role::Viewer).await?;
        let config = &request.config;
        let mut on_lists = frame_list::names(&config.log_directory.join(MAIN_LIST))?;
        on_lists.extend(frame_list::names(&config.frame_list)?);
        let mut seen = HashSet::new();
        for (archive, source) in config.archives.iter().zip(sources) {
            let Some(source) = source else { continue };
            let shelf = Shelf { project, tree: tree_of(config), archive: archive.url.to_string() };
            for proposal in plan::asked(archive) {
                let query = plan::query(archive, proposal, request.window, config.rules.is_some());
                let mut list = source.list(&query);
                while let Some(listed) = list.next().await {
                    let listed = match listed {
                        Err(error) if error.is_about_one_frame() => {
                            show(unusable(&archive.name, &error.to_string()));
                            continue;
                        }
                        other => other?,
                    };
                    if seen.insert((shelf.archive.clone(), listed.name.clone())) {
                        let file = request.packing_of(archive).of(&listed.name).0;
                        let listed_here = on_lists.contains(&file) || on_lists.contains(&listed.name);
                        show(self.previewed(request, archive, &shelf, &listed, listed_here).await?);
                    }
                }
            }
        }
        Ok(())
    }

    async fn previewed(
        &self,
        request: &FetchRequest,
        archive: &super::config::ArchiveConfig,
        shelf: &Shelf,
        listed: &Listed,
        listed_here: bool,
    ) -> Result<PreviewedFrame, ArchiveError> {
        let fields = Fields { name: &listed.name, listed: &listed.fields, header: None };
        let (looked_at, name) = (shelf.clone(), listed.name.clone());
        let held = self
            .catalog()
            .read(move |tx| {
                let (shelf, name) = (looked_at.clone(), name.clone());
                Box::pin(async move { table::held(tx, &shelf, &name).await })
            })
            .await?;
        let judgement = match request.rules_of(archive).refusal(archive, fields) {
            Some(reason) => plan::Judgement { state: FrameState::Unwanted, change: None, reason: Some(reason) },
            None => judge(listed, held.as_ref(), listed_here),
        };
        let (path, no_place) = match request.rules_of(archive).directory(archive, fields) {
            _ if judgement.state == FrameState::Unwanted => (None, None),
            Ok(Some(directory)) => {
                let file = request.packing_of(archive).of(&listed.name).0;
                (Some(request.config.reduction_directory.join(directory).join(file)), None)
            }
            Ok(None) => (None, Some("no rule has a place for it".to_owned())),
            Err(unknown) => (
                None,
                Some(format!("its place is known once it is here: the listing does not say its {}", unknown.name)),
            ),
        };
        Ok(PreviewedFrame {
            archive: archive.name.clone(),
            name: listed.name.clone(),
            state: judgement.state,
            change: judgement.change,
            size: listed.size,
            path,
            reason: judgement.reason.or(no_place),
        })
    }
}

fn unusable(archive: &str, why: &str) -> PreviewedFrame {
    PreviewedFrame {
        archive: archive.to_owned(),
        name: String::new(),
        state: FrameState::Failed,
        change: None,
        size: None,
        path: None,
        reason: Some(why.to_owned()),
    }
}
