//! The settings for Kafka, put together.

use std::fmt;
use std::str::FromStr;

use daybook_store::kafka::{Connection, Naming, Sasl, Tls, TopicSettings};

use super::settings::Settings;
use super::value::Value;

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Value for Secret {
    fn read(text: &str) -> Result<Self, String> {
        Ok(Self(text.to_owned()))
    }
    fn show(&self) -> String {
        "***".to_owned()
    }
}

/// Several names, separated by commas.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names(pub Vec<String>);

impl Value for Names {
    fn read(text: &str) -> Result<Self, String> {
        let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
        Ok(Self(names.map(str::to_owned).collect()))
    }
    fn show(&self) -> String {
        self.0.join(",")
    }
}

/// How we sign in at the brokers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SaslMechanism {
    /// SCRAM with SHA-512.
    #[default]
    ScramSha512,
    /// SCRAM with SHA-256.
    ScramSha256,
    /// The password itself: over TLS only, if you can help it.
    Plain,
}

impl SaslMechanism {
    const ALL: [Self; 3] = [Self::ScramSha512, Self::ScramSha256, Self::Plain];

    const fn name(self) -> &'static str {
        match self {
            Self::ScramSha512 => "SCRAM-SHA-512",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::Plain => "PLAIN",
        }
    }
}

impl FromStr for SaslMechanism {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|mechanism| mechanism.name().eq_ignore_ascii_case(text))
            .ok_or_else(|| format!("{text:?} is not SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN"))
    }
}

impl Value for SaslMechanism {
    fn read(text: &str) -> Result<Self, String> {
        text.parse()
    }
    fn show(&self) -> String {
        self.name().to_owned()
    }
}

impl Settings {
    /// What our topics are called, whether or not there is a Kafka.
    #[must_use]
    pub fn kafka_naming(&self) -> Naming {
        Naming { prefix: self.kafka_topic_prefix.clone(), generation: self.kafka_generation }
    }

    /// How to reach Kafka; `None`: there is none.
    #[must_use]
    pub fn kafka(&self) -> Option<Connection> {
        let brokers = self.kafka_brokers.clone()?;
        let secret = |secret: &Option<Secret>| secret.as_ref().map(|Secret(text)| text.clone());
        let tls =
            self.kafka_tls || self.kafka_ca_file.is_some() || self.kafka_certificate_file.is_some();
        let copies = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
        Some(Connection {
            brokers,
            client_id: self.kafka_client_id.clone(),
            tls: tls.then(|| Tls {
                ca_file: self.kafka_ca_file.clone(),
                certificate_file: self.kafka_certificate_file.clone(),
                key_file: self.kafka_key_file.clone(),
                key_password: secret(&self.kafka_key_password),
            }),
            sasl: self.kafka_user.clone().map(|user| Sasl {
                mechanism: self.kafka_sasl.name().to_owned(),
                user,
                password: secret(&self.kafka_password).unwrap_or_default(),
            }),
            naming: self.kafka_naming(),
            topics: TopicSettings {
                replication: copies(self.kafka_replication),
                min_insync: copies(self.kafka_min_insync),
                retention: self.kafka_retention.duration(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;
    use crate::config::Sources;

    fn settings(environment: &[(&str, &str)]) -> Settings {
        let environment: HashMap<_, _> =
            environment.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let sources = Sources { environment, ..Sources::default() };
        Settings::load(&sources).unwrap().settings
    }

    #[test]
    fn without_brokers_there_is_no_kafka() {
        assert!(settings(&[("DAYBOOK_KAFKA_USER", "u")]).kafka().is_none());
    }

    #[test]
    fn passwords_go_to_the_brokers_and_nowhere_else() {
        let settings = settings(&[
            ("DAYBOOK_KAFKA_BROKERS", "k:9093"),
            ("DAYBOOK_KAFKA_CA_FILE", "/ca.pem"),
            ("DAYBOOK_KAFKA_USER", "daybook"),
            ("DAYBOOK_KAFKA_PASSWORD", "s3cret"),
            ("DAYBOOK_KAFKA_SASL", "scram-sha-256"),
        ]);
        assert_eq!(settings.show("kafka_password").unwrap(), "***");
        assert!(!format!("{settings:?}").contains("s3cret"));
        let kafka = settings.kafka().unwrap();
        assert!(kafka.tls.is_some());
        let sasl = kafka.sasl.unwrap();
        assert_eq!((sasl.mechanism.as_str(), sasl.password.as_str()), ("SCRAM-SHA-256", "s3cret"));
    }
}
