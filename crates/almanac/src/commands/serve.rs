//! `almanac serve`: the REST API, the pages and the metrics, on one port.

use std::net::SocketAddr;
use std::sync::Arc;

use almanac_config::Overrides;
use almanac_pipeline::Project;
use clap::Args;

use crate::compose;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{Failure, OrFail};
use crate::serving::Serving;

const EXAMPLE: &str = "\
Examples:
  almanac -C shop serve
  almanac serve --listen 0.0.0.0:8080

Pages at /, API at /api/v1, its description at /openapi.json, metrics at /metrics.";

/// Serve forecasts, pages and metrics over HTTP
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct ServeArgs {
    /// Address and port to listen on, port 0 for a free one; that of `almanac.toml` by default
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
}

/// Carries out `almanac serve`.
pub(crate) fn serve(ctx: &Context, args: ServeArgs) -> Result<ExitStatus, Failure> {
    let settings = ctx.settings(Overrides { listen: args.listen.map(|address| address.to_string()), ..Overrides::default() })?;
    let models = compose::models(&settings)?;
    let serving = Arc::new(Serving::new(Project::new(&settings.project), Box::new(models)));
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| Failure::foreign(ExitStatus::Io, error))?;
    runtime.block_on(async {
        let listening = almanac_server::bind(settings.serve.listen).await.or_fail(ExitStatus::Io)?;
        ctx.printer.note(&format!("serving `{}` at http://{} (Ctrl-C stops)", settings.project.display(), listening.address()));
        listening.serve(serving, almanac_server::shutdown_signal()).await.or_fail(ExitStatus::Io)
    })?;
    ctx.printer.note("stopped");
    Ok(ExitStatus::Success)
}
