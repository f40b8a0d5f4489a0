//! How large a JSON Schema is once its references are followed, so that running it on a value is bounded.

use std::collections::HashMap;

use serde_json::Value;

/// The deepest that a schema nests, references followed.
const DEEPEST: usize = 100;

/// The most parts of a schema, references followed: what a value is held against at each of its places.
const MOST_PARTS: usize = 2_000;

/// The versions of JSON Schema that are understood.
const VERSIONS: [&str; 4] = [
    "https://json-schema.org/draft/2020-12/schema",
    "https://json-schema.org/draft/2019-09/schema",
    "http://json-schema.org/draft-07/schema",
    "http://json-schema.org/draft-06/schema",
];

/// Refuses a schema whose references leave it or form a circle, or that unfolds to too much.
pub(crate) fn check(schema: &Value) -> Result<(), String> {
    if let Some(version) = schema.get("$schema") {
        let version = version.as_str().unwrap_or_default().trim_end_matches('#');
        if !VERSIONS.contains(&version) {
            return Err(format!("$schema must be one of {}", VERSIONS.join(", ")));
        }
    }
    let mut unfolding = Unfolding { root: schema, sizes: HashMap::new() };
    unfolding.size(schema, 0).map(drop)
}

/// Every text under a `unit` keyword.
pub(crate) fn units(schema: &Value) -> Box<dyn Iterator<Item = &str> + '_> {
    match schema {
        Value::Array(items) => Box::new(items.iter().flat_map(units)),
        Value::Object(members) => {
            let own = members.get("unit").and_then(Value::as_str);
            Box::new(own.into_iter().chain(members.values().flat_map(units)))
        }
        _ => Box::new(std::iter::empty()),
    }
}

struct Unfolding<'s> {
    root: &'s Value,
    /// The sizes of what references lead to; none while it is being measured.
    sizes: HashMap<&'s str, Option<usize>>,
}

impl<'s> Unfolding<'s> {
    /// The parts of `schema`. Every object counts as a schema, also where it is only data: that errs on the safe side.
    fn size(&mut self, schema: &'s Value, depth: usize) -> Result<usize, String> {
        if depth > DEEPEST {
            return Err(format!("it nests deeper than {DEEPEST} levels, references followed"));
        }
        let mut size = 1;
        match schema {
            Value::Object(members) => {
                for (key, member) in members {
                    size += match (key.as_str(), member) {
                        ("$ref", Value::String(reference)) => self.reference(reference, depth)?,
                        ("$dynamicRef" | "$recursiveRef" | "$anchor" | "$dynamicAnchor", _) => {
                            return Err(format!("{key} is not supported; use $ref with a path such as #/$defs/name"));
                        }
                        ("$id", Value::String(_)) if depth > 0 => {
                            return Err("only the whole schema may have an $id".to_owned());
                        }
                        _ => self.size(member, depth + 1)?,
                    };
                    enough(size)?;
                }
            }
            Value::Array(items) => {
                for item in items {
                    size += self.size(item, depth + 1)?;
                    enough(size)?;
                }
            }
            _ => {}
        }
        Ok(size)
    }

    fn reference(&mut self, reference: &'s str, depth: usize) -> Result<usize, String> {
        let shown: String = reference.chars().take(80).collect();
        let outside =
            || format!("$ref '{shown}' leads out of the schema; only paths such as #/$defs/name are followed");
        let pointer = reference.strip_prefix('#').filter(|pointer| pointer.is_empty() || pointer.starts_with('/'));
        let target = pointer.and_then(|pointer| self.root.pointer(pointer)).ok_or_else(outside)?;
        match self.sizes.get(reference) {
            Some(Some(size)) => return Ok(*size),
            Some(None) => return Err(format!("$ref '{shown}' leads in a circle, which is not supported")),
            None => {}
        }
        self.sizes.insert(reference, None);
        let size = self.size(target, depth + 1)?;
        self.sizes.insert(reference, Some(size));
        Ok(size)
    }
}

fn enough(size: usize) -> Result<(), String> {
    if size > MOST_PARTS { Err(format!("it has more than {MOST_PARTS} parts, references followed")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn references_within_a_schema_are_followed() {
        let schema = json!({"$defs": {"t": {"type": "number"}}, "properties": {"a": {"$ref": "#/$defs/t"}, "b": {"$ref": "#/$defs/t"}}});
        assert_eq!(check(&schema), Ok(()));
        assert_eq!(check(&json!(true)), Ok(()));
    }

    #[test]
    fn references_out_of_it_and_circles_are_refused() {
        for reference in ["https://example.com/s.json", "file:///etc/passwd", "other.json", "#anchor", "#/none"] {
            assert!(
                check(&json!({ "items": { "$ref": reference } })).unwrap_err().contains("leads out"),
                "{reference}"
            );
        }
        for schema in [
            json!({"$ref": "#"}),
            json!({"allOf": [{"$ref": "#"}]}),
            json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"items": {"$ref": "#/$defs/a"}}}}),
            json!({"properties": {"child": {"$ref": "#"}}}),
        ] {
            assert!(check(&schema).unwrap_err().contains("circle"), "{schema}");
        }
        for schema in [
            json!({"$dynamicRef": "#a"}),
            json!({"$anchor": "a"}),
            json!({"items": {"$id": "x"}}),
            json!({"$schema": "x"}),
        ] {
            assert!(check(&schema).is_err(), "{schema}");
        }
    }

    #[test]
    fn a_schema_that_unfolds_to_much_is_refused_at_once() {
        let mut definitions = serde_json::Map::new();
        for level in 0..60 {
            let below = format!("#/$defs/d{}", level + 1);
            definitions.insert(format!("d{level}"), json!({"allOf": [{"$ref": below}, {"$ref": below}]}));
        }
        definitions.insert("d60".to_owned(), json!(true));
        assert!(check(&json!({"$defs": definitions, "$ref": "#/$defs/d0"})).is_err());
        let deep = (0..200).fold(json!(true), |inner, _| json!({ "items": inner }));
        assert!(check(&deep).is_err());
    }

    #[test]
    fn units_are_found_wherever_they_stand() {
        let schema = json!({"unit": "K", "properties": {"unit": {"type": "string"}, "t": {"unit": "degC"}}, "items": [{"unit": "m"}]});
        assert_eq!(units(&schema).collect::<Vec<_>>(), ["K", "degC", "m"]);
    }
}
