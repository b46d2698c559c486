//! Asks the data layer what the columns of a source mean, and brings its answer into the form that the file is written from.

use std::path::{Path, PathBuf};

use almanac_config::{InitAnswers, InitReason, InitTable};
use almanac_data::{Answers, Inference, infer_project};
use almanac_features::Country;
use almanac_series::{Horizon, SeasonLength};

use super::folds;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{Failure, OrFail};

/// What the user has said; the rest is inferred.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) time: Option<String>,
    pub(super) target: Option<String>,
    /// Empty: not said.
    pub(super) id: Vec<String>,
    pub(super) freq: Option<String>,
    pub(super) horizon: Option<Horizon>,
    pub(super) season_length: Option<SeasonLength>,
}

/// Infers the roles of the columns of the sources.
pub(super) fn infer(ctx: &Context, sources: &[PathBuf], known: &Known) -> Result<InitAnswers, Failure> {
    let answers = Answers {
        time: known.time.clone(),
        target: known.target.clone(),
        id: (!known.id.is_empty()).then(|| known.id.clone()),
        freq: known.freq.clone(),
        horizon: known.horizon.map(Horizon::steps),
    };
    let inferred = infer_project(sources, &answers).or_fail(ExitStatus::DataInput)?;
    Ok(answers_of(ctx.folder(), inferred, known.season_length))
}

fn answers_of(project: &Path, inferred: Inference, season_length: Option<SeasonLength>) -> InitAnswers {
    let tables = inferred
        .tables
        .iter()
        .map(|table| InitTable { name: table.name.clone(), patterns: table.paths.iter().map(|path| pattern(project, path)).collect() });
    let questions = inferred.questions.iter().map(|question| {
        format!("{}: took `{}` of {} (`{}` says otherwise)", question.what, question.taken, question.candidates.join(", "), question.flag)
    });
    let season = season_length.unwrap_or_else(|| inferred.freq.season_length()).steps();
    let layout = match inferred.horizon {
        Some(asked) => folds::with_horizon(inferred.periods, season, asked),
        None => folds::up_to_horizon(inferred.periods, season, usual_horizon(inferred.freq)),
    };
    let country = inferred.country.and_then(|(column, text)| Some((Country::find(&text).ok()?.code, column, text)));
    let reason = |reason: almanac_data::Reason| InitReason { key: reason.key.to_owned(), value: reason.value, why: reason.why };
    let (mut reasons, mut unused) = (Vec::new(), Vec::new());
    for found in inferred.reasons {
        if matches!(found.key, "unused" | "tables") { unused.push(reason(found)) } else { reasons.push(reason(found)) }
    }
    reasons.extend(layout.reasons);
    let is_alone = inferred.tables.len() == 1;
    let mut personal = Vec::new();
    for found in inferred.personal {
        let name = if is_alone { found.column } else { format!("{}.{}", found.table, found.column) };
        reasons.push(InitReason { key: format!("privacy.personal.{name}"), value: name.clone(), why: found.why });
        personal.push(name);
    }
    if let Some((code, column, text)) = &country {
        let why = format!("`{column}` is `{text}` in every row");
        reasons.push(InitReason { key: "data.country".into(), value: code.clone(), why });
    }
    let questions = questions.chain(inferred.warnings).chain(layout.doubt).collect();
    InitAnswers {
        tables: tables.collect(),
        sql: inferred.sql,
        future_sql: inferred.future_sql,
        id: inferred.id,
        time: inferred.time,
        target: inferred.target,
        freq: Some(inferred.freq.to_string()),
        hierarchy: inferred.hierarchy,
        static_columns: inferred.static_columns,
        historic: inferred.historic,
        future: inferred.future,
        in_stock: inferred.in_stock,
        price: inferred.price,
        gaps: Some(inferred.gaps.to_owned()),
        duplicates: Some(inferred.duplicates.to_owned()),
        negatives: Some(inferred.negatives.to_owned()),
        delimiter: inferred.csv.delimiter,
        encoding: inferred.csv.encoding,
        decimal: inferred.csv.decimal,
        date_format: inferred.csv.date_formats.unwrap_or_default(),
        null_values: inferred.csv.null_values.unwrap_or_default(),
        country: country.map(|(code, ..)| code),
        personal,
        horizon: Some(layout.horizon),
        season_length: season_length.map(SeasonLength::steps),
        folds: layout.folds,
        fold_stride: layout.stride,
        min_folds: layout.folds,
        reasons,
        unused,
        questions,
        ..InitAnswers::default()
    }
}

fn usual_horizon(freq: almanac_series::Freq) -> usize {
    let defaults = almanac_config::Settings::from_text(
        Path::new("."),
        "[data]\nsource = \"x\"\nid = []\ntime = \"t\"\ntarget = \"y\"\n",
        &almanac_config::Overrides::default(),
        &almanac_config::Overrides::default(),
    );
    defaults.map_or(12, |settings| settings.forecast.horizon_at(freq).steps())
}

/// Returns a path as the project's file names it: relative where it lies below the project, absolute elsewhere.
fn pattern(project: &Path, path: &Path) -> String {
    let absolute = |path: &Path| std::fs::canonicalize(path).or_else(|_| std::path::absolute(path)).unwrap_or_else(|_| path.to_owned());
    let (project, path): (PathBuf, PathBuf) = (absolute(project), absolute(path));
    path.strip_prefix(&project).unwrap_or(&path).to_string_lossy().into_owned()
}
