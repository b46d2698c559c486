//! Silver: the long table, by the user's SQL where there is one, as a regular panel.

use almanac_data::{QueryLimits, SilverReport, build_silver, open_bronze};

use crate::asset::Made;
use crate::fingerprint::Fingerprint;
use crate::steps::Context;
use crate::{PipelineError, RunError};

const REVISION: u32 = 3;

/// Builds the panel from the bronze tables of the given fingerprints; `checked` takes those without the rows in quarantine.
pub(crate) fn make(ctx: Context<'_>, tables: &[Fingerprint], checked: bool) -> Result<Made<SilverReport>, RunError> {
    let settings = ctx.settings;
    let mut fingerprint = Fingerprint::of("silver", REVISION)
        .config("sql", &settings.sql)
        .config("future_sql", &settings.future_sql)
        .config("spec", &format!("{:?}", settings.silver));
    for table in tables {
        fingerprint = fingerprint.input(table);
    }
    let out = ctx.project.silver();
    ctx.assets.get_or_make("silver", fingerprint.finish(), std::slice::from_ref(&out), || {
        ctx.runtime.block_on(async {
            let names: Vec<String> = settings.tables.iter().map(|table| table.name.clone()).collect();
            // One thread: the order of rows, and with it what `first` and sums of duplicates give, must not depend on how many there are.
            let limits = QueryLimits { memory: settings.memory, threads: 1 };
            let folder = if checked { ctx.project.checked() } else { ctx.project.bronze() };
            let bronze = open_bronze(&folder, &names, &limits).await?;
            let input = match &settings.sql {
                Some(sql) => bronze.sql(sql).await?,
                None => bronze.scan(&names[0]).await?,
            };
            let future = match &settings.future_sql {
                Some(sql) => Some(bronze.sql(sql).await?),
                None => None,
            };
            Ok::<_, PipelineError>(build_silver(input, future, settings.silver.clone(), &out).await?)
        })
    })
}
