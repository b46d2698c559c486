//! The SQL that joins the tables, written as a person would.

use std::fmt::Write;

/// A column of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Output {
    /// What is selected.
    pub(crate) expression: String,
    /// Its name in the result.
    pub(crate) name: String,
}

/// Quotes a name where SQL needs it. Case is kept by the engine, so that letters alone need no quotes.
pub(crate) fn quote(name: &str) -> String {
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !name.starts_with(|c: char| c.is_ascii_digit());
    if is_plain && !name.is_empty() { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// Quotes a text.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Returns `table.column`.
pub(crate) fn column(table: &str, name: &str) -> String {
    format!("{}.{}", quote(table), quote(name))
}

impl Output {
    pub(crate) fn plain(table: &str, name: &str) -> Self {
        Self { expression: column(table, name), name: name.to_owned() }
    }

    fn text(&self) -> String {
        let own = self.expression.rsplit('.').next().unwrap_or(&self.expression);
        if own == quote(&self.name) && self.expression.matches('.').count() == 1 {
            self.expression.clone()
        } else {
            // A keyword after AS needs its quotes.
            format!("{} AS \"{}\"", self.expression, self.name.replace('"', "\"\""))
        }
    }
}

/// Writes `SELECT … FROM … joins … WHERE …`, a few columns to the line.
pub(crate) fn select(outputs: &[Output], from: &str, joins: &[String], condition: Option<&str>) -> String {
    let mut sql = String::from("SELECT\n");
    let mut line = String::new();
    for (index, output) in outputs.iter().enumerate() {
        let text = output.text();
        if line.len() + text.len() > 110 {
            let _ = writeln!(sql, "  {}", line.trim_end());
            line.clear();
        }
        line += &text;
        if index + 1 < outputs.len() {
            line += ", ";
        }
    }
    let _ = write!(sql, "  {}\nFROM {from}", line.trim_end());
    for join in joins {
        let _ = write!(sql, "\n{join}");
    }
    if let Some(condition) = condition {
        let _ = write!(sql, "\nWHERE {condition}");
    }
    sql
}
