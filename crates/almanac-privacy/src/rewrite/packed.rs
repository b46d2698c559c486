//! Packed files: unpacked, rewritten and packed again the same way. The settings are fixed, so that the same content gives the same bytes.

use std::io::{BufRead, Read, Seek, Write};
use std::path::Path;

use flate2::{Compression, GzBuilder, bufread::MultiGzDecoder};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::{Fate, Tally, stream};
use crate::error::EraseError;
use crate::needles::Needles;

const ZSTD_LEVEL: i32 = 3;
/// Most that a member of an archive may unpack to.
const LARGEST_MEMBER: u64 = 4 << 30;

pub(super) fn gzip(
    path: &Path,
    input: Box<dyn BufRead + '_>,
    out: &mut (dyn Write + Send),
    needles: &Needles,
    depth: usize,
) -> Result<Fate, EraseError> {
    let mut packed = GzBuilder::new().write(out, Compression::default());
    let fate = stream(path, Box::new(MultiGzDecoder::new(input)), &mut packed, needles, depth + 1)?;
    packed.finish().map_err(|error| EraseError::io(path, error))?;
    Ok(fate)
}

pub(super) fn zstd(
    path: &Path,
    input: Box<dyn BufRead + '_>,
    out: &mut (dyn Write + Send),
    needles: &Needles,
    depth: usize,
) -> Result<Fate, EraseError> {
    let failed = |error| EraseError::io(path, error);
    let mut packed = zstd::Encoder::new(out, ZSTD_LEVEL).map_err(failed)?;
    let unpacked = zstd::Decoder::with_buffer(input).map_err(failed)?;
    let fate = stream(path, Box::new(unpacked), &mut packed, needles, depth + 1)?;
    packed.finish().map_err(failed)?;
    Ok(fate)
}

/// Member by member; those without the subject are copied as they are packed. Spreadsheets are archives whose tables have another form.
pub(super) fn zip<R: Read + Seek>(
    path: &Path,
    input: R,
    out: &mut (dyn Write + Send),
    needles: &Needles,
    depth: usize,
) -> Result<Fate, EraseError> {
    let failed = |error: zip::result::ZipError| EraseError::table(path, error);
    let mut archive = match ZipArchive::new(input) {
        Ok(archive) => archive,
        Err(error) => return Ok(Fate::Hopeless(format!("it is no sound archive: {error}"))),
    };
    let is_sheet = archive.index_for_name("[Content_Types].xml").is_some();
    if is_sheet && needles.is_plain() {
        return Ok(Fate::Hopeless("it is a spreadsheet, which is not searched for short numbers".into()));
    }
    let mut packed = ZipWriter::new_stream(out);
    let mut tally = Tally::default();
    for index in 0..archive.len() {
        let (name, options) = match archive.by_index(index) {
            Ok(member) => {
                let options =
                    SimpleFileOptions::default().compression_method(member.compression()).large_file(member.size() >= u64::from(u32::MAX));
                let options = member.last_modified().map_or(options, |at| options.last_modified_time(at));
                (member.name().map(std::borrow::Cow::into_owned), member.unix_mode().map_or(options, |mode| options.unix_permissions(mode)))
            }
            Err(error) => return Ok(Fate::Hopeless(format!("member {} cannot be unpacked: {error}", index + 1))),
        };
        let name = match name {
            Ok(name) => name,
            Err(error) => return Ok(Fate::Hopeless(format!("member {} has no sound name: {error}", index + 1))),
        };
        if needles.mentions(name.as_bytes()) > 0 {
            tally.rows += 1;
            continue;
        }
        let mut changed = tempfile::tempfile().map_err(|error| EraseError::io(path, error))?;
        let member = archive.by_index(index).map_err(failed)?;
        let fate = stream(path, Box::new(member.take(LARGEST_MEMBER)), &mut changed, needles, depth + 1)?;
        match fate {
            Fate::Stuck(why) => return Ok(Fate::Stuck(format!("member {}: {why}", index + 1))),
            Fate::Hopeless(why) => return Ok(Fate::Hopeless(format!("member {}: {why}", index + 1))),
            Fate::Written(found) if found.is_clean() => {
                packed.raw_copy_file(archive.by_index_raw(index).map_err(failed)?).map_err(failed)?;
            }
            Fate::Written(_) if is_sheet => return Ok(Fate::Stuck("it is a spreadsheet, whose rows are not rewritten".into())),
            Fate::Written(found) => {
                tally.add(found);
                packed.start_file(name, options).map_err(failed)?;
                changed.rewind().and_then(|()| std::io::copy(&mut changed, &mut packed)).map_err(|error| EraseError::io(path, error))?;
            }
        }
    }
    packed.finish().map_err(failed)?;
    Ok(Fate::Written(tally))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::needles::tests::needles;

    const TABLE: &[u8] = b"customer_id,units\nC17,1\nC18,2\n";

    fn rewritten(bytes: &[u8]) -> (Vec<u8>, Fate) {
        let mut out: Vec<u8> = Vec::new();
        let fate = stream(Path::new("t"), Box::new(bytes), &mut out, &needles("C17"), 0).expect("no file system");
        (out, fate)
    }

    fn unpacked(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        match super::super::Kind::of(bytes) {
            super::super::Kind::Gzip => MultiGzDecoder::new(bytes).read_to_end(&mut out).expect("sound"),
            _ => zstd::Decoder::new(bytes).expect("sound").read_to_end(&mut out).expect("sound"),
        };
        out
    }

    #[test]
    fn packed_tables_are_packed_again_the_same_way_each_time() {
        let mut gzip = GzBuilder::new().write(Vec::new(), Compression::best());
        gzip.write_all(TABLE).expect("memory");
        for packed in [gzip.finish().expect("memory"), zstd::encode_all(TABLE, 1).expect("memory")] {
            let (out, fate) = rewritten(&packed);
            assert!(matches!(fate, Fate::Written(Tally { rows: 1, .. })), "{fate:?}");
            assert_eq!(unpacked(&out), b"customer_id,units\nC18,2\n");
            assert_eq!(rewritten(&packed).0, out);
        }
    }

    #[test]
    fn members_of_an_archive_are_rewritten_and_spreadsheets_refused() {
        let archive = |names: &[&str]| {
            let mut writer = ZipWriter::new(std::io::Cursor::new(Vec::new()));
            for name in names {
                writer.start_file(*name, SimpleFileOptions::default()).expect("memory");
                writer.write_all(if name.starts_with('a') { TABLE } else { b"nothing" }).expect("memory");
            }
            writer.finish().expect("memory").into_inner()
        };
        let (out, fate) = rewritten(&archive(&["a.csv", "b.txt", "C17.csv"]));
        assert!(matches!(fate, Fate::Written(Tally { rows: 2, .. })), "{fate:?}");
        let mut again = ZipArchive::new(std::io::Cursor::new(out)).expect("sound");
        assert_eq!((again.len(), again.index_for_name("C17.csv")), (2, None));
        let mut text = String::new();
        again.by_name("a.csv").expect("there").read_to_string(&mut text).expect("text");
        assert_eq!(text, "customer_id,units\nC18,2\n");
        assert!(matches!(rewritten(&archive(&["[Content_Types].xml", "a.csv"])).1, Fate::Stuck(_)));
    }

    #[test]
    fn a_packed_file_cut_short_is_told() {
        let whole = zstd::encode_all(&TABLE.repeat(1000)[..], 1).expect("memory");
        assert!(matches!(rewritten(&whole[..whole.len() / 2]).1, Fate::Hopeless(_)));
    }
}
