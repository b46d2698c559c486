//! Searching registered models and versions, in MLflow's language and with its words for what is wrong.
//!
//! Prompts are found only by a filter that asks for them.

use super::models::{MODEL_COLUMNS, model, whole as whole_models};
use super::versions::{version, with_tags};
use super::{IS_PROMPT, places};
use crate::db::Value;
use crate::filter::{Comparison, Operand, Operator, parse_filter, parse_order};
use crate::store::TrackingStore;
use crate::store::page::{offset, page};
use crate::{ModelVersion, Page, RegisteredModel, RegistryQuery, StoreError};

/// Most registered models of one page.
const MOST_MODELS: i64 = 1_000;
/// Most versions of one page.
const MOST_VERSIONS: i64 = 200_000;

/// One kind of thing that is searched for.
struct Subject {
    /// Its table, called `m` in conditions.
    table: &'static str,
    tags: &'static str,
    /// What ties a tag `t` to its `m`.
    tie: &'static str,
    /// Attributes and their columns.
    attributes: &'static [(&'static str, &'static str)],
    /// Attributes that are numbers.
    numbers: &'static [&'static str],
    /// Attributes that may be compared with a list.
    lists: &'static [&'static str],
}

const MODELS: Subject = Subject {
    table: "registered_models",
    tags: "registered_model_tags",
    tie: "t.name = m.name",
    attributes: &[("name", "m.name")],
    numbers: &[],
    lists: &["name"],
};
const VERSIONS: Subject = Subject {
    table: "model_versions",
    tags: "model_version_tags",
    tie: "t.name = m.name AND t.version = m.version",
    attributes: &[("name", "m.name"), ("run_id", "m.run_id"), ("source_path", "m.source"), ("version_number", "m.version")],
    numbers: &["version_number"],
    lists: &["name", "run_id"],
};

/// A condition that grows, with its values.
#[derive(Default)]
struct Conditions<'a> {
    sql: Vec<String>,
    args: Vec<Value<'a>>,
}

impl<'a> Conditions<'a> {
    /// Binds a value and returns its place.
    fn bind(&mut self, value: impl Into<Value<'a>>) -> String {
        self.args.push(value.into());
        format!("?{}", self.args.len())
    }
}

impl TrackingStore {
    /// Searches registered models; by name if no order is given.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_VALUE` for filters, orders, tokens and page sizes that MLflow refuses.
    pub fn search_registered_models(&self, query: &RegistryQuery) -> Result<Page<RegisteredModel>, StoreError> {
        check_size(query.max_results, MOST_MODELS)?;
        let comparisons = parse_filter(&query.filter)?;
        let mut conditions = conditions(&MODELS, &comparisons)?;
        let order = order_of_models(&query.order_by)?;
        let from = offset(query.page_token.as_deref())?;
        let sql = statement(&MODELS, MODEL_COLUMNS, &mut conditions, &order, query.max_results, from);
        self.db.read(|session| {
            let found = session.all(&sql, &conditions.args, model)?;
            let Page { items, next } = page(found, from, query.max_results);
            Ok(Page { items: whole_models(session, items)?, next })
        })
    }

    /// Searches versions; the last changed first if no order is given. Their aliases are left out, as MLflow does.
    ///
    /// # Errors
    /// As [`TrackingStore::search_registered_models`].
    pub fn search_model_versions(&self, query: &RegistryQuery) -> Result<Page<ModelVersion>, StoreError> {
        check_size(query.max_results, MOST_VERSIONS)?;
        let comparisons = parse_filter(&query.filter)?;
        let mut conditions = conditions(&VERSIONS, &comparisons)?;
        let order = order_of_versions(&query.order_by)?;
        let from = offset(query.page_token.as_deref())?;
        let sql = statement(&VERSIONS, super::versions::COLUMNS, &mut conditions, &order, query.max_results, from);
        self.db.read(|session| {
            let found = session.all(&sql, &conditions.args, version)?;
            let Page { items, next } = page(found, from, query.max_results);
            Ok(Page { items: with_tags(session, items)?, next })
        })
    }
}

fn check_size(max_results: i64, most: i64) -> Result<(), StoreError> {
    if max_results < 1 {
        return Err(StoreError::invalid(format!("Invalid value for max_results. It must be a positive integer, but got {max_results}")));
    }
    if max_results > most {
        return Err(StoreError::invalid(format!(
            "Invalid value for request parameter max_results. It must be at most {most}, but got value {max_results}"
        )));
    }
    Ok(())
}

fn statement(subject: &Subject, columns: &str, conditions: &mut Conditions<'_>, order: &str, max_results: i64, from: i64) -> String {
    let limit = conditions.bind(max_results + 1);
    let offset = conditions.bind(from);
    let filter = if conditions.sql.is_empty() { "1 = 1".to_owned() } else { conditions.sql.join(" AND ") };
    format!("SELECT {columns} FROM {} AS m WHERE {filter} ORDER BY {order} LIMIT {limit} OFFSET {offset}", subject.table)
}

fn conditions<'a>(subject: &Subject, comparisons: &'a [Comparison]) -> Result<Conditions<'a>, StoreError> {
    let mut conditions = Conditions::default();
    let mut asks_for_prompts = None;
    for comparison in comparisons {
        let key = comparison.left.key.as_str();
        match comparison.left.entity.as_deref() {
            None | Some("attribute") => add_attribute(subject, &mut conditions, comparison)?,
            Some("tag" | "tags") if key == IS_PROMPT => {
                let wanted = tag_value(comparison)?.to_ascii_lowercase();
                check_tag_operator(comparison.operator)?;
                let asks = matches!((comparison.operator, wanted.as_str()), (Operator::Eq, "true") | (Operator::Ne, "false"));
                // As in MLflow, the first one decides.
                asks_for_prompts.get_or_insert(asks);
                if asks_for_prompts == Some(true) {
                    add_tag(subject, &mut conditions, comparison)?;
                }
            }
            Some("tag" | "tags") => add_tag(subject, &mut conditions, comparison)?,
            Some(entity) => {
                return Err(StoreError::invalid(format!(
                    "Invalid entity type '{entity}'. Valid entity types are ('attribute', 'tag', 'tags')"
                )));
            }
        }
    }
    if asks_for_prompts != Some(true) {
        let key = conditions.bind(IS_PROMPT);
        conditions.sql.push(format!("m.name NOT IN (SELECT p.name FROM {} AS p WHERE p.key = {key} AND p.value = 'true')", subject.tags));
    }
    Ok(conditions)
}

fn check_tag_operator(operator: Operator) -> Result<(), StoreError> {
    match operator {
        Operator::Eq | Operator::Ne | Operator::Like | Operator::ILike => Ok(()),
        operator => Err(StoreError::invalid(format!("Invalid comparator for tag: {}", operator.as_str()))),
    }
}

fn tag_value(comparison: &Comparison) -> Result<&str, StoreError> {
    match &comparison.right {
        Operand::Text(text) => Ok(text),
        Operand::Word(word) => Err(not_quoted(comparison, word)),
        Operand::Nothing => Err(StoreError::invalid("Invalid comparison clause. Expected 3 tokens found 2")),
        other => Err(StoreError::invalid(format!("Expected a quoted string value for tag (e.g. 'my-value'). Got value {other}"))),
    }
}

fn add_tag<'a>(subject: &Subject, conditions: &mut Conditions<'a>, comparison: &'a Comparison) -> Result<(), StoreError> {
    let value = tag_value(comparison)?;
    check_tag_operator(comparison.operator)?;
    let key = conditions.bind(comparison.left.key.as_str());
    let value = conditions.bind(value);
    let condition = comparison.operator.condition("t.value", &value).expect("checked: compares two texts");
    let Subject { tags, tie, .. } = subject;
    conditions.sql.push(format!("EXISTS (SELECT 1 FROM {tags} AS t WHERE {tie} AND t.key = {key} AND {condition})"));
    Ok(())
}

fn add_attribute<'a>(subject: &Subject, conditions: &mut Conditions<'a>, comparison: &'a Comparison) -> Result<(), StoreError> {
    let key = comparison.left.key.as_str();
    if let Operand::Word(word) = &comparison.right
        && is_keyword(word)
    {
        return Err(not_quoted(comparison, word));
    }
    let Some((_, column)) = subject.attributes.iter().find(|(name, _)| *name == key) else {
        return Err(invalid_key(key, &subject.attributes.iter().map(|(name, _)| *name).collect::<Vec<_>>()));
    };
    let operator = comparison.operator;
    let refuse = || StoreError::invalid(format!("Invalid comparator for attribute: {}", operator.as_str()));
    if subject.numbers.contains(&key) {
        let condition = add_number(conditions, comparison, column)?;
        conditions.sql.push(condition);
        return Ok(());
    }
    match &comparison.right {
        Operand::Text(text) => {
            if !matches!(operator, Operator::Eq | Operator::Ne | Operator::Like | Operator::ILike) {
                return Err(refuse());
            }
            let value = conditions.bind(text.as_str());
            conditions.sql.push(operator.condition(column, &value).expect("checked: compares two texts"));
        }
        Operand::List(items) => {
            if !subject.lists.contains(&key) {
                return Err(list_refused(subject));
            }
            if items.is_empty() {
                return Err(StoreError::invalid(
                    "While parsing a list in the query, expected a non-empty list of string values, but got empty list",
                ));
            }
            if !matches!(operator, Operator::In | Operator::NotIn) {
                return Err(refuse());
            }
            let first = conditions.args.len() + 1;
            conditions.args.extend(items.iter().map(Value::from));
            conditions.sql.push(format!("{column} {} ({})", operator.as_str(), places(first, items.len())));
        }
        Operand::Number(_) if !subject.numbers.is_empty() => {
            return Err(StoreError::invalid(
                "Only the '{'creation_timestamp', 'last_updated_timestamp', 'version_number'}' attributes support comparison with \
                 numeric values.",
            ));
        }
        Operand::Word(word) => return Err(not_quoted(comparison, word)),
        Operand::Nothing => return Err(StoreError::invalid("Invalid comparison clause. Expected 3 tokens found 2")),
        other @ Operand::Number(_) => {
            return Err(StoreError::invalid(format!(
                "Expected a quoted string value or a list of quoted string values for attributes. Got value {other}"
            )));
        }
    }
    Ok(())
}

/// Compares a number, which may be written as a text.
fn add_number<'a>(conditions: &mut Conditions<'a>, comparison: &'a Comparison, column: &str) -> Result<String, StoreError> {
    let (key, operator) = (&comparison.left.key, comparison.operator);
    let text = match &comparison.right {
        Operand::Number(text) | Operand::Text(text) => text,
        Operand::Word(word) => return Err(not_quoted(comparison, word)),
        Operand::Nothing => return Err(StoreError::invalid("Invalid comparison clause. Expected 3 tokens found 2")),
        Operand::List(_) => return Err(list_refused(&VERSIONS)),
    };
    if !matches!(operator, Operator::Eq | Operator::Ne | Operator::Gt | Operator::Ge | Operator::Lt | Operator::Le) {
        return Err(StoreError::invalid(format!("Invalid comparator for attribute {key}: {}", operator.as_str())));
    }
    let number: i64 = text
        .trim()
        .parse()
        .map_err(|_| StoreError::invalid(format!("Invalid value for numeric attribute '{key}': {}", comparison.right)))?;
    let value = conditions.bind(number);
    Ok(operator.condition(column, &value).expect("checked: compares two numbers"))
}

fn is_keyword(word: &str) -> bool {
    ["true", "false", "null"].iter().any(|keyword| word.eq_ignore_ascii_case(keyword))
}

fn not_quoted(comparison: &Comparison, word: &str) -> StoreError {
    if is_keyword(word) {
        let clause = format!("{} {} {word}", comparison.left.key, comparison.operator.as_str());
        return StoreError::invalid(format!("Invalid clause(s) in filter string: '{clause}'"));
    }
    StoreError::invalid(format!(
        "Parameter value is either not quoted or unidentified quote types used for string value {word}. \
         Use either single or double quotes."
    ))
}

fn list_refused(subject: &Subject) -> StoreError {
    let lists: Vec<String> = subject.lists.iter().map(|key| format!("'{key}'")).collect();
    StoreError::invalid(format!("Only [{}] attributes support comparison with a list of quoted string values.", lists.join(", ")))
}

fn invalid_key(key: &str, valid: &[&str]) -> StoreError {
    let valid: Vec<String> = valid.iter().map(|name| format!("'{name}'")).collect();
    StoreError::invalid(format!("Invalid attribute key '{key}' specified. Valid keys are '{{{}}}'", valid.join(", ")))
}

fn direction(ascending: bool) -> &'static str {
    if ascending { "ASC" } else { "DESC" }
}

/// Adds a term to an order, which holds each column once.
fn add_term(order: &mut Vec<(&'static str, bool)>, column: &'static str, ascending: bool, given: &[String]) -> Result<(), StoreError> {
    if order.iter().any(|(known, _)| *known == column) {
        let given: Vec<String> = given.iter().map(|term| format!("'{term}'")).collect();
        return Err(StoreError::invalid(format!("`order_by` contains duplicate fields: [{}]", given.join(", "))));
    }
    order.push((column, ascending));
    Ok(())
}

fn written(order: &[(&'static str, bool)]) -> String {
    let terms: Vec<String> = order.iter().map(|(column, ascending)| format!("{column} {}", direction(*ascending))).collect();
    terms.join(", ")
}

fn order_of_models(terms: &[String]) -> Result<String, StoreError> {
    let mut order = Vec::new();
    for term in terms {
        let parsed = parse_order(term)?;
        let column = match (parsed.by.entity.as_deref(), parsed.by.key.as_str()) {
            (None, "name") => "m.name",
            (None, "timestamp" | "last_updated_timestamp") => "m.last_updated_time",
            (entity, key) => {
                let given = entity.map(|entity| format!("{entity}.")).unwrap_or_default() + key;
                return Err(StoreError::invalid(format!(
                    "Invalid order by key '{given}' specified. Valid keys are '{{'name', 'timestamp'}}'"
                )));
            }
        };
        add_term(&mut order, column, parsed.ascending, terms)?;
    }
    if !order.iter().any(|(column, _)| *column == "m.name") {
        order.push(("m.name", true));
    }
    Ok(written(&order))
}

fn order_of_versions(terms: &[String]) -> Result<String, StoreError> {
    let mut order = Vec::new();
    for term in terms {
        let parsed = parse_order(term)?;
        let column = match (parsed.by.entity.as_deref(), parsed.by.key.as_str()) {
            (None | Some("attribute"), "name") => "m.name",
            (None | Some("attribute"), "version_number") => "m.version",
            (None | Some("attribute"), "creation_timestamp") => "m.creation_time",
            (None | Some("attribute"), "last_updated_timestamp") => "m.last_updated_time",
            (_, key) => {
                return Err(invalid_key(key, &["creation_timestamp", "last_updated_timestamp", "name", "version_number"]));
            }
        };
        add_term(&mut order, column, parsed.ascending, terms)?;
    }
    if order.is_empty() {
        order.push(("m.last_updated_time", false));
    }
    if !order.iter().any(|(column, _)| *column == "m.name") {
        order.push(("m.name", true));
    }
    if !order.iter().any(|(column, _)| *column == "m.version") {
        order.push(("m.version", false));
    }
    Ok(written(&order))
}
