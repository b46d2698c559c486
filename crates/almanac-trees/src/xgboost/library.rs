//! The shared library: found, checked, and its functions by name.
#![allow(unsafe_code, reason = "XGBoost is a C library; this folder is its only door")]

use std::ffi::{CStr, CString, c_char, c_float, c_int, c_void};
use std::fmt;
use std::path::{Path, PathBuf};

use super::XgBoostError;

pub(super) type Handle = *mut c_void;
pub(super) type Next = unsafe extern "C" fn(Handle) -> c_int;
pub(super) type Reset = unsafe extern "C" fn(Handle);

/// The first version with every function that is called.
const OLDEST: (c_int, c_int) = (2, 0);
const NEEDED: &str = "2.0";

/// Functions of the library: name, then arguments. Each returns 0, or another number for an error.
macro_rules! functions {
    ($($field:ident = $name:literal: fn($($argument:ty),*);)*) => {
        /// The functions that are called, as the library's header `c_api.h` declares them.
        #[derive(Clone, Copy)]
        pub(super) struct Functions {
            get_last_error: unsafe extern "C" fn() -> *const c_char,
            $(pub(super) $field: unsafe extern "C" fn($($argument),*) -> c_int,)*
        }

        impl Functions {
            fn load(library: &libloading::Library) -> Result<Self, libloading::Error> {
                // SAFETY: each symbol is taken at the type that `c_api.h` gives it, unchanged since version 2.0.
                unsafe {
                    Ok(Self {
                        get_last_error: *library.get(b"XGBGetLastError\0")?,
                        $($field: *library.get(concat!($name, "\0").as_bytes())?,)*
                    })
                }
            }
        }
    };
}

functions! {
    register_log_callback = "XGBRegisterLogCallback": fn(unsafe extern "C" fn(*const c_char));
    proxy_create = "XGProxyDMatrixCreate": fn(*mut Handle);
    proxy_set_dense = "XGProxyDMatrixSetDataDense": fn(Handle, *const c_char);
    quantile_create = "XGQuantileDMatrixCreateFromCallback": fn(Handle, Handle, Handle, Reset, Next, *const c_char, *mut Handle);
    matrix_set_text = "XGDMatrixSetStrFeatureInfo": fn(Handle, *const c_char, *const *const c_char, u64);
    matrix_set_info = "XGDMatrixSetInfoFromInterface": fn(Handle, *const c_char, *const c_char);
    matrix_rows = "XGDMatrixNumRow": fn(Handle, *mut u64);
    matrix_free = "XGDMatrixFree": fn(Handle);
    booster_create = "XGBoosterCreate": fn(*const Handle, u64, *mut Handle);
    booster_set = "XGBoosterSetParam": fn(Handle, *const c_char, *const c_char);
    booster_train = "XGBoosterTrainOneIter": fn(Handle, Handle, c_int, *const c_char, *const c_char);
    booster_predict =
        "XGBoosterPredictFromDMatrix": fn(Handle, Handle, *const c_char, *mut *const u64, *mut u64, *mut *const c_float);
    booster_save = "XGBoosterSaveModelToBuffer": fn(Handle, *const c_char, *mut u64, *mut *const c_char);
    booster_free = "XGBoosterFree": fn(Handle);
}

/// The library, loaded. It stays loaded until the program ends, for its threads do.
#[derive(Clone)]
pub struct Library {
    pub(super) functions: Functions,
    path: PathBuf,
    version: (c_int, c_int, c_int),
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "XGBoost {} of {}", self.version(), self.path.display())
    }
}

unsafe extern "C" fn ignore(_message: *const c_char) {}

impl Library {
    /// Loads the file that is `named`, and no other; or, if none is, the first of `candidates` that will do, or the one that the system
    /// finds by name.
    ///
    /// # Errors
    /// [`XgBoostError::Absent`] if there is none, else what is wrong with the first that there is.
    pub fn find(named: Option<&Path>, candidates: &[PathBuf]) -> Result<Self, XgBoostError> {
        if let Some(path) = named {
            return Self::load(path);
        }
        let mut first = None;
        for path in candidates {
            match Self::load(path) {
                Ok(library) => return Ok(library),
                Err(error) => first = first.or(Some(error)),
            }
        }
        match Self::load(Path::new(&libloading::library_filename("xgboost"))) {
            Ok(library) => Ok(library),
            Err(error @ XgBoostError::TooOld { .. }) => Err(first.unwrap_or(error)),
            Err(_) => Err(first.unwrap_or(XgBoostError::Absent)),
        }
    }

    fn load(path: &Path) -> Result<Self, XgBoostError> {
        let unusable = |error: libloading::Error| XgBoostError::Unusable { path: path.to_owned(), message: error.to_string() };
        // SAFETY: what a library does when it is loaded cannot be checked; this one sets up tables of its own.
        let library = unsafe { libloading::Library::new(path) }.map_err(unusable)?;
        let mut version = (0, 0, 0);
        {
            type Version = unsafe extern "C" fn(*mut c_int, *mut c_int, *mut c_int);
            // SAFETY: the type is that of `c_api.h`; it writes the three numbers.
            unsafe {
                let get: libloading::Symbol<'_, Version> = library.get(b"XGBoostVersion\0").map_err(unusable)?;
                get(&raw mut version.0, &raw mut version.1, &raw mut version.2);
            }
        }
        if (version.0, version.1) < OLDEST {
            let found = format!("{}.{}.{}", version.0, version.1, version.2);
            return Err(XgBoostError::TooOld { path: path.to_owned(), found, needed: NEEDED });
        }
        let functions = Functions::load(&library).map_err(unusable)?;
        // Its threads outlive every call, so it is never unloaded; that also keeps the functions valid.
        std::mem::forget(library);
        Ok(Self { functions, path: path.to_owned(), version })
    }

    /// Returns the version, as `3.1.0`.
    pub fn version(&self) -> String {
        format!("{}.{}.{}", self.version.0, self.version.1, self.version.2)
    }

    /// Returns the file it was loaded from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps the log of this thread silent.
    pub(super) fn silence(&self) {
        // SAFETY: the callback is a static function that reads nothing.
        unsafe { (self.functions.register_log_callback)(ignore) };
    }

    /// Turns a return code into a result. Must be called on the thread that made the call: the message is kept per thread.
    pub(super) fn check(&self, operation: &'static str, code: c_int) -> Result<(), XgBoostError> {
        if code == 0 {
            return Ok(());
        }
        // SAFETY: the library returns a pointer to a terminated string that lives until the thread's next call.
        let text = unsafe { CStr::from_ptr((self.functions.get_last_error)()) }.to_string_lossy();
        // Before the first line's words stands the time of day; what follows the line is a trace of the library's own frames.
        let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it does not say why");
        let line = line.strip_prefix('[').and_then(|rest| rest.split_once("] ")).map_or(line, |(_, words)| words);
        Err(XgBoostError::Call { operation, message: line.to_owned() })
    }
}

pub(super) fn c_text(operation: &'static str, text: &str) -> Result<CString, XgBoostError> {
    CString::new(text).map_err(|_| XgBoostError::Call { operation, message: "the text holds a zero byte".into() })
}

/// Describes floats in memory as the library reads arrays: by address and shape.
pub(super) fn array(operation: &'static str, values: &[f32], columns: usize) -> Result<CString, XgBoostError> {
    let rows = values.len() / columns.max(1);
    shaped(operation, values, &format!("{rows},{columns}"))
}

/// The same for one value per row.
pub(super) fn vector(operation: &'static str, values: &[f32]) -> Result<CString, XgBoostError> {
    shaped(operation, values, &values.len().to_string())
}

fn shaped(operation: &'static str, values: &[f32], shape: &str) -> Result<CString, XgBoostError> {
    let order = if cfg!(target_endian = "big") { '>' } else { '<' };
    let text =
        format!(r#"{{"data":[{},true],"shape":[{shape}],"strides":null,"typestr":"{order}f4","version":3}}"#, values.as_ptr().addr());
    c_text(operation, &text)
}
