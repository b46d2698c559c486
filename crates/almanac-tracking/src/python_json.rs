//! JSON as Python writes it: with `NaN`, `Infinity` and `-Infinity` as values.
//!
//! What Optuna's workers store is given back as it came and is read by Python again, all of a study at a time. A value that
//! Python cannot read would keep everybody from the study, so it is refused here.
//!
//! Not here: what the JSON means (`distribution`).

use std::borrow::Cow;

use serde::de::IgnoredAny;
use serde_json::Value;

/// Deepest nesting; Python gives up at about 1000.
const MOST_DEPTH: usize = 500;
/// Longest run of digits; Python reads no integer of more than 4300.
const MOST_DIGITS: usize = 4_000;

/// Writes the words that JSON does not know as lists of one text, which cannot stand where a key must be.
fn plain(text: &str) -> Result<Cow<'_, str>, String> {
    let bytes = text.as_bytes();
    let mut plain = String::new();
    let (mut copied, mut at, mut depth, mut digits) = (0, 0, 0_usize, 0);
    while let Some(&byte) = bytes.get(at) {
        digits = if byte.is_ascii_digit() { digits + 1 } else { 0 };
        if digits > MOST_DIGITS {
            return Err(format!("a number has more than {MOST_DIGITS} digits"));
        }
        match byte {
            b'"' => {
                at += 1;
                while bytes.get(at).is_some_and(|&byte| byte != b'"') {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
            }
            b'[' | b'{' => {
                depth += 1;
                if depth > MOST_DEPTH {
                    return Err(format!("it is nested more than {MOST_DEPTH} deep"));
                }
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'N' | b'I' => {
                if let Some(word) = ["NaN", "Infinity"].into_iter().find(|word| text[at..].starts_with(word)) {
                    let is_negative = word == "Infinity" && text[copied..at].ends_with('-');
                    plain.push_str(&text[copied..at - usize::from(is_negative)]);
                    plain.push_str(if is_negative { "[\"\\u0000-" } else { "[\"\\u0000" });
                    plain.push_str(word);
                    plain.push_str("\"]");
                    at += word.len();
                    copied = at;
                    continue;
                }
            }
            _ => {}
        }
        at += 1;
    }
    if copied == 0 {
        return Ok(Cow::Borrowed(text));
    }
    plain.push_str(&text[copied..]);
    Ok(Cow::Owned(plain))
}

/// Checks that Python can read it.
pub(crate) fn check(text: &str) -> Result<(), String> {
    serde_json::from_str::<IgnoredAny>(&plain(text)?).map(|_| ()).map_err(|error| error.to_string())
}

/// Reads it. Numbers that are none are lists of one text, which [`number`] understands.
pub(crate) fn parse(text: &str) -> Result<Value, String> {
    serde_json::from_str(&plain(text)?).map_err(|error| error.to_string())
}

/// Reads a number, also one that JSON does not know.
pub(crate) fn number(value: &Value) -> Option<f64> {
    if let Some(word) = value.as_array().and_then(|list| list.first()).and_then(Value::as_str) {
        return match word {
            "\0NaN" => Some(f64::NAN),
            "\0Infinity" => Some(f64::INFINITY),
            "\0-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        };
    }
    value.as_f64()
}

/// Says whether Python finds two values equal, with NaN equal to itself: `1`, `1.0` and `True` are the same.
pub(crate) fn is_same(one: &Value, other: &Value) -> bool {
    let loose = |value: &Value| value.as_bool().map(f64::from).or_else(|| value.as_f64());
    match (one, other) {
        (Value::Number(one), Value::Number(other)) if one.is_i64() && other.is_i64() => one == other,
        _ => match (loose(one), loose(other)) {
            (Some(one), Some(other)) => one == other,
            _ => one == other,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_python_reads_is_accepted() {
        for good in
            ["1", "\"x\"", "null", "NaN", "-Infinity", "[NaN, {\"a\": Infinity, \"N\": \"NaN \\\" I\"}]", "\"\\ud800\"", "\"größe\""]
        {
            assert_eq!(check(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn what_python_cannot_read_is_refused() {
        let deep = "[".repeat(501) + &"]".repeat(501);
        let long = "1".repeat(4_001);
        for bad in ["", "{", "nan", "{NaN: 1}", "-NaN", "1NaN", "NaNNaN", "Infinityx", "\"\n\"", "\"", "\"\\", "[1,]", &deep, &long] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn values_are_compared_as_python_does() {
        let same = |one: &str, other: &str| is_same(&parse(one).expect("JSON"), &parse(other).expect("JSON"));
        for (one, other) in [("1", "1.0"), ("true", "1"), ("NaN", "NaN"), ("\"a\"", "\"\\u0061\""), ("[1]", "[1]"), ("null", "null")] {
            assert!(same(one, other), "{one} {other}");
        }
        for (one, other) in
            [("1", "\"1\""), ("null", "0"), ("NaN", "Infinity"), ("9007199254740993", "9007199254740992"), ("\"a\"", "\"A\"")]
        {
            assert!(!same(one, other), "{one} {other}");
        }
    }
}
