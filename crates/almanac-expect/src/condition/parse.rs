//! The text of a condition into its tree, by Python's precedence; `&`, `|` and `~` are `and`, `or` and `not`, as in pandas.

use std::collections::HashSet;

use super::{Node, Op, Term};
use crate::value::Value;

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Name(String),
    Value(Value),
    Sign(&'static str),
}

const SIGNS: [&str; 19] = ["==", "!=", "<=", ">=", "<", ">", "(", ")", "[", "]", ",", ".", "&", "|", "~", "+", "-", "*", "/"];
/// How deep brackets may nest: more is a mistake, and would cost the stack.
const DEPTH: usize = 64;

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let taken;
        if first == '"' || first == '\'' {
            let end = rest[1..].find(first).ok_or("a text does not end")?;
            tokens.push(Token::Value(Value::Text(rest[1..=end].to_owned())));
            taken = end + 2;
        } else if first == '`' {
            let end = rest[1..].find('`').ok_or("a name in backticks does not end")?;
            tokens.push(Token::Name(rest[1..=end].to_owned()));
            taken = end + 2;
        } else if first.is_ascii_digit() || (first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit())) {
            let bytes = rest.as_bytes();
            let mut end = 0;
            while end < bytes.len()
                && (bytes[end].is_ascii_digit()
                    || matches!(bytes[end], b'.' | b'e' | b'E' | b'_')
                    || (matches!(bytes[end], b'+' | b'-') && matches!(bytes[end - 1], b'e' | b'E')))
            {
                end += 1;
            }
            let digits = rest[..end].replace('_', "");
            let value = digits.parse().map(Value::Int).or_else(|_| digits.parse().map(Value::Float));
            tokens.push(Token::Value(value.map_err(|_| format!("`{}` is no number", &rest[..end]))?));
            taken = end;
        } else if first.is_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            tokens.push(match &rest[..end] {
                "and" => Token::Sign("&"),
                "or" => Token::Sign("|"),
                "not" => Token::Sign("~"),
                "in" => Token::Sign("in"),
                "True" | "true" => Token::Value(Value::Bool(true)),
                "False" | "false" => Token::Value(Value::Bool(false)),
                "None" | "nan" | "NaN" => Token::Value(Value::Null),
                name => Token::Name(name.to_owned()),
            });
            taken = end;
        } else if rest.starts_with("//") || rest.starts_with("**") {
            return Err(format!("`{}` is not known", &rest[..2]));
        } else if first == '%' {
            tokens.push(Token::Sign("%"));
            taken = 1;
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            tokens.push(Token::Sign(sign));
            taken = sign.len();
        } else {
            return Err(format!("`{first}` is not known"));
        }
        rest = rest[taken..].trim_start();
    }
    Ok(tokens)
}

struct Parser {
    tokens: Vec<Token>,
    place: usize,
    depth: usize,
}

/// What a part of an expression is, before it is known whether it is compared.
enum Part {
    Node(Node),
    Term(Term),
}

pub(super) fn node(text: &str) -> Result<Node, String> {
    let mut parser = Parser { tokens: tokens(text)?, place: 0, depth: 0 };
    let part = parser.any()?;
    if parser.place < parser.tokens.len() {
        return Err("there is more after its end".into());
    }
    Parser::truth(part)
}

impl Parser {
    fn sign(&self) -> Option<&'static str> {
        match self.tokens.get(self.place) {
            Some(Token::Sign(sign)) => Some(sign),
            _ => None,
        }
    }

    fn eat(&mut self, sign: &str) -> bool {
        let is_it = self.sign() == Some(sign);
        self.place += usize::from(is_it);
        is_it
    }

    fn need(&mut self, sign: &str) -> Result<(), String> {
        if self.eat(sign) { Ok(()) } else { Err(format!("`{sign}` is missing")) }
    }

    fn truth(part: Part) -> Result<Node, String> {
        match part {
            Part::Node(node) => Ok(node),
            Part::Term(term @ Term::Column(_)) => Ok(Node::Truth(term)),
            Part::Term(Term::Literal(Value::Bool(true))) => Ok(Node::And(Vec::new())),
            Part::Term(Term::Literal(Value::Bool(false))) => Ok(Node::Or(Vec::new())),
            Part::Term(_) => Err("a value is neither true nor false".into()),
        }
    }

    fn any(&mut self) -> Result<Part, String> {
        let first = self.all()?;
        if self.sign() != Some("|") {
            return Ok(first);
        }
        let mut parts = vec![Self::truth(first)?];
        while self.eat("|") {
            let part = self.all()?;
            parts.push(Self::truth(part)?);
        }
        Ok(Part::Node(Node::Or(parts)))
    }

    fn all(&mut self) -> Result<Part, String> {
        let first = self.not()?;
        if self.sign() != Some("&") {
            return Ok(first);
        }
        let mut parts = vec![Self::truth(first)?];
        while self.eat("&") {
            let part = self.not()?;
            parts.push(Self::truth(part)?);
        }
        Ok(Part::Node(Node::And(parts)))
    }

    fn not(&mut self) -> Result<Part, String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err("it is nested too deeply".into());
        }
        let part = if self.eat("~") {
            let part = self.not()?;
            Part::Node(Node::Not(Box::new(Self::truth(part)?)))
        } else {
            self.comparison()?
        };
        self.depth -= 1;
        Ok(part)
    }

    fn comparison(&mut self) -> Result<Part, String> {
        let first = self.sum()?;
        let mut left = match first {
            Part::Term(term) => term,
            // `(a > 1) == True` and the like are beyond this parser.
            node @ Part::Node(_) => return Ok(node),
        };
        let mut nodes = Vec::new();
        loop {
            if let Some(op) = self.sign().and_then(Op::of) {
                self.place += 1;
                if self.sign() == Some("[") {
                    // pandas reads `a == [1, 2]` as `a in [1, 2]`.
                    let set = self.list()?;
                    match op {
                        Op::Equal => nodes.push(Node::In { term: left.clone(), set, negated: false }),
                        Op::Unequal => nodes.push(Node::In { term: left.clone(), set, negated: true }),
                        _ => return Err("a list has no order".into()),
                    }
                    break;
                }
                let Part::Term(right) = self.sum()? else { return Err("a comparison compares values".into()) };
                nodes.push(Node::Compare(left, op, right.clone()));
                left = right;
            } else if self.sign() == Some("in") || (self.sign() == Some("~") && self.tokens.get(self.place + 1) == Some(&Token::Sign("in")))
            {
                let negated = self.eat("~");
                self.need("in")?;
                let set = self.list()?;
                nodes.push(Node::In { term: left.clone(), set, negated });
                break;
            } else {
                break;
            }
        }
        Ok(match nodes.len() {
            0 => Part::Term(left),
            1 => Part::Node(nodes.remove(0)),
            _ => Part::Node(Node::And(nodes)),
        })
    }

    fn list(&mut self) -> Result<HashSet<Value>, String> {
        let end = if self.eat("(") { ")" } else { "]" };
        if end == "]" {
            self.need("[")?;
        }
        let mut set = HashSet::new();
        while !self.eat(end) {
            let Part::Term(Term::Literal(value)) = self.sum()? else { return Err("a list holds values".into()) };
            set.insert(value);
            if !self.eat(",") {
                self.need(end)?;
                break;
            }
        }
        Ok(set)
    }

    fn sum(&mut self) -> Result<Part, String> {
        let mut left = self.product()?;
        while let Some(sign @ ("+" | "-")) = self.sign() {
            self.place += 1;
            let right = self.product()?;
            left = arithmetic(left, sign, right)?;
        }
        Ok(left)
    }

    fn product(&mut self) -> Result<Part, String> {
        let mut left = self.atom()?;
        while let Some(sign @ ("*" | "/" | "%")) = self.sign() {
            self.place += 1;
            let right = self.atom()?;
            left = arithmetic(left, sign, right)?;
        }
        Ok(left)
    }

    fn atom(&mut self) -> Result<Part, String> {
        if self.eat("-") {
            return match self.atom()? {
                Part::Term(Term::Literal(Value::Int(value))) => Ok(Part::Term(Term::Literal(Value::Int(value.wrapping_neg())))),
                Part::Term(Term::Literal(Value::Float(value))) => Ok(Part::Term(Term::Literal(Value::Float(-value)))),
                other => arithmetic(Part::Term(Term::Literal(Value::Int(0))), "-", other),
            };
        }
        if self.eat("(") {
            let part = self.any()?;
            self.need(")")?;
            return Ok(part);
        }
        let token = self.tokens.get(self.place).cloned().ok_or("it ends too early")?;
        self.place += 1;
        match token {
            Token::Value(value) => Ok(Part::Term(Term::Literal(value))),
            Token::Name(name) => {
                // Great Expectations' own parser: `col("store")`, `date("2024-01-01")`.
                if matches!(name.as_str(), "col" | "date" | "datetime")
                    && self.sign() == Some("(")
                    && let (Some(Token::Value(Value::Text(text))), Some(Token::Sign(")"))) =
                        (self.tokens.get(self.place + 1).cloned(), self.tokens.get(self.place + 2))
                {
                    self.place += 3;
                    let term = if name == "col" { Term::Column(text) } else { Term::Literal(Value::Text(text)) };
                    return self.method(term);
                }
                self.method(Term::Column(name))
            }
            Token::Sign(sign) => Err(format!("`{sign}` is out of place")),
        }
    }

    fn method(&mut self, term: Term) -> Result<Part, String> {
        if !self.eat(".") {
            return Ok(Part::Term(term));
        }
        let Some(Token::Name(name)) = self.tokens.get(self.place).cloned() else { return Err("a method has no name".into()) };
        self.place += 1;
        if self.sign() != Some("(") {
            return Err(format!("`.{name}` is not known"));
        }
        self.need("(")?;
        let node = match name.as_str() {
            "isnull" | "isna" | "isNull" | "is_null" => Node::Null { term, is_null: true },
            "notnull" | "notna" | "notNull" | "is_not_null" => Node::Null { term, is_null: false },
            "isin" => Node::In { term, set: self.list()?, negated: false },
            other => return Err(format!("`.{other}()` is not known")),
        };
        self.need(")")?;
        Ok(Part::Node(node))
    }
}

fn arithmetic(left: Part, sign: &str, right: Part) -> Result<Part, String> {
    match (left, right) {
        (Part::Term(a), Part::Term(b)) => Ok(Part::Term(Term::Arithmetic(Box::new(a), sign.chars().next().unwrap_or('+'), Box::new(b)))),
        _ => Err("only values are added and multiplied".into()),
    }
}
