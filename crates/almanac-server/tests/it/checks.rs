//! The page about checks: what failed and what held, over runs, with every value as text.

use std::sync::Arc;

use almanac_server::{Services, router};
use almanac_tracking::{Millis, NewValidation, StoreUrl, TrackingStore};
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::fake::FakeService;

const HOSTILE: &str = "<script>alert('x')</script>\u{202e}\"&";

fn outcome(subject: &str, success: bool, values: Value) -> Value {
    json!({
        "kind": "expect_column_values_to_be_in_set",
        "subject": subject,
        "expected": format!("one of <b>{subject}</b>"),
        "observed": if success { "all 9 rows hold".to_owned() } else { format!("1 of 9 rows fail: {HOSTILE}") },
        "success": success,
        "severity": "fail",
        "result": {"partial_unexpected_list": values},
    })
}

fn validation(table: &str, suite: &str, outcomes: &[Value]) -> NewValidation {
    let failed = outcomes.iter().filter(|outcome| outcome["success"] == json!(false)).count() as i64;
    NewValidation {
        layer: "bronze".into(),
        table: table.into(),
        suite: suite.into(),
        success: failed == 0,
        expectations: outcomes.len() as i64,
        failed,
        rows: 9,
        report: json!({"at": 0, "outcomes": outcomes}).to_string(),
    }
}

async fn page(validations: &[NewValidation]) -> String {
    let folder = tempfile::tempdir().expect("temporary folder");
    let store = TrackingStore::open(&StoreUrl::Sqlite(folder.path().join("almanac.db"))).expect("a new file");
    for (time, validation) in validations.iter().enumerate() {
        store.record_validation(validation, Millis(1_700_000_000_000 + time as i64 * 60_000)).expect("keeps");
    }
    let services = Services { tracking: Some(Arc::new(store)), ..Services::forecasts(Arc::new(FakeService::default())) };
    let request = Request::get("/checks").body(Body::empty()).expect("valid request");
    let response = router(services).oneshot(request).await.expect("the router cannot fail");
    assert_eq!(response.status(), 200);
    let bytes = response.into_body().collect().await.expect("the body has an end").to_bytes();
    String::from_utf8(bytes.to_vec()).expect("text")
}

#[tokio::test]
async fn without_a_validation_the_page_says_how_to_get_one() {
    let text = page(&[]).await;
    assert!(text.contains("No checks yet") && text.contains("almanac check --suggest --write"), "{text}");
}

#[tokio::test]
async fn a_suite_that_holds_says_so_and_shows_what_it_asked() {
    let text = page(&[validation("sales", "daily", &[outcome("region", true, json!([]))])]).await;
    for part in ["All <strong>1</strong> expectations hold", "bronze · sales", "all 1 hold", "<code>daily</code>", "2023-11-14 22:13 UTC"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("<svg class=\"trend\""), "one look is no trend");
}

#[tokio::test]
async fn what_fails_comes_first_with_its_values_and_its_past() {
    let held = validation("aaa", "daily", &[outcome("region", true, json!([]))]);
    let mixed = [outcome("held", true, json!([])), outcome("region", false, json!(["moon", 7, null]))];
    let text = page(&[held.clone(), validation("sales", "daily", &mixed[..1]), validation("sales", "daily", &mixed), held]).await;
    assert!(text.contains("<strong>1</strong> of 3 expectations failed"), "{text}");
    let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part}: {text}"));
    assert!(place("bronze · sales") < place("bronze · aaa"));
    assert!(place("<code>region</code>") < place("<code>held</code>"));
    assert!(text.contains("<code>moon</code>, <code>7</code>, <code>null</code>"), "{text}");
    assert!(text.contains("failed expectations over the last 2 looks"), "{text}");
}

#[tokio::test]
async fn hostile_text_from_the_data_stays_text() {
    let hostile = [outcome(HOSTILE, false, json!([HOSTILE, {"a": HOSTILE}]))];
    let text = page(&[validation(HOSTILE, HOSTILE, &hostile)]).await;
    assert!(text.contains("&lt;script&gt;alert("), "{text}");
    let body = text.split("<main").nth(1).expect("the page has a main part");
    assert!(!body.contains("<script>alert") && !body.contains("<b>"), "{body}");
}

#[tokio::test]
async fn a_report_that_cannot_be_read_leaves_its_numbers() {
    let broken = NewValidation { report: "{cut".into(), ..validation("sales", "daily", &[outcome("region", false, json!([]))]) };
    let text = page(&[broken]).await;
    assert!(text.contains("1 of 1 failed"), "{text}");
}
