//! `almanac features get` and `almanac features online`: values of the past, and the newest.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use almanac_feature_store::{
    Coverage, Declarations, EntityTable, FeatureRef, Historical, KeyKind, KeyValue, Known, Request, TableForm, Value, write_instant,
};
use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::sources::{Store, open};
use super::{OrFailFeatures, Wrong, instant, online_store};
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{Failure, OrFail};
use crate::printer::{OutputFormat, table};

const GET_EXAMPLE: &str = "\
Examples:
  almanac features get --entities orders.csv --features sales:units_28d,prices --out training.parquet
  almanac features get --at 2024-06-01 --features sales --out all.csv      # every entity of one view

The entity table has the keys of the views and a column `event_timestamp`; it is written with the features beside it.";

const ONLINE_EXAMPLE: &str = "\
Example:
  almanac features online store=s1 item=7 --features sales:units_28d,prices --format json";

/// Which features.
#[derive(Debug, Clone, Args)]
pub(super) struct Wanted {
    /// `view:feature`, or `view` for all of its features
    #[arg(long, value_name = "NAMES", value_delimiter = ',', required_unless_present = "service", conflicts_with = "service")]
    features: Vec<String>,
    /// A feature service
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Name features `view__feature`
    #[arg(long)]
    full_names: bool,
}

impl Wanted {
    fn resolve(&self, declarations: &Declarations) -> Result<Vec<FeatureRef>, Failure> {
        match &self.service {
            Some(service) => Ok(declarations.service(service).or_fail_features()?.features.clone()),
            None => declarations.resolve(self.features.iter().map(String::as_str)).or_fail_features(),
        }
    }
}

/// Arguments of `almanac features get`.
#[derive(Debug, Clone, Args)]
#[command(after_help = GET_EXAMPLE)]
pub(super) struct GetArgs {
    /// Table of entities, Parquet or CSV
    #[arg(long, value_name = "FILE", required_unless_present = "at", conflicts_with = "at")]
    entities: Option<PathBuf>,
    /// All entities of one view, as of this time
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    #[command(flatten)]
    wanted: Wanted,
    /// File to write, `.parquet` or `.csv`; `-` is CSV on standard output
    #[arg(long, value_name = "FILE", default_value = "-")]
    out: PathBuf,
    /// Column of the entity table with the time of each row
    #[arg(long, value_name = "COLUMN", default_value = "event_timestamp")]
    time_column: String,
    /// Which late and corrected rows are known: those created by the time of each row (`event`), all (`now`), or those created by a time
    #[arg(long, value_name = "WHEN", default_value = "event")]
    as_known_at: String,
}

/// Arguments of `almanac features online`.
#[derive(Debug, Clone, Args)]
#[command(after_help = ONLINE_EXAMPLE)]
pub(super) struct OnlineArgs {
    /// The entity: each key and its value; none for a view without keys
    #[arg(value_name = "KEY=VALUE")]
    keys: Vec<String>,
    #[command(flatten)]
    wanted: Wanted,
    /// Time of the question; now by default
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Form of the answer
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: OutputFormat,
}

/// Carries out `almanac features get`.
pub(super) fn get(ctx: &Context, args: &GetArgs) -> Result<(), Failure> {
    let form = form_of(&args.out)?;
    let Store { declarations, sources } = open(ctx)?;
    let features = args.wanted.resolve(&declarations)?;
    let known = match args.as_known_at.as_str() {
        "event" => Known::AtEvent,
        "now" => Known::Now,
        time => Known::At(instant(time)?),
    };
    let asked =
        Historical { declarations: &declarations, features: &features, full_names: args.wanted.full_names, known, memory: sources.memory };
    let open = |view: &almanac_feature_store::View| sources.open(view);
    let (answer, coverage): (EntityTable, Vec<Coverage>) = match (&args.entities, &args.at) {
        (Some(file), _) => {
            let keys = keys_of(&declarations, &features)?;
            let entities = sources.entities(&ctx.path(file), &keys).or_fail_features()?;
            asked.join(&entities, &args.time_column, &TimeZone::UTC, &open).or_fail_features()?
        }
        (None, at) => {
            let at = instant(at.as_deref().unwrap_or_default())?;
            let (answer, coverage) = asked.all_at(at, &open).or_fail_features()?;
            (answer, vec![coverage])
        }
    };
    for seen in &coverage {
        let total = seen.present + seen.expired + seen.absent;
        ctx.printer.note(&format!(
            "`{}`: {} of {total} rows have values, {} are older than the ttl, of {} nothing is known",
            seen.view, seen.present, seen.expired, seen.absent
        ));
        if seen.nameless > 0 {
            ctx.printer.warning(&format!("`{}`: {} rows without a key or a time are left out", seen.view, seen.nameless));
        }
        let is_late = seen.present == 0 && total > 0 && known == Known::AtEvent;
        if is_late && declarations.view(&seen.view).is_ok_and(|view| view.created.is_some()) {
            ctx.printer.note("rows count from the time they were created; `--as-known-at now` takes all there are");
        }
    }
    if args.out == Path::new("-") {
        return answer.write_to(std::io::stdout(), form).map_err(|error| Failure::foreign(ExitStatus::Io, error));
    }
    let out = ctx.path(&args.out);
    answer.write(&out, form).or_fail_features()?;
    ctx.printer.note(&format!("wrote {} rows to `{}`", answer.rows(), out.display()));
    Ok(())
}

fn form_of(out: &Path) -> Result<TableForm, Failure> {
    let extension = out.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    match extension.as_deref() {
        Some("parquet" | "pq") => Ok(TableForm::Parquet),
        Some("csv") => Ok(TableForm::Csv),
        _ if out == Path::new("-") => Ok(TableForm::Csv),
        _ => Err(Failure::new(ExitStatus::Usage, Wrong::Form { out: out.to_owned() })),
    }
}

/// The keys of the views, each once.
fn keys_of(declarations: &Declarations, features: &[FeatureRef]) -> Result<Vec<(String, KeyKind)>, Failure> {
    let mut keys: Vec<(String, KeyKind)> = Vec::new();
    for feature in features {
        for key in &declarations.view(&feature.view).or_fail_features()?.keys {
            if !keys.iter().any(|(name, _)| *name == key.name) {
                keys.push((key.name.clone(), key.kind));
            }
        }
    }
    Ok(keys)
}

/// Carries out `almanac features online`.
pub(super) fn online(ctx: &Context, args: &OnlineArgs) -> Result<(), Failure> {
    let Store { declarations, sources } = open(ctx)?;
    let known = keys_of(&declarations, &args.wanted.resolve(&declarations)?)?;
    let mut entities = BTreeMap::new();
    for text in &args.keys {
        let wrong = || Wrong::Key { text: text.clone() };
        let (name, value) = text.split_once('=').ok_or_else(wrong).or_fail(ExitStatus::Usage)?;
        let kind = known.iter().find(|(key, _)| key == name).map_or(KeyKind::Text, |(_, kind)| *kind);
        // What is no number stays a text, and is refused with its name.
        let value = &sources.key(name, value).or_fail_features()?;
        let value = KeyValue::read(value, kind).map_or_else(|| value.as_str().into(), |value| value.to_json());
        entities.insert(name.to_owned(), vec![value]);
    }
    let at = args.at.as_deref().map(instant).transpose()?.unwrap_or_else(|| Timestamp::now().as_microsecond());
    let request = Request {
        features: args.wanted.features.clone(),
        service: args.wanted.service.clone(),
        entities,
        at,
        is_exact: args.at.is_some(),
        full_names: args.wanted.full_names,
        is_feasts: false,
    };
    let answer = online_store(&sources)?.look_up(&request).or_fail_features()?;
    let cells = answer.features.iter().filter_map(|(name, cells)| cells.first().map(|cell| (name, cell)));
    if args.format == OutputFormat::Json {
        let line = |(name, cell): (&String, &almanac_feature_store::Cell)| {
            let value = cell.value.as_ref().map(Value::to_json);
            (name.clone(), json!({"value": value, "status": cell.status.name(), "time": cell.time.map(write_instant)}))
        };
        return ctx.printer.json(&cells.map(line).collect::<serde_json::Map<_, _>>());
    }
    let rows = cells.map(|(name, cell)| {
        let value = cell.value.as_ref().map(|value| match value.to_json() {
            serde_json::Value::String(text) => text,
            other => other.to_string(),
        });
        [name.clone(), value.unwrap_or_default(), cell.status.name().to_owned(), cell.time.map(write_instant).unwrap_or_default()]
    });
    ctx.printer.data(&table(["feature", "value", "status", "time"], &[1], rows))
}
