//! Why a source could not be landed, and what the user can do about it.
//!
//! Every text from a driver or a server has gone through a [`crate::Scrubber`] before it is put into one of these.

use std::io;

use almanac_series::Hint;

use crate::landing::LandingError;
use crate::secret::SecretError;

/// Why a table could not be landed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// A secret is missing.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The landing place cannot be used.
    #[error(transparent)]
    Landing(#[from] LandingError),
    /// A landed file cannot be written.
    #[error("failed to write `{file}`")]
    Write {
        /// The file.
        file: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The URL is none of a source.
    #[error("`{url}` cannot be read: {reason}")]
    BadUrl {
        /// As written.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Nobody answers.
    #[error("`{url}` cannot be reached: {reason}")]
    Unreachable {
        /// As written.
        url: String,
        /// What was tried and failed.
        reason: String,
    },
    /// The source knows neither user nor password, or forbids what was asked.
    #[error("`{url}` refuses access: {reason}")]
    Denied {
        /// As written.
        url: String,
        /// What it says.
        reason: String,
    },
    /// Nothing says who asks: the store was reached only by asking the machine for a role, which it has not.
    #[error("`{url}` cannot be read: there are no credentials for it")]
    NoCredentials {
        /// As written.
        url: String,
    },
    /// The table, bucket, object or page is not there.
    #[error("`{url}` has no `{what}`: {reason}")]
    Missing {
        /// As written.
        url: String,
        /// What was asked for.
        what: String,
        /// What it says.
        reason: String,
    },
    /// The source understood and refuses, or answers with something that makes no sense.
    #[error("`{url}` cannot answer: {reason}")]
    Refused {
        /// As written.
        url: String,
        /// What it says.
        reason: String,
    },
    /// The connection was lost in the middle.
    #[error("the connection to `{url}` was lost after {rows} rows: {reason}")]
    Lost {
        /// As written.
        url: String,
        /// Rows that had come; none of them was kept.
        rows: u64,
        /// What was seen.
        reason: String,
    },
    /// The source is there and says nothing.
    #[error("`{url}` said nothing for {seconds} s, after {rows} rows")]
    Silent {
        /// As written.
        url: String,
        /// Rows that had come; none of them was kept.
        rows: u64,
        /// How long it was waited for.
        seconds: f64,
    },
    /// The source gave no rows at all.
    #[error("`{url}` has no rows for the table `{table}`")]
    Empty {
        /// As written.
        url: String,
        /// The table.
        table: String,
    },
    /// A column has a type that no table here can hold.
    #[error("column `{column}` of table `{table}` is `{kind}`, which cannot be read")]
    Type {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The type in the source.
        kind: String,
    },
    /// A value does not fit the type of its column.
    #[error("column `{column}` of table `{table}`, row {row}: {reason}")]
    Value {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The row, from 1, in the order in which they came.
        row: u64,
        /// What is wrong.
        reason: String,
    },
    /// A column that was asked for by name does not come.
    #[error("`{key}` names the column `{column}`, which table `{table}` does not have; it has {known}")]
    NoColumn {
        /// The table.
        table: String,
        /// The key of the configuration.
        key: &'static str,
        /// The column.
        column: String,
        /// Those there are.
        known: String,
    },
    /// Two columns of a query have the same name.
    #[error("the query of table `{table}` gives two columns `{column}`")]
    TwiceNamed {
        /// The table.
        table: String,
        /// The name.
        column: String,
    },
    /// A watermark's column cannot be one.
    #[error("column `{column}` of table `{table}` is {kind}, and a watermark is a whole number, a date or a timestamp")]
    Watermark {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Its kind.
        kind: String,
    },
    /// A column changed its type so that rows of before and now do not fit in one.
    #[error("column `{column}` of table `{table}` was {before} and is now {now} ({from})")]
    Retyped {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Its kind in what has landed.
        before: &'static str,
        /// Its kind now.
        now: &'static str,
        /// The source's name of the type.
        from: String,
    },
    /// A page is larger than allowed, or there are more of them.
    #[error("`{url}` sent more than {limit}")]
    TooMuch {
        /// As written.
        url: String,
        /// What is allowed: `256 MiB in one page`.
        limit: String,
    },
    /// Paging comes back to where it was.
    #[error("the pages of `{url}` go round in a circle: page {page} leads back to one that was read")]
    Circle {
        /// As written.
        url: String,
        /// Pages read.
        page: u64,
    },
    /// A schema file of messages cannot be used.
    #[error("`{}` is no schema that can be used: {reason}", path.display())]
    Schema {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The messages that were to be read next are gone.
    #[error("`{url}`, partition {partition}: message {wanted} was to be read next, but there are only {first} to {last}")]
    Gap {
        /// As written.
        url: String,
        /// The partition.
        partition: i32,
        /// The offset.
        wanted: i64,
        /// The first offset that is there.
        first: i64,
        /// The one after the last.
        last: i64,
    },
    /// Kafka, in a program without it.
    #[error("`{url}` cannot be read: this program is built without Kafka")]
    NoKafka {
        /// As written.
        url: String,
    },
    /// Known, but not read yet.
    #[error("{what} is not read yet")]
    NotYet {
        /// What.
        what: &'static str,
        /// What can be done instead.
        instead: &'static str,
    },
    /// Rows landed under a policy for personal columns from which the present one cannot be made.
    #[error("{} of table `{table}` landed hidden in another way than `[privacy]` now asks for", columns.join(", "))]
    Policy {
        /// The table.
        table: String,
        /// The columns, in backticks.
        columns: Vec<String>,
    },
    /// An object is in no format in which personal columns can be found.
    #[error("the personal columns of `{place}` cannot be hidden")]
    Hide {
        /// The object or file.
        place: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Nothing has landed, and nothing may be fetched.
    #[error("nothing of table `{table}` has landed yet")]
    Offline {
        /// The table.
        table: String,
    },
}

impl Hint for ConnectError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Secret(error) => return error.hint(),
            Self::Landing(error) => return error.hint(),
            Self::Write { .. } => "look at the free space of the disk, then run again: nothing of this load was kept".into(),
            Self::BadUrl { .. } => {
                "known are postgresql://, mysql://, mariadb://, sqlite:, delta:, s3://, gs://, az://, abfss://, http:// and https://".into()
            }
            Self::Unreachable { .. } => "check host, port and network; `almanac run --offline` works with what has landed before".into(),
            Self::Denied { .. } => "check the user and the variable or file that holds the password or token".into(),
            Self::NoCredentials { url } => {
                let names = match url.split_once("://").map(|(scheme, _)| scheme) {
                    Some("gs") => "GOOGLE_SERVICE_ACCOUNT (the file of a service account)",
                    Some("s3") => "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
                    _ => "AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY",
                };
                format!("set {names} in the environment; what everybody may read needs `anonymous = true` in [data.tables]")
            }
            Self::Missing { .. } => "check the name in `almanac.toml`, and that the user may see it".into(),
            Self::Refused { .. } => return None,
            Self::Lost { .. } => "run again: nothing of this load was kept, what had landed before is untouched".into(),
            Self::Silent { .. } => {
                "look whether it is busy or waits for a lock; a query that needs longer gets more with `timeout = \"30m\"`".into()
            }
            Self::Empty { .. } => {
                "check `where` or the query; what landed before is untouched, and `almanac run --offline` works with it".into()
            }
            Self::Type { column, .. } => {
                format!(
                    "leave it out with `columns = [...]`, or turn it into text in a `query`, such as encode({column}, 'hex') or hex({column})"
                )
            }
            Self::Value { column, .. } => {
                format!("turn it into something that fits in a `query`, such as CAST({column} AS CHAR), or leave it out with `columns`")
            }
            Self::NoColumn { .. } => "name one that is there, or correct the table or query".into(),
            Self::TwiceNamed { .. } => "give one of them another name with AS".into(),
            Self::Watermark { .. } => "choose another column, or leave `watermark` out: the table is then loaded whole each time".into(),
            Self::Retyped { table, column, .. } => format!(
                "if the change is meant, load the table anew with `almanac run --reload {table}`; if not, turn `{column}` back with a CAST in a `query`"
            ),
            Self::TooMuch { .. } => "ask for smaller pages with `limit`, or raise `max_page_mb` or `max_pages`".into(),
            Self::Circle { .. } => "check `paging` and its keys against the service's documentation".into(),
            Self::Schema { .. } => "give the file with the schema that the producer writes with, and for Protobuf the `message`".into(),
            Self::Gap { .. } => {
                "they were deleted before they were read, or the topic was made anew: `on_gap = \"skip\"` goes on from the first that is there"
                    .into()
            }
            Self::NoKafka { .. } => "build it with Kafka: `cargo build --release -p almanac --features kafka`".into(),
            Self::NotYet { instead, .. } => (*instead).into(),
            Self::Policy { table, .. } => format!(
                "what was hidden cannot be shown again: fetch the table anew with `almanac run --reload {table}`, or put policy and key back"
            ),
            Self::Hide { .. } => "nothing of the load was kept; correct the file where it comes from, or leave it out".into(),
            Self::Offline { .. } => "run `almanac run` without `--offline`, which fetches it".into(),
        })
    }
}

impl ConnectError {
    /// Whether trying again may help.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Lost { .. })
    }
}
