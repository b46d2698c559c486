//! What-if and ad-hoc forecasts, trials of other models, and the baselines that stand in for a model that cannot.

use std::fmt::Write as _;

use expect_test::expect;
use serde_json::{Value, json};

use crate::program::Workplace;
use crate::serve::Server;

const SETTINGS: &str = r#"
[data]
source = "sales.csv"
future_source = "ahead.csv"
id = ["shop", "item"]
time = "date"
target = "units"
freq = "D"
hierarchy = ["shop"]
future = ["price", "event"]

[forecast]
horizon = 7
models = ["naive", "seasonal_naive", "lightgbm"]

[gates]
beats = ["naive"]
"#;

/// The first row of the new item, of 120 days.
const NEW_FROM: i64 = 117;

fn day(day: i64) -> jiff::civil::Date {
    jiff::civil::date(2024, 1, 1) + jiff::Span::new().days(day)
}

/// Four items that grow, with a weekly season and more sold when they are cheap; one is three days old.
fn project(settings: &str) -> Workplace {
    let place = Workplace::new();
    let (mut sales, mut ahead) = ("date,shop,item,units,price,event\n".to_owned(), "date,shop,item,price,event\n".to_owned());
    for at in 0..127 {
        for (shop, item, base) in [("n", "a", 40), ("n", "b", 80), ("s", "a", 60), ("s", "new", 30)] {
            let price = if (at / 5 + base) % 3 == 0 { 2 } else { 4 };
            let event = if at % 30 == 3 { "fair" } else { "" };
            let units = base + at / 2 + 10 * (at % 7) + if price == 2 { base } else { 0 };
            if at >= 120 {
                writeln!(ahead, "{},{shop},{item},{price},{event}", day(at)).expect("a text takes everything");
            } else if item != "new" || at >= NEW_FROM {
                writeln!(sales, "{},{shop},{item},{units},{price},{event}", day(at)).expect("a text takes everything");
            }
        }
    }
    std::fs::create_dir(place.path("shop")).expect("a folder");
    for (name, text) in [("sales.csv", sales.as_str()), ("ahead.csv", &ahead), ("almanac.toml", settings)] {
        write(&place, name, text);
    }
    place
}

fn write(place: &Workplace, name: &str, text: &str) {
    std::fs::write(place.path("shop").join(name), text).expect("the folder is ours");
}

#[track_caller]
fn succeed(place: &Workplace, line: &str) -> (String, String) {
    let answer = place.almanac(&format!("-C shop {line}"));
    assert_eq!(answer.code, Some(0), "`{line}`:\n{}\n{}", answer.stdout, answer.stderr);
    (answer.stdout, answer.stderr)
}

/// Cells of the rows below the header.
fn rows(csv: &str) -> Vec<Vec<&str>> {
    csv.lines().skip(1).map(|line| line.split(',').collect()).collect()
}

fn number(cell: &str) -> f64 {
    cell.parse().expect("a number")
}

#[test]
fn a_scenario_changes_the_forecast_of_what_it_names_and_of_nothing_else() {
    let place = project(SETTINGS);
    succeed(&place, "run");
    write(&place, "cheap.csv", &format!("unique_id,ds,price\nn/b,{},2\nn/b,{},2\n", day(120), day(121)));
    let (csv, said) = succeed(&place, "forecast --scenario cheap.csv --model lightgbm");
    let header = csv.lines().next().expect("a header");
    assert!(header.starts_with("unique_id,ds,cutoff,model,mean,scenario_mean,difference,q0.005,"), "{header}");
    let (issued, _) = succeed(&place, "forecast --out - --model lightgbm");
    let (rows_of_it, issued) = (rows(&csv), rows(&issued));
    assert_eq!((rows_of_it.len(), issued.len()), (28, 28));
    for (row, as_issued) in rows_of_it.iter().zip(&issued) {
        assert_eq!(row[..5], as_issued[..5], "as it is, the forecast is that of the run");
        let difference = number(row[5]) - number(row[4]);
        assert!((difference - number(row[6])).abs() < 1e-9, "{row:?}");
        assert!(row[0] == "n/b" || (difference == 0.0 && row[7..] == as_issued[5..]), "{row:?}");
    }
    assert!(rows_of_it.iter().any(|row| row[0] == "n/b" && number(row[6]) > 1.0), "cheaper sells more: {said}");
    assert!(said.starts_with("`lightgbm`: 1 of 4 series change, "), "{said}");
    assert!(said.contains("\nn/b  "), "{said}");

    // The sums of a level are those of its series, and the project's own names do as well.
    write(&place, "cheap.jsonl", &format!("{{\"shop\":\"n\",\"item\":\"b\",\"date\":\"{}\",\"price\":2}}\n", day(120)));
    let (bottom, _) = succeed(&place, "forecast --scenario cheap.jsonl --model lightgbm");
    let (total, _) = succeed(&place, "forecast --scenario cheap.jsonl --model lightgbm --level total --horizon 3 --out -");
    assert_eq!(rows(&total).len(), 3);
    for sum in rows(&total) {
        let parts: f64 = rows(&bottom).iter().filter(|row| row[1] == sum[1]).map(|row| number(row[6])).sum();
        assert!((parts - number(sum[6])).abs() < 1e-9, "{sum:?} and {parts}");
    }
    // A file may come out of the forecast's own writer.
    let (_, said) = succeed(&place, "forecast --scenario cheap.csv --model lightgbm --series n/b --out what_if.parquet");
    assert!(said.starts_with("wrote 7 rows of `lightgbm` from 2024-04-29, as it is and as `cheap.csv` has it, to "), "{said}");
    let table = succeed(&place, "status --format json").0;
    assert!(!table.contains("what_if"), "nothing of a scenario is kept");
}

#[test]
fn a_scenario_without_effect_says_why() {
    let place = project(SETTINGS);
    succeed(&place, "run");
    write(&place, "all.csv", "price,event\n3,fair\n");
    let (csv, said) = succeed(&place, "forecast --scenario all.csv --model naive");
    assert!(rows(&csv).iter().all(|row| number(row[6]) == 0.0));
    assert!(said.ends_with("nothing changes: `naive` uses no known-ahead column; `lightgbm` would: add `--model lightgbm`\n"), "{said}");
    let (csv, said) = succeed(&place, "forecast --scenario all.csv --model lightgbm");
    assert!(rows(&csv).iter().any(|row| number(row[6]) != 0.0) && said.contains("`lightgbm`: 4 of 4 series change"), "{said}");
    let ahead = std::fs::read_to_string(place.path("shop/ahead.csv")).expect("written above");
    write(&place, "known.csv", &ahead);
    let (_, said) = succeed(&place, "forecast --scenario known.csv --model lightgbm");
    assert!(said.ends_with("nothing changes: all 56 values of the file are what is known already\n"), "{said}");
}

#[test]
fn a_wrong_scenario_is_refused_with_its_row() {
    let place = project(SETTINGS);
    write(&place, "what_if.csv", "price\n3\n");
    let early = place.almanac("-C shop forecast --scenario what_if.csv");
    expect![[r"
        exit 2
        --- stderr
        error: there is no champion in this project yet

        hint: run `almanac run` first
    "]]
    .assert_eq(&early.to_text());
    succeed(&place, "run");
    let refused = |text: &str| {
        write(&place, "what_if.csv", text);
        let answer = place.almanac("-C shop forecast --scenario what_if.csv");
        assert_eq!((answer.code, answer.stdout.as_str()), (Some(4), ""), "{}", answer.stderr);
        answer.stderr
    };
    expect![[r"
        error: row 3 of the scenario: there is no series `n/bb`

        hint: did you mean `n/b`?
    "]]
    .assert_eq(&refused("unique_id,price\nn/a,3\nn/bb,3\n"));
    expect![[r"
        error: column `units` of the scenario is not known ahead

        hint: known ahead: `price`, `event`
    "]]
    .assert_eq(&refused("units\n3\n"));
    expect![[r"
        error: row 2 of the scenario: 2024-05-07 is not forecast; the steps ahead are 2024-04-30 to 2024-05-06

        hint: leave the row out; only what is known of the steps ahead can be changed
    "]]
    .assert_eq(&refused("ds,price\n2024-05-07,3\n"));
    expect![[r"
        error: row 3 of the scenario: `cheap` in `price` is not a number

        hint: write it as in the sources of the project; see `[data.csv]`
    "]]
    .assert_eq(&refused("ds,price\n2024-05-01,3\n2024-05-02,cheap\n"));
    expect![[r"
        error: row 2 of the scenario: column `event` should hold one of `fair`, not `fete`

        hint: an empty cell leaves a number as it is, and names none of the texts
    "]]
    .assert_eq(&refused("event\nfete\n"));
    assert!(refused("price\n").contains("has a header but no row"));
    assert!(refused("").contains("is empty"));
}

#[test]
fn other_models_forecast_now_and_nothing_is_kept() {
    let place = project(SETTINGS);
    let (csv, said) = succeed(&place, "forecast --models theta,prophet --out -");
    let all = rows(&csv);
    assert_eq!(all.len(), 2 * 28);
    assert!(csv.starts_with("unique_id,ds,cutoff,model,mean,q0.005,"), "{csv}");
    assert!(all[..28].iter().all(|row| row[3] == "theta"));
    let of_new: Vec<&str> = all[28..].iter().filter(|row| row[0] == "s/new").map(|row| row[3]).collect();
    assert_eq!(of_new, ["seasonal_naive"; 7], "prophet needs five rows");
    assert!(all[28..].iter().all(|row| row[0] == "s/new" || row[3] == "prophet"));
    let note = "`prophet`: 1 series are forecast by `seasonal_naive`: series `s/new` has 3 usable rows, `prophet` needs at least 5";
    assert!(said.contains(note), "{said}");
    let has = |name: &str| place.path("shop/.almanac").join(name).exists();
    assert!(has("lake/silver") && !has("champion.json") && !has("forecasts") && !has("model"));

    // LightGBM has no quantiles of its own; once it is in the bundle, that calibrates them.
    let refused = place.almanac("-C shop forecast --models lightgbm --out -");
    expect![[r"
        exit 2
        --- stderr
        error: `lightgbm` has no intervals at level `bottom`: none were calibrated, and it gives no quantiles of its own there

        hint: add `lightgbm` to `[forecast] models` and run `almanac run`: the backtest calibrates its intervals
    "]]
    .assert_eq(&refused.to_text().lines().filter(|line| !line.starts_with("silver")).fold(String::new(), |text, line| text + line + "\n"));
    succeed(&place, "run");
    let before = std::fs::read(place.path("shop/.almanac/champion.json")).expect("promoted");
    let (now, _) = succeed(&place, "forecast --models lightgbm,naive --out -");
    for model in ["lightgbm", "naive"] {
        let (issued, _) = succeed(&place, &format!("forecast --model {model} --out -"));
        let fitted_now: Vec<Vec<&str>> = rows(&now).into_iter().filter(|row| row[3] == model).collect();
        assert!(fitted_now == rows(&issued), "`{model}` fitted on the same panel gives what the run issued");
    }
    let (total, _) = succeed(&place, "forecast --models lightgbm --out - --level total");
    assert_eq!(rows(&total), rows(&succeed(&place, "forecast --model lightgbm --out - --level total").0));
    assert_eq!(std::fs::read(place.path("shop/.almanac/champion.json")).expect("still there"), before);
    let unknown = place.almanac("-C shop forecast --models thetta --out -");
    assert_eq!(unknown.code, Some(3));
    assert!(unknown.stderr.contains("--models") && unknown.stderr.contains("theta"), "{}", unknown.stderr);
}

#[test]
fn a_trial_scores_other_models_beside_the_project() {
    let place = project(SETTINGS);
    succeed(&place, "run");
    let made = |json: &str| serde_json::from_str::<Value>(json).expect("JSON")["made"].clone();
    let (json, _) = succeed(&place, "backtest --models drift --horizon 3 --folds 4 --format json");
    let board: Vec<Value> = serde_json::from_str(&json).expect("JSON");
    let models: std::collections::BTreeSet<&str> = board.iter().filter_map(|row| row["model"].as_str()).collect();
    assert!(models.contains("drift") && models.contains("naive") && !models.contains("lightgbm"), "{models:?}");
    assert!(board.iter().all(|row| row["horizon_to"].as_u64() <= Some(3) && row["folds"] == 4));
    let covered = |row: &&Value| row["coverage"].as_array().is_some_and(|coverage| !coverage.is_empty());
    assert!(board.iter().filter(|row| row["level"] == "bottom").all(|row| covered(&row)));
    assert!(board.iter().filter(covered).any(|row| row["level"] == "total"), "the champion's at every level");
    assert_eq!(made(&succeed(&place, "run --format json").0), 0, "the project was not touched");

    let (text, said) = succeed(&place, "backtest --folds 4");
    let heading = text.lines().next().expect("a heading");
    let words: Vec<&str> = heading.split_whitespace().collect();
    assert_eq!(words, ["level", "steps", "model", "WRMSSE", "MASE", "WAPE", "bias", "WQL", "50", "%", "80", "%", "95", "%"]);
    assert!(said.ends_with("tried only: `almanac run` and the champion stay with what `almanac.toml` says\n"), "{said}");
    assert!(text.lines().any(|line| line.starts_with("bottom") && line.ends_with('%')), "{text}");
}

#[test]
fn a_series_the_champion_cannot_forecast_is_forecast_by_a_baseline() {
    let place = project(&SETTINGS.replace("\"seasonal_naive\", \"lightgbm\"]", "\"prophet\"]"));
    let (json, _) = succeed(&place, "run --format json");
    let summary: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(summary["champion"]["model"], "prophet");
    let reason = "series `s/new` has 3 usable rows, `prophet` needs at least 5";
    let forecast = &summary["forecast"];
    assert_eq!(forecast["skipped"], json!([{"series": "s/new", "reason": reason, "fallback": "naive"}]));
    assert_eq!((&forecast["series"], &forecast["unforecast"], &forecast["stand_ins"]), (&json!(4), &json!(0), &json!({"naive": 1})));
    let (bottom, _) = succeed(&place, "forecast --out -");
    let (total, _) = succeed(&place, "forecast --out - --level total");
    assert_eq!(rows(&bottom).len(), 28);
    for sum in rows(&total) {
        let parts: f64 = rows(&bottom).iter().filter(|row| row[1] == sum[1]).map(|row| number(row[4])).sum();
        assert!((parts - number(sum[4])).abs() < 1e-9, "{sum:?} and {parts}");
    }
    let text = succeed(&place, "run --force").0;
    let line = text.lines().find(|line| line.starts_with("fallback")).expect("the fallback is named");
    assert!(line.contains("1 series by `naive`; s/new: ") && line.contains(reason), "{line}");

    // Served requests go the same way.
    let server = Server::of(&place);
    let row = |at: i64| json!({"ds": day(at).to_string(), "y": 9, "price": 4, "event": ""});
    let short = json!({"series": [{"unique_id": "fresh", "history": (117..120).map(row).collect::<Vec<_>>()}], "horizon": 2});
    let answer = server.post("/api/v1/predict", &short);
    assert_eq!((&answer["model"], &answer["skipped"]), (&json!("prophet"), &json!([])));
    assert_eq!((&answer["fallbacks"][0]["unique_id"], &answer["fallbacks"][0]["model"]), (&json!("fresh"), &json!("naive")));
    assert_eq!((&answer["forecasts"][1]["model"], &answer["forecasts"][1]["mean"]), (&json!("naive"), &json!(9.0)));
}
