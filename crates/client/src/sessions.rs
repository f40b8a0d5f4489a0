//! Sessions over frames, and what is done in them.

use holotype_api::Page;
use holotype_api::session::{NewOperation, NewSession, Operation, Session, SessionDetail, SessionUpdate};
use reqwest::Method;
use serde_json::Value;

use crate::{Client, ClientError, Download, PageQuery};

impl Client {
    /// One page of the caller's sessions, the last changed first.
    pub async fn sessions(&self, page: &PageQuery) -> Result<Page<Session>, ClientError> {
        self.json(self.request(Method::GET, &["sessions"])?.query(page)).await
    }

    /// One session with its frames and operations.
    pub async fn session(&self, id: i64) -> Result<SessionDetail, ClientError> {
        self.json(self.request(Method::GET, &["sessions", &id.to_string()])?).await
    }

    /// Makes a session.
    pub async fn create_session(&self, session: &NewSession) -> Result<SessionDetail, ClientError> {
        self.json(self.request(Method::POST, &["sessions"])?.json(session)).await
    }

    /// Names a session anew, or adds frames to it.
    pub async fn update_session(&self, id: i64, update: &SessionUpdate) -> Result<SessionDetail, ClientError> {
        self.json(self.request(Method::PATCH, &["sessions", &id.to_string()])?.json(update)).await
    }

    /// Deletes a session with its operations. Results stay.
    pub async fn delete_session(&self, id: i64) -> Result<(), ClientError> {
        self.done(self.request(Method::DELETE, &["sessions", &id.to_string()])?).await
    }

    /// Asks for an operation in a session.
    pub async fn operate(&self, session: i64, operation: &NewOperation) -> Result<Operation, ClientError> {
        self.json(self.request(Method::POST, &["sessions", &session.to_string(), "operations"])?.json(operation)).await
    }

    /// One page of the caller's operations, newest first.
    pub async fn operations(&self, page: &PageQuery) -> Result<Page<Operation>, ClientError> {
        self.json(self.request(Method::GET, &["operations"])?.query(page)).await
    }

    /// One operation.
    pub async fn operation(&self, id: i64) -> Result<Operation, ClientError> {
        self.json(self.request(Method::GET, &["operations", &id.to_string()])?).await
    }

    /// Stops the work on an operation.
    pub async fn cancel_operation(&self, id: i64) -> Result<Operation, ClientError> {
        self.json(self.request(Method::POST, &["operations", &id.to_string(), "cancel"])?).await
    }

    /// The forms of all operations, by their names.
    pub async fn operation_forms(&self) -> Result<Value, ClientError> {
        self.json(self.request(Method::GET, &["operation-forms"])?).await
    }

    /// A file of a result, by its name.
    pub async fn output(&self, name: &str) -> Result<Download, ClientError> {
        self.open(self.request(Method::GET, &["outputs", name])?).await
    }
}
