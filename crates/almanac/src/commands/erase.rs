//! `almanac erase`: takes one subject out of everything that a project holds, writes a proof, and checks proofs.

mod remotes;
mod report;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use almanac_config::{Overrides, Settings};
use almanac_data::{IngestReport, expand_source, nearest, on_disk};
use almanac_pipeline::{ErasureSite, Project, erase_subject, models_that_learnt, records, site};
use almanac_privacy::{
    Beyond, EraseError, EraseObserver, KeySource, ModelNote, Plan, PostgresStore, PrivacyKey, Proof, Request, Subject, in_git_history,
    plan_erasure, verify,
};
use almanac_series::Hint;
use almanac_tracking::{StoreUrl, table_names};
use clap::Args;

use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{Failure, OrFail};
use crate::printer::OutputFormat;
use crate::session::{OrFailPipeline, erase_status, start_threads};
use crate::{compose, privacy};

const EXAMPLE: &str = "\
Examples:
  almanac erase --subject C1017 --dry-run
  almanac erase --subject - --yes < key.txt
  almanac erase --verify 1 --subject C1017

Rows of the subject leave sources, landed files, the forecast table, versions, artifacts and the database; derived layers go and
are made again by the next run. Models that learnt from the rows are listed: they cannot forget, make them again.
Exit code 5: the subject is still somewhere, or a proof does not hold.";

/// Erase a person from everything the project holds, and prove it
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct EraseArgs {
    /// The person's key as the source writes it; `-` reads it from standard input, where no list of processes shows it
    #[arg(long, value_name = "KEY", required_unless_present = "verify")]
    subject: Option<String>,
    /// Columns in which the key names the person; by default `[privacy] subject`
    #[arg(long, value_name = "COLUMN,…", value_delimiter = ',')]
    column: Vec<String>,
    /// Show what would be done, and do nothing
    #[arg(long, conflicts_with = "verify")]
    dry_run: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Check a proof, or all: the chain, the files, and with --subject that the person is nowhere
    #[arg(long, value_name = "NUMBER", num_args = 0..=1, default_missing_value = "0")]
    verify: Option<u32>,
    /// Form of the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: OutputFormat,
}

/// Why nothing was erased.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("nobody said yes")]
    NotConfirmed,
    #[error("no source table has a column `{column}`")]
    NoColumn { column: String, near: Option<String> },
    #[error("failed to read the subject's key from standard input")]
    Input(#[source] io::Error),
}

impl Hint for Refused {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoColumn { near, .. } => {
                let near = near.as_ref().map(|near| format!("did you mean `{near}`? "));
                Some(format!(
                    "{}the column is named as the source names it, in `--column` or `[privacy] subject`",
                    near.unwrap_or_default()
                ))
            }
            Self::NotConfirmed => Some("look at `almanac erase --dry-run`, then add `--yes`".into()),
            Self::Input(_) => None,
        }
    }
}

/// Carries out `almanac erase`.
pub(crate) fn erase(ctx: &Context, args: EraseArgs) -> Result<ExitStatus, Failure> {
    let settings = ctx.settings(Overrides::default())?;
    start_threads(ctx, &settings);
    let project = Project::new(&settings.project);
    let (mut site, key_file) = site_of(&settings, &project)?;
    let subject = subject(&args, &settings)?;
    if let Some(number) = args.verify {
        let key = known_key(&settings, &key_file)?;
        let verdict = verify(&site.ground, Some(number).filter(|number| *number > 0), subject.as_ref(), key.as_ref()).map_err(failed)?;
        report::verdict(ctx, args.format, &verdict)?;
        for name in site.remotes.iter().filter(|_| subject.is_some()) {
            ctx.printer.note(&format!("remote `{name}` is not searched by a verification; `almanac erase --dry-run` searches it"));
        }
        return Ok(if verdict.is_good() { ExitStatus::Success } else { ExitStatus::DataCheck });
    }
    let Some(subject) = subject else { return Err(failed(EraseError::NoSubject)) };
    check_columns(&project, &subject)?;
    add_buckets(ctx, &settings, &mut site);
    let known = known_key(&settings, &key_file)?;
    let key = match &known {
        Some(key) => key.clone(),
        None => PrivacyKey::unsaved().or_fail(ExitStatus::Io)?,
    };
    let plan = plan_erasure(&site.ground, &subject, &key).map_err(failed)?;
    let models = if plan.has_rows() { models(&settings, &project)? } else { Vec::new() };
    let mut elsewhere = site.elsewhere.clone();
    elsewhere.extend(git(&settings, &subject, &key)?);
    if args.format == OutputFormat::Text || args.dry_run {
        report::plan(ctx, args.format, &plan, &models, &elsewhere)?;
    }
    if args.dry_run {
        return Ok(ExitStatus::Success);
    }
    if plan.is_empty() && !plan.is_resumed {
        ctx.printer.note("nothing to erase");
        return Ok(if elsewhere.is_empty() && plan.missed.is_empty() { ExitStatus::Success } else { ExitStatus::DataCheck });
    }
    confirm(ctx, &args)?;
    // The proof names its subject by a hash, so there must be a key that lasts.
    let key = if let Some(key) = known {
        key
    } else {
        ctx.printer.note(&format!("made `{}`: proofs are sealed with it; keep it", key_file.display()));
        PrivacyKey::create(&key_file).or_fail(ExitStatus::Io)?
    };
    let proof = carry_out(ctx, &project, &site, &subject, &key, models, elsewhere, &plan)?;
    let Some(proof) = proof else { return Ok(ExitStatus::Success) };
    report::done(ctx, args.format, &project, &proof)?;
    Ok(if proof.left.is_empty() { ExitStatus::Success } else { ExitStatus::DataCheck })
}

fn failed(error: EraseError) -> Failure {
    let status = erase_status(&error);
    Failure::new(status, error)
}

#[expect(clippy::too_many_arguments, reason = "everything that a proof tells")]
fn carry_out(
    ctx: &Context,
    project: &Project,
    site: &ErasureSite,
    subject: &Subject,
    key: &PrivacyKey,
    models: Vec<ModelNote>,
    elsewhere: Vec<(String, String)>,
    plan: &Plan,
) -> Result<Option<Proof>, Failure> {
    let now = jiff::Timestamp::now().to_string();
    let who = who();
    let program = format!("almanac {}", env!("CARGO_PKG_VERSION"));
    let request = Request { subject, key, who: &who, program: &program, now: &now, models, elsewhere };
    let progress = Steps { ctx, bar: RefCell::new(ctx.printer.progress("erasing", plan.found.len() as u64)) };
    Ok(erase_subject(project, site, &request, &progress).or_fail_pipeline()?.proof)
}

/// Shows how far it is.
struct Steps<'a> {
    ctx: &'a Context,
    bar: RefCell<crate::printer::Progress>,
}

impl EraseObserver for Steps<'_> {
    fn on(&self, path: &Path, done: usize, total: usize) -> ControlFlow<()> {
        if total > 0 {
            self.bar.borrow_mut().set(done as u64);
            self.ctx.printer.detail(&format!("{}", path.display()));
        }
        ControlFlow::Continue(())
    }
}

fn subject(args: &EraseArgs, settings: &Settings) -> Result<Option<Subject>, Failure> {
    let Some(given) = &args.subject else { return Ok(None) };
    let key = if given == "-" {
        let mut line = String::new();
        io::stdin().read_line(&mut line).map_err(Refused::Input).or_fail(ExitStatus::Io)?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    } else {
        given.clone()
    };
    let columns = if args.column.is_empty() { settings.privacy.subject.clone() } else { args.column.clone() };
    let column_of = |name: &String| name.rsplit_once('.').map_or(name.as_str(), |(_, column)| column).to_owned();
    let personal = settings.privacy.personal.keys().map(column_of).filter(|column| !columns.contains(column)).collect();
    Ok(Some(Subject { key, columns, personal }))
}

/// A misspelt column would find nobody. Before the first run, and after an erasure, nothing is known of the sources' columns.
fn check_columns(project: &Project, subject: &Subject) -> Result<(), Failure> {
    let of_run = records(&project.assets()).or_fail_pipeline()?.into_iter().filter(|record| record.name.starts_with("bronze/"));
    let reports = of_run.filter_map(|record| serde_json::from_value::<IngestReport>(record.summary).ok());
    let columns: BTreeSet<String> =
        reports.flat_map(|report| report.columns.into_iter().map(|column| column.name).chain(report.personal.into_keys())).collect();
    match subject.columns.iter().find(|column| !columns.is_empty() && !columns.contains(*column)) {
        None => Ok(()),
        Some(column) => {
            let near = nearest(column, columns.iter().map(String::as_str));
            Err(Refused::NoColumn { column: column.clone(), near }).or_fail(ExitStatus::Usage)
        }
    }
}

/// The key that there is: the one that is named, or that of an earlier erasure.
fn known_key(settings: &Settings, key_file: &Path) -> Result<Option<PrivacyKey>, Failure> {
    match privacy::key_source(settings) {
        Some(source) => privacy::load(&source).map(Some),
        None if key_file.exists() => privacy::load(&KeySource::File(key_file.to_owned())).map(Some),
        None => Ok(None),
    }
}

/// Where everything lies, and the file of the key.
fn site_of(settings: &Settings, project: &Project) -> Result<(ErasureSite, PathBuf), Failure> {
    let data = &settings.data;
    let mut sources = Vec::new();
    for pattern in data.tables.iter().chain(&data.future_source).flat_map(|table| &table.patterns) {
        // A source that is not there holds nobody.
        let files = expand_source(&settings.project, pattern).unwrap_or_default();
        sources.extend(files.iter().map(|path| on_disk(path).to_owned()));
    }
    let mut more = Vec::new();
    let mut elsewhere = Vec::new();
    let mut store = None;
    for table in data.tables.iter().chain(&data.future_source).filter(|table| table.outside.is_some()) {
        let why = "it comes from outside: delete the person there too, or a later load brings the rows back";
        elsewhere.push((format!("the source of `{}`", table.name), why.to_owned()));
    }
    if let Some(url) = &settings.tracking.backend_store {
        match StoreUrl::parse(url).or_fail(ExitStatus::Config)? {
            StoreUrl::Sqlite(path) => more.push(path),
            StoreUrl::Postgres(url) => {
                let shown = StoreUrl::Postgres(url.clone()).to_string();
                store = Some(PostgresStore { url: url.to_string(), shown, tables: table_names() });
            }
        }
    }
    if let Some(root) = &settings.tracking.artifact_root {
        if root.contains("://") {
            elsewhere.push(("the place of artifacts".to_owned(), "it is an object store and not searched".to_owned()));
        } else {
            more.push(settings.project.join(root));
        }
    }
    let key_file = match privacy::key_source(settings) {
        Some(KeySource::File(path)) => path,
        _ => privacy::usual_file(&settings.project),
    };
    let mut site = site(project, &sources, &more, Some(&key_file));
    site.elsewhere.append(&mut elsewhere);
    site.ground.lists.push(site.ground.root.join(&settings.checks.expectations));
    site.ground.beyond.extend(store.map(|store| Arc::new(store) as Arc<dyn Beyond>));
    Ok((site, key_file))
}

/// Adds the remotes that are buckets, with all that they have in the cache; one that cannot be reached is said.
fn add_buckets(ctx: &Context, settings: &Settings, site: &mut ErasureSite) {
    for name in std::mem::take(&mut site.remotes) {
        match remotes::fetched(&settings.project, &name) {
            Ok((bucket, count)) => {
                if count > 0 {
                    ctx.printer
                        .note(&format!("{count} objects of remote `{name}` were fetched to be searched; `almanac data gc -w` frees them"));
                }
                site.ground.beyond.push(Arc::new(bucket));
            }
            Err(why) => site.elsewhere.push((format!("remote `{name}`"), why)),
        }
    }
}

fn models(settings: &Settings, project: &Project) -> Result<Vec<ModelNote>, Failure> {
    if settings.tracking.backend_store.is_none() && !project.database().exists() {
        return Ok(Vec::new());
    }
    // The store is closed again before its file changes.
    let store = compose::store(&settings.tracking, project)?;
    models_that_learnt(&store, project).or_fail_pipeline()
}

/// What git remembers, which nobody but its users can change.
fn git(settings: &Settings, subject: &Subject, key: &PrivacyKey) -> Result<Option<(String, String)>, Failure> {
    let found = in_git_history(&settings.project, subject, key).map_err(failed)?;
    Ok((!found.is_empty()).then(|| {
        let some: Vec<&str> = found.iter().take(3).map(|id| &id[..id.len().min(12)]).collect();
        let why = format!(
            "{} objects hold the subject ({}, …): rewrite the history, for instance with `git filter-repo`, and have clones made anew",
            found.len(),
            some.join(", ")
        );
        ("the history of git".to_owned(), why)
    }))
}

fn confirm(ctx: &Context, args: &EraseArgs) -> Result<(), Failure> {
    if args.yes {
        return Ok(());
    }
    let answer = ctx.printer.ask("Erase for good? There is no way back (yes/no)", "no")?;
    if answer == "yes" { Ok(()) } else { Err(Failure::new(ExitStatus::Usage, Refused::NotConfirmed)) }
}

/// Who calls, as far as the system tells.
fn who() -> String {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    variable("USER").or_else(|| variable("LOGNAME")).or_else(|| variable("USERNAME")).unwrap_or_else(|| "unknown".to_owned())
}
