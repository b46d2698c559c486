//! What `[privacy]` asks for, as the crates below take it: the key loaded, columns with what becomes of them.

use std::path::{Path, PathBuf};

use almanac_config::{KeyPlace, Overrides, PROJECT_FILE, PersonalPolicy, Settings};
use almanac_privacy::{KEY_FILE, KeySource, Personal, Policy, PrivacyKey, Redaction};

use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{Failure, OrFail};

/// Returns the personal columns.
pub(crate) fn personal(settings: &Settings) -> Personal {
    let policy = |policy: &PersonalPolicy| match policy {
        PersonalPolicy::Hash => Policy::Hash,
        PersonalPolicy::Mask => Policy::Mask,
        PersonalPolicy::Drop => Policy::Drop,
    };
    Personal::new(settings.privacy.personal.iter().map(|(name, given)| (name.clone(), policy(given))))
}

/// Returns the names of personal columns that hold for every table.
pub(crate) fn for_any_table(settings: &Settings) -> Vec<String> {
    let data = &settings.data;
    let tables: Vec<&str> = data.tables.iter().chain(&data.future_source).map(|table| table.name.as_str()).collect();
    let is_of_table = |name: &str| name.split_once('.').is_some_and(|(table, _)| tables.contains(&table));
    settings.privacy.personal.keys().filter(|name| !is_of_table(name)).cloned().collect()
}

/// Returns the names of all personal columns, whichever table they belong to: no report shows a value of theirs.
pub(crate) fn hidden(settings: &Settings) -> Vec<String> {
    let bare = |name: &String| name.split_once('.').map_or(name.as_str(), |(_, column)| column).to_owned();
    settings
        .privacy
        .personal
        .keys()
        .flat_map(|name| [name.clone(), bare(name)])
        .collect::<std::collections::BTreeSet<_>>()
        .into_iter()
        .collect()
}

/// Returns what is hidden of files that are only looked at, in a folder that is a project: all that is personal in any table shows its
/// shape at most. No key is needed, because nothing is joined.
///
/// # Errors
/// Exit code 3 for a project whose settings are wrong.
pub(crate) fn of_files_looked_at(ctx: &Context) -> Result<Redaction, Failure> {
    if !ctx.path(PROJECT_FILE.as_ref()).exists() {
        return Ok(Redaction::default());
    }
    let settings = ctx.settings(Overrides::default())?;
    let masked = Personal::new(hidden(&settings).into_iter().map(|name| (name, Policy::Mask)));
    Redaction::of_file(&masked, &["table"], None).or_fail(ExitStatus::Config)
}

/// Returns where the key is, if that is said.
pub(crate) fn key_source(settings: &Settings) -> Option<KeySource> {
    settings.privacy.key.as_ref().map(|place| match place {
        KeyPlace::Environment(name) => KeySource::Environment(name.clone()),
        KeyPlace::File(path) => KeySource::File(settings.project.join(path)),
    })
}

/// Returns where the key of a project is if nothing else is said.
pub(crate) fn usual_file(project: &Path) -> PathBuf {
    project.join(KEY_FILE)
}

/// Loads the key where a column is hashed.
///
/// # Errors
/// Exit code 3 if it is not there, too short, or open to others.
pub(crate) fn key(settings: &Settings) -> Result<Option<PrivacyKey>, Failure> {
    match key_source(settings) {
        Some(source) if personal(settings).needs_key() => load(&source).map(Some),
        _ => Ok(None),
    }
}

/// Loads a key.
///
/// # Errors
/// As [`key`].
pub(crate) fn load(source: &KeySource) -> Result<PrivacyKey, Failure> {
    PrivacyKey::load(source, |name| std::env::var(name).ok()).or_fail(ExitStatus::Config)
}

/// Returns what becomes of the columns of a table.
///
/// # Errors
/// Exit code 3 where a column is hashed and there is no key.
pub(crate) fn redaction(settings: &Settings, table: &str, key: Option<&PrivacyKey>) -> Result<Redaction, Failure> {
    Redaction::of_table(&personal(settings), table, key).or_fail(ExitStatus::Config)
}
