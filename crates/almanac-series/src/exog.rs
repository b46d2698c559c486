//! Exogenous columns of a panel, typed by when they are known.
//!
//! A [`HistoricColumn`] can only be read up to the cutoff; a [`FutureColumn`] also ahead of it. They are different types,
//! so that one cannot stand in for the other:
//!
//! ```compile_fail
//! use almanac_series::{FutureColumn, HistoricColumn};
//! fn ahead(column: &FutureColumn) {}
//! let customers = HistoricColumn::new("customers", vec![1.0]);
//! ahead(&customers);
//! ```

use std::sync::Arc;

/// A column known only up to the cutoff (customers, weather as it was). One value per panel row, NaN where missing.
#[derive(Debug, Clone, PartialEq)]
pub struct HistoricColumn {
    name: Arc<str>,
    values: Arc<[f64]>,
}

/// A column known ahead of the cutoff (price, promotion, opening days). One value per panel row, NaN where missing.
#[derive(Debug, Clone, PartialEq)]
pub struct FutureColumn {
    name: Arc<str>,
    values: Arc<[f64]>,
    categories: Arc<[String]>,
}

impl HistoricColumn {
    /// Names a column of values, one per panel row.
    pub fn new(name: impl Into<Arc<str>>, values: impl Into<Arc<[f64]>>) -> Self {
        Self { name: name.into(), values: values.into() }
    }
}

impl FutureColumn {
    /// Names a column of values, one per panel row.
    pub fn new(name: impl Into<Arc<str>>, values: impl Into<Arc<[f64]>>) -> Self {
        Self { name: name.into(), values: values.into(), categories: Arc::default() }
    }

    /// Says that the values are codes into `texts`.
    pub(crate) fn of_categories(mut self, texts: Arc<[String]>) -> Self {
        self.categories = texts;
        self
    }

    /// Returns the same column with other values.
    pub(crate) fn with_values(&self, values: Vec<f64>) -> Self {
        Self { values: values.into(), ..self.clone() }
    }

    /// Returns the texts that the values are codes into; empty where they are numbers.
    pub(crate) fn categories(&self) -> &[String] {
        &self.categories
    }
}

macro_rules! column {
    ($type:ident) => {
        impl $type {
            /// Returns the column's name.
            pub fn name(&self) -> &str {
                &self.name
            }

            pub(crate) fn values(&self) -> &[f64] {
                &self.values
            }
        }
    };
}
column!(HistoricColumn);
column!(FutureColumn);

/// An attribute that does not change over time. One value per series.
#[derive(Debug, Clone, PartialEq)]
pub struct StaticColumn {
    /// The column's name.
    pub name: Arc<str>,
    /// Its values.
    pub values: StaticValues,
}

/// Values of a [`StaticColumn`], indexed by [`crate::SeriesSpan::static_row`].
#[derive(Debug, Clone, PartialEq)]
pub enum StaticValues {
    /// Codes into `categories`, which are sorted. A missing value has the code `categories.len()`.
    Category {
        /// One code per series.
        codes: Arc<[u32]>,
        /// Sorted distinct texts.
        categories: Arc<[String]>,
    },
    /// Numbers, NaN where missing.
    Number(Arc<[f64]>),
}
