//! The panel of the silver layer, read when it is first needed: a run with nothing to do never reads it.

use std::path::PathBuf;
use std::sync::OnceLock;

use almanac_data::read_panel;
use almanac_series::Panel;

use crate::PipelineError;

/// A panel that is read once, when asked for.
#[derive(Debug)]
pub(crate) struct LazyPanel {
    dir: PathBuf,
    panel: OnceLock<Panel>,
}

impl LazyPanel {
    pub(crate) fn new(dir: PathBuf) -> Self {
        Self { dir, panel: OnceLock::new() }
    }

    pub(crate) fn get(&self) -> Result<&Panel, PipelineError> {
        if let Some(panel) = self.panel.get() {
            return Ok(panel);
        }
        let panel = read_panel(&self.dir)?;
        Ok(self.panel.get_or_init(|| panel))
    }
}
