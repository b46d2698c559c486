//! What one can choose of the model. The defaults are those of the original.

/// How the trend grows.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Growth {
    /// A line that bends at the changepoints.
    #[default]
    Linear,
    /// A constant.
    Flat,
    /// Growth that saturates.
    Logistic {
        /// Level that is approached, in the units of `y`. Must be above `floor`.
        cap: f64,
        /// Level that is left behind, in the units of `y`.
        floor: f64,
    },
}

/// Whether a season is modelled, and how closely.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Seasonality {
    /// The usual order, if the scored rows span two seasons and lie closer than one: yearly 10, weekly 3, daily 4.
    #[default]
    Auto,
    /// No such season.
    Off,
    /// So many pairs of sine and cosine, whatever the data; 0 is [`Self::Off`].
    Order(usize),
}

/// How seasons, holidays and known-ahead columns act on the trend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SeasonalityMode {
    /// Their sum is added to the trend.
    #[default]
    Additive,
    /// The trend is multiplied by one plus their sum.
    Multiplicative,
}

/// Days around a holiday that have effects of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HolidayWindow {
    /// Days before it.
    pub days_before: u8,
    /// Days after it.
    pub days_after: u8,
}

/// Prophet: trend, seasons, holidays and known-ahead columns, estimated at the maximum of the posterior density.
///
/// With time scaled to 0..1 over the scored rows and `y` divided by its largest magnitude:
///
/// ```text
///   y = trend + X beta + noise           (additive)      k, m ~ N(0, 5)     delta ~ Laplace(0, changepoint_prior_scale)
///   y = trend (1 + X beta) + noise       (multiplicative)       beta ~ N(0, its prior scale)     sigma ~ N+(0, 0.5)
///   trend = m + k t + sum_j delta_j max(0, t - s_j)      (linear; logistic growth puts the same line into cap / (1 + exp(-line)))
/// ```
///
/// Rows that are not scored are no observations. Without a calendar ([`Freq::Step`](almanac_series::Freq::Step)) there is a
/// trend only, and known-ahead columns. A constant history is continued without doubt. The newest 100 000 rows are learnt from.
///
/// **Dates** are the labels of the periods, in the panel's time zone where it has one. **Holidays** belong to the period that
/// holds them, be it a day, a week or a month (the original finds them in days only). A holiday that no scored row saw has no
/// effect. **Known-ahead columns** of numbers are regressors, standardised unless they are 0 and 1; a missing value stands for
/// the mean of the scored rows; a column that did not vary there says nothing and is left out; categories are left out.
///
/// **Quantiles** are those of noise plus future bends of the trend, which come as often and as large as in the history; see
/// `spread.rs`. Parameters are taken as known, as the original does without MCMC.
///
/// Missing against the original: MCMC, conditional and custom seasons, given changepoints, capacities that change over time,
/// `minmax` scaling, categories, modes and priors of single terms, regressors that are forecast themselves.
///
/// # Errors
/// Its forecasts fail with [`FitError::TooShort`](almanac_model::FitError::TooShort) for fewer than 5 scored rows,
/// [`FitError::NotFinite`](almanac_model::FitError::NotFinite) where numbers leave the floats, and
/// [`FitError::Library`](almanac_model::FitError::Library) for an unknown country or a cap that is not above the floor.
#[derive(Debug, Clone, PartialEq)]
pub struct Prophet {
    /// How the trend grows.
    pub growth: Growth,
    /// Rows at which the trend may bend, spread evenly; fewer where there are too few rows.
    pub n_changepoints: usize,
    /// Share of the rows, from the first, among which the trend may bend.
    pub changepoint_range: f64,
    /// Scale of the Laplace prior of the bends: larger lets the trend bend more.
    pub changepoint_prior_scale: f64,
    /// Season of 365.25 days.
    pub yearly: Seasonality,
    /// Season of 7 days.
    pub weekly: Seasonality,
    /// Season of a day.
    pub daily: Seasonality,
    /// Added to the trend, or in proportion to it: seasons, holidays and known-ahead columns alike.
    pub seasonality_mode: SeasonalityMode,
    /// Prior scale of the seasons' coefficients.
    pub seasonality_prior_scale: f64,
    /// Country whose public holidays count: ISO code or English name.
    pub country: Option<String>,
    /// Days around holidays that count too.
    pub holiday_window: HolidayWindow,
    /// Prior scale of the effects of holidays and known-ahead columns.
    pub holidays_prior_scale: f64,
    /// Whether known-ahead columns are regressors: numbers as they are, each text like a holiday of its name.
    pub regressors: bool,
    /// Known-ahead columns to leave out, e.g. those whose numbers are codes.
    pub left_out: Vec<String>,
}

impl Default for Prophet {
    fn default() -> Self {
        Self {
            growth: Growth::Linear,
            n_changepoints: 25,
            changepoint_range: 0.8,
            changepoint_prior_scale: 0.05,
            yearly: Seasonality::Auto,
            weekly: Seasonality::Auto,
            daily: Seasonality::Auto,
            seasonality_mode: SeasonalityMode::Additive,
            seasonality_prior_scale: 10.0,
            country: None,
            holiday_window: HolidayWindow::default(),
            holidays_prior_scale: 10.0,
            regressors: true,
            left_out: Vec::new(),
        }
    }
}
