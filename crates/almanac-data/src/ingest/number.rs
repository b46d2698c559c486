//! Numbers as people write them: decimal points and commas, thousands groups, currency signs, infinities.
//!
//! [`shape`] says which styles a cell fits; which one a column uses is settled over the whole column (`profile`), because
//! `1.234` and `1,234` each mean two things.
//!
//! Not here: null markers, dates, types of columns.

/// How a column writes its decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum DecimalMark {
    /// `1234.5`, groups as in `1,234.5`.
    Point,
    /// `1234,5`, groups as in `1.234,5`.
    Comma,
}

/// What a cell that might be a number looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Digits with an optional sign; fits an `i64`.
    Integer(i64),
    /// Digits only, but with a zero in front of others, as codes have it.
    ZeroPadded,
    /// Digits only, more than an `i64` holds.
    TooLong,
    /// `12.5`, `1e3`, `.5`: a decimal point whatever the column says.
    Point,
    /// `1.234`: a decimal point, or a group in a column with decimal commas.
    PointOrGroup,
    /// `12,5`: a decimal comma.
    Comma,
    /// `1,234`: a decimal comma, or a group in a column with decimal points.
    CommaOrGroup,
    /// `1,234,567` or `1,234.5`.
    PointGrouped,
    /// `1.234.567` or `1.234,5`.
    CommaGrouped,
    /// `inf`, `-Infinity`.
    Infinite,
    /// Not a number.
    Other,
}

/// Returns which number styles a trimmed, non-empty cell fits.
pub(crate) fn shape(cell: &str) -> Shape {
    let bytes = cell.as_bytes();
    let unsigned = match bytes.first() {
        Some(b'+' | b'-') => &bytes[1..],
        _ => bytes,
    };
    if !unsigned.is_empty() && unsigned.iter().all(u8::is_ascii_digit) {
        return if unsigned.len() > 1 && unsigned[0] == b'0' {
            Shape::ZeroPadded
        } else {
            cell.parse().map_or(Shape::TooLong, Shape::Integer)
        };
    }
    match unsigned.first() {
        Some(b'0'..=b'9' | b'.' | b',') => {}
        Some(b'i' | b'I') => return if infinity(cell).is_some() { Shape::Infinite } else { Shape::Other },
        Some(byte) if !byte.is_ascii() || *byte == b'$' => {}
        _ => return Shape::Other,
    }
    let plain = strip_money_and_blanks(cell);
    grouped_shape(plain.as_deref().unwrap_or(cell))
}

fn grouped_shape(cell: &str) -> Shape {
    let body = cell.strip_prefix(['+', '-']).unwrap_or(cell);
    let (points, commas) = (body.matches('.').count(), body.matches(',').count());
    match (points, commas) {
        (0, 0) if body.bytes().all(|b| b.is_ascii_digit()) && !body.is_empty() => cell.parse().map_or(Shape::TooLong, Shape::Integer),
        (0 | 1, 0) if is_float(body) => {
            if is_one_group(body, '.') {
                Shape::PointOrGroup
            } else {
                Shape::Point
            }
        }
        (0, 1) if is_float(&body.replace(',', ".")) => {
            if is_one_group(body, ',') {
                Shape::CommaOrGroup
            } else {
                Shape::Comma
            }
        }
        (0 | 1, _) if is_grouped(body, ',', '.') => Shape::PointGrouped,
        (_, 0 | 1) if is_grouped(body, '.', ',') => Shape::CommaGrouped,
        _ => Shape::Other,
    }
}

/// Reads a trimmed cell in the style of its column; `None` where it is no number or too large for one.
pub(crate) fn parse(cell: &str, mark: DecimalMark) -> Option<f64> {
    if mark == DecimalMark::Point
        && cell.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'-' | b'+' | b'e' | b'E'))
        && let Ok(value) = cell.parse::<f64>()
    {
        return value.is_finite().then_some(value);
    }
    if let Some(value) = infinity(cell) {
        return Some(value);
    }
    let plain = strip_money_and_blanks(cell);
    let text = plain.as_deref().unwrap_or(cell);
    let (group, decimal) = match mark {
        DecimalMark::Point => (',', '.'),
        DecimalMark::Comma => ('.', ','),
    };
    let body = text.strip_prefix(['+', '-']).unwrap_or(text);
    let value: f64 = if body.contains(group) {
        if !is_grouped(body, group, decimal) {
            return None;
        }
        text.chars().filter(|c| *c != group).map(|c| if c == decimal { '.' } else { c }).collect::<String>().parse().ok()?
    } else {
        let dotted = if decimal == ',' { text.replace(',', ".") } else { text.to_owned() };
        if !is_float(dotted.strip_prefix(['+', '-']).unwrap_or(&dotted)) {
            return None;
        }
        dotted.parse().ok()?
    };
    value.is_finite().then_some(value)
}

/// Reads a trimmed cell as a whole number in the style of its column.
pub(crate) fn parse_integer(cell: &str, mark: DecimalMark) -> Option<i64> {
    if let Ok(value) = cell.parse::<i64>() {
        return Some(value);
    }
    let value = parse(cell, mark)?;
    // Above 2^53 a float no longer holds every whole number.
    (value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0).then_some(value as i64)
}

fn infinity(cell: &str) -> Option<f64> {
    let (sign, word) = match cell.as_bytes().first()? {
        b'-' => (-1.0, &cell[1..]),
        b'+' => (1.0, &cell[1..]),
        _ => (1.0, cell),
    };
    (word.eq_ignore_ascii_case("inf") || word.eq_ignore_ascii_case("infinity")).then_some(sign * f64::INFINITY)
}

/// Takes off a currency sign at either end and blanks or apostrophes between groups of three; `None` if there are none.
fn strip_money_and_blanks(cell: &str) -> Option<String> {
    const MONEY: [char; 4] = ['$', '€', '£', '¥'];
    if cell.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b',' | b'-' | b'+' | b'e' | b'E')) {
        return None;
    }
    let (sign, body) = match cell.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", cell),
    };
    let body = body.trim_start_matches(MONEY).trim_end_matches(MONEY).trim();
    let (sign, body) = match body.strip_prefix('-') {
        Some(rest) if sign.is_empty() => ("-", rest),
        _ => (sign, body),
    };
    let is_blank = |c: char| matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\'' | '’');
    if !body.contains(is_blank) {
        return Some(format!("{sign}{body}"));
    }
    let whole = body.split(['.', ',']).next().unwrap_or(body);
    let mut groups = whole.split(is_blank);
    let first = groups.next().unwrap_or("");
    let is_group =
        |group: &str, lengths: std::ops::RangeInclusive<usize>| lengths.contains(&group.len()) && group.bytes().all(|b| b.is_ascii_digit());
    if !is_group(first, 1..=3) || !groups.all(|group| is_group(group, 3..=3)) || body[whole.len()..].contains(is_blank) {
        return Some(cell.to_owned());
    }
    Some(format!("{sign}{}", body.replace(is_blank, "")))
}

/// `digits [. digits] [e digits]`, with a digit somewhere before the exponent.
fn is_float(body: &str) -> bool {
    let (number, exponent) = match body.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, Some(exponent)),
        None => (body, None),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let are_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let exponent_is_sound = exponent.is_none_or(|text| {
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        !digits.is_empty() && are_digits(digits)
    });
    !(whole.is_empty() && fraction.is_empty()) && are_digits(whole) && are_digits(fraction) && exponent_is_sound
}

/// `1.234`: one to three digits not led by zero, the mark, three digits.
fn is_one_group(body: &str, mark: char) -> bool {
    body.split_once(mark).is_some_and(|(whole, rest)| (1..=3).contains(&whole.len()) && !whole.starts_with('0') && rest.len() == 3)
}

/// `1,234,567.8` for the group mark `,` and the decimal mark `.`.
fn is_grouped(body: &str, group: char, decimal: char) -> bool {
    let (whole, fraction) = body.split_once(decimal).unwrap_or((body, ""));
    let are_digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let mut groups = whole.split(group);
    let first = groups.next().unwrap_or("");
    (1..=3).contains(&first.len()) && are_digits(first) && groups.all(|part| part.len() == 3 && are_digits(part)) && are_digits(fraction)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_the_style_of_their_column() {
        for (cell, point, comma) in [
            ("12.5", Some(12.5), None),
            ("12,5", None, Some(12.5)),
            ("1,234.5", Some(1234.5), None),
            ("1.234,5", None, Some(1234.5)),
            ("1.234", Some(1.234), Some(1234.0)),
            ("1,234", Some(1234.0), Some(1.234)),
            ("-1e308", Some(-1e308), Some(-1e308)),
            ("1e309", None, None),
            ("-inf", Some(f64::NEG_INFINITY), Some(f64::NEG_INFINITY)),
            ("$1,200.50", Some(1200.5), None),
            ("1 234,5 €", None, Some(1234.5)),
            ("-5", Some(-5.0), Some(-5.0)),
            ("12 34", None, None),
            ("1,23,4", None, None),
            ("abc", None, None),
            (".", None, None),
            ("", None, None),
        ] {
            assert_eq!((parse(cell, DecimalMark::Point), parse(cell, DecimalMark::Comma)), (point, comma), "{cell}");
        }
    }

    #[test]
    fn codes_with_zeros_in_front_are_told_from_numbers() {
        assert_eq!(shape("007"), Shape::ZeroPadded);
        assert_eq!(shape("0"), Shape::Integer(0));
        assert_eq!(shape("123456789012345678901"), Shape::TooLong);
    }
}
