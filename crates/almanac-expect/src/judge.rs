//! From what was gathered to outcomes, in the words and shapes of Great Expectations.

mod rows;
mod table;

use std::collections::BTreeMap;

use arrow::datatypes::{DataType, TimeUnit};
use serde_json::{Value as Json, json};

use self::rows::{Counted, Style, lone_nulls, row_outcome, rows};
use self::table::{column_set, columns_in_order};
use crate::column::Shape;
use crate::divergence;
use crate::error::CheckError;
use crate::field::{self, FieldRule, FieldWork, Verdict};
use crate::outcome::{Outcome, ResultFormat, outcome};
use crate::rule::{Between, Class, Range, Rule, SetRelation, Stat};
use crate::run::{Plan, Scan};
use crate::suite::{Dialect, Expectation};
use crate::value::Value;
use crate::work::Task;

/// Distinct values a result lists, as in Great Expectations.
const MOST_LISTED: usize = 20;

/// Most common values a result lists: where all values are alike in number, all would be.
const MOST_MODES: usize = 10_000;
/// Distinct values that a divergence is taken over.
const MOST_WEIGHED: usize = 1_000_000;

/// The outcome of an expectation that could not be judged.
pub(crate) fn refused(expectation: &Expectation, problem: &str) -> Outcome {
    Outcome { exception: Some(problem.to_owned()), ..outcome(expectation, false, json!({}), problem.to_owned()) }
}

/// Returns whether pandas would hold the column as objects.
pub(crate) fn is_object(shape: Shape) -> bool {
    matches!(shape, Shape::Text | Shape::Date | Shape::Other)
}

pub(crate) fn judge(scan: &mut Scan<'_>, expectation: &Expectation, plan: &Plan, again: Option<usize>) -> Result<Outcome, CheckError> {
    let format = scan.options.format;
    let seen = |success: bool, observed: Json| {
        let words = words(&observed);
        Ok(outcome(expectation, success, shaped(format, json!({ "observed_value": observed })), words))
    };
    let columns = || scan.table.schema.fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
    let counted = |place: usize| match &scan.works[place].task {
        Task::Count(rows) => *rows,
        _ => 0,
    };
    match &expectation.rule {
        Rule::RowCount(range) => {
            let rows = counted(plan.works[0]);
            seen(range.holds(&Value::Int(rows as i64)).unwrap_or(false), json!(rows))
        }
        Rule::RowCountEquals(value) => seen(counted(plan.works[0]) == *value, json!(counted(plan.works[0]))),
        Rule::RowCountAs(table) => match scan.other(table) {
            Err(problem) => Ok(refused(expectation, &problem.to_string())),
            Ok(other) => seen(other.rows == counted(plan.works[0]), json!({"self": counted(plan.works[0]), "other": other.rows})),
        },
        Rule::ColumnCount(range) => {
            let count = columns().len();
            seen(range.holds(&Value::Int(count as i64)).unwrap_or(false), json!(count))
        }
        Rule::ColumnCountEquals(value) => seen(columns().len() as u64 == *value, json!(columns().len())),
        Rule::ColumnsInOrder(wanted) => Ok(columns_in_order(expectation, format, wanted, &columns())),
        Rule::ColumnSet { columns: wanted, exact } => Ok(column_set(expectation, format, wanted, &columns(), *exact)),
        Rule::Exists { column, index } => {
            let place = columns().iter().position(|name| name == column);
            let success = place.is_some_and(|place| index.is_none_or(|index| index == place as u64));
            let words = place.map_or_else(|| "there is no such column".to_owned(), |place| format!("column {place}"));
            Ok(outcome(expectation, success, json!({}), words))
        }
        Rule::NotNull(column) => {
            Ok(rows(scan, expectation, plan.works[0], Style { missing: false, lone_nulls: lone_nulls(scan, column), pair: false }))
        }
        Rule::Null(_) => Ok(rows(scan, expectation, plan.works[0], Style { missing: false, lone_nulls: false, pair: false })),
        Rule::Column { .. } | Rule::Order { .. } | Rule::Row { .. } => Ok(rows(scan, expectation, plan.works[0], Style::default())),
        Rule::Pair { .. } => Ok(rows(scan, expectation, plan.works[0], Style { pair: true, ..Style::default() })),
        Rule::ZScore { .. } | Rule::Outliers { .. } => match again {
            Some(place) => Ok(rows(scan, expectation, place, Style::default())),
            None => Ok(refused(expectation, "nothing was gathered")),
        },
        Rule::Unique { .. } => match (again, &scan.works[plan.works[0]].task) {
            (Some(place), _) => Ok(rows(scan, expectation, place, Style::default())),
            (None, Task::Keys(keys)) => {
                let counts = Counted { elements: keys.elements, judged: keys.judged, failed: 0 };
                Ok(row_outcome(scan, expectation, &counts, &[], Style::default()))
            }
            _ => Ok(refused(expectation, "nothing was gathered")),
        },
        Rule::OfType { column, classes, listed } => of_type(scan, expectation, column, classes, *listed, plan),
        Rule::TypeIs { column, name } => {
            let dtype = dtype(scan, column, plan)?;
            let wanted = name.as_str();
            let same = dtype == wanted || (wanted == "datetime64" && dtype.starts_with("datetime64["));
            let alias = matches!((wanted, dtype.as_str()), ("int", "int64") | ("float" | "double", "float64") | ("O" | "str", "object"));
            seen(same || (alias && wanted != "str"), json!(dtype))
        }
        Rule::Distinct { column, set, relation } => distinct(scan, expectation, column, set, *relation, plan.works[0]),
        Rule::MostCommon { set, ties, .. } => {
            let (mut most, mut ties_seen, mut hits) = (0, 0_u64, 0_u64);
            let mut modes = std::collections::BTreeSet::new();
            scan.each_value(plan.works[0], |value, count| {
                if count > most {
                    (most, ties_seen, hits) = (count, 0, 0);
                    modes.clear();
                }
                if count == most {
                    ties_seen += 1;
                    hits += u64::from(set.contains(&value));
                    modes.insert(value);
                    if modes.len() > MOST_MODES {
                        modes.pop_last();
                    }
                }
            })?;
            let success = if *ties { hits > 0 } else { ties_seen == 1 && hits == 1 };
            seen(success, Json::Array(modes.iter().map(Value::json).collect()))
        }
        Rule::Stat { stat, range, .. } => {
            let value = stat_value(scan, *stat, plan.works[0])?;
            if matches!(value, Value::Null) || matches!(value, Value::Float(number) if number.is_nan()) {
                return seen(false, Json::Null);
            }
            match range.holds(&value) {
                Some(holds) => seen(holds, value.json()),
                None => Ok(refused(expectation, &format!("`{}` cannot be compared with the bounds", value.text()))),
            }
        }
        Rule::Quantiles { column, quantiles, ranges, between } => {
            let dialect = scan.dialect;
            let values = scan.quantiles(plan.works[0], quantiles, *between)?;
            let close = |value: f64, bound: f64| bound.is_finite() && (value - bound).abs() <= 1e-8 + 1e-4 * bound.abs();
            let details: Vec<bool> = values
                .iter()
                .zip(ranges)
                .map(|(value, (low, high))| {
                    value.is_some_and(|value| {
                        (value >= *low && value <= *high) || (dialect != Dialect::Gx0 && (close(value, *low) || close(value, *high)))
                    })
                })
                .collect();
            let success = details.iter().all(|good| *good);
            let is_truth = scan.shape(column)? == Shape::Bool && *between == Between::Nearest;
            let shown = if is_truth {
                json!(values.iter().map(|value| value.map(|value| value != 0.0)).collect::<Vec<_>>())
            } else {
                Json::Array(values.iter().map(|value| value.map_or(Json::Null, |value| Value::Float(value).json())).collect())
            };
            let observed = json!({"quantiles": quantiles, "values": shown});
            let words = words(&json!(values));
            let result = shaped(format, json!({"observed_value": observed, "details": {"success_details": details}}));
            Ok(outcome(expectation, success, result, words))
        }
        Rule::Divergence(rule) => {
            let judged = match again.or(plan.works.first().copied()).map(|place| &scan.works[place].task) {
                Some(Task::Bins(bins)) => divergence::of_bins(rule, bins),
                Some(Task::Counts(counts)) => {
                    let total = counts.count;
                    let mut values = BTreeMap::new();
                    scan.each_value(plan.works[0], |value, count| {
                        if values.len() <= MOST_WEIGHED {
                            values.insert(value, count);
                        }
                    })?;
                    if values.len() > MOST_WEIGHED {
                        return Ok(refused(expectation, "the column has more than a million distinct values; give bins to weigh it by"));
                    }
                    divergence::of_values(rule, &values, total)
                }
                _ => return Ok(refused(expectation, "nothing was gathered")),
            };
            let words = words(&json!(judged.observed));
            let result = shaped(format, json!({"observed_value": judged.observed, "details": judged.details}));
            Ok(outcome(expectation, judged.success, result, words))
        }
        Rule::Field(rule) => of_field(scan, expectation, rule, plan, again),
        Rule::NoRows(query) => match scan.ask(query) {
            Err(problem) => Ok(refused(expectation, &problem)),
            Ok(answer) => {
                let mut result = json!({ "observed_value": answer.rows });
                // Under another name a personal value would not be known.
                if !scan.has_personal && format > ResultFormat::BooleanOnly {
                    result["details"] = json!({ "unexpected_rows": answer.json()? });
                }
                let words = if answer.rows == 0 { "no such row".to_owned() } else { format!("{} such rows", answer.rows) };
                Ok(outcome(expectation, answer.rows == 0, shaped(format, result), words))
            }
        },
        Rule::Fact(rule) => match rule.judge(&scan.options.facts, scan.table.rows, scan.taken) {
            Err(problem) => Ok(refused(expectation, &problem)),
            Ok(verdict) => {
                let result = shaped(format, json!({"observed_value": verdict.observed, "details": verdict.details}));
                Ok(outcome(expectation, verdict.success, result, verdict.words))
            }
        },
        Rule::Metric(rule) => {
            let value = match &rule.kind {
                crate::metric::Kind::Sql(query) => match scan.ask(query).and_then(|answer| answer.number()) {
                    Ok(value) => value,
                    Err(problem) => return Ok(refused(expectation, &problem)),
                },
                _ => scan.metric(rule, plan)?,
            };
            seen(rule.holds(value), Value::Float(value).json())
        }
    }
}

fn shaped(format: ResultFormat, result: Json) -> Json {
    match format {
        ResultFormat::BooleanOnly => json!({}),
        _ => result,
    }
}

fn words(observed: &Json) -> String {
    match observed {
        Json::Null => "nothing".into(),
        Json::String(text) => text.clone(),
        Json::Array(items) if items.len() > 8 => {
            format!("{}, … ({} in all)", items[..8].iter().map(words).collect::<Vec<_>>().join(", "), items.len())
        }
        Json::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(", "),
        Json::Object(cells) => cells.iter().map(|(name, cell)| format!("{name} {}", words(cell))).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

/// The name that pandas has for a column's type: a column of integers with holes is one of floats there.
fn dtype(scan: &Scan<'_>, column: &str, plan: &Plan) -> Result<String, CheckError> {
    let Task::Moments(moments) = &scan.works[plan.works[0]].task else { return Ok("object".into()) };
    let holes = moments.count < moments.elements;
    let field = scan.table.schema.field_with_name(column).map_err(|_| CheckError::NoColumn { column: column.to_owned() })?;
    Ok(match (field.data_type(), holes) {
        (DataType::Float32, _) => "float32".into(),
        (DataType::Float16, _) => "float16".into(),
        (DataType::Boolean, false) => "bool".into(),
        (DataType::Boolean | DataType::Null, _) => "object".into(),
        (DataType::Timestamp(unit, zone), _) => {
            let unit = match unit {
                TimeUnit::Second => "s",
                TimeUnit::Millisecond => "ms",
                TimeUnit::Microsecond => "us",
                TimeUnit::Nanosecond => "ns",
            };
            zone.as_ref().map_or_else(|| format!("datetime64[{unit}]"), |zone| format!("datetime64[{unit}, {zone}]"))
        }
        (DataType::UInt64, false) => "uint64".into(),
        (data, _) if data.is_decimal() => "object".into(),
        (data, holes) => match Shape::of(data) {
            Shape::Int if !holes => data.to_string().to_lowercase(),
            Shape::Int | Shape::Float => "float64".into(),
            _ => "object".into(),
        },
    })
}

fn of_type(
    scan: &mut Scan<'_>,
    expectation: &Expectation,
    column: &str,
    classes: &[Class],
    listed: bool,
    plan: &Plan,
) -> Result<Outcome, CheckError> {
    let dtype = dtype(scan, column, plan)?;
    let asks_object = !listed && classes.iter().any(|class| *class == Class::Numpy("object".into()));
    if dtype == "object"
        && !asks_object
        && let Some(place) = plan.works.get(1)
    {
        return Ok(rows(scan, expectation, *place, Style::default()));
    }
    let plain = dtype.split('[').next().unwrap_or(&dtype).to_owned();
    // pandas names times with a zone by the class of their values.
    let (plain, class) = if dtype.contains(", ") {
        ("Timestamp".to_owned(), Class::Python("Timestamp".into()))
    } else {
        (plain.clone(), Class::Numpy(plain))
    };
    let success = classes.contains(&class);
    let shown = match (plain.as_str(), scan.dialect) {
        ("bool", Dialect::Gx0) => "bool_",
        ("object", _) => "object_",
        (other, _) => other,
    };
    Ok(outcome(expectation, success, shaped(scan.options.format, json!({ "observed_value": shown })), shown.to_owned()))
}

fn distinct(
    scan: &Scan<'_>,
    expectation: &Expectation,
    column: &str,
    set: &[Value],
    relation: SetRelation,
    place: usize,
) -> Result<Outcome, CheckError> {
    // Times are given as texts.
    let is_time = matches!(scan.shape(column)?, Shape::Time(_) | Shape::Date);
    let wanted: std::collections::BTreeSet<Value> = set
        .iter()
        .filter(|value| !matches!(value, Value::Null))
        .map(|value| if is_time { value.nanos().map_or_else(|| value.clone(), Value::Time) } else { value.clone() })
        .collect();
    let mut found = std::collections::BTreeSet::new();
    let mut unexpected = std::collections::BTreeSet::new();
    let mut unexpected_count = 0_u64;
    let mut listed = BTreeMap::new();
    let old = scan.dialect == Dialect::Gx0;
    scan.each_value(place, |value, count| {
        if wanted.contains(&value) {
            found.insert(value.clone());
        } else {
            unexpected_count += 1;
            unexpected.insert(value.clone());
            if unexpected.len() > MOST_LISTED {
                unexpected.pop_last();
            }
        }
        if old && listed.len() < 1_000_000 {
            listed.insert(value, count);
        }
    })?;
    let missing: Vec<&Value> = wanted.iter().filter(|value| !found.contains(value)).collect();
    let success = match relation {
        SetRelation::In => unexpected_count == 0 || (old && wanted.is_empty()),
        SetRelation::Contains => missing.is_empty(),
        SetRelation::Equals => unexpected_count == 0 && missing.is_empty(),
    };
    let list = |values: &mut dyn Iterator<Item = &Value>| Json::Array(values.take(MOST_LISTED).map(Value::json).collect());
    let result = if old {
        let counts: Vec<Json> = listed.iter().map(|(value, count)| json!({"value": value.json(), "count": count})).collect();
        json!({"observed_value": listed.keys().map(Value::json).collect::<Vec<_>>(), "details": {"value_counts": counts}})
    } else {
        let mut result = json!({ "observed_value": null });
        if relation != SetRelation::Contains {
            result["unexpected_count"] = json!(unexpected_count);
            result["partial_unexpected_list"] = list(&mut unexpected.iter());
        }
        if relation != SetRelation::In {
            result["missing_count"] = json!(missing.len());
            result["partial_missing_list"] = list(&mut missing.iter().copied());
        }
        result
    };
    let name = |values: Vec<String>| values.join(", ");
    let mut parts = Vec::new();
    if unexpected_count > 0 && relation != SetRelation::Contains {
        parts.push(format!("{unexpected_count} values not expected: {}", name(unexpected.iter().take(5).map(Value::text).collect())));
    }
    if !missing.is_empty() && relation != SetRelation::In {
        parts.push(format!("{} values missing: {}", missing.len(), name(missing.iter().take(5).map(|value| value.text()).collect())));
    }
    let words = if parts.is_empty() { format!("{} of {} values occur", found.len(), wanted.len()) } else { parts.join("; ") };
    Ok(outcome(expectation, success, shaped(scan.options.format, result), words))
}

fn crowded(columns: &[String], budget: u64) -> String {
    format!("the keys of {} take more than {} MB; give more memory (`[run] memory_gb`) or fewer keys", columns.join(", "), budget >> 20)
}

fn stat_value(scan: &mut Scan<'_>, stat: Stat, place: usize) -> Result<Value, CheckError> {
    if matches!(stat, Stat::Distinct | Stat::DistinctShare) {
        let mut distinct = 0_i64;
        scan.each_value(place, |_, _| distinct += 1)?;
        let Task::Counts(counts) = &scan.works[place].task else { return Ok(Value::Null) };
        return Ok(match stat {
            Stat::Distinct => Value::Int(distinct),
            _ if counts.count == 0 => Value::Int(0),
            _ => Value::Float(distinct as f64 / counts.count as f64),
        });
    }
    let number = |value: Option<f64>| value.map_or(Value::Null, Value::Float);
    if stat == Stat::Median {
        return Ok(number(scan.median(place)?));
    }
    Ok(match &mut scan.works[place].task {
        Task::Moments(moments) => match stat {
            Stat::Min => moments.least(),
            Stat::Max => moments.greatest(),
            Stat::Mean => number(moments.mean()),
            Stat::Stdev => number(moments.stdev()),
            Stat::Sum => moments.sum(),
            _ if moments.elements == 0 => Value::Int(0),
            _ => Value::Float(moments.count as f64 / moments.elements as f64),
        },
        _ => Value::Null,
    })
}

fn of_field(
    scan: &mut Scan<'_>,
    expectation: &Expectation,
    rule: &FieldRule,
    plan: &Plan,
    again: Option<usize>,
) -> Result<Outcome, CheckError> {
    let format = scan.options.format;
    let say = |verdict: Verdict| {
        let result = shaped(format, json!({"observed_value": verdict.observed, "details": verdict.details}));
        Ok(outcome(expectation, verdict.success, result, verdict.words))
    };
    let share = |hits: u64, judged: u64, range: &Range| {
        let value = if judged == 0 { Value::Null } else { Value::Float(hits as f64 / judged as f64) };
        let success = !matches!(value, Value::Null) && range.holds(&value).unwrap_or(false);
        Verdict {
            success,
            observed: value.json(),
            details: json!({"rows": judged, "hits": hits}),
            words: format!("{hits} of {judged} rows"),
        }
    };
    let elements = plan.works.last().map_or(0, |place| match &scan.works[*place].task {
        Task::Count(rows) => *rows,
        _ => 0,
    });
    let work = match again.or(plan.works.first().copied()).map(|place| &scan.works[place].task) {
        Some(Task::Field(work)) => work,
        Some(Task::Moments(moments)) => {
            let FieldRule::Fresh { days, .. } = rule else { return Ok(refused(expectation, "nothing was gathered")) };
            let (Some(newest), Some(now)) = (moments.greatest().nanos(), scan.options.now) else {
                return Ok(refused(
                    expectation,
                    if scan.options.now.is_none() { "the present time was not given" } else { "no timestamp at all" },
                ));
            };
            let age = (i128::from(now) * 1000 - newest) as f64 / crate::value::NANOS_PER_DAY as f64;
            let words = format!("the newest is {} and {age:.2} days old", crate::value::time_text(newest));
            return say(Verdict {
                success: age <= *days,
                observed: json!(age),
                details: json!({"newest": crate::value::time_text(newest)}),
                words,
            });
        }
        Some(Task::Rows(_)) => return Ok(rows(scan, expectation, plan.works[0], Style::default())),
        _ => return Ok(refused(expectation, "nothing was gathered")),
    };
    if let (FieldWork::Crowded { columns, budget }, _) | (_, Some(FieldWork::Crowded { columns, budget })) = (work.as_ref(), &plan.other) {
        return Ok(refused(expectation, &crowded(columns, *budget)));
    }
    match (rule, work.as_ref(), &plan.other) {
        (FieldRule::NoGaps { .. }, FieldWork::Gaps { refused: Some(problem), .. }, _) => Ok(refused(expectation, problem)),
        (FieldRule::NoGaps { .. }, FieldWork::Gaps { series, freq, .. }, _) => say(field::gaps(series, *freq)),
        (FieldRule::Seasonal { season, strength, .. }, FieldWork::Totals { totals, .. }, _) => {
            say(field::seasonality(totals, *season, *strength))
        }
        (FieldRule::LevelShift { window, deviations, .. }, FieldWork::Totals { totals, .. }, _) => {
            say(field::level_shift(totals, *window, *deviations))
        }
        (FieldRule::ZeroShare { range, .. } | FieldRule::StockoutShare { range, .. }, FieldWork::Share { hits, judged, .. }, _) => {
            say(share(*hits, *judged, range))
        }
        (FieldRule::AddsUp { tolerance, .. }, FieldWork::Sums { sums, .. }, Some(FieldWork::Sums { sums: other, .. })) => {
            say(field::sums(sums, other, *tolerance))
        }
        (FieldRule::Joined { .. }, FieldWork::Missing { places, .. }, _) => {
            let places = places.clone();
            let counts = Counted { elements, judged: elements, failed: places.len() as u64 };
            let sample: Vec<(u64, Value)> = places.iter().take(scan.options.shown).map(|place| (*place, Value::Null)).collect();
            let mut outcome = row_outcome(scan, expectation, &counts, &sample, Style::default());
            outcome.places = places;
            Ok(outcome)
        }
        _ => Ok(refused(expectation, "nothing was gathered")),
    }
}
