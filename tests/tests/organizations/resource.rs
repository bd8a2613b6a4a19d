//! `organizations.resource`, the whole way.

use daybook_tests::Service;
use serde_json::json;

use crate::{METADATA, RESOURCES, create, person, rebuilt_is_the_same, resource, rows};

#[tokio::test]
async fn metadata_is_merged_and_found() {
    let service = Service::start().await;
    let ada = person(&service, "ada").await;
    let organization = create(&service, &ada, "Oakford").await;
    let printer = resource(&service, &organization, "printer").await;
    let address = format!("{RESOURCES}/{printer}");
    let set = format!("{address}/set_metadata");
    for patch in [
        json!({"tier": "basic", "place": {"floor": 2, "room": "B"}, "old": true}),
        json!({"tier": "premium", "place": {"room": null}, "old": null}),
    ] {
        let _ = service.command(&set, json!({"metadata": patch})).await.accepted();
    }
    let same = service.command(&set, json!({"metadata": {"tier": "premium"}})).await.accepted();
    assert_eq!(same["events"], json!([]));
    for wrong in [json!({"metadata": ["a"]}), json!({"metadata": "a"}), json!({"metadata": null})] {
        assert_eq!(service.command(&set, wrong).await.refused(422), "invalid");
    }
    let large = json!({"metadata": {"a": "x".repeat(65_536)}});
    assert_eq!(service.command(&set, large).await.refused(422), "metadata-too-large");
    let renamed =
        service.command(&format!("{address}/rename"), json!({"name": "Press"})).await.accepted();

    let row = service.read_after(&address, &renamed["position"]).await.accepted();
    assert_eq!((&row["name"], &row["type"]), (&json!("Press"), &json!("device")));
    let list = format!("{METADATA}?resource_id={printer}");
    let found = rows(&service, &list, &renamed["position"]).await;
    assert_eq!(found[0]["data"], json!({"tier": "premium", "place": {"floor": 2}}));
    let by_type = format!("{RESOURCES}?type=device");
    assert_eq!(rows(&service, &by_type, &renamed["position"]).await.len(), 1);

    // As the saas document asks it, with an index behind it.
    let mut database = service.database.superuser().await;
    let premium: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM public.resources r JOIN public.resource_metadata m ON m.resource_id = r.id
         WHERE m.data @> '{\"tier\": \"premium\"}'",
    )
    .fetch_one(&mut database)
    .await
    .expect("a count");
    assert_eq!(premium, 1);

    let trail =
        format!("/v1/platform/audit_logs?entity_id={printer}&entity_type=resource_metadata");
    let trail = rows(&service, &trail, &renamed["position"]).await;
    assert!(
        trail.iter().any(|row| row["old_values"]["data"]["tier"] == "basic"
            && row["new_values"]["data"]["tier"] == "premium"),
        "{trail:?}"
    );
    rebuilt_is_the_same(&service);
}

#[tokio::test]
async fn it_needs_an_organization() {
    let service = Service::start().await;
    let ada = service.register("ada").await;
    let nobody = json!({"org_id": uuid::Uuid::now_v7(), "name": "x", "type": "device"});
    assert_eq!(service.command(RESOURCES, nobody).await.refused(409), "organization-not-found");
    let user = json!({"org_id": ada, "name": "x", "type": "device"});
    assert_eq!(service.command(RESOURCES, user).await.refused(404), "not-found");
    let one = uuid::Uuid::now_v7();
    let itself = json!({"id": one, "org_id": one, "name": "x", "type": "device"});
    assert_eq!(service.command(RESOURCES, itself).await.refused(422), "invalid");
}
