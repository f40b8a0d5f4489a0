//! What works on this machine's own folders: in this process, with the home's catalog and store, beside a server if one runs.

use holotype_app::catalog::Catalog;
use holotype_app::{App, SystemClock};
use holotype_core::{Caller, ProjectId};

use crate::config_flags::ConfigFlags;
use crate::context::Context;
use crate::failure::Failure;
use crate::logging;

/// The home's application, opened for one command.
pub(super) struct Local {
    pub(super) app: App,
    pub(super) caller: Caller,
    pub(super) project: ProjectId,
}

impl Local {
    pub(super) async fn open(context: &Context) -> Result<Self, Failure> {
        if context.global.server.is_some() {
            return Err(Failure::input(
                "this command works on this machine's own folders, and no server is asked",
                "leave --server and HOLOTYPE_SERVER out",
            ));
        }
        logging::start_quiet()?;
        let (home, _) = context.home()?;
        home.require()?;
        let config = context.config(home, &ConfigFlags::default())?;
        let app = App::open(config, SystemClock::shared()).await?;
        // Whoever may open the home's files owns them.
        let caller = Catalog::local_owner();
        let project = match &context.global.project {
            None => caller.project,
            Some(named) => app.catalog().find_project(&caller, named).await.map_err(holotype_app::AppError::from)?.id,
        };
        Ok(Self { app, caller, project })
    }
}
