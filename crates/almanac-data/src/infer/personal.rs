//! Columns that look as if they named a person: nothing is forecast from them, and a new project leaves them out at the door.
//!
//! Told by values that are e-mail addresses, or by a name that means nothing else. A column that the user named is kept.

use crate::ingest::ColumnKind;
use crate::sketch::{Column, Frame};

use super::{Answers, Personal, names};

/// Words of a name that mean a person's own.
const WORDS: [&str; 10] = ["email", "phone", "telephone", "ssn", "iban", "passport", "surname", "birthdate", "birthday", "dob"];
/// Words in a row that do.
const PHRASES: [&str; 11] = [
    "e_mail",
    "first_name",
    "last_name",
    "full_name",
    "given_name",
    "family_name",
    "date_of_birth",
    "birth_date",
    "credit_card",
    "social_security",
    "ip_address",
];
/// Different values that are looked at.
const LOOKED_AT: usize = 200;
/// Share of them, in percent, that must be addresses.
const ENOUGH: usize = 90;

/// Takes such columns out of the table, and says why.
pub(super) fn put_aside(frame: &mut Frame, answers: &Answers, found: &mut Vec<Personal>) {
    let table = frame.name.clone();
    frame.columns.retain(|column| {
        if answers.names(&column.name) {
            return true;
        }
        let Some(why) = why(column) else { return true };
        found.push(Personal { table: table.clone(), column: column.name.clone(), why });
        false
    });
}

fn why(column: &Column) -> Option<String> {
    if column.kind == ColumnKind::Text {
        let samples = column.samples(LOOKED_AT);
        let addresses = samples.iter().filter(|text| is_address(text)).count();
        if addresses > 0 && addresses * 100 >= samples.len() * ENOUGH {
            return Some("its values are e-mail addresses".to_owned());
        }
    }
    // A flag or a number of calls may have such a name too.
    let is_kind = match column.kind {
        ColumnKind::Text | ColumnKind::Date | ColumnKind::Timestamp => column.distinct() > 1,
        ColumnKind::Integer => column.distinct() > 20,
        _ => false,
    };
    (is_kind && is_name(&column.name)).then(|| "its name says that it tells who somebody is".to_owned())
}

fn is_name(name: &str) -> bool {
    let name = names::normal(name);
    name.split('_').any(|word| WORDS.contains(&word)) || PHRASES.iter().any(|phrase| format!("_{name}_").contains(&format!("_{phrase}_")))
}

fn is_address(text: &str) -> bool {
    let Some((user, host)) = text.trim().split_once('@') else { return false };
    let is_plain = |part: &str| !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || c == '@');
    is_plain(user) && is_plain(host) && host.split('.').filter(|label| !label.is_empty()).count() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_persons_own_is_told_by_values_or_by_a_name_that_means_nothing_else() {
        assert!(is_name("CustomerEmail") && is_name("contact_phone") && is_name("First Name") && is_name("date_of_birth"));
        assert!(!is_name("name") && !is_name("item_name") && !is_name("headphones") && !is_name("store") && !is_name("mailings"));
        assert!(is_address("a.b@shop.example") && is_address(" x@y.de "));
        assert!(!is_address("@home") && !is_address("2 @ 3.50") && !is_address("a@b") && !is_address("a@b@c.de"));
    }
}
