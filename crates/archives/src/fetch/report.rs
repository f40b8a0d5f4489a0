//! What became of every frame that the archives listed.

use serde::{Deserialize, Serialize};

use super::config::Window;
use super::model::{FrameState, Tally};
use super::plan::Planned;

/// The account of a fetch: each frame that was listed stands in one state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The observations that were asked for.
    pub window: Window,
    /// How many frames were listed.
    pub listed: u64,
    /// Frames by state, and bytes that came.
    pub tally: Tally,
    /// Archives that could not be asked to the end, and why: what they did not list is not accounted for.
    pub unasked: Vec<(String, String)>,
    /// Entries of a list that could not be taken for frames, by archive, and why.
    pub unusable: Vec<(String, String)>,
    /// Frames of the window that the tree has and the archive no longer lists, by archive.
    pub gone: Vec<(String, String)>,
}

impl Report {
    pub(super) fn new(window: Window, tally: Tally, planned: Planned) -> Self {
        let Planned { unasked, unusable, gone, .. } = planned;
        Self { window, listed: tally.listed(), tally, unasked, unusable, gone }
    }

    /// How many frames that are wanted are not there.
    pub fn missing(&self) -> u64 {
        let missing = [FrameState::Failed, FrameState::Planned, FrameState::Held];
        missing.iter().map(|state| self.tally.count(*state)).sum::<u64>() + self.unusable.len() as u64
    }

    /// Whether every archive was asked to the end, and nothing that is wanted is missing.
    pub fn is_complete(&self) -> bool {
        self.unasked.is_empty() && self.missing() == 0
    }

    /// The account in sentences.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{} frames listed between {} and {}; {} bytes came",
            self.listed, self.window.start, self.window.end, self.tally.transferred
        )];
        lines.extend(self.tally.frames.iter().map(|(state, count)| format!("  {count} {}", meaning(*state))));
        lines.extend(self.gone.iter().map(|(archive, name)| format!("{archive} no longer lists {name}; it is kept")));
        lines.extend(self.unusable.iter().map(|(archive, why)| format!("{archive}: {why}")));
        lines.extend(self.unasked.iter().map(|(archive, why)| format!("{archive} was not asked to the end: {why}")));
        lines.push(if self.is_complete() {
            "Nothing is missing.".to_owned()
        } else {
            "Something is missing: run the fetch again, it goes on where this one ended.".to_owned()
        });
        lines
    }
}

fn meaning(state: FrameState) -> &'static str {
    match state {
        FrameState::Placed => "fetched and sorted",
        FrameState::Waiting => "fetched, and waiting in the download directory for a locked dataset",
        FrameState::Aside => "fetched, and left in the download directory, since no rule has a place for them",
        FrameState::Have => "there already, and unchanged",
        FrameState::Unwanted => "not selected by the rules",
        FrameState::Failed => "failed",
        FrameState::Planned => "not reached",
        FrameState::Held => "in the store, and not yet sorted",
        FrameState::Undone => "taken back",
    }
}
