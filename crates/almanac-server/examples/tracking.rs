//! The tracking server alone, without a project: `cargo run --release -p almanac-server --example tracking -- STORE ADDRESS ARTIFACT_ROOT`.
//!
//! For trying clients against MLflow's interface without building the whole program.

use std::error::Error;
use std::sync::Arc;

use almanac_server::{NoProject, Services, bind, shutdown_signal};
use almanac_tracking::{ArtifactStore, StoreUrl, TrackingStore};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let url = args.next().unwrap_or_else(|| "almanac.db".to_owned());
    let address = args.next().unwrap_or_else(|| "127.0.0.1:5000".to_owned()).parse()?;
    let artifacts = ArtifactStore::open(&args.next().unwrap_or_else(|| "./mlartifacts".to_owned()))?;
    let store = TrackingStore::open(&StoreUrl::parse(&url)?)?;
    let services = Services { forecasts: Arc::new(NoProject), tracking: Some(Arc::new(store)), artifacts };
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let listening = bind(address).await?;
        eprintln!("http://{}", listening.address());
        listening.serve(services, shutdown_signal()).await
    })?;
    Ok(())
}
