//! How likely so great a difference is by chance: p-values as SciPy gives them.

use std::collections::BTreeMap;

/// Paths through a table of this size are counted one by one.
const COUNTED: u64 = 25_000_000;

/// Returns the p-value of a two-sample Kolmogorov-Smirnov statistic, two-sided, for `n` and `m` values.
///
/// Exact up to 10,000 values on each side, as `scipy.stats.ks_2samp`, and then by the limiting distribution with Stephens' correction.
pub fn ks_p_value(statistic: f64, n: u64, m: u64) -> f64 {
    if n == 0 || m == 0 {
        return f64::NAN;
    }
    if n.max(m) <= 10_000 {
        if n == m {
            return equal_sizes((statistic * n as f64).round() as u64, n);
        }
        if n * m <= COUNTED {
            return counted(statistic, n, m);
        }
    }
    let effective = (n as f64 / (n + m) as f64 * m as f64).sqrt();
    let lambda = (effective + 0.12 + 0.11 / effective) * statistic;
    limiting(lambda)
}

/// `P(D >= h / n)` for two samples of `n` values: the sum over reflected paths (Gnedenko and Korolyuk, 1951), as SciPy adds it up.
fn equal_sizes(h: u64, n: u64) -> f64 {
    if h == 0 {
        return 1.0;
    }
    let mut outside = 0.0;
    for k in (0..=n / h).rev() {
        let mut one = 1.0;
        for j in 0..h {
            one *= (n as f64 - (k * h) as f64 - j as f64) / ((n + k * h + j) as f64 + 1.0);
        }
        outside = one * (1.0 - outside);
    }
    (2.0 * outside).clamp(0.0, 1.0)
}

/// `P(D >= statistic)` by the share of paths that stay inside (Hodges, 1958).
fn counted(statistic: f64, n: u64, m: u64) -> f64 {
    let (n_f, m_f) = (n as f64, m as f64);
    let limit = (0.5 + (statistic * n_f * m_f - 1e-7).floor()) / (n_f * m_f);
    let mut inside: Vec<f64> = (0..=m).map(|j| f64::from(j as f64 / m_f <= limit)).collect();
    for i in 1..=n {
        let weight = i as f64 / (i + m) as f64;
        let share = i as f64 / n_f;
        inside[0] = if share > limit { 0.0 } else { weight * inside[0] };
        for j in 1..=m as usize {
            inside[j] = if (share - j as f64 / m_f).abs() > limit { 0.0 } else { weight * inside[j] + inside[j - 1] };
        }
    }
    (1.0 - inside[m as usize]).clamp(0.0, 1.0)
}

/// Kolmogorov's distribution, upper tail.
fn limiting(lambda: f64) -> f64 {
    if lambda < 0.2 {
        return 1.0;
    }
    let term = |k: i32| f64::from(if k % 2 == 1 { 2 } else { -2 }) * (-2.0 * f64::from(k * k) * lambda * lambda).exp();
    (1..=100).map(term).sum::<f64>().clamp(0.0, 1.0)
}

/// Returns the p-value of a chi-square test of the categories after against the shares before. A category that was not there before
/// gives 0. `None` without rows.
pub fn chi_square_p_value(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> Option<f64> {
    let totals = (before.values().sum::<u64>() as f64, after.values().sum::<u64>() as f64);
    if totals.0 == 0.0 || totals.1 == 0.0 {
        return None;
    }
    if after.iter().any(|(name, rows)| *rows > 0 && before.get(name).copied().unwrap_or(0) == 0) {
        return Some(0.0);
    }
    let expected = before.iter().filter(|(_, rows)| **rows > 0).map(|(name, rows)| (name, *rows as f64 / totals.0 * totals.1));
    let (mut statistic, mut categories) = (0.0, 0_u32);
    for (name, expected) in expected {
        let difference = after.get(name).copied().unwrap_or(0) as f64 - expected;
        statistic += difference * difference / expected;
        categories += 1;
    }
    Some(if categories < 2 { 1.0 } else { upper_gamma(f64::from(categories - 1) / 2.0, statistic / 2.0) })
}

/// Returns the p-value of a two-sided z-test for the share of one of two categories: `k` of `n` before and after.
pub fn share_p_value(before: (u64, u64), after: (u64, u64)) -> Option<f64> {
    if before.1 == 0 || after.1 == 0 {
        return None;
    }
    let (n, m) = (before.1 as f64, after.1 as f64);
    let (p, q) = (before.0 as f64 / n, after.0 as f64 / m);
    let pooled = (before.0 + after.0) as f64 / (n + m);
    if pooled == 0.0 || pooled == 1.0 {
        return Some(1.0);
    }
    let z = (p - q) / (pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m)).sqrt();
    Some(libm::erfc(z.abs() / std::f64::consts::SQRT_2))
}

/// The regularised upper incomplete gamma function: a series below `a + 1`, a continued fraction above (Numerical Recipes, 6.2).
fn upper_gamma(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    if !x.is_finite() {
        return 0.0;
    }
    let scale = (a * x.ln() - x - libm::lgamma(a)).exp();
    if x < a + 1.0 {
        let (mut term, mut sum, mut n) = (1.0 / a, 1.0 / a, a);
        while term > sum * 1e-16 {
            n += 1.0;
            term *= x / n;
            sum += term;
        }
        return (1.0 - sum * scale).clamp(0.0, 1.0);
    }
    let tiny = 1e-300;
    let (mut b, mut c) = (x + 1.0 - a, 1.0 / tiny);
    let mut d = 1.0 / b;
    let mut fraction = d;
    for i in 1..10_000 {
        let an = -f64::from(i) * (f64::from(i) - a);
        b += 2.0;
        d = 1.0 / nonzero(an * d + b, tiny);
        c = nonzero(b + an / c, tiny);
        let factor = d * c;
        fraction *= factor;
        if (factor - 1.0).abs() < 1e-15 {
            break;
        }
    }
    (scale * fraction).clamp(0.0, 1.0)
}

fn nonzero(value: f64, tiny: f64) -> f64 {
    if value.abs() < tiny { tiny } else { value }
}
