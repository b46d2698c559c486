//! Arguments that are shapes of their own: quantiles with their ranges, partitions of a column.

use serde_json::Value as Json;

use crate::args::{Args, numbers};
use crate::rule::{Between, Divergence, Partition, Rule};
use crate::value::Value;

pub(crate) fn quantiles(args: &mut Args) -> Result<Rule, String> {
    let column = args.text("column")?;
    let given = args.json("quantile_ranges").ok_or("`quantile_ranges` is missing")?;
    let quantiles = numbers(given.get("quantiles").unwrap_or(&Json::Null), "quantiles")?;
    if let Some(wrong) = quantiles.iter().find(|quantile| !(0.0..=1.0).contains(*quantile)) {
        return Err(format!("a quantile lies between 0 and 1, not at {wrong}"));
    }
    let refuse = || "`value_ranges` is a list of pairs, one for each quantile".to_owned();
    let mut ranges = Vec::new();
    for pair in given.get("value_ranges").and_then(Json::as_array).ok_or_else(refuse)? {
        let Some([low, high]) = pair.as_array().map(Vec::as_slice) else { return Err(refuse()) };
        let bound = |json: &Json, open: f64| if json.is_null() { Ok(open) } else { json.as_f64().ok_or_else(refuse) };
        ranges.push((bound(low, f64::NEG_INFINITY)?, bound(high, f64::INFINITY)?));
    }
    if ranges.len() != quantiles.len() {
        return Err(refuse());
    }
    let between = match args.json("allow_relative_error") {
        None | Some(Json::Bool(false)) => Between::Nearest,
        Some(Json::String(name)) => match name.as_str() {
            "linear" => Between::Linear,
            "lower" => Between::Lower,
            "higher" => Between::Higher,
            "midpoint" => Between::Midpoint,
            "nearest" => Between::Nearest,
            other => return Err(format!("`allow_relative_error` is linear, lower, higher, midpoint or nearest, not {other}")),
        },
        Some(other) => return Err(format!("`allow_relative_error` is linear, lower, higher, midpoint or nearest, not {other}")),
    };
    Ok(Rule::Quantiles { column, quantiles, ranges, between })
}

pub(crate) fn divergence(args: &mut Args) -> Result<Divergence, String> {
    for name in ["min_value", "max_value"] {
        if args.value(name)?.is_some() {
            return Err(format!("`{name}` is not honoured by Great Expectations for this expectation; use `threshold`"));
        }
    }
    let given = args.json("partition_object");
    let divergence = Divergence {
        column: args.text("column")?,
        partition: given.map(|json| partition(&json)).transpose()?,
        threshold: args.maybe_number("threshold")?,
        tail: args.maybe_number("tail_weight_holdout")?.unwrap_or(0.0),
        internal: args.maybe_number("internal_weight_holdout")?.unwrap_or(0.0),
        bucketize: args.flag("bucketize_data", true)?,
    };
    for (name, share) in [("tail_weight_holdout", divergence.tail), ("internal_weight_holdout", divergence.internal)] {
        if !(0.0..=1.0).contains(&share) {
            return Err(format!("`{name}` lies between zero and one"));
        }
    }
    if divergence.threshold.is_some_and(|threshold| threshold < 0.0) {
        return Err("`threshold` is zero or more".into());
    }
    match &divergence.partition {
        Some(Partition::Values(..)) if divergence.internal > 0.0 => Err("`internal_weight_holdout` cannot be used with values".into()),
        Some(Partition::Bins { tails: Some(_), .. }) if divergence.tail > 0.0 => {
            Err("`tail_weight_holdout` must be 0 where the partition has `tail_weights`".into())
        }
        Some(Partition::Bins { .. }) if !divergence.bucketize => Err("bins need `bucketize_data`".into()),
        _ => Ok(divergence),
    }
}

fn partition(json: &Json) -> Result<Partition, String> {
    let weights = numbers(json.get("weights").unwrap_or(&Json::Null), "weights")?;
    let total: f64 = weights.iter().sum();
    let near_one = |total: f64| (total - 1.0).abs() <= 1e-5 + 1e-8;
    if let Some(values) = json.get("values").and_then(Json::as_array) {
        let values: Option<Vec<Value>> = values.iter().map(Value::of_json).collect();
        let values = values.ok_or("`values` of a partition are single values")?;
        if values.len() != weights.len() || !near_one(total) {
            return Err("a partition has one weight for each value, and they add up to 1".into());
        }
        return Ok(Partition::Values(values, weights));
    }
    let bins = numbers(json.get("bins").unwrap_or(&Json::Null), "bins")?;
    let tails = match json.get("tail_weights") {
        None | Some(Json::Null) => None,
        Some(tails) => {
            Some(<[f64; 2]>::try_from(numbers(tails, "tail_weights")?).map_err(|_| "`tail_weights` are two numbers".to_owned())?)
        }
    };
    let total = total + tails.map_or(0.0, |tails| tails[0] + tails[1]);
    if bins.len() != weights.len() + 1 || bins.windows(2).any(|pair| pair[0] >= pair[1]) || !near_one(total) {
        return Err("a partition has rising bins, one weight between each two, and weights that add up to 1".into());
    }
    let open = [bins[0] == f64::NEG_INFINITY, bins[bins.len() - 1] == f64::INFINITY];
    if tails.is_some() && (open[0] || open[1]) {
        return Err("there can be no tail weights where bins end at infinity".into());
    }
    if bins.len() < 4 && open[0] && open[1] {
        return Err("bins that are open at both ends need a bin between them".into());
    }
    Ok(Partition::Bins { bins, weights, tails })
}
