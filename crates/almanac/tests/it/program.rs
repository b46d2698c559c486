//! Runs the binary in a folder of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder that is deleted at the end, and the binary to run in it.
pub(crate) struct Workplace {
    folder: tempfile::TempDir,
}

/// What a run of the binary left: exit code, standard output, standard error.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Workplace {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("the system has a folder for temporary files") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `almanac` with the arguments of a command line without quotes.
    #[track_caller]
    pub(crate) fn almanac(&self, line: &str) -> Answer {
        self.almanac_with(&[], line)
    }

    /// The same with variables in an environment that is empty otherwise.
    #[track_caller]
    pub(crate) fn almanac_with(&self, variables: &[(&str, &str)], line: &str) -> Answer {
        let output = Command::new(env!("CARGO_BIN_EXE_almanac"))
            .args(line.split_whitespace())
            .current_dir(self.folder.path())
            .env_clear()
            .envs(variables.iter().copied())
            .output()
            .expect("the binary was built for this test");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the binary writes UTF-8");
        Answer { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Answer {
    /// The whole answer as one text, for snapshots.
    pub(crate) fn to_text(&self) -> String {
        let code = self.code.map_or_else(|| "killed".to_owned(), |code| code.to_string());
        let mut text = format!("exit {code}\n");
        for (name, stream) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !stream.is_empty() {
                text.push_str(&format!("--- {name}\n{stream}"));
            }
        }
        text
    }
}

/// The files below a folder with their content, in order of path.
pub(crate) fn files_below(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder was made by the test") {
        let path = entry.expect("the folder stays while it is read").path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            let content = std::fs::read(&path).expect("the file stays while it is read");
            files.push((path, content));
        }
    }
    files.sort();
    files
}
