//! A store in a bucket: a staged file becomes a blob by being uploaded with a checksum, and looked at afterwards.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::FuturesUnordered;
use futures::{StreamExt, TryStreamExt};
use holotype_core::{Digest, Hasher};
use object_store::aws::{AmazonS3, AmazonS3Builder, Checksum};
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt, PutPayload, RetryConfig,
};
use secrecy::ExposeSecret;
use tokio::sync::Semaphore;

use crate::file;
use crate::location::S3Location;
use crate::staged::Staged;

/// What one request carries; a larger blob goes in parts of this size.
const PART: u64 = 8 << 20;

/// The protocol's limit on parts. A blob of more than 78 GiB has larger parts, and then needs more memory than [`MEMORY`] allows.
const PARTS: u64 = 10_000;

/// Parts under way at the same time in one upload. A third is being read.
const CONCURRENT_PARTS: usize = 2;

/// Bytes that all uploads together may hold in memory.
const MEMORY: u64 = 32 << 20;

/// How long a bucket is waited for before it counts as out of reach.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// For connecting.
    connect: Duration,
    /// For a part to be sent and answered, or for the next bytes of an answer. The whole answer has no limit: a large blob over a
    /// slow line takes what it takes.
    silence: Duration,
    /// How often a request that failed on the way, or at the server, is sent again.
    retries: usize,
}

impl Patience {
    /// Short enough that a capture is kept elsewhere before its client gives up on us.
    pub(crate) const USUAL: Self =
        Self { connect: Duration::from_secs(5), silence: Duration::from_secs(60), retries: 4 };
}

/// Opens a bucket; does not speak to it yet.
pub(crate) fn open(location: &S3Location, patience: Patience) -> Result<AmazonS3, String> {
    let Some(key) = &location.key else {
        return Err("no access key is configured for the bucket".to_owned());
    };
    // reqwest panics without a provider. Whoever started the process may have chosen one: then that one stays.
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        drop(rustls::crypto::ring::default_provider().install_default());
    }
    let Patience { connect, silence, retries } = patience;
    let mut builder = AmazonS3Builder::new()
        .with_bucket_name(&location.bucket)
        .with_access_key_id(&key.id)
        .with_secret_access_key(key.secret.expose_secret())
        .with_checksum_algorithm(Checksum::SHA256)
        .with_retry(RetryConfig { max_retries: retries, retry_timeout: silence, backoff: BackoffConfig::default() })
        .with_client_options(
            ClientOptions::new().with_timeout_disabled().with_connect_timeout(connect).with_read_timeout(silence),
        );
    if let Some(region) = &location.region {
        builder = builder.with_region(region);
    }
    if let Some(endpoint) = &location.endpoint {
        if !endpoint.username().is_empty() || endpoint.password().is_some() {
            return Err("keys do not belong in the endpoint's URL, where they end up in logs".to_owned());
        }
        builder =
            builder.with_endpoint(endpoint.as_str().trim_end_matches('/')).with_allow_http(endpoint.scheme() == "http");
    }
    builder.build().map_err(|error| error.to_string())
}

/// How a staged file becomes an object: in memory of its own, or in a bucket.
#[derive(Debug)]
pub(crate) struct Uploads {
    memory: Semaphore,
}

impl Uploads {
    pub(crate) fn new() -> Self {
        Self { memory: Semaphore::new(kibibytes(MEMORY)) }
    }

    /// Uploads a staged file under `key`, unless the same bytes are there, and makes sure of what is there then.
    pub(crate) async fn publish(
        &self,
        objects: &dyn ObjectStore,
        key: &Path,
        staged: &Staged,
        file: File,
    ) -> object_store::Result<()> {
        let large = staged.size() > PART;
        // A look costs a round trip: worth it only where it may save many.
        if large
            && let Ok(found) = objects.head(key).await
            && matches(&found, staged) == Some(true)
        {
            return Ok(());
        }
        let file = Arc::new(file);
        if large {
            self.put_parts(objects, key, staged, file).await?;
        } else {
            let _room = self.room(staged.size()).await?;
            let bytes = file::chunk(file, 0..staged.size()).await.map_err(generic)?;
            objects.put(key, PutPayload::from_bytes(bytes)).await?;
        }
        confirm(objects, key, staged).await
    }

    async fn put_parts(
        &self,
        objects: &dyn ObjectStore,
        key: &Path,
        staged: &Staged,
        file: Arc<File>,
    ) -> object_store::Result<()> {
        let part = PART.max(staged.size().div_ceil(PARTS));
        let _room = self.room(part * (CONCURRENT_PARTS as u64 + 1)).await?;
        let mut upload = objects.put_multipart(key).await?;
        let outcome = match send_parts(&mut *upload, staged.size(), part, file).await {
            Ok(()) => upload.complete().await.map(drop),
            Err(error) => Err(error),
        };
        // The bucket's owner pays for parts of an upload that nobody ends. If this fails too, the bucket's lifecycle rule is left.
        if outcome.is_err()
            && let Err(error) = upload.abort().await
        {
            tracing::warn!(%key, %error, "an unfinished multipart upload is left in the bucket");
        }
        outcome
    }

    /// Waits until so many bytes may be held in memory; more than all there is means all there is.
    async fn room(&self, bytes: u64) -> object_store::Result<tokio::sync::SemaphorePermit<'_>> {
        let permits = u32::try_from(kibibytes(bytes.min(MEMORY))).unwrap_or(u32::MAX);
        self.memory.acquire_many(permits).await.map_err(|error| generic(std::io::Error::other(error)))
    }
}

/// Sends a file in parts. None is under way any more when this returns, be it with an error: one that arrived after the upload was
/// aborted would stay.
async fn send_parts(
    upload: &mut dyn MultipartUpload,
    size: u64,
    part: u64,
    file: Arc<File>,
) -> object_store::Result<()> {
    let mut under_way = FuturesUnordered::new();
    let mut outcome = Ok(());
    let mut start = 0;
    while start < size && outcome.is_ok() {
        let end = size.min(start + part);
        match file::chunk(Arc::clone(&file), start..end).await {
            Ok(bytes) => under_way.push(upload.put_part(PutPayload::from_bytes(bytes))),
            Err(error) => outcome = Err(generic(error)),
        }
        while under_way.len() >= CONCURRENT_PARTS
            && let Some(sent) = under_way.next().await
        {
            outcome = outcome.and(sent);
        }
        start = end;
    }
    while let Some(sent) = under_way.next().await {
        outcome = outcome.and(sent);
    }
    outcome
}

/// Looks at what the bucket has now. An entity tag that is an MD5, but not ours, may be the mark of an encrypting bucket: then
/// the bytes decide.
async fn confirm(objects: &dyn ObjectStore, key: &Path, staged: &Staged) -> object_store::Result<()> {
    let found = objects.head(key).await?;
    let same = match matches(&found, staged) {
        Some(same) => same,
        None => read_back(objects, key).await? == staged.digest(),
    };
    if same {
        Ok(())
    } else {
        Err(generic(std::io::Error::other("what the bucket has after the upload is not what was sent")))
    }
}

/// Whether an object is the staged file, as far as its size and entity tag tell: `None` if they do not.
fn matches(found: &ObjectMeta, staged: &Staged) -> Option<bool> {
    if found.size != staged.size() {
        return Some(false);
    }
    let tag = found.e_tag.as_deref().map(|tag| tag.trim_matches('"'));
    let is_md5 = |tag: &&str| tag.len() == 32 && tag.bytes().all(|byte| byte.is_ascii_hexdigit());
    let ours: String = staged.md5().iter().map(|byte| format!("{byte:02x}")).collect();
    match tag.filter(is_md5) {
        Some(tag) if !tag.eq_ignore_ascii_case(&ours) => None,
        _ => Some(true),
    }
}

async fn read_back(objects: &dyn ObjectStore, key: &Path) -> object_store::Result<Digest> {
    let stream = objects.get(key).await?.into_stream();
    let hash = |mut hasher: Hasher, bytes: bytes::Bytes| async move {
        hasher.update(&bytes);
        Ok(hasher)
    };
    Ok(stream.try_fold(Hasher::new(), hash).await?.finish())
}

fn kibibytes(bytes: u64) -> usize {
    usize::try_from(bytes.div_ceil(1024)).unwrap_or(Semaphore::MAX_PERMITS)
}

fn generic(source: std::io::Error) -> object_store::Error {
    object_store::Error::Generic { store: "upload", source: Box::new(source) }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use secrecy::SecretString;

    use super::*;
    use crate::location::S3Key;

    #[tokio::test]
    async fn a_bucket_that_accepts_and_never_answers_is_given_up() {
        let silent = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let location = S3Location {
            bucket: "lab".into(),
            prefix: String::new(),
            endpoint: Some(format!("http://{}", silent.local_addr().unwrap()).parse().unwrap()),
            region: None,
            key: Some(S3Key { id: "id".into(), secret: SecretString::from("secret") }),
        };
        let patience = Patience { connect: Duration::from_secs(5), silence: Duration::from_millis(100), retries: 2 };
        let bucket = open(&location, patience).unwrap();
        bucket.head(&Path::from("blob")).await.unwrap_err();
        bucket.put(&Path::from("blob"), PutPayload::from_static(b"abc")).await.unwrap_err();
    }
}
