//! A fitted global model and its state as text.
//!
//! Not here: forecasts (`forecast`).

use almanac_features::FeaturePlan;
use almanac_model::FitError;
use serde::{Deserialize, Serialize};

use crate::Pool;
use crate::choices::Reach;
use crate::cold::Cold;
use crate::global::Trees;
use crate::target::Target;

/// Why a state could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Not the JSON that was written.
    #[error("the text is no state of `{model}`")]
    Format {
        /// The model's name.
        model: &'static str,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// Written by a newer program, or for another model.
    #[error("the state of `{model}` has version `{found}`, this program reads `{known}`")]
    Version {
        /// The model's name.
        model: &'static str,
        /// The version that is read.
        known: &'static str,
        /// The version found.
        found: String,
    },
    /// The trees cannot be read.
    #[error("the state's trees cannot be read")]
    Trees(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What one bag of trees speaks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Role {
    pub(crate) reach: Reach,
    /// Value of the pool's column; `None` for all series.
    pub(crate) key: Option<String>,
    /// Probability of the quantile that is said; `None` for the forecast itself.
    pub(crate) quantile: Option<f64>,
    pub(crate) target: Target,
}

/// A bag of trees and what it speaks for.
#[derive(Debug)]
pub(crate) struct Part<T> {
    pub(crate) role: Role,
    pub(crate) bag: Vec<T>,
}

#[derive(Debug, Serialize, Deserialize)]
struct PartState {
    role: Role,
    trees: Vec<String>,
}

/// All that is learnt: how rows are made, what the trees say, and how that turns into units of `y`.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    version: String,
    plan: FeaturePlan,
    /// Of the only part, where it speaks for all series and steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    target: Option<Target>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    trees: Vec<String>,
    #[serde(default, skip_serializing_if = "Pool::is_whole")]
    pool: Pool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parts: Vec<PartState>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cold: Option<Cold>,
}

/// Trees that forecast.
#[derive(Debug)]
pub(crate) struct Fitted<T> {
    pub(crate) plan: FeaturePlan,
    pub(crate) pool: Pool,
    pub(crate) cold: Option<Cold>,
    pub(crate) parts: Vec<Part<T>>,
    pub(crate) state: String,
}

impl<T: Trees> Fitted<T> {
    pub(crate) fn new(plan: FeaturePlan, pool: Pool, cold: Option<Cold>, parts: Vec<Part<T>>) -> Result<Self, FitError> {
        let library = |message: String| FitError::Library { model: T::MODEL.into(), message };
        let texts = |bag: &[T]| bag.iter().map(T::to_text).collect::<Result<Vec<_>, _>>().map_err(|error| library(error.to_string()));
        let mut state = State { version: T::VERSION.to_owned(), plan, target: None, trees: Vec::new(), pool, parts: Vec::new(), cold };
        match &parts[..] {
            [only] if only.role == whole(&state.plan, only.role.target) => {
                state.target = Some(only.role.target);
                state.trees = texts(&only.bag)?;
            }
            parts => {
                for part in parts {
                    state.parts.push(PartState { role: part.role.clone(), trees: texts(&part.bag)? });
                }
            }
        }
        let text = serde_json::to_string(&state).map_err(|error| library(error.to_string()))?;
        Ok(Self { plan: state.plan, pool: state.pool, cold: state.cold, parts, state: text })
    }

    pub(crate) fn load(text: &str) -> Result<Self, LoadError> {
        let state: State = serde_json::from_str(text).map_err(|source| LoadError::Format { model: T::MODEL, source })?;
        if state.version != T::VERSION {
            return Err(LoadError::Version { model: T::MODEL, known: T::VERSION, found: state.version });
        }
        let only = state.target.map(|target| PartState { role: whole(&state.plan, target), trees: state.trees });
        let mut parts = Vec::new();
        for part in only.into_iter().chain(state.parts) {
            let bag = part.trees.iter().map(|trees| T::from_text(trees)).collect::<Result<_, _>>();
            parts.push(Part { role: part.role, bag: bag.map_err(|error| LoadError::Trees(Box::new(error)))? });
        }
        Ok(Self { plan: state.plan, pool: state.pool, cold: state.cold, parts, state: text.to_owned() })
    }
}

/// The role of a part that is alone.
fn whole(plan: &FeaturePlan, target: Target) -> Role {
    Role { reach: Reach { first: 1, last: plan.spec().horizon, recursive: false }, key: None, quantile: None, target }
}
