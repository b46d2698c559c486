//! Training values are those that an online lookup gave at the time, bit for bit.

use std::collections::BTreeMap;
use std::sync::Arc;

use almanac_feature_store::{Known, Micros, Request, Status, Value};
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float32Array, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{Float32Type, Float64Type, Int64Type, TimestampMicrosecondType};
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::{DAY, Store, batch, join};

const VIEWS: &str = "
entities:
  - {name: pair, keys: [shop, {name: item, type: int}]}
views:
  - name: v
    entities: [pair]
    source: {bronze: t}
    time: time
    created: created
    TTL
    fields:
      - real
      - single
      - {name: whole, column: int}
      - text
      - flag
      - {name: when, column: moment}
      - {name: n, aggregate: count, window: 5d}
      - {name: n_real, aggregate: count, column: real, window: 36h}
      - {name: sum, aggregate: sum, column: real, window: 5d}
      - {name: sum_single, aggregate: sum, column: single, window: 2d}
      - {name: mean, aggregate: mean, column: real, window: 5d}
      - {name: least, aggregate: min, column: single, window: 5d}
      - {name: most, aggregate: max, column: text, window: 5d}
      - {name: last, aggregate: last, column: int, window: 5d}
      - {name: different, aggregate: distinct, column: text, window: 5d}
      - {name: ratio, derive: (sum - single) / mean}
";

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

fn row() -> impl Strategy<Value = Row> {
    let hour = DAY / 24;
    (
        prop::option::weighted(0.95, select(vec!["a", "b", "ä/ö", ""])),
        prop::option::weighted(0.95, select(vec![-1_i64, 1, i64::MAX])),
        prop::option::weighted(0.95, (0..40_i64).prop_map(move |step| step * 6 * hour)),
        prop::sample::select(vec![0, 0, 0, hour, DAY, 4 * DAY]),
        prop::option::weighted(0.8, prop_oneof![any::<f64>(), -1e3..1e3, Just(0.1), Just(-0.0), Just(f64::INFINITY)]),
        prop::option::weighted(0.8, any::<i64>()),
        prop::option::weighted(0.8, select(vec!["x", "y", "", "z"])),
    )
        .prop_map(|(shop, item, time, lag, real, int, text)| Row { shop, item, time, lag, real, int, text })
}

/// The source as it was at a time: rows that were loaded by then, in the order in which they were loaded.
fn table(rows: &[Row], by: Micros) -> RecordBatch {
    let mut there: Vec<&Row> = rows.iter().filter(|row| row.time.is_none_or(|time| time + row.lag <= by)).collect();
    there.sort_by_key(|row| row.time.map(|time| time + row.lag));
    let micros =
        |of: &dyn Fn(&Row) -> Option<Micros>| Arc::new(there.iter().map(|row| of(row)).collect::<TimestampMicrosecondArray>()) as ArrayRef;
    batch(vec![
        ("shop", Arc::new(there.iter().map(|row| row.shop).collect::<StringArray>())),
        ("item", Arc::new(there.iter().map(|row| row.item).collect::<Int64Array>())),
        ("time", micros(&|row| row.time)),
        ("created", micros(&|row| row.time.map(|time| time + row.lag))),
        ("real", Arc::new(there.iter().map(|row| row.real).collect::<Float64Array>())),
        ("single", Arc::new(there.iter().map(|row| row.real.map(|real| real as f32)).collect::<Float32Array>())),
        ("int", Arc::new(there.iter().map(|row| row.int).collect::<Int64Array>())),
        ("text", Arc::new(there.iter().map(|row| row.text).collect::<StringArray>())),
        ("flag", Arc::new(there.iter().map(|row| row.int.map(|int| int > 0)).collect::<BooleanArray>())),
        ("moment", micros(&|row| row.int.map(|int| int / 1_000_000))),
    ])
}

fn value(array: &ArrayRef, row: usize) -> Option<Value> {
    if array.is_null(row) {
        return None;
    }
    if let Some(array) = array.as_primitive_opt::<Float64Type>() {
        return Some(Value::Real(array.value(row)));
    }
    if let Some(array) = array.as_primitive_opt::<Float32Type>() {
        return Some(Value::Real32(array.value(row)));
    }
    if let Some(array) = array.as_primitive_opt::<Int64Type>() {
        return Some(Value::Int(array.value(row)));
    }
    if let Some(array) = array.as_primitive_opt::<TimestampMicrosecondType>() {
        return Some(Value::Time(array.value(row)));
    }
    if let Some(array) = array.as_boolean_opt() {
        return Some(Value::Bool(array.value(row)));
    }
    Some(Value::Text(array.as_string::<i64>().value(row).to_owned()))
}

/// Bits and all: two zeros of different sign are different here.
fn bits(value: Option<&Value>) -> String {
    match value {
        Some(Value::Real(real)) => format!("real {:x}", real.to_bits()),
        Some(Value::Real32(real)) => format!("real32 {:x}", real.to_bits()),
        other => format!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn training_gives_what_the_online_store_gave_at_the_time(
        rows in prop::collection::vec(row(), 1..120),
        mut moments in prop::collection::vec(0..60_i64, 1..7),
        later in 0..3_i64,
        with_ttl in any::<bool>(),
    ) {
        moments.sort_unstable();
        let store = Store::new(&VIEWS.replace("TTL", if with_ttl { "ttl: 3d" } else { "owner: nobody" }));
        let pairs: Vec<(&str, i64)> = ["a", "b", "ä/ö", "", "none"].into_iter().flat_map(|shop| [-1, 1, i64::MAX].map(|item| (shop, item))).collect();
        let whole = table(&rows, Micros::MAX);
        let online = store.open();
        for moment in moments {
            let now = moment * DAY / 4;
            store.materialise("v", &table(&rows, now), now).expect("materialised");
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
            let seen = if later == 0 { whole.clone() } else { table(&rows, now) };
            let training = join(&store.declarations, &["v"], &table_of_entities, &seen, Known::AtEvent).expect("values");
            for (name, cells) in &answer.features {
                let column = training.column_by_name(name).expect("the same names");
                for (place, cell) in cells.iter().enumerate() {
                    let trained = value(column, place);
                    prop_assert_eq!(bits(trained.as_ref()), bits(cell.value.as_ref()), "{} of {:?} at {}", name, pairs[place], moment);
                    prop_assert_eq!(cell.status == Status::Present, trained.is_some());
                }
            }
        }
    }
}
