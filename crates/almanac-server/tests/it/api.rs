//! The REST interface: answers, and problems as a client reads them.

use crate::fake::FakeService;
use crate::request::{Answer, get, get_from, send_to};
use almanac_server::openapi_json;
use axum::body::Body;
use axum::http::Request;
use expect_test::{Expect, expect, expect_file};
use http_body_util::BodyExt;
use std::sync::Arc;
use tower::ServiceExt;

#[track_caller]
fn check_problem(answer: &Answer, expected: Expect) {
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert_eq!(answer.json()["status"], answer.status.as_u16());
    expected.assert_eq(&serde_json::to_string_pretty(&answer.json()).expect("json"));
}

#[test]
fn the_committed_openapi_document_is_fresh() {
    expect_file!["../../openapi.json"].assert_eq(&openapi_json());
}

#[tokio::test]
async fn the_openapi_document_is_3_1_and_names_every_api_route() {
    let document = get("/openapi.json").await.json();
    assert_eq!(document["openapi"], "3.1.0");
    for route in ["series", "history", "forecasts", "predict", "leaderboard", "project"] {
        assert!(document["paths"][format!("/api/v1/{route}")].is_object(), "{route}");
    }
}

#[tokio::test]
async fn the_docs_page_asks_no_other_host() {
    let page = get("/docs/").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("swagger-ui"), "{}", page.text);
    assert!(!page.text.contains("https://"), "{}", page.text);
    let script = get("/docs/swagger-initializer.js").await;
    assert!(script.text.contains("/openapi.json"), "{}", script.text);
}

#[tokio::test]
async fn pages_of_series_join_without_gap_or_overlap() {
    let mut seen = Vec::new();
    let mut offset = 0;
    loop {
        let page = get(&format!("/api/v1/series?sort=error&limit=101&offset={offset}")).await.json();
        seen.extend(page["items"].as_array().expect("a list").iter().map(|item| item["unique_id"].as_str().expect("text").to_owned()));
        match page["next_offset"].as_u64() {
            Some(next) => offset = next,
            None => break,
        }
    }
    assert_eq!(seen.len(), 360);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 360);
}

#[tokio::test]
async fn series_are_found_by_part_of_their_key_in_any_case() {
    let page = get("/api/v1/series?search=COFFEE&sort=name").await.json();
    assert_eq!(page["total"], 72);
    assert_eq!(page["items"][0]["unique_id"], "north/store_01/coffee_03");
}

#[tokio::test]
async fn history_is_cut_from_the_end() {
    let history = get("/api/v1/history?level=total&series=total&last=2").await.json();
    assert_eq!(history["points"].as_array().expect("a list").len(), 2);
    assert_eq!(history["points"][1]["ds"], "2024-01-31");
    assert_eq!(history["points"][1]["status"], "observed");
}

#[tokio::test]
async fn forecasts_are_json_rows_with_quantiles_by_name() {
    let rows = get("/api/v1/forecasts?level=total&series=total&horizon=2").await.json();
    let rows = rows.as_array().expect("a list");
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["ds"], "2024-02-01");
    assert_eq!(rows[0]["cutoff"], "2024-01-31");
    assert!(rows[0]["quantiles"]["q0.025"].as_f64() < rows[0]["quantiles"]["q0.975"].as_f64());
}

#[tokio::test]
async fn csv_and_json_carry_the_same_numbers() {
    let csv = get("/api/v1/forecasts?format=csv").await;
    let json = get("/api/v1/forecasts").await.json();
    let json = json.as_array().expect("a list");
    let mut lines = csv.text.lines();
    assert_eq!(lines.next(), Some("unique_id,ds,cutoff,model,mean,q0.005,q0.025,q0.1,q0.25,q0.5,q0.75,q0.9,q0.975,q0.995"));
    assert_eq!(json.len(), 360 * 28);
    for (line, row) in lines.zip(json) {
        let fields: Vec<&str> = line.split(',').collect();
        assert_eq!(fields[0], row["unique_id"].as_str().expect("text"));
        assert_eq!(fields[4], row["mean"].to_string());
        assert_eq!(fields[6], row["quantiles"]["q0.025"].to_string());
    }
}

#[tokio::test]
async fn a_csv_is_a_file_named_after_its_series_and_the_time() {
    let request = Request::get("/api/v1/forecasts?series=north/store_01/coffee_03").header("accept", "text/csv");
    let answer = send_to(Arc::new(FakeService::default()), request.body(Body::empty()).expect("valid")).await;
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8");
    let disposition = answer.header("content-disposition");
    let stamp = disposition.strip_prefix("attachment; filename=\"forecast_north_store_01_coffee_03_").expect(disposition);
    let stamp = stamp.strip_suffix("Z.csv\"").expect(disposition);
    assert!(jiff::civil::DateTime::strptime("%Y%m%dT%H%M%S", stamp).is_ok(), "{stamp}");
}

#[tokio::test]
async fn a_parquet_table_is_a_file_with_its_own_type() {
    let answer = get("/api/v1/forecasts?format=parquet&level=total").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, "application/vnd.apache.parquet"));
    let disposition = answer.header("content-disposition");
    assert!(disposition.starts_with("attachment; filename=\"forecast_total_") && disposition.ends_with("Z.parquet\""), "{disposition}");
    assert_eq!(answer.text, "PAR1 and PAR1");
}

#[tokio::test]
async fn what_was_said_at_an_earlier_cutoff_can_be_asked_for() {
    let project = get("/api/v1/project").await.json();
    assert_eq!(project["cutoffs"], serde_json::json!(["2024-01-31", "2024-01-03", "2023-12-06"]));
    assert_eq!(project["issues"][2]["models"][0], "lightgbm");
    let rows = get("/api/v1/forecasts?level=total&series=total&cutoff=2024-01-03").await.json();
    assert_eq!((&rows[0]["cutoff"], &rows[0]["ds"]), (&"2024-01-03".into(), &"2024-01-04".into()));
    check_problem(
        &get("/api/v1/forecasts?level=total&cutoff=2024-01-04").await,
        expect![[r#"
            {
              "detail": "cutoff `2024-01-04` does not exist",
              "hint": "`/api/v1/project` lists each cutoff with forecasts",
              "status": 404,
              "title": "Not found",
              "type": "/problems/not-found"
            }"#]],
    );
}

#[tokio::test]
async fn a_champion_that_was_not_replaced_is_said_to_be_old() {
    let service = || FakeService { is_outdated: true, ..FakeService::default() };
    let outdated = get_from(service(), "/api/v1/project").await.json()["outdated"].clone();
    assert_eq!((outdated["reason"].as_str(), outdated["cutoff"].as_str()), (Some("gate_failed"), Some("2024-01-21")));
    for path in ["/", "/leaderboard"] {
        let page = get_from(service(), path).await.text;
        assert!(page.contains("The newest backtest did not pass its gate") && page.contains("does not beat <code>naive</code>"), "{page}");
        assert!(!get(path).await.text.contains("did not pass its gate"));
    }
}

#[tokio::test]
async fn a_compressed_table_is_read_to_its_end() {
    let request = Request::get("/api/v1/forecasts?format=csv").header("accept-encoding", "gzip").body(Body::empty()).expect("valid");
    let response = almanac_server::router(almanac_server::Services::forecasts(Arc::new(FakeService::default())))
        .oneshot(request)
        .await
        .expect("the router cannot fail");
    assert_eq!(response.headers()["content-encoding"], "gzip");
    let whole = get("/api/v1/forecasts?format=csv").await.text.len();
    let bytes = response.into_body().collect().await.expect("the body has an end").to_bytes();
    assert!(bytes.len() < whole / 2, "{} of {whole}", bytes.len());
}

#[tokio::test]
async fn a_table_that_breaks_off_is_not_taken_for_a_whole_one() {
    let service = FakeService { breaks_off: true, ..FakeService::default() };
    let request = Request::get("/api/v1/forecasts?format=csv").body(Body::empty()).expect("valid");
    let response = almanac_server::router(almanac_server::Services::forecasts(Arc::new(service)))
        .oneshot(request)
        .await
        .expect("the router cannot fail");
    assert_eq!(response.status(), 200);
    assert!(response.into_body().collect().await.is_err());
}

#[tokio::test]
async fn an_unknown_level_is_a_problem_with_a_hint() {
    check_problem(
        &get("/api/v1/series?level=galaxy").await,
        expect![[r#"
            {
              "detail": "level `galaxy` does not exist",
              "hint": "`/api/v1/project` lists the levels",
              "status": 404,
              "title": "Not found",
              "type": "/problems/not-found"
            }"#]],
    );
}

#[tokio::test]
async fn an_unknown_series_is_a_problem_with_a_hint() {
    check_problem(
        &get("/api/v1/forecasts?series=nobody").await,
        expect![[r#"
            {
              "detail": "series `nobody` does not exist",
              "hint": "`/api/v1/series?search=` finds series; keys are unique in their level only",
              "status": 404,
              "title": "Not found",
              "type": "/problems/not-found"
            }"#]],
    );
}

#[tokio::test]
async fn an_unknown_parameter_is_named() {
    let answer = get("/api/v1/series?serch=x").await;
    assert_eq!(answer.status, 400);
    let detail = answer.json()["detail"].as_str().expect("text").to_owned();
    assert!(detail.contains("unknown field `serch`"), "{detail}");
}

#[tokio::test]
async fn a_limit_out_of_range_is_refused() {
    check_problem(
        &get("/api/v1/series?limit=0").await,
        expect![[r#"
            {
              "detail": "`limit` must be between 1 and 1000, got 0",
              "status": 400,
              "title": "Invalid request",
              "type": "/problems/invalid-request"
            }"#]],
    );
}

#[tokio::test]
async fn an_internal_error_says_little_outside() {
    let answer = get_from(FakeService { fails: true, ..FakeService::default() }, "/api/v1/project").await;
    assert!(!answer.text.contains("secret"), "{}", answer.text);
    check_problem(
        &answer,
        expect![[r#"
            {
              "detail": "the request could not be answered",
              "hint": "the server's log has the cause",
              "status": 500,
              "title": "Internal error",
              "type": "/problems/internal"
            }"#]],
    );
}

#[tokio::test]
async fn a_panic_is_a_500_and_no_more() {
    let answer = get_from(FakeService { panics: true, ..FakeService::default() }, "/api/v1/project").await;
    assert_eq!(answer.status, 500);
    assert!(!answer.text.contains("told to panic"), "{}", answer.text);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems_too() {
    assert_eq!(get("/api/v2/series").await.header("content-type"), "application/problem+json");
    let request = Request::delete("/api/v1/series").body(Body::empty()).expect("valid");
    let answer = send_to(Arc::new(FakeService::default()), request).await;
    check_problem(
        &answer,
        expect![[r#"
            {
              "detail": "`/api/v1/series` does not answer `DELETE`",
              "hint": "`/docs` lists what it answers",
              "status": 405,
              "title": "Method not allowed",
              "type": "/problems/method-not-allowed"
            }"#]],
    );
}

#[tokio::test]
async fn a_browser_on_a_wrong_path_gets_a_page() {
    let request = Request::get("/nowhere").header("accept", "text/html").body(Body::empty()).expect("valid");
    let answer = send_to(Arc::new(FakeService::default()), request).await;
    assert_eq!(answer.status, 404);
    assert!(answer.text.contains("Nothing is served at <code>/nowhere</code>."), "{}", answer.text);
}

#[tokio::test]
async fn a_project_name_cannot_leave_its_script_element() {
    let page = get("/").await;
    let script = page.text.split("type=\"application/json\">").nth(1).expect("the project is in the page");
    let json = script.split("</script>").next().expect("it ends");
    assert!(!json.contains('<') && json.contains("corner-shops"), "{json}");
}

#[tokio::test]
async fn pages_of_an_empty_project_say_what_to_do() {
    for path in ["/", "/leaderboard", "/data"] {
        let page = get_from(FakeService { is_empty: true, ..FakeService::default() }, path).await;
        assert_eq!(page.status, 200);
        assert!(page.text.contains("almanac run"), "{path}: {}", page.text);
    }
}

#[tokio::test]
async fn the_page_about_data_shows_a_table_and_what_changed_in_it() {
    let page = get("/data").await;
    assert_eq!(page.status, 200);
    for part in [
        "120 rows",
        "bronze.sales &amp; more",
        "/data?table=bronze.sales%20%26%20more",
        "20 with other rows",
        "The past of <code>date</code> changed",
        "svg",
    ] {
        assert!(page.text.contains(part), "{part}: {}", page.text);
    }
    assert!(get("/data?table=silver").await.text.contains("aria-current=\"true\">silver"));
    assert_eq!(get("/data?table=nothing").await.status, 404);
}
