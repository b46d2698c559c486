//! SQL over bronze: the SQL that inference writes, and SQL that must be refused.

#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use std::path::PathBuf;

use almanac_data::{Answers, Bronze, Inference, QueryError, QueryLimits, TableSpec, infer_project, ingest_table, open_bronze};
use almanac_series::Hint;
use futures::StreamExt;

use crate::infer::shared;

fn runs(found: &Inference) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut names = Vec::new();
    let mut rows = 0;
    for table in &found.tables {
        let spec = TableSpec { name: table.name.clone(), paths: table.paths.clone(), csv: found.csv.clone(), ..TableSpec::default() };
        let report = ingest_table(&spec, folder.path()).expect("ingested");
        if names.is_empty() {
            rows = report.rows;
        }
        names.push(table.name.clone());
    }
    block_on(async {
        let bronze = open_bronze(folder.path(), &names, &QueryLimits::default()).await.expect("opened");
        let count = async |sql: &str| {
            let mut stream = bronze.sql(sql).await.unwrap_or_else(|error| panic!("{error}\n{sql}"));
            let mut rows = 0;
            while let Some(batch) = stream.next().await {
                rows += batch.unwrap_or_else(|error| panic!("{error}\n{sql}")).num_rows() as u64;
            }
            rows
        };
        if let Some(sql) = &found.sql {
            assert_eq!(count(sql).await, rows, "a join must keep the rows");
        }
        if let Some(sql) = &found.future_sql {
            assert!(count(sql).await > 0, "there are rows ahead");
        }
    });
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime").block_on(future)
}

#[test]
fn the_sql_of_inference_keeps_the_rows_and_goes_on_after_them() {
    let sets: [&[&str]; 6] = [
        &["walmart_raw"],
        &["rossmann"],
        &["m5/store_dept_daily_train.parquet", "m5/calendar.parquet"],
        &["favorita_store_transactions_raw"],
        &["aus_retail"],
        &["odd_formats_raw/temps.csv"],
    ];
    for set in sets {
        let paths: Option<Vec<PathBuf>> = set.iter().map(|name| shared(name)).collect();
        if let Some(paths) = paths {
            runs(&infer_project(&paths, &Answers::default()).expect("inferred"));
        }
    }
}

fn small() -> (tempfile::TempDir, Bronze) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut names = Vec::new();
    for (name, text) in [("train", "Store,Date,Weekly Sales\n1,2024-01-05,10\n2,2024-01-05,20\n"), ("stores", "Store,Type\n1,A\n2,B\n")] {
        let path = folder.path().join(format!("{name}.csv"));
        std::fs::write(&path, text).expect("writable");
        let spec = TableSpec { name: name.into(), paths: vec![path], ..TableSpec::default() };
        ingest_table(&spec, &folder.path().join("bronze")).expect("ingested");
        names.push(name.to_owned());
    }
    let bronze = block_on(open_bronze(&folder.path().join("bronze"), &names, &QueryLimits::default())).expect("opened");
    (folder, bronze)
}

#[test]
fn names_keep_their_case_and_need_no_quotes() {
    let (_folder, bronze) = small();
    let schema = block_on(
        bronze.schema("SELECT train.Store, train.Date, \"Weekly Sales\", Type FROM train LEFT JOIN stores ON stores.Store = train.Store;"),
    );
    let names: Vec<String> =
        schema.expect("valid").fields().iter().map(|field| format!("{} {}", field.name(), field.data_type())).collect();
    expect_test::expect![[r#"
        Store Int64
        Date Timestamp(µs)
        Weekly Sales Int64
        Type Utf8"#]]
    .assert_eq(&names.join("\n"));
    let schema = block_on(bronze.schema("SELECT * FROM stores")).expect("valid");
    assert_eq!(schema.fields().len(), 2, "where a row came from is not among its columns");
}

#[test]
fn a_whole_table_says_where_its_rows_came_from() {
    let (_folder, bronze) = small();
    let batch = block_on(async { bronze.scan("train").await.expect("there").next().await }).expect("a batch").expect("sound");
    assert!(batch.column_by_name("_row").is_some() && batch.column_by_name("_file").is_some());
}

#[test]
fn bad_sql_is_refused_with_a_hint() {
    let (folder, bronze) = small();
    let out = folder.path().join("out.csv");
    let mut text = String::new();
    for sql in [
        "SELECT Stor FROM train",
        "SELECT Store FROM trian",
        "SELECT store FROM train",
        "SELEC 1",
        "DROP TABLE train",
        "CREATE TABLE x AS SELECT 1",
        "INSERT INTO train SELECT * FROM train",
        "SET datafusion.execution.batch_size = 1",
        "SELECT 1; SELECT 2",
        "EXPLAIN SELECT 1",
        &format!("COPY train TO '{}'", out.display()),
        "SELECT * FROM '/etc/passwd'",
    ] {
        let Err(error) = block_on(bronze.sql(sql)) else { panic!("{sql} ran") };
        let kind = match error {
            QueryError::NotSelect { .. } => "not a select",
            QueryError::Invalid { .. } => "invalid",
            _ => "other",
        };
        text += &format!("{sql}\n  {kind}: {error}\n  hint: {}\n", error.hint().unwrap_or_default());
    }
    assert!(!out.exists());
    expect_test::expect![[r#"
        SELECT Stor FROM train
          invalid: the SQL is not valid: No field named "Stor"
          hint: did you mean `Store` of `train`?
        SELECT Store FROM trian
          invalid: the SQL is not valid: table 'trian' not found
          hint: did you mean `train`?
        SELECT store FROM train
          invalid: the SQL is not valid: No field named store
          hint: did you mean `Store` of `train`?
        SELEC 1
          invalid: the SQL is not valid: Expected: an SQL statement, found: SELEC at Line: 1, Column: 1
          hint: identifiers keep their case; put those with blanks in double quotes
        DROP TABLE train
          not a select: only SELECT is allowed in `sql`: DDL not supported: DropTable
          hint: write one SELECT that yields the table; the results are stored for you
        CREATE TABLE x AS SELECT 1
          not a select: only SELECT is allowed in `sql`: DDL not supported: CreateMemoryTable
          hint: write one SELECT that yields the table; the results are stored for you
        INSERT INTO train SELECT * FROM train
          not a select: only SELECT is allowed in `sql`: DML not supported: Insert Into
          hint: write one SELECT that yields the table; the results are stored for you
        SET datafusion.execution.batch_size = 1
          not a select: only SELECT is allowed in `sql`: Statement not supported: SetVariable
          hint: write one SELECT that yields the table; the results are stored for you
        SELECT 1; SELECT 2
          not a select: only SELECT is allowed in `sql`: The context currently only supports a single SQL statement
          hint: write one SELECT that yields the table; the results are stored for you
        EXPLAIN SELECT 1
          not a select: only SELECT is allowed in `sql`: it tells of a query instead of being one
          hint: write one SELECT that yields the table; the results are stored for you
        COPY train TO '/out.csv'
          not a select: only SELECT is allowed in `sql`: DML not supported: COPY
          hint: write one SELECT that yields the table; the results are stored for you
        SELECT * FROM '/etc/passwd'
          invalid: the SQL is not valid: table '/etc/passwd' not found
          hint: identifiers keep their case; put those with blanks in double quotes
    "#]]
    .assert_eq(&text.replace(&folder.path().display().to_string(), ""));
}

#[test]
fn a_table_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let error = block_on(open_bronze(folder.path(), &["sales".to_owned()], &QueryLimits::default())).expect_err("not there");
    assert!(error.to_string().starts_with("table `sales` is not in"), "{error}");
}
