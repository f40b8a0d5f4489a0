//! Frames that are handed in: FITS files, whoever made them.

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use futures::StreamExt;
use holotype_api::frame::IngestedFrame;
use holotype_app::archives::frames::check_name;
use holotype_app::blobs::Held;
use holotype_core::Role;
use serde::Deserialize;
use serde_json::Value;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::auth::Authenticated;
use crate::extract::{Params, broken_body};
use crate::multipart::Parts;
use crate::problem::{Failure, Fault};
use crate::project::project_or_own;
use crate::state::ServerState;

pub(crate) fn routes() -> OpenApiRouter<ServerState> {
    OpenApiRouter::new().routes(routes!(ingest))
}

/// What is handed in, and where it goes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Place {
    /// What the file is called, with its ending; not needed for a form, whose part says it.
    name: Option<String>,
    /// The project, by id or name; the caller's own if not given.
    project: Option<String>,
}

/// Hand in a FITS file, plain, packed (`.fz`) or gzipped, as the body or as a part of a form.
///
/// The frame is known by the file's name without its ending. The same bytes again change nothing; others are a new version.
/// What the headers lack is unknown, and told in `missing`.
#[utoipa::path(post, path = "/frames", tag = "frames", params(Place),
    request_body(content((Vec<u8> = "application/octet-stream"), (Value = "multipart/form-data"))),
    responses(
        (status = 201, description = "A new frame, or a new version of one", body = IngestedFrame),
        (status = 200, description = "The frame has these bytes already", body = IngestedFrame),
    ),
)]
async fn ingest(
    State(state): State<ServerState>,
    Authenticated(caller): Authenticated,
    Params(place): Params<Place>,
    request: Request,
) -> Result<(StatusCode, Json<IngestedFrame>), Failure> {
    let project = project_or_own(&state, &caller, place.project.as_deref()).await?;
    // Before the bytes: whoever may not write need not send them.
    state.app().catalog().require(&caller, project, Role::Editor).await?;
    let media_type = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (name, held) = match media_type.trim_start().to_ascii_lowercase().starts_with("multipart/form-data") {
        true => receive_form(&state, request, place.name).await?,
        false => receive_body(&state, request, place.name.ok_or_else(nameless)?).await?,
    };
    let (digest, size, md5) = (held.digest, held.size, held.md5);
    let ingested = state.app().archives().ingest(&caller, project, &name, held).await?;
    let recorded = ingested.recorded;
    let answer = IngestedFrame {
        frame: recorded.frame.0,
        version: recorded.version.0,
        basename: ingested.facts.basename.clone(),
        extension: ingested.extension.clone(),
        new_frame: recorded.is_new_frame,
        new_version: recorded.is_new_version,
        digest,
        md5: md5.iter().map(|byte| format!("{byte:02x}")).collect(),
        size,
        missing: ingested.facts.missing().into_iter().map(str::to_owned).collect(),
    };
    let status = if recorded.is_new_version { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(answer)))
}

async fn receive_body(state: &ServerState, request: Request, name: String) -> Result<(String, Held), Failure> {
    check_name(&name)?;
    let limit = state.options().config.upload_limit;
    let mut upload = state.app().blobs().begin();
    let mut size = 0_u64;
    let mut pieces = request.into_body().into_data_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| broken_body(&error))?;
        size += piece.len() as u64;
        if size > limit {
            return Err(Failure::too_large("The file", usize::try_from(limit).unwrap_or(usize::MAX)));
        }
        upload.write(&piece).await?;
    }
    Ok((name, upload.finish().await?))
}

/// Receives the one file of a form.
async fn receive_form(state: &ServerState, request: Request, name: Option<String>) -> Result<(String, Held), Failure> {
    let mut parts = Parts::of(request, state.options().config.upload_limit).await?;
    let mut received = None;
    while let Some(mut part) = parts.next().await? {
        let Some(file_name) = part.file_name().map(str::to_owned) else { continue };
        if received.is_some() {
            let message = "one file is taken at a time";
            return Err(Failure::invalid(vec![Fault::new("too_long", &["body"], message, Value::Null)]));
        }
        let name = name.clone().unwrap_or(file_name);
        check_name(&name)?;
        let mut upload = state.app().blobs().begin();
        while let Some(piece) = part.piece().await? {
            upload.write(&piece).await?;
        }
        received = Some((name, upload.finish().await?));
    }
    received.ok_or_else(|| Failure::invalid(vec![Fault::missing(&["body", "file"])]))
}

fn nameless() -> Failure {
    Failure::invalid(vec![Fault::missing(&["query", "name"])])
}
