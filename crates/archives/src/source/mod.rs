//! Archives to fetch from: what they list, and where its bytes are.
//!
//! An [`ArchiveSource`] turns a [`Query`] into a stream of [`Listed`] frames, and a listed frame into a [`Download`] that is
//! good now. What an archive answers is never believed further than it can be checked: names are refused unless they are one
//! plain file name, counts and links to a next page that are only estimates are not trusted, and each frame comes once.

mod checksum;
pub mod declared;
mod download;
mod error;
mod listed;
mod name;
mod ocs;
mod pages;

use async_trait::async_trait;
use futures::stream::BoxStream;

pub use checksum::{Algorithm, Checksum, InvalidChecksum, Verifier};
pub use declared::{Declared, Definition};
pub use download::Download;
pub(crate) use download::shown;
pub use error::SourceError;
pub use listed::{Limits, Listed, Query};
pub use name::check_name;
pub use ocs::Ocs;

use crate::http::Http;

/// An archive that can be asked what it has.
#[async_trait]
pub trait ArchiveSource: Send + Sync + std::fmt::Debug {
    /// The frames that match, each once, in the archive's own order. Pages are asked for as the stream is read.
    ///
    /// An error for which [`SourceError::is_about_one_frame`] holds stands in the place of that frame, and the rest follows. Any
    /// other error is the last item: what came before it is true, but the list is not whole.
    fn list<'a>(&'a self, query: &'a Query) -> BoxStream<'a, Result<Listed, SourceError>>;

    /// A fresh address for a frame that was listed, because it came with none or its address has expired.
    ///
    /// # Errors
    /// If the archive does not answer, or no longer has this version of the frame ([`SourceError::Replaced`]).
    async fn resolve(&self, frame: &Listed) -> Result<Download, SourceError>;

    /// How the archive wants to be treated.
    fn limits(&self) -> Limits;

    /// The client to fetch its files with: it knows which addresses and redirects may be followed, and keeps its pace.
    fn http(&self) -> &Http;
}
