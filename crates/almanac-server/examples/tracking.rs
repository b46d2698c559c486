//! The tracking server alone, without a project: `cargo run --release -p almanac-server --example tracking -- STORE ADDRESS ARTIFACT_ROOT`.
//!
//! With a fourth argument `guarded`, callers need a token, and the first one is made and told.
//!
//! For trying clients against MLflow's interface without building the whole program.

use std::error::Error;
use std::sync::Arc;

use almanac_server::{Access, GuardPolicy, NoProject, Services, bind, shutdown_signal};
use almanac_tracking::{ArtifactStore, Millis, NewAccessToken, Role, StoreUrl, TrackingStore};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let url = args.next().unwrap_or_else(|| "almanac.db".to_owned());
    let address = args.next().unwrap_or_else(|| "127.0.0.1:5000".to_owned()).parse()?;
    let artifacts = ArtifactStore::open(&args.next().unwrap_or_else(|| "./mlartifacts".to_owned()))?;
    let policy = if args.next().as_deref() == Some("guarded") { GuardPolicy::Always } else { GuardPolicy::Auto };
    let store = Arc::new(TrackingStore::open(&StoreUrl::parse(&url)?)?);
    let access = Access::of_address(address, policy, &store, Vec::new(), Vec::new());
    if access.is_guarded() && !store.has_access(Millis(0))? {
        let first = NewAccessToken { name: "first".to_owned(), role: Role::Admin, expires: None };
        eprintln!("{}", store.create_access_token(&first, Millis(0))?.1.expose());
    }
    let services = Services { forecasts: Arc::new(NoProject), tracking: Some(store), artifacts, features: None, access };
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let listening = bind(address).await?;
        eprintln!("http://{}", listening.address());
        listening.serve(services, shutdown_signal()).await
    })?;
    Ok(())
}
