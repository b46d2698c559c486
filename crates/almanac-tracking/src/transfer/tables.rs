//! The tables that are moved, read from the text of the schema, and the rows as they travel.
//!
//! A column that holds a number given by this store (`run_no`) travels as the id that all stores share (`run_id`): a column
//! refers to a table if it has the name of the number that the table gives. So the schema keeps one rule: such names are
//! unique, and a table that gives numbers has a `UNIQUE` key beside.
//!
//! Not here: SQL that reads or writes rows (`export`, `sink`).

use std::sync::LazyLock;

/// The tables of `schema/`, those of the access slice left out: accounts belong to one server.
const SCHEMA: [&str; 5] = [
    include_str!("../schema/runs.sql"),
    include_str!("../schema/logged_models.sql"),
    include_str!("../schema/registry.sql"),
    include_str!("../schema/traces.sql"),
    include_str!("../schema/optuna.sql"),
];

/// Tables that are made from others.
const DERIVED: [&str; 1] = ["latest_metrics"];
/// Numbers that clients know, so that they are kept where they are free.
const KNOWN_NUMBERS: [&str; 3] = ["experiment_id", "study_id", "trial_id"];

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Real,
    Text,
    /// Number of a row of the table at that place; travels as its first `UNIQUE` key.
    Number(usize),
}

/// A column that travels.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) column: String,
    pub(super) kind: Kind,
    pub(super) is_optional: bool,
}

/// A table that is moved.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) fields: Vec<Field>,
    /// Places of the fields that tell rows apart in every store; empty where only all of them do.
    pub(super) key: Vec<usize>,
    /// The column whose number this store gives.
    pub(super) number: Option<String>,
    /// Place of that column among the fields, if clients know the number.
    pub(super) known_number: Option<usize>,
    /// Place of the field whose run's experiment stands in `experiment_id` too.
    pub(super) experiment_of: Option<usize>,
    /// Whether the number is there for the order of rows only: no other table refers to it.
    pub(super) is_ordered: bool,
}

impl Table {
    /// Returns the place of a column among the fields.
    pub(super) fn place(&self, column: &str) -> Option<usize> {
        self.fields.iter().position(|field| field.column == column)
    }
}

/// A value on its way.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Null,
    Int(i64),
    Real(f64),
    Text(String),
    /// Key of a row of another table that takes several columns.
    Key(Vec<Cell>),
}

impl Cell {
    /// Writes it so that equal cells, and no others, have equal texts.
    pub(super) fn key_text(&self) -> String {
        match self {
            Self::Null => "\u{0}".to_owned(),
            Self::Int(number) => number.to_string(),
            Self::Real(number) => format!("{:x}", number.to_bits()),
            Self::Text(text) => text.clone(),
            Self::Key(cells) => cells.iter().map(Self::key_text).collect::<Vec<_>>().join("\u{1f}"),
        }
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        Self::Real(number)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A row on its way: one cell a field.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Record {
    pub(super) table: usize,
    pub(super) cells: Vec<Cell>,
    /// Where it stands in the source, for messages.
    pub(super) place: String,
}

impl Record {
    /// Makes a row; columns that are not named are empty.
    pub(super) fn new(table: &str, place: impl Into<String>, values: Vec<(&str, Cell)>) -> Self {
        let index = tables().iter().position(|known| known.name == table).expect("named as in the schema");
        let known = &tables()[index];
        let mut cells: Vec<Cell> = known.fields.iter().map(Field::empty).collect();
        for (column, cell) in values {
            let place = known.place(column).expect("named as in the schema");
            if cell != Cell::Null || known.fields[place].is_optional {
                cells[place] = cell;
            }
        }
        Self { table: index, cells, place: place.into() }
    }
}

impl Field {
    /// Returns what stands where nothing was given.
    pub(super) fn empty(&self) -> Cell {
        match self.kind {
            _ if self.is_optional => Cell::Null,
            Kind::Int => Cell::Int(0),
            Kind::Real => Cell::Real(0.0),
            Kind::Text => Cell::Text(String::new()),
            Kind::Number(_) => Cell::Null,
        }
    }
}

/// Returns the tables, those that are referred to first.
pub(super) fn tables() -> &'static [Table] {
    static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| read_schema(&SCHEMA.join("\n")));
    &TABLES
}

struct Column<'a> {
    name: &'a str,
    kind: &'a str,
    is_optional: bool,
}

struct Parsed<'a> {
    name: &'a str,
    columns: Vec<Column<'a>>,
    primary: Vec<&'a str>,
    unique: Vec<&'a str>,
}

/// Reads the subset of SQL that `schema/` is written in.
fn read_schema(text: &str) -> Vec<Table> {
    let text: String = text.lines().map(|line| line.split("--").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    let parsed: Vec<Parsed<'_>> = text.split("CREATE TABLE ").skip(1).filter_map(read_table).collect();
    let is_moved = |table: &&Parsed<'_>| !DERIVED.contains(&table.name);
    let moved: Vec<&Parsed<'_>> = parsed.iter().filter(is_moved).collect();
    let number_of = |table: &Parsed<'_>| table.columns.iter().find(|column| column.kind == "{id}").map(|column| column.name.to_owned());
    let numbers: Vec<Option<String>> = moved.iter().map(|table| number_of(table)).collect();
    let is_referred =
        |number: &str, own: &str| moved.iter().any(|table| table.name != own && table.columns.iter().any(|column| column.name == number));
    let mut tables = Vec::with_capacity(moved.len());
    for (table, number) in moved.iter().zip(&numbers) {
        let mut laid_out = lay_out(table, number.as_deref(), &numbers);
        laid_out.is_ordered = number.as_deref().is_some_and(|number| !is_referred(number, table.name));
        tables.push(laid_out);
    }
    tables
}

fn lay_out(table: &Parsed<'_>, number: Option<&str>, numbers: &[Option<String>]) -> Table {
    let has_run = number != Some("run_no") && table.columns.iter().any(|column| column.name == "run_no");
    let mut fields = Vec::new();
    for column in &table.columns {
        let is_own = number == Some(column.name);
        if (is_own && !KNOWN_NUMBERS.contains(&column.name)) || (has_run && column.name == "experiment_id") {
            continue;
        }
        let referred = numbers.iter().position(|number| number.as_deref() == Some(column.name)).filter(|_| !is_own);
        let kind = match (referred, column.kind) {
            (Some(table), _) => Kind::Number(table),
            (None, "{int}" | "{id}") => Kind::Int,
            (None, "{real}") => Kind::Real,
            (None, _) => Kind::Text,
        };
        fields.push(Field { column: column.name.to_owned(), kind, is_optional: column.is_optional });
    }
    let has_experiment = table.columns.iter().any(|column| column.name == "experiment_id");
    let place = |name: &&str| fields.iter().position(|field| field.column == **name);
    let mut key: Vec<usize> = if number.is_some() { &table.unique } else { &table.primary }.iter().filter_map(place).collect();
    // Rows of one run lie together, which is how they are read.
    key.sort_by_key(|place| !matches!(fields[*place].kind, Kind::Number(_)));
    Table {
        name: table.name.to_owned(),
        key,
        number: number.map(str::to_owned),
        known_number: number.and_then(|number| place(&number)),
        is_ordered: false,
        experiment_of: (has_run && has_experiment).then(|| place(&"run_no").expect("has a run")),
        fields,
    }
}

fn read_table(text: &str) -> Option<Parsed<'_>> {
    let (name, rest) = text.split_once('(')?;
    let mut table = Parsed { name: name.trim(), columns: Vec::new(), primary: Vec::new(), unique: Vec::new() };
    for part in parts(rest) {
        let words: Vec<&str> = part.split_whitespace().collect();
        let listed = || -> Vec<&str> {
            let inside = part.split_once('(').and_then(|(_, rest)| rest.split_once(')')).map_or("", |(inside, _)| inside);
            inside.split(',').map(str::trim).collect()
        };
        match words.as_slice() {
            ["PRIMARY", ..] => table.primary = listed(),
            ["UNIQUE", ..] if table.unique.is_empty() => table.unique = listed(),
            ["UNIQUE" | "FOREIGN" | "CHECK" | "CONSTRAINT", ..] | [] | [_] => {}
            [name, kind, ..] => {
                if part.contains("PRIMARY KEY") {
                    table.primary = vec![name];
                }
                if part.contains("UNIQUE") {
                    table.unique = vec![name];
                }
                let is_optional = *kind != "{id}" && !part.contains("NOT NULL") && !part.contains("PRIMARY KEY");
                table.columns.push(Column { name, kind, is_optional });
            }
        }
    }
    Some(table)
}

/// Splits what stands between the parentheses of a table at its commas.
fn parts(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut found) = (0, 0, Vec::new());
    for (place, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => {
                found.push(text[start..place].trim());
                break;
            }
            ')' => depth -= 1,
            ',' if depth == 0 => {
                found.push(text[start..place].trim());
                start = place + 1;
            }
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str) -> &'static Table {
        tables().iter().find(|table| table.name == name).expect("a table")
    }

    #[test]
    fn numbers_of_one_store_travel_as_ids() {
        let params = table("params");
        let columns: Vec<&str> = params.fields.iter().map(|field| field.column.as_str()).collect();
        assert_eq!(columns, ["key", "run_no", "value"], "the experiment is that of the run");
        let runs = tables().iter().position(|table| table.name == "runs").expect("runs");
        assert_eq!(params.fields[1].kind, Kind::Number(runs));
        assert_eq!(params.key, [1, 0]);
        assert!(table("runs").place("run_no").is_none());
        assert_eq!(table("experiments").known_number, Some(0), "clients know it");
    }

    #[test]
    fn every_table_that_is_referred_to_has_a_key_and_comes_first() {
        for (place, table) in tables().iter().enumerate() {
            for field in &table.fields {
                if let Kind::Number(other) = field.kind {
                    assert!(other <= place, "`{}` refers to a later table", table.name);
                    assert!(!tables()[other].key.is_empty(), "`{}` gives numbers and needs a UNIQUE key", tables()[other].name);
                }
            }
        }
    }
}
