//! XGBoost's models read and predicted without the library: the numbers that Python gives, and our own text of them.

use almanac_trees::xgboost::Ensemble;
use serde_json::{Value, json};

fn fixture() -> Value {
    serde_json::from_str(include_str!("python_xgboost.json")).expect("JSON")
}

fn rows(fixture: &Value) -> Vec<f32> {
    let rows = fixture["rows"].as_array().expect("rows");
    rows.iter().flat_map(|row| row.as_array().expect("cells")).map(|cell| cell.as_f64().map_or(f32::NAN, |value| value as f32)).collect()
}

fn models(fixture: &Value) -> Vec<(Ensemble, Vec<f64>)> {
    let models = fixture["models"].as_array().expect("models");
    let read = |model: &Value| {
        let predictions = model["predictions"].as_array().expect("predictions").iter().map(|said| said.as_f64().expect("a number"));
        (Ensemble::from_json(&model["model"].to_string()).expect("a model"), predictions.collect())
    };
    models.iter().map(read).collect()
}

#[test]
fn predictions_equal_those_of_python() {
    let fixture = fixture();
    let rows = rows(&fixture);
    let models = models(&fixture);
    assert_eq!(models.len(), 4, "squared error, Tweedie, Poisson, logistic");
    for (number, (ensemble, wanted)) in models.iter().enumerate() {
        let said = ensemble.predict(&rows).expect("rows of the right width");
        assert_eq!(said.len(), wanted.len());
        for (row, (said, wanted)) in said.iter().zip(wanted).enumerate() {
            // The sums are the library's, in floats; its exponential is a float's too, which has seven digits.
            assert!((said - wanted).abs() <= 1e-6 * wanted.abs().max(1.0), "model {number}, row {row}: {said} for {wanted}");
        }
    }
}

#[test]
fn our_text_gives_the_same_trees_back() {
    for (ensemble, _) in models(&fixture()) {
        let text = ensemble.to_text();
        assert_eq!(Ensemble::from_text(&text).expect("its own text"), ensemble);
        assert_eq!(Ensemble::from_text(&text).expect("its own text").to_text(), text);
    }
}

#[test]
fn damaged_text_is_an_error_not_a_crash() {
    let ensemble = models(&fixture()).remove(1).0;
    let text = ensemble.to_text();
    let lines: Vec<&str> = text.lines().collect();
    for cut in 0..lines.len() {
        // A line less, two lines swapped, a text that ends early: some are still trees, none may panic.
        let without: Vec<&str> = lines.iter().enumerate().filter(|(at, _)| *at != cut).map(|(_, line)| *line).collect();
        for damaged in [without.join("\n"), lines[..cut].join("\n"), text.replace(lines[cut], "split 99 nan left 1")] {
            if let Ok(ensemble) = Ensemble::from_text(&damaged) {
                ensemble.predict(&vec![0.5; ensemble.n_columns()]).expect("predicts");
            }
        }
    }
    let error = Ensemble::from_text("almanac-trees 1\ncolumns 2 transform exp base 0.5\ntree\nleaf x\n").unwrap_err();
    assert_eq!(error.to_string(), "not a model that can be read: line 4: `leaf x`");
    let error = Ensemble::from_text("almanac-trees 1\ncolumns 2 transform exp base 0.5\ntree\nsplit 0 1.0 left 2\nleaf 1.0\n").unwrap_err();
    assert_eq!(error.to_string(), "not a model that can be read: a split leads nowhere");
}

#[test]
fn models_of_another_kind_are_refused_by_name() {
    let model = fixture()["models"][0]["model"].clone();
    let check = |path: &str, value: Value, wanted: &str| {
        let mut changed = model.clone();
        *changed.pointer_mut(path).expect("it is there") = value;
        let error = Ensemble::from_json(&changed.to_string()).unwrap_err();
        assert_eq!(error.to_string(), format!("not a model that can be read: {wanted}"));
    };
    check("/learner/gradient_booster/name", json!("dart"), "it is `dart`, only `gbtree` is read");
    check("/learner/objective/name", json!("rank:ndcg"), "its objective `rank:ndcg` is not known");
    check("/learner/learner_model_param/num_class", json!("3"), "it has more than one output");
    let tree = "/learner/gradient_booster/model/trees/0";
    check(&format!("{tree}/left_children/0"), json!(0), "a tree is damaged: its nodes go in a circle");
    check(&format!("{tree}/right_children/0"), json!(9_999), "a tree is damaged: a child is missing");
    check(&format!("{tree}/split_indices/0"), json!(77), "a tree is damaged: a split leads nowhere");
    check(&format!("{tree}/default_left"), json!([]), "a tree is damaged: its lists differ in length");
}

/// As version 2.1.4 writes splits by category.
#[test]
fn a_condition_that_is_no_number_does_no_harm_where_categories_split() {
    let model = fixture()["models"][0]["model"].to_string();
    let (start, rest) = model.split_once("\"split_conditions\":[").expect("conditions");
    let (first, rest) = rest.split_once(',').expect("more than one");
    assert!(first.parse::<f32>().is_ok());
    let changed = format!("{start}\"split_conditions\":[NaN,{rest}");
    let error = Ensemble::from_json(&changed).unwrap_err();
    assert_eq!(error.to_string(), "not a model that can be read: a tree is damaged: a split is at no number");
    let changed = changed.replacen("\"split_type\":[0", "\"split_type\":[1", 1);
    let error = Ensemble::from_json(&changed).unwrap_err();
    assert_eq!(error.to_string(), "not a model that can be read: a tree is damaged: a split has no categories");
}

#[test]
fn rows_of_another_width_are_refused() {
    let error = models(&fixture())[0].0.predict(&[1.0; 7]).unwrap_err();
    assert_eq!(error.to_string(), "not a model that can be read: 7 values do not make rows of its 5 columns");
}
