//! `almanac data`: versions of data, as DVC keeps them. Works in any folder, inside a project or not.
//!
//! Arguments mean what they mean to `dvc`; what is written is what `dvc` reads.

mod collect;
mod compare;
mod config;
mod tables;
mod track;
mod transfer;

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use almanac_versions::{Repo, VersionsError, Which};
use clap::{Args, Subcommand};

use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;
use crate::printer::{OutputFormat, Printer, Progress};

const EXAMPLE: &str = "\
Examples:
  almanac data init && almanac data add sales.csv images/
  almanac data remote add -d store s3://bucket/data && almanac data push
  git checkout v1 && almanac data checkout";

/// Keep versions of data beside git, in the files of DVC
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct DataArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Clone, Subcommand)]
enum Verb {
    Init(track::InitArgs),
    Add(track::AddArgs),
    Checkout(track::CheckoutArgs),
    Status(compare::StatusArgs),
    Diff(DiffArgs),
    Push(transfer::PushArgs),
    Pull(transfer::PullArgs),
    Fetch(transfer::FetchArgs),
    Gc(collect::GcArgs),
    ImportUrl(track::ImportUrlArgs),
    Remote(config::RemoteArgs),
    Config(config::ConfigArgs),
    /// Write git hooks: checkout after a checkout, status before a commit, push before a push
    Install,
}

/// Show how data differs between two versions: which tracked files, or with `--tables` what is in them
#[derive(Debug, Clone, Args)]
#[command(after_help = tables::EXAMPLE)]
struct DiffArgs {
    /// The older: a revision of git, HEAD by default; with --tables a file, folder or glob, REVISION:PATH, or TABLE@VERSION
    #[arg(value_name = "A")]
    old: Option<String>,
    /// The newer; the working folder by default
    #[arg(value_name = "B")]
    new: Option<String>,
    /// Compare the content of tables
    #[arg(long)]
    tables: bool,
    #[command(flatten)]
    files: compare::FileArgs,
    #[command(flatten)]
    content: tables::ContentArgs,
    #[command(flatten)]
    format: FormatArgs,
}

/// Carries out `almanac data`.
pub(crate) fn data(ctx: &Context, args: DataArgs) -> Result<ExitStatus, Failure> {
    let done = || match args.verb {
        Verb::Init(args) => track::init(ctx, args),
        Verb::Add(args) => track::add(ctx, args),
        Verb::Checkout(args) => track::checkout(ctx, args),
        Verb::Status(args) => compare::status(ctx, args),
        Verb::Diff(args) if args.tables => tables::diff(ctx, &args),
        Verb::Diff(args) => compare::diff(ctx, args),
        Verb::Push(args) => transfer::push(ctx, args),
        Verb::Pull(args) => transfer::pull(ctx, args),
        Verb::Fetch(args) => transfer::fetch(ctx, args),
        Verb::Gc(args) => collect::gc(ctx, args),
        Verb::ImportUrl(args) => track::import_url(ctx, args),
        Verb::Remote(args) => config::remote(ctx, args),
        Verb::Config(args) => config::config(ctx, args),
        Verb::Install => {
            let hooks = open(ctx)?.install_hooks().or_fail_versions()?;
            ctx.printer.note(&format!("wrote the hooks {}", hooks.join(", ")));
            Ok(ExitStatus::Success)
        }
    };
    // The threads of the whole process, for this thread works on its own between.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(ctx.threads().get()).build_global();
    pool.map_err(|error| Failure::foreign(ExitStatus::Io, error))?;
    done()
}

/// Opens the repository that the folder of `-C` lies in.
fn open(ctx: &Context) -> Result<Repo, Failure> {
    Repo::open(ctx.folder()).or_fail_versions()
}

/// Names targets as the repository does: relative to its root. A stage of a pipeline is a name already.
fn targets(ctx: &Context, repo: &Repo, given: &[PathBuf]) -> Result<Vec<String>, Failure> {
    given.iter().map(|target| repo.name(&ctx.path(target)).or_fail_versions()).collect()
}

/// Which commits besides the working folder.
#[derive(Debug, Clone, Copy, Args)]
struct CommitArgs {
    /// Also what the tips of all branches use
    #[arg(short = 'a', long)]
    all_branches: bool,
    /// Also what all tags use
    #[arg(short = 'T', long)]
    all_tags: bool,
    /// Also what any commit uses
    #[arg(short = 'A', long)]
    all_commits: bool,
}

impl CommitArgs {
    fn which(self) -> Vec<Which> {
        match self {
            Self { all_commits: true, .. } => vec![Which::All],
            Self { all_branches: false, all_tags: false, .. } => Vec::new(),
            Self { all_branches, all_tags, .. } => vec![Which::Tips { branches: all_branches, tags: all_tags }],
        }
    }
}

/// How the answer is written.
#[derive(Debug, Clone, Copy, Args)]
struct FormatArgs {
    /// Form of the answer
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: OutputFormat,
    /// The same as `--format json`
    #[arg(long, conflicts_with = "format")]
    json: bool,
}

impl FormatArgs {
    fn is_json(self) -> bool {
        self.json || self.format == OutputFormat::Json
    }
}

/// Shows how far the library has come.
struct Shown<'a> {
    printer: &'a Printer,
    bar: Mutex<Option<(Progress, u64)>>,
}

impl<'a> Shown<'a> {
    fn new(printer: &'a Printer) -> Self {
        Self { printer, bar: Mutex::new(None) }
    }
}

impl almanac_versions::Progress for Shown<'_> {
    fn begin(&self, what: &str, bytes: u64) {
        if let Ok(mut bar) = self.bar.lock() {
            *bar = Some((self.printer.progress(what, bytes), 0));
        }
    }

    fn advance(&self, bytes: u64) {
        if let Ok(mut bar) = self.bar.lock()
            && let Some((bar, done)) = bar.as_mut()
        {
            *done += bytes;
            bar.set(*done);
        }
    }

    fn note(&self, text: &str) {
        let bar = self.bar.lock();
        match bar.as_ref().ok().and_then(|bar| bar.as_ref()) {
            Some((bar, _)) => bar.suspend(|| self.printer.warning(text)),
            None => self.printer.warning(text),
        }
    }
}

/// Gives errors of versions their exit codes.
trait OrFailVersions<T> {
    fn or_fail_versions(self) -> Result<T, Failure>;
}

impl<T> OrFailVersions<T> for Result<T, VersionsError> {
    fn or_fail_versions(self) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(status_of(&error), error))
    }
}

fn status_of(error: &VersionsError) -> ExitStatus {
    use VersionsError as E;
    match error {
        E::Io { .. } => ExitStatus::Io,
        E::NoRepo { .. }
        | E::NoGit { .. }
        | E::Exists { .. }
        | E::Usage { .. }
        | E::NotTracked { .. }
        | E::Overlap { .. }
        | E::WouldLose { .. } => ExitStatus::Usage,
        E::Config { .. } | E::Setting { .. } | E::NoRemote | E::Remote { .. } => ExitStatus::Config,
        E::Locked { .. } => ExitStatus::Store,
        E::Transfer { source, .. } => status_of(source),
        E::Git { .. }
        | E::Malformed { .. }
        | E::NotFound { .. }
        | E::Unfit { .. }
        | E::Unsafe { .. }
        | E::Changed { .. }
        | E::Corrupt { .. }
        | E::Missing { .. }
        | E::Url { .. } => ExitStatus::DataInput,
    }
}

/// `3 files`, `1 file`.
fn count(number: usize, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}

/// A path as it is shown.
fn shown(path: &Path) -> String {
    path.display().to_string()
}
