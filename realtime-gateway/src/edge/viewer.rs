//! `/v1/live/viewers`: who is connected, for operators.

use crate::census::Watching;
use crate::denied::Right;
use crate::gateway::Gateway;
use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use contract::name::Channel;
use serde::Deserialize;
use service_kit::api_key::Role;
use service_kit::auth::Principal;
use service_kit::problem::Problem;
use utoipa::IntoParams;

/// Length of a connection's name.
const NAME: usize = 32;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// What they watch: `order:<id>` or `inbox:<customer>`
    #[param(example = "order:TM-1042")]
    channel: String,
}

/// Who watches a channel, on all gateways; how many of them did not answer in time is told, too.
#[utoipa::path(
    get,
    path = "/v1/live/viewers",
    operation_id = "viewers",
    params(Asked),
    responses(
        (status = 200, description = "Those who watch it", body = Watching),
        (status = 400, description = "That is no channel"),
        (status = 401, description = "No valid key"),
        (status = 403, description = "Not an operator's key"),
    ),
)]
pub(super) async fn list(
    State(gateway): State<Gateway>,
    principal: Principal,
    Query(asked): Query<Asked>,
) -> Result<Json<Watching>, Problem> {
    principal.key(Role::Operator)?;
    let unknown = |_| Problem::bad_request("channel: order:<id> or inbox:<customer>");
    let channel: Channel = asked.channel.parse().map_err(unknown)?;
    Ok(Json(gateway.everywhere.watching(&channel.to_string()).await))
}

/// Ends a connection, on whichever gateway it is, within 2 s: it is closed with 4403 and does not come
/// back by itself. What its token opens stays open; `POST /v1/tokens/revoke` ends that.
#[utoipa::path(
    delete,
    path = "/v1/live/viewers/{connection}",
    params(("connection" = String, Path, description = "Its name",
        example = "01a20664632373eda168a459da0f56ee")),
    responses(
        (status = 204, description = "It ends, if it is still there"),
        (status = 400, description = "That is no connection's name"),
        (status = 401, description = "No valid key"),
        (status = 403, description = "Not an operator's key"),
        (status = 503, description = "The other gateways do not know yet; try again"),
    ),
)]
pub(super) async fn end(
    State(gateway): State<Gateway>,
    principal: Principal,
    Path(connection): Path<String>,
) -> Result<StatusCode, Problem> {
    principal.key(Role::Operator)?;
    if connection.len() != NAME || !connection.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Problem::bad_request("connection: 32 hexadecimal digits"));
    }
    let right = Right::Connection(connection.to_ascii_lowercase());
    super::revoke::write_down(&gateway, right).await
}
