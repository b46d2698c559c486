//! One process at a time: `.dvc/tmp/lock`, locked as DVC locks it, so that the two programs exclude each other too.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use crate::error::{Doing, Result, VersionsError};

/// The lock, held until dropped or the process ends in any way.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits for the lock for a while, then gives up and says who has it.
    pub(crate) fn take(path: &Path, patience: Duration) -> Result<Self> {
        const PAUSE: Duration = Duration::from_millis(50);
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(path).doing("open", path)?;
        let start = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if start.elapsed() < patience => std::thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    let mut text = String::new();
                    let _ = file.rewind().and_then(|()| file.read_to_string(&mut text));
                    let pid = Some(text.trim().to_owned()).filter(|pid| !pid.is_empty());
                    return Err(VersionsError::Locked { path: path.to_owned(), pid });
                }
                Err(TryLockError::Error(source)) => return Err(source).doing("lock", path),
            }
        }
        // For whoever waits; the lock itself is the system's.
        let _ = file.set_len(0).and_then(|()| writeln!(file, " {}", std::process::id()));
        Ok(Self { _file: file })
    }
}
