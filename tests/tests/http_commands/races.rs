//! Rules about more than one stream, asked of two processes at once.

use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{ACCOUNTS, Answer, House, USERS, opening, registration};

/// Exactly one of them is accepted; the others are told that it is taken.
fn one_has_it(answers: &[Answer], scope: &str) {
    let accepted = answers.iter().filter(|answer| answer.status == 201).count();
    assert_eq!(accepted, 1, "{answers:?}");
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        let refused = answer.clone().refused(409, "taken");
        assert_eq!(refused.body["scope"], scope, "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_business_key_has_one_holder() {
    let (house, one) = House::served().await;
    let two = house.serve("two", &[]).await;
    let key = &house.admin.key;
    for round in 0..8 {
        let register = |username: String, email: String| json!({ "username": username, "email": email, "full_name": "A B", "password_hash": "!" });
        let asked = (0..8).map(|n| {
            let server = if n % 2 == 0 { &one } else { &two };
            // Case does not make another address.
            let email = if n < 4 { "Same@Example.org" } else { "same@example.ORG" };
            let fields = register(format!("u{round}-{n}"), format!("r{round}.{email}"));
            server.post(key, USERS, fields)
        });
        one_has_it(&join_all(asked).await, "user.email");
        let asked = (0..8).map(|n| {
            let server = if n % 2 == 0 { &one } else { &two };
            let name = if n < 4 { "Ada" } else { "aDA" };
            let fields = register(format!("{name}-{round}"), format!("m{round}-{n}@example.org"));
            server.post(key, USERS, fields)
        });
        one_has_it(&join_all(asked).await, "user.username");
        let asked = (0..8).map(|n| {
            let server = if n % 2 == 0 { &one } else { &two };
            server.post(key, ACCOUNTS, opening(house.admin.id, &format!("R-{round}")))
        });
        one_has_it(&join_all(asked).await, "account.number");
    }
    house.posted().await;
    let parked = daybook_projector::parked::parked(&house.pools.projector).await.expect("a list");
    assert!(parked.is_empty(), "{parked:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_released_key_passes_from_hand_to_hand() {
    let (house, one) = House::served().await;
    let two = house.serve("two", &[]).await;
    let key = &house.admin.key;
    let mut users = Vec::new();
    for n in 0..4 {
        users.push(one.post(key, USERS, registration(&format!("hand{n}"))).await.ok().stream());
    }
    for round in 0..6 {
        let asked = users.iter().enumerate().map(|(n, user)| {
            let server = if n % 2 == 0 { &one } else { &two };
            // Whoever has it gives it away; whoever has it not wants it.
            let email = if n == round % 4 {
                format!("own{n}-{round}@example.org")
            } else {
                "hot@example.org".into()
            };
            let path = format!("{USERS}/{user}/change_email");
            async move { server.post(key, &path, json!({ "email": email })).await }
        });
        for answer in join_all(asked).await {
            assert!(answer.status == 200 || answer.body["type"] == "/problems/taken", "{answer:?}");
        }
        let holders = house
            .number("SELECT count(*) FROM journal.claims WHERE key = 'hot@example.org' AND holder IS NOT NULL")
            .await;
        assert!(holders <= 1);
    }
    house.posted().await;
    let parked = daybook_projector::parked::parked(&house.pools.projector).await.expect("a list");
    assert!(parked.is_empty(), "{parked:?}");
    let rows = house
        .number("SELECT count(*) FROM public.users WHERE lower(email) = 'hot@example.org'")
        .await;
    let held = house
        .number("SELECT count(*) FROM journal.claims WHERE key = 'hot@example.org' AND holder IS NOT NULL")
        .await;
    assert_eq!(rows, held);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_administrators_cannot_demote_each_other() {
    let (house, one) = House::served().await;
    let two = house.serve("two", &[]).await;
    let other = house.person("other", "admin", &["*"]).await;
    house.posted().await;
    let role =
        |user: Uuid, role: &str| (format!("{USERS}/{user}/change_role"), json!({ "role": role }));
    for (name, round) in ["change_role", "suspend", "delete", "deactivate"].iter().zip(0..) {
        let end = |user: Uuid| {
            let fields = if *name == "change_role" { json!({ "role": "user" }) } else { json!({}) };
            (format!("{USERS}/{user}/{name}"), fields)
        };
        let ((path_a, a), (path_b, b)) = (end(other.id), end(house.admin.id));
        let (first, second) = futures::join!(
            one.post(&house.admin.key, &path_a, a),
            two.post(&other.key, &path_b, b)
        );
        let accepted = [&first, &second].iter().filter(|answer| answer.status == 200).count();
        assert_eq!(accepted, 1, "round {round}: {first:?} {second:?}");
        let loser = if first.status == 200 { second } else { first };
        loser.refused(409, "last-administrator");
        // The system puts both back.
        for person in [&house.admin, &other] {
            for (name, fields) in [
                ("restore", json!({ "id": person.id })),
                ("reactivate", json!({ "id": person.id })),
                ("change_role", json!({ "id": person.id, "role": "admin" })),
            ] {
                let done = house.engine.as_system("identity.user", name, fields).await;
                done.unwrap_or_else(|error| panic!("{name}: {error}"));
            }
        }
        house.posted().await;
        tokio::time::sleep(std::time::Duration::from_millis(2_200)).await;
    }
    // And the last one cannot go alone, by any way.
    let (path, fields) = role(other.id, "user");
    one.post(&house.admin.key, &path, fields).await.ok();
    for name in ["change_role", "suspend", "delete", "deactivate"] {
        let fields = if name == "change_role" { json!({ "role": "viewer" }) } else { json!({}) };
        let path = format!("{USERS}/{}/{name}", house.admin.id);
        one.post(&house.admin.key, &path, fields).await.refused(409, "last-administrator");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_opened_for_someone_suspended() {
    let (house, one) = House::served().await;
    let two = house.serve("two", &[]).await;
    let key = &house.admin.key;
    let mut both = 0;
    for round in 0..12 {
        let user = one.post(
            key,
            USERS,
            json!({
                "username": format!("s{round}"), "email": format!("s{round}@example.org"),
                "full_name": "S", "password_hash": "!",
            }),
        );
        let user = Uuid::parse_str(&user.await.ok().stream()).expect("an id");
        // Both processes know the user before it begins.
        for (n, server) in [&one, &two].iter().enumerate() {
            server.post(key, ACCOUNTS, opening(user, &format!("G-{round}-{n}"))).await.ok();
        }
        let suspend = format!("{USERS}/{user}/suspend");
        let suspending = one.post(key, &suspend, json!({}));
        let opens = join_all((2..8).map(|n| {
            let server = if n % 2 == 0 { &one } else { &two };
            server.post(key, ACCOUNTS, opening(user, &format!("G-{round}-{n}")))
        }));
        let (suspended, opened) = futures::join!(suspending, opens);
        let at = suspended.ok().body["position"].as_i64().expect("a position");
        for answer in &opened {
            if answer.status == 201 {
                let position = answer.body["position"].as_i64().expect("a position");
                assert!(position < at, "opened at {position}, suspended at {at}");
            } else {
                answer.clone().refused(409, "owner-not-active");
            }
        }
        let accepted = opened.iter().filter(|answer| answer.status == 201).count();
        both += usize::from(accepted > 0 && accepted < opened.len());
    }
    println!("{both} of 12 rounds were close");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_is_opened_once_under_one_id() {
    let (house, one) = House::served().await;
    let two = house.serve("two", &[]).await;
    let key = &house.admin.key;
    for round in 0..8 {
        let id = Uuid::now_v7().to_string();
        let asked = (0..8).map(|n| {
            let server = if n % 2 == 0 { &one } else { &two };
            let mut fields = opening(house.admin.id, &format!("O-{round}-{n}"));
            fields["id"] = id.clone().into();
            server.post(key, ACCOUNTS, fields)
        });
        let answers = join_all(asked).await;
        let made = answers.iter().filter(|answer| answer.status == 201).count();
        assert_eq!(made, 1, "{answers:?}");
        for answer in answers.iter().filter(|answer| answer.status != 201) {
            answer.clone().refused(409, "account-already-open");
        }
    }
    let numbers: Value = house
        .number("SELECT count(*) FROM journal.claims WHERE scope = 'account.number'")
        .await
        .into();
    assert_eq!(numbers, 8, "a refused opening claims nothing");
}
