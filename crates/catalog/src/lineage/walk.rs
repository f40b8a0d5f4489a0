//! The walk: breadth first, a few queries for each level, never more than a bounded part of the graph.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use holotype_core::{ActivityId, Caller, Digest, ProjectId, Role};
use sea_query::{Expr, ExprTrait as _, Query, SelectStatement};

use super::{BLOB, Direction, Edge, Entity, Graph, JOB, Node, RecordKind, Relation};
use crate::blobs::CHUNK;
use crate::row::Row;
use crate::{CatalogError, Tx};

/// The most nodes that one walk gives.
const MOST_NODES: usize = 1_000;

/// The most steps that one walk takes.
const MOST_STEPS: usize = 50;

/// Walks from `start`; see [`Catalog::lineage`](crate::Catalog::lineage).
pub(super) async fn walk(
    tx: &mut Tx,
    caller: &Caller,
    kinds: &[RecordKind],
    start: Entity,
    direction: Direction,
    depth: usize,
) -> Result<Graph, CatalogError> {
    let unknown = || CatalogError::not_found("lineage of", format!("{} {}", start.kind, start.id));
    let start_key = Key::of(start.clone());
    let mut walk = Walk {
        tx,
        caller,
        kinds,
        graph: Graph::default(),
        edges: BTreeSet::new(),
        places: HashMap::new(),
        roles: HashMap::new(),
    };
    walk.meet(vec![start_key.clone()]).await?;
    if walk.graph.nodes.is_empty() {
        return Err(unknown());
    }
    let ways: &[Way] = match direction {
        Direction::Back => &[Way::Back],
        Direction::Forward => &[Way::Forward],
        Direction::Both => &[Way::Back, Way::Forward],
    };
    for way in ways {
        walk.follow(&start_key, *way, depth.min(MOST_STEPS)).await?;
    }
    if walk.graph.nodes.len() == 1 && !walk.is_known(&start_key).await? {
        return Err(unknown());
    }
    walk.graph.edges = walk.edges.into_iter().collect();
    Ok(walk.graph)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Back,
    Forward,
}

/// What a node is found by.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Key {
    Entity(Entity),
    Activity(ActivityId),
}

impl Key {
    fn of(entity: Entity) -> Self {
        match entity.id.parse() {
            Ok(id) if entity.kind == JOB => Self::Activity(id),
            _ => Self::Entity(entity),
        }
    }
}

/// A step from one node to the next.
struct Step {
    from: Key,
    to: Key,
    relation: Relation,
}

impl Step {
    /// Where the step leads when the walk is at `here`.
    fn beyond(&self, here: &HashSet<Key>) -> Key {
        if here.contains(&self.from) { self.to.clone() } else { self.from.clone() }
    }
}

struct Walk<'w> {
    tx: &'w mut Tx,
    caller: &'w Caller,
    kinds: &'w [RecordKind],
    graph: Graph,
    edges: BTreeSet<Edge>,
    /// Where each met node is in the graph; `None` if the caller may not see it, or there is no room for it.
    places: HashMap<Key, Option<usize>>,
    roles: HashMap<ProjectId, Option<Role>>,
}

impl Walk<'_> {
    async fn follow(&mut self, start: &Key, way: Way, depth: usize) -> Result<(), CatalogError> {
        let mut walked = HashSet::from([start.clone()]);
        let mut level = HashSet::from([start.clone()]);
        // Bytes that a record brought in: other records with the same bytes are not its origin or its outcome.
        let mut contained = HashSet::new();
        for _ in 0..depth {
            let steps = self.steps_from(&level, way, &mut contained).await?;
            let next: HashSet<Key> = steps.iter().map(|step| step.beyond(&level)).collect();
            self.meet(next.iter().cloned().collect()).await?;
            self.connect(&steps);
            level = next.into_iter().filter(|key| self.is_shown(key) && walked.insert(key.clone())).collect();
            if level.is_empty() {
                return Ok(());
            }
        }
        // Whether there is more is only known by looking one step further.
        let further = self.steps_from(&level, way, &mut contained).await?;
        self.graph.truncated |= further.iter().any(|step| !self.places.contains_key(&step.beyond(&level)));
        Ok(())
    }

    async fn steps_from(
        &mut self,
        level: &HashSet<Key>,
        way: Way,
        contained: &mut HashSet<Key>,
    ) -> Result<Vec<Step>, CatalogError> {
        let mut steps = self.made_and_used(level, way).await?;
        let containing = self.containing(level, contained).await?;
        contained.extend(containing.iter().filter(|step| level.contains(&step.from)).map(|step| step.to.clone()));
        steps.extend(containing);
        Ok(steps)
    }

    fn is_shown(&self, key: &Key) -> bool {
        matches!(self.places.get(key), Some(Some(_)))
    }

    fn connect(&mut self, steps: &[Step]) {
        for step in steps {
            if let (Some(Some(from)), Some(Some(to))) = (self.places.get(&step.from), self.places.get(&step.to)) {
                self.edges.insert(Edge { from: *from, to: *to, relation: step.relation });
            }
        }
    }

    /// Takes nodes that are new into the graph, as far as the caller may see them and there is room.
    async fn meet(&mut self, mut keys: Vec<Key>) -> Result<(), CatalogError> {
        keys.retain(|key| !self.places.contains_key(key));
        // The order of a set is not the order of the next run.
        keys.sort_unstable();
        let mut nodes = self.nodes(&keys).await?;
        for key in keys {
            let place = match nodes.remove(&key) {
                Some(node) if self.may_see(&node).await? => {
                    self.graph.truncated |= self.graph.nodes.len() == MOST_NODES;
                    (self.graph.nodes.len() < MOST_NODES).then(|| {
                        self.graph.nodes.push(node);
                        self.graph.nodes.len() - 1
                    })
                }
                _ => None,
            };
            self.places.insert(key, place);
        }
        Ok(())
    }

    async fn may_see(&mut self, node: &Node) -> Result<bool, CatalogError> {
        let project = match node {
            Node::Entity { entity, .. } => entity.project,
            Node::Activity { project, .. } => *project,
        };
        if !self.roles.contains_key(&project) {
            let role = self.tx.role_of(self.caller.user, project).await?;
            self.roles.insert(project, role);
        }
        Ok(self.roles.get(&project).is_some_and(Option::is_some))
    }

    /// The nodes behind keys. An activity or a record of a known kind that does not exist is left out.
    async fn nodes(&mut self, keys: &[Key]) -> Result<HashMap<Key, Node>, CatalogError> {
        let mut nodes = HashMap::new();
        let activities: Vec<ActivityId> = keys.iter().filter_map(activity).collect();
        for chunk in activities.chunks(CHUNK) {
            let mut select = Query::select();
            let columns = ["id", "project", "kind", "agent", "state", "code_version"];
            select.columns(columns).columns(["created_at", "started_at", "finished_at"]).from("activities");
            select.and_where(Expr::col("id").is_in(chunk.iter().map(ToString::to_string)));
            for row in self.tx.rows(&select).await? {
                nodes.insert(Key::Activity(row.get("id")?), activity_node(&row)?);
            }
        }
        for ((kind, project), ids) in by_kind(keys) {
            let Some(record) = self.kinds.iter().find(|known| known.kind == kind) else {
                let entities = ids.into_iter().map(|id| Entity { kind: kind.clone(), project, id });
                nodes.extend(
                    entities
                        .map(|entity| (Key::Entity(entity.clone()), Node::Entity { entity, agent: None, at: None })),
                );
                continue;
            };
            for chunk in ids.chunks(CHUNK) {
                for row in self.tx.rows(&records(record, project, chunk)).await? {
                    let entity = Entity { kind: kind.clone(), project, id: row.get("id")? };
                    let (agent, at) = (row.get("agent")?, row.get("at")?);
                    nodes.insert(Key::Entity(entity.clone()), Node::Entity { entity, agent, at });
                }
            }
        }
        Ok(nodes)
    }

    /// The steps over activities: from an activity to its inputs or outputs, from an entity to what made or used it.
    async fn made_and_used(&mut self, level: &HashSet<Key>, way: Way) -> Result<Vec<Step>, CatalogError> {
        let keys: Vec<Key> = level.iter().cloned().collect();
        let activities: Vec<String> = keys.iter().filter_map(activity).map(|id| id.to_string()).collect();
        let (of_activity, of_entity) = match way {
            Way::Back => (Relation::Used, Relation::Generated),
            Way::Forward => (Relation::Generated, Relation::Used),
        };
        let mut steps = Vec::new();
        for chunk in activities.chunks(CHUNK) {
            let mut select = relations(of_activity);
            select.and_where(Expr::col("activity").is_in(chunk));
            self.steps(&select, of_activity, &mut steps).await?;
        }
        for ((kind, project), ids) in by_kind(&keys) {
            for chunk in ids.chunks(CHUNK) {
                let mut select = relations(of_entity);
                select.and_where(Expr::col("kind").eq(kind.as_str()));
                select.and_where(Expr::col("project").eq(project.to_string()));
                select.and_where(Expr::col("id").is_in(chunk));
                self.steps(&select, of_entity, &mut steps).await?;
            }
        }
        Ok(steps)
    }

    async fn steps(
        &mut self,
        select: &SelectStatement,
        relation: Relation,
        steps: &mut Vec<Step>,
    ) -> Result<(), CatalogError> {
        for row in self.tx.rows(select).await? {
            let activity = Key::Activity(row.get("activity")?);
            let entity = Entity { kind: row.get("kind")?, project: row.get("project")?, id: row.get("id")? };
            let entity = Key::of(entity);
            steps.push(match relation {
                Relation::Generated => Step { from: activity, to: entity, relation },
                Relation::Used | Relation::Contains => Step { from: entity, to: activity, relation },
            });
        }
        Ok(())
    }

    /// The steps between records and their bytes, but not from bytes in `contained` to other records.
    async fn containing(&mut self, level: &HashSet<Key>, contained: &HashSet<Key>) -> Result<Vec<Step>, CatalogError> {
        let keys: Vec<Key> = level.iter().filter(|key| !contained.contains(key)).cloned().collect();
        let mut steps = Vec::new();
        for ((kind, project), ids) in by_kind(&keys) {
            for chunk in ids.chunks(CHUNK) {
                let mut select = Query::select();
                select.columns(["kind", "record", "digest"]).from("blob_references");
                select.and_where(Expr::col("project").eq(project.to_string())).limit(limit());
                if kind == BLOB {
                    let digests = chunk.iter().filter_map(|id| id.parse::<Digest>().ok());
                    select.and_where(Expr::col("digest").is_in(digests.map(|digest| digest.as_bytes().to_vec())));
                } else {
                    select.and_where(Expr::col("kind").eq(kind.as_str())).and_where(Expr::col("record").is_in(chunk));
                }
                for row in self.tx.rows(&select).await? {
                    let record = Entity { kind: row.get("kind")?, project, id: row.get("record")? };
                    let blob = Entity::blob(project, row.get("digest")?);
                    let (from, to) = (Key::Entity(record), Key::Entity(blob));
                    steps.push(Step { from, to, relation: Relation::Contains });
                }
            }
        }
        Ok(steps)
    }

    /// Whether anything but the question speaks of a start that has no relations.
    async fn is_known(&mut self, start: &Key) -> Result<bool, CatalogError> {
        let Key::Entity(entity) = start else { return Ok(true) };
        if self.kinds.iter().any(|known| known.kind == entity.kind) {
            return Ok(true);
        }
        // A walk of no steps has not looked.
        let level = HashSet::from([start.clone()]);
        Ok(!self.containing(&level, &HashSet::new()).await?.is_empty()
            || !self.made_and_used(&level, Way::Back).await?.is_empty()
            || !self.made_and_used(&level, Way::Forward).await?.is_empty())
    }
}

fn activity(key: &Key) -> Option<ActivityId> {
    match key {
        Key::Activity(id) => Some(*id),
        Key::Entity(_) => None,
    }
}

/// The entities among keys, by what one query can ask for.
fn by_kind(keys: &[Key]) -> BTreeMap<(String, ProjectId), Vec<String>> {
    let mut groups: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for key in keys {
        if let Key::Entity(entity) = key {
            groups.entry((entity.kind.clone(), entity.project)).or_default().push(entity.id.clone());
        }
    }
    groups
}

fn relations(relation: Relation) -> SelectStatement {
    let table = if relation == Relation::Used { "activity_inputs" } else { "activity_outputs" };
    Query::select().columns(["activity", "kind", "project", "id"]).from(table).limit(limit()).to_owned()
}

/// One query gives no more than a walk can take, and one to know that there is more.
fn limit() -> u64 {
    MOST_NODES as u64 + 1
}

fn records(record: &RecordKind, project: ProjectId, ids: &[String]) -> SelectStatement {
    let column = Expr::col(record.id_column);
    let (id, wanted) = match record.integer_ids {
        false => (column.clone(), column.is_in(ids)),
        // What is no number names no record.
        true => {
            let numbers = ids.iter().filter_map(|id| id.parse::<i64>().ok());
            (column.clone().cast_as("text"), column.is_in(numbers))
        }
    };
    Query::select()
        .expr_as(id, "id")
        .expr_as(Expr::col(record.agent_column), "agent")
        .expr_as(Expr::col(record.created_column), "at")
        .from(record.table)
        .and_where(Expr::col(record.project_column).eq(project.to_string()))
        .and_where(wanted)
        .to_owned()
}

fn activity_node(row: &Row) -> Result<Node, CatalogError> {
    Ok(Node::Activity {
        id: row.get("id")?,
        project: row.get("project")?,
        kind: row.get("kind")?,
        agent: row.get("agent")?,
        state: row.get("state")?,
        code_version: row.get("code_version")?,
        created_at: row.get("created_at")?,
        started_at: row.get("started_at")?,
        finished_at: row.get("finished_at")?,
    })
}
