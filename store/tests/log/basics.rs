//! What is appended is read back as it was, by every way of reading.

use std::time::Duration;

use daybook_store::{AppendError, Filter, StreamWrite, lane_of};
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

/// One event alone goes a shorter way than several together: what is stored must not tell which.
#[tokio::test]
async fn one_alone_is_stored_as_among_others() {
    let test = TestLog::new().await;
    let (appender, _) = test.appender();
    let stored = async |streams: [Uuid; 2], together: bool| {
        let opens = |stream: Uuid| write(stream, 0, vec![opening("test.thing.opened")]);
        let goes_on = |stream: Uuid| write(stream, 1, vec![event("test.thing.happened")]);
        for step in [&opens as &(dyn Fn(Uuid) -> StreamWrite + Sync), &goes_on] {
            if together {
                appender.append(request(streams.map(step).to_vec())).await.unwrap();
            } else {
                for stream in streams {
                    appender.append(request(vec![step(stream)])).await.unwrap();
                }
            }
        }
        let mut rows = Vec::new();
        for stream in streams {
            let told: String = test
                .ask(&format!(
                    "SELECT concat(e.events, ' ', s.version, s.kind, s.lane, s.closed_at - s.last_at, s.made_lane_seq - (SELECT min(lane_seq) FROM journal.events f WHERE f.stream_id = s.stream_id)) FROM journal.streams s,
                     LATERAL (SELECT string_agg(concat(version, event_type, lane, data, actor_id, after), ';' ORDER BY version) AS events
                              FROM journal.events WHERE stream_id = s.stream_id) e
                     WHERE s.stream_id = '{stream}'"
                ))
                .await;
            rows.push(told);
        }
        rows
    };
    // Two lanes that are none of the actor's, the same for both ways.
    let lanes: Vec<i16> = (0..64).filter(|lane| *lane != lane_of(ACTOR)).take(2).collect();
    let in_lane =
        |lane: i16| std::iter::repeat_with(Uuid::now_v7).find(|id| lane_of(*id) == lane).unwrap();
    let streams = || [in_lane(lanes[0]), in_lane(lanes[1])];
    let alone = stored(streams(), false).await;
    assert_eq!(alone, stored(streams(), true).await);
    assert!(alone.iter().all(|row| row.contains(&format!("{{{},", lane_of(ACTOR)))), "{alone:?}");
}
