//! Training values are those that an online lookup gave at the time, bit for bit: every function of every type, rows that come late,
//! corrections, windows that slide on, materialised in slices of any size, put together and made anew in between.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;

use almanac_feature_store::{Column, FeatureError, Historical, Known, Materialise, Micros, Request, Source, Status, Value, View};
use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Float32Array, Float64Array, Int64Array, ListArray, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::Float64Type;
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::{DAY, MEMORY, Store, batch, join, source};

const HOUR: Micros = DAY / 24;
/// Columns by what can be done with them.
const NUMBERS: [&str; 3] = ["real", "single", "int"];
const OTHERS: [&str; 4] = ["text", "flag", "moment", "raw"];

/// What a case varies of the view.
#[derive(Debug, Clone)]
struct Shape {
    ttl: Option<&'static str>,
    adds: bool,
    has_created: bool,
    zone: Option<&'static str>,
}

fn shape() -> impl Strategy<Value = Shape> {
    (select(vec![None, Some("3d"), Some("6h")]), any::<bool>(), prop::bool::weighted(0.7), select(vec![None, None, Some("Europe/Berlin")]))
        .prop_map(|(ttl, adds, has_created, zone)| Shape { ttl, adds, has_created, zone })
}

fn yaml(shape: &Shape) -> String {
    let mut yaml = String::from(
        "entities:\n  - {name: pair, keys: [shop, {name: item, type: int}]}\nviews:\n  - name: v\n    entities: [pair]\n    source: {bronze: t}\n    time: time\n",
    );
    let mut line = |text: String| writeln!(yaml, "    {text}").expect("a String takes everything");
    if shape.has_created {
        line("created: created".to_owned());
    }
    if let Some(ttl) = shape.ttl {
        line(format!("ttl: {ttl}"));
    }
    if let Some(zone) = shape.zone {
        line(format!("timezone: {zone}"));
    }
    line(format!("corrections: {}", if shape.adds { "add" } else { "replace" }));
    line("fields:".to_owned());
    let mut field = |text: String| line(format!("  - {text}"));
    for column in NUMBERS.into_iter().chain(OTHERS).chain(["list"]) {
        field(column.to_owned());
        field(format!("{{name: {column}_count, aggregate: count, column: {column}, window: 36h}}"));
        field(format!("{{name: {column}_last, aggregate: last, column: {column}, window: 5d}}"));
        if column == "list" {
            continue;
        }
        for (function, window) in [("min", "5d"), ("max", "30h"), ("distinct", "5d")] {
            field(format!("{{name: {column}_{function}, aggregate: {function}, column: {column}, window: {window}}}"));
        }
        if NUMBERS.contains(&column) {
            field(format!("{{name: {column}_sum, aggregate: sum, column: {column}, window: 5d}}"));
            field(format!("{{name: {column}_mean, aggregate: mean, column: {column}, window: 7h}}"));
        }
    }
    field("{name: n, aggregate: count, window: 5d}".to_owned());
    field("{name: ratio, derive: (real_sum - single) / int_mean}".to_owned());
    yaml
}

/// One row of the source.
#[derive(Debug, Clone)]
struct Row {
    shop: Option<&'static str>,
    item: Option<i64>,
    time: Option<Micros>,
    /// How long after its time it is loaded: late, or a correction of a row of the same time.
    lag: Micros,
    real: Option<f64>,
    int: Option<i64>,
    text: Option<&'static str>,
}

impl Row {
    fn loaded(&self) -> Option<Micros> {
        self.time.map(|time| time + self.lag)
    }
}

fn row() -> impl Strategy<Value = Row> {
    (
        prop::option::weighted(0.95, select(vec!["a", "b", "ä/ö", ""])),
        prop::option::weighted(0.95, select(vec![-1_i64, 1, i64::MAX])),
        prop::option::weighted(0.95, (0..40_i64).prop_map(|step| step * 6 * HOUR)),
        select(vec![0, 0, 0, HOUR, DAY, 4 * DAY]),
        prop::option::weighted(0.8, prop_oneof![any::<f64>(), -1e3..1e3, Just(0.1), Just(-0.0), Just(0.0), Just(f64::INFINITY)]),
        prop::option::weighted(0.8, prop_oneof![any::<i64>(), -3..3_i64]),
        prop::option::weighted(0.8, select(vec!["x", "y", "", "z"])),
    )
        .prop_map(|(shop, item, time, lag, real, int, text)| Row { shop, item, time, lag, real, int, text })
}

/// The source as it was at a time: rows that were loaded by then, in the order in which they were loaded.
fn table(rows: &[Row], by: Micros) -> RecordBatch {
    let mut there: Vec<&Row> = rows.iter().filter(|row| row.loaded().is_none_or(|loaded| loaded <= by)).collect();
    there.sort_by_key(|row| row.loaded());
    let micros =
        |of: &dyn Fn(&Row) -> Option<Micros>| Arc::new(there.iter().map(|row| of(row)).collect::<TimestampMicrosecondArray>()) as ArrayRef;
    let lists = there.iter().map(|row| row.text.map(|text| vec![row.real; text.len() + 1]));
    batch(vec![
        ("shop", Arc::new(there.iter().map(|row| row.shop).collect::<StringArray>())),
        ("item", Arc::new(there.iter().map(|row| row.item).collect::<Int64Array>())),
        ("time", micros(&|row| row.time)),
        ("created", micros(&|row| row.loaded())),
        ("real", Arc::new(there.iter().map(|row| row.real).collect::<Float64Array>())),
        ("single", Arc::new(there.iter().map(|row| row.real.map(|real| real as f32)).collect::<Float32Array>())),
        ("int", Arc::new(there.iter().map(|row| row.int).collect::<Int64Array>())),
        ("text", Arc::new(there.iter().map(|row| row.text).collect::<StringArray>())),
        ("flag", Arc::new(there.iter().map(|row| row.int.map(|int| int > 0)).collect::<BooleanArray>())),
        ("moment", micros(&|row| row.int.map(|int| int / 1_000_000))),
        ("raw", Arc::new(there.iter().map(|row| row.int.map(i64::to_le_bytes)).collect::<BinaryArray>())),
        ("list", Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(lists))),
    ])
}

/// Bits and all: two zeros of different sign are different here.
fn bits(value: Option<&Value>) -> String {
    match value {
        Some(Value::Real(real)) => format!("real {:x}", real.to_bits()),
        Some(Value::Real32(real)) => format!("real32 {:x}", real.to_bits()),
        other => format!("{other:?}"),
    }
}

/// The values of a column of an answer.
fn values(table: &RecordBatch, name: &str) -> Vec<Option<Value>> {
    let array = table.column_by_name(name).expect("the same names");
    let column = Column::new(array, None, &jiff::tz::TimeZone::UTC, "", name).expect("a kind");
    (0..table.num_rows()).map(|row| column.value(row)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn training_gives_what_the_online_store_gave_at_the_time(
        shape in shape(),
        rows in prop::collection::vec(row(), 1..120),
        mut moments in prop::collection::vec((0..60_i64, prop::bool::weighted(0.1)), 1..20),
        later in 0..3_i64,
    ) {
        moments.sort_unstable();
        let store = Store::new(&yaml(&shape));
        let pairs: Vec<(&str, i64)> =
            ["a", "b", "ä/ö", "", "none"].into_iter().flat_map(|shop| [-1, 1, i64::MAX].map(|item| (shop, item))).collect();
        let whole = table(&rows, Micros::MAX);
        let online = store.open();
        let folder = store.online();
        let view = store.declarations.view("v").expect("declared");
        for (moment, full) in moments {
            let now = moment * DAY / 4;
            let known_now = table(&rows, now);
            Materialise { folder: &folder, view, until: now, now, full, memory: MEMORY }.run(&source(&known_now)).expect("materialised");
            online.refresh().expect("refreshed");
            // Windows slide on although nothing new is materialised; what comes in between is not known online.
            let asked = now + later * DAY;
            let entities = BTreeMap::from([
                ("shop".to_owned(), pairs.iter().map(|pair| pair.0.into()).collect()),
                ("item".to_owned(), pairs.iter().map(|pair| pair.1.into()).collect()),
            ]);
            let request = Request { features: vec!["v".to_owned()], entities, at: asked, is_exact: true, ..Request::default() };
            let answer = online.look_up(&request).expect("an answer");
            let table_of_entities = batch(vec![
                ("shop", Arc::new(StringArray::from_iter_values(pairs.iter().map(|pair| pair.0)))),
                ("item", Arc::new(Int64Array::from_iter_values(pairs.iter().map(|pair| pair.1)))),
                ("event_timestamp", Arc::new(TimestampMicrosecondArray::from(vec![asked; pairs.len()]).with_timezone("UTC"))),
            ]);
            // Only a view that says when rows became known can tell from all rows what was known then. In another zone the test's clock,
            // which knows no zones, is not that of the view.
            let seen = if later == 0 && shape.has_created && shape.zone.is_none() { &whole } else { &known_now };
            let training = join(&store.declarations, &["v"], &table_of_entities, seen, Known::AtEvent).expect("values");
            for (name, cells) in &answer.features {
                for ((cell, trained), pair) in cells.iter().zip(values(&training, name)).zip(&pairs) {
                    prop_assert_eq!(bits(trained.as_ref()), bits(cell.value.as_ref()), "{} of {:?} at {}", name, pair, moment);
                    prop_assert_eq!(cell.status == Status::Present, trained.is_some());
                }
            }
            // In batch: everyone who is known, and nobody else.
            let features = store.declarations.resolve(["v"]).expect("declared");
            let all = Historical { declarations: &store.declarations, features: &features, full_names: false, known: Known::AtEvent, memory: MEMORY };
            let open = |_: &View| Ok::<_, FeatureError>(Box::new(source(seen)) as Box<dyn Source>);
            let (all, _) = all.all_at(asked, &open).expect("values");
            let place = |shop: &Option<Value>, item: &Option<Value>| {
                let key = (shop.clone().expect("a key"), item.clone().expect("a key"));
                pairs.iter().position(|pair| (Value::Text(pair.0.to_owned()), Value::Int(pair.1)) == key).expect("one of the pairs")
            };
            let places: Vec<usize> =
                values(all.batch(), "shop").iter().zip(&values(all.batch(), "item")).map(|(shop, item)| place(shop, item)).collect();
            let found = answer.features[0].1.iter().filter(|cell| cell.status != Status::NotFound).count();
            prop_assert_eq!(found, places.len());
            for (name, cells) in &answer.features {
                for (place, value) in places.iter().zip(values(all.batch(), name)) {
                    prop_assert_eq!(bits(value.as_ref()), bits(cells[*place].value.as_ref()), "{} in batch at {}", name, moment);
                }
            }
        }
    }
}
