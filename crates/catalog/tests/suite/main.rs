//! What the catalog promises, on both engines.

#[cfg(test)]
mod backups;
#[cfg(test)]
mod blobs;
#[cfg(test)]
mod engines;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod lineage;
#[cfg(test)]
mod principals;
#[cfg(test)]
mod projects;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod transactions;
