//! The words every room uses, and nothing that touches the world.
//!
//! Ids, digests, instants, roles, error categories, exact JSON, and the [`filter`] that decides whether a document matches.
//! There is no IO here, no async and no clock: the time comes in as a value through [`Clock`].
//!
//! ```
//! use holotype_core::{Category, Digest, Instant};
//! let digest: Digest = Digest::of(b"abc");
//! assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
//! assert_eq!(Instant::from_micros(0).to_string(), "1970-01-01T00:00:00Z");
//! assert_eq!(Category::NotFound.name(), "not_found");
//! ```

mod access;
mod category;
mod digest;
mod id;
mod instant;

pub mod filter;
pub mod json;
pub mod number;

pub use access::{Caller, Role, UnknownRole};
pub use category::Category;
pub use digest::{Digest, Hasher, InvalidDigest};
pub use id::{ActivityId, InvalidId, ProjectId, TokenId, UserId};
pub use instant::{Clock, Instant, InvalidInstant};
