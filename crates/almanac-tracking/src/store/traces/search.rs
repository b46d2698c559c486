//! Searching traces.
//!
//! Each comparison becomes one condition; those on spans meet in one `EXISTS`, so that they speak of the same span.
//!
//! Not here: the language (`filter`).

use super::rows::{COLUMNS, info_row, with_children};
use super::{SOURCE_RUN, TRACE_NAME, TrackingStore};
use crate::db::Value;
use crate::filter::{Comparison, Identifier, Operand, Operator, parse_filter, parse_order};
use crate::store::page::{check_max_results, offset, page};
use crate::{Page, StoreError, TraceInfo, TraceSearch};

/// Most traces on a page.
const MOST_RESULTS: i64 = 500;

const SEARCHABLE: [&str; 13] = [
    "request_id",
    "timestamp",
    "timestamp_ms",
    "execution_time",
    "execution_time_ms",
    "end_time",
    "end_time_ms",
    "status",
    "client_request_id",
    "name",
    "run_id",
    "prompt",
    "text",
];
const ORDERABLE: [&str; 11] = [
    "experiment_id",
    "timestamp",
    "timestamp_ms",
    "execution_time",
    "execution_time_ms",
    "end_time",
    "end_time_ms",
    "status",
    "request_id",
    "name",
    "run_id",
];
const ENTITIES: [&str; 7] = ["tag", "request_metadata", "attribute", "span", "feedback", "expectation", "issue"];

const TEXT: &[Operator] = &[Operator::Eq, Operator::Ne, Operator::Like, Operator::ILike, Operator::In, Operator::NotIn];
const PAIR: &[Operator] =
    &[Operator::Eq, Operator::Ne, Operator::Like, Operator::ILike, Operator::In, Operator::NotIn, Operator::IsNull, Operator::IsNotNull];
const NUMBER: &[Operator] = &[Operator::Eq, Operator::Ne, Operator::Gt, Operator::Ge, Operator::Lt, Operator::Le];
const LIKE: &[Operator] = &[Operator::Like, Operator::ILike];

impl TrackingStore {
    /// Returns the traces that a filter asks for, without spans.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_VALUE` if the filter or the order cannot be read, or more than 500 are asked for at once.
    pub fn search_traces(&self, search: &TraceSearch) -> Result<Page<TraceInfo>, StoreError> {
        check_max_results(search.max_results, MOST_RESULTS)?;
        let from = offset(search.page_token.as_deref())?;
        let query = Query::of(search, from)?;
        if search.experiments.is_empty() {
            return Ok(Page { items: Vec::new(), next: None });
        }
        self.db.read(|session| {
            let rows = session.all(&query.sql, &query.values(), info_row)?;
            let Page { items: mut rows, next } = page(rows, from, search.max_results);
            with_children(session, &mut rows)?;
            Ok(Page { items: rows.into_iter().map(|(_, info)| info).collect(), next })
        })
    }
}

/// What stands for a place in the statement.
enum Bound {
    Int(i64),
    Real(f64),
    Text(String),
}

/// A statement with its values.
#[derive(Default)]
struct Query {
    sql: String,
    bound: Vec<Bound>,
    /// Conditions on one span, which is called `s`.
    of_span: Vec<String>,
}

/// What is compared, after aliases.
enum Subject {
    /// A column or expression that holds a text.
    Text(&'static str),
    /// A column or expression that holds a whole number.
    Number(&'static str),
    /// A key in a table of pairs.
    Pair(&'static str, String),
    Run,
    Prompt,
    /// A column of a span.
    Span(&'static str),
    SpanAttribute(String),
    Assessment(&'static str, String),
    Issue,
}

impl Query {
    fn of(search: &TraceSearch, from: i64) -> Result<Self, StoreError> {
        let mut query = Self::default();
        let ids: Vec<String> = search.experiments.iter().map(|id| query.bind(Bound::Int(id.0))).collect();
        let mut conditions = vec![format!("t.experiment_id IN ({})", ids.join(", "))];
        for comparison in parse_filter(&search.filter)? {
            conditions.extend(query.condition(&comparison)?);
        }
        if !query.of_span.is_empty() {
            let of_span = query.of_span.join(" AND ");
            conditions.push(format!("EXISTS (SELECT 1 FROM trace_spans s WHERE s.trace_no = t.trace_no AND {of_span})"));
        }
        let order = query.order(&search.order_by)?;
        let (limit, offset) = (query.bind(Bound::Int(search.max_results + 1)), query.bind(Bound::Int(from)));
        query.sql =
            format!("SELECT {COLUMNS} FROM traces t WHERE {} ORDER BY {order} LIMIT {limit} OFFSET {offset}", conditions.join(" AND "));
        Ok(query)
    }

    fn values(&self) -> Vec<Value<'_>> {
        let mut values = Vec::with_capacity(self.bound.len());
        for bound in &self.bound {
            values.push(match bound {
                Bound::Int(value) => Value::from(*value),
                Bound::Real(value) => Value::from(*value),
                Bound::Text(value) => Value::from(value),
            });
        }
        values
    }

    fn bind(&mut self, value: Bound) -> String {
        self.bound.push(value);
        format!("?{}", self.bound.len())
    }

    fn bind_text(&mut self, text: &str) -> String {
        self.bind(Bound::Text(text.to_owned()))
    }

    /// Returns a condition, or `None` where it went to those of a span.
    fn condition(&mut self, comparison: &Comparison) -> Result<Option<String>, StoreError> {
        let condition = match subject(&comparison.left, &SEARCHABLE)? {
            Subject::Text(column) => self.text_condition(column, comparison, TEXT)?,
            Subject::Number(expression) => {
                allow(comparison, NUMBER)?;
                let number = self.number(comparison)?;
                format!("{expression} {} {number}", comparison.operator.as_str())
            }
            Subject::Pair(table, key) => self.pair_condition(table, &key, comparison)?,
            Subject::Run => self.run_condition(comparison)?,
            Subject::Prompt => self.prompt_condition(comparison)?,
            Subject::Span(column) => {
                let condition = self.text_condition(column, comparison, if column == "s.content" { LIKE } else { TEXT })?;
                self.of_span.push(condition);
                return Ok(None);
            }
            Subject::SpanAttribute(key) => {
                allow(comparison, TEXT)?;
                // The attribute is looked for in the text of the span: its name, and somewhere after it the value.
                let pattern = self.bind_text(&format!("%\"{key}\"%{}%", text(comparison)?));
                let operator = if comparison.operator == Operator::ILike { Operator::ILike } else { Operator::Like };
                let condition = operator.condition("s.content", &pattern).unwrap_or_default();
                let is_not = comparison.operator == Operator::Ne;
                self.of_span.push(if is_not { format!("NOT ({condition})") } else { condition });
                return Ok(None);
            }
            Subject::Assessment(kind, name) => self.assessment_condition(kind, &name, comparison)?,
            Subject::Issue => {
                allow(comparison, &[Operator::Eq])?;
                let name = self.bind_text(text(comparison)?);
                format!("EXISTS (SELECT 1 FROM assessments a WHERE a.trace_no = t.trace_no AND a.kind = 'issue' AND a.name = {name})")
            }
        };
        Ok(Some(condition))
    }

    fn text_condition(&mut self, left: &str, comparison: &Comparison, allowed: &[Operator]) -> Result<String, StoreError> {
        allow(comparison, allowed)?;
        if let (Operand::List(items), Operator::In | Operator::NotIn) = (&comparison.right, comparison.operator) {
            if items.is_empty() {
                return Err(StoreError::invalid("While parsing a list in the query, expected a non-empty list of string values."));
            }
            let items: Vec<String> = items.iter().map(|item| self.bind_text(item)).collect();
            return Ok(format!("{left} {} ({})", comparison.operator.as_str(), items.join(", ")));
        }
        let right = self.bind_text(text(comparison)?);
        comparison.operator.condition(left, &right).ok_or_else(|| not_a_list(comparison))
    }

    /// Returns a condition on the value of a key; a trace without the key meets none but `IS NULL`.
    fn pair_condition(&mut self, table: &str, key: &str, comparison: &Comparison) -> Result<String, StoreError> {
        allow(comparison, PAIR)?;
        let key = self.bind_text(key);
        let rows = format!("SELECT 1 FROM {table} p WHERE p.trace_no = t.trace_no AND p.key = {key}");
        match comparison.operator {
            Operator::IsNull => Ok(format!("NOT EXISTS ({rows})")),
            Operator::IsNotNull => Ok(format!("EXISTS ({rows})")),
            _ => Ok(format!("EXISTS ({rows} AND {})", self.text_condition("p.value", comparison, TEXT)?)),
        }
    }

    /// Traces of a run are those that were made under it and those that were linked to it later.
    fn run_condition(&mut self, comparison: &Comparison) -> Result<String, StoreError> {
        let made = self.pair_condition("trace_metadata", SOURCE_RUN, comparison)?;
        if !matches!(comparison.operator, Operator::Eq | Operator::In) {
            return Ok(made);
        }
        let linked = self.text_condition("r.run_id", comparison, TEXT)?;
        Ok(format!(
            "({made} OR EXISTS (SELECT 1 FROM trace_runs l JOIN runs r ON r.run_no = l.run_no WHERE l.trace_no = t.trace_no AND {linked}))"
        ))
    }

    fn prompt_condition(&mut self, comparison: &Comparison) -> Result<String, StoreError> {
        if comparison.operator != Operator::Eq {
            return Err(StoreError::invalid(format!(
                "Invalid comparator '{}' for prompts filter. Only '=' is supported with format: prompt = \"name/version\"",
                comparison.operator.as_str()
            )));
        }
        let prompt = text(comparison)?;
        if prompt.matches('/').count() != 1 {
            return Err(StoreError::invalid(format!(
                "Invalid prompts filter value '{prompt}'. Expected format: prompt = \"name/version\""
            )));
        }
        let prompt = self.bind_text(prompt);
        Ok(format!("EXISTS (SELECT 1 FROM trace_prompts p WHERE p.trace_no = t.trace_no AND p.prompt = {prompt})"))
    }

    fn assessment_condition(&mut self, kind: &str, name: &str, comparison: &Comparison) -> Result<String, StoreError> {
        let name = self.bind_text(name);
        let rows = format!(
            "SELECT 1 FROM assessments a WHERE a.trace_no = t.trace_no AND a.kind = '{kind}' AND a.name = {name} AND a.is_valid = 1"
        );
        let value = match comparison.operator {
            Operator::IsNull => return Ok(format!("NOT EXISTS ({rows})")),
            Operator::IsNotNull => return Ok(format!("EXISTS ({rows})")),
            Operator::Gt | Operator::Ge | Operator::Lt | Operator::Le => {
                let number = self.number(comparison)?;
                format!("a.number {} {number}", comparison.operator.as_str())
            }
            Operator::Eq | Operator::Ne => {
                let given = text(comparison)?;
                let json = self.bind_text(&serde_json::Value::from(given).to_string());
                let given = self.bind_text(given);
                let not = if comparison.operator == Operator::Ne { "NOT " } else { "" };
                format!("{not}(a.value = {given} OR a.value = {json})")
            }
            _ => self.text_condition("a.value", comparison, LIKE)?,
        };
        Ok(format!("EXISTS ({rows} AND {value})"))
    }

    fn number(&mut self, comparison: &Comparison) -> Result<String, StoreError> {
        let wanted =
            || StoreError::invalid(format!("Expected a numeric value for '{}'. Got value {}", comparison.left.key, comparison.right));
        match &comparison.right {
            Operand::Number(text) => match text.parse::<i64>() {
                // Whole numbers are bound as such, because PostgreSQL would compare as doubles otherwise.
                Ok(whole) if !matches!(comparison.left.entity.as_deref(), Some("feedback" | "expectation")) => {
                    Ok(self.bind(Bound::Int(whole)))
                }
                _ => Ok(self.bind(Bound::Real(comparison.number().ok_or_else(wanted)?))),
            },
            _ => Err(wanted()),
        }
    }

    fn order(&mut self, terms: &[String]) -> Result<String, StoreError> {
        let mut parts = Vec::new();
        let mut seen = Vec::new();
        for term in terms {
            let read = parse_order(term)?;
            let expression = match subject(&read.by, &ORDERABLE)? {
                Subject::Text(expression) | Subject::Number(expression) => expression.to_owned(),
                Subject::Pair(table, key) => {
                    let key = self.bind_text(&key);
                    format!("(SELECT p.value FROM {table} p WHERE p.trace_no = t.trace_no AND p.key = {key})")
                }
                Subject::Run => {
                    let key = self.bind_text(SOURCE_RUN);
                    format!("(SELECT p.value FROM trace_metadata p WHERE p.trace_no = t.trace_no AND p.key = {key})")
                }
                _ => {
                    let entity = read.by.entity.unwrap_or_default();
                    return Err(StoreError::invalid(format!("Invalid identifier type '{entity}'")));
                }
            };
            let by = (read.by.entity, read.by.key);
            if seen.contains(&by) {
                return Err(StoreError::invalid(format!("`order_by` contains duplicate fields: ['{}']", terms.join("', '"))));
            }
            seen.push(by);
            let direction = if read.ascending { "ASC" } else { "DESC" };
            parts.push(format!("CASE WHEN {expression} IS NULL THEN 1 ELSE 0 END, {expression} {direction}"));
        }
        parts.push("t.request_time DESC, t.trace_id".to_owned());
        Ok(parts.join(", "))
    }
}

/// Finds out what a name stands for. Bare names are attributes; some of those are kept as tags or metadata.
fn subject(name: &Identifier, attributes: &[&str]) -> Result<Subject, StoreError> {
    let key = name.key.as_str();
    match name.entity.as_deref().unwrap_or("attribute") {
        "tag" | "tags" if key != "name" => Ok(Subject::Pair("trace_tags", key.to_owned())),
        "metadata" | "request_metadata" if key == SOURCE_RUN => Ok(Subject::Run),
        "metadata" | "request_metadata" => Ok(Subject::Pair("trace_metadata", key.to_owned())),
        "attribute" | "attributes" | "trace" | "tag" | "tags" => attribute(key, attributes),
        "span" => span(key),
        entity @ ("feedback" | "expectation") => {
            if key.is_empty() {
                return Err(StoreError::invalid("Assessment field name cannot be empty"));
            }
            Ok(Subject::Assessment(if entity == "feedback" { "feedback" } else { "expectation" }, key.to_owned()))
        }
        "issue" if key == "id" => Ok(Subject::Issue),
        "issue" => Err(StoreError::invalid(format!("Invalid issue attribute '{key}'. Supported attributes: id"))),
        entity => Err(StoreError::invalid(format!("Invalid entity type '{entity}'. Valid values are {ENTITIES:?}"))),
    }
}

fn attribute(key: &str, attributes: &[&str]) -> Result<Subject, StoreError> {
    if !attributes.contains(&key) {
        return Err(StoreError::invalid(format!("Invalid attribute key '{key}' specified. Valid keys are '{attributes:?}'")));
    }
    Ok(match key {
        "timestamp" | "timestamp_ms" => Subject::Number("t.request_time"),
        "execution_time" | "execution_time_ms" => Subject::Number("t.execution_duration"),
        "end_time" | "end_time_ms" => Subject::Number("(t.request_time + coalesce(t.execution_duration, 0))"),
        "experiment_id" => Subject::Number("t.experiment_id"),
        "status" => Subject::Text("t.state"),
        "client_request_id" => Subject::Text("t.client_request_id"),
        "name" => Subject::Pair("trace_tags", TRACE_NAME.to_owned()),
        "run_id" => Subject::Run,
        "prompt" => Subject::Prompt,
        "text" => Subject::Span("s.content"),
        _ => Subject::Text("t.trace_id"),
    })
}

fn span(key: &str) -> Result<Subject, StoreError> {
    match key {
        "name" => Ok(Subject::Span("s.name")),
        "type" => Ok(Subject::Span("s.type")),
        "status" => Ok(Subject::Span("s.status")),
        "content" => Ok(Subject::Span("s.content")),
        _ => match key.strip_prefix("attributes.") {
            Some("") => Err(StoreError::invalid("Span attribute name cannot be empty after 'attributes.'")),
            Some(name) => Ok(Subject::SpanAttribute(name.to_owned())),
            None => Err(StoreError::invalid(format!(
                "Invalid span attribute '{key}'. Supported attributes: name, status, type, attributes.<attribute_name>."
            ))),
        },
    }
}

fn text(comparison: &Comparison) -> Result<&str, StoreError> {
    comparison.text().ok_or_else(|| {
        let left = &comparison.left;
        let what = left.entity.as_deref().unwrap_or(&left.key);
        StoreError::invalid(format!("Expected a quoted string value for {what} (e.g. 'my-value'). Got value {}", comparison.right))
    })
}

fn not_a_list(comparison: &Comparison) -> StoreError {
    StoreError::invalid(format!("Expected a list of quoted string values for {}. Got value {}", comparison.left.key, comparison.right))
}

fn allow(comparison: &Comparison, allowed: &[Operator]) -> Result<(), StoreError> {
    if comparison.operator == Operator::RLike {
        return Err(StoreError::invalid("RLIKE operator is not supported. Consider using LIKE or ILIKE operators instead."));
    }
    if allowed.contains(&comparison.operator) {
        return Ok(());
    }
    let words: Vec<&str> = allowed.iter().map(|operator| operator.as_str()).collect();
    Err(StoreError::invalid(format!("Invalid comparator '{}' not one of '{words:?}'", comparison.operator.as_str())))
}
