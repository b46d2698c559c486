//! Collecting garbage: rows of what was deleted go for good, then its files.
//!
//! It can be killed at any point: rows and the places of their files change hands in one transaction, and files that are
//! already gone are no error. The next collection goes on where this one ended.
//!
//! Not here: which rows (`store::garbage`), how files are deleted (`artifacts`), telling people about it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use almanac_series::Hint;

use crate::{ArtifactError, ArtifactStore, CollectPlan, CollectProgress, Millis, StoreError, TrackingStore};

/// Artifact URIs that are taken from the store at a time.
const AT_A_TIME: usize = 100;
/// What uploads left unfinished is swept away when it is that old.
const UNFINISHED_FOR: Duration = Duration::from_hours(24);

/// Why a collection stopped. It can be started again.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the message of each variant says what its fields are")]
pub enum CollectError {
    #[error("failed to delete rows")]
    Rows(#[from] StoreError),
    #[error("failed to delete files")]
    Files(#[from] ArtifactError),
    #[error("a task that deleted rows did not end")]
    Lost,
}

impl Hint for CollectError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Rows(error) => error.hint(),
            Self::Files(error) => error.hint(),
            Self::Lost => None,
        }
    }
}

/// What a collection has done so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Collected {
    /// Rows.
    pub rows: CollectProgress,
    /// Places whose files are gone.
    pub places: u64,
    /// Places that are not below the root of this store; their files stay and are asked about again next time.
    pub elsewhere: Vec<String>,
    /// Leftovers of uploads that were killed.
    pub leftovers: u64,
}

/// Carries a plan out, and deletes all files that were waiting for it. `tell` is called after each step.
///
/// # Errors
/// [`CollectError`]; what was deleted until then stays deleted, and nothing is half deleted.
pub async fn collect_garbage(
    store: Arc<TrackingStore>,
    artifacts: &ArtifactStore,
    plan: CollectPlan,
    now: Millis,
    mut tell: impl FnMut(&Collected),
) -> Result<Collected, CollectError> {
    let mut collected = Collected::default();
    let plan = Arc::new(plan);
    loop {
        let (plan, at) = (Arc::clone(&plan), collected.rows);
        match ask(&store, move |store| store.collect_step(&plan, at, now)).await? {
            Some(next) => collected.rows = next,
            None => break,
        }
        tell(&collected);
    }
    let mut after = String::new();
    loop {
        let from = after.clone();
        let uris = ask(&store, move |store| store.garbage(&from, AT_A_TIME)).await?;
        let Some(last) = uris.last() else { break };
        after.clone_from(last);
        let mut gone = Vec::new();
        for uri in uris {
            match artifacts.locate(&uri).ok().as_ref().and_then(|folder| folder.path()) {
                Some(path) => {
                    artifacts.delete(path).await?;
                    gone.push(uri);
                }
                None => collected.elsewhere.push(uri),
            }
        }
        collected.places += gone.len() as u64;
        ask(&store, move |store| store.forget_garbage(&gone)).await?;
        tell(&collected);
    }
    if let Some(before) = SystemTime::now().checked_sub(UNFINISHED_FOR) {
        collected.leftovers = artifacts.sweep(before).await?;
        tell(&collected);
    }
    Ok(collected)
}

async fn ask<T, F>(store: &Arc<TrackingStore>, ask: F) -> Result<T, CollectError>
where
    T: Send + 'static,
    F: FnOnce(&TrackingStore) -> Result<T, StoreError> + Send + 'static,
{
    let store = Arc::clone(store);
    Ok(tokio::task::spawn_blocking(move || ask(&store)).await.map_err(|_| CollectError::Lost)??)
}
