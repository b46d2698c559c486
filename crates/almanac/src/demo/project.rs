//! The `almanac.toml` of a demo: a worked example of joins, roles and a hierarchy.

use super::spec::DemoSpec;

/// Returns the text of the demo's `almanac.toml`.
pub(crate) fn project_file(spec: &DemoSpec) -> String {
    let union: Vec<String> = spec.years().into_iter().map(|year| sales_of(spec, year)).collect();
    let sales_tables: String = spec.years().into_iter().map(|year| table_of(spec, year)).collect();
    format!(
        r#"# Made by `{command}`.
# What is wrong with the raw files on purpose is told in raw/README.md.

[data]
# One row for each day, store and item that was written down, with all that belongs to it.
# Left joins keep the rows without a store or an item, so that they are put aside with a reason and not lost on the way.
sql = """
WITH sales AS (
{union}
)
SELECT s.date, s.store, s.item, s.units, s.in_stock, t.region, i.category,
       p.price * (1 - COALESCE(m.discount, 0)) AS price,
       CASE WHEN m.discount IS NULL THEN 0 ELSE 1 END AS promo
FROM sales s
LEFT JOIN stores t ON t.store = s.store
LEFT JOIN items i ON i.item = s.item
LEFT JOIN prices p ON p.store = s.store AND p.item = s.item
     AND s.date >= p.valid_from AND (p.valid_to IS NULL OR s.date <= p.valid_to)
LEFT JOIN promotions m ON m.store = s.store AND m.item = s.item
     AND s.date >= m.start_date AND s.date <= m.end_date
"""
# What is known of the days after {last}: prices and planned promotions of the items still listed.
future_sql = """
SELECT c.date, p.store, p.item,
       p.price * (1 - COALESCE(m.discount, 0)) AS price,
       CASE WHEN m.discount IS NULL THEN 0 ELSE 1 END AS promo
FROM calendar c
JOIN prices p ON c.date >= p.valid_from AND (p.valid_to IS NULL OR c.date <= p.valid_to)
LEFT JOIN promotions m ON m.store = p.store AND m.item = p.item
     AND c.date >= m.start_date AND c.date <= m.end_date
WHERE c.date > DATE '{last}'
"""
# One series per store and item.
id = ["store", "item"]
time = "date"
target = "units"
freq = "D"
# Every level gets a forecast, and the levels add up.
hierarchy = ["region/store", "category/item"]
# These never change within a series.
static = ["region", "category"]
# These are known ahead, from `future_sql`.
future = ["price", "promo"]
# 0 where the shelf was empty: such sales say nothing about demand.
in_stock = "in_stock"
# A series weighs what it sells for.
price = "price"
# The tills write no row where nothing was sold.
gaps = "zero"
# Full duplicates count once; different rows for one key come from two tills.
duplicates = "sum"
# Whose holidays count.
country = "US"

# The raw files, each under the name that the SQL above uses.
# Delimiter, encoding, date format and decimal mark are found out from each file.
[data.tables]
{sales_tables}prices = "raw/prices.csv"
promotions = "raw/promotions.csv"
stores = "raw/stores.csv"
items = "raw/items.csv"
calendar = "raw/calendar.csv"

[forecast]
horizon = {horizon}

[checks]
# Nothing is ever sold a negative number of times; such a row would stop the run.
min = 0.0

[checks.ranges]
price = [0.01, 1000.0]
"#,
        command = spec.command(),
        union = union.join("\n  UNION ALL\n"),
        last = spec.last_day(),
        horizon = spec.horizon,
    )
}

fn table_of(spec: &DemoSpec, year: i16) -> String {
    let note = if Some(year) == spec.legacy_year() { "  # the old till system: `;`, 31.12.2023, `4,0`, Latin-1" } else { "" };
    format!("sales_{year} = \"raw/sales_{year}.csv\"{note}\n")
}

/// The rows of one year, under the names that all years share.
fn sales_of(spec: &DemoSpec, year: i16) -> String {
    if Some(year) == spec.legacy_year() {
        format!("  SELECT day AS date, store_code AS store, item_code AS item, quantity AS units, available AS in_stock FROM sales_{year}")
    } else {
        format!("  SELECT date, store, item, units, in_stock FROM sales_{year}")
    }
}
