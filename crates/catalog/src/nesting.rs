//! A write inside a write would wait for itself for ever; this tells them apart from others.

use crate::CatalogError;

tokio::task_local! {
    static WRITING: ();
}

/// Runs something that counts as being inside a write.
pub(crate) fn inside<F: Future>(work: F) -> impl Future<Output = F::Output> {
    WRITING.scope((), work)
}

/// Whether a write may begin here.
pub(crate) fn expect_outside() -> Result<(), CatalogError> {
    WRITING.try_with(|()| ()).map_or(Ok(()), |()| Err(CatalogError::Nested))
}
