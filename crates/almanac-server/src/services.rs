//! What is served: the project's forecasts, and the tracking store beside them.

use std::sync::Arc;

use almanac_feature_store::OnlineStore;
use almanac_tracking::{ArtifactStore, TrackingStore};

use crate::{Access, ForecastService};

/// Everything that the routes are built over.
#[derive(Clone)]
pub struct Services {
    /// The project's forecasts; [`crate::NoProject`] where there is none.
    pub forecasts: Arc<dyn ForecastService>,
    /// Experiments, runs and models. `None`: MLflow's routes are not there.
    pub tracking: Option<Arc<TrackingStore>>,
    /// Files of runs and models; asked only where there is a tracking store.
    pub artifacts: ArtifactStore,
    /// The newest values of features. `None`: nothing is declared.
    pub features: Option<Arc<OnlineStore>>,
    /// Who may call, and from where.
    pub access: Access,
}

impl Services {
    /// Serves forecasts alone, to everyone.
    pub fn forecasts(forecasts: Arc<dyn ForecastService>) -> Self {
        Self { forecasts, tracking: None, artifacts: ArtifactStore::in_memory(), features: None, access: Access::default() }
    }
}
