//! `install`: git hooks that keep data and revisions together.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::error::{Doing, Result, VersionsError};
use crate::files;
use crate::repo::Repo;

/// The hooks and what each runs.
const HOOKS: [(&str, &str); 3] = [
    (
        "post-checkout",
        "# Only when a branch or commit was checked out, not single files.\n[ \"$3\" = 0 ] && exit 0\nexec almanac data checkout",
    ),
    ("pre-commit", "exec almanac data status"),
    ("pre-push", "exec almanac data push"),
];

impl Repo {
    /// Writes hooks of git: `checkout` after a checkout, `status` before a commit, `push` before a push. Returns their names.
    ///
    /// # Errors
    /// If there is no git, or one of the hooks is there already.
    pub fn install_hooks(&self) -> Result<Vec<&'static str>> {
        let folder = self.need_git()?.hooks()?;
        let text = |run: &str| format!("#!/bin/sh\n# Written by `almanac data install`.\n{run}\n");
        for (name, run) in HOOKS {
            let path = folder.join(name);
            if path.exists() && !fs::read_to_string(&path).is_ok_and(|there| there == text(run)) {
                return Err(VersionsError::Exists { path });
            }
        }
        fs::create_dir_all(&folder).doing("make the folder", &folder)?;
        for (name, run) in HOOKS {
            let path = folder.join(name);
            files::write_atomic(&path, text(run).as_bytes())?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).doing("make executable", &path)?;
        }
        Ok(HOOKS.map(|(name, _)| name).to_vec())
    }
}
