//! Every key of the configuration as a flag: `store.url` as `--store-url`.

use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches};
use holotype_app::config::{KEYS, Overrides};

/// The keys that were set on the command line; they win over variables and the file.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConfigFlags(pub(crate) Overrides);

impl FromArgMatches for ConfigFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut flags = Self::default();
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        for key in KEYS {
            for value in matches.get_many::<String>(key.name).into_iter().flatten() {
                self.0.set(key.name, value);
            }
        }
        Ok(())
    }
}

impl clap::Args for ConfigFlags {
    fn augment_args(command: Command) -> Command {
        let flags = KEYS.iter().map(|key| {
            let default = match key.default.trim_matches(['(', ')']) {
                "" => String::new(),
                default => format!(" [default: {default}]"),
            };
            Arg::new(key.name)
                .long(key.flag())
                .value_name(key.form)
                .help(format!("{}{default}", key.help))
                .help_heading("Settings, in place of holotype.toml and variables")
                // The short help is for the server's own settings, which have no table.
                .hide_short_help(key.name.contains('.'))
                .action(ArgAction::Append)
        });
        command.args(flags)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}
