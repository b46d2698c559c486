//! Questions in SQL: rows that should not be there, and numbers that contracts hold to bounds.
//!
//! Not here: an engine. Whoever has one hands it in (`Options::sql`); without it such an expectation could not be judged, and fails.

use std::fmt::Debug;
use std::path::PathBuf;

use arrow::array::RecordBatch;
use serde_json::{Map, Value as Json};

use crate::column::View;
use crate::error::CheckError;
use crate::source::Table;

/// Name of the judged table in a query.
const TABLE: &str = "batch";
/// What stands for the table: in Great Expectations, and in data contracts.
const FOR_TABLE: [&str; 5] = ["{batch}", "${object}", "{object}", "${table}", "{table}"];
/// What stands for the column of a rule in data contracts.
const FOR_COLUMN: [&str; 4] = ["${property}", "{property}", "${column}", "{column}"];

/// An engine for questions in SQL.
pub trait AskSql: Debug + Send + Sync {
    /// Answers one `SELECT` over tables, each by its name and its Parquet files in order: how many rows there are, and the first of them.
    ///
    /// # Errors
    /// One sentence, if the query is not valid, reads what it may not, or fails.
    fn ask(&self, tables: &[(String, Vec<PathBuf>)], query: &str, shown: usize) -> Result<Answer, String>;
}

/// What came of a query.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// Rows in all.
    pub rows: u64,
    /// The first of them.
    pub first: Vec<RecordBatch>,
}

/// A query as it was written, with what stands for the table and the column filled in.
pub(crate) fn filled(query: &str, column: Option<&str>) -> String {
    let mut query = query.to_owned();
    for word in FOR_TABLE {
        query = query.replace(word, TABLE);
    }
    if let Some(column) = column {
        let quoted = format!("\"{}\"", column.replace('"', "\"\""));
        for word in FOR_COLUMN {
            query = query.replace(word, &quoted);
        }
    }
    query
}

/// The tables that a query may name: the one that is judged, under the name that stands for it, and the others.
pub(crate) fn tables<'a>(judged: &Table, others: impl Iterator<Item = (&'a String, &'a Table)>) -> Vec<(String, Vec<PathBuf>)> {
    let others = others.filter(|(name, _)| *name != TABLE).map(|(name, table)| (name.clone(), table.files()));
    let all = std::iter::once((TABLE.to_owned(), judged.files())).chain(others);
    all.filter(|(_, files)| !files.is_empty()).collect()
}

impl Answer {
    /// Returns the first rows as JSON.
    pub(crate) fn json(&self) -> Result<Vec<Json>, CheckError> {
        let mut rows = Vec::new();
        for batch in &self.first {
            let view = View::of(batch, 0)?;
            let schema = batch.schema();
            for row in 0..batch.num_rows() {
                let cell = |name: &String| Ok::<_, CheckError>((name.clone(), view.column(name)?.value(row).json()));
                let cells = schema.fields().iter().map(|field| cell(field.name())).collect::<Result<Map<_, _>, _>>()?;
                rows.push(Json::Object(cells));
            }
        }
        Ok(rows)
    }

    /// Returns the number that is the whole answer: one row of one cell.
    pub(crate) fn number(&self) -> Result<f64, String> {
        let refuse = || "the query gives no single number".to_owned();
        let batch = self.first.iter().find(|batch| batch.num_rows() > 0).ok_or_else(refuse)?;
        if self.rows != 1 || batch.num_columns() != 1 {
            return Err(refuse());
        }
        let view = View::of(batch, 0).map_err(|error| error.to_string())?;
        let number = view.column(batch.schema().field(0).name()).map_or(f64::NAN, |column| column.number(0));
        if number.is_nan() { Err(refuse()) } else { Ok(number) }
    }
}
