//! Sums tokens and costs over the spans of a trace.
//!
//! A span that says what it used speaks for those below it, because libraries write sums on parents too.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Number, Value};

/// What is summed: `always` is written also where it is 0, `also` only where a span has it.
pub(super) struct Names {
    pub(super) always: &'static [&'static str],
    pub(super) also: &'static [&'static str],
    pub(super) is_whole: bool,
}

pub(super) const TOKENS: Names = Names {
    always: &["input_tokens", "output_tokens", "total_tokens"],
    also: &["cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation_input_tokens_above_1hr"],
    is_whole: true,
};
pub(super) const COSTS: Names = Names { always: &["input_cost", "output_cost", "total_cost"], also: &[], is_whole: false };

/// A span in the tree.
pub(super) struct Node {
    pub(super) id: String,
    pub(super) parent: Option<String>,
    pub(super) used: Option<Map<String, Value>>,
}

/// Returns the sums as JSON; `None` if no span used anything.
pub(super) fn sum(nodes: &[Node], names: &Names) -> Option<String> {
    let ids: HashSet<&str> = nodes.iter().map(|node| node.id.as_str()).collect();
    let mut below: HashMap<&str, Vec<&Node>> = HashMap::new();
    let mut open: Vec<&Node> = Vec::new();
    for node in nodes {
        match node.parent.as_deref().filter(|parent| ids.contains(parent)) {
            Some(parent) => below.entry(parent).or_default().push(node),
            None => open.push(node),
        }
    }
    let mut totals: Map<String, Value> = Map::new();
    while let Some(node) = open.pop() {
        if let Some(used) = node.used.as_ref().filter(|used| !used.is_empty()) {
            add(&mut totals, used, names);
        } else {
            open.extend(below.get(node.id.as_str()).into_iter().flatten());
        }
    }
    if totals.is_empty() { None } else { Some(Value::Object(totals).to_string()) }
}

fn add(totals: &mut Map<String, Value>, used: &Map<String, Value>, names: &Names) {
    for (place, name) in names.always.iter().chain(names.also).enumerate() {
        let more = used.get(*name).filter(|value| value.is_number());
        if more.is_none() && place >= names.always.len() {
            continue;
        }
        let known = totals.get(*name);
        let total = if names.is_whole {
            let whole = |value: Option<&Value>| value.and_then(Value::as_i64).unwrap_or(0);
            Some(Number::from(whole(known).saturating_add(whole(more))))
        } else {
            let real = |value: Option<&Value>| value.and_then(Value::as_f64).unwrap_or(0.0);
            Number::from_f64(real(known) + real(more))
        };
        if let Some(total) = total {
            totals.insert((*name).to_owned(), Value::Number(total));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(id: &str, parent: Option<&str>, used: &str) -> Node {
        Node { id: id.into(), parent: parent.map(str::to_owned), used: serde_json::from_str(used).ok() }
    }

    #[test]
    fn a_parent_with_a_sum_speaks_for_its_children() {
        let child = r#"{"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}"#;
        let nodes =
            [node("root", None, "null"), node("a", Some("root"), child), node("b", Some("a"), child), node("c", Some("root"), child)];
        assert_eq!(sum(&nodes, &TOKENS).as_deref(), Some(r#"{"input_tokens":6,"output_tokens":8,"total_tokens":14}"#));
    }

    #[test]
    fn without_usage_there_is_no_sum_and_orphans_count() {
        assert_eq!(sum(&[node("a", None, "null")], &TOKENS), None);
        let cost = r#"{"input_cost": 0.5, "total_cost": 0.5}"#;
        let total = sum(&[node("a", Some("elsewhere"), cost)], &COSTS);
        assert_eq!(total.as_deref(), Some(r#"{"input_cost":0.5,"output_cost":0.0,"total_cost":0.5}"#));
    }
}
