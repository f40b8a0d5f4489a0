//! `holotype completion`

use clap::CommandFactory;
use clap_complete::Shell;

use crate::arguments::Arguments;
use crate::context::Context;
use crate::failure::Failure;

/// Print the completions of a shell
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
Examples:
  holotype completion bash > ~/.local/share/bash-completion/completions/holotype
  holotype completion zsh > ~/.zfunc/_holotype
  holotype completion fish > ~/.config/fish/completions/holotype.fish")]
pub(crate) struct Completion {
    /// The shell
    shell: Shell,
}

impl Completion {
    pub(crate) fn run(self, context: &Context) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Arguments::command(), "holotype", &mut script);
        context.ui.bytes(&script)
    }
}
