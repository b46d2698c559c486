//! Listening, and ending in order: requests under way may finish, for a while.

use crate::Services;
use crate::router::router_with;
use crate::telemetry::Telemetry;
use almanac_series::Hint;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// How long requests under way may take to finish after the server was told to stop.
const DRAIN_LIMIT: Duration = Duration::from_secs(20);

/// Why the server could not listen, or had to stop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Another process listens there.
    #[error("failed to listen on `{listen}`: the address is in use")]
    InUse {
        /// The address asked for.
        listen: SocketAddr,
    },
    /// The system does not allow it.
    #[error("failed to listen on `{listen}`: permission denied")]
    Denied {
        /// The address asked for.
        listen: SocketAddr,
    },
    /// The address is not one of this machine.
    #[error("failed to listen on `{listen}`: the address is not one of this machine")]
    NotHere {
        /// The address asked for.
        listen: SocketAddr,
    },
    /// Any other failure to listen.
    #[error("failed to listen on `{listen}`")]
    Listen {
        /// The address asked for.
        listen: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The server stopped by itself.
    #[error("failed to serve")]
    Serve(#[source] io::Error),
}

impl Hint for ServeError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::InUse { listen } => {
                let next = listen.port().checked_add(1).unwrap_or(8080);
                Some(format!("stop what listens there, or choose another port: `--listen {}:{next}`", host(listen)))
            }
            Self::Denied { listen } => Some(format!("ports below 1024 need privileges: try `--listen {}:8080`", host(listen))),
            Self::NotHere { .. } => {
                Some("use `127.0.0.1` for this machine only, or `0.0.0.0` for every address of this machine".to_owned())
            }
            Self::Listen { .. } | Self::Serve(_) => None,
        }
    }
}

fn host(listen: &SocketAddr) -> String {
    if listen.is_ipv6() { format!("[{}]", listen.ip()) } else { listen.ip().to_string() }
}

/// A bound port that does not answer yet.
#[derive(Debug)]
pub struct Listening {
    listener: TcpListener,
    address: SocketAddr,
}

impl Listening {
    /// Returns the address, with the port that the system chose where 0 was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `shutdown` is done and the requests under way have finished, or 20 seconds have passed.
    ///
    /// # Errors
    /// [`ServeError::Serve`] if the system takes the port away.
    pub async fn serve(self, services: Services, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), ServeError> {
        let telemetry = Telemetry::new();
        let upkeep = tokio::spawn(telemetry.clone().keep_up());
        let router = router_with(services, telemetry);
        let (stopping, stopped) = oneshot::channel();
        let server =
            axum::serve(self.listener, router.into_make_service_with_connect_info::<SocketAddr>()).with_graceful_shutdown(async move {
                shutdown.await;
                tracing::info!("stopping: requests under way may finish");
                // Nobody waits any more if the server has ended by itself.
                let _ = stopping.send(());
            });
        let overdue = async {
            if stopped.await.is_err() {
                std::future::pending::<()>().await;
            }
            tokio::time::sleep(DRAIN_LIMIT).await;
        };
        let outcome = tokio::select! {
            outcome = server.into_future() => outcome.map_err(ServeError::Serve),
            () = overdue => {
                tracing::warn!(seconds = DRAIN_LIMIT.as_secs(), "requests were still under way when the server stopped");
                Ok(())
            }
        };
        upkeep.abort();
        outcome
    }
}

/// Binds the address, so that it can be told before the first request.
///
/// # Errors
/// [`ServeError`] with a hint if the address cannot be had.
pub async fn bind(listen: SocketAddr) -> Result<Listening, ServeError> {
    let bound = async {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        Ok::<_, io::Error>(Listening { listener, address })
    };
    bound.await.map_err(|source| match source.kind() {
        ErrorKind::AddrInUse => ServeError::InUse { listen },
        ErrorKind::PermissionDenied => ServeError::Denied { listen },
        ErrorKind::AddrNotAvailable => ServeError::NotHere { listen },
        _ => ServeError::Listen { listen, source },
    })
}

/// Binds and serves until `shutdown` is done; see [`Listening::serve`].
///
/// # Errors
/// [`ServeError`] if the address cannot be had or is lost.
pub async fn serve(services: Services, listen: SocketAddr, shutdown: impl Future<Output = ()> + Send + 'static) -> Result<(), ServeError> {
    let listening = bind(listen).await?;
    tracing::info!(address = %listening.address(), "serving");
    listening.serve(services, shutdown).await
}

/// Waits for SIGINT (Ctrl-C) or SIGTERM.
pub async fn shutdown_signal() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    #[cfg(unix)]
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminate = std::future::pending::<()>();
    tokio::select! {
        () = interrupt => {}
        () = terminate => {}
    }
}
