//! `raw/README.md`: what is wrong with the raw files on purpose, with counts to check a run's report against.

use super::mess::MessCount;
use super::spec::DemoSpec;

/// Returns the text of `raw/README.md`. `counts`: by year, oldest first.
pub(crate) fn readme(spec: &DemoSpec, counts: &[(i16, MessCount)], total: &MessCount) -> String {
    let legacy = spec.legacy_year().map_or_else(String::new, |year| {
        format!(
            "- `sales_{year}.csv` comes from the old till system: semicolons, `31.12.{year}` dates, decimal commas, Latin-1, other column\n  names, and a `city` column that the others lack.\n"
        )
    });
    let mut text = format!(
        "# Raw data of the demo

Made by `{command}`. Nothing here is real.
Sales run from {first} to {last}; prices, promotions and the calendar are known {horizon} days further, to {ahead}.

## Files

- `sales_YEAR.csv`: one row per day, store and item: units sold, and whether the item was in stock all day.
{legacy}- `prices.csv`: list prices with the days they hold for; an empty `valid_to` means until further notice.
- `promotions.csv`: planned promotions with their discount, both days included; none overlap.
- `stores.csv`: region and city; saved by a spreadsheet, with a byte order mark and CRLF line ends.
- `items.csv`: category and name; names hold commas, quotes and line breaks.
- `calendar.csv`: every day, and whether the shops open.

## What is wrong on purpose

Each unreadable line is a garbled copy of the good line after it. Two different rows with one key come from two tills: their units
add up. So nothing is lost by setting unreadable lines aside, dropping full duplicates and adding up the rest.

| what |{years} total |
|---|{rules}---:|
",
        command = spec.command(),
        first = spec.first_day(),
        last = spec.last_day(),
        horizon = spec.horizon,
        ahead = spec.last_known_day(),
        years = counts.iter().map(|(year, _)| format!(" {year} |")).collect::<Vec<_>>().concat(),
        rules = "---:|".repeat(counts.len()),
    );
    let mut row = |what: &str, value: fn(&MessCount) -> u64| {
        let cells = counts.iter().map(|(_, count)| format!(" {} |", value(count))).collect::<Vec<_>>().concat();
        text.push_str(&format!("| {what} |{cells} {} |\n", value(total)));
    };
    row("lines, header not counted", |count| count.lines);
    row("unreadable: text in units", |count| count.text_in_units);
    row("unreadable: impossible date", |count| count.impossible_dates);
    row("unreadable: too few fields", |count| count.too_few_fields);
    row("unreadable: too many fields", |count| count.too_many_fields);
    row("unreadable: store or item missing", |count| count.missing_keys);
    row("full duplicates", |count| count.full_duplicates);
    row("second rows for one key, from another till", |count| count.split_rows);
    row("**good rows, each key counted once**", MessCount::clean);
    row("of these, stockouts (`in_stock` = 0)", |count| count.stockout_rows);
    row("days without a sale that were not written", |count| count.zero_days_omitted);
    row("days of a series lost with the upload of its store", |count| count.lost_days);
    row("series out of order of date", |count| count.unsorted_series);
    text.push_str("\nNo shop opens on 25 December: no file has a row for that day.\n");
    text
}
