//! The command line as a whole: global options and nouns.

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use url::Url;

use crate::commands::{
    archive, completion, config, database, datapoint, demo, doctor, fits, init, job, lineage, operation, project, serve,
};
use crate::commands::{session, store, token, user, worker};
use crate::context::Context;
use crate::failure::Failure;

/// Keep what instruments measure, find it again, and know where it came from.
#[derive(Debug, Parser)]
#[command(name = "holotype", version, max_term_width = 100)]
#[command(subcommand_required = true, arg_required_else_help = true, after_long_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  holotype init
  holotype serve
  holotype datapoint submit --label temperature --value 21.5
  holotype datapoint list --label temperature

Exit codes: 0 done, 1 the answer is no, 2 wrong input, 3 not found, 4 conflict, 5 denied, 6 busy,
7 unavailable, 70 a fault of Holotype, 130 interrupted, 141 nobody reads the output.";

/// What every command understands.
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The home directory [default: HOLOTYPE_HOME, else the nearest .holotype/ upwards, else the user's data directory]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    /// Speak to this server instead of the home; the URL may hold user:token@
    #[arg(long, global = true, env = "HOLOTYPE_SERVER", value_name = "URL", hide_env_values = true)]
    pub(crate) server: Option<Url>,
    /// Read the token from this file instead of the variable HOLOTYPE_TOKEN
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Trust the certificates in this PEM file too
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca_certificate: Option<PathBuf>,
    /// Speak about this project, by name or id, instead of your own
    #[arg(long, global = true, value_name = "PROJECT")]
    pub(crate) project: Option<String>,
    /// Write results, and errors on stderr, as JSON
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Write nothing but results and errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(init::Init),
    Serve(serve::Serve),
    Worker(worker::Worker),
    Doctor(doctor::Doctor),
    Demo(demo::Demo),
    Datapoint(datapoint::Datapoint),
    Archive(archive::Archive),
    Session(session::Session),
    Operation(operation::Operation),
    Job(job::Job),
    Lineage(lineage::Lineage),
    Store(store::Store),
    Db(database::Database),
    User(user::User),
    Token(token::Token),
    Project(project::Project),
    Config(config::Config),
    Fits(fits::Fits),
    Completion(completion::Completion),
}

impl Command {
    /// Does what the command says.
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Command::Init(command) => command.run(context).await,
            Command::Serve(command) => command.run(context).await,
            Command::Worker(command) => command.run(context).await,
            Command::Doctor(command) => command.run(context).await,
            Command::Demo(command) => command.run(context).await,
            Command::Datapoint(noun) => noun.run(context).await,
            Command::Archive(noun) => noun.run(context).await,
            Command::Session(noun) => noun.run(context).await,
            Command::Operation(noun) => noun.run(context).await,
            Command::Job(noun) => noun.run(context).await,
            Command::Lineage(noun) => noun.run(context).await,
            Command::Store(noun) => noun.run(context).await,
            Command::Db(noun) => noun.run(context).await,
            Command::User(noun) => noun.run(context).await,
            Command::Token(noun) => noun.run(context).await,
            Command::Project(noun) => noun.run(context).await,
            Command::Config(noun) => noun.run(context),
            Command::Fits(noun) => noun.run(context).await,
            Command::Completion(command) => command.run(context),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    /// The words of a line as a shell would split it, up to a pipe, a redirection or a remark in parentheses.
    fn words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quote = None;
        for character in line.chars() {
            match (quote, character) {
                (None, '|' | '>' | '(') => break,
                (None, '\'' | '"') => quote = Some(character),
                (Some(open), close) if open == close => quote = None,
                (None, ' ') => words.push(String::new()),
                (_, other) => words.last_mut().unwrap().push(other),
            }
        }
        words.retain(|word| !word.is_empty());
        words
    }

    fn examples(command: &clap::Command, found: &mut Vec<String>) {
        let help = command.get_after_long_help().map(ToString::to_string).unwrap_or_default();
        let after = help.split_once("Examples:\n").map_or("", |(_, examples)| examples);
        found.extend(after.lines().take_while(|line| line.starts_with("  ")).map(|line| line.trim().to_owned()));
        command.get_subcommands().for_each(|command| examples(command, found));
    }

    #[test]
    fn every_example_of_the_help_is_a_command() {
        let mut found = Vec::new();
        examples(&Arguments::command(), &mut found);
        assert!(found.len() > 100, "only {} examples were found", found.len());
        for example in found {
            assert_eq!(words(&example)[0], "holotype", "{example}");
            assert!(example.len() <= 96, "too long for one line of help: {example}");
            if let Err(error) = Arguments::try_parse_from(words(&example)) {
                panic!("{example}\n{error}");
            }
        }
    }

    #[test]
    fn the_definition_of_the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }
}
