//! Predict requests: what is answered, and how exactly a wrong one is told so.

use crate::request::post;
use expect_test::{Expect, expect};

async fn check(body: &str, expected: Expect) {
    let answer = post("/api/v1/predict", body.to_owned()).await;
    let json = answer.json();
    let hint = json["hint"].as_str().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    expected.assert_eq(&format!("{} {}{hint}", answer.status.as_u16(), json["detail"].as_str().unwrap_or("no detail")));
}

fn with_history(rows: &str) -> String {
    format!(r#"{{"series":[{{"unique_id":"a","history":[{rows}]}}]}}"#)
}

#[tokio::test]
async fn a_request_is_answered_series_by_series() {
    let body = r#"{"series":[
        {"unique_id":"b","history":[{"ds":"2024-01-30","y":2,"price":1.5},{"ds":"2024-01-31","y":4}],"future":[{"ds":"2024-02-01","promo":true}]},
        {"unique_id":"a","history":[{"ds":"2024-01-31","y":null}],"static":{"region":"north"}}
    ],"horizon":2,"levels":[0.8],"quantiles":[0.5]}"#;
    let answer = post("/api/v1/predict", body).await;
    assert_eq!(answer.status, 200);
    expect![[r#"{"model":"ensemble","model_version":"7","forecasts":[{"unique_id":"b","ds":"2024-02-01","cutoff":"2024-01-31","model":"ensemble","mean":3.0,"quantiles":{"q0.1":1.7999999999999998,"q0.5":3.0,"q0.9":4.199999999999999}},{"unique_id":"b","ds":"2024-02-02","cutoff":"2024-01-31","model":"ensemble","mean":3.0,"quantiles":{"q0.1":1.7999999999999998,"q0.5":3.0,"q0.9":4.199999999999999}}],"skipped":[{"unique_id":"a","reason":"no row has a value"}]}"#]].assert_eq(&answer.text);
}

#[tokio::test]
async fn nan_is_not_json() {
    check(
        &with_history(r#"{"ds":"2024-01-31","y":NaN}"#),
        expect![[r#"
        400 `series[0].history[0].y`: expected value at line 1 column 63
        hint: JSON has no NaN or infinity: send `null` for a missing value"#]],
    )
    .await;
}

#[tokio::test]
async fn a_number_that_no_float_holds_is_refused() {
    check(
        &with_history(r#"{"ds":"2024-01-31","y":1e400}"#),
        expect!["400 `series[0].history[0].y`: number out of range at line 1 column 67"],
    )
    .await;
}

#[tokio::test]
async fn a_number_beyond_reason_is_refused() {
    check(
        &with_history(r#"{"ds":"2024-01-31","y":1e31}"#),
        expect![[r#"
        400 `series[0].history[0].y`: 1e31 is larger than 1e30 in size
        hint: send `null` for a missing value"#]],
    )
    .await;
}

#[tokio::test]
async fn text_where_a_number_belongs_is_named() {
    check(
        &with_history(r#"{"ds":"2024-01-30","y":1},{"ds":"2024-01-31","y":"two"}"#),
        expect![[r#"
            400 `series[0].history[1].y`: invalid type: string "two", expected a number or null at line 1 column 93
            hint: write numbers without quotes, and `null` for a missing value"#]],
    )
    .await;
}

#[tokio::test]
async fn an_unsorted_history_is_refused() {
    check(
        &with_history(r#"{"ds":"2024-01-31","y":1},{"ds":"2024-01-30","y":2}"#),
        expect![[r#"
        400 `series[0].history[1].ds`: `2024-01-30` comes after `2024-01-31`, rows must be sorted by `ds`
        hint: sort the rows, oldest first; `future` starts after `history`"#]],
    )
    .await;
}

#[tokio::test]
async fn a_duplicated_timestamp_is_refused() {
    check(
        &with_history(r#"{"ds":"2024-01-31","y":1},{"ds":"2024-01-31T00:00:00","y":2}"#),
        expect![[r#"
        400 `series[0].history[1].ds`: `2024-01-31T00:00:00` stands more than once (as `2024-01-31` in the row before)
        hint: send one row per timestamp"#]],
    )
    .await;
}

#[tokio::test]
async fn an_empty_history_is_refused() {
    check(
        &with_history(""),
        expect![[r#"
        400 `series[0].history` is empty (series `a`)
        hint: send the past of the series, oldest row first"#]],
    )
    .await;
}

#[tokio::test]
async fn no_series_at_all_is_refused() {
    check(
        r#"{"series":[]}"#,
        expect![[r#"
        400 `series` is empty
        hint: send at least one series with its history"#]],
    )
    .await;
}

#[tokio::test]
async fn an_unknown_field_is_named() {
    check(
        r#"{"series":[],"horizont":3}"#,
        expect!["400 `horizont`: unknown field `horizont`, expected one of `series`, `horizon`, `levels`, `quantiles` at line 1 column 23"],
    )
    .await;
}

#[tokio::test]
async fn an_unknown_column_is_named_with_those_that_exist() {
    check(
        &with_history(r#"{"ds":"2024-01-31","y":1,"prize":2}"#),
        expect![[r#"
        400 `series[0].history[0].prize`: unknown field `prize`
        hint: the project's historic or future columns are `customers`, `price`, `promo`"#]],
    )
    .await;
}

#[tokio::test]
async fn a_historic_column_may_not_stand_ahead() {
    let body = r#"{"series":[{"unique_id":"a","history":[{"ds":"2024-01-31","y":1}],"future":[{"ds":"2024-02-01","customers":9}]}]}"#;
    check(
        body,
        expect![[r#"
        400 `series[0].future[0].customers`: unknown field `customers`
        hint: the project's future columns are `price`, `promo`"#]],
    )
    .await;
}

#[tokio::test]
async fn the_future_starts_after_the_history() {
    let body = r#"{"series":[{"unique_id":"a","history":[{"ds":"2024-01-31","y":1}],"future":[{"ds":"2024-01-31","price":9}]}]}"#;
    check(
        body,
        expect![[r#"
        400 `series[0].future[0].ds`: `2024-01-31` stands more than once (as `2024-01-31` in the row before)
        hint: send one row per timestamp"#]],
    )
    .await;
}

#[tokio::test]
async fn a_date_that_is_none_is_named() {
    check(&with_history(r#"{"ds":"31.01.2024","y":1}"#), expect!["400 `series[0].history[0].ds`: `31.01.2024` is not a date or a date with a time and no offset, such as `2024-01-31` or `2024-01-31T13:30:00`"]).await;
}

#[tokio::test]
async fn a_key_may_stand_once() {
    let body =
        r#"{"series":[{"unique_id":"a","history":[{"ds":"2024-01-31","y":1}]},{"unique_id":"a","history":[{"ds":"2024-01-31","y":1}]}]}"#;
    check(
        body,
        expect![[r#"
        400 `series[1].unique_id`: `a` stands more than once
        hint: send each series once, with its whole history"#]],
    )
    .await;
}

#[tokio::test]
async fn a_level_in_per_cent_is_refused_with_the_right_one() {
    check(
        r#"{"series":[{"unique_id":"a","history":[{"ds":"2024-01-31","y":1}]}],"levels":[80]}"#,
        expect![[r#"
        400 `levels[0]`: level must be strictly between 0 and 1, got 80
        hint: 80 % is written 0.8"#]],
    )
    .await;
}

#[tokio::test]
async fn a_horizon_of_zero_is_refused() {
    check(
        r#"{"series":[{"unique_id":"a","history":[{"ds":"2024-01-31","y":1}]}],"horizon":0}"#,
        expect!["400 `horizon`: horizon must be between 1 and 10000 steps, got 0"],
    )
    .await;
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    check(
        &" ".repeat((32 << 20) + 1),
        expect![[r#"
        413 the body is larger than 32 MiB
        hint: send fewer series in one request"#]],
    )
    .await;
}

#[tokio::test]
async fn a_body_that_is_no_object_is_told_so() {
    for body in ["", "  ", "[]", "null", "\"x\"", "7", "<html>", "[[[[["] {
        check(
            body,
            expect![[r#"
                400 the body is not a JSON object
                hint: send an object with `series`; `/docs` has an example"#]],
        )
        .await;
    }
}

#[tokio::test]
async fn what_was_expected_is_said_in_words() {
    check(r#"{"series":7}"#, expect!["400 `series`: invalid type: integer `7`, expected a sequence at line 1 column 11"]).await;
    check(
        r#"{"series":[7]}"#,
        expect!["400 `series[0]`: invalid type: integer `7`, expected an object with `unique_id` and `history` at line 1 column 12"],
    )
    .await;
    check(
        r#"{"series":[],"horizon":-1}"#,
        expect!["400 `horizon`: invalid value: integer `-1`, expected a whole number of steps at line 1 column 25"],
    )
    .await;
}

#[tokio::test]
async fn a_static_column_given_twice_is_refused() {
    check(
        r#"{"series":[{"unique_id":"a","history":[{"ds":"2024-01-31","y":1}],"static":{"region":"n","region":"s"}}]}"#,
        expect!["400 `series[0].static`: duplicate field `region` at line 1 column 102"],
    )
    .await;
}

#[tokio::test]
async fn nesting_without_end_is_refused() {
    let rows = format!(r#"{{"ds":"2024-01-31","y":1,"price":{}}}"#, "[".repeat(100_000));
    check(
        &with_history(&rows),
        expect![
            "400 `series[0].history[0].price`: invalid type: sequence, expected a number, a text, true, false or null at line 1 column 73"
        ],
    )
    .await;
}

#[tokio::test]
async fn an_answer_beyond_reason_is_refused() {
    let quantiles: Vec<String> = (1..=201).map(|k| format!("{}", f64::from(k) / 300.0)).collect();
    let body =
        format!(r#"{{"series":[{{"unique_id":"a","history":[{{"ds":"2024-01-31","y":1}}]}}],"quantiles":[{}]}}"#, quantiles.join(","));
    check(&body, expect!["400 `levels` and `quantiles` ask for 201 quantiles, at most 200 are allowed"]).await;
    let body = with_history(r#"{"ds":"2024-01-31","y":1}"#).replace("\"a\"", &format!("\"{}\"", "a".repeat(1001)));
    check(&body, expect!["400 `series[0].unique_id` has 1001 bytes, at most 1000 are allowed"]).await;
}

#[tokio::test]
async fn a_time_at_the_end_of_the_calendar_is_refused() {
    check(
        &with_history(r#"{"ds":"9999-12-31","y":1}"#),
        expect!["400 `series[0].history[0].ds`: `9999-12-31` is not a time between the years 1 and 9000"],
    )
    .await;
}
