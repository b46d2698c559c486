//! Time by the clock, processor time and memory of this process, as Linux tells them.

use std::time::Instant;

/// Ticks of `/proc` in a second; fixed on Linux.
const TICKS: f64 = 100.0;

/// Started before a measurement.
pub(crate) struct Clock {
    wall: Instant,
    cpu: f64,
}

impl Clock {
    pub(crate) fn start() -> Self {
        Self { wall: Instant::now(), cpu: cpu() }
    }

    /// Seconds by the clock and of the processor since the start.
    pub(crate) fn seconds(&self) -> (f64, f64) {
        (self.wall.elapsed().as_secs_f64(), cpu() - self.cpu)
    }
}

/// Processor seconds of all threads: fields 14 and 15 of `proc(5)`'s `stat`.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let after_name = stat.rsplit_once(')').expect("a name in brackets").1;
    after_name.split_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<f64>().expect("ticks")).sum::<f64>() / TICKS
}

/// Most memory this process ever held, in GiB.
pub(crate) fn peak_gib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a peak");
    line.trim().trim_end_matches(" kB").parse::<f64>().expect("kilobytes") / f64::from(1 << 20)
}
