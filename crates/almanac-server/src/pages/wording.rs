//! Numbers and names as people read them.

use jiff::Timestamp;

/// Returns a score with three decimals, or a dash.
pub(super) fn score(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"))
}

/// Returns a fraction as per cent with one decimal, or a dash.
pub(super) fn percent(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{:.1} %", value * 100.0))
}

/// Returns a fraction as per cent with its sign, or a dash.
pub(super) fn signed_percent(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{:+.1} %", value * 100.0).replace('-', "−"))
}

/// Returns a count with thin groups of three digits.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns an RFC 3339 instant as `31 Jan 2024, 10:15 UTC`; the text as it is where it is none.
pub(super) fn instant(text: &str) -> String {
    text.parse::<Timestamp>().map_or_else(|_| text.to_owned(), |time| time.strftime("%-d %b %Y, %H:%M UTC").to_string())
}

/// Returns the first characters of a long version, as git does.
pub(super) fn short(version: &str) -> &str {
    version.char_indices().nth(10).map_or(version, |(end, _)| &version[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(12), "12");
        assert_eq!(signed_percent(Some(-0.0312)), "−3.1 %");
        assert_eq!(instant("2024-01-31T10:15:00Z"), "31 Jan 2024, 10:15 UTC");
    }
}
