//! Why a table could not be brought in.

use std::io;
use std::path::PathBuf;

use almanac_series::Hint;

/// Most columns a table may have.
pub const MAX_COLUMNS: usize = 10_000;

/// Why sources could not be read into bronze.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// Nothing matches the path or pattern.
    #[error("no file matches `{pattern}`")]
    NoFile {
        /// The source as given, below the project folder.
        pattern: String,
    },
    /// A folder whose files are not simply the rows of its table.
    #[error("`{}` is {kind} table: its files hold rows that were removed from it, too", path.display())]
    Lake {
        /// The folder.
        path: PathBuf,
        /// `a Delta` or `an Iceberg`.
        kind: &'static str,
    },
    /// A pattern that is no glob.
    #[error("`{pattern}` is no valid pattern: {reason}")]
    BadPattern {
        /// The pattern.
        pattern: String,
        /// What the parser says.
        reason: String,
    },
    /// The operating system refused.
    #[error("failed to read `{}`", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The operating system refused.
    #[error("failed to write `{}`", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Not one byte.
    #[error("`{}` is empty", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A header and nothing below it.
    #[error("`{}` has a header but no row", path.display())]
    NoRows {
        /// The file.
        path: PathBuf,
    },
    /// An extension and content that no reader knows.
    #[error("`{}` is no table that can be read: {reason}", path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// What was seen.
        reason: String,
    },
    /// An encoding label that is not in the WHATWG list.
    #[error("encoding `{given}` is not known")]
    UnknownEncoding {
        /// The label.
        given: String,
    },
    /// More columns than a table may have.
    #[error("`{}` has {got} columns, at most {MAX_COLUMNS} are read", path.display())]
    TooManyColumns {
        /// The file.
        path: PathBuf,
        /// How many there are.
        got: usize,
    },
    /// Files of one table in different formats.
    #[error("table `{table}` mixes {first} and {second} files")]
    MixedFormats {
        /// The table.
        table: String,
        /// Format of the first file.
        first: &'static str,
        /// Another format.
        second: &'static str,
    },
    /// Rows with another number of cells than the header.
    #[error("`{}`: {bad} of {rows} rows do not have the {expected} cells of the header (first: row {row})", path.display())]
    Ragged {
        /// The file.
        path: PathBuf,
        /// How many.
        bad: u64,
        /// Of how many.
        rows: u64,
        /// Cells of the header.
        expected: usize,
        /// 1-based record of the first one; the header is record 1.
        row: u64,
    },
    /// A packed file that cannot be unpacked to its end.
    #[error("`{}` is damaged: {format}, byte {offset}: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How it is packed.
        format: &'static str,
        /// Where in the packed file it was noticed.
        offset: u64,
        /// What is wrong.
        reason: String,
    },
    /// A quote that is opened and never closed: all lines after it are one cell.
    #[error("`{}`: record {record} opens a quote that nothing closes", path.display())]
    OpenQuote {
        /// The file.
        path: PathBuf,
        /// The record, the header being the first.
        record: u64,
    },
    /// A record, row or value that is longer than anything sensible.
    #[error("`{}`: {what} is longer than {} MiB", path.display(), limit >> 20)]
    TooLong {
        /// The file.
        path: PathBuf,
        /// Which.
        what: String,
        /// Bytes that are allowed.
        limit: u64,
    },
    /// An archive that would fill the disk or the memory.
    #[error("`{}` is refused: {reason}", path.display())]
    Bomb {
        /// The archive or spreadsheet.
        path: PathBuf,
        /// What it would do.
        reason: String,
    },
    /// A member whose name leads out of the folder in which someone might unpack it.
    #[error("`{}` has a member with an unsafe name: `{member}`", path.display())]
    UnsafeMember {
        /// The archive.
        path: PathBuf,
        /// The name, escaped.
        member: String,
    },
    /// A file or member with a password.
    #[error("`{}` is protected by a password", path.display())]
    Encrypted {
        /// The file or member.
        path: PathBuf,
    },
    /// A member of an archive that cannot be read as a stream.
    #[error("`{}` is {what} inside an archive", path.display())]
    Nested {
        /// The member.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// What stands behind `!/` is not in the file.
    #[error("`{}` has no `{wanted}`", path.display())]
    NoPart {
        /// The file.
        path: PathBuf,
        /// A sheet, the name of a member, a JSON pointer.
        wanted: String,
        /// What there is.
        there: Vec<String>,
        /// The nearest of it.
        near: Option<String>,
    },
    /// A spreadsheet that cannot be decoded.
    #[error("`{}` is not a sound spreadsheet: {reason}", path.display())]
    BadSheet {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        reason: String,
    },
    /// Rows of a sheet that cannot be used, too many to put aside.
    #[error("`{}`: {bad} of {rows} rows cannot be used (first: row {row}, {reason})", path.display())]
    BadRows {
        /// The sheet.
        path: PathBuf,
        /// How many.
        bad: u64,
        /// Of how many.
        rows: u64,
        /// 1-based row of the first one.
        row: u64,
        /// What is wrong with it.
        reason: String,
    },
    /// A JSON document that breaks off or is none.
    #[error("`{}` is not sound JSON: line {line}, column {column}: {reason}", path.display())]
    BadJson {
        /// The file.
        path: PathBuf,
        /// 1-based line.
        line: usize,
        /// 1-based byte in the line.
        column: usize,
        /// What the parser says.
        reason: String,
    },
    /// A JSON document with more than one array of objects.
    #[error("`{}` has rows in two places: `{first}` and `{second}`", path.display())]
    AmbiguousRows {
        /// The file.
        path: PathBuf,
        /// JSON pointer to one array.
        first: String,
        /// And to another.
        second: String,
    },
    /// Lines or rows that are no JSON objects.
    #[error("`{}`: {bad} of {rows} lines are no JSON objects (first: line {row})", path.display())]
    NotJson {
        /// The file.
        path: PathBuf,
        /// How many.
        bad: u64,
        /// Of how many.
        rows: u64,
        /// 1-based line of the first one.
        row: u64,
    },
    /// A column that is mostly one kind, with too much else to put aside.
    #[error("column `{column}` of `{table}` looks like {kind}, but {bad} of {rows} cells are not, e.g. {examples}")]
    MixedColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// What most cells are.
        kind: ColumnKind,
        /// Cells that are something else.
        bad: u64,
        /// Cells that are not null.
        rows: u64,
        /// Some of them, quoted.
        examples: String,
    },
    /// Every date can be read with the day or with the month first.
    #[error("dates of column `{column}` of `{table}` can be read in two ways: `{sample}` is {day_first} or {month_first}")]
    AmbiguousDates {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// A cell.
        sample: String,
        /// It with the day first.
        day_first: String,
        /// It with the month first.
        month_first: String,
    },
    /// A column named in `types` that no file has.
    #[error("table `{table}` has no column `{column}`")]
    NoColumn {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The nearest that there is.
        near: Option<String>,
    },
    /// Files of one table that disagree on a column.
    #[error("column `{column}` of `{table}` is {first} in one file and {second} in another")]
    SchemaConflict {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Its type in one file.
        first: String,
        /// Its type in another.
        second: String,
    },
    /// A Parquet file that is cut off or damaged.
    #[error("`{}` is not a sound Parquet file: {reason}", path.display())]
    BadParquet {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        reason: String,
    },
    /// A personal column cannot be hidden.
    #[error(transparent)]
    Hide(#[from] almanac_privacy::RedactError),
    /// The lake could not be written.
    #[error("failed to encode `{}`", path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: parquet::errors::ParquetError,
    },
}

use super::ColumnKind;

impl Hint for IngestError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoFile { .. } => "check `[data] source`: paths are read from the project folder; `*.csv` and folders work too".into(),
            Self::Lake { path, kind: "a Delta" } => format!("read it as such: `source = \"delta:{}\"`", path.display()),
            Self::Lake { .. } => "copy its rows to plain Parquet files: Iceberg is not read yet".into(),
            Self::BadPattern { .. } => "`*` matches within a folder, `**` across folders, `[ab]` one of several letters".into(),
            Self::Write { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                "free some disk space and run again; nothing was lost".into()
            }
            Self::Read { .. } | Self::Write { .. } | Self::Encode { .. } => return None,
            Self::Empty { .. } | Self::NoRows { .. } => "export the file again, or take it out of the source".into(),
            Self::UnknownFormat { .. } => "save it as CSV, JSON, Excel or Parquet; text may be packed with gzip, zstd or zip".into(),
            Self::Damaged { reason, .. } if reason.contains("only deflate") => "pack it again with plain zip, gzip or zstd".into(),
            Self::Damaged { .. } => "it was probably cut off or altered on its way: copy or download it again".into(),
            Self::OpenQuote { .. } => {
                "close it, or double it if it is part of a text; if the file was cut off, copy or download it again".into()
            }
            Self::TooLong { .. } => "a quote is not closed, or it is no table; look at that place".into(),
            Self::Bomb { .. } => "if you trust it, unpack it yourself and name the files".into(),
            Self::UnsafeMember { .. } => "do not unpack it; ask whoever made it for another".into(),
            Self::Encrypted { .. } => "save it without a password; almanac asks for none".into(),
            Self::Nested { .. } => "unpack the outer archive and name what is in it, or choose other members: `archive.zip!/*.csv`".into(),
            Self::NoPart { near: Some(near), .. } => format!("did you mean `{near}`?"),
            Self::NoPart { there, .. } if there.is_empty() => {
                "only archives, spreadsheets and JSON documents have parts behind `!/`".into()
            }
            Self::NoPart { there, .. } => {
                let some: Vec<String> = there.iter().take(8).map(|name| format!("`{name}`")).collect();
                format!("it has {}", some.join(", "))
            }
            Self::BadSheet { .. } => "open it in a spreadsheet program and save it again, or export the sheet as CSV".into(),
            Self::BadRows { .. } => "mend the cells, or choose another sheet: `book.xlsx!/NAME`".into(),
            Self::BadJson { .. } => "it was probably cut off: export or download it again".into(),
            Self::AmbiguousRows { path, first, .. } => format!("say which: `{}!{first}`", path.display()),
            Self::UnknownEncoding { .. } => {
                "use a web label such as `utf-8`, `utf-16le`, `windows-1252`, `iso-8859-15` or `shift_jis`".into()
            }
            Self::TooManyColumns { .. } => "one column per series? turn it into long format: one row per series and date".into(),
            Self::MixedFormats { .. } => "give each format its own table and join them with `UNION ALL` in `[data] sql`".into(),
            Self::Ragged { .. } => "the delimiter or the quoting is probably not what it seems: set `delimiter` under `[data.csv]`".into(),
            Self::NotJson { .. } => "JSON lines need one object per line".into(),
            Self::MixedColumn { column, .. } => {
                format!(
                    "set `null_values` or `date_format` under `[data.csv]` so that all values fit, or read it as it is with `\"{column}\" = \"string\"` under `[data.types]`"
                )
            }
            Self::AmbiguousDates { .. } => "set `date_format = [\"%d/%m/%Y\"]` or `[\"%m/%d/%Y\"]` under `[data.csv]`".into(),
            Self::NoColumn { near, .. } => return near.as_ref().map(|near| format!("did you mean `{near}`?")),
            Self::SchemaConflict { column, .. } => format!("set one type for it, e.g. `\"{column}\" = \"string\"` under `[data.types]`"),
            Self::Hide(error) => return error.hint(),
            Self::BadParquet { .. } => "the file is probably cut off: copy or export it again".into(),
        })
    }
}
