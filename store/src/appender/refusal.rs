//! Which requests of a batch fail, and with what, when the log refuses it.

use super::arguments::Batch;
use super::call::{Failure, FirstAnswer};
use crate::error::AppendError;
use crate::request::{Appended, Chain};

/// One verdict a request: `None` goes on.
pub(super) type Verdicts = Vec<Option<Result<Appended, AppendError>>>;

/// What the failures mean for each request. A command that was applied before has its first
/// answer, whatever else stands in its way. Whatever was decided on a request that fails,
/// fails too.
pub(super) fn verdicts(
    batch: &Batch<'_>,
    failures: &[Failure],
    now: chrono::DateTime<chrono::Utc>,
) -> Verdicts {
    let mut verdicts: Verdicts = vec![None; batch.prepared.len()];
    for failure in failures {
        if let Failure::Command(first) = failure {
            set(&mut verdicts, first.at - 1, first_answer(batch, first));
        }
    }
    for failure in failures {
        match failure {
            Failure::Command(_) => {}
            Failure::Clock { database } => {
                let (database, process) = (*database, now);
                verdicts.fill(Some(Err(AppendError::ClockAhead { database, process })));
            }
            Failure::Stream { at, actual } => {
                conflict(&mut verdicts, &batch.streams[at - 1], *actual);
            }
            Failure::Guard { at, actual } => {
                let guard = batch.guards[at - 1];
                let error = if guard.own {
                    AppendError::Conflict {
                        stream: guard.stream,
                        expected: guard.version,
                        actual: *actual,
                    }
                } else {
                    AppendError::Moved
                };
                set(&mut verdicts, guard.request, Err(error));
            }
            Failure::Missing { at } | Failure::Closed { at } => {
                let reference = &batch.references[at - 1];
                let stream = reference.stream;
                for request in &reference.requests {
                    let error = match failure {
                        Failure::Missing { .. } => AppendError::ReferenceMissing { stream },
                        _ => AppendError::ReferenceClosed { stream },
                    };
                    set(&mut verdicts, *request, Err(error));
                }
            }
            Failure::Claim { at, holder } => {
                let claim = &batch.claims[at - 1];
                let (scope, key) = (claim.scope.to_owned(), claim.key.to_owned());
                set(
                    &mut verdicts,
                    claim.request,
                    Err(AppendError::Claimed { scope, key, holder: *holder }),
                );
            }
            Failure::Held { at, holders } => {
                let (stream, request) = batch.close[at - 1];
                set(
                    &mut verdicts,
                    request,
                    Err(AppendError::Held { stream, holders: holders.clone() }),
                );
            }
        }
    }
    spread(batch, &mut verdicts);
    verdicts
}

fn set(verdicts: &mut Verdicts, request: usize, verdict: Result<Appended, AppendError>) {
    verdicts[request].get_or_insert(verdict);
}

fn conflict(verdicts: &mut Verdicts, row: &super::rows::StreamRow<'_>, actual: i64) {
    let (stream, expected) = (row.stream, row.expected);
    set(verdicts, row.request, Err(AppendError::Conflict { stream, expected, actual }));
}

fn first_answer(batch: &Batch<'_>, first: &FirstAnswer) -> Result<Appended, AppendError> {
    if !first.same {
        let id = batch.prepared[first.at - 1].request.command.id;
        return Err(AppendError::CommandReused { id });
    }
    Ok(Appended {
        stream_id: first.stream,
        version: first.version,
        created: first.created,
        position: first.position,
        events: first.events,
        recorded_at: first.recorded_at,
        replayed: true,
    })
}

/// Breaks the chains of what fails, and fails what comes after it on the same streams.
fn spread(batch: &Batch<'_>, verdicts: &mut Verdicts) {
    let mut lost = Vec::new();
    let mut broken: Vec<&Chain> = Vec::new();
    for (prepared, verdict) in batch.prepared.iter().zip(verdicts.iter_mut()) {
        let writes = || prepared.request.writes.iter().filter(|write| !write.events.is_empty());
        let chains = &prepared.request.chains;
        if verdict.is_none()
            && (writes().any(|write| lost.contains(&write.stream_id))
                || chains.iter().any(|chain| broken.iter().any(|other| chain.is(other))))
        {
            *verdict = Some(Err(AppendError::Moved));
        }
        if verdict.is_some() {
            prepared.break_chains();
            broken.extend(chains);
            lost.extend(writes().map(|write| write.stream_id));
        }
    }
}
