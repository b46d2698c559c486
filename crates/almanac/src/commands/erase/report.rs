//! What an erasure and a verification tell. Never the key.

use almanac_pipeline::Project;
use almanac_privacy::{Action, FileState, ModelNote, PROOFS, Plan, Proof, Verdict};
use serde::Serialize;

use crate::context::Context;
use crate::failure::Failure;
use crate::printer::{OutputFormat, table};

/// Files and models shown; all are in `--format json` and in the proof.
const MOST_SHOWN: usize = 20;

#[derive(Serialize)]
struct PlanReport<'a> {
    #[serde(flatten)]
    plan: &'a Plan,
    models: &'a [ModelNote],
    elsewhere: &'a [(String, String)],
}

/// `1 file`, `2 files`.
fn counted(count: u64, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

pub(super) fn plan(
    ctx: &Context,
    format: OutputFormat,
    plan: &Plan,
    models: &[ModelNote],
    elsewhere: &[(String, String)],
) -> Result<(), Failure> {
    if format == OutputFormat::Json {
        return ctx.printer.json(&PlanReport { plan, models, elsewhere });
    }
    if plan.is_resumed {
        ctx.printer.note("an erasure of this subject was begun before; it goes on");
    }
    let removed = plan.found.iter().filter(|found| found.action == Action::Remove).count();
    let named: Vec<_> = plan.found.iter().filter(|found| found.action != Action::Remove).collect();
    let rows = named.iter().take(MOST_SHOWN).map(|found| {
        let action = match found.action {
            Action::Remove => "removed",
            Action::Database | Action::Beyond => "changed in place",
            Action::Edit => "taken out of lists",
            Action::Rewrite => "rewritten",
            Action::Delete => "deleted",
            Action::Object => "version deleted",
            Action::Leave => "LEFT",
        };
        [found.shown.clone(), action.to_owned(), found.rows.to_string(), found.mentions.to_string(), found.why.clone().unwrap_or_default()]
    });
    if !named.is_empty() {
        ctx.printer.data(&table(["file", "is to be", "rows", "mentions", ""], &[2, 3], rows))?;
    }
    if named.len() > MOST_SHOWN {
        ctx.printer.data(&format!("… and {} more\n", named.len() - MOST_SHOWN))?;
    }
    if removed > 0 {
        let (files, are, them) = if removed == 1 { ("file", "is", "it") } else { ("files", "are", "them") };
        ctx.printer.note(&format!("{removed} {files} of derived layers {are} removed; the next `almanac run` makes {them} again"));
    }
    ctx.printer.note(&format!("{} searched", counted(plan.searched as u64, "file")));
    if plan.inside_words > 0 {
        ctx.printer.note(&format!("inside longer words, taken for other things: {}", counted(plan.inside_words, "time")));
    }
    told(ctx, models, elsewhere);
    for (path, why) in &plan.missed {
        ctx.printer.warning(&format!("`{path}` was not searched: {why}"));
    }
    Ok(())
}

fn told(ctx: &Context, models: &[ModelNote], elsewhere: &[(String, String)]) {
    if !models.is_empty() {
        ctx.printer.warning(&format!(
            "{} learnt from data that held the subject; make {} again with `almanac run`, then retire {}:",
            counted(models.len() as u64, "model"),
            if models.len() == 1 { "it" } else { "them" },
            if models.len() == 1 { "the old one" } else { "the old ones" },
        ));
    }
    for model in models.iter().take(MOST_SHOWN) {
        let registered = model.registered.as_ref().map(|(name, version)| format!(", version {version} of `{name}`")).unwrap_or_default();
        let aliases = if model.aliases.is_empty() { String::new() } else { format!(" ({})", model.aliases.join(", ")) };
        ctx.printer.warning(&format!("  run {} of {}{registered}{aliases}", model.run_id, model.made));
    }
    for (place, why) in elsewhere {
        ctx.printer.warning(&format!("{place}: {why}"));
    }
}

pub(super) fn done(ctx: &Context, format: OutputFormat, project: &Project, proof: &Proof) -> Result<(), Failure> {
    if format == OutputFormat::Json {
        return ctx.printer.json(proof);
    }
    let deleted = proof.files.iter().filter(|file| file.after == "deleted").count();
    let rewritten = counted((proof.files.len() - deleted) as u64, "file");
    ctx.printer.note(&format!("{} erased; {rewritten} rewritten, {deleted} deleted", counted(proof.rows, "row")));
    for (place, why) in &proof.left {
        ctx.printer.warning(&format!("`{place}` is left: {why}"));
    }
    let path = project.state().join(PROOFS).join(format!("{:04}.json", proof.number));
    ctx.printer.note(&format!("proof {} is `{}`; check it with `almanac erase --verify {}`", proof.number, path.display(), proof.number));
    ctx.printer.note("now `almanac run`; a server that runs must be started again, it holds the old data in memory");
    Ok(())
}

pub(super) fn verdict(ctx: &Context, format: OutputFormat, verdict: &Verdict) -> Result<(), Failure> {
    if format == OutputFormat::Json {
        return ctx.printer.json(verdict);
    }
    let numbers: Vec<String> = verdict.proofs.iter().map(ToString::to_string).collect();
    let mut lines = vec![
        ["proofs".to_owned(), numbers.join(", ")],
        ["chain".to_owned(), if verdict.broken.is_empty() { "whole".to_owned() } else { "BROKEN".to_owned() }],
        [
            "seals".to_owned(),
            match verdict.seals_checked {
                0 => "not checked: the key that made them is not here".to_owned(),
                checked => format!("{checked} checked"),
            },
        ],
        ["files as left".to_owned(), verdict.count(FileState::AsLeft).to_string()],
        ["changed since".to_owned(), verdict.count(FileState::ChangedSince).to_string()],
        ["gone since".to_owned(), verdict.count(FileState::GoneSince).to_string()],
        ["made again".to_owned(), verdict.count(FileState::MadeAgain).to_string()],
    ];
    if let Some(is_subject) = verdict.is_subject {
        lines.push(["subject".to_owned(), if is_subject { "that of a proof".to_owned() } else { "of NONE of these proofs".to_owned() }]);
        let found =
            if verdict.found.is_empty() { "nothing".to_owned() } else { counted(verdict.found.len() as u64, "place").to_uppercase() };
        lines.push(["found".to_owned(), format!("{found} in {}", counted(verdict.searched as u64, "file"))]);
    }
    ctx.printer.data(&table(["", ""], &[], lines))?;
    for broken in &verdict.broken {
        ctx.printer.warning(broken);
    }
    for found in verdict.found.iter().take(MOST_SHOWN) {
        ctx.printer.warning(&format!(
            "the subject is in `{}`: {}, {}",
            found.shown,
            counted(found.rows, "row"),
            counted(found.mentions, "mention")
        ));
    }
    for (path, why) in &verdict.missed {
        ctx.printer.warning(&format!("`{path}` was not searched: {why}"));
    }
    Ok(())
}
