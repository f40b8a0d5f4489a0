//! A part of the lineage as W3C PROV-JSON, which other tools read.
//!
//! Entities and activities keep their kinds and ids in our own namespace; an activity that used or generated something,
//! and an agent behind either, become the relations that PROV has for them. A record that holds bytes is `hadMember`.

use std::collections::BTreeSet;

use holotype_app::catalog::{Graph, Node, Relation};
use holotype_core::{Instant, UserId};
use serde_json::{Map, Value, json};

/// The prefix of our names.
const NAMESPACE: &str = "urn:holotype:";

/// The PROV-JSON document of a graph.
pub(super) fn document(graph: &Graph) -> Value {
    let mut sections = Sections::default();
    let mut agents = BTreeSet::new();
    for node in &graph.nodes {
        sections.node(node);
        agents.extend(agent(node));
    }
    for agent in agents {
        sections.put("agent", agent_name(agent), json!({}));
    }
    for edge in &graph.edges {
        if let (Some(from), Some(to)) = (graph.nodes.get(edge.from), graph.nodes.get(edge.to)) {
            sections.edge(edge.relation, &name(from), &name(to));
        }
    }
    sections.finish()
}

#[derive(Default)]
struct Sections {
    sections: Map<String, Value>,
    relations: usize,
}

impl Sections {
    fn put(&mut self, section: &str, key: String, facts: Value) {
        let members = self.sections.entry(section).or_insert_with(|| json!({}));
        if let Value::Object(members) = members {
            members.insert(key, facts);
        }
    }

    /// A relation needs a name that is unique in the document and means nothing.
    fn relate(&mut self, section: &str, facts: Value) {
        self.relations += 1;
        let key = format!("_:{}", self.relations);
        self.put(section, key, facts);
    }

    fn node(&mut self, node: &Node) {
        let name = name(node);
        match node {
            Node::Entity { entity, agent, at } => {
                let mut facts = Map::from_iter([
                    ("prov:type".to_owned(), json!(entity.kind)),
                    ("holotype:project".to_owned(), json!(entity.project)),
                ]);
                if let Some(at) = at {
                    facts.insert("holotype:createdAt".to_owned(), time(*at));
                }
                self.put("entity", name.clone(), Value::Object(facts));
                if let Some(agent) = agent {
                    self.relate("wasAttributedTo", json!({"prov:entity": name, "prov:agent": agent_name(*agent)}));
                }
            }
            Node::Activity { project, kind, agent, state, code_version, started_at, finished_at, .. } => {
                let mut facts = Map::from_iter([
                    ("prov:type".to_owned(), json!(kind)),
                    ("holotype:project".to_owned(), json!(project)),
                    ("holotype:state".to_owned(), json!(state)),
                    ("holotype:codeVersion".to_owned(), json!(code_version)),
                ]);
                for (key, at) in [("prov:startTime", started_at), ("prov:endTime", finished_at)] {
                    if let Some(at) = at {
                        facts.insert(key.to_owned(), json!(at));
                    }
                }
                self.put("activity", name.clone(), Value::Object(facts));
                self.relate("wasAssociatedWith", json!({"prov:activity": name, "prov:agent": agent_name(*agent)}));
            }
        }
    }

    fn edge(&mut self, relation: Relation, from: &str, to: &str) {
        match relation {
            Relation::Used => self.relate("used", json!({"prov:activity": to, "prov:entity": from})),
            Relation::Generated => self.relate("wasGeneratedBy", json!({"prov:entity": to, "prov:activity": from})),
            Relation::Contains => self.relate("hadMember", json!({"prov:collection": from, "prov:entity": to})),
        }
    }

    fn finish(self) -> Value {
        let mut document = Map::from_iter([("prefix".to_owned(), json!({"holotype": NAMESPACE}))]);
        document.extend(self.sections);
        Value::Object(document)
    }
}

fn agent(node: &Node) -> Option<UserId> {
    match node {
        Node::Entity { agent, .. } => *agent,
        Node::Activity { agent, .. } => Some(*agent),
    }
}

fn agent_name(agent: UserId) -> String {
    format!("holotype:user/{agent}")
}

/// The qualified name of a node. The project is part of it, since ids are unique in a project only.
fn name(node: &Node) -> String {
    match node {
        Node::Entity { entity, .. } => format!("holotype:{}/{}/{}", entity.project, entity.kind, entity.id),
        Node::Activity { id, project, .. } => format!("holotype:{project}/job/{id}"),
    }
}

fn time(at: Instant) -> Value {
    json!({"$": at, "type": "xsd:dateTime"})
}

#[cfg(test)]
mod tests {
    use holotype_app::catalog::{Edge, Entity};
    use holotype_core::{ActivityId, Digest, ProjectId};

    use super::*;

    #[test]
    fn what_was_used_made_and_held_becomes_relations_between_names() {
        let project = ProjectId::DEFAULT;
        let at = Instant::from_micros(1_000_000);
        let record = Node::Entity {
            entity: Entity::record("datapoint", project, "d1"),
            agent: Some(UserId::LOCAL),
            at: Some(at),
        };
        let blob = Node::Entity { entity: Entity::blob(project, Digest::of(b"x")), agent: None, at: None };
        let job = Node::Activity {
            id: ActivityId::from_parts(at, 1),
            project,
            kind: "stack".to_owned(),
            agent: UserId::LOCAL,
            state: "succeeded".to_owned(),
            code_version: "1".to_owned(),
            created_at: at,
            started_at: Some(at),
            finished_at: None,
        };
        let names = [name(&record), name(&blob), name(&job)];
        let graph = Graph {
            nodes: vec![record, blob, job],
            edges: vec![
                Edge { from: 0, to: 1, relation: Relation::Contains },
                Edge { from: 1, to: 2, relation: Relation::Used },
                Edge { from: 2, to: 0, relation: Relation::Generated },
            ],
            truncated: false,
        };
        let document = document(&graph);
        let only = |section: &str| document[section].as_object().unwrap().values().next().unwrap().clone();
        assert_eq!(only("hadMember"), json!({"prov:collection": names[0], "prov:entity": names[1]}));
        assert_eq!(only("used"), json!({"prov:activity": names[2], "prov:entity": names[1]}));
        assert_eq!(only("wasGeneratedBy"), json!({"prov:entity": names[0], "prov:activity": names[2]}));
        assert_eq!(document["agent"].as_object().unwrap().len(), 1);
        assert_eq!(document["activity"][&names[2]]["prov:startTime"], "1970-01-01T00:00:01Z");
        for name in &names {
            assert!(name.starts_with("holotype:"), "{name}");
        }
    }
}
