//! The history of git: looked through, never changed. What is in a commit is in every clone of it.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::EraseError;
use crate::key::PrivacyKey;
use crate::needles::{Needles, Subject, is_plain};
use crate::rewrite::{Fate, content};

/// Largest object that is looked into.
const LARGEST: u64 = 2 << 30;

/// Returns the objects of the repository around `root` that hold the subject; none where there is no repository or no `git`.
///
/// # Errors
/// [`EraseError::Io`] if `git` breaks off.
pub fn in_git_history(root: &Path, subject: &Subject, key: &PrivacyKey) -> Result<Vec<String>, EraseError> {
    let needles = Needles::new(subject, key, &[]);
    let failed = |error| EraseError::io(root, error);
    let mut git = Command::new("git");
    git.arg("-C").arg(root).args(["cat-file", "--batch-all-objects", "--batch", "--unordered"]);
    let Ok(mut child) = git.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn() else { return Ok(Vec::new()) };
    let Some(out) = child.stdout.take() else { return Ok(Vec::new()) };
    let mut out = BufReader::with_capacity(1 << 20, out);
    let mut found = Vec::new();
    let mut line = String::new();
    loop {
        line.clear();
        if out.read_line(&mut line).map_err(failed)? == 0 {
            break;
        }
        let mut words = line.split_whitespace();
        let (Some(id), Some(kind), Some(Ok(size))) = (words.next(), words.next(), words.next().map(str::parse::<u64>)) else { break };
        if size > LARGEST {
            std::io::copy(&mut Read::by_ref(&mut out).take(size + 1), &mut std::io::sink()).map_err(failed)?;
            found.push(format!("{id} (too large to be searched)"));
            continue;
        }
        let mut bytes = vec![0; size as usize + 1];
        out.read_exact(&mut bytes).map_err(failed)?;
        bytes.pop();
        let holds = match kind {
            "blob" => is_in(root, &bytes, &needles, is_plain(&subject.key))?,
            // Names of files and messages.
            "tree" | "commit" | "tag" => needles.mentions(&bytes) > 0,
            _ => false,
        };
        if holds {
            found.push(id.to_owned());
        }
    }
    child.wait().map_err(failed)?;
    found.sort();
    Ok(found)
}

fn is_in(root: &Path, bytes: &[u8], needles: &Needles, plain: bool) -> Result<bool, EraseError> {
    let is_packed = matches!(bytes, [0x1f, 0x8b, ..] | [0x28, 0xb5, 0x2f, 0xfd, ..] | [b'P', b'K', ..] | [b'P', b'A', b'R', b'1', ..]);
    if !plain && !is_packed {
        return Ok(needles.mentions(bytes) > 0);
    }
    Ok(match content(root, bytes, needles)? {
        Fate::Written(tally) => !tally.is_clean(),
        Fate::Stuck(_) => true,
        Fate::Hopeless(_) => needles.mentions(bytes) > 0,
    })
}
