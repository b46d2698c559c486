//! Who may call the server: roles, tokens and users.

use std::fmt;

use super::Millis;

/// What a caller may do. Each role includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reads everything but secrets.
    Viewer,
    /// Also forecasts, tags and assesses.
    Planner,
    /// Also writes experiments, runs, models, artifacts and the registry: what clients of MLflow and Optuna do.
    Engineer,
    /// Also decides who may call, and deletes for good.
    Admin,
}

impl Role {
    /// All roles, the least first.
    pub const ALL: [Self; 4] = [Self::Viewer, Self::Planner, Self::Engineer, Self::Admin];

    /// Returns the word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Planner => "planner",
            Self::Engineer => "engineer",
            Self::Admin => "admin",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text of a token, which is shown once and kept nowhere. Never in a log: `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub(crate) String);

impl Secret {
    /// Returns the text, for whoever is to keep it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What is needed to make a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccessToken {
    /// Unique among the tokens that are not revoked; also the user name where a client sends one.
    pub name: String,
    /// What its bearer may do.
    pub role: Role,
    /// When it stops working; never where it is `None`.
    pub expires: Option<Millis>,
}

/// A token, without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct AccessToken {
    pub id: String,
    pub name: String,
    pub role: Role,
    pub created: Millis,
    pub expires: Option<Millis>,
    pub revoked: Option<Millis>,
    /// To some minutes.
    pub last_used: Option<Millis>,
}

/// A person with a password.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub struct AccessUser {
    pub name: String,
    pub role: Role,
    pub created: Millis,
    /// To some minutes.
    pub last_used: Option<Millis>,
}

/// What a password was found right against. A password that was right once is right as long as this stays the same, which is
/// known without the cost of checking the password.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordProof(pub(crate) String);

impl fmt::Debug for PasswordProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordProof(…)")
    }
}
