//! Delimited text: records of the subject go, byte ranges of all others stay as they are, quotes, blanks and line ends included.
//!
//! A text is a table here only if its first line names a column of subjects; any other text is a text.

use std::io::{BufRead, Write};
use std::ops::Range;
use std::path::Path;

use super::{Fate, Tally};
use crate::error::EraseError;
use crate::needles::{Naming, Needles, is_telling};

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Longest record; a longer one has a quote that is not closed.
const LONGEST: usize = 64 << 20;

/// Returns whether the first line names a column of subjects.
pub(super) fn is_table(start: &[u8], needles: &Needles) -> bool {
    delimiter(start, needles).is_some()
}

/// The delimiter with which the first line names a column of subjects.
fn delimiter(start: &[u8], needles: &Needles) -> Option<u8> {
    let start = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
    if start.first().is_some_and(|byte| matches!(byte, b'{' | b'[')) {
        return None;
    }
    let line = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let names_subject = |delimiter: &u8| {
        fields(line, *delimiter).iter().any(|field| matches!(needles.naming(&text(&line[field.clone()])), Naming::Key | Naming::Parts))
    };
    DELIMITERS.into_iter().find(names_subject)
}

/// Writes the table without the subject's records.
pub(super) fn rewrite(path: &Path, input: &mut dyn BufRead, out: &mut (dyn Write + Send), needles: &Needles) -> Result<Fate, EraseError> {
    let failed = |source| EraseError::io(path, source);
    let mut tally = Tally { rows_left: Some(0), ..Tally::default() };
    let mut record = Vec::new();
    let mut columns: Option<(u8, Vec<Naming>)> = None;
    loop {
        record.clear();
        let delimiter_now = columns.as_ref().map(|(delimiter, _)| *delimiter);
        match read_record(input, &mut record, delimiter_now).map_err(failed)? {
            Record::End => break,
            Record::TooLong => return Ok(Fate::Hopeless("a quote is not closed".into())),
            Record::Whole => {}
        }
        let Some((delimiter, namings)) = &columns else {
            let body = record.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&record);
            let sign = delimiter(body, needles).unwrap_or(b',');
            columns = Some((sign, fields(body, sign).iter().map(|field| needles.naming(&text(&body[field.clone()]))).collect()));
            keep(&record, out, needles, &mut tally).map_err(failed)?;
            continue;
        };
        let cells = fields(&record, *delimiter);
        let is_subject = cells.iter().zip(namings).any(|(cell, naming)| needles.is_subject(*naming, &unquoted(&record[cell.clone()])));
        if is_subject {
            tally.rows += 1;
            for (cell, _) in cells.iter().zip(namings).filter(|(_, naming)| naming.may_tell()) {
                tally.telling.insert(text(&record[cell.clone()]));
            }
            continue;
        }
        if !record.trim_ascii().is_empty() {
            tally.rows_left = tally.rows_left.map(|rows| rows + 1);
        }
        keep(&record, out, needles, &mut tally).map_err(failed)?;
    }
    tally.telling.retain(|value| is_telling(value));
    Ok(Fate::Written(tally))
}

fn keep(record: &[u8], out: &mut (dyn Write + Send), needles: &Needles, tally: &mut Tally) -> std::io::Result<()> {
    match needles.without(record) {
        None => out.write_all(record),
        Some((bytes, mentions)) => {
            tally.mentions += mentions;
            out.write_all(&bytes)
        }
    }
}

enum Record {
    Whole,
    TooLong,
    End,
}

/// Reads up to the end of a line that is not inside quotes. Without a delimiter any of the usual ones starts a cell.
fn read_record(input: &mut dyn BufRead, record: &mut Vec<u8>, delimiter: Option<u8>) -> std::io::Result<Record> {
    let (mut looked, mut quoted, mut at_start) = (0, false, true);
    loop {
        let got = input.read_until(b'\n', record)?;
        if got == 0 {
            return Ok(if record.is_empty() { Record::End } else { Record::Whole });
        }
        if looked == 0 && record.starts_with(b"\xef\xbb\xbf") {
            looked = 3;
        }
        while looked < record.len() {
            let byte = record[looked];
            looked += 1;
            if quoted {
                if byte == b'"' {
                    if record.get(looked) == Some(&b'"') { looked += 1 } else { quoted = false }
                }
                continue;
            }
            let is_delimiter = delimiter.map_or_else(|| DELIMITERS.contains(&byte), |delimiter| byte == delimiter);
            quoted = at_start && byte == b'"';
            at_start = is_delimiter;
        }
        if !quoted {
            return Ok(Record::Whole);
        }
        if record.len() > LONGEST {
            return Ok(Record::TooLong);
        }
    }
}

/// Where the cells of a record lie, quotes included, the end of the line not.
fn fields(record: &[u8], delimiter: u8) -> Vec<Range<usize>> {
    let end = record.len() - record.iter().rev().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
    let mut fields = Vec::new();
    let (mut start, mut place, mut quoted) = (0, 0, false);
    while place < end {
        let byte = record[place];
        if quoted {
            if byte == b'"' {
                if place + 1 < end && record[place + 1] == b'"' { place += 1 } else { quoted = false }
            }
        } else if byte == delimiter {
            fields.push(start..place);
            start = place + 1;
        } else if byte == b'"' && place == start {
            quoted = true;
        }
        place += 1;
    }
    fields.push(start..end);
    fields
}

/// A cell without its quotes.
fn unquoted(cell: &[u8]) -> Vec<u8> {
    let inner = match cell.strip_prefix(b"\"") {
        Some(rest) => rest.strip_suffix(b"\"").unwrap_or(rest),
        None => return cell.to_vec(),
    };
    let mut out = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter().peekable();
    while let Some(byte) = bytes.next() {
        if *byte == b'"' && bytes.peek() == Some(&&b'"') {
            bytes.next();
        }
        out.push(*byte);
    }
    out
}

fn text(cell: &[u8]) -> String {
    String::from_utf8_lossy(&unquoted(cell)).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needles::tests::needles;

    fn rewritten(text: &str) -> (String, Tally) {
        let mut out: Vec<u8> = Vec::new();
        let fate = rewrite(Path::new("t.csv"), &mut text.as_bytes(), &mut out, &needles("C17")).expect("no file system");
        let Fate::Written(tally) = fate else { panic!("{fate:?}") };
        (String::from_utf8(out).expect("text"), tally)
    }

    #[test]
    fn records_of_the_subject_go_and_all_other_bytes_stay() {
        let text = "\u{feff}date;\"customer_id\"; note \r\n1;C17;x\r\n2;\"C170\";\"a \"\"quote\"\";\r\nand a line\"\r\n\r\n3; \"C17\" ;\r\n4;\"C17\";\"two\r\nlines\"\r\n5;C18;";
        let (out, tally) = rewritten(text);
        assert_eq!(
            out,
            "\u{feff}date;\"customer_id\"; note \r\n2;\"C170\";\"a \"\"quote\"\";\r\nand a line\"\r\n\r\n3; \"[erased]\" ;\r\n5;C18;"
        );
        assert_eq!((tally.rows, tally.mentions, tally.rows_left), (2, 1, Some(3)));
    }

    #[test]
    fn a_mention_in_another_column_goes_without_its_row_and_addresses_are_remembered() {
        let (out, tally) = rewritten("customer_id,email,note\nC17,anna@example.org,\nC18,b@example.org,friend of C17\n");
        assert_eq!(out, "customer_id,email,note\nC18,b@example.org,friend of [erased]\n");
        assert_eq!(tally.telling.into_iter().collect::<Vec<_>>(), ["anna@example.org"]);
    }

    #[test]
    fn series_are_told_by_their_parts() {
        let (out, tally) = rewritten("unique_id\tds\nnorth/C17\t1\nnorth/C170\t1\n");
        assert_eq!((out.as_str(), tally.rows), ("unique_id\tds\nnorth/C170\t1\n", 1));
    }

    #[test]
    fn only_a_text_whose_header_names_subjects_is_a_table() {
        let needles = needles("C17");
        assert!(is_table(b"customer_id\nC17\n", &needles) && is_table(b"a|customer_id\r\n", &needles));
        assert!(!is_table(b"{\"customer_id\": 1, \"x\": 2}", &needles) && !is_table(b"2026-01-01 INFO customer_id, C17\n", &needles));
    }
}
