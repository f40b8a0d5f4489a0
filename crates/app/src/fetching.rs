//! Fetches on the disk of whoever asks for them, recorded in the home.

use std::path::Path;

use holotype_archives::fetch::{FetchOptions, FetchRequest, PreviewedFrame, Secrets, connect};
use holotype_core::{Caller, ProjectId};
use holotype_jobs::Performance;
use secrecy::SecretString;

use crate::{App, AppError, Environment};

/// Secrets in environment variables.
pub(crate) struct Variables(pub(crate) Environment);

impl Secrets for Variables {
    fn get(&self, variable: &str) -> Option<SecretString> {
        self.0.get(variable).map(|value| SecretString::from(value.trim()))
    }
}

impl App {
    /// Reads what is to be fetched.
    ///
    /// # Errors
    /// A file that cannot be read, or that says something wrong, with its line.
    pub fn fetch_request(
        &self,
        path: &Path,
        rules: Option<&Path>,
        options: FetchOptions,
    ) -> Result<FetchRequest, AppError> {
        Ok(FetchRequest::load(path, rules, options, self.clock().now())?)
    }

    /// Looks what a fetch would do.
    ///
    /// # Errors
    /// A token that is not set, an archive that does not answer.
    pub async fn preview_fetch(
        &self,
        caller: &Caller,
        project: ProjectId,
        request: &FetchRequest,
        show: impl FnMut(PreviewedFrame),
    ) -> Result<(), AppError> {
        let sources = connect(request, &Variables(self.config().environment.clone()), &self.shared_clock())?;
        Ok(self.archives().preview(caller, project, request, &sources, show).await?)
    }

    /// Makes the job of a fetch that this process does itself, with its own rights and on its own disk.
    ///
    /// # Errors
    /// A token that is not set, a definition that cannot be used: then there is no job.
    pub async fn begin_fetch(
        &self,
        caller: &Caller,
        project: ProjectId,
        request: &FetchRequest,
    ) -> Result<Performance, AppError> {
        connect(request, &Variables(self.config().environment.clone()), &self.shared_clock())?;
        self.catalog().require(caller, project, holotype_core::Role::Editor).await?;
        Ok(self.jobs().begin(&request.job(project, caller.user)?, self.fetch_handler()).await?)
    }
}
