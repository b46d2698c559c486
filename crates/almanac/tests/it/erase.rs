//! Privacy through the binary: nothing personal leaves the source, and a person who is erased is nowhere.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::bucket::S3;
use crate::program::{Workplace, files_below};

const KEY: &str = "CUST-4711";
const MAIL: &str = "anna.k@example.org";

const SETTINGS: &str = "[data]\nsource = \"sales.csv\"\nid = [\"region\", \"customer_id\"]\ntime = \"date\"\ntarget = \"units\"\nfreq = \"D\"\n\
    [forecast]\nhorizon = 7\nmodels = [\"naive\", \"seasonal_naive\"]\n[gates]\nbeats = [\"naive\"]\n";

/// Five customers with a week each of their own, and a row of the person that goes to quarantine.
fn sales() -> String {
    let mut text = String::from("date,region,customer_id,email,units\n");
    for day in 0..140_i64 {
        let date = jiff::civil::date(2025, 1, 1) + jiff::Span::new().days(day);
        for customer in 4709..=4713 {
            let mail = if customer == 4711 { MAIL.to_owned() } else { format!("c{customer}@example.org") };
            let units = 10 + customer % 7 + if day % 7 < 5 { 20 } else { 0 };
            text.push_str(&format!("{date},north,CUST-{customer},{mail},{units}\n"));
        }
    }
    text.push_str(&format!("2025-05-21,north,{KEY},{MAIL},a few\n"));
    text
}

fn shop(privacy: &str) -> Workplace {
    let place = Workplace::new();
    std::fs::write(place.path("sales.csv"), sales()).expect("written");
    std::fs::write(place.path("almanac.toml"), format!("{SETTINGS}{privacy}")).expect("written");
    succeed(&place, "privacy key new");
    succeed(&place, "run");
    place
}

#[track_caller]
fn succeed(place: &Workplace, line: &str) -> String {
    let answer = place.almanac(line);
    assert_eq!(answer.code, Some(0), "`{line}`:\n{}\n{}", answer.stdout, answer.stderr);
    answer.stdout
}

/// Files whose bytes hold a text.
fn search(place: &Workplace, text: &str) -> Vec<PathBuf> {
    let holds = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
    files_below(&place.path("")).into_iter().filter(|(_, bytes)| holds(bytes)).map(|(path, _)| path).collect()
}

fn put(place: &Workplace, name: &str, bytes: &[u8]) {
    let path = place.path(name);
    std::fs::create_dir_all(path.parent().expect("in a folder")).expect("made");
    std::fs::write(path, bytes).expect("written");
}

#[test]
fn nothing_personal_leaves_the_source() {
    let place = shop(
        "[privacy]\nkey_file = \"privacy.key\"\nsubject = [\"customer_id\"]\n[privacy.personal]\ncustomer_id = \"hash\"\nemail = \"mask\"\n",
    );
    assert_eq!(search(&place, KEY), [place.path("sales.csv")]);
    assert_eq!(search(&place, MAIL), [place.path("sales.csv")]);
    let said = place.almanac("-vv run --force");
    assert!(!said.stderr.contains(KEY) && !said.stdout.contains(KEY), "{}\n{}", said.stdout, said.stderr);

    // The hash of the key is looked for as well as the key.
    succeed(&place, &format!("erase --subject {KEY} --yes"));
    assert_eq!(search(&place, KEY), Vec::<PathBuf>::new());
    succeed(&place, &format!("erase --verify 1 --subject {KEY}"));
    succeed(&place, "run");
    succeed(&place, &format!("erase --verify --subject {KEY}"));
}

#[test]
fn who_is_erased_is_nowhere_and_the_project_goes_on() {
    let place = shop("[privacy]\nkey_file = \"privacy.key\"\nsubject = [\"customer_id\"]\n[privacy.personal]\nemail = \"mask\"\n");
    put(&place, ".almanac/artifacts/9/notes/worst.csv", format!("unique_id,score\nnorth/{KEY},9\nnorth/CUST-4712,1\n").as_bytes());
    put(&place, ".almanac/artifacts/9/notes/card.md", format!("# {KEY}\nwrite to {MAIL}\n").as_bytes());
    let hash = "0123456789abcdef0123456789abcdef";
    put(&place, &format!(".dvc/cache/files/md5/{}/{}", &hash[..2], &hash[2..]), sales().as_bytes());
    put(&place, "sales.csv.dvc", format!("outs:\n- md5: {hash}\n  size: {}\n  hash: md5\n  path: sales.csv\n", sales().len()).as_bytes());

    let before = files_below(&place.path(""));
    let plan = succeed(&place, &format!("erase --subject {KEY} --dry-run"));
    assert!(plan.contains("sales.csv") && plan.contains("rewritten"), "{plan}");
    assert!(!plan.contains(KEY), "{plan}");
    let names = |files: &[(PathBuf, Vec<u8>)]| files.iter().map(|(path, _)| path.clone()).collect::<Vec<_>>();
    assert_eq!(names(&files_below(&place.path(""))), names(&before));
    let misspelt = place.almanac(&format!("erase --subject {KEY} --column custmer_id --yes"));
    assert_eq!((misspelt.code, misspelt.stderr.contains("did you mean `customer_id`?")), (Some(2), true), "{}", misspelt.stderr);
    let refused = place.almanac(&format!("erase --subject {KEY}"));
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);

    let proof: serde_json::Value =
        serde_json::from_str(&succeed(&place, &format!("erase --subject {KEY} --yes --format json"))).expect("JSON");
    assert_eq!(search(&place, KEY), Vec::<PathBuf>::new());
    assert_eq!(search(&place, MAIL), Vec::<PathBuf>::new());
    assert_eq!(proof["left"], serde_json::json!([]));
    assert_eq!(proof["models"].as_array().map(Vec::len), Some(1), "{proof}");
    assert_eq!(proof["models"][0]["aliases"], serde_json::json!(["champion"]));
    assert!(std::fs::read_to_string(place.path(".almanac/artifacts/9/notes/worst.csv")).expect("kept").contains("CUST-4712"));

    succeed(&place, "run");
    let forecast = succeed(&place, "forecast --out -");
    assert!(forecast.contains("CUST-4712") && !forecast.contains(KEY), "{forecast}");
    succeed(&place, &format!("erase --verify 1 --subject {KEY}"));
    let nobody = place.almanac(&format!("erase --subject {KEY} --yes"));
    assert_eq!((nobody.code, nobody.stderr.contains("nothing to erase")), (Some(0), true), "{}", nobody.stderr);

    // Somebody brings the person back.
    put(&place, "more.csv", format!("customer_id,units\n{KEY},1\n").as_bytes());
    assert_eq!(place.almanac(&format!("erase --verify 1 --subject {KEY}")).code, Some(5));
}

#[test]
fn an_erasure_killed_at_any_moment_is_finished_by_the_same_call() {
    let place = shop("[privacy]\nkey_file = \"privacy.key\"\nsubject = [\"customer_id\"]\n");
    let arguments = ["erase", "--subject", KEY, "--yes"];
    let started = Instant::now();
    succeed(&place, &format!("erase --subject {KEY} --dry-run"));
    let whole = started.elapsed().max(Duration::from_millis(20)) * 2;
    for kill in 1..=12_u32 {
        let mut child = Command::new(env!("CARGO_BIN_EXE_almanac"))
            .args(arguments)
            .current_dir(place.path(""))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary was built for this test");
        // The moment is what is tested, so there is no event to wait for.
        std::thread::sleep(whole * kill / 12);
        child.kill().expect("ours to kill");
        child.wait().expect("it was started");
    }
    let last = place.almanac(&format!("erase --subject {KEY} --yes"));
    assert_eq!(last.code, Some(0), "{}", last.stderr);
    assert_eq!(search(&place, KEY), Vec::<PathBuf>::new());
    succeed(&place, &format!("erase --verify 1 --subject {KEY}"));
    succeed(&place, "run");
}

#[test]
fn a_key_that_is_missing_or_short_stops_everything_before_it_begins() {
    let place = Workplace::new();
    let settings = format!("{SETTINGS}[privacy]\nkey = \"${{env:SHOP_KEY}}\"\n[privacy.personal]\nemail = \"hash\"\n");
    std::fs::write(place.path("almanac.toml"), settings).expect("written");
    std::fs::write(place.path("sales.csv"), sales()).expect("written");
    let missing = place.almanac("run");
    assert_eq!(missing.code, Some(3), "{}", missing.stderr);
    assert!(missing.stderr.contains("`SHOP_KEY`, which is not set"), "{}", missing.stderr);
    let short = place.almanac_with(&[("SHOP_KEY", "tiger")], "run");
    assert_eq!(short.code, Some(3));
    assert!(short.stderr.contains("at least 32") && !short.stderr.contains("tiger"), "{}", short.stderr);
    assert!(!place.path(".almanac/lake").exists());
}

#[test]
fn a_column_that_no_table_has_is_a_misspelt_one() {
    let place = Workplace::new();
    std::fs::write(place.path("almanac.toml"), format!("{SETTINGS}[privacy.personal]\nemial = \"drop\"\n")).expect("written");
    std::fs::write(place.path("sales.csv"), sales()).expect("written");
    let answer = place.almanac("run");
    assert_eq!(answer.code, Some(3), "{}", answer.stderr);
    assert!(answer.stderr.contains("did you mean `email`?"), "{}", answer.stderr);
}

#[test]
fn the_doctor_names_columns_that_look_personal() {
    let place = Workplace::new();
    std::fs::write(place.path("almanac.toml"), SETTINGS).expect("written");
    std::fs::write(place.path("sales.csv"), sales()).expect("written");
    let answer = place.almanac("doctor");
    assert!(answer.stdout.contains("`data.email` (an e-mail address) look personal"), "{}", answer.stdout);
}

#[test]
fn versions_in_a_bucket_and_lists_in_suites_lose_the_person_too() {
    let Some(s3) = S3::start() else { return };
    s3.put("/shop", b"");
    let place = shop("[privacy]\nkey_file = \"privacy.key\"\nsubject = [\"customer_id\"]\n");
    let access = [("AWS_ACCESS_KEY_ID", "testing"), ("AWS_SECRET_ACCESS_KEY", "testing"), ("AWS_REGION", "us-east-1")];
    let with = |line: &str| {
        let answer = place.almanac_with(&access, line);
        assert_eq!(answer.code, Some(0), "`{line}`:\n{}\n{}", answer.stdout, answer.stderr);
    };
    for line in ["data init --no-scm", "data remote add -d far s3://shop/store", "data add sales.csv"] {
        with(line);
    }
    with(&format!("data remote modify far endpointurl {}", s3.url));
    with("data push");
    let suite = format!(
        "name: mine\nlayer: bronze\ntable: data\nexpectations:\n- type: expect_column_values_to_be_in_set\n  severity: warn\n  kwargs:\n    \
         column: customer_id\n    value_set: [CUST-4709, {KEY}, CUST-47110]\n"
    );
    put(&place, "expectations/mine.yaml", suite.as_bytes());
    let objects = || -> Vec<String> {
        let listed = String::from_utf8_lossy(&s3.get("/shop?list-type=2")).into_owned();
        listed.split("<Key>").skip(1).map(|rest| rest.split('<').next().unwrap_or_default().to_owned()).collect()
    };
    let holds = |object: &String| s3.get(&format!("/shop/{object}")).windows(KEY.len()).any(|window| window == KEY.as_bytes());
    assert_eq!(objects().iter().filter(|object| holds(object)).count(), 1, "{}", String::from_utf8_lossy(&s3.get("/shop?list-type=2")));
    // What is only there, and nowhere here.
    std::fs::remove_dir_all(place.path(".dvc/cache")).expect("removed");

    with(&format!("erase --subject {KEY} --yes"));
    // There the key is inside another one.
    assert_eq!(search(&place, KEY), [place.path("expectations/mine.yaml")]);
    let left = objects();
    assert!(left.len() == 1 && !holds(&left[0]), "{left:?}");
    let pointer = std::fs::read_to_string(place.path("sales.csv.dvc")).expect("there");
    assert!(pointer.contains(&left[0].replace('/', "")[left[0].replace('/', "").len() - 32..]), "{pointer} names {left:?}");
    assert!(std::fs::read_to_string(place.path("expectations/mine.yaml")).expect("there").contains("[CUST-4709, CUST-47110]"));
    with("data status -c");

    // A bucket that is away is named, and the rest is done.
    drop(s3);
    let away = place.almanac_with(&access, "erase --subject CUST-4712 --yes");
    assert_eq!(away.code, Some(5), "{}", away.stderr);
    assert!(away.stderr.contains("remote `far`") && away.stderr.contains("data gc -w -c -r far"), "{}", away.stderr);
}
