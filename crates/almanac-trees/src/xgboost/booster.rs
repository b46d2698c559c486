//! Boosters: grown on a data set one tree at a time, from gradients that the caller gives.
#![allow(unsafe_code, reason = "XGBoost is a C library; this folder is its only door")]

use std::ffi::c_int;
use std::fmt::Display;
use std::{ptr, slice};

use super::library::{Handle, array, c_text};
use super::{Dataset, Ensemble, Gradients, XgBoostError};

/// Trees that grow.
#[derive(Debug)]
pub struct Booster<'d> {
    dataset: &'d Dataset<'d>,
    handle: Handle,
    round: c_int,
}

impl<'d> Booster<'d> {
    /// Starts without trees. `params`: keys of the library's own documentation.
    ///
    /// # Errors
    /// [`XgBoostError::Call`] if a parameter is refused.
    pub fn new(dataset: &'d Dataset<'d>, params: &[(&str, &dyn Display)]) -> Result<Self, XgBoostError> {
        let operation = "take the parameters";
        let library = dataset.library();
        library.silence();
        let matrix = dataset.handle();
        let mut handle = ptr::null_mut();
        // SAFETY: one handle that is alive as long as the booster borrows the data set.
        library.check(operation, unsafe { (library.functions.booster_create)(&raw const matrix, 1, &raw mut handle) })?;
        let booster = Self { dataset, handle, round: 0 };
        // Bins are those of the data set, which the library wants to be told.
        let bins: (&str, &dyn Display) = ("max_bin", &dataset.max_bin());
        for (key, value) in params.iter().chain([&bins]) {
            let (key, value) = (c_text(operation, key)?, c_text(operation, &value.to_string())?);
            // SAFETY: two terminated strings that the call copies.
            library.check(operation, unsafe { (library.functions.booster_set)(handle, key.as_ptr(), value.as_ptr()) })?;
        }
        Ok(booster)
    }

    /// Returns what the trees so far say of each training row, before the objective's transform.
    ///
    /// # Errors
    /// [`XgBoostError::Call`] as the library says.
    pub fn margins(&self) -> Result<Vec<f32>, XgBoostError> {
        self.margins_of(self.dataset, true)
    }

    /// Returns what the trees so far say of rows that were held out: those of a data set with the bins of the training rows.
    ///
    /// # Errors
    /// [`XgBoostError::Call`] as the library says.
    pub fn margins_held_out(&self, dataset: &Dataset<'_>) -> Result<Vec<f32>, XgBoostError> {
        self.margins_of(dataset, false)
    }

    fn margins_of(&self, dataset: &Dataset<'_>, training: bool) -> Result<Vec<f32>, XgBoostError> {
        let operation = "predict the training rows";
        let library = self.dataset.library();
        let config = format!(r#"{{"type":1,"training":{training},"iteration_begin":0,"iteration_end":0,"strict_shape":false}}"#);
        let config = c_text(operation, &config)?;
        let (mut shape, mut dimensions, mut values) = (ptr::null(), 0, ptr::null());
        // SAFETY: both handles are alive; the three outputs are written once.
        let code = unsafe {
            (library.functions.booster_predict)(
                self.handle,
                dataset.handle(),
                config.as_ptr(),
                &raw mut shape,
                &raw mut dimensions,
                &raw mut values,
            )
        };
        library.check(operation, code)?;
        // SAFETY: the library owns `dimensions` lengths and as many values as their product, until the booster's next call.
        let (count, values) = unsafe {
            let count: u64 = slice::from_raw_parts(shape, dimensions as usize).iter().product();
            (count as usize, slice::from_raw_parts(values, count as usize).to_vec())
        };
        if count == dataset.n_rows() {
            Ok(values)
        } else {
            let message = format!("{count} predictions for {} rows", dataset.n_rows());
            Err(XgBoostError::Call { operation, message })
        }
    }

    /// Grows one more tree.
    ///
    /// # Errors
    /// [`XgBoostError::Call`] if there is not one gradient per row, or as the library says.
    pub fn grow(&mut self, gradients: &Gradients) -> Result<(), XgBoostError> {
        let operation = "train";
        let library = self.dataset.library();
        let rows = self.dataset.n_rows();
        if gradients.first.len() != rows || gradients.second.len() != rows {
            let message = format!("{} and {} gradients for {rows} rows", gradients.first.len(), gradients.second.len());
            return Err(XgBoostError::Call { operation, message });
        }
        let (first, second) = (array(operation, &gradients.first, 1)?, array(operation, &gradients.second, 1)?);
        // SAFETY: the texts describe arrays of one float per row, checked above, that are alive during the call.
        let code =
            unsafe { (library.functions.booster_train)(self.handle, self.dataset.handle(), self.round, first.as_ptr(), second.as_ptr()) };
        library.check(operation, code)?;
        self.round += 1;
        Ok(())
    }

    /// Returns the model in the library's JSON.
    ///
    /// # Errors
    /// [`XgBoostError::Call`] as the library says.
    pub fn to_json(&self) -> Result<String, XgBoostError> {
        let operation = "save a model";
        let library = self.dataset.library();
        let (mut length, mut text) = (0, ptr::null());
        // SAFETY: both outputs are written once.
        let code =
            unsafe { (library.functions.booster_save)(self.handle, c"{\"format\":\"json\"}".as_ptr(), &raw mut length, &raw mut text) };
        library.check(operation, code)?;
        // SAFETY: the library owns `length` bytes until the thread's next call.
        let bytes = unsafe { slice::from_raw_parts(text.cast::<u8>(), length as usize) };
        String::from_utf8(bytes.to_vec()).map_err(|error| XgBoostError::Call { operation, message: error.to_string() })
    }

    /// Returns the trees, which need no library.
    ///
    /// # Errors
    /// [`XgBoostError`] as the library says, or if what it wrote cannot be read.
    pub fn finish(self) -> Result<Ensemble, XgBoostError> {
        Ensemble::from_json(&self.to_json()?)
    }
}

impl Drop for Booster<'_> {
    fn drop(&mut self) {
        // SAFETY: the handle was made by the library and is freed once.
        unsafe { (self.dataset.library().functions.booster_free)(self.handle) };
    }
}
