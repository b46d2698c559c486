//! The messages of Optuna's storage service, with the field numbers of its `api.proto` (Optuna 4.2 to 5.0).
//!
//! Messages that look the same share one type here, as the wire knows no names.
//!
//! Not here: what they mean (`service`).

#![expect(clippy::struct_field_names, reason = "Optuna's names")]

use std::collections::BTreeMap;

use prost::Message;

/// An answer without content, and the request for all studies.
#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Empty {}

#[derive(Clone, PartialEq, Message)]
pub(super) struct NewStudy {
    /// 0 minimizes, 1 maximizes.
    #[prost(int32, repeated, tag = "1")]
    pub(super) directions: Vec<i32>,
    #[prost(string, tag = "2")]
    pub(super) study_name: String,
}

/// The id of a study, as a request or as an answer.
#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct StudyKey {
    #[prost(int64, tag = "1")]
    pub(super) study_id: i64,
}

/// The name of a study, as a request or as an answer.
#[derive(Clone, PartialEq, Message)]
pub(super) struct StudyName {
    #[prost(string, tag = "1")]
    pub(super) study_name: String,
}

/// The id of a trial, as a request or as an answer.
#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct TrialKey {
    #[prost(int64, tag = "1")]
    pub(super) trial_id: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Directions {
    #[prost(int32, repeated, tag = "1")]
    pub(super) directions: Vec<i32>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Attributes {
    #[prost(btree_map = "string, string", tag = "1")]
    pub(super) attributes: BTreeMap<String, String>,
}

/// An attribute to be set: of a study or of a trial, as the method says.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Attribute {
    #[prost(int64, tag = "1")]
    pub(super) id: i64,
    #[prost(string, tag = "2")]
    pub(super) key: String,
    #[prost(string, tag = "3")]
    pub(super) value: String,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Studies {
    #[prost(message, repeated, tag = "1")]
    pub(super) studies: Vec<Study>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Study {
    #[prost(int64, tag = "1")]
    pub(super) study_id: i64,
    #[prost(string, tag = "2")]
    pub(super) study_name: String,
    #[prost(int32, repeated, tag = "3")]
    pub(super) directions: Vec<i32>,
    #[prost(btree_map = "string, string", tag = "4")]
    pub(super) user_attributes: BTreeMap<String, String>,
    #[prost(btree_map = "string, string", tag = "5")]
    pub(super) system_attributes: BTreeMap<String, String>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct NewTrial {
    #[prost(int64, tag = "1")]
    pub(super) study_id: i64,
    #[prost(message, optional, tag = "2")]
    pub(super) template_trial: Option<Trial>,
    #[prost(bool, tag = "3")]
    pub(super) template_trial_is_none: bool,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct TrialParameter {
    #[prost(int64, tag = "1")]
    pub(super) trial_id: i64,
    #[prost(string, tag = "2")]
    pub(super) param_name: String,
    #[prost(double, tag = "3")]
    pub(super) param_value_internal: f64,
    #[prost(string, tag = "4")]
    pub(super) distribution: String,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct TrialNumber {
    #[prost(int64, tag = "1")]
    pub(super) study_id: i64,
    #[prost(int64, tag = "2")]
    pub(super) trial_number: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct TrialStateValues {
    #[prost(int64, tag = "1")]
    pub(super) trial_id: i64,
    /// From 0: running, complete, pruned, fail, waiting.
    #[prost(int32, tag = "2")]
    pub(super) state: i32,
    #[prost(double, repeated, tag = "3")]
    pub(super) values: Vec<f64>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct TrialUpdated {
    #[prost(bool, tag = "1")]
    pub(super) trial_updated: bool,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct TrialIntermediateValue {
    #[prost(int64, tag = "1")]
    pub(super) trial_id: i64,
    #[prost(int64, tag = "2")]
    pub(super) step: i64,
    #[prost(double, tag = "3")]
    pub(super) intermediate_value: f64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct OneTrial {
    #[prost(message, optional, tag = "1")]
    pub(super) trial: Option<Trial>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct TrialsAsked {
    #[prost(int64, tag = "1")]
    pub(super) study_id: i64,
    #[prost(int64, repeated, tag = "2")]
    pub(super) included_trial_ids: Vec<i64>,
    #[prost(int64, tag = "3")]
    pub(super) trial_id_greater_than: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Trials {
    #[prost(message, repeated, tag = "1")]
    pub(super) trials: Vec<Trial>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Trial {
    #[prost(int64, tag = "1")]
    pub(super) trial_id: i64,
    #[prost(int64, tag = "2")]
    pub(super) number: i64,
    #[prost(int32, tag = "3")]
    pub(super) state: i32,
    #[prost(double, repeated, tag = "4")]
    pub(super) values: Vec<f64>,
    #[prost(string, tag = "5")]
    pub(super) datetime_start: String,
    #[prost(string, tag = "6")]
    pub(super) datetime_complete: String,
    #[prost(btree_map = "string, double", tag = "7")]
    pub(super) params: BTreeMap<String, f64>,
    #[prost(btree_map = "string, string", tag = "8")]
    pub(super) distributions: BTreeMap<String, String>,
    #[prost(btree_map = "string, string", tag = "9")]
    pub(super) user_attributes: BTreeMap<String, String>,
    #[prost(btree_map = "string, string", tag = "10")]
    pub(super) system_attributes: BTreeMap<String, String>,
    #[prost(btree_map = "int64, double", tag = "11")]
    pub(super) intermediate_values: BTreeMap<i64, f64>,
}
