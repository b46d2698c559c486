//! What is wrong is told, in words that name the place.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use almanac_feature_store::{Declarations, FeatureError, Known, MOST_ENTITIES, Request};
use almanac_series::Hint;
use arrow::array::{Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use expect_test::{Expect, expect};
use serde_json::json;

use crate::support::{DAY, Store, batch, declared, join};

const VIEW: &str = "
entities:
  - {name: shop, keys: [shop, {name: item, type: int}]}
views:
  - {name: prices, entities: [shop], source: {bronze: prices}, time: day, fields: [price, name]}
services:
  - {name: all, features: [prices]}
";

fn rows() -> RecordBatch {
    batch(vec![
        ("shop", Arc::new(StringArray::from(vec!["a"]))),
        ("item", Arc::new(Int64Array::from(vec![1]))),
        ("day", Arc::new(TimestampMicrosecondArray::from(vec![DAY]))),
        ("price", Arc::new(Float64Array::from(vec![1.5]))),
        ("name", Arc::new(StringArray::from(vec!["tea"]))),
    ])
}

fn told(error: &FeatureError) -> String {
    let hint = error.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    format!("{error}{hint}")
}

#[track_caller]
fn check_declaration(yaml: &str, expected: Expect) {
    let error = Declarations::parse(yaml, Path::new("features.yaml")).expect_err("not sound");
    expected.assert_eq(&told(&error));
}

#[test]
fn a_declaration_that_cannot_be_meant_names_its_place() {
    check_declaration(
        &VIEW.replace("day,", "day, tttl: 3d,"),
        expect![[r#"
            `features.yaml` is not a file of feature declarations: views[0]: unknown field `tttl`, expected one of `name`, `description`, `owner`, `tags`, `entities`, `source`, `key_columns`, `time`, `created`, `timezone`, `ttl`, `corrections`, `online`, `fields` at line 5 column 75
            hint: docs/feature-store.md describes the file"#]],
    );
    check_declaration(
        &VIEW.replace("[shop], source", "[shpo], source"),
        expect![[r"
            entity `shpo` does not exist
            hint: did you mean `shop`?"]],
    );
    check_declaration(
        &VIEW.replace("day,", "day, ttl: 3 months,"),
        expect![[r"
            feature view `prices`: `ttl: 3 months` is no span of time
            hint: write a number and a unit: `90s`, `15m`, `12h`, `7d`, `4w`"]],
    );
    check_declaration(
        &VIEW.replace("{bronze: prices}", "{bronze: prices, gold: true}"),
        expect![[r"
            feature view `prices`: `source` needs exactly one origin
            hint: write one of `file: …`, `bronze: …`, `sql: …`, `gold: true`"]],
    );
    check_declaration(
        &VIEW.replace("name: prices,", "name: ../prices,"),
        expect![[r"
            feature view `../prices`: the name is not allowed
            hint: names are letters, digits, `_`, `-` and `.`, without `__`, at most 200 bytes"]],
    );
    check_declaration(
        &VIEW.replace("[price, name]", "[{name: half, derive: prce / 2}, price]"),
        expect![[r"
            field `prce` does not exist
            hint: did you mean `price`?"]],
    );
    check_declaration(
        &VIEW.replace("[price, name]", "[{name: week, aggregate: sum, window: 7d}]"),
        expect![[r"
            feature view `prices`: field `week`: an aggregate needs a column
            hint: add `column: …`"]],
    );
}

#[track_caller]
fn check_lookup(request: Request, expected: Expect) {
    let store = Store::new(VIEW);
    store.materialise("prices", &rows(), DAY).expect("materialised");
    let error = store.open().look_up(&request).expect_err("refused");
    expected.assert_eq(&told(&error));
}

fn lookup(features: &[&str], entities: serde_json::Value) -> Request {
    let entities: BTreeMap<String, Vec<serde_json::Value>> = serde_json::from_value(entities).expect("lists");
    Request { features: features.iter().map(|name| (*name).to_owned()).collect(), entities, at: DAY, is_exact: true, ..Request::default() }
}

#[test]
fn a_lookup_that_cannot_be_meant_is_refused() {
    let sound = json!({"shop": ["a"], "item": [1]});
    check_lookup(
        lookup(&["price"], sound.clone()),
        expect![[r"
        feature view `price` does not exist
        hint: did you mean `prices`?"]],
    );
    check_lookup(
        lookup(&["prices:cost"], sound.clone()),
        expect![[r"
        feature `cost` does not exist
        hint: `almanac features list` shows what is declared"]],
    );
    check_lookup(
        lookup(&["prices:price"], json!({"shop": ["a"]})),
        expect![[r"
        `item` is missing: `prices` is looked up by it
        hint: give `item` for each entity"]],
    );
    check_lookup(
        lookup(&["prices:price"], json!({"shop": ["a"], "item": ["1"]})),
        expect![[r"
        the lookup: `item` is a text, but a key of type `int` is needed
        hint: the `type` of a key is `text` or `int`; that of a field is the column's unless it is declared"]],
    );
    check_lookup(
        lookup(&["prices:price"], json!({"shop": [1], "item": [1]})),
        expect![[r"
        the lookup: `shop` is a number, but a key of type `text` is needed
        hint: the `type` of a key is `text` or `int`; that of a field is the column's unless it is declared"]],
    );
    check_lookup(
        lookup(&["prices:price"], json!({"shop": ["a", "b"], "item": [1]})),
        expect![[r"
        `shop` has 2 values, but `item` has 1
        hint: give one value of each key for each entity"]],
    );
    check_lookup(
        lookup(&["prices:price"], json!({"shop": ["a"], "item": [1], "itme": [1]})),
        expect![[r"
        key `itme` does not exist
        hint: did you mean `item`?"]],
    );
    check_lookup(
        lookup(&[], sound.clone()),
        expect![[r#"
        the lookup: it needs either features or a service
        hint: write `features: ["view:feature"]`, or the name of a feature service"#]],
    );
    check_lookup(
        Request { at: 0, ..lookup(&["prices:price"], sound) },
        expect![[r"
        `at` is 1970-01-01T00:00:00Z, but the newest values of `prices` are those at 1970-01-02T00:00:00Z
        hint: values of the past are what `almanac features get` gives"]],
    );
    let many = vec![json!("a"); MOST_ENTITIES + 1];
    check_lookup(
        lookup(&["prices:price"], json!({"shop": many, "item": many})),
        expect![[r"
        entities of one lookup: 10001 are asked for, 10000 is the most
        hint: ask in several requests"]],
    );
}

#[track_caller]
fn check_join(entities: RecordBatch, expected: Expect) {
    let error = join(&declared(VIEW), &["prices"], &entities, &rows(), Known::Now).expect_err("refused");
    expected.assert_eq(&told(&error));
}

#[test]
fn an_entity_table_that_does_not_fit_is_refused() {
    let shop = || Arc::new(StringArray::from(vec!["a"]));
    let item = || Arc::new(Int64Array::from(vec![1]));
    let time = || Arc::new(TimestampMicrosecondArray::from(vec![DAY]));
    check_join(batch(vec![("shop", shop()), ("event_timestamp", time())]), expect!["the entity table has no column `item`"]);
    check_join(
        batch(vec![("shop", shop()), ("item", shop()), ("event_timestamp", time())]),
        expect![[r"
        the entity table: `item` is `Utf8`, but a key of type `int` is needed
        hint: the `type` of a key is `text` or `int`; that of a field is the column's unless it is declared"]],
    );
    check_join(
        batch(vec![("shop", shop()), ("item", item()), ("event_timestamp", shop())]),
        expect![[r"
        the entity table: `event_timestamp` is `a`, but a time such as `2024-01-31T12:00:00Z` is needed
        hint: the `type` of a key is `text` or `int`; that of a field is the column's unless it is declared"]],
    );
    let timeless = Arc::new(TimestampMicrosecondArray::from(vec![None::<i64>]));
    check_join(
        batch(vec![("shop", shop()), ("item", item()), ("event_timestamp", timeless)]),
        expect![[r"
        the entity table: `event_timestamp` is missing in row 1, but a time is needed
        hint: the `type` of a key is `text` or `int`; that of a field is the column's unless it is declared"]],
    );
    check_join(
        batch(vec![("shop", shop()), ("item", item()), ("event_timestamp", time()), ("price", item())]),
        expect![[r"
        two columns of the answer would be named `price`
        hint: ask for full names (`view__feature`), or rename the column of the entity table"]],
    );
}

#[test]
fn a_view_that_is_not_materialised_says_so() {
    let store = Store::new(VIEW);
    let error = store.open().look_up(&lookup(&["prices:price"], json!({"shop": ["a"], "item": [1]}))).expect_err("refused");
    expect![[r"
        feature view `prices` is not served: it is not materialised
        hint: `almanac features materialise --view prices` writes its newest values"]]
    .assert_eq(&told(&error).replace("feature view `prices` is not served: feature view", "feature view"));
}
