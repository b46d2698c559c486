//! DVC's configuration: `config` and `config.local` of a repository, and those of the user and the machine beneath them.
//!
//! Files are changed line by line, so that comments stay. Values of `config.local` may be secrets: no message holds a value.

mod file;
mod option;

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::error::{Result, VersionsError};

pub use option::OptionName;

use file::ConfigFile;

/// Which of the files. Later ones win.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The machine's.
    System,
    /// The user's.
    Global,
    /// `.dvc/config`.
    Project,
    /// `.dvc/config.local`, which git ignores.
    Local,
}

/// All levels, in the order in which they shadow each other.
pub const LEVELS: [Level; 4] = [Level::System, Level::Global, Level::Project, Level::Local];

/// The configuration, read.
#[derive(Debug, Clone)]
pub struct Config {
    files: BTreeMap<Level, ConfigFile>,
}

/// One remote as it is configured. Its `Debug` shows no values.
#[derive(Clone)]
pub struct RemoteConfig {
    /// Its name.
    pub name: String,
    /// Where it is: an address, or a path that is absolute.
    pub url: String,
    options: BTreeMap<String, String>,
}

impl std::fmt::Debug for RemoteConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RemoteConfig").field("name", &self.name).field("options", &self.options.keys()).finish_non_exhaustive()
    }
}

impl RemoteConfig {
    /// A remote that only has an address; the environment says the rest.
    pub(crate) fn without_options(name: &str, url: &str) -> Self {
        Self { name: name.to_owned(), url: url.to_owned(), options: BTreeMap::new() }
    }

    /// Returns an option other than the address.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.options.get(key).map(String::as_str)
    }

    /// Returns an option that is a truth value.
    pub fn flag(&self, key: &str) -> Option<bool> {
        self.get(key).map(|value| value.eq_ignore_ascii_case("true"))
    }
}

impl Config {
    /// Reads all levels. `repo`: the `.dvc` folder, if there is one.
    ///
    /// # Errors
    /// If a file is there and cannot be read.
    pub fn load(repo: Option<&Path>) -> Result<Self> {
        let mut files = BTreeMap::new();
        for level in LEVELS {
            if let Some(path) = path_of(level, repo) {
                files.insert(level, ConfigFile::load(path)?);
            }
        }
        Ok(Self { files })
    }

    /// Returns the value that counts: that of the last level that has one.
    pub fn get(&self, name: &OptionName) -> Option<String> {
        LEVELS.iter().rev().find_map(|&level| self.get_at(level, name))
    }

    /// Returns the value at one level. Paths come out absolute.
    pub fn get_at(&self, level: Level, name: &OptionName) -> Option<String> {
        let file = self.files.get(&level)?;
        let value = file.get(&name.section, &name.key)?;
        Some(if name.is_path() { absolute(file.path(), &value) } else { value })
    }

    /// Returns an option by `section.option`.
    pub(crate) fn text(&self, section: &str, key: &str) -> Option<String> {
        self.get(&OptionName { section: section.to_owned(), key: key.to_owned() })
    }

    /// Returns an option that is a truth value.
    pub(crate) fn flag(&self, section: &str, key: &str) -> bool {
        self.text(section, key).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// Lists everything at one level, or at all.
    pub fn list(&self, level: Option<Level>) -> Vec<(Level, OptionName, String)> {
        let mut all = Vec::new();
        for (&at, file) in self.files.iter().filter(|(at, _)| level.is_none_or(|level| level == **at)) {
            for (section, key, _) in file.pairs() {
                let name = OptionName { section, key };
                if let Some(value) = self.get_at(at, &name) {
                    all.push((at, name, value));
                }
            }
        }
        all
    }

    /// Sets an option, or removes it where there is no value, and writes the file. Relative paths are those of the working folder.
    ///
    /// # Errors
    /// If the option or value is none that DVC takes, is not there to be removed, or the file cannot be written.
    pub fn set(&mut self, level: Level, name: &OptionName, value: Option<&str>) -> Result<()> {
        if value.is_some() {
            name.check()?;
        }
        let file = self
            .files
            .get_mut(&level)
            .ok_or_else(|| VersionsError::Setting { problem: "there is no repository to configure here".to_owned() })?;
        match value {
            Some(value) => {
                name.check_value(value)?;
                let value = if name.is_path() { relative(file.path(), value)? } else { value.to_owned() };
                file.set(&name.section, &name.key, &value);
            }
            None => {
                if !file.remove(&name.section, &name.key) {
                    return Err(VersionsError::Setting { problem: format!("`{}` is not set", name.display()) });
                }
            }
        }
        file.save()
    }

    /// Removes a remote from a level, and where it is the default, that too.
    ///
    /// # Errors
    /// If there is no such remote there.
    pub fn remove_remote(&mut self, level: Level, name: &str) -> Result<()> {
        let section = OptionName::of_remote(name, "url").section;
        let missing = || VersionsError::Remote { name: name.to_owned(), problem: "there is none of this name".to_owned() };
        let file = self.files.get_mut(&level).ok_or_else(missing)?;
        if !file.remove_section(&section) {
            return Err(missing());
        }
        file.save()?;
        for (_, file) in self.files.range_mut(level..) {
            if file.get("core", "remote").is_some_and(|default| default == name.to_lowercase()) {
                file.remove("core", "remote");
                file.save()?;
            }
        }
        Ok(())
    }

    /// Lists the names of all remotes, in the order of the files.
    pub fn remote_names(&self, level: Option<Level>) -> Vec<String> {
        let mut names = Vec::new();
        for (_, file) in self.files.iter().filter(|(at, _)| level.is_none_or(|level| level == **at)) {
            for section in file.sections() {
                if let Some(name) = section.strip_prefix("remote \"").and_then(|rest| rest.strip_suffix('"'))
                    && !names.iter().any(|known| known == name)
                {
                    names.push(name.to_owned());
                }
            }
        }
        names
    }

    /// Returns the name of the default remote.
    pub fn default_remote(&self) -> Option<String> {
        self.text("core", "remote").map(|name| name.to_lowercase())
    }

    /// Returns a remote by name, or the default one.
    ///
    /// # Errors
    /// If there is none, or it has no address.
    pub fn remote(&self, name: Option<&str>) -> Result<RemoteConfig> {
        let name = match name {
            Some(name) => name.to_lowercase(),
            None => self.default_remote().ok_or(VersionsError::NoRemote)?,
        };
        let section = OptionName::of_remote(&name, "url").section;
        let mut options = BTreeMap::new();
        for file in self.files.values() {
            for (_, key, _) in file.pairs().into_iter().filter(|(at, _, _)| *at == section) {
                if let Some(value) = self.get(&OptionName { section: section.clone(), key: key.clone() }) {
                    options.insert(key, value);
                }
            }
        }
        let is_known = !options.is_empty();
        let problem = if is_known { "it has no `url`" } else { "there is none of this name" };
        let url = options.remove("url").ok_or_else(|| VersionsError::Remote { name: name.clone(), problem: problem.to_owned() })?;
        Ok(RemoteConfig { name, url, options })
    }
}

/// Returns where a level's file lies.
fn path_of(level: Level, repo: Option<&Path>) -> Option<PathBuf> {
    let from_environment = |variable: &str| std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
    match level {
        Level::System => Some(from_environment("DVC_SYSTEM_CONFIG_DIR").unwrap_or_else(|| "/etc/xdg/dvc".into()).join("config")),
        Level::Global => from_environment("DVC_GLOBAL_CONFIG_DIR")
            .or_else(|| from_environment("XDG_CONFIG_HOME").map(|home| home.join("dvc")))
            .or_else(|| from_environment("HOME").map(|home| home.join(".config/dvc")))
            .map(|folder| folder.join("config")),
        Level::Project => repo.map(|repo| repo.join("config")),
        Level::Local => repo.map(|repo| repo.join("config.local")),
    }
}

fn is_address(value: &str) -> bool {
    value
        .split_once("://")
        .is_some_and(|(scheme, _)| !scheme.is_empty() && scheme.chars().all(|char| char.is_ascii_alphanumeric() || "_+-.".contains(char)))
}

/// Paths in a file are relative to its folder.
fn absolute(file: &Path, value: &str) -> String {
    if is_address(value) || Path::new(value).is_absolute() {
        return value.to_owned();
    }
    if let Some(rest) = value.strip_prefix("~/")
        && let Some(home) = std::env::var_os("HOME")
    {
        return Path::new(&home).join(rest).to_string_lossy().into_owned();
    }
    let folder = file.parent().unwrap_or(Path::new("."));
    simplified(&folder.join(value)).to_string_lossy().into_owned()
}

fn relative(file: &Path, value: &str) -> Result<String> {
    if is_address(value) || value.starts_with('~') || Path::new(value).is_absolute() {
        return Ok(value.to_owned());
    }
    use crate::error::Doing as _;
    let here = std::path::absolute(value).doing("find", value)?;
    let folder = std::path::absolute(file.parent().unwrap_or(Path::new("."))).doing("find", file)?;
    Ok(relative_to(&simplified(&here), &simplified(&folder)))
}

/// Takes `.` and `..` out of a path without asking the disk.
pub(crate) fn simplified(path: &Path) -> PathBuf {
    let mut simple = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(simple.pop()),
            other => simple.push(other),
        }
    }
    simple
}

/// Returns the way from a folder to a path, both absolute, `/` between folders.
pub(crate) fn relative_to(path: &Path, folder: &Path) -> String {
    let (path, folder): (Vec<_>, Vec<_>) = (path.components().collect(), folder.components().collect());
    let shared = path.iter().zip(&folder).take_while(|(a, b)| a == b).count();
    let up = folder[shared..].iter().map(|_| "..".to_owned());
    let down = path[shared..].iter().map(|part| part.as_os_str().to_string_lossy().into_owned());
    let way: Vec<String> = up.chain(down).collect();
    if way.is_empty() { ".".to_owned() } else { way.join("/") }
}
