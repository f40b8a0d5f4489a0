//! `holotype doctor`

use holotype_app::SystemClock;
use holotype_app::config::Overrides;
use holotype_app::doctor::{self, Severity};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::logging;
use crate::ui::Table;

/// Look for what keeps Holotype from working, and say what to do about it
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
It looks at the home itself; with --server it asks the server how it is. It changes nothing. Exit
code 1 when something is bad.

Examples:
  holotype doctor
  holotype doctor --server https://data.lab.example
  holotype doctor --json")]
pub(crate) struct Doctor {}

#[derive(Debug, Serialize)]
struct Report {
    healthy: bool,
    findings: Vec<Finding>,
}

#[derive(Debug, Serialize)]
struct Finding {
    check: String,
    /// `good`, `warning` or `bad`.
    severity: &'static str,
    detail: String,
    advice: Option<String>,
}

impl Doctor {
    pub(crate) async fn run(self, context: &Context) -> Result<(), Failure> {
        let findings = match &context.global.server {
            Some(_) => of_server(context).await?,
            None => of_home(context).await?,
        };
        let healthy = findings.iter().all(|finding| finding.severity != Severity::Bad.name());
        let report = Report { healthy, findings };
        context.ui.result(&report, || {
            let mut table = Table::new(["", "CHECK", "FOUND"]);
            for finding in &report.findings {
                table.row([finding.severity.to_owned(), finding.check.clone(), finding.detail.clone()]);
                if let Some(advice) = &finding.advice {
                    table.row([String::new(), String::new(), format!("next: {advice}")]);
                }
            }
            table.render()
        })?;
        if healthy { Ok(()) } else { Err(Failure::Negative) }
    }
}

async fn of_home(context: &Context) -> Result<Vec<Finding>, Failure> {
    logging::start_quiet()?;
    let (home, _) = context.home()?;
    let findings = doctor::examine(&home, &context.environment, &Overrides::default(), SystemClock::shared()).await;
    let told = findings.into_iter().map(|finding| Finding {
        check: finding.check.to_owned(),
        severity: finding.severity.name(),
        detail: finding.detail,
        advice: finding.advice,
    });
    Ok(told.collect())
}

async fn of_server(context: &Context) -> Result<Vec<Finding>, Failure> {
    let health = context.api(async |client| client.health().await).await?;
    let mut findings = vec![version(&health.version)];
    findings.extend(health.checks.into_iter().map(|check| Finding {
        check: check.name,
        severity: if check.ok { Severity::Good.name() } else { Severity::Bad.name() },
        detail: check.detail,
        advice: (!check.ok).then(|| "run 'holotype doctor' where the server's home is".to_owned()),
    }));
    Ok(findings)
}

/// Client and server of two versions usually understand each other, but not about what one of them does not know.
fn version(server: &str) -> Finding {
    let own = env!("CARGO_PKG_VERSION");
    let (severity, advice) = match server == own {
        true => (Severity::Good, None),
        false => (Severity::Warning, Some(format!("this program is {own}; use the same version on both sides"))),
    };
    Finding { check: "version".to_owned(), severity: severity.name(), detail: server.to_owned(), advice }
}
