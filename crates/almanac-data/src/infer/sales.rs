//! Which table holds the sales, and which of its columns are the time and the target.

use crate::ingest::{ColumnKind, nearest};
use crate::sketch::{Column, Frame};

use super::{Answers, InferProjectError, Question, Reason, names};

/// The sales table with its time and target.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) frame: usize,
    pub(crate) time: String,
    pub(crate) target: String,
}

/// From this score on a name is a target's outright.
const OUTRIGHT: usize = 100;

pub(crate) fn find(
    frames: &[Frame],
    answers: &Answers,
    reasons: &mut Vec<Reason>,
    questions: &mut Vec<Question>,
) -> Result<Found, InferProjectError> {
    for (given, flag) in [(&answers.time, "--time"), (&answers.target, "--target")] {
        if let Some(column) = given
            && !frames.iter().any(|frame| frame.column(column).is_some())
        {
            let near = nearest(column, frames.iter().flat_map(|frame| frame.columns.iter().map(|known| known.name.as_str())));
            return Err(InferProjectError::NoColumn { column: column.clone(), flag, near });
        }
    }
    let mut best: Option<(usize, u64, usize)> = None;
    for (index, frame) in frames.iter().enumerate() {
        let (times, targets) = (times(frame, answers), targets(frame, answers));
        let (Some((time, _)), Some((target, score))) =
            (times.first(), targets.iter().find(|(target, _)| times.first().is_none_or(|(time, _)| time.name != target.name)))
        else {
            continue;
        };
        debug_assert_ne!(time.name, target.name);
        let rank = (usize::from(*score >= OUTRIGHT) * 2 + usize::from(*score > 1), frame.total, index);
        if best.is_none_or(|(known, rows, _)| (rank.0, rank.1) > (known, rows)) {
            best = Some(rank);
        }
    }
    let Some((_, _, index)) = best else {
        let list = |frame: &Frame| {
            format!(
                "`{}` ({})",
                frame.name,
                frame.columns.iter().take(12).map(|column| format!("{}: {}", column.name, column.kind)).collect::<Vec<_>>().join(", ")
            )
        };
        let named = answers.target.as_ref().and_then(|name| frames.iter().find_map(|frame| frame.column(name)));
        if let Some(target) = named.filter(|target| !is_number(target)) {
            let sample = target.samples(1).into_iter().next().unwrap_or_default();
            return Err(InferProjectError::NotANumber { column: target.name.clone(), kind: target.kind, sample });
        }
        return Err(InferProjectError::NoSales { columns: frames.iter().map(list).collect::<Vec<_>>().join("; ") });
    };
    let frame = &frames[index];
    let times = times(frame, answers);
    let time = times[0].0;
    if !time.is_time() && time.kind != ColumnKind::Integer {
        let sample = time.samples(1).into_iter().next().unwrap_or_default();
        return Err(InferProjectError::NotATime { column: time.name.clone(), kind: time.kind, sample });
    }
    if time.distinct() == 1 {
        let (table, column) = (frame.name.clone(), time.name.clone());
        return Err(InferProjectError::SingleTime { table, column, time: time.samples(1).into_iter().next().unwrap_or_default() });
    }
    let targets: Vec<(&Column, usize)> = targets(frame, answers).into_iter().filter(|(target, _)| target.name != time.name).collect();
    let (target, score) = targets[0];
    if frames.len() > 1 {
        reasons.push(Reason {
            key: "sql",
            value: frame.name.clone(),
            why: format!("`{}` has a time and `{}`, with {} rows", frame.name, target.name, frame.total),
        });
    }
    let kinds = times.iter().filter(|(column, _)| column.is_time() == time.is_time()).count();
    reasons.push(Reason {
        key: "time",
        value: time.name.clone(),
        why: if answers.time.is_some() {
            "you named it".into()
        } else if kinds == 1 {
            format!("it is the only column of {}", if time.is_time() { "dates" } else { "steps" })
        } else {
            format!("of {kinds} columns of dates its name is the likeliest")
        },
    });
    if kinds > 1 && answers.time.is_none() && time.is_time() {
        let candidates = times.iter().filter(|(column, _)| column.is_time()).map(|(column, _)| column.name.clone()).collect();
        questions.push(Question {
            what: "which column is the time of a sale".into(),
            candidates,
            taken: time.name.clone(),
            flag: "--time",
        });
    }
    let rivals: Vec<String> = targets
        .iter()
        .filter(|(_, rival)| *rival >= OUTRIGHT || score < OUTRIGHT && *rival == score)
        .map(|(column, _)| column.name.clone())
        .collect();
    reasons.push(Reason {
        key: "target",
        value: target.name.clone(),
        why: if answers.target.is_some() {
            "you named it".into()
        } else if rivals.len() > 1 {
            format!("of {} columns that could be it, it is the likeliest", rivals.len())
        } else if score > 1 {
            "its name is that of a target".into()
        } else {
            "it is the only number left".into()
        },
    });
    if rivals.len() > 1 && answers.target.is_none() {
        questions.push(Question {
            what: "which column is to be forecast".into(),
            candidates: rivals,
            taken: target.name.clone(),
            flag: "--target",
        });
    }
    if time.order_is_guessed {
        questions.push(Question {
            what: format!("dates of `{}` fit two orders of day and month", time.name),
            candidates: vec!["%m/%d/%Y".into(), "%d/%m/%Y".into()],
            taken: "%m/%d/%Y".into(),
            flag: "[data.csv] date_format",
        });
    }
    Ok(Found { frame: index, time: time.name.clone(), target: target.name.clone() })
}

/// Whether a column that the user named can be a target.
fn is_number(column: &Column) -> bool {
    column.is_number() || column.kind == ColumnKind::Boolean
}

/// Columns that can be the time, the likelier first.
fn times<'a>(frame: &'a Frame, answers: &Answers) -> Vec<(&'a Column, usize)> {
    if let Some(name) = &answers.time {
        return frame.column(name).map(|column| (column, 1000)).into_iter().collect();
    }
    let score = |column: &Column| match column.kind {
        ColumnKind::Date | ColumnKind::Timestamp => 200 + names::time_score(&column.name),
        ColumnKind::Integer => names::time_score(&column.name),
        _ => 0,
    };
    let mut found: Vec<(&Column, usize)> =
        frame.columns.iter().map(|column| (column, score(column))).filter(|(column, score)| *score > 0 && column.distinct() > 0).collect();
    // A time that never passes is one only if there is no other.
    found.sort_by_key(|(column, score)| std::cmp::Reverse((column.distinct() > 1, *score)));
    if found.first().is_some_and(|(column, _)| column.distinct() > 1) {
        found.retain(|(column, _)| column.distinct() > 1);
    }
    found
}

/// Columns that can be the target, the likelier first. A number without a telling name counts only where it is the only one.
fn targets<'a>(frame: &'a Frame, answers: &Answers) -> Vec<(&'a Column, usize)> {
    if let Some(name) = &answers.target {
        return frame.column(name).filter(|column| is_number(column)).map(|column| (column, 1000)).into_iter().collect();
    }
    let has_numbers = |column: &&Column| column.is_number() && column.nulls() < frame.rows;
    let mut found: Vec<(&Column, usize)> = frame
        .columns
        .iter()
        .filter(has_numbers)
        .map(|column| (column, names::target_score(&column.name)))
        .filter(|(_, score)| *score > 0)
        .collect();
    if found.is_empty() {
        let is_free = |column: &&Column| {
            has_numbers(column) && !names::is_id(&column.name) && !names::is_date_part(&column.name) && names::time_score(&column.name) == 0
        };
        let free: Vec<&Column> = frame.columns.iter().filter(is_free).collect();
        found.extend(free.iter().take(8).map(|column| (*column, 1)));
    }
    found.sort_by_key(|(_, score)| std::cmp::Reverse(*score));
    found
}
