//! How closely to look.

use arrow::datatypes::Schema;

/// How closely to look, and at what not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileOptions {
    /// Columns that together name a series; empty where there are none.
    pub key: Vec<String>,
    /// Columns of which no value may be kept or shown; matched without regard to case.
    pub personal: Vec<String>,
    /// Columns that are not looked at.
    pub leave_out: Vec<String>,
    /// Different values of a column that are counted exactly. Beyond it distributions are estimates.
    pub exact_values: usize,
    /// Series that are known by name. Beyond it, new and vanished ones are estimates.
    pub key_names: usize,
}

impl Default for ProfileOptions {
    fn default() -> Self {
        Self { key: Vec::new(), personal: Vec::new(), leave_out: Vec::new(), exact_values: 1_024, key_names: 50_000 }
    }
}

impl ProfileOptions {
    /// Returns options under which columns of up to 65,536 different values are exact: for tables that are at hand and not kept.
    /// A column then takes up to 5 MB. Counting more costs several times what a sketch does, and tells hardly more.
    pub fn at_hand() -> Self {
        Self { exact_values: 65_536, ..Self::default() }
    }

    /// Positions of the columns that are looked at.
    pub(crate) fn kept(&self, schema: &Schema) -> Vec<usize> {
        (0..schema.fields().len()).filter(|index| !self.leave_out.contains(schema.field(*index).name())).collect()
    }

    /// Returns whether no value of a column may be shown. Of the path of a nested column, `customer.email`, each member counts.
    pub fn is_personal(&self, column: &str) -> bool {
        let is_named = |member: &str| self.personal.iter().any(|name| name.eq_ignore_ascii_case(member));
        is_named(column) || column.split('.').any(is_named)
    }
}
