//! Scenarios read against a small panel.

use std::collections::BTreeMap;

use almanac_data::CsvOptions;
use almanac_series::{Freq, PanelBuilder, RowStatus, SeriesRows};

use super::*;

/// Three days of two items on sale and one that is not, each with two days known ahead: 1970-01-04 and -05.
fn panel() -> (Panel, Vec<ExogColumn>) {
    let texts = [String::new(), "fair".to_owned()];
    let mut builder = PanelBuilder::new(Freq::Day, &[], &["event".into(), "price".into()]).categories("event", &texts);
    for id in ["a/x", "a/y", "old/z"] {
        let status = [[RowStatus::Observed; 3].as_slice(), &[RowStatus::Future; 2]].concat();
        let future = vec![vec![0.0; 5], vec![2.0; 5]];
        let rows = SeriesRows { y: vec![1.0, 1.0, 1.0, f64::NAN, f64::NAN], status, historic: vec![], future };
        builder.push(id.into(), Period(0), rows).expect("columns agree");
    }
    let column = |name: &str, kind, categories: &[String]| ExogColumn {
        name: name.into(),
        role: ExogRole::Future,
        kind,
        categories: categories.to_vec(),
    };
    let exog = vec![column("event", ExogKind::Category, &texts), column("price", ExogKind::Number, &[])];
    (builder.finish(vec![]).expect("keys are unique"), exog)
}

fn read(text: &str) -> Result<(Scenario, Panel), ScenarioError> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("what_if.csv");
    std::fs::write(&path, text).expect("written");
    let sheet = Sheet::read(&path, &CsvOptions::default(), &BTreeMap::new()).expect("a table");
    let (panel, exog) = panel();
    let context = panel.select(&[0, 1]);
    let id = ["store".to_owned(), "item".to_owned()];
    let names = ScenarioNames { id: &id, time: "date" };
    let scenario = Scenario::read(&sheet, &panel, &context, &exog, names, Horizon::new(2).expect("in range"))?;
    let changed = scenario.apply(&context);
    Ok((scenario, changed))
}

#[track_caller]
fn refused(text: &str) -> String {
    let error = read(text).expect_err("refused");
    let hint = almanac_series::Hint::hint(&error).map_or_else(String::new, |hint| format!(" [{hint}]"));
    format!("{error}{hint}")
}

#[test]
fn a_row_changes_one_series_at_one_step() {
    let (scenario, changed) = read("unique_id,ds,price\na/y,1970-01-05,1.5\n").expect("a scenario");
    assert_eq!((scenario.n_given(), scenario.n_changed()), (1, 1));
    assert_eq!(changed.view(1).future(1), [2.0, 2.0, 2.0, 2.0, 1.5]);
    assert_eq!(changed.view(0).future(1), [2.0; 5]);
}

#[test]
fn rows_without_series_or_time_are_about_all_of_them() {
    let (scenario, changed) = read("price\n1.5\n").expect("a scenario");
    assert_eq!(scenario.n_changed(), 4);
    assert_eq!(changed.view(0).future(1), [2.0, 2.0, 2.0, 1.5, 1.5], "the past stays as it was");
    let (_, changed) = read("store,item,price\na,x,1.5\n").expect("a scenario");
    assert_eq!((changed.view(0).future(1)[4], changed.view(1).future(1)[4]), (1.5, 2.0));
    let (_, changed) = read("date,price\n1970-01-04,1.5\n").expect("a scenario");
    assert_eq!((changed.view(0).future(1)[3], changed.view(1).future(1)[3], changed.view(1).future(1)[4]), (1.5, 1.5, 2.0));
}

#[test]
fn texts_become_codes_and_what_is_known_already_changes_nothing() {
    let (scenario, changed) = read("ds,event,price\n1970-01-04,fair,2\n1970-01-05,,2\n").expect("a scenario");
    assert_eq!((scenario.n_given(), scenario.n_changed()), (8, 2));
    assert_eq!(changed.view(1).future(0), [0.0, 0.0, 0.0, 1.0, 0.0]);
    assert_eq!(changed.future_categories(0)[1], "fair");
}

#[test]
fn every_mistake_names_its_row_and_what_would_be_right() {
    let both = "known ahead: `event`, `price`";
    assert_eq!(refused("unique_id,price\na/x,1\na/yy,1\n"), "row 3 of the scenario: there is no series `a/yy` [did you mean `a/y`?]");
    assert_eq!(refused("unique_id,price\nold/z,1\n"), "row 2 of the scenario: series `old/z` is no longer sold and is not forecast");
    assert_eq!(
        refused("ds,prise\n1970-01-04,1\n"),
        format!("column `prise` of the scenario is not known ahead [did you mean `price`? {both}]")
    );
    assert_eq!(refused("unique_id,ds\na/x,1970-01-04\n"), format!("the scenario changes no known-ahead column [{both}]"));
    assert_eq!(
        refused("ds,price\n1970-01-05,1\n1970-01-06,1\n1970-01-03,1\n"),
        "row 3 of the scenario: 1970-01-06 is not forecast; the steps ahead are 1970-01-04 to 1970-01-05 [leave the row out; only what is known of the steps ahead can be changed]"
    );
    assert_eq!(
        refused("unique_id,ds,price\na/x,1970-01-05,1\na/y,1970-01-05,1\na/x,1970-01-05,3\n"),
        "row 4 of the scenario is about the same as row 2: series `a/x` on 1970-01-05 [keep one of the two]"
    );
    assert_eq!(refused("price\n1\n2\n"), "row 3 of the scenario is about the same as row 2: every series and step [keep one of the two]");
    assert_eq!(
        refused("price\ncheap\n"),
        "row 2 of the scenario: column `price` should hold a number, not `cheap` [an empty cell leaves a number as it is, and names none of the texts]"
    );
    assert_eq!(
        refused("event\nfete\n"),
        "row 2 of the scenario: column `event` should hold one of `fair`, not `fete` [an empty cell leaves a number as it is, and names none of the texts]"
    );
    assert_eq!(refused("price\n1e31\n"), "row 2 of the scenario: `10000000000000000000000000000000` in `price` is beyond 1e30");
    assert_eq!(
        refused("item,price\nx,1\n"),
        "the scenario names series without column `store` [give all id columns, or the whole key as `unique_id`; without any, rows are about every series]"
    );
    assert_eq!(
        refused("ds,price\n,1\n1970-01-05,1\n"),
        "row 2 of the scenario: `ds` is empty [leave the whole column out to mean every series, or every step]"
    );
    assert_eq!(
        refused("ds,price\nsoon,1\n"),
        "row 2 of the scenario: `soon` in `ds` is no time of this project [write it as in the forecasts: `almanac forecast --out -`]"
    );
}
