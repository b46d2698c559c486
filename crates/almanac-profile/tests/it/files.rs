//! Profiles of Parquet files.

use std::fs;

use almanac_profile::{ProfileError, ProfileOptions, TableProfile, profile_parquet};
use arrow::array::RecordBatch;

use crate::sample::{profile, sales, words, write};

fn key() -> ProfileOptions {
    ProfileOptions { key: vec!["store".to_owned(), "item".to_owned()], ..ProfileOptions::default() }
}

#[test]
fn files_give_what_their_rows_give_on_any_number_of_threads() {
    let folder = tempfile::tempdir().unwrap();
    let batches = [sales(0..300, 40, 1), sales(300..700, 40, 2)];
    let one = write(folder.path(), "one.parquet", &batches[..1], 5_000);
    let other = write(folder.path(), "other.parquet", &batches[1..], 3_000);
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| profile_parquet(&[one.clone(), other.clone()], &key()).unwrap())
    };
    let read = on(2);
    assert_eq!(serde_json::to_string(&read).unwrap(), serde_json::to_string(&on(1)).unwrap());

    let whole = arrow::compute::concat_batches(&batches[0].schema(), &batches).unwrap();
    let expected = profile(&whole, &key());
    let stable = |profile: &TableProfile| {
        let summary = profile.summary();
        let columns = summary
            .columns
            .iter()
            .map(|column| (column.name.clone(), column.distinct, column.missing, column.text.clone(), column.time.clone()));
        (summary.rows, summary.key.clone(), columns.collect::<Vec<_>>())
    };
    assert_eq!(format!("{:?}", stable(&read)), format!("{:?}", stable(&expected)));
}

#[test]
fn a_file_that_is_cut_off_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "sales.parquet", &[sales(0..100, 10, 1)], 500);
    let bytes = fs::read(&path).unwrap();
    for cut in [0, 3, 4, bytes.len() / 2, bytes.len() - 1] {
        fs::write(&path, &bytes[..cut]).unwrap();
        let error = profile_parquet(std::slice::from_ref(&path), &ProfileOptions::default()).unwrap_err();
        assert!(matches!(error, ProfileError::Parquet { .. }) && error.to_string().contains("sales.parquet"), "{cut}: {error}");
    }
    fs::remove_file(&path).unwrap();
    assert!(matches!(profile_parquet(&[path], &ProfileOptions::default()), Err(ProfileError::Io { .. })));
    assert!(matches!(profile_parquet(&[], &ProfileOptions::default()), Err(ProfileError::Nothing)));
}

#[test]
fn bytes_that_were_turned_are_an_error_or_a_profile_but_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let path = write(folder.path(), "sales.parquet", &[sales(0..50, 5, 1)], 60);
    let bytes = fs::read(&path).unwrap();
    for at in (0..bytes.len()).step_by(bytes.len() / 150) {
        let mut turned = bytes.clone();
        turned[at] ^= 0x55;
        fs::write(&path, &turned).unwrap();
        let _ = profile_parquet(std::slice::from_ref(&path), &key());
    }
}

#[test]
fn files_with_other_columns_are_not_one_table() {
    let folder = tempfile::tempdir().unwrap();
    let paths =
        [write(folder.path(), "sales.parquet", &[sales(0..10, 5, 1)], 60), write(folder.path(), "words.parquet", &[words(["a"])], 60)];
    let error = profile_parquet(&paths, &ProfileOptions::default()).unwrap_err().to_string();
    assert!(error.contains("words.parquet") && error.contains("`x` (text)"), "{error}");
}

#[test]
fn values_that_no_dictionary_holds_are_read_too() {
    let folder = tempfile::tempdir().unwrap();
    let long: RecordBatch = words((0..30_000).map(|i| format!("{i:050}")));
    let path = write(folder.path(), "long.parquet", std::slice::from_ref(&long), 10_000);
    let read = profile_parquet(&[path], &ProfileOptions::default()).unwrap();
    let distinct = read.columns[0].distinct().unwrap();
    assert!(!distinct.1 && distinct.0.abs_diff(30_000) < 1_400, "{distinct:?}");
    assert_eq!(read.summary().columns[0].text.as_ref().unwrap().max_length, 50);
}
