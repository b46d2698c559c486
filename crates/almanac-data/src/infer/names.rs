//! What the name of a column says about it.
//!
//! Names are hints, never proof: each role is also checked against the data where that is possible.

/// Names of targets, the likelier first.
const TARGETS: [&str; 30] = [
    "y",
    "target",
    "sales",
    "weekly_sales",
    "daily_sales",
    "monthly_sales",
    "unit_sales",
    "units",
    "units_sold",
    "qty",
    "quantity",
    "quantity_sold",
    "sold",
    "demand",
    "revenue",
    "turnover",
    "transactions",
    "trips",
    "orders",
    "shipments",
    "volume",
    "consumption",
    "load",
    "rides",
    "visits",
    "count",
    "counts",
    "cnt",
    "value",
    "amount",
];
/// Words that make a longer name a likely target.
const TARGET_WORDS: [&str; 9] = ["sales", "sold", "units", "demand", "revenue", "turnover", "qty", "quantity", "trips"];
const TIMES: [&str; 15] = [
    "ds",
    "date",
    "datetime",
    "timestamp",
    "time",
    "day",
    "week",
    "month",
    "quarter",
    "period",
    "year_month",
    "yearmonth",
    "step",
    "t",
    "year",
];
const IDS: [&str; 44] = [
    "id",
    "store",
    "shop",
    "item",
    "product",
    "sku",
    "dept",
    "department",
    "category",
    "cat",
    "family",
    "brand",
    "region",
    "state",
    "city",
    "country",
    "customer",
    "channel",
    "warehouse",
    "location",
    "branch",
    "site",
    "series",
    "code",
    "nbr",
    "number",
    "no",
    "key",
    "type",
    "segment",
    "part",
    "industry",
    "purpose",
    "market",
    "group",
    "line",
    "article",
    "station",
    "sensor",
    "zone",
    "outlet",
    "class",
    "cluster",
    "material",
];
const KNOWN_AHEAD: [&str; 32] = [
    "holiday",
    "holidays",
    "event",
    "events",
    "promo",
    "promos",
    "promotion",
    "promotions",
    "onpromotion",
    "price",
    "prices",
    "discount",
    "markdown",
    "snap",
    "school",
    "open",
    "closed",
    "campaign",
    "coupon",
    "weekend",
    "workingday",
    "working",
    "sale",
    "promo1",
    "promo2",
    "advertised",
    "feature",
    "display",
    "flyer",
    "bankholiday",
    "easter",
    "payday",
];
/// Nobody knows these ahead in life, whatever a file holds.
const UNKNOWABLE: [&str; 32] = [
    "temperature",
    "temp",
    "atemp",
    "weather",
    "hum",
    "humidity",
    "wind",
    "windspeed",
    "rain",
    "rainfall",
    "precipitation",
    "snow",
    "oil",
    "fuel",
    "cpi",
    "unemployment",
    "inflation",
    "exchange",
    "index",
    "customers",
    "visitors",
    "traffic",
    "footfall",
    "gdp",
    "dcoilwtico",
    "clicks",
    "views",
    "searches",
    "transactions",
    "returns",
    "stock",
    "inventory",
];
/// Parts of a date, which are computed from the time anyway.
const DATE_PARTS: [&str; 22] = [
    "year",
    "month",
    "day",
    "week",
    "weekday",
    "wday",
    "dow",
    "quarter",
    "hour",
    "minute",
    "d",
    "date",
    "wm_yr_wk",
    "week_id",
    "day_of_week",
    "dayofweek",
    "day_of_month",
    "day_of_year",
    "week_of_year",
    "weekofyear",
    "month_name",
    "day_name",
];
const IN_STOCK: [&str; 6] = ["in_stock", "instock", "is_in_stock", "available", "availability", "is_available"];
const WHOLE_IDS: [&str; 4] = ["unique_id", "series_id", "ts_id", "series"];

/// Lower case, words separated by `_`: `IsHoliday`, `is holiday` and `is_holiday` become the same.
pub(crate) fn normal(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut previous_is_lower = false;
    for c in name.chars() {
        if c.is_alphanumeric() {
            if c.is_uppercase() && previous_is_lower {
                out.push('_');
            }
            out.extend(c.to_lowercase());
            previous_is_lower = c.is_lowercase() || c.is_ascii_digit();
        } else {
            if !out.is_empty() && !out.ends_with('_') {
                out.push('_');
            }
            previous_is_lower = false;
        }
    }
    out.trim_end_matches('_').to_owned()
}

fn has_word(name: &str, words: &[&str]) -> bool {
    let name = normal(name);
    // `MarkDown1` is one word to people.
    let squashed = name.replace('_', "");
    let is_word = |word: &str| words.contains(&word.trim_end_matches(|c: char| c.is_ascii_digit()));
    words.contains(&name.as_str()) || is_word(&squashed) || name.split('_').any(is_word)
}

/// Returns how much the name sounds like a target: 0 not at all, from 100 on outright.
pub(crate) fn target_score(name: &str) -> usize {
    let normal = normal(name);
    if let Some(position) = TARGETS.iter().position(|word| *word == normal) {
        return 200 - position;
    }
    if has_word(name, &KNOWN_AHEAD) || has_word(name, &UNKNOWABLE) {
        return 0;
    }
    let position = TARGET_WORDS.iter().position(|word| normal.split('_').any(|part| part == *word));
    position.map_or(0, |position| 50 - position)
}

/// Returns how much the name sounds like a time column, 0 not at all.
pub(crate) fn time_score(name: &str) -> usize {
    let normal = normal(name);
    if let Some(position) = TIMES.iter().position(|word| *word == normal) {
        return 100 - position;
    }
    if ["date", "time", "timestamp", "datetime"].iter().any(|word| normal.split('_').any(|part| part == *word)) { 40 } else { 0 }
}

pub(crate) fn is_id(name: &str) -> bool {
    has_word(name, &IDS) && !is_known_ahead(name) && !is_unknowable(name)
}

pub(crate) fn is_whole_id(name: &str) -> bool {
    WHOLE_IDS.contains(&normal(name).as_str())
}

pub(crate) fn is_known_ahead(name: &str) -> bool {
    (has_word(name, &KNOWN_AHEAD) || normal(name).starts_with("is_")) && !is_unknowable(name) && !is_in_stock(name)
}

pub(crate) fn is_unknowable(name: &str) -> bool {
    has_word(name, &UNKNOWABLE) && !is_in_stock(name)
}

pub(crate) fn is_date_part(name: &str) -> bool {
    DATE_PARTS.contains(&normal(name).as_str())
}

pub(crate) fn is_in_stock(name: &str) -> bool {
    IN_STOCK.contains(&normal(name).as_str())
}

pub(crate) fn is_price(name: &str) -> bool {
    let normal = normal(name);
    !is_unknowable(name) && normal.split('_').any(|word| word == "price" || word == "unitprice")
}

pub(crate) fn is_country(name: &str) -> bool {
    normal(name).split('_').any(|word| word == "country" || word == "nation")
}

/// Whether a table of this name tells of single days.
pub(crate) fn is_event_table(name: &str) -> bool {
    has_word(name, &["holiday", "holidays", "event", "events", "calendar", "promotions", "closures"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_by_their_words() {
        assert_eq!(normal("IsHoliday"), "is_holiday");
        assert_eq!(normal("Weekly_Sales"), "weekly_sales");
        assert_eq!(normal("Pounds per cow"), "pounds_per_cow");
        assert!(is_known_ahead("MarkDown1") && is_known_ahead("state_holiday") && is_known_ahead("snap_CA"));
        assert!(is_unknowable("Fuel_Price") && !is_known_ahead("Fuel_Price") && !is_price("Fuel_Price"));
        assert!(is_id("store_nbr") && is_id("Dept") && !is_id("sell_price"));
        assert!(target_score("Weekly_Sales") > target_score("Total Sales") && target_score("Total Sales") > 0);
        assert_eq!(target_score("CPI"), 0);
    }
}
