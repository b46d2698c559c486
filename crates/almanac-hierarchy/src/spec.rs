//! Reading hierarchy specs such as `region/store/item` against the static columns of a panel.
//!
//! A spec names columns from the coarsest to the finest; each prefix is a level. Texts of a node key are joined by `/`; a slash or backslash
//! inside a text is escaped by a backslash, so that two nodes never share a key.
//!
//! Not here: which series belong to which node (`structure`).

use almanac_series::{Hint, Panel, StaticColumn, StaticValues};

/// Text of a missing category in a node key.
const MISSING: &str = "(missing)";

/// Why specs do not make a hierarchy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HierarchyError {
    /// A spec names a column that the panel lacks.
    #[error("hierarchy `{spec}` names column `{column}`, which is no static column of the data")]
    UnknownColumn {
        /// The spec as written.
        spec: String,
        /// The column.
        column: String,
        /// Static columns with a like name, best first; all columns where none is near.
        near: Vec<String>,
    },
    /// A spec has an empty part, as in `region//item`.
    #[error("hierarchy `{spec}` has an empty part")]
    EmptyPart {
        /// The spec as written.
        spec: String,
    },
    /// A spec names a column twice.
    #[error("hierarchy `{spec}` names column `{column}` twice")]
    Repeated {
        /// The spec as written.
        spec: String,
        /// The column.
        column: String,
    },
}

impl Hint for HierarchyError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownColumn { near, .. } if near.is_empty() => {
                Some("the data has no static columns; declare some under `[data] static`, or remove `hierarchy`".into())
            }
            Self::UnknownColumn { near, .. } => Some(format!("static columns are: {}", near.join(", "))),
            Self::EmptyPart { .. } => Some("write column names with one slash between them, as in `region/store/item`".into()),
            Self::Repeated { .. } => Some("name each column once, from the coarsest to the finest".into()),
        }
    }
}

/// Returns the columns a spec names, coarsest first.
pub(crate) fn columns<'a>(panel: &'a Panel, spec: &str) -> Result<Vec<&'a StaticColumn>, HierarchyError> {
    let mut found: Vec<&StaticColumn> = Vec::new();
    for part in spec.split('/').map(str::trim) {
        if part.is_empty() {
            return Err(HierarchyError::EmptyPart { spec: spec.to_owned() });
        }
        let Some(column) = panel.statics().iter().find(|column| &*column.name == part) else {
            return Err(HierarchyError::UnknownColumn { spec: spec.to_owned(), column: part.to_owned(), near: near(panel, part) });
        };
        if found.iter().any(|other| other.name == column.name) {
            return Err(HierarchyError::Repeated { spec: spec.to_owned(), column: part.to_owned() });
        }
        found.push(column);
    }
    Ok(found)
}

/// Returns the text of a static value as it stands in node keys.
pub(crate) fn key_text(column: &StaticColumn, static_row: usize) -> String {
    let text = match &column.values {
        StaticValues::Category { codes, categories } => {
            categories.get(codes[static_row] as usize).map_or_else(|| MISSING.to_owned(), Clone::clone)
        }
        StaticValues::Number(values) if values[static_row].is_nan() => MISSING.to_owned(),
        StaticValues::Number(values) => values[static_row].to_string(),
    };
    if text.contains(['/', '\\']) { text.replace('\\', "\\\\").replace('/', "\\/") } else { text }
}

/// Returns the static columns whose names are within a third of the asked name's length, or all of them where none is.
fn near(panel: &Panel, asked: &str) -> Vec<String> {
    let mut ranked: Vec<(usize, String)> =
        panel.statics().iter().map(|column| (edits(&column.name.to_lowercase(), &asked.to_lowercase()), column.name.to_string())).collect();
    ranked.sort();
    let within = 1 + asked.chars().count() / 3;
    let close: Vec<String> = ranked.iter().filter(|(distance, _)| *distance <= within).map(|(_, name)| name.clone()).collect();
    if close.is_empty() { ranked.into_iter().map(|(_, name)| name).collect() } else { close }
}

/// Returns the Levenshtein distance of two short texts.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let changed = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
