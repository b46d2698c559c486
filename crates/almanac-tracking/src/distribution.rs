//! What a param of a trial is drawn from, and which distributions of one param go together. The rules are Optuna's, because
//! its workers build the distribution again from what is stored here.
//!
//! Not here: drawing from it, which workers do.

use serde_json::{Map, Value};

use crate::StoreError;
use crate::python_json::{self, is_same, number};

/// Steps between the ends that Python's decimals can still count.
const MOST_STEPS: f64 = 1e27;

/// What has to be known of a distribution.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Distribution {
    /// Name of Optuna's class.
    class: &'static str,
    domain: Domain,
}

#[derive(Debug, Clone, PartialEq)]
enum Domain {
    Float { log: bool },
    Int { log: bool },
    Categorical { choices: Vec<Value> },
}

/// A class of Optuna's and the names of its attributes, `step` among them where it has one.
struct Class {
    name: &'static str,
    is_int: bool,
    /// `None`: an attribute says it.
    log: Option<bool>,
    step: Option<&'static str>,
}

/// The classes of numbers; all but the first two are those of Optuna before version 3.
const CLASSES: [Class; 7] = [
    Class { name: "FloatDistribution", is_int: false, log: None, step: Some("step") },
    Class { name: "IntDistribution", is_int: true, log: None, step: Some("step") },
    Class { name: "UniformDistribution", is_int: false, log: Some(false), step: None },
    Class { name: "LogUniformDistribution", is_int: false, log: Some(true), step: None },
    Class { name: "DiscreteUniformDistribution", is_int: false, log: Some(false), step: Some("q") },
    Class { name: "IntUniformDistribution", is_int: true, log: Some(false), step: Some("step") },
    Class { name: "IntLogUniformDistribution", is_int: true, log: Some(true), step: Some("step") },
];
const CATEGORICAL: &str = "CategoricalDistribution";

impl Distribution {
    /// Reads Optuna's JSON.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_VALUE` for everything from which Optuna could not build the distribution again.
    pub(crate) fn parse(text: &str) -> Result<Self, StoreError> {
        read(text).map_err(|problem| StoreError::invalid(format!("Invalid distribution: {problem}.")))
    }

    /// Checks that a param that had the distribution `earlier` may have this one.
    pub(crate) fn check_follows(&self, earlier: &Self) -> Result<(), StoreError> {
        if self.class != earlier.class {
            return Err(StoreError::invalid("Cannot set different distribution kind to the same parameter name."));
        }
        match (&self.domain, &earlier.domain) {
            (Domain::Float { log }, Domain::Float { log: before }) | (Domain::Int { log }, Domain::Int { log: before })
                if log != before =>
            {
                Err(StoreError::invalid("Cannot set different log configuration to the same parameter name."))
            }
            (Domain::Categorical { choices }, Domain::Categorical { choices: before })
                if choices.len() != before.len() || !choices.iter().zip(before).all(|(one, other)| is_same(one, other)) =>
            {
                Err(StoreError::invalid("CategoricalDistribution does not support dynamic value space."))
            }
            _ => Ok(()),
        }
    }

    /// Checks that Optuna can read `value` as a value of this distribution. It need not lie between the ends.
    pub(crate) fn check_value(&self, value: f64) -> Result<(), StoreError> {
        let is_readable = match &self.domain {
            Domain::Float { .. } => !value.is_nan(),
            Domain::Int { .. } => value.is_finite(),
            Domain::Categorical { choices } => value > -1.0 && value < choices.len() as f64,
        };
        if is_readable { Ok(()) } else { Err(StoreError::invalid(format!("`{value}` is invalid value for a {}.", self.class))) }
    }
}

fn read(text: &str) -> Result<Distribution, String> {
    let json = python_json::parse(text)?;
    let json = json.as_object().ok_or("it is not an object")?;
    let Some(name) = json.get("name") else { return read_short(json) };
    let name = name.as_str().unwrap_or_default();
    let attributes = json.get("attributes").and_then(Value::as_object).ok_or("it has no attributes")?;
    if name == CATEGORICAL {
        check_names(attributes, &["choices"])?;
        return categorical(attributes);
    }
    let class = CLASSES.iter().find(|class| class.name == name).ok_or("no such class is known")?;
    let mut known = vec!["low", "high"];
    known.extend(class.step);
    known.extend(class.log.is_none().then_some("log"));
    check_names(attributes, &known)?;
    numeric(class, attributes)
}

/// Reads the short form, which people write: `{"type": "float", "low": 0, "high": 1}`.
fn read_short(json: &Map<String, Value>) -> Result<Distribution, String> {
    match json.get("type").and_then(Value::as_str) {
        Some("categorical") => categorical(json),
        Some("float") => numeric(&CLASSES[0], json),
        Some("int") => numeric(&CLASSES[1], json),
        _ => Err("no such type is known".to_owned()),
    }
}

/// Refuses attributes that the class does not have.
fn check_names(attributes: &Map<String, Value>, known: &[&str]) -> Result<(), String> {
    if attributes.keys().all(|key| known.contains(&key.as_str())) { Ok(()) } else { Err("it has an unknown attribute".to_owned()) }
}

fn categorical(attributes: &Map<String, Value>) -> Result<Distribution, String> {
    let choices = attributes.get("choices").and_then(Value::as_array).filter(|choices| !choices.is_empty());
    let choices = choices.ok_or("the `choices` must contain one or more elements")?.clone();
    Ok(Distribution { class: CATEGORICAL, domain: Domain::Categorical { choices } })
}

fn numeric(class: &Class, attributes: &Map<String, Value>) -> Result<Distribution, String> {
    let end = |key: &str| attributes.get(key).and_then(number).ok_or_else(|| format!("`{key}` is not a number"));
    let (low, high) = (end("low")?, end("high")?);
    let log = match (class.log, attributes.get("log")) {
        (Some(log), _) => log,
        (None, None | Some(Value::Null)) => false,
        (None, Some(log)) => log.as_bool().or_else(|| number(log).map(|log| log != 0.0)).ok_or("`log` is neither true nor false")?,
    };
    let step = match class.step.and_then(|key| attributes.get(key)) {
        None | Some(Value::Null) => None,
        Some(step) => Some(number(step).ok_or("`step` is not a number")?),
    };
    if low > high {
        return Err(format!("`low <= high` must hold, but got (low={low}, high={high})"));
    }
    if class.is_int && !(low.is_finite() && high.is_finite()) {
        return Err("the ends of integers must be finite".to_owned());
    }
    let is_too_small = if class.is_int { low < 1.0 } else { low <= 0.0 };
    if log && is_too_small {
        return Err(format!("`low` is too small for `log=True`, got (low={low}, high={high})"));
    }
    if let Some(step) = step {
        // A step below 1 would be 0 as an integer.
        let is_allowed = step.is_finite() && if class.is_int { step >= 1.0 } else { step > 0.0 };
        if !is_allowed {
            return Err(format!("`step > 0` must hold, but got step={step}"));
        }
        let is_one = class.is_int && step == 1.0;
        if log && !is_one {
            return Err("`step` is not supported when `log` is true".to_owned());
        }
        // Also where an end is not finite.
        let is_countable = (high - low) / step < MOST_STEPS;
        if !class.is_int && !is_countable {
            return Err("there are too many steps".to_owned());
        }
    }
    let domain = if class.is_int { Domain::Int { log } } else { Domain::Float { log } };
    Ok(Distribution { class: class.name, domain })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(earlier: &str, later: &str) -> String {
        let earlier = Distribution::parse(earlier).expect("a distribution");
        match Distribution::parse(later).expect("a distribution").check_follows(&earlier) {
            Ok(()) => "may follow".to_owned(),
            Err(error) => error.to_string(),
        }
    }

    const UNIT: &str = r#"{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}"#;

    #[test]
    fn ranges_may_move_but_kinds_may_not_change() {
        let moved = r#"{"name": "FloatDistribution", "attributes": {"step": 0.5, "low": -1, "high": Infinity, "log": false}}"#;
        let moved = moved.replace("Infinity", "7");
        assert_eq!(check(UNIT, &moved), "may follow");
        assert_eq!(check(UNIT, r#"{"type": "float", "low": 2, "high": 3}"#), "may follow");
        let kind = "Cannot set different distribution kind to the same parameter name.";
        assert_eq!(check(UNIT, r#"{"name": "IntDistribution", "attributes": {"log": false, "step": 1, "low": 0, "high": 1}}"#), kind);
        assert_eq!(check(UNIT, r#"{"name": "UniformDistribution", "attributes": {"low": 0.0, "high": 1.0}}"#), kind);
        let log = "Cannot set different log configuration to the same parameter name.";
        assert_eq!(check(UNIT, r#"{"type": "float", "low": 2, "high": 3, "log": true}"#), log);
    }

    #[test]
    fn choices_stay_the_same_in_their_order() {
        let of = |choices: &str| format!(r#"{{"name": "CategoricalDistribution", "attributes": {{"choices": {choices}}}}}"#);
        assert_eq!(check(&of(r#"["a", NaN, null, 1]"#), &of(r#"["a", NaN, null, true]"#)), "may follow");
        let changed = "CategoricalDistribution does not support dynamic value space.";
        assert_eq!(check(&of(r#"["a", "b"]"#), &of(r#"["b", "a"]"#)), changed);
        assert_eq!(check(&of(r#"["a", "b"]"#), &of(r#"["a"]"#)), changed);
    }

    #[test]
    fn what_optuna_could_not_build_again_is_refused() {
        for bad in [
            "",
            "[]",
            "{}",
            r#"{"name": "Gamma", "attributes": {}}"#,
            r#"{"name": "FloatDistribution"}"#,
            r#"{"name": "FloatDistribution", "attributes": {"low": 0}}"#,
            r#"{"name": "FloatDistribution", "attributes": {"low": 0, "high": 1, "mean": 1}}"#,
            r#"{"name": "FloatDistribution", "attributes": {"low": 2, "high": 1}}"#,
            r#"{"name": "FloatDistribution", "attributes": {"low": 0, "high": 1, "log": true}}"#,
            r#"{"name": "FloatDistribution", "attributes": {"low": 0, "high": 1, "step": 0}}"#,
            r#"{"name": "FloatDistribution", "attributes": {"low": 0, "high": Infinity, "step": 1}}"#,
            r#"{"name": "FloatDistribution", "attributes": {"low": 0, "high": 1e300, "step": 1e-9}}"#,
            r#"{"name": "IntDistribution", "attributes": {"low": 0, "high": Infinity}}"#,
            r#"{"name": "IntDistribution", "attributes": {"low": 0, "high": 5, "step": 0.5}}"#,
            r#"{"name": "IntDistribution", "attributes": {"low": 1, "high": 5, "step": 2, "log": true}}"#,
            r#"{"name": "CategoricalDistribution", "attributes": {"choices": []}}"#,
            r#"{"name": "CategoricalDistribution", "attributes": {"choices": "ab"}}"#,
        ] {
            assert!(Distribution::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn values_are_refused_that_optuna_could_not_read() {
        let float = Distribution::parse(UNIT).expect("a distribution");
        assert!(float.check_value(7.5).is_ok() && float.check_value(f64::INFINITY).is_ok() && float.check_value(f64::NAN).is_err());
        let int = Distribution::parse(r#"{"type": "int", "low": 1, "high": 3}"#).expect("a distribution");
        assert!(int.check_value(7.0).is_ok() && int.check_value(f64::INFINITY).is_err());
        let categorical = Distribution::parse(r#"{"type": "categorical", "choices": ["a", "b"]}"#).expect("a distribution");
        assert!(categorical.check_value(1.0).is_ok() && categorical.check_value(2.0).is_err() && categorical.check_value(-1.0).is_err());
    }
}
