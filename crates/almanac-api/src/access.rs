//! Tokens of whoever may call: listing, making and revoking them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A token, without its text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccessTokenInfo {
    /// Its id, which is also a part of its text.
    #[schema(example = "3f9c0a7be512")]
    pub id: String,
    /// Its name; also the user name where a client sends one.
    #[schema(example = "ci")]
    pub name: String,
    /// What its bearer may do: `viewer`, `planner`, `engineer` or `admin`.
    #[schema(example = "engineer")]
    pub role: String,
    /// When it was made, RFC 3339 in UTC.
    #[schema(example = "2024-01-31T10:15:00Z")]
    pub created: String,
    /// When it stops working; never where it is `null`.
    pub expires: Option<String>,
    /// When it was revoked.
    pub revoked: Option<String>,
    /// When it was used last, to some minutes.
    pub last_used: Option<String>,
}

/// All tokens, the revoked ones too, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccessTokens {
    /// The tokens.
    pub items: Vec<AccessTokenInfo>,
}

/// What is needed to make a token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateAccessToken {
    /// Unique among the tokens that are not revoked: 1 to 64 letters, digits and `_ - . @`.
    #[schema(example = "ci")]
    pub name: String,
    /// `viewer`, `planner`, `engineer` or `admin`.
    #[schema(example = "engineer")]
    pub role: String,
    /// Days until it stops working; never by default.
    #[serde(default)]
    pub expires_in_days: Option<u32>,
}

/// A new token with its text.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccessTokenCreated {
    /// The token.
    pub info: AccessTokenInfo,
    /// Its text: shown this once and kept nowhere.
    pub token: String,
}
