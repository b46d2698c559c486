//! A repository made by real Feast (`tests/fixtures/feast/make.py`), and the answers of its own join.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use almanac_feature_store::{EntityTable, FeatureError, Historical, Known, ParquetFiles, Source, SourceOf, TableForm, View, import_feast};
use arrow::array::{Int64Array, StringArray, TimestampMicrosecondArray};
use expect_test::expect;

use crate::support::{MEMORY, at, batch};

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/feast")
}

#[test]
fn a_repository_becomes_declarations_and_what_is_left_out_is_named() {
    let imported = import_feast(&fixture()).expect("a repository");
    let yaml = imported.to_yaml().replace(&*fixture().to_string_lossy(), "REPOSITORY");
    expect![[r#"
        # Taken over from the Feast project `shop`.
        # Not as in Feast: field `item_stats:parts` is of type list; values are single ones
        # Not as in Feast: feature view `shop_facts` also has a stream or push source; only its files are read
        # Not as in Feast: on-demand feature view `in_dollars` is a Python function; write it as fields with `derive`
        entities:
        - name: item
          keys:
          - name: item
            type: text
          description: What is sold
        - name: shop
          keys:
          - name: shop_id
            type: int
        views:
        - name: item_stats
          owner: pricing@example.com
          tags:
            team: pricing
          entities:
          - item
          - shop
          source:
            file: REPOSITORY/data/items.parquet
          time: seen
          created: loaded
          ttl: 5d
          fields:
          - name: price
            column: price_eur
            type: real
            description: Shelf price
          - name: units
            type: int
          - name: share
            type: real32
          - name: on_sale
            type: bool
          - name: label
            type: text
          - name: first_sold
            type: time
        - name: shop_facts
          entities:
          - shop
          source:
            file: REPOSITORY/data/shops.parquet
          time: seen
          fields:
          - name: area
            type: real
        services:
        - name: demand
          features:
          - item_stats:price
          - item_stats:units
          - shop_facts:area
    "#]]
    .assert_eq(&yaml);
    almanac_feature_store::Declarations::parse(&imported.to_yaml(), Path::new("features.yaml")).expect("it reads back");
}

#[test]
fn the_join_gives_what_the_join_of_feast_gives() {
    let declarations = import_feast(&fixture()).expect("a repository").file.check().expect("sound");
    let wanted = ["item_stats:price", "item_stats:units", "item_stats:share", "item_stats:on_sale", "item_stats:label", "shop_facts:area"];
    let features = declarations.resolve(wanted).expect("declared");
    let day = |number: i64| at("2024-01-01") + number * crate::support::DAY;
    // In the order of `expected.csv`.
    let entities = batch(vec![
        ("item", Arc::new(StringArray::from(vec!["tea", "tea", "tea", "cocoa", "cocoa", "tea", "cocoa"]))),
        ("shop_id", Arc::new(Int64Array::from(vec![1, 1, 1, 1, 2, 1, 2]))),
        ("event_timestamp", Arc::new(TimestampMicrosecondArray::from_iter_values([0, 2, 3, 4, 5, 9, 10].map(day)).with_timezone("UTC"))),
    ]);
    let open = |view: &View| {
        let SourceOf::File(path) = &view.source else { panic!("a file") };
        Ok::<_, FeatureError>(Box::new(ParquetFiles::open("the source", vec![path.into()])?) as Box<dyn Source>)
    };
    // Feast does not ask when a correction was known.
    let asked = Historical { declarations: &declarations, features: &features, full_names: false, known: Known::Now, memory: MEMORY };
    let (answer, _) = asked.join(&entities.into(), "event_timestamp", &jiff::tz::TimeZone::UTC, &open).expect("values");
    let drawn = |table: &EntityTable| {
        let mut out = Vec::new();
        table.write_to(&mut out, TableForm::Csv).expect("a Vec takes everything");
        String::from_utf8(out).expect("text")
    };
    let expected = std::fs::read_to_string(fixture().join("expected.csv")).expect("the fixture");
    // Feast writes instants and truth values as Python does, and whole numbers with a fraction.
    let same = |text: &str| {
        text.replace(" 00:00:00+00:00", "T00:00:00Z")
            .replace("False", "false")
            .replace("True", "true")
            .replace(".0,", ",")
            .replace(".0\n", "\n")
    };
    assert_eq!(same(&drawn(&answer)), same(&expected));
}

#[test]
fn a_registry_that_is_none_is_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &[u8]| std::fs::write(folder.path().join(name), text).expect("writable");
    let told = || import_feast(folder.path()).expect_err("refused").to_string().replace(&*folder.path().to_string_lossy(), "REPOSITORY");
    expect!["`REPOSITORY/feature_store.yaml` could not be read"].assert_eq(&told());
    write("feature_store.yaml", b"project: p\nregistry: registry.db\n");
    expect!["`REPOSITORY/registry.db` could not be read"].assert_eq(&told());
    write("registry.db", b"this is not protobuf");
    assert!(told().contains("it is no registry of Feast"), "{}", told());
    write("registry.db", b"");
    assert!(told().contains("has no feature view with a file source"), "{}", told());
    write("feature_store.yaml", b"project: p\nregistry: {registry_type: sql, path: postgresql://secret}\n");
    expect!["`REPOSITORY/feature_store.yaml` cannot be imported: its registry is of type `sql`; only one in a local file can be read"]
        .assert_eq(&told());
}
