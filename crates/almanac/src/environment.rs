//! The environment variables that the binary itself reads. Those that replace settings are listed in `almanac-config`.

/// What to log to standard error, as `tracing` filters: `info`, `almanac_pipeline=debug`. Since 0.1.0.
pub(crate) const LOG: &str = "ALMANAC_LOG";

/// The file of the XGBoost library, where it is not found by itself. Since 0.1.0.
pub(crate) const XGBOOST_LIB: &str = "ALMANAC_XGBOOST_LIB";

/// How the threads of LightGBM wait for one another.
const WAIT_POLICY: &str = "OMP_WAIT_POLICY";

/// Makes LightGBM's threads sleep while they wait. By default they spin, which on a machine with anything else to do takes ten times
/// as long. The library reads the variable before `main`, so the program starts itself once more with it set.
pub(crate) fn sleep_while_waiting() {
    #[cfg(unix)]
    if std::env::var_os(WAIT_POLICY).is_none() {
        use std::os::unix::process::CommandExt;

        let Ok(program) = std::env::current_exe() else { return };
        let mut args = std::env::args_os();
        let name = args.next().unwrap_or_else(|| "almanac".into());
        // Comes back only if it failed; the program then goes on as it is, only slower.
        let _failed = std::process::Command::new(program).arg0(name).args(args).env(WAIT_POLICY, "passive").exec();
    }
}
