//! Public holidays by country, from the embedded table `data/holidays.txt` (its header names source and licence).
//!
//! Holidays have names, so that those that move (Easter, Thanksgiving, Eid) keep their identity from year to year.
//!
//! Not here: subdivisions of countries, school holidays; give those as known-ahead columns.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jiff::civil::{Date, date};

use crate::PlanError;

static TABLE: &str = include_str!("../data/holidays.txt");
const FIRST_YEAR: i16 = 1990;
const LAST_YEAR: i16 = 2045;

/// The public holidays of one country, 1990 to 2045.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Country {
    /// ISO 3166-1 alpha-2 code.
    pub code: String,
    /// Names of the holidays, sorted.
    pub names: Vec<String>,
    /// Day number since 1970-01-01 and index into `names`, sorted.
    pub days: Vec<(i64, u16)>,
}

struct Entry {
    code: &'static str,
    aliases: Vec<String>,
    lines: Vec<&'static str>,
}

struct Table {
    patterns: Vec<&'static str>,
    countries: BTreeMap<&'static str, Entry>,
}

fn table() -> &'static Table {
    static PARSED: OnceLock<Table> = OnceLock::new();
    PARSED.get_or_init(|| {
        let mut parsed = Table { patterns: Vec::new(), countries: BTreeMap::new() };
        let mut current = None;
        for line in TABLE.lines() {
            if let Some(rest) = line.strip_prefix('%') {
                let (_, track) = rest.split_once('=').expect("the table was generated whole");
                parsed.patterns.push(track);
            } else if let Some(rest) = line.strip_prefix('@') {
                let mut words = rest.split(' ');
                let code = words.next().expect("split gives at least one word");
                let aliases = words.map(|word| word.replace('_', " ")).collect();
                parsed.countries.insert(code, Entry { code, aliases, lines: Vec::new() });
                current = Some(code);
            } else if let Some(code) = current {
                parsed.countries.get_mut(code).expect("inserted above").lines.push(line);
            }
        }
        parsed
    })
}

/// Returns the codes of all countries whose holidays are known, sorted.
pub fn countries() -> impl Iterator<Item = &'static str> {
    table().countries.keys().copied()
}

impl Country {
    /// Finds a country by its ISO code or its English name.
    ///
    /// # Errors
    /// [`PlanError::UnknownCountry`] with those that look like it.
    pub fn find(given: &str) -> Result<Self, PlanError> {
        let wanted = given.trim().to_lowercase().replace(['_', '-'], " ");
        let known = &table().countries;
        let found = known.values().find(|entry| {
            entry.code.eq_ignore_ascii_case(&wanted) || entry.aliases.iter().any(|alias| alias.eq_ignore_ascii_case(&wanted))
        });
        found.map(Self::read).ok_or_else(|| PlanError::UnknownCountry { given: given.to_owned(), near: near(&wanted) })
    }

    fn read(entry: &Entry) -> Self {
        let mut found: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
        for line in &entry.lines {
            let mut parts = line.split('|');
            let name = parts.next().expect("split gives at least one part");
            let days = found.entry(name).or_default();
            for rule in parts {
                dates(rule, |day| days.push(crate::calendar::epoch_day(day)));
            }
        }
        let names = found.keys().map(|name| (*name).to_owned()).collect();
        let mut days: Vec<(i64, u16)> =
            found.values().enumerate().flat_map(|(name, days)| days.iter().map(move |day| (*day, name as u16))).collect();
        days.sort_unstable();
        Self { code: entry.code.to_owned(), names, days }
    }

    /// Returns the position of the first holiday on or after a day.
    pub(crate) fn first_from(&self, day: i64) -> usize {
        self.days.partition_point(|(found, _)| *found < day)
    }
}

/// Calls `add` for each date of a rule; the format is told in the script that writes the table.
fn dates(rule: &str, mut add: impl FnMut(Date)) {
    if let Some(number) = rule.strip_prefix('%') {
        let number: usize = number.parse().expect("patterns are numbered");
        let (year, codes) = table().patterns[number].split_once(':').expect("a pattern starts with its year");
        let first: i16 = year.parse().expect("a year");
        for (year, code) in (first..).zip(codes.as_bytes().chunks(2)) {
            if code != b"--" {
                let day_of_year = digit(code[0]) * 36 + digit(code[1]);
                let civil = date(year, 1, 1).saturating_add(jiff::Span::new().days(day_of_year - 1));
                add(civil);
            }
        }
        return;
    }
    let (day, span) = rule.split_once(':').unwrap_or((rule, ""));
    let month: i8 = day[..2].parse().expect("two digits of a month");
    let day: i8 = day[2..].parse().expect("two digits of a day");
    let (first, last) = match span.split_once('-') {
        Some((first, last)) => (first.parse().expect("a year"), last.parse().expect("a year")),
        None => (FIRST_YEAR, LAST_YEAR),
    };
    for year in first..=last {
        if let Ok(civil) = Date::new(year, month, day) {
            add(civil);
        }
    }
}

fn digit(byte: u8) -> i64 {
    i64::from(if byte.is_ascii_digit() { byte - b'0' } else { byte - b'a' + 10 })
}

fn near(wanted: &str) -> Vec<String> {
    let mut ranked: Vec<(usize, String)> = Vec::new();
    for entry in table().countries.values() {
        for name in std::iter::once(entry.code.to_lowercase()).chain(entry.aliases.iter().map(|alias| alias.to_lowercase())) {
            let distance = strsim::damerau_levenshtein(&name, wanted);
            let allowed = (wanted.chars().count() / 3).clamp(1, 3);
            if distance <= allowed {
                ranked.push((distance, if name.len() > 3 { format!("`{}` ({name})", entry.code) } else { format!("`{}`", entry.code) }));
            }
        }
    }
    ranked.sort();
    ranked.dedup_by(|a, b| a.1 == b.1);
    ranked.into_iter().map(|(_, text)| text).take(5).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use almanac_series::Hint;

    #[track_caller]
    fn check(country: &str, day: Date, wanted: Option<&str>) {
        let country = Country::find(country).expect("known");
        let number = crate::calendar::epoch_day(day);
        let found = country.days.iter().find(|(found, _)| *found == number).map(|(_, name)| country.names[usize::from(*name)].as_str());
        assert_eq!(found, wanted, "{day}");
    }

    #[test]
    fn fixed_and_moving_holidays_fall_on_their_days() {
        check("US", date(2015, 11, 26), Some("Thanksgiving Day"));
        check("US", date(2024, 11, 28), Some("Thanksgiving Day"));
        check("US", date(2024, 7, 4), Some("Independence Day"));
        check("US", date(2024, 7, 5), None);
        check("DE", date(2015, 4, 3), Some("Good Friday"));
        check("DE", date(2015, 4, 6), Some("Easter Monday"));
        check("DE", date(2015, 5, 14), Some("Ascension Day"));
        check("FR", date(2020, 7, 14), Some("National Day"));
        check("GB", date(2021, 4, 2), Some("Good Friday"));
    }

    #[test]
    fn every_country_of_the_table_can_be_read() {
        assert!(countries().count() > 240);
        for code in countries() {
            let country = Country::find(code).expect("listed");
            assert!(country.days.is_sorted() && !country.days.is_empty(), "{code}");
        }
    }

    #[test]
    fn names_and_other_codes_are_understood() {
        assert_eq!(Country::find("germany").expect("a name").code, "DE");
        assert_eq!(Country::find("USA").expect("three letters").code, "US");
    }

    #[test]
    fn an_unknown_country_suggests_near_ones() {
        let error = Country::find("germny").unwrap_err();
        assert_eq!(error.to_string(), "country `germny` is not known");
        assert_eq!(error.hint().as_deref(), Some("did you mean `DE` (germany)?"));
        assert!(Country::find("atlantis").unwrap_err().hint().expect("a hint").contains("ISO"));
    }
}
