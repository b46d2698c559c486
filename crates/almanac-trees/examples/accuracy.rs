//! Fits the default model to a CSV (`unique_id,day,y,known-ahead columns…`; a missing day is a gap) and writes the forecasts of
//! its last `h` days as CSV. `cargo run --release -p almanac-trees --example accuracy -- FILE STATICS CUTOFF H OUT [CONFIG_JSON]`.
//! With a configuration that has a key `library`, even `null`, the model is XGBoost.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Instant;

use almanac_model::Forecaster;
use almanac_series::{Freq, Horizon, PanelBuilder, Period, RowStatus, Seed, SeriesRows, StaticColumn, StaticValues};
use almanac_trees::{GlobalLightGbm, GlobalXgBoost, LightGbmConfig, XgBoostConfig};

type Day = (i64, Vec<f64>);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [file, statics, cutoff, h, out] = &args[..5] else { panic!("five arguments") };
    let cutoff: i64 = cutoff.parse().expect("a day number");
    let h: usize = h.parse().expect("a horizon");
    let config = args.get(5).map_or("{}", String::as_str);
    let model: Box<dyn Forecaster> = if config.contains("\"library\"") {
        Box::new(GlobalXgBoost::new(serde_json::from_str::<XgBoostConfig>(config).expect("a configuration")))
    } else {
        Box::new(GlobalLightGbm::new(serde_json::from_str::<LightGbmConfig>(config).expect("a configuration")))
    };

    let text = std::fs::read_to_string(file).expect("the file is there");
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    let future: Vec<String> = header[3..].iter().map(|name| (*name).to_owned()).collect();
    let mut series: BTreeMap<String, Vec<Day>> = BTreeMap::new();
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        let values = cells[2..].iter().map(|cell| cell.parse().unwrap_or(f64::NAN)).collect();
        series.entry(cells[0].to_owned()).or_default().push((cells[1].parse().expect("a day"), values));
    }
    let mut builder = PanelBuilder::new(Freq::Day, &[], &future);
    for (id, days) in &series {
        let first = days[0].0;
        let total = (cutoff + h as i64 - first + 1) as usize;
        let mut rows = SeriesRows {
            y: vec![f64::NAN; total],
            status: (0..total).map(|row| if first + row as i64 > cutoff { RowStatus::Future } else { RowStatus::Missing }).collect(),
            historic: vec![],
            future: vec![vec![f64::NAN; total]; future.len()],
        };
        for (day, values) in days.iter().filter(|(day, _)| *day <= cutoff + h as i64) {
            let row = (day - first) as usize;
            if *day <= cutoff {
                rows.y[row] = values[0];
                rows.status[row] = RowStatus::Observed;
            }
            for (column, value) in rows.future.iter_mut().zip(&values[1..]) {
                column[row] = *value;
            }
        }
        builder.push(id.as_str().into(), Period(first), rows).expect("columns agree");
    }
    let panel = builder.finish(read_statics(statics, &series.keys().cloned().collect::<Vec<_>>())).expect("keys are unique");

    let start = Instant::now();
    let horizon = Horizon::new(h).expect("in range");
    let fitted = model.fit(&panel, horizon, Seed(1)).expect("fits");
    let fit = start.elapsed();
    let start = Instant::now();
    let forecast = fitted.predict(&panel, horizon, &[]).expect("predicts");
    eprintln!(
        "fit {:.1} s, predict {:.2} s, state {} kB, skipped {}",
        fit.as_secs_f64(),
        start.elapsed().as_secs_f64(),
        fitted.state().len() / 1000,
        forecast.skipped.len()
    );
    let mut to = std::io::BufWriter::new(std::fs::File::create(out).expect("can be written"));
    writeln!(to, "unique_id,day,yhat").expect("can be written");
    for (index, span) in forecast.series.iter().enumerate() {
        for (step, mean) in forecast.mean_of(index).iter().enumerate() {
            writeln!(to, "{},{},{mean}", span.id, span.cutoff.0 + 1 + step as i64).expect("can be written");
        }
    }
}

fn read_statics(file: &str, ids: &[String]) -> Vec<StaticColumn> {
    let text = std::fs::read_to_string(file).expect("the file is there");
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
    // A quoted cell may hold commas.
    let cells = |line: &str| -> Vec<String> {
        let mut quoted = false;
        let swapped: String = line
            .chars()
            .map(|c| {
                quoted ^= c == '"';
                if c == ',' && !quoted { '\u{1}' } else { c }
            })
            .collect();
        swapped.split('\u{1}').map(|cell| cell.trim_matches('"').to_owned()).collect()
    };
    let rows: BTreeMap<String, Vec<String>> = lines
        .map(|line| {
            let row = cells(line);
            (row[0].clone(), row)
        })
        .collect();
    (1..header.len())
        .map(|column| {
            let texts: Vec<&str> = ids.iter().map(|id| rows.get(id).map_or("", |row| row[column].as_str())).collect();
            let number = texts.iter().all(|text| text.is_empty() || text.parse::<f64>().is_ok());
            let values = if number {
                StaticValues::Number(texts.iter().map(|text| text.parse().unwrap_or(f64::NAN)).collect())
            } else {
                let mut categories: Vec<String> = texts.iter().filter(|text| !text.is_empty()).map(|text| (*text).to_owned()).collect();
                categories.sort();
                categories.dedup();
                let codes =
                    texts.iter().map(|text| categories.iter().position(|known| known == text).unwrap_or(categories.len()) as u32).collect();
                StaticValues::Category { codes, categories: categories.into() }
            };
            StaticColumn { name: header[column].into(), values }
        })
        .collect()
}
