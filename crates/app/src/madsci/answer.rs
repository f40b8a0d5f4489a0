//! The answer of `GET /settings`: every setting by its plain name, in the table's order, without secrets.

use serde_json::{Map, Value, json};

use super::table::{DATA, Kind, Setting};
use super::{Madsci, REDACTED, Resolved};
use crate::config::Origin;

/// What the answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SettingsQuery {
    /// Whether settings that have their default value are listed.
    pub include_defaults: bool,
    /// Whether a JSON Schema of the settings is added.
    pub include_schema: bool,
}

impl Madsci {
    /// The body of `GET /settings`. The identity is the one in use; `server_url` is where the server really listens,
    /// unless an operator set another.
    pub(crate) fn answer(&self, query: SettingsQuery, manager_id: &str, server_url: &str) -> Value {
        let mut settings = Map::new();
        for Resolved { setting, value, origin } in &self.data {
            let preset = setting.default.value();
            let (value, is_default) = match setting.name {
                "manager_id" => (Value::from(manager_id), false),
                "server_url" if *origin == Origin::Default => (Value::from(server_url), preset == server_url),
                "file_storage_path" if *value == preset => (self.storage_root.display().to_string().into(), true),
                // Clients know a secret to be compared after it was blacked out, so it is always listed.
                _ if setting.secret => (Value::from(REDACTED), false),
                _ => (value.clone(), *value == preset),
            };
            if query.include_defaults || !is_default {
                settings.insert(setting.name.to_owned(), value);
            }
        }
        let mut answer = Map::new();
        answer.insert("settings".to_owned(), Value::Object(settings));
        if query.include_schema {
            answer.insert("schema".to_owned(), schema());
            answer.insert("schema_title".to_owned(), "DataManagerSettings".into());
        }
        Value::Object(answer)
    }
}

/// A JSON Schema of the settings.
fn schema() -> Value {
    let properties: Map<String, Value> =
        DATA.settings.iter().map(|setting| (setting.name.to_owned(), property(setting))).collect();
    json!({
        "description": "Settings of the MADSci Data Manager, as this server takes them.",
        "properties": properties,
        "title": "DataManagerSettings",
        "type": "object",
    })
}

fn property(setting: &Setting) -> Value {
    let form = match setting.kind {
        Kind::Text => json!({ "type": "string" }),
        Kind::Path => json!({ "format": "path", "type": "string" }),
        Kind::Url => json!({ "format": "uri", "minLength": 1, "type": "string" }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Count => json!({ "minimum": 1, "type": "integer" }),
        Kind::Decimal => json!({ "type": "number" }),
        Kind::Texts => json!({ "items": { "type": "string" }, "type": "array" }),
        Kind::Choice(choices) => json!({ "enum": choices, "type": "string" }),
    };
    let mut property = if setting.optional { json!({ "anyOf": [form, { "type": "null" }] }) } else { form };
    property["default"] = setting.default.value();
    property["description"] = setting.help.into();
    property["title"] = setting.title.into();
    if setting.secret {
        property["secret"] = true.into();
    }
    property
}
