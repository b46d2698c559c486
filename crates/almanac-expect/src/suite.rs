//! What must hold of a table, as written down: a suite of expectations, with how much a failure weighs.
//!
//! Not here: what each expectation means (`rule`), suites of other tools (`import`).

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::condition::Condition;
use crate::error::SuiteError;
use crate::import;
use crate::rule::Rule;

/// What a failure does to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It is said.
    Warn,
    /// The rows at fault are taken out; the run goes on without them.
    Quarantine,
    /// The run stops.
    Fail,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warn => "warn",
            Self::Quarantine => "quarantine",
            Self::Fail => "fail",
        })
    }
}

/// Whose words results are given in, where the two differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// Great Expectations 0.18.
    Gx0,
    /// Great Expectations 1.x.
    Gx1,
    /// Almanac's own form, and data contracts: as Great Expectations 1.x, but texts stand for dates too.
    #[default]
    Own,
}

/// One thing that must hold.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// Its name, as Great Expectations and Almanac spell it: `expect_…`.
    pub kind: String,
    /// Its arguments as given, with `mostly` and the row condition.
    pub kwargs: Map<String, Json>,
    /// What a failure does.
    pub severity: Severity,
    /// Share of the rows that must hold, 0 to 1. Only rows that are judged count.
    pub mostly: f64,
    /// Only rows for which this is true are looked at.
    pub condition: Option<Condition>,
    /// Notes, carried along.
    pub meta: Map<String, Json>,
    /// What must hold in the words of whoever wrote it, where they gave any.
    pub description: Option<String>,
    /// What it means.
    pub(crate) rule: Rule,
}

/// The expectations of one table.
#[derive(Debug, Clone, Default)]
pub struct Suite {
    /// Name.
    pub name: String,
    /// `bronze`, `silver` or `gold`, where the suite says so.
    pub layer: Option<String>,
    /// Table, where the suite says so.
    pub table: Option<String>,
    /// Columns whose values no result may show.
    pub personal: Vec<String>,
    /// Expectations in their order.
    pub expectations: Vec<Expectation>,
    /// Whose words results are given in.
    pub dialect: Dialect,
    /// Notes, carried along.
    pub meta: Map<String, Json>,
}

/// Our own form of a suite in a file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, alias = "name")]
    suite: Option<String>,
    #[serde(default)]
    layer: Option<String>,
    #[serde(default)]
    table: Option<String>,
    #[serde(default)]
    personal: Vec<String>,
    #[serde(default)]
    meta: Map<String, Json>,
    expectations: Vec<Map<String, Json>>,
}

impl Expectation {
    /// Reads an expectation from its name and arguments.
    ///
    /// # Errors
    /// One sentence, if the name is not known, an argument is missing, of a wrong type or not known, or a pattern cannot be honoured.
    pub fn parse(kind: &str, kwargs: Map<String, Json>, severity: Severity, meta: Map<String, Json>) -> Result<Self, String> {
        let mut arguments = kwargs.clone();
        let mostly = match arguments.remove("mostly") {
            None | Some(Json::Null) => 1.0,
            Some(mostly) => {
                let share = mostly.as_f64().ok_or_else(|| format!("`mostly` is a share from 0 to 1, not {mostly}"))?;
                if !(0.0..=1.0).contains(&share) {
                    return Err(format!("`mostly` is a share from 0 to 1, not {share}"));
                }
                share
            }
        };
        let description = match arguments.remove("description") {
            None | Some(Json::Null) => None,
            Some(Json::String(text)) => Some(text),
            Some(other) => return Err(format!("`description` is a text, not {other}")),
        };
        let parser = arguments.remove("condition_parser");
        let condition = match (arguments.remove("row_condition"), arguments.remove("where")) {
            (None | Some(Json::Null), None | Some(Json::Null)) => None,
            (Some(json), None) | (None, Some(json)) => Some(Condition::of_json(&json, parser.as_ref().and_then(Json::as_str))?),
            _ => return Err("give `where` or `row_condition`, not both".into()),
        };
        let rule = Rule::parse(kind, arguments)?;
        if mostly < 1.0 && !rule.has_rows() {
            return Err("`mostly` has no meaning here: the expectation is about the whole column or table".into());
        }
        if severity == Severity::Quarantine && !rule.has_rows() {
            return Err("it judges the whole column or table, so that no rows can be taken out; choose `fail` or `warn`".into());
        }
        Ok(Self { kind: kind.to_owned(), kwargs, severity, mostly, condition, meta, description, rule })
    }

    /// Returns the columns it looks at.
    pub fn columns(&self) -> Vec<String> {
        let mut columns: Vec<String> = self.rule.columns();
        if let Some(condition) = &self.condition {
            condition.columns(&mut columns);
        }
        columns.sort();
        columns.dedup();
        columns
    }

    /// Returns whether rows can be told that fail it, so that they can be taken out.
    pub fn has_rows(&self) -> bool {
        self.rule.has_rows()
    }

    /// Returns the column or columns it is about, for people.
    pub fn subject(&self) -> Option<String> {
        let columns = self.rule.columns();
        (!columns.is_empty()).then(|| columns.join(", "))
    }

    /// Returns one line that says what must hold: its description, or else name and arguments.
    pub fn sentence(&self) -> String {
        if let Some(description) = &self.description {
            return description.clone();
        }
        let of_subject = |name: &str| matches!(name, "column" | "column_list" | "column_A" | "column_B" | "batch_id");
        let mut arguments: Vec<(&String, &serde_json::Value)> = self.kwargs.iter().filter(|(name, _)| !of_subject(name)).collect();
        // The lower bound before the upper one, as people say it.
        arguments.sort_by_key(|(name, _)| (!name.starts_with("min"), !name.starts_with("max")));
        let shown: Vec<String> = arguments.iter().map(|(name, value)| format!("{} {}", name.replace('_', " "), brief(value))).collect();
        let what = self.kind.trim_start_matches("expect_").replace('_', " ");
        if shown.is_empty() { what } else { format!("{what}: {}", shown.join(", ")) }
    }
}

/// A value on a line: texts without quotes, of a long list the first few and how many there are.
fn brief(value: &serde_json::Value) -> String {
    const SHOWN: usize = 4;
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(items) => {
            let first: Vec<String> = items.iter().take(SHOWN).map(brief).collect();
            let more = if items.len() > SHOWN { format!(", … ({})", items.len()) } else { String::new() };
            format!("[{}{more}]", first.join(", "))
        }
        other => other.to_string(),
    }
}

impl Suite {
    /// Reads a suite, or several, from a file: Almanac's own form in YAML or TOML, Great Expectations' in JSON, or an Open Data
    /// Contract, which has one suite for each of its tables.
    ///
    /// # Errors
    /// If the file cannot be read, or anything in it cannot be honoured.
    pub fn read(path: &Path) -> Result<Vec<Self>, SuiteError> {
        let text = std::fs::read_to_string(path).map_err(|source| SuiteError::Read { path: path.to_owned(), source })?;
        let mut suites = Self::parse(&text, &path.display().to_string())?;
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        for suite in &mut suites {
            if suite.name.is_empty() {
                suite.name.clone_from(&stem);
            }
        }
        Ok(suites)
    }

    /// Reads a suite, or several, from text. `file` is for messages; a name that ends in `.toml` says that it is TOML.
    ///
    /// # Errors
    /// As [`Suite::read`].
    pub fn parse(text: &str, file: &str) -> Result<Vec<Self>, SuiteError> {
        let syntax = |problem: String| SuiteError::Syntax { file: file.to_owned(), problem };
        let is_toml = Path::new(file).extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml"));
        let json: Json = if is_toml {
            toml::from_str(text).map_err(|error| syntax(error.to_string()))?
        } else {
            // JSON is YAML, but its own parser has the better messages and exact numbers.
            match text.trim_start().chars().next() {
                Some('{' | '[') => serde_json::from_str(text).map_err(|error| syntax(error.to_string()))?,
                _ => serde_yaml_ng::from_str(text).map_err(|error| syntax(error.to_string()))?,
            }
        };
        let Json::Object(top) = &json else { return Err(syntax("it has no keys at its top".into())) };
        if top.contains_key("apiVersion") || top.get("kind").and_then(Json::as_str) == Some("DataContract") {
            return import::odcs::read(top, file);
        }
        if import::gx::is_suite(top) {
            return Ok(vec![import::gx::read(top, file)?]);
        }
        let own: File = serde_json::from_value(json).map_err(|error| syntax(error.to_string()))?;
        let mut suite = Self {
            name: own.suite.unwrap_or_default(),
            layer: own.layer,
            table: own.table,
            personal: own.personal,
            meta: own.meta,
            ..Self::default()
        };
        for (place, mut written) in own.expectations.into_iter().enumerate() {
            let kind = match written.remove("type") {
                Some(Json::String(kind)) if kind.starts_with("expect_") => kind,
                Some(Json::String(kind)) => format!("expect_{kind}"),
                _ => String::new(),
            };
            let refuse = |problem: String| SuiteError::Expectation {
                file: file.to_owned(),
                number: place + 1,
                expectation: if kind.is_empty() { "?".into() } else { kind.clone() },
                problem,
            };
            if kind.is_empty() {
                return Err(refuse("`type` is missing: the name of an expectation".into()));
            }
            let severity = match written.remove("severity") {
                None => Severity::Fail,
                Some(json) => serde_json::from_value(json.clone())
                    .map_err(|_| refuse(format!("`severity` is fail, quarantine or warn, not {json}")))?,
            };
            let meta = match written.remove("meta") {
                None => Map::new(),
                Some(Json::Object(meta)) => meta,
                Some(text @ Json::String(_)) => Map::from_iter([("notes".to_owned(), text)]),
                Some(other) => return Err(refuse(format!("`meta` is a table, not {other}"))),
            };
            suite.expectations.push(Expectation::parse(&kind, written, severity, meta).map_err(refuse)?);
        }
        Ok(vec![suite])
    }

    /// Returns whether anything in it depends on the present.
    pub fn needs_now(&self) -> bool {
        self.expectations.iter().any(|expectation| expectation.rule.needs_now())
    }

    /// Returns whether rows that fail are to be taken out.
    pub fn takes_out(&self) -> bool {
        self.expectations.iter().any(|expectation| expectation.severity == Severity::Quarantine)
    }

    /// Writes the suite in Almanac's own form, as YAML that [`Suite::parse`] reads back.
    pub fn to_yaml(&self) -> String {
        let mut text = format!("suite: {}\n", scalar(&self.name));
        for (key, value) in [("layer", &self.layer), ("table", &self.table)] {
            if let Some(value) = value {
                text += &format!("{key}: {}\n", scalar(value));
            }
        }
        if !self.personal.is_empty() {
            text += &format!("personal: {}\n", Json::from(self.personal.clone()));
        }
        text += "expectations:\n";
        for expectation in &self.expectations {
            if let Some(reason) = expectation.meta.get("reason").and_then(Json::as_str) {
                text += &format!("  # {}\n", reason.replace('\n', " "));
            }
            text += &format!("  - type: {}\n", expectation.kind);
            for (key, value) in &expectation.kwargs {
                text += &format!("    {key}: {value}\n");
            }
            if expectation.severity != Severity::Fail {
                text += &format!("    severity: {}\n", expectation.severity);
            }
        }
        if self.expectations.is_empty() {
            text += "  []\n";
        }
        text
    }
}

fn scalar(text: &str) -> String {
    Json::String(text.to_owned()).to_string()
}
