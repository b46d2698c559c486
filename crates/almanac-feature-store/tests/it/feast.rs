//! A repository made by real Feast (`tests/fixtures/feast/make.py`), and the answers of its own join.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use almanac_feature_store::{
    Column, EntityTable, FeatureError, Historical, Known, ParquetFiles, Source, SourceOf, TableForm, View, import_feast,
};
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
        # Not as in Feast: feature view `shop_facts` also has a stream or push source; only its files are read
        # Not as in Feast: feature view `in_dollars` is left out: an on-demand feature view of Feast is a Python function; write it as fields with `derive`
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
          - name: parts
            type: reals
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
        left_out:
          in_dollars: an on-demand feature view of Feast is a Python function; write it as fields with `derive`
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
    expect!["`REPOSITORY/feature_store.yaml` cannot be imported: its registry `registry.db` is not there: `feast apply` writes it"]
        .assert_eq(&told());
    write("registry.db", b"this is not protobuf");
    assert!(told().contains("it is no registry of Feast"), "{}", told());
    write("registry.db", b"");
    assert!(told().contains("has no feature view with a file source"), "{}", told());
    write("feature_store.yaml", b"project: p\nregistry: {registry_type: sql, path: postgresql://secret}\n");
    expect!["`REPOSITORY/feature_store.yaml` cannot be imported: its registry is of type `sql`; only one in a local file can be read"]
        .assert_eq(&told());
}

/// The odd repository: what is strange in it is told at the head of its `make.py`.
fn odd() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/feast-odd")
}

/// A file, or the files of a folder by their names.
fn files(path: &str) -> Vec<PathBuf> {
    let path = PathBuf::from(path);
    if !path.is_dir() {
        return vec![path];
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    files
}

fn open(view: &View) -> Result<Box<dyn Source>, FeatureError> {
    let SourceOf::File(path) = &view.source else { panic!("a file") };
    Ok(Box::new(ParquetFiles::open("the source", files(path))?))
}

/// Numbers are alike whatever their type: pandas makes numbers with a fraction of whole ones where one is missing.
fn is_same(left: &serde_json::Value, right: &serde_json::Value) -> bool {
    match (left, right) {
        (serde_json::Value::Array(left), serde_json::Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| is_same(left, right))
        }
        (serde_json::Value::Number(left), serde_json::Value::Number(right)) => left.as_f64() == right.as_f64(),
        _ => left == right,
    }
}

#[test]
fn odd_data_is_joined_as_feast_joins_it() {
    let declarations = import_feast(&odd()).expect("a repository").file.check().expect("sound");
    let features = declarations.resolve(["events", "naive:n", "rates:rate"]).expect("declared");
    let entities = almanac_feature_store::read_parquet(&odd().join("entities.parquet")).expect("entities");
    let asked = Historical { declarations: &declarations, features: &features, full_names: false, known: Known::Now, memory: MEMORY };
    let (answer, coverage) = asked.join(&entities, "event_timestamp", &jiff::tz::TimeZone::UTC, &open).expect("values");
    let expected = std::fs::read_to_string(odd().join("expected.json")).expect("the fixture");
    let expected: Vec<serde_json::Map<String, serde_json::Value>> = serde_json::from_str(&expected).expect("JSON");
    let column = |name: &str| {
        let array = answer.batch().column_by_name(name).expect("a column");
        Column::new(array, None, &jiff::tz::TimeZone::UTC, "the answer", name).expect("a kind")
    };
    // Feast leaves entity rows out of which all is too old or yet to come, and answers rows that are alike once.
    assert_eq!((answer.rows(), expected.len()), (18, 13));
    for row in expected {
        let place = usize::try_from(row["row"].as_u64().expect("a number")).expect("small");
        for (name, value) in &row {
            let ours = column(name).value(place).map_or(serde_json::Value::Null, |value| value.to_json());
            assert!(is_same(&ours, value), "row {place}: `{name}` is {ours}, Feast says {value}");
        }
    }
    let standing = |coverage: &almanac_feature_store::Coverage| (coverage.present, coverage.expired, coverage.absent);
    assert_eq!(coverage.iter().map(standing).collect::<Vec<_>>(), [(13, 2, 3), (11, 0, 7), (18, 0, 0)]);
}

#[test]
fn views_that_a_service_renames_are_views_of_their_own_and_what_is_left_out_is_refused_by_name() {
    let imported = import_feast(&odd()).expect("a repository");
    expect![[r#"
        feature view `pushed` also has a stream or push source; only its files are read
        feature view `odfv` is left out: an on-demand feature view of Feast is a Python function; write it as fields with `derive`"#]]
    .assert_eq(&imported.left.join("\n"));
    let declarations = imported.file.check().expect("sound");
    let view = declarations.view("origin_t").expect("declared");
    assert_eq!((view.keys[0].name.as_str(), view.keys[0].column.as_str()), ("origin_id", "location_id"));
    assert_eq!(declarations.view("temps").expect("declared").keys[0].name, "location_id");
    let service = declarations.service("trip").expect("declared");
    let names: Vec<String> = service.features.iter().map(|feature| format!("{}:{}", feature.view, feature.feature)).collect();
    assert_eq!(names, ["origin_t:temperature", "dest_t:temperature"]);
    assert!(declarations.view("rates").expect("declared").keys.is_empty());
    assert!(!declarations.view("offline_only").expect("declared").online);
    let refused = declarations.resolve(["odfv:y"]).expect_err("refused");
    expect!["feature view `odfv` is not here: an on-demand feature view of Feast is a Python function; write it as fields with `derive`"]
        .assert_eq(&refused.to_string());
}

#[test]
fn a_repository_that_was_never_applied_is_told_by_the_names_in_its_python_files() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("writable");
    write("feature_store.yaml", "project: p\nregistry: data/registry.db\n");
    write("defs.py", "driver = Entity(\n    name=\"driver\")\ntrips = FeatureView(name=\"trips\", entities=[driver])\n");
    let told = import_feast(folder.path()).expect_err("refused").to_string().replace(&*folder.path().to_string_lossy(), "REPOSITORY");
    expect!["`REPOSITORY/feature_store.yaml` cannot be imported: its registry `data/registry.db` is not there: `feast apply` writes it from its Python files, which define `driver`, `trips`"].assert_eq(&told);
}
