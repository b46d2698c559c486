//! Tells how the assets of a run come along. May be called from several threads at once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::{Printer, Progress};

/// Shows one line or bar for each asset.
#[derive(Debug)]
pub(crate) struct AssetProgress {
    printer: Printer,
    running: Mutex<HashMap<String, Progress>>,
}

impl AssetProgress {
    /// Starts with no asset.
    pub(crate) fn new(printer: Printer) -> Self {
        Self { printer, running: Mutex::new(HashMap::new()) }
    }

    /// Says that an asset was found finished.
    pub(crate) fn cached(&self, asset: &str) {
        self.printer.detail(&format!("{asset}: up to date"));
    }

    /// Says that an asset is being made.
    pub(crate) fn started(&self, asset: &str) {
        let progress = self.printer.progress(asset, 0);
        self.with(|running| running.insert(asset.to_owned(), progress));
    }

    /// Says how far an asset has come.
    pub(crate) fn advanced(&self, asset: &str, done: u64, total: u64) {
        self.with(|running| {
            if let Some(progress) = running.get_mut(asset) {
                progress.set_total(total);
                progress.set(done);
            }
        });
    }

    /// Says that an asset is finished.
    pub(crate) fn finished(&self, asset: &str) {
        if let Some(progress) = self.with(|running| running.remove(asset)) {
            progress.finish();
        }
    }

    /// Passes on something the user should know.
    pub(crate) fn note(&self, text: &str) {
        // Bars are drawn again below the note.
        self.with(|running| {
            let mut bars = running.values();
            match bars.next() {
                Some(progress) => progress.suspend(|| self.printer.note(text)),
                None => self.printer.note(text),
            }
        });
    }

    /// A panic elsewhere does not make the display worse than it is.
    fn with<T>(&self, work: impl FnOnce(&mut HashMap<String, Progress>) -> T) -> T {
        work(&mut self.running.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
