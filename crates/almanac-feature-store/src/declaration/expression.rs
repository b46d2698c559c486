//! Small arithmetic over the fields of a view: `(price - cost) / price`.
//!
//! Numbers, names, `+ - * /`, a leading minus, parentheses. A missing value makes the result missing, and so does a division by zero.
//!
//! Not here: functions, conditions, text.

/// How deep parentheses may nest.
const DEEPEST: usize = 50;
/// Longest text of a calculation.
const LONGEST: usize = 2_000;

/// A calculation.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// A number.
    Number(f64),
    /// A field of the view.
    Name(String),
    /// The value with the other sign.
    Minus(Box<Expression>),
    /// Two values and a sign: `+`, `-`, `*`, `/`.
    Both(Box<Expression>, char, Box<Expression>),
}

impl Expression {
    /// Reads a calculation.
    ///
    /// # Errors
    /// What is wrong and where, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("the calculation is longer than {LONGEST} bytes"));
        }
        let mut reader = Reader { rest: text, depth: 0 };
        let whole = reader.sum()?;
        match reader.peek() {
            None => Ok(whole),
            Some(letter) => Err(format!("`{letter}` is not expected before `{}`", reader.rest.trim())),
        }
    }

    /// Calculates it; `value` gives the fields.
    pub fn evaluate(&self, value: &dyn Fn(&str) -> Option<f64>) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Name(name) => value(name),
            Self::Minus(inner) => Some(-inner.evaluate(value)?),
            Self::Both(left, sign, right) => {
                let (left, right) = (left.evaluate(value)?, right.evaluate(value)?);
                match sign {
                    '+' => Some(left + right),
                    '-' => Some(left - right),
                    '*' => Some(left * right),
                    _ if right == 0.0 => None,
                    _ => Some(left / right),
                }
            }
        }
    }

    /// Returns the names in it.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Number(_) => Vec::new(),
            Self::Name(name) => vec![name],
            Self::Minus(inner) => inner.names(),
            Self::Both(left, _, right) => [left.names(), right.names()].concat(),
        }
    }
}

impl std::fmt::Display for Expression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::Name(name) => f.write_str(name),
            Self::Minus(inner) => write!(f, "-{inner}"),
            Self::Both(left, sign, right) => write!(f, "({left} {sign} {right})"),
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl Reader<'_> {
    fn peek(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn take(&mut self, wanted: &[char]) -> Option<char> {
        let letter = self.peek().filter(|letter| wanted.contains(letter))?;
        self.rest = &self.rest[letter.len_utf8()..];
        Some(letter)
    }

    fn sum(&mut self) -> Result<Expression, String> {
        let mut left = self.product()?;
        while let Some(sign) = self.take(&['+', '-']) {
            left = Expression::Both(Box::new(left), sign, Box::new(self.product()?));
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Expression, String> {
        let mut left = self.factor()?;
        while let Some(sign) = self.take(&['*', '/']) {
            left = Expression::Both(Box::new(left), sign, Box::new(self.factor()?));
        }
        Ok(left)
    }

    fn factor(&mut self) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("it nests deeper than {DEEPEST}"));
        }
        let found = self.atom();
        self.depth -= 1;
        found
    }

    fn atom(&mut self) -> Result<Expression, String> {
        if self.take(&['-']).is_some() {
            return Ok(Expression::Minus(Box::new(self.factor()?)));
        }
        if self.take(&['(']).is_some() {
            let inner = self.sum()?;
            return self.take(&[')']).map(|_| inner).ok_or_else(|| "a `)` is missing".to_owned());
        }
        let Some(first) = self.peek() else { return Err("it ends where a field or a number is expected".to_owned()) };
        let is_number = first.is_ascii_digit() || first == '.';
        let end = self.rest.find(|letter: char| !(letter.is_alphanumeric() || letter == '_' || (is_number && letter == '.')));
        let (word, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        if word.is_empty() {
            return Err(format!("`{first}` is not expected"));
        }
        self.rest = rest;
        if is_number {
            let number = word.parse::<f64>().ok().filter(|number| number.is_finite());
            return number.map(Expression::Number).ok_or_else(|| format!("`{word}` is no number"));
        }
        Ok(Expression::Name(word.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Option<f64> {
        let fields = |name: &str| match name {
            "a" => Some(6.0),
            "b" => Some(4.0),
            "zero" => Some(0.0),
            _ => None,
        };
        Expression::parse(text).expect("sound").evaluate(&fields)
    }

    #[test]
    fn calculations_bind_as_in_mathematics() {
        assert_eq!(value("a - b - 1"), Some(1.0));
        assert_eq!(value("a + b * 2"), Some(14.0));
        assert_eq!(value("-(a + b) / 2.5"), Some(-4.0));
        assert_eq!(value("1e3 + a"), Some(1006.0));
    }

    #[test]
    fn what_is_missing_or_divided_by_zero_is_missing() {
        assert_eq!(value("a / zero"), None);
        assert_eq!(value("a + nothing"), None);
    }

    #[test]
    fn nonsense_is_told() {
        for text in ["", "a +", "(a", "a)", "a b", "1.2.3", "é$", "sum(a)"] {
            assert!(Expression::parse(text).is_err(), "{text}");
        }
        assert!(Expression::parse(&"(".repeat(1000)).is_err());
        assert!(Expression::parse(&"-".repeat(1000)).is_err());
    }
}
