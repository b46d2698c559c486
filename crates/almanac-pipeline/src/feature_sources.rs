//! Where the rows of a feature view come from in a project: files, bronze, SQL over bronze, gold.
//!
//! Parquet is read by the feature store itself, part by part; CSV and the answers of SQL come through memory. Personal columns of files
//! are hidden as those of tables are, in the rows of views and in the tables of entities that are joined with them; the lake holds
//! none.
//!
//! Not here: what the rows mean (`almanac-feature-store`).

use std::path::{Path, PathBuf};

use almanac_data::{
    ColumnKind, CsvOptions, FILE_COLUMN, QueryLimits, ROW_COLUMN, TableSpec, WholeTable, expand_source, open_bronze, read_table,
};
use almanac_feature_store::{
    Batches, EntityTable, FeatureError, KeyKind, ParquetFiles, Source, SourceOf, Turned, View, read_entities, read_parquet,
};
use almanac_privacy::{Personal, Policy, PrivacyKey, Redaction};
use tokio::runtime::Handle;

use crate::project::Project;

/// Opens the sources of feature views.
#[derive(Debug, Clone)]
pub struct FeatureSources {
    /// The project.
    pub project: Project,
    /// Names of the tables that SQL may read.
    pub tables: Vec<String>,
    /// How text files are written.
    pub csv: CsvOptions,
    /// Most bytes of a source that comes through memory.
    pub memory: usize,
    /// Runs queries.
    pub runtime: Handle,
    /// What becomes of personal columns in files.
    pub privacy: FilePrivacy,
}

/// What becomes of the personal columns of files that views are declared over. The default lets everything through.
#[derive(Debug, Clone, Default)]
pub struct FilePrivacy {
    /// The personal columns of the project.
    pub personal: Personal,
    /// Hashes, where a column is to be hashed.
    pub key: Option<PrivacyKey>,
    /// Files that tables are made of, with their tables: what is said of the table holds for a view over its file.
    pub tables: Vec<(PathBuf, String)>,
}

impl FilePrivacy {
    /// Gathers what holds for the rows of a view over files.
    fn of(&self, view: &str, paths: &[PathBuf]) -> Result<Redaction, FeatureError> {
        let real = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let paths: Vec<PathBuf> = paths.iter().map(|path| real(path)).collect();
        let of_paths = self.tables.iter().filter(|(path, _)| paths.contains(&real(path))).map(|(_, table)| table.as_str());
        let tables: Vec<&str> = of_paths.chain([view]).collect();
        let wrong = |source| FeatureError::Source { view: format!("`{view}`"), source: Box::new(source) };
        Redaction::of_file(&self.personal, &tables, self.key.as_ref()).map_err(wrong)
    }
}

/// Hides the personal columns of a source on the way.
fn hidden(source: ParquetFiles, redaction: Redaction) -> Turned<ParquetFiles> {
    let mut columns = source.columns();
    columns.retain(|column| redaction.policy(column) != Some(Policy::Drop));
    Turned::new(source, columns, Box::new(move |batch| Ok(redaction.batch(batch)?)))
}

impl FeatureSources {
    /// Opens the source of a view.
    ///
    /// # Errors
    /// [`FeatureError`] if it is not there or cannot be read.
    pub fn open(&self, view: &View) -> Result<Box<dyn Source>, FeatureError> {
        let place = format!("the source of feature view `{}`", view.name);
        match &view.source {
            SourceOf::File(pattern) => {
                let paths = expand_source(self.project.root(), pattern).map_err(|error| failed(view, error))?;
                let redaction = self.privacy.of(&view.name, &paths)?;
                if paths.iter().all(|path| is_parquet(path)) {
                    let source = ParquetFiles::open(place, paths)?;
                    return Ok(if redaction.is_empty() { Box::new(source) } else { Box::new(hidden(source, redaction)) });
                }
                let keys = view.keys.iter().map(|key| (key.column.clone(), key.kind)).collect::<Vec<_>>();
                let table = self.read(&view.name, paths, &keys, redaction)?;
                Ok(Box::new(Batches::new(place, table.schema, table.batches)))
            }
            SourceOf::Bronze(table) => Ok(Box::new(ParquetFiles::open(place, parts(&self.project.bronze().join(table), view)?)?)),
            SourceOf::Gold => Ok(Box::new(ParquetFiles::open(place, parts(&self.project.gold(), view)?)?)),
            SourceOf::Sql(sql) => {
                // One thread, so that the order of rows, with which ties are broken, does not depend on how many there are.
                let limits = QueryLimits { memory: self.memory, threads: 1 };
                let answer = self.runtime.block_on(async {
                    let bronze = open_bronze(&self.project.bronze(), &self.tables, &limits).await?;
                    bronze.answer(sql, self.memory / 2).await
                });
                let (schema, batches) = answer.map_err(|error| failed(view, error))?;
                Ok(Box::new(Batches::new(place, schema, batches)))
            }
        }
    }

    /// Reads a table of entities: Parquet, or a text file whose keys have the types that are declared.
    ///
    /// # Errors
    /// [`FeatureError`] if it is not there or cannot be read.
    pub fn entities(&self, path: &Path, keys: &[(String, KeyKind)]) -> Result<EntityTable, FeatureError> {
        // Keys that are hashed in the views are hashed here too, or nobody would be found.
        let redaction = self.privacy.of("entities", &[path.to_owned()])?;
        if is_parquet(path) {
            if redaction.is_empty() {
                return read_parquet(path);
            }
            return read_entities(&hidden(ParquetFiles::open(format!("`{}`", path.display()), vec![path.to_owned()])?, redaction));
        }
        let table = self.read("entities", vec![path.to_owned()], keys, redaction)?;
        // Where a row was read is of no interest to who wrote it.
        Ok(EntityTable::new(&table.schema, &table.batches)?.without(&[FILE_COLUMN, ROW_COLUMN]))
    }

    /// Returns a key as the views hold it: hashed, where the column is personal and hashed.
    ///
    /// # Errors
    /// [`FeatureError`] if there is no key to hash with.
    pub fn key(&self, column: &str, value: &str) -> Result<String, FeatureError> {
        Ok(self.privacy.of("entities", &[])?.value(column, value).into_owned())
    }

    fn read(&self, name: &str, paths: Vec<PathBuf>, keys: &[(String, KeyKind)], redaction: Redaction) -> Result<WholeTable, FeatureError> {
        let kind = |kind: &KeyKind| match kind {
            KeyKind::Text => ColumnKind::Text,
            KeyKind::Int => ColumnKind::Integer,
        };
        let types = keys.iter().map(|(column, of)| (column.clone(), kind(of))).collect();
        let spec = TableSpec { name: name.to_owned(), paths, csv: self.csv.clone(), types, redaction };
        let from = |error| FeatureError::Source { view: format!("`{name}`"), source: Box::new(error) };
        let allowed = self.memory as u64 >> 20;
        let too_much = || FeatureError::Memory { place: format!("the source of `{name}`"), needed: allowed + 1, allowed };
        let table = read_table(&spec, self.memory).map_err(from)?.ok_or_else(too_much)?;
        if let Some(first) = table.quarantined.first() {
            let (rows, file, row) = (table.quarantined.len(), &first.file, first.row);
            tracing::warn!(rows, file, row, reason = first.reason, "rows could not be read and are left out");
        }
        Ok(table)
    }
}

fn failed(view: &View, error: impl std::error::Error + Send + Sync + 'static) -> FeatureError {
    FeatureError::Source { view: format!("feature view `{}`", view.name), source: Box::new(error) }
}

fn is_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet") || extension.eq_ignore_ascii_case("pq"))
}

/// The partitions of a table of the lake, in order.
fn parts(folder: &Path, view: &View) -> Result<Vec<PathBuf>, FeatureError> {
    let absent = |_| {
        let mend = "`almanac run` makes the tables of the project".to_owned();
        let message = format!("there is no `{}`", folder.display());
        FeatureError::Declared { place: format!("feature view `{}`", view.name), message, mend: Some(mend) }
    };
    let entries = std::fs::read_dir(folder).map_err(absent)?;
    let named = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("part-")) && is_parquet(path);
    let mut parts: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).filter(named).collect();
    parts.sort();
    Ok(parts)
}
