//! The columns of a table: their names in the table and in its files, their types, and which of them stand in the log only.
//!
//! | there | here |
//! |---|---|
//! | byte, short, integer, long | integers of that size |
//! | float, double, decimal(p, s) | as they are |
//! | string, boolean, date, binary | as they are |
//! | timestamp (in UTC), timestamp_ntz | microseconds since 1970 |
//! | struct, array, map | as they are, with the table's names |
//!
//! Not here: bringing a file to them (`copy`).

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, TimeUnit};
use serde_json::Value;

use super::log::Snapshot;
use crate::landing::{LandedColumn, LandedKind};

/// Features that a reader must know and this one does.
const KNOWN: [&str; 7] =
    ["deletionVectors", "columnMapping", "timestampNtz", "v2Checkpoint", "vacuumProtocolCheck", "typeWidening", "typeWidening-preview"];
/// Levels of nested columns.
const DEPTH: usize = 32;

/// How columns are found in files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mapping {
    None,
    Name,
    Id,
}

/// A column, or a member of one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    pub(super) name: String,
    /// Its name in files.
    pub(super) physical: String,
    /// Its number in files, with [`Mapping::Id`].
    pub(super) id: Option<i64>,
    pub(super) kind: Kind,
    /// The source's name of the type.
    from: String,
}

/// A type.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Plain(DataType),
    Struct(Vec<Column>),
    List(Box<Kind>),
    Map(Box<Kind>, Box<Kind>),
}

/// The columns of a version.
#[derive(Debug)]
pub(super) struct TableSchema {
    pub(super) columns: Vec<Column>,
    /// Names of columns whose values stand in the log.
    pub(super) partitions: Vec<String>,
    pub(super) mapping: Mapping,
    tag: String,
}

impl TableSchema {
    /// Reads the columns, and checks that files of the table can be read.
    pub(super) fn read(snapshot: &Snapshot) -> Result<Self, String> {
        let (protocol, metadata) = (&snapshot.protocol, &snapshot.metadata);
        let features = protocol.reader_features.as_deref().unwrap_or_default();
        if let Some(feature) = features.iter().find(|feature| !KNOWN.contains(&feature.as_str())) {
            return Err(format!("it has the feature `{feature}`, which is not read; known are {}", KNOWN.join(", ")));
        }
        if !(1..=3).contains(&protocol.min_reader_version) {
            return Err(format!("it needs a reader of version {}, known are 1 to 3", protocol.min_reader_version));
        }
        if let Some(format) = metadata.format.as_ref().filter(|format| format.provider != "parquet") {
            return Err(format!("its files are {}, not Parquet", format.provider));
        }
        let mapping = match metadata.setting("delta.columnMapping.mode") {
            None | Some("none") => Mapping::None,
            Some("name") => Mapping::Name,
            Some("id") => Mapping::Id,
            Some(other) => return Err(format!("`{other}` is no way of mapping columns")),
        };
        let schema: Value =
            serde_json::from_str(&metadata.schema_string).map_err(|error| format!("its columns cannot be read: {error}"))?;
        let columns = members(&schema, mapping, 0)?;
        let partitions = metadata.partition_columns.clone().unwrap_or_default();
        if let Some(name) = partitions.iter().find(|name| !columns.iter().any(|column| column.name == **name)) {
            return Err(format!("it is partitioned by `{name}`, which is none of its columns"));
        }
        let tag = match mapping {
            Mapping::None => String::new(),
            // With mapping a column may get another name, and no file is written anew.
            _ => format!("-{}", &blake3::hash(metadata.schema_string.as_bytes()).to_hex()[..12]),
        };
        Ok(Self { columns, partitions, mapping, tag })
    }

    /// What a file that landed with other names is told by.
    pub(super) fn mapping_tag(&self) -> &str {
        &self.tag
    }

    /// The columns as the manifest has them.
    pub(super) fn landed(&self) -> Vec<LandedColumn> {
        let landed = |column: &Column| LandedColumn { name: column.name.clone(), kind: column.kind.landed(), from: column.from.clone() };
        self.columns.iter().map(landed).collect()
    }
}

impl Kind {
    pub(super) fn data_type(&self) -> DataType {
        let inner = |name: &str, kind: &Self, is_nullable: bool| Arc::new(Field::new(name, kind.data_type(), is_nullable));
        match self {
            Self::Plain(plain) => plain.clone(),
            Self::Struct(columns) => DataType::Struct(columns.iter().map(Column::field).collect::<Fields>()),
            Self::List(item) => DataType::List(inner("element", item, true)),
            Self::Map(key, value) => {
                let entries = Fields::from(vec![inner("key", key, false), inner("value", value, true)]);
                DataType::Map(Arc::new(Field::new("key_value", DataType::Struct(entries), false)), false)
            }
        }
    }

    fn landed(&self) -> LandedKind {
        match self {
            Self::Plain(plain) if plain.is_integer() => LandedKind::Integer,
            Self::Plain(plain) if plain.is_numeric() => LandedKind::Real,
            Self::Plain(DataType::Boolean) => LandedKind::Boolean,
            Self::Plain(DataType::Date32) => LandedKind::Date,
            Self::Plain(DataType::Timestamp(..)) => LandedKind::Timestamp,
            _ => LandedKind::Text,
        }
    }
}

impl Column {
    pub(super) fn field(&self) -> Field {
        Field::new(&self.name, self.kind.data_type(), true)
    }
}

fn members(schema: &Value, mapping: Mapping, depth: usize) -> Result<Vec<Column>, String> {
    if depth > DEPTH {
        return Err(format!("its columns are nested more than {DEPTH} deep"));
    }
    let fields = schema["fields"].as_array().ok_or("its columns cannot be read: a struct has no fields")?;
    let mut columns: Vec<Column> = Vec::new();
    for field in fields {
        let name = field["name"].as_str().ok_or("its columns cannot be read: one has no name")?.to_owned();
        if columns.iter().any(|known| known.name == name) {
            return Err(format!("it has two columns `{name}`"));
        }
        let physical = match mapping {
            Mapping::None => name.clone(),
            _ => field["metadata"]["delta.columnMapping.physicalName"]
                .as_str()
                .ok_or_else(|| format!("column `{name}` has no name in files"))?
                .to_owned(),
        };
        let id = if mapping == Mapping::Id { field["metadata"]["delta.columnMapping.id"].as_i64() } else { None };
        let kind = kind(&field["type"], mapping, depth).map_err(|reason| format!("column `{name}`: {reason}"))?;
        let from = field["type"].as_str().or_else(|| field["type"]["type"].as_str()).unwrap_or_default().to_owned();
        columns.push(Column { name, physical, id, kind, from });
    }
    if columns.is_empty() { Err("it has no columns".to_owned()) } else { Ok(columns) }
}

fn kind(found: &Value, mapping: Mapping, depth: usize) -> Result<Kind, String> {
    if depth > DEPTH {
        return Err(format!("it is nested more than {DEPTH} deep"));
    }
    let Some(name) = found.as_str() else {
        let inner = |name: &str| kind(&found[name], mapping, depth + 1).map(Box::new);
        return match found["type"].as_str() {
            Some("struct") => members(found, mapping, depth + 1).map(Kind::Struct),
            Some("array") => inner("elementType").map(Kind::List),
            Some("map") => Ok(Kind::Map(inner("keyType")?, inner("valueType")?)),
            other => Err(format!("`{}` is no type that is known", other.unwrap_or_default())),
        };
    };
    Ok(Kind::Plain(match name {
        "byte" => DataType::Int8,
        "short" => DataType::Int16,
        "integer" => DataType::Int32,
        "long" => DataType::Int64,
        "float" => DataType::Float32,
        "double" => DataType::Float64,
        "string" => DataType::Utf8,
        "boolean" => DataType::Boolean,
        "binary" => DataType::Binary,
        "date" => DataType::Date32,
        "timestamp" | "timestamp_ntz" => DataType::Timestamp(TimeUnit::Microsecond, None),
        "decimal" => DataType::Decimal128(10, 0),
        other => decimal(other).ok_or_else(|| format!("`{other}` is no type that is known"))?,
    }))
}

/// Reads `decimal(10,2)`, or `varchar(20)` as text.
fn decimal(text: &str) -> Option<DataType> {
    let (name, rest) = text.split_once('(')?;
    if matches!(name, "varchar" | "char") {
        return Some(DataType::Utf8);
    }
    let (precision, scale) = rest.strip_suffix(')')?.split_once(',')?;
    let (precision, scale): (u8, i8) = (precision.trim().parse().ok()?, scale.trim().parse().ok()?);
    (name == "decimal" && (1..=38).contains(&precision) && (0..=precision as i8).contains(&scale))
        .then_some(DataType::Decimal128(precision, scale))
}
