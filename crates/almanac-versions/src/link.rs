//! How a file of the working folder shares its bytes with the cache: as a clone, a link, or not at all.

use std::fs;
use std::path::Path;

use crate::files::{self, Temporary};

/// A way to share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Link {
    /// A clone that shares blocks until one side is written. Needs btrfs, XFS, APFS or the like.
    Reflink,
    /// The same file under two names. Writing to one would change both, so both are read-only.
    Hardlink,
    /// A name that leads to the cache.
    Symlink,
    /// Its own bytes.
    Copy,
}

impl Link {
    /// Reads `cache.type`.
    pub fn parse_list(text: &str) -> Vec<Self> {
        let one = |name: &str| match name.trim() {
            "reflink" => Some(Self::Reflink),
            "hardlink" => Some(Self::Hardlink),
            "symlink" => Some(Self::Symlink),
            "copy" => Some(Self::Copy),
            _ => None,
        };
        text.split(',').filter_map(one).collect()
    }

    /// Returns the first way that works between two folders; a copy always does.
    pub(crate) fn first_that_works(wanted: &[Self], cache: &Path, work: &Path) -> Self {
        wanted.iter().copied().find(|link| link.works(cache, work)).unwrap_or(Self::Copy)
    }

    /// Tells whether writing to the working file could reach the cache.
    pub(crate) fn is_shared(self) -> bool {
        matches!(self, Self::Hardlink | Self::Symlink)
    }

    fn works(self, cache: &Path, work: &Path) -> bool {
        if self == Self::Copy {
            return true;
        }
        let from = Temporary::new(cache.join(files::temporary_name()));
        let to = Temporary::new(work.join(files::temporary_name()));
        if fs::write(from.path(), b"does it link?").is_err() {
            return false;
        }
        match self {
            Self::Reflink => reflink_copy::reflink(from.path(), to.path()).is_ok(),
            Self::Hardlink => fs::hard_link(from.path(), to.path()).is_ok(),
            Self::Symlink => std::os::unix::fs::symlink(from.path(), to.path()).is_ok(),
            Self::Copy => true,
        }
    }
}
