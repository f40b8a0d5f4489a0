//! Frames for sessions: those that are held, else those of the other archive that is configured.

use async_trait::async_trait;
use holotype_archives::frames::{Filter, Frame, FrameQuery, PageRequest, Shape, Viewer};
use holotype_archives::remote::{Remote, Wanted};
use holotype_archives::{ArchiveError, Archives};
use holotype_core::{Caller, Category, ProjectId, UserId};
use holotype_sessions::{BroughtInput, FrameSource, InputError, InputItem, Place, Resolved};
use serde_json::{Value, json};

/// Frames of one name that are looked at: each is of another project.
const OF_ONE_NAME: u64 = 100;

/// The frames that sessions work on.
#[derive(Debug, Clone)]
pub(crate) struct Inputs {
    pub(crate) archives: Archives,
    pub(crate) remote: Option<Remote>,
}

#[async_trait]
impl FrameSource for Inputs {
    async fn resolve(&self, caller: &Caller, item: &InputItem) -> Result<Resolved, InputError> {
        if let Some(held) = self.held(caller, item).await? {
            return Ok(held);
        }
        let absent = || InputError::Absent { basename: item.basename.clone(), place: "the archive" };
        let Some(remote) = &self.remote else { return Err(absent()) };
        let found = remote.find(caller.user, &item.basename).await.map_err(|error| refused(&error, &item.basename))?;
        let found = found.ok_or_else(absent)?;
        let reference = json!(remote.wanted(&item.basename, &found));
        let place = match found.held {
            Some((digest, size)) => Place::Held { digest, size },
            None => Place::Elsewhere { reference },
        };
        Ok(Resolved { version: found.version, file_name: found.file_name, place })
    }

    async fn bring(&self, agent: UserId, _project: ProjectId, reference: &Value) -> Result<BroughtInput, InputError> {
        let wanted: Wanted = serde_json::from_value(reference.clone())
            .map_err(|error| InputError::Internal { problem: format!("a reference to a frame is damaged: {error}") })?;
        let absent = || InputError::Absent { basename: wanted.basename.clone(), place: "the archive" };
        let remote = self.remote.as_ref().ok_or_else(absent)?;
        let (digest, size) = remote.bring(agent, &wanted).await.map_err(|error| refused(&error, &wanted.basename))?;
        Ok(BroughtInput { digest, size })
    }
}

impl Inputs {
    /// The frame of this name that is held, if the caller sees one: the one whose number is given, else the latest.
    async fn held(&self, caller: &Caller, item: &InputItem) -> Result<Option<Resolved>, InputError> {
        let query = FrameQuery { filters: vec![Filter::Name(item.basename.clone())], ..FrameQuery::default() };
        let page = PageRequest::Numbered { limit: OF_ONE_NAME, offset: 0 };
        let found = self.archives.frames(Viewer::of(Some(caller)), query, page, Shape::default()).await;
        let frames = found.map_err(|error| refused(&error, &item.basename))?.frames;
        let meant = item.members.get("id").and_then(Value::as_i64);
        let frame = frames.iter().find(|frame| Some(frame.id.0) == meant).or_else(|| frames.first());
        Ok(frame.and_then(newest))
    }
}

/// The newest bytes of a frame.
fn newest(frame: &Frame) -> Option<Resolved> {
    let version = frame.versions.first()?;
    Some(Resolved {
        version: format!("sha256:{}", version.digest),
        file_name: format!("{}{}", frame.facts.basename, version.extension),
        place: Place::Held { digest: version.digest, size: version.size },
    })
}

fn refused(error: &ArchiveError, basename: &str) -> InputError {
    let problem = format!("{basename} cannot be had: {error}");
    match error.category() {
        Category::NotFound => InputError::Absent { basename: basename.to_owned(), place: "the archive" },
        Category::Denied | Category::Invalid => InputError::Refused { problem },
        Category::Conflict | Category::Busy | Category::Unavailable => InputError::Unavailable { problem },
        Category::Internal => InputError::Internal { problem },
    }
}

#[cfg(test)]
mod tests;
