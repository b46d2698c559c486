//! `almanac data status` and `diff`: what differs, from the pointers, from a remote, or between revisions.

use std::path::PathBuf;

use almanac_versions::{Diff, DiffEntry, Status, TransferOptions};
use clap::Args;

use super::{CommitArgs, DiffArgs, FormatArgs, OrFailVersions, Shown, open, targets};
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;

/// Show which tracked files changed, or what a remote does not have
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  almanac data status -c -r store --json")]
pub(crate) struct StatusArgs {
    /// Tracked files and folders, pointers, or stages; all by default
    #[arg(value_name = "TARGET")]
    targets: Vec<PathBuf>,
    /// Compare the cache with a remote
    #[arg(short, long)]
    cloud: bool,
    /// The remote to compare with
    #[arg(short, long, value_name = "NAME")]
    remote: Option<String>,
    /// Everything tracked below the targets
    #[arg(short = 'R', long)]
    recursive: bool,
    #[command(flatten)]
    commits: CommitArgs,
    #[command(flatten)]
    format: FormatArgs,
}

/// What to say of tracked files that differ.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Without --tables")]
pub(super) struct FileArgs {
    /// Only these files and folders
    #[arg(long, value_name = "PATH", num_args = 0..)]
    targets: Vec<PathBuf>,
    /// Show hashes
    #[arg(long)]
    show_hash: bool,
    /// Leave out what is not in the cache
    #[arg(long)]
    hide_missing: bool,
}

pub(super) fn status(ctx: &Context, args: StatusArgs) -> Result<ExitStatus, Failure> {
    let repo = open(ctx)?;
    let targets = targets(ctx, &repo, &args.targets)?;
    let shown = Shown::new(&ctx.printer);
    if args.cloud || args.remote.is_some() {
        let options = TransferOptions { commits: args.commits.which(), recursive: args.recursive, jobs: None };
        let status = repo.cloud_status(args.remote.as_deref(), &targets, options, &shown).or_fail_versions()?;
        drop(shown);
        if args.format.is_json() {
            ctx.printer.json(&status.files)?;
        } else if status.files.is_empty() {
            let name = args.remote.or_else(|| repo.config().default_remote()).unwrap_or_default();
            ctx.printer.data(&format!("Cache and remote '{name}' are in sync.\n"))?;
        } else {
            let lines: String = status.files.iter().fold(String::new(), |text, (path, what)| text + &line(1, what, path));
            ctx.printer.data(&lines)?;
        }
        return Ok(ExitStatus::Success);
    }
    let status = repo.status(&targets, args.recursive, &shown).or_fail_versions()?;
    drop(shown);
    if args.format.is_json() {
        ctx.printer.json(&status.to_json())?;
    } else {
        ctx.printer.data(&to_text(&status))?;
    }
    Ok(ExitStatus::Success)
}

/// As `dvc status` lays it out.
fn to_text(status: &Status) -> String {
    if !status.is_tracking {
        return "There are no data or pipelines tracked in this project yet.\n".to_owned();
    }
    if status.is_clean() {
        return "Data and pipelines are up to date.\n".to_owned();
    }
    let mut text = String::new();
    for stage in &status.stages {
        text.push_str(&format!("{}:\n", stage.address));
        if !stage.deps.is_empty() || !stage.params.is_empty() {
            text.push_str("\tchanged deps:\n");
            text.extend(stage.deps.iter().map(|(path, what)| line(2, what, path)));
            for (file, names) in &stage.params {
                text.push_str(&format!("\t\t{file}:\n"));
                text.extend(names.iter().map(|(name, what)| line(3, what, name)));
            }
        }
        if !stage.outs.is_empty() {
            text.push_str("\tchanged outs:\n");
            text.extend(stage.outs.iter().map(|(path, what)| line(2, what, path)));
        }
        text.extend(stage.others.iter().map(|other| format!("\t{other}\n")));
    }
    text
}

fn line(indent: usize, what: &str, path: &str) -> String {
    format!("{}{:<20}{path}\n", "\t".repeat(indent), format!("{what}:"))
}

pub(super) fn diff(ctx: &Context, args: DiffArgs) -> Result<ExitStatus, Failure> {
    let repo = open(ctx)?;
    let targets = targets(ctx, &repo, &args.files.targets)?;
    let mut diff =
        repo.diff(args.old.as_deref().unwrap_or("HEAD"), args.new.as_deref(), &targets, &Shown::new(&ctx.printer)).or_fail_versions()?;
    let with_cache = args.new.is_none() && !args.files.hide_missing;
    if !with_cache {
        diff.not_in_cache.clear();
    }
    if args.format.is_json() {
        ctx.printer.json(&diff.to_json(args.files.show_hash, with_cache))?;
    } else {
        ctx.printer.data(&diff_text(&diff, args.files.show_hash))?;
    }
    Ok(ExitStatus::Success)
}

/// As `dvc diff` lays it out.
fn diff_text(diff: &Diff, with_hashes: bool) -> String {
    let short = |entry: &DiffEntry| entry.oid.map_or_else(String::new, |oid| oid.to_string().chars().take(8).collect());
    let one = |entry: &DiffEntry| (short(entry), entry.path.clone());
    let two = |change: &almanac_versions::Changed| (format!("{}..{}", short(&change.old), short(&change.new)), change.old.path.clone());
    let moved = |change: &almanac_versions::Changed| (short(&change.old), format!("{} -> {}", change.old.path, change.new.path));
    let groups: [(&str, Vec<(String, String)>); 5] = [
        ("added", diff.added.iter().map(one).collect()),
        ("deleted", diff.deleted.iter().map(one).collect()),
        ("renamed", diff.renamed.iter().map(moved).collect()),
        ("modified", diff.modified.iter().map(two).collect()),
        ("not in cache", diff.not_in_cache.iter().map(one).collect()),
    ];
    let mut text = String::new();
    let mut summary = Vec::new();
    for (name, entries) in groups.iter().filter(|(_, entries)| !entries.is_empty()) {
        text.push_str(&format!("{}{}:\n", name[..1].to_uppercase(), &name[1..]));
        for (hash, path) in entries {
            text.push_str(&if with_hashes { format!("    {hash}  {path}\n") } else { format!("    {path}\n") });
        }
        text.push('\n');
        let files = entries.iter().filter(|(_, path)| !path.ends_with('/')).count();
        if files > 0 {
            summary.push(format!("{files} {name}"));
        }
    }
    if !summary.is_empty() {
        text.push_str(&format!("files summary: {}\n", summary.join(", ")));
    }
    text
}
