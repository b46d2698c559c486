//! Data sets: bins are chosen from a sample of rows, then all rows are pushed in chunks, so that the raw table is never in
//! memory as a whole (the binned one takes about a byte per value).

use std::ffi::{c_int, c_void};
use std::ptr;

use super::Params;
use super::library::{LightGbmError, c_text, check, silence, with_threads};

/// Values that the library takes for zero, which it wants left out of samples.
const ZERO: f32 = 1e-35; // as kZeroThreshold in LightGBM's meta.h

/// A data set that still takes rows.
#[derive(Debug)]
pub struct DatasetBuilder {
    dataset: Dataset,
    pushed: usize,
}

/// A data set that can be trained on.
#[derive(Debug)]
pub struct Dataset {
    handle: *mut c_void,
    rows: usize,
    columns: usize,
    pub(super) params: Params,
}

// SAFETY: a handle is owned by one value and may be used from any thread, one at a time.
unsafe impl Send for Dataset {}

impl DatasetBuilder {
    /// Chooses bins. `sample`: some of the rows, row-major, `columns` wide; `rows`: how many will be pushed in all;
    /// `categorical`: columns that hold codes, which are whole and not negative.
    ///
    /// # Errors
    /// [`LightGbmError`] as the library says.
    pub fn new(sample: &[f32], columns: usize, rows: usize, categorical: &[usize], params: &Params) -> Result<Self, LightGbmError> {
        let operation = "choose bins";
        silence();
        let sampled = sample.len() / columns.max(1);
        let mut values: Vec<Vec<f64>> = vec![Vec::new(); columns];
        let mut places: Vec<Vec<c_int>> = vec![Vec::new(); columns];
        for (row, chunk) in sample.chunks_exact(columns.max(1)).enumerate() {
            for (column, value) in chunk.iter().enumerate() {
                if value.abs() > ZERO || value.is_nan() {
                    values[column].push(f64::from(*value));
                    places[column].push(row as c_int);
                }
            }
        }
        let counts: Vec<c_int> = values.iter().map(|column| column.len() as c_int).collect();
        let mut value_pointers: Vec<*mut f64> = values.iter_mut().map(Vec::as_mut_ptr).collect();
        let mut place_pointers: Vec<*mut c_int> = places.iter_mut().map(Vec::as_mut_ptr).collect();
        let mut params = params.clone();
        if !categorical.is_empty() {
            let list: Vec<String> = categorical.iter().map(ToString::to_string).collect();
            params = params.with("categorical_feature", list.join(","));
        }
        let text = c_text(operation, params.text())?;
        let mut handle = ptr::null_mut();
        // SAFETY: `columns` pointers to arrays of `counts[i]` values each, all alive during the call, which copies them.
        let code = with_threads(params.threads(), || unsafe {
            lightgbm3_sys::LGBM_DatasetCreateFromSampledColumn(
                value_pointers.as_mut_ptr(),
                place_pointers.as_mut_ptr(),
                columns as i32,
                counts.as_ptr(),
                sampled as i32,
                rows as i32,
                rows as i64,
                text.as_ptr(),
                &raw mut handle,
            )
        });
        check(operation, code)?;
        Ok(Self { dataset: Dataset { handle, rows, columns, params }, pushed: 0 })
    }

    /// Takes the bins of another data set. `rows`: how many will be pushed in all.
    ///
    /// # Errors
    /// [`LightGbmError`] as the library says.
    pub fn like(reference: &Dataset, rows: usize) -> Result<Self, LightGbmError> {
        silence();
        let mut handle = ptr::null_mut();
        // SAFETY: the reference is alive during the call, which copies its bins; the handle is written once.
        let code = with_threads(reference.params.threads(), || unsafe {
            lightgbm3_sys::LGBM_DatasetCreateByReference(reference.handle, rows as i64, &raw mut handle)
        });
        check("choose bins", code)?;
        Ok(Self { dataset: Dataset { handle, rows, columns: reference.columns, params: reference.params.clone() }, pushed: 0 })
    }

    /// Adds the next rows, row-major.
    ///
    /// # Errors
    /// [`LightGbmError`] if there are more rows than announced, or as the library says.
    pub fn push(&mut self, chunk: &[f32]) -> Result<(), LightGbmError> {
        let operation = "add rows";
        let rows = chunk.len() / self.dataset.columns.max(1);
        if rows == 0 {
            return Ok(());
        }
        if chunk.len() != rows * self.dataset.columns || self.pushed + rows > self.dataset.rows {
            let message = format!("{} values after {} of {} rows", chunk.len(), self.pushed, self.dataset.rows);
            return Err(LightGbmError { operation, message });
        }
        silence();
        // SAFETY: `chunk` holds `rows × columns` floats, checked above; the library copies what it keeps.
        let code = with_threads(self.dataset.params.threads(), || unsafe {
            lightgbm3_sys::LGBM_DatasetPushRows(
                self.dataset.handle,
                chunk.as_ptr().cast(),
                lightgbm3_sys::C_API_DTYPE_FLOAT32 as c_int,
                rows as i32,
                self.dataset.columns as i32,
                self.pushed as i32,
            )
        });
        check(operation, code)?;
        self.pushed += rows;
        Ok(())
    }

    /// Closes the data set. `labels`, `weights`: one per row, weights may be empty; `names`: one per column.
    ///
    /// # Errors
    /// [`LightGbmError`] if rows are missing or lengths disagree, or as the library says.
    pub fn finish(self, labels: &[f32], weights: &[f32], names: &[String]) -> Result<Dataset, LightGbmError> {
        let operation = "close the data set";
        let Self { dataset, pushed } = self;
        let weights_fit = weights.is_empty() || weights.len() == pushed;
        if pushed != dataset.rows || labels.len() != pushed || !weights_fit || names.len() != dataset.columns {
            let message =
                format!("{pushed} of {} rows, {} labels, {} weights, {} names", dataset.rows, labels.len(), weights.len(), names.len());
            return Err(LightGbmError { operation, message });
        }
        for (field, values) in [(c"label", labels), (c"weight", weights)] {
            if values.is_empty() {
                continue;
            }
            // SAFETY: `values` holds one float per row; the library copies them.
            let code = unsafe {
                lightgbm3_sys::LGBM_DatasetSetField(
                    dataset.handle,
                    field.as_ptr(),
                    values.as_ptr().cast(),
                    values.len() as c_int,
                    lightgbm3_sys::C_API_DTYPE_FLOAT32 as c_int,
                )
            };
            check(operation, code)?;
        }
        let texts = names.iter().map(|name| c_text(operation, &plain_name(name))).collect::<Result<Vec<_>, _>>()?;
        let mut pointers: Vec<_> = texts.iter().map(|text| text.as_ptr()).collect();
        // SAFETY: one terminated string per column, alive during the call, which copies them.
        let code = unsafe { lightgbm3_sys::LGBM_DatasetSetFeatureNames(dataset.handle, pointers.as_mut_ptr(), pointers.len() as c_int) };
        check(operation, code)?;
        Ok(dataset)
    }
}

/// The library refuses names with characters that have a meaning in JSON.
fn plain_name(name: &str) -> String {
    name.chars().map(|c| if c.is_alphanumeric() || c == '.' || c == '-' { c } else { '_' }).collect()
}

impl Dataset {
    pub(super) fn handle(&self) -> *mut c_void {
        self.handle
    }

    /// Returns the number of rows.
    pub fn n_rows(&self) -> usize {
        self.rows
    }
}

impl Drop for Dataset {
    fn drop(&mut self) {
        // SAFETY: the handle was made by the library and is freed once.
        unsafe { lightgbm3_sys::LGBM_DatasetFree(self.handle) };
    }
}
