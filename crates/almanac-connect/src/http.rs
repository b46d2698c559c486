//! Requests over HTTP: tried again when that may help, paced, with secrets that stay with the host they are for.
//!
//! Tried again: no answer, an answer cut off, 408, 425, 429 and 5xx. The wait doubles from one try to the next, up to half of it by
//! chance, and is at least what `Retry-After` asks for. Redirects are followed by hand: to another host the configured headers do not go
//! along, and from HTTPS to HTTP nothing goes.
//!
//! Not here: pages (`rest`), files (`objects`).

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response, StatusCode};
use tokio::time::Instant;
use url::Url;

use crate::error::ConnectError;
use crate::secret::{Lookup, Scrubber, Template, without_passwords};
use crate::sql::chain;

/// Longest wait that a server may ask for.
const LONGEST_WAIT: Duration = Duration::from_mins(5);
const REDIRECTS: usize = 10;
/// Characters of an error page that are shown.
const SHOWN: usize = 300;

/// How long to wait between tries: this long after the first, doubled after each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience(pub Duration);

impl Default for Patience {
    fn default() -> Self {
        Self(Duration::from_millis(500))
    }
}

impl Patience {
    /// The wait after a try, the first being 0.
    pub(crate) fn wait(self, attempt: u32) -> Duration {
        let whole = self.0.saturating_mul(1 << attempt.min(7)).min(Duration::from_mins(1));
        // Half of it is chance, so that many clients do not come back at once.
        let chance = RandomState::new().hash_one(attempt) % 1000;
        whole / 2 + whole.mul_f64(chance as f64 / 2000.0)
    }
}

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) url: Url,
    pub(crate) is_post: bool,
    pub(crate) body: Option<String>,
    /// Headers that are no secrets: `if-none-match`.
    pub(crate) extra: Vec<(HeaderName, String)>,
}

/// A client of one service.
#[derive(Debug)]
pub(crate) struct Http<'a> {
    client: Client,
    headers: HeaderMap,
    home: Url,
    shown: String,
    scrubber: &'a Scrubber,
    pace: Option<Duration>,
    last: Option<Instant>,
    retries: u32,
    patience: Patience,
}

/// What a try came to.
pub(crate) enum Tried {
    /// It failed, and may not fail again; with what the server asks to wait.
    Again(ConnectError, Duration),
    /// It failed for good.
    Failed(ConnectError),
}

/// What a client needs to know.
#[derive(Debug)]
pub(crate) struct Manner<'a> {
    pub(crate) shown: String,
    pub(crate) timeout: Duration,
    pub(crate) retries: u32,
    pub(crate) patience: Patience,
    pub(crate) pace: Option<Duration>,
    pub(crate) scrubber: &'a Scrubber,
}

/// Fills headers; what they hold is learnt by the scrubber.
pub(crate) fn fill_headers(
    headers: &BTreeMap<String, Template>,
    lookup: &Lookup<'_>,
    scrubber: &mut Scrubber,
) -> Result<HeaderMap, ConnectError> {
    let mut filled = HeaderMap::new();
    for (name, template) in headers {
        let value = template.fill(lookup)?;
        scrubber.learn(&value);
        let bad = |reason: &str| ConnectError::BadUrl { url: format!("header {name}"), reason: reason.to_owned() };
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| bad("it is no name of a header"))?;
        let mut text =
            HeaderValue::from_str(value.text.expose()).map_err(|_| bad("its value holds characters that a header cannot hold"))?;
        text.set_sensitive(true);
        filled.insert(name, text);
    }
    Ok(filled)
}

impl<'a> Http<'a> {
    pub(crate) fn new(home: &Url, headers: HeaderMap, manner: Manner<'a>) -> Result<Self, ConnectError> {
        let client = Client::builder()
            .redirect(Policy::none())
            // From one piece to the next: a large file takes as long as it takes.
            .read_timeout(manner.timeout)
            .connect_timeout(manner.timeout.min(Duration::from_secs(30)))
            .user_agent(concat!("almanac/", env!("CARGO_PKG_VERSION")))
            .build();
        let client = client.map_err(|error| ConnectError::Unreachable { url: manner.shown.clone(), reason: chain(&error) })?;
        Ok(Self {
            client,
            headers,
            home: home.clone(),
            shown: manner.shown,
            scrubber: manner.scrubber,
            pace: manner.pace,
            last: None,
            retries: manner.retries,
            patience: manner.patience,
        })
    }

    fn scrub(&self, text: &str) -> String {
        self.scrubber.scrub(text)
    }

    pub(crate) fn refused(&self, reason: impl ToString) -> ConnectError {
        ConnectError::Refused { url: self.shown.clone(), reason: self.scrub(&reason.to_string()) }
    }

    /// A body that was cut off or cannot be read.
    pub(crate) fn broken(&self, error: &reqwest::Error) -> Tried {
        let reason = self.scrub(&chain(&without_url(error)));
        Tried::Again(ConnectError::Lost { url: self.shown.clone(), rows: 0, reason }, Duration::ZERO)
    }

    /// Asks until `read` has made something of an answer, or no more tries are left.
    pub(crate) async fn ask<T>(
        &mut self,
        ask: &Ask,
        mut read: impl AsyncFnMut(&Self, Response) -> Result<T, Tried>,
    ) -> Result<T, ConnectError> {
        let mut attempt = 0;
        loop {
            self.keep_pace().await;
            let outcome = match self.send(ask).await {
                Ok(response) => read(self, response).await,
                Err(tried) => Err(tried),
            };
            let (error, asked) = match outcome {
                Ok(made) => return Ok(made),
                Err(Tried::Failed(error)) => return Err(error),
                Err(Tried::Again(error, asked)) => (error, asked),
            };
            if attempt >= self.retries || asked > LONGEST_WAIT {
                return Err(error);
            }
            let wait = self.patience.wait(attempt).max(asked);
            tracing::warn!(url = %self.shown, %error, attempt, wait_ms = wait.as_millis() as u64, "a request failed and is tried again");
            tokio::time::sleep(wait).await;
            attempt += 1;
        }
    }

    async fn keep_pace(&mut self) {
        if let (Some(pace), Some(last)) = (self.pace, self.last) {
            tokio::time::sleep_until(last + pace).await;
        }
        self.last = Some(Instant::now());
    }

    /// Sends, follows redirects; gives an answer of success, or 304.
    async fn send(&self, ask: &Ask) -> Result<Response, Tried> {
        let mut url = ask.url.clone();
        let mut is_post = ask.is_post;
        for _ in 0..=REDIRECTS {
            let is_home = url.origin() == self.home.origin();
            if is_post && !is_home {
                let reason = format!("it leads to `{}`, and the body of a POST stays with its host", without_passwords(url.as_str()));
                return Err(Tried::Failed(self.refused(reason)));
            }
            let method = if is_post { Method::POST } else { Method::GET };
            let mut request = self.client.request(method, url.clone());
            if is_home {
                request = request.headers(self.headers.clone());
            }
            for (name, value) in &ask.extra {
                request = request.header(name.clone(), value);
            }
            if let (true, Some(body)) = (is_post, &ask.body) {
                request = request.header("content-type", "application/json").body(body.clone());
            }
            let response = request.send().await.map_err(|error| {
                let reason = self.scrub(&chain(&without_url(&error)));
                Tried::Again(ConnectError::Unreachable { url: self.shown.clone(), reason }, Duration::ZERO)
            })?;
            let status = response.status();
            if !status.is_redirection() || status == StatusCode::NOT_MODIFIED {
                return self.judge(response).await;
            }
            let target = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let Some(next) = target.and_then(|target| url.join(target).ok()) else {
                return Err(Tried::Failed(self.refused(format!("{status} without a place to go to"))));
            };
            let is_weaker = url.scheme() == "https" && next.scheme() != "https";
            if is_weaker || !matches!(next.scheme(), "http" | "https") {
                let reason = format!("it redirects to `{}`, which is not encrypted", without_passwords(next.as_str()));
                return Err(Tried::Failed(self.refused(reason)));
            }
            if matches!(status.as_u16(), 301..=303) {
                is_post = false;
            }
            url = next;
        }
        Err(Tried::Failed(self.refused(format!("more than {REDIRECTS} redirects"))))
    }

    async fn judge(&self, response: Response) -> Result<Response, Tried> {
        let status = response.status();
        if status.is_success() || status == StatusCode::NOT_MODIFIED {
            return Ok(response);
        }
        let asked = retry_after(response.headers());
        // An error page may be a whole site: only its start is of use.
        let mut page = Vec::new();
        let mut response = response;
        while page.len() < SHOWN * 4 {
            match response.chunk().await {
                Ok(Some(chunk)) => page.extend_from_slice(&chunk),
                _ => break,
            }
        }
        let text = self.scrub(&String::from_utf8_lossy(&page));
        let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(SHOWN).collect();
        let reason = if text.is_empty() { status.to_string() } else { format!("{status}: {text}") };
        let url = self.shown.clone();
        Err(match status.as_u16() {
            401 | 403 | 407 => Tried::Failed(ConnectError::Denied { url, reason }),
            404 | 410 => Tried::Failed(ConnectError::Missing { url, what: "such page".into(), reason }),
            408 | 425 | 429 | 500..=599 => Tried::Again(ConnectError::Unreachable { url, reason }, asked),
            _ => Tried::Failed(ConnectError::Refused { url, reason }),
        })
    }
}

/// `reqwest` shows the URL, with what stands in its query.
fn without_url(error: &reqwest::Error) -> impl std::error::Error + 'static {
    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Said(String);
    let mut text = if error.is_timeout() {
        "no answer in time".to_owned()
    } else if error.is_connect() {
        "no connection".to_owned()
    } else if error.is_body() || error.is_decode() {
        "the answer was cut off".to_owned()
    } else {
        "the request failed".to_owned()
    };
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        let said = next.to_string();
        if !text.contains(&said) && !said.contains("://") {
            text = format!("{text}: {said}");
        }
        cause = next.source();
    }
    Said(text)
}

fn retry_after(headers: &HeaderMap) -> Duration {
    let Some(text) = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()) else { return Duration::ZERO };
    if let Ok(seconds) = text.trim().parse::<u64>() {
        return Duration::from_secs(seconds);
    }
    let Ok(date) = jiff::fmt::rfc2822::parse(text) else { return Duration::ZERO };
    Duration::try_from(date.timestamp().duration_since(jiff::Timestamp::now())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_and_stay_in_bounds() {
        let patience = Patience::default();
        for attempt in 0..20 {
            let whole = Duration::from_millis(500 << attempt.min(7)).min(Duration::from_mins(1));
            let wait = patience.wait(attempt);
            assert!(wait >= whole / 2 && wait <= whole, "{attempt}: {wait:?}");
        }
    }

    #[test]
    fn servers_say_when_to_come_back_in_seconds_or_as_a_date() {
        let after = |text: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, HeaderValue::from_str(text).expect("a value"));
            retry_after(&headers)
        };
        assert_eq!(after("7"), Duration::from_secs(7));
        assert_eq!(after("soon"), Duration::ZERO);
        assert_eq!(after("Wed, 21 Oct 2015 07:28:00 GMT"), Duration::ZERO);
        assert!(after("Wed, 21 Oct 2099 07:28:00 GMT") > Duration::from_secs(1 << 20));
    }
}
