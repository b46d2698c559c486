//! Whether a text reads as JSON as Python's `json` does, and as a date as the parser of `dateutil` does.
//!
//! `dateutil` guesses; this follows its rules for what comes up in tables: numbers, names of months and days, times, zones.

use jiff::civil::Date;

const MONTHS: [&str; 12] =
    ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const JUMPS: [&str; 12] = ["at", "on", "and", "ad", "m", "t", "of", "st", "nd", "rd", "th", "z"];

/// Returns whether Python's `json.loads` takes a text: as JSON says, and `NaN` and `Infinity` besides.
pub(crate) fn is_json(text: &str) -> bool {
    if serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok() {
        return true;
    }
    if !text.contains("NaN") && !text.contains("Infinity") {
        return false;
    }
    // Outside of texts, these words are numbers to Python.
    let mut plain = String::new();
    let mut in_text = false;
    let mut escaped = false;
    let mut rest = text;
    while let Some(letter) = rest.chars().next() {
        if !in_text && let Some(word) = ["-Infinity", "Infinity", "NaN"].iter().find(|word| rest.starts_with(**word)) {
            plain.push('0');
            rest = &rest[word.len()..];
            continue;
        }
        if letter == '"' && !escaped {
            in_text = !in_text;
        }
        escaped = in_text && letter == '\\' && !escaped;
        plain.push(letter);
        rest = &rest[letter.len_utf8()..];
    }
    serde_json::from_str::<serde::de::IgnoredAny>(&plain).is_ok()
}

/// Returns whether a text reads as a date or a time.
pub(crate) fn reads(text: &str) -> bool {
    let text = text.chars().map(plain_digit).collect::<String>();
    let tokens = tokens(&text);
    let mut parts = Parts::default();
    let mut place = 0;
    while place < tokens.len() {
        let Some(taken) = parts.take(&tokens, place) else { return false };
        place += taken;
    }
    parts.any && parts.is_date()
}

/// Digits of other scripts are digits to Python.
fn plain_digit(letter: char) -> char {
    const ZEROS: [u32; 7] = [0x660, 0x6f0, 0x966, 0x9e6, 0xe50, 0xff10, 0x7c0];
    let digit = ZEROS.iter().find_map(|zero| (u32::from(letter)).checked_sub(*zero).filter(|digit| *digit < 10));
    digit.and_then(|digit| char::from_digit(digit, 10)).unwrap_or(letter)
}

fn tokens(text: &str) -> Vec<&str> {
    let class = |letter: char| {
        if letter.is_ascii_digit() || letter == '.' {
            0
        } else if letter.is_alphabetic() {
            1
        } else if letter.is_whitespace() {
            2
        } else {
            3
        }
    };
    let mut tokens = Vec::new();
    let mut start = 0;
    let mut last = None;
    for (place, letter) in text.char_indices() {
        let class = class(letter);
        if last.is_some_and(|last| last != class || class == 3) {
            tokens.push(&text[start..place]);
            start = place;
        }
        last = Some(class);
    }
    if start < text.len() {
        tokens.push(&text[start..]);
    }
    tokens
}

#[derive(Debug, Default)]
struct Parts {
    any: bool,
    numbers: Vec<i64>,
    /// Place among the numbers of one that can only be a year.
    year: Option<usize>,
    month: Option<i64>,
    hour: Option<i64>,
}

impl Parts {
    /// Takes what begins at a token, and returns how many tokens it was.
    fn take(&mut self, tokens: &[&str], place: usize) -> Option<usize> {
        let token = tokens[place];
        let next = |ahead: usize| tokens.get(place + ahead).copied().unwrap_or_default();
        if token.trim().is_empty() || matches!(token, "-" | "/" | "," | ";" | "'" | "." | "(" | ")") {
            return Some(1);
        }
        if token == "+" {
            let zone = next(1).len() <= 4 && next(1).bytes().all(|byte| byte.is_ascii_digit()) && !next(1).is_empty();
            return (zone && self.hour.is_some()).then_some(if next(2) == ":" { 4 } else { 2 });
        }
        let lower = token.to_lowercase();
        if token.starts_with(char::is_alphabetic) {
            let month = MONTHS.iter().position(|name| lower == *name || lower == name[..3] || (lower == "sept" && *name == "september"));
            if let Some(month) = month {
                self.any = true;
                return self.month.replace(month as i64 + 1).is_none().then_some(1);
            }
            if DAYS.iter().any(|name| lower == *name || lower == name[..3]) {
                self.any = true;
                return Some(1);
            }
            if matches!(lower.as_str(), "am" | "pm" | "a" | "p") {
                return self.hour.filter(|hour| (0..=12).contains(hour)).map(|_| 1);
            }
            let zone = self.hour.is_some() && token.len() <= 5 && token.bytes().all(|byte| byte.is_ascii_uppercase());
            return (JUMPS.contains(&lower.as_str()) || matches!(lower.as_str(), "utc" | "gmt") || zone).then_some(1);
        }
        if !token.starts_with(|letter: char| letter.is_ascii_digit()) {
            return None;
        }
        self.any = true;
        if next(1) == ":" {
            return self.clock(tokens, place);
        }
        if matches!(next(1).to_lowercase().as_str(), "am" | "pm")
            || (next(1) == " " && matches!(next(2).to_lowercase().as_str(), "am" | "pm"))
        {
            let hour: i64 = token.parse().ok()?;
            self.hour = Some(hour);
            return (1..=12).contains(&hour).then_some(1);
        }
        // One point within is that of a number, which counts as a whole one; several part a date.
        if let [whole, part] = token.split('.').collect::<Vec<_>>()[..]
            && !whole.is_empty()
            && !part.is_empty()
            && whole.len() < 5
        {
            self.number(whole)?;
            return Some(1);
        }
        for part in token.split('.').filter(|part| !part.is_empty()) {
            self.number(part)?;
        }
        Some(1)
    }

    fn clock(&mut self, tokens: &[&str], place: usize) -> Option<usize> {
        let number = |ahead: usize| tokens.get(place + ahead).and_then(|token| token.parse::<f64>().ok());
        let hour = number(0)?;
        let minute = number(2)?;
        let mut taken = 3;
        if tokens.get(place + 3) == Some(&":") {
            let second = number(4)?;
            if second >= 60.0 {
                return None;
            }
            taken = 5;
        }
        self.hour = Some(hour as i64);
        (hour < 24.0 && minute < 60.0).then_some(taken)
    }

    fn number(&mut self, digits: &str) -> Option<()> {
        let value = |range: std::ops::Range<usize>| digits.get(range).and_then(|part| part.parse::<i64>().ok());
        match digits.len() {
            8 | 12 | 14 => {
                self.year = Some(self.numbers.len());
                self.numbers.extend([value(0..4)?, value(4..6)?, value(6..8)?]);
                if digits.len() > 8 {
                    let (hour, minute) = (value(8..10)?, value(10..12)?);
                    self.hour = Some(hour);
                    return (hour < 24 && minute < 60).then_some(());
                }
            }
            6 if self.numbers.is_empty() => self.numbers.extend([value(0..2)?, value(2..4)?, value(4..6)?]),
            length => {
                let number: i64 = digits.parse().ok()?;
                if length > 2 && self.year.is_none() {
                    self.year = Some(self.numbers.len());
                }
                self.numbers.push(number);
            }
        }
        (self.numbers.len() <= 3).then_some(())
    }

    fn is_date(&self) -> bool {
        let date = |year: i64, month: i64, day: i64| {
            let year = if year < 100 { year + 2000 } else { year };
            matches!((i16::try_from(year), i8::try_from(month), i8::try_from(day)), (Ok(year), Ok(month), Ok(day)) if year > 0 && Date::new(year, month, day).is_ok())
        };
        match (self.month, &self.numbers[..]) {
            (_, []) => true,
            (Some(month), [a]) => self.year == Some(0) || *a > 31 || date(2024, month, *a),
            (Some(month), [a, b]) => {
                if self.year == Some(0) || *a > 31 {
                    date(*a, month, *b)
                } else {
                    date(*b, month, *a)
                }
            }
            (Some(_), _) => false,
            (None, [a]) => self.year == Some(0) || *a > 31 || (1..=31).contains(a),
            (None, [a, b]) => {
                let (month, year_first) = if *a > 31 || self.year == Some(0) { (*b, true) } else { (*a, false) };
                if year_first || *b > 31 { (1..=12).contains(&month) } else { date(2024, *a, *b) || (*a > 12 && date(2024, *b, *a)) }
            }
            (None, [a, b, c]) => {
                if *a > 31 || self.year == Some(0) {
                    date(*a, *b, *c)
                } else if *a > 12 {
                    date(*c, *b, *a)
                } else {
                    date(*c, *a, *b)
                }
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_guessed_as_dateutil_guesses() {
        for text in [
            "2024-01-31",
            "01/31/2024",
            "31.12.2024",
            "Jan 5, 2024",
            "5 March 2024 10:30",
            "20240131",
            "2024-01-31T10:00:00Z",
            "10:30 pm",
            "Monday",
        ] {
            assert!(reads(text), "{text}");
        }
        for text in ["2024-13-01", "soon", "", "2024-02-30", "hello world", "2024-01-01-02", "25:00"] {
            assert!(!reads(text), "{text}");
        }
    }

    #[test]
    fn json_is_what_python_takes() {
        assert!(is_json(r#"{"a": NaN, "b": "Infinity"}"#));
        assert!(is_json("1"));
        assert!(!is_json("{broken"));
        assert!(!is_json("nan"));
    }
}
