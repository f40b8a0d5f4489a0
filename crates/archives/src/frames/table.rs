//! The tables of frames, and the only place where statements on them are made.

mod select;

use std::collections::HashMap;

use holotype_catalog::{CatalogError, Row, Tx, values};
use holotype_core::{Digest, ProjectId, UserId};
use sea_query::{Expr, ExprTrait, Order as Direction, Query, SelectStatement, Value};

use super::query::folded;
use super::sky::Region;
use super::{Facts, FrameId, Thumbnail, ThumbnailId, ThumbnailQuery, ThumbnailSize, Version, VersionId};
use crate::ArchiveError;

pub(crate) use select::{Candidate, candidates, count, distinct, frame_rows, visible_ids};

/// Values in a list of one statement.
const CHUNK: usize = 500;

/// The columns of facts, but for the headers.
const FACTS: [&str; 17] = [
    "basename",
    "observation_date",
    "observation_day",
    "proposal_id",
    "instrument_id",
    "target_name",
    "site_id",
    "telescope_id",
    "primary_optical_element",
    "configuration_type",
    "submitter",
    "reduction_level",
    "exposure_time",
    "public_date",
    "observation_id",
    "request_id",
    "area",
];

/// A frame that is there already.
#[derive(Debug)]
pub(crate) struct Existing {
    pub(crate) id: FrameId,
    pub(crate) facts: Facts,
}

/// A version about to be stored.
#[derive(Debug)]
pub(crate) struct NewVersion<'v> {
    pub(crate) digest: Digest,
    pub(crate) md5: [u8; 16],
    pub(crate) size: u64,
    pub(crate) extension: &'v str,
    pub(crate) agent: UserId,
}

/// A frame as it is in its table.
#[derive(Debug)]
pub(crate) struct FrameRow {
    pub(crate) id: FrameId,
    pub(crate) project: ProjectId,
    pub(crate) facts: Facts,
}

/// Stores a frame unless its project has one of that name; whether it did.
pub(crate) async fn insert(
    tx: &mut Tx,
    project: ProjectId,
    agent: UserId,
    facts: &Facts,
) -> Result<bool, ArchiveError> {
    let insert = "INSERT INTO frames (basename, observation_date, observation_day, proposal_id, instrument_id, target_name,
            target_folded, site_id, telescope_id, primary_optical_element, configuration_type, submitter, reduction_level,
            exposure_time, public_date, observation_id, request_id, area, west, east, south, north, project, agent,
            created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
            $24, $25)
        ON CONFLICT (project, basename) DO NOTHING";
    let now = tx.now();
    let mut values = written(facts);
    values.extend(values![project, agent, now]);
    Ok(tx.exec_sql(insert, values).await? == 1)
}

/// Writes over what is known of a frame.
pub(crate) async fn update(tx: &mut Tx, frame: FrameId, facts: &Facts) -> Result<(), ArchiveError> {
    let update = "UPDATE frames SET basename = $1, observation_date = $2, observation_day = $3, proposal_id = $4,
            instrument_id = $5, target_name = $6, target_folded = $7, site_id = $8, telescope_id = $9,
            primary_optical_element = $10, configuration_type = $11, submitter = $12, reduction_level = $13,
            exposure_time = $14, public_date = $15, observation_id = $16, request_id = $17, area = $18, west = $19,
            east = $20, south = $21, north = $22
        WHERE id = $23";
    let mut values = written(facts);
    values.extend(values![frame.0]);
    tx.exec_sql(update, values).await?;
    Ok(())
}

/// The values of facts, in the order of the statements above.
fn written(facts: &Facts) -> Vec<Value> {
    // An area that encloses nothing we understand is kept, and found by no position.
    let limits = facts.area.as_deref().and_then(Region::of_ring).map(|region| region.limits());
    let area = facts.area.as_ref().map(|ring| serde_json::json!(ring).to_string());
    values![
        facts.basename,
        facts.observation_date,
        facts.observation_day,
        facts.proposal_id,
        facts.instrument_id,
        facts.target_name,
        facts.target_name.as_deref().map(folded),
        facts.site_id,
        facts.telescope_id,
        facts.primary_optical_element,
        facts.configuration_type,
        facts.submitter,
        facts.reduction_level,
        facts.exposure_time,
        facts.public_date,
        facts.observation_id,
        facts.request_id,
        area,
        limits.map(|limits| limits.west),
        limits.map(|limits| limits.east),
        limits.map(|limits| limits.south),
        limits.map(|limits| limits.north),
    ]
}

/// A frame of a project, whose row nobody else changes before the end of the transaction.
pub(crate) async fn lock(tx: &mut Tx, project: ProjectId, basename: &str) -> Result<Existing, ArchiveError> {
    let lock = "UPDATE frames SET basename = basename WHERE project = $1 AND basename = $2
        RETURNING id, basename, observation_date, observation_day, proposal_id, instrument_id, target_name, site_id,
            telescope_id, primary_optical_element, configuration_type, submitter, reduction_level, exposure_time,
            public_date, observation_id, request_id, area";
    let row = tx.row_sql(lock, values![project, basename]).await?.ok_or(ArchiveError::NoFrame)?;
    let id = FrameId(row.get("id")?);
    Ok(Existing { id, facts: facts(id, &row)? })
}

/// The projects that have a frame of this name.
pub(crate) async fn projects_of(tx: &mut Tx, basename: &str) -> Result<Vec<ProjectId>, CatalogError> {
    let rows = tx.rows_sql("SELECT project FROM frames WHERE basename = $1", values![basename]).await?;
    rows.iter().map(|row| row.get("project")).collect()
}

/// Notes the names of a frame's relatives; those it had stay.
pub(crate) async fn relate(tx: &mut Tx, frame: FrameId, related: &[String]) -> Result<(), CatalogError> {
    for name in related {
        let insert = "INSERT INTO frame_relations (frame, related) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        tx.exec_sql(insert, values![frame.0, name]).await?;
    }
    Ok(())
}

/// Stores a version.
pub(crate) async fn insert_version(
    tx: &mut Tx,
    frame: FrameId,
    version: &NewVersion<'_>,
) -> Result<VersionId, CatalogError> {
    let insert = "INSERT INTO frame_versions (frame, digest, md5, size, extension, agent, created_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id";
    let now = tx.now();
    let size = i64::try_from(version.size).unwrap_or(i64::MAX);
    let values = values![frame.0, version.digest, version.md5.to_vec(), size, version.extension, version.agent, now];
    one_id(tx.row_sql(insert, values).await?).map(VersionId)
}

/// The newest version of a frame.
pub(crate) async fn newest_version(tx: &mut Tx, frame: FrameId) -> Result<Option<Version>, CatalogError> {
    let select = "SELECT id, frame, digest, md5, size, extension, created_at FROM frame_versions
        WHERE frame = $1 ORDER BY id DESC LIMIT 1";
    tx.row_sql(select, values![frame.0]).await?.as_ref().map(version).transpose()
}

/// The versions of frames, the newest first.
pub(crate) async fn versions(tx: &mut Tx, frames: &[FrameId]) -> Result<HashMap<FrameId, Vec<Version>>, CatalogError> {
    let mut found: HashMap<FrameId, Vec<Version>> = HashMap::new();
    for chunk in frames.chunks(CHUNK) {
        let mut select = version_columns();
        select.and_where(Expr::col("frame").is_in(chunk.iter().map(|frame| frame.0)));
        for row in tx.rows(select.order_by("id", Direction::Desc)).await? {
            let version = version(&row)?;
            found.entry(version.frame).or_default().push(version);
        }
    }
    Ok(found)
}

/// Versions of all frames by their MD5, or all of them: their number, and a part of them in the order of their ids.
pub(crate) async fn all_versions(
    tx: &mut Tx,
    md5: Option<&[u8]>,
    limit: u64,
    offset: u64,
) -> Result<(u64, Vec<Version>), CatalogError> {
    let narrowed = |mut select: SelectStatement| {
        if let Some(md5) = md5 {
            select.and_where(Expr::col("md5").eq(md5.to_vec()));
        }
        select
    };
    let counting = Query::select().expr_as(Expr::cust("count(*)"), "total").from("frame_versions").to_owned();
    let total = tx.row(&narrowed(counting)).await?.map(|row| row.get::<i64>("total")).transpose()?.unwrap_or(0);
    let mut select = narrowed(version_columns());
    select.order_by("id", Direction::Asc).limit(limit).offset(offset);
    let versions = tx.rows(&select).await?.iter().map(version).collect::<Result<_, _>>()?;
    Ok((total.unsigned_abs(), versions))
}

fn version_columns() -> SelectStatement {
    Query::select()
        .columns(["id", "frame", "digest", "md5", "size", "extension", "created_at"])
        .from("frame_versions")
        .to_owned()
}

fn version(row: &Row) -> Result<Version, CatalogError> {
    Ok(Version {
        id: VersionId(row.get("id")?),
        frame: FrameId(row.get("frame")?),
        digest: row.get("digest")?,
        md5: md5(row)?,
        size: row.get::<i64>("size")?.unsigned_abs(),
        extension: row.get("extension")?,
        created_at: row.get("created_at")?,
    })
}

fn md5(row: &Row) -> Result<[u8; 16], CatalogError> {
    let bytes: Vec<u8> = row.get("md5")?;
    let problem = || CatalogError::Column { column: "md5".to_owned(), problem: "it has not 16 bytes".to_owned() };
    bytes.try_into().map_err(|_| problem())
}

/// The digest and size of bytes that are held under an MD5.
pub(crate) async fn held_by_md5(tx: &mut Tx, md5: &[u8]) -> Result<Option<(Digest, u64)>, CatalogError> {
    let select = "SELECT digest, size FROM blobs WHERE md5 = $1 AND state <> 'deleting' ORDER BY digest LIMIT 1";
    let row = tx.row_sql(select, values![md5]).await?;
    row.map(|row| Ok((row.get("digest")?, row.get::<i64>("size")?.unsigned_abs()))).transpose()
}

/// The relatives of frames within their projects, in either direction.
///
/// Names are looked up one table at a time: a join would let a database without statistics begin at the wrong end.
pub(crate) async fn relatives(tx: &mut Tx, frames: &[FrameId]) -> Result<HashMap<FrameId, Vec<FrameId>>, CatalogError> {
    let ids: Vec<i64> = frames.iter().map(|frame| frame.0).collect();
    let known = names(tx, "id", &ids).await?;
    let named = relations(tx, "frame", &ids).await?;
    let targets: Vec<String> = distinct_values(named.iter().map(|(_, name)| name.clone()));
    let own: Vec<String> = distinct_values(known.iter().map(|frame| frame.basename.clone()));
    let naming = relations(tx, "related", &own).await?;
    let sources: Vec<i64> = distinct_values(naming.iter().map(|(source, _)| *source));
    let by_place = |frames: Vec<Named>| {
        let places = frames.into_iter().map(|frame| ((frame.project, frame.basename), frame.id));
        places.collect::<HashMap<(ProjectId, String), i64>>()
    };
    let projects: HashMap<i64, ProjectId> = known.iter().map(|frame| (frame.id, frame.project)).collect();
    let (target_ids, source_projects) =
        (by_place(names(tx, "basename", &targets).await?), names(tx, "id", &sources).await?);
    let (own_ids, mut found) = (by_place(known), HashMap::<FrameId, Vec<FrameId>>::new());
    for (frame, name) in named {
        let target = projects.get(&frame).and_then(|project| target_ids.get(&(*project, name)));
        found.entry(FrameId(frame)).or_default().extend(target.copied().map(FrameId));
    }
    let source_projects: HashMap<i64, ProjectId> =
        source_projects.into_iter().map(|frame| (frame.id, frame.project)).collect();
    for (source, name) in naming {
        if let Some(frame) = source_projects.get(&source).and_then(|project| own_ids.get(&(*project, name))) {
            found.entry(FrameId(*frame)).or_default().push(FrameId(source));
        }
    }
    for relatives in found.values_mut() {
        relatives.sort_unstable();
        relatives.dedup();
    }
    Ok(found)
}

/// A frame by its place among others.
struct Named {
    id: i64,
    project: ProjectId,
    basename: String,
}

/// The frames of which a column has one of these values.
async fn names<T>(tx: &mut Tx, column: &'static str, values: &[T]) -> Result<Vec<Named>, CatalogError>
where
    T: Clone + Into<Value>,
{
    let mut found = Vec::new();
    for chunk in values.chunks(CHUNK) {
        let mut select = Query::select();
        select.columns(["id", "project", "basename"]).from("frames");
        select.and_where(Expr::col(column).is_in(chunk.iter().cloned()));
        for row in tx.rows(&select).await? {
            found.push(Named { id: row.get("id")?, project: row.get("project")?, basename: row.get("basename")? });
        }
    }
    Ok(found)
}

/// The relations of which a column has one of these values: the frame, and the name it gives.
async fn relations<T>(tx: &mut Tx, column: &'static str, values: &[T]) -> Result<Vec<(i64, String)>, CatalogError>
where
    T: Clone + Into<Value>,
{
    let mut found = Vec::new();
    for chunk in values.chunks(CHUNK) {
        let mut select = Query::select();
        select.columns(["frame", "related"]).from("frame_relations");
        select.and_where(Expr::col(column).is_in(chunk.iter().cloned()));
        for row in tx.rows(&select).await? {
            found.push((row.get("frame")?, row.get("related")?));
        }
    }
    Ok(found)
}

fn distinct_values<T: Ord>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut values: Vec<T> = values.collect();
    values.sort_unstable();
    values.dedup();
    values
}

/// Stores a frame's headers: over those it has, or only if it has none.
pub(crate) async fn put_headers(
    tx: &mut Tx,
    frame: FrameId,
    headers: &serde_json::Map<String, serde_json::Value>,
    replace: bool,
) -> Result<(), CatalogError> {
    let statement = match replace {
        true => {
            "INSERT INTO frame_headers (frame, headers) VALUES ($1, $2)
                ON CONFLICT (frame) DO UPDATE SET headers = excluded.headers"
        }
        false => "INSERT INTO frame_headers (frame, headers) VALUES ($1, $2) ON CONFLICT (frame) DO NOTHING",
    };
    let text = serde_json::Value::Object(headers.clone()).to_string();
    tx.exec_sql(statement, values![frame.0, text]).await.map(drop)
}

/// A frame's headers; none if nobody told any.
pub(crate) async fn headers_of(
    tx: &mut Tx,
    frame: FrameId,
) -> Result<serde_json::Map<String, serde_json::Value>, ArchiveError> {
    let row = tx.row_sql("SELECT headers FROM frame_headers WHERE frame = $1", values![frame.0]).await?;
    let Some(row) = row else { return Ok(serde_json::Map::new()) };
    serde_json::from_str(&row.get::<String>("headers")?).map_err(|error| damaged(frame, error))
}

fn damaged(frame: FrameId, problem: impl std::fmt::Display) -> ArchiveError {
    ArchiveError::DamagedFrame { frame: frame.0, problem: problem.to_string() }
}

/// What a row says of a frame, but for its headers.
fn facts(frame: FrameId, row: &Row) -> Result<Facts, ArchiveError> {
    let area: Option<String> = row.get("area")?;
    let area = area.map(|text| serde_json::from_str(&text)).transpose().map_err(|error| damaged(frame, error))?;
    Ok(Facts {
        basename: row.get("basename")?,
        observation_date: row.get("observation_date")?,
        observation_day: row.get("observation_day")?,
        proposal_id: row.get("proposal_id")?,
        instrument_id: row.get("instrument_id")?,
        target_name: row.get("target_name")?,
        site_id: row.get("site_id")?,
        telescope_id: row.get("telescope_id")?,
        primary_optical_element: row.get("primary_optical_element")?,
        configuration_type: row.get("configuration_type")?,
        submitter: row.get("submitter")?,
        reduction_level: row.get("reduction_level")?,
        exposure_time: row.get("exposure_time")?,
        public_date: row.get("public_date")?,
        observation_id: row.get("observation_id")?,
        request_id: row.get("request_id")?,
        area,
        headers: serde_json::Map::new(),
        related: Vec::new(),
    })
}

/// Stores a thumbnail unless the version has one of that size; whether it did.
pub(crate) async fn insert_thumbnail(
    tx: &mut Tx,
    version: VersionId,
    size: ThumbnailSize,
    (digest, md5, bytes): (Digest, [u8; 16], u64),
) -> Result<bool, CatalogError> {
    let insert = "INSERT INTO frame_thumbnails (version, size, digest, md5, bytes, created_at)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (version, size) DO NOTHING";
    let now = tx.now();
    let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
    let values = values![version.0, size.name(), digest, md5.to_vec(), bytes, now];
    Ok(tx.exec_sql(insert, values).await? == 1)
}

/// The thumbnails of versions.
pub(crate) async fn thumbnails(
    tx: &mut Tx,
    versions: &[VersionId],
) -> Result<HashMap<FrameId, Vec<Thumbnail>>, CatalogError> {
    let mut found: HashMap<FrameId, Vec<Thumbnail>> = HashMap::new();
    for chunk in versions.chunks(CHUNK) {
        let mut select = thumbnail_columns(thumbnail_tables());
        select.and_where(Expr::col(("frame_thumbnails", "version")).is_in(chunk.iter().map(|version| version.0)));
        for row in tx.rows(select.order_by(("frame_thumbnails", "id"), Direction::Asc)).await? {
            let thumbnail = thumbnail(&row)?;
            found.entry(thumbnail.frame).or_default().push(thumbnail);
        }
    }
    Ok(found)
}

/// Thumbnails of visible frames: their number, and a part of them in the order of their ids.
pub(crate) async fn visible_thumbnails(
    tx: &mut Tx,
    viewer: super::Viewer,
    query: &ThumbnailQuery,
    limit: u64,
    offset: u64,
) -> Result<(u64, Vec<Thumbnail>), CatalogError> {
    let now = tx.now();
    let narrowed = |mut select: SelectStatement| {
        if let Some(visible) = select::visible(viewer, now) {
            select.cond_where(visible);
        }
        let texts = [
            ("frames", "basename", query.basename.as_deref()),
            ("frames", "proposal_id", query.proposal_id.as_deref()),
            ("frame_thumbnails", "size", query.size.map(ThumbnailSize::name)),
        ];
        for (table, column, value) in texts {
            if let Some(value) = value {
                select.and_where(Expr::col((table, column)).eq(value));
            }
        }
        let numbers = [
            ("frames", "observation_id", query.observation_id),
            ("frames", "request_id", query.request_id),
            ("frame_thumbnails", "id", query.id.map(|id| id.0)),
        ];
        for (table, column, value) in numbers {
            if let Some(value) = value {
                select.and_where(Expr::col((table, column)).eq(value));
            }
        }
        select
    };
    let mut counting = thumbnail_tables();
    counting.expr_as(Expr::cust("count(*)"), "total");
    let total = tx.row(&narrowed(counting)).await?.map(|row| row.get::<i64>("total")).transpose()?.unwrap_or(0);
    let mut select = narrowed(thumbnail_columns(thumbnail_tables()));
    select.order_by(("frame_thumbnails", "id"), Direction::Asc).limit(limit).offset(offset);
    let thumbnails = tx.rows(&select).await?.iter().map(thumbnail).collect::<Result<_, _>>()?;
    Ok((total.unsigned_abs(), thumbnails))
}

fn thumbnail_tables() -> SelectStatement {
    let column = |table: &'static str, name: &'static str| Expr::col((table, name));
    let mut select = Query::select();
    select.from("frame_thumbnails");
    select.inner_join("frame_versions", column("frame_versions", "id").equals(("frame_thumbnails", "version")));
    select.inner_join("frames", column("frames", "id").equals(("frame_versions", "frame")));
    select
}

fn thumbnail_columns(mut select: SelectStatement) -> SelectStatement {
    for name in ["id", "size", "digest", "md5", "bytes", "created_at"] {
        select.expr(Expr::col(("frame_thumbnails", name)));
    }
    select.expr(Expr::col(("frame_versions", "frame"))).expr(Expr::col(("frames", "basename")));
    select
}

fn thumbnail(row: &Row) -> Result<Thumbnail, CatalogError> {
    let size: String = row.get("size")?;
    let unknown = |()| CatalogError::Column { column: "size".to_owned(), problem: format!("'{size}' is no size") };
    Ok(Thumbnail {
        id: ThumbnailId(row.get("id")?),
        frame: FrameId(row.get("frame")?),
        basename: row.get("basename")?,
        size: size.parse().map_err(unknown)?,
        digest: row.get("digest")?,
        md5: md5(row)?,
        bytes: row.get::<i64>("bytes")?.unsigned_abs(),
        created_at: row.get("created_at")?,
    })
}

fn one_id(row: Option<Row>) -> Result<i64, CatalogError> {
    let absent = || CatalogError::Column { column: "id".to_owned(), problem: "nothing was returned".to_owned() };
    row.ok_or_else(absent)?.get("id")
}
