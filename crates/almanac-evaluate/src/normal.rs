//! Quantiles of the normal and Student's t distributions, to the accuracy that widening an interval needs.

/// Returns the quantile of the standard normal distribution at `p`, 0 < p < 1, to about 5e-4.
///
/// Source: Abramowitz & Stegun (1964), formula 26.2.23.
pub(crate) fn normal_quantile(p: f64) -> f64 {
    let tail = p.min(1.0 - p);
    if tail >= 0.5 {
        return 0.0;
    }
    let t = (-2.0 * tail.ln()).sqrt();
    let z = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
    if p < 0.5 { -z } else { z }
}

/// Returns by how much the t distribution with `degrees` of freedom is wider than the normal one at `p`: at least 1.
///
/// Source: Abramowitz & Stegun (1964), formula 26.7.5, to the second order.
pub(crate) fn t_over_normal(p: f64, degrees: f64) -> f64 {
    let square = normal_quantile(p).powi(2);
    1.0 + (square + 1.0) / (4.0 * degrees) + (5.0 * square * square + 16.0 * square + 3.0) / (96.0 * degrees * degrees)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_tables() {
        for (p, z) in [(0.5, 0.0), (0.9, 1.28155), (0.975, 1.95996), (0.005, -2.57583)] {
            assert!((normal_quantile(p) - z).abs() < 5e-4, "{p}");
        }
        // Student's t at 0.975: 2.2281 with 10 degrees, 2.5706 with 5.
        assert!((t_over_normal(0.975, 10.0) * 1.95996 - 2.2281).abs() < 0.01);
        assert!((t_over_normal(0.975, 5.0) * 1.95996 - 2.5706).abs() < 0.06);
    }
}
