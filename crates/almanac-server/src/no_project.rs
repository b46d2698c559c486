//! A server in a folder without a project: forecasts are not there yet, everything else is.

use std::ops::ControlFlow;

use almanac_api::{ForecastRow, History, Leaderboard, PredictResponse, ProjectInfo, Readiness, SeriesPage};

use crate::{ForecastQuery, ForecastService, HistoryQuery, PredictQuery, SeriesQuery, ServiceError};

/// Answers that there is no project here.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoProject;

fn no_project<T>() -> Result<T, ServiceError> {
    Err(ServiceError::NotReady {
        reason: "runs and models are tracked here, but there is no project to forecast in this folder: `almanac init sales.csv` makes one"
            .to_owned(),
    })
}

impl ForecastService for NoProject {
    fn project(&self) -> Result<ProjectInfo, ServiceError> {
        no_project()
    }

    fn readiness(&self) -> Readiness {
        let reason = "there is no project in this folder".to_owned();
        Readiness { ready: false, reason: Some(reason), champion: None, issued_at: None }
    }

    fn series(&self, _query: &SeriesQuery) -> Result<SeriesPage, ServiceError> {
        no_project()
    }

    fn history(&self, _query: &HistoryQuery) -> Result<History, ServiceError> {
        no_project()
    }

    fn forecasts(&self, _query: &ForecastQuery, _emit: &mut dyn FnMut(ForecastRow) -> ControlFlow<()>) -> Result<(), ServiceError> {
        no_project()
    }

    fn predict(&self, _query: &PredictQuery) -> Result<PredictResponse, ServiceError> {
        no_project()
    }

    fn leaderboard(&self) -> Result<Leaderboard, ServiceError> {
        no_project()
    }
}
