//! What the commands that look into the past share: the database they ask, and moments of the log.

use std::str::FromStr;

use chrono::{DateTime, SecondsFormat, Utc};
use daybook_domain::access;
use daybook_domain::context::SYSTEM_USER;
use daybook_projector::queries::diff::{self, Difference};
use daybook_projector::queries::known::UnknownError;
use daybook_projector::queries::past::{self, Past, PastError, Upto};
use daybook_store::records::{self, Read, Reader, Reading};
use daybook_store::{Log, ReadError};
use uuid::Uuid;

use super::{Failure, Session};
use crate::database::Pools;
use crate::dev::{Database, Preparation, ensure_database};
use crate::http::{Authenticator, Known};
use crate::sides;

/// A database that is only looked at.
pub(super) struct History {
    /// The database itself.
    pub(super) database: Database,
    /// Its pools.
    pub(super) pools: Pools,
    /// Its log.
    pub(super) log: Log,
    /// Who looks at it.
    reader: Reader,
}

impl History {
    /// Opens the database that the settings name, or the private one, for whoever has the key that was
    /// given. Without one it is the system, as which whoever can reach the database as the service reads.
    pub(super) async fn open(session: &Session) -> Result<Self, Failure> {
        let database = ensure_database(&session.settings, Preparation::MigratePrivate).await?;
        let pools = database.pools(&session.settings).await?;
        let log = Log::new(pools.projector.clone());
        let reader = match &session.key {
            None => Ok(system()),
            Some(key) => of_key(key, &pools).await,
        };
        match reader {
            Ok(reader) => Ok(Self { database, pools, log, reader }),
            Err(failure) => {
                pools.close().await;
                database.close().await?;
                Err(failure)
            }
        }
    }

    /// Closes it; a private server that nobody else uses stops.
    pub(super) async fn close(self) -> Result<(), Failure> {
        self.pools.close().await;
        Ok(self.database.close().await?)
    }

    /// Writes down a read of the past that is short, before anything of it leaves.
    pub(super) async fn note_read(
        &self,
        what: &'static str,
        asked: serde_json::Value,
    ) -> Result<(), Failure> {
        Ok(records::whole_read(&self.pools.projector, self.read(what, asked)).await?)
    }

    /// Writes down that a read of everyone's past begins, before anything of it leaves: whose key it is,
    /// or the system; also as which role of the database, and as which user of which machine.
    pub(super) async fn begin_read(
        &self,
        what: &'static str,
        asked: serde_json::Value,
    ) -> Result<Reading, Failure> {
        Ok(records::begin_read(&self.pools.projector, self.read(what, asked)).await?)
    }

    fn read(&self, what: &'static str, asked: serde_json::Value) -> Read {
        Read { reader: self.reader.clone(), what, asked, rows: None, digest: None }
    }

    /// Writes down that it is over, with what it handed out.
    pub(super) async fn end_read(
        &self,
        reading: Reading,
        rows: i64,
        digest: Option<String>,
    ) -> Result<(), Failure> {
        Ok(reading.end(&self.pools.projector, rows, digest).await?)
    }

    /// A stream as it was.
    pub(super) async fn past(&self, stream: Uuid, upto: Upto) -> Result<Past, Failure> {
        past::fold(&self.log, stream, upto).await.map_err(Failure::from_past)
    }

    /// What changed in a stream between two positions.
    pub(super) async fn diff(
        &self,
        stream: Uuid,
        from: i64,
        to: i64,
    ) -> Result<Difference, Failure> {
        diff::between(&self.log, stream, from, to).await.map_err(Failure::from_past)
    }

    /// The position that a moment stands for.
    pub(super) async fn position(&self, moment: Moment) -> Result<i64, Failure> {
        let upto = match moment {
            Moment::Time(time) => Upto::Instant(time),
            Moment::Position(position) => Upto::Position(position),
        };
        let position = past::position(&self.log, upto).await.map_err(Failure::from_past)?;
        Ok(position.unwrap_or_default())
    }

    /// Refuses a stream that is not there.
    pub(super) async fn require(&self, stream: Uuid) -> Result<(), Failure> {
        match self.log.stream_head(stream).await? {
            Some(_) => Ok(()),
            None => Err(Failure::failed(format!(
                "there is no stream {stream}; `daybook events` lists what happened, with the streams"
            ))),
        }
    }
}

/// Who reads without a key.
fn system() -> Reader {
    Reader {
        actor_id: SYSTEM_USER,
        tenant_id: None,
        session_id: None,
        ip_address: None,
        user_agent: Some(format!("daybook {}, {}", env!("CARGO_PKG_VERSION"), reader())),
        correlation_id: None,
    }
}

/// Whose key it is; only who may read everyone's past does.
async fn of_key(key: &str, pools: &Pools) -> Result<Reader, Failure> {
    let known = Authenticator::new(pools.reader.clone()).who(key).await?;
    let Known { actor, session_id } = known.ok_or_else(|| {
        Failure::failed("the key (--as-key or DAYBOOK_KEY) is none that is valid; without one, it is the system that reads")
    })?;
    if !access::may(&actor, access::LOG, access::HISTORY, false) {
        return Err(Failure::failed(format!(
            "the role {} and the scopes of the key in use do not allow {} on the {}",
            actor.role,
            access::HISTORY,
            access::LOG
        )));
    }
    Ok(Reader { actor_id: actor.id, tenant_id: actor.tenant, session_id, ..system() })
}

/// The user of the system and the machine: whoever logged in there answers for it.
fn reader() -> String {
    let uid = nix::unistd::getuid();
    let user = nix::unistd::User::from_uid(uid).ok().flatten();
    let user = user.map_or_else(|| uid.to_string(), |user| user.name);
    format!("{user}@{}", sides::host())
}

impl Failure {
    /// A filter that cannot be meant is wrong use.
    pub(super) fn from_filter(error: UnknownError) -> Self {
        match error {
            UnknownError::Name(unknown) => Self::wrong_use(unknown.to_string()),
            UnknownError::Read(error) => Self::from_past(PastError::Read(error)),
        }
    }

    fn from_past(error: PastError) -> Self {
        match error {
            PastError::Read(ReadError::NotYet { asked, last }) => Self::wrong_use(format!(
                "{} has not passed yet; the log's last moment is {}",
                text(asked),
                text(last)
            )),
            PastError::Read(error @ ReadError::Ahead { .. }) => Self::wrong_use(error.to_string()),
            other => other.into(),
        }
    }
}

/// A time, or a position of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// What was recorded by then.
    Time(DateTime<Utc>),
    /// Everything up to there.
    Position(i64),
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(position) = text.parse::<i64>() {
            return if position >= 0 {
                Ok(Self::Position(position))
            } else {
                Err("a position is not negative".to_owned())
            };
        }
        text.parse().map(Self::Time).map_err(|_| {
            "neither an RFC 3339 time such as 2026-01-31T12:00:00Z nor a position of the log"
                .to_owned()
        })
    }
}

/// A time as it is printed everywhere.
pub(super) fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_a_time_or_a_position() {
        assert_eq!("42".parse(), Ok(Moment::Position(42)));
        let time = "2026-01-31T13:00:00+01:00".parse::<Moment>();
        assert_eq!(time, Ok(Moment::Time("2026-01-31T12:00:00Z".parse().unwrap())));
        assert!("-1".parse::<Moment>().is_err() && "noon".parse::<Moment>().is_err());
    }
}
