//! The steps of inference put together, and their results written as SQL and lists of columns.

use std::collections::{BTreeSet, HashMap};

use almanac_series::{Freq, MICROS_PER_DAY};

use crate::ingest::{ColumnKind, CsvOptions, nearest};
use crate::sketch::{Column, Frame, NULL_CODE};

use super::hierarchy::{self, Attribute};
use super::joins::{self, Join, Sales, last_time};
use super::roles::{self, Reach, Role};
use super::spacing::{self, SeriesRows, sql_time};
use super::sql::{self, Output};
use super::{Answers, InferProjectError, Inference, InferredTable, Question, Reason, keys, names, sales};

/// Alias of the distinct series in the SQL of the rows ahead.
const SERIES: &str = "each_series";
/// Alias of the days ahead, where no table lists them.
const AHEAD: &str = "ahead";

/// Columns such as `snap_CA`, `snap_TX`: their common beginning, the attribute whose values their ends are, and each with its value.
type Spread = (String, String, Vec<(String, String)>);

/// A column of the long table beside id, time and target.
struct Chosen {
    output: Output,
    role: Role,
    /// Where it comes from.
    frame: usize,
    column: String,
    /// For the hierarchy: its code by series.
    codes: Option<Vec<u32>>,
}

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
    let sql = (uses_join || is_derived).then(|| scene.main_sql(&chosen));
    let future_sql = scene.future_sql(&chosen);
    let read: BTreeSet<usize> = std::iter::once(found.frame)
        .chain(if sql.is_some() { joins.joined.iter().map(|join| join.frame).collect() } else { Vec::new() })
        .chain(future_sql.as_ref().and(joins.ahead))
        .collect();
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
        series: series.rows.len(),
        rows: frame.total,
        reasons,
        questions,
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

/// Everything that the columns are judged by.
struct Scene<'a> {
    frames: &'a [Frame],
    sales: Sales<'a>,
    series: &'a SeriesRows,
    freq: Freq,
    ahead: Option<usize>,
    joined: &'a [Join],
}

impl Scene<'_> {
    fn frame(&self) -> &Frame {
        &self.frames[self.sales.frame]
    }

    fn time(&self) -> &Column {
        self.frame().column(self.sales.time).expect("the time was taken from the columns of this frame")
    }

    fn end(&self) -> Option<i64> {
        last_time(self.frame(), self.sales.time, Some(self.sales.target))
    }

    fn is_promised(&self, name: &str) -> bool {
        self.ahead.is_some_and(|index| self.frames[index].column(name).is_some())
    }

    fn columns_of_sales(&self) -> Vec<Chosen> {
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
    fn unless_second_name(&self, column: &Column, role: Role, codes: Option<&[u32]>) -> Role {
        let is_name = column.kind == ColumnKind::Text || column.kind == ColumnKind::Integer && names::is_id(&column.name);
        if let (Role::Static(_), true, Some(codes)) = (&role, is_name, codes) {
            let distinct: BTreeSet<u32> = codes.iter().copied().filter(|code| *code != NULL_CODE).collect();
            if distinct.len() == self.series.rows.len() {
                return Role::Unused("it only names the series a second time".into());
            }
        }
        role
    }

    fn codes_by_series(&self, column: &Column) -> Vec<u32> {
        let (codes, _) = column.codes();
        let first = |rows: &Vec<u32>| rows.iter().map(|row| codes[*row as usize]).find(|code| *code != NULL_CODE).unwrap_or(NULL_CODE);
        self.series.rows.iter().map(first).collect()
    }

    fn join_time<'j>(&self, join: &'j Join) -> Option<&'j str> {
        join.on.iter().find(|((frame, left), _)| *frame == self.sales.frame && left == self.sales.time).map(|(_, right)| right.as_str())
    }

    fn known_until(&self, join: &Join, column: &str) -> Option<i64> {
        let frame = &self.frames[join.frame];
        frame.column(column)?;
        last_time(frame, self.join_time(join)?, Some(column))
    }

    fn columns_of_joins(&self, chosen: &mut Vec<Chosen>, reasons: &mut Vec<Reason>) {
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
    fn counts(&self, join: &Join, taken: &mut BTreeSet<String>) -> Vec<Chosen> {
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
    fn count_names(&self, join: &Join) -> Vec<(String, String)> {
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
    fn spread(&self, join: &Join) -> Vec<Spread> {
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

    fn spread_column(
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
    fn codes_through(&self, join: &Join, column: &Column) -> Option<Vec<u32>> {
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
    fn parts_of_id(&self, chosen: &mut Vec<Chosen>) {
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

    fn attributes(&self, chosen: &[Chosen]) -> Vec<Attribute> {
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

    fn main_sql(&self, chosen: &[Chosen]) -> String {
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
    fn future_sql(&self, chosen: &[Chosen]) -> Option<String> {
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
