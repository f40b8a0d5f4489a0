//! What the catalog promises, on both engines.

#[cfg(test)]
mod engines;
#[cfg(test)]
mod transactions;
