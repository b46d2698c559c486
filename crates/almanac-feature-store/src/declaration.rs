//! What is declared: entities, feature views, feature services, checked and resolved.
//!
//! Not here: the file they are written in (`file`), how values are found (`table`).

mod expression;
mod file;

use std::collections::BTreeMap;
use std::path::Path;

use jiff::tz::TimeZone;

pub use expression::Expression;
pub use file::{
    DeclaredEntity, DeclaredField, DeclaredFile, DeclaredKey, DeclaredService, DeclaredSource, DeclaredView, DetailedField, TypedKey,
};

use crate::FeatureError;
use crate::clock::Micros;

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Whole numbers of 64 bits.
    Int,
    /// Numbers of 64 bits.
    Real,
    /// Numbers of 32 bits.
    Real32,
    /// True or false.
    Bool,
    /// Text.
    Text,
    /// Instants.
    Time,
    /// Bytes.
    Bytes,
    /// Lists of whole numbers.
    Ints,
    /// Lists of numbers of 64 bits.
    Reals,
    /// Lists of numbers of 32 bits.
    Real32s,
    /// Lists of truth values.
    Bools,
    /// Lists of texts.
    Texts,
    /// Lists of instants.
    Times,
    /// Lists of bytes.
    BytesLists,
}

/// Kinds of single values, and of lists of them.
const LISTS: [(Kind, Kind); 7] = [
    (Kind::Int, Kind::Ints),
    (Kind::Real, Kind::Reals),
    (Kind::Real32, Kind::Real32s),
    (Kind::Bool, Kind::Bools),
    (Kind::Text, Kind::Texts),
    (Kind::Time, Kind::Times),
    (Kind::Bytes, Kind::BytesLists),
];

impl Kind {
    /// Returns its name, as in a declaration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Int => "int",
            Self::Real => "real",
            Self::Real32 => "real32",
            Self::Bool => "bool",
            Self::Text => "text",
            Self::Time => "time",
            Self::Bytes => "bytes",
            Self::Ints => "ints",
            Self::Reals => "reals",
            Self::Real32s => "real32s",
            Self::Bools => "bools",
            Self::Texts => "texts",
            Self::Times => "times",
            Self::BytesLists => "byteslists",
        }
    }

    /// Returns the kind of the items of lists; `None` for single values.
    pub fn item(self) -> Option<Self> {
        LISTS.iter().find(|(_, list)| *list == self).map(|(item, _)| *item)
    }

    /// Returns the kind of lists of such values; `None` for lists.
    pub fn list(self) -> Option<Self> {
        LISTS.iter().find(|(item, _)| *item == self).map(|(_, list)| *list)
    }

    /// Tells whether one can calculate with it.
    pub fn is_number(self) -> bool {
        matches!(self, Self::Int | Self::Real | Self::Real32)
    }
}

/// What the values of a key are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyKind {
    /// Text, byte by byte.
    #[default]
    Text,
    /// Whole numbers of 64 bits.
    Int,
}

impl KeyKind {
    /// Returns its name, as in a declaration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Int => "int",
        }
    }
}

/// One column that says what a row is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its name in requests and entity tables.
    pub name: String,
    /// The column of the view's source.
    pub column: String,
    /// What its values are.
    pub kind: KeyKind,
}

/// What features are about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// Its name.
    pub name: String,
    /// Names and kinds of its keys.
    pub keys: Vec<(String, KeyKind)>,
    /// What it is, in words.
    pub description: String,
}

/// Where the rows of a view come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceOf {
    /// A Parquet or CSV file, a folder of them, or a pattern; relative to the project.
    File(String),
    /// A table of bronze.
    Bronze(String),
    /// A query over bronze.
    Sql(String),
    /// The project's own features, as known at the close of each row.
    Gold,
}

/// What several rows of one entity at one time are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Corrections {
    /// Versions of each other: those created last count.
    #[default]
    Replace,
    /// Events of their own: all count.
    Add,
}

/// What is done with the events in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Function {
    /// Number of events, or of values where a column is named.
    Count,
    /// Sum of the values, from the oldest to the newest; a real number.
    Sum,
    /// Sum over number.
    Mean,
    /// The smallest value.
    Min,
    /// The greatest value.
    Max,
    /// The value of the newest event that has one.
    Last,
    /// Number of different values.
    Distinct,
}

/// How a field is made of rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Compute {
    /// The column of the newest row.
    Latest,
    /// A function of the events in `(at − window, at]`.
    Window {
        /// The function.
        function: Function,
        /// Length of the window.
        window: Micros,
    },
}

/// One feature of a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Column of the source; `None` only where events are counted.
    pub column: Option<String>,
    /// How it is made.
    pub compute: Compute,
    /// What the values of the column are to be; `None` takes them as they are.
    pub kind: Option<Kind>,
    /// What it is, in words.
    pub description: String,
}

/// A field that is calculated from others of its view when it is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Derived {
    /// Its name.
    pub name: String,
    /// The calculation.
    pub expression: Expression,
    /// What it is, in words.
    pub description: String,
}

/// A feature view: features of one entity, from one source.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// Its name.
    pub name: String,
    /// What it is, in words.
    pub description: String,
    /// Who answers for it.
    pub owner: String,
    /// Words to find it by.
    pub tags: BTreeMap<String, String>,
    /// Names of its entities.
    pub entities: Vec<String>,
    /// Their keys, in order.
    pub keys: Vec<Key>,
    /// Where its rows come from.
    pub source: SourceOf,
    /// Column with the time at which a row became true.
    pub time: String,
    /// Column with the time at which a row became known.
    pub created: Option<String>,
    /// Zone of times without one.
    pub timezone: TimeZone,
    /// How long a row counts; `None` is for ever.
    pub ttl: Option<Micros>,
    /// What several rows of one time are.
    pub corrections: Corrections,
    /// Whether it is kept for online lookups.
    pub online: bool,
    /// Its fields.
    pub fields: Vec<Field>,
    /// Fields calculated from them.
    pub derived: Vec<Derived>,
}

impl View {
    /// Returns the names of all its features, in order.
    pub fn features(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|field| field.name.as_str()).chain(self.derived.iter().map(|field| field.name.as_str()))
    }

    /// Returns the longest window of its fields; 0 where there is none.
    pub fn longest_window(&self) -> Micros {
        let windows = self.fields.iter().map(|field| match field.compute {
            Compute::Latest => 0,
            Compute::Window { window, .. } => window,
        });
        windows.max().unwrap_or(0)
    }

    /// Returns a hash of everything that says which rows are kept for online lookups. Descriptions, owners and the ttl are not in it.
    pub fn fingerprint(&self) -> String {
        let keys: Vec<_> = self.keys.iter().map(|key| (&key.name, &key.column, key.kind.name())).collect();
        let mut columns: Vec<_> = self.fields.iter().filter_map(|field| field.column.as_ref().map(|column| (column, field.kind))).collect();
        columns.sort_unstable_by_key(|(column, kind)| (column.as_str(), kind.map(Kind::name)));
        columns.dedup();
        let zone = self.timezone.iana_name().unwrap_or("UTC");
        let text = format!("{:?}", (keys, &self.source, &self.time, &self.created, zone, self.corrections, columns, self.longest_window()));
        blake3::hash(text.as_bytes()).to_hex()[..16].to_owned()
    }
}

/// Names of features, to be asked for together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// What it is, in words.
    pub description: String,
    /// Its features.
    pub features: Vec<FeatureRef>,
}

/// One feature of one view.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FeatureRef {
    /// The view.
    pub view: String,
    /// The feature.
    pub feature: String,
}

/// Everything that is declared.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Declarations {
    /// What features are about.
    pub entities: Vec<Entity>,
    /// The views.
    pub views: Vec<View>,
    /// The services.
    pub services: Vec<Service>,
    /// Views that there are elsewhere but not here, and why.
    pub left_out: BTreeMap<String, String>,
}

impl Declarations {
    /// Reads `features.yaml`.
    ///
    /// # Errors
    /// [`FeatureError`] if it cannot be read, is not of the form, or contradicts itself.
    pub fn read(path: &Path) -> Result<Self, FeatureError> {
        let text = std::fs::read_to_string(path).map_err(|error| FeatureError::read(path, error))?;
        Self::parse(&text, path)
    }

    /// Reads declarations from text; `path` is for messages.
    ///
    /// # Errors
    /// As [`Declarations::read`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, FeatureError> {
        file::parse(text, path)?.check()
    }

    /// Returns a view by its name.
    ///
    /// # Errors
    /// [`FeatureError::Unknown`]; [`FeatureError::LeftOut`] for one that was left out when the declarations were taken over.
    pub fn view(&self, name: &str) -> Result<&View, FeatureError> {
        if let Some(why) = self.left_out.get(name) {
            return Err(FeatureError::LeftOut { view: name.to_owned(), why: why.clone() });
        }
        let there = || self.views.iter().map(|view| view.name.as_str());
        self.views.iter().find(|view| view.name == name).ok_or_else(|| FeatureError::unknown("feature view", name, there()))
    }

    /// Returns a service by its name.
    ///
    /// # Errors
    /// [`FeatureError::Unknown`].
    pub fn service(&self, name: &str) -> Result<&Service, FeatureError> {
        let there = || self.services.iter().map(|service| service.name.as_str());
        self.services.iter().find(|service| service.name == name).ok_or_else(|| FeatureError::unknown("feature service", name, there()))
    }

    /// Resolves names such as `view:feature`, or `view` for all of its features, in order and each once.
    ///
    /// # Errors
    /// [`FeatureError::Unknown`].
    pub fn resolve<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Result<Vec<FeatureRef>, FeatureError> {
        let mut found: Vec<FeatureRef> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for name in names {
            let (view, feature) = name.split_once(':').map_or((name, None), |(view, feature)| (view, Some(feature)));
            let view = self.view(view)?;
            let wanted: Vec<&str> = match feature {
                None => view.features().collect(),
                Some(feature) if view.features().any(|other| other == feature) => vec![feature],
                Some(feature) => return Err(FeatureError::unknown("feature", feature, view.features())),
            };
            for feature in wanted {
                let reference = FeatureRef { view: view.name.clone(), feature: feature.to_owned() };
                if seen.insert(reference.clone()) {
                    found.push(reference);
                }
            }
        }
        Ok(found)
    }
}
