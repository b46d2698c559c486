//! `almanac serve`: the REST API, the pages, the metrics, MLflow's tracking server and Optuna's storage, on one port.
//!
//! In a folder without a project everything but forecasts is there: a tracking server that makes its own store.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use almanac_config::{Overrides, PROJECT_FILE, Settings, TrackingSettings};
use almanac_feature_store::OnlineStore;
use almanac_pipeline::Project;
use almanac_server::{Access, ForecastService, GuardPolicy, NoProject, Services};
use almanac_tracking::TrackingStore;
use clap::{Args, ValueEnum};

use crate::compose;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{Failure, OrFail};
use crate::serving::Serving;
use crate::session::now_ms;

const EXAMPLE: &str = "\
Examples:
  almanac -C shop serve
  almanac serve --listen 127.0.0.1:5000        # in an empty folder: a tracking server for MLflow
  almanac serve --listen 0.0.0.0:8080          # others may call: tokens are asked for
  almanac serve --backend-store postgresql://me@host/almanac --artifact-root s3://bucket/models

Pages at /, API at /api/v1, its description at /openapi.json, metrics at /metrics.
Clients of MLflow: MLFLOW_TRACKING_URI=http://127.0.0.1:8080. Optuna: GrpcStorageProxy(host, port).";

/// Address where neither the command nor a project says one.
const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);

/// How often newly materialised features are looked for.
const LOOK_FOR_FEATURES: Duration = Duration::from_millis(500);

/// Calls of the store and the project that go on at a time; each of these threads keeps some memory.
const BLOCKING_THREADS: usize = 128;

/// Serve forecasts, pages, metrics and a tracking server over HTTP
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct ServeArgs {
    /// Address and port to listen on, port 0 for a free one; that of `almanac.toml` by default
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    /// Database of runs and models: a file or `postgresql://…`; that of the project by default
    #[arg(long, value_name = "URL", alias = "backend-store-uri")]
    pub(crate) backend_store: Option<String>,
    /// Where files of runs and models are kept: a folder, `s3://…`, `gs://…` or `az://…`
    #[arg(long, value_name = "URL", alias = "artifacts-destination")]
    pub(crate) artifact_root: Option<String>,
    /// When callers need a token or a password; `auto`: unless only this machine can call
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) auth: AuthWhen,
    /// Other names by which callers may reach it, such as `forecasts.example.com`
    #[arg(long, value_name = "HOST", value_delimiter = ',')]
    pub(crate) allowed_hosts: Vec<String>,
    /// Other sites whose pages may call, such as `https://notebooks.example.com`
    #[arg(long, value_name = "ORIGIN", value_delimiter = ',')]
    pub(crate) allowed_origins: Vec<String>,
}

/// When callers need a token or a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum AuthWhen {
    // On every address but those of this machine alone.
    Auto,
    Always,
    Never,
}

impl From<AuthWhen> for GuardPolicy {
    fn from(when: AuthWhen) -> Self {
        match when {
            AuthWhen::Auto => Self::Auto,
            AuthWhen::Always => Self::Always,
            AuthWhen::Never => Self::Never,
        }
    }
}

/// Carries out `almanac serve`.
pub(crate) fn serve(ctx: &Context, args: ServeArgs) -> Result<ExitStatus, Failure> {
    let flags = Overrides {
        listen: args.listen.map(|address| address.to_string()),
        backend_store: args.backend_store.clone(),
        artifact_root: args.artifact_root.clone(),
        ..Overrides::default()
    };
    let has_project = ctx.path(PROJECT_FILE.as_ref()).exists();
    let (listen, asked, forecasts) = if has_project { of_project(ctx, flags)? } else { of_folder(&args) };
    let project = Project::new(ctx.folder());
    let store = Arc::new(compose::store(&asked, &project)?);
    let artifacts = compose::artifacts(&asked, &project)?;
    let access = Access::of_address(listen, args.auth.into(), &store, args.allowed_hosts, args.allowed_origins);
    if access.is_guarded() {
        warn_of_no_tokens(ctx, &store)?;
    }
    let features = Arc::new(OnlineStore::open(project.features(), project.online()).or_fail(ExitStatus::Config)?);
    let _watch = features.watch(LOOK_FOR_FEATURES);
    let services = Services { forecasts, tracking: Some(store), artifacts, features: Some(features), access };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .max_blocking_threads(BLOCKING_THREADS)
        .enable_all()
        .build()
        .map_err(|error| Failure::foreign(ExitStatus::Io, error))?;
    runtime.block_on(async {
        let listening = almanac_server::bind(listen).await.or_fail(ExitStatus::Io)?;
        let address = listening.address();
        ctx.printer.note(&if has_project {
            format!("serving `{}` at http://{address} (Ctrl-C stops)", ctx.folder().display())
        } else {
            format!("serving a tracking server without a project at http://{address} (Ctrl-C stops)")
        });
        listening.serve(services, almanac_server::shutdown_signal()).await.or_fail(ExitStatus::Io)
    })?;
    ctx.printer.note("stopped");
    Ok(ExitStatus::Success)
}

type Served = (SocketAddr, TrackingSettings, Arc<dyn ForecastService>);

fn of_project(ctx: &Context, flags: Overrides) -> Result<Served, Failure> {
    let settings: Settings = ctx.settings(flags)?;
    let models = compose::models(&settings)?;
    let serving = Serving::new(Project::new(&settings.project), Box::new(models));
    Ok((settings.serve.listen, settings.tracking, Arc::new(serving)))
}

fn of_folder(args: &ServeArgs) -> Served {
    let environment = |name: &str| std::env::var(name).ok().filter(|text| !text.trim().is_empty());
    let asked = TrackingSettings {
        backend_store: args.backend_store.clone().or_else(|| environment("ALMANAC_BACKEND_STORE")),
        artifact_root: args.artifact_root.clone().or_else(|| environment("ALMANAC_ARTIFACT_ROOT")),
    };
    let listen = environment("ALMANAC_LISTEN").and_then(|text| text.replacen("localhost", "127.0.0.1", 1).parse().ok());
    (args.listen.or(listen).unwrap_or(DEFAULT_LISTEN), asked, Arc::new(NoProject))
}

fn warn_of_no_tokens(ctx: &Context, store: &TrackingStore) -> Result<(), Failure> {
    if !store.has_access(almanac_tracking::Millis(now_ms())).or_fail(ExitStatus::Store)? {
        ctx.printer.note("callers need a token, and there is none yet: `almanac access token create --role admin --name me` makes one");
    }
    Ok(())
}
