//! Searching runs and experiments: MLflow's filters and orders as SQL.
//!
//! Each comparison of a metric, param or tag is a join with the rows of that key; each term of an order an outer join. Values
//! are bound, never written into the statement.
//!
//! Not here: the language (`filter`).

use super::TrackingStore;
use super::experiments::{experiment, with_tags};
use super::page::{MOST_RESULTS, check_max_results, offset, page};
use super::runs::{COLUMNS, number_list, records, run};
use crate::db::Value;
use crate::filter::{Comparison, Identifier, Operand, Operator, OrderTerm, parse_filter, parse_order};
use crate::{Experiment, ExperimentQuery, Page, RunQuery, RunRecord, StoreError};

const RUN_ATTRIBUTES: [&str; 12] = [
    "artifact_uri",
    "created",
    "Created",
    "end_time",
    "run name",
    "Run name",
    "Run Name",
    "run_id",
    "run_name",
    "start_time",
    "status",
    "user_id",
];
const EXPERIMENT_ATTRIBUTES: [&str; 4] = ["creation_time", "experiment_id", "last_update_time", "name"];

/// What of a run is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Entity {
    Metric,
    Param,
    Tag,
    Attribute,
    Dataset,
}

impl Entity {
    fn of(identifier: &Identifier) -> Result<Self, StoreError> {
        let Some(entity) = identifier.entity.as_deref() else { return Ok(Self::Attribute) };
        Ok(match entity {
            "metric" | "metrics" => Self::Metric,
            "parameter" | "parameters" | "param" | "params" => Self::Param,
            "tag" | "tags" => Self::Tag,
            "attribute" | "attributes" | "attr" | "run" => Self::Attribute,
            "dataset" | "datasets" => Self::Dataset,
            _ => {
                return Err(StoreError::invalid(format!(
                    "Invalid entity type '{entity}'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']"
                )));
            }
        })
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Metric => "metric",
            Self::Param => "parameter",
            Self::Tag => "tag",
            Self::Attribute => "attribute",
            Self::Dataset => "dataset",
        }
    }

    fn operators(self) -> &'static [Operator] {
        use Operator::{Eq, Ge, Gt, ILike, In, IsNotNull, IsNull, Le, Like, Lt, Ne, NotIn};
        match self {
            Self::Metric => &[Gt, Ge, Ne, Eq, Lt, Le],
            Self::Param | Self::Tag => &[Ne, Eq, Like, ILike, IsNull, IsNotNull],
            Self::Attribute | Self::Dataset => &[Ne, Eq, Like, ILike, In, NotIn],
        }
    }
}

fn check_operator(operator: Operator, allowed: &[Operator]) -> Result<(), StoreError> {
    if allowed.contains(&operator) {
        return Ok(());
    }
    let words: Vec<String> = allowed.iter().map(|word| format!("'{}'", word.as_str())).collect();
    Err(StoreError::invalid(format!("Invalid comparator '{}' not one of '{{{}}}'", operator.as_str(), words.join(", "))))
}

/// A statement that grows, with its values.
#[derive(Default)]
struct Query<'a> {
    joins: String,
    conditions: Vec<String>,
    order: Vec<String>,
    args: Vec<Value<'a>>,
}

impl<'a> Query<'a> {
    /// Binds a value and returns its place.
    fn bind(&mut self, value: impl Into<Value<'a>>) -> String {
        self.args.push(value.into());
        format!("?{}", self.args.len())
    }

    fn sql(&mut self, columns: &str, table: &str, limit: i64, from: i64) -> String {
        let limit = self.bind(limit);
        let offset = self.bind(from);
        format!(
            "SELECT {columns} FROM {table}{} WHERE {} ORDER BY {} LIMIT {limit} OFFSET {offset}",
            self.joins,
            self.conditions.join(" AND "),
            self.order.join(", ")
        )
    }
}

/// Most tables that a search joins to the runs; SQLite takes 63.
const MOST_JOINS: usize = 60;

impl TrackingStore {
    /// Searches runs with all that they logged. No experiments: nothing is found.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_VALUE` for filters, orders, tokens and page sizes that MLflow refuses.
    pub fn search_runs(&self, query: &RunQuery) -> Result<Page<RunRecord>, StoreError> {
        check_max_results(query.max_results, MOST_RESULTS)?;
        let comparisons = parse_filter(&query.filter)?;
        let order = query.order_by.iter().map(|term| parse_order(term)).collect::<Result<Vec<_>, _>>()?;
        let from = offset(query.page_token.as_deref())?;
        let mut statement = Query::default();
        for (place, comparison) in comparisons.iter().enumerate() {
            add_comparison(&mut statement, comparison, place)?;
        }
        add_order(&mut statement, &order, &query.order_by)?;
        if statement.joins.matches(" JOIN ").count() > MOST_JOINS {
            return Err(StoreError::invalid(format!(
                "Invalid search: filter and order name more than {MOST_JOINS} metrics, params and tags."
            )));
        }
        if query.experiments.is_empty() {
            return Ok(Page { items: Vec::new(), next: None });
        }
        let ids: Vec<i64> = query.experiments.iter().map(|id| id.0).collect();
        statement.conditions.push(format!("runs.experiment_id IN ({})", number_list(&ids)));
        statement.conditions.push(query.view.condition("runs"));
        let sql = statement.sql(COLUMNS, "runs", query.max_results + 1, from);
        self.db.read(|session| {
            let found = session.all(&sql, &statement.args, run)?;
            let Page { items, next } = page(found, from, query.max_results);
            Ok(Page { items: records(session, items)?, next })
        })
    }

    /// Searches experiments.
    ///
    /// # Errors
    /// As [`TrackingStore::search_runs`].
    pub fn search_experiments(&self, query: &ExperimentQuery) -> Result<Page<Experiment>, StoreError> {
        check_max_results(query.max_results, MOST_RESULTS)?;
        let comparisons = parse_filter(&query.filter)?;
        let order = query.order_by.iter().map(|term| parse_order(term)).collect::<Result<Vec<_>, _>>()?;
        let from = offset(query.page_token.as_deref())?;
        let mut statement = Query::default();
        for comparison in &comparisons {
            add_experiment_comparison(&mut statement, comparison)?;
        }
        for OrderTerm { by, ascending } in &order {
            let key = experiment_attribute(by)?;
            statement.order.push(format!("experiments.{key} {}", if *ascending { "ASC" } else { "DESC" }));
        }
        if order.is_empty() {
            statement.order.push("experiments.creation_time DESC".to_owned());
        }
        statement.order.push("experiments.experiment_id".to_owned());
        statement.conditions.push(query.view.condition("experiments"));
        let columns = "experiment_id, name, artifact_location, lifecycle_stage, creation_time, last_update_time";
        let sql = statement.sql(columns, "experiments", query.max_results + 1, from);
        self.db.read(|session| {
            let found = session.all(&sql, &statement.args, experiment)?;
            let Page { items, next } = page(found, from, query.max_results);
            let items = items.into_iter().map(|found| with_tags(session, found)).collect::<Result<_, _>>()?;
            Ok(Page { items, next })
        })
    }
}

/// Returns the column of an attribute of a run, and whether it is a number.
fn run_attribute(key: &str) -> Result<(&'static str, bool), StoreError> {
    Ok(match key {
        "start_time" | "created" | "Created" => ("start_time", true),
        "end_time" => ("end_time", true),
        "run_name" | "run name" | "Run name" | "Run Name" => ("name", false),
        "run_id" => ("run_id", false),
        "status" => ("status", false),
        "artifact_uri" => ("artifact_uri", false),
        "user_id" => ("user_id", false),
        _ => return Err(no_attribute(key)),
    })
}

fn no_attribute(key: &str) -> StoreError {
    let valid = RUN_ATTRIBUTES.map(|name| format!("'{name}'")).join(", ");
    StoreError::invalid(format!("Invalid attribute key '{key}' specified. Valid keys are '{{{valid}}}'"))
}

fn add_comparison<'a>(query: &mut Query<'a>, comparison: &'a Comparison, place: usize) -> Result<(), StoreError> {
    let entity = Entity::of(&comparison.left)?;
    let (operator, key) = (comparison.operator, comparison.left.key.as_str());
    if matches!(operator, Operator::IsNull | Operator::IsNotNull) && !matches!(entity, Entity::Param | Entity::Tag) {
        return Err(StoreError::invalid(format!(
            "IS NULL / IS NOT NULL is only supported for tags and params, not for '{}' '{key}'",
            entity.as_str()
        )));
    }
    match entity {
        Entity::Attribute => return add_attribute(query, comparison),
        Entity::Dataset => return add_dataset(query, comparison),
        Entity::Metric | Entity::Param | Entity::Tag => {}
    }
    let table = match entity {
        Entity::Metric => "latest_metrics",
        Entity::Param => "params",
        _ => "tags",
    };
    if matches!(operator, Operator::IsNull | Operator::IsNotNull) {
        let not = if operator == Operator::IsNull { "NOT " } else { "" };
        let key = query.bind(key);
        query.conditions.push(format!(
            "{not}EXISTS (SELECT 1 FROM {table} AS x WHERE x.experiment_id = runs.experiment_id AND x.key = {key} AND x.run_no = runs.run_no)"
        ));
        return Ok(());
    }
    let name = format!("f{place}");
    let value = if entity == Entity::Metric {
        let number = comparison
            .number()
            .ok_or_else(|| StoreError::invalid(format!("Expected numeric value type for metric. Found {}", comparison.right)))?;
        Value::from(number)
    } else {
        Value::from(comparison.text().ok_or_else(|| {
            StoreError::invalid(format!(
                "Expected a quoted string value for {} (e.g. 'my-value'). Got value {}",
                entity.as_str(),
                comparison.right
            ))
        })?)
    };
    check_operator(operator, entity.operators())?;
    let key = query.bind(key);
    let value = query.bind(value);
    let mut condition = operator.condition(&format!("{name}.value"), &value).expect("lists and NULL were refused");
    if entity == Entity::Metric {
        // NaN is unequal to every number, and nothing else.
        condition = match operator {
            Operator::Ne => format!("({condition} OR {name}.is_nan = 1)"),
            _ => format!("{condition} AND {name}.is_nan = 0"),
        };
    }
    query.joins.push_str(&format!(
        " JOIN {table} AS {name} ON {name}.experiment_id = runs.experiment_id AND {name}.key = {key} AND {name}.run_no = runs.run_no AND {condition}"
    ));
    Ok(())
}

fn add_attribute<'a>(query: &mut Query<'a>, comparison: &'a Comparison) -> Result<(), StoreError> {
    let key = comparison.left.key.as_str();
    let (column, is_number) = run_attribute(key)?;
    let left = format!("runs.{column}");
    if is_number {
        let number = comparison.number().ok_or_else(|| {
            StoreError::invalid(format!("Expected numeric value type for numeric attribute: {key}. Found {}", comparison.right))
        })?;
        check_operator(comparison.operator, Entity::Metric.operators())?;
        let value = query.bind(number);
        query.conditions.push(comparison.operator.condition(&left, &value).expect("lists and NULL were refused"));
        return Ok(());
    }
    match &comparison.right {
        Operand::Text(text) => {
            check_operator(comparison.operator, Entity::Attribute.operators())?;
            let value = query.bind(text);
            let condition = comparison.operator.condition(&left, &value);
            let refuse = || StoreError::invalid(format!("Expected a list of quoted string values for {key}. Got value '{text}'"));
            query.conditions.push(condition.ok_or_else(refuse)?);
        }
        Operand::List(items) => {
            if column != "run_id" {
                return Err(StoreError::invalid("Only ['run_id'] attributes support comparison with a list of quoted string values."));
            }
            let condition = in_list(query, &left, comparison.operator, items)?;
            query.conditions.push(condition);
        }
        other => return Err(StoreError::invalid(format!("Expected a quoted string value for attributes. Got value {other}"))),
    }
    Ok(())
}

/// Makes `left IN (…)`.
fn in_list<'a>(query: &mut Query<'a>, left: &str, operator: Operator, items: &'a [String]) -> Result<String, StoreError> {
    check_operator(operator, &[Operator::In, Operator::NotIn])?;
    if items.is_empty() {
        return Err(StoreError::invalid(
            "While parsing a list in the query, expected a non-empty list of string values, but got empty list",
        ));
    }
    let places: Vec<String> = items.iter().map(|item| query.bind(item)).collect();
    Ok(format!("{left} {} ({})", operator.as_str(), places.join(", ")))
}

fn add_dataset<'a>(query: &mut Query<'a>, comparison: &'a Comparison) -> Result<(), StoreError> {
    let key = comparison.left.key.as_str();
    let left = match key {
        "name" | "digest" => format!("d.{key}"),
        "context" => "t.value".to_owned(),
        _ => {
            return Err(StoreError::invalid(format!(
                "Invalid dataset key '{key}' specified. Valid keys are '{{'name', 'digest', 'context'}}'"
            )));
        }
    };
    check_operator(comparison.operator, Entity::Dataset.operators())?;
    let condition = match &comparison.right {
        Operand::Text(text) => {
            let value = query.bind(text);
            comparison.operator.condition(&left, &value)
        }
        Operand::List(items) => Some(in_list(query, &left, comparison.operator, items)?),
        _ => None,
    };
    let refuse = || StoreError::invalid(format!("Expected a quoted string value for dataset attributes. Got value {}", comparison.right));
    let condition = condition.ok_or_else(refuse)?;
    let tags = if key == "context" {
        " JOIN input_tags AS t ON t.run_no = i.run_no AND t.dataset_no = i.dataset_no AND t.key = 'mlflow.data.context'"
    } else {
        ""
    };
    query.conditions.push(format!(
        "EXISTS (SELECT 1 FROM inputs AS i JOIN datasets AS d ON d.dataset_no = i.dataset_no{tags} WHERE i.run_no = runs.run_no AND {condition})"
    ));
    Ok(())
}

fn add_order<'a>(query: &mut Query<'a>, terms: &'a [OrderTerm], shown: &[String]) -> Result<(), StoreError> {
    let mut seen: Vec<(Entity, &str)> = Vec::new();
    for (place, OrderTerm { by, ascending }) in terms.iter().enumerate() {
        let entity = Entity::of(by)?;
        let direction = if *ascending { "ASC" } else { "DESC" };
        if entity == Entity::Attribute && matches!(by.key.as_str(), "run name" | "Run name" | "Run Name") {
            return Err(no_attribute(&by.key));
        }
        let key = if entity == Entity::Attribute { run_attribute(&by.key)?.0 } else { by.key.as_str() };
        if seen.contains(&(entity, key)) {
            return Err(StoreError::invalid(format!("`order_by` contains duplicate fields: {shown:?}")));
        }
        seen.push((entity, key));
        let table = match entity {
            Entity::Attribute => {
                query.order.push(format!("CASE WHEN runs.{key} IS NULL THEN 1 ELSE 0 END, runs.{key} {direction}"));
                continue;
            }
            Entity::Metric => "latest_metrics",
            Entity::Param => "params",
            Entity::Tag => "tags",
            Entity::Dataset => return Err(StoreError::invalid(format!("Invalid identifier type '{}'", entity.as_str()))),
        };
        let name = format!("o{place}");
        let bound = query.bind(key);
        query.joins.push_str(&format!(
            " LEFT JOIN {table} AS {name} ON {name}.experiment_id = runs.experiment_id AND {name}.key = {bound} AND {name}.run_no = runs.run_no"
        ));
        let last = match entity {
            Entity::Metric => format!("CASE WHEN {name}.value IS NULL THEN 2 WHEN {name}.is_nan = 1 THEN 1 ELSE 0 END"),
            _ => format!("CASE WHEN {name}.value IS NULL THEN 1 ELSE 0 END"),
        };
        query.order.push(format!("{last}, {name}.value {direction}"));
    }
    if !seen.contains(&(Entity::Attribute, "start_time")) {
        query.order.push("runs.start_time DESC".to_owned());
    }
    query.order.push("runs.run_id".to_owned());
    Ok(())
}

/// Returns the column of an attribute of an experiment.
fn experiment_attribute(identifier: &Identifier) -> Result<&str, StoreError> {
    let entity = identifier.entity.as_deref().unwrap_or("attribute");
    match entity {
        "attribute" => {}
        "tag" | "tags" => return Err(StoreError::invalid(format!("Invalid order_by entity: {entity}"))),
        _ => return Err(no_experiment_entity(entity)),
    }
    if EXPERIMENT_ATTRIBUTES.contains(&identifier.key.as_str()) {
        return Ok(&identifier.key);
    }
    let valid = EXPERIMENT_ATTRIBUTES.map(|name| format!("'{name}'")).join(", ");
    Err(StoreError::invalid(format!("Invalid attribute key '{}' specified. Valid keys are '{{{valid}}}'", identifier.key)))
}

fn no_experiment_entity(entity: &str) -> StoreError {
    StoreError::invalid(format!("Invalid entity type '{entity}'. Valid entity types are ('attribute', 'tag', 'tags')"))
}

fn add_experiment_comparison<'a>(query: &mut Query<'a>, comparison: &'a Comparison) -> Result<(), StoreError> {
    let (operator, key) = (comparison.operator, comparison.left.key.as_str());
    let text = || {
        let refuse = || StoreError::invalid(format!("Expected a quoted string value. Got value {}", comparison.right));
        comparison.text().ok_or_else(refuse)
    };
    match comparison.left.entity.as_deref() {
        Some("tag" | "tags") => {
            let key = query.bind(key);
            let not = if operator == Operator::IsNull { "NOT " } else { "" };
            let value = match operator {
                Operator::IsNull | Operator::IsNotNull => String::new(),
                Operator::Eq | Operator::Ne | Operator::Like | Operator::ILike => {
                    let value = query.bind(text()?);
                    format!(" AND {}", operator.condition("t.value", &value).expect("lists and NULL are not here"))
                }
                _ => return Err(StoreError::invalid(format!("Invalid comparator for tag: {}", operator.as_str()))),
            };
            query.conditions.push(format!(
                "{not}EXISTS (SELECT 1 FROM experiment_tags AS t WHERE t.experiment_id = experiments.experiment_id AND t.key = {key}{value})"
            ));
        }
        None | Some("attribute") => {
            let column = experiment_attribute(&comparison.left)?;
            let left = format!("experiments.{column}");
            let condition = match (column, &comparison.right) {
                ("experiment_id", right) => {
                    let ids = match right {
                        Operand::Text(id) | Operand::Number(id) => vec![id.clone()],
                        Operand::List(ids) => ids.clone(),
                        _ => Vec::new(),
                    };
                    let number = |id: &String| {
                        let refuse = || format!("Invalid experiment ID '{id}'. Experiment ID must be a valid integer.");
                        id.trim().parse::<i64>().map_err(|_| StoreError::invalid(refuse()))
                    };
                    let ids = ids.iter().map(number).collect::<Result<Vec<_>, _>>()?;
                    let word = match operator {
                        Operator::Eq | Operator::In => "IN",
                        Operator::Ne | Operator::NotIn => "NOT IN",
                        _ => return Err(StoreError::invalid(format!("Invalid comparator for experiment_id: {}", operator.as_str()))),
                    };
                    format!("{left} {word} ({})", number_list(&ids))
                }
                ("name", _) => {
                    if !matches!(operator, Operator::Eq | Operator::Ne | Operator::Like | Operator::ILike) {
                        return Err(StoreError::invalid(format!("Invalid comparator for string attribute: {}", operator.as_str())));
                    }
                    let value = query.bind(text()?);
                    operator.condition(&left, &value).expect("lists and NULL were refused")
                }
                (_, Operand::Number(number)) => {
                    let whole = number.parse::<i64>();
                    let refuse = |_| StoreError::invalid(format!("Invalid value for numeric attribute '{column}': '{number}'"));
                    check_operator(operator, Entity::Metric.operators())?;
                    let value = query.bind(whole.map_err(refuse)?);
                    operator.condition(&left, &value).expect("lists and NULL were refused")
                }
                (_, other) => {
                    return Err(StoreError::invalid(format!("Expected numeric value type for numeric attribute: {column}. Found {other}")));
                }
            };
            query.conditions.push(condition);
        }
        Some(entity) => return Err(no_experiment_entity(entity)),
    }
    Ok(())
}
