//! Counters and histograms of the server, kept in a recorder of its own and shown at `/metrics`.
//!
//! The recorder is not the process-wide one, so that two servers in one process do not add up.

use crate::ForecastService;
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use jiff::Timestamp;
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Upper ends of the latency buckets, in seconds.
const LATENCY_BUCKETS: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// The server's recorder.
#[derive(Clone)]
pub(crate) struct Telemetry {
    recorder: Arc<PrometheusRecorder>,
    handle: PrometheusHandle,
}

impl Telemetry {
    pub(crate) fn new() -> Self {
        let latency = Matcher::Full("almanac_http_request_duration_seconds".to_owned());
        let builder = PrometheusBuilder::new().set_buckets_for_metric(latency, &LATENCY_BUCKETS).expect("the buckets are not empty");
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            describe_counter!("almanac_http_requests_total", "Requests answered, by route, method and status.");
            describe_histogram!("almanac_http_request_duration_seconds", "Seconds until the answer began, by route, method and status.");
            describe_counter!("almanac_predict_rows_total", "Forecast rows answered by `/api/v1/predict`.");
            describe_gauge!("almanac_forecast_age_seconds", "Seconds since the newest forecasts were issued.");
            describe_gauge!("almanac_ready", "1 if forecasts can be served.");
            describe_gauge!("almanac_build_info", "Always 1; the labels say what is running.");
            gauge!("almanac_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
            counter!("almanac_predict_rows_total").absolute(0);
        });
        Self { recorder: Arc::new(recorder), handle }
    }

    /// Counts forecast rows of a predict answer.
    pub(crate) fn predicted(&self, rows: usize) {
        metrics::with_local_recorder(&*self.recorder, || counter!("almanac_predict_rows_total").increment(rows as u64));
    }

    /// Returns the Prometheus text, with the gauges that are read on demand.
    pub(crate) fn render(&self, service: &dyn ForecastService) -> String {
        let readiness = service.readiness();
        let issued_at = readiness.issued_at.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
        metrics::with_local_recorder(&*self.recorder, || {
            gauge!("almanac_ready").set(f64::from(u8::from(readiness.ready)));
            if let Some(issued_at) = issued_at {
                gauge!("almanac_forecast_age_seconds").set(Timestamp::now().duration_since(issued_at).as_secs_f64());
            }
        });
        self.handle.render()
    }

    /// Folds recorded latencies into their buckets, so that memory stays bounded when nobody scrapes.
    pub(crate) async fn keep_up(self) {
        let mut ticks = tokio::time::interval(Duration::from_secs(5));
        loop {
            ticks.tick().await;
            self.handle.run_upkeep();
        }
    }

    fn answered(&self, method: &str, route: &str, status: u16, took: Duration) {
        let labels = [("method", method.to_owned()), ("route", route.to_owned()), ("status", status.to_string())];
        metrics::with_local_recorder(&*self.recorder, || {
            counter!("almanac_http_requests_total", &labels).increment(1);
            histogram!("almanac_http_request_duration_seconds", &labels).record(took.as_secs_f64());
        });
    }
}

/// Measures every request. Unknown paths share one label, so that a scan does not fill the memory.
pub(crate) async fn measure(State(telemetry): State<Telemetry>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = match request.method().as_str() {
        known @ ("GET" | "HEAD" | "POST") => known.to_owned(),
        _ => "other".to_owned(),
    };
    let route = request.extensions().get::<MatchedPath>().map_or("unknown", MatchedPath::as_str).to_owned();
    let response = next.run(request).await;
    let took = started.elapsed();
    tracing::debug!(method, route, status = response.status().as_u16(), ?took, "answered");
    telemetry.answered(&method, &route, response.status().as_u16(), took);
    response
}
