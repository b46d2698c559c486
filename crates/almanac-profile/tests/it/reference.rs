//! Distances, p-values and decisions beside those of SciPy 1.17 and Evidently 0.7.23 (`fixtures/reference.py`).

use almanac_profile::{DriftOptions, ProfileOptions, compare};
use serde_json::Value;

use crate::sample::{numbers, profile, uniform, words};

const REFERENCE: &str = include_str!("../fixtures/reference.json");

fn sample(spec: &Value) -> Vec<f64> {
    let (n, seed) = (spec["n"].as_u64().unwrap(), spec["seed"].as_u64().unwrap());
    let (scale, shift) = (spec["scale"].as_f64().unwrap(), spec["shift"].as_f64().unwrap());
    let shape = |u: f64| match spec["shape"].as_str().unwrap() {
        "uniform" => u,
        "cubic" => u * u * u,
        "counts" => (u * u * 60.0).floor(),
        "few" => (u * u * 4.0).floor(),
        "two" => (u * u * 2.0).floor(),
        "many_zeros" => {
            if u < 0.7 {
                0.0
            } else {
                (u - 0.7) * 8.0
            }
        }
        other => panic!("unknown shape {other}"),
    };
    (0..n).map(|i| shape(uniform(seed, i)) * scale + shift).collect()
}

fn method(name: &str) -> &str {
    match name {
        "chisquare" => "chi_square",
        "jensenshannon" => "jensen_shannon",
        other => other,
    }
}

#[track_caller]
fn near(what: &str, got: Option<f64>, want: &Value, absolute: f64, relative: f64) {
    let (got, want) = (got.unwrap_or(f64::NAN), want.as_f64().unwrap());
    assert!((got - want).abs() <= absolute + relative * want.abs(), "{what}: {got} for {want}");
}

fn cases() -> Vec<Value> {
    let all: Value = serde_json::from_str(REFERENCE).unwrap();
    all["cases"].as_array().unwrap().clone()
}

// All sums are of at most 30,000 terms of one sign: 1e-9 is far above their rounding. p-values of more than 10,000 values come
// from a limit where SciPy takes the exact distribution of one sample: they agree within 2 % while they are above 1e-12.
#[test]
fn exact_distances_are_those_of_scipy_and_evidently() {
    let options = ProfileOptions { exact_values: 100_000, ..ProfileOptions::default() };
    for case in cases() {
        let name = format!("{} {}", case["before"], case["after"]);
        let (before, after) = (profile(&numbers(sample(&case["before"])), &options), profile(&numbers(sample(&case["after"])), &options));
        let drift = &compare(&before, &after, &DriftOptions::default()).columns[0];
        assert!(drift.is_exact, "{name}");
        near(&format!("{name} ks"), drift.ks, &case["ks"], 1e-12, 1e-9);
        let is_large = case["before"]["n"].as_u64().unwrap() > 10_000;
        near(&format!("{name} ks p"), drift.ks_p_value, &case["ks_p_value"], 1e-12, if is_large { 0.02 } else { 1e-6 });
        near(&format!("{name} wasserstein"), drift.wasserstein, &case["wasserstein"], 1e-12, 1e-9);
        near(&format!("{name} psi"), drift.psi, &case["psi"], 1e-9, 1e-9);
        near(&format!("{name} js"), drift.jensen_shannon, &case["jensen_shannon"], 1e-9, 1e-9);
        let decision = &case["number"];
        assert_eq!(serde_json::to_value(drift.method).unwrap(), method(decision["method"].as_str().unwrap()), "{name}");
        assert_eq!(drift.is_drift, decision["drift"].as_bool().unwrap(), "{name}");
        near(&format!("{name} threshold"), drift.threshold, &decision["threshold"], 0.0, 0.0);
        if method(decision["method"].as_str().unwrap()) != "ks" {
            near(&format!("{name} score"), drift.score, &decision["score"], 1e-9, 1e-6);
        }
    }
}

#[test]
fn distances_of_categories_are_those_of_evidently() {
    for case in cases().iter().filter(|case| case.get("category").is_some()) {
        let name = format!("{} {}", case["before"], case["after"]);
        let side = |spec: &Value| profile(&words(sample(spec).iter().map(|value| format!("c{value}"))), &ProfileOptions::default());
        let drift = &compare(&side(&case["before"]), &side(&case["after"]), &DriftOptions::default()).columns[0];
        let decision = &case["category"];
        near(&format!("{name} psi"), drift.psi, &decision["psi"], 1e-9, 1e-9);
        near(&format!("{name} js"), drift.jensen_shannon, &decision["jensen_shannon"], 1e-9, 1e-9);
        assert_eq!(serde_json::to_value(drift.method).unwrap(), method(decision["method"].as_str().unwrap()), "{name}");
        near(&format!("{name} score"), drift.score, &decision["score"], 1e-9, 1e-6);
        assert_eq!(drift.is_drift, decision["drift"].as_bool().unwrap(), "{name}");
    }
}

// Each cumulative share is within 1 % of the truth, so their difference is within 2 %. Of 30,000 values it is far less: what is
// asked here is 1 %. Wasserstein is the area of that difference over the spread: of these ranges at most 4 spreads, so 0.04. PSI and
// Jensen-Shannon are compared where bins are well filled.
#[test]
fn estimated_distances_are_near_the_exact_ones_and_decide_alike() {
    let mut seen = 0;
    for case in cases() {
        let name = format!("{} {}", case["before"], case["after"]);
        let options = ProfileOptions { exact_values: 512, ..ProfileOptions::default() };
        let (before, after) = (profile(&numbers(sample(&case["before"])), &options), profile(&numbers(sample(&case["after"])), &options));
        let drift = &compare(&before, &after, &DriftOptions::default()).columns[0];
        if drift.is_exact || case["before"]["n"].as_u64().unwrap() <= 1_000 {
            continue;
        }
        seen += 1;
        near(&format!("{name} ks"), drift.ks, &case["ks"], 0.01, 0.0);
        near(&format!("{name} wasserstein"), drift.wasserstein, &case["wasserstein"], 0.02, 0.0);
        near(&format!("{name} js"), drift.jensen_shannon, &case["jensen_shannon"], 0.02, 0.05);
        assert_eq!(drift.is_drift, case["number"]["drift"].as_bool().unwrap(), "{name}");
    }
    assert!(seen >= 3, "{seen} cases were estimated");
}
