//! A bucket or disk with faults: refusals, delays, reads that end early, answers that are lost.
//!
//! [`Faults`] wraps any `ObjectStore`. A test says which call is to go wrong, or that all are, and may ask which calls were made.

use std::collections::VecDeque;
use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions, Result, UploadPart,
};

/// A kind of call to a store of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operation {
    /// A whole object is put at once.
    Put,
    /// A multipart upload begins.
    Begin,
    /// A part of it is sent.
    Part,
    /// It is completed.
    Complete,
    /// An object is read.
    Get,
    /// An object's size is asked for.
    Head,
    /// An object is deleted.
    Delete,
    /// Objects are listed.
    List,
    /// An object is copied.
    Copy,
    /// An object is renamed.
    Rename,
}

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is not done: nobody answers.
    Unreachable,
    /// It is not done: no room is left.
    Full,
    /// It is not done: it is not allowed.
    Denied,
    /// It is done, but the caller is told that nobody answered.
    LoseAnswer,
    /// It is done after this time.
    Delay(Duration),
    /// It is done, but what is read ends after so many bytes, as if that were all.
    ShortRead(u64),
    /// It is done, but reading breaks with an error after so many bytes.
    BrokenRead(u64),
    /// It is done, but the entity tag in the answer is not the MD5 it looks like, as in a bucket that encrypts.
    ForeignTag,
    /// It is said to be done, but the last byte of the object is not stored.
    LoseByte,
}

/// What a call waits for.
pub type Wait = BoxFuture<'static, ()>;

/// Asked before and after every call; what it answers is waited for.
#[derive(Clone)]
struct Gate(Arc<dyn Fn(Operation) -> Wait + Send + Sync>);

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Gate")
    }
}

/// A script of faults, shared between a test and the stores it wraps.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    script: Arc<Mutex<Script>>,
}

#[derive(Debug, Default)]
struct Script {
    next: VecDeque<(Operation, Fault)>,
    always: Option<Fault>,
    calls: Vec<Operation>,
    gate: Option<Gate>,
}

impl Faults {
    /// No faults yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A store whose calls suffer these faults.
    pub fn wrap(&self, inner: Arc<dyn ObjectStore>) -> Arc<dyn ObjectStore> {
        Arc::new(FaultyStore { inner, faults: self.clone() })
    }

    /// The next call of this kind suffers `fault`; faults of one kind come in the order they were asked for.
    pub fn next(&self, operation: Operation, fault: Fault) {
        self.script().next.push_back((operation, fault));
    }

    /// Every call suffers `fault`, until this is called with `None`.
    pub fn always(&self, fault: impl Into<Option<Fault>>) {
        self.script().always = fault.into();
    }

    /// Every call waits for what `gate` answers, once before it is done and once after: so a test decides who goes on when.
    pub fn gate(&self, gate: impl Fn(Operation) -> Wait + Send + Sync + 'static) {
        self.script().gate = Some(Gate(Arc::new(gate)));
    }

    async fn wait(&self, operation: Operation) {
        let gate = self.script().gate.clone();
        if let Some(Gate(gate)) = gate {
            gate(operation).await;
        }
    }

    /// Faults that no call has met yet are called off.
    pub fn forget(&self) {
        self.script().next.clear();
    }

    /// The calls made since this was last asked.
    pub fn calls(&self) -> Vec<Operation> {
        std::mem::take(&mut self.script().calls)
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().expect("no test panics while it holds the script")
    }

    fn meet(&self, operation: Operation) -> Option<Fault> {
        let mut script = self.script();
        script.calls.push(operation);
        let planned = script.next.iter().position(|(planned, _)| *planned == operation);
        planned.and_then(|index| script.next.remove(index)).map(|(_, fault)| fault).or(script.always)
    }

    /// Does `work` under the fault that is due, and returns that fault too, for reads to follow.
    async fn around<T>(
        &self,
        operation: Operation,
        path: &Path,
        work: impl Future<Output = Result<T>>,
    ) -> Result<(T, Option<Fault>)> {
        let fault = self.meet(operation);
        self.wait(operation).await;
        match fault {
            Some(Fault::Unreachable) => return Err(unreachable()),
            Some(Fault::Full) => return Err(generic(io::Error::from(io::ErrorKind::StorageFull))),
            Some(Fault::Denied) => {
                return Err(Error::PermissionDenied { path: path.to_string(), source: "a planned fault".into() });
            }
            Some(Fault::LoseAnswer) => {
                work.await?;
                return Err(unreachable());
            }
            Some(Fault::Delay(time)) => tokio::time::sleep(time).await,
            Some(Fault::ShortRead(_) | Fault::BrokenRead(_) | Fault::ForeignTag | Fault::LoseByte) | None => {}
        }
        let done = work.await?;
        self.wait(operation).await;
        Ok((done, fault))
    }
}

fn unreachable() -> Error {
    generic(io::Error::new(io::ErrorKind::ConnectionReset, "a planned fault"))
}

fn generic(source: io::Error) -> Error {
    Error::Generic { store: "faulty", source: Box::new(source) }
}

#[derive(Debug)]
struct FaultyStore {
    inner: Arc<dyn ObjectStore>,
    faults: Faults,
}

impl fmt::Display for FaultyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "faulty {}", self.inner)
    }
}

// A method left to its default would go round the faults, or round the inner store's own way of doing it.
#[deny(clippy::missing_trait_methods)]
#[async_trait::async_trait]
impl ObjectStore for FaultyStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let shorter = without_last_byte(&payload);
        let work = self.inner.put_opts(location, payload, options.clone());
        let (result, fault) = self.faults.around(Operation::Put, location, work).await?;
        if fault == Some(Fault::LoseByte) {
            self.inner.put_opts(location, shorter, options).await?;
        }
        Ok(result)
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let work = self.inner.put_multipart_opts(location, options);
        let (inner, _) = self.faults.around(Operation::Begin, location, work).await?;
        Ok(Box::new(FaultyUpload { inner, faults: self.faults.clone(), location: location.clone() }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let operation = if options.head { Operation::Head } else { Operation::Get };
        let (result, fault) = self.faults.around(operation, location, self.inner.get_opts(location, options)).await?;
        Ok(match fault {
            Some(Fault::ShortRead(bytes)) => cut(result, bytes, false),
            Some(Fault::BrokenRead(bytes)) => cut(result, bytes, true),
            Some(Fault::ForeignTag) => {
                let e_tag = Some(format!("\"{}\"", "0".repeat(32)));
                GetResult { meta: ObjectMeta { e_tag, ..result.meta }, ..result }
            }
            _ => result,
        })
    }

    async fn get_ranges(&self, location: &Path, ranges: &[std::ops::Range<u64>]) -> Result<Vec<bytes::Bytes>> {
        let work = self.inner.get_ranges(location, ranges);
        self.faults.around(Operation::Get, location, work).await.map(|(result, _)| result)
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let (inner, faults) = (Arc::clone(&self.inner), self.faults.clone());
        let one = move |location: Path| {
            let (inner, faults) = (Arc::clone(&inner), faults.clone());
            async move {
                let mut deleting = inner.delete_stream(stream::once(std::future::ready(Ok(location.clone()))).boxed());
                let work = async { deleting.try_next().await.map(|deleted| deleted.unwrap_or_default()) };
                faults.around(Operation::Delete, &location, work).await.map(|(deleted, _)| deleted)
            }
        };
        locations.and_then(one).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listing(self.inner.list(prefix))
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listing(self.inner.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let work = self.inner.list_with_delimiter(prefix);
        self.faults.around(Operation::List, &Path::default(), work).await.map(|(result, _)| result)
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let work = self.inner.copy_opts(from, to, options);
        self.faults.around(Operation::Copy, to, work).await.map(|((), _)| ())
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        let work = self.inner.rename_opts(from, to, options);
        self.faults.around(Operation::Rename, to, work).await.map(|((), _)| ())
    }
}

impl FaultyStore {
    fn listing(&self, inner: BoxStream<'static, Result<ObjectMeta>>) -> BoxStream<'static, Result<ObjectMeta>> {
        let faults = self.faults.clone();
        let begin = async move {
            let work = std::future::ready(Ok(inner));
            faults.around(Operation::List, &Path::default(), work).await.map(|(listing, _)| listing)
        };
        begin.into_stream().try_flatten().boxed()
    }
}

fn without_last_byte(payload: &PutPayload) -> PutPayload {
    let kept = payload.content_length().saturating_sub(1);
    payload.iter().flat_map(|chunk| chunk.iter().copied()).take(kept).collect()
}

/// Lets a result announce what it did, and give only its first bytes.
fn cut(result: GetResult, bytes: u64, broken: bool) -> GetResult {
    let (meta, range, attributes) = (result.meta.clone(), result.range.clone(), result.attributes.clone());
    let extensions = result.extensions.clone();
    let mut left = usize::try_from(bytes).unwrap_or(usize::MAX);
    let kept = result.into_stream().map_ok(move |chunk| {
        let kept = chunk.slice(..chunk.len().min(left));
        left -= kept.len();
        kept
    });
    let end = stream::iter(broken.then(|| Err(unreachable())));
    let stream = kept.try_filter(|chunk| std::future::ready(!chunk.is_empty())).chain(end).boxed();
    GetResult { payload: GetResultPayload::Stream(stream), meta, range, attributes, extensions }
}

#[derive(Debug)]
struct FaultyUpload {
    inner: Box<dyn MultipartUpload>,
    faults: Faults,
    location: Path,
}

#[async_trait::async_trait]
impl MultipartUpload for FaultyUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let work = self.inner.put_part(data);
        let (faults, location) = (self.faults.clone(), self.location.clone());
        async move { faults.around(Operation::Part, &location, work).await.map(|((), _)| ()) }.boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let work = self.inner.complete();
        self.faults.around(Operation::Complete, &self.location, work).await.map(|(result, _)| result)
    }

    async fn abort(&mut self) -> Result<()> {
        self.inner.abort().await
    }
}

#[cfg(test)]
mod tests {
    use object_store::ObjectStoreExt;
    use object_store::memory::InMemory;

    use super::*;

    fn faulty() -> (Faults, Arc<dyn ObjectStore>) {
        let faults = Faults::new();
        let store = faults.wrap(Arc::new(InMemory::new()));
        (faults, store)
    }

    #[tokio::test]
    async fn a_lost_answer_is_an_error_after_the_deed() {
        let (faults, store) = faulty();
        let path = Path::from("a");
        faults.next(Operation::Put, Fault::LoseAnswer);
        assert!(store.put(&path, PutPayload::from_static(b"abc")).await.is_err());
        assert_eq!(&*store.get(&path).await.unwrap().bytes().await.unwrap(), b"abc");
        assert_eq!(faults.calls(), [Operation::Put, Operation::Get]);
    }

    #[tokio::test]
    async fn a_refusal_is_an_error_before_the_deed_and_hits_only_its_kind_of_call() {
        let (faults, store) = faulty();
        let path = Path::from("a");
        faults.next(Operation::Delete, Fault::Denied);
        store.put(&path, PutPayload::from_static(b"abc")).await.unwrap();
        assert!(store.delete(&path).await.is_err());
        assert_eq!(store.head(&path).await.unwrap().size, 3);
        store.delete(&path).await.unwrap();
        assert!(store.head(&path).await.is_err());
    }

    #[tokio::test]
    async fn a_short_read_announces_more_than_it_gives() {
        let (faults, store) = faulty();
        let path = Path::from("a");
        store.put(&path, PutPayload::from_static(b"abc")).await.unwrap();
        faults.next(Operation::Get, Fault::ShortRead(2));
        let result = store.get(&path).await.unwrap();
        assert_eq!(result.range, 0..3);
        assert_eq!(&*result.bytes().await.unwrap(), b"ab");
        faults.next(Operation::Get, Fault::BrokenRead(2));
        assert!(store.get(&path).await.unwrap().bytes().await.is_err());
    }
}
