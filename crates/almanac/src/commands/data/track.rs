//! `almanac data init`, `add`, `checkout`, `import-url`: what is tracked, and that it is there.

use std::path::PathBuf;

use almanac_versions::{AddOptions, CheckedOut, CheckoutOptions, ImportOptions, InitOptions, Repo};
use clap::Args;
use serde_json::json;

use super::{FormatArgs, OrFailVersions, Shown, count, open, shown, targets};
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;

/// Begin to keep versions in this folder
#[derive(Debug, Clone, Copy, Args)]
#[command(after_help = "Example:\n  git init && almanac data init")]
pub(crate) struct InitArgs {
    /// Without git
    #[arg(long)]
    no_scm: bool,
    /// In a folder inside a git repository
    #[arg(long, conflicts_with = "no_scm")]
    subdir: bool,
    /// Throw away the `.dvc` that is there, with its cache
    #[arg(short, long)]
    force: bool,
}

/// Track files and folders
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  almanac data add sales.csv images/")]
pub(crate) struct AddArgs {
    /// Files and folders
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// Write the pointers, put nothing into the cache
    #[arg(long)]
    no_commit: bool,
    #[command(flatten)]
    format: FormatArgs,
}

/// Make files what the pointers say, from the cache
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  git checkout v1 && almanac data checkout")]
pub(crate) struct CheckoutArgs {
    /// Tracked files and folders, files in them, pointers, or stages; all by default
    #[arg(value_name = "TARGET")]
    targets: Vec<PathBuf>,
    /// Overwrite files that are saved nowhere else
    #[arg(short, long)]
    force: bool,
    /// Replace files that are right, to link or copy them as is configured now
    #[arg(long)]
    relink: bool,
    /// Everything tracked below the targets
    #[arg(short = 'R', long)]
    recursive: bool,
    /// Leave out what is not in the cache
    #[arg(long)]
    allow_missing: bool,
    /// Only numbers
    #[arg(long)]
    summary: bool,
    #[command(flatten)]
    format: FormatArgs,
}

/// Copy data from a path or an address and track where it came from
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  almanac data import-url https://example.com/sales.csv data/")]
pub(crate) struct ImportUrlArgs {
    /// A path, `https://…`, `s3://…`, `gs://…`, `azure://…`, or `remote://NAME/…`
    #[arg(value_name = "URL")]
    url: String,
    /// Where to put it; here by default
    #[arg(value_name = "OUT")]
    out: Option<PathBuf>,
    /// Replace what is there
    #[arg(short, long)]
    force: bool,
    /// Write the pointer, bring nothing
    #[arg(long)]
    no_exec: bool,
}

pub(super) fn init(ctx: &Context, args: InitArgs) -> Result<ExitStatus, Failure> {
    let options = InitOptions { no_scm: args.no_scm, subdir: args.subdir, force: args.force };
    let repo = Repo::init(ctx.folder(), options).or_fail_versions()?;
    ctx.printer.note(&format!("versions of data in `{}` are kept from now on", shown(repo.root())));
    Ok(ExitStatus::Success)
}

pub(super) fn add(ctx: &Context, args: AddArgs) -> Result<ExitStatus, Failure> {
    let repo = open(ctx)?;
    let paths: Vec<PathBuf> = args.paths.iter().map(|path| ctx.path(path)).collect();
    let added = repo.add(&paths, AddOptions { no_commit: args.no_commit }, &Shown::new(&ctx.printer)).or_fail_versions()?;
    if args.format.is_json() {
        ctx.printer.json(&json!({"outs": added.outs, "for_git": added.for_git}))?;
    } else if repo.git().is_some() && !repo.is_staging() {
        ctx.printer.note(&format!(
            "to keep this version, let git have it:\n  git add {}",
            added.for_git.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(" ")
        ));
    }
    Ok(ExitStatus::Success)
}

pub(super) fn checkout(ctx: &Context, args: CheckoutArgs) -> Result<ExitStatus, Failure> {
    let repo = open(ctx)?;
    let options = CheckoutOptions { force: args.force, relink: args.relink, allow_missing: args.allow_missing, recursive: args.recursive };
    let done = repo.checkout(&targets(ctx, &repo, &args.targets)?, options, &Shown::new(&ctx.printer)).or_fail_versions()?;
    tell(ctx, &done, args.summary, args.format)?;
    Ok(ExitStatus::Success)
}

/// Says what a checkout changed.
pub(super) fn tell(ctx: &Context, done: &CheckedOut, is_summary: bool, format: FormatArgs) -> Result<(), Failure> {
    if format.is_json() {
        return ctx.printer.json(&to_json(done));
    }
    let mut text = String::new();
    if is_summary {
        let parts = [(done.files.modified, "modified"), (done.files.added, "added"), (done.files.deleted, "deleted")];
        let parts: Vec<String> =
            parts.iter().filter(|(files, _)| *files > 0).map(|(files, what)| format!("{} {what}", count(*files, "file"))).collect();
        text = if parts.is_empty() { "No changes.\n".to_owned() } else { format!("{}\n", parts.join(", ")) };
    } else {
        for (letter, paths) in [('M', &done.modified), ('A', &done.added), ('D', &done.deleted)] {
            text.extend(paths.iter().map(|path| format!("{letter}\t{path}\n")));
        }
    }
    ctx.printer.data(&text)
}

pub(super) fn to_json(done: &CheckedOut) -> serde_json::Value {
    json!({
        "modified": done.modified, "added": done.added, "deleted": done.deleted,
        "stats": {"modified": done.files.modified, "added": done.files.added, "deleted": done.files.deleted},
    })
}

pub(super) fn import_url(ctx: &Context, args: ImportUrlArgs) -> Result<ExitStatus, Failure> {
    let repo = open(ctx)?;
    let url = if args.url.contains("://") { args.url } else { shown(&ctx.path(args.url.as_ref())) };
    let out = ctx.path(args.out.as_deref().unwrap_or(".".as_ref()));
    let options = ImportOptions { force: args.force, no_exec: args.no_exec };
    let added = repo.import_url(&url, Some(&out), options, &Shown::new(&ctx.printer)).or_fail_versions()?;
    ctx.printer.note(&format!("imported `{}`", added.outs.join("`, `")));
    Ok(ExitStatus::Success)
}

/// A name as a shell takes it.
fn quoted(name: &str) -> String {
    let is_plain = name.chars().all(|char| char.is_alphanumeric() || "/._-+,@%".contains(char));
    if is_plain { name.to_owned() } else { format!("'{}'", name.replace('\'', "'\\''")) }
}
