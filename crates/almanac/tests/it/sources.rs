//! The same retail set from each kind of source gives the same silver table; and what a user sees when a source fails.
//!
//! PostgreSQL and MariaDB run under `.ci/with-services`; S3 is moto's server, from the virtual environment of the
//! program that `ALMANAC_TEST_DVC` names.

pub(crate) mod service;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use service::Service;

use crate::program::{Workplace, files_below};

/// Sales of some shops with all that sources differ in: nulls, umlauts and emoji, decimals, dates, truth values, missing days.
struct Row {
    shop: &'static str,
    day: String,
    units: Option<f64>,
    price: String,
    promo: bool,
    note: Option<&'static str>,
}

fn retail() -> Vec<Row> {
    let mut rows = Vec::new();
    for (number, shop) in ["Zürich", "Łódź", "東京 🛒", "O'Hare \"T2\"", "a,b; c"].into_iter().enumerate() {
        for day in 0..90_usize {
            if (day + number) % 17 == 5 {
                continue;
            }
            let date = jiff::civil::date(2024, 1, 15).saturating_add(jiff::Span::new().days(day as i64));
            let units = ((day * 7 + number * 13) % 40) as f64 + [0.0, 0.25, 0.5][day % 3];
            rows.push(Row {
                shop,
                day: date.to_string(),
                units: (day % 29 != 3).then_some(units),
                price: format!("{}.{:02}", 1 + number, (day * 3) % 100),
                promo: day % 6 == 0,
                note: [None, Some("x"), Some("naïve")][day % 3],
            });
        }
    }
    rows
}

/// Name, value of `source`, environment.
type Source<'a> = (&'a str, String, Vec<(&'a str, &'a str)>);

const SETTINGS: &str = r#"id = ["shop"]
time = "day"
target = "units"
freq = "D"
historic = ["price"]
future = ["promo"]
gaps = "zero"

[forecast]
horizon = 7
"#;

fn csv(rows: &[Row]) -> String {
    let mut text = "shop,day,units,price,promo,note\n".to_owned();
    for row in rows {
        let units = row.units.map_or(String::new(), |units| units.to_string());
        let shop = row.shop.replace('"', "\"\"");
        let _ = writeln!(text, "\"{shop}\",{},{units},{},{},{}", row.day, row.price, row.promo, row.note.unwrap_or_default());
    }
    text
}

fn json(rows: &[Row]) -> Vec<String> {
    let row = |row: &Row| {
        let price: f64 = row.price.parse().expect("a number");
        serde_json::json!({"shop": row.shop, "day": row.day, "units": row.units, "price": price, "promo": row.promo, "note": row.note})
            .to_string()
    };
    rows.iter().map(row).collect()
}

fn sql(rows: &[Row], create: &str, escape_backslash: bool) -> String {
    let quote = |text: &str| {
        let text = if escape_backslash { text.replace('\\', "\\\\") } else { text.to_owned() };
        format!("'{}'", text.replace('\'', "''"))
    };
    let values: Vec<String> = rows
        .iter()
        .map(|row| {
            let units = row.units.map_or("NULL".to_owned(), |units| units.to_string());
            let note = row.note.map_or("NULL".to_owned(), quote);
            format!("({}, '{}', {units}, {}, {}, {note})", quote(row.shop), row.day, row.price, row.promo)
        })
        .collect();
    format!("{create};\nINSERT INTO sales VALUES {};\n", values.join(",\n"))
}

/// The panel that a source gives: every file of silver that holds rows, and how many of them there are.
fn silver(place: &Workplace, name: &str, source: &str, variables: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
    let folder = place.path(name);
    fs::create_dir_all(&folder).expect("made");
    fs::write(folder.join("almanac.toml"), format!("[data]\nsource = {source}\n{SETTINGS}")).expect("written");
    let answer = place.almanac_with(variables, &format!("-C {name} run --only silver"));
    assert_eq!(answer.code, Some(0), "{name}: {}", answer.stderr);
    assert!(!answer.stderr.contains("hunter22") && !answer.stdout.contains("hunter22"), "{name}");
    let silver = folder.join(".almanac/lake/silver");
    let relative = |path: &Path| path.strip_prefix(&silver).expect("below").display().to_string();
    files_below(&silver)
        .into_iter()
        .filter(|(path, _)| path.extension().is_some_and(|end| end == "parquet"))
        .map(|(path, bytes)| (relative(&path), bytes))
        .collect()
}

fn run_sql(program: &str, args: &[&str], text: &str) {
    let mut child = Command::new(program).args(args).stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("it is installed");
    std::io::Write::write_all(child.stdin.as_mut().expect("piped"), text.as_bytes()).expect("taken");
    drop(child.stdin.take());
    assert!(child.wait().expect("ends").success(), "{program}");
}

fn server(variable: &str) -> Option<String> {
    let found = std::env::var(variable).ok().filter(|url| !url.is_empty());
    if found.is_none() {
        println!("skipped: `{variable}` names no server");
    }
    found
}

#[test]
fn the_same_retail_set_gives_the_same_silver_table_from_every_source() {
    let (place, rows) = (Workplace::new(), retail());
    let text = csv(&rows);
    fs::write(place.path("sales.csv"), &text).expect("written");
    let path = |name: &str| format!("\"{}\"", place.path(name).display());
    let expected = silver(&place, "csv", &path("sales.csv"), &[]);
    assert!(!expected.is_empty());
    let mut sources: Vec<Source<'_>> = Vec::new();

    fs::write(place.path("sales.jsonl"), json(&rows).join("\n")).expect("written");
    sources.push(("json", path("sales.jsonl"), Vec::new()));

    let connection = rusqlite::Connection::open(place.path("shop.db")).expect("opened");
    let create = "CREATE TABLE sales (shop TEXT, day DATE, units REAL, price DECIMAL(8, 2), promo BOOLEAN, note TEXT)";
    connection.execute_batch(&sql(&rows, create, false)).expect("filled");
    let url = format!("sqlite:{}", place.path("shop.db").display());
    sources.push(("sqlite", format!("{{ url = \"{url}\", table = \"sales\" }}"), Vec::new()));
    sources.push((
        "sqlite_versions",
        format!("{{ url = \"{url}\", query = \"SELECT * FROM sales\", key = [\"shop\", \"day\"] }}"),
        Vec::new(),
    ));

    // Parquet: what landed from SQLite, read as a file.
    let landed = silver(&place, "sqlite", &sources[1].1, &[]);
    assert_eq!(landed, expected, "sqlite");
    fs::copy(place.path("sqlite/.almanac/landing/data/load-000001.parquet"), place.path("sales.parquet")).expect("landed");
    sources.push(("parquet", path("sales.parquet"), Vec::new()));

    let service = Service::start(json(&rows), text.into_bytes());
    let home = &service.url;
    let rest =
        format!("{{ url = \"{home}/sales\", rows = \"/data/items\", paging = \"offset\", limit = 100, auth = \"Bearer ${{env:TOKEN}}\" }}");
    sources.push(("rest", rest, vec![("TOKEN", "hunter22")]));
    sources.push(("https_file", format!("\"{home}/sales.csv\""), Vec::new()));

    let postgres = server("ALMANAC_TEST_POSTGRES");
    if let Some(url) = &postgres {
        let create = "CREATE SCHEMA IF NOT EXISTS retail; SET search_path TO retail; DROP TABLE IF EXISTS sales;
                      CREATE TABLE sales (shop text, day date, units numeric(8, 2), price numeric(8, 2), promo boolean, note varchar(9))";
        run_sql("psql", &["-q", "-v", "ON_ERROR_STOP=1", url], &sql(&rows, create, false));
        sources.push(("postgres", format!("{{ url = \"{url}\", table = \"retail.sales\" }}"), Vec::new()));
    }
    let mariadb = server("ALMANAC_TEST_MARIADB");
    if let Some(url) = &mariadb {
        let create = "DROP TABLE IF EXISTS sales; CREATE TABLE sales (shop varchar(40), day date, units decimal(8, 2), price decimal(8, 2),
                      promo boolean, note text) CHARACTER SET utf8mb4";
        let host = url.split('@').nth(1).and_then(|rest| rest.split('/').next()).expect("a host");
        let (host, port) = host.split_once(':').expect("a port");
        let (host, port) = (format!("-h{host}"), format!("-P{port}"));
        let args = [host.as_str(), port.as_str(), "-ualmanac", "--default-character-set=utf8mb4", "almanac"];
        run_sql("mariadb", &args, &sql(&rows, create, true));
        sources.push(("mariadb", format!("{{ url = \"{url}\", table = \"sales\" }}"), Vec::new()));
    }
    let s3 = service::s3();
    if let Some(s3) = &s3 {
        s3.put("/retail", b"");
        s3.put("/retail/in/sales-1.csv", csv(&rows[..200]).as_bytes());
        s3.put("/retail/in/sales-2.csv", csv(&rows[200..]).as_bytes());
        let keys = [("AWS_ACCESS_KEY_ID", "testing"), ("AWS_SECRET_ACCESS_KEY", "hunter22"), ("AWS_REGION", "us-east-1")];
        sources.push(("s3", format!("{{ url = \"s3://retail/in/*.csv\", endpoint = \"{}\", path_style = true }}", s3.url), keys.to_vec()));
    }
    #[cfg(feature = "kafka")]
    let topic = almanac_kafka::testing::MockTopic::start("retail", 3, &json(&rows)).expect("a cluster");
    #[cfg(feature = "kafka")]
    sources.push(("kafka", format!("{{ url = \"{}\" }}", topic.url()), Vec::new()));
    for (name, source, variables) in &sources {
        assert_eq!(silver(&place, name, source, variables), expected, "{name}");
        for (file, bytes) in files_below(&place.path(name)) {
            assert!(!bytes.windows(8).any(|window| window == b"hunter22"), "a secret in `{}`", file.display());
        }
    }
    println!("the same from {}", sources.iter().map(|(name, ..)| *name).collect::<Vec<_>>().join(", "));
    assert!(service.failures() > 2, "the service failed now and then");
}

#[test]
fn a_source_is_fetched_once_and_used_offline() {
    let place = Workplace::new();
    let service = Service::start(json(&retail()), Vec::new());
    let source = format!("{{ url = \"{}/sales\", rows = \"/data/items\", paging = \"offset\" }}", service.url);
    silver(&place, "shop", &source, &[]);
    let again = place.almanac("-C shop run --only silver");
    assert!(again.stderr.contains("nothing to do"), "{}", again.stderr);
    let doctor = place.almanac("-C shop doctor");
    assert!(doctor.stdout.contains("/sales answers"), "{}", doctor.stdout);
    drop(service);
    let gone = place.almanac("-C shop run --only silver --offline");
    assert_eq!(gone.code, Some(0), "{}", gone.stderr);
    let settings = fs::read_to_string(place.path("shop/almanac.toml")).expect("there");
    fs::write(place.path("shop/almanac.toml"), settings.replace("paging = \"offset\"", "paging = \"offset\", retries = 0"))
        .expect("written");
    let gone = place.almanac("-C shop run --only silver");
    assert_eq!(gone.code, Some(4), "{}", gone.stderr);
    assert!(gone.stderr.contains("cannot be reached") && gone.stderr.contains("--offline"), "{}", gone.stderr);
    let doctor = place.almanac("-C shop doctor");
    assert_eq!(doctor.code, Some(4), "{}", doctor.stdout);
}

#[test]
fn a_run_that_is_killed_while_it_fetches_leaves_nothing_and_the_next_one_is_whole() {
    let place = Workplace::new();
    let rows = retail();
    fs::write(place.path("sales.csv"), csv(&rows)).expect("written");
    let expected = silver(&place, "csv", &format!("\"{}\"", place.path("sales.csv").display()), &[]);
    let (service, came) = Service::start_silent_at(json(&rows), 7);
    let source = format!("{{ url = \"{}/sales\", rows = \"/data/items\", paging = \"offset\" }}", service.url);
    fs::create_dir_all(place.path("shop")).expect("made");
    fs::write(place.path("shop/almanac.toml"), format!("[data]\nsource = {source}\n{SETTINGS}")).expect("written");
    let mut run = Command::new(env!("CARGO_BIN_EXE_almanac"))
        .args(["run", "--only", "silver"])
        .current_dir(place.path("shop"))
        .stderr(Stdio::null())
        .spawn()
        .expect("started");
    came.recv().expect("the seventh page is asked for");
    run.kill().expect("killed");
    run.wait().expect("gone");
    let landing = place.path("shop/.almanac/landing/data");
    assert!(!landing.join("manifest.json").exists(), "nothing is committed");
    assert!(landing.join("load-000001.jsonl").exists(), "a half is there, which nobody reads");
    assert_eq!(silver(&place, "shop", &source, &[]), expected);
    assert_eq!(fs::read_dir(&landing).expect("there").count(), 2, "the manifest and one load");
}

#[test]
fn a_project_is_made_from_a_table_of_a_database() {
    let place = Workplace::new();
    let connection = rusqlite::Connection::open(place.path("shop.db")).expect("opened");
    let create = "CREATE TABLE sales (shop TEXT, day DATE, units REAL, price DECIMAL(8, 2), promo BOOLEAN, note TEXT)";
    connection.execute_batch(&sql(&retail(), create, false)).expect("filled");
    let answer = place.almanac("init sqlite:shop.db --table sales --target units --yes");
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    let settings = fs::read_to_string(place.path("almanac.toml")).expect("written");
    assert!(settings.contains("\nsource = { url = \"sqlite:shop.db\", table = \"sales\" }"), "{settings}");
    let answer = place.almanac("run --only silver");
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    let refused = place.almanac("init postgresql://me:hunter22@db/shop --table sales --force");
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("${env:NAME}") && !refused.stderr.contains("hunter22"), "{}", refused.stderr);
}

#[test]
fn a_row_that_is_corrected_gives_a_new_panel_and_keeps_its_history() {
    let place = Workplace::new();
    let connection = rusqlite::Connection::open(place.path("shop.db")).expect("opened");
    connection.execute_batch("CREATE TABLE sales (id INTEGER PRIMARY KEY, day DATE, units REAL, changed INTEGER)").expect("made");
    for day in 1..=60 {
        let date = jiff::civil::date(2024, 1, 1).saturating_add(jiff::Span::new().days(i64::from(day))).to_string();
        connection.execute("INSERT INTO sales VALUES (?1, ?2, ?3, 0)", rusqlite::params![day, date, f64::from(day % 7)]).expect("filled");
    }
    fs::create_dir_all(place.path("shop")).expect("made");
    let settings = format!(
        "[data]\nid = []\ntime = \"day\"\ntarget = \"units\"\nfreq = \"D\"\nsql = \"SELECT day, units FROM sales\"\n\n[data.tables]\n\
         sales = {{ url = \"sqlite:{}\", table = \"sales\", watermark = \"changed\", key = [\"id\"] }}\n\n[forecast]\nhorizon = 7\n",
        place.path("shop.db").display()
    );
    fs::write(place.path("shop/almanac.toml"), &settings).expect("written");
    let run = |line: &str| {
        let answer = place.almanac(line);
        assert_eq!(answer.code, Some(0), "{}", answer.stderr);
        let json: serde_json::Value = serde_json::from_str(&answer.stdout).expect("JSON");
        json
    };
    let rows = |summary: &serde_json::Value, table: &str| {
        let tables = summary["tables"].as_array().expect("a list");
        tables.iter().find(|found| found["table"] == table).map(|found| found["rows"].clone())
    };
    let first = run("-C shop run --only silver --format json");
    assert_eq!((rows(&first, "sales"), rows(&first, "sales__history")), (Some(60.into()), Some(60.into())));
    connection.execute_batch("UPDATE sales SET units = 99, changed = 1 WHERE id = 7").expect("corrected");
    let second = run("-C shop run --only silver --format json");
    assert_eq!((rows(&second, "sales"), rows(&second, "sales__history")), (Some(60.into()), Some(61.into())));
    assert!(second["made"].as_u64() > Some(0));
    assert_eq!(run("-C shop run --only silver --format json")["made"], 0);
    // What landed first is as it was, and the versions can be asked for.
    let asked = settings.replace("SELECT day, units FROM sales", "SELECT day, units FROM sales__history WHERE _load = 1");
    fs::write(place.path("shop/almanac.toml"), asked).expect("written");
    run("-C shop run --only silver --format json");
}
