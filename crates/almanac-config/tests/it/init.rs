//! What `init` writes is read back as what it found.

use almanac_config::{InitAnswers, InitReason, InitTable, ValueType, write_project};
use expect_test::expect;

use crate::read;

fn reason(key: &str, value: &str, why: &str) -> InitReason {
    InitReason { key: key.into(), value: value.into(), why: why.into() }
}

fn answers() -> InitAnswers {
    InitAnswers {
        tables: vec![
            InitTable { name: "sales".into(), patterns: vec!["raw/sales*.csv".into()] },
            InitTable { name: "items".into(), patterns: vec!["raw/items.csv".into()] },
        ],
        sql: Some("SELECT *\nFROM sales\nLEFT JOIN items USING (item)".into()),
        id: vec!["store".into(), "item".into()],
        time: "date".into(),
        target: "units \"net\"".into(),
        freq: Some("D".into()),
        hierarchy: vec!["category/item".into()],
        static_columns: vec!["category".into()],
        future: vec!["price".into()],
        price: Some("price".into()),
        delimiter: Some('\t'),
        types: vec![("store nr.".into(), "string".into())],
        horizon: Some(14),
        reasons: vec![reason("freq", "D", "all 400 steps are one day"), reason("data.id", "store, item", "unique with `date`")],
        questions: vec!["is `price` known ahead?".into()],
        ..InitAnswers::default()
    }
}

#[test]
fn what_is_written_is_read_back() {
    let settings = read(&write_project(&answers())).expect("valid");
    assert_eq!(settings.data.tables.len(), 2);
    assert_eq!(settings.data.sql.as_deref().map(str::trim), answers().sql.as_deref());
    assert_eq!(settings.data.id, ["store", "item"]);
    assert_eq!(settings.data.target, "units \"net\"");
    assert_eq!(settings.data.freq, Some(almanac_series::Freq::Day));
    assert_eq!(settings.data.csv.delimiter, Some('\t'));
    assert_eq!(settings.data.types["store nr."], ValueType::String);
    assert_eq!(settings.forecast.horizon.map(almanac_series::Horizon::steps), Some(14));
}

#[test]
fn a_single_file_is_a_source_and_everything_else_a_commented_default() {
    let simple = InitAnswers {
        tables: vec![InitTable { name: "sales".into(), patterns: vec!["sales.csv".into()] }],
        time: "ds".into(),
        target: "y".into(),
        questions: Vec::new(),
        ..InitAnswers::default()
    };
    let text = write_project(&simple);
    let live: Vec<&str> = text.lines().filter(|line| !line.starts_with('#') && !line.starts_with('[') && !line.is_empty()).collect();
    assert_eq!(live, ["source = \"sales.csv\"", "id = []", "time = \"ds\"", "target = \"y\""]);
    assert_eq!(read(&text).expect("valid").data.tables[0].name, "data");
}

#[test]
fn reasons_stand_beside_their_keys_and_questions_at_the_top() {
    let text = write_project(&answers());
    let shown: Vec<&str> = text.lines().take_while(|line| !line.starts_with("hierarchy")).collect();
    expect![[r##"
        # Written by `almanac init`. A key behind `#` shows its default or an example.
        # PLEASE CHECK: is `price` known ahead?

        [data]
        # required (or [data.tables]): a file, a folder, a glob, or a list of them. Or a source outside, as below.
        # Read are CSV, JSON lines, JSON, spreadsheets (xlsx, xlsm, xlsb, xls, ods) and Parquet; text also packed with gzip or zstd, and the members
        # of a zip archive. Behind `!/` stands what is wanted of a file: "book.xlsx!/Sales" a sheet (`!/*` all), "year.zip!/2024-*.csv" members,
        # "answer.json!/data/items" the rows at that JSON pointer.
        #source = "sales.csv"
        # Fetch nothing from sources outside, use what has landed; `almanac run --offline` does so once.
        #offline = false
        # Loads of a source outside of which nothing is left in its table go, but for so many of the newest. Without it all are kept. Versions of
        # rows with a `key` are always kept; small increments are put together either way.
        #keep_loads = 30
        # A SELECT over the tables (DataFusion SQL) that yields the long table. One `source` alone is the table `data`.
        sql = '''
        SELECT *
        FROM sales
        LEFT JOIN items USING (item)
        '''
        # Known-ahead columns beyond the last day of history: a file, or a SELECT over the tables.
        #future_source = "promo_plan.csv"
        #future_sql = "SELECT * FROM calendar"
        # required: the columns that together name a series; [] for a single series.
        #   because unique with `date`
        id = ["store", "item"]
        # required: the column of the timestamp.
        time = "date"
        # required: the column to forecast.
        target = 'units "net"'
        # Spacing of the rows as a pandas alias (D, W-SUN, MS, h, 30min, 1 for plain integers), or "auto".
        #   because all 400 steps are one day
        freq = "D"
        # Time zone of the timestamps; without it they are naive civil time.
        #timezone = "Europe/Berlin"
        # Paths of columns from the top down; every prefix is a level. Columns are id or static ones."##]]
    .assert_eq(&shown.join("\n"));
}

#[test]
fn a_table_that_only_the_rows_ahead_name_keeps_its_name() {
    let ahead = InitAnswers {
        tables: vec![InitTable { name: "sales".into(), patterns: vec!["sales.csv".into()] }],
        future_sql: Some("SELECT * FROM sales".into()),
        time: "ds".into(),
        target: "y".into(),
        ..InitAnswers::default()
    };
    assert_eq!(read(&write_project(&ahead)).expect("valid").data.tables[0].name, "sales");
}

#[test]
fn a_reason_is_written_once_with_the_columns_it_is_for() {
    let several = InitAnswers {
        time: "ds".into(),
        target: "y".into(),
        tables: vec![InitTable { name: "sales".into(), patterns: vec!["sales.csv".into()] }],
        historic: vec!["rain".into(), "oil".into(), "visits".into()],
        reasons: vec![
            reason("historic", "rain", "it is not known ahead"),
            reason("historic", "oil", "it is not known ahead"),
            reason("historic", "visits", "nothing says that it is known ahead"),
        ],
        unused: vec![reason("unused", "__index_level_0__", "it only numbers the rows")],
        ..InitAnswers::default()
    };
    let text = write_project(&several);
    let said: Vec<&str> = text.lines().filter(|line| line.contains("because")).collect();
    expect![[r##"
        # Not used, because it only numbers the rows: `__index_level_0__`
        #   because it is not known ahead: `rain`, `oil`
        #   because nothing says that it is known ahead: `visits`"##]]
    .assert_eq(&said.join("\n"));
}

#[test]
fn a_short_history_gets_fewer_folds_and_a_gate_to_match() {
    let short = InitAnswers {
        tables: vec![InitTable { name: "sales".into(), patterns: vec!["sales.csv".into()] }],
        time: "ds".into(),
        target: "y".into(),
        folds: Some(1),
        min_folds: Some(1),
        ..InitAnswers::default()
    };
    let settings = read(&write_project(&short)).expect("valid");
    assert_eq!((settings.forecast.folds, settings.gates.min_folds), (1, 1));
}

#[test]
fn what_looks_personal_is_dropped_and_the_reason_stands_above() {
    let answers = InitAnswers {
        tables: vec![InitTable { name: "sales".into(), patterns: vec!["sales.csv".into()] }],
        time: "ds".into(),
        target: "y".into(),
        personal: vec!["sales.email".into()],
        reasons: vec![reason("privacy.personal.sales.email", "sales.email", "its values are e-mail addresses")],
        ..InitAnswers::default()
    };
    let text = write_project(&answers);
    let said: Vec<&str> = text.lines().skip_while(|line| *line != "[privacy.personal]").take_while(|line| !line.is_empty()).collect();
    expect![[r#"
        [privacy.personal]
        # What becomes of a column before anything of it is written or said, as "column" in every table or "table.column": hash (keyed; the
        # same value has the same hash in every table, so that joins work), mask (the shape only), drop (the column is not there). The case of a
        # header, blanks around it and the number of a repeated one do not count. What comes from outside is hidden before it lands; there
        # another key, or a policy that shows more, needs `almanac run --reload TABLE`.
        #   because its values are e-mail addresses
        "sales.email" = "drop""#]]
    .assert_eq(&said.join("\n"));
    assert_eq!(read(&text).expect("valid").privacy.personal.len(), 1);
}
