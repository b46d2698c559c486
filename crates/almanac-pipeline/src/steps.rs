//! The steps of a run, one file each, in the order of the data.

pub(crate) mod backtest;
pub(crate) mod bronze;
pub(crate) mod check;
pub(crate) mod drift;
pub(crate) mod field;
pub(crate) mod forecast;
pub(crate) mod gold;
pub(crate) mod profile;
pub(crate) mod register;
pub(crate) mod select;
pub(crate) mod silver;

use crate::asset::AssetStore;
use crate::models::ModelFactory;
use crate::project::Project;
use crate::settings::PipelineSettings;

/// What every step works with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) project: &'a Project,
    pub(crate) settings: &'a PipelineSettings,
    pub(crate) assets: &'a AssetStore<'a>,
    pub(crate) models: &'a dyn ModelFactory,
    pub(crate) runtime: &'a tokio::runtime::Handle,
}
