//! Kafka, where there is one: brokers, the topic of events, the relay, and who gives out lanes.

use daybook_store::kafka::{Connection, TopicError, Topics};
use sqlx::PgPool;

use super::Finding;
use crate::config::Settings;
use crate::database::Pools;

/// A topic that is behind by more than this many seconds is worth a look.
const LATE_SECONDS: f64 = 30.0;

pub(super) async fn examine(
    pools: &Pools,
    settings: &Settings,
) -> Result<Vec<Finding>, sqlx::Error> {
    let kafka = settings.kafka();
    let mut findings = vec![ownership(&pools.writer, kafka.is_some()).await?];
    let Some(kafka) = kafka else { return Ok(findings) };
    if brokers(&kafka, &mut findings).await {
        topic(&kafka, &mut findings).await;
        row_topics(&kafka, &settings.kafka_row_topics.0, &mut findings).await;
    }
    findings.push(relay(&pools.writer, &kafka.naming.events()).await?);
    Ok(findings)
}

/// The database says who gives out lanes; a configuration that cannot follow is an idle projector.
async fn ownership(pool: &PgPool, has_kafka: bool) -> Result<Finding, sqlx::Error> {
    let mode: Option<String> =
        sqlx::query_scalar("SELECT mode FROM projector.ownership").fetch_optional(pool).await?;
    let mode = mode.unwrap_or_else(|| "lease".to_owned());
    Ok(if mode == "kafka" && !has_kafka {
        Finding::fail(
            "lane ownership",
            "this database gives out lanes by Kafka's consumer group, and no brokers are set here",
            "set DAYBOOK_KAFKA_BROKERS, or run `daybook admin ownership lease`",
        )
    } else if mode == "lease" && has_kafka {
        Finding::ok(
            "lane ownership",
            "lanes are given out by lease; `daybook admin ownership kafka` has Kafka's consumer group give them out",
        )
    } else {
        Finding::ok("lane ownership", format!("lanes are given out by {mode}"))
    })
}

async fn brokers(kafka: &Connection, findings: &mut Vec<Finding>) -> bool {
    let answered = match Topics::new(kafka) {
        Ok(topics) => topics.brokers().await,
        Err(error) => Err(error),
    };
    match answered {
        Ok(brokers) if i32::try_from(brokers).is_ok_and(|n| n < kafka.topics.replication) => {
            findings.push(Finding::warn(
                "kafka brokers",
                format!("{brokers} brokers, {} copies are wanted", kafka.topics.replication),
                "start more brokers, or lower DAYBOOK_KAFKA_REPLICATION",
            ));
            true
        }
        Ok(brokers) => {
            findings.push(Finding::ok("kafka brokers", format!("{brokers} brokers")));
            true
        }
        Err(TopicError::Refused(refusal)) => {
            let detail = format!("{}: {}", kafka.brokers, refusal.what);
            findings.push(Finding::fail("kafka brokers", detail, refusal.mend));
            false
        }
        Err(error) => {
            findings.push(Finding::fail(
                "kafka brokers",
                format!("{}: {error}", kafka.brokers),
                "start the brokers, or mend DAYBOOK_KAFKA_BROKERS, TLS and password",
            ));
            false
        }
    }
}

async fn topic(kafka: &Connection, findings: &mut Vec<Finding>) {
    let objections = match Topics::new(kafka) {
        Ok(topics) => topics.objections().await,
        Err(error) => Err(error),
    };
    match objections {
        Ok(objections) if objections.is_empty() => {
            findings
                .push(Finding::ok("kafka topic", format!("{} is as set", kafka.naming.events())));
        }
        Ok(objections) => findings.extend(
            objections.into_iter().map(|one| Finding::fail("kafka topic", one.what, one.mend)),
        ),
        Err(error) => findings.push(Finding::fail(
            "kafka topic",
            error.to_string(),
            "allow this user to describe the topic and its settings",
        )),
    }
}

/// Whether the topics of rows keep each row's latest state.
async fn row_topics(kafka: &Connection, tables: &[String], findings: &mut Vec<Finding>) {
    for table in tables {
        let topic = kafka.naming.rows(table);
        let described = match Topics::new(kafka) {
            Ok(topics) => topics.describe(&topic).await,
            Err(error) => Err(error),
        };
        findings.push(match described {
            Ok(None) => Finding::warn(
                "kafka rows",
                format!("there is no topic {topic}"),
                "start `daybook serve` with the role projector: it makes the topic and fills it",
            ),
            Ok(Some(found)) => match found.settings.get("cleanup.policy").map(String::as_str) {
                Some("compact") => Finding::ok("kafka rows", format!("{topic} keeps the latest rows")),
                policy => Finding::fail(
                    "kafka rows",
                    format!("cleanup.policy of {topic} is {policy:?}: rows that do not change are lost in time"),
                    format!("kafka-configs --alter --topic {topic} --add-config cleanup.policy=compact, then have the table published again"),
                ),
            },
            Err(error) => Finding::fail(
                "kafka rows",
                format!("{topic}: {error}"),
                "allow this user to describe the topic and its settings",
            ),
        });
    }
}

async fn relay(pool: &PgPool, topic: &str) -> Result<Finding, sqlx::Error> {
    let (alive, events, seconds): (bool, i64, f64) =
        sqlx::query_as(include_str!("relay.sql")).bind(topic).fetch_one(pool).await?;
    let detail = format!("{events} events behind ({seconds:.1} s)");
    Ok(if !alive {
        Finding::warn(
            "kafka relay",
            format!("nobody publishes to {topic}; {detail}"),
            "start `daybook serve` with the role relay; if it runs, its log lines say what is wrong",
        )
    } else if seconds > LATE_SECONDS {
        Finding::warn(
            "kafka relay",
            detail,
            "look at the relay's log lines, and at the brokers' load",
        )
    } else {
        Finding::ok("kafka relay", detail)
    })
}
