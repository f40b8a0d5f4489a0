//! Random bits from the system.

use crate::CatalogError;

/// 128 random bits: an id takes 80 of them.
///
/// # Errors
/// [`CatalogError::Random`].
pub fn bits() -> Result<u128, CatalogError> {
    bytes().map(u128::from_le_bytes)
}

/// Random bytes for a secret or a salt.
///
/// # Errors
/// [`CatalogError::Random`].
pub fn bytes<const COUNT: usize>() -> Result<[u8; COUNT], CatalogError> {
    let mut bytes = [0; COUNT];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
