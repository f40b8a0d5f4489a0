//! The laboratory's own object storage: files go there as well, under names that other programs know.
//!
//! When it is configured, a file that comes with a `file` datapoint is also put into its bucket, and the record becomes an
//! `object_storage` one. Our own copy stays the one that is verified and that lineage names; where the bucket fails, the record
//! stays a `file` and a warning says why. Objects are read back only where we hold no copy, and only from this bucket.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use holotype_core::{Instant, ProjectId};
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path;
use object_store::signer::Signer;
use object_store::{
    Attribute, AttributeValue, Attributes, BackoffConfig, ClientOptions, Error, GetOptions, GetRange, GetResult,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, RetryConfig, WriteMultipart,
};
use reqwest::header::CONTENT_LENGTH;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Number};

use crate::content::{Opened, Source};
use crate::model::{Content as Submitted, ObjectRecord, Submission};
use crate::name::{bare_media_type, media_type};
use crate::submit::NewFile;
use crate::{Content, DatapointError, Datapoints, table};

/// A larger file is uploaded in parts of this size, as clients of the contract do: the entity tag follows from it.
const PART_BYTES: usize = 5 * 1024 * 1024;

/// Parts under way at the same time.
const CONCURRENT_PARTS: usize = 2;

/// How long the storage may take to answer, so that a client that waits for its submission is answered too.
const PATIENCE: Duration = Duration::from_secs(10);

/// The object's metadata by which we know what we put there ourselves.
const DIGEST: &str = "holotype-sha256";
const PROJECT: &str = "holotype-project";

/// How to reach the object storage: MADSci's `OBJECT_STORAGE_*` settings.
#[derive(Debug, Clone)]
pub struct ObjectStorage {
    /// Host and port; a scheme before it is tolerated and decides about TLS.
    pub endpoint: String,
    /// The id of the access key.
    pub access_key: SecretString,
    /// The access key.
    pub secret_key: SecretString,
    /// Whether to speak TLS.
    pub secure: bool,
    /// The bucket for files. It is made if it is missing.
    pub default_bucket: String,
    /// The region, where the storage has any.
    pub region: Option<String>,
    /// Host and port under which others reach it, if not the same.
    pub public_endpoint: Option<String>,
}

/// The bucket, ready to use.
pub(crate) struct Bucket {
    objects: AmazonS3,
    http: reqwest::Client,
    name: String,
    endpoint: String,
    public_endpoint: String,
    scheme: &'static str,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The client would show the id of its key.
        f.debug_struct("Bucket").field("endpoint", &self.endpoint).field("name", &self.name).finish_non_exhaustive()
    }
}

impl Bucket {
    /// Makes the bucket ready; it is not spoken to yet.
    pub(crate) fn open(settings: &ObjectStorage) -> Result<Self, DatapointError> {
        let unusable = |problem: String| DatapointError::ObjectStorageSettings { problem };
        let (endpoint, scheme) = without_scheme(&settings.endpoint, settings.secure);
        let public = settings.public_endpoint.as_deref().map(|public| without_scheme(public, settings.secure).0);
        // reqwest panics without a provider; one that the program chose stays.
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            drop(rustls::crypto::ring::default_provider().install_default());
        }
        let client =
            ClientOptions::new().with_timeout_disabled().with_connect_timeout(PATIENCE).with_read_timeout(PATIENCE);
        let mut builder = AmazonS3Builder::new()
            .with_client_options(client)
            .with_endpoint(format!("{scheme}://{endpoint}"))
            .with_allow_http(scheme == "http")
            .with_bucket_name(&settings.default_bucket)
            .with_access_key_id(settings.access_key.expose_secret())
            .with_secret_access_key(settings.secret_key.expose_secret())
            .with_retry(RetryConfig { max_retries: 2, retry_timeout: PATIENCE, backoff: BackoffConfig::default() });
        if let Some(region) = &settings.region {
            builder = builder.with_region(region);
        }
        let http = reqwest::Client::builder().timeout(PATIENCE).build().map_err(|error| unusable(error.to_string()))?;
        Ok(Self {
            objects: builder.build().map_err(|error| unusable(error.to_string()))?,
            http,
            name: settings.default_bucket.clone(),
            endpoint: endpoint.to_owned(),
            public_endpoint: public.unwrap_or(endpoint).to_owned(),
            scheme,
        })
    }

    /// Whether the storage answers: also that there is no such object is an answer.
    pub(crate) async fn answers(&self) -> bool {
        matches!(self.describe(&Path::from("holotype-probe")).await, Ok(_) | Err(Error::NotFound { .. }))
    }

    /// Opens an object, or a range of it.
    pub(crate) async fn open_object(&self, key: &Path, range: Option<Range<u64>>) -> Result<Opened, DatapointError> {
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        let found = self.objects.get_opts(key, options).await.map_err(unreadable)?;
        Ok(Opened { range: found.range.clone(), stream: found.into_stream().map_err(unreadable).boxed() })
    }

    /// What the bucket says about an object.
    async fn describe(&self, key: &Path) -> object_store::Result<GetResult> {
        self.objects.get_opts(key, GetOptions { head: true, ..GetOptions::default() }).await
    }

    /// Puts a file that we hold into the bucket, and gives its entity tag. Never replaces another object.
    async fn put(&self, key: &Path, upload: &Upload<'_>) -> object_store::Result<Option<String>> {
        match self.describe(key).await {
            Ok(found) if metadata(&found.attributes, DIGEST) == Some(upload.file.held.digest.to_string()) => {
                return Ok(found.meta.e_tag);
            }
            Ok(_) => return Err(generic("another object has this name, and is not replaced".into())),
            Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
        match self.write(key, upload).await {
            Err(Error::NotFound { .. }) => {
                self.make().await?;
                self.write(key, upload).await
            }
            result => result,
        }
    }

    async fn write(&self, key: &Path, upload: &Upload<'_>) -> object_store::Result<Option<String>> {
        let held = &upload.file.held;
        let reading =
            upload.datapoints.inner.blobs.get(held.digest, None).await.map_err(|error| generic(error.into()))?;
        let mut stream = reading.stream;
        let attributes = upload.attributes();
        if held.size <= PART_BYTES as u64 {
            let mut chunks = Vec::new();
            while let Some(bytes) = stream.next().await {
                chunks.push(bytes.map_err(|error| generic(error.into()))?);
            }
            let options = PutOptions { attributes, ..PutOptions::default() };
            return Ok(self.objects.put_opts(key, PutPayload::from_iter(chunks), options).await?.e_tag);
        }
        let options = PutMultipartOptions { attributes, ..PutMultipartOptions::default() };
        let multipart = self.objects.put_multipart_opts(key, options).await?;
        let mut writer = WriteMultipart::new_with_chunk_size(multipart, PART_BYTES);
        while let Some(bytes) = stream.next().await {
            let step = match bytes {
                Ok(bytes) => writer.wait_for_capacity(CONCURRENT_PARTS).await.map(|()| writer.put(bytes)),
                Err(error) => Err(generic(error.into())),
            };
            if let Err(error) = step {
                if let Err(abort) = writer.abort().await {
                    tracing::warn!(%key, error = %abort, "an unfinished upload is left in the object storage");
                }
                return Err(error);
            }
        }
        Ok(writer.finish().await?.e_tag)
    }

    /// Makes the bucket itself.
    async fn make(&self) -> object_store::Result<()> {
        let url = self.objects.signed_url(reqwest::Method::PUT, &Path::default(), PATIENCE).await?;
        // The URL carries a signature, and errors go to the log.
        let failed = |error: reqwest::Error| generic(error.without_url().into());
        self.http
            .put(url)
            .header(CONTENT_LENGTH, 0)
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .map_err(failed)?;
        Ok(())
    }

    /// The record of an uploaded file.
    fn record(&self, key: &Path, path: String, file: &NewFile, etag: Option<String>) -> ObjectRecord {
        let (bucket, endpoint) = (&self.name, &self.public_endpoint);
        ObjectRecord {
            url: Some(format!("{}://{endpoint}/{bucket}/{key}", self.scheme)),
            storage_endpoint: self.endpoint.clone(),
            public_endpoint: Some(endpoint.clone()),
            path,
            bucket_name: Some(bucket.clone()),
            object_name: Some(key.to_string()),
            content_type: Some(bare_media_type(&file.name)),
            size_bytes: Some(Number::from(file.held.size)),
            etag: etag.map(|etag| etag.trim_matches('"').to_owned()),
            custom_metadata: Map::new(),
        }
    }
}

/// A file on its way into the bucket.
struct Upload<'u> {
    datapoints: &'u Datapoints,
    project: ProjectId,
    id: &'u str,
    file: &'u NewFile,
}

impl Upload<'_> {
    fn attributes(&self) -> Attributes {
        let metadata =
            |name: &'static str, value: String| (Attribute::Metadata(name.into()), AttributeValue::from(value));
        Attributes::from_iter([
            (Attribute::ContentType, AttributeValue::from(bare_media_type(&self.file.name))),
            metadata("original_datapoint_id", self.id.to_owned()),
            metadata(DIGEST, self.file.held.digest.to_string()),
            metadata(PROJECT, self.project.to_string()),
        ])
    }
}

/// The members of a stored record that lead to its object.
#[derive(Deserialize)]
struct Location {
    bucket_name: Option<String>,
    object_name: Option<String>,
}

impl Datapoints {
    /// Puts the file of a `file` datapoint into the bucket, and gives the record that then describes it.
    ///
    /// None if no storage is configured, there is nothing to put, the id is taken already, or the storage fails.
    pub(crate) async fn upload(
        &self,
        project: ProjectId,
        submission: &Submission,
        id: &str,
        files: &[NewFile],
    ) -> Result<Option<ObjectRecord>, DatapointError> {
        let (Some(bucket), Submitted::File { path }, Some(file)) =
            (&self.inner.bucket, &submission.content, files.first())
        else {
            return Ok(None);
        };
        if self.is_taken(project, id).await? {
            return Ok(None);
        }
        let name = format!("{id}_{}", submission.label.as_deref().unwrap_or(&file.name));
        let upload = Upload { datapoints: self, project, id, file };
        let put = match Path::parse(&name) {
            Ok(key) => bucket.put(&key, &upload).await.map(|etag| bucket.record(&key, path.clone(), file, etag)),
            Err(error) => Err(generic(error.into())),
        };
        match put {
            Ok(record) => Ok(Some(record)),
            Err(error) => {
                tracing::warn!(datapoint = id, %error, "the object storage did not take a file; it is kept in our own store alone");
                Ok(None)
            }
        }
    }

    /// Whether an id names a datapoint, deleted or not.
    async fn is_taken(&self, project: ProjectId, id: &str) -> Result<bool, DatapointError> {
        let id: Arc<str> = id.into();
        self.inner
            .catalog
            .read(move |tx| {
                let id = Arc::clone(&id);
                Box::pin(async move { Ok(!table::existing(tx, project, &[&id]).await?.is_empty()) })
            })
            .await
    }

    /// The object of a record whose bytes we do not hold ourselves.
    pub(crate) async fn object(&self, project: ProjectId, id: &str, document: &str) -> Result<Content, DatapointError> {
        let no_bytes = |reason| DatapointError::NoBytes { id: id.to_owned(), reason };
        let Some(bucket) = &self.inner.bucket else {
            return Err(no_bytes("they are in an object storage, and none is configured here"));
        };
        let location: Location = serde_json::from_str(document)
            .map_err(|error| DatapointError::Damaged { id: id.to_owned(), problem: error.to_string() })?;
        // The record is a client's word. It chooses among the objects of our bucket, never the storage or the bucket.
        let name = location.object_name.filter(|_| location.bucket_name.as_deref() == Some(bucket.name.as_str()));
        let Some(name) = name else { return Err(no_bytes("they are not in the bucket that is configured here")) };
        // An empty name is the bucket itself.
        let key = Path::parse(&name).ok().filter(|key| !key.as_ref().is_empty());
        let key = key.ok_or_else(|| no_bytes("the object's name is not one"))?;
        let found = match bucket.describe(&key).await {
            Ok(found) => found,
            Err(Error::NotFound { .. }) => return Err(no_bytes("the object storage has no such object")),
            Err(error) => {
                tracing::warn!(datapoint = id, %error, "the object storage cannot be read");
                return Err(no_bytes("the object storage cannot be read at the moment"));
            }
        };
        if metadata(&found.attributes, PROJECT).is_some_and(|owner| owner != project.to_string()) {
            return Err(no_bytes("the object belongs to another project"));
        }
        let etag = found
            .meta
            .e_tag
            .as_deref()
            .map_or_else(|| format!("{}-{}", found.meta.size, found.meta.last_modified), str::to_owned);
        Ok(Content {
            media_type: media_type(&name),
            name,
            size: found.meta.size,
            etag: format!("\"{}\"", etag.trim_matches('"')),
            modified_at: Instant::from_micros(found.meta.last_modified.timestamp_micros()),
            source: Source::Object { bucket: Arc::clone(bucket), key },
        })
    }
}

/// An endpoint as host and port, and the scheme to speak: its own, or what the settings say.
fn without_scheme(endpoint: &str, secure: bool) -> (&str, &'static str) {
    let endpoint = endpoint.trim_end_matches('/');
    match (endpoint.strip_prefix("https://"), endpoint.strip_prefix("http://")) {
        (Some(host), _) => (host, "https"),
        (_, Some(host)) => (host, "http"),
        _ => (endpoint, if secure { "https" } else { "http" }),
    }
}

fn metadata(attributes: &Attributes, name: &'static str) -> Option<String> {
    attributes.get(&Attribute::Metadata(name.into())).map(|value| value.as_ref().to_owned())
}

fn generic(source: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::Generic { store: "object storage", source }
}

fn unreadable(source: Error) -> DatapointError {
    DatapointError::ObjectStorage { source: Arc::new(source) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_in_the_endpoint_is_not_doubled() {
        assert_eq!(without_scheme("localhost:9000", false), ("localhost:9000", "http"));
        assert_eq!(without_scheme("localhost:9000/", true), ("localhost:9000", "https"));
        assert_eq!(without_scheme("http://localhost:9000", true), ("localhost:9000", "http"));
        assert_eq!(without_scheme("https://s3.example.org", false), ("s3.example.org", "https"));
    }
}
