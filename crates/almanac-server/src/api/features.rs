//! `/api/v1/features`: what can be looked up, and the newest values; `/get-online-features`: the same in the form of Feast's server.

use crate::blocking::panic_message;
use crate::error::{ApiError, ServiceError};
use crate::router::{App, BODY_LIMIT};
use almanac_api::{
    FeastFeaturesRequest, FeastFeaturesResponse, FeastMetadata, FeastResult, FeatureCatalogue, FeatureStatus, FeatureValues,
    FeatureViewInfo, FeaturesRequest, FeaturesResponse, Problem,
};
use almanac_feature_store::{
    Answer, Cell, FeatureError, Micros, OnlineStore, Request, Status, Value, View, parse_instant, write_instant, write_span,
};
use almanac_series::Hint;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::de::DeserializeOwned;

/// Bodies up to this size are answered where they arrive: that takes less time than handing them to another thread.
const SMALL: usize = 16 << 10;

/// Feature views and services, and until when they are materialised.
#[utoipa::path(get, path = "/api/v1/features", tag = "features",
    responses((status = 200, description = "What can be looked up", body = FeatureCatalogue))
)]
pub(crate) async fn feature_catalogue(State(app): State<App>) -> Json<FeatureCatalogue> {
    Json(catalogue(app.features.as_deref()))
}

/// The newest values of features.
#[utoipa::path(post, path = "/api/v1/features", tag = "features",
    request_body(content = FeaturesRequest, example = json!({
        "features": ["sales:units_28d", "sales:price"],
        "entities": {"store": ["store_1", "store_2"], "item": ["item_7", "item_7"]}
    })),
    responses(
        (status = 200, description = "Values, one an entity", body = FeaturesResponse),
        (status = 400, description = "Invalid request; `detail` names the place", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such view, feature or service", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not materialised yet", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn features(State(app): State<App>, body: Result<Bytes, BytesRejection>) -> Result<Json<FeaturesResponse>, ApiError> {
    answer(app, body, |store, asked: FeaturesRequest| {
        let at = match &asked.at {
            None => Timestamp::now().as_microsecond(),
            Some(text) => parse_instant(text, &TimeZone::UTC).ok_or_else(|| {
                ApiError::invalid(format!("`at`: `{text}` is no time"), Some("write one such as `2024-01-31T12:00:00Z`".to_owned()))
            })?,
        };
        let request = Request {
            features: asked.features,
            service: asked.service,
            entities: asked.entities,
            at,
            is_exact: asked.at.is_some(),
            full_names: asked.full_names,
            is_feasts: false,
        };
        let found = store.look_up(&request).map_err(refused)?;
        Ok(FeaturesResponse {
            at: write_instant(at),
            entities: request.entities,
            features: found.features.into_iter().map(values).collect(),
        })
    })
    .await
}

/// The newest values of features, asked and answered as Feast's feature server does.
///
/// A Feast client with `online_store: {type: remote, path: "http://…"}` calls this.
#[utoipa::path(post, path = "/get-online-features", tag = "features",
    request_body = FeastFeaturesRequest,
    responses(
        (status = 200, description = "Keys, then features", body = FeastFeaturesResponse),
        (status = 400, description = "Invalid request; `detail` names the place", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "No such view, feature or service", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not materialised yet", body = Problem, content_type = "application/problem+json"),
    )
)]
pub(crate) async fn feast_features(
    State(app): State<App>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<FeastFeaturesResponse>, ApiError> {
    answer(app, body, |store, asked: FeastFeaturesRequest| {
        let request = Request {
            features: asked.features,
            service: asked.feature_service,
            entities: asked.entities,
            at: Timestamp::now().as_microsecond(),
            is_exact: false,
            full_names: asked.full_feature_names,
            is_feasts: true,
        };
        store.look_up(&request).map(in_feasts_form).map_err(refused)
    })
    .await
}

/// Reads a body and answers it; a large one on a thread that may take its time.
async fn answer<Q, A>(
    app: App,
    body: Result<Bytes, BytesRejection>,
    ask: impl FnOnce(&OnlineStore, Q) -> Result<A, ApiError> + Send + 'static,
) -> Result<Json<A>, ApiError>
where
    Q: DeserializeOwned,
    A: Send + 'static,
{
    let body = body.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => ApiError::TooLarge { limit: BODY_LIMIT },
        _ => ApiError::invalid("the body could not be read to its end", None),
    })?;
    let store = app.features.ok_or_else(nothing_declared)?;
    let is_small = body.len() <= SMALL;
    let work = move || ask(&store, read(&body)?);
    if is_small {
        return work().map(Json);
    }
    match tokio::task::spawn_blocking(work).await {
        Ok(answer) => answer.map(Json),
        Err(error) if error.is_panic() => Err(ApiError::Panicked { message: panic_message(&*error.into_panic()) }),
        Err(error) => Err(ServiceError::internal(error).into()),
    }
}

fn read<Q: DeserializeOwned>(body: &[u8]) -> Result<Q, ApiError> {
    if body.trim_ascii_start().first().is_none_or(|first| *first != b'{') {
        let hint = "send an object with `features` and `entities`; `/docs` has an example";
        return Err(ApiError::invalid("the body is not a JSON object", Some(hint.to_owned())));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let hint = || Some("`/docs` has an example; JSON has no NaN or infinity".to_owned());
    let asked = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let (path, said) = (error.path().to_string(), error.inner().to_string());
        ApiError::invalid(if path == "." { said } else { format!("`{path}`: {said}") }, hint())
    })?;
    json.end().map_err(|error| ApiError::invalid(error.to_string(), Some("send one JSON object and nothing after it".to_owned())))?;
    Ok(asked)
}

fn nothing_declared() -> ApiError {
    ServiceError::Invalid {
        detail: "no features are declared here".to_owned(),
        hint: Some("declare them in `features.yaml`, then `almanac features materialise`".to_owned()),
    }
    .into()
}

fn refused(error: FeatureError) -> ApiError {
    let hint = error.hint();
    match error {
        FeatureError::Unknown { what, name, .. } => ServiceError::NotFound { what, name }.into(),
        FeatureError::LeftOut { .. } => ApiError::NotImplemented { detail: error.to_string(), hint },
        FeatureError::NotServed { .. } => ApiError::NotMaterialised { detail: error.to_string(), hint },
        error => ApiError::invalid(error.to_string(), hint),
    }
}

fn status(status: Status) -> FeatureStatus {
    match status {
        Status::Present => FeatureStatus::Present,
        Status::NullValue => FeatureStatus::NullValue,
        Status::NotFound => FeatureStatus::NotFound,
        Status::OutsideMaxAge => FeatureStatus::OutsideMaxAge,
    }
}

fn values((name, cells): (String, Vec<Cell>)) -> FeatureValues {
    FeatureValues {
        name,
        values: cells.iter().map(|cell| cell.value.as_ref().map_or(serde_json::Value::Null, Value::to_json)).collect(),
        statuses: cells.iter().map(|cell| status(cell.status)).collect(),
        times: cells.iter().map(|cell| cell.time.map(write_instant)).collect(),
    }
}

fn in_feasts_form(answer: Answer) -> FeastFeaturesResponse {
    let epoch = || write_instant(0);
    let mut found = FeastFeaturesResponse { metadata: FeastMetadata { feature_names: Vec::new() }, results: Vec::new() };
    for (name, keys) in answer.keys {
        found.metadata.feature_names.push(name);
        found.results.push(FeastResult {
            statuses: vec![FeatureStatus::Present; keys.len()],
            event_timestamps: keys.iter().map(|_| epoch()).collect(),
            values: keys.iter().map(|key| key.to_json()).collect(),
        });
    }
    let value = |cell: &Cell| cell.value.as_ref().map_or(serde_json::Value::Null, feasts_value);
    for (name, cells) in answer.features {
        found.metadata.feature_names.push(name);
        found.results.push(FeastResult {
            values: cells.iter().map(value).collect(),
            statuses: cells.iter().map(|cell| status(cell.status)).collect(),
            event_timestamps: cells.iter().map(|cell| cell.time.map_or_else(epoch, feasts_instant)).collect(),
        });
    }
    found
}

/// An instant as Feast's server writes it: with no, three or six digits of the second, which is what older readers understand.
fn feasts_instant(micros: Micros) -> String {
    let (second, rest) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    let whole = write_instant(second * 1_000_000);
    match rest {
        0 => whole,
        rest if rest % 1_000 == 0 => whole.replace('Z', &format!(".{:03}Z", rest / 1_000)),
        rest => whole.replace('Z', &format!(".{rest:06}Z")),
    }
}

/// A value as Feast's server writes it: instants are seconds since 1970.
fn feasts_value(value: &Value) -> serde_json::Value {
    match value {
        Value::Time(micros) => micros.div_euclid(1_000_000).into(),
        Value::List(values) => values.iter().map(|value| value.as_ref().map_or(serde_json::Value::Null, feasts_value)).collect(),
        value => value.to_json(),
    }
}

/// What Feast's feature server also answers and this one does not, and what there is in its place.
const NOT_HERE: [(&str, &str); 7] = [
    ("/push", "write the rows to the source of the view, then `almanac features materialise`"),
    ("/write-to-online-store", "write the rows to the source of the view, then `almanac features materialise`"),
    ("/materialize", "`almanac features materialise --until TIME`; the server takes it over within a second"),
    ("/materialize-incremental", "`almanac features materialise --until TIME`; the server takes it over within a second"),
    ("/retrieve-online-documents", "there is no vector search; lists of numbers are looked up by their keys"),
    ("/search", "there is no vector search; lists of numbers are looked up by their keys"),
    ("/chat", "look features up by their keys: `POST /get-online-features`"),
];

/// Routes of Feast's server that there are none of here: a clear answer for its clients.
pub(crate) fn not_of_feast() -> axum::Router<App> {
    NOT_HERE.iter().fold(axum::Router::new(), |router, (path, instead)| {
        let refuse = move || async move {
            {
                let detail = format!("`{path}` of Feast's feature server is not here");
                ApiError::NotImplemented { detail, hint: Some((*instead).to_owned()) }
            }
        };
        router.route(path, axum::routing::any(refuse))
    })
}

/// Returns what can be looked up.
pub(crate) fn catalogue(store: Option<&OnlineStore>) -> FeatureCatalogue {
    let Some(store) = store else { return FeatureCatalogue { views: Vec::new(), services: std::collections::BTreeMap::new() } };
    let declared = store.declarations();
    let name = |feature: &almanac_feature_store::FeatureRef| format!("{}:{}", feature.view, feature.feature);
    FeatureCatalogue {
        services: declared.services.iter().map(|service| (service.name.clone(), service.features.iter().map(name).collect())).collect(),
        views: declared.views.iter().map(|view| info(store, view)).collect(),
    }
}

fn info(store: &OnlineStore, view: &View) -> FeatureViewInfo {
    let size = store.size(&view.name);
    FeatureViewInfo {
        name: view.name.clone(),
        description: view.description.clone(),
        owner: view.owner.clone(),
        tags: view.tags.clone(),
        keys: view.keys.iter().map(|key| (key.name.clone(), key.kind.name().to_owned())).collect(),
        features: view.features().map(str::to_owned).collect(),
        ttl: view.ttl.map(write_span),
        online: view.online,
        until: size.map(|(_, _, until)| write_instant(until)),
        entities: size.map_or(0, |(entities, _, _)| entities as u64),
        bytes: size.map_or(0, |(_, bytes, _)| bytes as u64),
        trouble: store.why_absent(&view.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_have_the_digits_that_feasts_have() {
        let written: Vec<String> = [0, 1_500_000, 1_000_250, -1].map(feasts_instant).into();
        assert_eq!(
            written,
            ["1970-01-01T00:00:00Z", "1970-01-01T00:00:01.500Z", "1970-01-01T00:00:01.000250Z", "1969-12-31T23:59:59.999999Z"]
        );
    }
}
