//! Tokens and users: who may call the server.

use super::TrackingStore;
use crate::db::{Row, Session, args};
use crate::secrets::{
    TokenBits, check_name, is_nobodys_password, is_password, is_token, new_token_id, password_hash, token_hash, token_id,
};
use crate::{AccessToken, AccessUser, Millis, NewAccessToken, PasswordProof, Role, Secret, StoreError};

/// How exactly `last_used` is kept: a write for each request would be the slowest part of it.
const USE_IS_NOTED_EVERY: i64 = 5 * 60 * 1000;

const TOKEN: &str = "token_id, name, role, created, expires, revoked, last_used, hash";
const USER: &str = "name, role, created, last_used, password";

impl TrackingStore {
    /// Returns whether anyone could say who they are: a token that works, or a user.
    pub fn has_access(&self, now: Millis) -> Result<bool, StoreError> {
        let sql = "SELECT (SELECT count(*) FROM access_users)
                        + (SELECT count(*) FROM access_tokens WHERE revoked IS NULL AND (expires IS NULL OR expires > ?1))";
        Ok(self.db.read(|session| session.first(sql, args![now.0], |row| row.int(0)))? != Some(0))
    }

    /// Makes a token and returns its text, which is not kept.
    ///
    /// # Errors
    /// `RESOURCE_ALREADY_EXISTS` if a token that is not revoked has the name.
    pub fn create_access_token(&self, new: &NewAccessToken, now: Millis) -> Result<(AccessToken, Secret), StoreError> {
        check_name(&new.name)?;
        check_expiry(new.expires, now)?;
        let id = new_token_id();
        let secret = TokenBits::random().text(&id);
        let hash = token_hash(secret.expose());
        let sql = "INSERT INTO access_tokens (token_id, name, role, hash, created, expires) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                   ON CONFLICT DO NOTHING";
        let expires = new.expires.map(|expires| expires.0);
        self.db.write(|session| {
            if session.execute(sql, args![&id, &new.name, new.role.as_str(), &hash, now.0, expires])? == 0 {
                return Err(StoreError::exists(format!("A token with the name '{}' already exists.", new.name)));
            }
            Ok(())
        })?;
        let NewAccessToken { name, role, expires } = new.clone();
        Ok((AccessToken { id, name, role, created: now, expires, revoked: None, last_used: None }, secret))
    }

    /// Returns all tokens, the revoked ones too, oldest first.
    pub fn access_tokens(&self) -> Result<Vec<AccessToken>, StoreError> {
        let sql = format!("SELECT {TOKEN} FROM access_tokens ORDER BY created, token_id");
        self.db.read(|session| session.all(&sql, args![], token))
    }

    /// Gives a token a new text and a new end; the old text stops working.
    pub fn rotate_access_token(&self, id_or_name: &str, expires: Option<Millis>, now: Millis) -> Result<(AccessToken, Secret), StoreError> {
        check_expiry(expires, now)?;
        let bits = TokenBits::random();
        self.db.write(|session| {
            let mut found = named_token(session, id_or_name)?;
            let secret = bits.text(&found.id);
            let sql = "UPDATE access_tokens SET hash = ?1, expires = ?2 WHERE token_id = ?3";
            session.execute(sql, args![&token_hash(secret.expose()), expires.map(|expires| expires.0), &found.id])?;
            found.expires = expires;
            Ok((found, secret))
        })
    }

    /// Stops a token from working, for good.
    pub fn revoke_access_token(&self, id_or_name: &str, now: Millis) -> Result<AccessToken, StoreError> {
        self.db.write(|session| {
            let mut found = named_token(session, id_or_name)?;
            session.execute("UPDATE access_tokens SET revoked = ?1 WHERE token_id = ?2", args![now.0, &found.id])?;
            found.revoked = Some(now);
            Ok(found)
        })
    }

    /// Returns the token of that text, if it works now, and notes that it was used.
    pub fn check_access_token(&self, text: &str, now: Millis) -> Result<Option<AccessToken>, StoreError> {
        let Some(id) = token_id(text) else { return Ok(None) };
        let sql = format!("SELECT {TOKEN} FROM access_tokens WHERE token_id = ?1");
        let found = self.db.read(|session| session.first(&sql, args![id], |row| Ok((token(row)?, row.text(7)?))))?;
        let Some((found, hash)) = found else { return Ok(None) };
        let works = found.revoked.is_none() && found.expires.is_none_or(|expires| expires > now);
        // The hash is compared whether it works or not, so that the time does not tell.
        if !(is_token(text, &hash) && works) {
            return Ok(None);
        }
        self.note_use("UPDATE access_tokens SET last_used = ?1 WHERE token_id = ?2", &found.id, found.last_used, now);
        Ok(Some(found))
    }

    /// Makes a user.
    ///
    /// # Errors
    /// `RESOURCE_ALREADY_EXISTS` if there is one of the name; `INVALID_PARAMETER_VALUE` if the password is too short.
    pub fn create_access_user(&self, name: &str, role: Role, password: &str, now: Millis) -> Result<AccessUser, StoreError> {
        check_name(name)?;
        let hash = password_hash(password)?;
        let sql = "INSERT INTO access_users (name, role, password, created) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
        self.db.write(|session| {
            if session.execute(sql, args![name, role.as_str(), &hash, now.0])? == 0 {
                return Err(StoreError::exists(format!("A user with the name '{name}' already exists.")));
            }
            Ok(())
        })?;
        Ok(AccessUser { name: name.to_owned(), role, created: now, last_used: None })
    }

    /// Returns all users, by name.
    pub fn access_users(&self) -> Result<Vec<AccessUser>, StoreError> {
        let sql = format!("SELECT {USER} FROM access_users ORDER BY name");
        self.db.read(|session| session.all(&sql, args![], user))
    }

    /// Gives a user another password.
    pub fn set_access_password(&self, name: &str, password: &str) -> Result<(), StoreError> {
        let hash = password_hash(password)?;
        self.change_user(name, "UPDATE access_users SET password = ?2 WHERE name = ?1", &hash)
    }

    /// Gives a user another role.
    pub fn set_access_role(&self, name: &str, role: Role) -> Result<(), StoreError> {
        self.change_user(name, "UPDATE access_users SET role = ?2 WHERE name = ?1", role.as_str())
    }

    /// Deletes a user.
    pub fn delete_access_user(&self, name: &str) -> Result<(), StoreError> {
        self.db.write(|session| match session.execute("DELETE FROM access_users WHERE name = ?1", args![name])? {
            0 => Err(no_user(name)),
            _ => Ok(()),
        })
    }

    fn change_user(&self, name: &str, sql: &str, value: &str) -> Result<(), StoreError> {
        self.db.write(|session| match session.execute(sql, args![name, value])? {
            0 => Err(no_user(name)),
            _ => Ok(()),
        })
    }

    /// Returns the user of that name if the password is right, with what it was checked against, and notes that they were here.
    ///
    /// `earlier` is what this very password was found right against before: while that has not changed, this is fast. Otherwise it
    /// takes some ten milliseconds and 19 MiB, whether there is such a user or not.
    pub fn check_access_password(
        &self,
        name: &str,
        password: &str,
        earlier: Option<&PasswordProof>,
        now: Millis,
    ) -> Result<Option<(AccessUser, PasswordProof)>, StoreError> {
        let sql = format!("SELECT {USER} FROM access_users WHERE name = ?1");
        let found = self.db.read(|session| session.first(&sql, args![name], |row| Ok((user(row)?, row.text(4)?))))?;
        let Some((found, hash)) = found else {
            is_nobodys_password(password);
            return Ok(None);
        };
        let is_known = earlier.is_some_and(|earlier| earlier.0 == hash);
        if !(is_known || is_password(password, &hash)) {
            return Ok(None);
        }
        self.note_use("UPDATE access_users SET last_used = ?1 WHERE name = ?2", &found.name, found.last_used, now);
        Ok(Some((found, PasswordProof(hash))))
    }

    /// A use that cannot be noted is still a use.
    fn note_use(&self, sql: &str, key: &str, last: Option<Millis>, now: Millis) {
        if last.is_some_and(|last| now.0 - last.0 < USE_IS_NOTED_EVERY) {
            return;
        }
        if let Err(error) = self.db.write(|session| session.execute(sql, args![now.0, key])) {
            tracing::warn!(%error, "failed to note when a token or user was seen last");
        }
    }
}

fn check_expiry(expires: Option<Millis>, now: Millis) -> Result<(), StoreError> {
    match expires {
        Some(expires) if expires <= now => Err(StoreError::invalid("A token must expire in the future.")),
        _ => Ok(()),
    }
}

/// Finds a token that is not revoked. An id goes before a name that looks like one.
fn named_token(session: &mut dyn Session, id_or_name: &str) -> Result<AccessToken, StoreError> {
    for column in ["token_id", "name"] {
        let sql = format!("SELECT {TOKEN} FROM access_tokens WHERE {column} = ?1 AND revoked IS NULL");
        if let Some(found) = session.first(&sql, args![id_or_name], token)? {
            return Ok(found);
        }
    }
    Err(StoreError::missing(format!("No token with the id or name '{id_or_name}' that is not revoked.")))
}

fn no_user(name: &str) -> StoreError {
    StoreError::missing(format!("No user with the name '{name}'."))
}

/// Reads a row of [`TOKEN`], without the hash.
fn token(row: &dyn Row) -> Result<AccessToken, StoreError> {
    Ok(AccessToken {
        id: row.text(0)?,
        name: row.text(1)?,
        role: role(&row.text(2)?),
        created: Millis(row.int(3)?),
        expires: row.opt_int(4)?.map(Millis),
        revoked: row.opt_int(5)?.map(Millis),
        last_used: row.opt_int(6)?.map(Millis),
    })
}

/// Reads a row of [`USER`], without the password's hash.
fn user(row: &dyn Row) -> Result<AccessUser, StoreError> {
    Ok(AccessUser { name: row.text(0)?, role: role(&row.text(1)?), created: Millis(row.int(2)?), last_used: row.opt_int(3)?.map(Millis) })
}

/// The tables hold only words that we know; should they not, the least role is the safe one.
fn role(word: &str) -> Role {
    Role::parse(word).unwrap_or(Role::Viewer)
}
