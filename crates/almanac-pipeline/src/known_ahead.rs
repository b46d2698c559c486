//! Values of exogenous columns that come from outside, in a request or a scenario, as the panel holds them.
//!
//! Texts become the panel's codes; what is not known ahead is filled as the lake fills it.
//! Not here: where the values come from (`scenario`, the server).

use almanac_data::{ExogColumn, ExogKind, ExogRole};

/// A value as it was given.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Given<'a> {
    /// Nothing: a null, an empty cell.
    Missing,
    /// A text.
    Text(&'a str),
    /// A finite number; flags are 0 and 1.
    Number(f64),
}

/// A value that a column cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column `{column}` should hold {expected}")]
pub struct Unfit {
    /// The column.
    pub column: String,
    /// What it should hold, and what was given instead.
    pub expected: String,
}

impl Given<'_> {
    /// Returns the number that the panel holds for this value; `None` where it says nothing.
    ///
    /// # Errors
    /// [`Unfit`] for a text where the column holds numbers, the other way round, and for a text that the panel does not know.
    pub fn code(self, column: &ExogColumn) -> Result<Option<f64>, Unfit> {
        let unfit = |expected: String| Unfit { column: column.name.clone(), expected };
        let code = |text: &str| column.categories.binary_search_by(|known| known.as_str().cmp(text)).ok().map(|code| code as f64);
        match (column.kind, self) {
            // A row that names nothing says that there is nothing, where the data says so too.
            (ExogKind::Category, Self::Missing) if column.role == ExogRole::Future => Ok(code("")),
            (_, Self::Missing) => Ok(None),
            (ExogKind::Category, Self::Text(text)) if text.trim().is_empty() => Ok(code("")),
            (ExogKind::Category, Self::Text(text)) => match code(text) {
                Some(code) => Ok(Some(code)),
                None => Err(unfit(format!("{}, not `{text}`", one_of(&column.categories)))),
            },
            (ExogKind::Category, Self::Number(number)) => Err(unfit(format!("a text, not {number}"))),
            (_, Self::Number(number)) => Ok(Some(number)),
            (_, Self::Text(text)) => Err(unfit(format!("a number, not `{text}`"))),
        }
    }
}

/// Names what a category may be, and not all of them where there are many.
fn one_of(categories: &[String]) -> String {
    const MOST: usize = 12;
    let named: Vec<&String> = categories.iter().filter(|text| !text.is_empty()).collect();
    let shown: Vec<String> = named.iter().take(MOST).map(|text| format!("`{text}`")).collect();
    let rest = named.len().saturating_sub(MOST);
    format!("one of {}{}", shown.join(", "), if rest > 0 { format!(" and {rest} more") } else { String::new() })
}

/// Fills the rows of a column after the first `history` ones that are not known, as the lake does: categories with the most frequent
/// one, flags with 0, amounts with their last value.
pub fn fill_ahead(column: &mut [f64], history: usize, kind: ExogKind) {
    if kind == ExogKind::Category {
        let usual = most_frequent(&column[..history]);
        column[history..].iter_mut().filter(|value| value.is_nan()).for_each(|value| *value = usual);
        return;
    }
    let is_flag = column[..history].iter().all(|value| value.is_nan() || *value == 0.0 || *value == 1.0);
    let mut last = column[..history].iter().rev().copied().find(|value| !value.is_nan()).unwrap_or(f64::NAN);
    for value in &mut column[history..] {
        if value.is_nan() {
            *value = if is_flag && !last.is_nan() { 0.0 } else { last };
        } else {
            last = *value;
        }
    }
}

/// Returns the code that stands most often, of equals the first in the order of the texts; NaN where there is none.
fn most_frequent(codes: &[f64]) -> f64 {
    let mut known: Vec<f64> = codes.iter().copied().filter(|code| !code.is_nan()).collect();
    known.sort_unstable_by(f64::total_cmp);
    let runs = known.chunk_by(|a, b| a == b).map(|run| (run.len(), run[0]));
    runs.reduce(|best, run| if run.0 > best.0 { run } else { best }).map_or(f64::NAN, |(_, code)| code)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(role: ExogRole, categories: &[&str]) -> ExogColumn {
        let categories = categories.iter().map(|text| (*text).to_owned()).collect();
        ExogColumn { name: "event".into(), role, kind: ExogKind::Category, categories }
    }

    #[test]
    fn nothing_is_the_empty_text_where_the_data_has_one_ahead() {
        let (null, blank) = (Given::Missing, Given::Text("  "));
        let with_blank = column(ExogRole::Future, &["", "circus", "fair"]);
        assert_eq!((null.code(&with_blank), blank.code(&with_blank)), (Ok(Some(0.0)), Ok(Some(0.0))));
        let without = column(ExogRole::Future, &["circus", "fair"]);
        assert_eq!((null.code(&without), blank.code(&without)), (Ok(None), Ok(None)));
        assert_eq!(null.code(&column(ExogRole::Historic, &["", "fair"])), Ok(None));
    }

    #[test]
    fn an_unknown_category_is_refused_and_a_long_list_is_cut() {
        let names: Vec<String> = (0..100).map(|k| format!("e{k:02}")).collect();
        let names: Vec<&str> = std::iter::once("").chain(names.iter().map(String::as_str)).collect();
        let said = Given::Text("x").code(&column(ExogRole::Future, &names)).expect_err("unknown").to_string();
        assert!(said.ends_with("`e10`, `e11` and 88 more, not `x`"), "{said}");
    }

    #[test]
    fn categories_ahead_take_the_most_frequent_one_and_numbers_the_last() {
        let nan = f64::NAN;
        let ahead = |history: &[f64], rest: &[f64], kind| {
            let mut column = [history, rest].concat();
            fill_ahead(&mut column, history.len(), kind);
            column[history.len()..].to_vec()
        };
        assert_eq!(ahead(&[0.0, 2.0, 0.0, nan, 1.0], &[nan, 2.0, nan], ExogKind::Category), [0.0, 2.0, 0.0]);
        assert_eq!(ahead(&[2.0, 1.0], &[nan], ExogKind::Category), [1.0], "of equals the first text");
        assert!(ahead(&[nan], &[nan], ExogKind::Category)[0].is_nan());
        assert_eq!(ahead(&[5.0, 7.0], &[nan, 9.0, nan], ExogKind::Number), [7.0, 9.0, 9.0]);
        assert_eq!(ahead(&[0.0, 1.0], &[nan], ExogKind::Flag), [0.0]);
    }
}
