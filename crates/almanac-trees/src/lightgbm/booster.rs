//! Boosters: trained on a data set, saved as the library's own text, read back, asked for predictions.

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use rayon::prelude::*;

use super::library::{LightGbmError, c_text, check, silence, with_threads};
use super::{Dataset, Params};

const PREDICT: &str = "predict";
/// Rows that the library is given at once, on one thread. Blocks go to our own threads: those of the library would wait for one
/// another, and for whatever else the machine does.
const BLOCK_ROWS: usize = 512;

/// A trained ensemble of trees.
#[derive(Debug)]
pub struct Booster {
    handle: *mut c_void,
    columns: usize,
}

// SAFETY: a handle may be used from any thread.
unsafe impl Send for Booster {}
// SAFETY: the only calls through a shared reference are predictions and saving, which take the library's own shared lock.
unsafe impl Sync for Booster {}

impl Booster {
    /// Trains `rounds` trees, fewer if no split is left that helps.
    ///
    /// # Errors
    /// [`LightGbmError`] as the library says.
    pub fn train(dataset: &Dataset, rounds: usize, params: &Params) -> Result<Self, LightGbmError> {
        let operation = "train";
        silence();
        let text = c_text(operation, params.text())?;
        with_threads(params.threads(), || {
            let mut handle = ptr::null_mut();
            // SAFETY: the data set outlives the training below; the booster does not read it afterwards.
            check(operation, unsafe { lightgbm3_sys::LGBM_BoosterCreate(dataset.handle(), text.as_ptr(), &raw mut handle) })?;
            let trained = Self { handle, columns: 0 };
            for _ in 0..rounds {
                let mut finished = 0;
                // SAFETY: the handle is alive, `finished` is written once.
                check(operation, unsafe { lightgbm3_sys::LGBM_BoosterUpdateOneIter(trained.handle, &raw mut finished) })?;
                if finished != 0 {
                    break;
                }
            }
            // What is kept is what the text says, so that a saved model and a fresh one are the same. It also lets go of the data.
            let text = trained.to_text()?;
            drop(trained);
            Self::from_text_now(&text)
        })
    }

    /// Returns how many trees have the least loss on the rows held out, of `most`. `loss`: that of one prediction a row, on the
    /// scale of the labels; `patience`: trees without gain after which it stops. At least 1.
    ///
    /// # Errors
    /// [`LightGbmError`] as the library says.
    pub fn best_rounds(
        dataset: &Dataset,
        held_out: &Dataset,
        most: usize,
        patience: usize,
        params: &Params,
        loss: impl Fn(&[f64]) -> f64,
    ) -> Result<usize, LightGbmError> {
        let operation = "stop early";
        silence();
        let text = c_text(operation, params.text())?;
        with_threads(params.threads(), || {
            let mut handle = ptr::null_mut();
            // SAFETY: both data sets outlive the booster, which is gone at the end of this function.
            check(operation, unsafe { lightgbm3_sys::LGBM_BoosterCreate(dataset.handle(), text.as_ptr(), &raw mut handle) })?;
            let growing = Self { handle, columns: 0 };
            // SAFETY: as above.
            check(operation, unsafe { lightgbm3_sys::LGBM_BoosterAddValidData(growing.handle, held_out.handle()) })?;
            // The library's own metric is a sum whose order follows the threads; what is summed here does not.
            let mut said = vec![0.0; held_out.n_rows()];
            let (mut best, mut least) = (1, f64::INFINITY);
            for round in 1..=most {
                let (mut finished, mut written) = (0, 0);
                // SAFETY: the handle is alive, `finished` is written once.
                check(operation, unsafe { lightgbm3_sys::LGBM_BoosterUpdateOneIter(growing.handle, &raw mut finished) })?;
                // SAFETY: one value per row is written; 1 is the first set beside the training rows.
                let code = unsafe { lightgbm3_sys::LGBM_BoosterGetPredict(growing.handle, 1, &raw mut written, said.as_mut_ptr()) };
                check(operation, code)?;
                let loss = loss(&said);
                if loss < least {
                    (best, least) = (round, loss);
                }
                if finished != 0 || round >= best + patience {
                    break;
                }
            }
            Ok(best)
        })
    }

    /// Reads a model from the library's text format.
    ///
    /// # Errors
    /// [`LightGbmError`] as the library says.
    pub fn from_text(text: &str) -> Result<Self, LightGbmError> {
        silence();
        with_threads(1, || Self::from_text_now(text))
    }

    fn from_text_now(text: &str) -> Result<Self, LightGbmError> {
        let operation = "read a model";
        let text = c_text(operation, text)?;
        let (mut handle, mut rounds, mut columns) = (ptr::null_mut(), 0, 0);
        // SAFETY: a terminated string that the call copies; both outputs are written once.
        check(operation, unsafe { lightgbm3_sys::LGBM_BoosterLoadModelFromString(text.as_ptr(), &raw mut rounds, &raw mut handle) })?;
        let mut booster = Self { handle, columns: 0 };
        // SAFETY: the handle is alive.
        check(operation, unsafe { lightgbm3_sys::LGBM_BoosterGetNumFeature(booster.handle, &raw mut columns) })?;
        booster.columns = columns as usize;
        Ok(booster)
    }

    /// Returns the model in the library's text format.
    ///
    /// # Errors
    /// [`LightGbmError`] as the library says.
    pub fn to_text(&self) -> Result<String, LightGbmError> {
        let operation = "save a model";
        let mut buffer: Vec<u8> = vec![0; 1 << 20];
        loop {
            let mut length = 0_i64;
            // SAFETY: the buffer has the length that is told; the library writes no more than that.
            let code = unsafe {
                lightgbm3_sys::LGBM_BoosterSaveModelToString(
                    self.handle,
                    0,
                    -1,
                    lightgbm3_sys::C_API_FEATURE_IMPORTANCE_GAIN as c_int,
                    buffer.len() as i64,
                    &raw mut length,
                    buffer.as_mut_ptr().cast::<c_char>(),
                )
            };
            check(operation, code)?;
            let length = length as usize;
            if length <= buffer.len() {
                // The length counts the terminating zero.
                buffer.truncate(length.saturating_sub(1));
                return String::from_utf8(buffer).map_err(|error| LightGbmError { operation, message: error.to_string() });
            }
            buffer.resize(length, 0);
        }
    }

    /// Returns one prediction per row, on the scale of the labels. `rows`: row-major.
    ///
    /// # Errors
    /// [`LightGbmError`] if the rows have another width than the training rows, or as the library says.
    pub fn predict(&self, rows: &[f32]) -> Result<Vec<f64>, LightGbmError> {
        let columns = self.columns.max(1);
        if !rows.len().is_multiple_of(columns) {
            let message = format!("{} values do not make rows of {} columns", rows.len(), self.columns);
            return Err(LightGbmError { operation: PREDICT, message });
        }
        let mut out = vec![0.0; rows.len() / columns];
        let blocks = out.par_chunks_mut(BLOCK_ROWS).zip(rows.par_chunks(BLOCK_ROWS * columns));
        blocks.map(|(out, rows)| self.predict_block(rows, out)).collect::<Result<(), _>>()?;
        Ok(out)
    }

    fn predict_block(&self, rows: &[f32], out: &mut [f64]) -> Result<(), LightGbmError> {
        silence();
        let text = c_text(PREDICT, "num_threads=1 verbosity=-1")?;
        let mut length = 0;
        // SAFETY: `rows` holds one row of `columns` floats for each value of `out`, which takes the one value per row that is written.
        let code = with_threads(1, || unsafe {
            lightgbm3_sys::LGBM_BoosterPredictForMat(
                self.handle,
                rows.as_ptr().cast(),
                lightgbm3_sys::C_API_DTYPE_FLOAT32 as c_int,
                out.len() as i32,
                self.columns as i32,
                1,
                lightgbm3_sys::C_API_PREDICT_NORMAL as c_int,
                0,
                -1,
                text.as_ptr(),
                &raw mut length,
                out.as_mut_ptr(),
            )
        });
        check(PREDICT, code)
    }
}

impl Drop for Booster {
    fn drop(&mut self) {
        // SAFETY: the handle was made by the library and is freed once.
        unsafe { lightgbm3_sys::LGBM_BoosterFree(self.handle) };
    }
}
