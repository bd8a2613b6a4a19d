//! Time: it grows with position, whatever the clock does, and an instant is a position.

use chrono::{DateTime, Duration, Utc};
use daybook_store::{AppendError, ReadError};
use uuid::Uuid;

use crate::check;
use crate::support::{TestLog, event, one, request, try_execute, write};

async fn moment_of(test: &TestLog, position: i64) -> DateTime<Utc> {
    test.ask(&format!("SELECT recorded_at FROM journal.events WHERE position = {position}")).await
}

#[tokio::test]
async fn a_clock_that_steps_back_is_not_followed() {
    let test = TestLog::new().await;
    let (appender, _) = test.appender();
    appender.append(one(Uuid::now_v7(), 0)).await.unwrap();
    let before = moment_of(&test, 2).await;
    test.set_clock("clock_timestamp() - interval '1 hour'").await;
    let answer = appender.append(one(Uuid::now_v7(), 0)).await.unwrap();
    assert_eq!(answer.recorded_at, before + Duration::microseconds(1));
    check::invariants(&test).await;
}

#[tokio::test]
async fn a_clock_that_jumps_ahead_is_refused_until_it_is_right_again() {
    let test = TestLog::new().await;
    let (appender, _) = test.appender();
    test.set_clock("clock_timestamp() + interval '1 hour'").await;
    let refused = appender.append(one(Uuid::now_v7(), 0)).await;
    assert!(matches!(refused, Err(AppendError::ClockAhead { .. })), "{refused:?}");
    assert_eq!(test.log().head().await.unwrap().position, 1);
    test.set_clock("clock_timestamp() + interval '5 seconds'").await;
    appender.append(one(Uuid::now_v7(), 0)).await.unwrap();
    check::invariants(&test).await;
}

#[tokio::test]
async fn a_month_may_end_inside_a_batch() {
    let test = TestLog::new().await;
    // The end of the last month for which a partition was made ahead is in the future: the
    // process's clock, too, is told that it is then.
    let month: DateTime<Utc> =
        test.ask("SELECT date_trunc('month', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' + interval '1 month'").await;
    test.set_clock(&format!("timestamptz '{}'", (month - Duration::microseconds(3)).to_rfc3339()))
        .await;
    let mut options = crate::support::options();
    options.clock = std::sync::Arc::new(move || month);
    let (appender, _) = daybook_store::Appender::start(test.pool("daybook_writer"), options);
    let stream = Uuid::now_v7();
    let six = request(vec![write(stream, 0, vec![event("test.thing.happened"); 6])]);
    appender.append(six).await.unwrap();
    let sides: Vec<i64> = vec![
        test.ask(&format!(
            "SELECT count(*) FROM journal.events WHERE recorded_at < '{}'",
            month.to_rfc3339()
        ))
        .await,
        test.ask(&format!("SELECT count(*) FROM journal.events_{} ", month.format("%Y_%m"))).await,
    ];
    assert_eq!(sides, [1 + 3, 3]);
    check::invariants(&test).await;
    assert_eq!(test.log().stream(stream, 0, None).await.unwrap().len(), 6);

    // The month that is over can be closed, and says which positions it has.
    let keeper = test.role("daybook_maintenance");
    let before = (month - Duration::days(2)).format("%Y-%m-%d").to_string();
    try_execute(&keeper, &format!("SELECT journal.close_month('{before}')")).await.unwrap();
    try_execute(&keeper, &format!("SELECT journal.validate_month('{before}')")).await.unwrap();
    let after = month.format("%Y-%m-%d").to_string();
    try_execute(&keeper, &format!("SELECT journal.close_month('{after}')")).await.unwrap_err();
    let stays: bool = test
        .ask("SELECT convalidated FROM pg_constraint WHERE conname LIKE 'events%positions'")
        .await;
    assert!(stays);
}

#[tokio::test]
async fn a_month_without_a_partition_is_a_clear_error_and_nothing_is_appended() {
    let test = TestLog::new().await;
    let far = Utc::now() + Duration::days(3000);
    test.set_clock(&format!("timestamptz '{}'", far.to_rfc3339())).await;
    let mut options = crate::support::options();
    options.clock = std::sync::Arc::new(move || far);
    let (appender, _) = daybook_store::Appender::start(test.pool("daybook_writer"), options);
    let refused = appender.append(one(Uuid::now_v7(), 0)).await.unwrap_err();
    assert!(refused.to_string().contains("no partition"), "{refused}");
    let (from, to) = (far.format("%Y-%m-%d"), far.format("%Y-%m-%d"));
    let make = format!("SELECT journal.make_partitions('{from}', '{to}')");
    try_execute(&test.role("daybook_maintenance"), &make).await.unwrap();
    appender.append(one(Uuid::now_v7(), 0)).await.unwrap();
    check::invariants(&test).await;
}

#[tokio::test]
async fn an_instant_that_was_answered_stays_answered() {
    let test = TestLog::new().await;
    let (appender, _) = test.appender();
    let log = test.log();
    let mut moments = vec![moment_of(&test, 1).await];
    for _ in 0..20 {
        moments.push(appender.append(one(Uuid::now_v7(), 0)).await.unwrap().recorded_at);
    }
    for (n, moment) in (1..).zip(&moments) {
        assert_eq!(log.position_at(*moment).await.unwrap(), n);
        assert_eq!(log.position_at(*moment - Duration::microseconds(1)).await.unwrap(), n - 1);
    }
    // Nothing was appended since: the log is made to reach the instant.
    let idle: DateTime<Utc> = test.ask("SELECT clock_timestamp()").await;
    assert_eq!(log.position_at(idle).await.unwrap(), 21);
    // The clock steps back, and an event comes: it is after the instant all the same.
    test.set_clock("clock_timestamp() - interval '1 hour'").await;
    let late = appender.append(one(Uuid::now_v7(), 0)).await.unwrap();
    assert!(late.recorded_at > idle);
    assert_eq!(log.position_at(idle).await.unwrap(), 21);
    let future = log.position_at(Utc::now() + Duration::hours(1)).await;
    assert!(matches!(future, Err(ReadError::NotYet { .. })), "{future:?}");
    check::invariants(&test).await;
}
