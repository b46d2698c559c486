//! `almanac check` and the gates of a run: a suite is proposed, holds, takes rows out, and stops.

use std::fs;

use crate::program::{Answer, Workplace};

/// A shop of three customers and 60 days; every tenth row sells 90, the others fewer than ten.
fn shop(privacy: &str) -> Workplace {
    let place = Workplace::new();
    let mut rows = "customer,day,units\n".to_owned();
    for row in 0..180 {
        let day = jiff::civil::date(2024, 1, 1).saturating_add(jiff::Span::new().days(row / 3));
        rows.push_str(&format!("CUST-{},{day},{}\n", row % 3, if row % 10 == 9 { 90 } else { row % 8 }));
    }
    fs::write(place.path("sales.csv"), rows).expect("written");
    let settings = "[data]\nsource = \"sales.csv\"\nid = [\"customer\"]\ntime = \"day\"\ntarget = \"units\"\nfreq = \"D\"\n\n[forecast]\nhorizon = 7\n";
    fs::write(place.path("almanac.toml"), format!("{settings}\n{privacy}")).expect("written");
    place
}

fn suite(place: &Workplace, severity: &str) {
    fs::create_dir_all(place.path("expectations")).expect("made");
    let text = format!(
        "suite: sales\nlayer: bronze\ntable: data\nexpectations:\n  - type: expect_column_values_to_be_between\n    column: units\n    \
         max_value: 50\n    severity: {severity}\n"
    );
    fs::write(place.path("expectations/sales.yaml"), text).expect("written");
}

fn run(place: &Workplace) -> (Answer, serde_json::Value) {
    let answer = place.almanac("run --only silver --format json");
    let summary = serde_json::from_str(&answer.stdout).unwrap_or_default();
    (answer, summary)
}

#[test]
fn a_layer_that_is_not_made_yet_is_told_with_the_command_that_makes_it() {
    let place = shop("");
    let answer = place.almanac("check --suggest");
    assert_eq!(answer.code, Some(2), "{}", answer.stderr);
    assert!(answer.stderr.contains("`almanac run --only bronze`"), "{}", answer.stderr);
}

#[test]
fn a_proposed_suite_holds_on_the_table_it_was_made_from() {
    let place = shop("");
    assert_eq!(run(&place).0.code, Some(0));
    let proposed = place.almanac("check --suggest --write");
    assert_eq!(proposed.code, Some(0), "{}", proposed.stderr);
    assert!(fs::read_to_string(place.path("expectations/bronze.data.yaml")).expect("written").contains("CUST-1"));
    let judged = place.almanac("check --format json");
    let report: serde_json::Value = serde_json::from_str(&judged.stdout).expect("JSON");
    assert_eq!((judged.code, &report["success"]), (Some(0), &true.into()), "{}", judged.stdout);
}

#[test]
fn a_proposed_suite_names_no_subject() {
    let place = shop("[privacy]\nsubject = [\"customer\"]\n");
    assert_eq!(run(&place).0.code, Some(0));
    assert_eq!(place.almanac("check --suggest --write").code, Some(0));
    let text = fs::read_to_string(place.path("expectations/bronze.data.yaml")).expect("written");
    assert!(text.contains("customer") && !text.contains("CUST-"), "{text}");
}

#[test]
fn rows_that_fail_leave_before_silver_and_come_back_with_the_suite() {
    let place = shop("");
    let (_, whole) = run(&place);
    assert_eq!(whole["silver"]["rows_in"], 180, "{whole}");
    suite(&place, "quarantine");
    let (answer, fewer) = run(&place);
    assert_eq!((answer.code, &fewer["silver"]["rows_in"]), (Some(0), &162.into()), "{}", answer.stderr);
    assert_eq!(run(&place).1["made"], 0);
    fs::remove_file(place.path("expectations/sales.yaml")).expect("removed");
    assert_eq!(run(&place).1["silver"]["rows_in"], 180);
}

#[test]
fn an_expectation_that_must_hold_stops_the_run_and_one_that_warns_does_not() {
    let place = shop("");
    suite(&place, "fail");
    let (stopped, _) = run(&place);
    assert_eq!(stopped.code, Some(5), "{}", stopped.stderr);
    assert!(stopped.stderr.contains("18 of 180 rows fail"), "{}", stopped.stderr);
    assert_eq!(place.almanac("check").code, Some(5));
    suite(&place, "warn");
    let (warned, summary) = run(&place);
    assert_eq!((warned.code, &summary["silver"]["rows_in"]), (Some(0), &180.into()), "{}", warned.stderr);
    assert_eq!(place.almanac("check").code, Some(0));
}
