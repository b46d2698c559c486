//! `almanac demo --no-run`: the files, their determinism, and what it refuses.

use std::collections::BTreeSet;
use std::fs;

use expect_test::expect;

use crate::program::{Workplace, files_below};

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_does_not() {
    let place = Workplace::new();
    for (folder, seed) in [("one", 3), ("two", 3), ("three", 4)] {
        let answer = place.almanac(&format!("demo {folder} --series 30 --days 400 --seed {seed} --no-run"));
        assert_eq!(answer.code, Some(0), "{}", answer.to_text());
    }
    let content = |folder: &str| files_below(&place.path(folder)).into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>();
    assert!(content("one") == content("two"));
    assert!(content("one") != content("three"));
}

#[test]
fn a_larger_demo_holds_the_rows_of_a_smaller_one() {
    let place = Workplace::new();
    place.almanac("demo small --series 12 --days 120 --no-run");
    place.almanac("demo large --series 40 --days 120 --no-run");
    let lines = |folder: &str| -> BTreeSet<String> {
        let text = fs::read_to_string(place.path(folder).join("raw/sales_2024.csv")).expect("the demo writes it");
        text.lines().map(str::to_owned).collect()
    };
    assert!(lines("small").is_subset(&lines("large")));
}

#[test]
fn the_first_rows_have_not_changed() {
    let place = Workplace::new();
    place.almanac("demo . --series 2 --days 800 --seed 7 --no-run");
    let head = |name: &str| {
        let bytes = fs::read(place.path("raw").join(name)).expect("the demo writes it");
        // Latin-1 maps to the code points of the same numbers.
        let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
        text.lines().take(4).map(|line| line.to_owned() + "\n").collect::<String>()
    };
    let text = ["sales_2023.csv", "sales_2024.csv", "prices.csv", "promotions.csv", "items.csv"].map(head).join("\n");
    expect![[r#"
        day;store_code;city;item_code;quantity;available
        01.01.2023;S001;Duluth;BAK-01;1,0;1
        02.01.2023;S001;Duluth;BAK-01;7,0;1
        03.01.2023;S001;Duluth;BAK-01;4,0;1

        date,store,item,units,in_stock
        2024-01-01,S001,BAK-01,7,1
        2024-01-02,S001,BAK-01,8,1
        2024-01-03,S001,BAK-01,7,1

        store,item,valid_from,valid_to,price
        S001,BAK-01,2022-10-23,2023-02-23,7.79
        S001,BAK-01,2023-02-24,2023-06-17,7.59
        S001,BAK-01,2023-06-18,2024-01-18,7.59

        store,item,start_date,end_date,discount,label
        S001,BAK-01,2022-11-27,2022-12-03,0.10,Weekly deal
        S001,BAK-01,2023-03-10,2023-03-16,0.20,"""2 for less"""
        S001,BAK-01,2023-04-13,2023-04-17,0.30,"""2 for less"""

        item,category,name
        BAK-01,Bakery,Sourdough loaf
    "#]]
    .assert_eq(&text);
}

#[test]
fn the_project_of_the_demo_is_valid_whatever_its_length() {
    let place = Workplace::new();
    for days in [30, 400, 1095] {
        place.almanac(&format!("demo {days} --series 5 --days {days} --no-run"));
        let answer = place.almanac(&format!("-C {days} doctor"));
        assert!(answer.code == Some(0) && answer.stdout.contains("target `units`"), "{}", answer.to_text());
    }
}

#[test]
fn a_demo_of_the_same_numbers_may_be_made_again() {
    let place = Workplace::new();
    for _ in 0..2 {
        assert_eq!(place.almanac("demo shop --series 5 --days 60 --no-run").code, Some(0));
    }
}

#[test]
fn another_project_is_not_written_over() {
    let place = Workplace::new();
    fs::create_dir(place.path("shop")).expect("the folder is new");
    fs::write(place.path("shop/almanac.toml"), "# mine\n").expect("the folder is ours");
    let answer = place.almanac("demo shop --series 5 --days 60 --no-run");
    expect![[r"
        exit 2
        --- stderr
        error: `shop/almanac.toml` exists and is not the project of this demo

        hint: name another folder, or add `--force` to write over its `almanac.toml` and `raw/`
    "]]
    .assert_eq(&answer.to_text());
    assert_eq!(place.almanac("demo shop --series 5 --days 60 --no-run --force").code, Some(0));
}

#[test]
fn no_temporary_files_are_left() {
    let place = Workplace::new();
    place.almanac("demo shop --series 5 --days 500 --no-run");
    let names: Vec<_> = files_below(&place.path("shop")).into_iter().map(|(path, _)| path).collect();
    assert!(names.iter().all(|path| path.extension().is_some_and(|extension| extension != "tmp")), "{names:?}");
}
