//! A broker's certificate and a client's, by an authority of the test's own; a user with a password.

use std::fs;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rdkafka::ClientConfig;

pub(super) const USER: &str = "daybook";
pub(super) const PASSWORD: &str = "only-for-tests";

/// What a client of [`super::Kafka::secured`] needs.
#[derive(Debug, Clone)]
pub struct Secured {
    /// The certificate of the authority.
    pub authority: PathBuf,
    /// The certificate of an authority that has signed nothing here.
    pub untrusted: PathBuf,
    /// A client's certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
    broker: PathBuf,
}

impl Secured {
    /// The user's name.
    pub const USER: &str = USER;
    /// The user's password.
    pub const PASSWORD: &str = PASSWORD;
    /// How the password is shown.
    pub const MECHANISM: &str = "SCRAM-SHA-512";

    pub(super) fn make(folder: &Path) -> Self {
        let (authority, authority_key, certificate) = authority("Daybook's tests");
        let issuer = Issuer::from_params(&authority, &authority_key);
        let made = Self {
            authority: folder.join("authority.pem"),
            untrusted: folder.join("untrusted.pem"),
            certificate: folder.join("client.pem"),
            key: folder.join("client.key"),
            broker: folder.join("broker.pem"),
        };
        fs::write(&made.authority, certificate).expect("a file");
        fs::write(&made.untrusted, self::authority("Somebody else").2).expect("a file");
        let (broker, broker_key) = issued(&issuer, ExtendedKeyUsagePurpose::ServerAuth);
        fs::write(&made.broker, broker_key + &broker).expect("a file");
        let (client, client_key) = issued(&issuer, ExtendedKeyUsagePurpose::ClientAuth);
        fs::write(&made.certificate, client).expect("a file");
        fs::write(&made.key, client_key).expect("a file");
        made
    }

    /// What a client with the password sets.
    pub(super) fn configure(&self, config: &mut ClientConfig) {
        config
            .set("security.protocol", "SASL_SSL")
            .set("ssl.ca.location", self.authority.display().to_string())
            .set("sasl.mechanism", Self::MECHANISM)
            .set("sasl.username", USER)
            .set("sasl.password", PASSWORD);
    }

    pub(super) fn properties(&self) -> String {
        format!(
            "ssl.keystore.type=PEM
ssl.keystore.location={}
ssl.truststore.type=PEM
ssl.truststore.location={}
listener.name.ssl.ssl.client.auth=required
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
",
            self.broker.display(),
            self.authority.display(),
        )
    }
}

/// An authority: what it is, its key, and its certificate as PEM.
fn authority(name: &str) -> (CertificateParams, KeyPair, String) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().expect("a key");
    let certificate = authority.self_signed(&key).expect("a certificate").pem();
    (authority, key, certificate)
}

/// A certificate for this machine and its key, as PEM.
fn issued(issuer: &Issuer<'_, &KeyPair>, purpose: ExtendedKeyUsagePurpose) -> (String, String) {
    let names = ["localhost", "127.0.0.1"].map(String::from);
    let mut params = CertificateParams::new(names).expect("names");
    params.extended_key_usages = vec![purpose];
    params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    params.distinguished_name.push(DnType::CommonName, USER);
    let key = KeyPair::generate().expect("a key");
    let certificate = params.signed_by(&key, issuer).expect("a certificate");
    (certificate.pem(), key.serialize_pem())
}
