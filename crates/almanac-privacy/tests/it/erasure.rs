//! The whole erasure: nothing of the subject stays, all else does, a kill at any step leads to the same end, the proof holds.

use std::cell::Cell;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use almanac_privacy::{
    Action, EraseError, EraseObserver, FileState, ModelNote, Outcome, Quiet, Request, Subject, erase, plan_erasure, verify,
};

use crate::folder::{Folder, KEY, MAIL, key, md5, subject};

fn request<'a>(subject: &'a Subject, key: &'a almanac_privacy::PrivacyKey) -> Request<'a> {
    let model = ModelNote {
        run_id: "r".into(),
        registered: Some(("shop".into(), 1)),
        aliases: vec!["champion".into()],
        made: "2026-01-10T00:00:00Z".into(),
    };
    Request { subject, key, who: "officer", program: "almanac 0.1.0", now: "2026-02-01T00:00:00Z", models: vec![model], elsewhere: vec![] }
}

fn erased(folder: &Folder, observer: &dyn EraseObserver) -> Result<Outcome, EraseError> {
    erase(&folder.ground(), &request(&subject(), &key()), observer)
}

#[test]
fn after_an_erasure_a_search_through_everything_finds_nothing() {
    let folder = Folder::new();
    assert!(folder.search(KEY).len() >= 14, "{:?}", folder.search(KEY));
    let proof = erased(&folder, &Quiet).expect("erased").proof.expect("it was there");
    assert_eq!(folder.search(KEY), Vec::<String>::new());
    assert_eq!(folder.search(&key().value(KEY)), Vec::<String>::new(), "the hash of the key");
    assert_eq!(folder.search(MAIL), Vec::<String>::new(), "what else named the subject");
    assert_eq!(proof.left, vec![]);
    assert_eq!(proof.models.iter().map(|model| model.run_id.as_str()).collect::<Vec<_>>(), ["r"]);

    let sales = fs::read_to_string(folder.path("data/sales.csv")).expect("there");
    assert_eq!(sales.lines().count(), 10);
    assert!(sales.starts_with("date,customer_id,email,units\r\n2026-01-01,CUST-47110,b@example.org,1\r\n"), "{sales}");
    assert!(!folder.path(".almanac/lake").exists() && !folder.path(".almanac/assets").exists(), "made again by the next run");
    assert!(folder.path(".almanac/forecasts/00000001-a-b-c.parquet").exists(), "another series is in it");
    assert!(!folder.path(".almanac/forecasts/00000001-a-b-d.parquet").exists(), "no other series was in it");
    assert!(!folder.path(".almanac/artifacts/1/r/model.pkl").exists());
    let manifest = fs::read_to_string(folder.path(".almanac/landing/crm/manifest.json")).expect("there");
    let landed = fs::read(folder.path(".almanac/landing/crm/0001.jsonl")).expect("there");
    assert!(manifest.contains(blake3::hash(&landed).to_hex().as_str()) && manifest.contains("\"rows\": 2"), "{manifest}");
}

#[test]
fn pointers_follow_the_files_and_older_versions_are_gone() {
    let folder = Folder::new();
    erased(&folder, &Quiet).expect("erased");
    let sales = fs::read(folder.path("data/sales.csv")).expect("there");
    let pointer = fs::read_to_string(folder.path("data/sales.csv.dvc")).expect("there");
    assert_eq!(pointer, format!("outs:\n- md5: {}\n  size: {}\n  hash: md5\n  path: sales.csv\n", md5(&sales), sales.len()));
    let object = |hash: &str| folder.path(&format!(".dvc/cache/files/md5/{}/{}", &hash[..2], &hash[2..]));
    assert_eq!(fs::read(object(&md5(&sales))).expect("in the cache"), sales);
    let listing =
        format!("[{{\"md5\": \"{}\", \"relpath\": \"a.csv\"}}, {{\"md5\": \"{}\", \"relpath\": \"b.txt\"}}]", md5(&sales), md5(b"nothing"));
    let pointer = fs::read_to_string(folder.path("raw.dvc")).expect("there");
    let hash = format!("{}.dir", md5(listing.as_bytes()));
    assert_eq!(pointer, format!("outs:\n- md5: {hash}\n  size: {}\n  nfiles: 2\n  hash: md5\n  path: raw\n", sales.len() + 7));
    assert_eq!(fs::read_to_string(object(&hash)).expect("in the cache"), listing);
    assert_eq!(fs::read(folder.path("raw/a.csv")).expect("there"), sales);
}

#[test]
fn a_proof_holds_and_shows_what_was_changed_since() {
    let folder = Folder::new();
    erased(&folder, &Quiet).expect("erased");
    let text = fs::read_to_string(folder.path(".almanac/erasures/0001.json")).expect("written");
    assert!(!text.contains(KEY) && !text.contains(MAIL), "{text}");
    let (subject, key) = (subject(), key());
    let verdict = verify(&folder.ground(), Some(1), Some(&subject), Some(&key)).expect("read");
    assert!(verdict.is_good() && verdict.seals_checked == 1 && verdict.is_subject == Some(true), "{verdict:?}");
    assert_eq!(verdict.count(FileState::AsLeft), verdict.files.len());

    // Another subject makes the second link of the chain.
    let other = Subject { key: "CUST-2".into(), ..subject.clone() };
    erase(&folder.ground(), &request(&other, &key), &Quiet).expect("erased").proof.expect("it was there");
    let verdict = verify(&folder.ground(), None, None, Some(&key)).expect("read");
    assert!(verdict.is_good() && verdict.count(FileState::ChangedSince) > 0, "{verdict:?}");

    folder.put("data/back.csv", format!("customer_id,units\n{KEY},1\n").as_bytes());
    let verdict = verify(&folder.ground(), Some(1), Some(&subject), Some(&key)).expect("read");
    assert_eq!(verdict.found.iter().map(|found| found.shown.as_str()).collect::<Vec<_>>(), ["data/back.csv"]);
    assert!(!verdict.is_good());

    folder.put(".almanac/erasures/0001.json", text.replace("officer", "nobody").as_bytes());
    let broken = verify(&folder.ground(), None, None, Some(&key)).expect("read").broken;
    assert_eq!(broken.len(), 2, "the seal of the first, the chain of the second: {broken:?}");
    assert!(matches!(verify(&folder.ground(), Some(9), None, None), Err(EraseError::NoProof { number: 9, .. })));
}

/// Stops at the nth moment.
struct Kill(Cell<usize>);

impl EraseObserver for Kill {
    fn on(&self, _path: &Path, _done: usize, _total: usize) -> ControlFlow<()> {
        let left = self.0.get();
        self.0.set(left.saturating_sub(1));
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[test]
fn a_kill_at_any_step_leads_to_the_same_end() {
    let undisturbed = Folder::new();
    erased(&undisturbed, &Quiet).expect("erased");
    let expected = undisturbed.files();
    let mut kills = 0;
    loop {
        let folder = Folder::new();
        match erased(&folder, &Kill(Cell::new(kills))) {
            Ok(_) => break,
            Err(EraseError::Stopped) => {}
            Err(error) => panic!("{error}"),
        }
        let other = Subject { key: "CUST-2".into(), ..subject() };
        let refused = erase(&folder.ground(), &request(&other, &key()), &Quiet);
        assert!(matches!(refused, Err(EraseError::OtherPending { .. })), "{refused:?}");
        assert!(plan_erasure(&folder.ground(), &subject(), &key()).expect("looked").is_resumed);
        erased(&folder, &Quiet).expect("finished");
        let files = folder.files();
        for ((name, bytes), (other_name, other_bytes)) in files.iter().zip(&expected) {
            assert_eq!(name, other_name, "after a kill at step {kills}");
            let texts = [bytes, other_bytes].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
            let differs = texts[0].lines().zip(texts[1].lines()).find(|(a, b)| a != b);
            assert!(bytes == other_bytes, "`{name}` differs after a kill at step {kills}: {differs:?}");
        }
        assert_eq!(files.len(), expected.len());
        kills += 1;
    }
    assert!(kills > 20, "{kills} steps");
}

#[test]
fn a_plan_changes_nothing_and_says_what_cannot_be_done() {
    let folder = Folder::new();
    folder.put("notes.md", format!("{KEY} called\n").as_bytes());
    folder.put(&format!("data/{KEY}.csv"), b"date,units\n1,2\n");
    let before = folder.files();
    let plan = plan_erasure(&folder.ground(), &subject(), &key()).expect("looked");
    assert!(folder.files() == before, "a plan changed a file");
    let action = |name: &str| plan.found.iter().find(|found| found.shown == name).map(|found| found.action);
    assert_eq!(action("notes.md"), Some(Action::Leave));
    assert_eq!(action("data/[erased].csv"), Some(Action::Delete));
    assert_eq!(action("data/sales.csv"), Some(Action::Rewrite));
    assert_eq!(action(".almanac/almanac.db"), Some(Action::Database));
    let proof = erased(&folder, &Quiet).expect("erased").proof.expect("it was there");
    assert_eq!(proof.left.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["notes.md"]);
    assert!(proof.files.iter().any(|file| file.path == "data/[erased].csv" && file.after == "deleted"));
    assert_eq!(folder.search(KEY), ["notes.md"]);
}

#[test]
fn a_subject_that_is_nowhere_leaves_everything_as_it_is() {
    let folder = Folder::new();
    let before = folder.files();
    let nobody = Subject { key: "CUST-0815".into(), ..subject() };
    let outcome = erase(&folder.ground(), &request(&nobody, &key()), &Quiet).expect("looked");
    assert!(outcome.proof.is_none());
    assert!(folder.files() == before);
    let empty = Subject { key: " ".into(), ..subject() };
    assert!(matches!(plan_erasure(&folder.ground(), &empty, &key()), Err(EraseError::NoSubject)));
    let rowless = Subject { columns: vec![], ..subject() };
    assert!(matches!(plan_erasure(&folder.ground(), &rowless, &key()), Err(EraseError::NoColumn)));
}

#[test]
fn damage_is_said_and_never_taken_for_clean() {
    let folder = Folder::new();
    folder.put("data/cut.parquet", b"PAR1 cut short");
    folder.put("data/cut.csv.gz", &[0x1f, 0x8b, 8, 0, 1, 2, 3]);
    let proof = erased(&folder, &Quiet).expect("erased").proof.expect("it was there");
    let left: Vec<&str> = proof.left.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(left, ["data/cut.csv.gz", "data/cut.parquet"], "{:?}", proof.left);
}
