//! A store of runs in PostgreSQL: rows of the subject go, texts that name it get a mark, and freed rows are cleared away.
//!
//! One transaction, as for SQLite; afterwards the tables are written anew (`VACUUM FULL`). What the server keeps of the past, its log
//! and backups, is its administrator's: nobody else reaches it.

use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};

use crate::beyond::{Beyond, Finder};
use crate::needles::{Naming, Needles};

/// A database of PostgreSQL with tables of ours.
#[derive(Clone)]
pub struct PostgresStore {
    /// With the password.
    pub url: String,
    /// Without it.
    pub shown: String,
    /// Tables that are ours; others in the same schema are somebody else's.
    pub tables: Vec<String>,
}

impl std::fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresStore").field("shown", &self.shown).finish_non_exhaustive()
    }
}

impl Beyond for PostgresStore {
    fn name(&self) -> String {
        format!("the database of runs, {}", self.shown)
    }

    fn look(&self, finder: &Finder<'_>) -> Result<u64, String> {
        self.wait(async |connection| {
            let mut transaction = connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
            let changes = self.changes(&mut transaction, finder.needles).await?;
            transaction.rollback().await?;
            Ok(changes.len() as u64)
        })
    }

    fn erase(&self, finder: &Finder<'_>) -> Result<(), String> {
        self.wait(async |connection| {
            connection.execute("SET lock_timeout = '30s'").await?;
            let mut transaction = connection.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ").await?;
            let changes = self.changes(&mut transaction, finder.needles).await?;
            for change in &changes {
                change.make(&mut transaction).await?;
            }
            transaction.commit().await?;
            // All of them: a call before this one may have been stopped here.
            for table in self.columns(connection).await?.into_iter().map(|table| table.name) {
                let sql = format!("VACUUM (FULL) {}", quoted(&table));
                connection.execute(AssertSqlSafe(sql)).await?;
            }
            Ok(())
        })
    }
}

/// A table with its columns: name, type, and whether its values are bytes.
struct Table {
    name: String,
    columns: Vec<(String, String)>,
}

/// A row that goes, or gets other values.
struct Change {
    table: String,
    place: String,
    cells: Option<Vec<(String, String, Clean)>>,
}

enum Clean {
    Text(String),
    Bytes(Vec<u8>),
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

impl PostgresStore {
    fn wait<T>(&self, work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>) -> Result<T, String> {
        let unreachable = |error: &dyn std::fmt::Display| {
            let said = error.to_string().replace(&self.url, &self.shown);
            format!("it cannot be searched or changed: {said}; when it can be reached, call `almanac erase` with the subject again")
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| unreachable(&error))?;
        let done = runtime.block_on(async {
            let options: PgConnectOptions = self.url.parse()?;
            let limit = std::time::Duration::from_secs(30);
            let opened = tokio::time::timeout(limit, PgConnection::connect_with(&options)).await;
            let mut connection = opened.map_err(|_| sqlx::Error::PoolTimedOut)??;
            let done = work(&mut connection).await;
            // A connection that does not close is closed by the server.
            let _ = connection.close().await;
            done
        });
        done.map_err(|error: sqlx::Error| match error.as_database_error() {
            // What the server says may quote a row.
            Some(said) => unreachable(&format!("the server refuses ({})", said.code().unwrap_or_default())),
            None => unreachable(&error),
        })
    }

    async fn columns(&self, connection: &mut PgConnection) -> Result<Vec<Table>, sqlx::Error> {
        let sql = "SELECT c.table_name::text, c.column_name::text, c.udt_name::text FROM information_schema.columns c \
             JOIN information_schema.tables t USING (table_schema, table_name) \
             WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' AND c.table_name = ANY($1) \
             ORDER BY c.table_name, c.ordinal_position";
        let rows = sqlx::query(sql).bind(&self.tables).fetch_all(connection).await?;
        let mut tables: Vec<Table> = Vec::new();
        for row in rows {
            let (name, column): (String, (String, String)) = (row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?));
            match tables.last_mut().filter(|table| table.name == name) {
                Some(table) => table.columns.push(column),
                None => tables.push(Table { name, columns: vec![column] }),
            }
        }
        Ok(tables)
    }

    async fn changes(&self, connection: &mut PgConnection, needles: &Needles) -> Result<Vec<Change>, sqlx::Error> {
        let mut changes = Vec::new();
        for table in self.columns(connection).await? {
            let is_text = |kind: &str| matches!(kind, "text" | "varchar" | "bpchar" | "json" | "jsonb" | "bytea" | "name");
            let meant: Vec<(&String, &String, Naming)> = table
                .columns
                .iter()
                .map(|(name, kind)| (name, kind, needles.naming(name)))
                .filter(|(_, kind, naming)| is_text(kind) || matches!(naming, Naming::Key | Naming::Parts))
                .collect();
            if meant.is_empty() {
                continue;
            }
            let cells = meant.iter().map(|(name, kind, _)| match kind.as_str() {
                "bytea" => quoted(name),
                _ => format!("{}::text", quoted(name)),
            });
            let sql = format!("SELECT ctid::text, {} FROM {}", cells.collect::<Vec<_>>().join(", "), quoted(&table.name));
            let mut rows = sqlx::query(AssertSqlSafe(sql)).fetch(&mut *connection);
            while let Some(row) = futures::TryStreamExt::try_next(&mut rows).await? {
                changes.extend(change(&table.name, &meant, &row, needles)?);
            }
        }
        Ok(changes)
    }
}

fn change(table: &str, meant: &[(&String, &String, Naming)], row: &PgRow, needles: &Needles) -> Result<Option<Change>, sqlx::Error> {
    let place = || row.try_get::<String, _>(0);
    let mut cells = Vec::new();
    for (at, (name, kind, naming)) in meant.iter().enumerate() {
        let is_bytes = kind.as_str() == "bytea";
        let bytes = if is_bytes {
            row.try_get::<Option<Vec<u8>>, _>(at + 1)?
        } else {
            row.try_get::<Option<String>, _>(at + 1)?.map(String::into_bytes)
        };
        let Some(bytes) = bytes else { continue };
        if needles.is_subject(*naming, &bytes) {
            return Ok(Some(Change { table: table.to_owned(), place: place()?, cells: None }));
        }
        let Some((clean, _)) = needles.without(&bytes) else { continue };
        let clean = if is_bytes { Clean::Bytes(clean) } else { Clean::Text(String::from_utf8_lossy(&clean).into_owned()) };
        cells.push(((*name).clone(), (*kind).clone(), clean));
    }
    if cells.is_empty() {
        return Ok(None);
    }
    Ok(Some(Change { table: table.to_owned(), place: place()?, cells: Some(cells) }))
}

impl Change {
    async fn make(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let Some(cells) = &self.cells else { return self.delete(connection).await };
        let set: Vec<String> =
            cells.iter().enumerate().map(|(at, (name, kind, _))| format!("{} = ${}::{}", quoted(name), at + 2, quoted(kind))).collect();
        let sql = format!("UPDATE {} SET {} WHERE ctid = $1::text::tid", quoted(&self.table), set.join(", "));
        let mut query = sqlx::query(AssertSqlSafe(sql)).bind(&self.place);
        for (_, _, clean) in cells {
            query = match clean {
                Clean::Text(text) => query.bind(text),
                Clean::Bytes(bytes) => query.bind(bytes),
            };
        }
        connection.execute("SAVEPOINT one").await?;
        match query.execute(&mut *connection).await {
            Ok(_) => connection.execute("RELEASE SAVEPOINT one").await.map(|_| ()),
            // Two rows that differed in the subject only would become one.
            Err(sqlx::Error::Database(said)) if said.is_unique_violation() => {
                connection.execute("ROLLBACK TO SAVEPOINT one").await?;
                self.delete(connection).await
            }
            Err(error) => Err(error),
        }
    }

    async fn delete(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        let sql = format!("DELETE FROM {} WHERE ctid = $1::text::tid", quoted(&self.table));
        sqlx::query(AssertSqlSafe(sql)).bind(&self.place).execute(connection).await.map(|_| ())
    }
}
