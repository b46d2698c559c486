//! The two queries of a project: the long table, and the known-ahead rows after it.
//!
//! Not here: which columns they bring (`scene`), how SQL is spelt (`sql`).

use almanac_series::{Freq, MICROS_PER_DAY};

use super::joins::{Join, last_time};
use super::roles::Role;
use super::scene::{Chosen, Scene};
use super::spacing::sql_time;
use super::sql::{self, Output};

/// Alias of the distinct series in the SQL of the rows ahead.
const SERIES: &str = "each_series";
/// Alias of the days ahead, where no table lists them.
const AHEAD: &str = "ahead";

impl Scene<'_> {
    pub(super) fn main_sql(&self, chosen: &[Chosen]) -> String {
        let frame = self.frame();
        let keys = self.sales.id.iter().map(String::as_str).chain([self.sales.time, self.sales.target]);
        let mut outputs: Vec<Output> = keys.map(|name| Output::plain(&frame.name, name)).collect();
        outputs.extend(chosen.iter().filter(|column| !matches!(column.role, Role::Unused(_))).map(|column| column.output.clone()));
        let used = |join: &&Join| {
            chosen.iter().any(|column| column.frame == join.frame && !matches!(column.role, Role::Unused(_)))
                || self.joined.iter().any(|other| other.on.iter().any(|((left, _), _)| *left == join.frame))
        };
        let joins: Vec<String> = self
            .joined
            .iter()
            .filter(used)
            .map(|join| self.join_text(join, &|frame, column| Some(sql::column(&self.frames[frame].name, column))).unwrap_or_default())
            .collect();
        sql::select(&outputs, &sql::quote(&frame.name), &joins, None)
    }

    /// `LEFT JOIN … ON …`; `left` says how a column of the left side is written, or that it is not there.
    fn join_text(&self, join: &Join, left: &dyn Fn(usize, &str) -> Option<String>) -> Option<String> {
        let frame = &self.frames[join.frame];
        let on: Option<Vec<String>> =
            join.on.iter().map(|((of, name), right)| Some(format!("{} = {}", sql::column(&frame.name, right), left(*of, name)?))).collect();
        Some(format!("LEFT JOIN {} ON {}", self.relation(join), on?.join(" AND ")))
    }

    /// The right side of a join: a table, or the counts of one.
    fn relation(&self, join: &Join) -> String {
        let frame = &self.frames[join.frame];
        let name = sql::quote(&frame.name);
        if !join.is_counted {
            return name;
        }
        let time = sql::column(&frame.name, self.join_time(join).unwrap_or_default());
        let counts: Vec<String> = self.count_names(join).into_iter().map(|(name, of)| format!("{of} AS {}", sql::quote(&name))).collect();
        format!("(\n  SELECT {time}, {}\n  FROM {name} GROUP BY {time}\n) AS {name}", counts.join(",\n    "))
    }

    /// The rows after the history: from a table of them, or from a joined table that goes on.
    pub(super) fn future_sql(&self, chosen: &[Chosen]) -> Option<String> {
        let future: Vec<&Chosen> = chosen.iter().filter(|column| matches!(column.role, Role::Future(_))).collect();
        if future.is_empty() {
            return None;
        }
        match self.ahead {
            Some(ahead) => Some(self.future_from_rows(ahead, &future)),
            None => self.future_from_join(&future),
        }
    }

    fn future_from_rows(&self, ahead: usize, future: &[&Chosen]) -> String {
        let base = &self.frames[ahead];
        let left = |frame: usize, column: &str| {
            if frame == self.sales.frame {
                base.column(column).map(|_| sql::column(&base.name, column))
            } else {
                Some(sql::column(&self.frames[frame].name, column))
            }
        };
        let joins: Vec<(usize, String)> = self.useful(future).filter_map(|join| Some((join.frame, self.join_text(join, &left)?))).collect();
        let keys = self.sales.id.iter().map(String::as_str).chain([self.sales.time]);
        let mut outputs: Vec<Output> = keys.map(|name| Output::plain(&base.name, name)).collect();
        for column in future {
            let is_joined = joins.iter().any(|(frame, _)| *frame == column.frame);
            if base.column(&column.output.name).is_some() {
                outputs.push(Output::plain(&base.name, &column.output.name));
            } else if is_joined && !column.output.expression.contains(&format!("{}.", sql::quote(&self.frame().name))) {
                outputs.push(column.output.clone());
            }
        }
        let joins: Vec<String> = joins.into_iter().map(|(_, text)| text).collect();
        sql::select(&outputs, &sql::quote(&base.name), &joins, None)
    }

    fn future_from_join(&self, future: &[&Chosen]) -> Option<String> {
        let end = self.end()?;
        let reaches = |join: &&Join| self.join_time(join).and_then(|time| last_time(&self.frames[join.frame], time, None)) > Some(end);
        let useful: Vec<&Join> = self.useful(future).filter(reaches).collect();
        // The one with the most keys and rows knows which series and times there are.
        let base = *useful
            .iter()
            .filter(|join| !join.is_counted)
            .max_by_key(|join| (join.on.len(), self.frames[join.frame].rows))
            .or(useful.first())?;
        let right = &self.frames[base.frame];
        let right_time = self.join_time(base)?;
        // A list of events does not list the days between them.
        let days = (base.is_sparse && self.freq == Freq::Day).then(|| last_time(right, right_time, None)).flatten();
        let time = if days.is_some() { sql::column(AHEAD, self.sales.time) } else { sql::column(&right.name, right_time) };
        let days = days.map(|last| {
            format!(
                "(\n  SELECT arrow_cast(value, 'Timestamp(Microsecond, None)') AS {}\n  FROM generate_series({}, {}, INTERVAL '1 day')\n) AS {AHEAD}",
                sql::quote(self.sales.time),
                sql_time(end + MICROS_PER_DAY, true),
                sql_time(last, true)
            )
        });
        let frame = self.frame();
        // Attributes of the series that keys and expressions need besides the id.
        let mut needed: Vec<String> = self.sales.id.to_vec();
        let own = format!("{}.", sql::quote(&frame.name));
        for column in &frame.columns {
            let is_key = useful.iter().any(|join| {
                join.on.iter().any(|((of, left), _)| *of == self.sales.frame && *left == column.name && column.name != self.sales.time)
            });
            let is_named = future.iter().any(|chosen| {
                chosen.frame != self.sales.frame && chosen.output.expression.contains(&format!("{own}{} ", sql::quote(&column.name)))
            });
            if (is_key || is_named) && !needed.contains(&column.name) {
                needed.push(column.name.clone());
            }
        }
        let left = |of: usize, column: &str| {
            if of != self.sales.frame {
                return useful.iter().any(|join| join.frame == of).then(|| sql::column(&self.frames[of].name, column));
            }
            if column == self.sales.time { Some(time.clone()) } else { Some(sql::column(SERIES, column)) }
        };
        let mut joins = Vec::new();
        let from = if needed.is_empty() {
            days.clone().unwrap_or_else(|| self.relation(base))
        } else {
            let list: Vec<String> = needed.iter().map(|name| sql::column(&frame.name, name)).collect();
            let on: Vec<String> = base
                .on
                .iter()
                .filter(|((of, left), _)| !(*of == self.sales.frame && left == self.sales.time))
                .map(|((_, name), key)| format!("{} = {}", sql::column(&right.name, key), sql::column(SERIES, name)))
                .collect();
            joins.push(match &days {
                Some(days) => format!("CROSS JOIN {days}"),
                None if on.is_empty() => format!("CROSS JOIN {}", self.relation(base)),
                None => format!("JOIN {} ON {}", self.relation(base), on.join(" AND ")),
            });
            format!("(SELECT DISTINCT {} FROM {}) AS {SERIES}", list.join(", "), sql::quote(&frame.name))
        };
        let mut present = if days.is_some() { Vec::new() } else { vec![base.frame] };
        for join in useful.iter().filter(|join| days.is_some() || join.frame != base.frame) {
            if let Some(text) = self.join_text(join, &left) {
                joins.push(text);
                present.push(join.frame);
            }
        }
        let mut outputs: Vec<Output> = self.sales.id.iter().map(|name| Output::plain(SERIES, name)).collect();
        outputs.push(Output { expression: time.clone(), name: self.sales.time.to_owned() });
        for column in future {
            if present.contains(&column.frame) {
                let expression = column.output.expression.replace(&own, &format!("{SERIES}."));
                outputs.push(Output { expression, name: column.output.name.clone() });
            } else if let Some(frame) = present.iter().find(|frame| self.frames[**frame].column(&column.column).is_some()) {
                outputs
                    .push(Output { expression: sql::column(&self.frames[*frame].name, &column.column), name: column.output.name.clone() });
            }
        }
        if outputs.len() <= self.sales.id.len() + 1 {
            return None;
        }
        let condition = days.is_none().then(|| format!("{time} > {}", sql_time(end, self.freq.has_calendar())));
        Some(sql::select(&outputs, &from, &joins, condition.as_deref()))
    }

    /// Joins that bring, or have too, a known-ahead column.
    fn useful<'s>(&'s self, future: &'s [&Chosen]) -> impl Iterator<Item = &'s Join> {
        self.joined.iter().filter(|join| join.has_time).filter(move |join| {
            future.iter().any(|column| {
                column.frame == join.frame
                    || (column.frame == self.sales.frame
                        && self.ahead.is_none()
                        && self.frames[join.frame].column(&column.column).is_some())
            })
        })
    }
}
