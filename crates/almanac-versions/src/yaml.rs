//! YAML exactly as DVC's writer (ruamel.yaml, version 1.2, block style) puts it, so that both programs write the same bytes.
//!
//! Not here: reading (`document.rs`).

use std::sync::LazyLock;

use regex::Regex;
use serde_yaml_ng::{Mapping, Value};

/// Columns after which a line is folded at the next space.
const WIDTH: usize = 80;

/// Writes a document. Mappings keep their order.
pub(crate) fn write(document: &Value) -> String {
    let mut text = String::new();
    match document {
        Value::Mapping(mapping) if !mapping.is_empty() => write_mapping(&mut text, mapping, 0, false),
        Value::Sequence(items) if !items.is_empty() => write_sequence(&mut text, items, 0),
        other => {
            text.push_str(&inline(other, 0, 0));
            text.push('\n');
        }
    }
    text
}

/// `follows_dash`: the first key stands behind `- `, on a line already begun.
fn write_mapping(text: &mut String, mapping: &Mapping, indent: usize, follows_dash: bool) {
    for (at, (key, value)) in mapping.iter().enumerate() {
        if at > 0 || !follows_dash {
            text.push_str(&" ".repeat(indent));
        }
        let key = inline(key, usize::MAX, indent);
        text.push_str(&key);
        text.push(':');
        match value {
            Value::Mapping(inner) if !inner.is_empty() => {
                text.push('\n');
                write_mapping(text, inner, indent + 2, false);
            }
            Value::Sequence(items) if !items.is_empty() => {
                text.push('\n');
                write_sequence(text, items, indent);
            }
            // A null in a mapping is left blank.
            Value::Null => text.push('\n'),
            other => {
                text.push(' ');
                text.push_str(&inline(other, indent + key.chars().count() + 2, indent + 2));
                text.push('\n');
            }
        }
    }
}

fn write_sequence(text: &mut String, items: &[Value], indent: usize) {
    for item in items {
        text.push_str(&" ".repeat(indent));
        text.push('-');
        match item {
            Value::Mapping(inner) if !inner.is_empty() => {
                text.push(' ');
                write_mapping(text, inner, indent + 2, true);
            }
            Value::Sequence(inner) if !inner.is_empty() => {
                let mut nested = String::new();
                write_sequence(&mut nested, inner, indent + 2);
                text.push(' ');
                text.push_str(nested.trim_start());
            }
            Value::Null => text.push('\n'),
            other => {
                text.push(' ');
                text.push_str(&inline(other, indent + 2, indent + 2));
                text.push('\n');
            }
        }
    }
}

/// One value on a line that has come to `column`; `usize::MAX` for a key, which is never folded.
fn inline(value: &Value, column: usize, indent: usize) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Number(value) => number(value),
        Value::String(value) => scalar(value, column, indent),
        Value::Sequence(items) => {
            let items: Vec<String> = items.iter().map(|item| inline(item, usize::MAX, indent)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Mapping(mapping) => {
            let pairs: Vec<String> = mapping
                .iter()
                .map(|(key, value)| format!("{}: {}", inline(key, usize::MAX, indent), inline(value, usize::MAX, indent)))
                .collect();
            format!("{{{}}}", pairs.join(", "))
        }
        Value::Tagged(tagged) => format!("{} {}", tagged.tag, inline(&tagged.value, column, indent)),
    }
}

fn number(value: &serde_yaml_ng::Number) -> String {
    match value.as_f64() {
        Some(float) if value.is_f64() && float.is_finite() => {
            let text = format!("{float:?}");
            // Python writes an exponent with its sign and two digits at least.
            match text.split_once('e') {
                Some((mantissa, exponent)) => {
                    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
                    let mantissa = if mantissa.contains('.') { mantissa.to_owned() } else { format!("{mantissa}.0") };
                    format!("{mantissa}e{sign}{digits:0>2}")
                }
                None => text,
            }
        }
        _ => value.to_string(),
    }
}

/// Writes a text so that it is read as this text, quoted only where DVC's writer would.
fn scalar(text: &str, column: usize, indent: usize) -> String {
    let shape = Shape::of(text);
    if shape.is_plain && !is_something_else(text) {
        return fold_plain(text, column, indent);
    }
    if text.contains(['\'', '\n']) || !shape.is_single_quotable {
        return double_quoted(text, column, indent);
    }
    fold_quoted(text, column, indent)
}

struct Shape {
    is_plain: bool,
    is_single_quotable: bool,
}

impl Shape {
    fn of(text: &str) -> Self {
        const SPACES: &[char] = &['\0', ' ', '\t', '\r', '\n', '\u{85}', '\u{2028}', '\u{2029}'];
        const BREAKS: &[char] = &['\n', '\u{85}', '\u{2028}', '\u{2029}'];
        let chars: Vec<char> = text.chars().collect();
        let (Some(&first), Some(&last)) = (chars.first(), chars.last()) else {
            return Self { is_plain: false, is_single_quotable: true };
        };
        let mut is_plain = !text.starts_with("---") && !text.starts_with("...");
        let mut is_single_quotable = true;
        for (at, &char) in chars.iter().enumerate() {
            let space_follows = chars.get(at + 1).is_none_or(|next| SPACES.contains(next));
            let space_before = at == 0 || SPACES.contains(&chars[at - 1]);
            let is_indicator = if at == 0 {
                "#,[]{}&*!|>'\"%@`".contains(char) || ("?:-".contains(char) && space_follows)
            } else {
                (char == ':' && space_follows) || (char == '#' && space_before)
            };
            is_plain &= !is_indicator;
            let is_printable = char == '\n'
                || (' '..='~').contains(&char)
                || (char == '\u{85}' || ('\u{a0}'..='\u{fffd}').contains(&char) || char >= '\u{10000}') && char != '\u{feff}';
            if !is_printable {
                is_plain = false;
                is_single_quotable = false;
            }
            if BREAKS.contains(&char) {
                is_plain = false;
                // A break beside a space would be folded away.
                let beside_space = at > 0 && chars[at - 1] == ' ' || chars.get(at + 1) == Some(&' ');
                is_single_quotable &= !beside_space;
            }
        }
        is_plain &= first != ' ' && last != ' ';
        Self { is_plain, is_single_quotable }
    }
}

/// Tells whether a plain text would be read as a number, a date, a truth value or nothing.
fn is_something_else(text: &str) -> bool {
    static OTHERS: LazyLock<Regex> = LazyLock::new(|| {
        let patterns = [
            r"true|True|TRUE|false|False|FALSE|~|null|Null|NULL|<<|=|",
            r"[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*[eE][-+]?[0-9]+|[-+]?\.[0-9_]+(?:[eE][-+][0-9]+)?",
            r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
            r"[-+]?0b[01_]+|[-+]?0o?[0-7_]+|[-+]?[0-9_]+|[-+]?0x[0-9a-fA-F_]+",
            r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
            r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?",
        ];
        Regex::new(&format!("^(?:{})$", patterns.join("|"))).expect("a fixed pattern")
    });
    // `_` and `+_` look like numbers to the pattern only.
    let first_is_possible = text.chars().next().is_none_or(|first| "tTfF~nN<=-+.0123456789".contains(first));
    first_is_possible && OTHERS.is_match(text)
}

/// Folds at single spaces once the line is full, and gives a word that does not fit a line of its own.
fn fold_plain(text: &str, mut column: usize, indent: usize) -> String {
    if column == usize::MAX {
        return text.to_owned();
    }
    let line_break = format!("\n{}", " ".repeat(indent));
    let mut out = String::new();
    // The writer has put the space before a value itself, and counts it.
    for (word, spaces) in words(text) {
        let length = word.chars().count();
        if length + column > WIDTH && column > indent && !word.is_empty() {
            // The blank before the word stays at the end of the line.
            out.push_str(&line_break);
            column = indent;
        }
        out.push_str(word);
        column += length;
        if spaces.len() == 1 && column >= WIDTH {
            out.push_str(&line_break);
            column = indent;
        } else {
            out.push_str(spaces);
            column += spaces.len();
        }
    }
    out
}

fn fold_quoted(text: &str, column: usize, indent: usize) -> String {
    let is_foldable = column != usize::MAX;
    let line_break = format!("\n{}", " ".repeat(indent));
    let mut column = if is_foldable { column + 1 } else { 0 };
    let mut out = String::from("'");
    let mut at = 0;
    for (word, spaces) in words(text) {
        let length = word.chars().count();
        // Breaks that are no `\n` are written with the line they end.
        for char in word.chars() {
            out.push(char);
            if matches!(char, '\u{85}' | '\u{2028}' | '\u{2029}') {
                out.push_str(&" ".repeat(indent));
            }
        }
        column += length;
        let is_inside = at + word.len() > 0 && at + word.len() + spaces.len() < text.len();
        if spaces.len() == 1 && column > WIDTH && is_foldable && is_inside {
            out.push_str(&line_break);
            column = indent;
        } else {
            out.push_str(spaces);
            column += spaces.len();
        }
        at += word.len() + spaces.len();
    }
    out.push('\'');
    out
}

/// Each run of other characters with the run of spaces behind it.
fn words(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let word_end = rest.find(' ').unwrap_or(rest.len());
        let spaces_end = rest[word_end..].find(|char| char != ' ').map_or(rest.len(), |more| word_end + more);
        let pair = (&rest[..word_end], &rest[word_end..spaces_end]);
        rest = &rest[spaces_end..];
        Some(pair)
    })
}

/// Never folded: the rare names that come here are short, and any reader takes a long line.
fn double_quoted(text: &str, _column: usize, _indent: usize) -> String {
    let mut out = String::from("\"");
    for char in text.chars() {
        let escape = match char {
            '\0' => "\\0",
            '\u{7}' => "\\a",
            '\u{8}' => "\\b",
            '\t' => "\\t",
            '\n' => "\\n",
            '\u{b}' => "\\v",
            '\u{c}' => "\\f",
            '\r' => "\\r",
            '\u{1b}' => "\\e",
            '"' => "\\\"",
            '\\' => "\\\\",
            '\u{85}' => "\\N",
            '\u{2028}' => "\\L",
            '\u{2029}' => "\\P",
            ' '..='~' => {
                out.push(char);
                continue;
            }
            '\u{feff}' | '\u{fffe}' | '\u{ffff}' => {
                out.push_str(&format!("\\u{:04X}", u32::from(char)));
                continue;
            }
            '\u{a0}'.. => {
                out.push(char);
                continue;
            }
            _ => {
                out.push_str(&format!("\\x{:02X}", u32::from(char)));
                continue;
            }
        };
        out.push_str(escape);
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use serde_yaml_ng::{Mapping, Value};

    use super::*;

    #[test]
    fn names_are_written_as_dvcs_own_writer_does() {
        let cases: Vec<(String, String)> = serde_json::from_str(include_str!("../tests/fixtures/yaml.json")).expect("a list of pairs");
        let mut wrong = Vec::new();
        for (name, wanted) in &cases {
            let entry: [(&str, Value); 4] = [
                ("md5", format!("{}a", "0".repeat(31)).into()),
                ("size", 1.into()),
                ("hash", "md5".into()),
                ("path", name.as_str().into()),
            ];
            let entry: Mapping = entry.into_iter().map(|(key, value)| (Value::from(key), value)).collect();
            let document = Mapping::from_iter([(Value::from("outs"), Value::Sequence(vec![Value::Mapping(entry)]))]);
            let written = write(&Value::Mapping(document));
            if &written != wanted {
                wrong.push(format!("{name:?}\n{written}--- wanted\n{wanted}"));
            }
        }
        assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong[..wrong.len().min(12)].join("\n"));
    }
}
