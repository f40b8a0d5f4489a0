//! What a walk through the lineage starts at, as it is typed.

use holotype_core::Digest;

/// A thing by its kind and name: `datapoint ID`, `job ID`, `blob SHA-256`, also as one word with a slash. A bare SHA-256 is
/// a blob, and any other bare word a datapoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entity {
    pub(super) kind: String,
    pub(super) id: String,
}

impl Entity {
    /// The thing that one or two words name.
    pub(super) fn named(first: &str, second: Option<&str>) -> Self {
        let (kind, id) = match (second, first.split_once('/')) {
            (Some(id), _) => (first, id),
            (None, Some((kind, id))) => (kind, id),
            (None, None) if first.parse::<Digest>().is_ok() => ("blob", first),
            (None, None) => ("datapoint", first),
        };
        Self { kind: kind.to_owned(), id: id.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bare_name_is_a_datapoint_and_a_bare_digest_a_blob() {
        let named = |first, second| {
            let Entity { kind, id } = Entity::named(first, second);
            format!("{kind} {id}")
        };
        let digest = Digest::of(b"x").to_string();
        assert_eq!(named(&digest, None), format!("blob {digest}"));
        assert_eq!(named("frame-1", None), "datapoint frame-1");
        assert_eq!(named("job/01J", None), "job 01J");
        assert_eq!(named("datapoint/a/b", None), "datapoint a/b");
        assert_eq!(named("datapoint", Some("job/1")), "datapoint job/1");
    }
}
