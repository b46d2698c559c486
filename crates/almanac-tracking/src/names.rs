//! Which names are allowed: run ids, keys, registered models, aliases. The rules are MLflow's.
//!
//! Not here: paths of artifacts (`artifacts`).

use std::fmt;

use almanac_series::Hint;

/// A name that is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a valid {what}: {rule}")]
pub struct InvalidName {
    /// What it was to name.
    pub what: &'static str,
    /// The name.
    pub given: String,
    /// The rule it breaks.
    pub rule: &'static str,
}

impl Hint for InvalidName {
    fn hint(&self) -> Option<String> {
        None
    }
}

/// Id of a run: 32 lower-case hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(String);

impl RunId {
    /// # Errors
    /// [`InvalidName`] unless it is 32 lower-case hexadecimal digits.
    pub fn new(id: impl Into<String>) -> Result<Self, InvalidName> {
        let given = id.into();
        let is_hex = given.len() == 32 && given.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if is_hex { Ok(Self(given)) } else { Err(InvalidName { what: "run id", given, rule: "it has 32 digits of 0-9 and a-f" }) }
    }

    /// Makes an id of 16 bytes, such as the first ones of a hash.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(format!("{:032x}", u128::from_be_bytes(bytes)))
    }

    /// Returns the digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A key of a param, metric or tag.
pub(crate) fn check_key(what: &'static str, key: &str) -> Result<(), InvalidName> {
    let refuse = |rule| Err(InvalidName { what, given: key.to_owned(), rule });
    if key.is_empty() || key.chars().count() > 250 {
        return refuse("it has 1 to 250 characters");
    }
    if !key.chars().all(|c| c.is_alphanumeric() || "_-.:/ ".contains(c)) {
        return refuse("it is made of letters, digits, blanks and `_ - . : /`");
    }
    if key.split('/').any(|part| matches!(part, "" | "." | "..")) {
        return refuse("it reads as a relative path without `.` and `..`");
    }
    Ok(())
}

pub(crate) fn check_experiment(name: &str) -> Result<(), InvalidName> {
    if name.trim().is_empty() || name.chars().count() > 500 {
        return Err(InvalidName { what: "experiment name", given: name.to_owned(), rule: "it has 1 to 500 characters" });
    }
    Ok(())
}

pub(crate) fn check_model(name: &str) -> Result<(), InvalidName> {
    if name.trim().is_empty() || name.chars().count() > 250 || name.contains(['/', ':']) {
        return Err(InvalidName { what: "model name", given: name.to_owned(), rule: "it has 1 to 250 characters, without `/` and `:`" });
    }
    Ok(())
}

pub(crate) fn check_alias(alias: &str) -> Result<(), InvalidName> {
    let refuse = |rule| Err(InvalidName { what: "alias", given: alias.to_owned(), rule });
    if alias.is_empty() || alias.chars().count() > 255 || alias.contains('/') {
        return refuse("it has 1 to 255 characters, without `/`");
    }
    let lower = alias.to_lowercase();
    let is_version = lower.strip_prefix('v').is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()));
    if lower == "latest" || is_version { refuse("`latest` and `v1`, `v2` … are reserved") } else { Ok(()) }
}
