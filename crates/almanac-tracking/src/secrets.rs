//! How tokens and passwords are made and checked.
//!
//! A token is 256 random bits, which no one can guess: a plain hash of it suffices. A password is short, so that its hash is made
//! slow and large on purpose (Argon2id, 19 MiB, two passes: the defaults of its authors).
//!
//! Not here: where hashes are kept (`store::access`).

use std::sync::LazyLock;

use argon2::{Argon2, PasswordHasher, PasswordVerifier};

use crate::{Secret, StoreError};

/// How tokens start, so that scanners for leaked secrets know them.
const PREFIX: &str = "alm_";
/// Hexadecimal digits of a token's id.
const ID: usize = 12;
/// Hexadecimal digits of its secret part.
const SECRET: usize = 64;
/// Fewest and most characters of a password.
const PASSWORD: std::ops::RangeInclusive<usize> = 12..=256;
/// Most characters of the name of a token or user.
const NAME: usize = 64;

/// Makes the id of a token.
pub(crate) fn new_token_id() -> String {
    let mut id = format!("{:016x}", rand::random::<u64>());
    id.truncate(ID);
    id
}

/// The bits of a token that only its bearer knows.
#[derive(Clone, Copy)]
pub(crate) struct TokenBits([u128; 2]);

impl TokenBits {
    pub(crate) fn random() -> Self {
        Self(rand::random())
    }

    /// Returns the text of the token with that id.
    pub(crate) fn text(self, id: &str) -> Secret {
        let [first, second] = self.0;
        Secret(format!("{PREFIX}{id}_{first:032x}{second:032x}"))
    }
}

/// Returns the id in the text of a token; `None` if it is no token.
pub(crate) fn token_id(text: &str) -> Option<&str> {
    let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
    let is_hex = |part: &str| part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (id.len() == ID && secret.len() == SECRET && is_hex(id) && is_hex(secret)).then_some(id)
}

/// Returns what is kept of a token.
pub(crate) fn token_hash(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

/// Compares in constant time.
pub(crate) fn is_token(text: &str, hash: &str) -> bool {
    blake3::Hash::from_hex(hash).is_ok_and(|kept| kept == blake3::hash(text.as_bytes()))
}

/// Returns what is kept of a password.
pub(crate) fn password_hash(password: &str) -> Result<String, StoreError> {
    let length = password.chars().count();
    if !PASSWORD.contains(&length) {
        let (least, most) = PASSWORD.into_inner();
        return Err(StoreError::invalid(format!("A password must have {least} to {most} characters, got {length}.")));
    }
    if password.starts_with(PREFIX) {
        return Err(StoreError::invalid(format!("A password must not start with `{PREFIX}`, as tokens do.")));
    }
    let salt: [u8; 16] = rand::random();
    let hash = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt);
    Ok(hash.expect("the password, the salt and the parameters are in range").to_string())
}

/// Checks a password, slowly. Text that is no hash matches nothing.
pub(crate) fn is_password(password: &str, hash: &str) -> bool {
    password.chars().count() <= *PASSWORD.end() && Argon2::default().verify_password(password.as_bytes(), hash).is_ok()
}

/// Takes as long as [`is_password`], so that the time does not tell which users there are.
pub(crate) fn is_nobodys_password(password: &str) {
    static NOBODYS: LazyLock<String> = LazyLock::new(|| password_hash("a password of nobody").unwrap_or_default());
    is_password(password, &NOBODYS);
}

/// Checks the name of a token or user.
pub(crate) fn check_name(name: &str) -> Result<(), StoreError> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '@');
    let is_valid = name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(is_allowed) && name.len() <= NAME;
    if is_valid {
        return Ok(());
    }
    Err(StoreError::invalid(format!(
        "Invalid name '{}': it must have 1 to {NAME} letters, digits and `_ - . @`, and start with a letter or digit.",
        name.chars().take(NAME).collect::<String>()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_told_from_other_texts() {
        let id = new_token_id();
        let (secret, other) = (TokenBits::random().text(&id), TokenBits::random().text(&id));
        assert_eq!(token_id(secret.expose()), Some(id.as_str()));
        assert!(is_token(secret.expose(), &token_hash(secret.expose())));
        assert!(!is_token(secret.expose(), &token_hash(other.expose())));
        assert!(!is_token(secret.expose(), "no hash") && !is_token(secret.expose(), ""));
        let upper = secret.expose().to_uppercase();
        for other in ["", "alm_", "alm_0_0", "password", upper.as_str(), &secret.expose()[1..], &format!("{} ", secret.expose())] {
            assert_eq!(token_id(other), None, "`{other}`");
        }
    }

    #[test]
    fn passwords_have_a_salt_and_a_slow_hash() {
        let (one, other) = (password_hash("correct horse battery").expect("long enough"), password_hash("correct horse battery"));
        assert_ne!(one, other.expect("long enough"));
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert!(is_password("correct horse battery", &one));
        assert!(!is_password("correct horse batterx", &one) && !is_password("", &one) && !is_password("x", "no hash"));
        assert!(password_hash("password").is_err() && password_hash(&"x".repeat(257)).is_err());
        assert!(password_hash("alm_horse_battery").is_err());
    }

    #[test]
    fn names_cannot_hold_what_separates_them_from_a_password() {
        for good in ["ci", "anna@example.com", "0", "a.b-c_d"] {
            assert!(check_name(good).is_ok(), "`{good}`");
        }
        for bad in ["", ":", "a:b", "-a", "a b", "é", &"x".repeat(65), "a\n"] {
            assert!(check_name(bad).is_err(), "`{bad}`");
        }
    }
}
