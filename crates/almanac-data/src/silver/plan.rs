//! What is decided once the whole table has been seen: frequency, clock, codes and fills, and whether it can be a panel.
//!
//! Not here: laying series out (`grid`), files (`write`).

use almanac_series::{Freq, Period};

use super::SilverError;
use super::collect::{Collector, ExogState};
use super::columns::TimeKind;
use super::grid::{Clock, ExogPlan, Fill, GridPlan};
use super::local_time::{Utc, Zone};
use super::schema::{ExogColumn, ExogKind, ExogRole};

/// Cells per input row above which a panel is taken for a mistake, beside [`CELLS_ALLOWED`].
const CELLS_PER_ROW: u64 = 200;
const CELLS_ALLOWED: u64 = 20_000_000;

pub(super) fn frequency(collector: &mut Collector) -> Result<(Freq, bool), SilverError> {
    if let Some(freq) = collector.spec.freq {
        return Ok((freq, false));
    }
    if collector.time_kind == Some(TimeKind::Integer) {
        return Ok((Freq::Step, true));
    }
    if let Some(zone) = instant_zone(collector)? {
        for sample in collector.samples.iter_mut().flatten() {
            *sample = zone.local(*sample);
        }
    }
    let found = super::frequency::common_freq(&mut collector.samples);
    found.map(|freq| (freq, true)).map_err(|source| SilverError::Frequency { column: collector.spec.time.clone(), source })
}

fn instant_zone(collector: &Collector) -> Result<Option<Zone>, SilverError> {
    let Some(TimeKind::Instant(own)) = &collector.time_kind else { return Ok(None) };
    let name = collector.spec.timezone.as_ref().unwrap_or(own);
    let zone = Zone::new(name, collector.first, collector.last).ok_or_else(|| SilverError::TimeZone { name: name.clone() })?;
    Ok(Some(zone))
}

/// Hours are kept in UTC, days and longer in civil time.
pub(super) fn plan_clock(collector: &Collector, freq: Freq) -> Result<(Clock, Option<String>), SilverError> {
    if let Some(zone) = instant_zone(collector)? {
        return Ok(if freq.is_intraday() { (Clock::AsIs, collector.spec.timezone.clone()) } else { (Clock::UtcToLocal(zone), None) });
    }
    match &collector.spec.timezone {
        Some(name) => {
            let zone = Zone::new(name, collector.first, collector.last).ok_or_else(|| SilverError::TimeZone { name: name.clone() })?;
            Ok(if freq.is_intraday() { (Clock::LocalToUtc(zone), Some(name.clone())) } else { (Clock::AsIs, None) })
        }
        None => Ok((Clock::AsIs, None)),
    }
}

/// The period of a source timestamp; of its second coming where the hour is repeated and `late`.
fn period_of(freq: Freq, clock: &Clock, ds: i64, late: bool) -> Period {
    freq.period(match clock {
        Clock::AsIs => ds,
        Clock::UtcToLocal(zone) => zone.local(ds),
        Clock::LocalToUtc(zone) => match zone.utc(ds) {
            Utc::Once(at) => at,
            Utc::Twice(earlier, later) => {
                if late {
                    later
                } else {
                    earlier
                }
            }
            Utc::Never => ds - (zone.local(ds) - ds),
        },
    })
}

pub(super) fn plan_grid(collector: &Collector, freq: Freq, clock: Clock, exog: Vec<ExogPlan>) -> GridPlan {
    let observed = || collector.series.iter().filter(|seen| seen.last_observed != i64::MIN);
    let end = observed().map(|seen| period_of(freq, &clock, seen.last_observed, seen.at_last > 1)).max();
    let start = observed().map(|seen| period_of(freq, &clock, seen.first, false)).min();
    let season = freq.season_length().steps();
    GridPlan {
        freq,
        panel_start: start.expect("a series is observed"),
        panel_end: end.expect("a series is observed"),
        clock,
        horizon: collector.spec.horizon,
        patience: (2 * season).max(collector.spec.horizon).max(8) as i64, // Two seasons, and no short horizon ends a series.
        gaps: collector.spec.gaps,
        duplicates: collector.spec.duplicates,
        exog,
    }
}

pub(super) fn plan_exog(states: &[ExogState]) -> (Vec<ExogColumn>, Vec<ExogPlan>) {
    let plan = |state: &ExogState| {
        let kind = match state.kind.unwrap_or(ExogKind::Number) {
            ExogKind::Number | ExogKind::Flag if state.present > 0 && state.only_flags => ExogKind::Flag,
            ExogKind::Flag => ExogKind::Number,
            kind => kind,
        };
        let texts = state.texts.texts();
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_unstable_by_key(|code| &texts[*code]);
        let mut recode = vec![0.0; texts.len()];
        for (sorted, code) in order.iter().enumerate() {
            recode[*code] = sorted as f64;
        }
        let fill = match kind {
            ExogKind::Flag => Fill::Constant(0.0),
            ExogKind::Number if 2 * state.zeros > state.present => Fill::Constant(0.0),
            ExogKind::Number | ExogKind::Date => Fill::Carry,
            ExogKind::Category => {
                let most = order.iter().copied().max_by_key(|code| (state.text_counts[*code], std::cmp::Reverse(&texts[*code])));
                match most {
                    // The grid works in codes of first sight; sorted codes come last.
                    Some(code) if state.text_counts[code] >= state.missing => Fill::Constant(code as f64),
                    _ => Fill::Constant(f64::NAN),
                }
            }
        };
        let categories = order.iter().map(|code| texts[*code].to_string()).collect();
        let column = ExogColumn { name: state.name.clone(), role: state.role, kind, categories };
        (column, ExogPlan { ahead: state.role == ExogRole::Future, kind, fill, recode })
    };
    states.iter().map(plan).unzip()
}

pub(super) fn refuse_sparse(collector: &Collector, plan: &GridPlan) -> Result<(), SilverError> {
    let mut cells = 0;
    let mut longest = (0, 0);
    for (code, seen) in collector.series.iter().enumerate().filter(|(_, seen)| seen.last_observed != i64::MIN) {
        let (first, last) =
            (period_of(plan.freq, &plan.clock, seen.first, false), period_of(plan.freq, &plan.clock, seen.last_observed, true));
        let end = if plan.panel_end.since(last) > plan.patience { last } else { plan.panel_end };
        let span = (end.since(first) + 1).max(0) as u64;
        cells += span + plan.horizon as u64;
        longest = longest.max((span, code));
    }
    if cells <= CELLS_ALLOWED || cells <= collector.rows_in.saturating_mul(CELLS_PER_ROW) {
        return Ok(());
    }
    let seen = &collector.series[longest.1];
    let label = |ds, late| plan.freq.label(period_of(plan.freq, &plan.clock, ds, late));
    Err(SilverError::TooSparse {
        cells,
        rows: collector.rows_in,
        series: seen.id.to_string(),
        first: label(seen.first, false),
        last: label(seen.last_observed, true),
    })
}
