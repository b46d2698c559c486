//! A marker in personal columns, of good rows and bad ones, through everything that a project does: it stays in the user's own files.

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::program::{Workplace, files_below};
use crate::serve::Server;

/// Hashed, masked, dropped.
const ID: &str = "KUNDE-7ZQ77";
const MAIL: &str = "zq77marker@example.org";
const NAME: &str = "Zquirina Markerova";
const MARKERS: [&str; 3] = [ID, MAIL, NAME];

const SETTINGS: &str = r#"[data]
id = ["shop"]
time = "day"
target = "units"
freq = "D"
gaps = "zero"
sql = """SELECT v.shop, v.day, CAST(sum(v.spent) AS DOUBLE) AS units FROM visits v JOIN crm c ON v.customer = c.customer GROUP BY 1, 2"""

[data.tables]
visits = "visits.csv"
crm = { url = "sqlite:crm.db", table = "crm", key = ["customer"] }
desk = "desk.jsonl"

[forecast]
horizon = 7
models = ["naive", "seasonal_naive"]

[gates]
beats = ["naive"]

[checks]
max_quarantine_share = 0.2

[privacy]
key_file = "privacy.key"
subject = ["customer"]

[privacy.personal]
customer = "hash"
mail = "mask"
name = "drop"
"#;

const FEATURES: &str = "entities: [{name: customer}]
views:
  - name: visits_of
    entities: [customer]
    source: {file: visits.csv}
    time: day
    fields:
      - {name: latest, column: shop}
      - {name: mail_of, column: MAIL}
";

fn visits() -> String {
    // A header in another case, and one that is there twice.
    let mut text = "day,shop,customer,MAIL,name,name,spent\n".to_owned();
    for day in 0..120_i64 {
        let date = jiff::civil::date(2025, 1, 1) + jiff::Span::new().days(day);
        for customer in 0..6 {
            let (id, mail) = if customer == 3 { (ID.to_owned(), MAIL) } else { (format!("KUNDE-{customer}"), "c@example.org") };
            text.push_str(&format!("{date},s{},{id},{mail},{NAME},{NAME},{}\n", customer % 2, customer + day * day % 13));
        }
    }
    // A row that is too long, and one whose number is none.
    text.push_str(&format!("2025-05-01,s1,{ID},{MAIL},{NAME},{NAME},1,{MAIL}\n"));
    text.push_str(&format!("2025-05-01,s1,{ID},{MAIL},{NAME},{NAME},a few\n"));
    text
}

fn shop() -> Workplace {
    let place = Workplace::new();
    let write = |name: &str, text: &str| {
        std::fs::create_dir_all(place.path("shop")).expect("made");
        std::fs::write(place.path(&format!("shop/{name}")), text).expect("written");
    };
    write("almanac.toml", SETTINGS);
    write("features.yaml", FEATURES);
    write("visits.csv", &visits());
    write("desk.jsonl", &format!("{{\"n\": 1, \"who\": {{\"Mail\": \"{MAIL}\"}}, \"notes\": [{{\"name\": \"{NAME}\"}}]}}\n{{\"n\": 2}}\n"));
    let connection = rusqlite::Connection::open(place.path("shop/crm.db")).expect("opened");
    connection.execute_batch("CREATE TABLE crm (customer TEXT, mail TEXT, name TEXT, born DATE)").expect("made");
    for customer in 0..6 {
        let (id, mail) = if customer == 3 { (ID.to_owned(), MAIL) } else { (format!("KUNDE-{customer}"), "c@example.org") };
        connection.execute("INSERT INTO crm VALUES (?1, ?2, ?3, '1980-01-02')", [id.as_str(), mail, NAME]).expect("filled");
    }
    place
}

/// What the program says must hold no marker.
#[track_caller]
fn run(place: &Workplace, line: &str, codes: &[i32]) -> String {
    let answer = place.almanac_with(&[("ALMANAC_LOG", "trace")], &format!("-C shop {line}"));
    assert!(
        codes.contains(&answer.code.unwrap_or(-1)),
        "`{line}`: {}\n{}",
        answer.to_text().chars().take(6000).collect::<String>(),
        answer.code.unwrap_or(-1)
    );
    let said = format!("{}{}", answer.stdout, answer.stderr);
    for marker in MARKERS {
        let at = said.find(marker).map(|at| said[..at].chars().rev().take(300).collect::<String>().chars().rev().collect::<String>());
        assert_eq!(at, None, "`{line}` says `{marker}`");
    }
    answer.stdout
}

/// Files of the project that hold a marker, as they are or decoded. The search of an erasure decodes them; it is given a key of its own,
/// so that hashes, which may be there, are not what it finds.
fn found(place: &Workplace) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for (path, bytes) in files_below(&place.path("shop")) {
        if MARKERS.iter().any(|marker| bytes.windows(marker.len()).any(|window| window == marker.as_bytes())) {
            found.insert(path);
        }
    }
    std::fs::write(place.path("shop/almanac.toml"), SETTINGS.replace("privacy.key", "other.key")).expect("written");
    if !place.path("shop/other.key").exists() {
        assert_eq!(place.almanac("-C shop privacy key new --out other.key").code, Some(0));
    }
    for marker in [ID, MAIL] {
        let column = if marker == ID { "customer" } else { "mail" };
        let plan = place.almanac(&format!("-C shop erase --subject {marker} --column {column} --dry-run --format json"));
        let plan: serde_json::Value = serde_json::from_str(&plan.stdout).unwrap_or_else(|_| panic!("{}", plan.stderr));
        let holders = plan["found"].as_array().expect("a list").iter().filter(|file| file["rows"] != 0 || file["mentions"] != 0);
        found.extend(holders.map(|file| place.path("shop").join(file["path"].as_str().expect("a path"))));
        assert!(plan["missed"].as_array().is_none_or(Vec::is_empty), "{plan}");
    }
    std::fs::write(place.path("shop/almanac.toml"), SETTINGS).expect("written");
    found
}

#[test]
fn what_is_personal_stays_in_the_users_own_files() {
    let place = shop();
    let own: BTreeSet<PathBuf> = ["visits.csv", "desk.jsonl", "crm.db"].map(|name| place.path("shop").join(name)).into();
    run(&place, "privacy key new", &[0]);
    run(&place, "doctor", &[0, 1, 2, 3, 4, 5]);
    run(&place, "-vv run", &[0]);
    let landed = place.path("shop/.almanac/landing/crm");
    assert!(landed.join("manifest.json").is_file());
    assert_eq!(found(&place), own, "after a run");

    run(&place, "-vv check --suggest --write", &[0, 5]);
    run(&place, "-vv check", &[0, 5]);
    run(&place, "profile visits.csv", &[0]);
    run(&place, "profile visits.csv --format json", &[0]);
    run(&place, "data diff --tables visits.csv visits.csv", &[0, 1]);
    run(&place, "features materialise", &[0]);
    std::fs::write(place.path("shop/entities.csv"), "customer,event_timestamp\nKUNDE-1,2025-04-01\nKUNDE-2,2025-03-01\n").expect("written");
    let trained = run(&place, "features get --entities entities.csv --features visits_of --out -", &[0]);
    assert!(trained.lines().count() == 3 && !trained.contains("KUNDE-1"), "keys are hashed as in the view: {trained}");
    let found_all = trained.lines().skip(1).all(|line| line.contains("s1") || line.contains("s0"));
    assert!(found_all && trained.contains("x@xxxxxxx.xxx"), "and so they are found: {trained}");
    let online = run(&place, "features online customer=KUNDE-1 --features visits_of", &[0]);
    assert!(online.contains("s1") && online.contains("x@xxxxxxx.xxx"), "online as offline: {online}");
    run(&place, "forecast --out -", &[0]);
    run(&place, "status", &[0]);
    std::fs::write(place.path("shop/visits.csv"), format!("{}2025-05-01,s1,{ID},{MAIL},{NAME},{NAME},7\n", visits())).expect("written");
    run(&place, "-vv run", &[0, 5, 6]);
    run(&place, "data diff --tables", &[0]);
    {
        let server = Server::of(&place);
        for page in ["/", "/data", "/checks", "/features", "/models", "/api/v1/project", "/api/v1/forecasts", "/metrics", "/openapi.json"] {
            let (_, body) = server.ask("GET", page, "");
            let text = String::from_utf8_lossy(&body).into_owned();
            assert!(MARKERS.iter().all(|marker| !text.contains(marker)), "{page}: {text}");
        }
    }
    assert_eq!(found(&place), own, "after everything");
}

#[test]
fn a_policy_that_becomes_stricter_hides_what_landed_and_one_that_becomes_looser_asks_for_a_load() {
    let place = shop();
    let milder = SETTINGS.replace("mail = \"mask\"\n", "").replace("name = \"drop\"\n", "");
    std::fs::write(place.path("shop/almanac.toml"), &milder).expect("written");
    assert_eq!(place.almanac("-C shop privacy key new").code, Some(0));
    let first = place.almanac("-C shop run --only silver");
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    std::fs::write(place.path("shop/almanac.toml"), SETTINGS).expect("written");
    // The source is away: what landed is what there is.
    std::fs::rename(place.path("shop/crm.db"), place.path("crm.db")).expect("moved");
    run(&place, "run --only silver --offline", &[0]);
    std::fs::rename(place.path("crm.db"), place.path("shop/crm.db")).expect("moved back");
    let own: BTreeSet<PathBuf> = ["visits.csv", "desk.jsonl", "crm.db"].map(|name| place.path("shop").join(name)).into();
    assert_eq!(found(&place), own);

    std::fs::write(place.path("shop/almanac.toml"), &milder).expect("written");
    let looser = place.almanac("-C shop run --only silver");
    assert_eq!(looser.code, Some(4), "{}", looser.stderr);
    assert!(looser.stderr.contains("`mail`, `name` of table `crm` landed hidden"), "{}", looser.stderr);
    assert!(looser.stderr.contains("almanac run --reload crm"), "{}", looser.stderr);
    let reloaded = place.almanac("-C shop run --only silver --reload crm");
    assert_eq!(reloaded.code, Some(0), "{}", reloaded.stderr);
}
