//! The plan: every frame that the archives list, compared with what the tree has.

use std::collections::BTreeMap;

use futures::StreamExt;
use holotype_core::Instant;
use holotype_fits::time;
use holotype_jobs::Job;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::config::{ArchiveConfig, Window};
use super::fields::Fields;
use super::model::{Change, FrameState, HeldFrame};
use super::run::Run;
use super::table::{self, PlannedFrame, Shelf};
use crate::source::{Checksum, Listed, Query};
use crate::{ArchiveError, Archives};

/// Frames that are compared and written down together.
const BATCH: usize = 200;

/// Parts of a listing that are addresses, which may be signed, or pictures of what is known otherwise.
const NOT_KEPT: [&str; 4] = ["url", "version_set", "thumbnails", "related_frames"];

/// What is kept of a listed frame until it has been fetched: no address, for that may be signed, and has its day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Listing {
    /// Which archive of the configuration.
    pub archive: usize,
    pub proposal: String,
    pub id: String,
    pub size: Option<u64>,
    pub checksum: Option<String>,
    pub version: Option<String>,
    pub fields: Map<String, Value>,
}

impl Listing {
    fn of(archive: usize, proposal: &str, listed: &Listed) -> Self {
        let kept = listed.fields.iter().filter(|(name, _)| !NOT_KEPT.contains(&name.as_str()));
        Self {
            archive,
            proposal: proposal.to_owned(),
            id: listed.id.clone(),
            size: listed.size,
            checksum: listed.checksum.map(|checksum| checksum.to_string()),
            version: listed.version.clone(),
            fields: kept.map(|(name, value)| (name.clone(), value.clone())).collect(),
        }
    }

    /// The frame as it was listed, without an address.
    pub(super) fn listed(&self, name: &str) -> Listed {
        Listed {
            id: self.id.clone(),
            name: name.to_owned(),
            size: self.size,
            // It was written by us.
            checksum: self.checksum.as_deref().and_then(|text| Checksum::parse(text, None).ok()),
            version: self.version.clone(),
            download: None,
            fields: self.fields.clone(),
        }
    }

    /// When the frame was observed, if the archive says so.
    pub(super) fn observed_at(&self) -> Option<Instant> {
        let text = Fields { name: "", listed: &self.fields, header: None }.text("observation_date")?;
        time::instant("observation_date", &text).ok()
    }
}

/// What a plan found beside its frames.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Planned {
    /// The position of the next frame.
    next: i64,
    /// How many frames were listed.
    pub listed: i64,
    /// How many of them are to be fetched.
    pub to_fetch: i64,
    /// Archives that could not be asked to the end, and why.
    pub unasked: Vec<(String, String)>,
    /// Lines of a list that name no frame that can be taken, and why.
    pub unusable: Vec<(String, String)>,
    /// Frames that the tree has and the archive no longer lists.
    pub gone: Vec<(String, String)>,
}

/// The most frames that a report names as gone, of one proposal.
const MOST_GONE: i64 = 1000;

impl Run {
    /// Asks every active archive for every proposal, and writes down each frame that is listed.
    pub(super) async fn plan(&self, job: &Job) -> Result<Planned, ArchiveError> {
        let fetch = self.id;
        let first = self.archives.catalog().read(move |tx| Box::pin(table::next_position(tx, fetch))).await?;
        let mut planned = Planned { next: first, ..Planned::default() };
        for (index, archive) in self.request.config.archives.iter().enumerate() {
            let Some(source) = self.sources.get(index).and_then(Option::as_ref) else {
                self.say(job, &format!("Archive {} is not active: it is not asked", archive.name));
                continue;
            };
            self.say(job, &format!("Retrieving new data from archive {}", archive.name));
            for proposal in asked(archive) {
                if job.cancelled() {
                    return Err(ArchiveError::Stopped);
                }
                let before = (planned.listed, planned.to_fetch);
                let whole = self.plan_proposal(job, index, archive, source.as_ref(), proposal, &mut planned).await?;
                if whole {
                    self.find_gone(archive, proposal, &mut planned).await?;
                }
                let (listed, new) = (planned.listed - before.0, planned.to_fetch - before.1);
                self.say(
                    job,
                    &format!("Found {new} frame(s) to fetch among {listed} from proposal {}", or_any(proposal)),
                );
            }
        }
        Ok(planned)
    }

    /// Whether the list came to its end.
    async fn plan_proposal(
        &self,
        job: &Job,
        index: usize,
        archive: &ArchiveConfig,
        source: &dyn crate::source::ArchiveSource,
        proposal: &str,
        planned: &mut Planned,
    ) -> Result<bool, ArchiveError> {
        let query = query(archive, proposal, self.request.window, self.request.config.rules.is_some());
        let mut list = source.list(&query);
        let mut batch = Vec::with_capacity(BATCH);
        let mut whole = true;
        loop {
            let next = tokio::select! {
                next = list.next() => next,
                () = job.cancellation() => return Err(ArchiveError::Stopped),
            };
            match next {
                Some(Ok(listed)) => batch.push(listed),
                Some(Err(error)) if error.is_about_one_frame() => {
                    self.say(job, &format!("Cannot take a frame of {}: {error}", archive.name));
                    planned.unusable.push((archive.name.clone(), error.to_string()));
                }
                Some(Err(error)) => {
                    self.say(job, &format!("Archive {} could not be asked to the end: {error}", archive.name));
                    planned.unasked.push((format!("{} ({})", archive.name, or_any(proposal)), error.to_string()));
                    whole = false;
                    break;
                }
                None => break,
            }
            if batch.len() == BATCH {
                self.plan_batch(job, index, archive, proposal, &batch, planned).await?;
                batch.clear();
            }
        }
        self.plan_batch(job, index, archive, proposal, &batch, planned).await?;
        Ok(whole)
    }

    async fn plan_batch(
        &self,
        job: &Job,
        index: usize,
        archive: &ArchiveConfig,
        proposal: &str,
        batch: &[Listed],
        planned: &mut Planned,
    ) -> Result<(), ArchiveError> {
        let shelf = self.shelf(archive);
        let mut judged = Vec::with_capacity(batch.len());
        let held = held_of(&self.archives, &shelf, batch).await?;
        for (listed, held) in batch.iter().zip(held) {
            let listing = Listing::of(index, proposal, listed);
            let fields = Fields { name: &listed.name, listed: &listing.fields, header: None };
            let judgement = match self.request.rules_of(archive).refusal(archive, fields) {
                Some(reason) => Judgement { state: FrameState::Unwanted, change: None, reason: Some(reason) },
                None => judge(listed, held.as_ref(), self.is_listed(archive, &listed.name)),
            };
            if judgement.state == FrameState::Planned
                && let Some(download) = &listed.download
            {
                self.keep_address(planned.next, download);
            }
            self.say_listed(listed, fields, archive, &judgement);
            judged.push((planned.next, listing, listed, judgement));
            planned.next += 1;
            planned.listed += 1;
        }
        planned.to_fetch +=
            judged.iter().filter(|(.., judgement)| judgement.state == FrameState::Planned).count() as i64;
        let rows = judged
            .into_iter()
            .map(|(position, listing, listed, judgement)| row(position, &shelf, listing, listed, judgement));
        self.write_plan(job, &shelf, rows.collect::<Result<_, _>>()?).await?;
        job.progress(0.0, format!("listed {} frames, {} of them to fetch", planned.listed, planned.to_fetch));
        Ok(())
    }

    async fn write_plan(&self, job: &Job, shelf: &Shelf, rows: Vec<Row>) -> Result<(), ArchiveError> {
        let (job, shelf, fetch) = (job.clone(), shelf.clone(), self.id);
        self.archives
            .catalog()
            .write(move |tx| {
                let (job, shelf, rows) = (job.clone(), shelf.clone(), rows.clone());
                Box::pin(async move {
                    job.fence(tx).await?;
                    let frames: Vec<PlannedFrame> = rows.iter().map(|row| row.frame.clone()).collect();
                    table::insert_frames(tx, fetch, &frames).await?;
                    for row in &rows {
                        match (&row.first_seen, row.frame.state) {
                            (Some(held), FrameState::Have) => {
                                let held = HeldFrame { fetch, ..held.clone() };
                                let (name, proposal) = (row.frame.name.as_str(), row.proposal.as_str());
                                let facts = table::Facts { name, proposal, observed_at: row.observed_at };
                                if table::held(tx, &shelf, name).await?.is_none() {
                                    table::hold(tx, &shelf, &facts, &held).await?;
                                } else {
                                    table::see(tx, &shelf, name, fetch).await?;
                                }
                            }
                            _ => table::see(tx, &shelf, &row.frame.name, fetch).await?,
                        }
                    }
                    Ok::<_, ArchiveError>(())
                })
            })
            .await
    }

    async fn find_gone(
        &self,
        archive: &ArchiveConfig,
        proposal: &str,
        planned: &mut Planned,
    ) -> Result<(), ArchiveError> {
        let (shelf, proposal, window, fetch) = (self.shelf(archive), proposal.to_owned(), self.request.window, self.id);
        let gone = self
            .archives
            .catalog()
            .read(move |tx| {
                let (shelf, proposal) = (shelf.clone(), proposal.clone());
                Box::pin(async move { table::gone(tx, &shelf, &proposal, window, fetch, MOST_GONE).await })
            })
            .await?;
        planned.gone.extend(gone.into_iter().map(|name| (archive.name.clone(), name)));
        Ok(())
    }
}

/// What a plan says of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Judgement {
    pub state: FrameState,
    pub change: Option<Change>,
    pub reason: Option<String>,
}

/// A frame as it is written down with the plan.
#[derive(Debug, Clone)]
struct Row {
    frame: PlannedFrame,
    proposal: String,
    observed_at: Option<Instant>,
    /// What is held from now on of a frame that only a list of frames named so far.
    first_seen: Option<HeldFrame>,
}

fn row(
    position: i64,
    shelf: &Shelf,
    listing: Listing,
    listed: &Listed,
    judgement: Judgement,
) -> Result<Row, ArchiveError> {
    let planned = judgement.state == FrameState::Planned;
    let size = listing.size.and_then(|size| i64::try_from(size).ok());
    let first_seen = (judgement.state == FrameState::Have).then(|| HeldFrame {
        state: FrameState::Have,
        checksum: listing.checksum.clone(),
        version: listing.version.clone(),
        size,
        blob: None,
        path: None,
        stamp: None,
        fetch: holotype_core::ActivityId::from_parts(Instant::from_micros(0), 0),
    });
    Ok(Row {
        proposal: listing.proposal.clone(),
        observed_at: listing.observed_at(),
        first_seen,
        frame: PlannedFrame {
            position,
            archive: shelf.archive.clone(),
            name: listed.name.clone(),
            state: judgement.state,
            change: judgement.change,
            checksum: listing.checksum.clone(),
            size,
            listing: planned.then(|| serde_json::to_string(&listing)).transpose().map_err(ArchiveError::internal)?,
            reason: judgement.reason,
        },
    })
}

async fn held_of(archives: &Archives, shelf: &Shelf, batch: &[Listed]) -> Result<Vec<Option<HeldFrame>>, ArchiveError> {
    let names: Vec<String> = batch.iter().map(|listed| listed.name.clone()).collect();
    let shelf = shelf.clone();
    archives
        .catalog()
        .read(move |tx| {
            let (shelf, names) = (shelf.clone(), names.clone());
            Box::pin(async move {
                let mut held = Vec::with_capacity(names.len());
                for name in &names {
                    held.push(table::held(tx, &shelf, name).await?);
                }
                Ok(held)
            })
        })
        .await
}

/// Compares a listed frame with what the tree has; `on_list` says that a list of frames names it.
pub(super) fn judge(listed: &Listed, held: Option<&HeldFrame>, on_list: bool) -> Judgement {
    let planned = |change| Judgement { state: FrameState::Planned, change: Some(change), reason: None };
    let have = |reason: &str| Judgement { state: FrameState::Have, change: None, reason: Some(reason.to_owned()) };
    let Some(held) = held else {
        return if on_list {
            have("the list of frames names it; its checksum is taken for that of the archive")
        } else {
            planned(Change::New)
        };
    };
    if !same(listed, held) {
        return planned(Change::Changed);
    }
    match held.state {
        FrameState::Placed => have("it is in its dataset"),
        FrameState::Aside => have("it is in the download directory, since no rule has a place for it"),
        FrameState::Have => have("the list of frames names it"),
        _ => planned(Change::Resumed),
    }
}

/// Whether the archive has the same bytes under the name as the tree: by checksum, else by version, else by size.
fn same(listed: &Listed, held: &HeldFrame) -> bool {
    let checksum = listed.checksum.map(|checksum| checksum.to_string());
    if let (Some(listed), Some(held)) = (&checksum, &held.checksum) {
        return listed == held;
    }
    if let (Some(listed), Some(held)) = (&listed.version, &held.version) {
        return listed == held;
    }
    match (listed.size.and_then(|size| i64::try_from(size).ok()), held.size) {
        (Some(listed), Some(held)) => listed == held,
        _ => true,
    }
}

/// The proposals that an archive is asked for, one after the other; empty for an archive that knows none.
pub(super) fn asked(archive: &ArchiveConfig) -> Vec<&str> {
    if archive.proposals.is_empty() && archive.definition.is_some() {
        return vec![""];
    }
    archive.proposals.iter().map(String::as_str).collect()
}

fn or_any(proposal: &str) -> &str {
    if proposal.is_empty() { "(any)" } else { proposal }
}

/// What is asked of an archive for one proposal, as the pipeline asks it: for the images' reduction level, unless the user's own
/// rules may want others.
pub(super) fn query(archive: &ArchiveConfig, proposal: &str, window: Window, own_rules: bool) -> Query {
    // The parameters of a definition are its settings: it has had them already.
    let mut parameters = BTreeMap::new();
    if archive.definition.is_none() {
        parameters.clone_from(&archive.parameters);
        parameters.entry("public".to_owned()).or_insert_with(|| "false".to_owned());
        if !own_rules {
            parameters.entry("reduction_level".to_owned()).or_insert_with(|| archive.image_level.to_string());
        }
    }
    Query {
        start: Some(window.start),
        end: Some(window.end),
        proposal: (!proposal.is_empty()).then(|| proposal.to_owned()),
        target: None,
        parameters,
    }
}
