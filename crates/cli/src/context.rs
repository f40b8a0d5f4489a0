//! What every command is given: the global options, the surroundings, and a way to talk.

use holotype_app::config::Origin;
use holotype_app::{Config, Environment, Home};
use holotype_client::Client;
use secrecy::SecretString;

use crate::arguments::Global;
use crate::config_flags::ConfigFlags;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::interrupt::Interrupts;
use crate::ui::Ui;
use crate::{input, logging};

/// What every command is given.
pub(crate) struct Context {
    pub(crate) global: Global,
    pub(crate) environment: Environment,
    pub(crate) ui: Ui,
}

/// What a command needs to be at the other end of its calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Whatever answers: a server, or this process for as long as the call takes.
    Answers,
    /// Something that also works on jobs, which this process does until the call is done.
    Jobs,
    /// A server that other clients reach too.
    Server,
}

impl Context {
    pub(crate) fn new(global: Global) -> Result<Self, Failure> {
        // A variable that is not UTF-8 is none of ours.
        let variables =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let directory =
            std::env::current_dir().map_err(|source| Failure::io("the working directory cannot be found", source))?;
        let environment = Environment::new(variables, directory);
        let ui = Ui::new(global.json, global.quiet);
        Ok(Self { global, environment, ui })
    }

    /// The home to work with, and what said so.
    pub(crate) fn home(&self) -> Result<(Home, Origin), Failure> {
        Ok(Home::locate(self.global.home.as_deref(), &self.environment)?)
    }

    /// The configuration of a home, with these flags over it.
    pub(crate) fn config(&self, home: Home, flags: &ConfigFlags) -> Result<Config, Failure> {
        let config = Config::load(home, &self.environment, &flags.0)?;
        for warning in config.warnings() {
            self.ui.note(&format!("warning: {warning}"));
        }
        Ok(config)
    }

    /// The token that was handed in, if any.
    pub(crate) fn token(&self) -> Result<Option<SecretString>, Failure> {
        match &self.global.token_file {
            Some(path) => input::secret_line(path, "the token").map(Some),
            None => Ok(self.environment.get("HOLOTYPE_TOKEN").map(|token| token.trim().into())),
        }
    }

    /// Makes calls of the API: over HTTP with `--server`, else to the running server of the home, else in this process.
    pub(crate) async fn api<T, E: Into<Failure>>(
        &self,
        calls: impl AsyncFnOnce(&Client) -> Result<T, E>,
    ) -> Result<T, Failure> {
        self.call(Need::Answers, calls).await
    }

    /// The same for calls that need more at the other end than answers.
    pub(crate) async fn call<T, E: Into<Failure>>(
        &self,
        need: Need,
        calls: impl AsyncFnOnce(&Client) -> Result<T, E>,
    ) -> Result<T, Failure> {
        logging::start_quiet()?;
        let mut interrupts = Interrupts::listen().map_err(|source| Failure::io("signals cannot be heard", source))?;
        let connection = tokio::select! {
            connection = Connection::open(self, need) => connection?,
            () = interrupts.next() => return Err(Failure::Interrupted),
        };
        let result = tokio::select! {
            result = calls(connection.client()) => result.map_err(Into::into),
            () = interrupts.next() => Err(Failure::Interrupted),
        };
        // Whoever asks twice does not want to wait for a tidy end, and nothing that was acknowledged needs one.
        tokio::select! {
            () = connection.close() => {}
            () = interrupts.next() => {}
        }
        result
    }

    /// Lets work on the home's own files come to its end: the first signal is told to wait, the second ends it at once,
    /// which leaves what a crash would leave.
    pub(crate) async fn unless_insisted<T, E: Into<Failure>>(
        &self,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Failure> {
        let mut interrupts = Interrupts::listen().map_err(|source| Failure::io("signals cannot be heard", source))?;
        let ui = self.ui;
        tokio::select! {
            result = work => result.map_err(Into::into),
            () = interrupts.next_twice(|| ui.note("it ends by itself in a moment; a second signal ends it at once")) => {
                Err(Failure::Interrupted)
            }
        }
    }
}
