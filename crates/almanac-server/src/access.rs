//! Who may call, from where, and what: the layer around all routes.
//!
//! ```text
//! request ─► origin: is the host ours, is the page that calls ours? ─► credentials: who is it?
//!         ─► policy: may their role do this? ─► the route, with an [`Actor`] among the request's extensions
//! ```
//!
//! Off by default on a loopback address: whoever is on the machine may do everything, as with the files themselves. On any other
//! address a token or a password is needed. The policy is asked for the route that was matched, not for the text of the path, so
//! that no spelling of a path goes past it; what the policy does not know, only an admin may change.
//!
//! Every refusal is a warning in the log, everything that only an admin may do is a line in it.
//!
//! Not here: how tokens and passwords are kept (`almanac-tracking`), TLS (put a proxy in front).

mod attempts;
mod credentials;
mod origin;
mod policy;
mod refusal;
pub(crate) mod tokens;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use almanac_tracking::{Role, TrackingStore};
use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::Method;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;

use credentials::Credentials;
pub use origin::Hosts;
use refusal::{Refusal, Shape};

/// Who may call, and from where. Open to everyone by default, for tests and for embedding; [`Access::of_address`] chooses for a
/// real address.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Whether callers must say who they are.
    pub guard: Guard,
    /// Which names of this machine callers may use.
    pub hosts: Hosts,
    /// Origins of other sites whose pages may call, such as `https://notebooks.example`.
    pub origins: Vec<String>,
}

/// Whether callers must say who they are.
#[derive(Debug, Clone, Default)]
pub enum Guard {
    /// Everyone may do everything, but not decide who may call.
    #[default]
    Open,
    /// Callers need a token or a password of this store.
    Guarded(Arc<TrackingStore>),
}

/// When callers must say who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum GuardPolicy {
    /// On every address but a loopback one.
    #[default]
    Auto,
    /// On every address.
    Always,
    /// Never.
    Never,
}

impl Access {
    /// Chooses what is safe for the address that is listened on.
    ///
    /// `hosts` are names besides the machine's own that callers may use, `*.example.com` for all of a domain, `*` for any. `origins`
    /// are those of [`Access::origins`].
    pub fn of_address(
        listen: SocketAddr,
        policy: GuardPolicy,
        store: &Arc<TrackingStore>,
        hosts: Vec<String>,
        origins: Vec<String>,
    ) -> Self {
        let is_guarded = match policy {
            GuardPolicy::Auto => !listen.ip().to_canonical().is_loopback(),
            GuardPolicy::Always => true,
            GuardPolicy::Never => false,
        };
        let guard = if is_guarded { Guard::Guarded(Arc::clone(store)) } else { Guard::Open };
        Self { guard, hosts: Hosts::of_address(listen, is_guarded, hosts), origins }
    }

    /// Returns whether callers must say who they are.
    pub fn is_guarded(&self) -> bool {
        matches!(self.guard, Guard::Guarded(_))
    }
}

/// Who calls; among the extensions of each request that reaches a handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Actor {
    /// Empty where nobody has to say who they are.
    pub(crate) name: Arc<str>,
    pub(crate) role: Role,
}

/// The access as it is asked for each request.
#[derive(Clone)]
pub(crate) struct Gate {
    /// `None`: open.
    credentials: Option<Arc<Credentials>>,
    hosts: Arc<Hosts>,
    origins: Arc<[String]>,
    anyone: Actor,
}

impl Gate {
    pub(crate) fn new(access: Access) -> Self {
        let credentials = match access.guard {
            Guard::Open => None,
            Guard::Guarded(store) => Some(Arc::new(Credentials::new(store))),
        };
        Self {
            credentials,
            hosts: Arc::new(access.hosts),
            origins: access.origins.into(),
            anyone: Actor { name: Arc::default(), role: Role::Admin },
        }
    }

    async fn admit(&self, request: &Parts) -> Result<Actor, Refusal> {
        let Some(credentials) = &self.credentials else { return Ok(self.anyone.clone()) };
        let actor = credentials.who(&request.headers, address(request)).await?;
        let route = request.extensions.get::<MatchedPath>().map(MatchedPath::as_str);
        let needed = policy::needed(&request.method, route);
        if actor.role < needed {
            return Err(Refusal::Forbidden { actor, needed });
        }
        if needed == Role::Admin {
            let (method, path) = (&request.method, request.uri.path());
            tracing::info!(actor = ?actor.name, %method, ?path, "an admin acts");
        }
        Ok(actor)
    }
}

/// Probes are answered whoever asks, under whatever name.
fn is_probe(path: &str) -> bool {
    matches!(path, "/health" | "/version")
}

/// The address of whoever is at the other end of the connection. Headers that claim another one are not believed.
fn address(request: &Parts) -> Option<IpAddr> {
    request.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(address)| address.ip().to_canonical())
}

/// Lets a request through to its route, or refuses it.
pub(crate) async fn check(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    if is_probe(request.uri().path()) && matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let (mut request, body) = request.into_parts();
    let verdict = match origin::check(&request, &gate.hosts, &gate.origins) {
        Ok(origin) if origin::is_preflight(&request) => return origin::preflight(&request, origin),
        Ok(origin) => gate.admit(&request).await.map(|actor| (actor, origin)),
        Err(refusal) => Err(refusal),
    };
    match verdict {
        Ok((actor, origin)) => {
            request.extensions.insert(actor);
            let mut response = next.run(Request::from_parts(request, body)).await;
            origin::allow(&mut response, origin);
            response
        }
        Err(refusal) => {
            let (method, path, address) = (&request.method, request.uri.path(), address(&request));
            tracing::warn!(%method, ?path, ?address, reason = %refusal, "refused");
            refusal.respond(Shape::of(&request))
        }
    }
}
