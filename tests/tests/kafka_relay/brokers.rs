//! The brokers of the tests are real ones: they are killed, come back with what they had, and let
//! nobody in who does not belong there.

use std::time::Duration;

use daybook_tests::{Kafka, Secured};
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::producer::BaseRecord;

use crate::support::{Stranger, make, read};

#[tokio::test(flavor = "multi_thread")]
async fn brokers_that_are_killed_come_back_with_what_they_had() {
    let Some(mut kafka) = Kafka::cluster().await else { return };
    make(&kafka, "kept", 3).await;
    let stranger = Stranger::of(&kafka);
    let send = |text: &str| stranger.send(BaseRecord::to("kept").key("k").payload(text));
    send("one");
    kafka.kill(0);
    // Two of three are enough.
    send("two");
    kafka.restart(0).await;
    kafka.kill(1);
    kafka.kill(2);
    kafka.restart(1).await;
    kafka.restart(2).await;
    send("three");
    assert_eq!(read(&kafka, "kept")[&0].len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secured_broker_takes_a_password_or_a_certificate_and_nothing_less() {
    let Some(kafka) = Kafka::secured().await else { return };
    let answers = |config: &rdkafka::ClientConfig| {
        let consumer: BaseConsumer = config.create().expect("a client");
        consumer.fetch_metadata(None, Duration::from_secs(3)).is_ok()
    };
    let mut client = kafka.client();
    assert!(answers(&client));
    assert!(!answers(client.clone().set("sasl.password", "wrong")));
    assert!(!answers(client.clone().set("security.protocol", "PLAINTEXT")));
    client.remove("ssl.ca.location");
    assert!(!answers(&client), "the broker's certificate is signed by nobody that is known");
    let Secured { authority, certificate, key, .. } = kafka.security().expect("secured");
    let mut client = rdkafka::ClientConfig::new();
    client
        .set("bootstrap.servers", kafka.bootstrap_with_certificate())
        .set("security.protocol", "SSL")
        .set("ssl.ca.location", authority.display().to_string());
    assert!(!answers(&client));
    client
        .set("ssl.certificate.location", certificate.display().to_string())
        .set("ssl.key.location", key.display().to_string());
    assert!(answers(&client));
}
