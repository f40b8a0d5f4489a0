//! What is known of a frame.

use std::fmt;
use std::str::FromStr;

use holotype_core::{Digest, Instant, ProjectId};

use super::Facts;

/// The number of a frame, never given out again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FrameId(pub i64);

/// The number of a version of a frame, never given out again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VersionId(pub i64);

/// The number of a thumbnail, never given out again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ThumbnailId(pub i64);

macro_rules! shown_as_numbers {
    ($($id:ty)*) => {$(
        impl fmt::Display for $id {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

shown_as_numbers!(FrameId VersionId ThumbnailId);

/// A frame as it is listed.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Its number.
    pub id: FrameId,
    /// Whose it is.
    pub project: ProjectId,
    /// What is known of it, without headers and names of related frames.
    pub facts: Facts,
    /// Its versions, the newest first; there is at least one.
    pub versions: Vec<Version>,
    /// The frames it was made from or with, and those made from it, if they were asked for.
    pub related: Option<Vec<FrameId>>,
    /// Its thumbnails, if they were asked for.
    pub thumbnails: Option<Vec<Thumbnail>>,
}

/// The bytes of a frame at one time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its number.
    pub id: VersionId,
    /// Of which frame.
    pub frame: FrameId,
    /// The name of its bytes.
    pub digest: Digest,
    /// Their MD5.
    pub md5: [u8; 16],
    /// Their number.
    pub size: u64,
    /// The ending of its file name, with the dot.
    pub extension: String,
    /// When it came.
    pub created_at: Instant,
}

impl Version {
    /// A text of 32 characters that changes when the bytes do.
    pub fn key(&self) -> String {
        key(&self.digest)
    }

    /// The MD5 in hexadecimal.
    pub fn md5_text(&self) -> String {
        hexadecimal(&self.md5)
    }
}

/// A small picture of a frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thumbnail {
    /// Its number.
    pub id: ThumbnailId,
    /// Of which frame.
    pub frame: FrameId,
    /// The frame's name.
    pub basename: String,
    /// How large it is.
    pub size: ThumbnailSize,
    /// The name of its bytes.
    pub digest: Digest,
    /// Their MD5.
    pub md5: [u8; 16],
    /// Their number.
    pub bytes: u64,
    /// When it was made.
    pub created_at: Instant,
}

impl Thumbnail {
    /// A text of 32 characters that changes when the picture does.
    pub fn key(&self) -> String {
        key(&self.digest)
    }

    /// The MD5 in hexadecimal.
    pub fn md5_text(&self) -> String {
        hexadecimal(&self.md5)
    }

    /// What its file is called.
    pub fn file_name(&self) -> String {
        format!("{}-{}.jpg", self.basename, self.size)
    }
}

/// How large a thumbnail is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ThumbnailSize {
    /// Fits into 200 times 200 pixels.
    Small,
    /// Fits into 800 times 800 pixels.
    Large,
}

impl ThumbnailSize {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Small, Self::Large];

    /// The side of the square it fits into, in pixels.
    pub fn side(self) -> u16 {
        match self {
            Self::Small => 200,
            Self::Large => 800,
        }
    }

    /// The name in answers.
    pub fn name(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Large => "large",
        }
    }
}

impl fmt::Display for ThumbnailSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ThumbnailSize {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|size| size.name() == text).ok_or(())
    }
}

fn key(digest: &Digest) -> String {
    hexadecimal(&digest.as_bytes()[..16])
}

/// Bytes as hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
