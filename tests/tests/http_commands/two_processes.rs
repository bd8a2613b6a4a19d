//! What one process has seen of a stream is not the last word when another appends to it.

use serde_json::json;
use uuid::Uuid;

use crate::support::{ACCOUNTS, House, USERS, opening, registration};

#[tokio::test]
async fn a_refusal_rests_on_what_the_log_says_now() {
    let (house, one) = House::served().await;
    let two = house.serve("two", &[]).await;
    let key = &house.admin.key;
    let account = one.account(key, house.admin.id, "T-1", "0.00").await;
    let path = |name: &str| format!("{ACCOUNTS}/{account}/{name}");
    let five = json!({ "amount": "5.00" });
    for _ in 0..3 {
        one.post(key, &path("withdraw"), five.clone()).await.refused(409, "insufficient-funds");
        two.post(key, &path("deposit"), five.clone()).await.ok();
        let dry = one.post(key, &format!("{}?dry_run=true", path("withdraw")), five.clone()).await;
        dry.ok();
        one.post(key, &path("withdraw"), five.clone()).await.ok();

        two.post(key, &path("freeze"), json!({})).await.ok();
        one.post(key, &path("deposit"), five.clone()).await.refused(409, "account-frozen");
        let thawed = two.post(key, &path("unfreeze"), json!({})).await.ok();
        let version = thawed.header("etag").to_owned();
        one.post(key, &path("deposit"), five.clone()).await.ok();
        // The version that the other process does not know yet, and the one that it takes for current.
        two.post_with(key, &path("withdraw"), five.clone(), &[("if-match", &version)])
            .await
            .refused(412, "version-mismatch");
        one.post(key, &path("withdraw"), five.clone()).await.ok();
        let mismatch = two
            .post_with(key, &path("deposit"), five.clone(), &[("if-match", &version)])
            .await
            .refused(412, "version-mismatch");
        let head = house.engine.log().stream_head(Uuid::parse_str(&account).expect("an id")).await;
        let head = head.expect("read").expect("a stream").version;
        assert_eq!(mismatch.body["actual_version"], head, "{mismatch:?}");
    }
    // A dry run is no more behind than a refusal.
    let dry = path("deposit") + "?dry_run=true";
    let would = one.post(key, &dry, five.clone()).await.ok();
    two.post(key, &path("deposit"), five.clone()).await.ok();
    let then = one.post(key, &dry, five).await.ok();
    assert_eq!(then.body["version"].as_i64(), would.body["version"].as_i64().map(|v| v + 1));
}

#[tokio::test]
async fn what_was_not_there_may_be_there_now() {
    let (house, one) = House::served().await;
    let two = house.serve("two", &[]).await;
    let ada = house.person("ada", "user", &["*"]).await;
    house.posted().await;
    let id = Uuid::now_v7();
    let path = format!("{ACCOUNTS}/{id}/deposit");
    let one_euro = json!({ "amount": "1.00" });
    one.post(&house.admin.key, &path, one_euro.clone()).await.refused(404, "account-not-found");
    one.post(&ada.key, &path, one_euro.clone()).await.refused(403, "forbidden");
    let mut fields = opening(ada.id, "T-2");
    fields["id"] = id.to_string().into();
    two.post(&ada.key, ACCOUNTS, fields).await.ok();
    one.post(&ada.key, &path, one_euro.clone()).await.ok();
    one.post(&house.admin.key, &path, one_euro).await.ok();

    // An owner who was unknown, then suspended, then active again.
    let user = Uuid::now_v7();
    let open = |number: &str| opening(user, number);
    let key = &house.admin.key;
    one.post(key, ACCOUNTS, open("T-3")).await.refused(409, "owner-not-found");
    let mut fields = registration("bob");
    fields["id"] = user.to_string().into();
    two.post(key, USERS, fields).await.ok();
    one.post(key, ACCOUNTS, open("T-3")).await.ok();
    two.post(key, &format!("{USERS}/{user}/suspend"), json!({})).await.ok();
    one.post(key, ACCOUNTS, open("T-4")).await.refused(409, "owner-not-active");
    two.post(key, &format!("{USERS}/{user}/reactivate"), json!({})).await.ok();
    one.post(key, ACCOUNTS, open("T-4")).await.ok();
}
