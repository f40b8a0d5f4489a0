//! What there is to choose from: the different values of fields among frames.

use std::sync::Arc;

use super::{Filter, FrameQuery, TextField, Viewer, table};
use crate::{ArchiveError, Archives};

/// The different values among some frames, each in alphabetical order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aggregates {
    /// Sites.
    pub sites: Vec<String>,
    /// Telescopes.
    pub telescopes: Vec<String>,
    /// Filters.
    pub filters: Vec<String>,
    /// Instruments.
    pub instruments: Vec<String>,
    /// Kinds of exposure.
    pub kinds: Vec<String>,
    /// Proposals.
    pub proposals: Vec<String>,
}

impl Archives {
    /// The proposals of a viewer's own frames, in alphabetical order.
    ///
    /// # Errors
    /// What the catalog refuses.
    pub async fn own_proposals(&self, viewer: Viewer) -> Result<Vec<String>, ArchiveError> {
        self.catalog()
            .read(move |tx| {
                Box::pin(async move {
                    let own = FrameQuery { filters: vec![Filter::Own], ..FrameQuery::default() };
                    Ok(table::distinct(tx, viewer, &own, TextField::Proposal).await?)
                })
            })
            .await
    }

    /// The different values among the frames that a viewer sees and a query means.
    ///
    /// # Errors
    /// What the catalog refuses.
    pub async fn aggregate(&self, viewer: Viewer, query: FrameQuery) -> Result<Aggregates, ArchiveError> {
        let query = Arc::new(query);
        self.catalog()
            .read(move |tx| {
                let query = Arc::clone(&query);
                Box::pin(async move {
                    let mut aggregates = Aggregates::default();
                    let Aggregates { sites, telescopes, filters, instruments, kinds, proposals } = &mut aggregates;
                    for (field, values) in [
                        (TextField::Site, sites),
                        (TextField::Telescope, telescopes),
                        (TextField::OpticalElement, filters),
                        (TextField::Instrument, instruments),
                        (TextField::Kind, kinds),
                        (TextField::Proposal, proposals),
                    ] {
                        *values = table::distinct(tx, viewer, &query, field).await?;
                    }
                    Ok::<_, ArchiveError>(aggregates)
                })
            })
            .await
    }
}
