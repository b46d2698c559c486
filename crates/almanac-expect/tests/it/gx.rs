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

fn compare(file: &str) {
    let fixture_json: Json = serde_json::from_slice(&std::fs::read(fixture(file)).unwrap()).unwrap();
    let suite = Suite::parse(&fixture_json["suite"].to_string(), file).unwrap().remove(0);
    let mut wrong = Vec::new();
    let mut compared = 0;
    for name in ["shop", "empty"] {
        let table = Table::open(&fixture(&format!("{name}.parquet"))).unwrap();
        let options = Options { format: ResultFormat::Complete, ..Options::default() };
        let validation = check(&table, &suite, &options).unwrap();
        for theirs in fixture_json["results"].as_array().unwrap().iter().filter(|result| result["table"] == name) {
            let number = usize::try_from(theirs["n"].as_u64().unwrap()).unwrap();
            let ours = &validation.outcomes[number];
            assert_eq!(ours.kind, theirs["type"].as_str().unwrap());
            if !theirs["exception"].is_null() {
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
        let table = Table::open(&fixture("shop.parquet")).unwrap();
        let validation = check(&table, &suite, &Options { format, ..Options::default() }).unwrap();
        for (place, theirs) in fixture_json["formats"][name].as_array().unwrap().iter().enumerate() {
            let ours = &validation.outcomes[place * 5];
            let raised = fixture_json["results"].as_array().unwrap().iter().any(|result| {
                result["n"].as_u64() == Some(place as u64 * 5) && result["table"] == "shop" && !result["exception"].is_null()
            });
            compared += 1;
            let differ = differences(&ours.kind, &ours.result, theirs);
            if !differ.is_empty() && !raised {
                wrong.push(format!("{name} {} {}\n    {}", place * 5, ours.kind, differ.join("\n    ")));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {compared} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared > 300, "only {compared} results were compared");
}

#[test]
fn results_are_those_of_great_expectations_0_18() {
    compare("gx0.json");
}

#[test]
fn results_are_those_of_great_expectations_1_24() {
    compare("gx1.json");
}
