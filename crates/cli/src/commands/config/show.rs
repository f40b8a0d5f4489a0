//! `holotype config show`

use serde_json::json;

use crate::config_flags::ConfigFlags;
use crate::context::Context;
use crate::failure::Failure;
use crate::ui::Table;

/// Show every setting, its value, and where the value came from; MADSci's own, too
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
A flag wins over a variable, a variable over holotype.toml in the home, that over the default.
Secrets are not shown.

Examples:
  holotype config show
  holotype config show --store-url s3://frames/lab
  holotype config show --json")]
pub(super) struct Show {
    #[command(flatten)]
    flags: ConfigFlags,
}

impl Show {
    pub(super) fn run(self, context: &Context) -> Result<(), Failure> {
        let (home, origin) = context.home()?;
        let config = context.config(home.clone(), &self.flags)?;
        let values: Vec<_> = config
            .explain()
            .iter()
            .map(|explained| {
                let from = explained.origin.to_string();
                json!({ "key": explained.key.name, "value": explained.value, "from": from })
            })
            .collect();
        let madsci = config.madsci.explain();
        let madsci_values: Vec<_> = madsci
            .iter()
            .map(|setting| {
                let from = setting.origin.to_string();
                json!({ "variable": setting.variable, "value": setting.value, "from": from, "used": setting.used })
            })
            .collect();
        let whole = json!({
            "home": home.root(),
            "home_from": origin.to_string(),
            "settings": values,
            "madsci": madsci_values,
            "warnings": config.warnings(),
        });
        context.ui.result(&whole, || {
            let mut table = Table::new(["SETTING", "VALUE", "FROM"]);
            table.row(["home".to_owned(), home.root().display().to_string(), origin.to_string()]);
            for explained in config.explain() {
                table.row([explained.key.name.to_owned(), explained.value.clone(), explained.origin.to_string()]);
            }
            for setting in &madsci {
                let value =
                    if setting.used { setting.value.clone() } else { format!("{} (shown only)", setting.value) };
                table.row([setting.variable.clone(), value, setting.origin.to_string()]);
            }
            table.render()
        })
    }
}
