//! Numbers, shares and bars as people read them in a terminal.

/// Monday first.
pub(crate) const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const EIGHTHS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Returns a count with commas between groups of three digits.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns a count and its noun: `1 row`, `2 rows`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// Returns a number with four significant digits, whole ones up to a million as they are.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return value.to_string();
    }
    if value.fract() == 0.0 && size < 1e15 {
        return format!("{}{}", if value < 0.0 { "-" } else { "" }, count(size as u64));
    }
    if !(1e-4..1e9).contains(&size) {
        return format!("{value:.3e}");
    }
    let decimals = (3 - size.log10().floor() as i32).max(0) as usize;
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Returns a share as per cent; what is not nothing and not all is not written as such.
pub(crate) fn share(share: f64) -> String {
    match share * 100.0 {
        0.0 => "0 %".to_owned(),
        percent if percent < 0.1 => "<0.1 %".to_owned(),
        percent if percent < 9.95 => format!("{percent:.1} %"),
        percent if percent < 99.5 => format!("{percent:.0} %"),
        percent if percent < 100.0 => ">99 %".to_owned(),
        _ => "100 %".to_owned(),
    }
}

/// Returns missing rows as a share; a dash for none.
pub(crate) fn missing(missing: u64, rows: u64) -> String {
    if missing == 0 { "–".to_owned() } else { share(missing as f64 / rows.max(1) as f64) }
}

/// Returns text of at most so many characters, without control characters.
pub(crate) fn clip(text: &str, longest: usize) -> String {
    let shown: String = text.chars().map(|character| if character.is_control() { '·' } else { character }).collect();
    if shown.chars().count() <= longest { shown } else { shown.chars().take(longest - 1).chain(['…']).collect() }
}

/// Returns counts as bars of up to one line; a blank for none.
pub(crate) fn bars(counts: &[u64]) -> String {
    let shares: Vec<f64> = counts.iter().map(|count| *count as f64).collect();
    bars_of(&shares, shares.iter().copied().fold(0.0, f64::max))
}

/// Returns shares as bars of which `full` is the highest.
pub(crate) fn bars_of(shares: &[f64], full: f64) -> String {
    let bar = |share: &f64| {
        if *share <= 0.0 || full <= 0.0 { ' ' } else { EIGHTHS[((share / full * 8.0).ceil() as usize).clamp(1, 8) - 1] }
    };
    shares.iter().map(bar).collect()
}

/// Adds up neighbours until at most `most` are left.
pub(crate) fn squeezed(counts: &[u64], most: usize) -> Vec<u64> {
    if counts.len() <= most {
        return counts.to_vec();
    }
    // Neighbours are as many in each bar as can be, so that even counts look even.
    let of = |bar: usize| bar * counts.len() / most;
    (0..most).map(|bar| counts[of(bar)..of(bar + 1)].iter().sum::<u64>() / (of(bar + 1) - of(bar)) as u64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(
            [1234567.0, 3.25, 0.5, -12.0, 1e-7, 123.456, 0.000123456].map(number),
            ["1,234,567", "3.25", "0.5", "-12", "1.000e-7", "123.5", "0.0001235"]
        );
        assert_eq!([0.0, 0.0004, 0.034, 0.5, 0.999, 1.0].map(share), ["0 %", "<0.1 %", "3.4 %", "50 %", ">99 %", "100 %"]);
    }

    #[test]
    fn bars_show_what_little_there_is_and_nothing_for_nothing() {
        assert_eq!(bars(&[0, 1, 50, 100]), " ▁▄█");
        assert_eq!(squeezed(&[2; 1_000], 20), [2; 20]);
        assert_eq!(clip("a\u{1b}[31mb", 20), "a·[31mb");
    }
}
