//! Assessments over HTTP. What the store does is in its own suite.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::traces::{below_v3, started};
use super::{Mlflow, text};

async fn create(mlflow: &Mlflow, trace: &str, assessment: Value) -> (StatusCode, Value) {
    below_v3(mlflow, Method::POST, &format!("traces/{trace}/assessments"), json!({"assessment": assessment})).await
}

#[tokio::test]
async fn feedback_has_the_form_that_clients_read() {
    let mlflow = Mlflow::new();
    let (trace, _) = started(&mlflow).await;
    let feedback = json!({
        "assessment_name": "good", "trace_id": "ignored", "source": {"source_type": "HUMAN", "source_id": "me"},
        "create_time": "2023-11-14T22:13:20.123Z", "last_update_time": "2023-11-14T22:13:21Z",
        "feedback": {"value": 5, "error": {"error_code": "E", "error_message": "m"}}, "rationale": "r", "metadata": {"k": "v"}, "span_id": "s",
    });
    let (status, made) = create(&mlflow, &trace, feedback).await;
    assert_eq!(status, StatusCode::OK, "{made}");
    let id = text(&made, "/assessment/assessment_id");
    let expected = json!({"assessment": {
        "assessment_id": id, "assessment_name": "good", "trace_id": trace, "span_id": "s",
        "source": {"source_type": "HUMAN", "source_id": "me"},
        "create_time": "2023-11-14T22:13:20.123Z", "last_update_time": "2023-11-14T22:13:21Z",
        "feedback": {"value": 5.0, "error": {"error_code": "E", "error_message": "m"}}, "rationale": "r", "metadata": {"k": "v"}, "valid": true,
    }});
    assert_eq!(made, expected);
    let (_, got) = below_v3(&mlflow, Method::GET, &format!("traces/{trace}/assessments/{id}"), Value::Null).await;
    assert_eq!(got, expected);
    let (_, with_it) = below_v3(&mlflow, Method::GET, &format!("traces/{trace}"), Value::Null).await;
    assert_eq!(with_it["trace"]["trace_info"]["assessments"][0], expected["assessment"]);
}

#[tokio::test]
async fn lists_are_expected_as_text_and_plain_values_as_they_are() {
    let mlflow = Mlflow::new();
    let (trace, _) = started(&mlflow).await;
    let serialized = json!({"serialized_value": {"serialization_format": "JSON_FORMAT", "value": "[1, {\"a\": null}]"}});
    let (_, made) = create(&mlflow, &trace, json!({"assessment_name": "e", "expectation": serialized})).await;
    let expected = json!({"serialized_value": {"serialization_format": "JSON_FORMAT", "value": "[1,{\"a\":null}]"}});
    assert_eq!(made["assessment"]["expectation"], expected);
    let (_, made) = create(&mlflow, &trace, json!({"assessment_name": "e", "expectation": {"value": "yes"}})).await;
    assert_eq!(made["assessment"]["expectation"], json!({"value": "yes"}));
    let (_, made) = create(&mlflow, &trace, json!({"assessment_name": "i-1", "issue": {"issue_name": "broken"}})).await;
    assert_eq!(made["assessment"]["issue"], json!({"issue_name": "broken"}));
}

#[tokio::test]
async fn updates_follow_their_mask() {
    let mlflow = Mlflow::new();
    let (trace, _) = started(&mlflow).await;
    let (_, made) = create(&mlflow, &trace, json!({"assessment_name": "a", "feedback": {"value": true}, "rationale": "old"})).await;
    let path = format!("traces/{trace}/assessments/{}", text(&made, "/assessment/assessment_id"));
    let change = json!({"assessment_name": "b", "feedback": {"value": false}, "rationale": "new"});
    let (_, updated) =
        below_v3(&mlflow, Method::PATCH, &path, json!({"assessment": change, "update_mask": "assessmentName,feedback"})).await;
    let updated = &updated["assessment"];
    assert_eq!(
        (&updated["assessment_name"], &updated["feedback"]["value"], &updated["rationale"]),
        (&json!("b"), &json!(false), &json!("old"))
    );
    let (status, refused) = below_v3(&mlflow, Method::PATCH, &path, json!({"assessment": change})).await;
    assert_eq!((status, &refused["error_code"]), (StatusCode::BAD_REQUEST, &json!("INVALID_PARAMETER_VALUE")));
    assert_eq!(below_v3(&mlflow, Method::DELETE, &path, Value::Null).await, (StatusCode::OK, json!({})));
    assert_eq!(below_v3(&mlflow, Method::GET, &path, Value::Null).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_no_assessment_is_refused() {
    let mlflow = Mlflow::new();
    let (trace, _) = started(&mlflow).await;
    let odd = [
        json!({"assessment_name": "a"}),
        json!({"assessment_name": 5, "feedback": {"value": 1}}),
        json!({"assessment_name": "a", "feedback": 1}),
        json!({"assessment_name": "a", "feedback": {"value": 1}, "create_time": "yesterday"}),
        json!({"assessment_name": "a", "feedback": {"value": 1}, "metadata": {"a": 1}}),
        json!({"assessment_name": "a", "feedback": {"value": 1}, "source": {"source_type": "ROBOT"}}),
        json!({"assessment_name": "a", "expectation": {}}),
        json!({"assessment_name": "a", "expectation": {"serialized_value": {"serialization_format": "PICKLE", "value": "x"}}}),
        json!({"assessment_name": "a", "expectation": {"serialized_value": {"serialization_format": "JSON_FORMAT", "value": "{"}}}),
    ];
    for assessment in odd {
        let (status, answer) = create(&mlflow, &trace, assessment.clone()).await;
        assert_eq!((status, &answer["error_code"]), (StatusCode::BAD_REQUEST, &json!("INVALID_PARAMETER_VALUE")), "{assessment}: {answer}");
    }
    let (status, _) = create(&mlflow, "tr-none", json!({"assessment_name": "a", "feedback": {"value": 1}})).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}
