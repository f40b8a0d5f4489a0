//! Fetches by the clock: each night once, whoever of several servers looks first.

use std::str::FromStr;

use croner::Cron;
use holotype_catalog::{CatalogError, Row, Tx, values};
use holotype_core::{ActivityId, Caller, Instant, ProjectId, Role, UserId};
use jiff::tz::TimeZone;
use serde_json::json;

use super::run::FetchRequest;
use super::table::read_json;
use crate::{ArchiveError, Archives};

/// The longest name of a schedule.
const MOST_CHARACTERS: usize = 100;

/// A fetch that is asked for again and again.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// Its id.
    pub id: ActivityId,
    /// The project that its frames belong to.
    pub project: ProjectId,
    /// Who made it, and who its fetches are done for.
    pub agent: UserId,
    /// Its name, unique in the project.
    pub name: String,
    /// What is fetched. A configuration without dates means all since 24 hours before it was due.
    pub request: FetchRequest,
    /// When: minute, hour, day of the month, month, day of the week; with a sixth field before them, the second.
    pub cron: String,
    /// Whose clock is meant.
    pub time_zone: String,
    /// When it is due next.
    pub next_at: Instant,
    /// The last fetch that it asked for.
    pub last_fetch: Option<ActivityId>,
}

/// When a schedule is due.
struct Clockwork {
    cron: Cron,
    time_zone: TimeZone,
}

impl Clockwork {
    fn parse(cron: &str, time_zone: &str) -> Result<Self, ArchiveError> {
        let wrong = |what: &str, text: &str, problem: String| ArchiveError::Schedule {
            problem: format!("'{}' is no {what}: {problem}", text.chars().take(80).collect::<String>()),
        };
        let cron = Cron::from_str(cron)
            .map_err(|error| wrong("cron expression such as '0 9 * * *'", cron, error.to_string()))?;
        let time_zone =
            TimeZone::get(time_zone).map_err(|error| wrong("time zone such as 'UTC'", time_zone, error.to_string()))?;
        Ok(Self { cron, time_zone })
    }

    /// The first time after an instant.
    fn after(&self, instant: Instant) -> Result<Instant, ArchiveError> {
        let after = instant.timestamp().to_zoned(self.time_zone.clone());
        let never = |_| ArchiveError::Schedule { problem: "it is never due".to_owned() };
        let next = self.cron.find_next_occurrence(&after, false).map_err(never)?;
        Ok(Instant::from_micros(next.timestamp().as_microsecond()))
    }
}

impl Archives {
    /// Has a fetch done by the clock.
    ///
    /// It writes into directories of the machine that works on jobs, so only an administrator may ask for it.
    ///
    /// # Errors
    /// An expression or a time zone that is none, a name that is taken, a caller who may not; [`ArchiveError::Request`] for what
    /// a machine other than the caller's cannot be asked to do.
    pub async fn add_schedule(
        &self,
        caller: &Caller,
        project: ProjectId,
        name: &str,
        cron: &str,
        time_zone: &str,
        request: FetchRequest,
    ) -> Result<Schedule, ArchiveError> {
        administrator(caller)?;
        self.catalog().require(caller, project, Role::Editor).await?;
        check_name(name)?;
        request.check()?;
        let next_at = Clockwork::parse(cron, time_zone)?.after(self.catalog().clock().now())?;
        let text = serde_json::to_string(&request).map_err(ArchiveError::internal)?;
        let (name, cron, time_zone, caller) = (name.to_owned(), cron.to_owned(), time_zone.to_owned(), caller.clone());
        self.catalog()
            .write(move |tx| {
                let (name, cron, time_zone) = (name.clone(), cron.clone(), time_zone.clone());
                let (text, request, caller) = (text.clone(), request.clone(), caller.clone());
                Box::pin(async move {
                    let agent = caller.user;
                    let (id, now) = (tx.new_activity_id()?, tx.now());
                    let insert = "INSERT INTO fetch_schedules (id, project, agent, name, request, cron, time_zone, next_at, created_at) \
                                  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (project, name) DO NOTHING";
                    let bound = values![id, project, agent, name, text, cron, time_zone, next_at, now];
                    if tx.exec_sql(insert, bound).await? == 0 {
                        return Err(ArchiveError::ScheduleTaken { name });
                    }
                    let detail = json!({ "project": project, "cron": cron, "time_zone": time_zone });
                    tx.audit(&caller, "fetch-schedule.create", &name, detail).await?;
                    Ok(Schedule { id, project, agent, name, request, cron, time_zone, next_at, last_fetch: None })
                })
            })
            .await
    }

    /// The schedules of a project, by name.
    ///
    /// # Errors
    /// A project that the caller has no role in.
    pub async fn schedules(&self, caller: &Caller, project: ProjectId) -> Result<Vec<Schedule>, ArchiveError> {
        self.catalog().require(caller, project, Role::Viewer).await?;
        self.catalog()
            .read(move |tx| {
                Box::pin(async move {
                    let select = "SELECT id, project, agent, name, request, cron, time_zone, next_at, last_fetch \
                                  FROM fetch_schedules WHERE project = $1 ORDER BY name LIMIT 1000";
                    tx.rows_sql(select, values![project]).await?.iter().map(read).collect()
                })
            })
            .await
    }

    /// Ends a schedule. What it has fetched stays.
    ///
    /// # Errors
    /// [`ArchiveError::NoSchedule`].
    pub async fn remove_schedule(&self, caller: &Caller, project: ProjectId, name: &str) -> Result<(), ArchiveError> {
        administrator(caller)?;
        self.catalog().require(caller, project, Role::Editor).await?;
        let (name, caller) = (name.to_owned(), caller.clone());
        self.catalog()
            .write(move |tx| {
                let (name, caller) = (name.clone(), caller.clone());
                Box::pin(async move {
                    let delete = "DELETE FROM fetch_schedules WHERE project = $1 AND name = $2";
                    if tx.exec_sql(delete, values![project, name]).await? == 0 {
                        return Err(ArchiveError::NoSchedule { name });
                    }
                    Ok(tx.audit(&caller, "fetch-schedule.delete", &name, json!({ "project": project })).await?)
                })
            })
            .await
    }

    /// Asks for every fetch that is due; how many those are. What was missed while nobody looked is fetched once. A schedule that
    /// cannot be asked for is logged, and keeps no other from its turn.
    ///
    /// # Errors
    /// The catalog's.
    pub async fn fetch_what_is_due(&self) -> Result<usize, ArchiveError> {
        let due = self
            .catalog()
            .read(|tx| {
                Box::pin(async move {
                    let select = "SELECT id, project, agent, name, request, cron, time_zone, next_at, last_fetch \
                                  FROM fetch_schedules WHERE next_at <= $1 ORDER BY next_at LIMIT 100";
                    let now = tx.now();
                    tx.rows_sql(select, values![now]).await?.iter().map(read).collect::<Result<Vec<_>, ArchiveError>>()
                })
            })
            .await?;
        let mut asked = 0;
        for schedule in due {
            let name = schedule.name.clone();
            match self.ask_for(schedule).await {
                Ok(is_ours) => asked += usize::from(is_ours),
                Err(error) => tracing::warn!(schedule = name, %error, "a scheduled fetch could not be asked for"),
            }
        }
        Ok(asked)
    }

    /// Moves a schedule on and enqueues its fetch, in one transaction; whether nobody else had done so.
    async fn ask_for(&self, schedule: Schedule) -> Result<bool, ArchiveError> {
        let archives = self.clone();
        self.catalog()
            .write(move |tx| {
                let (archives, schedule) = (archives.clone(), schedule.clone());
                Box::pin(async move {
                    let now = tx.now();
                    let next_at = Clockwork::parse(&schedule.cron, &schedule.time_zone)?.after(now)?;
                    let request = schedule.request.due(schedule.next_at, now);
                    let job =
                        archives.jobs().enqueue(tx, &request.worker_job(schedule.project, schedule.agent)?).await?;
                    if move_on(tx, &schedule.id, schedule.next_at, next_at, job).await? {
                        return Ok(true);
                    }
                    // Another server was faster: its job is the one, and this transaction must leave nothing.
                    Err(ArchiveError::ScheduleTaken { name: schedule.name })
                })
            })
            .await
            .or_else(
                |error: ArchiveError| {
                    if matches!(error, ArchiveError::ScheduleTaken { .. }) { Ok(false) } else { Err(error) }
                },
            )
    }
}

async fn move_on(
    tx: &mut Tx,
    id: &ActivityId,
    from: Instant,
    to: Instant,
    fetch: ActivityId,
) -> Result<bool, CatalogError> {
    let update = "UPDATE fetch_schedules SET next_at = $3, last_fetch = $4 WHERE id = $1 AND next_at = $2";
    Ok(tx.exec_sql(update, values![id, from, to, fetch]).await? == 1)
}

/// A name is a part of an address, and of a line in a table.
fn check_name(name: &str) -> Result<(), ArchiveError> {
    let is_usable = (1..=MOST_CHARACTERS).contains(&name.chars().count())
        && !name.starts_with('.')
        && !name.chars().any(|c| c.is_control() || "/\\".contains(c));
    let problem = "its name needs 1 to 100 printable characters without slashes, the first no dot";
    if is_usable { Ok(()) } else { Err(ArchiveError::Schedule { problem: problem.to_owned() }) }
}

fn administrator(caller: &Caller) -> Result<(), ArchiveError> {
    if caller.admin { Ok(()) } else { Err(ArchiveError::NotAdministrator) }
}

fn read(row: &Row) -> Result<Schedule, ArchiveError> {
    let request: String = row.get("request")?;
    Ok(Schedule {
        id: row.get("id")?,
        project: row.get("project")?,
        agent: row.get("agent")?,
        name: row.get("name")?,
        request: read_json("request", &request)?,
        cron: row.get("cron")?,
        time_zone: row.get("time_zone")?,
        next_at: row.get("next_at")?,
        last_fetch: row.get("last_fetch")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_is_due_by_its_own_clock_also_when_that_is_changed() {
        let at = |text: &str| text.parse::<Instant>().unwrap();
        let nightly = Clockwork::parse("30 9 * * *", "Europe/Berlin").unwrap();
        assert_eq!(nightly.after(at("2026-11-20T08:29:59Z")).unwrap(), at("2026-11-20T08:30:00Z"));
        assert_eq!(nightly.after(at("2026-11-20T08:30:00Z")).unwrap(), at("2026-11-21T08:30:00Z"));
        assert_eq!(nightly.after(at("2026-03-28T12:00:00Z")).unwrap(), at("2026-03-29T07:30:00Z"));
    }

    #[test]
    fn what_is_no_schedule_is_refused_with_an_example() {
        for (cron, time_zone) in
            [("", "UTC"), ("every night", "UTC"), ("99 9 * * *", "UTC"), ("0 9 * * *", "Mars/Olympus")]
        {
            let Err(error) = Clockwork::parse(cron, time_zone) else { unreachable!("{cron} {time_zone} was taken") };
            assert!(error.to_string().contains("such as"), "{error}");
        }
    }
}
