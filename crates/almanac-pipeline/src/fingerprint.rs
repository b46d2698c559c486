//! Content addresses: what an asset was made from, as one hash.
//!
//! A fingerprint covers inputs, the part of the configuration that matters, and the revision of the code. Two equal
//! fingerprints mean that making the asset again would give the same bytes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Hash of everything an asset was made from, as hexadecimal text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Starts a fingerprint of the asset `name`, whose code is at `revision` (raised when the code gives other bytes).
    pub fn of(name: &str, revision: u32) -> FingerprintBuilder {
        let mut hasher = blake3::Hasher::new();
        hasher.update(name.as_bytes());
        hasher.update(&revision.to_le_bytes());
        FingerprintBuilder { hasher }
    }

    /// Wraps a hash made elsewhere, such as that of a file's content.
    pub fn from_hash(hash: blake3::Hash) -> Self {
        Self(hash.to_hex().to_string())
    }

    /// Returns the whole hash.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the first twelve characters, enough for names.
    pub fn short(&self) -> &str {
        &self.0[..12.min(self.0.len())]
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Collects what a fingerprint covers.
#[derive(Debug)]
pub struct FingerprintBuilder {
    hasher: blake3::Hasher,
}

impl FingerprintBuilder {
    /// Covers another asset or file.
    pub fn input(mut self, fingerprint: &Fingerprint) -> Self {
        self.part("input", fingerprint.as_str().as_bytes());
        self
    }

    /// Covers a part of the configuration. Fields keep their order, so equal settings have equal text.
    ///
    /// # Panics
    /// If the value cannot be written as JSON: settings are plain data.
    pub fn config(mut self, name: &str, value: &impl Serialize) -> Self {
        let text = serde_json::to_vec(value).expect("settings are plain data");
        self.part(name, &text);
        self
    }

    /// Closes the fingerprint.
    pub fn finish(self) -> Fingerprint {
        Fingerprint::from_hash(self.hasher.finalize())
    }

    /// Lengths go before contents, so that no two lists of parts read the same.
    fn part(&mut self, name: &str, content: &[u8]) {
        for piece in [name.as_bytes(), content] {
            self.hasher.update(&(piece.len() as u64).to_le_bytes());
            self.hasher.update(piece);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cannot_run_into_each_other() {
        let one = Fingerprint::of("a", 1).config("x", &"yz").finish();
        let two = Fingerprint::of("a", 1).config("xy", &"z").finish();
        assert_ne!(one, two);
    }

    #[test]
    fn a_new_revision_is_a_new_asset() {
        assert_ne!(Fingerprint::of("a", 1).finish(), Fingerprint::of("a", 2).finish());
        assert_eq!(Fingerprint::of("a", 1).finish(), Fingerprint::of("a", 1).finish());
    }
}
