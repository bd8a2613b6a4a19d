//! `open_banking.aisp_account`, the whole way.

use daybook_tests::Service;
use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{act, rebuilt_is_the_same};

const ACCOUNTS: &str = "/v1/open_banking/accounts";
const TRANSACTIONS: &str = "/v1/open_banking/transactions";

fn link(user: Uuid, account: &str) -> Value {
    json!({
        "user_id": user, "bank_id": "CZ-0800", "account_id": account, "account_type": "current",
        "currency": "CZK", "consent_id": "c-1", "consent_expires": "2999-01-01T00:00:00Z",
    })
}

async fn linked(service: &Service, user: Uuid, account: &str) -> String {
    let linked = act(service, ACCOUNTS, link(user, account)).await;
    linked["stream_id"].as_str().expect("a stream").to_owned()
}

/// What the bank tells of transactions with these ids, one a month from December 2023 on.
fn told(attended: bool, ids: &[&str]) -> Value {
    let transactions: Vec<_> = ids
        .iter()
        .zip(["2023-12-31", "2024-01-01", "2024-02-29"].into_iter().cycle())
        .map(|(id, day)| {
            json!({ "transaction_id": id, "amount": "-12.00", "description": "Card",
                    "merchant_name": "Bakery", "transaction_date": day, "booking_date": day })
        })
        .collect();
    json!({ "attended": attended, "transactions": transactions })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_bank_tells_is_recorded_once_however_often_it_is_delivered() {
    let service = Service::start().await;
    let ada = service.register("ada").await;
    let account = linked(&service, ada, "19-1").await;
    let one = format!("{ACCOUNTS}/{account}");
    let deliver = format!("{one}/record_transactions");
    let first = act(&service, &deliver, told(true, &["T-1", "T-2", "T-1"])).await;
    let again = act(&service, &deliver, told(true, &["T-2", "T-1"])).await;
    assert_eq!(again["events"], json!([]), "{again}");

    // The same delivery from several hands at once, each with something that is new.
    for round in 0..5 {
        let ids: Vec<String> = (0..20).map(|n| format!("R-{round}-{n}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).chain(["T-1"]).collect();
        let asked = (0..6).map(|_| service.command(&deliver, told(true, &ids)));
        let answers = join_all(asked).await;
        let news = answers.iter().filter(|answer| {
            assert!(answer.status.is_success(), "{answer:?}");
            answer.body["events"] != json!([])
        });
        assert_eq!(news.count(), 1, "one of them brings what is new: {answers:?}");
    }
    // Another account may have the same ids.
    let other = linked(&service, ada, "19-2").await;
    let same = format!("{ACCOUNTS}/{other}/record_transactions");
    let same = act(&service, &same, told(true, &["T-1"])).await;
    assert_eq!(same["events"], json!(["open_banking.aisp_account.transactions_recorded"]));

    let categorize = format!("{one}/categorize");
    let fields = json!({ "transaction_id": "T-1", "category": "food" });
    let last = act(&service, &categorize, fields.clone()).await;
    let again = act(&service, &categorize, fields).await;
    assert_eq!(again["events"], json!([]));
    let unknown = json!({ "transaction_id": "T-9", "category": "food" });
    let unknown = service.command(&categorize, unknown).await;
    assert_eq!(unknown.refused(409), "aisp-transaction-not-found");

    let list = format!("{TRANSACTIONS}?account_id={account}&limit=1000");
    let rows = service.read_after(&list, &last["position"]).await.accepted();
    assert_eq!(rows["data"].as_array().map(Vec::len), Some(2 + 5 * 20), "{rows}");
    let list = format!("{TRANSACTIONS}?account_id={account}&transaction_id=T-1");
    let rows = service.read_after(&list, &last["position"]).await.accepted();
    let row = &rows["data"][0];
    assert_eq!((&row["amount"], &row["category"]), (&json!("-12.00"), &json!("food")), "{row}");
    assert_eq!(row["transaction_date"], "2023-12-31", "{row}");
    let id = row["id"].as_str().expect("an id");
    let then = format!("{TRANSACTIONS}/{id}?at_position={}", first["position"]);
    let then = service.read_after(&then, &last["position"]).await.accepted();
    assert!(then["category"].is_null(), "{then}");
    let trail = format!("/v1/platform/audit_logs?entity_id={id}&order=asc");
    let trail = service.read_after(&trail, &last["position"]).await.accepted();
    assert_eq!(trail["data"][1]["new_values"]["category"], "food", "{trail}");

    let mut database = service.database.superuser().await;
    let months: Vec<String> = sqlx::query_scalar(
        "SELECT tableoid::regclass::text FROM public.aisp_transactions GROUP BY 1 ORDER BY 1",
    )
    .fetch_all(&mut database)
    .await
    .expect("the partitions");
    let expected = ["y2023m12", "y2024m01", "y2024m02"].map(|m| format!("aisp_transactions_{m}"));
    assert_eq!(months, expected);
    rebuilt_is_the_same(&service);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_read_with_consent_and_four_times_a_day_without_the_user() {
    let service = Service::start().await;
    let ada = service.register("ada").await;
    let one = format!("{ACCOUNTS}/{}", linked(&service, ada, "19-1").await);
    let read = format!("{one}/record_balance");
    let balance = |attended: bool| json!({ "attended": attended, "balance": "10.50" });
    let answers = join_all((0..7).map(|_| service.command(&read, balance(false)))).await;
    let taken = answers.iter().filter(|answer| answer.status.is_success()).count();
    assert_eq!(taken, 4, "{answers:?}");
    for answer in answers.iter().filter(|answer| !answer.status.is_success()) {
        assert_eq!(answer.refused(409), "too-many-unattended-reads");
    }
    let attended = act(&service, &read, balance(true)).await;
    let row = service.read_after(&one, &attended["position"]).await.accepted();
    assert_eq!((&row["balance"], &row["consent_id"]), (&json!("10.50"), &json!("c-1")), "{row}");

    let early = service.command(&format!("{one}/expire_consent"), json!({})).await;
    assert_eq!(early.refused(409), "consent-not-due");
    let _ = act(&service, &format!("{one}/revoke_consent"), json!({})).await;
    let refused = service.command(&read, balance(true)).await;
    assert_eq!(refused.refused(409), "no-consent");
    let renewed = json!({ "consent_id": "c-2", "consent_expires": "2999-01-01T00:00:00Z" });
    let _ = act(&service, &format!("{one}/renew_consent"), renewed).await;
    let before_it =
        json!({ "attended": true, "balance": "1.00", "occurred_at": "2020-01-01T00:00:00Z" });
    let refused = service.command(&read, before_it).await;
    assert_eq!(refused.refused(409), "consent-not-valid");
    rebuilt_is_the_same(&service);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_linked_once_and_may_be_linked_anew() {
    let service = Service::start().await;
    let ada = service.register("ada").await;
    let bob = service.register("bob").await;
    let mut last = json!(0);
    for _ in 0..6 {
        let asked = (0..6).map(|_| service.command(ACCOUNTS, link(ada, "19-1")));
        let answers = join_all(asked).await;
        let made: Vec<_> = answers.iter().filter(|answer| answer.status.is_success()).collect();
        assert_eq!(made.len(), 1, "{answers:?}");
        for answer in answers.iter().filter(|answer| !answer.status.is_success()) {
            assert_eq!(answer.refused(409), "taken");
            assert_eq!(answer.body["scope"], "aisp_account.link");
        }
        // Ended, and linked anew in the next round: often both are posted at once.
        let one = made[0].body["stream_id"].as_str().expect("a stream");
        let ended = act(&service, &format!("{ACCOUNTS}/{one}/unlink"), json!({})).await;
        last = ended["position"].clone();
        let read = json!({ "attended": true, "balance": "1.00" });
        let read = service.command(&format!("{ACCOUNTS}/{one}/record_balance"), read).await;
        assert_eq!(read.refused(409), "aisp-account-unlinked");
    }
    let _ = linked(&service, bob, "19-1").await;
    let list = format!("{ACCOUNTS}?user_id={ada}");
    let rows = service.read_after(&list, &last).await.accepted();
    let rows = rows["data"].as_array().expect("rows");
    assert_eq!(rows.len(), 6);
    assert!(rows.iter().all(|row| row["unlinked_at"].is_string() && row["consent_id"].is_null()));
    rebuilt_is_the_same(&service);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_consent_ends_by_itself() {
    let service = Service::start().await;
    let ada = service.register("ada").await;
    let expires = chrono::Utc::now() + chrono::Duration::seconds(2);
    let mut fields = link(ada, "19-1");
    fields["consent_expires"] = expires.to_rfc3339().into();
    let linked = act(&service, ACCOUNTS, fields).await;
    let one = format!("{ACCOUNTS}/{}", linked["stream_id"].as_str().expect("a stream"));
    let row = service.read_after(&one, &linked["position"]).await.accepted();
    assert_eq!(row["consent_id"], "c-1", "{row}");
    let begun = std::time::Instant::now();
    loop {
        let row = service.read_after(&one, &linked["position"]).await.accepted();
        if row["consent_id"].is_null() {
            assert_eq!(row["updated_by"], json!(daybook_domain::context::SCHEDULER_USER), "{row}");
            break;
        }
        assert!(begun.elapsed().as_secs() < 30, "the scheduler does not say so: {row}");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    let read = json!({ "attended": true, "balance": "1.00" });
    let refused = service.command(&format!("{one}/record_balance"), read).await;
    assert_eq!(refused.refused(409), "no-consent");
    rebuilt_is_the_same(&service);
}
