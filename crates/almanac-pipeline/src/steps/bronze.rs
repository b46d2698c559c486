//! Bronze: source files as typed tables, one asset a table.

use almanac_data::{IngestReport, TableSpec, ingest_table, nearest, on_disk};

use crate::asset::Made;
use crate::fingerprint::Fingerprint;
use crate::sources::Sources;
use crate::steps::Context;
use crate::{PipelineError, RunError};

const REVISION: u32 = 2;

/// Ingests every table whose files or reading options changed.
pub(crate) fn make(ctx: Context<'_>) -> Result<Vec<Made<IngestReport>>, RunError> {
    let mut sources = Sources::open(ctx.project.assets().join("sources.memo"));
    let mut tables = Vec::new();
    for spec in &ctx.settings.tables {
        let name = format!("bronze/{}", spec.name);
        let failed = |source: PipelineError| RunError { asset: name.clone(), source };
        // The names of landed files count loads: what is in them says whether there is anything new.
        let landing = ctx.project.landing();
        let named = TableSpec { paths: spec.paths.iter().filter(|path| !path.starts_with(&landing)).cloned().collect(), ..spec.clone() };
        let mut fingerprint = Fingerprint::of(&name, REVISION).config("spec", &format!("{named:?}"));
        for path in &spec.paths {
            fingerprint = fingerprint.input(&sources.content(on_disk(path)).map_err(failed)?);
        }
        let out = ctx.project.bronze().join(&spec.name);
        let made = ctx.assets.get_or_make(&name, fingerprint.finish(), &[out], || Ok(ingest_table(spec, &ctx.project.bronze())?))?;
        tables.push(made);
    }
    for column in &ctx.settings.personal {
        // A misspelt name would let a personal column through.
        if !tables.iter().any(|made| made.summary.personal.contains_key(column)) {
            let names = tables.iter().flat_map(|made| made.summary.columns.iter().map(|column| column.name.as_str()));
            let source = PipelineError::NoPersonal { column: column.clone(), near: nearest(column, names) };
            return Err(RunError { asset: "bronze".into(), source });
        }
    }
    sources.save().map_err(|source| RunError { asset: "bronze".into(), source })?;
    Ok(tables)
}
