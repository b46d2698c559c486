//! Parameters as the library reads them: `key=value` pairs. Keys of the library's own documentation.

use std::fmt::{Display, Write};

/// Parameters of a data set and the booster trained on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Params {
    text: String,
    threads: usize,
}

impl Params {
    /// Starts with what makes the library deterministic and silent. `threads`: 0 for one per core.
    pub fn new(seed: u64, threads: usize) -> Self {
        let threads = if threads == 0 { std::thread::available_parallelism().map_or(1, std::num::NonZero::get) } else { threads };
        let params = Self { text: String::new(), threads };
        params
            .with("deterministic", true)
            .with("force_col_wise", true)
            .with("verbosity", -1)
            .with("seed", seed % (1 << 31))
            .with("num_threads", threads)
    }

    /// Adds a parameter.
    pub fn with(mut self, key: &str, value: impl Display) -> Self {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        write!(self.text, "{key}={value}").expect("writing to a string does not fail");
        self
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn threads(&self) -> usize {
        self.threads
    }
}
