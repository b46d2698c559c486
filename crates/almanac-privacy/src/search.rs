//! Whether the subject is in a file: in its decoded content, in its raw bytes, in its name.
//!
//! A quick pass over the raw bytes spares most files the rest. Packed files, tables and databases are decoded in any case.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::EraseError;
use crate::files::head;
use crate::needles::Needles;
use crate::rewrite::{self, Fate, Kind, Tally, parquet, sqlite};

const BLOCK: usize = 4 << 20;

/// What was seen of the subject in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sight {
    /// Nothing; or only inside longer words, so often.
    Clean {
        /// How often.
        inside_words: u64,
    },
    /// So much.
    Found(Tally),
    /// In a database, which changes in place.
    InDatabase(Tally),
    /// It cannot be taken out, or the file cannot be decoded. `is_seen`: its bytes name the subject.
    Hopeless {
        /// Why.
        why: String,
        /// Whether it is known to be there.
        is_seen: bool,
    },
}

/// Looks for the subject in the content of a file.
///
/// # Errors
/// Only what stops the whole search; a file that cannot be read is [`Sight::Hopeless`].
pub(crate) fn look(path: &Path, needles: &Needles, is_plain: bool) -> Result<Sight, EraseError> {
    let (start, raw) = match first_pass(path, needles) {
        Ok(seen) => seen,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Sight::Clean { inside_words: 0 }),
        Err(error) => return Ok(Sight::Hopeless { why: format!("it cannot be read: {error}"), is_seen: false }),
    };
    let kind = Kind::of(&start);
    if kind == Kind::Sqlite {
        return database(path, needles, raw.mentions);
    }
    let is_opaque = matches!(kind, Kind::Parquet | Kind::Gzip | Kind::Zstd | Kind::Zip | Kind::Utf16 { .. });
    if !is_opaque && raw.mentions == 0 && raw.inside_words == 0 && !is_plain {
        return Ok(Sight::Clean { inside_words: 0 });
    }
    let fate = if kind == Kind::Parquet { parquet::look(path, needles) } else { rewrite::file(path, &mut std::io::sink(), needles) };
    Ok(match fate? {
        Fate::Stuck(why) => Sight::Hopeless { why, is_seen: true },
        Fate::Hopeless(why) => Sight::Hopeless { why, is_seen: raw.mentions > 0 },
        // Bytes that no reader shows, such as the statistics of a table: written anew, they are gone.
        Fate::Written(tally) if tally.is_clean() && raw.mentions > 0 && is_opaque => {
            Sight::Found(Tally { mentions: raw.mentions, ..tally })
        }
        Fate::Written(tally) if tally.is_clean() => Sight::Clean { inside_words: raw.inside_words },
        Fate::Written(tally) => Sight::Found(tally),
    })
}

#[derive(Debug, Default)]
struct Raw {
    mentions: u64,
    inside_words: u64,
}

/// Counts forms in the raw bytes; those that two blocks share may count twice.
fn first_pass(path: &Path, needles: &Needles) -> std::io::Result<(Vec<u8>, Raw)> {
    let mut file = File::open(path)?;
    let start = head(&mut file, 64 * 1024)?;
    let mut raw = Raw::default();
    let mut block = start.clone();
    loop {
        if needles.may_be_in(&block) {
            raw.mentions += needles.mentions(&block);
            raw.inside_words += needles.inside_words(&block);
        }
        let held = block.len().min(needles.longest() + 8);
        block.drain(..block.len() - held);
        let got = Read::by_ref(&mut file).take(BLOCK as u64).read_to_end(&mut block)?;
        if got == 0 {
            return Ok((start, raw));
        }
    }
}

fn database(path: &Path, needles: &Needles, mut mentions: u64) -> Result<Sight, EraseError> {
    for companion in sqlite::companions(path) {
        mentions += first_pass(&companion, needles).map_or(0, |(_, raw)| raw.mentions);
    }
    match sqlite::look(path, needles) {
        Ok(tally) if tally.is_clean() && mentions > 0 => Ok(Sight::InDatabase(Tally { mentions, ..tally })),
        Ok(tally) if tally.is_clean() => Ok(Sight::Clean { inside_words: 0 }),
        Ok(tally) => Ok(Sight::InDatabase(tally)),
        Err(EraseError::Database { source, .. }) if source.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => {
            Err(EraseError::database(path, source))
        }
        Err(error) => Ok(Sight::Hopeless { why: format!("the database cannot be read: {}", chain(&error)), is_seen: mentions > 0 }),
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}
