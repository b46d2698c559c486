//! The tables and their versions: making them, and bringing older ones up to date.
//!
//! One text for both databases, `schema/*.sql`, with three words that are replaced: `{id}` is a key that counts up, `{int}` 64
//! bits, `{real}` a double; `{clustered}` keeps the rows of SQLite in the order of their key.
//!
//! Version 1 knew SQLite only; version 2 holds all that MLflow knows; version 3 adds the history of validations.
//!
//! Not here: SQL that uses the tables (`store`).

use std::path::Path;

use rusqlite::Connection;

use super::sqlite::told;
use super::{Session, args};
use crate::StoreError;

/// Version of the tables that this program writes.
pub const SCHEMA_VERSION: i64 = 3;

/// The tables of version 2, one file per family. Never changed once released; a new version is a new step.
const TABLES: [&str; 6] = [
    include_str!("../schema/runs.sql"),
    include_str!("../schema/logged_models.sql"),
    include_str!("../schema/registry.sql"),
    include_str!("../schema/traces.sql"),
    include_str!("../schema/access.sql"),
    include_str!("../schema/optuna.sql"),
];

/// What version 3 adds.
const ADDED_BY_V3: &str = include_str!("../schema/validations.sql");

/// What one database has for itself: how metrics come in.
const SQLITE_ONLY: &str = include_str!("../schema/sqlite_only.sql");
const POSTGRES_ONLY: &str = include_str!("../schema/postgres_only.sql");

/// Takes the tables of version 1 over, once those of version 2 are there. `old_*` are the tables of version 1.
const FROM_V1: &str = include_str!("../schema/from_v1.sql");

/// Names of the tables of version 1.
const V1_TABLES: [&str; 8] = ["experiments", "runs", "params", "metrics", "tags", "registered_models", "model_versions", "model_aliases"];

/// Marks the file as ours: `Alma` in ASCII.
const APPLICATION_ID: i64 = 0x416c_6d61;
/// Number of the advisory lock under which programs migrate one after the other.
const MIGRATION_LOCK: i64 = APPLICATION_ID;

/// The tables of version 2 and those added since, or only the latter.
fn tables(only_added: bool, id: &str, int: &str, real: &str, clustered: &str) -> String {
    let text = if only_added { ADDED_BY_V3.to_owned() } else { format!("{}\n{ADDED_BY_V3}", TABLES.join("\n")) };
    text.replace("{id}", id).replace("{int}", int).replace("{real}", real).replace("{clustered}", clustered)
}

/// Returns the names of all tables of a store.
pub fn table_names() -> Vec<String> {
    let text = format!("{}\n{POSTGRES_ONLY}\nCREATE TABLE almanac_schema (", tables(false, "", "", "", ""));
    let made = text.split("CREATE TABLE ").skip(1);
    made.filter_map(|rest| rest.split([' ', '(']).find(|word| !word.is_empty() && !["IF", "NOT", "EXISTS"].contains(word)))
        .map(str::to_owned)
        .collect()
}

/// Refuses a file that is not ours, before anything is written to it.
pub(crate) fn check_sqlite(connection: &Connection, path: &Path) -> Result<(), StoreError> {
    let location = path.display().to_string();
    let number = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(|error| told(path, error));
    let (owner, found) = (number("PRAGMA application_id")?, number("PRAGMA user_version")?);
    if owner != APPLICATION_ID && number("SELECT count(*) FROM sqlite_master")? > 0 {
        let of_mlflow = number("SELECT count(*) FROM sqlite_master WHERE name IN ('alembic_version', 'experiments', 'runs')")? == 3;
        return Err(if of_mlflow { StoreError::OfMlflow { location } } else { StoreError::NotOurs { location } });
    }
    if found > SCHEMA_VERSION { Err(StoreError::NewerSchema { location, found, known: SCHEMA_VERSION }) } else { Ok(()) }
}

/// Brings a file up to date in one transaction. Foreign keys are off while it runs.
pub(crate) fn migrate_sqlite(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let fail = |error| told(path, error);
    let version = |connection: &Connection| connection.query_row("PRAGMA user_version", [], |row| row.get::<_, i64>(0)).map_err(fail);
    if version(connection)? == SCHEMA_VERSION {
        return Ok(());
    }
    connection.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON").map_err(fail)?;
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(fail)?;
    // Another program may have been faster.
    let found = version(&transaction)?;
    if found < SCHEMA_VERSION {
        if found == 1 {
            transaction.execute_batch("DROP INDEX IF EXISTS runs_newest").map_err(fail)?;
            for table in V1_TABLES {
                transaction.execute_batch(&format!("ALTER TABLE {table} RENAME TO old_{table}")).map_err(fail)?;
            }
        }
        let made = tables(found == 2, "INTEGER PRIMARY KEY AUTOINCREMENT", "INTEGER", "REAL", "WITHOUT ROWID");
        transaction.execute_batch(&made).map_err(fail)?;
        if found < 2 {
            transaction.execute_batch(SQLITE_ONLY).map_err(fail)?;
        }
        if found == 1 {
            transaction.execute_batch(FROM_V1).map_err(fail)?;
            for table in V1_TABLES.iter().rev() {
                transaction.execute_batch(&format!("DROP TABLE old_{table}")).map_err(fail)?;
            }
        }
        let mark = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {SCHEMA_VERSION};");
        transaction.execute_batch(&mark).map_err(fail)?;
    }
    transaction.commit().map_err(fail)
}

/// Brings a database up to date in the open transaction.
pub(crate) fn migrate_postgres(session: &mut dyn Session, location: &str) -> Result<(), StoreError> {
    session.query(&format!("SELECT 1 FROM (SELECT pg_advisory_xact_lock({MIGRATION_LOCK})) AS locked"), args![], &mut |_| Ok(()))?;
    let exists = |session: &mut dyn Session, table: &str| {
        let sql = "SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema() AND table_name = ?1";
        session.first(sql, args![table], |row| row.int(0)).map(|count| count == Some(1))
    };
    if exists(session, "almanac_schema")? {
        let found = session.first("SELECT version FROM almanac_schema", args![], |row| row.int(0))?.unwrap_or_default();
        return match found {
            SCHEMA_VERSION => Ok(()),
            2 => {
                session.execute(&postgres_tables(true), args![])?;
                session.execute("UPDATE almanac_schema SET version = ?1", args![SCHEMA_VERSION])?;
                Ok(())
            }
            _ => Err(StoreError::NewerSchema { location: location.to_owned(), found, known: SCHEMA_VERSION }),
        };
    }
    if exists(session, "experiments")? {
        let location = location.to_owned();
        let of_mlflow = exists(session, "alembic_version")?;
        return Err(if of_mlflow { StoreError::OfMlflow { location } } else { StoreError::NotOurs { location } });
    }
    session.execute(&postgres_tables(false), args![])?;
    session.execute(POSTGRES_ONLY, args![])?;
    session.execute("CREATE TABLE almanac_schema (version BIGINT NOT NULL)", args![])?;
    session.execute("INSERT INTO almanac_schema (version) VALUES (?1)", args![SCHEMA_VERSION])?;
    Ok(())
}

fn postgres_tables(only_added: bool) -> String {
    let id = "BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY";
    // Texts are ordered and compared by their bytes, as in SQLite, whatever the language of the database.
    tables(only_added, id, "BIGINT", "DOUBLE PRECISION", "").replace("TEXT", "TEXT COLLATE \"C\"")
}
