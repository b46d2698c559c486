//! Just enough Rust to tell code from comments, strings and tests. Not a parser: a file that does not compile may fool it.

use std::ops::Range;

/// Returns the text with comments, strings and characters turned into blanks. Lines and columns stay where they were.
pub(crate) fn code_only(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let end = end_of_blank(&chars, at);
        if end == at {
            code.push(chars[at]);
            at += 1;
        } else {
            code.extend(chars[at..end].iter().map(|c| if *c == '\n' { '\n' } else { ' ' }));
            at = end;
        }
    }
    code
}

/// Returns the end of the comment or literal that starts at `at`, or `at` if none does.
fn end_of_blank(chars: &[char], at: usize) -> usize {
    let next = |offset: usize| chars.get(at + offset).copied().unwrap_or('\0');
    match (chars[at], next(1)) {
        ('/', '/') => position(chars, at, |c| c == '\n'),
        ('/', '*') => end_of_block_comment(chars, at),
        ('"', _) => end_of_quoted(chars, at, '"'),
        ('\'', '\\') => end_of_quoted(chars, at, '\''),
        ('\'', _) if next(2) == '\'' => at + 3,
        ('r' | 'b' | 'c', _) if at == 0 || !is_word(chars[at - 1]) => end_of_prefixed(chars, at),
        _ => at,
    }
}

fn end_of_block_comment(chars: &[char], at: usize) -> usize {
    let mut depth = 0;
    let mut here = at;
    while here < chars.len() {
        match (chars[here], chars.get(here + 1)) {
            ('/', Some('*')) => {
                depth += 1;
                here += 2;
            }
            ('*', Some('/')) => {
                depth -= 1;
                here += 2;
                if depth == 0 {
                    return here;
                }
            }
            _ => here += 1,
        }
    }
    chars.len()
}

fn end_of_quoted(chars: &[char], open: usize, quote: char) -> usize {
    let mut here = open + 1;
    while here < chars.len() {
        match chars[here] {
            '\\' => here += 2,
            c if c == quote => return here + 1,
            _ => here += 1,
        }
    }
    chars.len()
}

/// A literal such as `b"…"`, `b'…'`, `r#"…"#` or `br"…"`; a plain word is none.
fn end_of_prefixed(chars: &[char], at: usize) -> usize {
    let start = position(chars, at, |c| !matches!(c, 'r' | 'b' | 'c'));
    let is_raw = chars[at..start].contains(&'r');
    if start - at > 2 {
        return at;
    }
    let open = if is_raw { position(chars, start, |c| c != '#') } else { start };
    match chars.get(open) {
        Some('"') if is_raw => {
            let hashes = open - start;
            let mut here = open + 1;
            while here < chars.len() {
                let closes = chars[here] == '"' && chars[here + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes;
                here += 1;
                if closes {
                    return here + hashes;
                }
            }
            chars.len()
        }
        Some('"') => end_of_quoted(chars, open, '"'),
        Some('\'') if !is_raw && chars[at] == 'b' => end_of_quoted(chars, open, '\''),
        _ => at,
    }
}

fn position(chars: &[char], from: usize, stop: impl Fn(char) -> bool) -> usize {
    chars[from..].iter().position(|c| stop(*c)).map_or(chars.len(), |offset| from + offset)
}

/// Tells whether a character can stand in a name.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Returns the offsets at which `word` stands in the code as a whole word.
pub(crate) fn find_word<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(word).map(|(at, _)| at).filter(move |at| {
        !code[..*at].chars().next_back().is_some_and(is_word) && !code[at + word.len()..].chars().next().is_some_and(is_word)
    })
}

/// Returns the line of an offset, from 1.
pub(crate) fn line_at(code: &str, offset: usize) -> usize {
    code[..offset].matches('\n').count() + 1
}

const TEST_ATTRIBUTE: &str = "#[cfg(test)]";

/// Tells whether the whole file is compiled for tests only.
pub(crate) fn is_test_file(code: &str) -> bool {
    code.contains("#![cfg(test)]")
}

/// Returns the names of modules in files of their own that are declared for tests only.
pub(crate) fn test_modules(code: &str) -> Vec<String> {
    let names = test_items(code).into_iter().filter_map(|item| {
        let words: Vec<&str> = code[item].strip_suffix(';')?.split_whitespace().collect();
        words.windows(2).find(|pair| pair[0] == "mod").map(|pair| pair[1].to_owned())
    });
    names.collect()
}

/// Returns the code with the items that are compiled for tests only turned into blanks.
pub(crate) fn without_tests(code: &str) -> String {
    let mut bytes = code.as_bytes().to_vec();
    for item in test_items(code) {
        for byte in &mut bytes[item] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    }
    String::from_utf8(bytes).expect("items begin and end at ASCII characters and are blanked whole")
}

/// The items behind `#[cfg(test)]`, attribute included, up to their `;` or closing brace.
fn test_items(code: &str) -> Vec<Range<usize>> {
    let mut items: Vec<Range<usize>> = Vec::new();
    for (start, _) in code.match_indices(TEST_ATTRIBUTE) {
        let from = start + TEST_ATTRIBUTE.len();
        let (mut round, mut curly) = (0_i32, 0_i32);
        let end = code[from..].char_indices().find_map(|(offset, c)| {
            match c {
                '(' | '[' => round += 1,
                ')' | ']' => round -= 1,
                '{' => curly += 1,
                '}' => curly -= 1,
                _ => {}
            }
            let ends = round == 0 && curly == 0 && matches!(c, ';' | '}');
            ends.then_some(from + offset + 1)
        });
        items.push(start..end.unwrap_or(code.len()));
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, words: &str) {
        let code = code_only(text);
        assert_eq!(code.chars().count(), text.chars().count(), "columns stay");
        assert_eq!(code.split_whitespace().collect::<Vec<_>>().join(" "), words);
    }

    #[test]
    fn comments_and_literals_are_no_code() {
        check("a // b\nc /* d /* e */ f */ g", "a c g");
        check(r#"a("b \" c", 'd', '\'', b'e', b"f") g"#, "a( , , , , ) g");
        check("a r#\"b \" c\"# d br\"e\\\" f", "a d f");
    }

    #[test]
    fn lifetimes_and_raw_names_are_code() {
        check("fn f<'a>(x: &'a str, r#type: char) {}", "fn f<'a>(x: &'a str, r#type: char) {}");
        check("let bar = crab; let c = 'é';", "let bar = crab; let c = ;");
    }

    #[test]
    fn words_are_found_whole_and_with_their_line() {
        let code = "Instants\nan Instant";
        assert_eq!(find_word(code, "Instant").map(|at| line_at(code, at)).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn test_items_are_taken_out_and_the_rest_stays() {
        let code = "use a;\n#[cfg(test)]\nmod tests { fn b() { c[0]; } }\nfn d() {}\n#[cfg(test)]\npub(crate) mod more;\n";
        assert_eq!(without_tests(code).split_whitespace().collect::<Vec<_>>().join(" "), "use a; fn d() {}");
        assert_eq!(test_modules(code), ["more"]);
    }
}
