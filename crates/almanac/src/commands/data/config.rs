//! `almanac data remote` and `config`: where objects are shared, and all other options.

use almanac_versions::config::LEVELS;
use almanac_versions::{Config, Level, OptionName, Repo, VersionsError};
use clap::{Args, Subcommand};
use serde_json::{Map, Value};

use super::{FormatArgs, OrFailVersions, open};
use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::Failure;

/// Which file of the configuration; that of the repository by default.
#[derive(Debug, Clone, Copy, Args)]
struct LevelArgs {
    /// Use `.dvc/config.local`, which git ignores: the place for keys
    #[arg(long, group = "level")]
    local: bool,
    /// Use the file of the user
    #[arg(long, group = "level")]
    global: bool,
    /// Use the file of the machine
    #[arg(long, group = "level")]
    system: bool,
}

impl LevelArgs {
    fn level(self) -> Option<Level> {
        match self {
            Self { local: true, .. } => Some(Level::Local),
            Self { global: true, .. } => Some(Level::Global),
            Self { system: true, .. } => Some(Level::System),
            _ => None,
        }
    }

    fn or_project(self) -> Level {
        self.level().unwrap_or(Level::Project)
    }
}

/// Say where objects are shared
#[derive(Debug, Clone, Args)]
#[command(
    after_help = "Example:\n  almanac data remote add -d store s3://bucket/data\n  almanac data remote modify --local store secret_access_key KEY"
)]
pub(crate) struct RemoteArgs {
    #[command(subcommand)]
    verb: RemoteVerb,
}

#[derive(Debug, Clone, Subcommand)]
enum RemoteVerb {
    /// Add a remote
    Add {
        /// Its name
        name: String,
        /// A folder, `s3://…`, `gs://…` or `azure://…`
        url: String,
        /// Make it the default
        #[arg(short, long)]
        default: bool,
        /// Replace one of the same name
        #[arg(short, long)]
        force: bool,
        #[command(flatten)]
        level: LevelArgs,
    },
    /// List the remotes
    List {
        #[command(flatten)]
        level: LevelArgs,
        #[command(flatten)]
        format: FormatArgs,
    },
    /// Set or unset an option of a remote
    Modify {
        /// Its name
        name: String,
        /// The option, such as `endpointurl`
        option: String,
        /// Its value
        #[arg(required_unless_present = "unset", conflicts_with = "unset")]
        value: Option<String>,
        /// Take the option away
        #[arg(short, long)]
        unset: bool,
        #[command(flatten)]
        level: LevelArgs,
    },
    /// Show or set the default remote
    Default {
        /// Its name
        name: Option<String>,
        /// Have none
        #[arg(short, long, conflicts_with = "name")]
        unset: bool,
        #[command(flatten)]
        level: LevelArgs,
    },
    /// Remove a remote; nothing in it is touched
    Remove {
        /// Its name
        name: String,
        #[command(flatten)]
        level: LevelArgs,
    },
}

/// Show or set an option, such as `cache.type` or `core.remote`
#[derive(Debug, Clone, Args)]
#[command(after_help = "Example:\n  almanac data config cache.type reflink,hardlink,copy")]
pub(crate) struct ConfigArgs {
    /// `section.option` or `remote.NAME.option`
    #[arg(required_unless_present = "list")]
    name: Option<String>,
    /// Its new value
    #[arg(conflicts_with_all = ["unset", "list"])]
    value: Option<String>,
    /// Take the option away
    #[arg(short, long, conflicts_with = "list")]
    unset: bool,
    /// Show all options; keys are not shown
    #[arg(short, long)]
    list: bool,
    #[command(flatten)]
    level: LevelArgs,
}

pub(super) fn remote(ctx: &Context, args: RemoteArgs) -> Result<ExitStatus, Failure> {
    let mut repo = open(ctx)?;
    match args.verb {
        RemoteVerb::Add { name, url, default, force, level } => add(ctx, &mut repo, &name, &url, default, force, level.or_project())?,
        RemoteVerb::List { level, format } => list(ctx, repo.config(), level.level(), format)?,
        RemoteVerb::Modify { name, option, value, unset: _, level } => {
            known(repo.config(), &name)?;
            repo.configure(level.or_project(), &OptionName::of_remote(&name, &option), value.as_deref()).or_fail_versions()?;
        }
        RemoteVerb::Default { name: None, unset: false, .. } => {
            let name = repo.config().default_remote().ok_or(VersionsError::NoRemote).or_fail_versions()?;
            ctx.printer.data(&format!("{name}\n"))?;
        }
        RemoteVerb::Default { name, level, .. } => {
            if let Some(name) = &name {
                known(repo.config(), name)?;
            }
            let option = OptionName::parse("core.remote").or_fail_versions()?;
            repo.configure(level.or_project(), &option, name.map(|name| name.to_lowercase()).as_deref()).or_fail_versions()?;
        }
        RemoteVerb::Remove { name, level } => repo.config_mut().remove_remote(level.or_project(), &name).or_fail_versions()?,
    }
    Ok(ExitStatus::Success)
}

fn add(ctx: &Context, repo: &mut Repo, name: &str, url: &str, is_default: bool, force: bool, level: Level) -> Result<(), Failure> {
    let refused = |problem: &str| Err(VersionsError::Remote { name: name.to_owned(), problem: problem.to_owned() }).or_fail_versions();
    if name.is_empty() || name.contains(['"', '\n', ']']) {
        return refused("a name has no quotes, brackets or line ends");
    }
    if !force && repo.config().remote_names(Some(level)).contains(&name.to_lowercase()) {
        return refused("there is one of this name; `--force` replaces it");
    }
    if force && repo.config().remote_names(Some(level)).contains(&name.to_lowercase()) {
        repo.config_mut().remove_remote(level, name).or_fail_versions()?;
    }
    let url = if url.contains("://") { url.to_owned() } else { ctx.path(url.as_ref()).to_string_lossy().into_owned() };
    repo.configure(level, &OptionName::of_remote(name, "url"), Some(&url)).or_fail_versions()?;
    if is_default {
        let option = OptionName::parse("core.remote").or_fail_versions()?;
        repo.configure(level, &option, Some(&name.to_lowercase())).or_fail_versions()?;
        ctx.printer.note(&format!("`{}` is the default remote", name.to_lowercase()));
    }
    Ok(())
}

fn known(config: &Config, name: &str) -> Result<(), Failure> {
    if config.remote_names(None).contains(&name.to_lowercase()) {
        return Ok(());
    }
    Err(VersionsError::Remote { name: name.to_owned(), problem: "there is none of this name".to_owned() }).or_fail_versions()
}

fn list(ctx: &Context, config: &Config, level: Option<Level>, format: FormatArgs) -> Result<(), Failure> {
    let default = config.default_remote();
    let mut text = String::new();
    let mut json = Map::new();
    for name in config.remote_names(level) {
        let url = config.get(&OptionName::of_remote(&name, "url")).unwrap_or_default();
        let mark = if default.as_ref() == Some(&name) { "\t(default)" } else { "" };
        text.push_str(&format!("{name}\t{url}{mark}\n"));
        json.insert(name, Value::from(url));
    }
    if format.is_json() { ctx.printer.json(&json) } else { ctx.printer.data(&text) }
}

pub(super) fn config(ctx: &Context, args: ConfigArgs) -> Result<ExitStatus, Failure> {
    // The files of user and machine are there without a repository too.
    let level = args.level.level();
    let mut config = match Repo::open(ctx.folder()) {
        Ok(repo) => repo.config().clone(),
        Err(VersionsError::NoRepo { .. }) if matches!(level, Some(Level::Global | Level::System)) || args.list => {
            Config::load(None).or_fail_versions()?
        }
        Err(error) => return Err(error).or_fail_versions(),
    };
    let Some(name) = args.name.filter(|_| !args.list) else {
        let mut text = String::new();
        for (_, name, value) in config.list(level) {
            let value = if name.is_secret() { "…" } else { &value };
            text.push_str(&format!("{}={value}\n", name.display()));
        }
        ctx.printer.data(&text)?;
        return Ok(ExitStatus::Success);
    };
    let name = OptionName::parse(&name).or_fail_versions()?;
    if args.value.is_some() || args.unset {
        config.set(args.level.or_project(), &name, args.value.as_deref()).or_fail_versions()?;
        if name.display() == "cache.type" && args.value.is_some() {
            ctx.printer.note("files that are there stay as they are; `almanac data checkout --relink` links them anew");
        }
        return Ok(ExitStatus::Success);
    }
    let found = match level {
        Some(level) => config.get_at(level, &name),
        None => LEVELS.iter().rev().find_map(|&level| config.get_at(level, &name)),
    };
    match found {
        Some(_) if name.is_secret() => ctx.printer.note("it is set; keys are not shown"),
        Some(value) => ctx.printer.data(&format!("{value}\n"))?,
        None => return Err(VersionsError::Setting { problem: format!("`{}` is not set", name.display()) }).or_fail_versions(),
    }
    Ok(ExitStatus::Success)
}
