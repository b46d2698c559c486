//! How far a piece of work has come: a bar on a terminal, plain lines elsewhere.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Work shorter than this is not worth a line in a log.
const WORTH_A_LINE: Duration = Duration::from_secs(1);
/// A log gets a line each time this share of the work is done.
const LINES: u64 = 4;

/// Shows progress until it is finished or dropped.
#[derive(Debug)]
pub(crate) struct Progress {
    label: String,
    total: u64,
    started: Instant,
    display: Display,
}

#[derive(Debug)]
enum Display {
    Bar(ProgressBar),
    Lines { said: u64 },
    Nothing,
}

impl Progress {
    pub(super) fn start(label: &str, total: u64, is_shown: bool, is_terminal: bool) -> Self {
        let display = match (is_shown, is_terminal) {
            (false, _) => Display::Nothing,
            (true, false) => Display::Lines { said: 0 },
            (true, true) => {
                let style = ProgressStyle::with_template("{prefix:<24} {bar:30} {human_pos}/{human_len} {elapsed} eta {eta}")
                    .expect("the template is a constant");
                let bar = ProgressBar::new(total).with_style(style.progress_chars("=> ")).with_prefix(label.to_owned());
                bar.enable_steady_tick(Duration::from_millis(200));
                Display::Bar(bar)
            }
        };
        Self { label: label.to_owned(), total, started: Instant::now(), display }
    }

    /// Says that `done` units of the total are done.
    pub(crate) fn set(&mut self, done: u64) {
        match &mut self.display {
            Display::Bar(bar) => bar.set_position(done),
            Display::Lines { said } => {
                let share = (done * LINES).checked_div(self.total).unwrap_or(0);
                if share > *said && done < self.total && self.started.elapsed() > WORTH_A_LINE {
                    *said = share;
                    super::say(&format!("{}: {done} of {}", self.label, self.total));
                }
            }
            Display::Nothing => {}
        }
    }

    /// Says that the total has become known, or another one.
    pub(crate) fn set_total(&mut self, total: u64) {
        self.total = total;
        if let Display::Bar(bar) = &self.display {
            bar.set_length(total);
        }
    }

    /// Lets something else be said without the bar in its way.
    pub(crate) fn suspend(&self, say: impl FnOnce()) {
        match &self.display {
            Display::Bar(bar) => bar.suspend(say),
            Display::Lines { .. } | Display::Nothing => say(),
        }
    }

    /// Takes the bar away and says how long it took.
    pub(crate) fn finish(self) {
        let seconds = self.started.elapsed().as_secs_f64();
        match &self.display {
            Display::Bar(bar) => bar.finish_and_clear(),
            Display::Lines { .. } => {}
            Display::Nothing => return,
        }
        super::say(&format!("{}: done in {seconds:.1} s", self.label));
    }
}
