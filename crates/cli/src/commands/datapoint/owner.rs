//! Whose datapoint it is, as a command takes it: `--owner experiment=01J...`.

use std::str::FromStr;

/// What a datapoint can be owned by, in the order in which it is written.
const OWNERS: [&str; 10] =
    ["user", "experiment", "campaign", "project", "node", "workcell", "lab", "step", "workflow", "manager"];

/// One owner: what it is, and its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    /// The member of `ownership_info`, for example `experiment_id`.
    pub(super) field: String,
    /// Its id, which the server checks.
    pub(super) id: String,
}

impl FromStr for Owner {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, id) =
            text.split_once('=').ok_or("KIND=ID is needed, for example experiment=01JD3Z5N2V8Q0W4X6Y7Z8A9B0C")?;
        let kind = name.strip_suffix("_id").unwrap_or(name);
        if !OWNERS.contains(&kind) {
            return Err(format!("'{kind}' cannot own a datapoint; one of {} can", OWNERS.join(", ")));
        }
        Ok(Self { field: format!("{kind}_id"), id: id.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_named_with_or_without_its_ending() {
        let expected = Owner { field: "experiment_id".to_owned(), id: "X".to_owned() };
        assert_eq!("experiment=X".parse(), Ok(expected.clone()));
        assert_eq!("experiment_id=X".parse(), Ok(expected));
        assert!("cat=X".parse::<Owner>().unwrap_err().contains("'cat' cannot own"));
        assert!("experiment".parse::<Owner>().is_err());
    }
}
