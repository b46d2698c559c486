//! Patterns of Python and of SQL: as those of the `regex` crate, which no text can make slow, and where a pattern looks around or back,
//! by `fancy-regex`, which gives up after a number of steps.

use std::sync::Arc;

use regex::Regex;

/// Steps back that a pattern may take on one text.
const MOST_STEPS: usize = 1_000_000;

/// A pattern to be searched for anywhere in a text.
#[derive(Debug, Clone)]
pub(crate) enum Pattern {
    Plain(Regex),
    /// It looks ahead, behind, or back at what it has matched.
    Looking(Arc<fancy_regex::Regex>),
}

impl Pattern {
    /// Reads a pattern as Python writes it.
    pub(crate) fn python(pattern: &str) -> Result<Self, String> {
        let written = python_pattern(pattern);
        let error = match Regex::new(&written) {
            Ok(regex) => return Ok(Self::Plain(regex)),
            Err(error) => error.to_string(),
        };
        let looking = fancy_regex::RegexBuilder::new(&written).backtrack_limit(MOST_STEPS).build();
        looking.map(|regex| Self::Looking(Arc::new(regex))).map_err(|_| {
            format!("the pattern `{pattern}` is not supported: {}", error.lines().last().unwrap_or_default().trim_start_matches("error: "))
        })
    }

    /// SQL's LIKE over the whole text: `%` for anything, `_` for one letter, `\` before either for itself.
    pub(crate) fn like(pattern: &str) -> Result<Self, String> {
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
        Regex::new(&out).map(Self::Plain).map_err(|error| error.to_string())
    }

    /// Returns whether the pattern is found in a text.
    ///
    /// # Errors
    /// One sentence, if it takes too many steps to tell.
    pub(crate) fn is_match(&self, text: &str) -> Result<bool, String> {
        match self {
            Self::Plain(regex) => Ok(regex.is_match(text)),
            Self::Looking(regex) => regex.is_match(text).map_err(|_| {
                let letters: String = text.chars().take(40).collect();
                format!("the pattern takes more than {MOST_STEPS} steps on `{letters}`; write it without nested repetitions")
            }),
        }
    }

    /// Returns whether a text may be beyond it.
    pub(crate) fn may_refuse(&self) -> bool {
        matches!(self, Self::Looking(_))
    }
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
                // Marks are no letters to Python, and some signs of control are spaces.
                Some('w') => out.push_str(if in_class { r"\p{L}\p{N}_" } else { r"[\p{L}\p{N}_]" }),
                Some('W') => out.push_str(r"[^\p{L}\p{N}_]"),
                Some('s') => out.push_str(if in_class { r"\s\x1c-\x1f" } else { r"[\s\x1c-\x1f]" }),
                Some('S') => out.push_str(r"[^\s\x1c-\x1f]"),
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
