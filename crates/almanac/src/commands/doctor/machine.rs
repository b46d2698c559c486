//! What the machine offers: cores, memory, disk, time zones.

use std::fs;
use std::path::Path;

use almanac_series::Hint;
use almanac_trees::xgboost::{Library, XgBoostError};

use super::Finding;
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::xgboost;

const GIB: f64 = 1024.0 * 1024.0 * 1024.0;
/// Below this, a run of a few thousand series may be killed for memory.
const LITTLE_MEMORY: f64 = 2.0 * GIB;
/// The lake of a few thousand series takes about this much.
const LITTLE_DISK: f64 = 2.0 * GIB;
const NO_DISK: f64 = 0.1 * GIB;

pub(super) fn look(ctx: &Context) -> Vec<Finding> {
    let mut findings = vec![
        Finding::ok("almanac", format!("{} ({} {})", env!("CARGO_PKG_VERSION"), std::env::consts::OS, std::env::consts::ARCH)),
        cores(ctx),
        time_zones(),
        xgboost_library(),
    ];
    findings.extend(memory());
    findings.extend(disk(ctx.folder()));
    findings
}

fn cores(ctx: &Context) -> Finding {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let threads = ctx.threads().get();
    let found = format!("{cores}, of which {threads} are used");
    if threads > cores {
        Finding::warn(
            "cores",
            format!("{cores}, but {threads} threads are asked for"),
            "leave out `--threads`: more threads than cores only wait",
        )
    } else {
        Finding::ok("cores", found)
    }
}

fn time_zones() -> Finding {
    let database = jiff::tz::db();
    if ["America/New_York", "Europe/Berlin"].iter().all(|zone| database.get(zone).is_ok()) {
        let zone = jiff::tz::TimeZone::system();
        Finding::ok("time zones", format!("present, local zone `{}`", zone.iana_name().unwrap_or("UTC")))
    } else {
        Finding::warn("time zones", "no time zone database", "install `tzdata` if the data has a `timezone`")
    }
}

/// The one library that is not part of the program. Nothing is wrong without it, as long as nobody asks for the model.
fn xgboost_library() -> Finding {
    match Library::find(xgboost::named().as_deref(), &xgboost::installed()) {
        Ok(library) => Finding::ok("xgboost", format!("{}, {}", library.version(), library.path().display())),
        Err(XgBoostError::Absent) => Finding::ok("xgboost", "not installed; the model `xgboost` alone needs it: `pip install xgboost`"),
        Err(error) => Finding::warn("xgboost", error.to_string(), error.hint().unwrap_or_default()),
    }
}

/// Memory this process may use in bytes: the machine's, or less where a container says so. Unknown outside Linux.
pub(crate) fn memory_bytes() -> Option<f64> {
    let in_machine = proc_meminfo("MemTotal:")?;
    let limit = fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse::<f64>().ok());
    Some(limit.map_or(in_machine, |limit| limit.min(in_machine)))
}

fn memory() -> Option<Finding> {
    let usable = memory_bytes()?;
    let free = proc_meminfo("MemAvailable:").unwrap_or(usable).min(usable);
    let found = format!("{:.1} GiB, {:.1} GiB free", usable / GIB, free / GIB);
    Some(if free < LITTLE_MEMORY {
        Finding::warn("memory", found, "close other programs, or use fewer `--threads`: each has one partition in memory")
    } else {
        Finding::ok("memory", found)
    })
}

fn proc_meminfo(field: &str) -> Option<f64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|line| line.starts_with(field))?;
    line.split_whitespace().nth(1)?.parse::<f64>().ok().map(|kib| kib * 1024.0)
}

#[cfg(unix)]
fn disk(folder: &Path) -> Option<Finding> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    let free = stat.f_bavail as f64 * stat.f_frsize as f64;
    let found = format!("{:.1} GiB free", free / GIB);
    let advice = "free some space: the lake holds about three copies of the data";
    Some(if free < NO_DISK {
        Finding::fail("disk", ExitStatus::Io, found, advice)
    } else if free < LITTLE_DISK {
        Finding::warn("disk", found, advice)
    } else {
        Finding::ok("disk", found)
    })
}

#[cfg(not(unix))]
fn disk(_folder: &Path) -> Option<Finding> {
    None
}
