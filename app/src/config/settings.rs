//! The table of settings: name, kind, default, variables, meaning.

use std::net::SocketAddr;
use std::path::PathBuf;

use super::kafka::{Names, SaslMechanism, Secret};
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
    /// Kafka's brokers, as host:port,host:port. Empty: there is no Kafka. `DAYBOOK_KAFKA_BROKERS`.
    kafka_brokers: Option<String> = None, ["DAYBOOK_KAFKA_BROKERS"];
    /// By what name brokers know this process. `DAYBOOK_KAFKA_CLIENT_ID`.
    kafka_client_id: String = "daybook".to_owned(), ["DAYBOOK_KAFKA_CLIENT_ID"];
    /// The same for the group of projectors, unique to each process and the same after a restart. Empty: host name and port of `listen`. `DAYBOOK_KAFKA_INSTANCE`.
    kafka_instance: Option<String> = None, ["DAYBOOK_KAFKA_INSTANCE"];
    /// Whether brokers are reached over TLS; a certificate or authority says so too. `DAYBOOK_KAFKA_TLS`.
    kafka_tls: bool = false, ["DAYBOOK_KAFKA_TLS"];
    /// The authorities that sign the brokers' certificates, in PEM. Empty: the system's. `DAYBOOK_KAFKA_CA_FILE`.
    kafka_ca_file: Option<PathBuf> = None, ["DAYBOOK_KAFKA_CA_FILE"];
    /// Our certificate for the brokers, in PEM. `DAYBOOK_KAFKA_CERTIFICATE_FILE`.
    kafka_certificate_file: Option<PathBuf> = None, ["DAYBOOK_KAFKA_CERTIFICATE_FILE"];
    /// Its key, in PEM. `DAYBOOK_KAFKA_KEY_FILE`.
    kafka_key_file: Option<PathBuf> = None, ["DAYBOOK_KAFKA_KEY_FILE"];
    /// The key's password. `DAYBOOK_KAFKA_KEY_PASSWORD`.
    kafka_key_password: Option<Secret> = None, ["DAYBOOK_KAFKA_KEY_PASSWORD"];
    /// How we sign in at the brokers: SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN. `DAYBOOK_KAFKA_SASL`.
    kafka_sasl: SaslMechanism = SaslMechanism::default(), ["DAYBOOK_KAFKA_SASL"];
    /// As whom; empty: we do not sign in. `DAYBOOK_KAFKA_USER`.
    kafka_user: Option<String> = None, ["DAYBOOK_KAFKA_USER"];
    /// With which password. `DAYBOOK_KAFKA_PASSWORD`.
    kafka_password: Option<Secret> = None, ["DAYBOOK_KAFKA_PASSWORD"];
    /// What the names of topics and groups begin with, where several systems share a cluster. `DAYBOOK_KAFKA_TOPIC_PREFIX`.
    kafka_topic_prefix: String = String::new(), ["DAYBOOK_KAFKA_TOPIC_PREFIX"];
    /// Which topic of events; one more where the partitions of the one before are no longer right. `DAYBOOK_KAFKA_GENERATION`.
    kafka_generation: u32 = 1, ["DAYBOOK_KAFKA_GENERATION"];
    /// Copies of each partition of our topics. `DAYBOOK_KAFKA_REPLICATION`.
    kafka_replication: u32 = 3, ["DAYBOOK_KAFKA_REPLICATION"];
    /// Copies that must have a record before it counts as written. `DAYBOOK_KAFKA_MIN_INSYNC`.
    kafka_min_insync: u32 = 2, ["DAYBOOK_KAFKA_MIN_INSYNC"];
    /// How long the topic of events keeps them. `DAYBOOK_KAFKA_RETENTION`.
    kafka_retention: Seconds = Seconds(7 * 24 * 3600), ["DAYBOOK_KAFKA_RETENTION"];
    /// Read tables whose rows are published by the role relay, each to a topic of its own, such as users,accounts. `DAYBOOK_KAFKA_ROW_TOPICS`.
    kafka_row_topics: Names = Names::default(), ["DAYBOOK_KAFKA_ROW_TOPICS"];
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
