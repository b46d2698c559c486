//! Optional features, settings of single models, and series that were never sold, from the file to the forecast.

use std::fmt::Write as _;

use serde_json::Value;

use crate::program::{Answer, Workplace};

const DATA: &str = r#"
[data]
source = "sales.csv"
future_source = "ahead.csv"
id = ["shop", "item"]
time = "date"
target = "units"
freq = "D"
hierarchy = ["shop/item"]
static = ["kind"]
historic = ["visitors"]
future = ["price"]
price = "price"
"#;

/// Six items in two shops over 150 days, and one that will be sold for the first time.
fn project(settings: &str) -> Workplace {
    let place = Workplace::new();
    let mut sales = "date,shop,item,kind,units,price,visitors\n".to_owned();
    let mut ahead = "date,shop,item,kind,price\n".to_owned();
    for at in 0..157_i64 {
        let date = jiff::civil::date(2024, 1, 1) + jiff::Span::new().days(at);
        for (shop, item, kind, base) in
            [("n", "a", "x", 40), ("n", "b", "x", 50), ("n", "c", "y", 400), ("s", "a", "x", 60), ("s", "b", "x", 45), ("s", "c", "y", 500)]
        {
            let price = if (at / 5 + base) % 3 == 0 { 2 } else { 4 };
            let units = base + 10 * (at % 7) + (at * 7 + base) % 5 + if price == 2 { base } else { 0 };
            if at < 150 {
                writeln!(sales, "{date},{shop},{item},{kind},{units},{price},{}", 100 + at % 7).expect("a text takes everything");
            } else {
                writeln!(ahead, "{date},{shop},{item},{kind},{price}").expect("a text takes everything");
            }
        }
        if at >= 150 {
            writeln!(ahead, "{date},s,novel,y,4").expect("a text takes everything");
        }
    }
    std::fs::create_dir(place.path("shop")).expect("a folder");
    for (name, text) in [("sales.csv", sales), ("ahead.csv", ahead), ("almanac.toml", format!("{DATA}{settings}"))] {
        std::fs::write(place.path("shop").join(name), text).expect("the folder is ours");
    }
    place
}

#[track_caller]
fn succeed(place: &Workplace, line: &str) -> Answer {
    let answer = place.almanac(&format!("-C shop {line}"));
    assert_eq!(answer.code, Some(0), "`{line}`:\n{}\n{}", answer.stdout, answer.stderr);
    answer
}

/// (mean, 10 % and 90 % quantile) of the rows of a series.
fn forecast_of(csv: &str, series: &str) -> Vec<(f64, f64, f64)> {
    let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().expect("a header");
    let at = |name: &str| header.iter().position(|column| *column == name).expect("a column");
    let (mean, low, high) = (at("mean"), at("q0.1"), at("q0.9"));
    let number = |cell: &str| cell.parse::<f64>().expect("a number");
    lines.filter(|row| row[0] == series).map(|row| (number(row[mean]), number(row[low]), number(row[high]))).collect()
}

#[test]
fn an_item_never_sold_is_forecast_like_its_kind_with_wider_intervals_and_named() {
    let place = project("[forecast]\nhorizon = 7\nmodels = [\"naive\", \"lightgbm\"]\n[gates]\nbeats = [\"naive\"]\n");
    let run = succeed(&place, "run");
    assert!(
        run.stdout.contains("1 without a history, forecast from series like them, with wider intervals; the first is s/novel"),
        "{}",
        run.stdout
    );
    let csv = succeed(&place, "forecast --out - --model lightgbm").stdout;
    let (novel, known) = (forecast_of(&csv, "s/novel"), forecast_of(&csv, "s/c"));
    assert_eq!((novel.len(), known.len()), (7, 7));
    let width = |rows: &[(f64, f64, f64)]| rows.iter().map(|(mean, low, high)| (high - low) / mean).sum::<f64>();
    assert!(novel.iter().all(|(mean, ..)| (200.0..1_500.0).contains(mean)), "as others of kind y: {novel:?}");
    assert!(width(&novel) > 3.0 * width(&known), "{novel:?} beside {known:?}");
    let naive = succeed(&place, "forecast --out - --model naive").stdout;
    assert_eq!(forecast_of(&naive, "s/novel").len(), 7, "what no baseline can forecast, a model of all series does");
}

#[test]
fn optional_features_reach_the_model() {
    let settings = "[features]\nquantiles = [0.5]\nexpanding = true\ndifferences = [7]\nevents = true\nprice_history = true\nfourier = true\n\
                    target_encoding = true\nparents = true\n[forecast]\nhorizon = 7\nmodels = [\"naive\", \"ridge\"]\n[gates]\nbeats = [\"naive\"]\n";
    let place = project(settings);
    succeed(&place, "run");
    let state = std::fs::read_to_string(place.path("shop/.almanac/model/state/ridge.txt")).expect("a fitted model");
    let state: Value = serde_json::from_str(&state).expect("JSON");
    let spec = &state["plan"]["spec"];
    assert_eq!(spec["quantiles"][0]["levels"][0], 0.5, "{spec}");
    for asked in ["expanding", "historic_events", "price_history", "target_encoding"] {
        assert_eq!(spec[asked], true, "{asked}");
    }
    assert_eq!((&spec["differences"][0], &spec["fourier"][0]["period"]), (&7.into(), &365.25.into()));
    assert_eq!(spec["parents"].as_array().map(Vec::len), Some(2), "all series, and those of a shop: {spec}");
}

#[test]
fn trees_are_grown_as_the_file_says_and_learnt_quantiles_are_served() {
    let settings = "[forecast]\nhorizon = 7\nmodels = [\"naive\", \"lightgbm\"]\nquantiles = [0.1, 0.5, 0.9]\n[gates]\nbeats = [\"naive\"]\n\
                    [models.lightgbm]\nquantiles = true\nobjective = \"l1\"\npool = \"both:kind\"\ntrees = 40\nbag = 1\nmonotone = { price = -1 }\nweights = \"value\"\n";
    let place = project(settings);
    succeed(&place, "run");
    let calibrators = std::fs::read_to_string(place.path("shop/.almanac/model/calibrators.json")).expect("intervals");
    let calibrators: Value = serde_json::from_str(&calibrators).expect("JSON");
    let levels = |model: &str| -> Vec<String> {
        let levels = calibrators[model]["levels"].as_array().expect("levels");
        levels.iter().map(|level| level["level"].as_str().expect("a name").to_owned()).collect()
    };
    assert!(levels("naive").contains(&"bottom".to_owned()));
    assert!(!levels("lightgbm").contains(&"bottom".to_owned()), "at the bottom the model has its own");
    let csv = succeed(&place, "forecast --out - --model lightgbm").stdout;
    for (mean, low, high) in forecast_of(&csv, "s/c") {
        assert!(low <= high && low > 0.2 * mean && high < 5.0 * mean, "{low} {mean} {high}");
    }
    std::fs::write(place.path("shop/almanac.toml"), format!("{DATA}[models.lightgbm]\npool = \"by:knid\"\n")).expect("written");
    let answer = place.almanac("-C shop run");
    assert_eq!(answer.code, Some(3), "{}", answer.stderr);
    assert!(answer.stderr.contains("knid") && answer.stderr.contains("kind"), "{}", answer.stderr);
}

#[test]
fn a_target_that_never_moves_is_told_by_the_gate() {
    let place = Workplace::new();
    let days = (0..150_i64).map(|at| jiff::civil::date(2024, 1, 1) + jiff::Span::new().days(at));
    let sales: String = days.flat_map(|date| [format!("{date},a,5\n"), format!("{date},b,5\n")]).collect();
    let settings = "[data]\nsource = \"sales.csv\"\nid = [\"shop\"]\ntime = \"date\"\ntarget = \"units\"\nfreq = \"D\"\n\
        [forecast]\nhorizon = 7\nmodels = [\"naive\", \"seasonal_naive\", \"window_average\"]\n[gates]\nbeats = [\"naive\"]\n";
    std::fs::create_dir(place.path("shop")).expect("a folder");
    for (name, text) in [("sales.csv", format!("date,shop,units\n{sales}")), ("almanac.toml", settings.to_owned())] {
        std::fs::write(place.path("shop").join(name), text).expect("the folder is ours");
    }
    let answer = place.almanac("-C shop run");
    assert_eq!(answer.code, Some(6), "{}", answer.stderr);
    assert!(answer.stderr.contains("`naive` has no score"), "{}", answer.stderr);
}
