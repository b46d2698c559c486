//! The profiles of the project's tables for the page about data. Read anew each time: they are small, and a run may have added one.

use almanac_pipeline::Project;
use almanac_profile::{DriftOptions, ProfileStore, compare};
use almanac_server::{DataReport, ServiceError, ShownTable};

/// Returns the table that is asked for, by default the first, compared with its version before.
pub(super) fn report(project: &Project, table: Option<&str>) -> Result<DataReport, ServiceError> {
    let store = ProfileStore::new(project.profiles());
    let tables = store.tables().map_err(ServiceError::internal)?;
    let Some(first) = tables.first() else {
        return Err(ServiceError::NotReady { reason: "no table has been profiled yet".to_owned() });
    };
    let name = table.unwrap_or(first);
    if !tables.iter().any(|known| known == name) {
        return Err(ServiceError::NotFound { what: "table", name: name.to_owned() });
    }
    let versions = store.versions(name).map_err(ServiceError::internal)?;
    let mut newest = store.newest(name, 2).map_err(ServiceError::internal)?;
    let Some(now) = newest.pop() else {
        return Err(ServiceError::NotReady { reason: format!("table `{name}` has not been profiled yet") });
    };
    let drift = newest.pop().map(|before| compare(&before.profile, &now.profile, &DriftOptions::default()));
    let shown = ShownTable { name: name.to_owned(), versions, summary: now.profile.summary(), drift };
    Ok(DataReport { tables, shown })
}
