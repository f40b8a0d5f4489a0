//! Tokens, and what is kept of other archives' frames: the only file with statements on them.

use holotype_blobs::{BlobReference, Held};
use holotype_catalog::{CatalogError, Tx, values};
use holotype_core::{Digest, Instant, ProjectId, UserId};

use super::frames::RemoteFrame;

/// The kind of the references that keep the bytes of other archives' frames. They are no project's.
const KIND: &str = "remote-frame";

pub(super) async fn put_token(tx: &mut Tx, user: UserId, archive: &str, sealed: &[u8]) -> Result<(), CatalogError> {
    let put = "INSERT INTO archive_tokens (user_id, archive, ciphertext, created) VALUES ($1, $2, $3, $4)
        ON CONFLICT (user_id, archive) DO UPDATE SET ciphertext = excluded.ciphertext, created = excluded.created";
    tx.exec_sql(put, values![user, archive, sealed.to_vec(), tx.now()]).await?;
    forget_grants(tx, user, archive).await
}

pub(super) async fn remove_token(tx: &mut Tx, user: UserId, archive: &str) -> Result<bool, CatalogError> {
    let remove = "DELETE FROM archive_tokens WHERE user_id = $1 AND archive = $2";
    let removed = tx.exec_sql(remove, values![user, archive]).await? > 0;
    forget_grants(tx, user, archive).await?;
    Ok(removed)
}

async fn forget_grants(tx: &mut Tx, user: UserId, archive: &str) -> Result<(), CatalogError> {
    let forget = "DELETE FROM input_grants WHERE user_id = $1 AND archive = $2";
    tx.exec_sql(forget, values![user, archive]).await.map(drop)
}

pub(super) async fn token(
    tx: &mut Tx,
    user: UserId,
    archive: &str,
) -> Result<Option<(Vec<u8>, Instant)>, CatalogError> {
    let select = "SELECT ciphertext, created FROM archive_tokens WHERE user_id = $1 AND archive = $2";
    let row = tx.row_sql(select, values![user, archive]).await?;
    row.map(|row| Ok((row.get("ciphertext")?, row.get("created")?))).transpose()
}

/// What the archive answered to a user, as long as that counts.
pub(super) async fn granted(
    tx: &mut Tx,
    user: UserId,
    archive: &str,
    basename: &str,
) -> Result<Option<RemoteFrame>, CatalogError> {
    let select = "SELECT version, file_name FROM input_grants
        WHERE user_id = $1 AND archive = $2 AND basename = $3 AND until > $4";
    let row = tx.row_sql(select, values![user, archive, basename, tx.now()]).await?;
    let Some(row) = row else { return Ok(None) };
    let (version, file_name): (String, String) = (row.get("version")?, row.get("file_name")?);
    let held = cached(tx, archive, &version).await?;
    Ok(Some(RemoteFrame { version, file_name, held }))
}

/// Writes down what the archive answered to a user; what no longer counts is removed on the way.
pub(super) async fn grant(
    tx: &mut Tx,
    user: UserId,
    archive: &str,
    basename: &str,
    frame: (&str, &str),
    until: Instant,
) -> Result<(), CatalogError> {
    tx.exec_sql("DELETE FROM input_grants WHERE user_id = $1 AND until <= $2", values![user, tx.now()]).await?;
    let (version, file_name) = frame;
    let put = "INSERT INTO input_grants (user_id, archive, basename, version, file_name, until)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (user_id, archive, basename)
        DO UPDATE SET version = excluded.version, file_name = excluded.file_name, until = excluded.until";
    tx.exec_sql(put, values![user, archive, basename, version, file_name, until]).await.map(drop)
}

/// The bytes of a version, if they are in the store. They count as used now.
pub(super) async fn used(tx: &mut Tx, archive: &str, version: &str) -> Result<Option<(Digest, u64)>, CatalogError> {
    let update = "UPDATE input_cache SET used = $3 WHERE archive = $1 AND version = $2";
    tx.exec_sql(update, values![archive, version, tx.now()]).await?;
    cached(tx, archive, version).await
}

pub(super) async fn cached(tx: &mut Tx, archive: &str, version: &str) -> Result<Option<(Digest, u64)>, CatalogError> {
    let select = "SELECT digest, size FROM input_cache WHERE archive = $1 AND version = $2";
    let row = tx.row_sql(select, values![archive, version]).await?;
    row.map(|row| Ok((row.get("digest")?, row.get::<i64>("size")?.unsigned_abs()))).transpose()
}

/// Keeps the bytes of a version.
pub(super) async fn keep(
    tx: &mut Tx,
    archive: &str,
    version: &str,
    name: &str,
    held: &Held,
) -> Result<(), CatalogError> {
    let size = i64::try_from(held.size).unwrap_or(i64::MAX);
    let insert = "INSERT INTO input_cache (archive, version, name, digest, size, created, used)
        VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (archive, version) DO NOTHING";
    if tx.exec_sql(insert, values![archive, version, name, held.digest, size, tx.now()]).await? == 0 {
        return Ok(());
    }
    let record = record(archive, version);
    let reference = BlobReference { project: ProjectId::DEFAULT, kind: KIND, record, name: name.to_owned() };
    held.reference(tx, reference).await
}

/// Lets go of what was used longest ago, until no more than `most` bytes are kept beside `version`.
pub(super) async fn make_room(tx: &mut Tx, archive: &str, version: &str, most: u64) -> Result<(), CatalogError> {
    let select = "SELECT archive, version, size FROM input_cache ORDER BY used DESC, version";
    let mut kept = 0;
    for row in tx.rows_sql(select, values![]).await? {
        let (of, old): (String, String) = (row.get("archive")?, row.get("version")?);
        kept += row.get::<i64>("size")?.unsigned_abs();
        if kept > most && (of.as_str(), old.as_str()) != (archive, version) {
            tx.exec_sql("DELETE FROM input_cache WHERE archive = $1 AND version = $2", values![of, old]).await?;
            tx.release_blobs(KIND, ProjectId::DEFAULT, &record(&of, &old)).await?;
        }
    }
    Ok(())
}

fn record(archive: &str, version: &str) -> String {
    format!("{archive} {version}")
}
