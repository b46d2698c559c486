//! Tables and queries of databases, streamed into one typed file.
//!
//! The database does what it can: columns, conditions and the watermark go into the SELECT. Rows come one by one from one
//! read-only snapshot, so that a table that is written to meanwhile lands as it was at one moment.
//!
//! Not here: the wire of each database (`postgres`, `mysql`, `sqlite`), the file (`rows`).

mod mysql;
mod postgres;
mod sqlite;
mod time;

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::time::Duration;

use almanac_privacy::Redaction;
use futures::{Stream, TryStreamExt};

use crate::error::ConnectError;
use crate::landing::{LandedColumn, LandedKind, Mark, StagedFile, Watermark};
use crate::rows::{Cell, RowWriter, Written};
use crate::secret::{Filled, Scrubber};
use crate::spec::{Ask, DatabaseSpec, Lookback};

/// A database may take so long to answer at first.
const CONNECT: Duration = Duration::from_secs(30);
/// The end of a connection is waited for so long.
const GOODBYE: Duration = Duration::from_secs(5);
/// Most columns of a table.
const MAX_COLUMNS: usize = 4096;

/// What is fetched, and for which table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request<'a> {
    pub(crate) table: &'a str,
    pub(crate) spec: &'a DatabaseSpec,
    pub(crate) url: &'a Filled,
    pub(crate) scrubber: &'a Scrubber,
    /// Where relative paths start.
    pub(crate) root: &'a std::path::Path,
    /// The greatest watermark that has landed.
    pub(crate) after: Option<Mark>,
    /// What becomes of personal columns.
    pub(crate) redaction: &'a Redaction,
}

/// What came.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) written: Written,
    pub(crate) columns: Vec<LandedColumn>,
    pub(crate) watermark: Option<Watermark>,
    /// Personal columns of the source.
    pub(crate) found: BTreeSet<String>,
}

/// Fetches into a file.
pub(crate) async fn fetch(request: Request<'_>, file: &StagedFile) -> Result<Fetched, ConnectError> {
    match request.scheme().as_str() {
        "postgresql" | "postgres" => postgres::fetch(request, file).await,
        "mysql" | "mariadb" => mysql::fetch(request, file).await,
        "sqlite" => sqlite::fetch(request, file),
        _ => Err(request.bad_url("it is no database that is known")),
    }
}

/// Connects, and looks whether what is asked for is there.
pub(crate) async fn probe(request: Request<'_>) -> Result<(), ConnectError> {
    match request.scheme().as_str() {
        "postgresql" | "postgres" => postgres::probe(request).await,
        "mysql" | "mariadb" => mysql::probe(request).await,
        "sqlite" => sqlite::probe(request),
        _ => Err(request.bad_url("it is no database that is known")),
    }
}

/// How a database quotes names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quotes {
    Double,
    Backtick,
}

impl Quotes {
    fn name(self, name: &str) -> String {
        match self {
            Self::Double => format!("\"{}\"", name.replace('"', "\"\"")),
            Self::Backtick => format!("`{}`", name.replace('`', "``")),
        }
    }
}

impl Request<'_> {
    fn scheme(&self) -> String {
        self.url.text.expose().split_once(':').map_or("", |(scheme, _)| scheme).to_ascii_lowercase()
    }

    /// The URL as written, for messages.
    fn shown(&self) -> String {
        self.spec.url.as_written().to_owned()
    }

    fn bad_url(&self, reason: impl ToString) -> ConnectError {
        ConnectError::BadUrl { url: self.shown(), reason: self.scrubber.scrub(&reason.to_string()) }
    }

    fn unreachable(&self, reason: impl ToString) -> ConnectError {
        ConnectError::Unreachable { url: self.shown(), reason: self.scrubber.scrub(&reason.to_string()) }
    }

    /// The SELECT as the user means it, without the watermark.
    fn base(&self, quotes: Quotes) -> String {
        match &self.spec.ask {
            Ask::Query(query) => query.clone(),
            Ask::Table { table, columns, filter } => {
                let table: Vec<String> = table.split('.').map(|part| quotes.name(part)).collect();
                let columns: Vec<String> = columns.iter().map(|column| quotes.name(column)).collect();
                let columns = if columns.is_empty() { "*".to_owned() } else { columns.join(", ") };
                // The condition may end in a comment.
                let filter = filter.as_ref().map_or(String::new(), |filter| format!(" WHERE (\n{filter}\n)"));
                format!("SELECT {columns} FROM {}{filter}", table.join("."))
            }
        }
    }

    /// The SELECT that is run: each column as its reader wants it, of what is after the watermark.
    fn select(
        &self,
        quotes: Quotes,
        columns: &[LandedColumn],
        expression: impl Fn(usize, &str) -> String,
        literal: impl Fn(Mark, &LandedColumn) -> String,
    ) -> String {
        let expressions: Vec<String> =
            columns.iter().enumerate().map(|(place, column)| expression(place, &quotes.name(&column.name))).collect();
        let condition = self.watermark_column(columns).and_then(|place| Some((&columns[place], self.from()?))).map(|(column, from)| {
            let (name, literal) = (quotes.name(&column.name), literal(from, column));
            let after = if self.has_key() { format!(">= {literal} OR q.{name} IS NULL") } else { format!("> {literal}") };
            format!("\nWHERE q.{name} {after}")
        });
        format!("SELECT {} FROM (\n{}\n) AS q{}", expressions.join(", "), self.base(quotes), condition.unwrap_or_default())
    }

    /// Waits for a connection.
    async fn open<C>(&self, connecting: impl Future<Output = Result<C, sqlx::Error>>) -> Result<C, ConnectError> {
        let longest = CONNECT.min(self.spec.timeout);
        match tokio::time::timeout(longest, connecting).await {
            Ok(connected) => connected.map_err(|error| self.failed(Moment::Connecting, &error)),
            Err(_) => Err(self.unreachable(format!("no answer within {} s", longest.as_secs_f32()))),
        }
    }

    /// Waits for an answer, no longer than the database may be silent.
    async fn within<T>(&self, moment: Moment, answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, ConnectError> {
        let Ok(answer) = tokio::time::timeout(self.spec.timeout, answer).await else {
            let rows = if let Moment::Reading(rows) = moment { rows } else { 0 };
            return Err(ConnectError::Silent { url: self.shown(), rows, seconds: self.spec.timeout.as_secs_f64() });
        };
        answer.map_err(|error| self.failed(moment, &error))
    }

    /// Takes rows one by one until there are no more, or one ends it.
    async fn each_row<R, B>(
        &self,
        sink: &mut Sink<'_>,
        mut rows: impl Stream<Item = Result<R, sqlx::Error>> + Unpin,
        mut take: impl FnMut(&mut Sink<'_>, &R) -> Result<ControlFlow<B>, ConnectError>,
    ) -> Result<Option<B>, ConnectError> {
        loop {
            let read = sink.rows.rows();
            let moment = if read == 0 { Moment::Asking } else { Moment::Reading(read) };
            let Some(row) = self.within(moment, rows.try_next()).await? else { return Ok(None) };
            if let ControlFlow::Break(why) = take(sink, &row)? {
                return Ok(Some(why));
            }
        }
    }

    /// Checks what came of looking at the columns.
    fn check_columns(&self, columns: &[LandedColumn]) -> Result<(), ConnectError> {
        let table = || self.table.to_owned();
        let named =
            self.spec.key.iter().map(|column| ("key", column)).chain(self.spec.watermark.iter().map(|column| ("watermark", column)));
        for (key, column) in named {
            if !columns.iter().any(|known| known.name == *column) {
                let known: Vec<&str> = columns.iter().map(|column| column.name.as_str()).take(40).collect();
                return Err(ConnectError::NoColumn { table: table(), key, column: column.clone(), known: known.join(", ") });
            }
        }
        for (place, column) in columns.iter().enumerate() {
            if columns[..place].iter().any(|known| known.name == column.name) {
                return Err(ConnectError::TwiceNamed { table: table(), column: column.name.clone() });
            }
        }
        if columns.is_empty() || columns.len() > MAX_COLUMNS {
            let reason = format!("it has {} columns, 1 to {MAX_COLUMNS} can be read", columns.len());
            return Err(ConnectError::Refused { url: self.shown(), reason });
        }
        if let Some(column) = self.watermark_column(columns)
            && !matches!(columns[column].kind, LandedKind::Integer | LandedKind::Timestamp | LandedKind::Date)
        {
            let found = &columns[column];
            let kind = format!("{} ({})", found.kind.name(), found.from);
            return Err(ConnectError::Watermark { table: table(), column: found.name.clone(), kind });
        }
        Ok(())
    }

    fn watermark_column(&self, columns: &[LandedColumn]) -> Option<usize> {
        let name = self.spec.watermark.as_ref()?;
        columns.iter().position(|column| column.name == *name)
    }

    /// Where this load begins: the last watermark, less what is looked back.
    fn from(&self) -> Option<Mark> {
        self.after.map(|mark| less(mark, self.spec.lookback))
    }

    /// Whether rows at the very place of the last watermark are fetched again: with a key they do no harm, and bring those that
    /// were committed later with the same value.
    fn has_key(&self) -> bool {
        !self.spec.key.is_empty()
    }
}

/// Writes a mark as SQL and services read it.
pub(crate) fn mark_text(mark: Mark, separator: char) -> String {
    time::mark(mark, separator)
}

/// Reads a mark of a JSON value: a whole number, a date, or an instant.
pub(crate) fn read_mark(value: &serde_json::Value) -> Option<Mark> {
    match value {
        serde_json::Value::Number(number) => number.as_i64().map(Mark::Integer),
        serde_json::Value::String(text) => time::date(text).map(Mark::Date).or_else(|| time::timestamp(text).map(Mark::Timestamp)),
        _ => None,
    }
}

/// A mark, less what is looked back.
pub(crate) fn less(mark: Mark, lookback: Lookback) -> Mark {
    let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    match (mark, lookback) {
        (Mark::Integer(last), Lookback::Number(back)) => Mark::Integer(last.saturating_sub(back)),
        (Mark::Timestamp(last), Lookback::Time(back)) => Mark::Timestamp(last.saturating_sub(micros(back))),
        (Mark::Date(last), Lookback::Time(back)) => {
            Mark::Date(last.saturating_sub(i32::try_from(back.as_secs().div_ceil(86_400)).unwrap_or(i32::MAX)))
        }
        // A number as a time back, of days where days are meant.
        (Mark::Date(last), Lookback::Number(back)) => Mark::Date(last.saturating_sub(i32::try_from(back).unwrap_or(i32::MAX))),
        (mark, _) => mark,
    }
}

/// Ends a connection. What was asked of it is here: how it ends does not matter.
async fn close(connection: impl sqlx::Connection) {
    let _ = tokio::time::timeout(GOODBYE, connection.close()).await;
}

/// Takes rows, remembers the greatest watermark.
#[derive(Debug)]
struct Sink<'a> {
    request: Request<'a>,
    rows: RowWriter,
    columns: Vec<LandedColumn>,
    watermark: Option<usize>,
    greatest: Option<Mark>,
    without_mark: u64,
}

impl<'a> Sink<'a> {
    fn new(request: Request<'a>, file: &StagedFile, columns: Vec<LandedColumn>) -> Result<Self, ConnectError> {
        let rows = RowWriter::new(file.path(), columns.clone(), request.redaction)?;
        let watermark = request.watermark_column(&columns);
        Ok(Self { request, rows, columns, watermark, greatest: None, without_mark: 0 })
    }

    fn value(&mut self, column: usize, cell: Cell<'_>) -> Result<(), ConnectError> {
        if self.watermark == Some(column) {
            let mark = match cell {
                Cell::Integer(value) => Some(Mark::Integer(value)),
                Cell::Timestamp(value) => Some(Mark::Timestamp(value)),
                Cell::Date(value) => Some(Mark::Date(value)),
                _ => None,
            };
            self.without_mark += u64::from(mark.is_none());
            self.greatest = self.greatest.max(mark);
        }
        if self.rows.push(column, cell) {
            return Ok(());
        }
        Err(self.misfit(column, format!("`{cell:?}` is no {}", self.columns[column].kind.name())))
    }

    /// A value that cannot be taken, and why, if it may be told.
    fn misfit(&self, column: usize, reason: impl Into<String>) -> ConnectError {
        let reason = if self.rows.is_open(column) { reason.into() } else { "a value does not fit (not shown: it is personal)".to_owned() };
        let (table, column) = (self.request.table.to_owned(), self.columns[column].name.clone());
        ConnectError::Value { table, column, row: self.rows.rows() + 1, reason }
    }

    fn finish(self) -> Result<Fetched, ConnectError> {
        let (columns, found) = (self.rows.kept(), self.rows.found());
        let mut written = self.rows.finish()?;
        if self.without_mark > 0 && !self.request.has_key() {
            let column = self.request.spec.watermark.as_deref().unwrap_or_default();
            written.notes.push(format!(
                "{} rows have no `{column}`: rows like them that come later are not seen (with `key` they would be)",
                self.without_mark
            ));
        }
        let from = self.request.from();
        let watermark =
            self.request.spec.watermark.clone().map(|column| Watermark { column, from, to: self.greatest.max(self.request.after) });
        Ok(Fetched { written, columns, watermark, found })
    }
}

/// What a driver's error means, by the database's code and the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Connecting,
    Asking,
    Reading(u64),
}

impl Request<'_> {
    /// What a database says of values, which it quotes; of a table with personal columns nobody knows whose they are.
    fn without_values(&self, said: &str) -> String {
        if self.redaction.is_empty() {
            return said.to_owned();
        }
        let mut told = String::new();
        let mut within: Option<char> = None;
        for c in said.chars() {
            match within {
                Some(end) if c == end => {
                    within = None;
                    told.push('…');
                    told.push(c);
                }
                Some(_) => {}
                None => {
                    told.push(c);
                    within = Some(c).filter(|c| matches!(c, '"' | '\'' | '`'));
                }
            }
        }
        told
    }

    fn failed(&self, moment: Moment, error: &sqlx::Error) -> ConnectError {
        let url = self.shown();
        let reason = self.scrubber.scrub(&chain(error));
        match error {
            sqlx::Error::Database(said) => {
                let code = said.code().unwrap_or_default().into_owned();
                let number = said.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>().map(|error| error.number());
                let reason = match said.try_downcast_ref::<sqlx::postgres::PgDatabaseError>().and_then(|error| error.hint()) {
                    Some(hint) => self.scrubber.scrub(&format!("{}; {hint}", said.message())),
                    None => self.scrubber.scrub(said.message()),
                };
                let what = match &self.spec.ask {
                    Ask::Table { table, .. } => table.clone(),
                    Ask::Query(_) => "what the query asks for".to_owned(),
                };
                match (code.as_str(), number) {
                    ("28P01" | "28000" | "42501", _) | (_, Some(1044 | 1045 | 1142 | 1143 | 1698)) => ConnectError::Denied { url, reason },
                    ("3D000", _) | (_, Some(1049)) => ConnectError::Missing { url, what: "database".into(), reason },
                    ("42P01" | "42703" | "3F000", _) | (_, Some(1054 | 1146)) => ConnectError::Missing { url, what, reason },
                    // Shut down, crashed, too many connections, not ready, killed, or a snapshot that a standby cannot keep.
                    ("57P01" | "57P02" | "57P03" | "53300" | "40001" | "40P01", _) | (_, Some(1040 | 1053 | 1205 | 1213 | 1317)) => {
                        match moment {
                            Moment::Reading(rows) => ConnectError::Lost { url, rows, reason },
                            _ => ConnectError::Unreachable { url, reason },
                        }
                    }
                    _ => ConnectError::Refused { url, reason: self.without_values(&reason) },
                }
            }
            sqlx::Error::Configuration(_) => ConnectError::BadUrl { url, reason },
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                ConnectError::Refused { url, reason: self.without_values(&reason) }
            }
            _ => match moment {
                Moment::Reading(rows) => ConnectError::Lost { url, rows, reason },
                Moment::Connecting | Moment::Asking => ConnectError::Unreachable { url, reason },
            },
        }
    }
}

/// An error and its causes in one line, each said once.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let said = next.to_string();
        if !text.contains(&said) {
            text = format!("{text}: {said}");
        }
        cause = next.source();
    }
    text
}
