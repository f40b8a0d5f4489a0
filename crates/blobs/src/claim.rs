//! Two changes of a blob's row that only a sweep and a put need: the claim of bytes nobody knows, and the end of a claim that was given up.

use holotype_catalog::{CatalogError, DELETION_LEASE, Tx, values};
use holotype_core::{Digest, Instant};

use crate::put::Held;

/// Claims for deletion the bytes of a digest that has no row, by making it one. Whether it did: a put may have come first.
pub(crate) async fn claim_orphan(tx: &mut Tx, digest: Digest, size: u64) -> Result<bool, CatalogError> {
    // Nobody has read the bytes, so nobody knows their MD5; a put that brings them back says it.
    let insert = "INSERT INTO blobs
            (digest, size, md5, state, reference_count, pinned_until, unused_since, deleting_until, created_at)
        VALUES ($1, $2, $3, 'deleting', 0, $4, $4, $5, $4) ON CONFLICT (digest) DO NOTHING";
    let (now, size) = (tx.now(), i64::try_from(size).unwrap_or(i64::MAX));
    let values = values![digest, size, vec![0_u8; 16], now, now.after(DELETION_LEASE)];
    Ok(tx.exec_sql(insert, values).await? == 1)
}

/// Pins a blob whose deletion was claimed and not done in time: no sweep deletes it any more, but its bytes may be gone.
/// It begins anew, so that whoever held it before finds that it is another.
pub(crate) async fn take_over(tx: &mut Tx, held: &Held, until: Instant) -> Result<bool, CatalogError> {
    let update = "UPDATE blobs SET state = 'present', size = $2, md5 = $3, pinned_until = $4, deleting_until = NULL,
            unused_since = $5, created_at = $5, verified_at = NULL
        WHERE digest = $1 AND state = 'deleting' AND deleting_until <= $5";
    let size = i64::try_from(held.size).unwrap_or(i64::MAX);
    let values = values![held.digest, size, held.md5.to_vec(), until, tx.now()];
    Ok(tx.exec_sql(update, values).await? == 1)
}
