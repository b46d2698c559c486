//! `GET /api/v1/forecasts`: JSON, CSV or Parquet, sent while it is read.
//!
//! What fails before the first row is a problem with its status; what fails later cuts the connection, because a client
//! must not take half a table for a whole one.

use super::{level_or_leaves, query_error};
use crate::error::{ApiError, ServiceError};
use crate::router::App;
use crate::{Cutoff, ForecastQuery, ForecastService, csv};
use almanac_api::{ForecastRow, Problem};
use almanac_series::{Horizon, Quantile, SeriesId};
use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use jiff::Timestamp;
use serde::Deserialize;
use std::io::{self, Write};
use std::ops::ControlFlow;
use tokio::sync::mpsc;
use utoipa::{IntoParams, ToSchema};

/// Bytes gathered before they are sent.
const PIECE: usize = 64 << 10;

/// Which forecasts, and how written.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ForecastParams {
    /// Hierarchy level; the leaves where absent.
    level: Option<String>,
    /// Key of one series; all of the level where absent.
    series: Option<String>,
    /// Model; the champion where absent.
    model: Option<String>,
    /// Issue of the forecast: one of the cutoffs of `/api/v1/project`, or `latest`, which is meant where absent.
    cutoff: Option<String>,
    /// First steps only.
    horizon: Option<u32>,
    /// `json`, `csv` or `parquet`; where absent, what `Accept` asks for, else `json`.
    #[param(inline)]
    format: Option<Format>,
}

/// How forecasts are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Format {
    /// A list of objects.
    Json,
    /// `unique_id,ds,cutoff,model,mean,q…`.
    Csv,
    /// One Parquet file.
    Parquet,
}

impl Format {
    fn accepted(headers: &HeaderMap) -> Self {
        let accept = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
        if accept.contains("text/csv") {
            Self::Csv
        } else if accept.contains("application/vnd.apache.parquet") {
            Self::Parquet
        } else {
            Self::Json
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    fn ending(self) -> Option<&'static str> {
        match self {
            Self::Json => None,
            Self::Csv => Some("csv"),
            Self::Parquet => Some("parquet"),
        }
    }
}

/// Rows of the forecast table.
#[utoipa::path(get, path = "/api/v1/forecasts", tag = "forecasts", params(ForecastParams), responses(
    (status = 200, description = "Forecasts, sorted by series and timestamp", content(
        (Vec<ForecastRow> = "application/json"), (String = "text/csv"), (Vec<u8> = "application/vnd.apache.parquet")
    )),
    (status = 400, description = "Invalid parameters", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "Unknown level, series, model or cutoff", body = Problem, content_type = "application/problem+json"),
    (status = 503, description = "No forecasts yet", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn forecasts(
    State(app): State<App>,
    headers: HeaderMap,
    params: Result<Query<ForecastParams>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(params) = params.map_err(query_error)?;
    let format = params.format.unwrap_or_else(|| Format::accepted(&headers));
    let horizon = params.horizon.map(|steps| Horizon::new(steps as usize)).transpose();
    let horizon = horizon.map_err(|error| ApiError::invalid(format!("`horizon`: {error}"), None))?;
    let cutoff = params.cutoff.filter(|cutoff| cutoff != "latest").map_or(Cutoff::Latest, Cutoff::At);
    let level = app.caller.call(move |service| level_or_leaves(&service.project()?, params.level)).await?;
    let named = params.series.clone().unwrap_or_else(|| level.clone());
    let query = ForecastQuery { level, unique_id: params.series.map(SeriesId::new), model: params.model, cutoff, horizon };

    let (sender, mut pieces) = mpsc::channel(4);
    app.caller.start(move |service| send(service, &query, format, sender)).await?;
    let first = match pieces.recv().await {
        Some(Piece::Bytes(bytes)) => bytes,
        Some(Piece::End) => Vec::new(),
        Some(Piece::Failed(error)) => return Err(error.into()),
        None => return Err(ApiError::Panicked { message: "while forecasts were read".to_owned() }),
    };
    let rest = futures::stream::unfold((pieces, Some(first)), |(mut pieces, first)| async move {
        if let Some(first) = first {
            return Some((Ok(Bytes::from(first)), (pieces, None)));
        }
        match pieces.recv().await {
            Some(Piece::Bytes(bytes)) => Some((Ok(Bytes::from(bytes)), (pieces, None))),
            Some(Piece::End) => None,
            Some(Piece::Failed(error)) => {
                tracing::error!(%error, "forecasts broke off");
                Some((Err(io::Error::other("forecasts broke off")), (pieces, None)))
            }
            None => Some((Err(io::Error::other("forecasts broke off")), (pieces, None))),
        }
    });
    let mut response = ([(header::CONTENT_TYPE, format.kind())], Body::from_stream(rest.fuse())).into_response();
    if let Some(ending) = format.ending() {
        let disposition = format!("attachment; filename=\"{}\"", file_name(&named, ending, Timestamp::now()));
        let disposition = disposition.try_into().expect("a file name is plain ASCII");
        response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(response)
}

/// Returns a file name that every system accepts, e.g. `forecast_store_1_20240131T101500Z.csv`.
fn file_name(named: &str, ending: &str, now: Timestamp) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' };
    let named: String = named.chars().take(80).map(plain).collect();
    format!("forecast_{named}_{}.{ending}", now.strftime("%Y%m%dT%H%M%SZ"))
}

enum Piece {
    Bytes(Vec<u8>),
    Failed(ServiceError),
    /// All is sent; a channel that closes without it was left by a panic.
    End,
}

fn send(service: &dyn ForecastService, query: &ForecastQuery, format: Format, sender: mpsc::Sender<Piece>) {
    let mut out = Sender { sender, buffer: Vec::with_capacity(PIECE) };
    let outcome = match format {
        Format::Json => send_json(service, query, &mut out),
        Format::Csv => send_csv(service, query, &mut out),
        Format::Parquet => service.write_parquet(query, &mut out),
    };
    let last = match outcome {
        Ok(()) if out.flush().is_err() => return,
        Ok(()) => Piece::End,
        Err(error) => Piece::Failed(error),
    };
    // A client that has gone away needs no last piece.
    let _ = out.sender.blocking_send(last);
}

fn send_json(service: &dyn ForecastService, query: &ForecastQuery, out: &mut Sender) -> Result<(), ServiceError> {
    let mut separator = b'[';
    service.forecasts(query, &mut |row| {
        out.buffer.push(separator);
        separator = b',';
        serde_json::to_writer(&mut out.buffer, &row).expect("a row into memory");
        out.flow()
    })?;
    out.buffer.extend_from_slice(if separator == b'[' { b"[]" } else { b"]" });
    Ok(())
}

fn send_csv(service: &dyn ForecastService, query: &ForecastQuery, out: &mut Sender) -> Result<(), ServiceError> {
    let mut columns: Option<Vec<String>> = None;
    service.forecasts(query, &mut |row: ForecastRow| {
        let columns = columns.get_or_insert_with(|| {
            let columns: Vec<String> = row.quantiles.keys().cloned().collect();
            csv::write_header(&columns, &mut out.buffer);
            columns
        });
        csv::write_row(columns, &row, &mut out.buffer);
        out.flow()
    })?;
    if columns.is_none() {
        let mut columns = Vec::new();
        for quantile in service.project()?.quantiles {
            columns.push(Quantile::new(quantile).map_err(ServiceError::internal)?.column());
        }
        csv::write_header(&columns, &mut out.buffer);
    }
    Ok(())
}

/// Gathers bytes and hands them to the connection, waiting while it is slow.
struct Sender {
    sender: mpsc::Sender<Piece>,
    buffer: Vec<u8>,
}

impl Sender {
    /// Sends what is gathered if it is enough; breaks when the client has gone away.
    fn flow(&mut self) -> ControlFlow<()> {
        if self.buffer.len() >= PIECE && self.flush().is_err() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

impl Write for Sender {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let full = std::mem::replace(&mut self.buffer, Vec::with_capacity(PIECE));
        self.sender.blocking_send(Piece::Bytes(full)).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_is_plain_and_carries_the_time_in_utc() {
        let now: Timestamp = "2024-01-31T10:15:00Z".parse().expect("valid");
        assert_eq!(file_name("store 1/\"item\"é", "csv", now), "forecast_store_1__item___20240131T101500Z.csv");
    }
}
