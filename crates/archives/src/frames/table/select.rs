//! Which frames a viewer's query means, as statements.

use holotype_catalog::{CatalogError, Row, Tx};
use holotype_core::Instant;
use sea_query::{Condition, Expr, ExprTrait, LikeExpr, NullOrdering, Order as Direction, Query, SelectStatement};

use super::{CHUNK, FACTS, FrameRow, facts};
use crate::ArchiveError;
use crate::frames::query::Key;
use crate::frames::sky::Limits;
use crate::frames::{Filter, FrameId, FrameQuery, NumberField, Order, OrderField, Position, TextField, Viewer};

/// A frame that SQL lets pass: its place in the list, and its area if that decides.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) place: Position,
    pub(crate) area: Option<String>,
}

/// How many frames a viewer's query means, as far as SQL decides.
pub(crate) async fn count(tx: &mut Tx, viewer: Viewer, query: &FrameQuery) -> Result<u64, CatalogError> {
    let mut select = wanted(viewer, query, tx.now());
    select.expr_as(Expr::cust("count(*)"), "total");
    let total = tx.row(&select).await?.map(|row| row.get::<i64>("total")).transpose()?.unwrap_or(0);
    Ok(total.unsigned_abs())
}

/// The frames that SQL lets pass, in their order from a place on; backwards from it if the place says so.
pub(crate) async fn candidates(
    tx: &mut Tx,
    viewer: Viewer,
    query: &FrameQuery,
    from: Option<&Position>,
    (limit, offset): (u64, u64),
) -> Result<Vec<Candidate>, CatalogError> {
    let column = sorted_by(query.order.field);
    let backwards = from.is_some_and(|place| place.backwards);
    let mut select = wanted(viewer, query, tx.now());
    select.expr_as(field("id"), "id").expr_as(field(column), "sort_key");
    if query.has_area() {
        select.expr_as(field("area"), "area");
    }
    if let Some(place) = from {
        select.cond_where(beyond(place, query.order));
    }
    let direction = if query.order.descending != backwards { Direction::Desc } else { Direction::Asc };
    let nothing = if backwards { NullOrdering::First } else { NullOrdering::Last };
    select.order_by_expr_with_nulls(field(column), direction.clone(), nothing);
    select.order_by(("frames", "id"), direction).limit(limit).offset(offset);
    let rows = tx.rows(&select).await?;
    rows.iter().map(|row| candidate(row, query, backwards)).collect()
}

fn candidate(row: &Row, query: &FrameQuery, backwards: bool) -> Result<Candidate, CatalogError> {
    let key = match query.order.field {
        OrderField::Id | OrderField::ObservationDate | OrderField::ReductionLevel => {
            row.get::<Option<i64>>("sort_key")?.map(Key::Integer)
        }
        OrderField::ExposureTime => row.get::<Option<f64>>("sort_key")?.map(Key::Real),
        _ => row.get::<Option<String>>("sort_key")?.map(Key::Text),
    };
    let area = if query.has_area() { row.get("area")? } else { None };
    let place = Position { key: key.unwrap_or(Key::Nothing), id: row.get("id")?, backwards };
    Ok(Candidate { place, area })
}

/// What comes after a place in an order, or before it. What lacks the key is last, whichever way the order goes.
fn beyond(place: &Position, order: Order) -> Condition {
    let (column, id) = (field(sorted_by(order.field)), field("id"));
    let ascends = order.descending == place.backwards;
    let id = if ascends { id.gt(place.id) } else { id.lt(place.id) };
    let value = match &place.key {
        Key::Nothing => {
            let among = Condition::all().add(column.clone().is_null()).add(id);
            return match place.backwards {
                false => among,
                true => Condition::any().add(column.is_not_null()).add(among),
            };
        }
        Key::Text(text) => Expr::val(text.as_str()),
        Key::Integer(number) => Expr::val(*number),
        Key::Real(number) => Expr::val(*number),
    };
    let past = if ascends { column.clone().gt(value.clone()) } else { column.clone().lt(value.clone()) };
    let equal = Condition::all().add(column.clone().eq(value)).add(id);
    let either = Condition::any().add(past).add(equal);
    if place.backwards { either } else { either.add(column.is_null()) }
}

/// Frames by their ids, in no order.
pub(crate) async fn frame_rows(tx: &mut Tx, ids: &[i64]) -> Result<Vec<FrameRow>, ArchiveError> {
    let mut found = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(CHUNK) {
        let mut select = Query::select();
        select.columns(["id", "project"]).columns(FACTS).from("frames");
        select.and_where(Expr::col("id").is_in(chunk.iter().copied()));
        for row in tx.rows(&select).await? {
            let id = FrameId(row.get("id")?);
            found.push(FrameRow { id, project: row.get("project")?, facts: facts(id, &row)? });
        }
    }
    Ok(found)
}

/// Those of some frames that a viewer sees.
pub(crate) async fn visible_ids(tx: &mut Tx, viewer: Viewer, ids: &[i64]) -> Result<Vec<i64>, CatalogError> {
    let mut seen = Vec::with_capacity(ids.len());
    for chunk in ids.chunks(CHUNK) {
        let mut select = wanted(viewer, &FrameQuery::default(), tx.now());
        select.expr_as(field("id"), "id").and_where(field("id").is_in(chunk.iter().copied()));
        for row in tx.rows(&select).await? {
            seen.push(row.get("id")?);
        }
    }
    Ok(seen)
}

/// The different values of a text field among the frames that a viewer's query means.
pub(crate) async fn distinct(
    tx: &mut Tx,
    viewer: Viewer,
    query: &FrameQuery,
    of: TextField,
) -> Result<Vec<String>, CatalogError> {
    let column = text_column(of);
    let mut select = wanted(viewer, query, tx.now());
    select.distinct().expr_as(field(column), "value").and_where(field(column).is_not_null());
    select.order_by(("frames", column), Direction::Asc);
    tx.rows(&select).await?.iter().map(|row| row.get("value")).collect()
}

/// Everything of a SELECT but its columns and its order.
fn wanted(viewer: Viewer, query: &FrameQuery, now: Instant) -> SelectStatement {
    let mut select = Query::select();
    select.from("frames");
    if let Some(visible) = visible(viewer, now) {
        select.cond_where(visible);
    }
    for filter in &query.filters {
        select.cond_where(condition(filter, viewer, now));
    }
    select
}

/// What a viewer may see; nothing to ask for who sees everything.
pub(super) fn visible(viewer: Viewer, now: Instant) -> Option<Condition> {
    let public = field("public_date").lte(now.as_micros());
    match viewer {
        Viewer::Everything => None,
        Viewer::Public => Some(Condition::all().add(public)),
        Viewer::User(_) => Some(own(viewer).add(public)),
    }
}

/// The frames of a user's projects, and those of proposals that such a project is named after.
fn own(viewer: Viewer) -> Condition {
    let Viewer::User(user) = viewer else { return Condition::any() };
    let is_member = Expr::col(("members", "user_id")).eq(user.to_string());
    let projects =
        Query::select().expr(Expr::col(("members", "project"))).from("members").and_where(is_member.clone()).to_owned();
    let proposals = Query::select()
        .expr(Expr::col(("projects", "name")))
        .from("projects")
        .inner_join("members", Expr::col(("members", "project")).equals(("projects", "id")))
        .and_where(is_member)
        .to_owned();
    Condition::any().add(field("project").in_subquery(projects)).add(field("proposal_id").in_subquery(proposals))
}

fn condition(filter: &Filter, viewer: Viewer, now: Instant) -> Condition {
    let one = |expression: Expr| Condition::all().add(expression);
    match filter {
        Filter::From(instant) => one(field("observation_date").gte(instant.as_micros())),
        Filter::Until(instant) => one(field("observation_date").lte(instant.as_micros())),
        Filter::ObservedAt(instant) => one(field("observation_date").eq(instant.as_micros())),
        Filter::Night(day) => one(field("observation_day").eq(day.as_str())),
        Filter::NameHas(text) => one(holds(Expr::cust("lower(frames.basename)"), &text.to_ascii_lowercase())),
        Filter::Name(name) => one(field("basename").eq(name.as_str())),
        Filter::TargetHas(text) => one(holds(field("target_folded"), &crate::frames::query::folded(text))),
        Filter::Target(name) => one(field("target_name").eq(name.as_str())),
        Filter::TargetIs(name) => one(field("target_folded").eq(crate::frames::query::folded(name))),
        Filter::NoTarget => one(field("target_name").eq("")),
        Filter::PublicAt(instant) => one(field("public_date").eq(instant.as_micros())),
        Filter::Own => match viewer {
            Viewer::User(_) => own(viewer),
            Viewer::Public | Viewer::Everything => {
                let date = field("public_date");
                Condition::any().add(date.clone().is_null()).add(date.gt(now.as_micros()))
            }
        },
        Filter::ExposedFor(seconds) => one(field("exposure_time").gte(*seconds)),
        Filter::Text(of, value) => one(field(text_column(*of)).eq(value.as_str())),
        Filter::Number(of, value) => one(field(number_column(*of)).eq(*value)),
        Filter::KindIn(kinds) => one(field("configuration_type").is_in(kinds.iter().map(String::as_str))),
        Filter::KindNotIn(kinds) => {
            let kind = field("configuration_type");
            Condition::any().add(kind.clone().is_null()).add(kind.is_not_in(kinds.iter().map(String::as_str)))
        }
        Filter::Covers(point) => {
            let [right_ascension, declination] = point.degrees();
            let (west, east) = (right_ascension, right_ascension);
            near(&Limits { west, east, south: declination, north: declination })
        }
        Filter::Intersects(region) => near(&region.limits()),
    }
}

/// Areas whose limits meet these; the limits of either may be a whole turn ahead.
fn near(limits: &Limits) -> Condition {
    let mut turns = Condition::any();
    for turn in [-360.0, 0.0, 360.0] {
        let overlap =
            Condition::all().add(field("west").lte(limits.east + turn)).add(field("east").gte(limits.west + turn));
        turns = turns.add(overlap);
    }
    Condition::all().add(field("south").lte(limits.north)).add(field("north").gte(limits.south)).add(turns)
}

/// Whether a text has another in it.
fn holds(column: Expr, text: &str) -> Expr {
    let escaped: String = text
        .chars()
        .flat_map(|character| matches!(character, '%' | '_' | '\\').then_some('\\').into_iter().chain([character]))
        .collect();
    column.like(LikeExpr::new(format!("%{escaped}%")).escape('\\'))
}

fn field(name: &'static str) -> Expr {
    Expr::col(("frames", name))
}

fn text_column(field: TextField) -> &'static str {
    match field {
        TextField::Proposal => "proposal_id",
        TextField::Instrument => "instrument_id",
        TextField::Site => "site_id",
        TextField::Telescope => "telescope_id",
        TextField::OpticalElement => "primary_optical_element",
        TextField::Kind => "configuration_type",
        TextField::Submitter => "submitter",
    }
}

fn number_column(field: NumberField) -> &'static str {
    match field {
        NumberField::Observation => "observation_id",
        NumberField::Request => "request_id",
        NumberField::ReductionLevel => "reduction_level",
    }
}

fn sorted_by(field: OrderField) -> &'static str {
    match field {
        OrderField::Id => "id",
        OrderField::Basename => "basename",
        OrderField::ObservationDate => "observation_date",
        OrderField::OpticalElement => "primary_optical_element",
        OrderField::Kind => "configuration_type",
        OrderField::Proposal => "proposal_id",
        OrderField::Instrument => "instrument_id",
        OrderField::Target => "target_name",
        OrderField::ReductionLevel => "reduction_level",
        OrderField::ExposureTime => "exposure_time",
    }
}
