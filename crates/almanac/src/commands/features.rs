//! `almanac features`: the feature store: what is declared, training values, the newest values, and what Feast had.

mod ask;
mod sources;

use std::path::PathBuf;

use almanac_feature_store::{
    Declarations, FeatureError, Materialise, Materialised, OnlineStore, SourceOf, import_feast, parse_instant, read_freshness, write_span,
};
use almanac_series::Hint;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use self::ask::{GetArgs, OnlineArgs};
use self::sources::{Store, open};
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{Failure, OrFail};
use crate::printer::{OutputFormat, table};

const EXAMPLE: &str = "\
Examples:
  almanac features import ../feast/feature_store.yaml      # or write features.yaml yourself
  almanac features materialise                             # newest values, for `almanac serve`
  almanac features get --entities orders.parquet --service demand --out training.parquet
  almanac features online store=s1 item=7 --features sales

Views, fields and windows are declared in `features.yaml`: docs/feature-store.md.";

/// Features for training and for lookups, declared once
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct FeaturesArgs {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Clone, Subcommand)]
enum Verb {
    /// List what is declared, and how fresh the newest values are
    List {
        /// Form of the answer
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        format: OutputFormat,
    },
    /// Bring the newest values up to date, for lookups; a server that runs takes them over within a second
    #[command(alias = "materialize")]
    Materialise(MaterialiseArgs),
    /// Write features as they stood at the times of an entity table, or of all entities at one time
    Get(GetArgs),
    /// Look the newest values of one entity up, as the server would
    Online(OnlineArgs),
    /// Write `features.yaml` from a Feast repository with file sources
    Import {
        /// `feature_store.yaml`, or its folder
        #[arg(value_name = "PATH")]
        from: PathBuf,
        /// Replace `features.yaml`
        #[arg(long)]
        force: bool,
    },
}

/// What to materialise.
#[derive(Debug, Clone, Args)]
struct MaterialiseArgs {
    /// Only this view; all that are online by default
    #[arg(long, value_name = "VIEW")]
    view: Vec<String>,
    /// Rows after this time are left for later; now by default
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Make everything anew, not only what is new
    #[arg(long)]
    full: bool,
    /// Form of the report
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: OutputFormat,
}

#[derive(Debug, Serialize)]
struct ViewLine {
    name: String,
    keys: Vec<String>,
    features: Vec<String>,
    source: String,
    ttl: Option<String>,
    online: bool,
    until: Option<String>,
    rows: Option<u64>,
    bytes: Option<u64>,
    is_current: bool,
}

#[derive(Debug, Serialize)]
struct Listing {
    views: Vec<ViewLine>,
    services: std::collections::BTreeMap<String, Vec<String>>,
}

/// Something about the command line that only the project can tell.
#[derive(Debug, thiserror::Error)]
pub(super) enum Wrong {
    #[error("`{text}` is no time")]
    Time { text: String },
    #[error("`{}` exists", path.display())]
    Exists { path: PathBuf },
    #[error("nothing is declared: there is no `{}`", path.display())]
    Nothing { path: PathBuf },
    #[error("`{text}` names no key: write `KEY=VALUE`")]
    Key { text: String },
    #[error("the name `{}` does not say in which form to write", out.display())]
    Form { out: PathBuf },
}

impl Hint for Wrong {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Time { .. } => "write one such as `2024-01-31` or `2024-01-31T12:00:00Z`".to_owned(),
            Self::Exists { .. } => "add `--force` to replace it".to_owned(),
            Self::Nothing { .. } => {
                "write `features.yaml` (docs/feature-store.md), or `almanac features import feature_store.yaml`".to_owned()
            }
            Self::Key { .. } => "give each key of the view, such as `store=s1 item=7`".to_owned(),
            Self::Form { .. } => "end it in `.parquet` or `.csv`".to_owned(),
        })
    }
}

/// Carries out `almanac features`.
pub(crate) fn features(ctx: &Context, args: FeaturesArgs) -> Result<ExitStatus, Failure> {
    match args.verb {
        Verb::List { format } => list(ctx, format),
        Verb::Materialise(args) => materialise(ctx, &args),
        Verb::Get(args) => ask::get(ctx, &args),
        Verb::Online(args) => ask::online(ctx, &args),
        Verb::Import { from, force } => import(ctx, &from, force),
    }?;
    Ok(ExitStatus::Success)
}

/// Gives an error of the feature store its exit code.
pub(super) trait OrFailFeatures<T> {
    /// Turns the error into a [`Failure`].
    fn or_fail_features(self) -> Result<T, Failure>;
}

impl<T> OrFailFeatures<T> for Result<T, FeatureError> {
    fn or_fail_features(self) -> Result<T, Failure> {
        let status = match &self {
            Err(FeatureError::Form { .. } | FeatureError::Declared { .. }) => ExitStatus::Config,
            Err(
                FeatureError::Unknown { .. }
                | FeatureError::LeftOut { .. }
                | FeatureError::Offline { .. }
                | FeatureError::NoKey { .. }
                | FeatureError::Uneven { .. }
                | FeatureError::TooMany { .. }
                | FeatureError::Clash { .. }
                | FeatureError::TooEarly { .. }
                | FeatureError::Backwards { .. }
                | FeatureError::NotServed { .. },
            ) => ExitStatus::Usage,
            Err(FeatureError::Busy { .. } | FeatureError::Damaged { .. }) => ExitStatus::Store,
            Err(FeatureError::Io { did: "written", .. }) => ExitStatus::Io,
            _ => ExitStatus::DataInput,
        };
        self.or_fail(status)
    }
}

/// Reads an instant of the command line.
pub(super) fn instant(text: &str) -> Result<i64, Failure> {
    parse_instant(text, &TimeZone::UTC).ok_or_else(|| Wrong::Time { text: text.to_owned() }).or_fail(ExitStatus::Usage)
}

fn source_text(source: &SourceOf) -> String {
    match source {
        SourceOf::File(path) => path.clone(),
        SourceOf::Bronze(table) => format!("bronze {table}"),
        SourceOf::Sql(_) => "SQL over bronze".to_owned(),
        SourceOf::Gold => "gold".to_owned(),
    }
}

fn list(ctx: &Context, format: OutputFormat) -> Result<(), Failure> {
    let Store { declarations, sources } = open(ctx)?;
    let mut views = Vec::new();
    for view in &declarations.views {
        let fresh = read_freshness(&sources.project.online(), &view.name).or_fail_features()?;
        views.push(ViewLine {
            name: view.name.clone(),
            keys: view.keys.iter().map(|key| key.name.clone()).collect(),
            features: view.features().map(str::to_owned).collect(),
            source: source_text(&view.source),
            ttl: view.ttl.map(write_span),
            online: view.online,
            is_current: fresh.as_ref().is_some_and(|fresh| fresh.declaration == view.fingerprint()),
            rows: fresh.as_ref().map(|fresh| fresh.rows),
            bytes: fresh.as_ref().map(|fresh| fresh.bytes),
            until: fresh.map(|fresh| fresh.until),
        });
    }
    if format == OutputFormat::Json {
        let name = |feature: &almanac_feature_store::FeatureRef| format!("{}:{}", feature.view, feature.feature);
        let services = declarations.services.iter().map(|service| (service.name.clone(), service.features.iter().map(name).collect()));
        return ctx.printer.json(&Listing { views, services: services.collect() });
    }
    let rows = views.into_iter().map(|view| {
        let until = match (view.online, view.until, view.is_current) {
            (false, ..) => "offline".to_owned(),
            (true, None, _) => "not materialised".to_owned(),
            (true, Some(_), false) => "declared anew since".to_owned(),
            (true, Some(until), true) => until,
        };
        [
            view.name,
            view.keys.join(", "),
            view.features.len().to_string(),
            view.source,
            view.ttl.unwrap_or_else(|| "ever".to_owned()),
            until,
        ]
    });
    ctx.printer.data(&table(["view", "keys", "features", "source", "ttl", "online until"], &[2], rows))
}

fn materialise(ctx: &Context, args: &MaterialiseArgs) -> Result<(), Failure> {
    let Store { declarations, sources } = open(ctx)?;
    let now = Timestamp::now().as_microsecond();
    let until = args.until.as_deref().map(instant).transpose()?.unwrap_or(now);
    let views = if args.view.is_empty() {
        declarations.views.iter().filter(|view| view.online).collect::<Vec<_>>()
    } else {
        args.view.iter().map(|name| declarations.view(name)).collect::<Result<Vec<_>, _>>().or_fail_features()?
    };
    let folder = sources.project.online();
    let mut made: Vec<Materialised> = Vec::new();
    for view in views {
        let source = sources.open(view).or_fail_features()?;
        let one = Materialise { folder: &folder, view, until, now, full: args.full, memory: sources.memory };
        let done = one.run(&*source).or_fail_features()?;
        if done.nameless > 0 {
            ctx.printer.warning(&format!("`{}`: {} rows without a key or a time are left out", done.view, done.nameless));
        }
        made.push(done);
    }
    if args.format == OutputFormat::Json {
        return ctx.printer.json(&made);
    }
    let rows = made.into_iter().map(|made| {
        let how = if made.anew.is_empty() { "what is new".to_owned() } else { format!("everything: {}", made.anew) };
        [made.view, made.until, made.new_rows.to_string(), made.written.to_string(), how]
    });
    ctx.printer.data(&table(["view", "until", "rows read", "rows kept", "what was done"], &[2, 3], rows))
}

fn import(ctx: &Context, from: &std::path::Path, force: bool) -> Result<(), Failure> {
    let path = almanac_pipeline::Project::new(ctx.folder()).features();
    if path.exists() && !force {
        return Err(Failure::new(ExitStatus::Usage, Wrong::Exists { path }));
    }
    // Paths in the file start at the project, those of the command line too.
    let from = std::path::absolute(ctx.path(from)).map_err(|error| Failure::foreign(ExitStatus::Io, error))?;
    let imported = import_feast(&from).or_fail_features()?;
    let text = imported.to_yaml();
    let declared = Declarations::parse(&text, &path).or_fail_features()?;
    almanac_data::write_bytes(&path, text.as_bytes()).map_err(|error| Failure::foreign(ExitStatus::Io, error))?;
    for sentence in &imported.left {
        ctx.printer.warning(sentence);
    }
    ctx.printer.note(&format!(
        "wrote {} views and {} services of `{}` to `{}`; `almanac features materialise` makes their newest values",
        declared.views.len(),
        declared.services.len(),
        imported.project,
        path.display()
    ));
    Ok(())
}

/// Opens the newest values of the project in `ctx`.
pub(super) fn online_store(sources: &almanac_pipeline::FeatureSources) -> Result<OnlineStore, Failure> {
    OnlineStore::open(sources.project.features(), sources.project.online()).or_fail_features()
}
