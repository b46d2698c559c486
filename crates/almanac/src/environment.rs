//! The environment variables that the binary itself reads. Those that replace settings are listed in `almanac-config`.

/// What to log to standard error, as `tracing` filters: `info`, `almanac_pipeline=debug`. Since 0.1.0.
pub(crate) const LOG: &str = "ALMANAC_LOG";
