//! Data sets: the library asks for the rows block by block, several times over, and keeps the bins they fall into. So the raw table is
//! never in memory as a whole.
#![allow(unsafe_code, reason = "XGBoost is a C library; this folder is its only door")]

use std::any::Any;
use std::ffi::{CString, c_char, c_int};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr;

use super::library::{Handle, array, c_text, vector};
use super::{Library, XgBoostError};

const OPERATION: &str = "bin the rows";
/// Beyond this a value says no more; the library refuses infinity, and doubles the largest value it sees.
const MOST: f32 = 1e37;

/// Rows that can be trained on: their features, in bins.
#[derive(Debug)]
pub struct Dataset<'l> {
    library: &'l Library,
    handle: Handle,
    rows: usize,
    max_bin: usize,
}

impl<'l> Dataset<'l> {
    /// Bins rows. `block` gives the rows of a block, row-major, or `None` after the last; it is asked for each block more than once
    /// and must say the same each time. `categorical`: for each column, whether it holds codes, which are whole and not negative.
    /// `threads`: 0 for all cores.
    ///
    /// # Errors
    /// [`XgBoostError::Call`] as the library says.
    ///
    /// # Panics
    /// If `block` does.
    pub fn new(
        library: &'l Library,
        categorical: &[bool],
        max_bin: usize,
        threads: usize,
        block: &mut dyn FnMut(usize) -> Option<Vec<f32>>,
    ) -> Result<Self, XgBoostError> {
        Self::made(library, ptr::null_mut(), categorical, max_bin, threads, block)
    }

    /// Takes the bins of another data set, for rows that are predicted while trees grow on that one. The rest as in [`Self::new`].
    ///
    /// # Errors
    /// [`XgBoostError::Call`] as the library says.
    ///
    /// # Panics
    /// If `block` does.
    pub fn like(
        &self,
        categorical: &[bool],
        threads: usize,
        block: &mut dyn FnMut(usize) -> Option<Vec<f32>>,
    ) -> Result<Self, XgBoostError> {
        Self::made(self.library, self.handle, categorical, self.max_bin, threads, block)
    }

    fn made(
        library: &'l Library,
        reference: Handle,
        categorical: &[bool],
        max_bin: usize,
        threads: usize,
        block: &mut dyn FnMut(usize) -> Option<Vec<f32>>,
    ) -> Result<Self, XgBoostError> {
        library.silence();
        let proxy = Matrix::proxy(library)?;
        let kinds: Vec<*const c_char> = categorical.iter().map(|is| if *is { c"c".as_ptr() } else { c"q".as_ptr() }).collect();
        let mut blocks = Blocks { library, proxy: proxy.0, kinds, block, at: 0, held: Vec::new(), error: None, panic: None };
        let config = c_text(OPERATION, &format!(r#"{{"missing":NaN,"max_bin":{max_bin},"nthread":{threads}}}"#))?;
        let mut handle = ptr::null_mut();
        // SAFETY: `blocks` and `proxy` outlive the call, and only the two callbacks touch `blocks` meanwhile; the reference set is null
        // or alive, and the library shares its bins by counting.
        let code = unsafe {
            (library.functions.quantile_create)((&raw mut blocks).cast(), proxy.0, reference, reset, next, config.as_ptr(), &raw mut handle)
        };
        let made = library.check(OPERATION, code).map(|()| Self { library, handle, rows: 0, max_bin });
        if let Some(panic) = blocks.panic.take() {
            resume_unwind(panic);
        }
        if let Some(error) = blocks.error.take() {
            return Err(error);
        }
        let mut made = made?;
        let mut rows = 0_u64;
        // SAFETY: the handle is alive; the number is written once.
        library.check(OPERATION, unsafe { (library.functions.matrix_rows)(made.handle, &raw mut rows) })?;
        made.rows = rows as usize;
        Ok(made)
    }

    /// Tells the labels and weights, one of each per row, from which some objectives take the values of leaves.
    ///
    /// # Errors
    /// [`XgBoostError::Call`] if there is not one per row, or as the library says.
    pub fn set_labels(&self, labels: &[f32], weights: &[f32]) -> Result<(), XgBoostError> {
        let operation = "take the labels";
        for (field, values) in [(c"label", labels), (c"weight", weights)] {
            if values.len() != self.rows {
                let message = format!("{} values for {} rows", values.len(), self.rows);
                return Err(XgBoostError::Call { operation, message });
            }
            let text = vector(operation, values)?;
            // SAFETY: the text describes an array of one float per row that is alive during the call, which copies it.
            let code = unsafe { (self.library.functions.matrix_set_info)(self.handle, field.as_ptr(), text.as_ptr()) };
            self.library.check(operation, code)?;
        }
        Ok(())
    }

    pub(super) fn library(&self) -> &'l Library {
        self.library
    }

    pub(super) fn handle(&self) -> Handle {
        self.handle
    }

    pub(super) fn max_bin(&self) -> usize {
        self.max_bin
    }

    /// Returns the number of rows.
    pub fn n_rows(&self) -> usize {
        self.rows
    }
}

impl Drop for Dataset<'_> {
    fn drop(&mut self) {
        // SAFETY: the handle was made by the library and is freed once.
        unsafe { (self.library.functions.matrix_free)(self.handle) };
    }
}

/// The stand-in through which the library sees one block at a time.
struct Matrix<'l>(Handle, &'l Library);

impl<'l> Matrix<'l> {
    fn proxy(library: &'l Library) -> Result<Self, XgBoostError> {
        let mut handle = ptr::null_mut();
        // SAFETY: the handle is written once.
        library.check(OPERATION, unsafe { (library.functions.proxy_create)(&raw mut handle) })?;
        Ok(Self(handle, library))
    }
}

impl Drop for Matrix<'_> {
    fn drop(&mut self) {
        // SAFETY: the handle was made by the library and is freed once.
        unsafe { (self.1.functions.matrix_free)(self.0) };
    }
}

/// What the callbacks work on.
struct Blocks<'a> {
    library: &'a Library,
    proxy: Handle,
    /// The library's word for the type of each column.
    kinds: Vec<*const c_char>,
    block: &'a mut dyn FnMut(usize) -> Option<Vec<f32>>,
    at: usize,
    /// The block that the library sees now.
    held: Vec<f32>,
    error: Option<XgBoostError>,
    panic: Option<Box<dyn Any + Send>>,
}

impl Blocks<'_> {
    /// Shows the next block; tells whether there is one.
    fn show(&mut self) -> Result<bool, XgBoostError> {
        let Some(mut rows) = (self.block)(self.at) else { return Ok(false) };
        self.at += 1;
        let columns = self.kinds.len();
        if columns == 0 || !rows.len().is_multiple_of(columns) {
            let message = format!("{} values do not make rows of {columns} columns", rows.len());
            return Err(XgBoostError::Call { operation: OPERATION, message });
        }
        rows.iter_mut().filter(|value| value.is_infinite()).for_each(|value| *value = value.clamp(-MOST, MOST));
        self.held = rows;
        let text: CString = array(OPERATION, &self.held, columns)?;
        // SAFETY: the text describes `held`, which stays as it is until the library asks for the next block.
        self.library.check(OPERATION, unsafe { (self.library.functions.proxy_set_dense)(self.proxy, text.as_ptr()) })?;
        // SAFETY: one terminated static string per column; the library copies them.
        let code = unsafe {
            (self.library.functions.matrix_set_text)(self.proxy, c"feature_type".as_ptr(), self.kinds.as_ptr(), self.kinds.len() as u64)
        };
        self.library.check(OPERATION, code)?;
        Ok(true)
    }
}

unsafe extern "C" fn next(data: Handle) -> c_int {
    // SAFETY: `data` is the `Blocks` given to the library, which calls back on one thread at a time.
    let blocks = unsafe { &mut *data.cast::<Blocks<'_>>() };
    if blocks.error.is_some() || blocks.panic.is_some() {
        return 0;
    }
    // A panic must not cross the library's frames: it is kept and goes on after them.
    match catch_unwind(AssertUnwindSafe(|| blocks.show())) {
        Ok(Ok(shown)) => c_int::from(shown),
        Ok(Err(error)) => {
            blocks.error = Some(error);
            0
        }
        Err(panic) => {
            blocks.panic = Some(panic);
            0
        }
    }
}

unsafe extern "C" fn reset(data: Handle) {
    // SAFETY: as in `next`.
    let blocks = unsafe { &mut *data.cast::<Blocks<'_>>() };
    blocks.at = 0;
}
