//! A suite proposed from what a table holds now, each expectation with its reason.
//!
//! A proposal is a start, not a judgement: it says what holds today, with some room where tomorrow's values may go.

use serde_json::{Map, Value as Json, json};

use crate::column::Shape;
use crate::error::CheckError;
use crate::outcome::ResultFormat;
use crate::run::{Options, check};
use crate::source::Table;
use crate::suite::{Expectation, Severity, Suite};

/// Distinct values up to which a text column is taken for a category.
const CATEGORIES: i64 = 30;

/// What the columns of a history are for, where that is known: then what sales must keep to is proposed too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryColumns {
    /// When.
    pub time: String,
    /// How many.
    pub value: String,
    /// Rows in a season; 1 where there is none.
    pub season_length: usize,
    /// Columns of codes, whose size says nothing.
    pub codes: Vec<String>,
}

struct Proposal {
    suite: Suite,
}

impl Proposal {
    fn add(&mut self, kind: &str, kwargs: Json, severity: Severity, reason: String) {
        let kwargs = kwargs.as_object().cloned().unwrap_or_default();
        let meta = Map::from_iter([("reason".to_owned(), Json::String(reason))]);
        if let Ok(expectation) = Expectation::parse(kind, kwargs, severity, meta) {
            self.suite.expectations.push(expectation);
        }
    }
}

/// Proposes a suite for a table, and for a history also its seasons, its level and its share of zeros. Columns whose names begin with `_`
/// are Almanac's own and are left alone; of personal columns no value is named.
///
/// # Errors
/// If the table cannot be read.
pub fn suggest(table: &Table, name: &str, history: Option<&HistoryColumns>, options: &Options) -> Result<Suite, CheckError> {
    let columns: Vec<(String, Shape)> = table
        .schema
        .fields()
        .iter()
        .filter(|field| !field.name().starts_with('_'))
        .map(|field| (field.name().clone(), Shape::of(field.data_type())))
        .collect();
    let seen = look(table, &columns, options)?;
    let of = |column: &str, kind: &str| seen.get(&(column.to_owned(), kind.to_owned())).cloned().unwrap_or(Json::Null);
    let mut proposal = Proposal { suite: Suite { name: name.to_owned(), personal: options.personal.clone(), ..Suite::default() } };
    let names: Vec<&String> = columns.iter().map(|column| &column.0).collect();
    proposal.add(
        "expect_table_columns_to_match_set",
        json!({"column_set": names, "exact_match": false}),
        Severity::Fail,
        format!("the table has these {} columns", names.len()),
    );
    let rows = table.rows;
    if rows > 0 {
        proposal.add(
            "expect_table_row_count_to_be_between",
            json!({"min_value": rows / 2, "max_value": rows.saturating_mul(2)}),
            Severity::Fail,
            format!("{rows} rows today; half or double would be news"),
        );
    }
    for (column, shape) in &columns {
        let share = of(column, "nonnull").as_f64().unwrap_or(0.0);
        let hidden = options.personal.contains(column);
        if share >= 1.0 {
            proposal.add("expect_column_values_to_not_be_null", json!({ "column": column }), Severity::Fail, "no value is missing".into());
        } else if share > 0.5 {
            let mostly = ((share - 0.05) * 100.0).floor().max(1.0) / 100.0;
            proposal.add(
                "expect_column_values_to_not_be_null",
                json!({"column": column, "mostly": mostly}),
                Severity::Warn,
                format!("{:.1} % are there; five points of room", share * 100.0),
            );
        }
        let distinct = of(column, "distinct").as_i64().unwrap_or(0);
        if share >= 1.0 && distinct > 1 && distinct as u64 == rows && matches!(shape, Shape::Int | Shape::Text) {
            proposal.add("expect_column_values_to_be_unique", json!({ "column": column }), Severity::Fail, "no value comes twice".into());
        }
        match shape {
            Shape::Text if !hidden && distinct > 0 && distinct <= CATEGORIES && (distinct as u64) < rows / 2 => {
                let values = of(column, "values");
                proposal.add(
                    "expect_column_values_to_be_in_set",
                    json!({"column": column, "value_set": values}),
                    Severity::Warn,
                    format!("{distinct} categories; a new one is worth a look"),
                );
            }
            Shape::Int | Shape::Float if !hidden && !history.is_some_and(|history| history.codes.contains(column)) => {
                let (Some(least), Some(greatest)) = (of(column, "min").as_f64(), of(column, "max").as_f64()) else { continue };
                let room = (greatest - least) / 2.0;
                // Never below zero is a property; how far up is a habit.
                let min = if least >= 0.0 { 0.0 } else { (least - room).floor() };
                proposal.add(
                    "expect_column_values_to_be_between",
                    json!({"column": column, "min_value": min, "max_value": (greatest + room).ceil()}),
                    Severity::Quarantine,
                    format!("{least} to {greatest} today, and half of that span as room"),
                );
            }
            Shape::Time(_) | Shape::Date => {
                proposal.add(
                    "expect_column_values_to_not_be_in_the_future",
                    json!({ "column": column }),
                    Severity::Warn,
                    "times of what has happened; take it out where rows known ahead are usual".into(),
                );
            }
            _ => {}
        }
    }
    key(table, &columns, &seen, options, &mut proposal)?;
    if let Some(history) = history {
        of_history(table, history, options, &mut proposal)?;
    }
    Ok(proposal.suite)
}

type Seen = std::collections::HashMap<(String, String), Json>;

/// Looks at every column in one scan.
fn look(table: &Table, columns: &[(String, Shape)], options: &Options) -> Result<Seen, CheckError> {
    let mut suite = Suite::default();
    let mut asked = Vec::new();
    let mut ask = |column: &str, what: &str, kind: &str, extra: Json| {
        let mut kwargs = extra.as_object().cloned().unwrap_or_default();
        kwargs.insert("column".into(), json!(column));
        if let Ok(expectation) = Expectation::parse(kind, kwargs, Severity::Warn, Map::new()) {
            suite.expectations.push(expectation);
            asked.push((column.to_owned(), what.to_owned()));
        }
    };
    for (column, shape) in columns {
        ask(column, "nonnull", "expect_column_proportion_of_non_null_values_to_be_between", json!({}));
        if *shape != Shape::Other {
            ask(column, "distinct", "expect_column_unique_value_count_to_be_between", json!({}));
        }
        if *shape == Shape::Text {
            ask(column, "values", "expect_column_distinct_values_to_be_in_set", json!({"value_set": []}));
        }
        if matches!(shape, Shape::Int | Shape::Float) {
            ask(column, "min", "expect_column_min_to_be_between", json!({}));
            ask(column, "max", "expect_column_max_to_be_between", json!({}));
        }
    }
    // The older words list all values that occur.
    suite.dialect = crate::suite::Dialect::Gx0;
    let options = Options { format: ResultFormat::Summary, personal: Vec::new(), ..options.clone() };
    let validation = check(table, &suite, &options)?;
    Ok(asked.into_iter().zip(validation.outcomes).map(|(asked, outcome)| (asked, outcome.result["observed_value"].clone())).collect())
}

/// Looks for the fewest leading columns that tell rows apart together with the time.
fn key(table: &Table, columns: &[(String, Shape)], seen: &Seen, options: &Options, proposal: &mut Proposal) -> Result<(), CheckError> {
    let Some((time, _)) = columns.iter().find(|(_, shape)| matches!(shape, Shape::Time(_) | Shape::Date)) else { return Ok(()) };
    let is_whole = |column: &str| seen.get(&(column.to_owned(), "nonnull".to_owned())).and_then(Json::as_f64) == Some(1.0);
    let texts: Vec<&String> =
        columns.iter().filter(|(name, shape)| *shape == Shape::Text && is_whole(name)).map(|column| &column.0).collect();
    let mut candidates: Vec<Vec<&String>> = texts.iter().map(|text| vec![*text, time]).collect();
    for (place, first) in texts.iter().enumerate() {
        candidates.extend(texts[place + 1..].iter().map(|second| vec![*first, *second, time]));
    }
    // The first that holds is the shortest; beyond a few dozen, guessing costs more than it tells.
    candidates.truncate(24);
    let mut suite = Suite::default();
    for columns in &candidates {
        let kwargs = Map::from_iter([("column_list".to_owned(), json!(columns))]);
        if let Ok(expectation) = Expectation::parse("expect_compound_columns_to_be_unique", kwargs, Severity::Fail, Map::new()) {
            suite.expectations.push(expectation);
        }
    }
    let options = Options { format: ResultFormat::BooleanOnly, personal: Vec::new(), ..options.clone() };
    let validation = check(table, &suite, &options)?;
    if let Some(place) = validation.outcomes.iter().position(|outcome| outcome.success).filter(|_| table.rows > 1) {
        let reason = "together these tell every row apart".to_owned();
        proposal.add("expect_compound_columns_to_be_unique", json!({ "column_list": candidates[place] }), Severity::Fail, reason);
    }
    Ok(())
}

/// Proposes what sales keep to, where they do so now.
fn of_history(table: &Table, history: &HistoryColumns, options: &Options, proposal: &mut Proposal) -> Result<(), CheckError> {
    let HistoryColumns { time, value, season_length, .. } = history;
    let window = (season_length * 4).clamp(8, 60);
    let candidates = [
        (
            "expect_series_to_keep_seasonality",
            json!({"time_column": time, "value_column": value, "season_length": season_length}),
            format!("the season of {season_length} rows is as strong now as it was before"),
        ),
        (
            "expect_series_to_have_no_level_shift",
            json!({"time_column": time, "value_column": value, "window": window}),
            format!("the last {window} periods are at the level of those before"),
        ),
        ("expect_column_share_of_zeros_to_be_between", json!({ "column": value }), String::new()),
    ];
    let parse = |kind: &str, kwargs: &Json| {
        Expectation::parse(kind, kwargs.as_object().cloned().unwrap_or_default(), Severity::Warn, Map::new()).ok()
    };
    let known = candidates.into_iter().filter_map(|(kind, kwargs, reason)| Some((parse(kind, &kwargs)?, kwargs, reason)));
    let (expectations, words): (Vec<_>, Vec<_>) = known.map(|(expectation, kwargs, reason)| (expectation, (kwargs, reason))).unzip();
    let options = Options { format: ResultFormat::Summary, ..options.clone() };
    let validation = check(table, &Suite { expectations, ..Suite::default() }, &options)?;
    for (outcome, (mut kwargs, mut reason)) in validation.outcomes.into_iter().zip(words).filter(|(outcome, _)| outcome.success) {
        if outcome.kind == "expect_column_share_of_zeros_to_be_between" {
            let Some(share) = outcome.result["observed_value"].as_f64() else { continue };
            let near = |room: f64| ((share + room).clamp(0.0, 1.0) * 100.0).round() / 100.0;
            kwargs["min_value"] = json!(near(-0.1));
            kwargs["max_value"] = json!(near(0.1));
            reason = format!("{:.1} % are zeros; ten points of room on either side", share * 100.0);
        }
        proposal.add(&outcome.kind, kwargs, Severity::Warn, reason);
    }
    Ok(())
}
