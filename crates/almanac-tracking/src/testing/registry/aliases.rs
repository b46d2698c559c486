//! Aliases, their history, their gates and the way back.

use super::{invalid, missing, model_of, refused};
use crate::{Change, ErrorCode, Millis, MoveKind, StoreError, TrackingStore, VersionEvidence};

pub(super) fn aliases(store: &TrackingStore) {
    pointing(store);
    history(store);
    rollback(store);
    gates(store);
    gates_on_the_way_back(store);
    evidence(store);
}

fn by(actor: &str, reason: &str) -> Change {
    Change { actor: actor.into(), reason: reason.into() }
}

fn point(store: &TrackingStore, model: &str, alias: &str, number: u32) -> Result<(), StoreError> {
    store.set_alias(model, alias, number, &Change::default(), Millis(2))
}

#[track_caller]
fn conflict<T: std::fmt::Debug>(answer: Result<T, StoreError>, message: &str) {
    refused(answer, ErrorCode::ResourceConflict, message);
}

fn pointing(store: &TrackingStore) {
    let model = "registry aliases";
    missing(store.get_model_version_by_alias(model, "x"), "Registered Model with name=registry aliases not found");
    model_of(store, model, 3);
    point(store, model, "b", 2).expect("sets");
    point(store, model, "a", 2).expect("sets");
    assert_eq!(store.get_model_version(model, 2).expect("is there").aliases, ["a", "b"]);
    assert!(store.get_model_version(model, 1).expect("is there").aliases.is_empty());
    assert_eq!(store.get_registered_model(model).expect("is there").aliases, [("a".to_owned(), 2), ("b".to_owned(), 2)]);
    point(store, model, "a", 1).expect("moves");
    assert_eq!(store.get_model_version_by_alias(model, "a").expect("is there").version, 1);
    assert_eq!(store.get_model_version_by_alias(model, "LATEST").expect("is there").version, 3);
    invalid(store.get_model_version_by_alias(model, "c"), "Registered model alias c not found.");

    store.delete_alias(model, "a", &Change::default(), Millis(3)).expect("deletes");
    store.delete_alias(model, "a", &Change::default(), Millis(4)).expect("twice is fine");
    missing(
        store.delete_alias("registry nothing", "a", &Change::default(), Millis(4)),
        "Registered Model with name=registry nothing not found",
    );
    store.delete_model_version(model, 2, &Change::default(), Millis(5)).expect("deletes");
    assert!(store.get_registered_model(model).expect("is there").aliases.is_empty(), "aliases go with their version");

    missing(point(store, model, "a", 9), "Model Version (name=registry aliases, version=9) not found");
    missing(point(store, "registry nothing", "a", 1), "Model Version (name=registry nothing, version=1) not found");
    for alias in ["latest", "Latest", "v1", "V12", "a/b", "a b", "", &"x".repeat(256)] {
        invalid(point(store, model, alias, 1), "");
    }
    for alias in ["1", "vx", "größe", "a_b-c", &"x".repeat(255)] {
        point(store, model, alias, 1).expect("is an alias");
    }
}

fn history(store: &TrackingStore) {
    let model = "registry moves";
    model_of(store, model, 2);
    store.set_alias(model, "x", 1, &by("ann", "first"), Millis(10)).expect("sets");
    store.set_alias(model, "x", 1, &by("bob", "again"), Millis(11)).expect("is there");
    store.set_alias(model, "x", 2, &by("bob", "better"), Millis(12)).expect("moves");
    store.set_alias(model, "y", 2, &by("bob", ""), Millis(13)).expect("sets");
    store.delete_model_version(model, 2, &by("cid", "wrong data"), Millis(14)).expect("deletes");
    let moves = store.alias_moves(model, Some("x")).expect("lists");
    let shown: Vec<_> = moves.iter().map(|one| (one.kind, one.from, one.to, &one.change.actor[..], &one.change.reason[..])).collect();
    assert_eq!(
        shown,
        [
            (MoveKind::Delete, Some(2), None, "cid", "wrong data"),
            (MoveKind::Set, Some(1), Some(2), "bob", "better"),
            (MoveKind::Set, None, Some(1), "ann", "first"),
        ],
        "newest first; what moves nothing is no move"
    );
    assert_eq!((moves[0].moved, &moves[0].model[..], &moves[0].alias[..]), (Millis(14), model, "x"));
    assert_eq!(store.alias_moves(model, None).expect("lists").len(), 5);
    store.delete_registered_model(model, &by("dan", "over"), Millis(15)).expect("deletes");
    let last = store.alias_moves(model, None).expect("the history stays").remove(0);
    assert_eq!((last.kind, &last.change.actor[..]), (MoveKind::ModelDelete, "dan"));
    assert!(store.alias_moves("registry nothing", None).expect("lists").is_empty());
}

fn rollback(store: &TrackingStore) {
    let model = "registry rollback";
    model_of(store, model, 4);
    let back = |reason: &str| store.rollback_alias(model, "x", &by("ann", reason), Millis(20)).map(|version| version.version);
    conflict(back(""), "Alias 'x' of model 'registry rollback' cannot be rolled back: it has not pointed at another version before.");
    point(store, model, "x", 1).expect("sets");
    conflict(back(""), "it has not pointed at another version before");
    for number in [2, 3, 4] {
        point(store, model, "x", number).expect("moves");
    }
    assert_eq!(back("4 is bad").expect("goes back"), 3);
    assert_eq!(store.version_by_alias(model, "x").expect("asks").map(|version| version.version), Some(3));
    assert_eq!(back("3 too").expect("goes back"), 2, "twice goes two steps back");
    let last = store.alias_moves(model, Some("x")).expect("lists").remove(0);
    assert_eq!((last.kind, last.from, last.to, &last.change.reason[..]), (MoveKind::Rollback, Some(3), Some(2), "3 too"));
    point(store, model, "x", 4).expect("moves");
    assert_eq!(back("").expect("goes back"), 2, "what was rolled back is not gone back to");

    point(store, model, "x", 3).expect("moves");
    point(store, model, "x", 4).expect("moves");
    store.delete_model_version(model, 3, &Change::default(), Millis(21)).expect("deletes");
    assert_eq!(back("").expect("goes back"), 2, "what was deleted is passed over");
    assert_eq!(back("").expect("goes back"), 1);
    conflict(back(""), "it has not pointed at another version before");

    store.delete_alias(model, "x", &Change::default(), Millis(22)).expect("deletes");
    assert_eq!(back("").expect("a deletion is taken back too"), 1);
    missing(store.rollback_alias("registry nothing", "x", &Change::default(), Millis(1)), "not found");

    store.delete_registered_model(model, &Change::default(), Millis(23)).expect("deletes");
    model_of(store, model, 2);
    conflict(back(""), "it has not pointed at another version before");
    point(store, model, "x", 2).expect("sets");
    conflict(back(""), "it has not pointed at another version before");
}

/// Evidence with all parts, of which some have failed.
fn full(failed: &[&str]) -> String {
    let part = |part: &str| format!(r#""{part}": {{"passed": {}}}"#, !failed.contains(&part));
    format!("{{{}}}", VersionEvidence::PARTS.map(part).join(", "))
}

fn gates(store: &TrackingStore) {
    let model = "registry gates";
    model_of(store, model, 5);
    point(store, model, "champion", 1).expect("without any evidence there is no gate");
    store.put_evidence(model, 2, &full(&[]), true, Millis(3)).expect("records");
    point(store, model, "champion", 2).expect("it passed");
    conflict(
        point(store, model, "champion", 3),
        "Alias 'champion' of model 'registry gates' cannot point at version 3: no evidence is recorded \
         (backtest, data_version, config, code, coverage, leakage_audit are needed).",
    );
    store.put_evidence(model, 3, r#"{"backtest": {"wape": 0.1}, "code": "abc", "coverage": null}"#, true, Millis(3)).expect("records");
    conflict(point(store, model, "champion", 3), "version 3: its evidence lacks data_version, config, coverage, leakage_audit.");
    store.put_evidence(model, 3, &full(&["coverage", "leakage_audit"]), true, Millis(3)).expect("records");
    conflict(point(store, model, "champion", 3), "version 3: its evidence did not pass: coverage, leakage_audit.");
    store.put_evidence(model, 3, &full(&[]), false, Millis(3)).expect("records");
    conflict(point(store, model, "champion", 3), "version 3: its evidence did not pass.");
    let champion = store.get_model_version_by_alias(model, "champion").expect("is there");
    assert_eq!(champion.version, 2, "a shut gate moves nothing");
    assert_eq!(store.alias_moves(model, Some("champion")).expect("lists").len(), 2, "and records nothing");
    point(store, model, "challenger", 3).expect("other aliases have no gate");
    store.put_evidence(model, 3, &full(&[]), true, Millis(4)).expect("records");
    point(store, model, "champion", 3).expect("it passed");
}

fn gates_on_the_way_back(store: &TrackingStore) {
    let model = "registry gates back";
    model_of(store, model, 3);
    point(store, model, "champion", 1).expect("no gate yet");
    for number in [2, 3] {
        store.put_evidence(model, number, &full(&[]), true, Millis(3)).expect("records");
        point(store, model, "champion", number).expect("it passed");
    }
    store.put_evidence(model, 2, &full(&[]), false, Millis(4)).expect("records");
    let back = || store.rollback_alias(model, "champion", &Change::default(), Millis(5)).map(|version| version.version);
    conflict(back(), "cannot point at version 2: its evidence did not pass.");
    store.put_evidence(model, 2, &full(&[]), true, Millis(4)).expect("records");
    assert_eq!(back().expect("goes back"), 2);
    assert_eq!(back().expect("goes back"), 1, "it has been champion before there was any evidence");
}

fn evidence(store: &TrackingStore) {
    let model = "registry evidence";
    model_of(store, model, 1);
    assert_eq!(store.get_evidence(model, 1).expect("asks"), None);
    store.put_evidence(model, 1, r#"{"backtest": 1}"#, false, Millis(7)).expect("records");
    store.put_evidence(model, 1, r#"{"backtest": 2}"#, true, Millis(8)).expect("records anew");
    let found = store.get_evidence(model, 1).expect("asks").expect("is there");
    assert_eq!(found, VersionEvidence { evidence: r#"{"backtest": 2}"#.into(), passed: true, since: Millis(8) });
    for bad in ["", "[]", "1", "null", "{", r#""text""#] {
        invalid(store.put_evidence(model, 1, bad, true, Millis(9)), "a JSON object is expected");
    }
    invalid(store.put_evidence(model, 1, &format!(r#"{{"a": "{}"}}"#, "x".repeat(1 << 20)), true, Millis(9)), "exceeds the maximum length");
    missing(store.put_evidence(model, 2, "{}", true, Millis(9)), "Model Version (name=registry evidence, version=2) not found");
    missing(store.get_evidence(model, 2), "version=2) not found");
    store.delete_model_version(model, 1, &Change::default(), Millis(10)).expect("deletes its evidence too");
}
