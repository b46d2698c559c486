//! Suites as written: our own form, contracts, and everything that cannot be honoured.

use std::sync::Arc;

use almanac_expect::{HistoryColumns, Options, Severity, Suite, check, suggest};
use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};

use crate::tables::{batch, judged, table};

fn refused(text: &str) -> String {
    Suite::parse(text, "suite.yaml").unwrap_err().to_string()
}

#[test]
fn what_cannot_be_honoured_is_refused_by_name() {
    let one = |line: &str| refused(&format!("expectations:\n- {line}\n"));
    expect_test::expect![[r#"
        suite.yaml: expectation 1 (`expect_column_values_to_be_betwen`): there is no such expectation; did you mean `expect_column_values_to_be_between`?
        suite.yaml: expectation 1 (`expect_column_values_to_be_between`): it has no argument `minimum`
        suite.yaml: expectation 1 (`expect_column_values_to_match_regex`): the pattern `(?=a` is not supported: look-around, including look-ahead and look-behind, is not supported
        suite.yaml: expectation 1 (`expect_column_values_to_not_be_null`): `mostly` is a share from 0 to 1, not 95
        suite.yaml: expectation 1 (`expect_column_mean_to_be_between`): it judges the whole column or table, so that no rows can be taken out; choose `fail` or `warn`
        suite.yaml: expectation 1 (`expect_column_values_to_not_be_null`): the row condition `a.str.len() > 3` is not supported: `.str` is not known
        suite.yaml: expectation 1 (`unexpected_rows_expectation`): `unexpected_rows_query` is missing
        suite.yaml: expectation 1 (`expect_column_values_to_match_strftime_format`): the format `%Q` has `%Q`, which Python does not know"#]]
    .assert_eq(
        &[
            one("{type: expect_column_values_to_be_betwen, column: a}"),
            one("{type: expect_column_values_to_be_between, column: a, max_value: 3, minimum: 1}"),
            one("{type: expect_column_values_to_match_regex, column: a, regex: '(?=a'}"),
            one("{type: expect_column_values_to_not_be_null, column: a, mostly: 95}"),
            one("{type: expect_column_mean_to_be_between, column: a, max_value: 3, severity: quarantine}"),
            one("{type: expect_column_values_to_not_be_null, column: a, where: a.str.len() > 3}"),
            refused(r#"{"name": "x", "meta": {"great_expectations_version": "1.0"}, "expectations": [{"type": "unexpected_rows_expectation", "kwargs": {}}]}"#),
            one("{type: expect_column_values_to_match_strftime_format, column: a, strftime_format: '%Q'}"),
        ]
        .join("\n"),
    );
}

#[test]
fn our_own_form_reads_back_as_it_was_written() {
    let yaml = "suite: sales\nlayer: bronze\nexpectations:\n- type: column_values_to_be_between\n  column: y\n  min_value: 0\n  mostly: 0.9\n  severity: warn\n  where: store == \"a\"\n";
    let suite = Suite::parse(yaml, "a.yaml").unwrap().remove(0);
    let again = Suite::parse(&suite.to_yaml(), "b.yaml").unwrap().remove(0);
    let toml = "suite = 'sales'\nlayer = 'bronze'\n[[expectations]]\ntype = 'expect_column_values_to_be_between'\ncolumn = 'y'\nmin_value = 0\nmostly = 0.9\nseverity = 'warn'\nwhere = 'store == \"a\"'\n";
    let of_toml = Suite::parse(toml, "a.toml").unwrap().remove(0);
    for other in [&again, &of_toml] {
        assert_eq!(format!("{:?}", other.expectations), format!("{:?}", suite.expectations));
    }
    assert_eq!((suite.layer.as_deref(), suite.expectations[0].severity), (Some("bronze"), Severity::Warn));
}

const CONTRACT: &str = r"
apiVersion: v3.1.0
kind: DataContract
id: sales
version: 1.0.0
status: active
schema:
  - name: orders
    physicalName: sales
    properties:
      - {name: id, logicalType: integer, primaryKey: true, primaryKeyPosition: 1}
      - {name: store, logicalType: string, required: true, logicalTypeOptions: {minLength: 1, maxLength: 3, pattern: '^[a-z]+$'}}
      - name: amount
        logicalType: number
        logicalTypeOptions: {minimum: 0, exclusiveMaximum: 100}
        quality:
          - {metric: nullValues, mustBeLessThan: 30, unit: percent}
          - {metric: duplicateValues, mustBe: 1}
          - {type: text, description: in euros}
      - name: unit
        logicalType: string
        quality:
          - {metric: invalidValues, mustBe: 0, arguments: {validValues: [kg, g]}}
          - {metric: missingValues, mustBeBetween: [1, 2], arguments: {missingValues: [null, '', 'n/a']}}
    quality:
      - {metric: rowCount, mustBeGreaterThan: 3}
      - {metric: duplicateValues, mustBe: 0, arguments: {properties: [store, unit]}, severity: warning}
      - type: custom
        engine: greatExpectations
        implementation: |
          type: expect_table_row_count_to_be_between
          kwargs: {min_value: 1, max_value: 10}
";

#[test]
fn a_data_contract_is_judged_as_it_demands() {
    let orders = batch(vec![
        ("id", Arc::new(Int64Array::from(vec![1, 2, 3, 4])) as ArrayRef),
        ("store", Arc::new(StringArray::from(vec!["a", "b", "abcd", "a"]))),
        ("amount", Arc::new(Float64Array::from(vec![Some(5.0), Some(5.0), None, Some(100.0)]))),
        ("unit", Arc::new(StringArray::from(vec![Some("kg"), Some("g"), Some("n/a"), Some("kg")]))),
    ]);
    let suite = Suite::parse(CONTRACT, "contract.yaml").unwrap().remove(0);
    assert_eq!(suite.table.as_deref(), Some("sales"));
    let validation = check(&table(vec![orders]), &suite, &Options::default()).unwrap();
    let failed: Vec<String> = validation
        .failures()
        .map(|outcome| {
            format!("{} {} {}: {}", outcome.severity, outcome.kind, outcome.subject.clone().unwrap_or_default(), outcome.observed)
        })
        .collect();
    expect_test::expect![[r#"
        fail expect_column_value_lengths_to_be_between store: 1 of 4 rows fail, first row 2: abcd
        fail expect_column_values_to_be_between amount: 1 of 3 rows fail, first row 3: 100.0
        fail expect_metric_to_be unit: 1.0
        warn expect_metric_to_be store, unit: 1.0"#]]
    .assert_eq(&failed.join("\n"));
    assert!(validation.outcomes.len() > 15);
}

#[test]
fn what_a_contract_demands_beyond_us_is_refused() {
    let one = |quality: &str| {
        refused(&format!(
            "apiVersion: v3.1.0\nkind: DataContract\nschema:\n- name: t\n  properties: [{{name: a, logicalType: string}}]\n  quality:\n  - {quality}\n"
        ))
    };
    assert!(one("{type: sql, mustBe: 1}").contains("t: a rule in SQL has no `query`"));
    assert!(one("{type: custom, engine: soda, implementation: x}").contains("engine `soda`"));
    assert!(one("{metric: speed, mustBe: 1}").contains("no metric `speed`"));
    assert!(one("{metric: rowCount}").contains("nothing that must be"));
}

/// After the full example of the standard's own repository: everything that says nothing of values, and the rules that do.
const FULL: &str = r#"
apiVersion: v3.1.0
kind: DataContract
id: 53581432-6c55-4ba2-a65f-72344a91553a
name: seller_payments_v1
version: 1.1.0
status: active
domain: seller
dataProduct: payments
tenant: ClimateQuantumInc
description: {purpose: Views built on top of the seller tables., limitations: Data based on seller perspective}
servers:
  - {server: my-postgres, type: postgres, host: localhost, port: 5432, database: pypl-edw, schema: pp_access_views}
schema:
  - name: tbl
    logicalType: object
    physicalName: tbl_1
    physicalType: table
    businessName: Core Payment Metrics
    authoritativeDefinitions: [{url: "https://catalog.data.gov/dataset/air-quality", type: businessDefinition}]
    tags: [finance, payments]
    dataGranularityDescription: Aggregation on columns txn_ref_dt, pmt_txn_id
    properties:
      - name: transaction_reference_date
        physicalName: txn_ref_dt
        primaryKey: false
        primaryKeyPosition: -1
        logicalType: date
        physicalType: date
        required: false
        partitioned: true
        partitionKeyPosition: 1
        criticalDataElement: false
        classification: public
        transformSourceObjects: [table_name_1, table_name_2]
        transformLogic: sel t1.txn_dt as txn_ref_dt from table_name_1 as t1
        examples: ["2022-10-03", "2020-01-28"]
        customProperties: [{property: anonymizationStrategy, value: none}]
      - name: rcvr_id
        primaryKey: true
        primaryKeyPosition: 1
        logicalType: string
        physicalType: varchar(18)
        required: false
        classification: restricted
      - name: rcvr_cntry_code
        logicalType: string
        physicalType: varchar(2)
        encryptedName: rcvr_cntry_code_encrypted
        logicalTypeOptions: {minLength: 2, maxLength: 2, pattern: "^(?=[A-Z])..$"}
        quality:
          - metric: nullValues
            mustBe: 0
            description: column should not contain null values
            dimension: completeness
            type: library
            severity: error
            businessImpact: operational
            schedule: 0 20 * * *
            scheduler: cron
            customProperties: [{property: FIELD_NAME}, {property: COMPARE_TYPE}]
          - {type: sql, query: "SELECT COUNT(*) FROM ${object} WHERE ${property} = 'XX'", mustBe: 0, dimension: validity}
          - {type: text, description: as ISO 3166 has it}
      - name: amount
        logicalType: number
        logicalTypeOptions: {minimum: 0, multipleOf: 0.01}
    quality:
      - {metric: rowCount, type: library, mustBeBetween: [1, 100], name: Count Check, dimension: completeness, method: reconciliation}
      - {rule: duplicateCount, mustBeLessThan: 1, unit: rows, arguments: {properties: [rcvr_id]}}
slaProperties: [{property: latency, value: 4, unit: d, element: tab1.txn_ref_dt}]
"#;

#[test]
fn the_standards_own_example_is_read_but_for_what_is_named() {
    let parse = |text: &str| Suite::parse(text, "full.yaml").map_err(|error| error.to_string());
    expect_test::expect!["full.yaml: tbl.amount: the option `multipleOf` of a logical type is not supported"]
        .assert_eq(&parse(FULL).unwrap_err());
    let suite = parse(&FULL.replace(", multipleOf: 0.01", "")).unwrap().remove(0);
    let kinds: Vec<&str> = suite.expectations.iter().map(|expectation| expectation.kind.trim_start_matches("expect_")).collect();
    assert_eq!(suite.table.as_deref(), Some("tbl_1"));
    for kind in ["column_values_to_match_regex", "column_values_to_be_unique", "metric_to_be", "column_value_lengths_to_be_between"] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
    assert_eq!(kinds.iter().filter(|kind| **kind == "metric_to_be").count(), 4);
    let nested = FULL.replace(
        "logicalType: number\n        logicalTypeOptions: {minimum: 0, multipleOf: 0.01}",
        "logicalType: object\n        properties: [{name: currency, logicalType: string}]",
    );
    assert_eq!(parse(&nested).unwrap_err(), "full.yaml: tbl.amount: columns of the logical type `object` cannot be judged");
}

#[test]
fn a_suggested_suite_holds_of_the_data_it_was_made_from() {
    let rows = 400;
    let sales = batch(vec![
        ("store", Arc::new(StringArray::from_iter_values((0..rows).map(|row| format!("s{}", row / 100)))) as ArrayRef),
        ("ds", Arc::new(arrow::array::TimestampMicrosecondArray::from_iter_values((0..rows).map(|row| (row % 100) * crate::tables::DAY)))),
        ("y", Arc::new((0..rows).map(|row| (row % 10 != 3).then_some((row % 17) as f64)).collect::<Float64Array>())),
    ]);
    let options = Options { now: Some(200 * crate::tables::DAY), ..Options::default() };
    let table = table(vec![sales]);
    let history = HistoryColumns { time: "ds".into(), value: "y".into(), season_length: 10, codes: Vec::new() };
    let suite = suggest(&table, "sales", Some(&history), &options).unwrap();
    let yaml = suite.to_yaml();
    let validation = judged(&table, &yaml, &options);
    assert!(validation.is_ok(), "{:?}", validation.failures().collect::<Vec<_>>());
    expect_test::expect![[r#"
        suite: "sales"
        expectations:
          # the table has these 3 columns
          - type: expect_table_columns_to_match_set
            column_set: ["store","ds","y"]
            exact_match: false
          # 400 rows today; half or double would be news
          - type: expect_table_row_count_to_be_between
            max_value: 800
            min_value: 200
          # no value is missing
          - type: expect_column_values_to_not_be_null
            column: "store"
          # 4 categories; a new one is worth a look
          - type: expect_column_values_to_be_in_set
            column: "store"
            value_set: ["s0","s1","s2","s3"]
            severity: warn
          # no value is missing
          - type: expect_column_values_to_not_be_null
            column: "ds"
          # times of what has happened; take it out where rows known ahead are usual
          - type: expect_column_values_to_not_be_in_the_future
            column: "ds"
            severity: warn
          # 90.0 % are there; five points of room
          - type: expect_column_values_to_not_be_null
            column: "y"
            mostly: 0.85
            severity: warn
          # 0 to 16 today, and half of that span as room
          - type: expect_column_values_to_be_between
            column: "y"
            max_value: 24.0
            min_value: 0.0
            severity: quarantine
          # together these tell every row apart
          - type: expect_compound_columns_to_be_unique
            column_list: ["store","ds"]
          # the season of 10 rows is as strong now as it was before
          - type: expect_series_to_keep_seasonality
            season_length: 10
            time_column: "ds"
            value_column: "y"
            severity: warn
          # 6.1 % are zeros; ten points of room on either side
          - type: expect_column_share_of_zeros_to_be_between
            column: "y"
            max_value: 0.16
            min_value: 0.0
            severity: warn
    "#]]
    .assert_eq(&yaml);
}
