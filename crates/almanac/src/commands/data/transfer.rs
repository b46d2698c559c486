//! `almanac data push`, `pull`, `fetch`: objects between the cache and a remote.

use std::path::PathBuf;

use almanac_versions::{CheckoutOptions, TransferOptions};
use clap::Args;
use serde_json::json;

use super::track::{tell, to_json};
use super::{CommitArgs, FormatArgs, OrFailVersions, Shown, count, open, targets};
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;

#[derive(Debug, Clone, Args)]
pub(super) struct CommonArgs {
    /// Tracked files and folders, files in them, pointers, or stages; all by default
    #[arg(value_name = "TARGET")]
    targets: Vec<PathBuf>,
    /// The remote; the default one otherwise
    #[arg(short, long, value_name = "NAME")]
    remote: Option<String>,
    /// Transfers at once
    #[arg(short, long, value_name = "N")]
    jobs: Option<usize>,
    /// Everything tracked below the targets
    #[arg(short = 'R', long)]
    recursive: bool,
    #[command(flatten)]
    commits: CommitArgs,
    #[command(flatten)]
    format: FormatArgs,
}

/// Send what a remote does not have
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  almanac data push -r store")]
pub(crate) struct PushArgs {
    #[command(flatten)]
    common: CommonArgs,
}

/// Get from a remote what the cache does not have
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  almanac data fetch --all-commits")]
pub(crate) struct FetchArgs {
    #[command(flatten)]
    common: CommonArgs,
}

/// Fetch, then check out
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  git pull && almanac data pull")]
pub(crate) struct PullArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// Overwrite files that are saved nowhere else
    #[arg(short, long)]
    force: bool,
    /// Leave out what is neither in the cache nor in the remote
    #[arg(long)]
    allow_missing: bool,
}

impl CommonArgs {
    fn options(&self) -> TransferOptions {
        TransferOptions { commits: self.commits.which(), recursive: self.recursive, jobs: self.jobs }
    }

    fn tell(&self, ctx: &Context, verb: &str, objects: usize) -> Result<ExitStatus, Failure> {
        if self.format.is_json() {
            ctx.printer.json(&json!({ verb: objects }))?;
        } else if objects == 0 {
            ctx.printer.data("Everything is up to date.\n")?;
        } else {
            ctx.printer.data(&format!("{} {verb}\n", count(objects, "file")))?;
        }
        Ok(ExitStatus::Success)
    }
}

pub(super) fn push(ctx: &Context, args: PushArgs) -> Result<ExitStatus, Failure> {
    let (repo, common) = (open(ctx)?, args.common);
    let targets = targets(ctx, &repo, &common.targets)?;
    let done = repo.push(common.remote.as_deref(), &targets, &common.options(), &Shown::new(&ctx.printer)).or_fail_versions()?;
    common.tell(ctx, "pushed", done.objects)
}

pub(super) fn fetch(ctx: &Context, args: FetchArgs) -> Result<ExitStatus, Failure> {
    let (repo, common) = (open(ctx)?, args.common);
    let targets = targets(ctx, &repo, &common.targets)?;
    let done = repo.fetch(common.remote.as_deref(), &targets, &common.options(), &Shown::new(&ctx.printer)).or_fail_versions()?;
    common.tell(ctx, "fetched", done.objects)
}

pub(super) fn pull(ctx: &Context, args: PullArgs) -> Result<ExitStatus, Failure> {
    let (repo, common) = (open(ctx)?, args.common);
    let targets = targets(ctx, &repo, &common.targets)?;
    let options = CheckoutOptions { force: args.force, allow_missing: args.allow_missing, recursive: common.recursive, relink: false };
    let (fetched, done) =
        repo.pull(common.remote.as_deref(), &targets, &common.options(), options, &Shown::new(&ctx.printer)).or_fail_versions()?;
    if common.format.is_json() {
        let mut value = to_json(&done);
        value["fetched"] = fetched.objects.into();
        ctx.printer.json(&value)?;
        return Ok(ExitStatus::Success);
    }
    tell(ctx, &done, false, common.format)?;
    common.tell(ctx, "fetched", fetched.objects)
}
