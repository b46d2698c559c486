//! What is in the tables, column by column, and what changed since the version before.

use almanac_api::ProjectInfo;
use almanac_profile::{ColumnDrift, ColumnSummary, Drift, SchemaChange, VersionLine};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use maud::{Markup, html};
use serde::Deserialize;

use super::layout::{Place, layout};
use super::problem::{problem, sentence};
use super::wording::{count, instant, percent, short};
use super::{encoded, page};
use crate::ServiceError;
use crate::data_report::{DataReport, ShownTable};
use crate::router::App;

/// Columns of a table from which one may ask for those that drifted.
const MANY: usize = 12;
/// Bars of a picture of many periods.
const BARS: usize = 48;
const HEIGHT: f64 = 30.0;
const STEP: f64 = 6.0;

/// Which table.
#[derive(Debug, Deserialize)]
pub(crate) struct DataParams {
    table: Option<String>,
    /// `drifted`: only the columns that did.
    columns: Option<String>,
}

/// `GET /data`.
pub(crate) async fn data(State(app): State<App>, params: Result<Query<DataParams>, QueryRejection>) -> Response {
    let (table, columns) = params.map(|Query(params)| (params.table, params.columns)).unwrap_or_default();
    let only_drifted = columns.as_deref() == Some("drifted");
    let asked = app.caller.call(move |service| {
        let project = service.project()?;
        let report = match service.data(table.as_deref()) {
            Err(ServiceError::NotReady { reason }) => Err(reason),
            other => Ok(other?),
        };
        Ok((project, report))
    });
    match asked.await {
        Err(error) => problem(error.into_problem()),
        Ok((project, Ok(report))) => answer(&project, &report, only_drifted),
        Ok((project, Err(reason))) => {
            let body = html! {
                main #main.message {
                    h1 { "No profiles yet" }
                    p { (sentence(&reason)) }
                    p.hint { "Every run keeps a profile of each table:" }
                    pre { code { "almanac run" } }
                }
            };
            page(StatusCode::OK, layout("Data", Place::Data, Some(&project), &html! {}, &body))
        }
    }
}

fn answer(project: &ProjectInfo, report: &DataReport, only_drifted: bool) -> Response {
    let shown = &report.shown;
    let drifted = shown.drift.as_ref().map_or(0, |drift| drift.columns.iter().filter(|column| column.is_drift).count());
    let only_drifted = only_drifted && drifted > 0;
    let body = html! {
        main #main.board.data {
            div.board-head {
                h1 { "Data" }
                (lead(shown))
            }
            div.filters {
                nav aria-label="Table" {
                    span.filter-name { "Table" }
                    div.segments {
                        @for name in &report.tables {
                            a href={ "/data?table=" (encoded(name)) } aria-current=[(*name == shown.name).then_some("true")] { (name) }
                        }
                    }
                }
                @if drifted > 0 && shown.summary.columns.len() > MANY {
                    nav aria-label="Columns" {
                        span.filter-name { "Columns" }
                        div.segments {
                            @let link = format!("/data?table={}", encoded(&shown.name));
                            a href=(link) aria-current=[(!only_drifted).then_some("true")] { "all " (shown.summary.columns.len()) }
                            a href={ (link) "&columns=drifted" } aria-current=[only_drifted.then_some("true")] { (drifted) " drifted" }
                        }
                    }
                }
            }
            @if let Some(drift) = &shown.drift { (verdict(drift)) }
            div.card.table-scroll { (columns(shown, only_drifted)) }
            (legend(shown))
            (versions(&shown.versions))
        }
    };
    page(StatusCode::OK, layout("Data", Place::Data, Some(project), &html! {}, &body))
}

fn lead(shown: &ShownTable) -> Markup {
    let summary = &shown.summary;
    html! {
        p.lead {
            strong { (count(summary.rows)) " rows" } " in " (summary.columns.len()) " columns"
            @if let Some(key) = &summary.key {
                ", " strong { @if !key.is_exact { "about " } (count(key.series)) " series" } " by " (key.columns.join(" and "))
                @if let Some([least, middle, most]) = key.rows_per_series {
                    @if least == most { " of " (count(least)) " rows each" }
                    @else { " of " (count(least)) " to " (count(most)) " rows, half of them at least " (count(middle)) }
                }
                @if key.null_rows > 0 { "; " (count(key.null_rows)) " rows have no key" }
            }
            "."
        }
    }
}

/// What changed since the version before, most telling first.
fn verdict(drift: &Drift) -> Markup {
    let verdict = &drift.verdict;
    let series = drift.key.as_ref().map(|key| &key.change);
    html! {
        section.card.changes.drifted[verdict.is_drift] aria-labelledby="changes" {
            h2 #changes {
                @if !verdict.is_changed { "Nothing differs from the version before" }
                @else if verdict.is_drift { "The data drifted since the version before" }
                @else { "What changed since the version before" }
            }
            @if verdict.is_changed {
                ul {
                    li {
                        (count(drift.rows.before)) " → " strong { (count(drift.rows.after)) } " rows"
                        @if verdict.tested > 0 {
                            ", " strong { (verdict.drifted) } " of " (verdict.tested) " tested columns drifted (the table counts as drifted from "
                            (percent(Some(verdict.threshold))) ")"
                        }
                    }
                    @if let Some(series) = series {
                        @for (number, names, word) in [(series.new, &series.new_names, "new"), (series.vanished, &series.vanished_names, "gone")] {
                            @if let Some(number) = number.filter(|number| *number > 0) {
                                li {
                                    @if !series.is_exact { "about " }
                                    strong { (count(number)) } " series " (word) @if !names.is_empty() { ": " (listed(names, number)) }
                                }
                            }
                        }
                    }
                    @for change in &drift.schema { li { (schema(change)) } }
                    @for remark in &verdict.remarks { li { (sentence(remark)) } }
                }
            }
        }
    }
}

fn schema(change: &SchemaChange) -> Markup {
    html! {
        @match change {
            SchemaChange::Added { column, data_type } => { "column " code { (column) } " is new (" (data_type) ")" }
            SchemaChange::Removed { column, data_type } => { "column " code { (column) } " is gone (it was " (data_type) ")" }
            SchemaChange::Retyped { column, before, after } => { "column " code { (column) } " was " (before) " and is " (after) }
            SchemaChange::Nullability { column, is_nullable } => {
                "column " code { (column) } @if *is_nullable { " may be null now" } @else { " may no longer be null" }
            }
        }
    }
}

fn columns(shown: &ShownTable, only_drifted: bool) -> Markup {
    html! {
        table.numbers.profile {
            caption.visually-hidden { "The columns of " (shown.name) }
            thead {
                tr {
                    th scope="col" { "Column" }
                    th scope="col" { "Distribution" }
                    th.number scope="col" { "Missing" }
                    th.number scope="col" { "Distinct" }
                    th scope="col" { "What is in it" }
                    @if shown.drift.is_some() { th scope="col" { "Since before" } }
                }
            }
            tbody {
                @for column in &shown.summary.columns {
                    @let drift = shown.drift.as_ref().map(|drift| drift.columns.iter().find(|other| other.name == column.name));
                    @if !only_drifted || drift.flatten().is_some_and(|drift| drift.is_drift) { tr.drifted[drift.flatten().is_some_and(|drift| drift.is_drift)] {
                        th scope="row" { span.model-name { (column.name) } span.kind { (column.data_type) } }
                        td { (picture(column, drift.flatten())) }
                        td.number.off[column.missing_share >= 0.05] data-name="missing" { @if column.missing == 0 { "–" } @else { (percent(Some(column.missing_share))) } }
                        td.number data-name="distinct" {
                            @if let Some(distinct) = column.distinct {
                                @if !column.distinct_is_exact { span title="within 3 %" { "≈ " } }
                                (count(distinct))
                            }
                        }
                        td.what { (what(column)) }
                        @if let Some(drift) = drift { td.what { (since(drift)) } }
                    } }
                }
            }
        }
    }
}

/// Bars of now, with marks where they were before.
fn picture(column: &ColumnSummary, drift: Option<&ColumnDrift>) -> Markup {
    let now: Vec<f64> = match (drift, &column.number, &column.time) {
        (Some(drift), _, None) if !drift.bars.after.is_empty() => drift.bars.after.clone(),
        (_, Some(number), _) => number.bars.iter().map(|rows| *rows as f64).collect(),
        (_, _, Some(time)) => squeezed(&time.rows.iter().map(|period| period.rows as f64).collect::<Vec<_>>(), BARS),
        _ => column.top.iter().map(|value| value.count as f64).collect(),
    };
    let before = drift.filter(|drift| drift.bars.before.len() == now.len()).map(|drift| drift.bars.before.as_slice()).unwrap_or_default();
    let full = now.iter().chain(before).copied().fold(0.0, f64::max);
    if now.is_empty() || full <= 0.0 {
        return html! { span.small { "–" } };
    }
    let names = drift.map(|drift| drift.bar_names.as_slice()).unwrap_or_default();
    let width = STEP * now.len() as f64;
    let y = |share: &f64| HEIGHT - (share / full * HEIGHT).max(if *share > 0.0 { 1.0 } else { 0.0 });
    html! {
        svg.bars viewBox={ "0 0 " (width) " " (HEIGHT) } width=(width) height=(HEIGHT) role="img" aria-label={ "distribution of " (column.name) } {
            @for (index, share) in now.iter().enumerate() {
                rect.now x=(STEP * index as f64) y=(format!("{:.1}", y(share))) width=(STEP - 1.0) height=(format!("{:.1}", HEIGHT - y(share))) {
                    @if let Some(name) = names.get(index) { title { (name) " " (percent(Some(*share))) } }
                }
            }
            @for (index, share) in before.iter().enumerate() {
                rect.before x=(STEP * index as f64 - 0.5) y=(format!("{:.1}", y(share).min(HEIGHT - 1.0))) width=(STEP) height="1.4" {}
            }
        }
    }
}

fn squeezed(counts: &[f64], most: usize) -> Vec<f64> {
    if counts.len() <= most {
        return counts.to_vec();
    }
    let of = |bar: usize| bar * counts.len() / most;
    (0..most).map(|bar| counts[of(bar)..of(bar + 1)].iter().sum::<f64>() / (of(bar + 1) - of(bar)) as f64).collect()
}

fn what(column: &ColumnSummary) -> Markup {
    let present = column.rows - column.missing;
    html! {
        @if column.kind == "personal" {
            span.badge { "personal" } " not shown"
        } @else if present == 0 {
            "nothing"
        } @else if let Some(own) = &column.number {
            @let at = |level: u8| own.quantiles.iter().find(|(known, _)| *known == level).map(|(_, value)| *value);
            (figure(own.min)) " to " (figure(own.max)) ", median " (figure(at(50))) ", mean " (figure(own.mean))
            @if own.stdev.is_some() { " ± " (figure(own.stdev)) }
            @if own.zero_share > 0.0 { ", " (percent(Some(own.zero_share))) " zero" }
            @if own.negative_share > 0.0 { ", " (percent(Some(own.negative_share))) " negative" }
            @if own.infinite > 0 { ", " (count(own.infinite)) " infinite" }
        } @else if let Some(own) = &column.time {
            (own.first.as_deref().unwrap_or("")) " to " (own.last.as_deref().unwrap_or("")) ", " (count(own.periods)) " " (own.unit.name()) "s"
            @if own.empty_periods > 0 { ", " strong { (count(own.empty_periods)) " missing" } } @else { ", none missing" }
        } @else {
            @for (index, value) in column.top.iter().take(4).enumerate() {
                @if index > 0 { ", " }
                code { (clip(&value.value)) } " " (percent(Some(value.count as f64 / present as f64)))
            }
            @if let Some(own) = &column.text {
                @if own.blank > 0 { ", " strong { (count(own.blank)) " blank" } }
                @if own.padded > 0 { ", " (count(own.padded)) " with blanks around" }
            }
        }
    }
}

fn since(drift: Option<&ColumnDrift>) -> Markup {
    let Some(drift) = drift else {
        return html! { span.badge.new { "new column" } };
    };
    let named =
        [(drift.new_category_count, &drift.new_categories, "new"), (drift.vanished_category_count, &drift.vanished_categories, "gone")];
    html! {
        @if drift.is_drift { span.badge.skipped { "drift" } " " }
        @if drift.is_identifier && drift.method.is_none() { span title="nearly every row has a value of its own" { "names rows" } }
        @if let (Some(method), Some(score)) = (drift.method, drift.score) {
            span title={ "limit " (drift.threshold.unwrap_or(f64::NAN)) } { (method.name()) " " (format!("{score:.3}")) }
        }
        @if let (Some(before), Some(after)) = (drift.mean.before, drift.mean.after) {
            @if figure(Some(before)) != figure(Some(after)) { ", mean " (figure(Some(before))) " → " (figure(Some(after))) }
        }
        @if drift.is_missing_drift { ", missing " (percent(Some(drift.missing.before))) " → " (percent(Some(drift.missing.after))) }
        @for (number, values, word) in named {
            @if let (Some(number), Some(values)) = (number.filter(|number| *number > 0), values) {
                @let names: Vec<String> = values.iter().map(|value| clip(&value.value)).collect();
                ", " (count(number)) " " (word) ": " (listed(&names, number))
            }
        }
        @if let Some(periods) = &drift.periods {
            (count(periods.new)) " " (periods.unit.name()) "s new"
            @if periods.vanished > 0 { ", " strong { (count(periods.vanished)) " gone" } }
            @if periods.changed > 0 { ", " strong { (count(periods.changed)) " with other rows" } }
        }
    }
}

fn legend(shown: &ShownTable) -> Markup {
    html! {
        p.small {
            "Bars: numbers from the 1 % to the 99 % quantile, times by period, texts by their most frequent values."
            @if shown.drift.is_some() {
                " Lines across the bars: the version before. Tests and limits are those of Evidently: distances from 0.1 (or what chance alone gives, where that is more), p-values up to 0.05."
            }
        }
    }
}

fn versions(versions: &[VersionLine]) -> Markup {
    html! {
        section.glossary aria-labelledby="versions" {
            h2 #versions { "Versions" }
            div.card.table-scroll {
                table.numbers {
                    thead { tr { th scope="col" { "Version" } th scope="col" { "Kept" } th.number scope="col" { "Rows" } } }
                    tbody {
                        @for line in versions.iter().rev().take(10) {
                            tr {
                                td { code { (short(&line.version)) } }
                                td { (jiff::Timestamp::from_millisecond(line.kept_at).map_or_else(|_| String::new(), |at| instant(&at.to_string()))) }
                                td.number { (count(line.rows)) }
                            }
                        }
                    }
                }
            }
            p.small { "Any two can be compared: " code { "almanac data diff --tables NAME@VERSION NAME@VERSION" } }
        }
    }
}

/// A number with four significant digits.
fn figure(value: Option<f64>) -> String {
    let Some(value) = value else { return "–".to_owned() };
    let size = value.abs();
    if value.fract() == 0.0 && size < 1e15 {
        return format!("{}{}", if value < 0.0 { "−" } else { "" }, count(size as u64));
    }
    if !value.is_finite() || !(1e-4..1e9).contains(&size) {
        return format!("{value:.3e}");
    }
    let decimals = (3 - size.log10().floor() as i32).max(0) as usize;
    let text = format!("{value:.decimals$}").replace('-', "−");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

fn clip(text: &str) -> String {
    if text.chars().count() <= 28 { text.to_owned() } else { text.chars().take(27).chain(['…']).collect() }
}

fn listed(names: &[String], all: u64) -> String {
    let shown: Vec<&str> = names.iter().take(6).map(String::as_str).collect();
    format!("{}{}", shown.join(", "), if all > shown.len() as u64 { ", …" } else { "" })
}
