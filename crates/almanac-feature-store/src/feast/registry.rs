//! What is read of Feast's registry: the messages of `feast.core`, with the fields that matter here and the numbers that Feast gives them.
//!
//! Source: `protos/feast/core/*.proto` of Feast 0.67. Fields that are not named here are skipped.

use std::collections::BTreeMap;

/// Numbers of `feast.types.ValueType.Enum`.
pub(super) mod value_type {
    use crate::declaration::Kind;

    pub(crate) const STRING: i32 = 2;
    pub(crate) const INT32: i32 = 3;
    pub(crate) const INT64: i32 = 4;

    /// Returns what values of a type are here; `None` where they are nothing.
    pub(crate) fn kind(number: i32) -> Option<Kind> {
        let single = |number: i32| {
            Some(match number {
                1 => Kind::Bytes,
                STRING => Kind::Text,
                INT32 | INT64 => Kind::Int,
                5 => Kind::Real,
                6 => Kind::Real32,
                7 => Kind::Bool,
                8 => Kind::Time,
                _ => return None,
            })
        };
        // Lists of a type have its number and ten.
        single(number).or_else(|| single(number.checked_sub(10)?)?.list())
    }

    /// Returns the name of a type, for messages.
    pub(crate) fn name(number: i32) -> String {
        match number {
            1..=8 => "a single value".to_owned(),
            11..=18 | 21 | 33 | 35 | 38 | 39 | 42 | 45 => "list".to_owned(),
            20 | 32 | 34 | 47 => "map".to_owned(),
            22..=29 | 40 | 41 | 43 | 46 => "set".to_owned(),
            _ => format!("number {number}"),
        }
    }
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Registry {
    #[prost(message, repeated, tag = "1")]
    pub(super) entities: Vec<Entity>,
    #[prost(message, repeated, tag = "6")]
    pub(super) feature_views: Vec<FeatureView>,
    #[prost(message, repeated, tag = "7")]
    pub(super) feature_services: Vec<FeatureService>,
    #[prost(message, repeated, tag = "8")]
    pub(super) on_demand_feature_views: Vec<Named>,
    #[prost(message, repeated, tag = "14")]
    pub(super) stream_feature_views: Vec<Named>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Entity {
    #[prost(message, optional, tag = "1")]
    pub(super) spec: Option<EntitySpec>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct EntitySpec {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(int32, tag = "2")]
    pub(super) value_type: i32,
    #[prost(string, tag = "3")]
    pub(super) description: String,
    #[prost(string, tag = "4")]
    pub(super) join_key: String,
    #[prost(string, tag = "9")]
    pub(super) project: String,
}

/// Anything that is only named.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Named {
    #[prost(message, optional, tag = "1")]
    pub(super) spec: Option<NamedSpec>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct NamedSpec {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) project: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct FeatureView {
    #[prost(message, optional, tag = "1")]
    pub(super) spec: Option<FeatureViewSpec>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct FeatureViewSpec {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) project: String,
    #[prost(string, repeated, tag = "3")]
    pub(super) entities: Vec<String>,
    #[prost(message, repeated, tag = "4")]
    pub(super) features: Vec<FeatureSpec>,
    #[prost(btree_map = "string, string", tag = "5")]
    pub(super) tags: BTreeMap<String, String>,
    #[prost(message, optional, tag = "6")]
    pub(super) ttl: Option<Duration>,
    #[prost(message, optional, tag = "7")]
    pub(super) batch_source: Option<DataSource>,
    #[prost(bool, tag = "8")]
    pub(super) online: bool,
    #[prost(message, optional, tag = "9")]
    pub(super) stream_source: Option<DataSource>,
    #[prost(string, tag = "10")]
    pub(super) description: String,
    #[prost(string, tag = "11")]
    pub(super) owner: String,
    /// That it is there is all that matters.
    #[prost(message, optional, tag = "15")]
    pub(super) feature_transformation: Option<Anything>,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct Anything {}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct Duration {
    #[prost(int64, tag = "1")]
    pub(super) seconds: i64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct FeatureSpec {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(int32, tag = "2")]
    pub(super) value_type: i32,
    #[prost(string, tag = "4")]
    pub(super) description: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct DataSource {
    #[prost(btree_map = "string, string", tag = "2")]
    pub(super) field_mapping: BTreeMap<String, String>,
    #[prost(string, tag = "3")]
    pub(super) timestamp_field: String,
    #[prost(string, tag = "5")]
    pub(super) created_timestamp_column: String,
    #[prost(message, optional, tag = "11")]
    pub(super) file_options: Option<FileOptions>,
    #[prost(string, tag = "20")]
    pub(super) name: String,
    #[prost(message, optional, boxed, tag = "26")]
    pub(super) batch_source: Option<Box<DataSource>>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct FileOptions {
    #[prost(message, optional, tag = "1")]
    pub(super) file_format: Option<FileFormat>,
    #[prost(string, tag = "2")]
    pub(super) uri: String,
}

#[derive(Clone, Copy, PartialEq, prost::Message)]
pub(super) struct FileFormat {
    #[prost(message, optional, tag = "2")]
    pub(super) delta_format: Option<Anything>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct FeatureService {
    #[prost(message, optional, tag = "1")]
    pub(super) spec: Option<FeatureServiceSpec>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct FeatureServiceSpec {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(string, tag = "2")]
    pub(super) project: String,
    #[prost(message, repeated, tag = "3")]
    pub(super) features: Vec<Projection>,
    #[prost(string, tag = "5")]
    pub(super) description: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Projection {
    #[prost(string, tag = "1")]
    pub(super) feature_view_name: String,
    #[prost(message, repeated, tag = "2")]
    pub(super) feature_columns: Vec<FeatureSpec>,
    #[prost(string, tag = "3")]
    pub(super) feature_view_name_alias: String,
    #[prost(btree_map = "string, string", tag = "4")]
    pub(super) join_key_map: BTreeMap<String, String>,
}
