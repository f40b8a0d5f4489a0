//! What users, tokens and projects may be called.

use holotype_core::ProjectId;

use crate::CatalogError;

/// The most characters of a name.
const LONGEST: usize = 100;

/// Refuses a name that cannot be told apart from an id, does not fit in an address or a credential, or does not show.
///
/// # Errors
/// [`CatalogError::Invalid`].
pub(crate) fn check(kind: &str, name: &str) -> Result<(), CatalogError> {
    let refuse = |problem: &str| Err(CatalogError::invalid(format!("the name of a {kind} {problem}")));
    if name.is_empty() || name.chars().count() > LONGEST {
        return refuse("has between 1 and 100 characters");
    }
    if name.trim() != name || name.chars().any(char::is_control) {
        return refuse("begins and ends with a visible character and holds no control characters");
    }
    if name.contains(['/', ':', '?', '#', '\\']) || name == "." || name == ".." {
        return refuse(r"holds none of / : ? # \ and is neither . nor ..");
    }
    if name.parse::<ProjectId>().is_ok() {
        return refuse("does not look like an id");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_people_use_are_taken_and_traps_are_not() {
        for name in ["ada", "Émilie du Châtelet", "night-crew_2", "a@example.org"] {
            check("user", name).unwrap();
        }
        let long = "x".repeat(101);
        for name in ["", " ada", "a:b", "a/b", "..", "a\nb", "01ARZ3NDEKTSV4RRFFQ69G5FAV", long.as_str()] {
            assert!(matches!(check("user", name), Err(CatalogError::Invalid { .. })), "{name:?}");
        }
    }
}
