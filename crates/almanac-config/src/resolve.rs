//! From what the file, the environment and the flags say to checked settings: flags over environment over file over defaults.
//!
//! Defaults are those of the embedded `default.toml`, read by the same parser. Checks that need two keys stand here too.
//!
//! Not here: whether the named columns and files exist (`almanac-data` sees them).

use std::path::Path;

use almanac_series::{Horizon, Quantile, SeasonLength, Seed};

use crate::file::{Ask, StringOrList};
use crate::keys::{self, DEFAULT_TOML, nearest};
use crate::names::{AUTO_MODELS, PLANNED_MODELS, PLANNED_RECONCILIATIONS};
use crate::place::{KeyLines, line_at};
use crate::settings::{
    CheckSettings, CsvSettings, DataSettings, Duplicates, FeatureSettings, ForecastSettings, GapPolicy, GateSettings, Negatives,
    RunSettings, ServeSettings, Settings, TableSource, ValueType,
};
use crate::{ConfigError, Overrides, PROJECT_FILE, Place, Problem, ProjectFile};

pub(crate) fn settings(project: &Path, text: &str, environment: &Overrides, flags: &Overrides) -> Result<Settings, ConfigError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (file, lines) = parse(text)?;
    let (default, _) = parse(DEFAULT_TOML)?;
    let r = Resolver { lines, environment, flags };

    let data = r.data(&file, &default)?;
    let forecast = r.forecast(&file, &default)?;
    let gates = r.gates(&file, &default, &forecast)?;
    Ok(Settings {
        project: project.to_owned(),
        features: r.features(&file, &data)?,
        checks: r.checks(&file, &default)?,
        run: r.run(&file, &default)?,
        serve: r.serve(&file, &default)?,
        data,
        forecast,
        gates,
    })
}

/// Parses the text and refuses unknown keys, without any further check.
fn parse(text: &str) -> Result<(ProjectFile, KeyLines), ConfigError> {
    let at = |line| Place::File { file: PROJECT_FILE.to_owned(), line };
    let lines = KeyLines::read(text).map_err(|error| ConfigError::Syntax {
        at: at(error.span().map(|span| line_at(text, span.start))),
        message: error.message().replace('\n', ", "),
    })?;
    for (path, line) in lines.paths() {
        if let Some((section, key)) = keys::unknown(path) {
            let (at, key, suggestion) = (at(Some(line)), key.to_owned(), keys::suggest(section, key));
            return Err(if section.is_empty() {
                ConfigError::UnknownSection { at, key, suggestion }
            } else {
                ConfigError::UnknownKey { at, section: section.to_owned(), key, suggestion }
            });
        }
    }
    let file = toml::from_str(text).map_err(|error| {
        let line = error.span().map(|span| line_at(text, span.start));
        let (expected, got) = plain_words(error.message());
        let key = lines.paths().into_iter().rev().find(|(_, at)| Some(*at) <= line).map_or("", |(path, _)| path);
        ConfigError::WrongType { at: at(line), key: key.to_owned(), expected, got }
    })?;
    Ok((file, lines))
}

/// Rewrites serde's `invalid type: string "x", expected usize` as (what was expected, what was got).
fn plain_words(message: &str) -> (String, String) {
    let (got, expected) = message.split_once(", expected ").unwrap_or((message, "something else"));
    let got = got.split_once(": ").map_or(got, |(_, got)| got);
    let expected = match expected {
        "usize" | "u64" | "u32" => "a whole number of 0 or more",
        "f64" => "a number",
        "a sequence" => "a list",
        "a map" => "a table",
        "a boolean" => "`true` or `false`",
        "an array of length 2" => "a list of two numbers, [min, max]",
        other if other.starts_with("struct ") => "a table",
        other => other,
    };
    (expected.to_owned(), got.to_owned())
}

/// Flag and environment variable of one setting, with the names under which they are shown.
struct Outside<T> {
    flag: (&'static str, Option<T>),
    variable: (&'static str, Option<T>),
}

struct Resolver<'a> {
    lines: KeyLines,
    environment: &'a Overrides,
    flags: &'a Overrides,
}

impl Resolver<'_> {
    fn place(&self, key: &str) -> Place {
        Place::File { file: PROJECT_FILE.to_owned(), line: self.lines.line(key) }
    }

    fn invalid(&self, key: &str, problem: Problem) -> ConfigError {
        ConfigError::Invalid { at: self.place(key), key: key.to_owned(), problem: problem.into() }
    }

    /// The value that wins, and where it was written.
    fn pick<T>(&self, key: &str, outside: Outside<T>, file: Option<T>) -> Option<(T, Place)> {
        let flag = outside.flag.1.map(|value| (value, Place::Flag(outside.flag.0)));
        let variable = || outside.variable.1.map(|value| (value, Place::Environment(outside.variable.0)));
        flag.or_else(variable).or_else(|| file.map(|value| (value, self.place(key))))
    }

    /// One of a fixed set of words.
    fn word<T: Copy>(&self, key: &str, given: Option<&str>, default: Option<&str>, words: &[(&str, T)]) -> Result<T, ConfigError> {
        let given = given.or(default).unwrap_or_default();
        words.iter().find(|(word, _)| *word == given).map(|(_, value)| *value).ok_or_else(|| {
            let problem = unknown_name(given, words.iter().map(|(word, _)| *word));
            self.invalid(key, problem)
        })
    }

    fn share(&self, key: &str, given: Option<f64>, default: Option<f64>) -> Result<f64, ConfigError> {
        let share = given.or(default).unwrap_or_default();
        if (0.0..=1.0).contains(&share) {
            Ok(share)
        } else {
            Err(self.invalid(key, Problem::NotA { expected: "a share between 0 and 1", given: share.to_string() }))
        }
    }

    fn at_least_one(&self, key: &str, given: usize) -> Result<usize, ConfigError> {
        if given >= 1 { Ok(given) } else { Err(self.invalid(key, Problem::NotA { expected: "1 or more", given: given.to_string() })) }
    }

    /// A column name: not empty.
    fn column(&self, key: &str, given: Option<&String>) -> Result<Option<String>, ConfigError> {
        match given {
            Some(name) if name.trim().is_empty() => Err(self.invalid(key, Problem::Empty)),
            other => Ok(other.cloned()),
        }
    }

    fn columns(&self, key: &str, given: Option<&StringOrList>) -> Result<Vec<String>, ConfigError> {
        let names = given.map(|list| list.0.clone()).unwrap_or_default();
        for (n, name) in names.iter().enumerate() {
            if name.trim().is_empty() {
                return Err(self.invalid(key, Problem::Empty));
            }
            if names[..n].contains(name) {
                return Err(self.invalid(key, Problem::Twice { column: name.clone() }));
            }
        }
        Ok(names)
    }

    fn patterns(&self, key: &str, given: &StringOrList) -> Result<Vec<String>, ConfigError> {
        if given.0.is_empty() || given.0.iter().any(|pattern| pattern.trim().is_empty()) {
            return Err(self.invalid(key, Problem::Empty));
        }
        match given.0.iter().find(|pattern| pattern.contains("://")) {
            Some(url) => Err(self.invalid(
                key,
                Problem::NotYet { given: url.clone(), instead: "copy the data to a local file; only files, folders and globs are read" },
            )),
            None => Ok(given.0.clone()),
        }
    }

    fn tables(&self, file: &ProjectFile) -> Result<Vec<TableSource>, ConfigError> {
        let data = &file.data;
        let missing = Problem::Missing { example: "source = \"sales.csv\"" };
        match &data.source {
            Some(_) if !data.tables.is_empty() => Err(self.invalid("data.source", Problem::Exclusive { other: "[data.tables]" })),
            Some(source) => Ok(vec![TableSource { name: "data".into(), patterns: self.patterns("data.source", source)? }]),
            None if data.tables.is_empty() => Err(self.invalid("data.source", missing)),
            None if data.tables.len() > 1 && data.sql.is_none() => {
                let example = "sql = \"SELECT * FROM sales LEFT JOIN items USING (item)\"";
                Err(self.invalid("data.tables", Problem::Needs { other: "data.sql", example }))
            }
            None => {
                let table = |(name, source): (&String, &StringOrList)| {
                    let key = format!("data.tables.{name}");
                    let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
                    if name.starts_with(|c: char| c.is_ascii_digit()) || !name.chars().all(is_name) {
                        let expected = "a table name of a-z, 0-9 and _";
                        return Err(self.invalid(&key, Problem::NotA { expected, given: name.clone() }));
                    }
                    Ok(TableSource { name: name.clone(), patterns: self.patterns(&key, source)? })
                };
                data.tables.iter().map(table).collect()
            }
        }
    }

    fn data(&self, file: &ProjectFile, default: &ProjectFile) -> Result<DataSettings, ConfigError> {
        let (data, standard) = (&file.data, &default.data);
        let required = |key: &str, given: &Option<String>, example| {
            self.column(key, given.as_ref())?.ok_or_else(|| self.invalid(key, Problem::Missing { example }))
        };
        let tables = self.tables(file)?;
        if data.id.is_none() {
            return Err(self.invalid("data.id", Problem::Missing { example: "id = [\"store\", \"item\"]" }));
        }
        let future_source = match &data.future_source {
            Some(_) if data.future_sql.is_some() => {
                return Err(self.invalid("data.future_source", Problem::Exclusive { other: "data.future_sql" }));
            }
            Some(source) => Some(TableSource { name: "future".into(), patterns: self.patterns("data.future_source", source)? }),
            None => None,
        };
        let freq = match data.freq.as_deref().unwrap_or("auto") {
            "auto" => None,
            alias => Some(alias.parse().map_err(|error| self.invalid("data.freq", Problem::Freq(error)))?),
        };
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
            sql: data.sql.clone(),
            future_source,
            future_sql: data.future_sql.clone(),
            id: self.columns("data.id", data.id.as_ref())?,
            time: required("data.time", &data.time, "time = \"date\"")?,
            target: required("data.target", &data.target, "target = \"units\"")?,
            freq,
            timezone: data.timezone.clone(),
            hierarchy: Vec::new(),
            static_columns: self.columns("data.static", data.static_columns.as_ref())?,
            historic: self.columns("data.historic", data.historic.as_ref())?,
            future: self.columns("data.future", data.future.as_ref())?,
            in_stock: self.column("data.in_stock", data.in_stock.as_ref())?,
            price: self.column("data.price", data.price.as_ref())?,
            gaps: self.word("data.gaps", data.gaps.as_deref(), standard.gaps.as_deref(), &gaps)?,
            duplicates: self.word("data.duplicates", data.duplicates.as_deref(), standard.duplicates.as_deref(), &duplicates)?,
            negatives: self.word("data.negatives", data.negatives.as_deref(), standard.negatives.as_deref(), &negatives)?,
            country: data.country.as_deref().map(|code| self.country("data.country", code)).transpose()?,
            csv: self.csv(file, default)?,
            types: self.types(file)?,
        };
        self.roles(&settings)?;
        let hierarchy = self.hierarchy(data.hierarchy.as_ref(), &settings)?;
        Ok(DataSettings { hierarchy, ..settings })
    }

    /// No column has two roles; `price` and `in_stock` may name a historic or future column.
    fn roles(&self, data: &DataSettings) -> Result<(), ConfigError> {
        let mut taken: Vec<(&str, &str)> = data.id.iter().map(|column| (column.as_str(), "data.id")).collect();
        let alone = [("data.time", std::slice::from_ref(&data.time)), ("data.target", std::slice::from_ref(&data.target))];
        let lists = [("data.static", &data.static_columns[..]), ("data.historic", &data.historic), ("data.future", &data.future)];
        for (role, columns) in alone.into_iter().chain(lists) {
            for column in columns {
                self.not_taken(role, column, &taken)?;
                taken.push((column, role));
            }
        }
        taken.retain(|(_, role)| !matches!(*role, "data.historic" | "data.future"));
        for (role, column) in [("data.in_stock", &data.in_stock), ("data.price", &data.price)] {
            if let Some(column) = column {
                self.not_taken(role, column, &taken)?;
                taken.push((column, role));
            }
        }
        Ok(())
    }

    fn not_taken(&self, role: &str, column: &str, taken: &[(&str, &str)]) -> Result<(), ConfigError> {
        match taken.iter().find(|(known, _)| *known == column) {
            Some((_, other)) => Err(self.invalid(role, Problem::TwoRoles { column: column.to_owned(), other: (*other).to_owned() })),
            None => Ok(()),
        }
    }

    fn hierarchy(&self, given: Option<&StringOrList>, data: &DataSettings) -> Result<Vec<Vec<String>>, ConfigError> {
        let key = "data.hierarchy";
        let known: Vec<String> = data.id.iter().chain(&data.static_columns).cloned().collect();
        let mut paths: Vec<Vec<String>> = Vec::new();
        for written in given.map(|list| &list.0[..]).unwrap_or_default() {
            let path: Vec<String> = written.split('/').map(|column| column.trim().to_owned()).collect();
            for (n, column) in path.iter().enumerate() {
                let problem = if column.is_empty() {
                    Problem::NotA { expected: "a path of columns like `region/store`", given: written.clone() }
                } else if path[..n].contains(column) {
                    Problem::Twice { column: column.clone() }
                } else if known.contains(column) {
                    continue;
                } else {
                    Problem::NotInHierarchy { column: column.clone(), known }
                };
                return Err(self.invalid(key, problem));
            }
            paths.push(path);
        }
        Ok(paths)
    }

    fn country(&self, key: &str, given: &str) -> Result<String, ConfigError> {
        let code = given.trim().to_ascii_uppercase();
        if code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()) {
            Ok(code)
        } else {
            Err(self.invalid(key, Problem::NotA { expected: "a country code of two letters, like `DE`", given: given.to_owned() }))
        }
    }

    fn csv(&self, file: &ProjectFile, default: &ProjectFile) -> Result<CsvSettings, ConfigError> {
        let (csv, standard) = (&file.data.csv, &default.data.csv);
        let character = |key: &str, given: &Option<String>, expected| {
            let text = given.as_deref().unwrap_or("auto");
            let mut characters = text.chars();
            match (text, characters.next(), characters.next()) {
                ("auto", ..) => Ok(None),
                (_, Some(one), None) => Ok(Some(one)),
                _ => Err(self.invalid(key, Problem::NotA { expected, given: text.to_owned() })),
            }
        };
        let decimal = character("data.csv.decimal", &csv.decimal, "`.`, `,` or `auto`")?;
        if let Some(other) = decimal.filter(|sign| !matches!(sign, '.' | ',')) {
            return Err(self.invalid("data.csv.decimal", Problem::NotA { expected: "`.`, `,` or `auto`", given: other.to_string() }));
        }
        let delimiter = character("data.csv.delimiter", &csv.delimiter, "one character or `auto`")?;
        if let Some(wide) = delimiter.filter(|sign| !sign.is_ascii() || matches!(sign, '"' | '\n' | '\r')) {
            return Err(self.invalid("data.csv.delimiter", Problem::NotA { expected: "an ASCII character", given: wide.to_string() }));
        }
        if delimiter.is_some() && delimiter == decimal {
            return Err(self.invalid("data.csv.decimal", Problem::Exclusive { other: "data.csv.delimiter of the same character" }));
        }
        let nulls = csv.null_values.as_ref().or(standard.null_values.as_ref());
        Ok(CsvSettings {
            delimiter,
            encoding: csv.encoding.clone().filter(|name| name != "auto"),
            decimal,
            date_format: csv.date_format.clone().unwrap_or_default().0,
            null_values: nulls.cloned().unwrap_or_default().0,
        })
    }

    fn types(&self, file: &ProjectFile) -> Result<std::collections::BTreeMap<String, ValueType>, ConfigError> {
        let words = [
            ("string", ValueType::String),
            ("integer", ValueType::Integer),
            ("float", ValueType::Float),
            ("boolean", ValueType::Boolean),
            ("date", ValueType::Date),
            ("timestamp", ValueType::Timestamp),
        ];
        let one = |(column, name): (&String, &String)| {
            Ok((column.clone(), self.word(&format!("data.types.{column}"), Some(name), None, &words)?))
        };
        file.data.types.iter().map(one).collect()
    }

    fn features(&self, file: &ProjectFile, data: &DataSettings) -> Result<FeatureSettings, ConfigError> {
        let steps = |key: &str, given: &Option<Vec<usize>>| {
            let Some(list) = given else { return Ok(None) };
            let mut list = list.clone();
            list.sort_unstable();
            list.dedup();
            list.first().map(|smallest| self.at_least_one(key, *smallest)).transpose()?;
            Ok(Some(list))
        };
        let holidays = match &file.features.holidays {
            Some(Ask::No) => None,
            Some(Ask::With(country)) => Some(self.country("features.holidays", country)?),
            Some(Ask::Yes) if data.country.is_none() => {
                return Err(self.invalid("features.holidays", Problem::Needs { other: "data.country", example: "country = \"DE\"" }));
            }
            Some(Ask::Yes) | None => data.country.clone(),
        };
        Ok(FeatureSettings {
            lags: steps("features.lags", &file.features.lags)?,
            windows: steps("features.windows", &file.features.windows)?,
            holidays,
        })
    }

    fn forecast(&self, file: &ProjectFile, default: &ProjectFile) -> Result<ForecastSettings, ConfigError> {
        let (forecast, standard) = (&file.forecast, &default.forecast);
        let outside = Outside { flag: ("--horizon", self.flags.horizon), variable: ("ALMANAC_HORIZON", self.environment.horizon) };
        let horizon = match self.pick("forecast.horizon", outside, forecast.horizon) {
            Some((steps, at)) => Some(Horizon::new(steps).map_err(|error| {
                let problem = Problem::OutOfRange(error);
                ConfigError::Invalid { at, key: "forecast.horizon".into(), problem: problem.into() }
            })?),
            None => None,
        };
        let outside =
            Outside { flag: ("--models", self.flags.models.clone()), variable: ("ALMANAC_MODELS", self.environment.models.clone()) };
        let file_models = forecast.models.as_ref().or(standard.models.as_ref()).map(|list| list.0.clone());
        let (names, at) = self.pick("forecast.models", outside, file_models).expect("the default file names models");
        let models = model_names("forecast.models", &at, &names)?;
        let invalid_models =
            |problem: Problem| ConfigError::Invalid { at: at.clone(), key: "forecast.models".into(), problem: problem.into() };
        if models.is_empty() {
            return Err(invalid_models(Problem::Empty));
        }
        let has = |wanted: &str| models.iter().any(|name| name == wanted);
        if has("ensemble") && !has("auto") && models.len() < 3 {
            return Err(invalid_models(Problem::LonelyEnsemble));
        }
        let outside = Outside { flag: ("--folds", self.flags.folds), variable: ("ALMANAC_FOLDS", self.environment.folds) };
        let (folds, at) = self.pick("forecast.folds", outside, forecast.folds.or(standard.folds)).expect("the default file has folds");
        if folds == 0 {
            let problem = Problem::NotA { expected: "1 or more", given: "0".into() };
            return Err(ConfigError::Invalid { at, key: "forecast.folds".into(), problem: problem.into() });
        }
        let seeds = [self.flags.seed, self.environment.seed, forecast.seed, standard.seed];
        let reconcile = forecast.reconcile.as_deref().unwrap_or("bottom_up");
        if PLANNED_RECONCILIATIONS.contains(&reconcile) {
            let problem =
                Problem::NotYet { given: reconcile.to_owned(), instead: "write `reconcile = \"bottom_up\"`, the only one so far" };
            return Err(self.invalid("forecast.reconcile", problem));
        }
        let season = forecast
            .season_length
            .map(|steps| SeasonLength::new(steps).map_err(|error| self.invalid("forecast.season_length", Problem::OutOfRange(error))));
        let max_train_rows = forecast.max_train_rows.or(standard.max_train_rows).unwrap_or_default();
        Ok(ForecastSettings {
            horizon,
            quantiles: self.quantiles(forecast.quantiles.as_ref().or(standard.quantiles.as_ref()))?,
            models,
            folds,
            fold_stride: forecast.fold_stride.map(|steps| self.at_least_one("forecast.fold_stride", steps)).transpose()?,
            season_length: season.transpose()?,
            seed: Seed(seeds.into_iter().flatten().next().expect("the default file has a seed")),
            max_train_rows: self.at_least_one("forecast.max_train_rows", max_train_rows)?,
            reconcile: self.word("forecast.reconcile", Some(reconcile), None, &[("bottom_up", "bottom_up")])?.to_owned(),
        })
    }

    fn quantiles(&self, given: Option<&Vec<f64>>) -> Result<Vec<Quantile>, ConfigError> {
        let key = "forecast.quantiles";
        let mut quantiles: Vec<Quantile> = Vec::new();
        for probability in given.map(|list| &list[..]).unwrap_or_default() {
            let quantile = Quantile::new(*probability).map_err(|error| self.invalid(key, Problem::OutOfRange(error)))?;
            if let Some(last) = quantiles.last().filter(|last| **last >= quantile) {
                return Err(self.invalid(key, Problem::NotAscending { earlier: last.probability(), later: *probability }));
            }
            quantiles.push(quantile);
        }
        if quantiles.is_empty() { Err(self.invalid(key, Problem::Empty)) } else { Ok(quantiles) }
    }

    fn checks(&self, file: &ProjectFile, default: &ProjectFile) -> Result<CheckSettings, ConfigError> {
        let (checks, standard) = (&file.checks, &default.checks);
        let ordered = |key: &str, min: f64, max: f64| {
            if min <= max { Ok(()) } else { Err(self.invalid(key, Problem::NotAscending { earlier: min, later: max })) }
        };
        ordered("checks.max", checks.min.unwrap_or(f64::NEG_INFINITY), checks.max.unwrap_or(f64::INFINITY))?;
        for (column, [min, max]) in &checks.ranges {
            ordered(&format!("checks.ranges.{column}"), *min, *max)?;
        }
        let max_row_change = checks.max_row_change.or(standard.max_row_change);
        Ok(CheckSettings {
            max_null_share: self.share("checks.max_null_share", checks.max_null_share, standard.max_null_share)?,
            min: checks.min,
            max: checks.max,
            allowed: checks.allowed.clone(),
            ranges: checks.ranges.iter().map(|(column, [min, max])| (column.clone(), (*min, *max))).collect(),
            required: self.columns("checks.required", checks.required.as_ref())?,
            max_quarantine_share: self.share("checks.max_quarantine_share", checks.max_quarantine_share, standard.max_quarantine_share)?,
            freshness_days: checks.freshness_days,
            max_row_change: self.share("checks.max_row_change", max_row_change, None)?,
            min_series: self.at_least_one("checks.min_series", checks.min_series.or(standard.min_series).unwrap_or(1))?,
        })
    }

    fn gates(&self, file: &ProjectFile, default: &ProjectFile, forecast: &ForecastSettings) -> Result<GateSettings, ConfigError> {
        let (gates, standard) = (&file.gates, &default.gates);
        let beats = gates.beats.clone().or_else(|| standard.beats.clone()).unwrap_or_default().0;
        let beats = model_names("gates.beats", &self.place("gates.beats"), &beats)?;
        if let Some(name) = beats.iter().find(|name| matches!(name.as_str(), "auto" | "ensemble")) {
            let problem = Problem::NotA { expected: "a single model, such as `seasonal_naive`", given: name.clone() };
            return Err(self.invalid("gates.beats", problem));
        }
        let min_folds = self.at_least_one("gates.min_folds", gates.min_folds.or(standard.min_folds).unwrap_or(1))?;
        if min_folds > forecast.folds {
            return Err(self.invalid("gates.min_folds", Problem::TooFewFolds { min_folds, folds: forecast.folds }));
        }
        Ok(GateSettings { beats, min_folds })
    }

    fn run(&self, file: &ProjectFile, default: &ProjectFile) -> Result<RunSettings, ConfigError> {
        let (run, standard) = (&file.run, &default.run);
        let threads = [self.flags.threads, self.environment.threads, run.threads, standard.threads];
        let outside = Outside { flag: ("--memory-gb", self.flags.memory_gb), variable: ("ALMANAC_MEMORY_GB", self.environment.memory_gb) };
        let memory = self.pick("run.memory_gb", outside, run.memory_gb.or(standard.memory_gb));
        let (memory_gb, at) = memory.expect("the default file has it");
        if !(0.0..=1e6).contains(&memory_gb) {
            let problem = Problem::NotA { expected: "0 or more gigabytes", given: memory_gb.to_string() };
            return Err(ConfigError::Invalid { at, key: "run.memory_gb".into(), problem: problem.into() });
        }
        Ok(RunSettings { threads: threads.into_iter().flatten().next().unwrap_or_default(), memory_gb })
    }

    fn serve(&self, file: &ProjectFile, default: &ProjectFile) -> Result<ServeSettings, ConfigError> {
        let outside =
            Outside { flag: ("--listen", self.flags.listen.clone()), variable: ("ALMANAC_LISTEN", self.environment.listen.clone()) };
        let given = file.serve.listen.clone().or_else(|| default.serve.listen.clone());
        let (text, at) = self.pick("serve.listen", outside, given).expect("the default file has it");
        let listen = text.replacen("localhost", "127.0.0.1", 1).parse().map_err(|_| {
            let problem = Problem::NotA { expected: "an address and port like `127.0.0.1:8080`", given: text.clone() };
            ConfigError::Invalid { at, key: "serve.listen".into(), problem: problem.into() }
        })?;
        Ok(ServeSettings { listen })
    }
}

fn model_names(key: &str, at: &Place, given: &[String]) -> Result<Vec<String>, ConfigError> {
    let invalid = |problem: Problem| ConfigError::Invalid { at: at.clone(), key: key.to_owned(), problem: problem.into() };
    for name in given {
        if PLANNED_MODELS.contains(&name.as_str()) {
            let instead = "use `auto`, `auto_ets`, `lightgbm` or one of the naive models for now";
            return Err(invalid(Problem::NotYet { given: name.clone(), instead }));
        }
        if name != "auto" && !AUTO_MODELS.contains(&name.as_str()) {
            return Err(invalid(unknown_name(name, AUTO_MODELS.iter().copied().chain(["auto"]))));
        }
    }
    Ok(given.to_vec())
}

fn unknown_name<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Problem {
    let known: Vec<&str> = known.into_iter().collect();
    let near = nearest(given, known.iter().copied()).map(str::to_owned);
    Problem::UnknownName { given: given.to_owned(), near, known: known.into_iter().map(str::to_owned).collect() }
}
