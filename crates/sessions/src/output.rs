//! What a result has, as it is kept and as it is answered: files by their names, and by their addresses.

use serde_json::{Map, Value, json};

use crate::FileName;

/// The member that stands for a file.
const FILE: &str = "$file";

/// What stands for a file in a stored output.
pub(crate) fn file(name: &FileName) -> Value {
    json!({ FILE: name.as_str() })
}

/// A stored output with addresses in place of its files.
pub fn with_links(output: &Value, link: &dyn Fn(&FileName) -> String) -> Value {
    match output {
        Value::Array(items) => items.iter().map(|item| with_links(item, link)).collect(),
        Value::Object(members) => match named(members) {
            Some(name) => link(&name).into(),
            None => {
                let linked = members.iter().map(|(name, value)| (name.clone(), with_links(value, link)));
                linked.collect::<Map<_, _>>().into()
            }
        },
        other => other.clone(),
    }
}

fn named(members: &Map<String, Value>) -> Option<FileName> {
    if members.len() != 1 {
        return None;
    }
    FileName::parse(members.get(FILE)?.as_str()?)
}

#[cfg(test)]
mod tests {
    use holotype_core::Digest;

    use super::*;

    #[test]
    fn files_become_addresses_wherever_they_stand() {
        let name = FileName::new(&Digest::of(b"a"), "-1-diagnostic.jpg");
        let output = json!({"output_data": [{"diagnostic_images": {"a.fits": file(&name)}, "n": 1.5, "x": null}]});
        let answered = with_links(&output, &|name| format!("https://host/{name}?signature=1"));
        let address = format!("https://host/{name}?signature=1");
        let expected = json!({"output_data": [{"diagnostic_images": {"a.fits": address}, "n": 1.5, "x": null}]});
        assert_eq!(answered, expected);
        assert_eq!(with_links(&json!({"$file": "../x"}), &|_| String::new()), json!({"$file": "../x"}));
    }
}
