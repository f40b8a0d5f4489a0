//! The `holotype` command.

mod arguments;
mod commands;
mod config_flags;
mod connection;
mod context;
mod destination;
mod exit;
mod failure;
mod follow;
mod input;
mod interrupt;
mod logging;
mod paging;
mod plan;
mod ui;

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use clap::error::ErrorKind;

use crate::arguments::Arguments;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;

/// A request makes hundreds of small pieces on several threads; the system's own allocator takes a third of the time of a submit.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// How long a thread that waits for input may keep the process after its work.
const LAST_WAIT: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    // Before anything speaks TLS. It fails only where a provider is installed already, which is as good.
    drop(rustls::crypto::ring::default_provider().install_default());
    let words: Vec<OsString> = std::env::args_os().collect();
    let as_json = words.iter().any(|word| word == "--json");
    let arguments = match Arguments::try_parse_from(words) {
        Ok(arguments) => arguments,
        Err(error) => return refuse(&error, as_json).into(),
    };
    match run(arguments) {
        Ok(()) => Exit::Done.into(),
        Err(failure) => {
            failure.report(as_json);
            failure.exit().into()
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| Failure::io("the program cannot start its threads", source))?;
    let context = Context::new(arguments.global)?;
    let result = runtime.block_on(arguments.command.run(&context));
    // A thread may wait for stdin for ever; nothing it could read is wanted any more.
    runtime.shutdown_timeout(LAST_WAIT);
    result
}

/// Tells what is wrong with the command line, or prints the help or version that was asked for.
fn refuse(error: &clap::Error, as_json: bool) -> Exit {
    let is_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if is_help || !as_json {
        // If nobody reads it there is nobody to tell.
        drop(error.print());
        return if is_help { Exit::Done } else { Exit::Invalid };
    }
    let message = error.render().to_string();
    let message = message.trim().trim_start_matches("error: ");
    let failure = Failure::input(message, "see 'holotype --help'");
    failure.report(true);
    failure.exit()
}
