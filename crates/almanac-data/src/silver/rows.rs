//! The kept columns of the input, row by row: in memory, and spilled to disk by the hash of their series when many.
//!
//! A bucket holds a range of hashes, so that any number of partitions is a run of buckets. Rows stay in input order.
//!
//! Not here: what the columns mean.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Bit of [`Rows::flags`]: demand was cut by a stock-out.
pub(super) const OUT_OF_STOCK: u8 = 1;
/// Bit of [`Rows::flags`]: the row came from the table of known-ahead rows and has no target.
pub(super) const KNOWN_AHEAD: u8 = 2;

const BUCKETS: usize = 64;
const BUFFERED: usize = 16_384;

/// Rows of many series in input order.
#[derive(Debug, Default, Clone)]
pub(super) struct Rows {
    pub(super) series: Vec<u32>,
    pub(super) ds: Vec<i64>,
    /// NaN where the source has none.
    pub(super) y: Vec<f64>,
    pub(super) flags: Vec<u8>,
    pub(super) exog: Vec<Vec<f64>>,
}

impl Rows {
    pub(super) fn new(columns: usize) -> Self {
        Self { exog: vec![Vec::new(); columns], ..Self::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.series.len()
    }

    fn clear(&mut self) {
        self.series.clear();
        self.ds.clear();
        self.y.clear();
        self.flags.clear();
        self.exog.iter_mut().for_each(Vec::clear);
    }

    fn extend(&mut self, from: &Self, range: std::ops::Range<usize>) {
        self.series.extend_from_slice(&from.series[range.clone()]);
        self.ds.extend_from_slice(&from.ds[range.clone()]);
        self.y.extend_from_slice(&from.y[range.clone()]);
        self.flags.extend_from_slice(&from.flags[range.clone()]);
        for (column, from) in self.exog.iter_mut().zip(&from.exog) {
            column.extend_from_slice(&from[range.clone()]);
        }
    }

    fn encode(&self, bytes: &mut Vec<u8>) {
        bytes.clear();
        bytes.extend_from_slice(&(self.len() as u64).to_le_bytes());
        bytes.extend(self.series.iter().flat_map(|value| value.to_le_bytes()));
        bytes.extend(self.ds.iter().flat_map(|value| value.to_le_bytes()));
        bytes.extend(self.y.iter().flat_map(|value| value.to_le_bytes()));
        bytes.extend_from_slice(&self.flags);
        for column in &self.exog {
            bytes.extend(column.iter().flat_map(|value| value.to_le_bytes()));
        }
    }

    /// Adds the rows of the encoded blocks whose series `wanted` accepts.
    fn decode(&mut self, mut bytes: &[u8], wanted: &impl Fn(u32) -> bool) {
        let word = |bytes: &[u8], index: usize| -> [u8; 8] { bytes[index * 8..index * 8 + 8].try_into().expect("eight bytes") };
        while !bytes.is_empty() {
            let rows = u64::from_le_bytes(word(bytes, 0)) as usize;
            let mut take = |width: usize| {
                let (column, rest) = bytes.split_at(width);
                bytes = rest;
                column
            };
            take(8);
            let (series, ds, y, flags) = (take(rows * 4), take(rows * 8), take(rows * 8), take(rows));
            let exog: Vec<&[u8]> = self.exog.iter().map(|_| take(rows * 8)).collect();
            let series: Vec<u32> = series.chunks_exact(4).map(|code| u32::from_le_bytes(code.try_into().expect("four bytes"))).collect();
            let keep: Vec<usize> = (0..rows).filter(|row| wanted(series[*row])).collect();
            self.series.extend(keep.iter().map(|row| series[*row]));
            self.ds.extend(keep.iter().map(|row| i64::from_le_bytes(word(ds, *row))));
            self.y.extend(keep.iter().map(|row| f64::from_le_bytes(word(y, *row))));
            self.flags.extend(keep.iter().map(|row| flags[*row]));
            for (column, bytes) in self.exog.iter_mut().zip(exog) {
                column.extend(keep.iter().map(|row| f64::from_le_bytes(word(bytes, *row))));
            }
        }
    }
}

/// Rows on disk.
#[derive(Debug)]
pub(super) struct Spill {
    folder: PathBuf,
    columns: usize,
    buffers: Vec<Rows>,
    files: Vec<File>,
    bytes: Vec<u8>,
}

impl Spill {
    pub(super) fn create(folder: &Path, columns: usize) -> io::Result<Self> {
        let folder = folder.join("spill");
        std::fs::create_dir_all(&folder)?;
        let files = (0..BUCKETS).map(|bucket| File::create(bucket_path(&folder, bucket))).collect::<io::Result<_>>()?;
        Ok(Self { folder, columns, buffers: vec![Rows::new(columns); BUCKETS], files, bytes: Vec::new() })
    }

    /// Moves all rows to their buckets.
    pub(super) fn drain(&mut self, rows: &mut Rows, hash: impl Fn(u32) -> u64) -> io::Result<()> {
        let mut start = 0;
        while start < rows.len() {
            let series = rows.series[start];
            // Runs are cut, so that no buffer outgrows its size by much.
            let run = rows.series[start..].iter().take(BUFFERED).take_while(|code| **code == series).count();
            let bucket = bucket_of(hash(series));
            self.buffers[bucket].extend(rows, start..start + run);
            if self.buffers[bucket].len() >= BUFFERED {
                self.flush(bucket)?;
            }
            start += run;
        }
        rows.clear();
        Ok(())
    }

    fn flush(&mut self, bucket: usize) -> io::Result<()> {
        if self.buffers[bucket].len() > 0 {
            self.buffers[bucket].encode(&mut self.bytes);
            self.files[bucket].write_all(&self.bytes)?;
            self.buffers[bucket].clear();
        }
        Ok(())
    }

    /// Writes what is buffered.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        for bucket in 0..BUCKETS {
            self.flush(bucket)?;
        }
        self.buffers.clear();
        self.bytes = Vec::new();
        Ok(())
    }

    /// Reads the rows of the series that `wanted` accepts, all of whose hashes lie in `hashes`.
    pub(super) fn read(&self, hashes: std::ops::RangeInclusive<u64>, wanted: impl Fn(u32) -> bool) -> io::Result<Rows> {
        let mut rows = Rows::new(self.columns);
        for bucket in bucket_of(*hashes.start())..=bucket_of(*hashes.end()) {
            rows.decode(&std::fs::read(bucket_path(&self.folder, bucket))?, &wanted);
        }
        Ok(rows)
    }

    /// Removes the files.
    pub(super) fn remove(self) -> io::Result<()> {
        std::fs::remove_dir_all(&self.folder)
    }
}

fn bucket_of(hash: u64) -> usize {
    (hash >> (64 - BUCKETS.trailing_zeros())) as usize
}

fn bucket_path(folder: &Path, bucket: usize) -> PathBuf {
    folder.join(format!("{bucket:02}"))
}
