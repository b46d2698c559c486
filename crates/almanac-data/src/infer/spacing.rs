//! What the times of the series say: frequency, gaps and their meaning, duplicates.

use std::collections::{BTreeMap, HashMap};

use almanac_series::{Freq, MICROS_PER_DAY, infer_freq};

use crate::sketch::{Column, Frame};

const SERIES_ASKED: usize = 300;

/// Rows of each series, found once.
#[derive(Debug)]
pub(crate) struct SeriesRows {
    /// Row numbers by series, in the order of the table.
    pub(crate) rows: Vec<Vec<u32>>,
}

impl SeriesRows {
    pub(crate) fn new(frame: &Frame, id: &[&Column]) -> Self {
        let codes: Vec<&[u32]> = id.iter().map(|column| column.codes().0).collect();
        let mut places: HashMap<Vec<u32>, usize> = HashMap::new();
        let mut rows: Vec<Vec<u32>> = Vec::new();
        let mut key = Vec::new();
        for row in 0..frame.rows {
            key.clear();
            key.extend(codes.iter().map(|codes| codes[row]));
            // A lookup first: the key is only cloned for a new series.
            let place = places.get(&key).copied().unwrap_or_else(|| {
                places.insert(key.clone(), rows.len());
                rows.push(Vec::new());
                rows.len() - 1
            });
            rows[place].push(row as u32);
        }
        Self { rows }
    }

    /// Periods from the time at which a quarter of the series that still sell had begun to the newest one.
    pub(crate) fn periods(&self, time: &Column, freq: Freq) -> usize {
        let span = |rows: &Vec<u32>| {
            let times = || rows.iter().filter_map(|row| time.whole(*row as usize));
            Some((freq.period(times().min()?).0, freq.period(times().max()?).0))
        };
        let spans: Vec<(i64, i64)> = self.rows.iter().filter_map(span).collect();
        let Some(last) = spans.iter().map(|(_, last)| *last).max() else { return 0 };
        let live = |span: &&(i64, i64)| (last - span.1) * 10 <= last - span.0;
        let mut starts: Vec<i64> = spans.iter().filter(live).map(|(first, _)| *first).collect();
        starts.sort_unstable();
        starts.get((starts.len().saturating_sub(1)) / 4).map_or(0, |first| (last - first + 1) as usize)
    }

    fn times(&self, series: usize, time: &Column) -> Vec<i64> {
        let mut times: Vec<i64> = self.rows[series].iter().filter_map(|row| time.whole(*row as usize)).collect();
        times.sort_unstable();
        times.dedup();
        times
    }
}

/// Frequencies of the longest series, with how many have each, the commonest first.
pub(crate) fn frequencies(series: &SeriesRows, time: &Column) -> Vec<(Freq, usize)> {
    let mut longest: Vec<usize> = (0..series.rows.len()).collect();
    longest.sort_by_key(|index| std::cmp::Reverse(series.rows[*index].len()));
    longest.truncate(SERIES_ASKED);
    let mut votes: Vec<(Freq, usize)> = Vec::new();
    for index in longest {
        let Ok(freq) = infer_freq(&series.times(index, time)) else { continue };
        match votes.iter_mut().find(|(known, _)| *known == freq) {
            Some((_, count)) => *count += 1,
            None => votes.push((freq, 1)),
        }
    }
    votes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    // A series with many gaps looks coarser than it is: a daily one that misses all weekends looks like a business week.
    if votes.iter().any(|(freq, _)| *freq == Freq::Day)
        && let Some(place) = votes.iter().position(|(freq, _)| *freq == Freq::BusinessDay)
    {
        let (_, count) = votes.remove(place);
        if let Some(day) = votes.iter_mut().find(|(freq, _)| *freq == Freq::Day) {
            day.1 += count;
        }
        votes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    }
    votes
}

/// The frequency of all times of the table taken together.
pub(crate) fn frequency_of_union(frame: &Frame, time: &Column) -> Option<Freq> {
    let mut times: Vec<i64> = (0..frame.rows).filter_map(|row| time.whole(row)).collect();
    times.sort_unstable();
    times.dedup();
    infer_freq(&times).ok()
}

/// A policy and why.
pub(crate) type Policy = (&'static str, String);

/// Works out what a missing row means.
pub(crate) fn gaps(frame: &Frame, series: &SeriesRows, time: &Column, target: &Column, freq: Freq) -> Policy {
    let (mut expected, mut present) = (0_u64, 0_u64);
    // By period: series that have it, series that span it.
    let mut by_period: BTreeMap<i64, (u32, u32)> = BTreeMap::new();
    for index in 0..series.rows.len().min(2000) {
        let mut periods: Vec<i64> = series.times(index, time).into_iter().map(|ds| freq.period(ds).0).collect();
        periods.dedup();
        let (Some(first), Some(last)) = (periods.first(), periods.last()) else { continue };
        let span = (last - first + 1).max(0) as u64;
        if span > 50 * periods.len() as u64 + 1000 {
            continue;
        }
        expected += span;
        present += periods.len() as u64;
        for period in *first..=*last {
            by_period.entry(period).or_default().1 += 1;
        }
        for period in periods {
            by_period.entry(period).or_default().0 += 1;
        }
    }
    let missing = expected.saturating_sub(present);
    if missing == 0 {
        return ("missing", "there are no gaps; one that comes later is taken for an unknown value".into());
    }
    let share = missing as f64 / expected as f64;
    let percent = format!("{:.1} %", share * 100.0);
    let (mut zeros, mut whole, mut negative, mut known) = (0_u64, 0_u64, 0_u64, Vec::new());
    for row in 0..frame.rows {
        let value = target.number(row);
        if !value.is_nan() {
            zeros += u64::from(value == 0.0);
            whole += u64::from(value.fract() == 0.0);
            negative += u64::from(value < 0.0);
            known.push(value);
        }
    }
    let zero_share = zeros as f64 / known.len().max(1) as f64;
    known.sort_by(f64::total_cmp);
    let median = known.get(known.len() / 2).copied().unwrap_or(0.0);

    if series.rows.len() > 1 {
        let shared: u64 = by_period.values().filter(|(have, span)| have * 2 < *span).map(|(have, span)| u64::from(span - have)).sum();
        if freq == Freq::Day && shared * 2 >= missing {
            let sundays = weekday_share(&by_period);
            return (
                "closed",
                format!("{percent} of the days are missing, mostly on days that most series miss together{sundays}: closing days"),
            );
        }
    } else if freq == Freq::Day && share > 0.05 {
        let pattern = weekday_share(&by_period);
        if !pattern.is_empty() {
            return ("closed", format!("{percent} of the days are missing{pattern}: closing days"));
        }
    }
    let is_count = whole == known.len() as u64 && negative == 0;
    if is_count && zero_share < 0.01 && share > 0.05 && median <= 50.0 {
        return ("zero", format!("{percent} of the periods are missing, hardly a row is 0 and counts are low: no row means no sale"));
    }
    let why = if zero_share > 0.0 {
        format!("zeros are written out ({:.1} % of the rows)", zero_share * 100.0)
    } else {
        "they are no pattern of closing days".into()
    };
    ("missing", format!("{percent} of the periods are missing and {why}: an absent row is an unknown value"))
}

/// Says on which weekdays most of the gaps of daily data fall, if on one or two.
fn weekday_share(by_period: &BTreeMap<i64, (u32, u32)>) -> String {
    const NAMES: [&str; 7] = ["Thursdays", "Fridays", "Saturdays", "Sundays", "Mondays", "Tuesdays", "Wednesdays"];
    let mut missing = [0_u64; 7];
    for (day, (have, span)) in by_period {
        missing[day.rem_euclid(7) as usize] += u64::from(span - have);
    }
    let total: u64 = missing.iter().sum();
    let mut order: Vec<usize> = (0..7).collect();
    order.sort_by_key(|day| std::cmp::Reverse(missing[*day]));
    let (first, second) = (order[0], order[1]);
    if missing[first] * 10 >= total * 6 {
        format!(", {:.0} % of them {}", 100.0 * missing[first] as f64 / total as f64, NAMES[first])
    } else if (missing[first] + missing[second]) * 10 >= total * 7 {
        format!(
            ", {:.0} % of them {} and {}",
            100.0 * (missing[first] + missing[second]) as f64 / total as f64,
            NAMES[first],
            NAMES[second]
        )
    } else {
        String::new()
    }
}

/// Works out what a repeated key means.
pub(crate) fn duplicates(frame: &Frame, series: &SeriesRows, time: &Column, target: &Column) -> Policy {
    let (mut identical, mut differing) = (0_u64, 0_u64);
    for rows in &series.rows {
        let mut seen: HashMap<i64, u32> = HashMap::with_capacity(rows.len());
        for row in rows {
            let Some(ds) = time.whole(*row as usize) else { continue };
            if let Some(first) = seen.insert(ds, *row) {
                let (a, b) = (target.number(*row as usize), target.number(first as usize));
                if a.to_bits() == b.to_bits() { identical += 1 } else { differing += 1 }
            }
        }
    }
    let share = differing as f64 / frame.rows.max(1) as f64;
    if identical + differing == 0 {
        ("error", "no series has two rows for one time; one that comes later stops the run".into())
    } else if differing == 0 {
        ("last", format!("{identical} rows are repeated with the same value"))
    } else if share > 0.01 {
        ("sum", format!("{:.1} % of the rows share series and time with another one: they look like single sales", share * 100.0))
    } else {
        (
            "last",
            format!(
                "{differing} rows share series and time with another one but differ: the last is taken for a correction ({identical} more are identical)"
            ),
        )
    }
}

/// The label of a time in SQL.
pub(crate) fn sql_time(ds: i64, is_calendar: bool) -> String {
    if !is_calendar {
        return ds.to_string();
    }
    let label = if ds.rem_euclid(MICROS_PER_DAY) == 0 {
        Freq::Day.label(Freq::Day.period(ds))
    } else {
        Freq::Second(1).label(Freq::Second(1).period(ds))
    };
    format!("TIMESTAMP '{}'", label.replace('T', " "))
}
