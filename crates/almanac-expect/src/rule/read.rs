//! How a rule is read: the name of an expectation and its arguments.

use std::collections::HashSet;

use serde_json::{Map, Value as Json};

use super::{Ignore, PairTest, Range, RowTest, Rule, SetRelation, Stat, Test};
use crate::args::Args;
use crate::classes::classes;
use crate::facts::FactRule;
use crate::field::FieldRule;
use crate::json_schema::JsonSchema;
use crate::metric::Metric;
use crate::names::unknown;
use crate::pattern::Pattern;
use crate::shape::{divergence, quantiles};
use crate::strptime::Strptime;
use crate::value::Value;

impl Rule {
    pub(crate) fn parse(kind: &str, arguments: Map<String, Json>) -> Result<Self, String> {
        let mut args = Args::of(arguments)?;
        let rule = Self::take(kind, &mut args)?;
        args.end()?;
        Ok(rule)
    }

    fn take(kind: &str, args: &mut Args) -> Result<Self, String> {
        let name = kind.strip_prefix("expect_").unwrap_or(kind);
        if let Some(rule) = FieldRule::take(name, args)? {
            return Ok(Self::Field(rule));
        }
        if let Some(rule) = FactRule::take(name, args)? {
            return Ok(Self::Fact(rule));
        }
        if let Some(rest) = name.strip_prefix("column_values_") {
            return values(rest, args);
        }
        Ok(match name {
            "metric_to_be" => Self::Metric(Metric::take(args)?),
            "table_row_count_to_be_between" => Self::RowCount(range(args)?),
            "table_row_count_to_equal" => Self::RowCountEquals(args.count("value")?),
            "table_row_count_to_equal_other_table" => Self::RowCountAs(args.text("other_table_name")?),
            "table_column_count_to_be_between" => Self::ColumnCount(range(args)?),
            "table_column_count_to_equal" => Self::ColumnCountEquals(args.count("value")?),
            "table_columns_to_match_ordered_list" => Self::ColumnsInOrder(args.texts("column_list")?),
            "table_columns_to_match_set" => {
                Self::ColumnSet { columns: args.maybe_texts("column_set")?.unwrap_or_default(), exact: args.flag("exact_match", true)? }
            }
            "column_to_exist" => Self::Exists { column: args.text("column")?, index: args.maybe_count("column_index")? },
            "column_type_to_be" => Self::TypeIs { column: args.text("column")?, name: args.text("type_")? },
            "column_value_lengths_to_equal" => {
                let length = args.value("value")?.ok_or("`value` is missing")?;
                let range = Range { min: Some(length.clone()), max: Some(length), ..Range::default() };
                Self::Column { column: args.text("column")?, test: Test::Length(range) }
            }
            "column_value_lengths_to_be_between" => {
                let range = range(args)?;
                if range.min.is_none() && range.max.is_none() {
                    return Err("`min_value` and `max_value` cannot both be absent".into());
                }
                Self::Column { column: args.text("column")?, test: Test::Length(range) }
            }
            "column_value_z_scores_to_be_less_than" => {
                Self::ZScore { column: args.text("column")?, threshold: args.number("threshold")?, both: args.flag("double_sided", false)? }
            }
            "column_distinct_values_to_be_in_set" => distinct(args, SetRelation::In)?,
            "column_distinct_values_to_contain_set" => distinct(args, SetRelation::Contains)?,
            "column_distinct_values_to_equal_set" => distinct(args, SetRelation::Equals)?,
            "column_most_common_value_to_be_in_set" => Self::MostCommon {
                column: args.text("column")?,
                set: args.values("value_set")?.unwrap_or_default(),
                ties: args.flag("ties_okay", false)?,
            },
            "column_unique_value_count_to_be_between" => stat(args, Stat::Distinct)?,
            "column_proportion_of_unique_values_to_be_between" => stat(args, Stat::DistinctShare)?,
            "column_proportion_of_non_null_values_to_be_between" => stat(args, Stat::NonNullShare)?,
            "column_min_to_be_between" => stat(args, Stat::Min)?,
            "column_max_to_be_between" => stat(args, Stat::Max)?,
            "column_mean_to_be_between" => stat(args, Stat::Mean)?,
            "column_median_to_be_between" => stat(args, Stat::Median)?,
            "column_stdev_to_be_between" => stat(args, Stat::Stdev)?,
            "column_sum_to_be_between" => stat(args, Stat::Sum)?,
            "column_quantile_values_to_be_between" => quantiles(args)?,
            "column_kl_divergence_to_be_less_than" => Self::Divergence(divergence(args)?),
            "column_pair_values_to_be_equal" => pair(args, PairTest::Equal)?,
            "column_pair_values_a_to_be_greater_than_b" => {
                let or_equal = args.flag("or_equal", false)?;
                pair(args, PairTest::Greater { or_equal })?
            }
            "column_pair_values_to_be_in_set" => {
                let test = PairTest::InSet(pairs(args.json("value_pairs_set"))?);
                pair(args, test)?
            }
            "compound_columns_to_be_unique" => {
                let (columns, ignore) = several(args)?;
                Self::Unique { columns, ignore, compound: true }
            }
            "multicolumn_sum_to_equal" => {
                let sum = args.number("sum_total")?;
                let (columns, ignore) = several(args)?;
                Self::Row { columns, test: RowTest::Sum(sum), ignore }
            }
            "multicolumn_values_to_be_equal" => {
                let (columns, ignore) = several(args)?;
                Self::Row { columns, test: RowTest::Equal, ignore }
            }
            "multicolumn_values_to_be_unique" | "select_column_values_to_be_unique_within_record" => {
                let (columns, ignore) = several(args)?;
                Self::Row { columns, test: RowTest::Distinct, ignore }
            }
            "column_bootstrapped_ks_test_p_value_to_be_greater_than"
            | "column_chisquare_test_p_value_to_be_greater_than"
            | "column_parameterized_distribution_ks_test_p_value_to_be_greater_than"
            | "column_pair_cramers_phi_value_to_be_less_than" => {
                return Err("Great Expectations only keeps its name and cannot judge it, and neither is it known here".into());
            }
            "query_results_to_match_comparison" => {
                return Err("it compares by SQL of another database, which is not available to a check".into());
            }
            "unexpected_rows_expectation" | "unexpected_rows" => {
                Self::NoRows(crate::sql::filled(&args.text("unexpected_rows_query")?, None))
            }
            _ => return Err(unknown(kind)),
        })
    }
}

fn values(rest: &str, args: &mut Args) -> Result<Rule, String> {
    let column = args.text("column")?;
    let test = match rest {
        "to_not_be_null" => return Ok(Rule::NotNull(column)),
        "to_be_null" => return Ok(Rule::Null(column)),
        "to_be_unique" => return Ok(Rule::Unique { columns: vec![column], ignore: Ignore::AllMissing, compound: false }),
        "to_be_increasing" | "to_be_decreasing" => {
            return Ok(Rule::Order { column, rising: rest == "to_be_increasing", strict: args.flag("strictly", false)? });
        }
        "to_be_of_type" => {
            let classes = classes(&[args.text("type_")?])?;
            return Ok(Rule::OfType { column, classes, listed: false });
        }
        "to_be_in_type_list" => {
            let classes = classes(&args.texts("type_list")?)?;
            return Ok(Rule::OfType { column, classes, listed: true });
        }
        "to_not_be_outliers" => {
            let iqr = match args.maybe_text("method")?.as_deref() {
                None | Some("iqr") => true,
                Some("std") => false,
                Some(other) => return Err(format!("`method` is iqr or std, not {other}")),
            };
            return Ok(Rule::Outliers { column, iqr, multiplier: args.maybe_number("multiplier")?.unwrap_or(1.5) });
        }
        "to_be_between" => {
            let range = range(args)?;
            match (&range.min, &range.max) {
                (None, None) => return Err("`min_value` and `max_value` cannot both be absent".into()),
                (Some(min), Some(max)) if min.compare(max).is_some_and(std::cmp::Ordering::is_gt) => {
                    return Err("`min_value` cannot be greater than `max_value`".into());
                }
                _ => Test::Between(range),
            }
        }
        "to_be_in_set" | "to_not_be_in_set" => match args.values("value_set")? {
            None => Test::Anything,
            Some(values) => {
                let set = values.into_iter().filter(|value| !matches!(value, Value::Null)).collect();
                Test::InSet { set, negated: rest == "to_not_be_in_set" }
            }
        },
        "to_match_regex" | "to_not_match_regex" => {
            Test::Regex { patterns: vec![Pattern::python(&args.text("regex")?)?], all: false, negated: rest.starts_with("to_not") }
        }
        "to_match_regex_list" | "to_not_match_regex_list" => Test::Regex {
            patterns: args.texts("regex_list")?.iter().map(|pattern| Pattern::python(pattern)).collect::<Result<_, _>>()?,
            all: match_all(args)?,
            negated: rest.starts_with("to_not"),
        },
        "to_match_like_pattern" | "to_not_match_like_pattern" => {
            Test::Regex { patterns: vec![Pattern::like(&args.text("like_pattern")?)?], all: false, negated: rest.starts_with("to_not") }
        }
        "to_match_like_pattern_list" | "to_not_match_like_pattern_list" => Test::Regex {
            patterns: args.texts("like_pattern_list")?.iter().map(|pattern| Pattern::like(pattern)).collect::<Result<_, _>>()?,
            all: match_all(args)?,
            negated: rest.starts_with("to_not"),
        },
        "to_match_strftime_format" => Test::Strptime(Strptime::new(&args.text("strftime_format")?)?),
        "to_be_dateutil_parseable" => Test::DateParseable,
        "to_be_json_parseable" => Test::Json,
        "to_match_json_schema" => {
            let schema = args.json("json_schema").ok_or("`json_schema` is missing")?;
            Test::JsonSchema(Box::new(JsonSchema::new(&schema)?))
        }
        _ => return Err(unknown(&format!("expect_column_values_{rest}"))),
    };
    Ok(Rule::Column { column, test })
}

fn match_all(args: &mut Args) -> Result<bool, String> {
    match args.maybe_text("match_on")?.as_deref() {
        None | Some("any") => Ok(false),
        Some("all") => Ok(true),
        Some(other) => Err(format!("`match_on` is any or all, not {other}")),
    }
}

pub(crate) fn range(args: &mut Args) -> Result<Range, String> {
    let range = Range {
        min: args.value("min_value")?,
        max: args.value("max_value")?,
        strict_min: args.flag("strict_min", false)?,
        strict_max: args.flag("strict_max", false)?,
    };
    Ok(range)
}

fn stat(args: &mut Args, stat: Stat) -> Result<Rule, String> {
    Ok(Rule::Stat { column: args.text("column")?, stat, range: range(args)? })
}

fn distinct(args: &mut Args, relation: SetRelation) -> Result<Rule, String> {
    Ok(Rule::Distinct { column: args.text("column")?, set: args.values("value_set")?.unwrap_or_default(), relation })
}

fn pair(args: &mut Args, test: PairTest) -> Result<Rule, String> {
    let ignore = match args.maybe_text("ignore_row_if")?.as_deref() {
        None | Some("both_values_are_missing") => Ignore::AllMissing,
        Some("either_value_is_missing") => Ignore::AnyMissing,
        Some("neither") => Ignore::Never,
        Some(other) => return Err(format!("`ignore_row_if` is both_values_are_missing, either_value_is_missing or neither, not {other}")),
    };
    Ok(Rule::Pair { a: args.text("column_A")?, b: args.text("column_B")?, test, ignore })
}

fn pairs(json: Option<Json>) -> Result<Option<HashSet<(Value, Value)>>, String> {
    let Some(json) = json else { return Ok(None) };
    let refuse = || "`value_pairs_set` is a list of pairs".to_owned();
    let mut set = HashSet::new();
    for item in json.as_array().ok_or_else(refuse)? {
        let Some([a, b]) = item.as_array().map(Vec::as_slice) else { return Err(refuse()) };
        set.insert((Value::of_json(a).ok_or_else(refuse)?, Value::of_json(b).ok_or_else(refuse)?));
    }
    Ok(Some(set))
}

fn several(args: &mut Args) -> Result<(Vec<String>, Ignore), String> {
    let ignore = match args.maybe_text("ignore_row_if")?.as_deref() {
        None | Some("all_values_are_missing") => Ignore::AllMissing,
        Some("any_value_is_missing") => Ignore::AnyMissing,
        Some("never") => Ignore::Never,
        Some(other) => return Err(format!("`ignore_row_if` is all_values_are_missing, any_value_is_missing or never, not {other}")),
    };
    let columns = args.texts("column_list")?;
    if columns.is_empty() {
        return Err("`column_list` is empty".into());
    }
    Ok((columns, ignore))
}
