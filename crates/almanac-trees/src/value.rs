//! What series are worth: their level times their newest price, by which training rows may weigh.

use std::collections::HashMap;

use almanac_model::FitError;
use almanac_series::{Panel, SeriesId, SeriesView, StaticValues};

use crate::columns::unknown;
use crate::target::bounded;

/// Price of each series, and what a typical series is worth.
#[derive(Debug)]
pub(crate) struct Values {
    /// Empty where there is no price: all series then cost the same.
    prices: HashMap<SeriesId, f64>,
    typical_price: f64,
    typical: f64,
}

impl Values {
    /// Reads the newest price of every series of a panel: from a known-ahead, historic or static column of numbers.
    pub(crate) fn new(model: &str, panel: &Panel, price: Option<&str>) -> Result<Self, FitError> {
        let mut prices = HashMap::new();
        if let Some(column) = price {
            let newest = newest_value(panel, column).ok_or_else(|| {
                let statics = panel.statics().iter().filter(|known| matches!(known.values, StaticValues::Number(_)));
                let known = panel.future_names().chain(panel.historic_names()).chain(statics.map(|known| &*known.name));
                unknown(model, "price", column, "column of numbers", known.map(str::to_owned).collect())
            })?;
            for view in panel.views() {
                prices.extend(newest(&view).filter(|price| *price > 0.0).map(|price| (view.id().clone(), price)));
            }
        }
        let typical_price = median(prices.values().copied().collect());
        let mut of = Self { prices, typical_price, typical: 1.0 };
        let worth = panel
            .views()
            .filter_map(|view| {
                let (sum, count) = view.scored().fold((0.0, 0_usize), |(sum, count), (_, y)| (sum + y.abs(), count + 1));
                (sum > 0.0).then(|| of.price(view.id()) * sum / count as f64)
            })
            .collect();
        of.typical = median(worth);
        Ok(of)
    }

    /// Returns the weight of a row of a series at a level of its sales.
    pub(crate) fn weight(&self, id: &SeriesId, level: f64) -> f32 {
        bounded(level * self.price(id) / self.typical, 1.0)
    }

    /// Price of a series; the typical one where it has none.
    fn price(&self, id: &SeriesId) -> f64 {
        self.prices.get(id).copied().unwrap_or(self.typical_price)
    }
}

/// The upper median, 1 of nothing.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(1.0)
}

type Newest<'a> = Box<dyn Fn(&SeriesView<'_>) -> Option<f64> + 'a>;

fn newest_value<'a>(panel: &'a Panel, column: &str) -> Option<Newest<'a>> {
    let newest = |values: &[f64]| values.iter().rev().copied().find(|value| !value.is_nan());
    if let Some(at) = panel.future_names().position(|name| name == column).filter(|at| panel.future_categories(*at).is_empty()) {
        // Of what lies ahead nothing is taken: a weight is of what was learnt.
        return Some(Box::new(move |view| newest(&view.future(at)[..view.len()])));
    }
    if let Some(at) = panel.historic_names().position(|name| name == column) {
        return Some(Box::new(move |view| newest(view.historic(at))));
    }
    panel.statics().iter().find(|known| *known.name == *column).and_then(|known| match &known.values {
        StaticValues::Number(values) => {
            Some(Box::new(move |view: &SeriesView<'_>| values.get(view.span().static_row).copied()) as Newest<'a>)
        }
        StaticValues::Category { .. } => None,
    })
}
