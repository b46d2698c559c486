//! Values on tables short enough to check by hand.

use std::sync::Arc;

use almanac_feature_store::Known;
use arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::{Float64Type, Int64Type, TimestampMicrosecondType};
use expect_test::expect;

use crate::support::{at, batch, declared, join};

const SALES: &str = "
entities:
  - {name: shop, keys: [shop, {name: item, type: int}]}
views:
  - name: sales
    entities: [shop]
    source: {bronze: sales}
    time: day
    created: loaded
    ttl: 10d
    fields:
      - price
      - {name: events_3d, aggregate: count, window: 3d}
      - {name: units_3d, aggregate: sum, column: units, window: 3d}
      - {name: mean_3d, aggregate: mean, column: units, window: 3d}
      - {name: least_3d, aggregate: min, column: units, window: 3d}
      - {name: most_3d, aggregate: max, column: units, window: 3d}
      - {name: last_3d, aggregate: last, column: units, window: 3d}
      - {name: kinds_3d, aggregate: distinct, column: units, window: 3d}
      - {name: turnover, derive: price * units_3d}
";

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn times(values: &[&str]) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_iter_values(values.iter().map(|text| at(text))))
}

/// One item of one shop, with a correction of the 3rd that was loaded on the 9th, and another shop.
fn sales() -> RecordBatch {
    batch(vec![
        ("shop", texts(&["a", "a", "a", "a", "a", "b"])),
        ("item", Arc::new(Int64Array::from(vec![1, 1, 1, 1, 1, 1]))),
        ("day", times(&["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-03", "2024-01-04", "2024-01-02"])),
        ("loaded", times(&["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-09", "2024-01-04", "2024-01-02"])),
        ("units", Arc::new(Float64Array::from(vec![Some(1.0), Some(2.0), Some(2.0), Some(40.0), None, Some(7.0)]))),
        ("price", Arc::new(Float64Array::from(vec![10.0, 11.0, 12.0, 13.0, 14.0, 5.0]))),
    ])
}

fn entities(rows: &[(&str, i64, &str)]) -> RecordBatch {
    batch(vec![
        ("shop", texts(&rows.iter().map(|row| row.0).collect::<Vec<_>>())),
        ("item", Arc::new(rows.iter().map(|row| row.1).collect::<Int64Array>())),
        ("event_timestamp", times(&rows.iter().map(|row| row.2).collect::<Vec<_>>())),
    ])
}

/// The features of each row as text, a line each.
fn drawn(answer: &RecordBatch) -> String {
    let mut text = String::new();
    for row in 0..answer.num_rows() {
        let cells = (3..answer.num_columns()).map(|column| {
            let array = answer.column(column);
            let value = if array.is_null(row) {
                "-".to_owned()
            } else if let Some(values) = array.as_primitive_opt::<Float64Type>() {
                values.value(row).to_string()
            } else {
                array.as_primitive::<Int64Type>().value(row).to_string()
            };
            format!("{}={value}", answer.schema().field(column).name())
        });
        text.push_str(&cells.collect::<Vec<_>>().join(" "));
        text.push('\n');
    }
    text
}

#[test]
fn an_answer_knows_the_rows_up_to_its_time_and_no_later_ones() {
    let declarations = declared(SALES);
    let entities = entities(&[
        ("a", 1, "2023-12-31T23:59:59Z"),
        ("a", 1, "2024-01-01"),
        ("a", 1, "2024-01-03T12:00:00Z"),
        ("a", 1, "2024-01-04"),
        ("a", 1, "2024-01-08"),
        ("a", 1, "2024-01-20"),
        ("a", 2, "2024-01-04"),
        ("b", 1, "2024-01-04"),
    ]);
    let answer = join(&declarations, &["sales"], &entities, &sales(), Known::AtEvent).expect("values");
    expect![[r"
        price=- events_3d=- units_3d=- mean_3d=- least_3d=- most_3d=- last_3d=- kinds_3d=- turnover=-
        price=10 events_3d=1 units_3d=1 mean_3d=1 least_3d=1 most_3d=1 last_3d=1 kinds_3d=1 turnover=10
        price=12 events_3d=3 units_3d=5 mean_3d=1.6666666666666667 least_3d=1 most_3d=2 last_3d=2 kinds_3d=2 turnover=60
        price=14 events_3d=3 units_3d=4 mean_3d=2 least_3d=2 most_3d=2 last_3d=2 kinds_3d=1 turnover=56
        price=14 events_3d=0 units_3d=- mean_3d=- least_3d=- most_3d=- last_3d=- kinds_3d=0 turnover=-
        price=- events_3d=- units_3d=- mean_3d=- least_3d=- most_3d=- last_3d=- kinds_3d=- turnover=-
        price=- events_3d=- units_3d=- mean_3d=- least_3d=- most_3d=- last_3d=- kinds_3d=- turnover=-
        price=5 events_3d=1 units_3d=7 mean_3d=7 least_3d=7 most_3d=7 last_3d=7 kinds_3d=1 turnover=35
    "]]
    .assert_eq(&drawn(&answer));
}

#[test]
fn a_correction_counts_from_the_time_it_is_known() {
    let declarations = declared(SALES);
    let entities = entities(&[("a", 1, "2024-01-03"), ("a", 1, "2024-01-05")]);
    let features = ["sales:price", "sales:events_3d", "sales:units_3d"];
    let drawn_as = |known| drawn(&join(&declarations, &features, &entities, &sales(), known).expect("values"));
    let before = "price=12 events_3d=3 units_3d=5\nprice=14 events_3d=2 units_3d=2\n";
    let after = "price=13 events_3d=3 units_3d=43\nprice=14 events_3d=2 units_3d=40\n";
    assert_eq!(drawn_as(Known::AtEvent), before);
    assert_eq!(drawn_as(Known::At(at("2024-01-08"))), before);
    assert_eq!(drawn_as(Known::At(at("2024-01-09"))), after);
    assert_eq!(drawn_as(Known::Now), after);
    let added = declared(&SALES.replace("ttl: 10d", "ttl: 10d\n    corrections: add"));
    let all = drawn(&join(&added, &features, &entities, &sales(), Known::Now).expect("values"));
    assert_eq!(all, "price=13 events_3d=4 units_3d=45\nprice=14 events_3d=3 units_3d=42\n");
}

#[test]
fn times_without_a_zone_are_those_of_the_view() {
    let declarations = declared(
        "
entities: [{name: shop}]
views:
  - {name: prices, entities: [shop], source: {bronze: prices}, time: day, timezone: Europe/Berlin, fields: [price]}
",
    );
    let rows = batch(vec![
        ("shop", texts(&["a", "a"])),
        ("day", Arc::new(TimestampMicrosecondArray::from(vec![at("2024-01-01"), at("2024-07-01")]))),
        ("price", Arc::new(Float64Array::from(vec![1.0, 2.0]))),
    ]);
    let entities = |zone: &str| {
        let array = ["2023-12-31T22:59:59Z", "2023-12-31T23:00:00Z", "2024-06-30T21:59:59Z", "2024-06-30T22:00:00Z"];
        let times = TimestampMicrosecondArray::from_iter_values(array.iter().map(|text| at(text))).with_timezone(zone);
        batch(vec![("shop", texts(&["a"; 4])), ("event_timestamp", Arc::new(times))])
    };
    for zone in ["UTC", "America/New_York", "+05:30"] {
        let answer = join(&declarations, &["prices"], &entities(zone), &rows, Known::Now).expect("values");
        let values: Vec<Option<f64>> = answer.column(2).as_primitive::<Float64Type>().iter().collect();
        assert_eq!(values, [None, Some(1.0), Some(1.0), Some(2.0)], "{zone}");
        assert!(answer.column(1).as_primitive_opt::<TimestampMicrosecondType>().is_some());
    }
}

#[test]
fn of_rows_of_one_time_and_one_load_the_last_counts() {
    let declarations = declared(
        "
entities: [{name: shop}]
views:
  - {name: prices, entities: [shop], source: {bronze: prices}, time: day, fields: [price]}
",
    );
    let rows = batch(vec![
        ("shop", texts(&["a", "b", "a", "a"])),
        ("day", times(&["2024-01-01"; 4])),
        ("price", Arc::new(Float64Array::from(vec![1.0, 9.0, 3.0, 2.0]))),
    ]);
    let entities = batch(vec![("shop", texts(&["a"])), ("event_timestamp", times(&["2024-01-01"]))]);
    let answer = join(&declarations, &["prices"], &entities, &rows, Known::Now).expect("values");
    assert_eq!(answer.column(2).as_primitive::<Float64Type>().value(0), 2.0);
}
