//! `organizations.billing_account`, the whole way.

use daybook_tests::Service;
use futures::future::join_all;
use serde_json::json;

use crate::{BILLING, ORGANIZATIONS, create, person, rebuilt_is_the_same, rows, send, stream};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_organization_has_one_that_is_not_closed() {
    let service = Service::start().await;
    let ada = person(&service, "ada").await;
    let organization = create(&service, &ada, "Oakford").await;
    let fields = json!({
        "org_id": organization, "billing_email": "bills@example.org",
        "company_name": "Oakford Ltd", "city": "Oakford", "country": "GB", "currency": "GBP",
    });
    let mut open = String::new();
    for _ in 0..3 {
        let answers = join_all((0..6).map(|_| service.command(BILLING, fields.clone()))).await;
        let won: Vec<_> = answers.iter().filter(|answer| answer.status == 201).collect();
        assert_eq!(won.len(), 1, "{answers:?}");
        for lost in answers.iter().filter(|answer| answer.status != 201) {
            assert_eq!(lost.refused(409), "taken");
            assert_eq!(lost.body["scope"], "billing_account.open");
        }
        open = stream(&won[0].body);
        // A suspended one is in the way as well.
        let suspend = format!("{BILLING}/{open}/suspend");
        let _ = service.command(&suspend, json!({"reason": "unpaid"})).await.accepted();
        assert_eq!(service.command(BILLING, fields.clone()).await.refused(409), "taken");
        let close = format!("{BILLING}/{open}/close");
        let _ = service.command(&close, json!({})).await.accepted();
    }
    let resume = service.command(&format!("{BILLING}/{open}/resume"), json!({})).await;
    assert_eq!(resume.refused(409), "billing-account-closed");

    let opened = stream(&service.command(BILLING, fields.clone()).await.accepted());
    let change = format!("{BILLING}/{opened}/change_details");
    let changed = service.command(&change, json!({"company_name": "Nexus Ltd", "city": ""})).await;
    let changed = changed.accepted();
    let list = format!("{BILLING}?org_id={organization}");
    let all = rows(&service, &list, &changed["position"]).await;
    assert_eq!(all.iter().filter(|row| row["status"] == "closed").count(), 3, "{all:?}");
    let row = all.iter().find(|row| row["id"] == json!(opened)).expect("the open one");
    assert_eq!((&row["company_name"], &row["city"]), (&json!("Nexus Ltd"), &json!(null)));
    assert_eq!(
        (&row["billing_email"], &row["currency"]),
        (&json!("bills@example.org"), &json!("GBP"))
    );

    // What is owed stays owed; nothing new is opened for what is deleted.
    let delete = format!("{ORGANIZATIONS}/{organization}/delete");
    let _ = send(&service, &ada, &delete, json!({})).await.accepted();
    let _ = service.command(&format!("{BILLING}/{opened}/close"), json!({})).await.accepted();
    assert_eq!(service.command(BILLING, fields).await.refused(409), "organization-deleted");
    rebuilt_is_the_same(&service);
}
