//! `[data]`: sources, roles of the columns, and how text files are written.
//!
//! Not here: the other sections (`resolve`).

use std::collections::BTreeMap;

use almanac_connect::{SourceKeys, SourceSpec};
use almanac_features::{Country, PlanError, countries};

use super::Resolver;
use crate::file::{StringOrList, TableEntry};
use crate::keys::nearest;
use crate::names::ENCODINGS;
use crate::settings::{CsvSettings, DataSettings, Duplicates, GapPolicy, Negatives, TableSource, ValueType};
use crate::{ConfigError, Problem, ProjectFile};

impl Resolver<'_> {
    /// Files of the project, or a source outside it.
    fn table(&self, key: &str, name: &str, given: &TableEntry) -> Result<TableSource, ConfigError> {
        let source = |patterns, outside| TableSource { name: name.to_owned(), patterns, outside };
        match given {
            TableEntry::Source(keys) => Ok(source(Vec::new(), Some(self.outside(key, keys, true)?))),
            TableEntry::Places(places) if places.is_empty() || places.iter().any(|place| place.trim().is_empty()) => {
                Err(self.invalid(key, Problem::Empty))
            }
            TableEntry::Places(places) => match places.iter().filter(|place| is_url(place)).count() {
                0 => Ok(source(places.clone(), None)),
                some if some < places.len() => {
                    let reason = "files of this machine and URLs stand in one list".to_owned();
                    let hint = Some("give them tables of their own, and join them in `sql` with UNION ALL".to_owned());
                    Err(self.invalid(key, Problem::Source { reason, hint }))
                }
                _ => Ok(source(Vec::new(), Some(self.outside(key, &SourceKeys::of_urls(places.clone()), false)?))),
            },
        }
    }

    fn outside(&self, key: &str, keys: &SourceKeys, is_table: bool) -> Result<SourceSpec, ConfigError> {
        SourceSpec::new(keys).map_err(|error| {
            let own = format!("{key}.{}", error.key);
            let is_there = is_table && self.lines.line(&own).is_some();
            self.invalid(if is_there { &own } else { key }, Problem::Source { reason: error.reason, hint: error.hint })
        })
    }

    fn tables(&self, file: &ProjectFile) -> Result<Vec<TableSource>, ConfigError> {
        let data = &file.data;
        let missing = Problem::Missing { example: "source = \"sales.csv\"" };
        match &data.source {
            Some(_) if !data.tables.is_empty() => Err(self.invalid("data.source", Problem::Exclusive { other: "[data.tables]" })),
            Some(source) => Ok(vec![self.table("data.source", "data", source)?]),
            None if data.tables.is_empty() && self.is_wrong_below("data.tables") => Ok(Vec::new()),
            None if data.tables.is_empty() => Err(self.invalid("data.source", missing)),
            None if data.tables.len() > 1 && data.sql.is_none() && !self.is_wrong(&["data.sql"]) => {
                let example = "sql = \"SELECT * FROM sales LEFT JOIN items USING (item)\"";
                Err(self.invalid("data.tables", Problem::Needs { other: "data.sql", example }))
            }
            None => {
                let table = |(name, source): (&String, &TableEntry)| {
                    let key = format!("data.tables.{name}");
                    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
                    if name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(is_name) {
                        let expected = "a table name of a-z, 0-9 and _";
                        return Err(self.invalid(&key, Problem::NotA { expected, given: name.clone() }));
                    }
                    if name.ends_with("__history") {
                        let expected = "a table name that does not end in `__history`, which the versions of rows have";
                        return Err(self.invalid(&key, Problem::NotA { expected, given: name.clone() }));
                    }
                    self.table(&key, name, source)
                };
                Ok(data.tables.iter().filter_map(|entry| self.keep(table(entry).map(Some), None)).collect())
            }
        }
    }

    pub(super) fn data(&self, file: &ProjectFile, default: &ProjectFile) -> DataSettings {
        let (data, standard) = (&file.data, &default.data);
        let required = |key: &str, given: &Option<String>, example| {
            let found =
                self.column(key, given.as_ref()).and_then(|name| name.ok_or_else(|| self.invalid(key, Problem::Missing { example })));
            self.keep(found, String::new())
        };
        let columns = |key: &str, given: &Option<StringOrList>| self.keep(self.columns(key, given.as_ref()), Vec::new());
        let column = |key: &str, given: &Option<String>| self.keep(self.column(key, given.as_ref()), None);
        let tables = self.keep(self.tables(file), Vec::new());
        if data.id.is_none() {
            self.keep(Err(self.invalid("data.id", Problem::Missing { example: "id = [\"store\", \"item\"]" })), ());
        }
        let future_source = data.future_source.as_ref().map(|source| {
            if data.future_sql.is_some() {
                return Err(self.invalid("data.future_source", Problem::Exclusive { other: "data.future_sql" }));
            }
            self.table("data.future_source", "future", source)
        });
        let freq = data.freq.as_deref().filter(|alias| *alias != "auto");
        let freq = freq.map(|alias| alias.parse().map_err(|error| self.invalid("data.freq", Problem::Freq(error))));
        let gaps = [
            ("auto", GapPolicy::Auto),
            ("zero", GapPolicy::Zero),
            ("missing", GapPolicy::Missing),
            ("closed", GapPolicy::Closed),
            ("forward", GapPolicy::Forward),
            ("error", GapPolicy::Error),
        ];
        let duplicates = [
            ("error", Duplicates::Error),
            ("sum", Duplicates::Sum),
            ("mean", Duplicates::Mean),
            ("first", Duplicates::First),
            ("last", Duplicates::Last),
        ];
        let negatives = [("keep", Negatives::Keep), ("clip", Negatives::Clip), ("quarantine", Negatives::Quarantine)];
        let settings = DataSettings {
            tables,
            keep_loads: data.keep_loads.map(|loads| self.at_least_one("data.keep_loads", loads)),
            offline: data.offline.or(standard.offline).unwrap_or(false),
            sql: data.sql.clone(),
            future_source: self.keep(future_source.transpose(), None),
            future_sql: data.future_sql.clone(),
            id: columns("data.id", &data.id),
            time: required("data.time", &data.time, "time = \"date\""),
            target: required("data.target", &data.target, "target = \"units\""),
            freq: self.keep(freq.transpose(), None),
            timezone: self.keep(data.timezone.as_deref().map(|name| self.timezone(name)).transpose(), None),
            hierarchy: Vec::new(),
            static_columns: columns("data.static", &data.static_columns),
            historic: columns("data.historic", &data.historic),
            future: columns("data.future", &data.future),
            in_stock: column("data.in_stock", &data.in_stock),
            price: column("data.price", &data.price),
            gaps: self.word("data.gaps", data.gaps.as_deref(), standard.gaps.as_deref(), &gaps),
            duplicates: self.word("data.duplicates", data.duplicates.as_deref(), standard.duplicates.as_deref(), &duplicates),
            negatives: self.word("data.negatives", data.negatives.as_deref(), standard.negatives.as_deref(), &negatives),
            country: self.keep(data.country.as_deref().map(|code| self.country("data.country", code)).transpose(), None),
            csv: self.csv(file, default),
            types: self.types(file),
        };
        self.roles(&settings);
        let hierarchy = self.hierarchy(data.hierarchy.as_ref(), &settings);
        DataSettings { hierarchy, ..settings }
    }

    /// No column has two roles; `price` and `in_stock` may name a historic or future column.
    fn roles(&self, data: &DataSettings) {
        let mut taken: Vec<(&str, &str)> = data.id.iter().map(|column| (column.as_str(), "data.id")).collect();
        let alone = [("data.time", std::slice::from_ref(&data.time)), ("data.target", std::slice::from_ref(&data.target))];
        let lists = [("data.static", &data.static_columns[..]), ("data.historic", &data.historic), ("data.future", &data.future)];
        for (role, columns) in alone.into_iter().chain(lists) {
            // The stand-in of a wrong name is empty.
            for column in columns.iter().filter(|column| !column.is_empty()) {
                self.keep(self.not_taken(role, column, &taken), ());
                taken.push((column, role));
            }
        }
        taken.retain(|(_, role)| !matches!(*role, "data.historic" | "data.future"));
        for (role, column) in [("data.in_stock", &data.in_stock), ("data.price", &data.price)] {
            if let Some(column) = column {
                self.keep(self.not_taken(role, column, &taken), ());
                taken.push((column, role));
            }
        }
    }

    fn not_taken(&self, role: &str, column: &str, taken: &[(&str, &str)]) -> Result<(), ConfigError> {
        match taken.iter().find(|(known, _)| *known == column) {
            Some((_, other)) => Err(self.invalid(role, Problem::TwoRoles { column: column.to_owned(), other: (*other).to_owned() })),
            None => Ok(()),
        }
    }

    fn hierarchy(&self, given: Option<&StringOrList>, data: &DataSettings) -> Vec<Vec<String>> {
        let key = "data.hierarchy";
        if self.is_wrong(&["data.id", "data.static"]) {
            return Vec::new();
        }
        let known: Vec<String> = data.id.iter().chain(&data.static_columns).cloned().collect();
        let mut paths: Vec<Vec<String>> = Vec::new();
        for written in given.map(|list| &list.0[..]).unwrap_or_default() {
            let path: Vec<String> = written.split('/').map(|column| column.trim().to_owned()).collect();
            let wrong = path.iter().enumerate().find_map(|(n, column)| {
                if column.is_empty() {
                    Some(Problem::NotA { expected: "a path of columns like `region/store`", given: written.clone() })
                } else if path[..n].contains(column) {
                    Some(Problem::Twice { column: column.clone() })
                } else if known.contains(column) {
                    None
                } else {
                    Some(Problem::NotInHierarchy { column: column.clone(), known: known.clone() })
                }
            });
            match wrong {
                Some(problem) => self.keep(Err(self.invalid(key, problem)), ()),
                None => paths.push(path),
            }
        }
        paths
    }

    /// A country whose holidays are known, by its code.
    pub(super) fn country(&self, key: &str, given: &str) -> Result<String, ConfigError> {
        let code = given.trim().to_ascii_uppercase();
        if countries().any(|known| known == code) {
            return Ok(code);
        }
        let near = match Country::find(given) {
            Ok(country) => Some(country.code),
            Err(PlanError::UnknownCountry { near, .. }) => near.first().and_then(|near| Country::find(near).ok()).map(|near| near.code),
            Err(_) => None,
        };
        Err(self.invalid(key, Problem::UnknownCountry { given: given.to_owned(), near }))
    }

    fn timezone(&self, given: &str) -> Result<String, ConfigError> {
        if given == "+00:00" || given == "Z" || jiff::tz::TimeZone::get(given).is_ok() {
            return Ok(given.to_owned());
        }
        let known: Vec<String> = jiff::tz::db().available().map(|zone| zone.to_string()).collect();
        let wanted = given.trim().to_lowercase().replace(' ', "_");
        // `Berlin` is the end of one name, `Europe/Berln` is like another one.
        let ends = |zone: &&String| zone.to_lowercase().rsplit('/').next() == Some(wanted.as_str());
        let near = known.iter().find(ends).map(String::as_str).or_else(|| nearest(given, known.iter().map(String::as_str)));
        Err(self.invalid("data.timezone", Problem::UnknownTimezone { given: given.to_owned(), near: near.map(str::to_owned) }))
    }

    fn encoding(&self, given: &str) -> Result<String, ConfigError> {
        if encoding_rs::Encoding::for_label(given.trim().as_bytes()).is_some() {
            return Ok(given.to_owned());
        }
        let near = nearest(given, ENCODINGS).map(str::to_owned);
        let known = ENCODINGS.iter().map(|name| (*name).to_owned()).collect();
        Err(self.invalid("data.csv.encoding", Problem::UnknownName { given: given.to_owned(), near, known }))
    }

    fn csv(&self, file: &ProjectFile, default: &ProjectFile) -> CsvSettings {
        let (csv, standard) = (&file.data.csv, &default.data.csv);
        let character = |key: &str, given: &Option<String>, expected, is_right: fn(char) -> bool| {
            let text = given.as_deref().unwrap_or("auto");
            let mut characters = text.chars();
            let found = match (text, characters.next(), characters.next()) {
                ("auto", ..) => Ok(None),
                (_, Some(one), None) if is_right(one) => Ok(Some(one)),
                _ => Err(self.invalid(key, Problem::NotA { expected, given: text.to_owned() })),
            };
            self.keep(found, None)
        };
        let decimal = character("data.csv.decimal", &csv.decimal, "`.`, `,` or `auto`", |sign| matches!(sign, '.' | ','));
        let separates = |sign: char| sign.is_ascii() && !matches!(sign, '"' | '\n' | '\r');
        let delimiter = character("data.csv.delimiter", &csv.delimiter, "one ASCII character such as `;`, or `auto`", separates);
        if delimiter.is_some() && delimiter == decimal {
            let problem = Problem::Exclusive { other: "data.csv.delimiter of the same character" };
            self.keep(Err(self.invalid("data.csv.decimal", problem)), ());
        }
        let encoding = csv.encoding.as_deref().filter(|name| *name != "auto").map(|name| self.encoding(name));
        let nulls = csv.null_values.as_ref().or(standard.null_values.as_ref());
        CsvSettings {
            delimiter,
            encoding: self.keep(encoding.transpose(), None),
            decimal,
            date_format: csv.date_format.clone().unwrap_or_default().0,
            null_values: nulls.cloned().unwrap_or_default().0,
        }
    }

    fn types(&self, file: &ProjectFile) -> BTreeMap<String, ValueType> {
        let words = [
            ("string", ValueType::String),
            ("integer", ValueType::Integer),
            ("float", ValueType::Float),
            ("boolean", ValueType::Boolean),
            ("date", ValueType::Date),
            ("timestamp", ValueType::Timestamp),
        ];
        let one = |(column, name): (&String, &String)| {
            (column.clone(), self.word(&format!("data.types.{column}"), Some(name.as_str()), None, &words))
        };
        file.data.types.iter().map(one).collect()
    }
}

/// Whether a place is none on this machine.
fn is_url(place: &str) -> bool {
    place.contains("://") || ["sqlite:", "delta:"].iter().any(|scheme| place.starts_with(scheme)) || place.starts_with("${")
}
