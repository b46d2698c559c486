//! From a mean and a standard deviation per step to the forecast that callers read: normal quantiles in the units of `y`.
//!
//! Not here: where the standard deviations come from; each model says that in its own file.

use almanac_model::{FitError, LocalForecast};
use almanac_series::{Quantile, SeriesId};

use crate::history::History;

/// Mean and standard deviation of the steps after the last scored row, in the units of [`History::values`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Predictive {
    pub(crate) mean: Vec<f64>,
    pub(crate) sd: Vec<f64>,
}

impl Predictive {
    /// Returns the forecast of the steps from the `skip`-th on, with normal quantiles.
    ///
    /// # Errors
    /// [`FitError::NotFinite`] where a number leaves the range of `f64`.
    pub(crate) fn into_forecast(
        self,
        history: &History,
        skip: usize,
        quantiles: &[Quantile],
        series: &SeriesId,
        model: &str,
    ) -> Result<LocalForecast, FitError> {
        let scores: Vec<f64> = quantiles.iter().map(|quantile| normal_quantile(quantile.probability())).collect();
        let steps = || self.mean.iter().zip(&self.sd).skip(skip);
        let mean: Vec<f64> = steps().map(|(mean, _)| mean * history.scale).collect();
        let quantile_values: Vec<f64> =
            steps().flat_map(|(mean, sd)| scores.iter().map(move |score| (mean + score * sd) * history.scale)).collect();
        if mean.iter().chain(&quantile_values).all(|value| value.is_finite()) {
            Ok(LocalForecast { mean, quantile_values })
        } else {
            Err(FitError::NotFinite { series: series.clone(), model: model.to_owned() })
        }
    }
}

/// Quantile of the standard normal distribution, to 1e-15 relative.
///
/// Source: Wichura (1988), "Algorithm AS 241: the percentage points of the normal distribution".
pub(crate) fn normal_quantile(probability: f64) -> f64 {
    let centred = probability - 0.5;
    if centred.abs() <= 0.425 {
        return centred * ratio(&CENTRE, 0.180625 - centred * centred);
    }
    let tail = if centred < 0.0 { probability } else { 1.0 - probability };
    let depth = (-tail.ln()).sqrt();
    let value = if depth <= 5.0 { ratio(&MIDDLE, depth - 1.6) } else { ratio(&FAR, depth - 5.0) };
    value.copysign(centred)
}

fn ratio([numerator, denominator]: &[[f64; 8]; 2], x: f64) -> f64 {
    let polynomial = |coefficients: &[f64; 8]| coefficients.iter().rev().fold(0.0, |sum, coefficient| sum * x + coefficient);
    polynomial(numerator) / polynomial(denominator)
}

const CENTRE: [[f64; 8]; 2] = [
    [
        3.387_132_872_796_366_5,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ],
];
const MIDDLE: [[f64; 8]; 2] = [
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        7.745_450_142_783_414e-4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        5.475_938_084_995_345e-4,
        1.050_750_071_644_416_9e-9,
    ],
];
const FAR: [[f64; 8]; 2] = [
    [
        6.657_904_643_501_103,
        5.463_784_911_164_114,
        1.784_826_539_917_291_3,
        0.296_560_571_828_504_87,
        0.026_532_189_526_576_124,
        1.242_660_947_388_078_4e-3,
        2.711_555_568_743_487_6e-5,
        2.010_334_399_292_288_1e-7,
    ],
    [
        1.0,
        0.599_832_206_555_888,
        0.136_929_880_922_735_8,
        0.014_875_361_290_850_615,
        7.868_691_311_456_133e-4,
        1.846_318_317_510_054_8e-5,
        1.421_511_758_316_446e-7,
        2.044_263_103_389_939_7e-15,
    ],
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of `scipy.stats.norm.ppf`, SciPy 1.16; the algorithm promises 16 digits, 1e-14 leaves room for rounding.
    #[test]
    fn normal_quantiles_match_the_reference() {
        for (probability, expected) in [
            (0.5, 0.0),
            (0.025, -1.959_963_984_540_054),
            (0.9, 1.281_551_565_544_600_4),
            (0.995, 2.575_829_303_548_901),
            (1e-12, -7.034_483_825_301_131),
        ] {
            let got = normal_quantile(probability);
            assert!((got - expected).abs() <= 1e-14 * (1.0 + f64::abs(expected)), "{probability}: {got}");
        }
    }
}
