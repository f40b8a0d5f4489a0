//! Sessions made and changed. Frames are only ever added.

use holotype_core::{Caller, ProjectId, Role};
use serde_json::Value;

use crate::table::{self, NewSession};
use crate::{Faults, Session, SessionError, SessionId, Sessions};

/// The most characters of a session's name.
const MOST_NAME: usize = 256;

/// The most frames of a session.
const MOST_FRAMES: usize = 10_000;

/// A session that is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionRequest {
    name: String,
    input_data: Vec<Value>,
}

/// What is to become of a session.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionChange {
    name: Option<String>,
    added: Vec<Value>,
}

impl SessionRequest {
    /// Reads `{name, input_data?}`.
    ///
    /// # Errors
    /// [`SessionError::Invalid`] with each field that is wrong.
    pub fn read(body: &Value) -> Result<Self, SessionError> {
        let change = SessionChange::read(body, true)?;
        Ok(Self { name: change.name.unwrap_or_default(), input_data: change.added })
    }
}

impl SessionChange {
    /// Reads `{name?, input_data?}`; with `whole`, the name must be there.
    ///
    /// # Errors
    /// [`SessionError::Invalid`] with each field that is wrong.
    pub fn read(body: &Value, whole: bool) -> Result<Self, SessionError> {
        let Value::Object(members) = body else { return Err(SessionError::Invalid(not_an_object(body))) };
        let mut faults = Faults::default();
        let name = match members.get("name") {
            None if whole => Err("This field is required."),
            None => Ok(None),
            Some(value) => name(value).map(Some),
        };
        let name = name.unwrap_or_else(|problem| {
            faults.add("name", problem);
            None
        });
        let added = match members.get("input_data") {
            None => Vec::new(),
            Some(Value::Array(items)) if items.iter().all(Value::is_object) => items.clone(),
            Some(_) => {
                faults.add("input_data", "Expected a list of objects.");
                Vec::new()
            }
        };
        faults.none_or(Self { name, added })
    }
}

/// What is said of a body that is no object.
pub(crate) fn not_an_object(body: &Value) -> Faults {
    let kind = match body {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    };
    Faults::one("non_field_errors", format!("Invalid data. Expected a dictionary, but got {kind}."))
}

fn name(value: &Value) -> Result<String, &'static str> {
    let name = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Null => return Err("This field may not be null."),
        _ => return Err("Not a valid string."),
    };
    if name.is_empty() {
        return Err("This field may not be blank.");
    }
    if name.contains('\0') {
        return Err("Null characters are not allowed.");
    }
    match name.chars().count() > MOST_NAME {
        true => Err("Ensure this field has no more than 256 characters."),
        false => Ok(name),
    }
}

impl Sessions {
    /// Makes a session of the caller's in a project.
    ///
    /// # Errors
    /// A caller who may not write to the project.
    pub async fn create(
        &self,
        caller: &Caller,
        project: ProjectId,
        request: SessionRequest,
    ) -> Result<Session, SessionError> {
        let mut input_data = Vec::new();
        append(&mut input_data, &request.input_data)?;
        let new = NewSession {
            project,
            owner: caller.user,
            owner_name: caller.name.clone(),
            name: request.name,
            input_data: Value::from(input_data).to_string(),
        };
        let caller = caller.clone();
        self.catalog()
            .write(move |tx| {
                let (caller, new) = (caller.clone(), new.clone());
                Box::pin(async move {
                    tx.require(&caller, new.project, Role::Editor).await?;
                    let id = table::insert_session(tx, &new).await?;
                    table::session(tx, caller.user, id).await?.ok_or(SessionError::NoSession { id })
                })
            })
            .await
    }

    /// Names a session anew and adds frames that it does not have yet.
    ///
    /// # Errors
    /// [`SessionError::NoSession`], also for one of somebody else.
    pub async fn change(&self, caller: &Caller, id: SessionId, change: SessionChange) -> Result<Session, SessionError> {
        let caller = caller.clone();
        self.catalog()
            .write(move |tx| {
                let (caller, change) = (caller.clone(), change.clone());
                Box::pin(async move {
                    let session = table::lock_session(tx, caller.user, id).await?;
                    tx.require(&caller, session.project, Role::Editor).await?;
                    let Value::Array(mut frames) = session.input_data else {
                        let problem = "its frames are no list".to_owned();
                        return Err(SessionError::Damaged { what: format!("session {id}"), problem });
                    };
                    append(&mut frames, &change.added)?;
                    let name = change.name.unwrap_or(session.name);
                    table::update_session(tx, id, &name, &Value::from(frames).to_string()).await?;
                    let mut changed =
                        table::session(tx, caller.user, id).await?.ok_or(SessionError::NoSession { id })?;
                    changed.operations = table::operations(tx, &[id.0]).await?;
                    Ok(changed)
                })
            })
            .await
    }
}

/// Adds what is not there yet.
fn append(frames: &mut Vec<Value>, added: &[Value]) -> Result<(), SessionError> {
    for frame in added {
        if !frames.contains(frame) {
            frames.push(frame.clone());
        }
    }
    match frames.len() > MOST_FRAMES {
        true => {
            let problem = format!("A session has at most {MOST_FRAMES} files.");
            Err(SessionError::Invalid(Faults::one("input_data", problem)))
        }
        false => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fault(body: Value) -> String {
        SessionRequest::read(&body).unwrap_err().to_string()
    }

    #[test]
    fn a_session_needs_a_name_that_is_one() {
        assert_eq!(SessionRequest::read(&json!({"name": " m 31 "})).unwrap().name, "m 31");
        assert_eq!(fault(json!({})), "name: This field is required.");
        assert_eq!(fault(json!({"name": null})), "name: This field may not be null.");
        assert_eq!(fault(json!({"name": " "})), "name: This field may not be blank.");
        assert_eq!(fault(json!({"name": []})), "name: Not a valid string.");
        assert_eq!(fault(json!({"name": "a\0"})), "name: Null characters are not allowed.");
        let long = "ä".repeat(257);
        assert_eq!(fault(json!({"name": long})), "name: Ensure this field has no more than 256 characters.");
        assert_eq!(fault(json!({"name": "a", "input_data": {}})), "input_data: Expected a list of objects.");
        assert_eq!(fault(json!([])), "non_field_errors: Invalid data. Expected a dictionary, but got list.");
    }

    #[test]
    fn only_what_is_not_there_yet_is_added() {
        let mut frames = vec![json!({"basename": "a", "n": 1})];
        append(&mut frames, &[json!({"n": 1, "basename": "a"}), json!({"basename": "b"}), json!({"basename": "b"})])
            .unwrap();
        assert_eq!(frames.len(), 2);
        let many: Vec<Value> = (0..MOST_FRAMES).map(|number| json!({ "basename": number })).collect();
        assert!(append(&mut frames, &many).is_err());
    }
}
