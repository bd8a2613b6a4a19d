//! `platform.setting`, the whole way.

use daybook_tests::Service;
use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{rebuilt_is_the_same, rows};

const SETTINGS: &str = "/v1/platform/settings";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_setting_is_found_by_its_key() {
    let service = Service::start().await;
    let set = |value: Value| service.command(SETTINGS, json!({"key": "mail.port", "value": value}));
    let first = set(json!(25)).await.accepted();
    let second = set(json!(587)).await.accepted();
    assert_eq!(first["stream_id"], second["stream_id"]);
    assert_eq!(set(json!(587)).await.accepted()["events"], json!([]));
    assert_eq!(set(json!("587")).await.refused(409), "setting-wrong-type");
    assert_eq!(set(Value::Null).await.refused(422), "setting-null");
    let elsewhere = json!({"id": Uuid::now_v7(), "key": "mail.port", "value": 1});
    let taken = service.command(SETTINGS, elsewhere).await;
    assert_eq!(taken.refused(409), "taken");
    assert_eq!(taken.body["scope"], "setting.key");

    let address = format!("{SETTINGS}/{}", first["stream_id"].as_str().expect("a stream"));
    let row = service.read_after(&address, &second["position"]).await.accepted();
    assert_eq!((&row["key"], &row["value"]), (&json!("mail.port"), &json!(587)));
    let unset = service.command(&format!("{address}/unset"), json!({})).await.accepted();
    let gone = service.read_after(&address, &unset["position"]).await;
    assert_eq!(gone.refused(404), "not-found");
    // The type stays, whatever happened in between.
    assert_eq!(set(json!("587")).await.refused(409), "setting-wrong-type");
    let again = set(json!(465)).await.accepted();
    let all = rows(&service, &format!("{SETTINGS}?key=mail.port"), &again["position"]).await;
    assert_eq!((all.len(), &all[0]["value"]), (1, &json!(465)));

    // Many who set it at once set one and the same.
    let asked = (0..8)
        .map(|n| service.command(SETTINGS, json!({"key": "feature.on", "value": format!("v{n}")})));
    let answers = join_all(asked).await;
    assert!(answers.iter().all(|answer| answer.status.is_success()), "{answers:?}");
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);

    // Of many lines of one batch, the last one stays.
    let lines: String = (0..40)
        .map(|n| {
            let data = json!({"key": "mail.host", "value": format!("host{n}.example.org")});
            format!("{}\n", json!({"type": "platform.setting.set", "data": data}))
        })
        .collect();
    let answers = service.batch(lines).await;
    assert!(answers.iter().all(|answer| answer["version"].is_i64()), "{answers:?}");
    let last = &answers[39]["position"];
    let all = rows(&service, &format!("{SETTINGS}?key=mail.host"), last).await;
    assert_eq!(all[0]["value"], "host39.example.org");
    rebuilt_is_the_same(&service);
}

#[tokio::test]
async fn a_secret_is_nowhere_to_be_read() {
    let service = Service::start().await;
    let fields = json!({"key": "mail.password", "value": "tell-nobody", "is_secret": true});
    let set = service.command(SETTINGS, fields).await.accepted();
    let id = set["stream_id"].as_str().expect("a stream").to_owned();
    let told = service.command(SETTINGS, json!({"key": "mail.password", "value": "x"})).await;
    assert_eq!(told.refused(409), "setting-stays-secret");
    let fields = json!({"key": "mail.password", "value": "tell-no-one", "is_secret": true});
    let changed = service.command(SETTINGS, fields).await.accepted();
    assert_eq!(changed["events"], json!(["platform.setting.set"]));

    let row = service.read_after(&format!("{SETTINGS}/{id}"), &changed["position"]).await;
    let row = row.accepted();
    assert_eq!((&row["value"], &row["is_secret"]), (&json!("********"), &json!(true)));
    for path in [
        format!("{SETTINGS}/{id}"),
        format!("{SETTINGS}/{id}?at_position={}", set["position"]),
        format!("/v1/platform/audit_logs?entity_id={id}"),
        format!("/v1/streams/{id}/events"),
        "/v1/events?types=platform.setting.set".to_owned(),
    ] {
        let text = service.read_after(&path, &changed["position"]).await.accepted().to_string();
        assert!(text.contains(&id), "{path}: {text}");
        assert!(!text.contains("tell-no"), "{path}: {text}");
    }
    let mut database = service.database.superuser().await;
    let rows: String =
        sqlx::query_scalar("SELECT string_agg(s::text, ' ') FROM public.system_settings s")
            .fetch_one(&mut database)
            .await
            .expect("rows");
    assert!(rows.contains("mail.password") && !rows.contains("tell-no"), "{rows}");
    rebuilt_is_the_same(&service);
}
