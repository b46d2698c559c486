//! The key of one series.

use std::fmt;
use std::sync::Arc;

/// `unique_id` of one time series. Cheap to clone; ordered as its text is, byte by byte.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SeriesId(Arc<str>);

impl SeriesId {
    /// Wraps a key as it stands in the data.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// Returns the key's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SeriesId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for SeriesId {
    fn from(id: &str) -> Self {
        Self::new(id)
    }
}
