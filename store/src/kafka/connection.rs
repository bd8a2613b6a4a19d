//! How to reach the brokers, and what our topics are called and like.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use rdkafka::ClientConfig;

/// How to reach the brokers.
#[derive(Debug, Clone, Default)]
pub struct Connection {
    /// `host:port`, separated by commas.
    pub brokers: String,
    /// By which brokers name us in their logs and quotas.
    pub client_id: String,
    /// TLS; `None`: plain text.
    pub tls: Option<Tls>,
    /// Who we are; `None`: whoever the certificate says, or nobody.
    pub sasl: Option<Sasl>,
    /// What our topics and groups are called.
    pub naming: Naming,
    /// How our topics are made.
    pub topics: TopicSettings,
}

/// TLS to the brokers. Their names are always checked.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// The authorities that sign the brokers' certificates, in PEM; `None`: the system's.
    pub ca_file: Option<PathBuf>,
    /// Our certificate, in PEM, where the brokers ask for one.
    pub certificate_file: Option<PathBuf>,
    /// Its key, in PEM.
    pub key_file: Option<PathBuf>,
    /// The key's password.
    pub key_password: Option<String>,
}

/// A user and password for the brokers.
#[derive(Clone, Default)]
pub struct Sasl {
    /// `SCRAM-SHA-512`, `SCRAM-SHA-256` or `PLAIN`.
    pub mechanism: String,
    /// The user.
    pub user: String,
    /// The password; never shown.
    pub password: String,
}

impl fmt::Debug for Sasl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mechanism, user, password: _ } = self;
        f.debug_struct("Sasl").field("mechanism", mechanism).field("user", user).finish()
    }
}

/// What our topics and groups are called: several systems may share one cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naming {
    /// What every name begins with; may be empty.
    pub prefix: String,
    /// Which topic of events: one more where the partitions of the one before are no longer right.
    pub generation: u32,
}

impl Default for Naming {
    fn default() -> Self {
        Self { prefix: String::new(), generation: 1 }
    }
}

impl Naming {
    /// The topic of events: `daybook.events`, later `daybook.events.g2` and so on.
    #[must_use]
    pub fn events(&self) -> String {
        match self.generation {
            0 | 1 => format!("{}daybook.events", self.prefix),
            generation => format!("{}daybook.events.g{generation}", self.prefix),
        }
    }

    /// The topic of a read table's rows.
    #[must_use]
    pub fn rows(&self, table: &str) -> String {
        format!("{}daybook.rows.{table}", self.prefix)
    }

    /// The consumer group of the projector's workers.
    #[must_use]
    pub fn projector_group(&self) -> String {
        match self.generation {
            0 | 1 => format!("{}daybook.projector", self.prefix),
            generation => format!("{}daybook.projector.g{generation}", self.prefix),
        }
    }
}

/// How our topics are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSettings {
    /// Copies of each partition.
    pub replication: i32,
    /// Copies that must have a record before it counts as written.
    pub min_insync: i32,
    /// How long events are kept.
    pub retention: Duration,
}

impl Default for TopicSettings {
    fn default() -> Self {
        Self { replication: 3, min_insync: 2, retention: Duration::from_secs(7 * 24 * 3600) }
    }
}

impl Connection {
    /// A client's settings that say where the brokers are and who we are; what kind of client it is
    /// comes on top.
    #[must_use]
    pub fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", &self.client_id)
            .set("security.protocol", self.protocol())
            // A broker that comes back is found again within seconds, not after ten.
            .set("reconnect.backoff.ms", "100")
            .set("reconnect.backoff.max.ms", "2000");
        let mut file = |name: &str, path: &Option<PathBuf>| {
            if let Some(path) = path {
                config.set(name, path.to_string_lossy());
            }
        };
        if let Some(tls) = &self.tls {
            file("ssl.ca.location", &tls.ca_file);
            file("ssl.certificate.location", &tls.certificate_file);
            file("ssl.key.location", &tls.key_file);
            if let Some(password) = &tls.key_password {
                config.set("ssl.key.password", password);
            }
        }
        if let Some(sasl) = &self.sasl {
            config
                .set("sasl.mechanism", &sasl.mechanism)
                .set("sasl.username", &sasl.user)
                .set("sasl.password", &sasl.password);
        }
        config
    }

    const fn protocol(&self) -> &'static str {
        match (&self.tls, &self.sasl) {
            (None, None) => "plaintext",
            (Some(_), None) => "ssl",
            (None, Some(_)) => "sasl_plaintext",
            (Some(_), Some(_)) => "sasl_ssl",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_protocol_follows_from_what_is_given() {
        let sasl =
            Sasl { mechanism: "SCRAM-SHA-512".into(), user: "u".into(), password: "s3cret".into() };
        let tls = Tls { ca_file: Some("/ca.pem".into()), ..Tls::default() };
        let connection = |tls: Option<Tls>, sasl: Option<Sasl>| Connection {
            brokers: "a:1,b:2".into(),
            tls,
            sasl,
            ..Connection::default()
        };
        for (connection, protocol) in [
            (connection(None, None), "plaintext"),
            (connection(Some(tls.clone()), None), "ssl"),
            (connection(None, Some(sasl.clone())), "sasl_plaintext"),
            (connection(Some(tls), Some(sasl)), "sasl_ssl"),
        ] {
            let config = connection.config();
            assert_eq!(config.get("security.protocol"), Some(protocol));
            assert_eq!(config.get("bootstrap.servers"), Some("a:1,b:2"));
            assert!(!format!("{connection:?}").contains("s3cret"));
        }
    }

    #[test]
    fn a_new_generation_has_a_topic_and_a_group_of_its_own() {
        let naming = |generation| Naming { prefix: "test.".into(), generation };
        assert_eq!(naming(1).events(), "test.daybook.events");
        assert_eq!(naming(2).events(), "test.daybook.events.g2");
        assert_ne!(naming(1).projector_group(), naming(2).projector_group());
        assert_eq!(naming(2).rows("users"), "test.daybook.rows.users");
    }
}
