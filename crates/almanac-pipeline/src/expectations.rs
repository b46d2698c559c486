//! Suites of a project at its gates: which suite is for which table, judging a layer, taking rows out before silver.
//!
//! A file of `expectations/` says by its name what it is for: `silver.yaml` a layer, `bronze.sales.yaml` one table, `sales.yaml` a bronze
//! table; `layer` and `table` inside a file go before its name.
//!
//! Not here: what an expectation means (`almanac-expect`), the order of the gates (`run`).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use almanac_data::{FILE_COLUMN, IngestReport, ROW_COLUMN};
use almanac_expect::{CheckError, Facts, Options, Origin, Suite, SuiteError, Table, Validation, check_all, take_out};

use almanac_tracking::NewValidation;

use crate::fingerprint::Fingerprint;
use crate::{PipelineError, Project};

/// Names of the layers that can be judged.
pub const LAYERS: [&str; 3] = ["bronze", "silver", "gold"];

/// A suite with what it is for.
#[derive(Debug, Clone)]
pub struct PlacedSuite {
    /// `bronze`, `silver` or `gold`.
    pub layer: String,
    /// Table; `None` is for every table of the layer.
    pub table: Option<String>,
    /// What must hold.
    pub suite: Suite,
    /// Hash of the file.
    pub digest: Fingerprint,
}

impl PlacedSuite {
    /// Returns whether the suite is for a table. Silver is its panel; the table of its series is judged only where it is named.
    pub fn is_for(&self, layer: &str, table: &str) -> bool {
        let is_usual = !(layer == "silver" && table == "series");
        self.layer == layer && self.table.as_deref().map_or(is_usual, |name| name == table)
    }
}

/// Reads every suite of a folder, in the order of names. A folder that is not there has none.
///
/// # Errors
/// If a file cannot be read, or anything in it cannot be honoured.
pub fn read_suites(folder: &Path) -> Result<Vec<PlacedSuite>, SuiteError> {
    let mut files: Vec<PathBuf> = match fs::read_dir(folder) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(SuiteError::Read { path: folder.to_owned(), source }),
    };
    files.retain(|path| {
        path.extension().is_some_and(|end| ["yaml", "yml", "toml", "json"].iter().any(|known| end.eq_ignore_ascii_case(known)))
    });
    files.sort();
    let mut suites = Vec::new();
    for path in files {
        suites.extend(read_placed(&path)?);
    }
    Ok(suites)
}

/// Reads the suites of one file, and tells what they are for.
///
/// # Errors
/// As [`read_suites`].
pub fn read_placed(path: &Path) -> Result<Vec<PlacedSuite>, SuiteError> {
    let text = fs::read(path).map_err(|source| SuiteError::Read { path: path.to_owned(), source })?;
    let digest = Fingerprint::from_hash(blake3::hash(&text));
    let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let named = |suite: Suite| {
        let (layer, table) = match stem.split_once('.') {
            Some((layer, table)) if LAYERS.contains(&layer) => (layer.to_owned(), Some(table.to_owned())),
            _ if LAYERS.contains(&stem.as_str()) => (stem.clone(), None),
            _ => ("bronze".to_owned(), Some(stem.clone())),
        };
        let layer = suite.layer.clone().unwrap_or(layer);
        let table = suite.table.clone().or(table);
        PlacedSuite { layer, table, suite, digest: digest.clone() }
    };
    Ok(Suite::read(path)?.into_iter().map(named).collect())
}

/// Returns the tables of a layer that can be judged, by name.
///
/// # Errors
/// If a folder or a file cannot be read.
pub fn tables(project: &Project, layer: &str) -> Result<Vec<(String, Table)>, PipelineError> {
    let mut found = Vec::new();
    match layer {
        "bronze" => {
            for folder in folders(&project.bronze())? {
                let name = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
                found.push((name, open_parts(&folder)?));
            }
        }
        "silver" => {
            found.push(("panel".to_owned(), open_parts(&project.silver())?));
            found.push(("series".to_owned(), Table::open(&project.silver().join("series.parquet"))?));
        }
        _ => found.push(("features".to_owned(), open_parts(&project.gold())?)),
    }
    Ok(found)
}

fn folders(path: &Path) -> Result<Vec<PathBuf>, PipelineError> {
    let failed = |source| PipelineError::state(path, source);
    let mut folders = Vec::new();
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry.map_err(failed)?.path();
        if entry.is_dir() && !entry.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
            folders.push(entry);
        }
    }
    folders.sort();
    Ok(folders)
}

pub(crate) fn open_parts(folder: &Path) -> Result<Table, PipelineError> {
    let failed = |source| PipelineError::state(folder, source);
    let mut parts = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("part-")) {
            parts.push(path);
        }
    }
    parts.sort();
    Ok(Table::from_files(&parts)?)
}

/// Judges every table of a layer by the suites that are for it, each table in one scan, and returns the validations with their suites.
/// `facts` are what is known of a table beyond its rows.
///
/// # Errors
/// If a table cannot be read, or a suite names a table that is not there.
pub fn judge(
    project: &Project,
    suites: &[PlacedSuite],
    layer: &str,
    options: &Options,
    facts: &BTreeMap<String, Facts>,
) -> Result<Vec<(Suite, Validation)>, PipelineError> {
    let of_layer: Vec<&PlacedSuite> = suites.iter().filter(|placed| placed.layer == layer).collect();
    if of_layer.is_empty() {
        return Ok(Vec::new());
    }
    let tables = tables(project, layer)?;
    for placed in &of_layer {
        if let Some(table) = placed.table.as_ref().filter(|table| !tables.iter().any(|(name, _)| name == *table)) {
            return Err(PipelineError::Expecting(CheckError::NoTable { table: format!("{layer}.{table}") }));
        }
    }
    let mut options = Options { tables: tables.iter().cloned().collect(), ..options.clone() };
    if layer != "bronze" {
        options.labels = ["unique_id", "ds"].map(str::to_owned).to_vec();
    }
    let mut validations = Vec::new();
    for (name, table) in &tables {
        let own = |placed: &&&PlacedSuite| placed.is_for(layer, name);
        let suites: Vec<Suite> = of_layer
            .iter()
            .filter(own)
            .map(|placed| Suite { layer: Some(layer.to_owned()), table: Some(name.clone()), ..placed.suite.clone() })
            .collect();
        options.facts = facts.get(name).cloned().unwrap_or_default();
        let judged = check_all(table, &suites.iter().collect::<Vec<_>>(), &options)?;
        validations.extend(suites.into_iter().zip(judged));
    }
    Ok(validations)
}

/// Writes the bronze tables that silver may read: those of which no row was taken out are linked, the others written again without
/// those rows, with a quarantine beside them. Returns how many rows were taken out.
pub(crate) fn write_checked(
    project: &Project,
    reports: &[IngestReport],
    judged: &[(Suite, Validation)],
    time: &str,
) -> Result<u64, PipelineError> {
    let target = project.checked();
    let failed = |source| PipelineError::state(&target, source);
    let staged = almanac_data::StagedDir::new(&target).map_err(failed)?;
    let mut taken = 0;
    for (name, table) in tables(project, "bronze")? {
        let folder = staged.path().join(&name);
        fs::create_dir(&folder).map_err(failed)?;
        let own: Vec<&(Suite, Validation)> = judged.iter().filter(|(_, validation)| validation.table.as_deref() == Some(&name)).collect();
        let mut rows = None;
        for (suite, validation) in own.iter().filter(|(_, validation)| !validation.quarantined().is_empty()) {
            let (joined_suite, joined) =
                rows.get_or_insert_with(|| (Suite::default(), Validation { outcomes: Vec::new(), ..validation.clone() }));
            joined_suite.expectations.extend(suite.expectations.clone());
            joined_suite.personal.extend(suite.personal.clone());
            joined.outcomes.extend(validation.outcomes.clone());
        }
        let Some((suite, validation)) = rows else {
            link(&project.bronze().join(&name), &folder)?;
            continue;
        };
        let report = reports.iter().find(|report| report.table == name);
        let column = |name: &str| table.schema.field_with_name(name).is_ok().then(|| name.to_owned());
        let origin = Origin {
            layer: "bronze".into(),
            file_column: column(FILE_COLUMN),
            row_column: column(ROW_COLUMN),
            files: report.map(|report| report.files.iter().map(|file| file.path.display().to_string()).collect()).unwrap_or_default(),
            time_column: column(time),
            personal: suite.personal.clone(),
        };
        taken += take_out(&table, &suite, &validation, &origin, &folder)?;
    }
    staged.commit().map_err(failed)?;
    Ok(taken)
}

/// Returns what the history keeps of a validation.
pub fn history(validation: &Validation, now_ms: i64) -> NewValidation {
    let failed = validation.failures().count() as i64;
    NewValidation {
        layer: validation.layer.clone().unwrap_or_default(),
        table: validation.table.clone().unwrap_or_default(),
        suite: validation.suite.clone(),
        success: validation.is_ok(),
        expectations: validation.outcomes.len() as i64,
        failed,
        rows: validation.rows as i64,
        report: serde_json::to_string(&serde_json::json!({ "at": now_ms, "outcomes": validation.outcomes })).unwrap_or_default(),
    }
}

fn link(from: &Path, to: &Path) -> Result<(), PipelineError> {
    let failed = |source| PipelineError::state(from, source);
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_string_lossy().starts_with("part-") {
            let target = to.join(entry.file_name());
            // Where the file system has no links, a copy serves.
            fs::hard_link(entry.path(), &target).or_else(|_| fs::copy(entry.path(), &target).map(drop)).map_err(failed)?;
        }
    }
    Ok(())
}
