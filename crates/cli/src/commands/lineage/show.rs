//! `holotype lineage show`

use clap::ValueEnum;
use holotype_api::lineage::{Lineage, LineageNode};
use holotype_client::LineageQuery;

use super::entity::Entity;
use crate::context::Context;
use crate::failure::Failure;
use crate::ui::{Table, or_dash, when, who};

/// Walk from one thing back to what it was made from and forward to what was made from it
#[derive(Debug, clap::Args)]
#[command(after_long_help = "\
A thing is named by kind and id: datapoint ID, job ID or blob SHA-256, also as one word with a slash.
A bare SHA-256 is a blob, any other bare word a datapoint. With --prov the answer is a W3C PROV-JSON
document.

Examples:
  holotype lineage show frame-1
  holotype lineage show job 01JD3Z5N2V8Q0W4X6Y7Z8A9B0C --direction forward --depth 3
  holotype lineage show frame-1 --prov > frame-1.prov.json")]
pub(super) struct Show {
    /// What to start from: its kind, or all of its name
    thing: String,
    /// Its id, after its kind
    id: Option<String>,
    /// Which way to walk
    #[arg(long, value_enum, default_value_t = Direction::Both)]
    direction: Direction,
    /// Most steps away from the start
    #[arg(long, value_name = "STEPS")]
    depth: Option<u32>,
    /// Write W3C PROV-JSON
    #[arg(long)]
    prov: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Direction {
    Both,
    Back,
    Forward,
}

impl Direction {
    fn name(self) -> &'static str {
        match self {
            Direction::Both => "both",
            Direction::Back => "back",
            Direction::Forward => "forward",
        }
    }
}

impl Show {
    pub(super) async fn run(self, context: &Context) -> Result<(), Failure> {
        let Entity { kind, id } = Entity::named(&self.thing, self.id.as_deref());
        let query = LineageQuery { direction: self.direction.name().to_owned(), depth: self.depth };
        if self.prov {
            let document = context.api(async |client| client.provenance(&kind, &id, &query).await).await?;
            return context.ui.result(&document, || format!("{document:#}\n"));
        }
        let lineage = context.api(async |client| client.lineage(&kind, &id, &query).await).await?;
        context.ui.result(&lineage, || render(&lineage))?;
        if lineage.truncated {
            context.ui.note("there is more; --depth goes further");
        }
        Ok(())
    }
}

fn name(node: &LineageNode) -> String {
    format!("{}/{}", node.kind, node.id)
}

/// The things that were met, and below them how they belong together, what came first on the left.
fn render(lineage: &Lineage) -> String {
    let mut things = Table::new(["THING", "WHEN (UTC)", "BY"]);
    for node in &lineage.nodes {
        things.row([name(node), or_dash(node.at.map(when)), or_dash(node.agent.map(who))]);
    }
    if lineage.edges.is_empty() {
        return things.render();
    }
    let place = |index: u32| {
        usize::try_from(index).ok().and_then(|index| lineage.nodes.get(index)).map_or_else(|| "?".to_owned(), name)
    };
    let mut edges = Table::new(["FROM", "", "TO"]);
    for edge in &lineage.edges {
        edges.row([place(edge.from), edge.relation.clone(), place(edge.to)]);
    }
    format!("{}\n{}", things.render(), edges.render())
}
