//! How the project is: its file, its database, what an interrupted run left behind.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use almanac_config::{ConfigError, Overrides, Settings};
use almanac_connect::{Lookup, Patience, SourceSpec, probe};
use almanac_series::Hint;

use super::Finding;
use crate::compose;
use crate::context::Context;
use crate::exit::ExitStatus;

/// How long a source may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn look(ctx: &Context) -> Vec<Finding> {
    let flags = Overrides { threads: Some(ctx.threads().get()), ..Overrides::default() };
    let settings = Settings::load(ctx.folder(), &flags);
    let personal = settings.as_ref().ok().map(super::personal::look);
    let sources = settings.as_ref().map(reach).unwrap_or_default();
    let project = match settings {
        Ok(settings) => Finding::ok("project", format!("target `{}`, {}", settings.data.target, tables(&settings))),
        Err(error @ ConfigError::NotFound { .. }) => {
            return vec![Finding::warn("project", error.to_string(), error.hint().unwrap_or_default())];
        }
        Err(error) => {
            let advice = error.hint().unwrap_or_else(|| "mend `almanac.toml`".to_owned());
            Finding::fail("project", ExitStatus::Config, error.to_string(), advice)
        }
    };
    let mut findings = vec![project];
    findings.extend(personal);
    findings.extend([writable(ctx.folder()), leftovers(&ctx.folder().join(".almanac"))]);
    findings.extend(sources);
    findings
}

/// Asks every source outside whether it is there and has what is wanted of it; nothing is fetched.
fn reach(settings: &Settings) -> Vec<Finding> {
    let all = settings.data.tables.iter().chain(&settings.data.future_source);
    let tables: Vec<(&str, &SourceSpec)> = all.filter_map(|table| Some((table.name.as_str(), table.outside.as_ref()?))).collect();
    if tables.is_empty() {
        return Vec::new();
    }
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return Vec::new() };
    let lookup = Lookup { variable: &|name| std::env::var(name).ok(), root: &settings.project };
    let look = |(name, source): &(&str, &SourceSpec)| {
        let place = source.place();
        let asked = async { tokio::time::timeout(PATIENCE, probe(name, source, lookup, Patience::default(), compose::kafka())).await };
        match runtime.block_on(asked) {
            Ok(Ok(())) => Finding::ok("source", format!("`{name}`: {place} answers")),
            Ok(Err(error)) => {
                let advice = error.hint().unwrap_or_else(|| "see what the source says".to_owned());
                Finding::fail("source", ExitStatus::DataInput, format!("`{name}`: {error}"), advice)
            }
            Err(_) => {
                let found = format!("`{}`: {place} does not answer within {} seconds", name, PATIENCE.as_secs());
                Finding::fail("source", ExitStatus::DataInput, found, "check host, port and network")
            }
        }
    };
    tables.iter().map(look).collect()
}

fn tables(settings: &Settings) -> String {
    match settings.data.tables.len() {
        1 => "1 table".to_owned(),
        many => format!("{many} tables"),
    }
}

fn writable(folder: &Path) -> Finding {
    match tempfile::Builder::new().prefix(".almanac-").suffix(".tmp").tempfile_in(folder) {
        Ok(_) => Finding::ok("folder", format!("`{}` can be written", folder.display())),
        Err(error) => Finding::fail("folder", ExitStatus::Io, error.to_string(), "let this user write to the project's folder"),
    }
}

/// Temporary files that a killed run could not take away. They are never read.
fn leftovers(state: &Path) -> Finding {
    let mut found = Vec::new();
    find_temporary(state, &mut found);
    match found.as_slice() {
        [] => Finding::ok("leftovers", "no temporary files"),
        files => {
            let list = files.iter().take(3).map(|file| format!("`{}`", file.display())).collect::<Vec<_>>().join(", ");
            let rest = if files.len() > 3 { ", …" } else { "" };
            Finding::warn("leftovers", format!("{} temporary files", files.len()), format!("delete them if nothing runs: {list}{rest}"))
        }
    }
}

fn find_temporary(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            find_temporary(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "tmp") {
            found.push(path);
        }
    }
    found.sort();
}
