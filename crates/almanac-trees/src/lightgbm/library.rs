//! Calling the library: errors, silence, and its process-wide number of threads.

use std::ffi::{CStr, CString, c_char, c_int};
use std::sync::{PoisonError, RwLock};

/// What the library said when a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("lightgbm failed to {operation}: {message}")]
pub struct LightGbmError {
    /// What was being done.
    pub operation: &'static str,
    /// The library's own words.
    pub message: String,
}

/// The library keeps its number of threads in a global and sizes buffers by it, so it must not change under a running
/// call. Calls with the same number run side by side; one with another number waits.
static THREADS: RwLock<usize> = RwLock::new(0);

pub(super) fn with_threads<T>(threads: usize, call: impl FnOnce() -> T) -> T {
    loop {
        {
            let current = THREADS.read().unwrap_or_else(PoisonError::into_inner);
            if *current == threads {
                return call();
            }
        }
        let mut current = THREADS.write().unwrap_or_else(PoisonError::into_inner);
        if *current != threads {
            // SAFETY: no pointer is passed; the write lock keeps every other call out.
            unsafe { lightgbm3_sys::LGBM_SetMaxThreads(threads as c_int) };
            *current = threads;
        }
    }
}

unsafe extern "C" fn ignore(_message: *const c_char) {}

/// Keeps the log of this thread silent; warnings would go to stdout.
pub(super) fn silence() {
    // SAFETY: the callback is a static function that reads nothing.
    unsafe { lightgbm3_sys::LGBM_RegisterLogCallback(Some(ignore)) };
}

/// Turns a return code into a result. Must be called on the thread that made the call: the message is kept per thread.
pub(super) fn check(operation: &'static str, code: c_int) -> Result<(), LightGbmError> {
    if code == 0 {
        return Ok(());
    }
    // SAFETY: the library returns a pointer to a terminated string that lives as long as the thread, until the next error.
    let message = unsafe { CStr::from_ptr(lightgbm3_sys::LGBM_GetLastError()) };
    Err(LightGbmError { operation, message: message.to_string_lossy().into_owned() })
}

pub(super) fn c_text(operation: &'static str, text: &str) -> Result<CString, LightGbmError> {
    CString::new(text).map_err(|_| LightGbmError { operation, message: "the text holds a zero byte".into() })
}
