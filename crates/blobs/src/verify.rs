//! Reading every blob again, to know that it is what its name says.

use std::ops::ControlFlow;

use holotype_catalog::{BlobInfo, BlobState, CatalogError};
use holotype_core::Digest;
use holotype_store::Verdict;

use crate::{BlobError, Blobs, Progress};

/// Rows looked at together.
const PAGE: usize = 100;

/// Findings that a report lists. What is beyond them is counted.
const LISTED: usize = 1_000;

/// What a verification has found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VerifyReport {
    /// Blobs that are what their names say.
    pub intact: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Blobs that wait in the spool of another host, which alone can read them.
    pub elsewhere: u64,
    /// Blobs that are damaged or missing although a record names them.
    pub lost: u64,
    /// The first of them, at most 1000.
    pub findings: Vec<Finding>,
    /// Whether every blob was looked at.
    pub complete: bool,
}

/// A blob whose bytes are not what its name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// The blob.
    pub digest: Digest,
    /// What was found in its place: never [`Verdict::Intact`].
    pub verdict: Verdict,
    /// How many references records have to it.
    pub references: u64,
}

impl Blobs {
    /// Reads every blob and compares it with its name, and notes in the catalog when each was found intact.
    ///
    /// # Errors
    /// If the store or the catalog cannot be read: what could not be read is not called lost.
    pub async fn verify_all(
        &self,
        tell: impl Fn(Progress) -> ControlFlow<()> + Send + Sync,
    ) -> Result<VerifyReport, BlobError> {
        let counts = self.catalog().read::<_, CatalogError, _>(|tx| Box::pin(tx.blob_counts())).await?;
        let mut progress = Progress { total: counts.blobs, ..Progress::default() };
        let (mut report, mut after) = (VerifyReport::default(), None);
        loop {
            let rows: Vec<BlobInfo> = self.catalog().read(move |tx| Box::pin(tx.list_blobs(after, PAGE))).await?;
            for info in &rows {
                let bytes = self.verify(info, &mut report).await?;
                if progress.advance(bytes, &tell).is_break() {
                    return Ok(report);
                }
            }
            match rows.last() {
                Some(last) if rows.len() == PAGE => after = Some(last.digest),
                _ => break,
            }
        }
        report.complete = true;
        Ok(report)
    }

    /// Looks at one blob; gives how many bytes were read.
    async fn verify(&self, info: &BlobInfo, report: &mut VerifyReport) -> Result<u64, BlobError> {
        let digest = info.digest;
        let verdict = match self.spool().filter(|_| info.state == BlobState::Spooled) {
            None => self.store().verify(digest).await?,
            Some(spool) => match spool.verify(digest).await? {
                Verdict::Absent => {
                    report.elsewhere += 1;
                    return Ok(0);
                }
                here => here,
            },
        };
        let (size, is_right) = match verdict {
            Verdict::Intact { size } => (size, size == info.size),
            Verdict::Damaged { size, .. } => (size, false),
            Verdict::Absent => (0, false),
        };
        report.bytes += size;
        if is_right {
            report.intact += 1;
            self.catalog().write(move |tx| Box::pin(tx.mark_verified(digest))).await?;
        } else if let Some(now) = self.info(digest).await?.filter(|now| now.references > 0 && now.state == info.state) {
            // What no record names may be on its way in or out; what has moved to or from the spool is looked at next time.
            report.lost += 1;
            if report.findings.len() < LISTED {
                report.findings.push(Finding { digest, verdict, references: now.references });
            }
        }
        Ok(size)
    }
}
