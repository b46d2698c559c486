//! Logged models.

use crate::db::Session;
use crate::{ExperimentId, Metric, StoreError};

pub(super) fn log_model_metrics(
    _session: &mut dyn Session,
    _run_no: i64,
    _experiment: ExperimentId,
    _metrics: &[Metric],
) -> Result<(), StoreError> {
    Ok(())
}
