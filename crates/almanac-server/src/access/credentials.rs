//! Who calls: reading the `Authorization` header and asking the store.
//!
//! MLflow's clients send `Basic` with a name and a password, or `Bearer` with a token; a token may also stand where the password
//! does, with its name as the name. What was found right is remembered for some seconds, so that neither the store nor a slow
//! hash is asked for each request; a token that is revoked, or a password that is changed, works that much longer.
//!
//! Not here: what the caller may do (`policy`).

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use almanac_tracking::{PasswordProof, Role, StoreError, TrackingStore};
use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::Semaphore;

use super::Actor;
use super::attempts::Attempts;
use super::refusal::Refusal;
use crate::mlflow::now;

/// How long what was found right is right without asking.
const FRESH: Duration = Duration::from_secs(5);
/// How long a password's hash is remembered after that, so that it is compared instead of computed.
const REMEMBERED: Duration = Duration::from_hours(1);
/// Most callers that are remembered.
const CALLERS: usize = 4_096;
/// Most bytes of the header.
const LONGEST: usize = 4_096;
/// Most passwords that are checked at a time: each takes a core and 19 MiB for some ten milliseconds.
const PASSWORDS_AT_A_TIME: usize = 2;
/// How long a password may wait for its turn.
const QUEUE_LIMIT: Duration = Duration::from_secs(5);
/// How tokens start.
const TOKEN: &str = "alm_";

/// Knows callers.
#[derive(Debug)]
pub(super) struct Credentials {
    store: Arc<TrackingStore>,
    /// By the hash of the header. Only headers that were right get in.
    known: Mutex<HashMap<blake3::Hash, Known>>,
    attempts: Attempts,
    turns: Semaphore,
}

#[derive(Debug, Clone)]
struct Known {
    actor: Actor,
    proof: Option<PasswordProof>,
    checked: Instant,
}

impl Known {
    fn now(name: &str, role: Role, proof: Option<PasswordProof>) -> Self {
        Self { actor: Actor { name: name.into(), role }, proof, checked: Instant::now() }
    }
}

/// What a caller says.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Token { name: Option<String>, token: String },
    Password { name: String, password: String },
}

impl Said {
    fn name(&self) -> Option<String> {
        match self {
            Self::Token { name, .. } => name.clone(),
            Self::Password { name, .. } => Some(name.clone()),
        }
    }
}

impl Credentials {
    pub(super) fn new(store: Arc<TrackingStore>) -> Self {
        Self { store, known: Mutex::default(), attempts: Attempts::default(), turns: Semaphore::new(PASSWORDS_AT_A_TIME) }
    }

    pub(super) fn store(&self) -> &Arc<TrackingStore> {
        &self.store
    }

    /// Forgets everyone, so that what was revoked stops at once.
    pub(super) fn forget(&self) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Returns who calls.
    pub(super) async fn who(&self, headers: &HeaderMap, address: Option<IpAddr>) -> Result<Actor, Refusal> {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let Some(value) = values.next() else { return Err(Refusal::Unknown) };
        if values.next().is_some() || value.len() > LONGEST {
            return Err(Refusal::Wrong { name: None });
        }
        let key = blake3::hash(value.as_bytes());
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(known) = &known
            && known.checked.elapsed() < FRESH
        {
            return Ok(known.actor.clone());
        }
        let Some(said) = value.to_str().ok().and_then(read) else { return Err(Refusal::Wrong { name: None }) };
        let name = said.name();
        let found = match said {
            Said::Token { name, token } => self.check_token(name, token).await?,
            Said::Password { name, password } => {
                let proof = known.filter(|known| known.checked.elapsed() < REMEMBERED).and_then(|known| known.proof);
                if proof.is_none()
                    && let Some(wait) = self.attempts.wait(address, Instant::now())
                {
                    return Err(Refusal::TooMany { name, wait });
                }
                let found = self.check_password(name, password, proof).await?;
                if found.is_none() {
                    // Tokens do not count: nobody guesses one.
                    self.attempts.failed(address, Instant::now());
                }
                found
            }
        };
        let Some(found) = found else {
            self.known.lock().unwrap_or_else(PoisonError::into_inner).remove(&key);
            return Err(Refusal::Wrong { name });
        };
        let actor = found.actor.clone();
        self.remember(key, found);
        Ok(actor)
    }

    async fn check_token(&self, name: Option<String>, token: String) -> Result<Option<Known>, Refusal> {
        let store = Arc::clone(&self.store);
        let checked = tokio::task::spawn_blocking(move || store.check_access_token(&token, now())).await;
        let found = answered(checked)?.filter(|found| name.as_ref().is_none_or(|name| *name == found.name));
        Ok(found.map(|found| Known::now(&found.name, found.role, None)))
    }

    async fn check_password(&self, name: String, password: String, proof: Option<PasswordProof>) -> Result<Option<Known>, Refusal> {
        let turn = tokio::time::timeout(QUEUE_LIMIT, self.turns.acquire()).await;
        let _turn = turn.map_err(|_| Refusal::Busy)?.expect("the semaphore is never closed");
        let store = Arc::clone(&self.store);
        let checked = tokio::task::spawn_blocking(move || store.check_access_password(&name, &password, proof.as_ref(), now())).await;
        Ok(answered(checked)?.map(|(user, proof)| Known::now(&user.name, user.role, Some(proof))))
    }

    fn remember(&self, key: blake3::Hash, found: Known) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CALLERS && !known.contains_key(&key) {
            known.retain(|_, other| other.proof.is_some() && other.checked.elapsed() < REMEMBERED);
            if known.len() >= CALLERS {
                known.clear();
            }
        }
        known.insert(key, found);
    }
}

fn answered<T>(checked: Result<Result<T, StoreError>, tokio::task::JoinError>) -> Result<T, Refusal> {
    match checked {
        Ok(Ok(found)) => Ok(found),
        Ok(Err(error)) => Err(Refusal::Failed { error: error.to_string() }),
        Err(error) => Err(Refusal::Failed { error: error.to_string() }),
    }
}

/// Reads the header; `None` if it is none of the kinds we know.
fn read(value: &str) -> Option<Said> {
    let (scheme, rest) = value.split_once(' ')?;
    let rest = rest.trim();
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Said::Token { name: None, token: rest.to_owned() });
    }
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
    let (name, password) = text.split_once(':')?;
    let (name, password) = (name.to_owned(), password.to_owned());
    if password.starts_with(TOKEN) {
        return Some(Said::Token { name: Some(name), token: password });
    }
    Some(Said::Password { name, password })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(text: &str) -> Option<Said> {
        read(&format!("Basic {}", STANDARD.encode(text)))
    }

    #[test]
    fn headers_of_clients_are_read() {
        let token = |name: Option<&str>| Said::Token { name: name.map(str::to_owned), token: "alm_1".to_owned() };
        assert_eq!(read("Bearer alm_1"), Some(token(None)));
        assert_eq!(read("bearer  alm_1"), Some(token(None)));
        assert_eq!(basic("ci:alm_1"), Some(token(Some("ci"))));
        assert_eq!(basic("anna:a:b"), Some(Said::Password { name: "anna".to_owned(), password: "a:b".to_owned() }));
        assert_eq!(basic("anna:"), Some(Said::Password { name: "anna".to_owned(), password: String::new() }));
    }

    #[test]
    fn other_headers_are_not() {
        for bad in ["", "Basic", "Basic !", "Basic YQ==", "Digest x", "Basic /w==", "Negotiate abc", " Bearer x"] {
            assert_eq!(read(bad), None, "`{bad}`");
        }
    }
}
