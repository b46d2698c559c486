//! Open Data Contract Standard 3.1: what its schema, properties and quality rules demand, as expectations.
//!
//! Demands that stand for themselves (`required`, `unique`, types, library metrics, SQL) become expectations; a text is a note; rules of
//! other engines cannot be honoured and are refused.

use serde_json::{Map, Value as Json, json};

use crate::error::SuiteError;
use crate::import::gx;
use crate::suite::{Expectation, Severity, Suite};

struct Contract<'a> {
    file: &'a str,
    suite: Suite,
}

pub(crate) fn read(top: &Map<String, Json>, file: &str) -> Result<Vec<Suite>, SuiteError> {
    let refuse =
        |place: &str, problem: &str| SuiteError::Contract { file: file.to_owned(), place: place.to_owned(), problem: problem.to_owned() };
    let version = top.get("apiVersion").and_then(Json::as_str).unwrap_or_default();
    if !version.starts_with("v3.") {
        return Err(refuse("apiVersion", &format!("contracts of version 3 are known, not `{version}`")));
    }
    let Some(tables) = top.get("schema").and_then(Json::as_array) else { return Err(refuse("schema", "it has no list of tables")) };
    let mut suites = Vec::new();
    for table in tables {
        let name = table.get("name").and_then(Json::as_str).ok_or_else(|| refuse("schema", "a table has no name"))?;
        let physical = table.get("physicalName").and_then(Json::as_str).unwrap_or(name);
        let mut contract =
            Contract { file, suite: Suite { name: format!("contract {name}"), table: Some(physical.to_owned()), ..Suite::default() } };
        contract.table(table, name)?;
        suites.push(contract.suite);
    }
    Ok(suites)
}

impl Contract<'_> {
    fn refuse(&self, place: &str, problem: impl Into<String>) -> SuiteError {
        SuiteError::Contract { file: self.file.to_owned(), place: place.to_owned(), problem: problem.into() }
    }

    fn add(&mut self, place: &str, kind: &str, kwargs: Json, severity: Severity) -> Result<(), SuiteError> {
        let kwargs = kwargs.as_object().cloned().unwrap_or_default();
        let meta = Map::from_iter([("contract".to_owned(), json!(place))]);
        let expectation = Expectation::parse(kind, kwargs, severity, meta).map_err(|problem| self.refuse(place, problem))?;
        self.suite.expectations.push(expectation);
        Ok(())
    }

    fn table(&mut self, table: &Json, name: &str) -> Result<(), SuiteError> {
        let mut key: Vec<(i64, String)> = Vec::new();
        for property in table.get("properties").and_then(Json::as_array).into_iter().flatten() {
            let logical = property.get("name").and_then(Json::as_str).ok_or_else(|| self.refuse(name, "a property has no name"))?;
            let column = property.get("physicalName").and_then(Json::as_str).unwrap_or(logical).to_owned();
            let place = format!("{name}.{logical}");
            self.add(&place, "expect_column_to_exist", json!({ "column": column }), Severity::Fail)?;
            self.property(property, &column, &place)?;
            if property.get("primaryKey") == Some(&Json::Bool(true)) {
                key.push((property.get("primaryKeyPosition").and_then(Json::as_i64).unwrap_or(0), column.clone()));
                self.add(&place, "expect_column_values_to_not_be_null", json!({ "column": column }), Severity::Fail)?;
            }
            for rule in property.get("quality").and_then(Json::as_array).into_iter().flatten() {
                self.rule(rule, Some(&column), &place)?;
            }
        }
        key.sort();
        let columns: Vec<String> = key.into_iter().map(|pair| pair.1).collect();
        match &columns[..] {
            [] => {}
            [column] => self.add(name, "expect_column_values_to_be_unique", json!({ "column": column }), Severity::Fail)?,
            _ => self.add(name, "expect_compound_columns_to_be_unique", json!({ "column_list": columns }), Severity::Fail)?,
        }
        for rule in table.get("quality").and_then(Json::as_array).into_iter().flatten() {
            self.rule(rule, None, name)?;
        }
        Ok(())
    }

    fn property(&mut self, property: &Json, column: &str, place: &str) -> Result<(), SuiteError> {
        let is = |name: &str| property.get(name) == Some(&Json::Bool(true));
        if is("required") {
            self.add(place, "expect_column_values_to_not_be_null", json!({ "column": column }), Severity::Fail)?;
        }
        if is("unique") {
            self.add(place, "expect_column_values_to_be_unique", json!({ "column": column }), Severity::Fail)?;
        }
        let logical = property.get("logicalType").and_then(Json::as_str);
        let types: &[&str] = match logical {
            None => &[],
            Some("string") => &["str"],
            Some("integer") => &["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"],
            Some("number") => &["number"],
            Some("boolean") => &["bool"],
            Some("date") => &["date", "datetime64"],
            Some("timestamp") => &["datetime64", "datetime"],
            Some(other @ ("object" | "array" | "time" | "map")) => {
                return Err(self.refuse(place, format!("columns of the logical type `{other}` cannot be judged")));
            }
            Some(other) => return Err(self.refuse(place, format!("there is no logical type `{other}`"))),
        };
        if logical == Some("integer") && !is("required") {
            // With holes, integers are numbers to pandas; what is judged is what is there.
            self.add(place, "expect_column_values_to_be_in_type_list", json!({"column": column, "type_list": ["number"]}), Severity::Fail)?;
        } else if !types.is_empty() {
            self.add(place, "expect_column_values_to_be_in_type_list", json!({"column": column, "type_list": types}), Severity::Fail)?;
        }
        if let Some(values) = property.get("enum") {
            self.add(place, "expect_column_values_to_be_in_set", json!({"column": column, "value_set": values}), Severity::Fail)?;
        }
        let Some(options) = property.get("logicalTypeOptions").and_then(Json::as_object) else { return Ok(()) };
        let mut range = json!({ "column": column });
        let mut length = json!({ "column": column });
        for (option, value) in options {
            match option.as_str() {
                "minLength" => length["min_value"] = value.clone(),
                "maxLength" => length["max_value"] = value.clone(),
                "minimum" => range["min_value"] = value.clone(),
                "maximum" => range["max_value"] = value.clone(),
                "exclusiveMinimum" if value.is_boolean() => range["strict_min"] = value.clone(),
                "exclusiveMaximum" if value.is_boolean() => range["strict_max"] = value.clone(),
                "exclusiveMinimum" => {
                    range["min_value"] = value.clone();
                    range["strict_min"] = json!(true);
                }
                "exclusiveMaximum" => {
                    range["max_value"] = value.clone();
                    range["strict_max"] = json!(true);
                }
                "pattern" => {
                    self.add(place, "expect_column_values_to_match_regex", json!({"column": column, "regex": value}), Severity::Fail)?;
                }
                // Formats of typed columns say how they are written elsewhere, and change no value here.
                "format" if logical != Some("string") => {}
                "timezone" | "defaultTimezone" => {}
                "format" => self.format(value, column, place)?,
                other => return Err(self.refuse(place, format!("the option `{other}` of a logical type is not supported"))),
            }
        }
        if length.as_object().is_some_and(|length| length.len() > 1) {
            self.add(place, "expect_column_value_lengths_to_be_between", length, Severity::Fail)?;
        }
        if range.get("min_value").is_some() || range.get("max_value").is_some() {
            self.add(place, "expect_column_values_to_be_between", range, Severity::Fail)?;
        }
        Ok(())
    }

    fn format(&mut self, format: &Json, column: &str, place: &str) -> Result<(), SuiteError> {
        let pattern = match format.as_str().unwrap_or_default() {
            "uuid" => r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$",
            "email" => r"^[^@\s]+@[^@\s]+\.[^@\s]+$",
            "ipv4" => r"^((25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(25[0-5]|2[0-4]\d|1?\d?\d)$",
            "uri" => r"^[A-Za-z][A-Za-z0-9+.-]*:\S+$",
            // Secrets and bytes are texts of any form.
            "password" | "byte" | "binary" => return Ok(()),
            other => return Err(self.refuse(place, format!("the format `{other}` is not supported; write it as a `pattern`"))),
        };
        self.add(place, "expect_column_values_to_match_regex", json!({"column": column, "regex": pattern}), Severity::Fail)
    }

    fn rule(&mut self, rule: &Json, column: Option<&str>, place: &str) -> Result<(), SuiteError> {
        let text = |name: &str| rule.get(name).and_then(Json::as_str);
        let severity = match text("severity") {
            Some("info" | "low" | "warning" | "warn" | "minor") => Severity::Warn,
            _ => Severity::Fail,
        };
        match text("type").unwrap_or("library") {
            // A text is for people.
            "text" => return Ok(()),
            "library" => {}
            "custom" if text("engine").is_some_and(|engine| engine.eq_ignore_ascii_case("greatExpectations")) => {
                return self.custom(rule, column, place, severity);
            }
            "custom" => {
                return Err(self.refuse(place, format!("rules of the engine `{}` are not supported", text("engine").unwrap_or("?"))));
            }
            "sql" => {
                let query = text("query").ok_or_else(|| self.refuse(place, "a rule in SQL has no `query`"))?;
                let mut kwargs = json!({"metric": "sql", "query": query, "column": column});
                for (name, value) in rule.as_object().into_iter().flatten().filter(|(name, _)| name.starts_with("must")) {
                    kwargs[name] = value.clone();
                }
                return self.add(place, "expect_metric_to_be", kwargs, severity);
            }
            other => return Err(self.refuse(place, format!("there is no type of rule `{other}`"))),
        }
        let metric = text("metric").or_else(|| text("rule")).ok_or_else(|| self.refuse(place, "a quality rule names no `metric`"))?;
        // Version 3.0 had other names, and one of its rules no bound of its own.
        let renamed = match metric {
            "nullCheck" => "nullValues",
            "duplicateCount" => "duplicateValues",
            "validValues" => "invalidValues",
            other => other,
        };
        let mut kwargs = json!({ "metric": renamed });
        if metric == "validValues" && !rule.as_object().is_some_and(|rule| rule.keys().any(|key| key.starts_with("must"))) {
            kwargs["mustBe"] = json!(0);
        }
        if let Some(column) = column {
            kwargs["column"] = json!(column);
        }
        for (name, value) in rule.as_object().into_iter().flatten() {
            match name.as_str() {
                "arguments" => {
                    for (argument, value) in value.as_object().into_iter().flatten() {
                        kwargs[argument] = value.clone();
                    }
                }
                "validValues" | "pattern" | "missingValues" | "unit" => kwargs[name] = value.clone(),
                other if other.starts_with("must") => kwargs[other] = value.clone(),
                _ => {}
            }
        }
        self.add(place, "expect_metric_to_be", kwargs, severity)
    }

    fn custom(&mut self, rule: &Json, column: Option<&str>, place: &str, severity: Severity) -> Result<(), SuiteError> {
        let written = match rule.get("implementation") {
            Some(Json::String(text)) => {
                serde_yaml_ng::from_str(text).map_err(|error| self.refuse(place, format!("its implementation is not YAML: {error}")))?
            }
            Some(other) => other.clone(),
            None => return Err(self.refuse(place, "a custom rule has no `implementation`")),
        };
        let list = if written.is_array() { written } else { json!([written]) };
        let top = json!({"name": place, "expectations": list});
        let mut suite = gx::read(top.as_object().unwrap_or(&Map::new()), self.file)?;
        for mut expectation in suite.expectations.drain(..) {
            // A rule of a property is about its column.
            if let (Some(column), None) = (column, expectation.kwargs.get("column"))
                && let Ok(with_column) = {
                    let mut kwargs = expectation.kwargs.clone();
                    kwargs.insert("column".into(), json!(column));
                    Expectation::parse(&expectation.kind, kwargs, severity, Map::new())
                }
            {
                expectation = with_column;
            }
            expectation.severity = severity;
            self.suite.expectations.push(expectation);
        }
        Ok(())
    }
}
