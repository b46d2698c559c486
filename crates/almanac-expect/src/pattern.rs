//! Patterns of Python and of SQL as those of the `regex` crate.

use regex::Regex;

pub(crate) fn regex(pattern: &str) -> Result<Regex, String> {
    Regex::new(&python_pattern(pattern)).map_err(|error| {
        let reason = error.to_string();
        if pattern.contains("(?=") || pattern.contains("(?!") || pattern.contains("(?<") {
            format!("the pattern `{pattern}` looks ahead or back, which is not supported: {}", reason.lines().last().unwrap_or_default())
        } else {
            format!("the pattern `{pattern}` is not supported: {}", reason.lines().last().unwrap_or_default())
        }
    })
}

/// Writes what Python spells otherwise: `\Z`, and `$`, which also holds before a last line end.
fn python_pattern(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut letters = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('Z') if !in_class => out.push_str("\\z"),
                Some(next) => out.extend(['\\', next]),
                None => out.push('\\'),
            },
            '[' if !in_class => {
                in_class = true;
                out.push('[');
                if letters.peek() == Some(&'^') {
                    out.extend(letters.next());
                }
                if letters.peek() == Some(&']') {
                    letters.next();
                    out.push_str("\\]");
                }
            }
            // Brackets, `&&`, `--` and `~~` within a class are letters in Python.
            '[' | '&' | '~' if in_class => out.extend(['\\', letter]),
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            '$' if !in_class && !pattern.contains("(?m") => out.push_str("(?:\\n?\\z)"),
            _ => out.push(letter),
        }
    }
    out
}

/// SQL's LIKE over the whole text: `%` for anything, `_` for one letter, `\` before either for itself.
pub(crate) fn like(pattern: &str) -> Result<Regex, String> {
    let mut out = String::from("(?s)\\A");
    let mut letters = pattern.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '%' => out.push_str(".*"),
            '_' => out.push('.'),
            '\\' => out.push_str(&regex::escape(&letters.next().unwrap_or('\\').to_string())),
            _ => out.push_str(&regex::escape(&letter.to_string())),
        }
    }
    out.push_str("\\z");
    Regex::new(&out).map_err(|error| error.to_string())
}
