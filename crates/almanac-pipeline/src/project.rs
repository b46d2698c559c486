//! Where everything of a project lies on disk.
//!
//! One place knows the layout; all others ask it. Not here: reading or writing any of it.

use std::path::{Path, PathBuf};

/// The folder of a project: `almanac.toml` and everything Almanac keeps beside it in `.almanac/`.
#[derive(Debug, Clone)]
pub struct Project {
    root: PathBuf,
    state: PathBuf,
}

impl Project {
    /// Names the project in `root`. Creates nothing.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        Self { state: root.join(".almanac"), root }
    }

    /// Returns where a backtest that is only tried lies: the same project with a state of its own.
    pub fn trial(&self) -> Self {
        Self { root: self.root.clone(), state: self.state.join("trial") }
    }

    /// Returns the project's folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the project's name: that of its folder.
    pub fn name(&self) -> String {
        let absolute = std::path::absolute(&self.root).unwrap_or_else(|_| self.root.clone());
        absolute.file_name().map_or_else(|| "project".to_owned(), |name| name.to_string_lossy().into_owned())
    }

    /// Returns the folder of everything that Almanac writes.
    pub fn state(&self) -> PathBuf {
        self.state.clone()
    }

    /// Returns the metadata database.
    pub fn database(&self) -> PathBuf {
        self.state().join("almanac.db")
    }

    /// Returns the folder of finished assets' records.
    pub fn assets(&self) -> PathBuf {
        self.state().join("assets")
    }

    /// Returns the folder of what came from outside, as it came.
    pub fn landing(&self) -> PathBuf {
        self.root.join(".almanac/landing")
    }

    /// Returns the folder of raw, typed tables.
    pub fn bronze(&self) -> PathBuf {
        self.state().join("lake/bronze")
    }

    /// Returns the folder of the bronze tables without the rows that expectations took out; there only where they take any out.
    pub fn checked(&self) -> PathBuf {
        self.state().join("lake/checked")
    }

    /// Returns the folder of the regular panel.
    pub fn silver(&self) -> PathBuf {
        self.state().join("lake/silver")
    }

    /// Returns the folder of the as-of features.
    pub fn gold(&self) -> PathBuf {
        self.state().join("lake/gold")
    }

    /// Returns the folder of the profiles of every version of the tables.
    pub fn profiles(&self) -> PathBuf {
        self.state().join("profiles")
    }

    /// Returns the file that declares features.
    pub fn features(&self) -> PathBuf {
        self.root.join("features.yaml")
    }

    /// Returns the folder of the newest values of each feature view.
    pub fn online(&self) -> PathBuf {
        self.state().join("online")
    }

    /// Returns the folder of the backtest's forecasts.
    pub fn backtest(&self) -> PathBuf {
        self.state().join("backtest")
    }

    /// Returns the folder of the forecast table.
    pub fn forecasts(&self) -> PathBuf {
        self.state().join("forecasts")
    }

    /// Returns the folder of run artifacts.
    pub fn artifacts(&self) -> PathBuf {
        self.state().join("artifacts")
    }

    /// Returns the folder of the model that is being built, before it is registered.
    pub fn model(&self) -> PathBuf {
        self.state().join("model")
    }

    /// Returns the file that says which model serves.
    pub fn champion(&self) -> PathBuf {
        self.state().join("champion.json")
    }

    /// Returns the file whose lock keeps two runs apart.
    pub fn lock(&self) -> PathBuf {
        self.state().join("run.lock")
    }
}
