//! What a run tells while it works. The terminal, a log or a test listens; the pipeline does not know which.

/// Something happened.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event<'a> {
    /// An asset was found finished.
    Cached {
        /// Its name.
        asset: &'a str,
    },
    /// An asset is being made.
    Started {
        /// Its name.
        asset: &'a str,
    },
    /// Part of an asset is done.
    Progress {
        /// Its name.
        asset: &'a str,
        /// Units done.
        done: u64,
        /// Units in all.
        total: u64,
    },
    /// An asset is finished.
    Finished {
        /// Its name.
        asset: &'a str,
        /// Seconds it took.
        seconds: f64,
    },
    /// Something the user should know.
    Note {
        /// One sentence.
        text: &'a str,
    },
}

/// Listens to a run.
pub trait Observer: std::fmt::Debug + Send + Sync {
    /// Called for every event, possibly from several threads.
    fn on(&self, event: &Event<'_>);
}

/// Hears nothing.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Observer for Silent {
    fn on(&self, _event: &Event<'_>) {}
}
