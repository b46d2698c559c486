//! The bridge from async handlers to the blocking service: bounded, timed, and safe from panics.

use crate::ForecastService;
use crate::error::{ApiError, ServiceError};
use std::any::Any;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Most calls of the service at a time; more wait for [`QUEUE_LIMIT`].
const CALLS_AT_A_TIME: usize = 64;
/// How long a call may wait for its turn.
const QUEUE_LIMIT: Duration = Duration::from_secs(5);
/// How long a call may take.
const CALL_LIMIT: Duration = Duration::from_mins(2);

/// The service and the right to call it.
#[derive(Clone)]
pub(crate) struct Caller {
    service: Arc<dyn ForecastService>,
    turns: Arc<Semaphore>,
}

impl Caller {
    pub(crate) fn new(service: Arc<dyn ForecastService>) -> Self {
        Self { service, turns: Arc::new(Semaphore::new(CALLS_AT_A_TIME)) }
    }

    /// Calls the service on a thread that may block. The turn is held until the call ends, even if nobody waits for it.
    pub(crate) async fn call<T, F>(&self, ask: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(&dyn ForecastService) -> Result<T, ServiceError> + Send + 'static,
    {
        let turn = self.turn().await?;
        let service = Arc::clone(&self.service);
        let answer = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            ask(&*service)
        });
        match tokio::time::timeout(CALL_LIMIT, answer).await {
            Err(_) => Err(ApiError::TimedOut { limit: CALL_LIMIT }),
            Ok(Err(error)) if error.is_panic() => Err(ApiError::Panicked { message: panic_message(&*error.into_panic()) }),
            Ok(Err(error)) => Err(ServiceError::internal(error).into()),
            Ok(Ok(answer)) => Ok(answer?),
        }
    }

    /// Starts a call whose answer is handed over piece by piece by the call itself.
    pub(crate) async fn start<F>(&self, ask: F) -> Result<(), ApiError>
    where
        F: FnOnce(&dyn ForecastService) + Send + 'static,
    {
        let turn = self.turn().await?;
        let service = Arc::clone(&self.service);
        tokio::task::spawn_blocking(move || {
            let _turn = turn;
            ask(&*service);
        });
        Ok(())
    }

    async fn turn(&self) -> Result<OwnedSemaphorePermit, ApiError> {
        let turn = tokio::time::timeout(QUEUE_LIMIT, Arc::clone(&self.turns).acquire_owned()).await;
        Ok(turn.map_err(|_| ApiError::Busy)?.expect("the semaphore is never closed"))
    }
}

/// Returns the text of a panic.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown".to_owned())
}
