//! What a user reads when something is wrong.

use almanac_series::Hint;
use expect_test::{Expect, expect};

use crate::{MINIMAL, read};

#[track_caller]
fn check(text: &str, expected: Expect) {
    let error = read(text).expect_err("wrong configuration");
    let hint = error.hint().map(|hint| format!("hint: {hint}\n")).unwrap_or_default();
    expected.assert_eq(&format!("error: {error}\n{hint}"));
}

/// The minimal file with more lines: first under `[data]`, then sections.
#[track_caller]
fn with(more: &str, expected: Expect) {
    check(&format!("{MINIMAL}{more}\n"), expected);
}

#[test]
fn an_unknown_key_names_the_near_one() {
    with(
        "[forecast]\nhorizn = 28",
        expect![[r#"
        error: almanac.toml:7: unknown key `horizn` in `[forecast]`
        hint: did you mean `horizon`?
    "#]],
    );
    with(
        "targt = \"y\"",
        expect![[r#"
        error: almanac.toml:6: unknown key `targt` in `[data]`
        hint: did you mean `target`?
    "#]],
    );
    with(
        "[data.csv]\nseparator = \";\"",
        expect![[r#"
        error: almanac.toml:7: unknown key `separator` in `[data.csv]`
        hint: `[data.csv]` knows `delimiter`, `encoding`, `decimal`, `date_format`, `null_values`
    "#]],
    );
}

#[test]
fn a_key_in_the_wrong_section_is_sent_home() {
    with(
        "horizon = 28",
        expect![[r#"
        error: almanac.toml:6: unknown key `horizon` in `[data]`
        hint: `horizon` belongs under `[forecast]`
    "#]],
    );
}

#[test]
fn an_unknown_section_names_the_near_one() {
    with(
        "[forcast]\nhorizon = 28",
        expect![[r#"
        error: almanac.toml:6: unknown section `[forcast]`
        hint: did you mean `[forecast]`?
    "#]],
    );
    check(
        "horizon = 28",
        expect![[r#"
            error: the configuration has 5 errors
              almanac.toml:1: unknown section `[horizon]` (`horizon` belongs under `[forecast]`)
              almanac.toml: `data.source` is required and missing (write, for example, `source = "sales.csv"`)
              almanac.toml: `data.id` is required and missing (write, for example, `id = ["store", "item"]`)
              almanac.toml: `data.time` is required and missing (write, for example, `time = "date"`)
              almanac.toml: `data.target` is required and missing (write, for example, `target = "units"`)
        "#]],
    );
}

#[test]
fn a_wrong_type_says_what_is_expected() {
    with(
        "[forecast]\nhorizon = \"four weeks\"",
        expect![[r#"
        error: almanac.toml:7: `forecast.horizon` should be a whole number of 0 or more, got string "four weeks"
    "#]],
    );
    with(
        "[forecast]\nhorizon = -3",
        expect![[r#"
        error: almanac.toml:7: `forecast.horizon` should be a whole number of 0 or more, got integer `-3`
    "#]],
    );
    with(
        "[forecast]\nquantiles = 0.5",
        expect![[r#"
        error: almanac.toml:7: `forecast.quantiles` should be a list, got floating point `0.5`
    "#]],
    );
    with(
        "static = 3",
        expect![[r#"
        error: almanac.toml:6: `data.static` should be a string or a list of strings, got integer `3`
    "#]],
    );
    with(
        "[features]\nholidays = 1",
        expect![[r#"
        error: almanac.toml:7: `features.holidays` should be `true`, `false` or a country code, got integer `1`
    "#]],
    );
    with(
        "[features]\nfourier = \"yearly\"",
        expect![[r#"
        error: almanac.toml:7: `features.fourier` should be `true`, `false` or a list of numbers, got string "yearly"
    "#]],
    );
    with(
        "[checks.ranges]\nprice = [1.0]",
        expect![[r#"
        error: almanac.toml:7: `checks.ranges.price` should be a list of two numbers, [min, max], got invalid length 1
    "#]],
    );
    check(
        "forecast = 3",
        expect![[r#"
            error: the configuration has 5 errors
              almanac.toml:1: `forecast` should be a table, got integer `3`
              almanac.toml: `data.source` is required and missing (write, for example, `source = "sales.csv"`)
              almanac.toml: `data.id` is required and missing (write, for example, `id = ["store", "item"]`)
              almanac.toml: `data.time` is required and missing (write, for example, `time = "date"`)
              almanac.toml: `data.target` is required and missing (write, for example, `target = "units"`)
        "#]],
    );
}

#[test]
fn broken_toml_names_the_line() {
    check(
        "[data]\nsource = \"sales.csv\nid = []",
        expect![[r#"
        error: almanac.toml:2: not valid TOML: invalid basic string, expected `"`
    "#]],
    );
    check(
        "[data]\nid = []\nid = []",
        expect![[r#"
        error: almanac.toml:3: not valid TOML: duplicate key
    "#]],
    );
}

#[test]
fn what_is_required_is_asked_for() {
    check(
        "",
        expect![[r#"
            error: the configuration has 4 errors
              almanac.toml: `data.source` is required and missing (write, for example, `source = "sales.csv"`)
              almanac.toml: `data.id` is required and missing (write, for example, `id = ["store", "item"]`)
              almanac.toml: `data.time` is required and missing (write, for example, `time = "date"`)
              almanac.toml: `data.target` is required and missing (write, for example, `target = "units"`)
        "#]],
    );
    check(
        "[data]\nsource = \"a.csv\"\nid = []\ntarget = \"y\"",
        expect![[r#"
        error: almanac.toml: `data.time` is required and missing
        hint: write, for example, `time = "date"`
    "#]],
    );
    check(
        "[data]\nsource = \"a.csv\"\ntime = \"ds\"\ntarget = \"y\"",
        expect![[r#"
        error: almanac.toml: `data.id` is required and missing
        hint: write, for example, `id = ["store", "item"]`
    "#]],
    );
    check(
        "[data]\nid = []\ntime = \"ds\"\ntarget = \"y\"\n[data.tables]\na = \"a.csv\"\nb = \"b.csv\"",
        expect![[r#"
        error: almanac.toml:5: `data.tables` needs `data.sql`
        hint: write, for example, `sql = "SELECT * FROM sales LEFT JOIN items USING (item)"`
    "#]],
    );
}

#[test]
fn sources_are_one_kind_and_local() {
    with(
        "[data.tables]\na = \"a.csv\"",
        expect![[r#"
        error: almanac.toml:2: `data.source` cannot stand beside `[data.tables]`
        hint: keep one of the two
    "#]],
    );
    with(
        "future_source = [\"plan.csv\", \"s3://bucket/plan.csv\"]",
        expect![[r#"
        error: almanac.toml:6: `data.future_source` is not right: files of this machine and URLs stand in one list
        hint: give them tables of their own, and join them in `sql` with UNION ALL
    "#]],
    );
}

#[test]
fn sources_outside_are_checked_before_anything_is_contacted() {
    let with_source = |keys: &str, expected: Expect| {
        let text = MINIMAL.replace("source = \"sales.csv\"\n", "sql = \"SELECT * FROM orders\"\n");
        check(&format!("{text}[data.tables]\norders = {keys}\n"), expected);
    };
    with_source(
        r#"{ url = "postgresql://reader:hunter22@db/shop", table = "orders" }"#,
        expect![[r#"
        error: almanac.toml:7: `data.tables.orders.url` is not right: a password stands in the configuration
        hint: write `postgresql://reader:${env:NAME}@…` and set the variable NAME, or `${file:PATH}`
    "#]],
    );
    with_source(
        r#"{ url = "postgresql://reader:${DB_PASSWORD}@db/shop", table = "orders" }"#,
        expect![[r#"
        error: almanac.toml:7: `data.tables.orders.url` is not right: `${DB_PASSWORD}` is no place of a secret
        hint: write `${env:NAME}` or `${file:PATH}`
    "#]],
    );
    with_source(
        r#"{ url = "postgresql://db/shop", tabel = "orders" }"#,
        expect![[r#"
        error: almanac.toml:7: unknown key `tabel` in `[data.tables.orders]`
        hint: did you mean `table`?
    "#]],
    );
    with_source(
        r#"{ url = "postgresql://db/shop", table = "orders", watermark = "at", lookback = "2d" }"#,
        expect![[r#"
        error: almanac.toml:7: `data.tables.orders.lookback` is not right: it needs `key`
        hint: write `key = ["id"]`, the columns that name a row: without it the rows fetched again would count twice
    "#]],
    );
    with_source(
        r#"{ url = "https://api/stock", paging = "link" }"#,
        expect![[r#"
        error: almanac.toml:7: `data.tables.orders.paging` is not right: it means nothing to a file behind a URL (a service needs `rows`)
        hint: remove it, or use one of url, headers, auth, timeout, retries
    "#]],
    );
    with_source(
        r#"{ url = "https://api/stock", rows = "/items", auth = "Bearer hunter22" }"#,
        expect![[r#"
        error: almanac.toml:7: `data.tables.orders.auth` is not right: a secret stands in the configuration
        hint: keep it in an environment variable or a file: `${env:NAME}` or `${file:PATH}` in its place
    "#]],
    );
    with_source(
        r#""ftp://host/sales.csv""#,
        expect![[r#"
            error: almanac.toml:7: `data.tables.orders` is not right: `ftp://host/sales.csv` is no source that can be read
            hint: known are postgresql://, mysql://, mariadb://, sqlite:, delta:, kafka://, s3://, gs://, az://, abfss://, http:// and https://
        "#]],
    );
    with_source(
        "7",
        expect![[r#"
        error: almanac.toml:7: `data.tables.orders` should be a string, a list of strings or a table such as `{ url = "…", table = "…" }`, got integer `7`
    "#]],
    );
}

#[test]
fn words_of_a_set_are_suggested() {
    with(
        "gaps = \"zeros\"",
        expect![[r#"
        error: almanac.toml:6: `data.gaps` does not know `zeros`
        hint: did you mean `zero`?
    "#]],
    );
    with(
        "duplicates = \"max\"",
        expect![[r#"
        error: almanac.toml:6: `data.duplicates` does not know `max`
        hint: known are `error`, `sum`, `mean`, `first`, `last`
    "#]],
    );
    with(
        "freq = \"fortnightly\"",
        expect![[r#"
        error: almanac.toml:6: `data.freq` is not right: frequency `fortnightly` is not known
        hint: use a pandas alias: `D`, `B`, `W-MON` … `W-SUN`, `MS`, `ME`, `QS`, `QE`, `YS`, `YE`, `h`, `30min`, `s`, or `1` for integer steps
    "#]],
    );
    with(
        "[data.types]\nitem = \"text\"",
        expect![[r#"
        error: almanac.toml:7: `data.types.item` does not know `text`
        hint: known are `string`, `integer`, `float`, `boolean`, `date`, `timestamp`
    "#]],
    );
    with(
        "country = \"Germany\"",
        expect![[r#"
            error: almanac.toml:6: `data.country` does not know the holidays of `Germany`
            hint: did you mean `DE`?
        "#]],
    );
}

#[test]
fn a_column_has_one_role() {
    with(
        "static = [\"region\", \"item\"]",
        expect![[r#"
        error: almanac.toml:6: `data.static` names the column `item`, which is already `data.id`
        hint: a column has one role; take it out of one of the two
    "#]],
    );
    with(
        "historic = [\"promo\"]\nfuture = [\"promo\"]",
        expect![[r#"
        error: almanac.toml:7: `data.future` names the column `promo`, which is already `data.historic`
        hint: a column has one role; take it out of one of the two
    "#]],
    );
    with(
        "price = \"units\"",
        expect![[r#"
        error: almanac.toml:6: `data.price` names the column `units`, which is already `data.target`
        hint: a column has one role; take it out of one of the two
    "#]],
    );
    with(
        "future = [\"promo\", \"promo\"]",
        expect![[r#"
        error: almanac.toml:6: `data.future` names the column `promo` twice
    "#]],
    );
}

#[test]
fn a_price_may_also_be_a_future_column() {
    let settings = read(&format!("{MINIMAL}future = [\"price\"]\nprice = \"price\"\n")).expect("valid");
    assert_eq!(settings.data.price.as_deref(), Some("price"));
}

#[test]
fn a_hierarchy_is_made_of_id_and_static_columns() {
    with(
        "hierarchy = [\"region/store/item\"]",
        expect![[r#"
        error: almanac.toml:6: `data.hierarchy` names the column `region`, which is neither an id nor a static column
        hint: add `region` to `static` if it has one value a series; known are `store`, `item`
    "#]],
    );
    with(
        "hierarchy = [\"store//item\"]",
        expect![[r#"
        error: almanac.toml:6: `data.hierarchy` should be a path of columns like `region/store`, got `store//item`
    "#]],
    );
}

#[test]
fn models_are_known_or_said_to_come() {
    with(
        "[forecast]\nmodels = [\"autoets\"]",
        expect![[r#"
        error: almanac.toml:7: `forecast.models` does not know `autoets`
        hint: did you mean `auto_ets`?
    "#]],
    );
    with(
        "[forecast]\nmodels = [\"bottom_up_ets\"]",
        expect![[r#"
        error: almanac.toml:7: `forecast.models` asks for `bottom_up_ets`, which is not there yet
        hint: use `auto`, `auto_ets`, `lightgbm` or one of the naive models for now
    "#]],
    );
    with(
        "[forecast]\nmodels = [\"ensemble\", \"naive\"]",
        expect![[r#"
        error: almanac.toml:7: `forecast.models` names `ensemble`, which needs at least two other models
        hint: list the models to combine, or write `models = ["auto"]`
    "#]],
    );
    with(
        "[forecast]\nreconcile = \"mint_shrink\"",
        expect![[r#"
        error: almanac.toml:7: `forecast.reconcile` asks for `mint_shrink`, which is not there yet
        hint: write `reconcile = "bottom_up"`, the only one so far
    "#]],
    );
    with(
        "[gates]\nbeats = [\"ensemble\"]",
        expect![[r#"
        error: almanac.toml:7: `gates.beats` should be a single model, such as `seasonal_naive`, got `ensemble`
    "#]],
    );
}

#[test]
fn numbers_stay_in_their_ranges() {
    with(
        "[forecast]\nhorizon = 0",
        expect![[r#"
        error: almanac.toml:7: `forecast.horizon` is not right: horizon must be between 1 and 10000 steps, got 0
    "#]],
    );
    with(
        "[forecast]\nquantiles = [0.5, 0.1]",
        expect![[r#"
        error: almanac.toml:7: `forecast.quantiles` must ascend, but 0.1 follows 0.5
    "#]],
    );
    with(
        "[forecast]\nquantiles = [0.5, 95.0]",
        expect![[r#"
        error: almanac.toml:7: `forecast.quantiles` is not right: quantile must be strictly between 0 and 1, got 95
    "#]],
    );
    with(
        "[forecast]\nfolds = 2",
        expect![[r#"
        error: almanac.toml: `gates.min_folds` asks for 3 folds, but `forecast.folds` is 2
        hint: raise `[forecast] folds` to 3, or lower `min_folds` if the history is too short
    "#]],
    );
    with(
        "[checks]\nmax_null_share = 20.0",
        expect![[r#"
        error: almanac.toml:7: `checks.max_null_share` should be a share between 0 and 1, got `20`
    "#]],
    );
    with(
        "[checks]\nmin = 5.0\nmax = 1.0",
        expect![[r#"
        error: almanac.toml:8: `checks.max` must ascend, but 1 follows 5
    "#]],
    );
    with(
        "[features]\nlags = [0, 7]",
        expect![[r#"
        error: almanac.toml:7: `features.lags` should be 1 or more, got `0`
    "#]],
    );
    with(
        "[features]\nquantiles = [0.5, 90]",
        expect![[r#"
        error: almanac.toml:7: `features.quantiles` should be probabilities from 0 to 1, got `90`
    "#]],
    );
    with(
        "[features]\nfourier = [1]",
        expect![[r#"
        error: almanac.toml:7: `features.fourier` should be periods above 1 row, got `1`
    "#]],
    );
    with(
        "[features]\nparents = true",
        expect![[r#"
        error: almanac.toml:7: `features.parents` needs `data.hierarchy`
        hint: write, for example, `hierarchy = ["region/store"]`
    "#]],
    );
    with(
        "[features]\nholidays = true",
        expect![[r#"
        error: almanac.toml:7: `features.holidays` needs `data.country`
        hint: write, for example, `country = "DE"`
    "#]],
    );
    with(
        "[serve]\nlisten = \"8080\"",
        expect![[r#"
        error: almanac.toml:7: `serve.listen` should be an address and port like `127.0.0.1:8080`, got `8080`
    "#]],
    );
    with(
        "[data.csv]\ndecimal = \";\"",
        expect![[r#"
        error: almanac.toml:7: `data.csv.decimal` should be `.`, `,` or `auto`, got `;`
    "#]],
    );
}

#[test]
fn everything_wrong_is_said_at_once_in_the_order_of_the_file() {
    check(
        "[data]\nsource = \"a.csv\"\nid = 3\ntime = \"ds\"\ntargt = \"y\"\ngaps = \"zeros\"\n\
         [forcast]\nhorizon = 28\n[forecast]\nhorizon = \"four\"\nquantiles = [0.5, 95.0]\nmodels = [\"autoets\"]\n\
         [checks]\nmin_series = 0\n[data.types]\n\"a.b\" = 1\n",
        expect![[r#"
            error: the configuration has 9 errors
              almanac.toml:3: `data.id` should be a string or a list of strings, got integer `3`
              almanac.toml:5: unknown key `targt` in `[data]` (did you mean `target`?)
              almanac.toml:6: `data.gaps` does not know `zeros` (did you mean `zero`?)
              almanac.toml:7: unknown section `[forcast]` (did you mean `[forecast]`?)
              almanac.toml:10: `forecast.horizon` should be a whole number of 0 or more, got string "four"
              almanac.toml:11: `forecast.quantiles` is not right: quantile must be strictly between 0 and 1, got 95
              almanac.toml:12: `forecast.models` does not know `autoets` (did you mean `auto_ets`?)
              almanac.toml:14: `checks.min_series` should be 1 or more, got `0`
              almanac.toml:16: `data.types.a.b` should be a string, got integer `1`
        "#]],
    );
}

#[test]
fn what_follows_from_an_error_is_no_second_error() {
    // Not also: `data.time` is missing, `data.hierarchy` names what is no static column, no folds for the gate.
    check(
        "[data]\nsource = \"a.csv\"\nid = []\ntime = 1\ntarget = \"y\"\nstatic = 2\nhierarchy = [\"region\"]\n[forecast]\nfolds = \"two\"\n",
        expect![[r#"
            error: the configuration has 3 errors
              almanac.toml:4: `data.time` should be a string, got integer `1`
              almanac.toml:6: `data.static` should be a string or a list of strings, got integer `2`
              almanac.toml:9: `forecast.folds` should be a whole number of 0 or more, got string "two"
        "#]],
    );
    check(
        "data = 3\n",
        expect![[r#"
        error: almanac.toml:1: `data` should be a table, got integer `3`
    "#]],
    );
    check(
        "[dat]\nsource = \"a.csv\"\n",
        expect![[r#"
        error: almanac.toml:1: unknown section `[dat]`
        hint: did you mean `[data]`?
    "#]],
    );
}

#[test]
fn a_delimiter_is_one_ascii_character() {
    with(
        "[data.csv]\ndelimiter = \"¦\"",
        expect![[r#"
        error: almanac.toml:7: `data.csv.delimiter` should be one ASCII character such as `;`, or `auto`, got `¦`
    "#]],
    );
    with(
        "[data.csv]\ndelimiter = \";;\"",
        expect![[r#"
        error: almanac.toml:7: `data.csv.delimiter` should be one ASCII character such as `;`, or `auto`, got `;;`
    "#]],
    );
    with(
        "[data.csv]\ndelimiter = \",\"\ndecimal = \",\"",
        expect![[r#"
        error: almanac.toml:8: `data.csv.decimal` cannot stand beside `data.csv.delimiter of the same character`
        hint: keep one of the two
    "#]],
    );
}

#[test]
fn names_of_encodings_time_zones_and_countries_are_looked_up_at_once() {
    with(
        "[data.csv]\nencoding = \"utf8mb4\"",
        expect![[r#"
        error: almanac.toml:7: `data.csv.encoding` does not know `utf8mb4`
        hint: known are `utf-8`, `utf-16le`, `utf-16be`, `windows-1252`, `windows-1250`, `windows-1251`, `iso-8859-1`, `iso-8859-2`, `iso-8859-15`, `shift_jis`, `gb18030`, `big5`
    "#]],
    );
    with(
        "[data.csv]\nencoding = \"windows1252\"",
        expect![[r#"
        error: almanac.toml:7: `data.csv.encoding` does not know `windows1252`
        hint: did you mean `windows-1252`?
    "#]],
    );
    with(
        "timezone = \"Berlin\"",
        expect![[r#"
        error: almanac.toml:6: `data.timezone` does not know the time zone `Berlin`
        hint: did you mean `Europe/Berlin`?
    "#]],
    );
    with(
        "timezone = \"Europe/Berln\"",
        expect![[r#"
        error: almanac.toml:6: `data.timezone` does not know the time zone `Europe/Berln`
        hint: did you mean `Europe/Berlin`?
    "#]],
    );
    with(
        "timezone = \"CENTRAL\"",
        expect![[r#"
        error: almanac.toml:6: `data.timezone` does not know the time zone `CENTRAL`
        hint: did you mean `Canada/Central`?
    "#]],
    );
    with(
        "country = \"UK\"",
        expect![[r#"
        error: almanac.toml:6: `data.country` does not know the holidays of `UK`
        hint: did you mean `GB`?
    "#]],
    );
    with(
        "country = \"XX\"",
        expect![[r#"
        error: almanac.toml:6: `data.country` does not know the holidays of `XX`
        hint: use an ISO 3166 code of two letters, such as `DE`
    "#]],
    );
    with(
        "[features]\nholidays = \"Germny\"",
        expect![[r#"
        error: almanac.toml:7: `features.holidays` does not know the holidays of `Germny`
        hint: use an ISO 3166 code of two letters, such as `DE`
    "#]],
    );
    let settings = read(&format!("{MINIMAL}country = \"de\"\ntimezone = \"Europe/Berlin\"\n[data.csv]\nencoding = \"Latin1\"\n"));
    assert_eq!(settings.expect("valid").data.country.as_deref(), Some("DE"));
}

#[test]
fn settings_of_trees_name_what_is_near() {
    with(
        "[models.lightgbm]\nnum_leafs = 31",
        expect![[r#"
        error: almanac.toml:7: unknown key `num_leafs` in `[models.lightgbm]`
        hint: did you mean `num_leaves`?
    "#]],
    );
    with(
        "[models.xgboost]\nnum_leaves = 31",
        expect![[r#"
        error: almanac.toml:7: unknown key `num_leaves` in `[models.xgboost]`
        hint: `num_leaves` belongs under `[models.lightgbm]`
    "#]],
    );
    with(
        "[models.lightgmb]\ntrees = 31",
        expect![[r#"
        error: almanac.toml:6: unknown key `lightgmb` in `[models]`
        hint: did you mean `lightgbm`?
    "#]],
    );
    with(
        "[models.lightgbm]\nobjective = \"tweede\"\nstrategy = \"recursiv\"",
        expect![[r#"
        error: the configuration has 2 errors
          almanac.toml:7: `models.lightgbm.objective` does not know `tweede` (did you mean `tweedie`?)
          almanac.toml:8: `models.lightgbm.strategy` does not know `recursiv` (did you mean `recursive`?)
    "#]],
    );
    with(
        "static = [\"region\"]\n[models.lightgbm]\npool = \"by:regions\"",
        expect![[r#"
        error: almanac.toml:8: `models.lightgbm.pool` does not know `regions`
        hint: did you mean `region`?
    "#]],
    );
    with(
        "[models.lightgbm]\npool = \"region\"",
        expect![[r#"
        error: almanac.toml:7: `models.lightgbm.pool` should be `whole`, `by:COLUMN` or `both:COLUMN`, with an id or static column, got `region`
    "#]],
    );
    with(
        "future = [\"price\"]\n[models.lightgbm]\nmonotone = { prize = -1 }",
        expect![[r#"
        error: almanac.toml:8: `models.lightgbm.monotone.prize` does not know `prize`
        hint: did you mean `price`?
    "#]],
    );
    with(
        "future = [\"price\"]\n[models.xgboost.monotone]\nprice = -2",
        expect![[r#"
        error: almanac.toml:8: `models.xgboost.monotone.price` should be 1 (up with the value) or -1 (down), got `-2`
    "#]],
    );
    with(
        "[models.lightgbm]\nmonotone = { price = \"down\" }",
        expect![[r#"
        error: almanac.toml:7: `models.lightgbm.monotone.price` should be a whole number, got string "down"
    "#]],
    );
    with(
        "[models.xgboost]\nquantile = 1.0\nsubsample = 0.0\ntrees = 0",
        expect![[r#"
        error: the configuration has 3 errors
          almanac.toml:7: `models.xgboost.quantile` should be a probability between 0 and 1, got `1`
          almanac.toml:8: `models.xgboost.subsample` should be a share above 0 and at most 1, got `0`
          almanac.toml:9: `models.xgboost.trees` should be 1 or more, got `0`
    "#]],
    );
}
