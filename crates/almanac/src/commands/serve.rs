//! `almanac serve`: the REST API, the pages and the metrics, on one port.

use std::net::SocketAddr;

use almanac_config::Overrides;
use clap::Args;

use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;

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
    ctx.settings(Overrides { listen: args.listen.map(|address| address.to_string()), ..Overrides::default() })?;
    super::not_built("serve")
}
