//! MLflow's search language: comparisons joined by `AND`, and the terms of an order.
//!
//! ```text
//! metrics.loss < 0.5 AND params.`my key` = 'x' AND tags.a IS NULL AND run_id IN ('a', 'b')
//! metrics.loss DESC          `params`.model ASC
//! ```
//!
//! Reads the form only. Which entities, keys and operators there are differs from search to search and is checked there;
//! [`Comparison`] has what they share. The words of refusals are MLflow's.
//!
//! Not here: SQL (`store`).

use std::fmt;

use crate::StoreError;

/// Escapes a wildcard in patterns: a character that nobody writes, because PostgreSQL would take a backslash where SQLite takes none.
const NO_ESCAPE: char = '\u{1}';

/// What a comparison does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Operator {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
    Like,
    ILike,
    RLike,
    In,
    NotIn,
    IsNull,
    IsNotNull,
}

impl Operator {
    /// Returns the word as MLflow writes it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Eq => "=",
            Self::Ne => "!=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Like => "LIKE",
            Self::ILike => "ILIKE",
            Self::RLike => "RLIKE",
            Self::In => "IN",
            Self::NotIn => "NOT IN",
            Self::IsNull => "IS NULL",
            Self::IsNotNull => "IS NOT NULL",
        }
    }

    /// Returns a condition on two SQL expressions; `None` for operators that take a list or nothing.
    pub(crate) fn condition(self, left: &str, right: &str) -> Option<String> {
        match self {
            Self::Eq | Self::Ne | Self::Gt | Self::Ge | Self::Lt | Self::Le => Some(format!("{left} {} {right}", self.as_str())),
            Self::Like => Some(format!("{left} LIKE {right} ESCAPE '{NO_ESCAPE}'")),
            // A value has no collation of its own; beside the column it has that of the column, so that both are lowered alike.
            Self::ILike => Some(format!("lower({left}) LIKE lower(coalesce({right}, {left})) ESCAPE '{NO_ESCAPE}'")),
            Self::RLike | Self::In | Self::NotIn | Self::IsNull | Self::IsNotNull => None,
        }
    }
}

/// What something is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand {
    /// A quoted text.
    Text(String),
    /// A number as it was written.
    Number(String),
    /// A list of quoted texts.
    List(Vec<String>),
    /// Of `IS NULL` and `IS NOT NULL`.
    Nothing,
    /// An unquoted word, which no search takes.
    Word(String),
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "'{text}'"),
            Self::Number(text) | Self::Word(text) => f.write_str(text),
            Self::List(items) => write!(f, "('{}')", items.join("', '")),
            Self::Nothing => Ok(()),
        }
    }
}

/// What is compared or ordered by: `metrics.loss` has the entity `metrics` and the key `loss`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identifier {
    /// The part before the first dot, without quotes; `None` for a bare word.
    pub(crate) entity: Option<String>,
    /// The rest, without quotes.
    pub(crate) key: String,
}

/// One comparison of a filter.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Comparison {
    pub(crate) left: Identifier,
    pub(crate) operator: Operator,
    pub(crate) right: Operand,
}

impl Comparison {
    /// Returns the number on the right.
    pub(crate) fn number(&self) -> Option<f64> {
        if let Operand::Number(text) = &self.right { text.parse().ok() } else { None }
    }

    /// Returns the text on the right.
    pub(crate) fn text(&self) -> Option<&str> {
        if let Operand::Text(text) = &self.right { Some(text) } else { None }
    }
}

/// One term of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OrderTerm {
    pub(crate) by: Identifier,
    pub(crate) ascending: bool,
}

/// Most comparisons of a filter: a database nests its conditions to some depth only.
const MOST_COMPARISONS: usize = 200;

/// Most values in the lists of a filter, each of which is bound to its statement.
const MOST_LISTED: usize = 10_000;

/// Reads a filter; an empty one has no comparisons.
pub(crate) fn parse_filter(filter: &str) -> Result<Vec<Comparison>, StoreError> {
    let tokens = tokens(filter)?;
    let mut rest = tokens.as_slice();
    let mut comparisons = Vec::new();
    let mut listed = 0;
    let mut is_joined = true;
    while let [first, after @ ..] = rest {
        // MLflow lets an AND too many pass.
        if first.is_word("AND") {
            is_joined = true;
            rest = after;
            continue;
        }
        if !is_joined {
            return Err(invalid_clauses(&[first.shown.as_str()]));
        }
        let (comparison, after) = comparison(rest)?;
        if let Operand::List(items) = &comparison.right {
            listed += items.len();
        }
        comparisons.push(comparison);
        if listed > MOST_LISTED {
            return Err(StoreError::invalid(format!("Invalid filter: its lists have more than {MOST_LISTED} values.")));
        }
        if comparisons.len() > MOST_COMPARISONS {
            return Err(StoreError::invalid(format!("Invalid filter: it has more than {MOST_COMPARISONS} comparisons.")));
        }
        is_joined = false;
        rest = after;
    }
    Ok(comparisons)
}

/// Reads a term such as `metrics.loss DESC`.
pub(crate) fn parse_order(term: &str) -> Result<OrderTerm, StoreError> {
    let unreadable = || StoreError::invalid(format!("Invalid order_by clause '{term}'. Could not be parsed."));
    let tokens = tokens(term).map_err(|_| unreadable())?;
    match tokens.as_slice() {
        [by] => Ok(OrderTerm { by: by.identifier().ok_or_else(unreadable)?, ascending: true }),
        [by, direction] => {
            let by = by.identifier().ok_or_else(unreadable)?;
            let ascending = match direction.shown.to_ascii_uppercase().as_str() {
                "ASC" => true,
                "DESC" => false,
                _ => return Err(StoreError::invalid(format!("Invalid ordering key in order_by clause '{term}'."))),
            };
            Ok(OrderTerm { by, ascending })
        }
        _ => Err(unreadable()),
    }
}

fn comparison(tokens: &[Token]) -> Result<(Comparison, &[Token]), StoreError> {
    // A clause that cannot be read is shown up to the next AND.
    let clause = || {
        let end = tokens.iter().skip(1).position(|token| token.is_word("AND")).map_or(tokens.len(), |place| place + 1);
        let shown: Vec<&str> = tokens[..end].iter().map(|token| token.shown.as_str()).collect();
        invalid_clauses(&shown)
    };
    let [left, rest @ ..] = tokens else { return Err(clause()) };
    let left_name = left.identifier().ok_or_else(clause)?;
    let (operator, after) = operator(rest).ok_or_else(clause)?;
    if matches!(operator, Operator::IsNull | Operator::IsNotNull) {
        return Ok((Comparison { left: left_name, operator, right: Operand::Nothing }, after));
    }
    let [right, after @ ..] = after else { return Err(clause()) };
    let right = match &right.kind {
        Kind::Text(text) => Operand::Text(text.clone()),
        Kind::Number => Operand::Number(right.shown.clone()),
        Kind::List(items) => Operand::List(items.clone()),
        Kind::NoList(fault) => return Err(StoreError::invalid(fault.clone())),
        // "x" is a text where a value is expected.
        Kind::Name(parts) if parts.len() == 1 && parts[0].quote == Some('"') => Operand::Text(parts[0].text.clone()),
        Kind::Name(_) => Operand::Word(right.shown.clone()),
        Kind::Operator(_) => return Err(clause()),
    };
    Ok((Comparison { left: left_name, operator, right }, after))
}

fn operator(tokens: &[Token]) -> Option<(Operator, &[Token])> {
    let word = |place: usize, word: &str| tokens.get(place).is_some_and(|token| token.is_word(word));
    if let Kind::Operator(operator) = tokens.first()?.kind {
        return Some((operator, &tokens[1..]));
    }
    let (operator, length) = match () {
        () if word(0, "LIKE") => (Operator::Like, 1),
        () if word(0, "ILIKE") => (Operator::ILike, 1),
        () if word(0, "RLIKE") => (Operator::RLike, 1),
        () if word(0, "IN") => (Operator::In, 1),
        () if word(0, "NOT") && word(1, "IN") => (Operator::NotIn, 2),
        () if word(0, "IS") && word(1, "NULL") => (Operator::IsNull, 2),
        () if word(0, "IS") && word(1, "NOT") && word(2, "NULL") => (Operator::IsNotNull, 3),
        () => return None,
    };
    Some((operator, &tokens[length..]))
}

fn invalid_clauses(shown: &[&str]) -> StoreError {
    StoreError::invalid(format!("Invalid clause(s) in filter string: '{}'", shown.join(" ")))
}

/// A piece of the language, with the text that it was read from.
#[derive(Debug)]
struct Token {
    shown: String,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// Words and quoted words with dots between them.
    Name(Vec<Part>),
    /// In single quotes.
    Text(String),
    Number,
    Operator(Operator),
    /// Quoted texts in parentheses.
    List(Vec<String>),
    /// Something else in parentheses, and the words to refuse it with.
    NoList(String),
}

#[derive(Debug)]
struct Part {
    text: String,
    quote: Option<char>,
}

impl Token {
    fn is_word(&self, word: &str) -> bool {
        matches!(&self.kind, Kind::Name(parts) if parts.len() == 1 && parts[0].quote.is_none()) && self.shown.eq_ignore_ascii_case(word)
    }

    fn identifier(&self) -> Option<Identifier> {
        let Kind::Name(parts) = &self.kind else { return None };
        let (first, rest) = parts.split_first()?;
        if rest.is_empty() {
            return Some(Identifier { entity: None, key: first.text.clone() });
        }
        let key: Vec<&str> = rest.iter().map(|part| part.text.as_str()).collect();
        Some(Identifier { entity: Some(first.text.clone()), key: key.join(".") })
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, StoreError> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (kind, length) = token(rest).ok_or_else(|| invalid_clauses(&[rest.trim_end()]))?;
        tokens.push(Token { shown: rest[..length].to_owned(), kind });
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

/// Reads the token that the text starts with and says how many bytes it has.
fn token(text: &str) -> Option<(Kind, usize)> {
    const OPERATORS: [(&str, Operator); 6] =
        [("!=", Operator::Ne), (">=", Operator::Ge), ("<=", Operator::Le), ("=", Operator::Eq), (">", Operator::Gt), ("<", Operator::Lt)];
    let first = text.chars().next()?;
    if first == '\'' {
        let (inner, length) = quoted(text)?;
        return Some((Kind::Text(inner), length));
    }
    if first == '(' {
        return list(text);
    }
    if let Some((word, operator)) = OPERATORS.iter().find(|(word, _)| text.starts_with(word)) {
        return Some((Kind::Operator(*operator), word.len()));
    }
    number(text).map(|length| (Kind::Number, length)).or_else(|| name(text))
}

/// Reads a quoted text: returns what is inside, and its bytes with the quotes. A doubled quote stands for one.
fn quoted(text: &str) -> Option<(String, usize)> {
    let quote = text.chars().next()?;
    let mut inner = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((place, c)) = chars.next() {
        if c != quote {
            inner.push(c);
        } else if chars.peek().is_some_and(|(_, next)| *next == quote) {
            inner.push(c);
            chars.next();
        } else {
            return Some((inner, place + quote.len_utf8()));
        }
    }
    None
}

/// Reads a list of quoted texts. What is none is remembered with the words for it, since not every search takes a list.
fn list(text: &str) -> Option<(Kind, usize)> {
    let mut items = Vec::new();
    let mut fault = None;
    let mut is_after_item = false;
    let mut rest = text[1..].trim_start();
    loop {
        if let Some(after) = rest.strip_prefix(')') {
            let length = text.len() - after.len();
            let kind = match fault {
                Some(ListFault::OtherType) => Kind::NoList(format!(
                    "While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in \
                     list: {}",
                    &text[..length]
                )),
                Some(ListFault::IllFormed) => Kind::NoList(
                    "While parsing a list in the query, expected a non-empty list of string values, but got ill-formed list.".to_owned(),
                ),
                None => Kind::List(items),
            };
            return Some((kind, length));
        }
        if let Some(after) = rest.strip_prefix(',') {
            if !is_after_item {
                fault = Some(ListFault::IllFormed);
            }
            is_after_item = false;
            rest = after.trim_start();
        } else if rest.starts_with(['\'', '"']) {
            let (item, length) = quoted(rest)?;
            items.push(item);
            is_after_item = true;
            rest = rest[length..].trim_start();
        } else if rest.is_empty() {
            return None;
        } else {
            let length = number(rest);
            fault.get_or_insert(if length.is_some() { ListFault::OtherType } else { ListFault::IllFormed });
            is_after_item = true;
            let end = length.or_else(|| rest.find([',', ')'])).filter(|end| *end > 0)?;
            rest = rest[end..].trim_start();
        }
    }
}

/// Why a text in parentheses is no list of texts.
#[derive(Debug, Clone, Copy)]
enum ListFault {
    OtherType,
    IllFormed,
}

fn number(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut end = usize::from(bytes[0] == b'-');
    let whole = digits(end);
    end += whole;
    let mut fraction = 0;
    if bytes.get(end) == Some(&b'.') {
        fraction = digits(end + 1);
        end += 1 + fraction;
    }
    if whole + fraction == 0 {
        return None;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'-' | b'+')));
        let exponent = if end + 1 + sign <= bytes.len() { digits(end + 1 + sign) } else { 0 };
        if exponent > 0 {
            end += 1 + sign + exponent;
        }
    }
    // `1abc` is no number.
    let is_followed = text[end..].starts_with(|c: char| c.is_alphanumeric() || c == '_');
    if is_followed { None } else { Some(end) }
}

fn name(text: &str) -> Option<(Kind, usize)> {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '$' | '#' | '@');
    let mut parts = Vec::new();
    let mut end = 0;
    loop {
        let rest = &text[end..];
        let is_quoted = rest.starts_with(['`', '"']) || (end > 0 && rest.starts_with('\''));
        if is_quoted {
            let (inner, length) = quoted(rest)?;
            parts.push(Part { text: inner, quote: rest.chars().next() });
            end += length;
        } else {
            let length = rest.find(|c: char| !is_word(c)).unwrap_or(rest.len());
            if length == 0 {
                return None;
            }
            parts.push(Part { text: rest[..length].to_owned(), quote: None });
            end += length;
        }
        if text[end..].starts_with('.') {
            end += 1;
        } else {
            break;
        }
    }
    // `Run name` is one word of old.
    if parts.len() == 1 && parts[0].text.eq_ignore_ascii_case("run") && text[end..].to_ascii_lowercase().starts_with(" name") {
        let length = end + " name".len();
        text[..length].clone_into(&mut parts[0].text);
        return Some((Kind::Name(parts), length));
    }
    Some((Kind::Name(parts), end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(filter: &str) -> String {
        match parse_filter(filter) {
            Ok(comparisons) => {
                let one =
                    |c: Comparison| format!("{}|{}|{}|{}", c.left.entity.unwrap_or_default(), c.left.key, c.operator.as_str(), c.right);
                comparisons.into_iter().map(one).collect::<Vec<_>>().join(" ; ")
            }
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn comparisons_are_joined_by_and_in_any_case() {
        assert_eq!(
            shown("metrics.a > 0.5 and params.b = 'x' AND run_id IN ('p','q')"),
            "metrics|a|>|0.5 ; params|b|=|'x' ; |run_id|IN|('p', 'q')"
        );
        assert_eq!(shown(""), "");
        assert_eq!(shown("tags.`a b`='it''s'"), "tags|a b|=|'it's'");
        assert_eq!(shown("tags.\"a.b\" ILIKE \"%X%\""), "tags|a.b|ILIKE|'%X%'");
        assert_eq!(shown("tags.mlflow.source.type != 'x'"), "tags|mlflow.source.type|!=|'x'");
        assert_eq!(shown("`metrics`.`m`<=-1e-3"), "metrics|m|<=|-1e-3");
        assert_eq!(shown("params.a IS NOT NULL AND tags.b is null"), "params|a|IS NOT NULL| ; tags|b|IS NULL|");
        assert_eq!(shown("Run name = 'x'"), "|Run name|=|'x'");
    }

    #[test]
    fn what_is_no_comparison_is_named() {
        assert_eq!(shown("metrics.a > 1 OR metrics.b > 2"), "error: Invalid clause(s) in filter string: 'OR'");
        assert_eq!(shown("metrics.a"), "error: Invalid clause(s) in filter string: 'metrics.a'");
        assert_eq!(shown("metrics.a = "), "error: Invalid clause(s) in filter string: 'metrics.a ='");
        assert_eq!(shown("'a' = 'b"), "error: Invalid clause(s) in filter string: ''b'");
        assert!(shown("(metrics.a > 1)").starts_with("error: Invalid clause(s)"));
        assert!(shown("a IN (").starts_with("error: Invalid clause(s)") && shown("a IN ('b'").starts_with("error: Invalid clause(s)"));
        let fault = |filter| shown(filter).strip_prefix("error: While parsing a list in the query, expected ").map(str::to_owned);
        let other = "string value, punctuation, or whitespace, but got different type in list: (1, 'b')";
        assert_eq!(fault("a IN (1, 'b')").as_deref(), Some(other));
        for ill_formed in ["a IN (,)", "a IN ('b',,'c')", "a IN (,'b')", "a IN (b)", "a IN (b, ü)"] {
            assert_eq!(fault(ill_formed).as_deref(), Some("a non-empty list of string values, but got ill-formed list."), "{ill_formed}");
        }
        assert!(shown("metrics.a > 1; DROP TABLE runs").starts_with("error: Invalid clause(s)"));
    }

    #[test]
    fn orders_have_a_direction() {
        let order = |term: &str| parse_order(term).map(|term| (term.by.entity, term.by.key, term.ascending));
        assert_eq!(order("metrics.`a b` DESC").expect("reads"), (Some("metrics".into()), "a b".into(), false));
        assert_eq!(order("start_time").expect("reads"), (None, "start_time".into(), true));
        assert!(order("a b c").is_err() && order("metrics.a SIDEWAYS").is_err() && order("").is_err());
    }
}
