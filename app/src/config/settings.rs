//! The table of settings: name, kind, default, variables, meaning.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::origin::{ConfigError, Loaded, Sources};
use super::value::{DatabaseUrl, LogFormat, Seconds, ServiceRoles, Value};
use crate::dev::binaries::Source;

/// A setting, as `config show` explains it.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name in the file and for `--set`.
    pub name: &'static str,
    /// Its environment variables; the first that is set counts.
    pub variables: &'static [&'static str],
    /// What it means.
    pub meaning: &'static str,
}

macro_rules! settings {
    ($($(#[doc = $doc:literal])+ $name:ident: $kind:ty = $default:expr, [$($variable:literal),+];)+) => {
        /// Every setting.
        #[derive(Debug, Clone)]
        pub struct Settings {
            $($(#[doc = $doc])+ pub $name: $kind,)+
        }

        /// The settings, in the order in which they are shown.
        pub const KEYS: &[Key] = &[
            $(Key { name: stringify!($name), variables: &[$($variable),+], meaning: concat!($($doc),+) },)+
        ];

        impl Default for Settings {
            fn default() -> Self {
                Self { $($name: $default,)+ }
            }
        }

        impl Settings {
            /// Puts the sources together.
            ///
            /// # Errors
            /// When a source has a name that is not in the table, or a text that cannot be read.
            pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
                sources.refuse_unknown()?;
                let mut settings = Self::default();
                let mut origins = Vec::new();
                for key in KEYS {
                    let (text, origin) = sources.find(key);
                    if let Some(text) = text {
                        settings.set(key.name, &text).map_err(|reason| ConfigError::Value {
                            name: key.name,
                            origin: origin.to_string(),
                            reason,
                        })?;
                    }
                    origins.push(origin);
                }
                Ok(Loaded { settings, origins })
            }

            fn set(&mut self, name: &str, text: &str) -> Result<(), String> {
                match name {
                    $(stringify!($name) => self.$name = Value::read(text)?,)+
                    other => return Err(format!("there is no setting {other}")),
                }
                Ok(())
            }

            /// A setting's value as text, with secrets masked; `None` for a name that is not in the table.
            #[must_use]
            pub fn show(&self, name: &str) -> Option<String> {
                match name {
                    $(stringify!($name) => Some(self.$name.show()),)+
                    _ => None,
                }
            }
        }
    };
}

settings! {
    /// The database, as `daybook_service`. Empty: the private one that `daybook dev` keeps. `DAYBOOK_DATABASE_URL`, else `DATABASE_URL`.
    database_url: Option<DatabaseUrl> = None, ["DAYBOOK_DATABASE_URL", "DATABASE_URL"];
    /// The same database as an administrator, for roles and migrations. Empty: database_url. `DAYBOOK_MIGRATE_URL`.
    migrate_url: Option<DatabaseUrl> = None, ["DAYBOOK_MIGRATE_URL"];
    /// Where HTTP is served. `DAYBOOK_LISTEN`.
    listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 8080)), ["DAYBOOK_LISTEN"];
    /// What this process does: any of command, query, relay, projector. `DAYBOOK_ROLES`.
    roles: ServiceRoles = ServiceRoles::default(), ["DAYBOOK_ROLES"];
    /// The private database and what belongs to it. `DAYBOOK_DATA_DIR`.
    data_dir: PathBuf = PathBuf::from(".daybook"), ["DAYBOOK_DATA_DIR"];
    /// The private server's binaries: auto, installed, download, or a folder. `DAYBOOK_POSTGRES`.
    postgres: Source = Source::Auto, ["DAYBOOK_POSTGRES"];
    /// Log lines: auto (readable on a terminal, JSON elsewhere), json or pretty. `DAYBOOK_LOG_FORMAT`.
    log_format: LogFormat = LogFormat::Auto, ["DAYBOOK_LOG_FORMAT"];
    /// What is logged, as tracing filters are written. `DAYBOOK_LOG`.
    log: String = "info,sqlx=warn,hyper=warn".to_owned(), ["DAYBOOK_LOG"];
    /// Connections for commands: one appends, the others load streams. `DAYBOOK_WRITER_CONNECTIONS`.
    writer_connections: u32 = 12, ["DAYBOOK_WRITER_CONNECTIONS"];
    /// Connections for the projector. `DAYBOOK_PROJECTOR_CONNECTIONS`.
    projector_connections: u32 = 8, ["DAYBOOK_PROJECTOR_CONNECTIONS"];
    /// Connections for queries. `DAYBOOK_READER_CONNECTIONS`.
    reader_connections: u32 = 16, ["DAYBOOK_READER_CONNECTIONS"];
    /// The most events that one append writes. `DAYBOOK_APPEND_EVENTS`.
    append_events: usize = 1024, ["DAYBOOK_APPEND_EVENTS"];
    /// The most requests that one append answers. `DAYBOOK_APPEND_REQUESTS`.
    append_requests: usize = 256, ["DAYBOOK_APPEND_REQUESTS"];
    /// The most requests that wait to be appended; more are refused with 503. `DAYBOOK_APPEND_QUEUE`.
    append_queue: usize = 4096, ["DAYBOOK_APPEND_QUEUE"];
    /// How far the database's clock may be ahead of this process's before appends are refused. `DAYBOOK_MAX_CLOCK_AHEAD`.
    max_clock_ahead: Seconds = Seconds(300), ["DAYBOOK_MAX_CLOCK_AHEAD"];
    /// The most events that the projector posts in one transaction. `DAYBOOK_PROJECTOR_BATCH`.
    projector_batch: usize = 1000, ["DAYBOOK_PROJECTOR_BATCH"];
    /// How many states of the whole read model `daybook as-of` may keep for a time; those kept for good do not count. `DAYBOOK_AS_OF_QUOTA`.
    as_of_quota: u32 = 10, ["DAYBOOK_AS_OF_QUOTA"];
    /// The longest a request may take. `DAYBOOK_REQUEST_TIMEOUT`.
    request_timeout: Seconds = Seconds(30), ["DAYBOOK_REQUEST_TIMEOUT"];
    /// The longest a client may take to send its headers. `DAYBOOK_HEADER_TIMEOUT`.
    header_timeout: Seconds = Seconds(5), ["DAYBOOK_HEADER_TIMEOUT"];
    /// The largest body of a request, in bytes. `DAYBOOK_BODY_LIMIT`.
    body_limit: usize = 1 << 20, ["DAYBOOK_BODY_LIMIT"];
    /// The largest body of a batch of commands, in bytes. `DAYBOOK_BATCH_BODY_LIMIT`.
    batch_body_limit: usize = 8 << 20, ["DAYBOOK_BATCH_BODY_LIMIT"];
    /// Requests a second for each key and each address; 0: as many as they like. `DAYBOOK_RATE_LIMIT`.
    rate_limit: u32 = 0, ["DAYBOOK_RATE_LIMIT"];
    /// How long a stopping process waits for what is under way. `DAYBOOK_SHUTDOWN_GRACE`.
    shutdown_grace: Seconds = Seconds(20), ["DAYBOOK_SHUTDOWN_GRACE"];
}
