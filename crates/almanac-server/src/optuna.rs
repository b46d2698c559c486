//! Optuna's storage proxy over the tracking store: gRPC on the same port as everything else, so that unmodified workers
//! share studies through this server.
//!
//! ```python
//! storage = optuna.storages.GrpcStorageProxy(host="localhost", port=8080)
//! study = optuna.create_study(storage=storage, study_name="tune", load_if_exists=True)
//! ```
//!
//! Workers speak HTTP/2 in the clear, which the port tells from HTTP/1 by the first bytes. `optuna-dashboard` shows the
//! studies too. Its command line takes URLs of databases only, but its function takes a storage:
//!
//! ```python
//! optuna_dashboard.run_server(optuna.storages.GrpcStorageProxy(host="localhost", port=8080), port=8081)
//! ```
//!
//! Studies move between this server and databases of Optuna, either way, with Optuna's own function:
//!
//! ```python
//! optuna.copy_study(from_study_name="tune", from_storage="sqlite:///tune.db", to_storage=storage)
//! ```
//!
//! One route a method, written by hand: there are nineteen, all of the simplest kind, and so no code is generated.
//!
//! Not here: what the store does (`almanac-tracking`); heartbeats, TLS and who may call, because Optuna's proxy sends none of it.

mod clock;
mod messages;
mod service;

use std::sync::Arc;

use almanac_tracking::{ErrorCode, StoreError, TrackingStore};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, post};
use futures::future::BoxFuture;
use prost::Message;
use tonic::server::{Grpc, UnaryService};
use tonic::{Code, Status};
use tonic_prost::ProstCodec;

use crate::error::log_failure;
use crate::router::BODY_LIMIT;

/// Most characters of a refusal: it travels in a header, which clients limit.
const MOST_MESSAGE: usize = 1_000;

/// Builds the routes of all methods.
pub(crate) fn router(store: Arc<TrackingStore>) -> Router {
    Router::new()
        .route("/optuna.StorageService/CreateNewStudy", unary(service::create_new_study))
        .route("/optuna.StorageService/DeleteStudy", unary(service::delete_study))
        .route("/optuna.StorageService/SetStudyUserAttribute", unary(service::set_study_user_attribute))
        .route("/optuna.StorageService/SetStudySystemAttribute", unary(service::set_study_system_attribute))
        .route("/optuna.StorageService/GetStudyIdFromName", unary(service::get_study_id_from_name))
        .route("/optuna.StorageService/GetStudyNameFromId", unary(service::get_study_name_from_id))
        .route("/optuna.StorageService/GetStudyDirections", unary(service::get_study_directions))
        .route("/optuna.StorageService/GetStudyUserAttributes", unary(service::get_study_user_attributes))
        .route("/optuna.StorageService/GetStudySystemAttributes", unary(service::get_study_system_attributes))
        .route("/optuna.StorageService/GetAllStudies", unary(service::get_all_studies))
        .route("/optuna.StorageService/CreateNewTrial", unary(service::create_new_trial))
        .route("/optuna.StorageService/SetTrialParameter", unary(service::set_trial_parameter))
        .route("/optuna.StorageService/GetTrialIdFromStudyIdTrialNumber", unary(service::get_trial_id_from_study_id_trial_number))
        .route("/optuna.StorageService/SetTrialStateValues", unary(service::set_trial_state_values))
        .route("/optuna.StorageService/SetTrialIntermediateValue", unary(service::set_trial_intermediate_value))
        .route("/optuna.StorageService/SetTrialUserAttribute", unary(service::set_trial_user_attribute))
        .route("/optuna.StorageService/SetTrialSystemAttribute", unary(service::set_trial_system_attribute))
        .route("/optuna.StorageService/GetTrial", unary(service::get_trial))
        .route("/optuna.StorageService/GetTrials", unary(service::get_trials))
        .route("/optuna.StorageService/{method}", post(unknown_method))
        .with_state(store)
}

/// Answers one message with one message.
fn unary<Q, A>(answer: fn(&TrackingStore, Q) -> Result<A, StoreError>) -> MethodRouter<Arc<TrackingStore>>
where
    Q: Message + Default + 'static,
    A: Message + 'static,
{
    post(async move |State(store): State<Arc<TrackingStore>>, request: Request| {
        if !is_grpc(&request) {
            return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
        }
        let mut grpc = Grpc::new(ProstCodec::<A, Q>::default()).max_decoding_message_size(BODY_LIMIT);
        grpc.unary(Call { store, answer }, request).await.map(Body::new)
    })
}

/// What is not gRPC gets HTTP's own answer, as the protocol demands. It also keeps the forms of foreign pages out, which
/// browsers send without asking.
fn is_grpc(request: &Request) -> bool {
    request.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/grpc"))
}

async fn unknown_method(request: Request) -> Response {
    if !is_grpc(&request) {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response();
    }
    Status::unimplemented("the method is not known to this server").into_http()
}

/// A method, ready to be called once.
struct Call<Q, A> {
    store: Arc<TrackingStore>,
    answer: fn(&TrackingStore, Q) -> Result<A, StoreError>,
}

impl<Q: Send + 'static, A: Send + 'static> UnaryService<Q> for Call<Q, A> {
    type Response = A;
    type Future = BoxFuture<'static, Result<tonic::Response<A>, Status>>;

    fn call(&mut self, request: tonic::Request<Q>) -> Self::Future {
        let (store, answer) = (Arc::clone(&self.store), self.answer);
        Box::pin(async move {
            match tokio::task::spawn_blocking(move || answer(&store, request.into_inner())).await {
                Ok(Ok(answer)) => Ok(tonic::Response::new(answer)),
                Ok(Err(error)) => Err(refusal(&error)),
                Err(error) => Err(internal(&error)),
            }
        })
    }
}

/// Says a refusal in the codes that Optuna's proxy turns into its own exceptions.
fn refusal(error: &StoreError) -> Status {
    let code = match error {
        StoreError::Refused { code, .. } => match code {
            ErrorCode::ResourceDoesNotExist => Code::NotFound,
            ErrorCode::ResourceAlreadyExists => Code::AlreadyExists,
            ErrorCode::InvalidState => Code::FailedPrecondition,
            _ => Code::InvalidArgument,
        },
        StoreError::Busy { .. } | StoreError::DiskFull { .. } => {
            tracing::error!(%error, "request failed");
            Code::Unavailable
        }
        _ => return internal(error),
    };
    Status::new(code, error.to_string().chars().take(MOST_MESSAGE).collect::<String>())
}

/// A fault on our side: the cause goes to the log, not to the client.
fn internal(cause: &dyn std::error::Error) -> Status {
    log_failure(cause);
    Status::internal("the request could not be answered; the server's log has the cause")
}
