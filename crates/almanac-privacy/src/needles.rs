//! What is looked for: the subject's key, its hash, and what else named the subject in the rows that go.
//!
//! Two ways to find it. In a column that names subjects a cell must *be* the key; such a row goes. Everywhere else the key
//! must stand in the text as a word of its own: `C17` is found in `note: C17 called` and in the series `north/C17`, but not
//! in `C170` or `SKU-C17`, which are other things. A short number means something else in most places, so it is looked for in
//! columns only.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, MatchKind};
use unicode_normalization::UnicodeNormalization;

use crate::key::PrivacyKey;

/// Stands where the subject stood.
pub(crate) const ERASED: &str = "[erased]";
/// Column of series in tables of Almanac: the columns of an id with `/` between.
const SERIES: &str = "unique_id";
/// Digits from which a number is taken for a key wherever it stands.
const TELLING_DIGITS: usize = 7;
/// Shortest text that is taken for a key wherever it stands.
const TELLING_CHARS: usize = 3;

/// Who is to be erased.
#[derive(Clone, PartialEq, Eq)]
pub struct Subject {
    /// The key as the source writes it.
    pub key: String,
    /// Columns in which a cell that is the key makes the row one of the subject's.
    pub columns: Vec<String>,
    /// Other personal columns: what stands there in the subject's rows is looked for too.
    pub personal: Vec<String>,
}

impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subject").field("columns", &self.columns).finish_non_exhaustive()
    }
}

/// How a column names subjects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// A cell is a key.
    Key,
    /// A cell is an id of several parts, one of which may be a key.
    Parts,
    /// Texts of any kind.
    Other,
    /// What stands here in the subject's rows is personal.
    Personal,
}

impl Naming {
    /// Whether what stands in this column of the subject's rows may tell of it elsewhere.
    pub(crate) fn may_tell(self) -> bool {
        matches!(self, Self::Parts | Self::Personal)
    }
}

/// The subject in every form in which it may be written.
pub(crate) struct Needles {
    /// The key and its hash, as bytes of the usual encodings.
    keys: Vec<Vec<u8>>,
    columns: Vec<String>,
    personal: Vec<String>,
    /// Forms that are looked for in any text; longest first.
    automaton: Option<AhoCorasick>,
    longest: usize,
    plain: bool,
}

impl Needles {
    /// `more`: values that named the subject in rows that go.
    pub(crate) fn new(subject: &Subject, key: &PrivacyKey, more: &[String]) -> Self {
        let raw = subject.key.trim().to_owned();
        // A letter with its accent may be one sign or two; who types the key does not see which.
        let written: BTreeSet<String> = [raw.clone(), raw.nfc().collect(), raw.nfd().collect()].into();
        let hashes: Vec<String> = written.iter().map(|raw| key.value(raw)).collect();
        let mut keys: Vec<Vec<u8>> = written.iter().chain(&hashes).map(|text| text.clone().into_bytes()).collect();
        keys.extend(written.iter().filter_map(|raw| latin(raw)));
        if is_number(&raw) {
            // pandas writes whole numbers with a point where a column has nulls.
            keys.push(format!("{raw}.0").into_bytes());
        }
        let mut texts: Vec<String> = if is_plain(&raw) { hashes } else { written.into_iter().chain(hashes).collect() };
        for value in more {
            texts.push(value.clone());
            texts.push(key.value(value));
        }
        let mut patterns: Vec<Vec<u8>> = texts.iter().flat_map(|text| forms(text)).collect();
        patterns.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        patterns.dedup();
        let longest = patterns.first().map_or(0, Vec::len);
        // Only the size of the patterns can be too much, and they are a few short texts.
        let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(&patterns).ok();
        Self {
            keys,
            columns: subject.columns.clone(),
            personal: subject.personal.clone(),
            automaton,
            longest,
            plain: is_plain(&subject.key),
        }
    }

    /// Returns whether the key is looked for in columns only.
    pub(crate) fn is_plain(&self) -> bool {
        self.plain
    }

    /// Returns how a column names subjects.
    pub(crate) fn naming(&self, column: &str) -> Naming {
        let column = column.trim();
        if self.columns.iter().any(|name| name == column) {
            Naming::Key
        } else if column == SERIES {
            Naming::Parts
        } else if self.personal.iter().any(|name| name == column) {
            Naming::Personal
        } else {
            Naming::Other
        }
    }

    /// Returns whether a cell is the key.
    pub(crate) fn is_key(&self, cell: &[u8]) -> bool {
        let cell = cell.trim_ascii();
        self.keys.iter().any(|key| key == cell)
    }

    /// Returns whether a cell of a column makes its row one of the subject's.
    pub(crate) fn is_subject(&self, naming: Naming, cell: &[u8]) -> bool {
        match naming {
            Naming::Key => self.is_key(cell),
            Naming::Parts => cell.split(|byte| *byte == b'/').any(|part| self.is_key(part)),
            Naming::Other | Naming::Personal => false,
        }
    }

    /// Returns whether any form stands in the bytes, alone or inside a longer word: a quick look.
    pub(crate) fn may_be_in(&self, bytes: &[u8]) -> bool {
        self.automaton.as_ref().is_some_and(|automaton| automaton.is_match(bytes))
    }

    /// Returns how far apart two blocks of a stream may cut a form, in bytes.
    pub(crate) fn longest(&self) -> usize {
        self.longest
    }

    /// Returns where the subject stands in a text as a word of its own.
    fn places(&self, bytes: &[u8]) -> Vec<(usize, usize)> {
        let mut places = Vec::new();
        let Some(automaton) = &self.automaton else { return places };
        let mut from = 0;
        while from < bytes.len() {
            let Some(found) = automaton.find(&bytes[from..]) else { break };
            let (start, end) = (from + found.start(), from + found.end());
            if is_own_word(bytes, start, end) {
                places.push((start, end));
                from = end;
            } else {
                from = start + 1;
            }
        }
        places
    }

    /// Returns how often the subject stands in a text as a word of its own.
    pub(crate) fn mentions(&self, bytes: &[u8]) -> u64 {
        if self.may_be_in(bytes) { self.places(bytes).len() as u64 } else { 0 }
    }

    /// Returns how often a form stands inside longer words.
    pub(crate) fn inside_words(&self, bytes: &[u8]) -> u64 {
        let Some(automaton) = &self.automaton else { return 0 };
        automaton.find_iter(bytes).filter(|found| !is_own_word(bytes, found.start(), found.end())).count() as u64
    }

    /// Returns a text as it may be said and kept.
    pub(crate) fn shown(&self, text: &str) -> String {
        self.without(text.as_bytes()).map_or_else(|| text.to_owned(), |(bytes, _)| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Returns the text without the subject and how often it stood there, or `None` if it did not.
    pub(crate) fn without(&self, bytes: &[u8]) -> Option<(Vec<u8>, u64)> {
        if !self.may_be_in(bytes) {
            return None;
        }
        let places = self.places(bytes);
        if places.is_empty() {
            return None;
        }
        let mut out = Vec::with_capacity(bytes.len());
        let mut from = 0;
        for (start, end) in &places {
            out.extend_from_slice(&bytes[from..*start]);
            out.extend_from_slice(ERASED.as_bytes());
            from = *end;
        }
        out.extend_from_slice(&bytes[from..]);
        Some((out, places.len() as u64))
    }
}

/// Returns whether a value says enough to be looked for everywhere: an address of mail, a long number, the id of a series. A name may be
/// another's too.
pub(crate) fn is_telling(value: &str) -> bool {
    let digits = value.chars().filter(char::is_ascii_digit).count();
    let value = value.trim();
    let is_id = value.len() >= 5 && value.contains('/');
    is_id || (value.len() >= 6 && (value.contains('@') || digits >= TELLING_DIGITS))
}

fn is_number(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a key means other things too in most places.
pub(crate) fn is_plain(key: &str) -> bool {
    let key = key.trim();
    key.chars().count() < TELLING_CHARS || (key.parse::<f64>().is_ok() && key.len() < TELLING_DIGITS)
}

/// What may be in a word beside letters and digits.
fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '@')
}

fn is_own_word(bytes: &[u8], start: usize, end: usize) -> bool {
    let before = last_char(&bytes[..start]);
    let after = std::str::from_utf8(&bytes[end..bytes.len().min(end + 4)]).map_or_else(
        |error| std::str::from_utf8(&bytes[end..end + error.valid_up_to()]).unwrap_or_default().chars().next(),
        |text| text.chars().next(),
    );
    // A letter `u` and four digits after a backslash is how JSON writes other signs: no part of a word.
    let is_escape = before.is_some() && ends_in_escape(&bytes[..start]);
    (is_escape || !before.is_some_and(is_of_word)) && !after.is_some_and(is_of_word)
}

fn last_char(bytes: &[u8]) -> Option<char> {
    (1..=4.min(bytes.len()))
        .find_map(|length| std::str::from_utf8(&bytes[bytes.len() - length..]).ok().and_then(|text| text.chars().next_back()))
}

/// Whether the text ends in `\n`, `\t` or `\u0026`, as JSON and programs write signs.
fn ends_in_escape(bytes: &[u8]) -> bool {
    let at = |back: usize| bytes.len().checked_sub(back).map(|place| bytes[place]);
    let is_short = at(2) == Some(b'\\') && matches!(at(1), Some(b'n' | b't' | b'r' | b'b' | b'f')) && at(3) != Some(b'\\');
    let is_long = at(6) == Some(b'\\') && at(5) == Some(b'u') && bytes[bytes.len().saturating_sub(4)..].iter().all(u8::is_ascii_hexdigit);
    is_short || is_long
}

/// The text as Latin-1, where that is something else.
fn latin(text: &str) -> Option<Vec<u8>> {
    let bytes: Option<Vec<u8>> = text.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    bytes.filter(|bytes| bytes != text.as_bytes())
}

/// Every way in which a text may be written in a file.
fn forms(text: &str) -> Vec<Vec<u8>> {
    let mut forms: Vec<Vec<u8>> = vec![text.as_bytes().to_vec()];
    forms.extend(latin(text));
    let json = serde_json::Value::from(text).to_string();
    forms.push(json.trim_matches('"').as_bytes().to_vec());
    forms.push(json.trim_matches('"').replace('/', "\\/").into_bytes());
    for upper in [false, true] {
        let ascii = |c: char| {
            let mut units = [0_u16; 2];
            let write = |unit: &u16| if upper { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") };
            if c.is_ascii() { c.to_string() } else { c.encode_utf16(&mut units).iter().map(write).collect() }
        };
        forms.push(text.chars().map(ascii).collect::<String>().into_bytes());
    }
    let percent = |keep: fn(u8) -> bool| {
        text.bytes()
            .map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
            .collect::<String>()
            .into_bytes()
    };
    forms.push(percent(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~')));
    forms.push(percent(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'@' | b'/' | b':')));
    forms.push(text.replace('"', "\"\"").into_bytes());
    forms.push(text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").into_bytes());
    forms.push(text.encode_utf16().flat_map(u16::to_le_bytes).collect());
    forms.push(text.encode_utf16().flat_map(u16::to_be_bytes).collect());
    forms.retain(|form| !form.is_empty());
    forms
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn needles(key: &str) -> Needles {
        let secret = PrivacyKey::new("0123456789abcdef0123456789abcdef").expect("long enough");
        let subject = Subject { key: key.into(), columns: vec!["customer_id".into()], personal: vec!["email".into()] };
        Needles::new(&subject, &secret, &[])
    }

    #[test]
    fn the_key_is_found_as_a_word_of_its_own_only() {
        let needles = needles("C17");
        for text in ["C17", "note: C17 called", "north/C17", "\"C17\",", "C17.csv", "ü C17—x", "x\\nC17", "(C17)"] {
            assert_eq!(needles.mentions(text.as_bytes()), 1, "{text}");
        }
        for text in ["C170", "SKU-C17", "AC17", "C17_2", "üC17", "C17@x.org", "c17"] {
            assert_eq!(needles.mentions(text.as_bytes()), 0, "{text}");
        }
        assert_eq!(needles.inside_words(b"C170 C17 SKU-C17"), 2);
        assert_eq!(needles.without(b"a C17, b C170").expect("there"), (b"a [erased], b C170".to_vec(), 1));
    }

    #[test]
    fn the_key_is_found_in_every_way_it_may_be_written() {
        let needles = needles("Müller & Söhne");
        for text in [
            &b"M\xfcller & S\xf6hne"[..],
            br#""M\u00fcller & S\u00f6hne""#,
            br#""M\u00FCller & S\u00F6hne""#,
            b"M%C3%BCller%20%26%20S%C3%B6hne",
            "Müller &amp; Söhne".as_bytes(),
        ] {
            assert_eq!(needles.mentions(text), 1, "{}", String::from_utf8_lossy(text));
        }
        let wide: Vec<u8> = "x Müller & Söhne y".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(needles.mentions(&wide), 1);
    }

    #[test]
    fn accents_in_one_sign_or_two_are_one_key_and_case_is_not() {
        for key in ["Zo\u{eb}-77", "Zoe\u{308}-77"] {
            let needles = needles(key);
            for text in ["Zo\u{eb}-77", "Zoe\u{308}-77", "Zo\\u00eb-77", "Zoe\\u0308-77"] {
                assert_eq!(needles.mentions(text.as_bytes()), 1, "{key} in {text}");
            }
            assert!(needles.is_key("Zo\u{eb}-77".as_bytes()) && needles.is_key("Zoe\u{308}-77".as_bytes()));
            assert_eq!(needles.mentions("zo\u{eb}-77 Zoe-77 ZO\u{cb}-77".as_bytes()), 0);
        }
    }

    #[test]
    fn signs_that_mean_something_to_patterns_and_sql_mean_themselves() {
        for key in ["a.*b", "O'Brien; DROP TABLE x--", "100%_x", "[C17]", "a\\b", "x|y^$(z)"] {
            let needles = needles(key);
            assert_eq!(needles.mentions(format!("({key})").as_bytes()), 1, "{key}");
            assert!(needles.is_key(key.as_bytes()) && !needles.is_key(b"aXXb"), "{key}");
        }
        assert_eq!(needles("a.*b").mentions(b"a--b axxb"), 0);
    }

    #[test]
    fn a_short_number_is_a_key_in_its_columns_only() {
        let needles = needles("1017");
        assert_eq!(needles.mentions(b"1017 units"), 0);
        assert!(needles.is_subject(Naming::Key, b" 1017 ") && needles.is_subject(Naming::Key, b"1017.0"));
        assert!(needles.is_subject(Naming::Parts, b"north/1017") && !needles.is_subject(Naming::Parts, b"north/10170"));
        assert!(!needles.is_subject(Naming::Other, b"1017"));
        assert!(is_plain("12") && is_plain("-1.5") && !is_plain("4017201") && !is_plain("C17"));
    }

    #[test]
    fn only_telling_values_are_looked_for_everywhere() {
        assert!(is_telling("anna@example.org") && is_telling("+49 170 1234567"));
        assert!(!is_telling("Anna") && !is_telling("Ulm 89073"));
    }
}
