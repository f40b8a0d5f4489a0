//! Bytes on their way out of the world: what nothing refers to, what nobody knows, and what was never finished.
//!
//! A blob is claimed, its bytes are deleted, its row is forgotten: in this order, and only by whoever claimed it. A claim is
//! good for [`DELETION_LEASE`](holotype_catalog::DELETION_LEASE); after it another sweep, or a put, may take the blob over. So a
//! sweep that was held up stops long before that, and leaves the rest to the next one.

use std::ops::ControlFlow;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt, stream};
use holotype_catalog::{BlobInfo, CatalogError};
use holotype_core::{Digest, Instant};
use holotype_store::{Listed, StaleFile, Store, StoreError};

use crate::options::Tell;
use crate::{BlobError, Blobs, Progress};

/// How long after a claim bytes may still be deleted.
const HOLD: Duration = Duration::from_secs(30);

/// Blobs claimed together; few enough to be deleted well within [`HOLD`].
const BATCH: usize = 100;

/// Deletions under way at the same time.
const CONCURRENT: usize = 8;

/// Rows or objects looked at together.
const PAGE: usize = 500;

/// Names that a plan lists, of each kind. What is beyond them is counted, and waits for the next sweep if it is no blob of the catalog.
const LISTED: usize = 1_000;

/// What a sweep would remove, if nothing changes until then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SweepPlan {
    /// Only what has been of no use since before this is removed.
    pub before: Instant,
    /// Blobs that no record names.
    pub unreferenced: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The first of them, at most 1000.
    pub digests: Vec<Digest>,
    /// Blobs in the store or the spool that the catalog does not know, at most 1000.
    pub orphans: Vec<Listed>,
    /// Files that interrupted uploads left behind.
    pub stale_staging: Vec<StaleFile>,
    /// The same, of the spool.
    pub stale_spool: Vec<StaleFile>,
}

/// What a sweep has removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SweepReport {
    /// Blobs.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Of them, those that the catalog did not know.
    pub orphans: u64,
    /// Files that interrupted uploads had left behind.
    pub staging: u64,
    /// Blobs that it gave up, because it was held up or told to end; the next sweep finishes them.
    pub abandoned: u64,
}

/// A moment after which what was claimed is no longer deleted.
#[derive(Debug, Clone, Copy)]
struct Claim {
    monotonic: tokio::time::Instant,
    clock: Instant,
}

impl SweepPlan {
    /// Whether there is nothing to remove.
    pub fn is_empty(&self) -> bool {
        self.unreferenced == 0
            && self.orphans.is_empty()
            && self.stale_staging.is_empty()
            && self.stale_spool.is_empty()
    }
}

impl Blobs {
    /// Looks what a sweep would remove. Reads every name in the store, and removes nothing.
    ///
    /// # Errors
    /// If the store or the catalog cannot be read.
    pub async fn sweep_plan(&self) -> Result<SweepPlan, BlobError> {
        let before = self.now().before(self.inner.options.grace);
        let mut plan = SweepPlan {
            before,
            unreferenced: 0,
            bytes: 0,
            digests: Vec::new(),
            orphans: Vec::new(),
            stale_staging: self.store().stale_staging(before).await?,
            stale_spool: Vec::new(),
        };
        self.plan_blobs(&mut plan).await?;
        self.plan_orphans(self.store(), &mut plan).await?;
        if let Some(spool) = self.spool() {
            plan.stale_spool = spool.stale_staging(before).await?;
            self.plan_orphans(spool, &mut plan).await?;
        }
        Ok(plan)
    }

    /// Removes what a plan lists, as far as nothing has come to need it since, and what has become due by the plan's own date.
    ///
    /// # Errors
    /// If the store or the catalog fails. What was claimed and not removed is finished by the next sweep.
    pub async fn sweep(
        &self,
        plan: &SweepPlan,
        tell: impl Fn(Progress) -> ControlFlow<()> + Send + Sync,
    ) -> Result<SweepReport, BlobError> {
        let _alone = self.inner.sweeping.lock().await;
        let mut report = SweepReport::default();
        report.staging += remove_staging(self.store(), &plan.stale_staging).await?;
        if let Some(spool) = self.spool() {
            report.staging += remove_staging(spool, &plan.stale_spool).await?;
        }
        let mut progress = Progress { total: plan.unreferenced + plan.orphans.len() as u64, ..Progress::default() };
        for orphans in plan.orphans.chunks(BATCH) {
            let claim = self.claim();
            let claimed = self.claim_orphans(orphans).await?;
            let (before, after) = (report.blobs, self.remove(claim, claimed, &mut report, &mut progress, &tell).await?);
            report.orphans += report.blobs - before;
            if after.is_break() {
                return Ok(report);
            }
        }
        loop {
            let claim = self.claim();
            let claimed = self.claim_unreferenced(plan.before).await?;
            if claimed.is_empty() || self.remove(claim, claimed, &mut report, &mut progress, &tell).await?.is_break() {
                return Ok(report);
            }
        }
    }

    async fn plan_blobs(&self, plan: &mut SweepPlan) -> Result<(), CatalogError> {
        let (before, mut after) = (plan.before, None);
        loop {
            let rows: Vec<BlobInfo> =
                self.catalog().read(move |tx| Box::pin(tx.list_unreferenced(before, after, PAGE))).await?;
            plan.unreferenced += rows.len() as u64;
            plan.bytes += rows.iter().map(|info| info.size).sum::<u64>();
            let room = LISTED.saturating_sub(plan.digests.len());
            plan.digests.extend(rows.iter().take(room).map(|info| info.digest));
            match rows.last() {
                Some(last) if rows.len() == PAGE => after = Some(last.digest),
                _ => return Ok(()),
            }
        }
    }

    /// Bytes that no row names. A put pins before it publishes, so bytes without a row belong to no put under way; and young ones
    /// are left alone all the same, for whoever has just restored an older catalog.
    async fn plan_orphans(&self, store: &Store, plan: &mut SweepPlan) -> Result<(), BlobError> {
        let before = plan.before;
        let old = store.list().try_filter(|blob| std::future::ready(blob.modified < before));
        let mut pages = std::pin::pin!(old.try_chunks(PAGE));
        while let Some(page) = pages.next().await {
            let page: Vec<Listed> = page.map_err(|error| error.1)?;
            let digests: Vec<Digest> = page.iter().map(|blob| blob.digest).collect();
            let known = self
                .catalog()
                .read::<_, CatalogError, _>(move |tx| {
                    let digests = digests.clone();
                    Box::pin(async move { tx.known_blobs(&digests).await })
                })
                .await?;
            let room = LISTED.saturating_sub(plan.orphans.len());
            plan.orphans.extend(page.into_iter().filter(|blob| !known.contains(&blob.digest)).take(room));
        }
        Ok(())
    }

    async fn claim_unreferenced(&self, before: Instant) -> Result<Vec<(Digest, u64)>, CatalogError> {
        self.catalog()
            .write(move |tx| {
                Box::pin(async move {
                    let mut claimed = Vec::new();
                    for digest in tx.mark_deleting(before, BATCH).await? {
                        let size = tx.blob_info(digest).await?.map_or(0, |info| info.size);
                        claimed.push((digest, size));
                    }
                    Ok(claimed)
                })
            })
            .await
    }

    async fn claim_orphans(&self, orphans: &[Listed]) -> Result<Vec<(Digest, u64)>, CatalogError> {
        let orphans = orphans.to_vec();
        self.catalog()
            .write(move |tx| {
                let orphans = orphans.clone();
                Box::pin(async move {
                    let mut claimed = Vec::new();
                    for Listed { digest, size, .. } in orphans {
                        if tx.mark_orphan_deleting(digest, size).await? {
                            claimed.push((digest, size));
                        }
                    }
                    Ok(claimed)
                })
            })
            .await
    }

    /// Deletes the bytes of what was claimed, as long as the claim is fresh, and forgets what is deleted.
    async fn remove(
        &self,
        claim: Claim,
        claimed: Vec<(Digest, u64)>,
        report: &mut SweepReport,
        progress: &mut Progress,
        tell: &dyn Tell,
    ) -> Result<ControlFlow<()>, BlobError> {
        let total = claimed.len() as u64;
        let mut deletions = stream::iter(claimed)
            .map(|(digest, size)| async move { (digest, size, self.delete_bytes(claim, digest).await) })
            .buffer_unordered(CONCURRENT);
        let (mut deleted, mut failure, mut wish) = (Vec::new(), None, ControlFlow::Continue(()));
        while let Some((digest, size, outcome)) = deletions.next().await {
            match outcome {
                Ok(true) => {
                    deleted.push(digest);
                    report.bytes += size;
                    wish = progress.advance(size, tell);
                }
                Ok(false) => {}
                Err(error) => failure = Some(error),
            }
            if wish.is_break() || failure.is_some() {
                break;
            }
        }
        drop(deletions);
        let removed = self.forget(claim, deleted).await?;
        report.blobs += removed;
        report.abandoned += total - removed;
        failure.map_or(Ok(wish), |error| Err(error.into()))
    }

    /// Deletes a blob's bytes wherever they are. Whether it did: not if the claim may be another's by now.
    async fn delete_bytes(&self, claim: Claim, digest: Digest) -> Result<bool, StoreError> {
        if !self.is_fresh(claim) {
            return Ok(false);
        }
        let delete = async {
            if let Some(spool) = self.spool() {
                spool.delete(digest).await?;
            }
            self.store().delete(digest).await
        };
        match tokio::time::timeout(HOLD, delete).await {
            Ok(deleted) => deleted.map(|()| true),
            Err(_) => Ok(false),
        }
    }

    async fn forget(&self, claim: Claim, deleted: Vec<Digest>) -> Result<u64, CatalogError> {
        if deleted.is_empty() || !self.is_fresh(claim) {
            return Ok(0);
        }
        let count = deleted.len() as u64;
        self.catalog()
            .write(move |tx| {
                let deleted = deleted.clone();
                Box::pin(async move {
                    for digest in deleted {
                        tx.forget_deleted(digest).await?;
                    }
                    Ok(count)
                })
            })
            .await
    }

    /// Taken before the claim is written, so that it never counts as younger than it is.
    fn claim(&self) -> Claim {
        Claim { monotonic: tokio::time::Instant::now(), clock: self.now() }
    }

    /// By both clocks: one stands still while a machine sleeps, the other may be set.
    fn is_fresh(&self, claim: Claim) -> bool {
        let now = self.now();
        claim.monotonic.elapsed() < HOLD && claim.clock <= now && now < claim.clock.after(HOLD)
    }

    fn now(&self) -> Instant {
        self.catalog().clock().now()
    }
}

async fn remove_staging(store: &Store, files: &[StaleFile]) -> Result<u64, StoreError> {
    let mut removed = 0;
    for file in files {
        removed += u64::from(store.remove_staging(file).await?);
    }
    Ok(removed)
}
