//! The configuration as its users meet it: messages, precedence, defaults, and what `init` writes.

#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes snapshots with them")]

mod defaults;
mod init;
mod messages;
mod precedence;
mod privacy;

use std::path::Path;

use almanac_config::{ConfigError, Overrides, Settings};

const MINIMAL: &str = "[data]\nsource = \"sales.csv\"\nid = [\"store\", \"item\"]\ntime = \"date\"\ntarget = \"units\"\n";

fn read(text: &str) -> Result<Settings, ConfigError> {
    Settings::from_text(Path::new("project"), text, &Overrides::default(), &Overrides::default())
}
