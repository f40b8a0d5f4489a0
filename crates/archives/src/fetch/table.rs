//! Fetches in the catalog: the only file with statements on them.

use holotype_catalog::{CatalogError, Row, Tx, values};
use holotype_core::{ActivityId, Digest, Instant, ProjectId};
use sea_query::Value;

use super::config::Window;
use super::model::{Change, Fetch, FetchFrame, FrameState, HeldFrame, Tally};
use crate::ArchiveError;

/// Rows of one statement that adds frames.
const ROWS: usize = 100;

/// Which tree and archive a frame belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shelf {
    pub project: ProjectId,
    /// The root of the sorted directories.
    pub tree: String,
    /// The archive's address.
    pub archive: String,
}

/// A frame as it is planned.
#[derive(Debug, Clone)]
pub(super) struct PlannedFrame {
    pub position: i64,
    pub archive: String,
    pub name: String,
    pub state: FrameState,
    pub change: Option<Change>,
    pub checksum: Option<String>,
    pub size: Option<i64>,
    pub listing: Option<String>,
    pub reason: Option<String>,
}

/// A frame that is still to be fetched.
#[derive(Debug, Clone)]
pub(super) struct Waiting {
    pub position: i64,
    pub name: String,
    pub listing: String,
}

/// What became of a frame.
#[derive(Debug, Clone)]
pub(super) struct Outcome {
    pub position: i64,
    pub state: FrameState,
    pub reason: Option<String>,
    pub path: Option<String>,
    pub transferred: i64,
    /// What stood in its place before, as JSON.
    pub replaced: Option<String>,
}

/// A frame of a fetch with what is needed to take it back.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub position: i64,
    pub archive: String,
    pub name: String,
    pub replaced: Option<String>,
}

pub(super) async fn insert_fetch(tx: &mut Tx, fetch: &Fetch, config: &str) -> Result<(), CatalogError> {
    tx.exec_sql(
        "INSERT INTO fetches (id, project, agent, name, tree, config, window_start, window_end, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING",
        values![
            fetch.id,
            fetch.project,
            fetch.agent,
            fetch.name,
            fetch.tree,
            config,
            fetch.window.start,
            fetch.window.end,
            fetch.created_at,
        ],
    )
    .await?;
    Ok(())
}

/// The fetches of a tree whose job is said to run.
pub(super) async fn running_in(tx: &mut Tx, tree: &str) -> Result<Vec<ActivityId>, CatalogError> {
    let rows = tx
        .rows_sql(
            "SELECT f.id FROM fetches f JOIN activities a ON a.id = f.id \
             WHERE f.tree = $1 AND a.state IN ('running', 'cancelling')",
            values![tree],
        )
        .await?;
    rows.iter().map(|row| row.get("id")).collect()
}

pub(super) async fn fetch(tx: &mut Tx, id: ActivityId) -> Result<Option<Fetch>, ArchiveError> {
    let select = "SELECT id, project, agent, name, tree, config, window_start, window_end, created_at, report, undone_at \
                  FROM fetches WHERE id = $1";
    tx.row_sql(select, values![id]).await?.map(|row| read_fetch(&row)).transpose()
}

/// The fetches of a project that began from one id to another, both included.
pub(super) async fn fetches(
    tx: &mut Tx,
    project: ProjectId,
    from: ActivityId,
    to: ActivityId,
) -> Result<Vec<Fetch>, ArchiveError> {
    let select = "SELECT id, project, agent, name, tree, config, window_start, window_end, created_at, report, undone_at \
                  FROM fetches WHERE project = $1 AND id >= $2 AND id <= $3";
    tx.rows_sql(select, values![project, from, to]).await?.iter().map(read_fetch).collect()
}

fn read_fetch(row: &Row) -> Result<Fetch, ArchiveError> {
    let config: String = row.get("config")?;
    Ok(Fetch {
        id: row.get("id")?,
        project: row.get("project")?,
        agent: row.get("agent")?,
        name: row.get("name")?,
        tree: row.get("tree")?,
        config: read_json("config", &config)?,
        window: Window { start: row.get("window_start")?, end: row.get("window_end")? },
        created_at: row.get("created_at")?,
        report: row.get::<Option<String>>("report")?.map(|report| read_json("report", &report)).transpose()?,
        undone_at: row.get("undone_at")?,
    })
}

pub(super) async fn report(tx: &mut Tx, fetch: ActivityId, report: &str) -> Result<(), CatalogError> {
    tx.exec_sql("UPDATE fetches SET report = $2 WHERE id = $1", values![fetch, report]).await?;
    Ok(())
}

pub(super) async fn mark_undone(tx: &mut Tx, fetch: ActivityId) -> Result<(), CatalogError> {
    let now = tx.now();
    tx.exec_sql("UPDATE fetches SET undone_at = $2 WHERE id = $1", values![fetch, now]).await?;
    Ok(())
}

/// Removes what an earlier attempt at a fetch planned and did not put in its place: it is planned anew.
pub(super) async fn forget_unfinished(tx: &mut Tx, fetch: ActivityId) -> Result<(), CatalogError> {
    let unfinished = "DELETE FROM fetch_frames WHERE fetch_id = $1 AND state NOT IN ('placed', 'waiting', 'aside')";
    tx.exec_sql(unfinished, values![fetch]).await?;
    Ok(())
}

/// The first position that no frame of a fetch has.
pub(super) async fn next_position(tx: &mut Tx, fetch: ActivityId) -> Result<i64, CatalogError> {
    let select = "SELECT COALESCE(MAX(position), -1) + 1 AS next FROM fetch_frames WHERE fetch_id = $1";
    tx.row_sql(select, values![fetch]).await?.map_or(Ok(0), |row| row.get("next"))
}

/// Adds the frames of a plan. A frame that an archive lists twice is one.
pub(super) async fn insert_frames(tx: &mut Tx, fetch: ActivityId, frames: &[PlannedFrame]) -> Result<(), CatalogError> {
    let now = tx.now();
    for some in frames.chunks(ROWS) {
        let mut statement = sea_query::Query::insert();
        statement.into_table("fetch_frames").columns([
            "fetch_id",
            "position",
            "archive",
            "name",
            "state",
            "change",
            "checksum",
            "size",
            "listing",
            "reason",
            "transferred",
            "changed_at",
        ]);
        for frame in some {
            let values: Vec<Value> = values![
                fetch,
                frame.position,
                frame.archive,
                frame.name,
                frame.state.name(),
                frame.change.map(Change::name),
                frame.checksum,
                frame.size,
                frame.listing,
                frame.reason,
                0_i64,
                now,
            ];
            statement.values_panic(values.into_iter().map(sea_query::Expr::value));
        }
        statement.on_conflict(sea_query::OnConflict::new().do_nothing().to_owned());
        tx.exec(&statement).await?;
    }
    Ok(())
}

/// The next frames that are to be fetched, after a position.
pub(super) async fn waiting(
    tx: &mut Tx,
    fetch: ActivityId,
    after: i64,
    limit: i64,
) -> Result<Vec<Waiting>, ArchiveError> {
    let select = "SELECT position, name, listing FROM fetch_frames \
                  WHERE fetch_id = $1 AND state = 'planned' AND position > $2 ORDER BY position LIMIT $3";
    let rows = tx.rows_sql(select, values![fetch, after, limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(Waiting {
                position: row.get("position")?,
                name: row.get("name")?,
                listing: row.get::<Option<String>>("listing")?.unwrap_or_default(),
            })
        })
        .collect()
}

pub(super) async fn settle(tx: &mut Tx, fetch: ActivityId, outcome: &Outcome) -> Result<(), CatalogError> {
    let now = tx.now();
    tx.exec_sql(
        "UPDATE fetch_frames SET state = $3, reason = $4, path = $5, transferred = $6, replaced = COALESCE($7, replaced), \
         listing = NULL, changed_at = $8 WHERE fetch_id = $1 AND position = $2",
        values![
            fetch,
            outcome.position,
            outcome.state.name(),
            outcome.reason,
            outcome.path,
            outcome.transferred,
            outcome.replaced,
            now,
        ],
    )
    .await?;
    Ok(())
}

pub(super) async fn tally(tx: &mut Tx, fetch: ActivityId) -> Result<Tally, ArchiveError> {
    let select = "SELECT state, count(*) AS frames, CAST(COALESCE(sum(transferred), 0) AS bigint) AS bytes \
                  FROM fetch_frames WHERE fetch_id = $1 GROUP BY state";
    let (mut frames, mut transferred) = (Vec::new(), 0);
    for row in tx.rows_sql(select, values![fetch]).await? {
        frames.push((read_state(&row)?, whole(row.get("frames")?)));
        transferred += whole(row.get("bytes")?);
    }
    frames.sort_unstable_by_key(|(state, _)| FrameState::ALL.iter().position(|known| known == state));
    Ok(Tally { frames, transferred })
}

/// The frames of a fetch in their order, those in one state only if that is given.
pub(super) async fn frames(
    tx: &mut Tx,
    fetch: ActivityId,
    state: Option<FrameState>,
    after: i64,
    limit: i64,
) -> Result<Vec<FetchFrame>, ArchiveError> {
    let select = "SELECT position, archive, name, state, change, checksum, size, reason, path, transferred, changed_at \
                  FROM fetch_frames WHERE fetch_id = $1 AND ($2 IS NULL OR state = $2) AND position > $3 ORDER BY position LIMIT $4";
    let rows = tx.rows_sql(select, values![fetch, state.map(FrameState::name), after, limit]).await?;
    rows.iter()
        .map(|row| {
            let change: Option<String> = row.get("change")?;
            Ok(FetchFrame {
                position: row.get("position")?,
                archive: row.get("archive")?,
                name: row.get("name")?,
                state: read_state(row)?,
                change: change.as_deref().and_then(Change::from_name),
                checksum: row.get("checksum")?,
                size: row.get("size")?,
                reason: row.get("reason")?,
                path: row.get("path")?,
                transferred: row.get("transferred")?,
                changed_at: row.get("changed_at")?,
            })
        })
        .collect()
}

/// The frames of a fetch that it put in their places.
pub(super) async fn placed(
    tx: &mut Tx,
    fetch: ActivityId,
    after: i64,
    limit: i64,
) -> Result<Vec<Placed>, ArchiveError> {
    let select = "SELECT position, archive, name, replaced FROM fetch_frames \
                  WHERE fetch_id = $1 AND state IN ('placed', 'waiting', 'aside') AND position > $2 ORDER BY position LIMIT $3";
    let rows = tx.rows_sql(select, values![fetch, after, limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(Placed {
                position: row.get("position")?,
                archive: row.get("archive")?,
                name: row.get("name")?,
                replaced: row.get("replaced")?,
            })
        })
        .collect()
}

const HELD: &str = "SELECT state, checksum, version, size, blob, path, stamp, fetch_id FROM held_frames \
                    WHERE project = $1 AND tree = $2 AND archive = $3 AND name = $4";

/// What a tree holds of a frame.
pub(super) async fn held(tx: &mut Tx, shelf: &Shelf, name: &str) -> Result<Option<HeldFrame>, ArchiveError> {
    let row = tx.row_sql(HELD, values![shelf.project, shelf.tree, shelf.archive, name]).await?;
    row.map(|row| read_held(&row)).transpose()
}

fn read_held(row: &Row) -> Result<HeldFrame, ArchiveError> {
    Ok(HeldFrame {
        state: read_state(row)?,
        checksum: row.get("checksum")?,
        version: row.get("version")?,
        size: row.get("size")?,
        blob: row.get("blob")?,
        path: row.get("path")?,
        stamp: row.get("stamp")?,
        fetch: row.get("fetch_id")?,
    })
}

/// The bytes of a frame that some tree of the project has from the archive, if they are those that it lists now.
pub(super) async fn bytes_elsewhere(
    tx: &mut Tx,
    shelf: &Shelf,
    name: &str,
    checksum: Option<&str>,
    version: Option<&str>,
) -> Result<Option<Digest>, CatalogError> {
    let select = "SELECT blob FROM held_frames WHERE project = $1 AND archive = $2 AND name = $3 AND blob IS NOT NULL \
                  AND (checksum = $4 OR ($4 IS NULL AND version = $5)) LIMIT 1";
    let row = tx.row_sql(select, values![shelf.project, shelf.archive, name, checksum, version]).await?;
    row.map(|row| row.get("blob")).transpose()
}

/// What is written down of a frame that a tree holds beside [`HeldFrame`].
#[derive(Debug, Clone)]
pub(super) struct Facts<'f> {
    pub name: &'f str,
    pub proposal: &'f str,
    pub observed_at: Option<Instant>,
}

pub(super) async fn hold(tx: &mut Tx, shelf: &Shelf, facts: &Facts<'_>, held: &HeldFrame) -> Result<(), CatalogError> {
    tx.exec_sql(
        "INSERT INTO held_frames (project, tree, archive, name, proposal, state, checksum, version, size, observed_at, blob, \
         path, stamp, fetch_id, seen) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14) \
         ON CONFLICT (project, tree, archive, name) DO UPDATE SET proposal = excluded.proposal, state = excluded.state, \
         checksum = excluded.checksum, version = excluded.version, size = excluded.size, observed_at = excluded.observed_at, \
         blob = excluded.blob, path = excluded.path, stamp = excluded.stamp, fetch_id = excluded.fetch_id, seen = excluded.seen",
        values![
            shelf.project,
            shelf.tree,
            shelf.archive,
            facts.name,
            facts.proposal,
            held.state.name(),
            held.checksum,
            held.version,
            held.size,
            facts.observed_at,
            held.blob,
            held.path,
            held.stamp,
            held.fetch,
        ],
    )
    .await?;
    Ok(())
}

/// Writes over what is held of a frame that is held already; its other facts stay.
pub(super) async fn hold_again(tx: &mut Tx, shelf: &Shelf, name: &str, held: &HeldFrame) -> Result<(), CatalogError> {
    tx.exec_sql(
        "UPDATE held_frames SET state = $5, checksum = $6, version = $7, size = $8, blob = $9, path = $10, stamp = $11, \
         fetch_id = $12 WHERE project = $1 AND tree = $2 AND archive = $3 AND name = $4",
        values![
            shelf.project,
            shelf.tree,
            shelf.archive,
            name,
            held.state.name(),
            held.checksum,
            held.version,
            held.size,
            held.blob,
            held.path,
            held.stamp,
            held.fetch,
        ],
    )
    .await?;
    Ok(())
}

pub(super) async fn let_go(tx: &mut Tx, shelf: &Shelf, name: &str) -> Result<(), CatalogError> {
    tx.exec_sql(
        "DELETE FROM held_frames WHERE project = $1 AND tree = $2 AND archive = $3 AND name = $4",
        values![shelf.project, shelf.tree, shelf.archive, name],
    )
    .await?;
    Ok(())
}

/// Notes that an archive still lists a frame.
pub(super) async fn see(tx: &mut Tx, shelf: &Shelf, name: &str, fetch: ActivityId) -> Result<(), CatalogError> {
    tx.exec_sql(
        "UPDATE held_frames SET seen = $5 WHERE project = $1 AND tree = $2 AND archive = $3 AND name = $4",
        values![shelf.project, shelf.tree, shelf.archive, name, fetch],
    )
    .await?;
    Ok(())
}

/// Who has a file under a path of the tree, other than this frame.
pub(super) async fn other_at(
    tx: &mut Tx,
    shelf: &Shelf,
    name: &str,
    path: &str,
) -> Result<Option<String>, CatalogError> {
    let select =
        "SELECT name FROM held_frames WHERE tree = $1 AND path = $2 AND NOT (archive = $3 AND name = $4) LIMIT 1";
    let row = tx.row_sql(select, values![shelf.tree, path, shelf.archive, name]).await?;
    row.map(|row| row.get("name")).transpose()
}

/// The frames of a proposal that a tree holds and that the archive did not list for this fetch, though they are of its window.
pub(super) async fn gone(
    tx: &mut Tx,
    shelf: &Shelf,
    proposal: &str,
    window: Window,
    fetch: ActivityId,
    limit: i64,
) -> Result<Vec<String>, CatalogError> {
    let select = "SELECT name FROM held_frames WHERE project = $1 AND tree = $2 AND archive = $3 AND proposal = $4 \
                  AND observed_at >= $5 AND observed_at <= $6 AND seen <> $7 ORDER BY name LIMIT $8";
    let bound = values![shelf.project, shelf.tree, shelf.archive, proposal, window.start, window.end, fetch, limit];
    tx.rows_sql(select, bound).await?.iter().map(|row| row.get("name")).collect()
}

fn read_state(row: &Row) -> Result<FrameState, ArchiveError> {
    let text: String = row.get("state")?;
    text.parse::<FrameState>()
        .map_err(|error| CatalogError::Column { column: "state".to_owned(), problem: error.to_string() }.into())
}

pub(super) fn read_json<T: serde::de::DeserializeOwned>(column: &str, text: &str) -> Result<T, ArchiveError> {
    serde_json::from_str(text)
        .map_err(|error| CatalogError::Column { column: column.to_owned(), problem: error.to_string() }.into())
}

/// A count, which is never negative.
fn whole(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}
