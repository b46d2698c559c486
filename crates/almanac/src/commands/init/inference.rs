//! Asks the data layer what the columns of a source mean, and brings its answer into the form that the file is written from.

use std::num::NonZeroUsize;
use std::path::Path;

use almanac_config::InitAnswers;

use crate::commands::not_built;
use crate::context::Context;
use crate::failure::Failure;

/// What the user has said; the rest is inferred.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) time: Option<String>,
    pub(super) target: Option<String>,
    /// Empty: not said.
    pub(super) id: Vec<String>,
    pub(super) freq: Option<String>,
    pub(super) horizon: Option<NonZeroUsize>,
}

/// Infers the roles of the columns of `source`, a path relative to the project's folder.
pub(super) fn infer(_ctx: &Context, _source: &Path, _known: &Known) -> Result<InitAnswers, Failure> {
    not_built("init").map(|_| InitAnswers::default())
}
