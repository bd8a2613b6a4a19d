//! What is appended is read back as it was, by every way of reading.

use std::time::Duration;

use daybook_store::{AppendError, Filter, lane_of};
use futures::TryStreamExt;
use uuid::Uuid;

use crate::support::{ACTOR, TestLog, event, one, opening, request, write};

#[tokio::test]
async fn what_is_appended_is_read_back() {
    let test = TestLog::new().await;
    let (appender, _) = test.appender();
    let log = test.log();
    let stream = Uuid::now_v7();
    let mut first = request(vec![write(
        stream,
        0,
        vec![opening("test.thing.opened"), event("test.thing.happened")],
    )]);
    first.metadata.ip_address = Some("2001:db8::7".parse().unwrap());
    first.metadata.user_agent = Some("curl".to_owned());
    first.metadata.tenant_id = Some(Uuid::from_u128(5));
    first.writes[0].events[1].occurred_at = Some("2020-02-29T12:00:00.123456Z".parse().unwrap());
    let answer = appender.append(first.clone()).await.unwrap();
    assert_eq!((answer.version, answer.position, answer.events), (2, 3, 2));
    assert!(answer.created && !answer.replayed);

    let events = log.stream(stream, 0, None).await.unwrap();
    assert_eq!(events.iter().map(|event| event.version).collect::<Vec<_>>(), [1, 2]);
    assert_eq!(events[1].metadata, first.metadata);
    assert_eq!(events[1].occurred_at, first.writes[0].events[1].occurred_at);
    assert_eq!(events[1].recorded_at, answer.recorded_at);
    assert_eq!(events[1].command_id, first.command.id);
    assert!(events[1].data.get().contains("Žluťoučký"));
    assert_eq!(events[0].after.len(), usize::from(lane_of(stream) != lane_of(ACTOR)));

    let page = log.page(0, &Filter::default(), 100).await.unwrap();
    assert_eq!((page.events.len(), page.scanned_to), (3, 3));
    let copied: Vec<_> = log.copy(0, i64::MAX).try_concat().await.unwrap();
    assert_eq!(format!("{copied:?}"), format!("{:?}", page.events));
    assert_eq!(format!("{events:?}"), format!("{:?}", &page.events[1..]));

    let again = appender.append(first.clone()).await.unwrap();
    assert!(again.replayed);
    assert_eq!((again.version, again.position, again.recorded_at), (2, 3, answer.recorded_at));
    first.command.fingerprint[0] ^= 1;
    assert_eq!(
        appender.append(first.clone()).await,
        Err(AppendError::CommandReused { id: first.command.id })
    );
    assert_eq!(
        appender.append(one(stream, 1)).await,
        Err(AppendError::Conflict { stream, expected: 1, actual: 2 })
    );
    assert_eq!(log.head().await.unwrap().position, 3);
}

#[tokio::test]
async fn who_listens_to_the_head_hears_of_it_though_nobody_keeps_the_subscription() {
    let test = TestLog::new().await;
    let (appender, _) = test.appender();
    let mut head = test.log().follow(Duration::from_millis(5)).head();
    let mut kept = head.clone();
    let answer = appender.append(one(Uuid::now_v7(), 0)).await.unwrap();
    let heard = head.wait_for(|position| *position >= answer.position);
    tokio::time::timeout(Duration::from_secs(10), heard).await.unwrap().unwrap();
    drop(head);
    let answer = appender.append(one(Uuid::now_v7(), 0)).await.unwrap();
    let heard = kept.wait_for(|position| *position >= answer.position);
    tokio::time::timeout(Duration::from_secs(10), heard).await.unwrap().unwrap();
}
