//! Which columns look as if they named people: by their name, or by values that look like addresses of mail.
//!
//! A guess for warnings, not a policy: what is personal is for people to say.

/// Words that columns about people have in their names, in a few languages.
const WORDS: [(&str, &str); 24] = [
    ("email", "an e-mail address"),
    ("mail", "an e-mail address"),
    ("phone", "a telephone number"),
    ("telephone", "a telephone number"),
    ("telefon", "a telephone number"),
    ("mobile", "a telephone number"),
    ("handy", "a telephone number"),
    ("firstname", "a name"),
    ("lastname", "a name"),
    ("surname", "a name"),
    ("fullname", "a name"),
    ("vorname", "a name"),
    ("nachname", "a name"),
    ("birthday", "a date of birth"),
    ("birthdate", "a date of birth"),
    ("birth", "a date of birth"),
    ("dob", "a date of birth"),
    ("geburtsdatum", "a date of birth"),
    ("ssn", "a number of a person"),
    ("passport", "a number of a person"),
    ("iban", "a bank account"),
    ("street", "an address"),
    ("address", "an address"),
    ("strasse", "an address"),
];
/// Whose names are people's: `customer_name`, not `item_name`.
const PEOPLE: [&str; 9] = ["customer", "client", "user", "employee", "person", "contact", "buyer", "patient", "member"];

/// Tells what a column seems to hold, if it seems to hold something personal.
pub fn looks_personal<'a>(column: &str, samples: impl IntoIterator<Item = &'a str>) -> Option<&'static str> {
    let parts = words(column);
    let joined: Vec<String> = parts.windows(2).map(|pair| pair.concat()).chain(parts.iter().cloned()).collect();
    if let Some((_, what)) = WORDS.iter().find(|(word, _)| joined.iter().any(|part| part == word)) {
        return Some(what);
    }
    if parts.iter().any(|part| part == "name") && parts.iter().any(|part| PEOPLE.contains(&part.as_str())) {
        return Some("a name");
    }
    let samples: Vec<&str> = samples.into_iter().filter(|sample| !sample.trim().is_empty()).collect();
    let is_mail = |text: &&str| {
        text.trim().split_once('@').is_some_and(|(who, host)| {
            !who.is_empty() && !who.contains(' ') && host.contains('.') && !host.contains([' ', '@']) && !host.starts_with('.')
        })
    };
    (!samples.is_empty() && samples.iter().all(is_mail)).then_some("an e-mail address")
}

/// `customerEmail`, `customer_email` and `Customer E-Mail` are all customer, email (and e, mail).
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && was_lower) {
            words.push(String::new());
        }
        was_lower = c.is_lowercase();
        if c.is_alphanumeric() {
            words.last_mut().expect("never empty").extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_of_people_are_told_by_name_or_by_what_they_hold() {
        for name in ["email", "customerEmail", "E-Mail", "phone_number", "First Name", "customer_name", "birth_date", "Street"] {
            assert!(looks_personal(name, []).is_some(), "{name}");
        }
        for name in ["item", "store_name", "units", "name", "mailing", "date", "address_count_total_x"] {
            let expected = name.starts_with("address");
            assert_eq!(looks_personal(name, ["a", "b"]).is_some(), expected, "{name}");
        }
        assert_eq!(looks_personal("login", ["a@example.org", "b@example.org"]), Some("an e-mail address"));
        assert_eq!(looks_personal("login", ["a@example.org", "nobody"]), None);
    }
}
