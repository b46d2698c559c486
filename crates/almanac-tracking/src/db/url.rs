//! Where a store lies, as people write it.

use std::fmt;
use std::path::PathBuf;

use crate::StoreError;

/// Address of a database: a file of SQLite or a database of PostgreSQL.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreUrl {
    /// A file, made if it is not there.
    Sqlite(PathBuf),
    /// `postgresql://user:password@host:port/name`.
    Postgres(url::Url),
}

impl StoreUrl {
    /// Reads `sqlite:///relative`, `sqlite:////absolute`, `postgresql://…` (also with a driver, `postgresql+psycopg2://…`) or a plain path.
    ///
    /// # Errors
    /// [`StoreError::BadUrl`] for other schemes and URLs that do not parse.
    pub fn parse(text: &str) -> Result<Self, StoreError> {
        let bad = || StoreError::BadUrl { url: without_password(text) };
        let Some((scheme, rest)) = text.split_once("://") else {
            return if text.is_empty() { Err(bad()) } else { Ok(Self::Sqlite(PathBuf::from(text))) };
        };
        let (scheme, _driver) = scheme.split_once('+').unwrap_or((scheme, ""));
        match scheme {
            // As SQLAlchemy reads it: the third slash ends the (empty) host, a fourth one starts an absolute path.
            "sqlite" => match rest.strip_prefix('/') {
                Some(path) if !path.is_empty() => Ok(Self::Sqlite(PathBuf::from(path))),
                _ => Err(bad()),
            },
            "postgres" | "postgresql" => {
                let url = url::Url::parse(&format!("postgresql://{rest}")).map_err(|_| bad())?;
                Ok(Self::Postgres(url))
            }
            _ => Err(bad()),
        }
    }
}

impl fmt::Display for StoreUrl {
    /// Never shows the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "{}", path.display()),
            Self::Postgres(url) => f.write_str(&without_password(url.as_str())),
        }
    }
}

impl fmt::Debug for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoreUrl({self})")
    }
}

fn without_password(text: &str) -> String {
    match url::Url::parse(text) {
        Ok(mut url) if url.password().is_some() => {
            // It fails only for URLs that cannot have a password.
            let _ = url.set_password(None);
            url.to_string()
        }
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_as_sqlalchemy_reads_them() {
        let path = |text: &str| match StoreUrl::parse(text) {
            Ok(StoreUrl::Sqlite(path)) => path.display().to_string(),
            other => format!("{other:?}"),
        };
        assert_eq!(path("sqlite:///a/b.db"), "a/b.db");
        assert_eq!(path("sqlite:////a/b.db"), "/a/b.db");
        assert_eq!(path("/a/b.db"), "/a/b.db");
        let url = StoreUrl::parse("postgresql+psycopg2://me:secret@host:5433/name").expect("reads");
        assert_eq!(url.to_string(), "postgresql://me@host:5433/name");
        for bad in ["", "mysql://host/name", "sqlite://", "http://host"] {
            assert!(matches!(StoreUrl::parse(bad), Err(StoreError::BadUrl { .. })), "`{bad}`");
        }
    }
}
