//! Searching logged models: MLflow's filter, its order by attributes or metrics of datasets, and pages.
//!
//! Not here: the form of a filter (`filter`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};

use super::{COLUMNS, model, with_data};
use crate::db::Value;
use crate::filter::{Comparison, Identifier, Operand, Operator, parse_filter};
use crate::store::page::check_max_results;
use crate::store::runs::number_list;
use crate::{DatasetFilter, LoggedModel, LoggedModelOrder, LoggedModelQuery, LoggedModelStatus, Page, StoreError, TrackingStore};

const ENTITIES: &str = "['attributes', 'metrics', 'params', 'tags']";
const NUMERIC_OPERATORS: [Operator; 6] = [Operator::Lt, Operator::Le, Operator::Gt, Operator::Ge, Operator::Eq, Operator::Ne];
const TEXT_OPERATORS: [Operator; 6] = [Operator::Eq, Operator::Ne, Operator::Like, Operator::ILike, Operator::In, Operator::NotIn];

/// A statement that grows, with its values.
struct Statement {
    /// Conditions on the table `m`.
    conditions: Vec<String>,
    /// Columns that only the order looks at.
    columns: Vec<String>,
    order: Vec<String>,
    values: Vec<Bound>,
}

/// A value that the statement owns.
enum Bound {
    Text(String),
    Number(f64),
    Int(i64),
}

impl Bound {
    fn arg(&self) -> Value<'_> {
        match self {
            Self::Text(text) => Value::from(text),
            Self::Number(number) => Value::from(*number),
            Self::Int(number) => Value::from(*number),
        }
    }
}

impl Statement {
    fn text(&mut self, text: impl Into<String>) -> String {
        self.bind(Bound::Text(text.into()))
    }

    fn bind(&mut self, value: Bound) -> String {
        self.values.push(value);
        format!("?{}", self.values.len())
    }

    fn args(&self) -> Vec<Value<'_>> {
        self.values.iter().map(Bound::arg).collect()
    }
}

impl TrackingStore {
    /// Searches logged models that were not deleted.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_VALUE` for a filter, order, dataset or page that is not understood.
    pub fn search_logged_models(&self, query: &LoggedModelQuery) -> Result<Page<LoggedModel>, StoreError> {
        if query.datasets.iter().any(|dataset| dataset.name.is_empty()) {
            return Err(StoreError::invalid("`dataset_name` in the `datasets` clause must be specified."));
        }
        check_max_results(query.max_results, i64::from(i32::MAX))?;
        let offset = offset(query)?;
        let mut statement = Statement { conditions: Vec::new(), columns: Vec::new(), order: Vec::new(), values: Vec::new() };
        add_filter(&mut statement, query)?;
        add_order(&mut statement, &query.order_by)?;
        if query.experiments.is_empty() {
            return Ok(Page { items: Vec::new(), next: None });
        }
        let ids: Vec<i64> = query.experiments.iter().map(|id| id.0).collect();
        statement.conditions.push(format!("m.experiment_id IN ({})", number_list(&ids)));
        let limit = query.max_results;
        let (limit_place, offset_place) = (statement.bind(Bound::Int(limit + 1)), statement.bind(Bound::Int(offset)));
        let columns = std::iter::once("m.*").chain(statement.columns.iter().map(String::as_str)).collect::<Vec<_>>().join(", ");
        let sql = format!(
            "SELECT {COLUMNS} FROM (SELECT {columns} FROM logged_models AS m WHERE m.lifecycle_stage = 'active' AND {}) AS m
             ORDER BY {} LIMIT {limit_place} OFFSET {offset_place}",
            statement.conditions.join(" AND "),
            statement.order.join(", ")
        );
        self.db.read(|session| {
            let mut found = session.all(&sql, &statement.args(), model)?;
            let has_more = found.len() as i64 > limit;
            found.truncate(limit as usize);
            Ok(Page { items: with_data(session, found)?, next: has_more.then(|| token(query, offset + limit)) })
        })
    }
}

/// What a comparison is about.
enum Subject {
    /// A column of text, as SQL.
    Text(&'static str),
    /// A column of a number.
    Number(&'static str),
    Status,
    Metric,
    Param,
    Tag,
}

impl Subject {
    fn of(entity: Option<&str>, key: &str) -> Result<Self, StoreError> {
        match entity {
            None | Some("attributes") => attribute(key).ok_or_else(|| {
                StoreError::invalid(format!(
                    "Invalid attribute key '{key}' specified. Valid keys are '['artifact_location', 'creation_timestamp', 'experiment_id', \
                     'last_updated_timestamp', 'lifecycle_stage', 'model_id', 'model_type', 'name', 'source_run_id', 'status', \
                     'status_message']'"
                ))
            }),
            Some("metrics") => Ok(Self::Metric),
            Some("params") => Ok(Self::Param),
            Some("tags") => Ok(Self::Tag),
            Some(other) => Err(StoreError::invalid(format!("Invalid entity type: {}. Expected one of {ENTITIES}.", python_text(other)))),
        }
    }

    fn entity(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::Number(_) | Self::Status => "attributes",
            Self::Metric => "metrics",
            Self::Param => "params",
            Self::Tag => "tags",
        }
    }

    fn operators(&self) -> [Operator; 6] {
        if matches!(self, Self::Metric | Self::Number(_)) { NUMERIC_OPERATORS } else { TEXT_OPERATORS }
    }
}

fn attribute(key: &str) -> Option<Subject> {
    Some(match key {
        "model_id" => Subject::Text("m.model_id"),
        "experiment_id" => Subject::Text("CAST(m.experiment_id AS TEXT)"),
        "name" => Subject::Text("m.name"),
        "artifact_location" | "artifact_uri" => Subject::Text("m.artifact_uri"),
        "model_type" => Subject::Text("m.model_type"),
        "source_run_id" => Subject::Text("m.source_run_id"),
        "status" => Subject::Status,
        "status_message" => Subject::Text("m.status_message"),
        "lifecycle_stage" => Subject::Text("m.lifecycle_stage"),
        "creation_timestamp" | "creation_time" | "creation_timestamp_ms" => Subject::Number("m.creation_time"),
        "last_updated_timestamp" | "last_updated_time" | "last_updated_timestamp_ms" => Subject::Number("m.last_updated_time"),
        _ => return None,
    })
}

fn add_filter(statement: &mut Statement, query: &LoggedModelQuery) -> Result<(), StoreError> {
    let comparisons = parse_filter(&query.filter).map_err(|_| {
        StoreError::invalid(format!(
            "Invalid filter string: {}. Expected a list of comparisons separated by 'AND' (e.g. 'metrics.loss > 0.1 AND params.lr = 0.01').",
            python_text(&query.filter)
        ))
    })?;
    let mut has_metrics = false;
    for comparison in &comparisons {
        let key = &comparison.left.key;
        let subject = Subject::of(comparison.left.entity.as_deref(), key)?;
        let operators = subject.operators();
        if !operators.contains(&comparison.operator) {
            let expected: Vec<String> = operators.iter().map(|operator| format!("'{}'", operator.as_str())).collect();
            return Err(StoreError::invalid(format!(
                "Invalid comparison operator for {}.{key}: '{}'. Expected one of ({}).",
                subject.entity(),
                comparison.operator.as_str(),
                expected.join(", ")
            )));
        }
        let condition = match subject {
            Subject::Text(column) => compare_texts(statement, column, comparison, str::to_owned)?,
            Subject::Number(column) => compare_numbers(statement, column, comparison)?,
            Subject::Status => {
                let column = "CASE m.status WHEN 1 THEN 'PENDING' WHEN 2 THEN 'READY' WHEN 3 THEN 'FAILED' ELSE 'UNSPECIFIED' END";
                compare_texts(statement, column, comparison, short_status)?
            }
            Subject::Metric => {
                has_metrics = true;
                let key = statement.text(key);
                let datasets = datasets(statement, &query.datasets);
                let compared = compare_numbers(statement, "x.value", comparison)?;
                // NaN is unequal to every number, and nothing else.
                let compared = match comparison.operator {
                    Operator::Ne => format!("({compared} OR x.is_nan = 1)"),
                    _ => format!("{compared} AND x.is_nan = 0"),
                };
                format!(
                    "EXISTS (SELECT 1 FROM logged_model_metrics AS x WHERE x.model_no = m.model_no AND x.key = {key} AND {compared}{datasets})"
                )
            }
            Subject::Param | Subject::Tag => {
                let table = if matches!(subject, Subject::Param) { "logged_model_params" } else { "logged_model_tags" };
                let key = statement.text(key);
                let compared = compare_texts(statement, "x.value", comparison, str::to_owned)?;
                format!("EXISTS (SELECT 1 FROM {table} AS x WHERE x.model_no = m.model_no AND x.key = {key} AND {compared})")
            }
        };
        statement.conditions.push(condition);
    }
    if !has_metrics && !query.datasets.is_empty() {
        let datasets = datasets(statement, &query.datasets);
        statement.conditions.push(format!("EXISTS (SELECT 1 FROM logged_model_metrics AS x WHERE x.model_no = m.model_no{datasets})"));
    }
    Ok(())
}

/// Makes a condition that the metric `x` belongs to one of some datasets.
fn datasets(statement: &mut Statement, datasets: &[DatasetFilter]) -> String {
    let mut conditions = Vec::with_capacity(datasets.len());
    for DatasetFilter { name, digest } in datasets {
        let mut condition = format!("x.dataset_name = {}", statement.text(name));
        if let Some(digest) = digest {
            condition = format!("{condition} AND x.dataset_digest = {}", statement.text(digest));
        }
        conditions.push(format!("({condition})"));
    }
    if conditions.is_empty() { String::new() } else { format!(" AND ({})", conditions.join(" OR ")) }
}

fn compare_numbers(statement: &mut Statement, left: &str, comparison: &Comparison) -> Result<String, StoreError> {
    let number = match &comparison.right {
        Operand::Number(text) | Operand::Word(text) => text.parse().ok().filter(|number: &f64| !number.is_nan()),
        _ => None,
    };
    let number = number.ok_or_else(|| {
        let Comparison { left, right, .. } = comparison;
        StoreError::invalid(format!("Expected numeric value type for {}. Found {right}", shown(left)))
    })?;
    let right = statement.bind(Bound::Number(number.clamp(f64::MIN, f64::MAX)));
    Ok(comparison.operator.condition(left, &right).expect("operators of numbers compare two values"))
}

fn shown(identifier: &Identifier) -> String {
    match &identifier.entity {
        Some(entity) => format!("{entity}.{}", identifier.key),
        None => identifier.key.clone(),
    }
}

/// `read` turns what was written into what the column holds.
fn compare_texts(statement: &mut Statement, left: &str, comparison: &Comparison, read: fn(&str) -> String) -> Result<String, StoreError> {
    let invalid = |rule: &str| {
        let Comparison { left, right, .. } = comparison;
        StoreError::invalid(format!("Expected {rule} for {}. Got value {right}", shown(left)))
    };
    match (comparison.operator, &comparison.right) {
        (Operator::In | Operator::NotIn, Operand::List(items)) => {
            // Nothing is in an empty list.
            if items.is_empty() {
                return Ok(if comparison.operator == Operator::In { "1 = 0" } else { "1 = 1" }.to_owned());
            }
            let places: Vec<String> = items.iter().map(|item| statement.text(read(item))).collect();
            Ok(format!("{left} {} ({})", comparison.operator.as_str(), places.join(", ")))
        }
        (Operator::In | Operator::NotIn, _) => Err(invalid("a list of quoted strings")),
        (operator, Operand::Text(text) | Operand::Number(text) | Operand::Word(text)) => {
            let is_pattern = matches!(operator, Operator::Like | Operator::ILike);
            let right = statement.text(if is_pattern { text.clone() } else { read(text) });
            Ok(operator.condition(left, &right).expect("lists were handled"))
        }
        (_, Operand::List(_) | Operand::Nothing) => Err(invalid("a quoted string value")),
    }
}

/// A status may be written as MLflow's word, as the Python client shows it, or as a number.
fn short_status(text: &str) -> String {
    let status = text.parse().map_or_else(|_| LoggedModelStatus::parse(text), LoggedModelStatus::from_number);
    status.map_or_else(|| text.to_owned(), |status| status.short().to_owned())
}

fn add_order(statement: &mut Statement, order_by: &[LoggedModelOrder]) -> Result<(), StoreError> {
    let (mut has_time, mut has_id) = (false, false);
    for (place, order) in order_by.iter().enumerate() {
        let direction = if order.ascending { "ASC" } else { "DESC" };
        if let Some((entity, key)) = order.field.split_once('.') {
            if entity != "metrics" {
                return Err(StoreError::invalid(format!("Invalid order by field name: {}. Only metrics are supported.", order.field)));
            }
            let mut conditions = format!("x.model_no = m.model_no AND x.key = {}", statement.text(key));
            for (column, wanted) in [("dataset_name", &order.dataset_name), ("dataset_digest", &order.dataset_digest)] {
                if let Some(wanted) = wanted {
                    conditions = format!("{conditions} AND x.{column} = {}", statement.text(wanted));
                }
            }
            // The latest value; NaN comes last, like what has no value.
            statement.columns.push(format!(
                "(SELECT CASE WHEN x.is_nan = 1 THEN NULL ELSE x.value END FROM logged_model_metrics AS x WHERE {conditions}
                  ORDER BY x.timestamp DESC, x.step DESC, x.run_no, x.value DESC LIMIT 1) AS order_{place}"
            ));
            statement.order.push(format!("CASE WHEN m.order_{place} IS NULL THEN 1 ELSE 0 END, m.order_{place} {direction}"));
            continue;
        }
        let subject = attribute(&order.field);
        let column = match subject {
            Some(Subject::Text("CAST(m.experiment_id AS TEXT)")) => "m.experiment_id",
            Some(Subject::Text(column) | Subject::Number(column)) => column,
            Some(Subject::Status) => "m.status",
            _ => return Err(StoreError::invalid(format!("Invalid order by field name: {}", order.field))),
        };
        has_time |= column == "m.creation_time";
        has_id |= column == "m.model_id";
        statement.order.push(format!("{column} {direction}"));
    }
    if !has_time {
        statement.order.push("m.creation_time DESC".to_owned());
    }
    if !has_id {
        statement.order.push("m.model_id".to_owned());
    }
    Ok(())
}

/// What a page token holds besides the offset: what was searched for.
fn searched(query: &LoggedModelQuery) -> [(&'static str, &'static str, Json); 3] {
    let ids: Vec<String> = query.experiments.iter().map(ToString::to_string).collect();
    let filter = Some(&query.filter).filter(|filter| !filter.is_empty());
    let term = |order: &LoggedModelOrder| {
        json!({
            "field_name": order.field, "ascending": order.ascending,
            "dataset_name": order.dataset_name, "dataset_digest": order.dataset_digest,
        })
    };
    let order: Option<Vec<Json>> = if query.order_by.is_empty() { None } else { Some(query.order_by.iter().map(term).collect()) };
    [
        ("experiment_ids", "Experiment IDs in the page token do not match the requested experiment IDs", json!(ids)),
        ("filter_string", "Filter string in the page token does not match the requested filter string", json!(filter)),
        ("order_by", "Order by in the page token does not match the requested order by", json!(order)),
    ]
}

fn token(query: &LoggedModelQuery, offset: i64) -> String {
    let mut fields = serde_json::Map::new();
    for (name, _, value) in searched(query) {
        fields.insert(name.to_owned(), value);
    }
    fields.insert("offset".to_owned(), json!(offset));
    STANDARD.encode(Json::Object(fields).to_string())
}

/// Returns the offset of a page, whose token must be of the same search.
fn offset(query: &LoggedModelQuery) -> Result<i64, StoreError> {
    let Some(token) = query.page_token.as_deref().filter(|token| !token.is_empty()) else { return Ok(0) };
    let invalid = || StoreError::invalid(format!("Invalid page token: {token}."));
    let decoded = STANDARD.decode(token).map_err(|_| invalid())?;
    let decoded: Json = serde_json::from_slice(&decoded).map_err(|_| invalid())?;
    let decoded = decoded.as_object().ok_or_else(invalid)?;
    for (name, rule, expected) in searched(query) {
        let found = decoded.get(name).unwrap_or(&Json::Null);
        if *found != expected {
            return Err(StoreError::invalid(format!("{rule}. Expected: {}. Found: {}", plain(&expected), plain(found))));
        }
    }
    decoded.get("offset").and_then(Json::as_i64).filter(|offset| *offset >= 0).ok_or_else(invalid)
}

/// Writes a value as MLflow's messages show it; a text without quotes.
fn plain(value: &Json) -> String {
    value.as_str().map_or_else(|| python(value), str::to_owned)
}

/// Writes a value as MLflow's messages show it inside another one.
fn python(value: &Json) -> String {
    match value {
        Json::Null => "None".to_owned(),
        Json::Bool(true) => "True".to_owned(),
        Json::Bool(false) => "False".to_owned(),
        Json::Number(number) => number.to_string(),
        Json::String(text) => python_text(text),
        Json::Array(items) => format!("[{}]", items.iter().map(python).collect::<Vec<_>>().join(", ")),
        Json::Object(fields) => {
            let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{}: {}", python_text(name), python(value))).collect();
            format!("{{{}}}", fields.join(", "))
        }
    }
}

/// Writes a text as MLflow's messages show it, in quotes.
pub(super) fn python_text(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t");
    match (escaped.contains('\''), escaped.contains('"')) {
        (true, false) => format!("\"{escaped}\""),
        (true, true) => format!("'{}'", escaped.replace('\'', "\\'")),
        (false, _) => format!("'{escaped}'"),
    }
}
