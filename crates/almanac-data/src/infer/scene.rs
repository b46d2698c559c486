//! The columns of the long table beside id, time and target: those of the sales table, and those that joins bring.
//!
//! Not here: which tables join (`joins`), the rules of the roles (`roles`), the SQL (`queries`).

use std::collections::{BTreeSet, HashMap};

use almanac_series::Freq;

use crate::ingest::ColumnKind;
use crate::sketch::{Column, Frame, NULL_CODE};

use super::hierarchy::Attribute;
use super::joins::{Join, Sales, last_time};
use super::roles::{self, Reach, Role};
use super::spacing::SeriesRows;
use super::sql::{self, Output};
use super::{Reason, names};

/// Columns such as `snap_CA`, `snap_TX`: their common beginning, the attribute whose values their ends are, and each with its value.
type Spread = (String, String, Vec<(String, String)>);

/// A column of the long table beside id, time and target.
pub(super) struct Chosen {
    pub(super) output: Output,
    pub(super) role: Role,
    /// Where it comes from.
    pub(super) frame: usize,
    pub(super) column: String,
    /// For the hierarchy: its code by series.
    pub(super) codes: Option<Vec<u32>>,
}

/// Everything that the columns are judged by.
pub(super) struct Scene<'a> {
    pub(super) frames: &'a [Frame],
    pub(super) sales: Sales<'a>,
    pub(super) series: &'a SeriesRows,
    pub(super) freq: Freq,
    pub(super) ahead: Option<usize>,
    pub(super) joined: &'a [Join],
}

impl Scene<'_> {
    pub(super) fn frame(&self) -> &Frame {
        &self.frames[self.sales.frame]
    }

    pub(super) fn time(&self) -> &Column {
        self.frame().column(self.sales.time).expect("the time was taken from the columns of this frame")
    }

    pub(super) fn end(&self) -> Option<i64> {
        last_time(self.frame(), self.sales.time, Some(self.sales.target))
    }

    pub(super) fn is_promised(&self, name: &str) -> bool {
        self.ahead.is_some_and(|index| self.frames[index].column(name).is_some())
    }

    pub(super) fn columns_of_sales(&self) -> Vec<Chosen> {
        let frame = self.frame();
        let is_free =
            |column: &&Column| column.name != self.sales.time && column.name != self.sales.target && !self.sales.id.contains(&column.name);
        let choose = |column: &Column| {
            // A joined table that goes on after the history promises its columns, even those that the sales table has too.
            let elsewhere =
                self.joined.iter().filter(|join| join.has_time && !join.is_counted).find_map(|join| self.known_until(join, &column.name));
            let reach = Reach { end: self.end(), known_until: elsewhere, is_promised: self.is_promised(&column.name) };
            let codes = self.codes_by_series(column);
            let role = roles::of_sales(frame, column, self.time(), self.series, self.freq, reach);
            Chosen {
                output: Output::plain(&frame.name, &column.name),
                role: self.unless_second_name(column, role, Some(&codes)),
                frame: self.sales.frame,
                column: column.name.clone(),
                codes: Some(codes),
            }
        };
        frame.columns.iter().filter(is_free).map(choose).collect()
    }

    /// An attribute that differs for every series is no attribute but another name of it.
    pub(super) fn unless_second_name(&self, column: &Column, role: Role, codes: Option<&[u32]>) -> Role {
        let is_name = column.kind == ColumnKind::Text || column.kind == ColumnKind::Integer && names::is_id(&column.name);
        if let (Role::Static(_), true, Some(codes)) = (&role, is_name, codes) {
            let distinct: BTreeSet<u32> = codes.iter().copied().filter(|code| *code != NULL_CODE).collect();
            if distinct.len() == self.series.rows.len() {
                return Role::Unused("it only names the series a second time".into());
            }
        }
        role
    }

    pub(super) fn codes_by_series(&self, column: &Column) -> Vec<u32> {
        let (codes, _) = column.codes();
        let first = |rows: &Vec<u32>| rows.iter().map(|row| codes[*row as usize]).find(|code| *code != NULL_CODE).unwrap_or(NULL_CODE);
        self.series.rows.iter().map(first).collect()
    }

    pub(super) fn join_time<'j>(&self, join: &'j Join) -> Option<&'j str> {
        join.on.iter().find(|((frame, left), _)| *frame == self.sales.frame && left == self.sales.time).map(|(_, right)| right.as_str())
    }

    pub(super) fn known_until(&self, join: &Join, column: &str) -> Option<i64> {
        let frame = &self.frames[join.frame];
        frame.column(column)?;
        last_time(frame, self.join_time(join)?, Some(column))
    }

    pub(super) fn columns_of_joins(&self, chosen: &mut Vec<Chosen>, reasons: &mut Vec<Reason>) {
        let mut taken: BTreeSet<String> = self.sales.id.iter().cloned().collect();
        taken.extend([self.sales.time.to_owned(), self.sales.target.to_owned()]);
        taken.extend(chosen.iter().map(|column| column.output.name.clone()));
        let own: BTreeSet<String> = self.frame().columns.iter().map(|column| names::normal(&column.name)).collect();
        for join in self.joined {
            let frame = &self.frames[join.frame];
            let keys: Vec<&str> = join.on.iter().map(|(_, right)| right.as_str()).collect();
            let how = if join.is_counted { "counted by day and joined on" } else { "joined on" };
            let why = format!(
                "`{}` is {how} `{}`{}",
                frame.name,
                keys.join("`, `"),
                if join.is_counted { "" } else { ", which is unique in it" }
            );
            reasons.push(Reason { key: "sql", value: frame.name.clone(), why });
            if join.is_counted {
                chosen.extend(self.counts(join, &mut taken));
                continue;
            }
            let spread = if join.has_time { self.spread(join) } else { Vec::new() };
            for column in frame.columns.iter().filter(|column| !keys.contains(&column.name.as_str())) {
                if let Some((prefix, attribute, values)) =
                    spread.iter().find(|(_, _, values)| values.iter().any(|(name, _)| *name == column.name))
                {
                    if values[0].0 == column.name {
                        chosen.push(self.spread_column(join, prefix, attribute, values, &mut taken));
                    }
                    continue;
                }
                if own.contains(&names::normal(&column.name)) {
                    reasons.push(Reason {
                        key: "unused",
                        value: format!("{}.{}", frame.name, column.name),
                        why: format!("`{}` has it too", self.frame().name),
                    });
                    continue;
                }
                let name = if taken.contains(&column.name) { format!("{}_{}", frame.name, column.name) } else { column.name.clone() };
                taken.insert(name.clone());
                let (role, codes) = match self.join_time(join) {
                    Some(time) if join.has_time => {
                        let reach = Reach {
                            end: self.end(),
                            known_until: self.known_until(join, &column.name),
                            is_promised: self.is_promised(&column.name),
                        };
                        let time = frame.column(time).expect("the key of the join is a column of it");
                        (roles::of_timed_join(frame, column, time, reach), None)
                    }
                    _ => (roles::of_static_join(frame, column), self.codes_through(join, column)),
                };
                let role = self.unless_second_name(column, role, codes.as_deref());
                let plain = sql::column(&frame.name, &column.name);
                let expression = match column.kind {
                    ColumnKind::Integer | ColumnKind::Real if join.is_sparse => format!("COALESCE({plain}, 0)"),
                    ColumnKind::Boolean if join.is_sparse => format!("COALESCE({plain}, FALSE)"),
                    _ => plain,
                };
                let output = Output { expression, name };
                chosen.push(Chosen { output, role, frame: join.frame, column: column.name.clone(), codes });
            }
        }
    }

    /// Columns of events that are counted by day.
    pub(super) fn counts(&self, join: &Join, taken: &mut BTreeSet<String>) -> Vec<Chosen> {
        let frame = &self.frames[join.frame];
        let is_beyond = self.join_time(join).and_then(|time| last_time(frame, time, None)) > self.end();
        let why = if is_beyond {
            "the number of rows of a day; the table goes beyond the last target"
        } else {
            "the number of rows of a day; such days are planned"
        };
        let names = self.count_names(join);
        let choose = |(name, _): (String, String)| {
            taken.insert(name.clone());
            let output = Output { expression: format!("COALESCE({}, 0)", sql::column(&frame.name, &name)), name: name.clone() };
            Chosen { output, role: Role::Future(why.into()), frame: join.frame, column: name, codes: None }
        };
        names.into_iter().map(choose).collect()
    }

    /// Names of the counts, and what each one counts.
    pub(super) fn count_names(&self, join: &Join) -> Vec<(String, String)> {
        const MAX_VALUES: usize = 4;
        let frame = &self.frames[join.frame];
        let time = self.join_time(join);
        let mut counts = vec![(format!("{}_count", frame.name), "COUNT(*)".to_owned())];
        for column in &frame.columns {
            if Some(column.name.as_str()) == time || column.distinct() > MAX_VALUES || column.distinct() < 2 {
                continue;
            }
            let of = sql::column(&frame.name, &column.name);
            match column.kind {
                ColumnKind::Text => {
                    for value in column.samples(MAX_VALUES) {
                        let plain: String =
                            value.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' }).collect();
                        counts.push((
                            format!("{}_{plain}", names::normal(&column.name)),
                            format!("SUM(CASE WHEN {of} = {} THEN 1 ELSE 0 END)", sql::literal(&value)),
                        ));
                    }
                }
                ColumnKind::Boolean => counts.push((names::normal(&column.name), format!("SUM(CASE WHEN {of} THEN 1 ELSE 0 END)"))),
                _ => {}
            }
        }
        counts
    }

    /// Finds columns such as `snap_CA`, `snap_TX` whose ends are the values of an attribute of the series.
    pub(super) fn spread(&self, join: &Join) -> Vec<Spread> {
        let frame = &self.frames[join.frame];
        let mut groups: Vec<(String, Vec<(String, String)>)> = Vec::new();
        for column in &frame.columns {
            if let Some((prefix, value)) = column.name.rsplit_once('_') {
                match groups.iter_mut().find(|(known, _)| known == prefix) {
                    Some((_, values)) => values.push((column.name.clone(), value.to_owned())),
                    None => groups.push((prefix.to_owned(), vec![(column.name.clone(), value.to_owned())])),
                }
            }
        }
        let attributes =
            self.frame().columns.iter().filter(|column| column.kind == ColumnKind::Text && (2..=60).contains(&column.distinct()));
        let attributes: Vec<(&Column, BTreeSet<String>)> =
            attributes.map(|column| (column, column.samples(60).into_iter().collect())).collect();
        let with_attribute = |(prefix, values): (String, Vec<(String, String)>)| {
            let ends: BTreeSet<String> = values.iter().map(|(_, value)| value.clone()).collect();
            let (attribute, _) = attributes.iter().find(|(_, known)| *known == ends)?;
            Some((prefix, attribute.name.clone(), values))
        };
        groups.into_iter().filter(|(_, values)| values.len() > 1).filter_map(with_attribute).collect()
    }

    pub(super) fn spread_column(
        &self,
        join: &Join,
        prefix: &str,
        attribute: &str,
        values: &[(String, String)],
        taken: &mut BTreeSet<String>,
    ) -> Chosen {
        let frame = &self.frames[join.frame];
        let first = frame.column(&values[0].0).expect("it was found among the columns of this frame");
        let reach = Reach { end: self.end(), known_until: self.known_until(join, &first.name), is_promised: false };
        let time = self.join_time(join).and_then(|time| frame.column(time)).expect("the join has a time");
        let cases: Vec<String> =
            values.iter().map(|(name, value)| format!("WHEN {} THEN {}", sql::literal(value), sql::column(&frame.name, name))).collect();
        let expression = format!("CASE {} {} END", sql::column(&self.frame().name, attribute), cases.join(" "));
        taken.insert(prefix.to_owned());
        let role = match roles::of_timed_join(frame, first, time, reach) {
            Role::Future(why) => Role::Future(format!("{why}; each series takes the column of its `{attribute}`")),
            other => other,
        };
        Chosen { output: Output { expression, name: prefix.to_owned() }, role, frame: join.frame, column: first.name.clone(), codes: None }
    }

    /// Codes by series of a column that hangs on attributes of the sales table.
    pub(super) fn codes_through(&self, join: &Join, column: &Column) -> Option<Vec<u32>> {
        let right = &self.frames[join.frame];
        let lefts: Vec<&Column> = join
            .on
            .iter()
            .map(|((frame, left), _)| if *frame == self.sales.frame { self.frame().column(left) } else { None })
            .collect::<Option<_>>()?;
        let rights: Vec<&Column> = join.on.iter().filter_map(|(_, name)| right.column(name)).collect();
        let key = |columns: &[&Column], row: usize| columns.iter().map(|column| column.text(row)).collect::<Vec<_>>();
        let rows: HashMap<Vec<Option<String>>, usize> = (0..right.rows).map(|row| (key(&rights, row), row)).collect();
        let (codes, _) = column.codes();
        let code = |series: &Vec<u32>| rows.get(&key(&lefts, series[0] as usize)).map_or(NULL_CODE, |row| codes[*row]);
        Some(self.series.rows.iter().map(code).collect())
    }

    /// `A/B/1` in one id column: its parts are levels where the table has no attributes of its own.
    pub(super) fn parts_of_id(&self, chosen: &mut Vec<Chosen>) {
        let [id] = self.sales.id else { return };
        if chosen.iter().any(|column| matches!(column.role, Role::Static(_))) {
            return;
        }
        let frame = self.frame();
        let Some(column) = frame.column(id).filter(|column| column.kind == ColumnKind::Text) else { return };
        let ids: Vec<String> = self.series.rows.iter().filter_map(|rows| column.text(rows[0] as usize)).collect();
        let Some(separator) = ['/', '|'].into_iter().find(|separator| ids.iter().all(|id| id.contains(*separator))) else { return };
        let parts: Vec<Vec<&str>> = ids.iter().map(|id| id.split(separator).collect()).collect();
        let count = parts.first().map_or(0, Vec::len);
        if !(2..=5).contains(&count) || parts.iter().any(|found| found.len() != count) || ids.len() != self.series.rows.len() {
            return;
        }
        for part in 0..count {
            let mut seen: HashMap<&str, u32> = HashMap::new();
            let codes: Vec<u32> = parts
                .iter()
                .map(|found| {
                    let next = seen.len() as u32;
                    *seen.entry(found[part]).or_insert(next)
                })
                .collect();
            if seen.len() < 2 || seen.len() == ids.len() {
                continue;
            }
            let name = format!("part_{}", part + 1);
            let expression = format!("split_part({}, '{separator}', {})", sql::column(&frame.name, id), part + 1);
            let role = Role::Static(format!("part {} of `{id}`", part + 1));
            chosen.push(Chosen {
                output: Output { expression, name },
                role,
                frame: self.sales.frame,
                column: id.clone(),
                codes: Some(codes),
            });
        }
    }

    pub(super) fn attributes(&self, chosen: &[Chosen]) -> Vec<Attribute> {
        let frame = self.frame();
        let of_id = self.sales.id.iter().filter_map(|name| frame.column(name)).map(|column| Attribute {
            name: column.name.clone(),
            codes: self.codes_by_series(column),
            is_id: true,
        });
        let is_category = |column: &&Chosen| {
            let source = self.frames[column.frame].column(&column.column);
            let kind = source.map(|source| source.kind);
            matches!(column.role, Role::Static(_))
                && (kind == Some(ColumnKind::Text) || kind == Some(ColumnKind::Integer) && names::is_id(&column.column))
        };
        let of_static = chosen
            .iter()
            .filter(is_category)
            .filter_map(|column| Some(Attribute { name: column.output.name.clone(), codes: column.codes.clone()?, is_id: false }));
        of_id.chain(of_static).collect()
    }
}
