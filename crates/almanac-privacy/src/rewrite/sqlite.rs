//! Databases of SQLite: rows of the subject go, texts that name it get a mark, and nothing stays in freed pages or the log.
//!
//! A database changes in place, in one transaction of its own: SQLite's journal takes care of a kill. Afterwards it is written anew
//! without freed pages (`VACUUM`) and its log is emptied.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OpenFlags};

use super::Tally;
use crate::error::EraseError;
use crate::needles::{Naming, Needles, is_telling};

const BUSY: Duration = Duration::from_secs(30);

/// Files that SQLite keeps beside a database.
pub(crate) fn companions(path: &Path) -> [PathBuf; 3] {
    ["-wal", "-shm", "-journal"].map(|ending| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    })
}

/// Counts what would go.
pub(crate) fn look(path: &Path, needles: &Needles) -> Result<Tally, EraseError> {
    let failed = |error| EraseError::database(path, error);
    // A database in WAL cannot be read without its index, which only a writer makes.
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(failed)?;
    connection.busy_timeout(BUSY).map_err(failed)?;
    work(&connection, needles, false).map_err(failed)
}

/// Takes the subject out. `before_commit` is told of what goes while it can still be refused.
pub(crate) fn erase(
    path: &Path,
    needles: &Needles,
    before_commit: impl FnOnce(&Tally) -> Result<(), EraseError>,
) -> Result<Tally, EraseError> {
    let failed = |error| EraseError::database(path, error);
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(failed)?;
    connection.busy_timeout(BUSY).map_err(failed)?;
    connection.execute_batch("PRAGMA secure_delete = ON; PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE").map_err(failed)?;
    let tally = work(&connection, needles, true).map_err(failed)?;
    before_commit(&tally)?;
    connection.execute_batch("COMMIT; VACUUM").map_err(failed)?;
    // Only a database in WAL has a log; others answer with one row as well.
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(failed)?;
    drop(connection);
    Ok(tally)
}

/// What tells a row, and its new cells; none for a row that goes.
type Change = (Vec<Value>, Option<Vec<(usize, Value)>>);

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn work(connection: &Connection, needles: &Needles, write: bool) -> rusqlite::Result<Tally> {
    let mut tally = Tally::default();
    let tables: Vec<String> = connection
        .prepare("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' AND sql NOT LIKE 'CREATE VIRTUAL%'")?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    for table in tables {
        one_table(connection, &table, needles, write, &mut tally)?;
    }
    tally.telling.retain(|value| is_telling(value));
    Ok(tally)
}

fn one_table(connection: &Connection, table: &str, needles: &Needles, write: bool, tally: &mut Tally) -> rusqlite::Result<()> {
    let name = quoted(table);
    let columns: Vec<String> = {
        let statement = connection.prepare(&format!("SELECT * FROM {name} LIMIT 0"))?;
        statement.column_names().into_iter().map(str::to_owned).collect()
    };
    let namings: Vec<Naming> = columns.iter().map(|column| needles.naming(column)).collect();
    // A table without row ids is told by all its columns.
    let has_ids = connection.prepare(&format!("SELECT rowid FROM {name} LIMIT 0")).is_ok();
    let selected = if has_ids { format!("SELECT *, rowid FROM {name}") } else { format!("SELECT * FROM {name}") };
    let mut changes: Vec<Change> = Vec::new();
    {
        let mut statement = connection.prepare(&selected)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let is_subject = namings.iter().enumerate().any(|(column, naming)| {
                matches!(naming, Naming::Key | Naming::Parts)
                    && row.get_ref(column).is_ok_and(|cell| needles.is_subject(*naming, &text_of(cell)))
            });
            let key = || -> rusqlite::Result<Vec<Value>> {
                if has_ids { Ok(vec![row.get(columns.len())?]) } else { (0..columns.len()).map(|column| row.get(column)).collect() }
            };
            if is_subject {
                tally.rows += 1;
                for (column, _) in namings.iter().enumerate().filter(|(_, naming)| naming.may_tell()) {
                    tally.telling.insert(String::from_utf8_lossy(&text_of(row.get_ref(column)?)).trim().to_owned());
                }
                changes.push((key()?, None));
                continue;
            }
            let mut cells = Vec::new();
            for column in 0..columns.len() {
                let cell = row.get_ref(column)?;
                let (ValueRef::Text(bytes) | ValueRef::Blob(bytes)) = cell else { continue };
                let Some((clean, mentions)) = needles.without(bytes) else { continue };
                tally.mentions += mentions;
                let is_text = matches!(cell, ValueRef::Text(_));
                let clean = if is_text { Value::Text(String::from_utf8_lossy(&clean).into_owned()) } else { Value::Blob(clean) };
                cells.push((column, clean));
            }
            if !cells.is_empty() {
                changes.push((key()?, Some(cells)));
            }
        }
    }
    if !write {
        return Ok(());
    }
    let place = if has_ids {
        "rowid IS ?".to_owned()
    } else {
        columns.iter().map(|column| format!("{} IS ?", quoted(column))).collect::<Vec<_>>().join(" AND ")
    };
    let delete = format!("DELETE FROM {name} WHERE {place}");
    for (key, cells) in changes {
        let done = match &cells {
            None => connection.execute(&delete, rusqlite::params_from_iter(&key)).map(|_| ()),
            Some(cells) => {
                let set = cells.iter().map(|(column, _)| format!("{} = ?", quoted(&columns[*column]))).collect::<Vec<_>>().join(", ");
                let values = cells.iter().map(|(_, value)| value.clone()).chain(key.iter().cloned());
                connection.execute(&format!("UPDATE {name} SET {set} WHERE {place}"), rusqlite::params_from_iter(values)).map(|_| ())
            }
        };
        match done {
            // Two rows that differed in the subject only would become one.
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation) => {
                connection.execute(&delete, rusqlite::params_from_iter(&key))?;
            }
            other => other?,
        }
    }
    Ok(())
}

fn text_of(cell: ValueRef<'_>) -> Vec<u8> {
    match cell {
        ValueRef::Null => Vec::new(),
        ValueRef::Integer(number) => number.to_string().into_bytes(),
        ValueRef::Real(number) => crate::cell::real_text(number).into_bytes(),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needles::tests::needles;

    #[test]
    fn nothing_of_the_subject_stays_in_the_file_or_its_log() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("t.db");
        let connection = Connection::open(&path).expect("opened");
        connection
            .execute_batch(
                "PRAGMA journal_mode = WAL;
                 CREATE TABLE sales (customer_id TEXT, units INTEGER);
                 INSERT INTO sales VALUES ('C17', 1), ('C18', 2);
                 CREATE TABLE tags (run TEXT, key TEXT, value TEXT, PRIMARY KEY (run, key)) WITHOUT ROWID;
                 INSERT INTO tags VALUES ('r', 'about C17', 'x'), ('r', 'about [erased]', 'y'), ('r', 'k', 'series n/C17');",
            )
            .expect("written");
        drop(connection);
        let found = look(&path, &needles("C17")).expect("read");
        assert_eq!((found.rows, found.mentions), (1, 2));
        let erased = erase(&path, &needles("C17"), |_| Ok(())).expect("written");
        assert_eq!(erased, found);
        assert!(look(&path, &needles("C17")).expect("read").is_clean());
        for file in std::iter::once(path.clone()).chain(companions(&path)) {
            let bytes = std::fs::read(&file).unwrap_or_default();
            assert!(!needles("C17").may_be_in(&bytes), "{}", file.display());
        }
        let connection = Connection::open(&path).expect("opened");
        let tags: Vec<String> = connection
            .prepare("SELECT key || '=' || value FROM tags ORDER BY key")
            .and_then(|mut statement| statement.query_map([], |row| row.get(0))?.collect())
            .expect("read");
        assert_eq!(tags, ["about [erased]=y", "k=series n/[erased]"]);
    }
}
