//! What a result is the result of, and the key that follows from it.

use std::collections::BTreeMap;

use holotype_core::Digest;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{InputItem, Resolved};

/// Everything that decides what an operation makes, and where its inputs are. It is kept with the result; no secrets.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// What is done.
    pub operation: String,
    /// Which generation of its results.
    pub version: u32,
    /// What the request says beside its files, defaults filled in.
    pub parameters: Map<String, Value>,
    /// The files of each field.
    pub inputs: BTreeMap<String, Vec<RequestedInput>>,
}

/// One input of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestedInput {
    /// What the request says of it.
    pub item: InputItem,
    /// Which bytes it is.
    pub resolved: Resolved,
}

/// A request as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct Stored {
    operation: String,
    version: u32,
    parameters: Map<String, Value>,
    inputs: BTreeMap<String, Vec<StoredInput>>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredInput {
    item: Value,
    resolved: Resolved,
}

impl Request {
    /// The key: the digest of the meaning, so that the same work has the same key in whatever order or with whatever signed
    /// addresses it is asked for. `deciding` are the members of inputs that decide the result beside their bytes.
    pub fn key(&self, deciding: &[&str]) -> Digest {
        let input = |input: &RequestedInput| {
            let said = deciding.iter().filter_map(|name| input.item.members.get_key_value(*name));
            let said: BTreeMap<_, _> = said.map(|(name, value)| (name, sorted(value))).collect();
            json!([input.item.basename, input.resolved.version, said])
        };
        let inputs: BTreeMap<_, Vec<Value>> =
            self.inputs.iter().map(|(field, inputs)| (field, inputs.iter().map(input).collect())).collect();
        let parameters = sorted(&Value::Object(self.parameters.clone()));
        let meaning = json!(["holotype", self.operation, self.version, parameters, inputs]);
        Digest::of(meaning.to_string().as_bytes())
    }

    /// As it is kept.
    pub(crate) fn to_text(&self) -> String {
        let inputs = |inputs: &Vec<RequestedInput>| -> Vec<Value> {
            let stored = |input: &RequestedInput| json!({ "item": input.item.members, "resolved": input.resolved });
            inputs.iter().map(stored).collect()
        };
        let inputs: BTreeMap<_, _> = self.inputs.iter().map(|(field, files)| (field, inputs(files))).collect();
        let stored = json!({
            "operation": self.operation, "version": self.version, "parameters": self.parameters, "inputs": inputs,
        });
        stored.to_string()
    }

    /// Reads what [`to_text`](Self::to_text) wrote.
    pub(crate) fn from_text(text: &str) -> Result<Self, String> {
        let stored: Stored = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let input =
            |input: StoredInput| Ok(RequestedInput { item: InputItem::read(&input.item)?, resolved: input.resolved });
        let inputs = stored
            .inputs
            .into_iter()
            .map(|(field, inputs)| Ok((field, inputs.into_iter().map(input).collect::<Result<Vec<_>, String>>()?)));
        Ok(Self {
            operation: stored.operation,
            version: stored.version,
            parameters: stored.parameters,
            inputs: inputs.collect::<Result<_, String>>()?,
        })
    }
}

/// A value whose objects have their keys in order, and whose numbers have one spelling.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Object(members) => {
            let members: BTreeMap<_, _> = members.iter().map(|(name, value)| (name, sorted(value))).collect();
            json!(members)
        }
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => whole.into(),
            // 15 and 15.0 are the same radius.
            (None, Some(real)) if real.fract() == 0.0 && real.abs() < 9e15 => (real as i64).into(),
            (None, Some(real)) => real.into(),
            (None, None) => value.clone(),
        },
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Place;

    fn request(items: &[(Value, &str)], parameters: Value) -> Request {
        let input = |(item, bytes): &(Value, &str)| {
            let digest = Digest::of(bytes.as_bytes());
            let place = Place::Held { digest, size: 3 };
            let resolved = Resolved { version: format!("sha256:{digest}"), file_name: "a.fits".to_owned(), place };
            RequestedInput { item: InputItem::read(item).unwrap(), resolved }
        };
        let Value::Object(parameters) = parameters else { panic!("{parameters}") };
        Request {
            operation: "Median".to_owned(),
            version: 1,
            parameters,
            inputs: BTreeMap::from([("input_files".to_owned(), items.iter().map(input).collect())]),
        }
    }

    #[test]
    fn the_key_is_that_of_the_meaning() {
        let item = json!({"basename": "a", "url": "https://archive/a?signature=1", "filter": "rp"});
        let again =
            json!({"source": "archive", "filter": "rp", "basename": "a", "url": "https://archive/a?signature=2"});
        let key = |item: &Value, bytes, radius: Value| {
            request(&[(item.clone(), bytes)], json!({"radius": radius, "mode": "x"})).key(&["filter"])
        };
        let first = key(&item, "1", json!(15));
        assert_eq!(first, key(&again, "1", json!(15.0)));
        assert_ne!(first, key(&item, "2", json!(15)), "other bytes");
        assert_ne!(first, key(&item, "1", json!(15.5)), "another parameter");
        let other = json!({"basename": "a", "filter": "ip"});
        assert_ne!(first, key(&other, "1", json!(15)), "another filter");
        let mut next = request(&[(item, "1")], json!({"mode": "x", "radius": 15}));
        assert_eq!(first, next.key(&["filter"]));
        next.version = 2;
        assert_ne!(first, next.key(&["filter"]), "another generation");
    }

    #[test]
    fn a_request_is_kept_as_it_was() {
        let item = json!({"basename": "a", "color": {"r": 1, "g": 0.5}, "zmin": 1e-7});
        let request = request(&[(item, "1")], json!({"radius": 7.64}));
        assert_eq!(Request::from_text(&request.to_text()).unwrap(), request);
        assert!(Request::from_text("{}").is_err());
    }
}
