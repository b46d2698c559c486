//! The delimiter of a CSV file, told from its first records.
//!
//! The right delimiter splits the header in at least two and the records below it in as many. Quotes are `"`, doubled inside;
//! records end in LF, CR or CRLF, whichever comes.
//!
//! Not here: encodings (`source`), the cells' meaning.

use super::encoding::TextSource;
use super::unpack::{fault, read_full};
use super::{CsvOptions, IngestError};

/// Delimiters that are tried, the likelier first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
const SAMPLE_BYTES: usize = 256 * 1024;
const SAMPLE_RECORDS: usize = 200;

/// Returns the delimiter of the file: the given one, or the one that splits its head most evenly.
pub(crate) fn delimiter(source: &TextSource, options: &CsvOptions) -> Result<u8, IngestError> {
    if let Some(given) = options.delimiter {
        return Ok(given as u8);
    }
    let mut sample = vec![0; SAMPLE_BYTES];
    let got = read_full(&mut source.open()?, &mut sample).map_err(|error| fault(&source.path, error))?;
    let is_whole = got < SAMPLE_BYTES;
    Ok(sniff(&sample[..got], is_whole))
}

fn sniff(sample: &[u8], is_whole: bool) -> u8 {
    let mut best = (b',', 0.0_f64, 0_usize);
    for delimiter in DELIMITERS {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(sample);
        let counts: Vec<usize> = reader.byte_records().take(SAMPLE_RECORDS + 1).filter_map(Result::ok).map(|record| record.len()).collect();
        let Some((header, mut rows)) = counts.split_first() else { continue };
        // The last record of a cut sample may be half a one.
        if !is_whole && rows.len() < SAMPLE_RECORDS && !rows.is_empty() {
            rows = &rows[..rows.len() - 1];
        }
        if *header < 2 {
            continue;
        }
        let even = rows.iter().filter(|count| *count == header).count() as f64 / rows.len().max(1) as f64;
        let share = if rows.is_empty() { 0.5 } else { even };
        if share > best.1 + 0.05 || (share > best.1 - 0.05 && *header > best.2) {
            best = (delimiter, share, *header);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_that_splits_evenly_wins() {
        for (text, expected) in [
            ("a,b\n1,2\n", b','),
            ("a;b;c\n1,5;2,5;3,5\n", b';'),
            ("a\tb\n\"x, y\"\t2\n", b'\t'),
            ("a|b\r1|2\r", b'|'),
            ("\"Name, full\";age\nx;1\ny;2\n", b';'),
            ("only\n1\n2\n", b','),
            ("note,value\n\"a;b;c\",1\n\"d;e\",2\n", b','),
        ] {
            assert_eq!(sniff(text.as_bytes(), true) as char, expected as char, "{text:?}");
        }
    }
}
