//! `almanac check` and the gates of a run: `[checks]` and suites are proposed, hold, take rows out, and stop.

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
    let held = report.as_array().is_some_and(|all| all.len() == 3 && all.iter().all(|one| one["success"] == true));
    assert_eq!((judged.code, held), (Some(0), true), "{}", judged.stdout);
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
    let place = shop("[checks]\nmax_quarantine_share = 0.2\n");
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

fn checks(place: &Workplace, keys: &str) {
    let text = fs::read_to_string(place.path("almanac.toml")).expect("there");
    let text = text.split("[checks]").next().unwrap_or_default().to_owned();
    fs::write(place.path("almanac.toml"), format!("{text}\n[checks]\n{keys}")).expect("written");
}

#[test]
fn a_key_of_checks_stops_the_run_with_what_was_seen_and_where() {
    let place = shop("");
    checks(&place, "max = 50.0\n");
    let (stopped, _) = run(&place);
    assert_eq!(stopped.code, Some(5), "{}", stopped.stderr);
    for part in [
        "1 of 7 checks of silver table `panel` failed",
        "50 or less (fail) of `y`: 18 of 180 rows fail, first at unique_id CUST-0, ds 2024-01-",
        "`[checks]`",
    ] {
        assert!(stopped.stderr.contains(part), "{part}: {}", stopped.stderr);
    }
    checks(&place, "max = 100.0\nmin_series = 4\n");
    let (stopped, _) = run(&place);
    assert!(stopped.stderr.contains("at least 4 series (`min_series`)"), "{}", stopped.stderr);
    checks(&place, "max = 100.0\nmin_series = 3\nmax_null_share = 0.0\nrequired = [\"y\"]\n");
    assert_eq!(run(&place).0.code, Some(0));
}

#[test]
fn rows_that_a_suite_takes_out_count_in_the_share_of_the_quarantine() {
    let place = shop("");
    suite(&place, "quarantine");
    checks(&place, "max_quarantine_share = 0.1\n");
    assert_eq!(run(&place).0.code, Some(0));
    checks(&place, "max_quarantine_share = 0.09\n");
    let (stopped, _) = run(&place);
    assert_eq!(stopped.code, Some(5), "{}", stopped.stderr);
    assert!(stopped.stderr.contains("18 of 180 rows (10 %): failed an expectation: 18"), "{}", stopped.stderr);
}

#[test]
fn fewer_rows_than_before_are_told_from_the_run_that_held() {
    let place = shop("");
    checks(&place, "max_row_change = 0.2\n");
    assert_eq!(run(&place).0.code, Some(0));
    let rows = fs::read_to_string(place.path("sales.csv")).expect("there");
    let half: Vec<&str> = rows.lines().take(100).collect();
    fs::write(place.path("sales.csv"), half.join("\n") + "\n").expect("written");
    let (stopped, _) = run(&place);
    assert_eq!(stopped.code, Some(5), "{}", stopped.stderr);
    assert!(stopped.stderr.contains("99 rows after 180"), "{}", stopped.stderr);
}

#[test]
fn a_project_without_suites_is_judged_by_its_checks_alone() {
    let place = shop("");
    assert_eq!(run(&place).0.code, Some(0));
    let judged = place.almanac("check");
    assert_eq!(judged.code, Some(0), "{}", judged.stderr);
    assert!(judged.stdout.contains("silver.panel: [checks], 201 rows, all 6 hold"), "{}", judged.stdout);
    assert!(judged.stdout.lines().all(|line| line.chars().count() <= 100), "{}", judged.stdout);
}

#[test]
fn files_of_any_format_are_judged_with_the_row_of_the_file() {
    let place = Workplace::new();
    fs::write(place.path("odd name.csv"), "id;when;y\na;2024-01-01;1,5\na;2024-01-02;-3\nb;2024-01-03;x\n").expect("written");
    fs::write(place.path("rows.jsonl"), "{\"id\": \"a\", \"y\": 1}\n{\"id\": \"b\", \"y\": -2}\n").expect("written");
    let yaml = "expectations:\n- {type: column_values_to_be_between, column: y, min_value: 0}\n- {type: table_columns_to_match_set, column_set: [id, y], exact_match: false}\n\
                - {type: unexpected_rows, unexpected_rows_query: 'SELECT * FROM {batch} WHERE y < 0'}\n";
    fs::write(place.path("suite.yaml"), yaml).expect("written");
    let judged = place.almanac("check rows.jsonl --suite suite.yaml");
    assert_eq!(judged.code, Some(5), "{} {}", judged.stdout, judged.stderr);
    assert!(judged.stdout.contains("rows: suite, 2 rows, 2 of 3 failed"), "{}", judged.stdout);
    assert!(judged.stdout.contains("_row 2"), "{}", judged.stdout);
    let missing = place.almanac("check nowhere.csv --suite suite.yaml");
    assert_eq!(missing.code, Some(4), "{}", missing.stderr);
}
