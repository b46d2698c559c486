//! Panels that the models of trees are tested on.

use almanac_series::{Freq, Horizon, Panel, PanelBuilder, Period, RowStatus, SeriesRows, StaticColumn, StaticValues};

/// Days before the first one ahead.
pub(crate) const HISTORY: i64 = 300;

/// Six shops of two regions, to learn from.
pub(crate) fn training_shops() -> Panel {
    shops(&["a", "b", "c", "d", "e", "f"], &["north", "south", "north", "south", "north", "south"], 10.0)
}

/// Shops whose Saturdays and promotions sell more, each at its own level. `regions`: one per shop.
pub(crate) fn shops(ids: &[&str], regions: &[&str], first_level: f64) -> Panel {
    let mut builder = PanelBuilder::new(Freq::Day, &[], &["promo".into()]);
    for (k, id) in ids.iter().enumerate() {
        let mut rows = SeriesRows { future: vec![vec![]], ..SeriesRows::default() };
        for row in 0..HISTORY + 14 {
            rows.y.push(if row < HISTORY { sales(first_level * (k + 1) as f64, row) } else { f64::NAN });
            rows.status.push(if row < HISTORY { RowStatus::Observed } else { RowStatus::Future });
            rows.future[0].push(promo(row));
        }
        builder.push((*id).into(), Period(0), rows).expect("columns agree");
    }
    let mut categories: Vec<String> = regions.iter().map(|text| (*text).to_owned()).collect();
    categories.sort();
    categories.dedup();
    let codes = regions.iter().map(|text| categories.iter().position(|known| known == text).expect("listed") as u32).collect();
    let region = StaticColumn { name: "region".into(), values: StaticValues::Category { codes, categories: categories.into() } };
    builder.finish(vec![region]).expect("keys are unique")
}

fn promo(row: i64) -> f64 {
    f64::from(u8::from(row % 17 < 4))
}

pub(crate) fn sales(level: f64, row: i64) -> f64 {
    let noise = 1.0 + 0.02 * ((row * 7919 % 101) as f64 / 101.0 - 0.5);
    level * (1.0 + 0.5 * f64::from(u8::from(row % 7 == 2))) * (1.0 + 0.4 * promo(row)) * noise
}

pub(crate) fn horizon() -> Horizon {
    Horizon::new(14).expect("in range")
}
