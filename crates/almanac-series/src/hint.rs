//! What the user can do about an error.
//!
//! Errors implement [`Hint`] beside `Display`; the edge draws both in one place.

/// Advice that belongs to an error.
pub trait Hint {
    /// Returns one sentence telling the user how to mend the cause, or `None` where there is nothing to do.
    fn hint(&self) -> Option<String>;
}
