//! Whether a text reads by a format of Python's `strptime`, by Python's own rules: letters of either case, one or two digits, no rest.

use regex::Regex;

/// A format, ready to be tried.
#[derive(Debug, Clone)]
pub(crate) struct Strptime {
    pattern: Regex,
}

const MONTHS: &str = "january|february|march|april|may|june|july|august|september|october|november|december";
const MONTHS_SHORT: &str = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec";
const DAYS: &str = "wednesday|thursday|saturday|tuesday|monday|friday|sunday";
const DAYS_SHORT: &str = "mon|tue|wed|thu|fri|sat|sun";

impl Strptime {
    pub(crate) fn new(format: &str) -> Result<Self, String> {
        let mut pattern = String::from(r"(?i)\A");
        let mut seen = Vec::new();
        expand(format, &mut pattern, &mut seen)?;
        let pattern = Regex::new(&pattern).map_err(|error| format!("the format `{format}` is not supported: {error}"))?;
        Ok(Self { pattern })
    }

    pub(crate) fn reads(&self, text: &str) -> bool {
        let Some(found) = self.pattern.captures(text) else { return false };
        if found.get(0).is_none_or(|whole| whole.end() != text.len()) {
            return false;
        }
        let number = |name: &str| found.name(name).and_then(|part| part.as_str().trim().parse::<i64>().ok());
        if number("S").is_some_and(|second| second > 59) {
            return false;
        }
        let year = match (number("Y"), number("y")) {
            (Some(year), _) => year,
            (None, Some(short)) => short + if short < 69 { 2000 } else { 1900 },
            (None, None) => 1900,
        };
        let short_name = |name: &str, names: &str| {
            let part = found.name(name)?.as_str().to_lowercase();
            names.split('|').position(|other| part.starts_with(other)).map(|place| place as i64 + 1)
        };
        let month = number("m").or_else(|| short_name("b", MONTHS_SHORT)).or_else(|| short_name("B", MONTHS_SHORT)).unwrap_or(1);
        let day = number("d").unwrap_or(1);
        if let Some(day_of_year) = number("j") {
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            if day_of_year == 366 && !leap && found.name("d").is_none() {
                // Python rolls over into the next year, and so it reads.
                return year < 9999;
            }
        }
        jiff::civil::Date::new(i16::try_from(year).unwrap_or(0), month as i8, day as i8).is_ok() && (1..=9999).contains(&year)
    }
}

fn expand(format: &str, pattern: &mut String, seen: &mut Vec<char>) -> Result<(), String> {
    let mut letters = format.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter.is_whitespace() {
            while letters.peek().is_some_and(|next| next.is_whitespace()) {
                letters.next();
            }
            pattern.push_str(r"\s+");
            continue;
        }
        if letter != '%' {
            pattern.push_str(&regex::escape(&letter.to_string()));
            continue;
        }
        let Some(directive) = letters.next() else { return Err(format!("the format `{format}` ends in a single `%`")) };
        if !matches!(directive, '%' | 'c' | 'x' | 'X') {
            if seen.contains(&directive) {
                return Err(format!("the format `{format}` has `%{directive}` twice"));
            }
            seen.push(directive);
        }
        let part = match directive {
            'd' => r"(?P<d>3[0-1]|[1-2]\d|0[1-9]|[1-9]| [1-9])",
            'f' => r"(?P<f>[0-9]{1,6})",
            'H' => r"(?P<H>2[0-3]|[0-1]\d|\d)",
            'I' => r"(?P<I>1[0-2]|0[1-9]|[1-9])",
            'G' => r"(?P<G>\d\d\d\d)",
            'j' => r"(?P<j>36[0-6]|3[0-5]\d|[1-2]\d\d|0[1-9]\d|00[1-9]|[1-9]\d|0[1-9]|[1-9])",
            'm' => r"(?P<m>1[0-2]|0[1-9]|[1-9])",
            'M' => r"(?P<M>[0-5]\d|\d)",
            'S' => r"(?P<S>6[0-1]|[0-5]\d|\d)",
            'U' => r"(?P<U>5[0-3]|[0-4]\d|\d)",
            'W' => r"(?P<W>5[0-3]|[0-4]\d|\d)",
            'w' => "(?P<w>[0-6])",
            'u' => "(?P<u>[1-7])",
            'V' => r"(?P<V>5[0-3]|0[1-9]|[1-4]\d|\d)",
            'y' => r"(?P<y>\d\d)",
            'Y' => r"(?P<Y>\d\d\d\d)",
            'z' => r"(?P<z>[+-]\d\d:?[0-5]\d(?::?[0-5]\d(?:\.\d{1,6})?)?|(?-i:Z))",
            'p' => "(?P<p>am|pm)",
            'Z' => "(?P<Z>utc|gmt)",
            '%' => "%",
            'A' => {
                pattern.push_str(&format!("(?P<A>{DAYS})"));
                continue;
            }
            'a' => {
                pattern.push_str(&format!("(?P<a>{DAYS_SHORT})"));
                continue;
            }
            'B' => {
                pattern.push_str(&format!("(?P<B>{MONTHS})"));
                continue;
            }
            'b' => {
                pattern.push_str(&format!("(?P<b>{MONTHS_SHORT})"));
                continue;
            }
            'c' => {
                expand("%a %b %d %H:%M:%S %Y", pattern, seen)?;
                continue;
            }
            'x' => {
                expand("%m/%d/%y", pattern, seen)?;
                continue;
            }
            'X' => {
                expand("%H:%M:%S", pattern, seen)?;
                continue;
            }
            other => return Err(format!("the format `{format}` has `%{other}`, which Python does not know")),
        };
        // Python's digits are of any script, and so are the pattern's.
        pattern.push_str(part);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_read_as_python_reads_them() {
        let reads = |format: &str, text: &str| Strptime::new(format).unwrap().reads(text);
        assert!(reads("%Y-%m-%d", "2024-02-29"));
        assert!(!reads("%Y-%m-%d", "2023-02-29"));
        assert!(reads("%Y-%m-%d", "2024-2-9"));
        assert!(!reads("%Y-%m-%d", "2024-02-09 "));
        assert!(reads("%d %B %Y", "1 MARCH 2024"));
        assert!(!reads("%H:%M:%S", "10:00:60"));
        assert!(reads("%Y-%m-%dT%H:%M:%S%z", "2024-01-01T00:00:00+01:00"));
        assert!(reads("%Y %j", "2024 366"));
        assert!(!reads("%d.%m", "29.02"));
        assert!(Strptime::new("%Q").is_err());
    }
}
