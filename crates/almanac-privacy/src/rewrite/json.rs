//! JSON: lines of objects, or one document. Objects of the subject go, every other byte stays.
//!
//! An object is the subject's if a field of its own, or of an object in it, is named as a column of subjects and holds the key.
//! In JSON lines the line goes; in a document the smallest such object that stands in a list goes, with its comma.

use std::io::{BufRead, Read, Write};
use std::path::Path;

use serde_json::Value;

use super::{Fate, Tally};
use crate::error::EraseError;
use crate::needles::{Needles, is_telling};

/// Largest document that is held in memory.
const LARGEST: u64 = 1 << 30;
/// Deepest nesting that is looked into.
const DEEPEST: usize = 120;

/// Returns whether a text begins as JSON does.
pub(super) fn is_document(start: &[u8]) -> bool {
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    matches!(start.trim_ascii_start().first(), Some(b'{' | b'['))
}

/// Writes the lines or the document without the subject's objects.
pub(super) fn rewrite(path: &Path, input: &mut dyn BufRead, out: &mut (dyn Write + Send), needles: &Needles) -> Result<Fate, EraseError> {
    let failed = |source| EraseError::io(path, source);
    let mut tally = Tally::default();
    let mut line = Vec::new();
    input.read_until(b'\n', &mut line).map_err(failed)?;
    if !is_object(&line) {
        // One document over several lines.
        Read::take(&mut *input, LARGEST).read_to_end(&mut line).map_err(failed)?;
        if line.len() as u64 >= LARGEST {
            return Ok(Fate::Hopeless("it is one JSON document of more than 1 GiB".into()));
        }
        return document(path, &line, out, needles);
    }
    tally.rows_left = Some(0);
    while !line.is_empty() {
        one_line(path, &line, out, needles, &mut tally)?;
        line.clear();
        input.read_until(b'\n', &mut line).map_err(failed)?;
    }
    tally.telling.retain(|value| is_telling(value));
    Ok(Fate::Written(tally))
}

fn is_object(line: &[u8]) -> bool {
    let body = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
    body.starts_with(b"{") && serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}

fn one_line(path: &Path, line: &[u8], out: &mut (dyn Write + Send), needles: &Needles, tally: &mut Tally) -> Result<(), EraseError> {
    let failed = |source| EraseError::io(path, source);
    let body = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii();
    let body = body.strip_suffix(b",").unwrap_or(body);
    let value = serde_json::from_slice::<Value>(body).ok();
    if let Some(value) = &value
        && names_subject(value, needles)
    {
        tally.rows += 1;
        gather(value, needles, tally);
        return Ok(());
    }
    if value.is_some() {
        tally.rows_left = tally.rows_left.map(|rows| rows + 1);
    }
    let mut changed = Vec::new();
    let mut inner = Tally::default();
    // Lists in an object may hold objects of the subject. What is no JSON is a text.
    let whole = if value.is_some() && edit(line, &mut changed, needles, &mut inner).is_some() { &changed[..] } else { line };
    tally.rows += inner.rows;
    tally.telling.append(&mut inner.telling);
    match needles.without(whole) {
        None => out.write_all(whole).map_err(failed),
        Some((bytes, mentions)) => {
            tally.mentions += mentions;
            out.write_all(&bytes).map_err(failed)
        }
    }
}

fn document(path: &Path, bytes: &[u8], out: &mut (dyn Write + Send), needles: &Needles) -> Result<Fate, EraseError> {
    let failed = |source| EraseError::io(path, source);
    let mut tally = Tally::default();
    let mut changed = Vec::with_capacity(bytes.len());
    let whole = if edit(bytes, &mut changed, needles, &mut tally).is_some() { &changed[..] } else { bytes };
    let whole_document = serde_json::from_slice::<Value>(whole.strip_prefix(b"\xef\xbb\xbf").unwrap_or(whole)).ok();
    let (mut bytes, mentions) = needles.without(whole).unwrap_or_else(|| (whole.to_vec(), 0));
    tally.mentions += mentions;
    if let Some(mut value) = whole_document
        && names_subject(&value, needles)
        && mentions == 0
    {
        // A document about the subject, whose key is too plain to be looked for in texts.
        tally.mentions += blank(&mut value, needles);
        bytes = serde_json::to_vec_pretty(&value).unwrap_or(bytes);
    }
    tally.telling.retain(|value| is_telling(value));
    out.write_all(&bytes).map_err(failed)?;
    Ok(Fate::Written(tally))
}

/// Whether a field of the object, or of an object in it, names the subject. Lists are looked into by [`edit`].
fn names_subject(value: &Value, needles: &Needles) -> bool {
    let Value::Object(members) = value else { return false };
    members.iter().any(|(name, member)| match member {
        Value::String(text) => needles.is_subject(needles.naming(name), text.as_bytes()),
        Value::Number(number) => needles.is_subject(needles.naming(name), number.to_string().as_bytes()),
        Value::Object(_) => names_subject(member, needles),
        _ => false,
    })
}

/// Puts a mark where fields name the subject.
fn blank(value: &mut Value, needles: &Needles) -> u64 {
    let Value::Object(members) = value else { return 0 };
    let mut blanked = 0;
    for (name, member) in members.iter_mut() {
        let is_subject = match &*member {
            Value::String(text) => needles.is_subject(needles.naming(name), text.as_bytes()),
            Value::Number(number) => needles.is_subject(needles.naming(name), number.to_string().as_bytes()),
            _ => false,
        };
        if is_subject {
            *member = crate::needles::ERASED.into();
            blanked += 1;
        } else {
            blanked += blank(member, needles);
        }
    }
    blanked
}

/// Remembers what stands in personal fields of an object that goes.
fn gather(value: &Value, needles: &Needles, tally: &mut Tally) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if needles.naming(name).may_tell() => {
                        tally.telling.insert(text.trim().to_owned());
                    }
                    Value::Number(number) if needles.naming(name).may_tell() => {
                        tally.telling.insert(number.to_string());
                    }
                    _ => gather(member, needles, tally),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| gather(item, needles, tally)),
        _ => {}
    }
}

/// Copies a document and leaves out objects of the subject that stand in lists. `None` if it is no JSON or nothing was left out.
fn edit(bytes: &[u8], out: &mut Vec<u8>, needles: &Needles, tally: &mut Tally) -> Option<()> {
    let mut editor = Editor { bytes, place: 0, needles, tally };
    editor.blanks(out);
    editor.value(out, 0)?;
    out.extend_from_slice(&bytes[editor.place..]);
    (editor.tally.rows > 0).then_some(())
}

struct Editor<'a> {
    bytes: &'a [u8],
    place: usize,
    needles: &'a Needles,
    tally: &'a mut Tally,
}

impl Editor<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.place).copied()
    }

    fn blanks(&mut self, out: &mut Vec<u8>) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace() || matches!(byte, 0xef | 0xbb | 0xbf)) {
            out.push(self.bytes[self.place]);
            self.place += 1;
        }
    }

    fn take(&mut self, byte: u8, out: &mut Vec<u8>) -> Option<()> {
        (self.peek()? == byte).then(|| {
            out.push(byte);
            self.place += 1;
        })
    }

    fn string(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let from = self.place;
        (self.peek()? == b'"').then_some(())?;
        self.place += 1;
        loop {
            match self.peek()? {
                b'\\' => self.place += 2,
                b'"' => break,
                _ => self.place += 1,
            }
        }
        self.place += 1;
        out.extend_from_slice(&self.bytes[from..self.place]);
        Some(())
    }

    fn value(&mut self, out: &mut Vec<u8>, depth: usize) -> Option<()> {
        if depth > DEEPEST {
            return None;
        }
        match self.peek()? {
            b'"' => self.string(out),
            b'{' => self.object(out, depth),
            b'[' => self.list(out, depth),
            _ => {
                let from = self.place;
                while self.peek().is_some_and(|byte| !matches!(byte, b',' | b']' | b'}') && !byte.is_ascii_whitespace()) {
                    self.place += 1;
                }
                out.extend_from_slice(&self.bytes[from..self.place]);
                (self.place > from).then_some(())
            }
        }
    }

    fn object(&mut self, out: &mut Vec<u8>, depth: usize) -> Option<()> {
        self.take(b'{', out)?;
        self.blanks(out);
        if self.peek()? == b'}' {
            return self.take(b'}', out);
        }
        loop {
            self.blanks(out);
            self.string(out)?;
            self.blanks(out);
            self.take(b':', out)?;
            self.blanks(out);
            self.value(out, depth + 1)?;
            self.blanks(out);
            if self.peek()? == b'}' {
                return self.take(b'}', out);
            }
            self.take(b',', out)?;
        }
    }

    fn list(&mut self, out: &mut Vec<u8>, depth: usize) -> Option<()> {
        self.take(b'[', out)?;
        let mut kept = 0;
        let mut lead = Vec::new();
        self.blanks(&mut lead);
        if self.peek()? == b']' {
            out.append(&mut lead);
            return self.take(b']', out);
        }
        loop {
            let mut item = Vec::new();
            let from = self.place;
            self.value(&mut item, depth + 1)?;
            let value = (self.bytes[from] == b'{').then(|| serde_json::from_slice::<Value>(&item).ok()).flatten();
            let is_subject = value.as_ref().is_some_and(|value| names_subject(value, self.needles));
            let mut trail = Vec::new();
            self.blanks(&mut trail);
            if is_subject {
                self.tally.rows += 1;
                if let Some(value) = &value {
                    gather(value, self.needles, self.tally);
                }
            } else {
                if kept > 0 {
                    out.push(b',');
                }
                out.append(&mut lead);
                out.append(&mut item);
                kept += 1;
            }
            if self.peek()? == b']' {
                out.append(&mut trail);
                return self.take(b']', out);
            }
            if !is_subject {
                out.append(&mut trail);
            }
            (self.peek()? == b',').then_some(())?;
            self.place += 1;
            lead.clear();
            self.blanks(&mut lead);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needles::tests::needles;

    fn rewritten(text: &str, key: &str) -> (String, Tally) {
        let mut out: Vec<u8> = Vec::new();
        let fate = rewrite(Path::new("t.json"), &mut text.as_bytes(), &mut out, &needles(key)).expect("no file system");
        let Fate::Written(tally) = fate else { panic!("{fate:?}") };
        (String::from_utf8(out).expect("text"), tally)
    }

    #[test]
    fn lines_of_the_subject_go_and_the_order_of_fields_stays() {
        let text = "{\"z\":1,\"customer_id\":\"C17\",\"email\":\"anna@example.org\"}\n{\"z\":2,\"customer_id\":\"C18\",\"note\":\"for C17\"}\n{\"buyer\":{\"customer_id\":\"C17\"}}\nno json C17\n{\"a\":[{\"customer_id\":\"C17\"},{\"customer_id\":\"C18\"}]}";
        let (out, tally) = rewritten(text, "C17");
        assert_eq!(
            out,
            "{\"z\":2,\"customer_id\":\"C18\",\"note\":\"for [erased]\"}\nno json [erased]\n{\"a\":[{\"customer_id\":\"C18\"}]}"
        );
        assert_eq!((tally.rows, tally.mentions), (3, 2));
        assert!(tally.telling.contains("anna@example.org"));
    }

    #[test]
    fn objects_in_lists_of_a_document_go_with_their_commas() {
        for (text, expected) in [
            ("[\n  {\"customer_id\": \"C17\"},\n  {\"customer_id\": \"C18\"}\n]\n", "[\n  {\"customer_id\": \"C18\"}\n]\n"),
            ("[{\"customer_id\": \"C18\"}, {\"customer_id\": \"C17\"}]", "[{\"customer_id\": \"C18\"}]"),
            ("[{\"customer_id\": \"C17\"}]", "[]"),
            ("{\n\"rows\": [1, [\"x\"], {\"customer_id\": \"C17\"}, {}],\n\"n\": 1e5}", "{\n\"rows\": [1, [\"x\"], {}],\n\"n\": 1e5}"),
            ("{\n\"customer_id\": \"C17\"}", "{\n\"customer_id\": \"[erased]\"}"),
        ] {
            assert_eq!(rewritten(text, "C17").0, expected);
        }
    }

    #[test]
    fn a_plain_number_is_a_key_in_its_field_only() {
        let (out, tally) = rewritten("{\"customer_id\":12,\"units\":3}\n{\"customer_id\":3,\"units\":12}\n", "12");
        assert_eq!((out.as_str(), tally.rows), ("{\"customer_id\":3,\"units\":12}\n", 1));
    }
}
