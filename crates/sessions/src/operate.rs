//! Operations asked for: checked, their inputs found with the caller's rights, and begun once.

use std::collections::BTreeMap;
use std::sync::Arc;

use holotype_core::{Caller, Digest, Role};
use serde_json::Value;

use crate::change::not_an_object;
use crate::table::NewOperation;
use crate::{
    Faults, Operation, OperationId, OperationRecord, Request, RequestedInput, SessionError, SessionId, Sessions, table,
};

/// What a request comes to.
#[derive(Debug)]
struct Prepared {
    name: &'static str,
    input_data: String,
    request: String,
    key: Digest,
}

impl Sessions {
    /// Asks for an operation in one of the caller's sessions; `body` is `{name, input_data}`. It is begun, unless the same work is done or
    /// under way.
    ///
    /// # Errors
    /// [`SessionError::Invalid`] and [`SessionError::Input`] with the field; [`SessionError::NoSession`].
    pub async fn operate(
        &self,
        caller: &Caller,
        session: SessionId,
        body: &Value,
    ) -> Result<OperationRecord, SessionError> {
        self.expect_writable(caller, session).await?;
        let prepared = self.prepare(caller, body).await?;
        self.ask(caller, session, None, prepared).await
    }

    /// Has an operation ask for something else: `body` may have a name, input data or both, and with `whole` must have both.
    ///
    /// # Errors
    /// As [`operate`](Self::operate).
    pub async fn change_operation(
        &self,
        caller: &Caller,
        session: SessionId,
        id: OperationId,
        body: &Value,
        whole: bool,
    ) -> Result<OperationRecord, SessionError> {
        self.expect_writable(caller, session).await?;
        let known = self.operation_record(caller, id).await?;
        if known.session != session {
            return Err(SessionError::NoOperation { id });
        }
        let mut body = body.clone();
        if let (false, Value::Object(members)) = (whole, &mut body) {
            members.entry("name").or_insert_with(|| known.name.into());
            members.entry("input_data").or_insert(known.input_data);
        }
        let prepared = self.prepare(caller, &body).await?;
        self.ask(caller, session, Some(id), prepared).await
    }

    /// Refuses before anything is looked for in archives.
    async fn expect_writable(&self, caller: &Caller, id: SessionId) -> Result<(), SessionError> {
        let caller = caller.clone();
        self.catalog()
            .read(move |tx| {
                let caller = caller.clone();
                Box::pin(async move {
                    let session = table::session(tx, caller.user, id).await?.ok_or(SessionError::NoSession { id })?;
                    Ok(tx.require(&caller, session.project, Role::Editor).await.map(drop)?)
                })
            })
            .await
    }

    async fn prepare(&self, caller: &Caller, body: &Value) -> Result<Prepared, SessionError> {
        let operation = self.named(body)?;
        let description = operation.description();
        let Some(input_data) = body.get("input_data") else {
            return Err(SessionError::Invalid(Faults::one("input_data", "This field is required.")));
        };
        let checked = description.check(input_data)?;
        operation
            .check(&checked.parameters)
            .map_err(|(field, problem)| SessionError::Invalid(Faults::one(field, problem)))?;
        let mut inputs = BTreeMap::new();
        for (field, items) in checked.files {
            let resolved = self.resolve_all(caller, &field, &items).await?;
            let files = items.into_iter().zip(resolved);
            inputs.insert(field, files.map(|(item, resolved)| RequestedInput { item, resolved }).collect());
        }
        let request = Request {
            operation: description.name.to_owned(),
            version: operation.version(),
            parameters: checked.parameters,
            inputs,
        };
        Ok(Prepared {
            name: description.name,
            input_data: Value::Object(checked.input_data).to_string(),
            key: request.key(operation.deciding()),
            request: request.to_text(),
        })
    }

    /// The operation that a request names.
    fn named(&self, body: &Value) -> Result<&Arc<dyn Operation>, SessionError> {
        let Value::Object(members) = body else { return Err(SessionError::Invalid(not_an_object(body))) };
        let fault = |problem: String| SessionError::Invalid(Faults::one("name", problem));
        match members.get("name") {
            None => Err(fault("This field is required.".to_owned())),
            Some(Value::Null) => Err(fault("This field may not be null.".to_owned())),
            Some(Value::String(name)) => self.operation(name).ok_or_else(|| {
                let shown: String = name.chars().take(128).collect();
                fault(format!("\"{shown}\" is not a valid choice."))
            }),
            Some(other) => {
                let shown: String = other.to_string().chars().take(128).collect();
                Err(fault(format!("\"{shown}\" is not a valid choice.")))
            }
        }
    }

    /// Writes down who asks for what, and begins it if need be, in one transaction.
    async fn ask(
        &self,
        caller: &Caller,
        session: SessionId,
        existing: Option<OperationId>,
        prepared: Prepared,
    ) -> Result<OperationRecord, SessionError> {
        let (sessions, caller, prepared) = (self.clone(), caller.clone(), Arc::new(prepared));
        self.catalog()
            .write(move |tx| {
                let (sessions, caller, prepared) = (sessions.clone(), caller.clone(), Arc::clone(&prepared));
                Box::pin(async move {
                    let project = table::lock_session(tx, caller.user, session).await?.project;
                    tx.require(&caller, project, Role::Editor).await?;
                    let Prepared { name, input_data, request, key } = &*prepared;
                    let owner = (project, caller.user);
                    table::ensure_result(tx, key, owner, name, request).await?;
                    let new = NewOperation { session, project, agent: caller.user, name, input_data, result: key };
                    let id = match existing {
                        None => table::insert_operation(tx, &new).await?,
                        Some(id) => {
                            let before = table::operation(tx, caller.user, id).await?;
                            let before = before.ok_or(SessionError::NoOperation { id })?.key;
                            table::update_operation(tx, id, &new).await?;
                            sessions.leave(tx, vec![before.to_string()]).await?;
                            id
                        }
                    };
                    sessions.begin(tx, owner, id, name, key, request).await?;
                    table::operation(tx, caller.user, id).await?.ok_or(SessionError::NoOperation { id })
                })
            })
            .await
    }
}
