//! `features.yaml`: its form, and the way from the form to declarations that hold together.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::{
    Compute, Corrections, Declarations, Derived, Entity, Expression, Field, Function, Key, KeyKind, Kind, Service, SourceOf, View,
};
use crate::FeatureError;
use crate::clock::parse_span;

/// Most bytes of the file.
const LARGEST: usize = 4 << 20;

/// The file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredFile {
    /// What features are about.
    pub entities: Vec<DeclaredEntity>,
    /// The feature views.
    #[serde(default)]
    pub views: Vec<DeclaredView>,
    /// The feature services.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<DeclaredService>,
    /// Views that there are elsewhere but not here, and why: who asks for one is told.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub left_out: BTreeMap<String, String>,
}

/// An entity in the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredEntity {
    /// Its name.
    pub name: String,
    /// Its keys; one text key of the same name where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<DeclaredKey>,
    /// What it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// A key in the file: its name, or its name and type.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum DeclaredKey {
    /// A text key.
    Name(String),
    /// A key with its type.
    Typed(TypedKey),
}

/// A key and its type.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypedKey {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type", default)]
    pub kind: KeyKind,
}

/// A source in the file: one of the four.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredSource {
    /// Parquet or CSV: a file, a folder, a pattern.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// A table of bronze.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bronze: Option<String>,
    /// A query over bronze.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<String>,
    /// The project's own features.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gold: bool,
}

/// A view in the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredView {
    /// Its name.
    pub name: String,
    /// What it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Who answers for it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub owner: String,
    /// Words to find it by.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
    /// Names of its entities; none where its values are those of everything at once, such as an exchange rate.
    pub entities: Vec<String>,
    /// Where its rows come from.
    pub source: DeclaredSource,
    /// Columns of keys that have another name in the source.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub key_columns: BTreeMap<String, String>,
    /// Column with the time of a row.
    pub time: String,
    /// Column with the time at which it became known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Zone of times without one; UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// How long a row counts; for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<String>,
    /// What several rows of one time are.
    #[serde(default, skip_serializing_if = "is_default")]
    pub corrections: Corrections,
    /// Whether it is kept for online lookups.
    #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
    pub online: bool,
    /// Its fields.
    pub fields: Vec<DeclaredField>,
}

/// A field in the file: a column, or more about it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
pub enum DeclaredField {
    /// A column of the newest row, under its own name.
    Column(String),
    /// A field with its details.
    Detailed(Box<DetailedField>),
}

/// A field with its details.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DetailedField {
    /// Its name.
    pub name: String,
    /// Column of the source; that of the same name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Type of its values.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// What is done with the events of the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregate: Option<Function>,
    /// Length of the window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
    /// A calculation from other fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub derive: Option<String>,
    /// What it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
}

/// A service in the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeclaredService {
    /// Its name.
    pub name: String,
    /// What it is.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// `view:feature`, or `view` for all of its features.
    pub features: Vec<String>,
}

fn yes() -> bool {
    true
}

fn is_default(corrections: &Corrections) -> bool {
    *corrections == Corrections::default()
}

/// Reads the form.
pub(super) fn parse(text: &str, path: &Path) -> Result<DeclaredFile, FeatureError> {
    let form = |message: String| FeatureError::Form { path: path.to_owned(), message };
    if text.len() > LARGEST {
        return Err(form(format!("it is larger than {} MiB", LARGEST >> 20)));
    }
    serde_yaml_ng::from_str(text).map_err(|error| form(error.to_string()))
}

/// A name of an entity, a view, a field or a service: safe in a path, a reference and a column.
fn check_name(what: &str, name: &str) -> Result<(), FeatureError> {
    let is_sound = !name.is_empty()
        && name.len() <= 200
        && name.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.' | ' ' | '%' | '/' | '(' | ')'))
        && !name.starts_with(['.', ' '])
        && !name.contains("__")
        && name.trim() == name;
    if is_sound {
        return Ok(());
    }
    let mend = "names are letters, digits, `_`, `-` and `.`, without `__`, at most 200 bytes".to_owned();
    Err(FeatureError::declared(format!("{what} `{name}`"), "the name is not allowed", mend))
}

/// A name that is also that of a folder.
fn check_folder_name(what: &str, name: &str) -> Result<(), FeatureError> {
    check_name(what, name)?;
    if name.contains(['/', ' ', '(', ')', '%']) {
        let mend = "names of views, entities and services are letters, digits, `_`, `-` and `.`".to_owned();
        return Err(FeatureError::declared(format!("{what} `{name}`"), "the name is not allowed", mend));
    }
    Ok(())
}

fn once<'a>(what: &str, names: impl IntoIterator<Item = &'a str>) -> Result<(), FeatureError> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(FeatureError::declared(format!("{what} `{name}`"), "it is declared twice", "give each its own name".to_owned()));
        }
    }
    Ok(())
}

impl DeclaredFile {
    /// Checks that the declarations hold together.
    ///
    /// # Errors
    /// [`FeatureError::Declared`] naming the place; [`FeatureError::Unknown`] for a name that nothing has.
    pub fn check(self) -> Result<Declarations, FeatureError> {
        once("entity", self.entities.iter().map(|entity| entity.name.as_str()))?;
        once("feature view", self.views.iter().map(|view| view.name.as_str()))?;
        once("feature service", self.services.iter().map(|service| service.name.as_str()))?;
        let entities = self.entities.into_iter().map(entity).collect::<Result<Vec<_>, _>>()?;
        let views = self.views.into_iter().map(|view| check_view(view, &entities)).collect::<Result<Vec<_>, _>>()?;
        if let Some(both) = self.left_out.keys().find(|name| views.iter().any(|view| view.name == **name)) {
            return Err(FeatureError::declared(format!("feature view `{both}`"), "it is declared and left out", None));
        }
        let mut declared = Declarations { entities, views, services: Vec::new(), left_out: self.left_out };
        for service in self.services {
            check_folder_name("feature service", &service.name)?;
            let features = declared.resolve(service.features.iter().map(String::as_str))?;
            declared.services.push(Service { name: service.name, description: service.description, features });
        }
        Ok(declared)
    }
}

fn entity(entity: DeclaredEntity) -> Result<Entity, FeatureError> {
    check_folder_name("entity", &entity.name)?;
    let mut keys: Vec<(String, KeyKind)> = entity
        .keys
        .into_iter()
        .map(|key| match key {
            DeclaredKey::Name(name) => (name, KeyKind::Text),
            DeclaredKey::Typed(typed) => (typed.name, typed.kind),
        })
        .collect();
    if keys.is_empty() {
        keys.push((entity.name.clone(), KeyKind::Text));
    }
    once(&format!("entity `{}`: key", entity.name), keys.iter().map(|(name, _)| name.as_str()))?;
    keys.iter().try_for_each(|(name, _)| check_name(&format!("entity `{}`: key", entity.name), name))?;
    Ok(Entity { name: entity.name, keys, description: entity.description })
}

fn check_view(declared: DeclaredView, entities: &[Entity]) -> Result<View, FeatureError> {
    let name = declared.name;
    check_folder_name("feature view", &name)?;
    let place = format!("feature view `{name}`");
    let mut keys: Vec<Key> = Vec::new();
    for entity in &declared.entities {
        let there = || entities.iter().map(|entity| entity.name.as_str());
        let found = entities.iter().find(|other| other.name == *entity).ok_or_else(|| FeatureError::unknown("entity", entity, there()))?;
        keys.extend(found.keys.iter().map(|(name, kind)| Key {
            name: name.clone(),
            column: declared.key_columns.get(name).unwrap_or(name).clone(),
            kind: *kind,
        }));
    }
    once(&format!("{place}: key"), keys.iter().map(|key| key.name.as_str()))?;
    once(&format!("{place}: key column"), keys.iter().map(|key| key.column.as_str()))?;
    if let Some(stray) = declared.key_columns.keys().find(|name| !keys.iter().any(|key| key.name == **name)) {
        return Err(FeatureError::declared(place, format!("`key_columns` names `{stray}`, which is no key of its entities"), None));
    }
    let source = source(&place, declared.source)?;
    let timezone = match declared.timezone.as_deref() {
        None => TimeZone::UTC,
        Some(zone) => TimeZone::get(zone).map_err(|_| {
            FeatureError::declared(&place, format!("`{zone}` is no time zone"), "write a name such as `Europe/Berlin`".to_owned())
        })?,
    };
    let ttl = declared.ttl.as_deref().map(|text| span(&place, "ttl", text)).transpose()?;
    let (mut fields, mut derived) = (Vec::new(), Vec::new());
    for field in declared.fields {
        let detailed = match field {
            DeclaredField::Column(name) => DetailedField { name, ..DetailedField::default() },
            DeclaredField::Detailed(detailed) => *detailed,
        };
        check_name(&format!("{place}: field"), &detailed.name)?;
        check_field(&place, detailed, &mut fields, &mut derived)?;
    }
    if fields.is_empty() {
        return Err(FeatureError::declared(place, "it has no fields", "name at least one column under `fields`".to_owned()));
    }
    let names = fields.iter().map(|field| field.name.as_str()).chain(derived.iter().map(|field: &Derived| field.name.as_str()));
    once(&format!("{place}: field"), names.chain(keys.iter().map(|key| key.name.as_str())))?;
    for field in &derived {
        for name in field.expression.names() {
            if !fields.iter().any(|other| other.name == name) {
                return Err(FeatureError::unknown("field", name, fields.iter().map(|field| field.name.as_str())));
            }
        }
    }
    for field in &fields {
        let clashing = fields.iter().find(|other| other.column.is_some() && other.column == field.column && other.kind != field.kind);
        if let Some(other) = clashing {
            let message = format!("`{}` and `{}` read one column as two types", field.name, other.name);
            return Err(FeatureError::declared(place, message, "give both the same `type`".to_owned()));
        }
    }
    Ok(View {
        name,
        description: declared.description,
        owner: declared.owner,
        tags: declared.tags,
        entities: declared.entities,
        keys,
        source,
        time: declared.time,
        created: declared.created,
        timezone,
        ttl,
        corrections: declared.corrections,
        online: declared.online,
        fields,
        derived,
    })
}

fn source(place: &str, declared: DeclaredSource) -> Result<SourceOf, FeatureError> {
    match (declared.file, declared.bronze, declared.sql, declared.gold) {
        (Some(file), None, None, false) => Ok(SourceOf::File(file)),
        (None, Some(table), None, false) => Ok(SourceOf::Bronze(table)),
        (None, None, Some(sql), false) => Ok(SourceOf::Sql(sql)),
        (None, None, None, true) => Ok(SourceOf::Gold),
        _ => {
            let mend = "write one of `file: …`, `bronze: …`, `sql: …`, `gold: true`".to_owned();
            Err(FeatureError::declared(place, "`source` needs exactly one origin", mend))
        }
    }
}

fn span(place: &str, key: &str, text: &str) -> Result<i64, FeatureError> {
    let mend = "write a number and a unit: `90s`, `15m`, `12h`, `7d`, `4w`".to_owned();
    parse_span(text).ok_or_else(|| FeatureError::declared(place, format!("`{key}: {text}` is no span of time"), mend))
}

fn check_field(place: &str, field: DetailedField, fields: &mut Vec<Field>, derived: &mut Vec<Derived>) -> Result<(), FeatureError> {
    let place = format!("{place}: field `{}`", field.name);
    if let Some(text) = &field.derive {
        if field.column.is_some() || field.aggregate.is_some() || field.window.is_some() || field.kind.is_some() {
            return Err(FeatureError::declared(place, "`derive` stands alone: it is calculated from other fields", None));
        }
        let mend = "write arithmetic over fields of the view: `(price - cost) / price`".to_owned();
        let expression = Expression::parse(text).map_err(|message| FeatureError::declared(&place, message, mend))?;
        derived.push(Derived { name: field.name, expression, description: field.description });
        return Ok(());
    }
    let compute = match (field.aggregate, field.window.as_deref()) {
        (None, None) => Compute::Latest,
        (Some(function), Some(window)) => Compute::Window { function, window: span(&place, "window", window)? },
        (Some(_), None) => return Err(FeatureError::declared(place, "an aggregate needs a window", "add `window: 7d`".to_owned())),
        (None, Some(_)) => return Err(FeatureError::declared(place, "a window needs an aggregate", "add `aggregate: sum`".to_owned())),
    };
    let column = match (&compute, field.column) {
        (Compute::Latest, column) => Some(column.unwrap_or_else(|| field.name.clone())),
        (Compute::Window { function: Function::Count, .. }, column) => column,
        (Compute::Window { .. }, Some(column)) => Some(column),
        (Compute::Window { .. }, None) => {
            return Err(FeatureError::declared(place, "an aggregate needs a column", "add `column: …`".to_owned()));
        }
    };
    if let (Compute::Window { function: Function::Sum | Function::Mean, .. }, Some(kind)) = (&compute, field.kind)
        && !kind.is_number()
    {
        return Err(FeatureError::declared(place, format!("values of type `{}` have no sum", kind.name()), None));
    }
    if let (Compute::Window { function: Function::Min | Function::Max | Function::Distinct, .. }, Some(kind)) = (&compute, field.kind)
        && kind.item().is_some()
    {
        return Err(FeatureError::declared(place, "lists are not compared with each other", "`count` and `last` take lists".to_owned()));
    }
    fields.push(Field { name: field.name, column, compute, kind: field.kind, description: field.description });
    Ok(())
}
