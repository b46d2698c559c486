//! `almanac privacy`: the key of the hashes of personal columns.

use std::path::PathBuf;

use almanac_privacy::{KEY_FILE, PrivacyKey};
use clap::{Args, Subcommand};

use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{Failure, OrFail};

const EXAMPLE: &str = "\
Example:
  almanac privacy key new

and in almanac.toml:
  [privacy]
  key_file = \"privacy.key\"
  subject = [\"customer_id\"]
  [privacy.personal]
  customer_id = \"hash\"
  \"customers.email\" = \"mask\"";

/// Make the key with which personal columns are hashed
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct PrivacyArgs {
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, Clone, Subcommand)]
enum Noun {
    /// The key of the hashes
    #[command(subcommand)]
    Key(KeyVerb),
}

#[derive(Debug, Clone, Subcommand)]
enum KeyVerb {
    /// Make a key in a file that only you can read and that git ignores; an old one is never written over
    New {
        /// File to write, relative to the project
        #[arg(long, value_name = "FILE", default_value = KEY_FILE)]
        out: PathBuf,
    },
}

/// Carries out `almanac privacy`.
pub(crate) fn privacy(ctx: &Context, args: PrivacyArgs) -> Result<ExitStatus, Failure> {
    let Noun::Key(KeyVerb::New { out }) = args.noun;
    let path = ctx.path(&out);
    let key = PrivacyKey::create(&path).or_fail(ExitStatus::Usage)?;
    ctx.printer.note(&format!(
        "made `{}`, key {}; keep a copy: with another key the same values have other hashes",
        path.display(),
        key.id()
    ));
    ctx.printer.note(&format!("write `key_file = \"{}\"` under `[privacy]` in `almanac.toml`", out.display()));
    Ok(ExitStatus::Success)
}
