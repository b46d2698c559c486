//! From where a call comes: the name of the host that was called, and the site of the page that calls.
//!
//! A page of another site can make a browser call this server with what the browser knows, or can point a name of its own at
//! this machine (DNS rebinding) and read the answers as well. So a state is changed for pages of this server's own origin only,
//! and a server on a loopback address answers to the names of a loopback address only.
//!
//! Not here: who calls (`credentials`).

use std::net::{IpAddr, SocketAddr};

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::refusal::Refusal;

/// The methods that a page elsewhere may use where its origin is allowed.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";

/// The names of this machine that callers may use.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Hosts {
    /// Any name.
    #[default]
    Any,
    /// The local names, and these.
    Listed {
        /// Names with or without a port; `*.example.com` for all of a domain.
        names: Vec<String>,
        /// Also any address, which no one can point elsewhere.
        has_addresses: bool,
    },
}

impl Hosts {
    /// On loopback addresses only the local names. On others a browser that is led here by another name has nothing to say who it
    /// is with: there a list is needed only where nobody has to say it.
    pub(super) fn of_address(listen: SocketAddr, is_guarded: bool, mut names: Vec<String>) -> Self {
        let is_local = listen.ip().to_canonical().is_loopback();
        if names.iter().any(|name| name == "*") || (names.is_empty() && is_guarded && !is_local) {
            return Self::Any;
        }
        if !listen.ip().is_unspecified() {
            names.push(host_of(listen.ip()));
        }
        Self::Listed { names, has_addresses: !is_local }
    }

    fn allows(&self, given: &str) -> bool {
        let Self::Listed { names, has_addresses } = self else { return true };
        let given = given.to_ascii_lowercase();
        let Some(host) = without_port(&given) else { return false };
        let is_listed = |name: &String| {
            let name = name.to_ascii_lowercase();
            match name.strip_prefix('*') {
                Some(domain) if domain.starts_with('.') => host.len() > domain.len() && host.ends_with(domain),
                _ => name == host || name == given,
            }
        };
        is_local(host) || (*has_addresses && is_address(host)) || names.iter().any(is_listed)
    }
}

fn host_of(address: IpAddr) -> String {
    if address.is_ipv6() { format!("[{address}]") } else { address.to_string() }
}

fn is_local(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

fn is_address(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    bare.parse::<IpAddr>().is_ok()
}

/// Cuts the port off; `None` if it is no port.
fn without_port(authority: &str) -> Option<&str> {
    let after_address = authority.rfind(']').map_or(0, |end| end + 1);
    let Some(colon) = authority[after_address..].find(':') else { return Some(authority) };
    let (host, port) = authority.split_at(after_address + colon);
    let port = &port[1..];
    (port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit())).then_some(host)
}

/// Checks host and origin, and returns the origin where it is one that is allowed to read the answer.
pub(super) fn check(request: &Parts, hosts: &Hosts, origins: &[String]) -> Result<Option<HeaderValue>, Refusal> {
    let given = authorities(request);
    if !matches!(hosts, Hosts::Any) && (given.is_empty() || !given.iter().all(|host| host.is_some_and(|host| hosts.allows(host)))) {
        return Err(Refusal::Host);
    }
    let mut values = request.headers.get_all(header::ORIGIN).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let origin = value.to_str().ok().filter(|_| values.next().is_none());
    if origin.is_some_and(|origin| origins.iter().any(|allowed| allowed == "*" || allowed.eq_ignore_ascii_case(origin))) {
        return Ok(Some(value.clone()));
    }
    let is_changing = !matches!(request.method, Method::GET | Method::HEAD | Method::OPTIONS);
    let is_ours = |origin: &str| given.iter().flatten().any(|host| is_same_site(origin, host));
    if is_changing && !origin.is_some_and(is_ours) { Err(Refusal::Origin) } else { Ok(None) }
}

/// What the request says it calls: `Host`, or what stands in the request line, as in HTTP/2.
fn authorities(request: &Parts) -> Vec<Option<&str>> {
    let of_line = request.uri.authority().map(|authority| Some(authority.as_str()));
    request.headers.get_all(header::HOST).iter().map(|value| value.to_str().ok()).chain(of_line).collect()
}

/// Whether a page of this origin is one of the host's own. Programs on the same machine trust each other, as with its files.
fn is_same_site(origin: &str, host: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    if !matches!(scheme, "http" | "https") || authority.contains(['/', '@', '?', '#', '\\']) {
        return false;
    }
    let (authority, host) = (authority.to_ascii_lowercase(), host.to_ascii_lowercase());
    let are_local = || without_port(&authority).is_some_and(is_local) && without_port(&host).is_some_and(is_local);
    authority == host || are_local()
}

/// Whether a browser asks what a page of another site may do.
pub(super) fn is_preflight(request: &Parts) -> bool {
    let headers = &request.headers;
    request.method == Method::OPTIONS && headers.contains_key(header::ORIGIN) && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// Answers a browser that asks: without a word about what is allowed, nothing is.
pub(super) fn preflight(request: &Parts, origin: Option<HeaderValue>) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    if origin.is_some() {
        let asked = request.headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
        let headers = response.headers_mut();
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked.unwrap_or(HeaderValue::from_static("authorization, content-type")));
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
    }
    allow(&mut response, origin);
    response
}

/// Lets the page of an allowed origin read the answer.
pub(super) fn allow(response: &mut Response, origin: Option<HeaderValue>) {
    let Some(origin) = origin else { return };
    let headers: &mut HeaderMap = response.headers_mut();
    let mut set = |name: HeaderName, value| headers.insert(name, value);
    set(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.append(header::VARY, HeaderValue::from_static("origin"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(listen: &str, is_guarded: bool, names: &[&str]) -> Hosts {
        Hosts::of_address(listen.parse().expect("an address"), is_guarded, names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn a_loopback_address_has_local_names_only() {
        for local in [hosts("127.0.0.1:5000", false, &[]), hosts("[::1]:5000", true, &[])] {
            for good in ["localhost", "LOCALHOST:5000", "127.0.0.1:1", "[::1]", "[::1]:5000"] {
                assert!(local.allows(good), "`{good}`");
            }
            for bad in [
                "",
                "evil.example",
                "localhost.evil.example",
                "localhost.",
                "127.0.0.1.nip.io",
                "10.0.0.1",
                "localhost:x",
                "localhost:123456",
                "[::1",
                "evil@localhost",
                "localhost:80:80",
                "127.1",
            ] {
                assert!(!local.allows(bad), "`{bad}`");
            }
        }
        assert!(hosts("127.0.0.5:1", false, &[]).allows("127.0.0.5:1"));
    }

    #[test]
    fn names_can_be_listed() {
        let listed = hosts("0.0.0.0:80", false, &["forecast.example.com", "*.corp.example", "other:81"]);
        for good in [
            "forecast.example.com",
            "forecast.example.com:80",
            "a.corp.example",
            "10.1.2.3:80",
            "[2001:db8::1]:80",
            "other:81",
            "localhost",
        ] {
            assert!(listed.allows(good), "`{good}`");
        }
        for bad in ["example.com", "corp.example", ".corp.example", "acorp.example", "a.corp.example.evil", "other:82"] {
            assert!(!listed.allows(bad), "`{bad}`");
        }
        assert_eq!(hosts("0.0.0.0:80", true, &[]), Hosts::Any);
        assert_eq!(hosts("127.0.0.1:80", false, &["*"]), Hosts::Any);
    }

    #[test]
    fn pages_of_the_same_host_are_ours() {
        assert!(is_same_site("http://forecast.example.com", "forecast.example.com"));
        assert!(is_same_site("https://forecast.example.com:8443", "Forecast.example.com:8443"));
        assert!(is_same_site("http://localhost:3000", "127.0.0.1:5000"));
        for (origin, host) in [
            ("null", "localhost"),
            ("http://evil.example", "localhost:5000"),
            ("http://localhost:3000", "forecast.example.com"),
            ("http://localhost.evil.example", "localhost"),
            ("http://localhost@evil.example", "localhost"),
            ("file://localhost", "localhost"),
            ("http://forecast.example.com:81", "forecast.example.com"),
        ] {
            assert!(!is_same_site(origin, host), "`{origin}` `{host}`");
        }
    }
}
