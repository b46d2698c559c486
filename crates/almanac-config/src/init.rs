//! Writes the `almanac.toml` of a new project: the default file with the answers of `init` filled in, each with its reason.
//!
//! The text is made from the embedded default file, so that a new key appears here by itself.
//!
//! Not here: inferring the answers (`almanac-data`), asking the user (the binary).

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::DEFAULT_TOML;

/// One table that `init` found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InitTable {
    /// Its name in `sql`.
    pub name: String,
    /// Files, folders or globs, relative to the project.
    pub patterns: Vec<String>,
}

/// A source outside the project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InitOutside {
    /// As it was given.
    pub url: String,
    /// Table of a database.
    pub table: Option<String>,
}

impl InitOutside {
    fn to_toml(&self) -> String {
        match &self.table {
            Some(table) => format!("{{ url = {}, table = {} }}", string(&self.url), string(table)),
            None => string(&self.url),
        }
    }
}

/// Why a key has its value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InitReason {
    /// `freq` or `data.freq`.
    pub key: String,
    /// The value, or the one of a list that is meant.
    pub value: String,
    /// Reads on after "because".
    pub why: String,
}

/// What `init` found out or was told. An empty field is left at its default.
#[derive(Debug, Clone, Default, PartialEq)]
#[expect(missing_docs, reason = "named as the keys of the file, see default.toml")]
pub struct InitAnswers {
    /// One table that no SQL names is written as `source`.
    pub tables: Vec<InitTable>,
    /// The URL and table or query of a source outside, in the place of the files of the only table.
    pub outside: Option<InitOutside>,
    pub sql: Option<String>,
    pub future_source: Option<String>,
    pub future_sql: Option<String>,
    /// Empty for a single series.
    pub id: Vec<String>,
    pub time: String,
    pub target: String,
    /// Alias of the frequency.
    pub freq: Option<String>,
    pub timezone: Option<String>,
    /// Paths like `region/store/item`.
    pub hierarchy: Vec<String>,
    pub static_columns: Vec<String>,
    pub historic: Vec<String>,
    pub future: Vec<String>,
    pub in_stock: Option<String>,
    pub price: Option<String>,
    pub gaps: Option<String>,
    pub duplicates: Option<String>,
    pub negatives: Option<String>,
    pub country: Option<String>,
    pub delimiter: Option<char>,
    pub encoding: Option<String>,
    pub decimal: Option<char>,
    pub date_format: Vec<String>,
    pub null_values: Vec<String>,
    /// Column and type name.
    pub types: Vec<(String, String)>,
    /// Columns that look personal, as `column` or `table.column`: they are dropped.
    pub personal: Vec<String>,
    pub horizon: Option<usize>,
    pub season_length: Option<usize>,
    pub folds: Option<usize>,
    pub fold_stride: Option<usize>,
    pub min_folds: Option<usize>,
    /// Why keys have their values.
    pub reasons: Vec<InitReason>,
    /// Columns that have no part, and why.
    pub unused: Vec<InitReason>,
    /// What could not be told from the data; written at the top.
    pub questions: Vec<String>,
}

/// Columns named beside one reason at most.
const NAMED: usize = 12;

impl InitAnswers {
    /// Returns why a key has its value, each reason once, with the values it is for where the key has several reasons.
    pub fn why(&self, path: &str) -> Vec<String> {
        let name = path.rsplit('.').next().unwrap_or(path);
        let reasons: Vec<&InitReason> = self.reasons.iter().filter(|reason| reason.key == path || reason.key == name).collect();
        once(&reasons)
    }

    /// Returns which columns have no part, by reason.
    pub fn why_unused(&self) -> Vec<String> {
        let reasons: Vec<&InitReason> = self.unused.iter().collect();
        let whys = once(&reasons);
        // One column alone is named too.
        if let [only] = &self.unused[..] { vec![format!("{}: `{}`", only.why, only.value)] } else { whys }
    }
}

/// Each reason once, in the order of its first value.
fn once(reasons: &[&InitReason]) -> Vec<String> {
    let mut groups: Vec<(&str, Vec<&str>)> = Vec::new();
    for reason in reasons {
        match groups.iter_mut().find(|(why, _)| *why == reason.why) {
            Some((_, values)) => values.push(&reason.value),
            None => groups.push((&reason.why, vec![&reason.value])),
        }
    }
    let text = |(why, values): (&str, Vec<&str>)| {
        let named: Vec<String> = values.iter().filter(|value| !value.is_empty()).take(NAMED).map(|value| format!("`{value}`")).collect();
        if reasons.len() == 1 || named.is_empty() {
            return why.to_owned();
        }
        let more = if values.len() > NAMED { format!(" and {} more", values.len() - NAMED) } else { String::new() };
        format!("{why}: {}{more}", named.join(", "))
    };
    groups.into_iter().map(text).collect()
}

/// Returns the text of a commented `almanac.toml`: answered keys with their reasons, all others as commented defaults.
pub fn write_project(answers: &InitAnswers) -> String {
    let values = values(answers);
    let mut text = String::from("# Written by `almanac init`. A key behind `#` shows its default or an example.\n");
    for question in &answers.questions {
        for (n, line) in question.lines().enumerate() {
            let _ = writeln!(text, "# {} {line}", if n == 0 { "PLEASE CHECK:" } else { "             " });
        }
    }
    for why in answers.why_unused() {
        let _ = writeln!(text, "# Not used, because {why}");
    }
    let mut section = "";
    let mut comments: Vec<&str> = Vec::new();
    // Sections whose names the user chooses: theirs stand in place of the first example, once.
    let mut chosen: Vec<&str> = Vec::new();
    // The first two lines speak of the default file itself.
    for line in DEFAULT_TOML.lines().skip(2) {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
            text.push_str(line);
            text.push('\n');
        } else if line.starts_with("# ") {
            comments.push(line);
        } else if let Some((key, _)) = line.trim_start_matches('#').split_once(" = ") {
            for comment in comments.drain(..) {
                text.push_str(comment);
                text.push('\n');
            }
            let is_first = !chosen.contains(&section);
            chosen.push(section);
            write_key(&mut text, answers, &values, (section, key), line, is_first);
        } else {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

fn write_key(
    text: &mut String,
    answers: &InitAnswers,
    values: &BTreeMap<String, String>,
    (section, key): (&str, &str),
    line: &str,
    is_first: bool,
) {
    if matches!(section, "data.tables" | "data.types" | "privacy.personal") {
        let prefix = format!("{section}.");
        let entries: Vec<_> = values.iter().filter(|(path, _)| path.starts_with(&prefix)).collect();
        for (path, value) in entries.iter().filter(|_| is_first) {
            write_reason(text, answers, path);
            let _ = writeln!(text, "{} = {value}", quote_key(&path[prefix.len()..]));
        }
        if entries.is_empty() || !is_first {
            let _ = writeln!(text, "{line}");
        }
        return;
    }
    let path = &format!("{section}.{key}");
    write_reason(text, answers, path);
    let _ = match values.get(path) {
        Some(value) => writeln!(text, "{key} = {value}"),
        None => writeln!(text, "#{}", line.trim_start_matches('#')),
    };
}

fn write_reason(text: &mut String, answers: &InitAnswers, path: &str) {
    for why in answers.why(path) {
        for line in why.lines() {
            let _ = writeln!(text, "#   because {line}");
        }
    }
}

fn values(answers: &InitAnswers) -> BTreeMap<String, String> {
    let mut values = BTreeMap::new();
    let mut set = |path: &str, value: Option<String>| {
        if let Some(value) = value {
            values.insert(path.to_owned(), value);
        }
    };
    let outside = answers.outside.as_ref().map(InitOutside::to_toml);
    let place = |table: &InitTable| outside.clone().unwrap_or_else(|| string_or_list(&table.patterns));
    match &answers.tables[..] {
        [only] if answers.sql.is_none() && answers.future_sql.is_none() => set("data.source", Some(place(only))),
        tables => {
            for table in tables {
                set(&format!("data.tables.{}", table.name), Some(place(table)));
            }
        }
    }
    set("data.sql", answers.sql.as_deref().map(long_string));
    set("data.future_source", answers.future_source.as_deref().map(string));
    set("data.future_sql", answers.future_sql.as_deref().map(long_string));
    set("data.id", Some(list(&answers.id)));
    let named = [
        ("data.time", Some(&answers.time).filter(|name| !name.is_empty())),
        ("data.target", Some(&answers.target).filter(|name| !name.is_empty())),
        ("data.freq", answers.freq.as_ref()),
        ("data.timezone", answers.timezone.as_ref()),
        ("data.in_stock", answers.in_stock.as_ref()),
        ("data.price", answers.price.as_ref()),
        ("data.gaps", answers.gaps.as_ref()),
        ("data.duplicates", answers.duplicates.as_ref()),
        ("data.negatives", answers.negatives.as_ref()),
        ("data.country", answers.country.as_ref()),
        ("data.csv.encoding", answers.encoding.as_ref()),
    ];
    for (path, value) in named {
        set(path, value.map(|value| string(value)));
    }
    let lists = [
        ("data.hierarchy", &answers.hierarchy),
        ("data.static", &answers.static_columns),
        ("data.historic", &answers.historic),
        ("data.future", &answers.future),
        ("data.csv.date_format", &answers.date_format),
        ("data.csv.null_values", &answers.null_values),
    ];
    for (path, items) in lists {
        set(path, (!items.is_empty()).then(|| list(items)));
    }
    set("data.csv.delimiter", answers.delimiter.map(|sign| string(&sign.to_string())));
    set("data.csv.decimal", answers.decimal.map(|sign| string(&sign.to_string())));
    for (column, name) in &answers.types {
        set(&format!("data.types.{column}"), Some(string(name)));
    }
    for column in &answers.personal {
        set(&format!("privacy.personal.{column}"), Some(string("drop")));
    }
    set("forecast.horizon", answers.horizon.map(|steps| steps.to_string()));
    set("forecast.season_length", answers.season_length.map(|steps| steps.to_string()));
    set("forecast.folds", answers.folds.map(|folds| folds.to_string()));
    set("forecast.fold_stride", answers.fold_stride.map(|steps| steps.to_string()));
    set("gates.min_folds", answers.min_folds.map(|folds| folds.to_string()));
    values
}

fn string(text: &str) -> String {
    toml::Value::from(text).to_string()
}

/// A text of several lines keeps them, where TOML's literal form allows it.
fn long_string(text: &str) -> String {
    let is_literal = text.contains('\n') && !text.contains("'''") && !text.contains(|c: char| c.is_control() && c != '\n' && c != '\t');
    if is_literal { format!("'''\n{}\n'''", text.trim_end()) } else { string(text) }
}

fn list(items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|item| string(item)).collect();
    format!("[{}]", items.join(", "))
}

fn string_or_list(items: &[String]) -> String {
    if let [only] = items { string(only) } else { list(items) }
}

fn quote_key(key: &str) -> String {
    let is_bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if is_bare { key.to_owned() } else { string(key) }
}
