//! Which bytes are held, for whom, and which may go.
//!
//! Every decision is one row's compare-and-set on `blobs`, so it holds whatever else happens at the same time: whoever
//! is about to store bytes *pins* their digest first; a record *references* a blob in the record's own transaction; a
//! sweep marks
//! `deleting` only what has no reference and no pin and has been so for a while; and a pin that meets `deleting` says
//! so.

use std::collections::HashSet;
use std::time::Duration;

use holotype_core::{Digest, Instant, ProjectId};
use sea_query::{Expr, ExprTrait as _, Query};

use crate::row::Row;
use crate::{CatalogError, Tx, values};

/// How long a sweep may take from claiming blobs to having deleted their bytes. Another sweep may claim them
/// afterwards.
pub const DELETION_LEASE: Duration = Duration::from_mins(10);

/// How many values one statement is given in a list: far below what either engine takes.
pub(crate) const CHUNK: usize = 500;

/// What a pin met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PinOutcome {
    /// Nobody knew the blob. It is pinned.
    New,
    /// The blob was known; its bytes are there, or somebody else is bringing them. It is pinned.
    Present,
    /// Its bytes are being deleted at this moment. Nothing is pinned: wait and ask again.
    Deleting,
}

/// Where a blob's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlobState {
    /// In the store, or on their way there under a pin.
    Present,
    /// In the local spool, because the store could not be reached.
    Spooled,
    /// Being deleted.
    Deleting,
}

impl BlobState {
    fn from_name(name: &str) -> Option<Self> {
        match name {
            "present" => Some(Self::Present),
            "spooled" => Some(Self::Spooled),
            "deleting" => Some(Self::Deleting),
            _ => None,
        }
    }
}

/// What is known of a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobInfo {
    /// Its name.
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
    /// Its MD5, where an archive or a bucket wants it.
    pub md5: [u8; 16],
    /// Where its bytes are.
    pub state: BlobState,
    /// How many references records have to it.
    pub references: u64,
    /// Until when it is kept without a reference.
    pub pinned_until: Instant,
    /// When the last reference went, or when it came.
    pub unused_since: Instant,
    /// When it came.
    pub created_at: Instant,
    /// When its bytes were last read and found to be right.
    pub verified_at: Option<Instant>,
}

/// That a record holds a blob.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobReference {
    /// The blob.
    pub digest: Digest,
    /// The project of the record.
    pub project: ProjectId,
    /// What kind of record: `datapoint`, …
    pub kind: String,
    /// The record's id.
    pub record: String,
    /// What the blob is in the record: a file's name or position.
    pub name: String,
}

/// How much is held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BlobCounts {
    /// Blobs that are not being deleted.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Of them, those that no record references.
    pub unreferenced: u64,
    /// Bytes of those.
    pub unreferenced_bytes: u64,
    /// Of them, those whose bytes wait in the spool.
    pub spooled: u64,
    /// Blobs that are being deleted.
    pub deleting: u64,
}

impl Tx {
    /// Keeps a blob until `until`, known or not. Call it before looking whether the bytes are there.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn pin_blob(
        &mut self,
        digest: Digest,
        size: u64,
        md5: [u8; 16],
        until: Instant,
    ) -> Result<PinOutcome, CatalogError> {
        let now = self.now();
        let size = i64::try_from(size).map_err(|_| CatalogError::invalid("a blob of more than 2^63 bytes"))?;
        let insert =
            "INSERT INTO blobs (digest, size, md5, state, reference_count, pinned_until, unused_since, created_at)
            VALUES ($1, $2, $3, 'present', 0, $4, $5, $5) ON CONFLICT (digest) DO NOTHING";
        if self.exec_sql(insert, values![digest, size, md5.to_vec(), until, now]).await? == 1 {
            return Ok(PinOutcome::New);
        }
        let pin = "UPDATE blobs SET pinned_until = CASE WHEN pinned_until < $2 THEN $2 ELSE pinned_until END
            WHERE digest = $1 AND state <> 'deleting'";
        // A row that is gone in between was being deleted until now: for the caller that is the same.
        let pinned = self.exec_sql(pin, values![digest, until]).await? == 1;
        Ok(if pinned { PinOutcome::Present } else { PinOutcome::Deleting })
    }

    /// Pins a blob whose deletion was claimed and not done in time; whether it was.
    ///
    /// No sweep deletes it any more, but its bytes may be gone: the caller brings them. The row begins anew, so that whoever
    /// held the blob before finds that it is another.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn take_over_blob(
        &mut self,
        digest: Digest,
        size: u64,
        md5: [u8; 16],
        until: Instant,
    ) -> Result<bool, CatalogError> {
        let update =
            "UPDATE blobs SET state = 'present', size = $2, md5 = $3, pinned_until = $4, deleting_until = NULL,
                unused_since = $5, created_at = $5, verified_at = NULL
            WHERE digest = $1 AND state = 'deleting' AND deleting_until <= $5";
        let size = i64::try_from(size).map_err(|_| CatalogError::invalid("a blob of more than 2^63 bytes"))?;
        Ok(self.exec_sql(update, values![digest, size, md5.to_vec(), until, self.now()]).await? == 1)
    }

    /// Has a record hold a blob, from the commit of this transaction on. To do it twice is to do it once.
    ///
    /// # Errors
    /// [`CatalogError::BlobGone`] if the blob is not known or being deleted.
    pub async fn reference_blob(&mut self, reference: &BlobReference) -> Result<(), CatalogError> {
        let BlobReference { digest, project, kind, record, name } = reference;
        // The blob's row first: it is the one that a sweep decides on.
        let count = "UPDATE blobs SET reference_count = reference_count + 1 WHERE digest = $1 AND state <> 'deleting'";
        if self.exec_sql(count, values![digest]).await? == 0 {
            return Err(CatalogError::BlobGone { digest: *digest });
        }
        let insert = "INSERT INTO blob_references (kind, project, record, name, digest) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT DO NOTHING";
        if self.exec_sql(insert, values![kind, project, record, name, digest]).await? == 0 {
            let undo = "UPDATE blobs SET reference_count = reference_count - 1 WHERE digest = $1";
            self.exec_sql(undo, values![digest]).await?;
        }
        Ok(())
    }

    /// Ends all that a record holds; how many references there were.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn release_blobs(&mut self, kind: &str, project: ProjectId, record: &str) -> Result<usize, CatalogError> {
        let delete = "DELETE FROM blob_references WHERE kind = $1 AND project = $2 AND record = $3 RETURNING digest";
        let rows = self.rows_sql(delete, values![kind, project, record]).await?;
        let mut digests = rows.iter().map(|row| row.get("digest")).collect::<Result<Vec<Digest>, _>>()?;
        // In one order everywhere, so that two releases never wait for each other.
        digests.sort_unstable();
        let count = "UPDATE blobs SET reference_count = reference_count - 1, unused_since = $2 WHERE digest = $1";
        for digest in &digests {
            self.exec_sql(count, values![digest, self.now()]).await?;
        }
        Ok(digests.len())
    }

    /// Claims at most `limit` blobs for deletion that nothing references or pins and that have been unused since
    /// `grace_before`.
    ///
    /// The caller deletes their bytes within [`DELETION_LEASE`] and then [forgets](Self::forget_deleted) them. What an
    /// earlier sweep claimed and did not finish in that time is claimed again.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn mark_deleting(&mut self, grace_before: Instant, limit: usize) -> Result<Vec<Digest>, CatalogError> {
        // The condition stands outside, too: that is where PostgreSQL looks again at a row somebody else has just
        // changed.
        let mark = "UPDATE blobs SET state = 'deleting', deleting_until = $3
            WHERE reference_count = 0 AND unused_since <= $1 AND pinned_until <= $2
                AND (state <> 'deleting' OR deleting_until <= $2)
                AND digest IN (SELECT digest FROM blobs
                    WHERE reference_count = 0 AND unused_since <= $1 AND pinned_until <= $2
                        AND (state <> 'deleting' OR deleting_until <= $2)
                    ORDER BY unused_since LIMIT $4)
            RETURNING digest";
        let (now, limit) = (self.now(), i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = self.rows_sql(mark, values![grace_before, now, now.after(DELETION_LEASE), limit]).await?;
        rows.iter().map(|row| row.get("digest")).collect()
    }

    /// Claims for deletion bytes whose digest has no row, by making it one; whether it did, since a put may have come first.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn mark_orphan_deleting(&mut self, digest: Digest, size: u64) -> Result<bool, CatalogError> {
        // Nobody has read the bytes, so nobody knows their MD5; a put that brings them back says it.
        let insert = "INSERT INTO blobs
                (digest, size, md5, state, reference_count, pinned_until, unused_since, deleting_until, created_at)
            VALUES ($1, $2, $3, 'deleting', 0, $4, $4, $5, $4) ON CONFLICT (digest) DO NOTHING";
        let (now, size) = (self.now(), i64::try_from(size).unwrap_or(i64::MAX));
        let values = values![digest, size, vec![0_u8; 16], now, now.after(DELETION_LEASE)];
        Ok(self.exec_sql(insert, values).await? == 1)
    }

    /// Forgets a blob whose bytes are deleted. One that is not being deleted stays.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn forget_deleted(&mut self, digest: Digest) -> Result<(), CatalogError> {
        self.exec_sql("DELETE FROM blobs WHERE digest = $1 AND state = 'deleting'", values![digest]).await.map(drop)
    }

    /// Notes that a blob's bytes are in the spool and not in the store; whether there was such a blob.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn mark_spooled(&mut self, digest: Digest) -> Result<bool, CatalogError> {
        let mark = "UPDATE blobs SET state = 'spooled' WHERE digest = $1 AND state <> 'deleting'";
        Ok(self.exec_sql(mark, values![digest]).await? == 1)
    }

    /// Notes that a spooled blob's bytes have reached the store; whether it was a spooled one.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn mark_stored(&mut self, digest: Digest) -> Result<bool, CatalogError> {
        let mark = "UPDATE blobs SET state = 'present' WHERE digest = $1 AND state = 'spooled'";
        Ok(self.exec_sql(mark, values![digest]).await? == 1)
    }

    /// Notes that a blob's bytes have been read and are right.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn mark_verified(&mut self, digest: Digest) -> Result<(), CatalogError> {
        self.exec_sql("UPDATE blobs SET verified_at = $2 WHERE digest = $1", values![digest, self.now()])
            .await
            .map(drop)
    }

    /// What is known of a blob.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn blob_info(&mut self, digest: Digest) -> Result<Option<BlobInfo>, CatalogError> {
        let row = self.row_sql("SELECT * FROM blobs WHERE digest = $1", values![digest]).await?;
        row.as_ref().map(info).transpose()
    }

    /// At most `limit` blobs after `after`, in the order of their digests, without those being deleted.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn list_blobs(&mut self, after: Option<Digest>, limit: usize) -> Result<Vec<BlobInfo>, CatalogError> {
        let select = "SELECT * FROM blobs WHERE digest > $1 AND state <> 'deleting' ORDER BY digest LIMIT $2";
        self.blob_page(select, after, values![], limit).await
    }

    /// At most `limit` blobs after `after` whose bytes are in the spool.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn list_spooled(&mut self, after: Option<Digest>, limit: usize) -> Result<Vec<BlobInfo>, CatalogError> {
        let select = "SELECT * FROM blobs WHERE digest > $1 AND state = 'spooled' ORDER BY digest LIMIT $2";
        self.blob_page(select, after, values![], limit).await
    }

    /// At most `limit` blobs after `after` that [`mark_deleting`](Self::mark_deleting) would claim now.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn list_unreferenced(
        &mut self,
        grace_before: Instant,
        after: Option<Digest>,
        limit: usize,
    ) -> Result<Vec<BlobInfo>, CatalogError> {
        let select = "SELECT * FROM blobs
            WHERE digest > $1 AND reference_count = 0 AND unused_since <= $3 AND pinned_until <= $4
                AND (state <> 'deleting' OR deleting_until <= $4)
            ORDER BY digest LIMIT $2";
        self.blob_page(select, after, values![grace_before, self.now()], limit).await
    }

    async fn blob_page(
        &mut self,
        select: &'static str,
        after: Option<Digest>,
        more: Vec<sea_query::Value>,
        limit: usize,
    ) -> Result<Vec<BlobInfo>, CatalogError> {
        // Nothing sorts before no bytes at all.
        let after = after.map_or(Vec::new(), |digest| digest.as_bytes().to_vec());
        let mut values = values![after, i64::try_from(limit).unwrap_or(i64::MAX)];
        values.extend(more);
        self.rows_sql(select, values).await?.iter().map(info).collect()
    }

    /// How much is held. It reads every blob's row.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn blob_counts(&mut self) -> Result<BlobCounts, CatalogError> {
        // Casts, because a sum of bigints is a numeric in PostgreSQL.
        let select = "SELECT state, count(*) AS blobs, CAST(sum(size) AS bigint) AS bytes,
                CAST(sum(CASE WHEN reference_count = 0 THEN 1 ELSE 0 END) AS bigint) AS unreferenced,
                CAST(sum(CASE WHEN reference_count = 0 THEN size ELSE 0 END) AS bigint) AS unreferenced_bytes
            FROM blobs GROUP BY state";
        let mut counts = BlobCounts::default();
        for row in self.rows_sql(select, values![]).await? {
            let blobs = unsigned(&row, "blobs")?;
            match state(&row)? {
                BlobState::Deleting => {
                    counts.deleting += blobs;
                    continue;
                }
                BlobState::Spooled => counts.spooled += blobs,
                BlobState::Present => {}
            }
            counts.blobs += blobs;
            counts.bytes += unsigned(&row, "bytes")?;
            counts.unreferenced += unsigned(&row, "unreferenced")?;
            counts.unreferenced_bytes += unsigned(&row, "unreferenced_bytes")?;
        }
        Ok(counts)
    }

    /// Which records hold a blob; at most `limit` references.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn references_of(&mut self, digest: Digest, limit: usize) -> Result<Vec<BlobReference>, CatalogError> {
        let select = "SELECT digest, project, kind, record, name FROM blob_references WHERE digest = $1
            ORDER BY project, kind, record, name LIMIT $2";
        let rows = self.rows_sql(select, values![digest, i64::try_from(limit).unwrap_or(i64::MAX)]).await?;
        rows.iter().map(reference).collect()
    }

    /// Which of these digests the catalog knows, in whatever state: what the store holds beyond them belongs to nobody.
    ///
    /// # Errors
    /// What the database refuses.
    pub async fn known_blobs(&mut self, digests: &[Digest]) -> Result<HashSet<Digest>, CatalogError> {
        let mut known = HashSet::new();
        for chunk in digests.chunks(CHUNK) {
            let bytes = chunk.iter().map(|digest| digest.as_bytes().to_vec());
            let mut select = Query::select();
            select.column("digest").from("blobs").and_where(Expr::col("digest").is_in(bytes));
            for row in self.rows(&select).await? {
                known.insert(row.get("digest")?);
            }
        }
        Ok(known)
    }
}

fn info(row: &Row) -> Result<BlobInfo, CatalogError> {
    let md5: Vec<u8> = row.get("md5")?;
    Ok(BlobInfo {
        digest: row.get("digest")?,
        size: unsigned(row, "size")?,
        md5: md5.try_into().map_err(|_| wrong("md5", "16 bytes are needed"))?,
        state: state(row)?,
        references: unsigned(row, "reference_count")?,
        pinned_until: row.get("pinned_until")?,
        unused_since: row.get("unused_since")?,
        created_at: row.get("created_at")?,
        verified_at: row.get("verified_at")?,
    })
}

fn reference(row: &Row) -> Result<BlobReference, CatalogError> {
    Ok(BlobReference {
        digest: row.get("digest")?,
        project: row.get("project")?,
        kind: row.get("kind")?,
        record: row.get("record")?,
        name: row.get("name")?,
    })
}

fn state(row: &Row) -> Result<BlobState, CatalogError> {
    let name: String = row.get("state")?;
    BlobState::from_name(&name).ok_or_else(|| wrong("state", &format!("'{name}' is no state of a blob")))
}

fn unsigned(row: &Row, column: &str) -> Result<u64, CatalogError> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| wrong(column, &format!("{value} is negative")))
}

fn wrong(column: &str, problem: &str) -> CatalogError {
    CatalogError::Column { column: column.to_owned(), problem: problem.to_owned() }
}
