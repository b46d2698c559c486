//! How far a long operation has come, told to whoever asked.

/// Told of progress from many threads.
pub trait Progress: Sync {
    /// Something began that is done after this many bytes.
    fn begin(&self, what: &str, bytes: u64);
    /// Some of it is done.
    fn advance(&self, bytes: u64);
    /// Something that the user should know and that stops nothing.
    fn note(&self, text: &str);
}

/// Tells nobody.
impl Progress for () {
    fn begin(&self, _what: &str, _bytes: u64) {}

    fn advance(&self, _bytes: u64) {}

    fn note(&self, _text: &str) {}
}
