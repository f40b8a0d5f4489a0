//! Inputs found for a caller: in archives through the port, and among the caller's own results here.

use futures::{StreamExt as _, TryStreamExt as _};
use holotype_core::Caller;

use crate::{FileName, InputError, InputItem, Origin, Place, Resolved, SessionError, Sessions, table};

/// Inputs that are looked for at a time.
const AT_A_TIME: usize = 8;

impl Sessions {
    /// Finds the files of a field, in order.
    pub(crate) async fn resolve_all(
        &self,
        caller: &Caller,
        field: &str,
        items: &[InputItem],
    ) -> Result<Vec<Resolved>, SessionError> {
        let problem = |problem| SessionError::Input { field: field.to_owned(), problem };
        let searches: Vec<_> = items.iter().map(|item| self.resolve(caller, item)).collect();
        futures::stream::iter(searches).buffered(AT_A_TIME).map_err(problem).try_collect().await
    }

    /// Finds one input that the caller has the right to.
    pub(crate) async fn resolve(&self, caller: &Caller, item: &InputItem) -> Result<Resolved, InputError> {
        match item.origin {
            Origin::Archive => self.frames().resolve(caller, item).await,
            Origin::Datalab => self.resolve_output(caller, &item.basename).await,
        }
    }

    /// The FITS file of an earlier operation of the caller's.
    async fn resolve_output(&self, caller: &Caller, basename: &str) -> Result<Resolved, InputError> {
        let absent = || InputError::Absent { basename: basename.to_owned(), place: "your operations" };
        let name = FileName::parse(&format!("{basename}.fits")).ok_or_else(absent)?;
        let (user, wanted) = (caller.user, name.clone());
        let found = self.catalog().read(move |tx| {
            let name = wanted.clone();
            Box::pin(async move {
                match name.key() {
                    Some(key) if table::has_result(tx, user, &key).await? => table::file(tx, &name).await,
                    _ => Ok(None),
                }
            })
        });
        let file = found.await.map_err(unreadable)?.ok_or_else(absent)?;
        Ok(Resolved {
            version: format!("sha256:{}", file.digest),
            file_name: name.to_string(),
            place: Place::Held { digest: file.digest, size: file.size },
        })
    }
}

fn unreadable(error: holotype_catalog::CatalogError) -> InputError {
    let problem = error.to_string();
    match error.category().is_transient() {
        true => InputError::Unavailable { problem },
        false => InputError::Internal { problem },
    }
}
