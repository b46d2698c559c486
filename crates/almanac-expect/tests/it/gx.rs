//! Suites and results of the real Great Expectations, 0.18 and 1.24, over the same files: `tests/fixtures/make.py` wrote them.
//!
//! Where Great Expectations itself raises (it compares a date with a timestamp, say), there is nothing to agree with.

use std::path::{Path, PathBuf};

use almanac_expect::{Options, ResultFormat, Suite, Table, check};
use serde_json::Value as Json;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Numbers agree to twelve digits: sums are taken in another order. Where Python has a set, lists agree in any order.
fn agree(ours: &Json, theirs: &Json) -> bool {
    match (ours, theirs) {
        (Json::Number(a), Json::Number(b)) => {
            let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
            a == b || (a - b).abs() <= 1e-12 * a.abs().max(b.abs()).max(1e-3)
        }
        // pandas holds whole numbers with holes, and truths, as floats or numbers of its own.
        (Json::Bool(a), Json::Number(b)) => f64::from(u8::from(*a)) == b.as_f64().unwrap(),
        (Json::Array(a), Json::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| agree(a, b)),
        (Json::Object(a), Json::Object(b)) => a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| agree(a, b))),
        // pandas' own word for no time.
        (Json::Null, Json::String(nat)) => nat == "NaT",
        (a, b) => a == b,
    }
}

fn sorted(list: &Json) -> Json {
    let mut items = list.as_array().cloned().unwrap_or_default();
    items.sort_by_key(Json::to_string);
    Json::Array(items)
}

fn differences(kind: &str, ours: &Json, theirs: &Json) -> Vec<String> {
    let (Some(a), Some(b)) = (ours.as_object(), theirs.as_object()) else { return vec![format!("{ours} against {theirs}")] };
    let mut wrong = Vec::new();
    for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
        let (x, y) = (a.get(key).unwrap_or(&Json::Null), b.get(key).unwrap_or(&Json::Null));
        // A set of Python; a mode whose ties come as they come; counts with not-a-numbers, which Python cannot put in order.
        let unordered = key.ends_with("_missing_list")
            || (kind.contains("most_common") && key == "observed_value")
            || (key.ends_with("_counts") && y.to_string().contains("null"));
        let same = if unordered { agree(&sorted(x), &sorted(y)) } else { agree(x, y) };
        // What Python cannot put in order it does not count.
        if key.ends_with("_counts") && !b.contains_key(key) {
            continue;
        }
        if !same || a.contains_key(key) != b.contains_key(key) {
            wrong.push(format!("{key}: {} against {}", short(a.get(key)), short(b.get(key))));
        }
    }
    wrong
}

fn short(json: Option<&Json>) -> String {
    let text = json.map_or("nothing".into(), Json::to_string);
    text.chars().take(160).collect()
}

/// The suite without what is refused by name, and the numbers of what is left.
fn readable(suite: &Json, file: &str) -> (Suite, Vec<usize>) {
    let all = suite["expectations"].as_array().unwrap();
    let with = |expectations: &[&Json]| {
        let mut suite = suite.clone();
        suite["expectations"] = expectations.iter().map(|one| (*one).clone()).collect();
        Suite::parse(&suite.to_string(), file).map(|mut suites| suites.remove(0))
    };
    let numbers: Vec<usize> = (0..all.len()).filter(|number| with(&[&all[*number]]).is_ok()).collect();
    let refused = all.len() - numbers.len();
    assert!(refused <= all.len() / 100, "{refused} of {} expectations are refused", all.len());
    (with(&numbers.iter().map(|number| &all[*number]).collect::<Vec<_>>()).unwrap(), numbers)
}

/// Where we differ on purpose: differences of unsigned numbers and truths wrap around in NumPy, so that nothing ever falls; deviations of
/// numbers beyond 2^53 and sums of 32-bit floats lose digits in pandas; times with a zone are shown in UTC without it.
fn on_purpose(kind: &str, kwargs: &Json) -> bool {
    let about = |column: &str| ["column", "column_A", "column_B"].iter().any(|key| kwargs[*key] == column);
    let wraps = (about("u8") || about("yes")) && kind.contains("creasing");
    wraps || (about("big") && (kind.contains("stdev") || kind.contains("z_score"))) || about("f32") || about("zone")
}

fn compare(file: &str, tables: &[&str], least: usize) {
    let fixture_json: Json = serde_json::from_slice(&std::fs::read(fixture(file)).unwrap()).unwrap();
    let (suite, numbers) = readable(&fixture_json["suite"], file);
    let mut wrong = Vec::new();
    let mut compared = 0;
    for name in tables {
        let table = Table::open(&fixture(&format!("{name}.parquet"))).unwrap();
        let options = Options { format: ResultFormat::Complete, ..Options::default() };
        let validation = check(&table, &suite, &options).unwrap();
        for theirs in fixture_json["results"].as_array().unwrap().iter().filter(|result| result["table"] == *name) {
            let number = usize::try_from(theirs["n"].as_u64().unwrap()).unwrap();
            let Some(place) = numbers.iter().position(|other| *other == number) else { continue };
            let ours = &validation.outcomes[place];
            assert_eq!(ours.kind, theirs["type"].as_str().unwrap());
            let kwargs = &fixture_json["suite"]["expectations"][number]["kwargs"];
            if !theirs["exception"].is_null() || (*name == "odd" && on_purpose(&ours.kind, kwargs)) {
                continue;
            }
            compared += 1;
            let mut differ = differences(&ours.kind, &ours.result, &theirs["result"]);
            if ours.success != theirs["success"].as_bool().unwrap() {
                differ.push(format!("success {} against {}", ours.success, theirs["success"]));
            }
            if !differ.is_empty() {
                wrong.push(format!(
                    "{name} {number} {} {}\n    {}",
                    ours.kind,
                    fixture_json["suite"]["expectations"][number]["kwargs"],
                    differ.join("\n    ")
                ));
            }
        }
    }
    for (format, name) in [(ResultFormat::BooleanOnly, "BOOLEAN_ONLY"), (ResultFormat::Basic, "BASIC"), (ResultFormat::Summary, "SUMMARY")]
    {
        let table = Table::open(&fixture(&format!("{}.parquet", tables[0]))).unwrap();
        let validation = check(&table, &suite, &Options { format, ..Options::default() }).unwrap();
        for (place, theirs) in fixture_json["formats"][name].as_array().unwrap().iter().enumerate() {
            let Some(number) = numbers.iter().position(|other| *other == place * 5) else { continue };
            let ours = &validation.outcomes[number];
            let raised = fixture_json["results"].as_array().unwrap().iter().any(|result| {
                result["n"].as_u64() == Some(place as u64 * 5) && result["table"] == tables[0] && !result["exception"].is_null()
            });
            let kwargs = &fixture_json["suite"]["expectations"][place * 5]["kwargs"];
            if tables[0] == "odd" && on_purpose(&ours.kind, kwargs) {
                continue;
            }
            compared += 1;
            let differ = differences(&ours.kind, &ours.result, theirs);
            if !differ.is_empty() && !raised {
                wrong.push(format!("{name} {} {}\n    {}", place * 5, ours.kind, differ.join("\n    ")));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {compared} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared > least, "only {compared} results were compared");
}

#[test]
fn results_are_those_of_great_expectations_0_18() {
    compare("gx0.json", &["shop", "empty"], 300);
}

#[test]
fn results_are_those_of_great_expectations_1_24() {
    compare("gx1.json", &["shop", "empty"], 300);
}

#[test]
fn odd_values_are_judged_as_great_expectations_0_18_judges_them() {
    compare("gx0-odd.json", &["odd"], 700);
}

#[test]
fn odd_values_are_judged_as_great_expectations_1_24_judges_them() {
    compare("gx1-odd.json", &["odd"], 700);
}
