//! `/v1/platform/projector`: how far the tables are, what stands still and why; `/v1/rebuilds`.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Response;
use daybook_domain::access;
use daybook_http::{Caller, Params, Problem};
use serde_json::json;

use super::{Reads, answer, error};
use crate::catalog::{NAME, VERSION};
use crate::parked;
use crate::queries::checkpoints;
use crate::rebuild;

type Pairs = Query<Vec<(String, String)>>;

/// The resource of the projector's permissions.
const PROJECTOR: &str = "platform.projector";

fn require(caller: &Caller, action: &str) -> Result<(), Problem> {
    if access::may(&caller.actor, PROJECTOR, action, false) {
        return Ok(());
    }
    Err(Problem::forbidden(format!(
        "the role {} and the scopes of the key in use do not allow {action} on {PROJECTOR}",
        caller.actor.role
    )))
}

/// Lag, checkpoints, parked events, waiting lanes.
pub(super) async fn status(
    State(reads): State<Arc<Reads>>,
    Query(pairs): Pairs,
    caller: Caller,
) -> Result<Response, Problem> {
    require(&caller, access::READ)?;
    Params::new(pairs)?.finish(&[])?;
    let lag = reads.posted.lag().await.map_err(|e| error::of_log(&e))?;
    let read = async {
        let lanes = checkpoints::all(&reads.pool).await?;
        let parked = parked::parked(&reads.pool).await?;
        Ok::<_, sqlx::Error>((lanes, parked, parked::waiting(&reads.pool).await?))
    };
    let (lanes, parked, waiting) = read.await.map_err(|e| error::of_sql(&e))?;
    let body = json!({
        "name": NAME,
        "version": VERSION,
        "lag": lag,
        "parked": parked,
        "waiting": waiting,
        "lanes": lanes,
    });
    answer::json(&body, lag.posted_to)
}

/// Rebuilds, newest first: what each has done, its rate, what is left.
pub(super) async fn rebuilds(
    State(reads): State<Arc<Reads>>,
    Query(pairs): Pairs,
    caller: Caller,
) -> Result<Response, Problem> {
    require(&caller, access::READ)?;
    Params::new(pairs)?.finish(&[])?;
    let rebuilds = rebuild::rebuilds(&reads.pool).await.map_err(|e| error::of_sql(&e))?;
    let position = reads.posted.posted_to().await.map_err(|e| error::of_log(&e))?;
    answer::json(&json!({ "data": rebuilds }), position)
}

/// Asks for parked events to be tried again: all of them, or those of `lane`.
pub(super) async fn retry(
    State(reads): State<Arc<Reads>>,
    Query(pairs): Pairs,
    caller: Caller,
) -> Result<Response, Problem> {
    // Only administrators: what is parked is a fault that somebody has looked into.
    if !caller.actor.is_admin() {
        return Err(Problem::forbidden("only administrators have parked events tried again"));
    }
    require(&caller, "retry")?;
    let mut params = Params::new(pairs)?;
    let lane = params.parse::<i16>("lane", "a lane's number")?;
    params.finish(&["lane"])?;
    let asked = parked::retry_parked(&reads.pool, lane).await.map_err(|e| error::of_sql(&e))?;
    let position = reads.posted.posted_to().await.map_err(|e| error::of_log(&e))?;
    answer::json(&json!({ "asked": asked }), position)
}
