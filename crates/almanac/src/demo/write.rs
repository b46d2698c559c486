//! The files of a demo. One series is in memory at a time, so that a demo of any size can be made anywhere.
//!
//! Every file is written beside its place and renamed into it when it is whole.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use almanac_series::Hint;
use serde::Serialize;
use tempfile::NamedTempFile;

use super::calendar::Calendar;
use super::catalogue::{Catalogue, Store};
use super::mess::{Fault, MessCount, RawLine, faults_of, spoil};
use super::project::project_file;
use super::readme::readme;
use super::spec::DemoSpec;
use super::story::SeriesStory;

/// Why a demo could not be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum DemoError {
    #[error("`{}` exists and is not the project of this demo", path.display())]
    Taken { path: PathBuf },
    #[error("failed to write `{}`", path.display())]
    Write { path: PathBuf, source: io::Error },
}

impl Hint for DemoError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Taken { .. } => Some("name another folder, or add `--force` to write over its `almanac.toml` and `raw/`".to_owned()),
            Self::Write { .. } => None,
        }
    }
}

/// What was written.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct DemoSummary {
    pub(crate) series: u32,
    pub(crate) stores: usize,
    pub(crate) items: usize,
    pub(crate) first_day: String,
    pub(crate) last_day: String,
    /// Lines in the sales files, headers not counted.
    pub(crate) sales_lines: u64,
    /// Lines that no reader can make a row of.
    pub(crate) unreadable_lines: u64,
    pub(crate) duplicate_lines: u64,
    pub(crate) bytes: u64,
}

/// Writes `raw/` and `almanac.toml` of a demo into `folder`; `on_series` hears how many series are done.
///
/// # Errors
/// [`DemoError::Taken`] if another project lives there and `force` is not given; [`DemoError::Write`] if the disk says no.
pub(crate) fn write_demo(folder: &Path, spec: &DemoSpec, force: bool, mut on_series: impl FnMut(u64)) -> Result<DemoSummary, DemoError> {
    let config_path = folder.join("almanac.toml");
    let config = project_file(spec);
    if !force && fs::read_to_string(&config_path).is_ok_and(|present| present != config) {
        return Err(DemoError::Taken { path: config_path });
    }
    let raw = folder.join("raw");
    fs::create_dir_all(&raw).map_err(|source| DemoError::Write { path: raw.clone(), source })?;

    let calendar = Calendar::new(spec);
    let catalogue = Catalogue::new(spec.seed, spec.series);
    let years = spec.years();
    let mut sales = Vec::with_capacity(years.len());
    for year in &years {
        let dialect = if Some(*year) == spec.legacy_year() { Dialect::Legacy } else { Dialect::Plain };
        let mut file = RawFile::create(raw.join(format!("sales_{year}.csv")))?;
        file.put(dialect.header())?;
        sales.push(SalesFile { year: *year, dialect, file, count: MessCount::default() });
    }
    let mut prices = RawFile::create(raw.join("prices.csv"))?;
    prices.put(b"store,item,valid_from,valid_to,price\n")?;
    let mut promotions = RawFile::create(raw.join("promotions.csv"))?;
    promotions.put(b"store,item,start_date,end_date,discount,label\n")?;

    let lost_days: Vec<Vec<usize>> =
        (0..catalogue.stores.len()).map(|store| Store::lost_days(spec.seed, store, calendar.history)).collect();
    let mut buffer = Vec::with_capacity(64 * 1024);
    for index in 0..spec.series {
        let story = SeriesStory::tell(spec.seed, index, &catalogue, &calendar);
        let rng = &mut faults_of(spec.seed, index);
        let store = &catalogue.stores[story.store];
        let item = catalogue.items[story.item].code.as_str();
        for target in &mut sales {
            buffer.clear();
            for line in spoil(rng, &story, &calendar, &lost_days[story.store], target.year, &mut target.count) {
                target.dialect.push_line(&mut buffer, &calendar, store, item, &line);
            }
            target.file.put(&buffer)?;
        }
        buffer.clear();
        push_prices(&mut buffer, &calendar, &store.code, item, &story);
        prices.put(&buffer)?;
        buffer.clear();
        push_promotions(&mut buffer, &calendar, &store.code, item, &story);
        promotions.put(&buffer)?;
        on_series(u64::from(index) + 1);
    }

    let mut total = MessCount::default();
    let mut counts = Vec::with_capacity(sales.len());
    let mut bytes = prices.commit()? + promotions.commit()?;
    for target in sales {
        bytes += target.file.commit()?;
        total.add(&target.count);
        counts.push((target.year, target.count));
    }
    for (name, text) in [
        ("stores.csv", stores_file(&catalogue)),
        ("items.csv", items_file(&catalogue)),
        ("calendar.csv", calendar_file(&calendar)),
        ("README.md", readme(spec, &counts, &total)),
    ] {
        bytes += write_whole(raw.join(name), text.as_bytes())?;
    }
    bytes += write_whole(config_path, config.as_bytes())?;
    Ok(DemoSummary {
        series: spec.series,
        stores: catalogue.stores.len(),
        items: catalogue.items.len(),
        first_day: spec.first_day().to_string(),
        last_day: spec.last_day().to_string(),
        sales_lines: total.lines,
        unreadable_lines: total.unreadable(),
        duplicate_lines: total.full_duplicates + total.split_rows,
        bytes,
    })
}

#[derive(Debug)]
struct SalesFile {
    year: i16,
    dialect: Dialect,
    file: RawFile,
    count: MessCount,
}

/// How a sales file is spelt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    /// Commas, ISO dates, UTF-8.
    Plain,
    /// Semicolons, `31.12.2023`, `4,0`, Latin-1, other names for the columns and the city beside the store.
    Legacy,
}

impl Dialect {
    fn header(self) -> &'static [u8] {
        match self {
            Self::Plain => b"date,store,item,units,in_stock\n",
            Self::Legacy => b"day;store_code;city;item_code;quantity;available\n",
        }
    }

    fn push_line(self, out: &mut Vec<u8>, calendar: &Calendar, store: &Store, item: &str, line: &RawLine) {
        let day = &calendar.days[line.day];
        let (separator, mut date) = match self {
            Self::Plain => (b',', day.iso.as_str()),
            Self::Legacy => (b';', day.dotted.as_str()),
        };
        let (mut store_code, mut item_code) = (store.code.as_str(), item);
        match line.fault {
            Some(Fault::ImpossibleDate) => date = if self == Self::Plain { "2022-02-30" } else { "31.11.2023" },
            Some(Fault::MissingStore) => store_code = "",
            Some(Fault::MissingItem) => item_code = "",
            _ => {}
        }
        let field = |out: &mut Vec<u8>, text: &[u8]| {
            out.extend_from_slice(text);
            out.push(separator);
        };
        field(out, date.as_bytes());
        field(out, store_code.as_bytes());
        if self == Self::Legacy {
            field(out, &latin1(store.city));
        }
        if line.fault == Some(Fault::TooFewFields) {
            out.extend_from_slice(item_code.as_bytes());
            out.push(b'\n');
            return;
        }
        field(out, item_code.as_bytes());
        if line.fault == Some(Fault::TextInUnits) {
            out.extend_from_slice([b"#N/A!".as_slice(), b"ERR", b"twelve"][line.day % 3]);
        } else {
            write!(out, "{}", line.units).expect("a Vec takes any bytes");
            if self == Self::Legacy {
                out.extend_from_slice(b",0");
            }
        }
        out.push(separator);
        out.push(if line.is_in_stock { b'1' } else { b'0' });
        if line.fault == Some(Fault::TooManyFields) {
            out.push(separator);
            out.extend_from_slice(b"till 4");
        }
        out.push(b'\n');
    }
}

/// Encodes text whose characters are all below U+0100.
fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap_or(b'?')).collect()
}

fn push_prices(out: &mut Vec<u8>, calendar: &Calendar, store: &str, item: &str, story: &SeriesStory) {
    for spell in &story.prices {
        let from = &calendar.days[spell.from].iso;
        let to = spell.to.map_or("", |to| calendar.days[to].iso.as_str());
        writeln!(out, "{store},{item},{from},{to},{}.{:02}", spell.cents / 100, spell.cents % 100).expect("a Vec takes any bytes");
    }
}

fn push_promotions(out: &mut Vec<u8>, calendar: &Calendar, store: &str, item: &str, story: &SeriesStory) {
    for promotion in &story.promotions {
        let (from, to) = (&calendar.days[promotion.from].iso, &calendar.days[promotion.to].iso);
        let label = quoted(promotion.label);
        writeln!(out, "{store},{item},{from},{to},0.{:02},{label}", promotion.discount_percent).expect("a Vec takes any bytes");
    }
}

/// As a spreadsheet saves it: a byte order mark and CRLF line ends.
fn stores_file(catalogue: &Catalogue) -> String {
    let mut text = "\u{feff}store,region,city\r\n".to_owned();
    for store in &catalogue.stores {
        text.push_str(&format!("{},{},{}\r\n", store.code, store.region, store.city));
    }
    text
}

fn items_file(catalogue: &Catalogue) -> String {
    let mut text = "item,category,name\n".to_owned();
    for item in &catalogue.items {
        text.push_str(&format!("{},{},{}\n", item.code, catalogue.categories[item.category].name, quoted(item.name)));
    }
    text
}

fn calendar_file(calendar: &Calendar) -> String {
    let mut text = "date,open\n".to_owned();
    for day in &calendar.days {
        text.push_str(&format!("{},{}\n", day.iso, u8::from(!day.is_closed)));
    }
    text
}

/// Quotes a CSV field if it has to be.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

fn write_whole(path: PathBuf, content: &[u8]) -> Result<u64, DemoError> {
    let mut file = RawFile::create(path)?;
    file.put(content)?;
    file.commit()
}

/// A file that appears only when it is whole.
#[derive(Debug)]
struct RawFile {
    path: PathBuf,
    temporary: BufWriter<NamedTempFile>,
    bytes: u64,
}

impl RawFile {
    fn create(path: PathBuf) -> Result<Self, DemoError> {
        let folder = path.parent().expect("raw files lie in a folder");
        let mut builder = tempfile::Builder::new();
        builder.prefix(".almanac-").suffix(".tmp");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644));
        match builder.tempfile_in(folder) {
            Ok(temporary) => Ok(Self { path, temporary: BufWriter::with_capacity(256 * 1024, temporary), bytes: 0 }),
            Err(source) => Err(DemoError::Write { path, source }),
        }
    }

    fn put(&mut self, content: &[u8]) -> Result<(), DemoError> {
        self.bytes += content.len() as u64;
        self.temporary.write_all(content).map_err(|source| DemoError::Write { path: self.path.clone(), source })
    }

    /// Puts the file into its place and returns its size.
    fn commit(self) -> Result<u64, DemoError> {
        let Self { path, temporary, bytes } = self;
        let place = || -> io::Result<()> {
            let temporary = temporary.into_inner().map_err(io::IntoInnerError::into_error)?;
            temporary.as_file().sync_all()?;
            temporary.persist(&path).map_err(|error| error.error)?;
            Ok(())
        };
        match place() {
            Ok(()) => Ok(bytes),
            Err(source) => Err(DemoError::Write { path, source }),
        }
    }
}
