//! Is this installation sound? Each check looks at the real thing and says what it found and what to do about it.
//!
//! A check that cannot be made because an earlier one failed is left out: the first bad finding is the one to look at.

mod catalog;
mod finding;

use std::sync::Arc;
use std::time::Duration;

use holotype_core::{Clock, Instant};

pub use finding::{Finding, Severity};

use crate::config::{Config, Overrides};
use crate::upkeep::list_backups;
use crate::{App, Environment, Home, disk, files};
use finding::bytes;

/// A disk with less than this share free is nearly full.
const SCARCE_SHARE: u64 = 20;

/// A disk with less than this free is nearly full, whatever its size.
const SCARCE_BYTES: u64 = 1 << 30;

/// A flush that takes longer than this makes every acknowledgement slow.
const SLOW_FLUSH: Duration = Duration::from_millis(50);

/// A clock before this day is wrong: this program did not exist.
const FIRST_DAY: Instant = Instant::from_micros(1_767_225_600_000_000);

/// Examines an installation, from its home outwards. It writes nothing that stays.
pub async fn examine(
    home: &Home,
    environment: &Environment,
    overrides: &Overrides,
    clock: Arc<dyn Clock>,
) -> Vec<Finding> {
    let mut findings = vec![clock_finding(clock.now())];
    if let Err(error) = home.require() {
        findings.push(Finding::bad(
            "home",
            error.to_string(),
            format!("run `holotype --home {} init`", home.root().display()),
        ));
        return findings;
    }
    findings.extend(home_findings(home));
    let config = match Config::load(home.clone(), environment, overrides) {
        Ok(config) => config,
        Err(error) => {
            findings.push(Finding::bad(
                "configuration",
                error.to_string(),
                "correct it; `holotype config show` lists every key",
            ));
            return findings;
        }
    };
    findings.extend(configuration_findings(&config));
    match App::open(config, Arc::clone(&clock)).await {
        Ok(app) => {
            findings.extend(catalog::findings(&app).await);
            findings.push(store_finding(&app).await);
            findings.push(backups_finding(&app));
            app.close().await;
        }
        Err(error) => {
            findings.push(Finding::bad("open", error.to_string(), "nothing can be stored until this is repaired"));
        }
    }
    findings
}

fn clock_finding(now: Instant) -> Finding {
    if now < FIRST_DAY {
        return Finding::bad(
            "clock",
            format!("the clock says {now}"),
            "set the machine's clock: records are stamped with it",
        );
    }
    Finding::good("clock", format!("it is {now}"))
}

fn home_findings(home: &Home) -> Vec<Finding> {
    let shown = home.root().display();
    let mut findings = Vec::new();
    let probe = home.root().join(format!("doctor-{}", std::process::id()));
    match files::write_text(&probe, "holotype").and_then(|()| std::fs::remove_file(&probe)) {
        Ok(()) => findings.push(Finding::good("home", format!("{shown} can be written"))),
        Err(error) => {
            let advice = "give this user the right to write it, or take another home with --home";
            findings.push(Finding::bad("home", format!("{shown} cannot be written: {error}"), advice));
            return findings;
        }
    }
    findings.extend(others_may_enter(home));
    if let Some(holder) = home.holder() {
        let holder = format!("process {} (holotype {}) works on it since {}", holder.pid, holder.command, holder.since);
        findings.push(Finding::good("lock", holder));
    }
    findings.push(space_finding(home));
    findings.push(flush_finding(home));
    findings
}

#[cfg(unix)]
fn others_may_enter(home: &Home) -> Option<Finding> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = home.root().metadata().ok()?.permissions().mode();
    let advice = format!("run `chmod go= {}`: it holds password hashes and all data", home.root().display());
    (mode & 0o077 != 0)
        .then(|| Finding::warning("home", format!("others may enter it (mode {:o})", mode & 0o777), advice))
}

#[cfg(not(unix))]
fn others_may_enter(_home: &Home) -> Option<Finding> {
    None
}

fn space_finding(home: &Home) -> Finding {
    match disk::space(home.root()) {
        Err(error) => Finding::warning("disk", format!("its free space is not known: {error}"), "look with df"),
        Ok((free, total)) => {
            let detail = format!("{} of {} are free", bytes(free), bytes(total));
            if free < SCARCE_BYTES || free < total / SCARCE_SHARE {
                Finding::warning("disk", detail, "make room: a full disk refuses what instruments send")
            } else {
                Finding::good("disk", detail)
            }
        }
    }
}

fn flush_finding(home: &Home) -> Finding {
    match disk::flush_latency(home.root()) {
        Err(error) => Finding::bad(
            "flush",
            format!("the disk cannot make bytes durable: {error}"),
            "take another disk for the home",
        ),
        Ok((median, longest)) => {
            let millis = |duration: Duration| duration.as_secs_f64() * 1000.0;
            let detail =
                format!("4 KiB are durable after {:.2} ms (at most {:.2} ms)", millis(median), millis(longest));
            if median > SLOW_FLUSH {
                Finding::warning(
                    "flush",
                    detail,
                    "every acknowledgement waits for this: a local solid-state disk is faster",
                )
            } else {
                Finding::good("flush", detail)
            }
        }
    }
}

fn configuration_findings(config: &Config) -> Vec<Finding> {
    let mut findings: Vec<_> = config
        .warnings()
        .iter()
        .map(|warning| Finding::warning("configuration", warning.clone(), "correct or remove it"))
        .collect();
    if findings.is_empty() {
        findings.push(Finding::good("configuration", format!("listens on {}", config.server.listen)));
    }
    findings
}

async fn store_finding(app: &App) -> Finding {
    match app.store().probe().await {
        Ok(()) => Finding::good("store", format!("{} can be written", app.store().describe())),
        Err(error) => Finding::bad("store", error.to_string(), "new files are spooled or refused until it works"),
    }
}

fn backups_finding(app: &App) -> Finding {
    let Some(every) = app.config().upkeep.backup_every else {
        return Finding::warning(
            "backups",
            "they are not made by themselves",
            "set upkeep.backup_every, or run `holotype db backup`",
        );
    };
    match list_backups(&app.config().home) {
        Err(error) => Finding::bad("backups", error.to_string(), "look at the directory"),
        Ok(backups) => match backups.last() {
            Some(last) if last.created_at.after(every * 2) < app.clock().now() => {
                let detail = format!("the last one is of {}", last.created_at);
                Finding::warning(
                    "backups",
                    detail,
                    "is `holotype serve` running? Look at `holotype job list --kind db.backup`",
                )
            }
            Some(last) => {
                Finding::good("backups", format!("{} are kept, the last of {}", backups.len(), last.created_at))
            }
            None => Finding::warning("backups", "there is none yet", "run `holotype db backup`"),
        },
    }
}
