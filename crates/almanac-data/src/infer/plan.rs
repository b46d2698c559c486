//! The steps of inference put together, and their results written as SQL and lists of columns.

use std::collections::{BTreeMap, BTreeSet};

use almanac_series::Freq;

use crate::ingest::{ColumnKind, CsvOptions, nearest};
use crate::sketch::{Column, Frame, Values};

use super::joins::{self, Sales};
use super::roles::Role;
use super::scene::Scene;
use super::spacing::{self, SeriesRows};
use super::{Answers, InferProjectError, Inference, InferredTable, Question, Reason, hierarchy, keys, names, sales, sql};

pub(crate) fn infer(frames: &[Frame], answers: &Answers) -> Result<Inference, InferProjectError> {
    let (mut reasons, mut questions) = (Vec::new(), Vec::new());
    let found = sales::find(frames, answers, &mut reasons, &mut questions)?;
    let frame = &frames[found.frame];
    let column = |name: &str| frame.column(name).expect("the name was taken from the columns of this frame");
    let (time, target) = (column(&found.time), column(&found.target));
    let id = series_key(frame, time, &found.target, answers, &mut reasons, &mut questions)?;
    let id_columns: Vec<&Column> = id.iter().map(|name| column(name)).collect();
    let series = SeriesRows::new(frame, &id_columns);
    let freq = frequency(frame, time, &series, answers, &mut reasons, &mut questions)?;
    if frame.rows < frame.total as usize {
        reasons.push(Reason {
            key: "source",
            value: frame.name.clone(),
            why: format!("the first {} of {} rows were looked at", frame.rows, frame.total),
        });
    }

    let at = Sales { frame: found.frame, id: &id, time: &found.time, target: &found.target };
    let joins = joins::find(frames, at);
    for (index, why) in &joins.left_out {
        reasons.push(Reason {
            key: "tables",
            value: frames[*index].name.clone(),
            why: format!("`{}` is left out: {why}", frames[*index].name),
        });
    }
    let scene = Scene { frames, sales: at, series: &series, freq, ahead: joins.ahead, joined: &joins.joined };
    let mut chosen = scene.columns_of_sales();
    scene.columns_of_joins(&mut chosen, &mut reasons);
    scene.parts_of_id(&mut chosen);

    let list = |wanted: fn(&Role) -> bool| {
        chosen.iter().filter(|column| wanted(&column.role)).map(|column| column.output.name.clone()).collect::<Vec<_>>()
    };
    let static_columns = list(|role| matches!(role, Role::Static(_)));
    let historic = list(|role| matches!(role, Role::Historic(_)));
    let future = list(|role| matches!(role, Role::Future(_)));
    let in_stock = list(|role| matches!(role, Role::InStock(_))).into_iter().next();
    let price = chosen
        .iter()
        .find(|column| names::is_price(&column.column) && matches!(column.role, Role::Future(_) | Role::Historic(_)))
        .map(|column| column.output.name.clone());
    for column in &chosen {
        let (key, why) = match &column.role {
            Role::Static(why) => ("static", why),
            Role::Historic(why) => ("historic", why),
            Role::Future(why) => ("future", why),
            Role::InStock(why) => ("in_stock", why),
            Role::Unused(why) => ("unused", why),
        };
        reasons.push(Reason { key, value: column.output.name.clone(), why: why.clone() });
    }
    let hierarchy = hierarchy::paths(&scene.attributes(&chosen), series.rows.len());
    if !hierarchy.is_empty() {
        reasons.push(Reason {
            key: "hierarchy",
            value: hierarchy.join(", "),
            why: "these columns nest in one another or together tell the series apart".into(),
        });
    }
    let (gaps, why) = spacing::gaps(frame, &series, time, target, freq);
    reasons.push(Reason { key: "gaps", value: gaps.into(), why });
    let (duplicates, why) = spacing::duplicates(frame, &series, time, target);
    reasons.push(Reason { key: "duplicates", value: duplicates.into(), why });
    let negative = (0..frame.rows).filter(|row| target.number(*row) < 0.0).count();
    if negative > 0 {
        reasons.push(Reason {
            key: "negatives",
            value: "keep".into(),
            why: format!("{negative} rows of `{}` are negative, as returns are", found.target),
        });
    }

    let is_derived =
        chosen.iter().any(|column| column.frame == found.frame && column.output.expression != sql::column(&frame.name, &column.column));
    let uses_join = chosen.iter().any(|column| column.frame != found.frame && !matches!(column.role, Role::Unused(_)));
    let future_sql = scene.future_sql(&chosen);
    // Rows ahead may come from tables that the history does not need.
    let is_ahead_elsewhere = future_sql.is_some() && (joins.ahead.is_some() || !joins.joined.is_empty());
    let sql = (uses_join || is_derived || is_ahead_elsewhere).then(|| scene.main_sql(&chosen));
    let read: BTreeSet<usize> = std::iter::once(found.frame)
        .chain(if sql.is_some() { joins.joined.iter().map(|join| join.frame).collect() } else { Vec::new() })
        .chain(future_sql.as_ref().and(joins.ahead))
        .collect();
    let read_frames: Vec<usize> = read.iter().copied().collect();
    let mut tables: Vec<InferredTable> =
        read.iter().map(|index| InferredTable { name: frames[*index].name.clone(), paths: frames[*index].paths.clone() }).collect();
    tables.sort_by_key(|table| table.name != frame.name);
    let csv = CsvOptions { date_formats: time.order_is_guessed.then(|| vec!["%m/%d/%Y".into()]), ..CsvOptions::default() };
    Ok(Inference {
        tables,
        sql,
        future_sql,
        csv,
        id,
        time: found.time,
        target: found.target,
        freq,
        horizon: answers.horizon,
        static_columns,
        historic,
        future,
        in_stock,
        price,
        hierarchy,
        gaps,
        duplicates,
        negatives: "keep",
        country: country(frames, &read_frames),
        personal: Vec::new(),
        series: series.rows.len(),
        periods: series.periods(time, freq),
        rows: frame.total,
        reasons,
        questions,
        warnings: twins(&id_columns).into_iter().collect(),
    })
}

/// A column of the tables that are read which names one country in every row.
fn country(frames: &[Frame], read: &[usize]) -> Option<(String, String)> {
    let columns = read.iter().flat_map(|index| &frames[*index].columns);
    let mut named = columns.filter(|column| {
        column.kind == ColumnKind::Text && column.distinct() == 1 && column.nulls() == 0 && names::is_country(&column.name)
    });
    named.find_map(|column| Some((column.name.clone(), column.samples(1).into_iter().next()?)))
}

/// Says which keys are the same to people: they differ in case or blanks only.
fn twins(id: &[&Column]) -> Option<String> {
    id.iter().find_map(|column| {
        let Values::Text { labels, .. } = &column.values else { return None };
        let mut alike: BTreeMap<String, Vec<&String>> = BTreeMap::new();
        for label in labels {
            let plain = label.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
            alike.entry(plain).or_default().push(label);
        }
        let groups: Vec<Vec<&String>> = alike.into_values().filter(|labels| labels.len() > 1).collect();
        let example = groups.first()?.iter().take(4).map(|label| format!("`{label}`")).collect::<Vec<_>>().join(", ");
        let more = if groups.len() > 1 { format!(" and {} more", groups.len() - 1) } else { String::new() };
        Some(format!(
            "keys in `{}` differ in case or blanks only and make separate series: {example}{more}; correct the source, or map them in `[data] sql`",
            column.name
        ))
    })
}

fn series_key(
    frame: &Frame,
    time: &Column,
    target: &str,
    answers: &Answers,
    reasons: &mut Vec<Reason>,
    questions: &mut Vec<Question>,
) -> Result<Vec<String>, InferProjectError> {
    if let Some(given) = &answers.id {
        for name in given {
            if frame.column(name).is_none() {
                let near = nearest(name, frame.columns.iter().map(|column| column.name.as_str()));
                return Err(InferProjectError::NoColumn { column: name.clone(), flag: "--id", near });
            }
        }
        let columns: Vec<&Column> = given.iter().filter_map(|name| frame.column(name)).collect();
        let repeated = keys::repeated(frame, time, &columns);
        let mut why = "you named it".to_owned();
        if repeated > 0.0 {
            why += &format!(" ({:.2} % of the rows repeat a key)", repeated * 100.0);
        }
        reasons.push(Reason { key: "id", value: given.join(", "), why });
        return Ok(given.clone());
    }
    let key = keys::find(frame, time, target);
    reasons.push(Reason { key: "id", value: key.columns.join(", "), why: key.why.clone() });
    if !key.others.is_empty() || key.repeated > 0.05 {
        let candidates = std::iter::once(&key.columns).chain(key.others.iter().take(3)).map(|columns| columns.join(", ")).collect();
        questions.push(Question { what: "which columns name a series".into(), candidates, taken: key.columns.join(", "), flag: "--id" });
    }
    Ok(key.columns)
}

fn frequency(
    frame: &Frame,
    time: &Column,
    series: &SeriesRows,
    answers: &Answers,
    reasons: &mut Vec<Reason>,
    questions: &mut Vec<Question>,
) -> Result<Freq, InferProjectError> {
    if let Some(alias) = &answers.freq {
        let freq: Freq = alias.parse()?;
        reasons.push(Reason { key: "freq", value: freq.to_string(), why: "you named it".into() });
        return Ok(freq);
    }
    if !time.is_time() {
        reasons.push(Reason { key: "freq", value: "1".into(), why: format!("`{}` counts steps and has no calendar", time.name) });
        return Ok(Freq::Step);
    }
    let votes = spacing::frequencies(series, time);
    let Some((freq, count)) = votes.first().copied() else {
        let freq = spacing::frequency_of_union(frame, time).ok_or_else(|| InferProjectError::NoFreq { column: time.name.clone() })?;
        let why = "no single series is long or regular enough, but all times together fit this grid";
        reasons.push(Reason { key: "freq", value: freq.to_string(), why: why.into() });
        return Ok(freq);
    };
    let asked: usize = votes.iter().map(|(_, count)| count).sum();
    reasons.push(Reason {
        key: "freq",
        value: freq.to_string(),
        why: format!("the times of {count} of {asked} series looked at are spaced so"),
    });
    // A few series with many gaps look coarser; a tenth of them is another matter.
    if (asked - count) * 10 > asked {
        let candidates = votes.iter().map(|(freq, count)| format!("{freq} ({count} series)")).collect();
        questions.push(Question {
            what: "series are spaced differently; one project has one frequency".into(),
            candidates,
            taken: freq.to_string(),
            flag: "--freq",
        });
    }
    Ok(freq)
}
