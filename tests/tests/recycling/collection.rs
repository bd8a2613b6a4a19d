//! `recycling.collection`, the whole way.

use daybook_tests::Service;
use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{act, rebuilt_is_the_same};

const COLLECTIONS: &str = "/v1/recycling/collections";

fn schedule(customer: Uuid) -> Value {
    json!({
        "customer_id": customer, "collection_type": "paper", "scheduled_date": "2024-01-15",
        "location_address": "1 Mill Lane\nPrague", "notes": "Ring twice",
    })
}

async fn scheduled(service: &Service, customer: Uuid) -> String {
    let scheduled = act(service, COLLECTIONS, schedule(customer)).await;
    format!("{COLLECTIONS}/{}", scheduled["stream_id"].as_str().expect("a stream"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_is_made_weighed_and_processed() {
    let service = Service::start().await;
    let ada = service.register("ada").await;
    let one = scheduled(&service, ada).await;
    let missed = act(&service, &format!("{one}/miss"), json!({ "reason": "Snow" })).await;
    let refused = service.command(&format!("{one}/complete"), json!({ "weight_kg": "1.00" })).await;
    assert_eq!(refused.refused(409), "collection-status");
    let fields = json!({ "scheduled_date": "2024-01-22" });
    let _ = act(&service, &format!("{one}/reschedule"), fields).await;
    let fields = json!({ "weight_kg": "100.00", "actual_date": "2024-01-22" });
    let _ = act(&service, &format!("{one}/complete"), fields.clone()).await;
    let again = act(&service, &format!("{one}/complete"), fields).await;
    assert_eq!(again["events"], json!([]));

    let process = format!("{one}/record_processing");
    let paper = json!({
        "material_type": "paper", "weight_kg": "60.50", "recovery_rate": "97.50",
        "facility_id": "F-1", "carbon_saved_kg": "12.00", "processing_date": "2024-01-23",
    });
    let _ = act(&service, &process, paper.clone()).await;
    let beyond = service.command(&process, paper).await;
    assert_eq!(beyond.refused(409), "more-than-collected");
    let says = "collected 100.00 kg, processed 60.50 kg so far, asked 60.50 kg";
    assert_eq!(beyond.body["detail"], says);
    let rate = json!({ "material_type": "ink", "weight_kg": "1.00", "recovery_rate": "100.01" });
    assert_eq!(service.command(&process, rate).await.status.as_u16(), 422);
    let rest = json!({ "material_type": "board", "weight_kg": "39.50" });
    let last = act(&service, &process, rest).await;

    let row = service.read_after(&one, &last["position"]).await.accepted();
    assert_eq!(
        (&row["status"], &row["weight_kg"]),
        (&json!("completed"), &json!("100.00")),
        "{row}"
    );
    assert_eq!(
        (&row["processed_kg"], &row["actual_date"]),
        (&json!("100.00"), &json!("2024-01-22"))
    );
    let then = format!("{one}?at_position={}", missed["position"]);
    let then = service.read_after(&then, &last["position"]).await.accepted();
    assert_eq!((&then["status"], &then["status_reason"]), (&json!("missed"), &json!("Snow")));
    let id = one.rsplit('/').next().expect("an id");
    let list = format!("/v1/recycling/processing?collection_id={id}");
    let rows = service.read_after(&list, &last["position"]).await.accepted();
    let rows = rows["data"].as_array().expect("rows");
    assert_eq!(rows.len(), 2, "{rows:?}");
    let paper = rows.iter().find(|row| row["material_type"] == "paper").expect("paper");
    assert_eq!(
        (&paper["recovery_rate"], &paper["carbon_saved_kg"]),
        (&json!("97.50"), &json!("12.00"))
    );
    let trail = format!("/v1/platform/audit_logs?entity_id={id}&order=asc");
    let trail = service.read_after(&trail, &last["position"]).await.accepted();
    assert_eq!(trail["data"].as_array().map(Vec::len), Some(6), "{trail}");
    rebuilt_is_the_same(&service);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_is_processed_than_was_collected_whoever_is_first() {
    let service = Service::start().await;
    let ada = service.register("ada").await;
    for _ in 0..4 {
        let one = scheduled(&service, ada).await;
        let _ = act(&service, &format!("{one}/complete"), json!({ "weight_kg": "100.00" })).await;
        let process = format!("{one}/record_processing");
        let fields = json!({ "material_type": "paper", "weight_kg": "51.00" });
        let asked = (0..6).map(|_| service.command(&process, fields.clone()));
        let answers = join_all(asked).await;
        let taken = answers.iter().filter(|answer| answer.status.is_success()).count();
        assert_eq!(taken, 1, "{answers:?}");
        for answer in answers.iter().filter(|answer| !answer.status.is_success()) {
            assert_eq!(answer.refused(409), "more-than-collected");
        }
    }
    // One id is one processing, of whichever collection.
    let id = Uuid::now_v7();
    let mut asked = Vec::new();
    for _ in 0..4 {
        let one = scheduled(&service, ada).await;
        let _ = act(&service, &format!("{one}/complete"), json!({ "weight_kg": "9.00" })).await;
        asked.push(format!("{one}/record_processing"));
    }
    let fields = json!({ "processing_id": id, "material_type": "glass", "weight_kg": "1.00" });
    let answers = join_all(asked.iter().map(|path| service.command(path, fields.clone()))).await;
    let taken = answers.iter().filter(|answer| answer.status.is_success()).count();
    assert_eq!(taken, 1, "{answers:?}");
    rebuilt_is_the_same(&service);
}
