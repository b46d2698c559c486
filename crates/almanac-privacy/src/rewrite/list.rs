//! Lists of values in JSON and YAML, as suites of expectations have them: a value that is the subject's key is taken out, and all else stays
//! byte for byte.
//!
//! ```text
//! value_set: [C16, C17, C18]      "value_set": ["C16", "C17"]      - C17
//! ```
//!
//! Not here: any other place in such a file. A pattern or a remark is its author's to change.

use std::path::Path;

use crate::needles::Needles;

/// Returns whether taking values out of lists leaves nothing of the subject in a file.
pub(crate) fn is_enough(path: &Path, needles: &Needles) -> bool {
    let is_meant = path.extension().is_some_and(|end| ["json", "yaml", "yml"].iter().any(|known| end.eq_ignore_ascii_case(known)));
    let Some(text) = is_meant.then(|| std::fs::read_to_string(path).ok()).flatten() else { return false };
    without(&text, needles).is_some_and(|text| needles.mentions(text.as_bytes()) == 0)
}

/// Returns the text without values of lists that are the key, or `None` if there are none.
pub(crate) fn without(text: &str, needles: &Needles) -> Option<String> {
    let mut kept = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let value = line.trim().strip_prefix("- ").map(str::trim);
        if !value.is_some_and(|value| is_value(value, needles)) {
            kept.push_str(line);
        }
    }
    while let Some((start, end)) = item(&kept, needles) {
        kept.replace_range(start..end, "");
    }
    (kept != text).then_some(kept)
}

fn is_value(text: &str, needles: &Needles) -> bool {
    let bare = |quote: char| text.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    needles.is_key(bare('"').or_else(|| bare('\'')).unwrap_or(text).as_bytes())
}

/// The first item between brackets that is the key, with one of the commas beside it.
fn item(text: &str, needles: &Needles) -> Option<(usize, usize)> {
    let mut quote: Option<char> = None;
    let mut lists: Vec<char> = Vec::new();
    let mut from: Option<usize> = None;
    let mut is_escaped = false;
    for (at, c) in text.char_indices() {
        if let Some(end) = quote {
            if is_escaped {
                is_escaped = false;
            } else if c == '\\' && end == '"' {
                is_escaped = true;
            } else if c == end {
                quote = None;
            }
            continue;
        }
        match c {
            '"' => quote = Some(c),
            // Only where a value begins: elsewhere it is an apostrophe.
            '\'' if from.is_some_and(|from| text[from..at].trim().is_empty()) => quote = Some(c),
            '[' | '{' => {
                lists.push(c);
                from = (c == '[').then_some(at + 1);
            }
            ',' | ']' | '}' => {
                if lists.last() == Some(&'[')
                    && let Some(from) = from
                    && is_value(text[from..at].trim(), needles)
                {
                    return Some(with_comma(text, from, at));
                }
                if c != ',' {
                    lists.pop();
                }
                from = (c == ',' && lists.last() == Some(&'[')).then_some(at + 1);
            }
            _ => {}
        }
    }
    None
}

fn with_comma(text: &str, from: usize, to: usize) -> (usize, usize) {
    if text[..from].ends_with(',') {
        // The blanks before a bracket on its own line stay.
        let blanks = if text[to..].starts_with(',') { 0 } else { text[from..to].len() - text[from..to].trim_end().len() };
        return (from - 1, to - blanks);
    }
    let blanks = text[from..to].len() - text[from..to].trim_start().len();
    if text[to..].starts_with(',') {
        let after = text[to + 1..].len() - text[to + 1..].trim_start().len();
        return (from + blanks, to + 1 + after);
    }
    (from + blanks, from + text[from..to].trim_end().len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needles::tests::needles;

    #[test]
    fn a_value_that_is_the_key_leaves_its_list_and_its_neighbours_stay() {
        for (text, expected) in [
            ("value_set: [C16, C17, C170]\n", "value_set: [C16, C170]\n"),
            ("value_set: [C17, C18] # our own\n", "value_set: [C18] # our own\n"),
            ("value_set: [C17]\n", "value_set: []\n"),
            ("{\"value_set\": [\"C16\", \"C17\"]}", "{\"value_set\": [\"C16\"]}"),
            ("{\"value_set\": [\n  \"C17\",\n  \"a, b]\"\n]}", "{\"value_set\": [\n  \"a, b]\"\n]}"),
            ("{\"value_set\": [\n  \"C1\",\n  \"C17\"\n]}", "{\"value_set\": [\n  \"C1\"\n]}"),
            ("set:\n  - C16\n  - 'C17'\n  - C18\n", "set:\n  - C16\n  - C18\n"),
            ("set: ['it''s', 'C17']\n", "set: ['it''s']\n"),
        ] {
            assert_eq!(without(text, &needles("C17")).as_deref(), Some(expected), "{text}");
        }
        for text in ["value_set: [C16]\n", "regex: C17|C18\n", "# [C17 was here]\n", "{\"C17\": 1}\n", "- C17: x\n"] {
            assert_eq!(without(text, &needles("C17")), None, "{text}");
        }
    }
}
