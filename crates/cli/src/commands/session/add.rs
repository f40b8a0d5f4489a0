//! `holotype session add`

use holotype_api::session::SessionUpdate;

use super::frames;
use crate::context::Context;
use crate::failure::Failure;

/// Add frames to a session
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
FRAME is the name of a frame that is held, without its ending, or a FITS file of this machine, which
is handed in first. A frame that the session has is not added again.

Examples:
  holotype session add 7 tfn0m414-kb82-20240611-0078-e91
  holotype session add 7 night-20240611/c.fits.fz")]
pub(super) struct Add {
    /// The session's number
    session: i64,
    /// Frames by name, or files
    #[arg(required = true, value_name = "FRAME|FILE")]
    frames: Vec<String>,
}

impl Add {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let transfer = context.ui.transfer("sending", Some(frames::bytes_of(&self.frames)));
        let adding = context.api(async |client| {
            let input_data = frames::items(client, &self.frames, &transfer).await?;
            let update = SessionUpdate { name: None, input_data };
            Ok::<_, Failure>(client.update_session(self.session, &update).await?)
        });
        let changed = adding.await;
        transfer.finish();
        let changed = changed?;
        context
            .ui
            .result(&changed, || format!("session {} has {} frames\n", changed.session.id, changed.session.frames))
    }
}
