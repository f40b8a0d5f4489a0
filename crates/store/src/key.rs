//! How blobs are called on disk and in a bucket: `blobs/ab/cd/abcd...`, so that no folder grows beyond reason.

use holotype_core::Digest;
use object_store::path::Path;

/// The folder of blobs under a root or prefix.
pub(crate) const BLOBS: &str = "blobs";

/// Names of objects under one prefix.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    prefix: Path,
}

impl Keys {
    pub(crate) fn under(prefix: Path) -> Self {
        Self { prefix }
    }

    /// The name of a blob.
    pub(crate) fn blob(&self, digest: &Digest) -> Path {
        let name = digest.to_string();
        self.blobs().join(&name[0..2]).join(&name[2..4]).join(name)
    }

    /// The blob that has this name, unless it is the name of something else.
    pub(crate) fn digest(&self, key: &Path) -> Option<Digest> {
        let digest = key.filename()?.parse().ok()?;
        (self.blob(&digest) == *key).then_some(digest)
    }

    /// The folder of all blobs.
    pub(crate) fn blobs(&self) -> Path {
        self.prefix.clone().join(BLOBS)
    }

    /// The object that shows whether the store can be written.
    pub(crate) fn probe(&self) -> Path {
        self.prefix.clone().join("probe")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_what_existing_stores_have() {
        let digest = Digest::of(b"abc");
        let keys = Keys::under(Path::from("lab/one"));
        let name = "lab/one/blobs/ba/78/ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(keys.blob(&digest).as_ref(), name);
        assert_eq!(keys.digest(&Path::from(name)), Some(digest));
        assert_eq!(Keys::under(Path::default()).blob(&digest).as_ref(), &name[8..]);
    }

    #[test]
    fn what_lies_elsewhere_is_no_blob_of_ours() {
        let keys = Keys::under(Path::default());
        let name = Digest::of(b"abc").to_string();
        for other in
            [format!("blobs/{name}"), format!("blobs/00/78/{name}"), name.to_uppercase(), "blobs/ba/78/x".into()]
        {
            assert_eq!(keys.digest(&Path::from(other)), None);
        }
    }
}
