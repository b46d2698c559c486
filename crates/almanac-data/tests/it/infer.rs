//! Inference for `almanac init`, on small tables and on the shared data.

#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use std::fmt::Write;
use std::path::{Path, PathBuf};

use almanac_data::{Answers, Inference, infer_project};
use expect_test::{Expect, expect};

/// The shared data, or `None` (with a word about it) where it is not there.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is not there", path.display());
    None
}

fn summary(found: &Inference) -> String {
    let mut text = String::new();
    let tables: Vec<&str> = found.tables.iter().map(|table| table.name.as_str()).collect();
    let _ = writeln!(text, "tables {tables:?}");
    let _ = writeln!(
        text,
        "id {:?} time {} target {} freq {} series {} rows {}",
        found.id, found.time, found.target, found.freq, found.series, found.rows
    );
    let _ = writeln!(text, "static {:?}", found.static_columns);
    let _ = writeln!(text, "historic {:?}", found.historic);
    let _ = writeln!(text, "future {:?}", found.future);
    let _ = writeln!(text, "in_stock {:?} price {:?}", found.in_stock, found.price);
    let _ = writeln!(text, "hierarchy {:?}", found.hierarchy);
    let _ = writeln!(text, "gaps {} duplicates {}", found.gaps, found.duplicates);
    for question in &found.questions {
        let _ = writeln!(text, "? {} {:?}: {} ({})", question.what, question.candidates, question.taken, question.flag);
    }
    if let Some(sql) = &found.sql {
        let _ = writeln!(text, "sql:\n{sql}");
    }
    if let Some(sql) = &found.future_sql {
        let _ = writeln!(text, "future:\n{sql}");
    }
    text
}

/// Infers and compares.
#[track_caller]
fn check(sources: &[PathBuf], expected: Expect) {
    let found = infer_project(sources, &Answers::default()).expect("inferred");
    expected.assert_eq(&summary(&found));
}

macro_rules! on_shared {
    ($name:ident, [$($path:expr),+], $expected:expr) => {
        #[test]
        fn $name() {
            let paths: Option<Vec<PathBuf>> = [$($path),+].into_iter().map(shared).collect();
            if let Some(paths) = paths {
                check(&paths, $expected);
            }
        }
    };
}

on_shared!(
    walmart_is_three_files_and_a_test_file,
    ["walmart_raw"],
    expect![[r#"
    tables ["train", "features", "stores", "test"]
    id ["Store", "Dept"] time Date target Weekly_Sales freq W-FRI series 3331 rows 421570
    static ["Type", "Size"]
    historic ["Temperature", "Fuel_Price", "CPI", "Unemployment"]
    future ["IsHoliday", "MarkDown1", "MarkDown2", "MarkDown3", "MarkDown4", "MarkDown5"]
    in_stock None price None
    hierarchy ["Dept", "Type/Dept", "Type/Store/Dept"]
    gaps missing duplicates error
    sql:
    SELECT
      train.Store, train.Dept, train.Date, train.Weekly_Sales, train.IsHoliday, features.Temperature,
      features.Fuel_Price, features.MarkDown1, features.MarkDown2, features.MarkDown3, features.MarkDown4,
      features.MarkDown5, features.CPI, features.Unemployment, stores.Type, stores.Size
    FROM train
    LEFT JOIN features ON features.Store = train.Store AND features.Date = train.Date
    LEFT JOIN stores ON stores.Store = train.Store
    future:
    SELECT
      test.Store, test.Dept, test.Date, test.IsHoliday, features.MarkDown1, features.MarkDown2, features.MarkDown3,
      features.MarkDown4, features.MarkDown5
    FROM test
    LEFT JOIN features ON features.Store = test.Store AND features.Date = test.Date
"#]]
);
on_shared!(
    rossmann_has_stores_and_known_days_ahead,
    ["rossmann"],
    expect![[r#"
    tables ["train", "future_exog", "stores"]
    id ["unique_id"] time ds target y freq D series 1115 rows 804056
    static ["store_type", "assortment", "competition_distance", "competition_open_since_month", "competition_open_since_year", "promo2", "promo2_since_week", "promo2_since_year", "promo_interval"]
    historic ["customers"]
    future ["promo", "state_holiday", "school_holiday"]
    in_stock None price None
    hierarchy ["store_type/unique_id", "assortment/unique_id"]
    gaps closed duplicates error
    sql:
    SELECT
      train.unique_id, train.ds, train.y, train.customers, train.promo, train.state_holiday, train.school_holiday,
      stores.store_type, stores.assortment, stores.competition_distance, stores.competition_open_since_month,
      stores.competition_open_since_year, stores.promo2, stores.promo2_since_week, stores.promo2_since_year,
      stores.promo_interval
    FROM train
    LEFT JOIN stores ON stores.unique_id = train.unique_id
    future:
    SELECT
      future_exog.unique_id, future_exog.ds, future_exog.promo, future_exog.state_holiday,
      future_exog.school_holiday
    FROM future_exog
"#]]
);
on_shared!(
    m5_has_a_calendar,
    ["m5/store_dept_daily_train.parquet", "m5/calendar.parquet"],
    expect![[r#"
    tables ["store_dept_daily_train", "calendar"]
    id ["unique_id"] time ds target y freq D series 70 rows 130900
    static ["state_id", "store_id", "cat_id", "dept_id"]
    historic []
    future ["event_name_1", "event_type_1", "event_name_2", "event_type_2", "snap"]
    in_stock None price None
    hierarchy ["cat_id/dept_id", "state_id/cat_id/dept_id", "state_id/store_id/cat_id/dept_id"]
    gaps missing duplicates error
    sql:
    SELECT
      store_dept_daily_train.unique_id, store_dept_daily_train.ds, store_dept_daily_train.y,
      store_dept_daily_train.state_id, store_dept_daily_train.store_id, store_dept_daily_train.cat_id,
      store_dept_daily_train.dept_id, calendar.event_name_1, calendar.event_type_1, calendar.event_name_2,
      calendar.event_type_2,
      CASE store_dept_daily_train.state_id WHEN 'CA' THEN calendar.snap_CA WHEN 'TX' THEN calendar.snap_TX WHEN 'WI' THEN calendar.snap_WI END AS "snap"
    FROM store_dept_daily_train
    LEFT JOIN calendar ON calendar.ds = store_dept_daily_train.ds
    future:
    SELECT
      each_series.unique_id, calendar.ds, calendar.event_name_1, calendar.event_type_1, calendar.event_name_2,
      calendar.event_type_2,
      CASE each_series.state_id WHEN 'CA' THEN calendar.snap_CA WHEN 'TX' THEN calendar.snap_TX WHEN 'WI' THEN calendar.snap_WI END AS "snap"
    FROM (SELECT DISTINCT store_dept_daily_train.unique_id, store_dept_daily_train.state_id FROM store_dept_daily_train) AS each_series
    CROSS JOIN calendar
    WHERE calendar.ds > TIMESTAMP '2016-03-27'
"#]]
);
on_shared!(
    favorita_counts_its_holidays,
    ["favorita_store_transactions_raw"],
    expect![[r#"
    tables ["transactions", "holidays_events", "oil", "stores"]
    id ["store_nbr"] time date target transactions freq D series 54 rows 83488
    static ["city", "state", "type", "cluster"]
    historic ["dcoilwtico"]
    future ["holidays_events_count", "locale_local", "locale_regional", "locale_national", "transferred"]
    in_stock None price None
    hierarchy ["state/city/store_nbr", "cluster/store_nbr"]
    gaps closed duplicates error
    sql:
    SELECT
      transactions.store_nbr, transactions.date, transactions.transactions,
      COALESCE(holidays_events.holidays_events_count, 0) AS "holidays_events_count",
      COALESCE(holidays_events.locale_local, 0) AS "locale_local",
      COALESCE(holidays_events.locale_regional, 0) AS "locale_regional",
      COALESCE(holidays_events.locale_national, 0) AS "locale_national",
      COALESCE(holidays_events.transferred, 0) AS "transferred", oil.dcoilwtico, stores.city, stores.state,
      stores.type, stores.cluster
    FROM transactions
    LEFT JOIN (
      SELECT holidays_events.date, COUNT(*) AS holidays_events_count,
        SUM(CASE WHEN holidays_events.locale = 'Local' THEN 1 ELSE 0 END) AS locale_local,
        SUM(CASE WHEN holidays_events.locale = 'Regional' THEN 1 ELSE 0 END) AS locale_regional,
        SUM(CASE WHEN holidays_events.locale = 'National' THEN 1 ELSE 0 END) AS locale_national,
        SUM(CASE WHEN holidays_events.transferred THEN 1 ELSE 0 END) AS transferred
      FROM holidays_events GROUP BY holidays_events.date
    ) AS holidays_events ON holidays_events.date = transactions.date
    LEFT JOIN oil ON oil.date = transactions.date
    LEFT JOIN stores ON stores.store_nbr = transactions.store_nbr
    future:
    SELECT
      each_series.store_nbr, ahead.date,
      COALESCE(holidays_events.holidays_events_count, 0) AS "holidays_events_count",
      COALESCE(holidays_events.locale_local, 0) AS "locale_local",
      COALESCE(holidays_events.locale_regional, 0) AS "locale_regional",
      COALESCE(holidays_events.locale_national, 0) AS "locale_national",
      COALESCE(holidays_events.transferred, 0) AS "transferred"
    FROM (SELECT DISTINCT transactions.store_nbr FROM transactions) AS each_series
    CROSS JOIN (
      SELECT arrow_cast(value, 'Timestamp(Microsecond, None)') AS date
      FROM generate_series(TIMESTAMP '2017-08-16', TIMESTAMP '2017-12-26', INTERVAL '1 day')
    ) AS ahead
    LEFT JOIN (
      SELECT holidays_events.date, COUNT(*) AS holidays_events_count,
        SUM(CASE WHEN holidays_events.locale = 'Local' THEN 1 ELSE 0 END) AS locale_local,
        SUM(CASE WHEN holidays_events.locale = 'Regional' THEN 1 ELSE 0 END) AS locale_regional,
        SUM(CASE WHEN holidays_events.locale = 'National' THEN 1 ELSE 0 END) AS locale_national,
        SUM(CASE WHEN holidays_events.transferred THEN 1 ELSE 0 END) AS transferred
      FROM holidays_events GROUP BY holidays_events.date
    ) AS holidays_events ON holidays_events.date = ahead.date
"#]]
);
on_shared!(
    milk_is_monthly,
    ["odd_formats_raw/monthly-milk-incomplete.csv"],
    expect![[r#"
    tables ["monthly_milk_incomplete"]
    id [] time Month target Pounds per cow freq MS series 1 rows 155
    static []
    historic []
    future []
    in_stock None price None
    hierarchy []
    gaps missing duplicates error
"#]]
);
on_shared!(
    temperatures_are_daily,
    ["odd_formats_raw/temps.csv"],
    expect![[r#"
    tables ["temps"]
    id [] time Date target Daily minimum temperatures freq D series 1 rows 3650
    static []
    historic []
    future []
    in_stock None price None
    hierarchy []
    gaps missing duplicates error
"#]]
);
on_shared!(
    gasoline_is_weekly,
    ["odd_formats_raw/us_gasoline.csv"],
    expect![[r#"
    tables ["us_gasoline"]
    id [] time Week target Gasoline freq W-FRI series 1 rows 1578
    static []
    historic []
    future []
    in_stock None price None
    hierarchy []
    gaps missing duplicates error
"#]]
);
on_shared!(
    carparts_are_monthly,
    ["carparts"],
    expect![[r#"
    tables ["demand"]
    id ["unique_id"] time ds target y freq MS series 2674 rows 136374
    static []
    historic []
    future []
    in_stock None price None
    hierarchy []
    gaps missing duplicates error
"#]]
);
on_shared!(
    hospital_is_monthly,
    ["hospital"],
    expect![[r#"
    tables ["counts"]
    id ["unique_id"] time ds target y freq MS series 767 rows 64428
    static []
    historic []
    future []
    in_stock None price None
    hierarchy []
    gaps missing duplicates error
"#]]
);
on_shared!(
    aus_retail_is_crossed,
    ["aus_retail"],
    expect![[r#"
    tables ["turnover"]
    id ["unique_id"] time ds target y freq MS series 152 rows 64532
    static ["state", "industry"]
    historic []
    future []
    in_stock None price None
    hierarchy ["industry", "state/industry"]
    gaps missing duplicates error
"#]]
);
on_shared!(
    trips_nest_and_cross,
    ["fpp3_tourism"],
    expect![[r#"
    tables ["trips"]
    id ["unique_id"] time ds target y freq QS series 304 rows 24320
    static ["state", "region", "purpose"]
    historic []
    future []
    in_stock None price None
    hierarchy ["purpose", "state/purpose", "state/region/purpose"]
    gaps missing duplicates error
"#]]
);
on_shared!(
    m4_has_steps,
    ["m4/hourly_train.parquet"],
    expect![[r#"
    tables ["hourly_train"]
    id ["unique_id"] time ds target y freq 1 series 414 rows 353500
    static []
    historic []
    future []
    in_stock None price None
    hierarchy []
    gaps missing duplicates error
"#]]
);
on_shared!(
    classic_is_mixed,
    ["classic"],
    expect![[r#"
    tables ["series"]
    id ["unique_id"] time ds target y freq MS series 14 rows 44172
    static ["source"]
    historic []
    future []
    in_stock None price None
    hierarchy ["source/unique_id"]
    gaps missing duplicates error
    ? series are spaced differently; one project has one frequency ["MS (6 series)", "D (3 series)", "QS (2 series)", "5min (1 series)", "30min (1 series)", "W-FRI (1 series)"]: MS (--freq)
"#]]
);
on_shared!(
    bikes_are_hourly,
    ["bike_sharing"],
    expect![[r#"
    tables ["hourly"]
    id ["unique_id"] time ds target y freq h series 1 rows 17544
    static []
    historic ["weather", "temp", "atemp", "hum", "windspeed"]
    future ["holiday", "workingday"]
    in_stock None price None
    hierarchy []
    gaps missing duplicates error
"#]]
);

/// Writes small files and infers over their folder.
#[track_caller]
fn check_files(files: &[(&str, String)], expected: Expect) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).expect("writable");
    }
    let text = match infer_project(&[folder.path().to_owned()], &Answers::default()) {
        Ok(found) => summary(&found),
        Err(error) => format!("error: {error}\nhint: {}", almanac_series::Hint::hint(&error).unwrap_or_default()),
    };
    expected.assert_eq(&text.replace(&format!("{}/", folder.path().display()), ""));
}

fn days(count: usize) -> impl Iterator<Item = (usize, String)> {
    let freq = almanac_series::Freq::Day;
    (0..count).map(move |day| (day, freq.label(almanac_series::Period(20_089 + day as i64))))
}

#[test]
fn a_shop_with_yearly_files_items_and_prices() {
    let mut sales = "date,store,item,units,in_stock,price\n".to_owned();
    for (day, date) in days(60) {
        for (store, item) in [("s1", "a"), ("s1", "b"), ("s2", "a"), ("s2", "b")] {
            let units = (day * 7 + item.len()) % 5;
            if units > 0 {
                let _ = writeln!(sales, "{date},{store},{item},{units},{},{}.5", usize::from(day % 9 > 0), day % 3 + 1);
            }
        }
    }
    let later = sales.replace("2025-", "2026-");
    let files = [
        ("sales_2025.csv", sales),
        ("sales_2026.csv", later),
        ("stores.csv", "store,region\ns1,north\ns2,south\n".to_owned()),
        ("items.csv", "item,category\na,food\nb,drink\n".to_owned()),
        ("promotions.csv", "store,item,start_date,end_date\ns1,a,2024-01-03,2024-01-05\ns1,a,2024-01-13,2024-01-15\n".to_owned()),
    ];
    check_files(
        &files,
        expect![[r#"
        tables ["sales", "items", "stores"]
        id ["store", "item"] time date target units freq D series 4 rows 384
        static ["category", "region"]
        historic []
        future ["price"]
        in_stock Some("in_stock") price Some("price")
        hierarchy ["item", "store/item"]
        gaps closed duplicates error
        sql:
        SELECT
          sales.store, sales.item, sales.date, sales.units, sales.in_stock, sales.price, items.category, stores.region
        FROM sales
        LEFT JOIN items ON items.item = sales.item
        LEFT JOIN stores ON stores.store = sales.store
    "#]],
    );
}

#[test]
fn events_that_are_listed_only_where_there_are_some() {
    let mut sales = "day,shop,revenue\n".to_owned();
    for (day, date) in days(40) {
        for shop in ["x", "y"] {
            let _ = writeln!(sales, "{date},{shop},{}.25", day * 3 + shop.len());
        }
    }
    let files = [
        ("sales.csv", sales),
        ("holidays.csv", "date,name,closed\n2025-01-06,Epiphany,1\n2025-02-05,Sale,0\n2025-03-08,Women,0\n".to_owned()),
    ];
    check_files(
        &files,
        expect![[r#"
        tables ["sales", "holidays"]
        id ["shop"] time day target revenue freq D series 2 rows 80
        static []
        historic []
        future ["name", "closed"]
        in_stock None price None
        hierarchy []
        gaps missing duplicates error
        sql:
        SELECT
          sales.shop, sales.day, sales.revenue, holidays.name, COALESCE(holidays.closed, 0) AS "closed"
        FROM sales
        LEFT JOIN holidays ON holidays.date = sales.day
        future:
        SELECT
          each_series.shop, ahead.day, holidays.name, COALESCE(holidays.closed, 0) AS "closed"
        FROM (SELECT DISTINCT sales.shop FROM sales) AS each_series
        CROSS JOIN (
          SELECT arrow_cast(value, 'Timestamp(Microsecond, None)') AS day
          FROM generate_series(TIMESTAMP '2025-02-10', TIMESTAMP '2025-03-08', INTERVAL '1 day')
        ) AS ahead
        LEFT JOIN holidays ON holidays.date = ahead.day
    "#]],
    );
}

#[test]
fn what_cannot_be_told_is_asked() {
    let mut text = "order_date,ship_date,sku,units,revenue\n".to_owned();
    for (day, date) in days(30) {
        let (month, rest) = date[5..].split_once('-').expect("a date");
        let _ = writeln!(text, "{date},2025-{month}-{rest},k{},{day},{}.5", day % 2, day * 2);
        let _ = writeln!(text, "{date},2025-{month}-{rest},k{},{day},{}.5", day % 2 + 1, day * 2);
    }
    check_files(
        &[("orders.csv", text)],
        expect![[r#"
        tables ["t_orders"]
        id ["sku"] time order_date target units freq D series 3 rows 60
        static []
        historic ["revenue"]
        future []
        in_stock None price None
        hierarchy []
        gaps missing duplicates error
        ? which column is the time of a sale ["order_date", "ship_date"]: order_date (--time)
        ? which column is to be forecast ["units", "revenue"]: units (--target)
    "#]],
    );
}

#[test]
fn dates_in_two_orders_are_a_question() {
    let lines: Vec<String> = (1..=12).map(|n| format!("1/{n}/2024,{n}\n")).collect();
    let text = "date,y\n".to_owned() + &lines.concat();
    check_files(
        &[("a.csv", text)],
        expect![[r#"
        tables ["a"]
        id [] time date target y freq D series 1 rows 12
        static []
        historic []
        future []
        in_stock None price None
        hierarchy []
        gaps missing duplicates error
        ? dates of `date` fit two orders of day and month ["%m/%d/%Y", "%d/%m/%Y"]: %m/%d/%Y ([data.csv] date_format)
    "#]],
    );
}

#[test]
fn a_file_that_cannot_be_read_is_named_where_it_matters() {
    let good = "store,region\n1,north\n2,south\n".to_owned();
    check_files(
        &[("sales.csv", "date,store,units\n".to_owned()), ("stores.csv", good)],
        expect![[r#"
        error: `sales.csv` has a header but no row
        hint: export the file again, or take it out of the source"#]],
    );
}

#[test]
fn nothing_to_forecast_is_an_error() {
    check_files(
        &[("a.csv", "name,colour\na,b\nc,d\n".to_owned())],
        expect![[r#"
            error: no table has a time column and a number to forecast; columns seen: `a` (name: text, colour: text)
            hint: name them with `--time` and `--target`"#]],
    );
}

#[test]
fn answers_of_the_user_are_kept_or_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a.csv");
    std::fs::write(&path, "date,units,revenue\n2024-01-01,1,2\n2024-01-02,1,2\n2024-01-03,1,2\n").expect("writable");
    let infer = |answers: Answers| infer_project(std::slice::from_ref(&path), &answers);
    let named = infer(Answers { target: Some("revenue".into()), freq: Some("W-MON".into()), ..Answers::default() }).expect("inferred");
    assert_eq!((named.target.as_str(), named.freq.to_string().as_str()), ("revenue", "W-MON"));
    let error = infer(Answers { target: Some("revenu".into()), ..Answers::default() }).expect_err("no such column");
    assert_eq!(error.to_string(), "no table has the column `revenu` that `--target` names");
    assert_eq!(almanac_series::Hint::hint(&error).as_deref(), Some("did you mean `revenue`?"));
    let error = infer(Answers { freq: Some("fortnight".into()), ..Answers::default() }).expect_err("no such frequency");
    assert_eq!(error.to_string(), "frequency `fortnight` is not known");
}

/// Days from the first of January 2024, as text.
fn day(n: usize) -> String {
    let first = jiff::civil::date(2024, 1, 1);
    first.saturating_add(jiff::Span::new().days(n as i64)).to_string()
}

fn infer_text(text: &str, answers: &Answers) -> Result<Inference, almanac_data::InferProjectError> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("sales.csv");
    std::fs::write(&path, text).expect("writable");
    infer_project(std::slice::from_ref(&path), answers)
}

#[test]
fn an_index_that_pandas_wrote_has_no_part() {
    for name in ["", "Unnamed: 0", "__index_level_0__"] {
        let rows = (0..40).map(|n| format!("{},{},{}\n", n * 2 + 1, day(n), n % 7)).collect::<Vec<_>>().concat();
        let found = infer_text(&format!("{name},date,units\n{rows}"), &Answers::default()).expect("inferred");
        assert_eq!((found.id.len(), found.historic.len(), found.future.len(), found.sql.as_deref()), (0, 0, 0, None), "{name:?}");
        let said = found.reasons.iter().find(|reason| reason.key == "unused").expect("it is said");
        assert_eq!(said.why, "it only numbers the rows, as the index of a pandas frame does");
    }
    let rows = (0..40).map(|n| format!("{n},{},{}\n", day(n), n % 7)).collect::<Vec<_>>().concat();
    let named = Answers { target: Some("Unnamed: 0".into()), ..Answers::default() };
    let found = infer_text(&format!("Unnamed: 0,date,units\n{rows}"), &named).expect("inferred");
    assert_eq!(found.target, "Unnamed: 0", "what the user names is taken");
}

#[test]
fn a_country_of_every_row_is_found() {
    let rows = (0..40).map(|n| format!("Germany,{},{}\n", day(n), n % 7)).collect::<Vec<_>>().concat();
    let found = infer_text(&format!("country,date,units\n{rows}"), &Answers::default()).expect("inferred");
    assert_eq!(found.country, Some(("country".into(), "Germany".into())));
    let rows = (0..40).map(|n| format!("{},{},{}\n", ["Germany", "France"][n % 2], day(n / 2), n % 7)).collect::<Vec<_>>().concat();
    let found = infer_text(&format!("country,date,units\n{rows}"), &Answers::default()).expect("inferred");
    assert_eq!(found.country, None);
}

#[test]
fn keys_that_people_take_for_one_are_a_warning() {
    let rows = ["A", "A ", "a", "B"]
        .iter()
        .flat_map(|id| (0..30).map(move |n| format!("\"{id}\",{},{}\n", day(n), n % 7)))
        .collect::<Vec<_>>()
        .concat();
    let found = infer_text(&format!("store,date,units\n{rows}"), &Answers::default()).expect("inferred");
    expect!["keys in `store` differ in case or blanks only and make separate series: `A`, `A `, `a`; correct the source, or map them in `[data] sql`"].assert_eq(&found.warnings.join("\n"));
}

#[test]
fn the_length_of_the_history_is_that_of_most_series() {
    let rows = (0..60).map(|n| format!("A,{},{}\n", day(n), n % 7)).collect::<Vec<_>>().concat();
    let young =
        ["B", "C", "D", "E"].iter().flat_map(|id| (50..60).map(move |n| format!("{id},{},1\n", day(n)))).collect::<Vec<_>>().concat();
    assert_eq!(infer_text(&format!("store,date,units\n{rows}"), &Answers::default()).expect("inferred").periods, 60);
    assert_eq!(infer_text(&format!("store,date,units\n{rows}{young}"), &Answers::default()).expect("inferred").periods, 10);
}

#[test]
fn rows_ahead_of_a_file_of_their_own_need_the_names_of_both() {
    let past = (0..60).map(|n| format!("{},{},{}\n", day(n), n % 7, n % 2)).collect::<Vec<_>>().concat();
    let ahead = (60..80).map(|n| format!("{},{}\n", day(n), n % 2)).collect::<Vec<_>>().concat();
    check_files(
        &[("sales.csv", format!("date,units,promo\n{past}")), ("plan.csv", format!("date,promo\n{ahead}"))],
        expect![[r#"
        tables ["sales", "plan"]
        id [] time date target units freq D series 1 rows 60
        static []
        historic []
        future ["promo"]
        in_stock None price None
        hierarchy []
        gaps missing duplicates error
        sql:
        SELECT
          sales.date, sales.units, sales.promo
        FROM sales
        future:
        SELECT
          plan.date, plan.promo
        FROM plan
    "#]],
    );
}

#[test]
fn what_cannot_be_a_history_is_named() {
    let error = infer_text("store,date,units\nA,2022-01-01,3\n", &Answers::default()).expect_err("one row");
    expect!["column `date` of `sales` has a single time, `2022-01-01`: a history needs more"].assert_eq(&error.to_string());
    let rows = (0..30).map(|n| format!("{},few\n", day(n))).collect::<Vec<_>>().concat();
    let named = Answers { target: Some("units".into()), ..Answers::default() };
    let error = infer_text(&format!("date,units\n{rows}"), &named).expect_err("text");
    expect!["column `units` is no number: it holds text values such as `few`"].assert_eq(&error.to_string());
}

#[test]
fn the_meaning_of_gaps_is_told_from_one_table() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("sales.csv");
    let rows = (0..112).filter(|n| n % 7 != 0).map(|n| format!("{},{}\n", day(n), n % 5 + 100)).collect::<Vec<_>>().concat();
    std::fs::write(&path, format!("date,units\n{rows}")).expect("writable");
    let spec = almanac_data::TableSpec { name: "data".into(), paths: vec![path], ..Default::default() };
    let infer = |target: &str| almanac_data::infer_gaps(&spec, &[], "date", target, None).expect("readable");
    assert_eq!(infer("units").map(|(gaps, _)| gaps), Some("closed"));
    assert_eq!(infer("revenue"), None);
}

#[test]
fn what_looks_personal_has_no_part_unless_it_is_named() {
    let rows = |n: usize| {
        let (who, shop) = (n % 3, ["A", "B", "C"][n % 3]);
        format!("{},{shop},u{who}@shop.example,+49 30 12{who},{}\n", day(n / 3), n % 7 + 1)
    };
    let text = format!("date,shop,contact,phone,units\n{}", (0..180).map(rows).collect::<String>());
    let found = infer_text(&text, &Answers::default()).expect("inferred");
    let personal: Vec<String> = found.personal.iter().map(|found| format!("{}.{}: {}", found.table, found.column, found.why)).collect();
    expect![[r#"
        sales.contact: its values are e-mail addresses
        sales.phone: its name says that it tells who somebody is"#]]
    .assert_eq(&personal.join("\n"));
    assert_eq!((found.id, found.static_columns), (vec!["shop".to_owned()], Vec::new()));
    let by_contact = Answers { id: Some(vec!["contact".into()]), ..Answers::default() };
    let found = infer_text(&text, &by_contact).expect("inferred");
    assert_eq!(found.personal.iter().map(|found| found.column.as_str()).collect::<Vec<_>>(), ["phone"]);
}
