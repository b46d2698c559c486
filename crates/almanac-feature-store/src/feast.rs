//! A Feast repository with file sources, taken over as declarations.
//!
//! Read are `feature_store.yaml` and the registry it names: entities, feature views with Parquet sources, feature services. What has no
//! counterpart here (Python transformations, streams, warehouses, maps and sets) is left out, and each such thing is named.
//!
//! Not here: values that are in Feast's online store; they are made from the same sources by materialising. Python is not run: what
//! was declared and never applied is only named (`unapplied`).

mod registry;
mod services;
mod unapplied;

use std::collections::BTreeMap;
use std::path::Path;

use prost::Message;
use serde::Deserialize;

use self::registry::{DataSource, FeatureSpec, FeatureView, Registry, value_type};
use crate::FeatureError;
use crate::clock::write_span;
use crate::declaration::{
    Corrections, DeclaredEntity, DeclaredField, DeclaredFile, DeclaredKey, DeclaredSource, DeclaredView, DetailedField, KeyKind, TypedKey,
};

/// Largest registry that is read: 256 MiB.
const LARGEST: u64 = 256 << 20;

/// What was taken over.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The project's name in Feast.
    pub project: String,
    /// The declarations, to be written as `features.yaml`.
    pub file: DeclaredFile,
    /// What was left out or reads differently, one sentence each.
    pub left: Vec<String>,
}

impl Imported {
    /// Returns the declarations as YAML.
    pub fn to_yaml(&self) -> String {
        let head = format!("# Taken over from the Feast project `{}`.\n", self.project.replace(char::is_control, " "));
        // A comment ends with its line: a name of the registry must not begin another.
        let left: Vec<String> = self.left.iter().map(|sentence| sentence.replace(char::is_control, " ")).collect();
        let left: String = left.iter().flat_map(|sentence| ["# Not as in Feast: ", sentence, "\n"]).collect();
        let body = serde_yaml_ng::to_string(&self.file).expect("plain data");
        format!("{head}{left}{body}")
    }
}

/// What is read of `feature_store.yaml`.
#[derive(Debug, Deserialize)]
struct StoreFile {
    project: String,
    registry: Option<RegistryPlace>,
    #[serde(default)]
    offline_store: Option<serde_yaml_ng::Value>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum RegistryPlace {
    Path(String),
    Config { registry_type: Option<String>, path: Option<String> },
}

/// Reads a Feast repository. `path`: its `feature_store.yaml`, or the folder of it.
///
/// # Errors
/// [`FeatureError::Feast`] if the file or the registry cannot be read, or the registry is not a local file.
pub fn import_feast(path: &Path) -> Result<Imported, FeatureError> {
    let path = if path.is_dir() { path.join("feature_store.yaml") } else { path.to_owned() };
    let folder = path.parent().unwrap_or(Path::new("."));
    let refuse = |path: &Path, why: String| FeatureError::Feast { path: path.to_owned(), why };
    let text = std::fs::read_to_string(&path).map_err(|error| FeatureError::read(&path, error))?;
    let store: StoreFile = serde_yaml_ng::from_str(&text).map_err(|error| refuse(&path, error.to_string()))?;
    let registry = match store.registry {
        None => "data/registry.db".to_owned(),
        Some(RegistryPlace::Path(path) | RegistryPlace::Config { path: Some(path), registry_type: None }) => path,
        Some(RegistryPlace::Config { path: Some(path), registry_type: Some(kind) }) if kind == "file" => path,
        Some(RegistryPlace::Config { registry_type, .. }) => {
            let kind = registry_type.unwrap_or_default();
            return Err(refuse(&path, format!("its registry is of type `{kind}`; only one in a local file can be read")));
        }
    };
    if registry.contains("://") && !registry.starts_with("file://") {
        return Err(refuse(&path, format!("its registry is at `{registry}`; copy it here and name the copy")));
    }
    let registry_path = folder.join(registry.trim_start_matches("file://"));
    if !registry_path.exists() {
        return Err(refuse(&path, unapplied::why(folder, &registry)));
    }
    let size = std::fs::metadata(&registry_path).map_err(|error| FeatureError::read(&registry_path, error))?.len();
    if size > LARGEST {
        return Err(refuse(&registry_path, format!("it is larger than {} MiB", LARGEST >> 20)));
    }
    let bytes = std::fs::read(&registry_path).map_err(|error| FeatureError::read(&registry_path, error))?;
    let found =
        Registry::decode(bytes.as_slice()).map_err(|error| refuse(&registry_path, format!("it is no registry of Feast: {error}")))?;
    let mut left = Vec::new();
    let kind = store.offline_store.as_ref().and_then(|config| config.get("type")).and_then(|kind| kind.as_str()).unwrap_or("file");
    if !matches!(kind, "file" | "dask" | "duckdb") {
        left.push(format!("the offline store is `{kind}`; views are taken over where their source is a file"));
    }
    let file = take_over(&found, &store.project, folder, &mut left);
    if file.views.is_empty() {
        let why = format!("project `{}` has no feature view with a file source: {}", store.project, left.join("; "));
        return Err(refuse(&registry_path, why));
    }
    Ok(Imported { project: store.project, file, left })
}

fn take_over(registry: &Registry, project: &str, folder: &Path, left: &mut Vec<String>) -> DeclaredFile {
    let mut entities: BTreeMap<String, DeclaredEntity> = BTreeMap::new();
    let mut absent: BTreeMap<String, String> = BTreeMap::new();
    for spec in registry.entities.iter().filter_map(|entity| entity.spec.as_ref()).filter(|spec| spec.project == project) {
        let kind = match spec.value_type {
            value_type::STRING => KeyKind::Text,
            value_type::INT32 | value_type::INT64 => KeyKind::Int,
            _ if spec.name == "__dummy" => continue,
            other => {
                left.push(format!("entity `{}` has keys of type {}; keys are text or whole numbers", spec.name, value_type::name(other)));
                continue;
            }
        };
        let key = DeclaredKey::Typed(TypedKey { name: spec.join_key.clone(), kind });
        let entity = DeclaredEntity { name: spec.name.clone(), keys: vec![key], description: spec.description.clone() };
        entities.insert(spec.name.clone(), entity);
    }
    let mut views: Vec<DeclaredView> = Vec::new();
    for view in &registry.feature_views {
        let Some(name) = view.spec.as_ref().filter(|spec| spec.project == project).map(|spec| spec.name.clone()) else { continue };
        match take_view(view, project, &entities, folder, left) {
            Ok(Some(view)) => views.push(view),
            Ok(None) => {}
            Err(why) => {
                left.push(format!("feature view `{name}` is left out: {why}"));
                absent.insert(name, why);
            }
        }
    }
    for spec in registry.on_demand_feature_views.iter().filter_map(|view| view.spec.as_ref()).filter(|spec| spec.project == project) {
        let why = "an on-demand feature view of Feast is a Python function; write it as fields with `derive`";
        left.push(format!("feature view `{}` is left out: {why}", spec.name));
        absent.insert(spec.name.clone(), why.to_owned());
    }
    for spec in registry.stream_feature_views.iter().filter_map(|view| view.spec.as_ref()).filter(|spec| spec.project == project) {
        let why = "a stream feature view of Feast reads a stream";
        left.push(format!("feature view `{}` is left out: {why}", spec.name));
        absent.insert(spec.name.clone(), why.to_owned());
    }
    let mut file = DeclaredFile { entities: entities.into_values().collect(), views, services: Vec::new(), left_out: absent };
    services::take(registry, project, &mut file, left);
    let used: std::collections::BTreeSet<String> = file.views.iter().flat_map(|view| view.entities.iter().cloned()).collect();
    file.entities.retain(|entity| used.contains(&entity.name));
    file
}

fn take_view(
    view: &FeatureView,
    project: &str,
    entities: &BTreeMap<String, DeclaredEntity>,
    folder: &Path,
    left: &mut Vec<String>,
) -> Result<Option<DeclaredView>, String> {
    let Some(spec) = view.spec.as_ref().filter(|spec| spec.project == project) else { return Ok(None) };
    let name = &spec.name;
    // A view without entities has one of this name in the registry.
    let named: Vec<String> = spec.entities.iter().filter(|entity| *entity != "__dummy").cloned().collect();
    if let Some(strange) = named.iter().find(|entity| !entities.contains_key(*entity)) {
        return Err(format!("its entity `{strange}` cannot be taken over"));
    }
    if spec.feature_transformation.is_some() {
        return Err("its features come from a transformation in Python".to_owned());
    }
    let Some(source) = &spec.batch_source else { return Err("it has no batch source".to_owned()) };
    // A push or stream source has the files it is kept in beside it.
    let source = source.batch_source.as_deref().unwrap_or(source);
    let file = file_of(source, folder)?;
    if spec.stream_source.is_some() {
        left.push(format!("feature view `{name}` also has a stream or push source; only its files are read"));
    }
    let column_of = |wanted: &str| source.field_mapping.iter().find(|(_, to)| *to == wanted).map_or(wanted, |(from, _)| from).to_owned();
    let fields: Vec<DeclaredField> = spec.features.iter().filter_map(|feature| take_field(name, feature, &column_of, left)).collect();
    if fields.is_empty() {
        return Err("none of its fields can be taken over".to_owned());
    }
    let keys = named.iter().filter_map(|entity| entities.get(entity)).flat_map(|entity| &entity.keys);
    let key_columns = keys.filter_map(|key| match key {
        DeclaredKey::Typed(key) if column_of(&key.name) != key.name => Some((key.name.clone(), column_of(&key.name))),
        _ => None,
    });
    let ttl = spec.ttl.as_ref().filter(|ttl| ttl.seconds > 0);
    Ok(Some(DeclaredView {
        name: name.clone(),
        description: spec.description.clone(),
        owner: spec.owner.clone(),
        tags: spec.tags.clone(),
        entities: named.clone(),
        source: DeclaredSource { file: Some(file), ..DeclaredSource::default() },
        key_columns: key_columns.collect(),
        time: column_of(&source.timestamp_field),
        created: Some(source.created_timestamp_column.clone()).filter(|created| !created.is_empty()),
        timezone: None,
        ttl: ttl.map(|ttl| write_span(ttl.seconds.saturating_mul(1_000_000))),
        corrections: Corrections::default(),
        online: spec.online,
        fields,
    }))
}

fn file_of(source: &DataSource, folder: &Path) -> Result<String, String> {
    let options = source.file_options.as_ref().filter(|options| !options.uri.is_empty());
    let options = options.ok_or_else(|| format!("its source `{}` is not a file", source.name))?;
    if options.file_format.as_ref().is_some_and(|format| format.delta_format.is_some()) {
        return Err(format!("its source `{}` is a Delta table", options.uri));
    }
    let uri = options.uri.trim_start_matches("file://");
    if uri.contains("://") {
        return Err(format!("its source `{uri}` is not on this machine"));
    }
    // Relative paths begin at the repository.
    let path = folder.join(uri);
    Ok(path.to_string_lossy().into_owned())
}

fn take_field(view: &str, feature: &FeatureSpec, column_of: &dyn Fn(&str) -> String, left: &mut Vec<String>) -> Option<DeclaredField> {
    let Some(kind) = value_type::kind(feature.value_type) else {
        let found = value_type::name(feature.value_type);
        left.push(format!("field `{view}:{}` is left out: it is of type {found}; values are single ones and lists of them", feature.name));
        return None;
    };
    let column = column_of(&feature.name);
    Some(DeclaredField::Detailed(Box::new(DetailedField {
        name: feature.name.clone(),
        column: (column != feature.name).then_some(column),
        kind: Some(kind),
        description: feature.description.clone(),
        ..DetailedField::default()
    })))
}
