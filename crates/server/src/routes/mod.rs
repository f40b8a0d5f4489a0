//! Routes: the contract's own at the root, ours under `/api/v1`.
#![expect(unused_qualifications, reason = "the macro that describes routes writes names in full")]

pub(crate) mod datapoints;
pub(crate) mod frames;
pub(crate) mod health;
pub(crate) mod methods;
pub(crate) mod sessions;
pub(crate) mod settings;
pub(crate) mod slashes;
pub(crate) mod v1;
