//! Frames: hand files in.

use holotype_api::frame::IngestedFrame;
use reqwest::Method;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};

use crate::upload::FileUpload;
use crate::{Client, ClientError};

impl Client {
    /// Hands in a FITS file under its own name. To do it again with the same bytes changes nothing.
    pub async fn ingest_frame(&self, file: FileUpload) -> Result<IngestedFrame, ClientError> {
        let request = self.request(Method::POST, &["frames"])?.query(&[("name", file.name())]);
        let request = request.header(CONTENT_TYPE, "application/octet-stream").header(CONTENT_LENGTH, file.size());
        self.json(request.body(file.into_body())).await
    }
}
