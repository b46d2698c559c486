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

/// Sixteen shops of two regions with skewed noise around a level. Where `rises`, a higher price sells more, else less; in region
/// `south` promotions sell less instead of more. `history`: days before the first one ahead, of which there are 14.
pub(crate) fn noisy_shops(rises: bool, history: i64) -> Panel {
    let mut builder = PanelBuilder::new(Freq::Day, &[], &["promo".into(), "price".into()]);
    let mut codes = Vec::new();
    for shop in 0..16_i64 {
        let mut rows = SeriesRows { future: vec![vec![], vec![]], ..SeriesRows::default() };
        for row in 0..history + 14 {
            let price = 5.0 + dice(shop / 2 * 1_000 + row / 9, 1);
            let lift = if shop % 2 == 0 { 1.4 } else { 0.7 };
            let level = (10 + shop) as f64 * if promo(row + shop) == 1.0 { lift } else { 1.0 };
            let level = level * if rises { price / 5.5 } else { 5.5 / price }.powi(2);
            // Exponential noise of mean 1 makes the mean lie above the median.
            let y = level * (0.5 - 0.5 * dice(shop * 10_000 + row, 2).max(1e-9).ln());
            rows.y.push(if row < history { y } else { f64::NAN });
            rows.status.push(if row < history { RowStatus::Observed } else { RowStatus::Future });
            rows.future[0].push(promo(row + shop));
            rows.future[1].push(price);
        }
        builder.push(format!("shop{shop:02}").as_str().into(), Period(0), rows).expect("columns agree");
        codes.push((shop % 2) as u32);
    }
    let categories = ["north".to_owned(), "south".to_owned()].into();
    let region = StaticColumn { name: "region".into(), values: StaticValues::Category { codes: codes.into(), categories } };
    builder.finish(vec![region]).expect("keys are unique")
}

/// Uniform on 0 to 1, in place of a generator.
pub(crate) fn dice(seed: i64, salt: u64) -> f64 {
    let mut z = (seed as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(salt.wrapping_mul(0xd1b5_4a32_d192_ed03));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
}
