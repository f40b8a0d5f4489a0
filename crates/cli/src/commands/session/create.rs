//! `holotype session create`

use holotype_api::session::NewSession;

use super::frames;
use crate::context::Context;
use crate::failure::Failure;

/// Make a session, with frames if some are named
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
FRAME is the name of a frame that is held, without its ending, or a FITS file of this machine, which
is handed in first. The session's number is printed.

Examples:
  holotype session create 'M 31, first night'
  holotype session create m31 tfn0m414-kb82-20240611-0076-e91 tfn0m414-kb82-20240611-0077-e91
  holotype session create m31 night-20240611/a.fits.fz night-20240611/b.fits.fz")]
pub(super) struct Create {
    /// What to call it
    name: String,
    /// Frames by name, or files
    #[arg(value_name = "FRAME|FILE")]
    frames: Vec<String>,
}

impl Create {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let transfer = context.ui.transfer("sending", Some(frames::bytes_of(&self.frames)));
        let making = context.api(async |client| {
            let input_data = frames::items(client, &self.frames, &transfer).await?;
            let new = NewSession { name: self.name.clone(), input_data };
            Ok::<_, Failure>(client.create_session(&new).await?)
        });
        let made = making.await;
        transfer.finish();
        let made = made?;
        context.ui.result(&made, || format!("{}\n", made.session.id))
    }
}
