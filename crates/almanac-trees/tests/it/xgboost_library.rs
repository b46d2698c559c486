//! The wrapper of the real library: the same trees on any number of threads, the predictions it makes itself, and what is said where
//! it is not there. Tests that need the library skip where it is not found.

use std::path::{Path, PathBuf};

use almanac_series::Hint;
use almanac_trees::xgboost::{Booster, Dataset, Ensemble, Library, Loss, XgBoostError};

const COLUMNS: usize = 8;
const ROWS: usize = 40_000;
const BLOCK: usize = 7_000;

/// The library that `ALMANAC_XGBOOST_LIB` names, or the system's own.
pub(crate) fn file() -> Option<PathBuf> {
    std::env::var_os("ALMANAC_XGBOOST_LIB").map(PathBuf::from)
}

/// The library, if it is on this machine.
pub(crate) fn library() -> Option<Library> {
    match Library::find(file().as_deref(), &[]) {
        Ok(library) => Some(library),
        Err(error) => {
            eprintln!("skipped: {error}; name its file in ALMANAC_XGBOOST_LIB");
            None
        }
    }
}

/// Columns that mirror one another, so that splits tie but for rounding; labels are not negative.
fn table() -> (Vec<f32>, Vec<f32>) {
    let (mut values, mut labels) = (Vec::new(), Vec::new());
    for row in 0..ROWS as u64 {
        let noise = |k: u64| {
            ((row * 8 + k + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f32
                / 16_777_216.0
        };
        let code = (noise(0) * 23.0).floor();
        let (one, two) = (noise(1), noise(2));
        let hole = if row % 11 == 0 { f32::NAN } else { noise(3) };
        let rare = if row == 5 { f32::INFINITY } else { 0.0 };
        values.extend([one, -one, 2.0 * one, two, -two, code, hole, rare]);
        let level = (2.0 * one + two).exp() * if code == 3.0 || code > 19.0 { 2.0 } else { 1.0 };
        labels.push(level * (0.2 - noise(4).max(1e-6).ln()));
    }
    (values, labels)
}

fn train(library: &Library, loss: Loss, threads: usize) -> (Ensemble, Vec<f32>) {
    let (values, labels) = table();
    // Of so different sizes that sums of doubles round, and the order shows.
    let weights: Vec<f32> = (0..ROWS).map(|row| 10.0_f32.powi((row * 7919 % 13) as i32 - 6)).collect();
    let categorical = [false, false, false, false, false, true, false, false];
    let mut block = |at: usize| values.chunks(BLOCK * COLUMNS).nth(at).map(<[f32]>::to_vec);
    let dataset = Dataset::new(library, &categorical, 64, threads, &mut block).expect("bins");
    assert_eq!(dataset.n_rows(), ROWS);
    let params: [(&str, &dyn std::fmt::Display); 9] = [
        ("objective", &loss.objective()),
        ("tree_method", &"hist"),
        ("nthread", &threads),
        ("seed", &7),
        ("seed_per_iteration", &true),
        ("base_score", &0.7_f32),
        ("max_depth", &6),
        ("min_child_weight", &0),
        ("colsample_bytree", &0.6),
    ];
    let mut booster = Booster::new(&dataset, &params).expect("parameters");
    for round in 0..30 {
        let margins = booster.margins().expect("margins");
        booster.grow(&loss.gradients(&labels, &weights, &margins, |row| (row + round) % 4 != 0)).expect("a tree");
    }
    let margins = booster.margins().expect("margins");
    (booster.finish().expect("trees"), margins)
}

#[test]
fn any_number_of_threads_grows_the_same_trees() {
    let Some(library) = library() else { return };
    for loss in [Loss::Squared, Loss::Tweedie { power: 1.2 }] {
        let (one, _) = train(&library, loss, 1);
        assert_eq!(one.n_trees(), 30);
        for threads in [2, 3, 8] {
            assert_eq!(one.to_text(), train(&library, loss, threads).0.to_text(), "{loss:?} on {threads} threads");
        }
    }
}

#[test]
fn our_predictions_are_those_of_the_library() {
    let Some(library) = library() else { return };
    let (values, labels) = table();
    let (ensemble, margins) = train(&library, Loss::Squared, 2);
    let said = ensemble.predict(&values).expect("predictions");
    for (said, margin) in said.iter().zip(&margins) {
        // The same floats are added, one after the other.
        assert!((said - f64::from(*margin)).abs() < 1e-6, "{said} for {margin}");
    }
    let error = said.iter().zip(&labels).map(|(said, label)| (said - f64::from(*label)).powi(2)).sum::<f64>() / ROWS as f64;
    let mean = labels.iter().sum::<f32>() / ROWS as f32;
    let spread = labels.iter().map(|label| f64::from(label - mean).powi(2)).sum::<f64>() / ROWS as f64;
    assert!(error < 0.7 * spread, "it learns: {error} of {spread}");
    let tweedie = train(&library, Loss::Tweedie { power: 1.2 }, 2);
    for (said, margin) in tweedie.0.predict(&values).expect("predictions").iter().zip(&tweedie.1) {
        assert!((said.ln() - f64::from(*margin)).abs() < 1e-6, "{said} for the exponential of {margin}");
    }
}

#[test]
fn rows_that_do_not_fit_and_parameters_that_are_none_are_errors() {
    let Some(library) = library() else { return };
    let error = Dataset::new(&library, &[false, false], 16, 1, &mut |at| (at == 0).then(|| vec![1.0; 7])).unwrap_err();
    assert_eq!(error.to_string(), "xgboost failed to bin the rows: 7 values do not make rows of 2 columns");
    let dataset = Dataset::new(&library, &[false], 16, 1, &mut |at| (at == 0).then(|| vec![1.0, 2.0, 3.0])).expect("three rows");
    let mut booster = Booster::new(&dataset, &[("objective", &"reg:squarederror")]).expect("parameters");
    let error = booster.grow(&Loss::Squared.gradients(&[1.0], &[1.0], &[0.0], |_| true)).unwrap_err();
    assert_eq!(error.to_string(), "xgboost failed to train: 1 and 1 gradients for 3 rows");
}

#[test]
fn a_panic_while_rows_are_made_goes_through_the_library_unharmed() {
    let Some(library) = library() else { return };
    let made =
        std::panic::catch_unwind(|| Dataset::new(&library, &[false], 16, 1, &mut |_| panic!("no rows today")).map(|set| set.n_rows()));
    assert_eq!(made.unwrap_err().downcast_ref::<&str>(), Some(&"no rows today"));
}

#[test]
fn an_absent_library_is_said_with_the_command_that_installs_it() {
    let error = XgBoostError::Absent;
    assert_eq!(error.to_string(), "the XGBoost library is not on this machine");
    assert_eq!(error.hint().as_deref(), Some("install it with `pip install xgboost`, or name its file in `ALMANAC_XGBOOST_LIB`"));
}

#[test]
#[cfg(target_os = "linux")]
fn a_named_file_that_is_not_there_is_not_passed_over() {
    let path = "/nowhere/libxgboost.so";
    let error = Library::find(Some(Path::new(path)), &[]).unwrap_err();
    let wanted = "`/nowhere/libxgboost.so` cannot be loaded as the XGBoost library: \
                  /nowhere/libxgboost.so: cannot open shared object file: No such file or directory";
    assert_eq!(error.to_string(), wanted);
}
