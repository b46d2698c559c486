//! The wrapper of the library: the same model on one thread or many, and the numbers that Python's LightGBM gives.

use almanac_trees::lightgbm::{Booster, DatasetBuilder, Params};

const COLUMNS: usize = 6;

fn table(rows: usize) -> (Vec<f32>, Vec<f32>) {
    let mut values = Vec::new();
    let mut labels = Vec::new();
    for row in 0..rows {
        let noise = |k: usize| ((row * (7919 + 2 * k) + 13 * k) % 1009) as f32 / 1009.0;
        let code = (row % 5) as f32;
        values.extend([noise(1), noise(2), if row % 11 == 0 { f32::NAN } else { noise(3) }, code, 0.0, noise(4)]);
        labels.push(2.0 * noise(1) + noise(3) * noise(2) + if code == 3.0 { 1.0 } else { 0.0 });
    }
    (values, labels)
}

fn train(threads: usize) -> Booster {
    let (values, labels) = table(5_000);
    let params = Params::new(3, threads)
        .with("objective", "regression")
        .with("num_leaves", 15)
        .with("feature_fraction", 0.7)
        .with("bagging_fraction", 0.7)
        .with("bagging_freq", 1);
    let mut builder = DatasetBuilder::new(&values[..1_000 * COLUMNS], COLUMNS, labels.len(), &[3], &params).expect("bins");
    for chunk in values.chunks(700 * COLUMNS) {
        builder.push(chunk).expect("rows");
    }
    let names: Vec<String> = (0..COLUMNS).map(|k| format!("a column, \"{k}\"")).collect();
    Booster::train(&builder.finish(&labels, &[], &names).expect("a data set"), 30, &params).expect("trees")
}

fn trees(text: &str) -> &str {
    text.split("\nparameters:").next().expect("split gives at least one part")
}

#[test]
fn one_thread_and_two_grow_the_same_trees() {
    let (one, two) = (train(1), train(2));
    assert_eq!(trees(&one.to_text().expect("text")), trees(&two.to_text().expect("text")));
    let (values, labels) = table(2_000);
    let said = one.predict(&values).expect("predictions");
    assert_eq!(said, two.predict(&values).expect("predictions"));
    let error = said.iter().zip(&labels).map(|(said, label)| (said - f64::from(*label)).powi(2)).sum::<f64>() / 2_000.0;
    assert!(error < 0.06, "it learns: {error}");
}

#[test]
fn a_model_read_back_predicts_the_same_bits() {
    let booster = train(2);
    let again = Booster::from_text(&booster.to_text().expect("text")).expect("its own text");
    let (values, _) = table(500);
    assert_eq!(booster.predict(&values).expect("predictions"), again.predict(&values).expect("predictions"));
}

#[test]
fn text_that_is_no_model_is_an_error_not_a_crash() {
    let error = Booster::from_text("nonsense").unwrap_err();
    assert!(error.to_string().starts_with("lightgbm failed to read a model: "), "{error}");
}

#[test]
fn rows_of_another_width_are_refused() {
    assert!(train(1).predict(&[1.0; 7]).unwrap_err().to_string().contains("7 values"));
}

/// The fixture holds a model trained by Python's lightgbm, rows, and what Python predicted for them (see its header).
#[test]
fn predictions_equal_those_of_python() {
    let fixture = include_str!("python_lightgbm.txt");
    let (head, model) = fixture.split_once("== model\n").expect("a model");
    let booster = Booster::from_text(model).expect("a model of the same library");
    for line in head.lines().filter(|line| !line.starts_with('#')) {
        let (row, wanted) = line.split_once(" -> ").expect("row -> prediction");
        let row: Vec<f32> = row.split(' ').map(|value| value.parse().expect("a number")).collect();
        let wanted: f64 = wanted.parse().expect("a number");
        let said = booster.predict(&row).expect("predicts")[0];
        // The same trees and the same sums: only the text of the numbers can differ.
        assert!((said - wanted).abs() < 1e-12, "{said} for {wanted}");
    }
}
