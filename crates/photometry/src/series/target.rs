//! Where the target is in each frame.

use holotype_fits::wcs::SkyPosition;

use super::check::Checked;
use super::{Parameters, Place, track};
use crate::PhotometryError as Error;

/// A frame that can be used, and where the target is in it.
pub(super) struct Aimed {
    pub(super) frame: Checked,
    pub(super) target: SkyPosition,
}

/// The target's place in each frame; what there is to say of it joins `notes`.
pub(super) fn aim(frames: Vec<Checked>, parameters: &Parameters, notes: &mut Vec<String>) -> Result<Vec<Aimed>, Error> {
    let targets: Vec<SkyPosition> = match parameters.place() {
        Place::Fixed(target) => {
            let target = target.position()?;
            frames.iter().map(|_| target).collect()
        }
        Place::Headers => {
            let targets: Vec<SkyPosition> = frames.iter().filter_map(|frame| frame.target).collect();
            if targets.len() > 1 && targets.iter().all(|target| *target == targets[0]) {
                notes.push(
                    "The headers of all frames have the target at the same place: if it moves, give its track instead."
                        .to_owned(),
                );
            }
            targets
        }
        Place::Moving { positions, search_radius } => track::follow(&frames, positions, *search_radius, notes)?,
    };
    Ok(frames.into_iter().zip(targets).map(|(frame, target)| Aimed { frame, target }).collect())
}
