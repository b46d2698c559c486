//! The chain: regions, stores, categories and items, with the traits their series share.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::streams::{Topic, chance, normal, stream, uniform};

/// How many categories there are.
pub(crate) const CATEGORY_COUNT: usize = 6;
/// How many items there are; store and item of a series follow from its index alone.
const ITEM_COUNT: u32 = 50;
/// Stores are opened in blocks of this size, so that even a demo of 20 series has several stores.
const STORE_BLOCK: u32 = 10;

const CATEGORIES: [(&str, &str); CATEGORY_COUNT] =
    [("Bakery", "BAK"), ("Beverages", "BEV"), ("Dairy", "DAI"), ("Frozen", "FRO"), ("Household", "HOU"), ("Produce", "PRO")];

/// Names as people type them: with commas, quotes and line breaks inside.
const ITEM_NAMES: [[&str; 9]; CATEGORY_COUNT] = [
    [
        "Sourdough loaf",
        "Bagel, plain",
        "Baguette \"classic\"",
        "Croissant",
        "Rye bread, sliced",
        "Muffin",
        "Brioche",
        "Pretzel",
        "Cake\n(birthday, 8\")",
    ],
    [
        "Still water 1.5 l",
        "Cola",
        "Orange juice, fresh",
        "Green tea",
        "Ginger beer",
        "Lager 6 x 330 ml",
        "Red wine",
        "Apple cider",
        "Tonic",
    ],
    ["Whole milk", "Butter, salted", "Greek yogurt", "Cheddar", "Cream 30 %", "Cottage cheese", "Brie", "Skyr", "Mozzarella"],
    ["Peas", "Pizza \"Margherita\"", "Ice cream, vanilla", "Fish fingers", "Berries", "French fries", "Dumplings", "Spinach", "Lasagne"],
    ["Dish soap", "Paper towels, 4 rolls", "Batteries AA", "Light bulb\nE27, warm", "Candles", "Bin bags", "Sponge", "Foil", "Bleach"],
    ["Bananas", "Tomatoes, vine", "Avocado", "Potatoes 2 kg", "Lettuce", "Apples", "Carrots", "Grapes", "Pumpkin"],
];

const REGIONS: [&str; 3] = ["North", "South", "West"];
/// By region. Some are not ASCII, so that an encoding can be got wrong.
const CITIES: [[&str; 4]; 3] = [
    ["Duluth", "Fargo", "Eau Claire", "Saint Paul"],
    ["Española", "Austin", "Las Cruces", "Savannah"],
    ["San José", "Cañon City", "Reno", "Boise"],
];

/// What the items of a category share.
#[derive(Debug)]
pub(crate) struct Category {
    pub(crate) name: &'static str,
    /// Log factor by weekday, Monday first.
    pub(crate) week: [f64; 7],
    /// Amplitude and phase of the yearly wave and of its first harmonic.
    pub(crate) year: [(f64, f64); 2],
    pub(crate) elasticity: f64,
}

/// A thing on the shelf.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) code: String,
    pub(crate) name: &'static str,
    pub(crate) category: usize,
    /// Usual list price in cents.
    pub(crate) price: f64,
    /// Log of the usual daily sales in an average store.
    pub(crate) log_level: f64,
    pub(crate) is_intermittent: bool,
}

/// A shop.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) code: String,
    pub(crate) region: &'static str,
    pub(crate) city: &'static str,
    pub(crate) log_size: f64,
    pub(crate) week: [f64; 7],
    /// Prices here against the chain's.
    pub(crate) price_factor: f64,
}

/// Everything that is sold, and everywhere it is sold.
#[derive(Debug)]
pub(crate) struct Catalogue {
    pub(crate) categories: Vec<Category>,
    pub(crate) items: Vec<Item>,
    pub(crate) stores: Vec<Store>,
}

impl Catalogue {
    /// Opens the stores and lists the items that the first `series` series need.
    pub(crate) fn new(seed: u64, series: u32) -> Self {
        let last = series.saturating_sub(1);
        let block = STORE_BLOCK * ITEM_COUNT;
        let store_count = last / block * STORE_BLOCK + (last % block + 1).min(STORE_BLOCK);
        let item_count = last.min(block - 1) / STORE_BLOCK + 1;
        Self {
            categories: (0..CATEGORY_COUNT).map(|index| Category::new(seed, index)).collect(),
            items: (0..item_count).map(|index| Item::new(seed, index)).collect(),
            stores: (0..store_count).map(|index| Store::new(seed, index)).collect(),
        }
    }

    /// Returns which store and which item series `index` is about.
    pub(crate) fn place_of(index: u32) -> (usize, usize) {
        let block = STORE_BLOCK * ITEM_COUNT;
        let within = index % block;
        ((within % STORE_BLOCK + STORE_BLOCK * (index / block)) as usize, (within / STORE_BLOCK) as usize)
    }
}

impl Category {
    fn new(seed: u64, index: usize) -> Self {
        let rng = &mut stream(seed, Topic::Category, index as u64);
        let weekend = uniform(rng, 0.1, 0.45);
        let mut week = [-0.08, -0.12, -0.06, 0.0, 0.5 * weekend, weekend, 0.6 * weekend];
        jitter(rng, &mut week, 0.04);
        let wave = |rng: &mut ChaCha8Rng, low, high| (uniform(rng, low, high), uniform(rng, 0.0, std::f64::consts::TAU));
        let year = [wave(rng, 0.08, 0.35), wave(rng, 0.02, 0.1)];
        Self { name: CATEGORIES[index].0, week, year, elasticity: -uniform(rng, 1.0, 2.2) }
    }
}

impl Item {
    fn new(seed: u64, index: u32) -> Self {
        let rng = &mut stream(seed, Topic::Item, u64::from(index));
        let category = index as usize % CATEGORY_COUNT;
        let number = index as usize / CATEGORY_COUNT;
        // Every fifth item, so that any demo of some size has its fifth of slow sellers.
        let is_intermittent = index % 5 == 3;
        let log_level = if is_intermittent { uniform(rng, 0.06, 0.5).ln() } else { normal(rng, 1.9, 0.8).clamp(0.3, 4.2) };
        Self {
            code: format!("{}-{:02}", CATEGORIES[category].1, number + 1),
            name: ITEM_NAMES[category][number],
            category,
            price: normal(rng, 5.9, 0.5).exp().clamp(60.0, 3000.0),
            log_level,
            is_intermittent,
        }
    }
}

impl Store {
    fn new(seed: u64, index: u32) -> Self {
        let rng = &mut stream(seed, Topic::Store, u64::from(index));
        let region = index as usize % REGIONS.len();
        let city = CITIES[region][(index as usize / REGIONS.len()) % CITIES[region].len()];
        let mut week = [0.0; 7];
        jitter(rng, &mut week, 0.06);
        Self {
            code: format!("S{:03}", index + 1),
            region: REGIONS[region],
            city,
            log_size: normal(rng, 0.0, 0.3),
            week,
            price_factor: 1.0 + 0.05 * f64::from(rng.random_range(-1..=1_i32)),
        }
    }

    /// Draws the days on which the upload of this store was lost, out of `days`. The newest four weeks are whole.
    pub(crate) fn lost_days(seed: u64, store: usize, days: usize) -> Vec<usize> {
        let rng = &mut stream(seed, Topic::Mess, (1 << 32) | store as u64);
        (0..days).filter(|day| chance(rng, 1.0 / 500.0) && day + 28 < days).collect()
    }
}

fn jitter(rng: &mut ChaCha8Rng, values: &mut [f64], deviation: f64) {
    for value in values {
        *value += normal(rng, 0.0, deviation);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_series_has_a_store_and_an_item_of_its_own() {
        for series in [1, 7, 20, 499, 500, 501, 505, 520, 1250] {
            let catalogue = Catalogue::new(1, series);
            let places: std::collections::BTreeSet<_> = (0..series).map(Catalogue::place_of).collect();
            assert_eq!(places.len(), series as usize);
            assert_eq!(places.iter().map(|place| place.0).max(), Some(catalogue.stores.len() - 1), "{series} series");
            assert_eq!(places.iter().map(|place| place.1).max(), Some(catalogue.items.len() - 1), "{series} series");
        }
    }

    #[test]
    fn the_default_demo_has_ten_stores_in_three_regions_and_fifty_items_in_six_categories() {
        let catalogue = Catalogue::new(1, 500);
        let regions: std::collections::BTreeSet<_> = catalogue.stores.iter().map(|store| store.region).collect();
        assert_eq!((catalogue.stores.len(), regions.len(), catalogue.items.len(), catalogue.categories.len()), (10, 3, 50, 6));
    }
}
