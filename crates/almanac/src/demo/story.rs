//! The truth of one series: prices, promotions and daily sales, before any file gets it wrong.
//!
//! Sales are negative binomial around `level * trend * week * year * holiday * promotion * price^elasticity * noise`, where
//! the noise of one day carries over to the next. A stockout cuts the first day's sales and takes the others.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Gamma, Poisson};

use super::calendar::Calendar;
use super::catalogue::{Catalogue, Category, Item, Store};
use super::streams::{Topic, chance, normal, stream, uniform};

/// Share of series that start after the first day, and of those that end before the last.
const NEW_SHARE: f64 = 0.06;
const DISCONTINUED_SHARE: f64 = 0.04;
/// Noise of the log mean: what is left of yesterday's, and the deviation of what is added.
const NOISE_CARRY: f64 = 0.6;
const NOISE_DEVIATION: f64 = 0.08;
const PROMOTION_LABELS: [&str; 4] = ["Weekly deal", "Weekend special, while stocks last", "\"2 for less\"", "Clearance"];

/// One series, told.
#[derive(Debug)]
pub(crate) struct SeriesStory {
    /// Index of the store and of the item in the catalogue.
    pub(crate) store: usize,
    pub(crate) item: usize,
    /// Day index of the first entry of `sales`.
    pub(crate) first: usize,
    pub(crate) sales: Vec<DaySales>,
    pub(crate) prices: Vec<PriceSpell>,
    pub(crate) promotions: Vec<Promotion>,
    /// The till of this series writes no row on a day without a sale.
    pub(crate) omits_zeros: bool,
}

/// The sales of one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DaySales {
    pub(crate) units: u32,
    pub(crate) is_in_stock: bool,
}

/// A list price and the days it holds for, both ends included; no end means until further notice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PriceSpell {
    pub(crate) from: usize,
    pub(crate) to: Option<usize>,
    pub(crate) cents: u32,
}

/// A promotion, both ends included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Promotion {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) discount_percent: u32,
    pub(crate) label: &'static str,
}

impl SeriesStory {
    /// Tells series `index`.
    pub(crate) fn tell(seed: u64, index: u32, catalogue: &Catalogue, calendar: &Calendar) -> Self {
        let rng = &mut stream(seed, Topic::Series, u64::from(index));
        let (store_index, item_index) = Catalogue::place_of(index);
        let (store, item) = (&catalogue.stores[store_index], &catalogue.items[item_index]);
        let category = &catalogue.categories[item.category];

        let history = calendar.history;
        let (first, end) = life(rng, history);
        // A series that lives to the last day has prices and promotions ahead as well.
        let known_end = if end == history { calendar.days.len() } else { end };
        let list_price = item.price * store.price_factor;
        let prices = draw_prices(rng, list_price, first, known_end, known_end > end || end == history);
        let mut promotions = draw_promotions(rng, item, first, known_end);
        if index == 0 && promotions.is_empty() {
            // However small the demo, the file of promotions has a row.
            promotions.push(Promotion { from: first, to: known_end.min(first + 5) - 1, discount_percent: 20, label: PROMOTION_LABELS[0] });
        }
        let omits_zeros = item.is_intermittent && chance(rng, 0.7);
        let log_means = log_means(rng, store, item, category, calendar, first..end, list_price, &prices, &promotions);
        let sales = sell(rng, item, calendar, first, &log_means, &promotions);
        Self { store: store_index, item: item_index, first, sales, prices, promotions, omits_zeros }
    }
}

/// Draws the first day of a series and the day after its last.
fn life(rng: &mut ChaCha8Rng, history: usize) -> (usize, usize) {
    let length = history as f64;
    let (is_new, at) = (chance(rng, NEW_SHARE), uniform(rng, 0.2, 0.85));
    let first = if is_new { (at * length) as usize } else { 0 };
    let (is_discontinued, at) = (chance(rng, DISCONTINUED_SHARE), uniform(rng, 0.4, 0.95));
    let end = if is_discontinued && !is_new { ((at * length) as usize).max(1) } else { history };
    (first, end)
}

/// Draws list prices that change every few months, mostly upwards.
fn draw_prices(rng: &mut ChaCha8Rng, list_price: f64, first: usize, end: usize, is_open_ended: bool) -> Vec<PriceSpell> {
    let mut spells = Vec::new();
    let mut from = first;
    let mut price = list_price;
    while from < end {
        let next = from + rng.random_range(70..240_usize);
        let is_last = next >= end;
        // Prices end in 9, as on a shelf.
        let cents = ((price / 10.0).round().max(3.0) * 10.0 - 1.0) as u32;
        spells.push(PriceSpell { from, to: if is_last && is_open_ended { None } else { Some(next.min(end) - 1) }, cents });
        price *= 1.0 + normal(rng, 0.012, 0.04).clamp(-0.1, 0.15);
        from = next;
    }
    spells
}

/// Draws promotions of one or two weeks, some of them ahead of the last day of sales.
fn draw_promotions(rng: &mut ChaCha8Rng, item: &Item, first: usize, end: usize) -> Vec<Promotion> {
    let mut promotions = Vec::new();
    let usual_pause = if item.is_intermittent { 150.0 } else { 75.0 };
    let mut at = first;
    loop {
        at += uniform(rng, 0.25 * usual_pause, 1.75 * usual_pause) as usize;
        let days = [5, 7, 7, 10, 14][rng.random_range(0..5_usize)];
        if at + days > end {
            return promotions;
        }
        let discount_percent = [10, 15, 20, 25, 30][rng.random_range(0..5_usize)];
        let label = PROMOTION_LABELS[rng.random_range(0..PROMOTION_LABELS.len())];
        promotions.push(Promotion { from: at, to: at + days - 1, discount_percent, label });
        at += days;
    }
}

/// Computes the log of the mean of each day of `life`; closed days have none.
fn log_means(
    rng: &mut ChaCha8Rng,
    store: &Store,
    item: &Item,
    category: &Category,
    calendar: &Calendar,
    life: std::ops::Range<usize>,
    list_price: f64,
    prices: &[PriceSpell],
    promotions: &[Promotion],
) -> Vec<Option<f64>> {
    let level = item.log_level + store.log_size + normal(rng, 0.0, 0.25);
    // Three straight pieces a year long, then repeating; slopes are per day.
    let slopes: [f64; 3] = std::array::from_fn(|_| normal(rng, 0.00004, 0.00022));
    let amplitude = uniform(rng, 0.7, 1.3);
    let holiday_strength = uniform(rng, 0.7, 1.3);
    let display_lift = uniform(rng, 0.1, 0.35);
    let is_new = life.start > 0;
    let mut noise = normal(rng, 0.0, NOISE_DEVIATION);
    let mut trend = 0.0;
    let (mut spell, mut promotion) = (0, 0);
    let mut means = Vec::with_capacity(life.len());
    for at in life.clone() {
        let day = &calendar.days[at];
        trend += slopes[(at / 365) % slopes.len()];
        noise = NOISE_CARRY * noise + normal(rng, 0.0, NOISE_DEVIATION);
        while prices.get(spell + 1).is_some_and(|next| next.from <= at) {
            spell += 1;
        }
        while promotions.get(promotion).is_some_and(|current| current.to < at) {
            promotion += 1;
        }
        if day.is_closed {
            means.push(None);
            continue;
        }
        let season: f64 =
            category.year.iter().zip(1_u8..).map(|((size, phase), k)| size * (f64::from(k) * day.year_angle + phase).sin()).sum();
        let mut log_price = (f64::from(prices[spell].cents) / list_price).ln();
        let mut lift = 0.0;
        if let Some(current) = promotions.get(promotion).filter(|current| current.from <= at) {
            log_price += (1.0 - f64::from(current.discount_percent) / 100.0).ln();
            // The first days of a promotion sell best.
            lift = display_lift * (1.0 + 0.4 * (-((at - current.from) as f64) / 3.0).exp());
        }
        // A new item takes some weeks to be found.
        let ramp = if is_new { -1.2 * (-((at - life.start) as f64) / 20.0).exp() } else { 0.0 };
        means.push(Some(
            level
                + trend
                + category.week[day.weekday]
                + store.week[day.weekday]
                + amplitude * season
                + holiday_strength * day.holiday_lift[item.category]
                + category.elasticity * log_price
                + lift
                + ramp
                + noise,
        ));
    }
    means
}

/// Draws counts, and lets the shelf run empty now and then, more often while a promotion runs.
fn sell(
    rng: &mut ChaCha8Rng,
    item: &Item,
    calendar: &Calendar,
    first: usize,
    log_means: &[Option<f64>],
    promotions: &[Promotion],
) -> Vec<DaySales> {
    let dispersion = if item.is_intermittent { 1.5 } else { uniform(rng, 6.0, 20.0) };
    let mut promotion = 0;
    let mut days_empty = 0_u32;
    let mut sales = Vec::with_capacity(log_means.len());
    for (offset, log_mean) in log_means.iter().enumerate() {
        let at = first + offset;
        debug_assert!(at < calendar.history);
        let Some(log_mean) = log_mean else {
            sales.push(DaySales { units: 0, is_in_stock: true });
            continue;
        };
        while promotions.get(promotion).is_some_and(|current| current.to < at) {
            promotion += 1;
        }
        let is_promoted = promotions.get(promotion).is_some_and(|current| current.from <= at);
        let demand = negative_binomial(rng, log_mean.exp(), dispersion);
        let runs_out = chance(rng, if is_promoted { 0.016 } else { 0.004 });
        if days_empty > 0 {
            days_empty -= 1;
            sales.push(DaySales { units: 0, is_in_stock: false });
        } else if runs_out {
            days_empty = rng.random_range(1..=5);
            let sold = (f64::from(demand) * uniform(rng, 0.1, 0.7)) as u32;
            sales.push(DaySales { units: sold, is_in_stock: false });
        } else {
            sales.push(DaySales { units: demand, is_in_stock: true });
        }
    }
    sales
}

/// Draws a count with this mean and variance `mean + mean² / dispersion`.
fn negative_binomial(rng: &mut ChaCha8Rng, mean: f64, dispersion: f64) -> u32 {
    let rate = Gamma::new(dispersion, mean / dispersion).map_or(mean, |gamma| gamma.sample(rng));
    // Poisson refuses a rate of zero, whose only value is zero.
    Poisson::new(rate).map_or(0, |poisson| {
        let count: f64 = poisson.sample(rng);
        count as u32
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::spec::DemoSpec;

    fn tell_all(series: u32, seed: u64) -> (Calendar, Catalogue, Vec<SeriesStory>) {
        let spec = DemoSpec { series, days: 1095, seed, horizon: 28 };
        let (calendar, catalogue) = (Calendar::new(&spec), Catalogue::new(seed, series));
        let stories = (0..series).map(|index| SeriesStory::tell(seed, index, &catalogue, &calendar)).collect();
        (calendar, catalogue, stories)
    }

    #[test]
    fn a_series_is_the_same_in_a_small_and_in_a_large_demo() {
        let (_, _, small) = tell_all(3, 7);
        let (_, _, large) = tell_all(600, 7);
        for (one, other) in small.iter().zip(&large) {
            assert_eq!(one.sales, other.sales);
        }
    }

    #[test]
    fn the_chain_has_all_the_troubles_that_its_description_promises() {
        let (calendar, catalogue, stories) = tell_all(500, 7);
        let share = |count: usize, of: usize| count as f64 / of as f64;
        let intermittent = stories.iter().filter(|story| catalogue.items[story.item].is_intermittent).count();
        let new = stories.iter().filter(|story| story.first > 0).count();
        let ended = stories.iter().filter(|story| story.first + story.sales.len() < calendar.history).count();
        let days: Vec<_> = stories.iter().flat_map(|story| &story.sales).collect();
        let empty = days.iter().filter(|day| !day.is_in_stock).count();
        let ahead = stories.iter().flat_map(|story| &story.promotions).filter(|promotion| promotion.to >= calendar.history).count();
        assert!((0.15..0.25).contains(&share(intermittent, stories.len())), "{intermittent} intermittent");
        assert!((0.03..0.10).contains(&share(new, stories.len())), "{new} new");
        assert!((0.015..0.08).contains(&share(ended, stories.len())), "{ended} discontinued");
        assert!((0.01..0.04).contains(&share(empty, days.len())), "{empty} days out of stock");
        assert!(ahead > 20, "{ahead} promotions known ahead");
    }

    #[test]
    fn prices_cover_every_day_once_and_promotions_do_not_overlap() {
        let (calendar, _, stories) = tell_all(200, 11);
        for story in &stories {
            let is_alive = story.first + story.sales.len() == calendar.history;
            let mut next = story.first;
            for spell in &story.prices {
                assert_eq!(spell.from, next);
                next = spell.to.map_or(calendar.days.len(), |to| to + 1);
            }
            assert_eq!(next, if is_alive { calendar.days.len() } else { story.first + story.sales.len() });
            assert!(story.promotions.is_sorted_by(|one, other| one.to < other.from));
        }
    }

    #[test]
    fn counts_have_the_mean_that_was_asked_for() {
        let rng = &mut stream(3, Topic::Series, 0);
        let draws = 20_000;
        let total: f64 = (0..draws).map(|_| f64::from(negative_binomial(rng, 4.0, 2.0))).sum();
        // Standard error of the mean: sqrt((4 + 16 / 2) / 20,000) = 0.025; four of them.
        assert!((total / f64::from(draws) - 4.0).abs() < 0.1);
        assert_eq!(negative_binomial(rng, 0.0, 2.0), 0);
    }
}
