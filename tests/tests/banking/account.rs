//! `banking.account`, the whole way.

use daybook_tests::Service;
use serde_json::{Value, json};
use uuid::Uuid;

const ACCOUNTS: &str = "/v1/banking/accounts";

async fn open(service: &Service, owner: Uuid, number: &str) -> String {
    let fields = json!({
        "user_id": owner, "account_name": "Household", "account_type": "checking",
        "account_number": number, "currency": "EUR",
    });
    let opened = service.command(ACCOUNTS, fields).await.accepted();
    opened["stream_id"].as_str().expect("a stream").to_owned()
}

async fn act(service: &Service, account: &str, name: &str, fields: Value) -> Value {
    service.command(&format!("{ACCOUNTS}/{account}/{name}"), fields).await.accepted()
}

#[tokio::test]
async fn money_goes_in_and_out_and_leaves_a_trail() {
    let service = Service::start().await;
    let ada = service.register("ada").await;
    let account = open(&service, ada, "CZ-1").await;
    let address = format!("{ACCOUNTS}/{account}");

    let paid_in = act(&service, &account, "deposit", json!({"amount": "100.00"})).await;
    let paid_out = act(&service, &account, "withdraw", json!({"amount": "60.00"})).await;
    assert_eq!(paid_out["version"], 3);
    assert_eq!(paid_out["events"], json!(["banking.account.withdrawn"]));

    let too_much =
        service.command(&format!("{address}/withdraw"), json!({"amount": "50.00"})).await;
    assert_eq!(too_much.refused(409), "insufficient-funds");
    let detail = too_much.body["detail"].as_str().expect("a detail");
    assert!(detail.contains("40.00") && detail.contains("50.00"), "{detail}");

    let now = service.read_after(&address, &paid_out["position"]).await.accepted();
    assert_eq!(now["balance"], "40.00", "{now}");
    let then = format!("{address}?at_position={}", paid_in["position"]);
    let then = service.read_after(&then, &paid_out["position"]).await.accepted();
    assert_eq!(then["balance"], "100.00", "{then}");

    let trail = format!("/v1/platform/audit_logs?entity_id={account}");
    let trail = service.read_after(&trail, &paid_out["position"]).await.accepted();
    let rows = trail["data"].as_array().expect("rows");
    let withdrawn: Vec<_> =
        rows.iter().filter(|row| row["position"] == paid_out["position"]).collect();
    assert!(
        withdrawn.iter().any(|row| row["old_values"]["balance"] == "100.00"
            && row["new_values"]["balance"] == "40.00"),
        "{withdrawn:?}"
    );
}

#[tokio::test]
async fn a_transfer_is_one_append_over_two_accounts() {
    let service = Service::start().await;
    let ada = service.register("ada").await;
    let (from, to) = (open(&service, ada, "CZ-1").await, open(&service, ada, "CZ-2").await);
    let _ = act(&service, &from, "deposit", json!({"amount": "10.00"})).await;

    let fields = json!({"amount": "7.50", "to_account_id": to});
    let moved = act(&service, &from, "transfer", fields).await;
    assert_eq!(
        moved["events"],
        json!(["banking.account.transferred_out", "banking.account.transferred_in"])
    );
    for (account, balance) in [(&from, "2.50"), (&to, "7.50")] {
        let row = service.read_after(&format!("{ACCOUNTS}/{account}"), &moved["position"]).await;
        assert_eq!(row.accepted()["balance"], balance);
    }
}
