//! `almanac data gc`: objects that nothing uses, away.

use std::path::PathBuf;

use almanac_versions::{GcOptions, Which};
use clap::Args;
use serde_json::json;

use super::{CommitArgs, FormatArgs, OrFailVersions, Shown, count, open};
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;

/// Remove objects that nothing uses from the cache, or from a remote
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  almanac data gc -w --all-commits --dry")]
pub(crate) struct GcArgs {
    /// Keep what the working folder uses; everything below keeps that too
    #[arg(short, long)]
    workspace: bool,
    #[command(flatten)]
    commits: CommitArgs,
    /// Also what this revision uses
    #[arg(long, value_name = "COMMIT")]
    rev: Option<String>,
    /// With `--rev`: and that many commits before it, itself counted
    #[arg(short, long, value_name = "N", requires = "rev")]
    num: Option<usize>,
    /// Collect in a remote too
    #[arg(short, long)]
    cloud: bool,
    /// The remote
    #[arg(short, long, value_name = "NAME", requires = "cloud")]
    remote: Option<String>,
    /// Keep also what these repositories with the same cache use
    #[arg(short = 'p', long, value_name = "DIR", num_args = 1..)]
    projects: Vec<PathBuf>,
    /// Only say what would be removed
    #[arg(long)]
    dry: bool,
    /// Do not ask, and collect although what some commit uses is not known
    #[arg(short, long)]
    force: bool,
    #[command(flatten)]
    format: FormatArgs,
}

pub(super) fn gc(ctx: &Context, args: GcArgs) -> Result<ExitStatus, Failure> {
    let mut commits = args.commits.which();
    if let Some(revision) = args.rev {
        commits.push(Which::From { revision, count: args.num.unwrap_or(1) });
    }
    if !args.workspace && commits.is_empty() {
        let problem =
            "say what to keep: `-w` (the working folder), `-a` (branches), `-T` (tags), `-A` (all commits), or `--rev`".to_owned();
        return Err(almanac_versions::VersionsError::Usage { problem }).or_fail_versions();
    }
    let repo = open(ctx)?;
    if !args.force && !args.dry {
        let kept = if commits.is_empty() { "the working folder" } else { "the working folder and these commits" };
        let answer = ctx.printer.ask(&format!("Remove everything that {kept} do not use? (y/n)"), "n")?;
        if !answer.eq_ignore_ascii_case("y") && !answer.eq_ignore_ascii_case("yes") {
            let problem = "nothing was removed: `--force` does not ask".to_owned();
            return Err(almanac_versions::VersionsError::Usage { problem }).or_fail_versions();
        }
    }
    let repos = args.projects.iter().map(|folder| ctx.path(folder)).collect();
    let options = GcOptions { commits, cloud: args.cloud, remote: args.remote, force: args.force, dry: args.dry, repos };
    let done = repo.gc(&options, &Shown::new(&ctx.printer)).or_fail_versions()?;
    if args.format.is_json() {
        ctx.printer.json(&json!({"cache": done.cache, "bytes": done.bytes, "remote": done.remote, "dry": args.dry}))?;
        return Ok(ExitStatus::Success);
    }
    let verb = if args.dry { "would be removed" } else { "removed" };
    let mut text = format!("{} {verb} from the cache ({:.1} MB)\n", count(done.cache, "object"), done.bytes as f64 / 1e6);
    if let Some(remote) = done.remote {
        text.push_str(&format!("{} {verb} from the remote\n", count(remote, "object")));
    }
    ctx.printer.data(&text)?;
    Ok(ExitStatus::Success)
}
