//! From what the file, the environment and the flags say to checked settings: flags over environment over file over defaults.
//!
//! Defaults are those of the embedded `default.toml`, read by the same parser. Checks that need two keys stand here too.
//!
//! Not here: whether the named columns and files exist (`almanac-data` sees them).

mod data;
mod models;
mod privacy;

use std::cell::RefCell;
use std::cmp::Ordering;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use almanac_series::{Horizon, Quantile, SeasonLength, Seed};
use jiff::SignedDuration;

use crate::file::{Ask, AskNumbers, StringOrList};
use crate::keys::{DEFAULT_TOML, nearest};
use crate::names::{ENSEMBLE, MODELS, PLANNED_MODELS, PLANNED_RECONCILIATIONS};
use crate::parse::{Parsed, parse};
use crate::place::KeyLines;
use crate::settings::{
    CheckSettings, DataSettings, DriftSettings, DriftSeverity, FeatureSettings, ForecastSettings, GateSettings, RunSettings, ServeSettings,
    Settings, TrackingSettings,
};
use crate::{ConfigError, Overrides, PROJECT_FILE, Place, Problem, ProjectFile};

pub(crate) fn settings(project: &Path, text: &str, environment: &Overrides, flags: &Overrides) -> Result<Settings, ConfigError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Parsed { file, lines, errors } = parse(text)?;
    let default = parse(DEFAULT_TOML)?.file;
    let r = Resolver { lines, environment, flags, errors: RefCell::new(errors) };

    let data = r.data(&file, &default);
    let forecast = r.forecast(&file, &default);
    let settings = Settings {
        project: project.to_owned(),
        features: r.features(&file, &default, &data),
        models: r.models(&file, &default, &data),
        checks: r.checks(&file, &default),
        drift: r.drift(&file, &default),
        privacy: r.privacy(&file, &data),
        gates: r.gates(&file, &default, &forecast),
        run: r.run(&file, &default),
        tracking: r.tracking(&file),
        serve: r.serve(&file, &default),
        data,
        forecast,
    };
    match ConfigError::of(r.errors.into_inner()) {
        None => Ok(settings),
        Some(error) => Err(error),
    }
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
    /// What was wrong so far; with any of it, no settings come out.
    errors: RefCell<Vec<ConfigError>>,
}

impl Resolver<'_> {
    fn place(&self, key: &str) -> Place {
        Place::File { file: PROJECT_FILE.to_owned(), line: self.lines.line(key) }
    }

    /// Notes what is wrong, so that the other keys are looked at too.
    fn note(&self, error: ConfigError) {
        let mut errors = self.errors.borrow_mut();
        // A key that was noted already is not also missing.
        let is_known = match &error {
            ConfigError::Invalid { key, problem, .. } => errors.iter().any(|known| {
                known.is_about(key)
                    || matches!(**problem, Problem::Missing { .. }) && known.is_misspelling_of(key)
                    || matches!(**problem, Problem::Source { .. }) && known.is_unknown_in(key)
            }),
            _ => false,
        };
        if !is_known {
            errors.push(error);
        }
    }

    /// The value, or a note of what is wrong and a stand-in.
    fn keep<T>(&self, result: Result<T, ConfigError>, stand_in: T) -> T {
        result.unwrap_or_else(|error| {
            self.note(error);
            stand_in
        })
    }

    /// Whether a name below the section was wrong.
    fn is_wrong_below(&self, section: &str) -> bool {
        let is_below = |key: &String| key.strip_prefix(section).is_some_and(|rest| rest.starts_with('.'));
        self.errors.borrow().iter().any(|error| matches!(error, ConfigError::WrongType { key, .. } if is_below(key)))
    }

    /// Whether one of the keys was wrong, so that nothing can be concluded from it.
    fn is_wrong(&self, keys: &[&str]) -> bool {
        keys.iter().any(|key| self.errors.borrow().iter().any(|error| error.is_about(key) || error.is_misspelling_of(key)))
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
    fn word<T: Copy>(&self, key: &str, given: Option<&str>, default: Option<&str>, words: &[(&str, T)]) -> T {
        let given = given.or(default).unwrap_or_default();
        let found = words.iter().find(|(word, _)| *word == given).map(|(_, value)| *value);
        let found = found.ok_or_else(|| self.invalid(key, unknown_name(given, words.iter().map(|(word, _)| *word))));
        self.keep(found, words[0].1)
    }

    fn share(&self, key: &str, given: Option<f64>, default: Option<f64>) -> f64 {
        let share = given.or(default).unwrap_or_default();
        if !(0.0..=1.0).contains(&share) {
            self.note(self.invalid(key, Problem::NotA { expected: "a share between 0 and 1", given: share.to_string() }));
        }
        share
    }

    fn at_least_one(&self, key: &str, given: usize) -> usize {
        if given == 0 {
            self.note(self.invalid(key, Problem::NotA { expected: "1 or more", given: given.to_string() }));
        }
        given
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

    fn features(&self, file: &ProjectFile, default: &ProjectFile, data: &DataSettings) -> FeatureSettings {
        let (features, standard) = (&file.features, &default.features);
        let steps = |key: &str, given: &Option<Vec<usize>>| {
            let mut list = given.clone()?;
            list.sort_unstable();
            list.dedup();
            if let Some(smallest) = list.first() {
                self.at_least_one(key, *smallest);
            }
            Some(list)
        };
        let holidays = match &features.holidays {
            Some(Ask::No) => None,
            Some(Ask::With(country)) => self.keep(self.country("features.holidays", country).map(Some), None),
            Some(Ask::Yes) if data.country.is_none() => {
                if !self.is_wrong(&["data.country"]) {
                    self.note(self.invalid("features.holidays", Problem::Needs { other: "data.country", example: "country = \"DE\"" }));
                }
                None
            }
            Some(Ask::Yes) | None => data.country.clone(),
        };
        let quantiles = features.quantiles.as_ref().or(standard.quantiles.as_ref()).map_or(&[][..], Vec::as_slice);
        FeatureSettings {
            lags: steps("features.lags", &features.lags),
            windows: steps("features.windows", &features.windows),
            holidays,
            quantiles: self.feature_numbers("features.quantiles", quantiles, "probabilities from 0 to 1", |p| (0.0..=1.0).contains(&p)),
            expanding: features.expanding.or(standard.expanding).unwrap_or(false),
            differences: steps("features.differences", &features.differences).unwrap_or_default(),
            events: features.events.or(standard.events).unwrap_or(false),
            price_history: features.price_history.or(standard.price_history).unwrap_or(false),
            fourier: match features.fourier.as_ref().or(standard.fourier.as_ref()) {
                None | Some(AskNumbers::No) => None,
                Some(AskNumbers::Yes) => Some(Vec::new()),
                Some(AskNumbers::With(periods)) => {
                    let known = self.feature_numbers("features.fourier", periods, "periods above 1 row", |m| m > 1.0 && m.is_finite());
                    (!known.is_empty()).then_some(known)
                }
            },
            target_encoding: features.target_encoding.or(standard.target_encoding).unwrap_or(false),
            parents: self.parents(features.parents.or(standard.parents).unwrap_or(false), data),
        }
    }

    /// Numbers in ascending order, each once.
    fn feature_numbers(&self, key: &str, given: &[f64], expected: &'static str, holds: impl Fn(f64) -> bool) -> Vec<f64> {
        if let Some(wrong) = given.iter().find(|number| !holds(**number)) {
            self.note(self.invalid(key, Problem::NotA { expected, given: wrong.to_string() }));
            return Vec::new();
        }
        let mut numbers = given.to_vec();
        numbers.sort_by(f64::total_cmp);
        numbers.dedup();
        numbers
    }

    fn parents(&self, wanted: bool, data: &DataSettings) -> bool {
        if wanted && data.hierarchy.is_empty() && !self.is_wrong(&["data.hierarchy"]) {
            let example = "hierarchy = [\"region/store\"]";
            self.note(self.invalid("features.parents", Problem::Needs { other: "data.hierarchy", example }));
        }
        wanted
    }

    fn forecast(&self, file: &ProjectFile, default: &ProjectFile) -> ForecastSettings {
        let (forecast, standard) = (&file.forecast, &default.forecast);
        let invalid = |at: &Place, key: &str, problem: Problem| {
            self.note(ConfigError::Invalid { at: at.clone(), key: key.to_owned(), problem: problem.into() });
        };
        let outside = Outside { flag: ("--horizon", self.flags.horizon), variable: ("ALMANAC_HORIZON", self.environment.horizon) };
        let horizon = self
            .pick("forecast.horizon", outside, forecast.horizon)
            .and_then(|(steps, at)| Horizon::new(steps).map_err(|error| invalid(&at, "forecast.horizon", Problem::OutOfRange(error))).ok());
        let outside =
            Outside { flag: ("--models", self.flags.models.clone()), variable: ("ALMANAC_MODELS", self.environment.models.clone()) };
        let file_models = forecast.models.as_ref().or(standard.models.as_ref()).map(|list| list.0.clone());
        let (models, at) = self.pick("forecast.models", outside, file_models).expect("the default file names models");
        self.model_names("forecast.models", &at, &models);
        let has = |wanted: &str| models.iter().any(|name| name == wanted);
        if models.is_empty() {
            invalid(&at, "forecast.models", Problem::Empty);
        } else if has("ensemble") && !has("auto") && models.len() < 3 {
            invalid(&at, "forecast.models", Problem::LonelyEnsemble);
        }
        let outside =
            Outside { flag: ("--budget", self.flags.budget.clone()), variable: ("ALMANAC_BUDGET", self.environment.budget.clone()) };
        let file_budget = forecast.budget.clone().or_else(|| standard.budget.clone());
        let (text, at_budget) = self.pick("forecast.budget", outside, file_budget).expect("the default file has it");
        let budget =
            text.parse::<SignedDuration>().ok().and_then(|budget| Duration::try_from(budget).ok()).filter(|budget| !budget.is_zero());
        if budget.is_none() {
            let problem = Problem::NotA { expected: "a time like `90s`, `10m` or `2h`", given: text };
            invalid(&at_budget, "forecast.budget", problem);
        }
        let outside = Outside { flag: ("--folds", self.flags.folds), variable: ("ALMANAC_FOLDS", self.environment.folds) };
        let (folds, at) = self.pick("forecast.folds", outside, forecast.folds.or(standard.folds)).expect("the default file has folds");
        if folds == 0 {
            invalid(&at, "forecast.folds", Problem::NotA { expected: "1 or more", given: "0".into() });
        }
        let seeds = [self.flags.seed, self.environment.seed, forecast.seed, standard.seed];
        let reconcile = forecast.reconcile.as_deref().unwrap_or("bottom_up");
        if PLANNED_RECONCILIATIONS.contains(&reconcile) {
            let instead = "write `reconcile = \"bottom_up\"`, the only one so far";
            self.note(self.invalid("forecast.reconcile", Problem::NotYet { given: reconcile.to_owned(), instead }));
        }
        let season = forecast
            .season_length
            .map(|steps| SeasonLength::new(steps).map_err(|error| self.invalid("forecast.season_length", Problem::OutOfRange(error))));
        let max_train_rows = forecast.max_train_rows.or(standard.max_train_rows).unwrap_or_default();
        let quantiles = self.quantiles(forecast.quantiles.as_ref().or(standard.quantiles.as_ref()));
        ForecastSettings {
            horizon,
            quantiles: self.keep(quantiles, Vec::new()),
            models,
            budget: budget.unwrap_or_default(),
            folds,
            fold_stride: forecast.fold_stride.map(|steps| self.at_least_one("forecast.fold_stride", steps)),
            season_length: self.keep(season.transpose(), None),
            seed: Seed(seeds.into_iter().flatten().next().expect("the default file has a seed")),
            max_train_rows: self.at_least_one("forecast.max_train_rows", max_train_rows),
            reconcile: self.word("forecast.reconcile", Some(reconcile), None, &[("bottom_up", "bottom_up")]).to_owned(),
        }
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

    fn checks(&self, file: &ProjectFile, default: &ProjectFile) -> CheckSettings {
        let (checks, standard) = (&file.checks, &default.checks);
        let ordered = |key: &str, min: f64, max: f64| {
            // False for NaN too.
            if !matches!(min.partial_cmp(&max), Some(Ordering::Less | Ordering::Equal)) {
                self.note(self.invalid(key, Problem::NotAscending { earlier: min, later: max }));
            }
        };
        ordered("checks.max", checks.min.unwrap_or(f64::NEG_INFINITY), checks.max.unwrap_or(f64::INFINITY));
        for (column, [min, max]) in &checks.ranges {
            ordered(&format!("checks.ranges.{column}"), *min, *max);
        }
        let max_row_change = checks.max_row_change.or(standard.max_row_change);
        let folder = checks.expectations.as_ref().or(standard.expectations.as_ref());
        CheckSettings {
            expectations: folder.map_or_else(|| PathBuf::from("expectations"), PathBuf::from),
            max_null_share: self.share("checks.max_null_share", checks.max_null_share, standard.max_null_share),
            min: checks.min,
            max: checks.max,
            allowed: checks.allowed.clone(),
            ranges: checks.ranges.iter().map(|(column, [min, max])| (column.clone(), (*min, *max))).collect(),
            required: self.keep(self.columns("checks.required", checks.required.as_ref()), Vec::new()),
            max_quarantine_share: self.share("checks.max_quarantine_share", checks.max_quarantine_share, standard.max_quarantine_share),
            freshness_days: checks.freshness_days,
            max_row_change: self.share("checks.max_row_change", max_row_change, None),
            min_series: self.at_least_one("checks.min_series", checks.min_series.or(standard.min_series).unwrap_or(1)),
        }
    }

    fn drift(&self, file: &ProjectFile, default: &ProjectFile) -> DriftSettings {
        let (drift, standard) = (&file.drift, &default.drift);
        let words = [("off", DriftSeverity::Off), ("warn", DriftSeverity::Warn), ("fail", DriftSeverity::Fail)];
        let limits = drift.limits;
        let p_values = [("ks", limits.ks), ("chi_square", limits.chi_square), ("z", limits.z)];
        for (name, given) in p_values.into_iter().filter_map(|(name, given)| Some((name, given?))) {
            self.share(&format!("drift.limits.{name}"), Some(given), None);
        }
        let distances = [("wasserstein", limits.wasserstein), ("jensen_shannon", limits.jensen_shannon), ("psi", limits.psi)];
        for (name, given) in distances.into_iter().filter_map(|(name, given)| Some((name, given?))) {
            if !(given.is_finite() && given >= 0.0) {
                let problem = Problem::NotA { expected: "a number of 0 or more", given: given.to_string() };
                self.note(self.invalid(&format!("drift.limits.{name}"), problem));
            }
        }
        DriftSettings {
            severity: self.word("drift.severity", drift.severity.as_deref(), standard.severity.as_deref(), &words),
            share: self.share("drift.share", drift.share, standard.share),
            missing: self.share("drift.missing", drift.missing, standard.missing),
            columns: self.keep(self.columns("drift.columns", drift.columns.as_ref()), Vec::new()),
            limits,
        }
    }

    fn gates(&self, file: &ProjectFile, default: &ProjectFile, forecast: &ForecastSettings) -> GateSettings {
        let (gates, standard) = (&file.gates, &default.gates);
        let beats = gates.beats.clone().or_else(|| standard.beats.clone()).unwrap_or_default().0;
        self.model_names("gates.beats", &self.place("gates.beats"), &beats);
        if let Some(name) = beats.iter().find(|name| matches!(name.as_str(), "auto" | "ensemble")) {
            let problem = Problem::NotA { expected: "a single model, such as `seasonal_naive`", given: name.clone() };
            self.note(self.invalid("gates.beats", problem));
        }
        let min_folds = self.at_least_one("gates.min_folds", gates.min_folds.or(standard.min_folds).unwrap_or(1));
        if min_folds > forecast.folds && !self.is_wrong(&["forecast.folds"]) {
            self.note(self.invalid("gates.min_folds", Problem::TooFewFolds { min_folds, folds: forecast.folds }));
        }
        GateSettings { beats, min_folds }
    }

    fn run(&self, file: &ProjectFile, default: &ProjectFile) -> RunSettings {
        let (run, standard) = (&file.run, &default.run);
        let threads = [self.flags.threads, self.environment.threads, run.threads, standard.threads];
        let outside = Outside { flag: ("--memory-gb", self.flags.memory_gb), variable: ("ALMANAC_MEMORY_GB", self.environment.memory_gb) };
        let memory = self.pick("run.memory_gb", outside, run.memory_gb.or(standard.memory_gb));
        let (memory_gb, at) = memory.expect("the default file has it");
        if !(0.0..=1e6).contains(&memory_gb) {
            let problem = Problem::NotA { expected: "0 or more gigabytes", given: memory_gb.to_string() };
            self.note(ConfigError::Invalid { at, key: "run.memory_gb".into(), problem: problem.into() });
        }
        RunSettings { threads: threads.into_iter().flatten().next().unwrap_or_default(), memory_gb }
    }

    fn tracking(&self, file: &ProjectFile) -> TrackingSettings {
        let backend_store = Outside {
            flag: ("--backend-store", self.flags.backend_store.clone()),
            variable: ("ALMANAC_BACKEND_STORE", self.environment.backend_store.clone()),
        };
        let artifact_root = Outside {
            flag: ("--artifact-root", self.flags.artifact_root.clone()),
            variable: ("ALMANAC_ARTIFACT_ROOT", self.environment.artifact_root.clone()),
        };
        let pick = |key, outside, given: &Option<String>| self.pick(key, outside, given.clone()).map(|(text, _)| text);
        let filled = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        TrackingSettings {
            backend_store: filled(pick("tracking.backend_store", backend_store, &file.tracking.backend_store)),
            artifact_root: filled(pick("tracking.artifact_root", artifact_root, &file.tracking.artifact_root)),
        }
    }

    fn serve(&self, file: &ProjectFile, default: &ProjectFile) -> ServeSettings {
        let outside =
            Outside { flag: ("--listen", self.flags.listen.clone()), variable: ("ALMANAC_LISTEN", self.environment.listen.clone()) };
        let given = file.serve.listen.clone().or_else(|| default.serve.listen.clone());
        let (text, at) = self.pick("serve.listen", outside, given).expect("the default file has it");
        let listen = text.replacen("localhost", "127.0.0.1", 1).parse().map_err(|_| {
            let problem = Problem::NotA { expected: "an address and port like `127.0.0.1:8080`", given: text.clone() };
            ConfigError::Invalid { at, key: "serve.listen".into(), problem: problem.into() }
        });
        ServeSettings { listen: self.keep(listen, SocketAddr::from(([127, 0, 0, 1], 0))) }
    }

    fn model_names(&self, key: &str, at: &Place, given: &[String]) {
        let known = || MODELS.iter().copied().chain([ENSEMBLE, "auto"]);
        let wrong = given.iter().find_map(|name| {
            if PLANNED_MODELS.contains(&name.as_str()) {
                let instead = "use `auto`, `auto_ets`, `lightgbm` or one of the naive models for now";
                Some(Problem::NotYet { given: name.clone(), instead })
            } else if !known().any(|known| known == name) {
                Some(unknown_name(name, known()))
            } else {
                None
            }
        });
        if let Some(problem) = wrong {
            self.note(ConfigError::Invalid { at: at.clone(), key: key.to_owned(), problem: problem.into() });
        }
    }
}

fn unknown_name<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Problem {
    let known: Vec<&str> = known.into_iter().collect();
    let near = nearest(given, known.iter().copied()).map(str::to_owned);
    Problem::UnknownName { given: given.to_owned(), near, known: known.into_iter().map(str::to_owned).collect() }
}
