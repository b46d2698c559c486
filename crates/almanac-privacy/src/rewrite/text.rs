//! Texts that are no tables: a mark stands where the subject stood. Files of unknown form: found, never changed.

use std::io::{BufRead, Read, Write};
use std::path::Path;

use super::{Fate, Tally, csv, json};
use crate::error::EraseError;
use crate::needles::Needles;

/// Bytes of a line that are held at a time.
const BLOCK: u64 = 8 << 20;
/// Largest text in UTF-16, which is turned into UTF-8 as a whole.
const LARGEST: u64 = 1 << 30;

/// Line by line; an overlong line in blocks that share their ends.
pub(super) fn lines(path: &Path, input: &mut dyn BufRead, out: &mut (dyn Write + Send), needles: &Needles) -> Result<Fate, EraseError> {
    let failed = |source| EraseError::io(path, source);
    let mut tally = Tally::default();
    let mut line = Vec::new();
    loop {
        let got = Read::take(&mut *input, BLOCK).read_until(b'\n', &mut line).map_err(failed)?;
        if line.is_empty() {
            break;
        }
        let is_whole = got == 0 || line.ends_with(b"\n");
        let changed = needles.without(&line);
        if let Some((bytes, mentions)) = changed {
            tally.mentions += mentions;
            line = bytes;
        }
        // What may be the beginning of a form waits for the next block.
        let held = if is_whole { 0 } else { line.len().min(needles.longest() + 8) };
        let ready = line.len() - held;
        out.write_all(&line[..ready]).map_err(failed)?;
        line.drain(..ready);
    }
    Ok(Fate::Written(tally))
}

/// As UTF-8 and back.
pub(super) fn utf16(
    path: &Path,
    input: &mut dyn BufRead,
    out: &mut (dyn Write + Send),
    needles: &Needles,
    big: bool,
) -> Result<Fate, EraseError> {
    let failed = |source| EraseError::io(path, source);
    let mut bytes = Vec::new();
    Read::take(&mut *input, LARGEST).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 >= LARGEST {
        return Ok(Fate::Hopeless("it is a text in UTF-16 of more than 1 GiB".into()));
    }
    let unit = |pair: &[u8]| if big { u16::from_be_bytes([pair[0], pair[1]]) } else { u16::from_le_bytes([pair[0], pair[1]]) };
    let decoded = String::from_utf16(&bytes.chunks_exact(2).map(unit).collect::<Vec<_>>());
    let Ok(text) = decoded else {
        return binary(path, &mut &bytes[..], out, needles);
    };
    let mut changed: Vec<u8> = Vec::new();
    let start = &text.as_bytes()[..text.len().min(1 << 16)];
    let fate = if csv::is_table(start, needles) {
        csv::rewrite(path, &mut text.as_bytes(), &mut changed, needles)?
    } else if json::is_document(start) {
        json::rewrite(path, &mut text.as_bytes(), &mut changed, needles)?
    } else {
        lines(path, &mut text.as_bytes(), &mut changed, needles)?
    };
    if matches!(&fate, Fate::Written(tally) if !tally.is_clean()) {
        let text = String::from_utf8_lossy(&changed);
        bytes = text.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect();
    }
    out.write_all(&bytes).map_err(failed)?;
    Ok(fate)
}

/// Looks for the subject in bytes of unknown meaning.
pub(super) fn binary(path: &Path, input: &mut dyn BufRead, out: &mut (dyn Write + Send), needles: &Needles) -> Result<Fate, EraseError> {
    let failed = |source| EraseError::io(path, source);
    let mut block = Vec::new();
    loop {
        let got = Read::take(&mut *input, BLOCK).read_to_end(&mut block).map_err(failed)?;
        if needles.mentions(&block) > 0 {
            return Ok(Fate::Stuck("it is of a form that cannot be rewritten".into()));
        }
        if got == 0 {
            out.write_all(&block).map_err(failed)?;
            return Ok(Fate::Written(Tally::default()));
        }
        let held = block.len().min(needles.longest() + 8);
        let ready = block.len() - held;
        out.write_all(&block[..ready]).map_err(failed)?;
        block.drain(..ready);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needles::tests::needles;

    #[test]
    fn a_mark_stands_where_the_subject_stood() {
        let mut out: Vec<u8> = Vec::new();
        let fate = lines(Path::new("t.log"), &mut &b"a C17\r\nb C170\nC17"[..], &mut out, &needles("C17")).expect("no file system");
        assert_eq!(fate, Fate::Written(Tally { mentions: 2, ..Tally::default() }));
        assert_eq!(out, b"a [erased]\r\nb C170\n[erased]");
    }

    #[test]
    fn a_table_in_utf_16_stays_one() {
        let encode = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
        let mut out: Vec<u8> = Vec::new();
        let bytes = encode("\u{feff}customer_id,ü\r\nC17,1\r\nC18,2\r\n");
        let fate = utf16(Path::new("t.csv"), &mut &bytes[..], &mut out, &needles("C17"), false).expect("no file system");
        assert!(matches!(fate, Fate::Written(Tally { rows: 1, .. })), "{fate:?}");
        assert_eq!(out, encode("\u{feff}customer_id,ü\r\nC18,2\r\n"));
    }

    #[test]
    fn a_form_that_two_blocks_share_is_found() {
        let mut text = vec![b'.'; BLOCK as usize - 2];
        text.extend_from_slice(b" C17 ");
        text.push(0);
        let fate = binary(Path::new("t.bin"), &mut &text[..], &mut std::io::sink(), &needles("C17")).expect("no file system");
        assert!(matches!(fate, Fate::Stuck(_)));
        text.pop();
        let mut out: Vec<u8> = Vec::new();
        lines(Path::new("t.txt"), &mut &text[..], &mut out, &needles("C17")).expect("no file system");
        assert!(out.ends_with(b". [erased] ") && out.len() == text.len() + 5);
    }
}
