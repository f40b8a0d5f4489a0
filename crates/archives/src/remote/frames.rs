//! The archive's frames: found with a user's rights, brought into the store once.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::StreamExt;
use holotype_blobs::Held;
use holotype_core::{Digest, UserId};
use serde::{Deserialize, Serialize};

use super::{Remote, table};
use crate::ArchiveError;
use crate::frames::split_name;
use crate::source::{ArchiveSource, Listed, Ocs, Query, SourceError};

/// How long it counts that the archive answered a user. Who loses the right to a frame there has it here for as long.
const GRANTED: Duration = Duration::from_secs(600);

/// Most bytes of a frame of which the archive tells no size.
const MOST_BYTES: u64 = 8 << 30;

/// How often a transfer that broke off is begun again.
const TRIES: u32 = 3;

/// A frame of the archive that a user may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteFrame {
    /// What the archive names these bytes by: the same for everybody.
    pub version: String,
    /// What the file is called.
    pub file_name: String,
    /// Its bytes, if they are in the store.
    pub held: Option<(Digest, u64)>,
}

/// What [`Remote::bring`] needs to find a frame again. There is nothing secret in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// The archive's address.
    pub archive: String,
    /// The frame's name.
    pub basename: String,
    /// Which bytes of it.
    pub version: String,
}

impl Remote {
    /// Finds a frame by its name, with the rights that a user has at the archive; without a token, those of the public.
    ///
    /// # Errors
    /// An archive that does not answer, or does not take the user's token.
    pub async fn find(&self, user: UserId, basename: &str) -> Result<Option<RemoteFrame>, ArchiveError> {
        let (archive, name) = (self.address().to_owned(), basename.to_owned());
        let known = self.0.catalog.read(move |tx| {
            let (archive, name) = (archive.clone(), name.clone());
            Box::pin(async move { Ok::<_, ArchiveError>(table::granted(tx, user, &archive, &name).await?) })
        });
        if let Some(frame) = known.await? {
            return Ok(Some(frame));
        }
        let source = self.source(user).await?;
        let Some(listed) = ask(&source, basename).await? else { return Ok(None) };
        let version = self.version(&listed)?;
        let (archive, name, told) = (self.address().to_owned(), basename.to_owned(), (version, listed.name));
        self.0
            .catalog
            .write(move |tx| {
                let (archive, name, (version, file_name)) = (archive.clone(), name.clone(), told.clone());
                Box::pin(async move {
                    let until = tx.now().after(GRANTED);
                    table::grant(tx, user, &archive, &name, (&version, &file_name), until).await?;
                    let held = table::used(tx, &archive, &version).await?;
                    Ok(Some(RemoteFrame { version, file_name, held }))
                })
            })
            .await
    }

    /// What to hand to [`bring`](Self::bring) for a frame that was found.
    pub fn wanted(&self, basename: &str, frame: &RemoteFrame) -> Wanted {
        let (archive, version) = (self.address().to_owned(), frame.version.clone());
        Wanted { archive, basename: basename.to_owned(), version }
    }

    /// Brings a frame that was found into the store, with the rights that a user has now: its digest and its size.
    ///
    /// # Errors
    /// As [`find`](Self::find); [`ArchiveError::NoFrame`] for what the user may no longer have; bytes that are not those listed.
    pub async fn bring(&self, user: UserId, wanted: &Wanted) -> Result<(Digest, u64), ArchiveError> {
        if wanted.archive != self.address() {
            // The installation has turned to another archive meanwhile.
            return Err(ArchiveError::NoFrame);
        }
        let source = self.source(user).await?;
        let listed = ask(&source, &wanted.basename).await?.ok_or(ArchiveError::NoFrame)?;
        if self.version(&listed)? != wanted.version {
            return Err(SourceError::Replaced { frame: listed.name }.into());
        }
        let (archive, version) = (wanted.archive.clone(), wanted.version.clone());
        let known = self.0.catalog.write(move |tx| {
            let (archive, version) = (archive.clone(), version.clone());
            Box::pin(async move { Ok::<_, ArchiveError>(table::used(tx, &archive, &version).await?) })
        });
        if let Some(held) = known.await? {
            return Ok(held);
        }
        let held = self.transfer(&source, &listed).await?;
        let (digest, size) = (held.digest, held.size);
        let (told, name, most) = (wanted.clone(), listed.name, self.0.keep);
        self.0
            .catalog
            .write(move |tx| {
                let (Wanted { archive, version, .. }, name, held) = (told.clone(), name.clone(), held.clone());
                Box::pin(async move {
                    table::keep(tx, &archive, &version, &name, &held).await?;
                    table::make_room(tx, &archive, &version, most).await?;
                    Ok::<_, ArchiveError>(())
                })
            })
            .await?;
        Ok((digest, size))
    }

    /// The archive as a user is answered by it.
    async fn source(&self, user: UserId) -> Result<Ocs, ArchiveError> {
        let token = self.token(user).await?;
        // Of one name there are few.
        Ok(Ocs::new(self.0.http.clone(), self.0.url.clone(), token).with_page_size(10))
    }

    /// What the archive names the bytes of a listed frame by.
    fn version(&self, listed: &Listed) -> Result<String, ArchiveError> {
        let named = listed.checksum.map(|checksum| checksum.to_string());
        let named = named.or_else(|| listed.version.as_ref().map(|key| format!("key:{key}")));
        let named = named.ok_or_else(|| {
            let problem = "neither a checksum nor a version is listed for it".to_owned();
            SourceError::Answer { host: self.host(), expected: "a frame", problem }
        })?;
        Ok(format!("{named}@{}", self.host()))
    }

    /// Takes the bytes into the store, from the beginning again if they broke off.
    async fn transfer(&self, source: &Ocs, listed: &Listed) -> Result<Held, ArchiveError> {
        let mut tries = 1;
        loop {
            match self.take(source, listed).await {
                Err(ArchiveError::Source(error)) if error.is_transient() && tries < TRIES => tries += 1,
                other => return other,
            }
        }
    }

    async fn take(&self, source: &Ocs, listed: &Listed) -> Result<Held, ArchiveError> {
        let address = match &listed.download {
            Some(address) => address.clone(),
            None => source.resolve(listed).await?,
        };
        let damaged = |problem: String| ArchiveError::Damaged { name: listed.name.clone(), problem };
        let mut response = source.http().get(&address, None, None).await?;
        let most = listed.size.unwrap_or(MOST_BYTES);
        let mut upload = self.0.blobs.begin();
        let mut verifier = listed.checksum.as_ref().map(|checksum| checksum.verifier());
        let mut taken = 0;
        while let Some(piece) = response.body.next().await {
            let piece = piece?;
            taken += piece.len() as u64;
            if taken > most {
                return Err(damaged(format!("more than {most} bytes came")));
            }
            if let Some(verifier) = &mut verifier {
                verifier.update(&piece);
            }
            upload.write(&piece).await?;
        }
        if listed.size.is_some_and(|size| size != taken) {
            return Err(damaged(format!("{taken} bytes came, and the archive lists {most}")));
        }
        if let Some(Err(found)) = verifier.map(|verifier| verifier.finish()) {
            return Err(damaged(format!("its bytes have the checksum {found}, and the archive lists another")));
        }
        Ok(upload.finish().await?)
    }
}

/// The frame of this name, if the archive lists one.
async fn ask(source: &Ocs, basename: &str) -> Result<Option<Listed>, ArchiveError> {
    let parameters = BTreeMap::from([("basename_exact".to_owned(), basename.to_owned())]);
    let query = Query { parameters, ..Query::default() };
    let mut list = source.list(&query);
    while let Some(listed) = list.next().await {
        let listed = listed?;
        // An archive that passes over what it does not know would list anything.
        if split_name(&listed.name).0 == basename {
            return Ok(Some(listed));
        }
    }
    Ok(None)
}
