//! What a table cannot tell of itself: rows that were refused before it came to be, its size in the run before, what its writer counted.
//!
//! The caller gives these facts; expectations judge them beside everything else. A fact that was not given fails.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use crate::args::Args;
use crate::field::Verdict;
use crate::rule::{Range, range};
use crate::value::Value;

/// What is known of a table beyond its rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts {
    /// Rows that were refused before the table came to be.
    pub refused: Option<Refused>,
    /// Rows to be compared with the run before, where these are not all rows of the table.
    pub rows: Option<u64>,
    /// The table in the run before.
    pub previous: Previous,
    /// What was counted while the table was written, by name.
    pub counted: BTreeMap<String, u64>,
}

/// Rows that did not come into a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refused {
    /// Rows refused.
    pub rows: u64,
    /// Rows offered, those among them.
    pub offered: u64,
    /// `rows` by reason, as far as reasons are known.
    pub reasons: BTreeMap<String, u64>,
}

/// The size of a table in the run before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Previous {
    /// Nobody knows.
    #[default]
    Unknown,
    /// There was no run before.
    First,
    /// Its rows.
    Rows(u64),
}

/// An expectation about a fact.
#[derive(Debug, Clone)]
pub(crate) enum FactRule {
    RefusedShare(Range),
    RowChange(Range),
    Counted { name: String, range: Range },
}

impl FactRule {
    /// Reads an expectation about a fact, or `None` if the name is not one.
    pub(crate) fn take(name: &str, args: &mut Args) -> Result<Option<Self>, String> {
        Ok(Some(match name {
            "table_quarantined_share_to_be_between" => Self::RefusedShare(range(args)?),
            "table_row_count_change_to_be_between" => Self::RowChange(range(args)?),
            "table_counter_to_be_between" => Self::Counted { name: args.text("counter")?, range: range(args)? },
            _ => return Ok(None),
        }))
    }

    /// Judges what is known of a table of `rows` rows, of which `taken` are to be taken out.
    ///
    /// # Errors
    /// One sentence, if the fact was not given.
    pub(crate) fn judge(&self, facts: &Facts, rows: u64, taken: u64) -> Result<Verdict, String> {
        let rows = facts.rows.unwrap_or(rows);
        let verdict = |range: &Range, value: Value, words: String, details: Json| Verdict {
            success: range.holds(&value).unwrap_or(false),
            observed: value.json(),
            details,
            words,
        };
        match self {
            Self::RefusedShare(range) => {
                let refused = facts.refused.as_ref().ok_or("how many rows were refused is known to a run only")?;
                let part = refused.rows + taken;
                let share = share(part, refused.offered);
                let mut reasons = refused.reasons.clone();
                if taken > 0 {
                    reasons.insert("failed an expectation".into(), taken);
                }
                let words = format!("{part} of {} rows ({}){}", refused.offered, percent(share), listed(&reasons));
                let reasons: Map<String, Json> = reasons.into_iter().map(|(reason, rows)| (reason, json!(rows))).collect();
                Ok(verdict(range, Value::Float(share), words, json!({"rows": part, "offered": refused.offered, "reasons": reasons})))
            }
            Self::RowChange(range) => match facts.previous {
                Previous::Unknown => Err("how many rows there were before is known to a run only".into()),
                Previous::First => Ok(Verdict {
                    success: true,
                    observed: Json::Null,
                    details: json!({"rows": rows}),
                    words: format!("{rows} rows, no run before"),
                }),
                Previous::Rows(previous) => {
                    let change = if previous == 0 { 0.0 } else { rows as f64 / previous as f64 - 1.0 };
                    let words = format!("{rows} rows after {previous}");
                    Ok(verdict(range, Value::Float(change), words, json!({"rows": rows, "previous": previous})))
                }
            },
            Self::Counted { name, range } => {
                let count = facts.counted.get(name).ok_or_else(|| format!("nothing was counted as `{name}`"))?;
                let words = format!("{count} {}", name.replace('_', " "));
                Ok(verdict(range, Value::Int(i64::try_from(*count).unwrap_or(i64::MAX)), words, json!({})))
            }
        }
    }
}

fn listed(reasons: &BTreeMap<String, u64>) -> String {
    let parts: Vec<String> = reasons.iter().map(|(reason, rows)| format!("{reason}: {rows}")).collect();
    if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn percent(share: f64) -> String {
    // Six digits are enough to tell one row in a million.
    format!("{} %", (share * 1e8).round() / 1e6)
}
