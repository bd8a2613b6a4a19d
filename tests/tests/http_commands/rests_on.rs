//! What rests on another stream, or on a key that one has at a time, asked of two processes at once.

use std::time::Duration;

use futures::future::join_all;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Answer, House, Server, USERS};

const POSTS: &str = "/v1/content/posts";
const COMMENTS: &str = "/v1/content/comments";
const SERVICES: &str = "/v1/services/services";
const SUBSCRIPTIONS: &str = "/v1/services/subscriptions";

async fn user(server: &Server, key: &str, name: &str) -> String {
    let fields = json!({
        "username": name, "email": format!("{name}@example.org"), "full_name": name,
        "password_hash": "!",
    });
    server.post(key, USERS, fields).await.ok().stream()
}

/// Whatever was accepted came before the end; all else was refused with this code.
fn accepted_before(end: &Answer, answers: &[Answer], code: &str) -> usize {
    let end = end.clone().ok().body["position"].as_i64().expect("a position");
    let mut accepted = 0;
    for answer in answers {
        if answer.status.is_success() {
            accepted += 1;
            let position = answer.body["position"].as_i64().expect("a position");
            assert!(position < end, "accepted at {position}, ended at {end}");
        } else {
            answer.clone().refused(409, code);
        }
    }
    accepted
}

async fn nothing_is_parked(house: &House) {
    house.posted().await;
    let parked = daybook_projector::parked::parked(&house.pools.projector).await.expect("a list");
    assert!(parked.is_empty(), "{parked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_said_to_a_post_that_was_taken_back() {
    let (house, one) = House::served().await;
    let two = house.serve("two", &[]).await;
    let (key, servers) = (&house.admin.key, [&one, &two]);
    let author = user(&one, key, "ada").await;
    let mut close = 0;
    for (round, end, code) in [
        (0, "unpublish", "post-not-published"),
        (1, "archive", "post-not-published"),
        (2, "delete", "post-deleted"),
        (3, "unpublish", "post-not-published"),
        (4, "archive", "post-not-published"),
        (5, "delete", "post-deleted"),
    ] {
        let fields = json!({ "user_id": author, "title": format!("R{round}"), "content": "One" });
        let post = one.post(key, POSTS, fields).await.ok().stream();
        one.post(key, &format!("{POSTS}/{post}/publish"), json!({})).await.ok();
        let say = |n: usize| {
            let fields = json!({ "user_id": author, "post_id": post, "content": format!("{n}") });
            servers[n % 2].post(key, COMMENTS, fields)
        };
        // Both processes know the post before it begins.
        let said = vec![say(0).await.ok().stream(), say(1).await.ok().stream()];
        let path = format!("{POSTS}/{post}/{end}");
        let ending = one.post(key, &path, json!({}));
        let words = join_all(said.into_iter().zip([&two, &one]).map(|(comment, server)| {
            let path = format!("{COMMENTS}/{comment}/edit");
            async move { server.post(key, &path, json!({ "content": "Other" })).await }
        }));
        let (ended, said, words) = futures::join!(ending, join_all((2..8).map(say)), words);
        let answers = [said, words].concat();
        let accepted = accepted_before(&ended, &answers, code);
        close += usize::from(accepted > 0 && accepted < answers.len());
    }
    println!("{close} of 6 rounds were close");
    nothing_is_parked(&house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_subscribed_to_a_service_off_the_offer() {
    let (house, one) = House::served().await;
    let two = house.serve("two", &[]).await;
    let (key, servers) = (&house.admin.key, [&one, &two]);
    let mut users = Vec::new();
    for n in 0..8 {
        users.push(user(&one, key, &format!("s{n}")).await);
    }
    let mut close = 0;
    for round in 0..6 {
        let fields = json!({ "name": format!("R{round}"), "type": "storage" });
        let service = one.post(key, SERVICES, fields).await.ok().stream();
        let subscribe = |n: usize| {
            let fields = json!({ "user_id": users[n], "service_id": service, "plan": "basic" });
            servers[n % 2].post(key, SUBSCRIPTIONS, fields)
        };
        let begun = [subscribe(0).await.ok().stream(), subscribe(1).await.ok().stream()];
        let path = format!("{SERVICES}/{service}/deactivate");
        let ending = one.post(key, &path, json!({}));
        let plans = join_all(begun.iter().zip([&two, &one]).map(|(subscription, server)| {
            let path = format!("{SUBSCRIPTIONS}/{subscription}/change_plan");
            async move { server.post(key, &path, json!({ "plan": "gold" })).await }
        }));
        let (ended, begun, plans) = futures::join!(ending, join_all((2..8).map(subscribe)), plans);
        let answers = [begun, plans].concat();
        let accepted = accepted_before(&ended, &answers, "service-not-active");
        close += usize::from(accepted > 0 && accepted < answers.len());
    }
    println!("{close} of 6 rounds were close");
    nothing_is_parked(&house).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_active_subscription_for_a_user_and_a_service() {
    let (house, one) = House::served().await;
    let two = house.serve("two", &[]).await;
    let (key, servers) = (&house.admin.key, [&one, &two]);
    let user = user(&one, key, "ada").await;
    let fields = json!({ "name": "Backup", "type": "storage" });
    let service = one.post(key, SERVICES, fields).await.ok().stream();
    let mut running: Option<String> = None;
    for round in 0..8 {
        let asked = (0..8).map(|n| {
            let fields = json!({ "user_id": user, "service_id": service, "plan": "basic" });
            servers[n % 2].post(key, SUBSCRIPTIONS, fields)
        });
        let cancel = async {
            if let Some(subscription) = &running {
                let path = format!("{SUBSCRIPTIONS}/{subscription}/cancel");
                two.post(key, &path, json!({})).await.ok();
            }
        };
        let (answers, ()) = futures::join!(join_all(asked), cancel);
        let begun: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            let refused = answer.clone().refused(409, "taken");
            assert_eq!(refused.body["scope"], "subscription.active", "{refused:?}");
        }
        match (&running, begun.as_slice()) {
            // The one before may have gone too late for all of them.
            (Some(_), []) => running = None,
            (_, [only]) => running = Some(only.stream()),
            (_, many) => panic!("round {round}: {many:?}"),
        }
    }
    nothing_is_parked(&house).await;
    let held = house
        .number("SELECT count(*) FROM journal.claims WHERE scope = 'subscription.active' AND holder IS NOT NULL")
        .await;
    let rows = house
        .number("SELECT count(*) FROM public.service_subscriptions WHERE status = 'active'")
        .await;
    assert_eq!((held, rows), (i64::from(running.is_some()), i64::from(running.is_some())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_services_name_has_one_holder_and_case_counts() {
    let (house, one) = House::served().await;
    let two = house.serve("two", &[]).await;
    let (key, servers) = (&house.admin.key, [&one, &two]);
    for round in 0..4 {
        let asked = (0..8).map(|n| {
            let name = if n < 4 { format!("Mail {round}") } else { format!("MAIL {round}") };
            servers[n % 2].post(key, SERVICES, json!({ "name": name, "type": "mail" }))
        });
        let answers: Vec<Answer> = join_all(asked).await;
        for half in answers.chunks(4) {
            assert_eq!(half.iter().filter(|answer| answer.status == 201).count(), 1, "{half:?}");
            for answer in half.iter().filter(|answer| answer.status != 201) {
                let refused = answer.clone().refused(409, "taken");
                assert_eq!(refused.body["scope"], "service.name", "{refused:?}");
            }
        }
    }
    nothing_is_parked(&house).await;
}

#[tokio::test]
async fn nothing_is_two_things_at_once() {
    let (house, server) = House::served().await;
    let key = &house.admin.key;
    let (fresh, other) = (Uuid::now_v7(), Uuid::now_v7());
    let author = user(&server, key, "ada").await;
    let said = |id: Uuid, user: &str, post: Uuid| json!({ "id": id, "user_id": user, "post_id": post, "content": "Yes" });
    let subscribed = |id: Uuid, user: &str, service: Uuid| json!({ "id": id, "user_id": user, "service_id": service, "plan": "basic" });
    let fields: [(&str, Value, &str); 6] = [
        (COMMENTS, said(fresh, &author, fresh), "/post_id"),
        (COMMENTS, said(fresh, &fresh.to_string(), other), "/user_id"),
        (COMMENTS, said(fresh, &other.to_string(), other), "/post_id"),
        (SUBSCRIPTIONS, subscribed(fresh, &author, fresh), "/service_id"),
        (SUBSCRIPTIONS, subscribed(fresh, &fresh.to_string(), other), "/user_id"),
        (SUBSCRIPTIONS, subscribed(fresh, &other.to_string(), other), "/service_id"),
    ];
    for (path, fields, pointer) in fields {
        let refused = server.post(key, path, fields).await;
        assert_eq!(refused.status, 422, "{refused:?}");
        assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{refused:?}");
    }
    // A user is no post, and a post no service.
    let fields = json!({ "user_id": author, "title": "T", "content": "One" });
    let post = server.post(key, POSTS, fields).await.ok().stream();
    let post = Uuid::parse_str(&post).expect("an id");
    let user_as_post = said(fresh, &author, house.admin.id);
    server.post(key, COMMENTS, user_as_post).await.refused(404, "not-found");
    let post_as_service = subscribed(fresh, &author, post);
    server.post(key, SUBSCRIPTIONS, post_as_service).await.refused(404, "not-found");
}

/// With nobody posting meanwhile, all of it is posted in one batch: what one gives up, another has
/// by the end of the transaction.
#[tokio::test]
async fn what_passes_from_hand_to_hand_is_posted_in_one_batch() {
    let house = House::new().await;
    let system = async |kind: &str, name: &str, fields: Value| {
        let done = house.engine.as_system(kind, name, fields).await;
        done.unwrap_or_else(|error| panic!("{name}: {error}")).appended.stream_id
    };
    let service = async |name: &str| {
        let fields = json!({ "name": name, "type": "mail" });
        system("services.service", "register", fields).await
    };
    let (a, b) = (service("A").await, service("B").await);
    let subscribe = json!({ "user_id": house.admin.id, "service_id": a, "plan": "basic" });
    let first = system("services.subscription", "subscribe", subscribe.clone()).await;
    let mut server = house.serve("first", &[]).await;
    nothing_is_parked(&house).await;
    server.process.signal(Signal::SIGTERM);
    server.process.wait(Duration::from_secs(30));
    let before = house.events().await;

    for (id, name) in [(a, "C"), (b, "A"), (a, "B")] {
        let fields = json!({ "id": id, "name": name });
        system("services.service", "describe", fields).await;
    }
    // A name that is given up, and a new service that takes it.
    let fields = json!({ "id": b, "name": "D" });
    system("services.service", "describe", fields).await;
    service("A").await;
    system("services.subscription", "cancel", json!({ "id": first })).await;
    system("services.subscription", "subscribe", subscribe).await;

    let _server = house.serve("second", &[]).await;
    nothing_is_parked(&house).await;
    let named = house
        .number("SELECT count(*) FROM public.services WHERE name IN ('A', 'B', 'D') AND status = 'active'")
        .await;
    let active = house
        .number("SELECT count(*) FILTER (WHERE status = 'active') * 10 + count(*) FROM public.service_subscriptions")
        .await;
    assert_eq!((named, active), (3, 12));
    let mut superuser = house.database.superuser().await;
    let transactions: i64 = sqlx::query_scalar(
        "SELECT count(DISTINCT xmin::text) FROM public.audit_logs WHERE position > $1",
    )
    .bind(before)
    .fetch_one(&mut superuser)
    .await
    .expect("a number");
    assert_eq!(transactions, 1, "it was posted event by event");

    // By hand, the tables themselves refuse a second one.
    for (second, constraint) in [
        (
            "UPDATE public.service_subscriptions SET status = 'active', ended_at = NULL",
            "service_subscriptions_one_active",
        ),
        ("UPDATE public.services SET name = 'A'", "services_name_key"),
    ] {
        let refused = sqlx::query(second).execute(&mut superuser).await.expect_err("refused");
        assert!(refused.to_string().contains(constraint), "{refused}");
    }
}
