//! `almanac access`: who may call the server. Works on the store itself, for whoever may write it; no server is needed.

use almanac_pipeline::Project;
use almanac_tracking::{AccessToken, Millis, NewAccessToken, Role, Secret, StoreError, StoreUrl, TrackingStore};
use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use serde::Serialize;

use crate::context::Context;
use crate::exit::ExitStatus;
use crate::failure::{Failure, OrFail};
use crate::printer::{OutputFormat, table};

const EXAMPLE: &str = "\
Examples:
  almanac access token create --role engineer --name ci
  almanac access token list
  almanac access token revoke ci
  almanac access user create anna --role planner < password.txt

A client of MLflow sends a token from MLFLOW_TRACKING_TOKEN, a user's name and password from
MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.";

const DAY: i64 = 24 * 60 * 60 * 1000;

/// Say who may call the server, and what
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct AccessArgs {
    /// Database of the server; that of the project by default
    #[arg(long, value_name = "URL", global = true)]
    store: Option<String>,
    #[command(subcommand)]
    noun: Noun,
}

#[derive(Debug, Clone, Subcommand)]
enum Noun {
    /// Tokens of programs
    #[command(subcommand)]
    Token(TokenVerb),
    /// People with a password
    #[command(subcommand)]
    User(UserVerb),
}

#[derive(Debug, Clone, Subcommand)]
enum TokenVerb {
    /// Make a token; its text is shown this once
    Create {
        /// Name by which it is listed; also the user name where a client sends one
        #[arg(long)]
        name: String,
        /// What its bearer may do
        #[arg(long, default_value = "engineer")]
        role: RoleArg,
        /// Days until it stops working; never by default
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_525))]
        expires: Option<u32>,
    },
    /// List all tokens
    List {
        /// Form of the answer
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        format: OutputFormat,
    },
    /// Give a token another text; the old one stops working
    Rotate {
        /// Id or name
        token: String,
        /// Days until it stops working; never by default
        #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36_525))]
        expires: Option<u32>,
    },
    /// Stop a token from working, for good
    Revoke {
        /// Id or name
        token: String,
    },
}

#[derive(Debug, Clone, Subcommand)]
enum UserVerb {
    /// Make a user; the password, of at least 12 characters, is read from standard input
    Create {
        name: String,
        /// What they may do
        #[arg(long, default_value = "viewer")]
        role: RoleArg,
    },
    /// List all users
    List {
        /// Form of the answer
        #[arg(long, value_name = "FORMAT", default_value = "text")]
        format: OutputFormat,
    },
    /// Give a user another password, read from standard input
    Password { name: String },
    /// Give a user another role
    Role { name: String, role: RoleArg },
    /// Delete a user
    Delete { name: String },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleArg {
    /// Reads everything
    Viewer,
    /// Also forecasts, tags and assesses
    Planner,
    /// Also writes what clients of MLflow and Optuna write
    Engineer,
    /// Also says who may call, and deletes for good
    Admin,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::Viewer => Self::Viewer,
            RoleArg::Planner => Self::Planner,
            RoleArg::Engineer => Self::Engineer,
            RoleArg::Admin => Self::Admin,
        }
    }
}

#[derive(Debug, Serialize)]
struct TokenLine {
    id: String,
    name: String,
    role: &'static str,
    created: String,
    expires: Option<String>,
    revoked: Option<String>,
    last_used: Option<String>,
}

#[derive(Debug, Serialize)]
struct UserLine {
    name: String,
    role: &'static str,
    created: String,
    last_used: Option<String>,
}

/// Carries out `almanac access`.
pub(crate) fn access(ctx: &Context, args: AccessArgs) -> Result<ExitStatus, Failure> {
    let url = match &args.store {
        Some(url) => StoreUrl::parse(url).or_fail(ExitStatus::Usage)?,
        None => StoreUrl::Sqlite(Project::new(ctx.folder()).database()),
    };
    let store = TrackingStore::open(&url).or_fail(ExitStatus::Store)?;
    match args.noun {
        Noun::Token(verb) => token(ctx, &store, verb),
        Noun::User(verb) => user(ctx, &store, verb),
    }?;
    Ok(ExitStatus::Success)
}

fn token(ctx: &Context, store: &TrackingStore, verb: TokenVerb) -> Result<(), Failure> {
    let now = now();
    let after = |days: Option<u32>| days.map(|days| Millis(now.0 + i64::from(days) * DAY));
    match verb {
        TokenVerb::Create { name, role, expires } => {
            let new = NewAccessToken { name, role: role.into(), expires: after(expires) };
            show(ctx, answered(store.create_access_token(&new, now))?)
        }
        TokenVerb::Rotate { token, expires } => show(ctx, answered(store.rotate_access_token(&token, after(expires), now))?),
        TokenVerb::Revoke { token } => {
            let revoked = answered(store.revoke_access_token(&token, now))?;
            ctx.printer.note(&format!("`{}` no longer works; a server that runs knows it within seconds", revoked.name));
            Ok(())
        }
        TokenVerb::List { format } => {
            let lines: Vec<TokenLine> = answered(store.access_tokens())?.into_iter().map(token_line).collect();
            if format == OutputFormat::Json {
                return ctx.printer.json(&lines);
            }
            let rows = lines.into_iter().map(|line| {
                let state = line.revoked.map(|at| format!("revoked {at}")).or(line.expires.map(|at| format!("until {at}")));
                [line.id, line.name, line.role.to_owned(), state.unwrap_or_default(), line.last_used.unwrap_or_else(|| "never".to_owned())]
            });
            ctx.printer.data(&table(["id", "name", "role", "works", "last used"], &[], rows))
        }
    }
}

/// The text alone goes to standard output, so that a script can take it.
fn show(ctx: &Context, (token, secret): (AccessToken, Secret)) -> Result<(), Failure> {
    ctx.printer.note(&format!("`{}` is `{}`; its text is not kept: store it now", token.name, token.role));
    ctx.printer.data(&format!("{}\n", secret.expose()))
}

fn user(ctx: &Context, store: &TrackingStore, verb: UserVerb) -> Result<(), Failure> {
    match verb {
        UserVerb::Create { name, role } => answered(store.create_access_user(&name, role.into(), &password(ctx)?, now())).map(|_| ()),
        UserVerb::Password { name } => answered(store.set_access_password(&name, &password(ctx)?)),
        UserVerb::Role { name, role } => answered(store.set_access_role(&name, role.into())),
        UserVerb::Delete { name } => answered(store.delete_access_user(&name)),
        UserVerb::List { format } => {
            let line = |user: almanac_tracking::AccessUser| UserLine {
                name: user.name,
                role: user.role.as_str(),
                created: time(user.created),
                last_used: user.last_used.map(time),
            };
            let lines: Vec<UserLine> = answered(store.access_users())?.into_iter().map(line).collect();
            if format == OutputFormat::Json {
                return ctx.printer.json(&lines);
            }
            let rows =
                lines.into_iter().map(|line| [line.name, line.role.to_owned(), line.last_used.unwrap_or_else(|| "never".to_owned())]);
            ctx.printer.data(&table(["name", "role", "last used"], &[], rows))
        }
    }
}

/// A password is never an argument, which everyone on the machine can see.
fn password(ctx: &Context) -> Result<String, Failure> {
    if ctx.printer.is_interactive() {
        ctx.printer.note("password (it is shown as you type; pipe a file in to avoid that):");
    }
    let mut line = String::new();
    std::io::stdin().read_line(&mut line).map_err(|error| Failure::foreign(ExitStatus::Io, error))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// What the store refuses was typed wrongly; everything else is the store's own trouble.
fn answered<T>(result: Result<T, StoreError>) -> Result<T, Failure> {
    let status = match &result {
        Err(StoreError::Refused { .. }) => ExitStatus::Usage,
        _ => ExitStatus::Store,
    };
    result.or_fail(status)
}

fn token_line(token: AccessToken) -> TokenLine {
    TokenLine {
        id: token.id,
        name: token.name,
        role: token.role.as_str(),
        created: time(token.created),
        expires: token.expires.map(time),
        revoked: token.revoked.map(time),
        last_used: token.last_used.map(time),
    }
}

fn now() -> Millis {
    Millis(Timestamp::now().as_millisecond())
}

fn time(at: Millis) -> String {
    Timestamp::from_millisecond(at.0).map_or_else(|_| at.0.to_string(), |time| time.to_string())
}
