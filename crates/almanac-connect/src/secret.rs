//! What nobody may read: passwords, tokens, keys; and text that names where they are.
//!
//! The configuration holds `${env:NAME}` or `${file:PATH}` in their place. A [`Template`] is such text, safe to show as it is written;
//! filled, it becomes a [`Filled`], which shows nothing. A [`Scrubber`] takes the secrets out of what drivers and servers say.
//!
//! Not here: which keys may hold a secret (`spec`).

use std::fmt;
use std::path::{Path, PathBuf};

use almanac_series::Hint;

/// Text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Returns the text, to be handed to a driver and to nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Why a text with secrets in it cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecretError {
    /// A `${…}` that is not known.
    #[error("`${{{given}}}` is no place of a secret")]
    Unknown {
        /// What stands between the braces.
        given: String,
    },
    /// A `${` without its `}`.
    #[error("a `${{` has no `}}`")]
    Open,
    /// The variable is not set, or empty.
    #[error("the environment variable `{name}` is not set")]
    Unset {
        /// The variable.
        name: String,
    },
    /// The file cannot be read.
    #[error("the secret in `{}` cannot be read: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

impl Hint for SecretError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Unknown { .. } | Self::Open => "write `${env:NAME}` or `${file:PATH}`".into(),
            Self::Unset { name } => format!("set it for this command: `{name}=… almanac run`"),
            Self::Unreadable { .. } => "the file must hold the secret and nothing else; relative paths start at the project".into(),
        })
    }
}

/// Where secrets are looked up.
#[derive(Clone, Copy)]
pub struct Lookup<'a> {
    /// Environment variables.
    pub variable: &'a (dyn Fn(&str) -> Option<String> + Sync),
    /// Where relative paths of files start.
    pub root: &'a Path,
}

impl fmt::Debug for Lookup<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookup").field("root", &self.root).finish_non_exhaustive()
    }
}

/// Text as it is written in the configuration, with the places of secrets in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Variable(String),
    File(PathBuf),
}

impl Template {
    /// Reads a text.
    ///
    /// # Errors
    /// [`SecretError::Unknown`], [`SecretError::Open`].
    pub fn new(text: &str) -> Result<Self, SecretError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, from)) = rest.split_once("${") {
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            let (inside, after) = from.split_once('}').ok_or(SecretError::Open)?;
            let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            pieces.push(match inside.split_once(':') {
                Some(("env", name)) if is_name(name) => Piece::Variable(name.to_owned()),
                Some(("file", path)) if !path.trim().is_empty() => Piece::File(PathBuf::from(path)),
                _ => return Err(SecretError::Unknown { given: inside.to_owned() }),
            });
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self { text: text.to_owned(), pieces })
    }

    /// Returns the text as written, which holds no secret.
    pub fn as_written(&self) -> &str {
        &self.text
    }

    /// Whether a secret is looked up for it.
    pub fn has_places(&self) -> bool {
        self.pieces.iter().any(|piece| !matches!(piece, Piece::Text(_)))
    }

    /// Puts the secrets in. In a URL those of the user, the password and the query are encoded as URLs have it.
    ///
    /// # Errors
    /// [`SecretError::Unset`], [`SecretError::Unreadable`].
    pub fn fill(&self, lookup: &Lookup<'_>) -> Result<Filled, SecretError> {
        let mut text = String::new();
        let mut secrets = Vec::new();
        for (place, piece) in self.pieces.iter().enumerate() {
            let secret = match piece {
                Piece::Text(plain) => {
                    text.push_str(plain);
                    continue;
                }
                Piece::Variable(name) => {
                    let found = (lookup.variable)(name).filter(|value| !value.is_empty());
                    found.ok_or_else(|| SecretError::Unset { name: name.clone() })?
                }
                Piece::File(path) => {
                    let path = lookup.root.join(path);
                    let read = std::fs::read_to_string(&path);
                    let read = read.map_err(|error| SecretError::Unreadable { path: path.clone(), reason: error.to_string() })?;
                    let read = read.trim_end_matches(['\r', '\n']).to_owned();
                    if read.is_empty() {
                        return Err(SecretError::Unreadable { path, reason: "it is empty".into() });
                    }
                    read
                }
            };
            let after: String =
                self.pieces[place + 1..].iter().map(|piece| if let Piece::Text(text) = piece { text } else { "" }).collect();
            let is_in_url = text.contains("://");
            let is_in_user = is_in_url && after.split(['/', '?', '#']).next().is_some_and(|authority| authority.contains('@'));
            if is_in_user || is_in_url && text.contains('?') {
                text.push_str(&encoded(&secret));
            } else {
                text.push_str(&secret);
            }
            secrets.push(secret);
        }
        Ok(Filled { text: Secret(text), secrets })
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn encoded(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    text.bytes().map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

/// A text with its secrets in it.
#[derive(Clone)]
pub struct Filled {
    /// The whole text.
    pub text: Secret,
    secrets: Vec<String>,
}

impl fmt::Debug for Filled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filled").field("text", &self.text).finish_non_exhaustive()
    }
}

/// Takes secrets out of texts.
#[derive(Clone, Default)]
pub struct Scrubber(Vec<String>);

impl fmt::Debug for Scrubber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scrubber")
    }
}

impl Scrubber {
    /// Learns the secrets of a text; of a URL that is one secret as a whole, also its password and query.
    pub fn learn(&mut self, filled: &Filled) {
        for secret in &filled.secrets {
            self.add(secret);
            self.add(&encoded(secret));
            if let Ok(url) = url::Url::parse(secret) {
                self.add(url.password().unwrap_or_default());
                self.add(url.query().unwrap_or_default());
            }
        }
        if let Ok(url) = url::Url::parse(filled.text.expose()) {
            self.add(url.password().unwrap_or_default());
        }
    }

    fn add(&mut self, secret: &str) {
        // One or two characters would make every text unreadable and hide nothing.
        if secret.len() > 2 && !self.0.iter().any(|known| known == secret) {
            self.0.push(secret.to_owned());
            self.0.sort_by_key(|known| std::cmp::Reverse(known.len()));
        }
    }

    /// Returns the text without secrets, and without the password of any URL in it.
    pub fn scrub(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.0 {
            if text.contains(secret) {
                text = text.replace(secret, "***");
            }
        }
        without_passwords(&text)
    }
}

/// Hides what stands between `:` and `@` of the URLs in a text, and their queries' signatures.
pub fn without_passwords(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        shown.push_str(before);
        let end = after.find(|c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\'' | '`')).unwrap_or(after.len());
        let (authority, tail) = after.split_at(end);
        match authority.rsplit_once('@') {
            Some((user, host)) => {
                let name = user.split_once(':').map_or(user, |(name, _)| name);
                let hidden = if user.contains(':') { ":***" } else { "" };
                shown.push_str(&format!("{name}{hidden}@{host}"));
            }
            None => shown.push_str(authority),
        }
        rest = tail;
    }
    shown.push_str(rest);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(text: &str, root: &Path) -> Result<Filled, SecretError> {
        let variable = |name: &str| match name {
            "PW" => Some("p@ss/w:rd".to_owned()),
            "HOST" => Some("db.example:5432".to_owned()),
            "URL" => Some("postgresql://a:topsecret@h/d".to_owned()),
            _ => None,
        };
        Template::new(text)?.fill(&Lookup { variable: &variable, root })
    }

    #[test]
    fn secrets_come_from_the_environment_or_a_file_and_are_encoded_where_a_url_needs_it() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("token"), "abc def\n").expect("written");
        for (written, expected) in [
            ("postgresql://u:${env:PW}@${env:HOST}/d", "postgresql://u:p%40ss%2Fw%3Ard@db.example:5432/d"),
            ("https://h/x?key=${file:token}", "https://h/x?key=abc%20def"),
            ("Bearer ${file:token}", "Bearer abc def"),
            ("${env:URL}", "postgresql://a:topsecret@h/d"),
            ("plain", "plain"),
        ] {
            assert_eq!(fill(written, folder.path()).expect("filled").text.expose(), expected);
        }
    }

    #[test]
    fn what_is_missing_or_misspelt_is_named() {
        let here = Path::new("");
        for (written, expected) in [
            ("${env:NOPE}", "the environment variable `NOPE` is not set"),
            ("${file:/nowhere/x}", "the secret in `/nowhere/x` cannot be read: No such file or directory (os error 2)"),
            ("${NAME}", "`${NAME}` is no place of a secret"),
            ("${env:A B}", "`${env:A B}` is no place of a secret"),
            ("${env:A", "a `${` has no `}`"),
        ] {
            assert_eq!(fill(written, here).expect_err("refused").to_string(), expected);
        }
    }

    #[test]
    fn nothing_shows_a_secret() {
        let here = Path::new("");
        let filled = fill("postgresql://u:${env:PW}@h/d", here).expect("filled");
        assert_eq!(format!("{filled:?} {}", filled.text), "Filled { text: ***, .. } ***");
        let mut scrubber = Scrubber::default();
        scrubber.learn(&filled);
        scrubber.learn(&fill("${env:URL}", here).expect("filled"));
        let said = "login p@ss/w:rd or p%40ss%2Fw%3Ard failed at postgresql://a:topsecret@h/d, topsecret, http://x:y@z/";
        assert_eq!(scrubber.scrub(said), "login *** or *** failed at ***, ***, http://x:***@z/");
        assert_eq!(format!("{:?}", Secret::new("x".into())), "***");
    }
}
