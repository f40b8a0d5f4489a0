//! Lineage: where something came from, what came of it, and nothing of other people's.

use holotype_catalog::{Catalog, CatalogError, Direction, Entity, Graph, Node, RecordKind, Relation, Tx, values};
use holotype_core::{ActivityId, Caller, Clock as _, Digest, ProjectId, UserId};

use crate::blobs::{pin, refer, reference};
use crate::engines::{Bench, on_both};
use crate::principals::two_users;

const DATAPOINT: RecordKind = RecordKind {
    kind: "datapoint",
    table: "datapoints",
    id_column: "id",
    integer_ids: false,
    project_column: "project",
    agent_column: "agent",
    created_column: "created_at",
};

async fn activity(
    tx: &mut Tx,
    project: ProjectId,
    used: &[Entity],
    made: &[Entity],
) -> Result<ActivityId, CatalogError> {
    let id = tx.new_activity_id()?;
    let insert =
        "INSERT INTO activities (id, project, kind, agent, state, attempt, max_attempts, priority, params, progress,
            code_version, created_at, run_after)
        VALUES ($1, $2, 'reduce', $3, 'succeeded', 1, 1, 0, '{}', 1.0, '0.1.0', $4, $4)";
    tx.exec_sql(insert, values![id, project, UserId::LOCAL, tx.now()]).await?;
    for entity in used {
        tx.add_input(id, entity.clone()).await?;
        tx.add_input(id, entity.clone()).await?;
    }
    for entity in made {
        tx.add_output(id, entity.clone()).await?;
    }
    Ok(id)
}

async fn run(catalog: &Catalog, project: ProjectId, used: Vec<Entity>, made: Vec<Entity>) -> ActivityId {
    let ran = catalog.write(move |tx| {
        let (used, made) = (used.clone(), made.clone());
        Box::pin(async move { activity(tx, project, &used, &made).await })
    });
    ran.await.unwrap()
}

async fn datapoint(catalog: &Catalog, project: ProjectId, id: &'static str) -> Entity {
    let added = catalog.write(move |tx| {
        Box::pin(async move {
            let insert = "INSERT INTO datapoints
                (project, id, label, data_type, data_timestamp, document, content_digest, agent, created_at)
                VALUES ($1, $2, '', 'json', '', '{}', $3, $4, $5)";
            tx.exec_sql(insert, values![project, id, vec![0_u8], UserId::LOCAL, tx.now()]).await
        })
    });
    added.await.unwrap();
    Entity::record("datapoint", project, id)
}

fn blob(text: &str) -> Entity {
    Entity::blob(ProjectId::DEFAULT, Digest::of(text.as_bytes()))
}

/// The graph as `a relation b`, sorted; blobs by their text, activities by their kind.
fn lines(graph: &Graph, names: &[&str]) -> Vec<String> {
    let name = |place: usize| match &graph.nodes[place] {
        Node::Activity { kind, .. } => kind.clone(),
        Node::Entity { entity, .. } => {
            let text = names.iter().find(|name| Digest::of(name.as_bytes()).to_string() == entity.id);
            text.map_or(entity.id.clone(), |name| (*name).to_owned())
        }
    };
    let mut lines: Vec<String> = graph
        .edges
        .iter()
        .map(|edge| format!("{} {} {}", name(edge.from), edge.relation.name(), name(edge.to)))
        .collect();
    lines.sort_unstable();
    lines
}

async fn walk(catalog: &Catalog, caller: &Caller, start: &Entity, direction: Direction, depth: usize) -> Graph {
    catalog.lineage(caller, start.clone(), direction, depth).await.unwrap()
}

on_both! {
    a_chain_is_walked_both_ways_from_its_middle
    a_walk_ends_at_its_depth_and_says_so
    a_cycle_ends
    a_captured_record_says_who_and_when_without_an_activity
    records_with_the_same_bytes_are_not_each_others_origin
    what_lies_in_other_projects_is_not_shown
    what_nobody_has_heard_of_has_no_lineage
    a_crowd_is_cut_off
}

async fn a_chain_is_walked_both_ways_from_its_middle(bench: Bench) {
    let (catalog, local) = (&bench.catalog, Catalog::local_owner());
    run(catalog, ProjectId::DEFAULT, vec![blob("raw")], vec![blob("clean")]).await;
    let last = run(catalog, ProjectId::DEFAULT, vec![blob("clean")], vec![blob("plot")]).await;
    let names = ["raw", "clean", "plot"];
    let back = ["raw used reduce", "reduce generated clean"];
    let forward = ["clean used reduce", "reduce generated plot"];
    let walked = walk(catalog, &local, &blob("clean"), Direction::Back, 9).await;
    assert_eq!(lines(&walked, &names), back);
    assert!(!walked.truncated);
    let walked = walk(catalog, &local, &blob("clean"), Direction::Forward, 9).await;
    assert_eq!(lines(&walked, &names), forward);
    let both = walk(catalog, &local, &blob("clean"), Direction::Both, 9).await;
    assert_eq!(both.nodes.len(), 5);
    assert_eq!(lines(&both, &names), {
        let mut all = [back, forward].concat();
        all.sort_unstable();
        all
    });
    let job = Entity::record("job", ProjectId::DEFAULT, last.to_string());
    let walked = walk(catalog, &local, &job, Direction::Back, 9).await;
    assert_eq!(lines(&walked, &names), ["clean used reduce", "raw used reduce", "reduce generated clean"]);
    assert!(matches!(&walked.nodes[0], Node::Activity { id, .. } if *id == last), "the start is the first");
}

async fn a_walk_ends_at_its_depth_and_says_so(bench: Bench) {
    let (catalog, local) = (&bench.catalog, Catalog::local_owner());
    for step in 0..5 {
        let (from, to) = (blob(&step.to_string()), blob(&(step + 1).to_string()));
        run(catalog, ProjectId::DEFAULT, vec![from], vec![to]).await;
    }
    for (depth, nodes, truncated) in [(0, 1, true), (2, 3, true), (9, 10, true), (10, 11, false), (99, 11, false)] {
        let walked = walk(catalog, &local, &blob("5"), Direction::Back, depth).await;
        assert_eq!((walked.nodes.len(), walked.truncated), (nodes, truncated), "depth {depth}");
    }
}

async fn a_cycle_ends(bench: Bench) {
    let (catalog, local) = (&bench.catalog, Catalog::local_owner());
    run(catalog, ProjectId::DEFAULT, vec![blob("a")], vec![blob("b")]).await;
    run(catalog, ProjectId::DEFAULT, vec![blob("b")], vec![blob("a")]).await;
    let walked = walk(catalog, &local, &blob("a"), Direction::Both, 50).await;
    assert_eq!((walked.nodes.len(), walked.edges.len(), walked.truncated), (4, 4, false));
}

async fn a_captured_record_says_who_and_when_without_an_activity(bench: Bench) {
    let (catalog, local) = (&bench.catalog, Catalog::local_owner());
    catalog.register_record_kind(DATAPOINT);
    let record = datapoint(catalog, ProjectId::DEFAULT, "dp").await;
    pin(catalog, Digest::of(b"raw"), bench.clock.now()).await;
    refer(catalog, reference(Digest::of(b"raw"), "dp", "0")).await.unwrap();
    run(catalog, ProjectId::DEFAULT, vec![blob("raw")], vec![blob("plot")]).await;
    // From a plot back to the measurement, over its bytes.
    let walked = walk(catalog, &local, &blob("plot"), Direction::Back, 9).await;
    assert_eq!(lines(&walked, &["raw", "plot"]), ["dp contains raw", "raw used reduce", "reduce generated plot"]);
    let (agent, at) = (Some(UserId::LOCAL), Some(bench.clock.now()));
    assert!(walked.nodes.contains(&Node::Entity { entity: record.clone(), agent, at }));
    // And from the measurement to what came of it.
    let walked = walk(catalog, &local, &record, Direction::Forward, 9).await;
    assert_eq!(lines(&walked, &["raw", "plot"]), ["dp contains raw", "raw used reduce", "reduce generated plot"]);
}

async fn records_with_the_same_bytes_are_not_each_others_origin(bench: Bench) {
    let (catalog, local) = (&bench.catalog, Catalog::local_owner());
    catalog.register_record_kind(DATAPOINT);
    let one = datapoint(catalog, ProjectId::DEFAULT, "one").await;
    datapoint(catalog, ProjectId::DEFAULT, "two").await;
    pin(catalog, Digest::of(b"same"), bench.clock.now()).await;
    for record in ["one", "two"] {
        refer(catalog, reference(Digest::of(b"same"), record, "0")).await.unwrap();
    }
    let walked = walk(catalog, &local, &one, Direction::Both, 9).await;
    assert_eq!(lines(&walked, &["same"]), ["one contains same"]);
    // Asked of the bytes themselves, both hold them.
    let walked = walk(catalog, &local, &blob("same"), Direction::Back, 9).await;
    assert_eq!(lines(&walked, &["same"]), ["one contains same", "two contains same"]);
}

async fn what_lies_in_other_projects_is_not_shown(bench: Bench) {
    let catalog = &bench.catalog;
    let (ada, ben) = two_users(catalog).await;
    let theirs = Entity::record("table", ben.project, "private");
    // Ada's job was given something of Ben's, and its outcome went on in Ben's project.
    run(catalog, ada.project, vec![blob("raw"), theirs.clone()], vec![blob("plot")]).await;
    run(catalog, ben.project, vec![blob("plot")], vec![theirs.clone()]).await;
    let walked = walk(catalog, &ada, &blob("plot"), Direction::Both, 9).await;
    assert_eq!(lines(&walked, &["raw", "plot"]), ["raw used reduce", "reduce generated plot"]);
    for (caller, start) in [(&ada, &theirs), (&ben, &blob("plot"))] {
        let refused = catalog.lineage(caller, start.clone(), Direction::Both, 9).await;
        assert!(matches!(refused, Err(CatalogError::NotFound { .. })), "{refused:?}");
    }
}

async fn what_nobody_has_heard_of_has_no_lineage(bench: Bench) {
    let (catalog, local) = (&bench.catalog, Catalog::local_owner());
    catalog.register_record_kind(DATAPOINT);
    datapoint(catalog, ProjectId::DEFAULT, "there").await;
    let job = bench.clock.now();
    for start in [
        blob("unknown"),
        Entity::record("datapoint", ProjectId::DEFAULT, "absent"),
        Entity::record("job", ProjectId::DEFAULT, "no id"),
        Entity::record("job", ProjectId::DEFAULT, ActivityId::from_parts(job, 1).to_string()),
    ] {
        let refused = catalog.lineage(&local, start.clone(), Direction::Both, 9).await;
        assert!(matches!(refused, Err(CatalogError::NotFound { .. })), "{start:?}: {refused:?}");
    }
    let alone =
        walk(catalog, &local, &Entity::record("datapoint", ProjectId::DEFAULT, "there"), Direction::Both, 9).await;
    assert_eq!((alone.nodes.len(), alone.edges.len()), (1, 0));
}

async fn a_crowd_is_cut_off(bench: Bench) {
    let (catalog, local) = (&bench.catalog, Catalog::local_owner());
    let made = (0..1_200).map(|number| blob(&format!("{number}"))).collect();
    run(catalog, ProjectId::DEFAULT, vec![blob("raw")], made).await;
    let walked = walk(catalog, &local, &blob("raw"), Direction::Forward, 9).await;
    assert_eq!((walked.nodes.len(), walked.truncated), (1_000, true));
    assert!(walked.edges.iter().any(|edge| edge.relation == Relation::Used));
}
