//! What happens inside, on stderr, for who asks for it.

use std::io::{IsTerminal, stderr};

use holotype_app::config::LogConfig;
use tracing_subscriber::EnvFilter;

use crate::failure::Failure;

/// What commands that do not serve tell: what went wrong beside the result.
/// A certificate that is not trusted is the command's own error, and told as such.
const QUIET: &str = "warn,rustls_platform_verifier=off";

/// The variable that says what is logged; it is also that of the setting `log.filter`.
const VARIABLE: &str = "HOLOTYPE_LOG_FILTER";

/// Starts the log of a command that ends by itself.
pub(crate) fn start_quiet() -> Result<(), Failure> {
    let filter = std::env::var(VARIABLE).ok().filter(|filter| !filter.is_empty());
    start(&LogConfig { filter: filter.unwrap_or_else(|| QUIET.to_owned()), json: false })
}

/// Starts the log as it is configured.
pub(crate) fn start(config: &LogConfig) -> Result<(), Failure> {
    let filter = EnvFilter::builder().parse(&config.filter).map_err(|error| {
        Failure::input(
            format!("'{}' does not say what to log: {error}", config.filter),
            "set log.filter to a level such as info, or to directives such as holotype_server=debug,info",
        )
    })?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_ansi(stderr().is_terminal());
    let started = if config.json { log.json().try_init() } else { log.try_init() };
    started
        .map_err(|error| Failure::input(format!("the log cannot be started: {error}"), "start one command at a time"))
}
