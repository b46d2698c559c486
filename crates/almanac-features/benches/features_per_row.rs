//! How long do the features of a row take, computed for a whole history and appended row by row, on one thread?
//!
//! 200 seeded series of 1,095 days with a price, a promotion and an event, in two regions; the usual features of a day, then all. The last number is a hash of all that was computed:
//! a faster program that prints another one computes something else.

use std::time::Instant;

use almanac_features::{Calendar, FeaturePlan, FeatureSpec, FourierSpec, QuantileSpec, SeriesFeatures, asof};
use almanac_series::{Freq, Horizon, Panel, PanelBuilder, Period, RowStatus, SeriesRows, StaticColumn, StaticValues};

const N_SERIES: usize = 200;
const ROWS: usize = 1_095;
const HORIZON: usize = 28;
const DAYS: usize = 20;
const START: i64 = 18_000;

fn main() {
    let panel = generate();
    let horizon = Horizon::new(HORIZON).expect("in range");
    let plan = FeaturePlan::new(&panel, FeatureSpec::for_freq(Freq::Day, horizon)).expect("no country");
    let calendar = Calendar::new(&panel, &plan).expect("no country");
    let binding = plan.bind(&panel);
    let rows = (N_SERIES * ROWS) as f64;
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut take =
        |values: &[f32]| hash = values.iter().fold(hash, |hash, v| (hash ^ u64::from(v.to_bits())).wrapping_mul(0x0100_0000_01b3));
    let mut least = [f64::INFINITY; 4];
    for _ in 0..15 {
        let started = Instant::now();
        let gold: Vec<_> = panel.views().map(|view| asof(&view, &plan, &binding)).collect();
        least[0] = least[0].min(started.elapsed().as_secs_f64());
        gold.iter().flat_map(|columns| columns.iter()).for_each(&mut take);
        drop(gold);
        let started = Instant::now();
        let mut made: Vec<_> = panel.views().map(|view| SeriesFeatures::new(&view, &plan, &binding, &calendar)).collect();
        least[1] = least[1].min(started.elapsed().as_secs_f64());
        let mut row = Vec::new();
        for features in &made {
            row.clear();
            features.row(ROWS - 1, ROWS + 13, 1.0, &mut row);
            take(&row);
            take(features.levels());
        }
        let started = Instant::now();
        for features in &mut made {
            for step in 0..HORIZON {
                features.push(step as f64);
            }
        }
        least[2] = least[2].min(started.elapsed().as_secs_f64());
    }
    // Days one after the other, as they come in.
    let days: Vec<Panel> = (0..=DAYS).map(|day| panel.until(Period(START + (ROWS - DAYS + day) as i64 - 1))).collect();
    for _ in 0..5 {
        let mut made: Vec<_> = days[0].views().map(|view| SeriesFeatures::new(&view, &plan, &binding, &calendar)).collect();
        let started = Instant::now();
        for day in &days[1..] {
            for (features, view) in made.iter_mut().zip(day.views()) {
                features.advance(&view, &binding).expect("the same series, a day longer");
            }
        }
        least[3] = least[3].min(started.elapsed().as_secs_f64());
    }
    println!("as-of columns: {:.0} ns per row", least[0] * 1e9 / rows);
    println!("all of a series: {:.0} ns per row", least[1] * 1e9 / rows);
    println!("appended: {:.0} ns per row", least[2] * 1e9 / (N_SERIES * HORIZON) as f64);
    println!("a new day: {:.0} ns per series", least[3] * 1e9 / (N_SERIES * DAYS) as f64);
    let everything = FeaturePlan::new(&panel, everything(horizon)).expect("no country");
    let calendar = Calendar::new(&panel, &everything).expect("no country");
    let mut least = f64::INFINITY;
    for _ in 0..5 {
        let started = Instant::now();
        let binding = everything.bind(&panel);
        let made: Vec<_> = panel.views().map(|view| SeriesFeatures::new(&view, &everything, &binding, &calendar)).collect();
        least = least.min(started.elapsed().as_secs_f64());
        made.iter().for_each(|features| take(features.levels()));
    }
    println!("all of a series, every feature on: {:.0} ns per row", least * 1e9 / rows);
    println!("hash {hash:016x}");
}

fn everything(horizon: Horizon) -> FeatureSpec {
    let usual = FeatureSpec::for_freq(Freq::Day, horizon);
    FeatureSpec {
        quantiles: vec![QuantileSpec { rows: 28, levels: vec![0.1, 0.5, 0.9] }],
        expanding: true,
        differences: vec![1, 7],
        historic_events: true,
        fourier: FourierSpec::usual(Freq::Day),
        price_history: true,
        target_encoding: true,
        parents: vec![vec![], vec!["region".into()]],
        ..usual
    }
}

fn generate() -> Panel {
    let mut state = 7_u64;
    let mut noise = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let mut builder = PanelBuilder::new(Freq::Day, &[], &["price".into(), "promo".into(), "event".into()]);
    for k in 0..N_SERIES {
        let total = ROWS + HORIZON;
        let promo: Vec<f64> = (0..total).map(|row| f64::from(u8::from((row + 5 * k) % 40 < 6))).collect();
        let price = (0..total).map(|row| 9.0 - promo[row] - (row / 200 % 3) as f64 * 0.5).collect();
        let event = (0..total).map(|row| if (row + k) % 97 == 0 { 1.0 + (row % 3) as f64 } else { 0.0 }).collect();
        let level = 1.0 + 20.0 * noise();
        let y: Vec<f64> = (0..total)
            .map(|row| {
                let value = (level * (1.0 + 0.4 * promo[row]) * (0.6 + 0.1 * (row % 7) as f64) * 2.0 * noise()).floor();
                if row >= ROWS { f64::NAN } else { value }
            })
            .collect();
        let status = (0..total).map(|row| match row {
            row if row >= ROWS => RowStatus::Future,
            row if (row + k) % 61 == 0 => RowStatus::Censored,
            _ => RowStatus::Observed,
        });
        let rows = SeriesRows { status: status.collect(), y, historic: vec![], future: vec![price, promo, event] };
        builder.push(format!("s{k:03}").as_str().into(), Period(START), rows).expect("columns agree");
    }
    let codes = (0..N_SERIES).map(|k| (k % 2) as u32).collect();
    let categories: Vec<String> = vec!["north".into(), "south".into()];
    let region = StaticColumn { name: "region".into(), values: StaticValues::Category { codes, categories: categories.into() } };
    builder.finish(vec![region]).expect("keys are unique")
}
