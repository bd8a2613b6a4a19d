//! What was stored in an older version of its type is posted, looked at and replayed as what it means.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests make ids and fail by panicking"
)]

mod support;

use std::collections::BTreeMap;
use std::fs::{self, File};

use daybook_projector::parked;
use daybook_projector::queries::past::{self, Upto};
use daybook_projector::replay::{Destination, Format, Order, Replay};
use daybook_store::{Filter, Life, NewEvent};
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use parquet::record::Field;
use serde_json::{Value, json};
use support::{World, event};
use uuid::Uuid;

const KIND: &str = "support.asset";

/// A laptop that was given to someone and came back; `returned` as it was stored then.
async fn laptop(world: &World, tag: &str, holder: Uuid, returned: NewEvent) -> Uuid {
    let asset = Uuid::now_v7();
    let registered = json!({ "asset_tag": tag, "asset_type": "laptop" });
    let opening = NewEvent { life: Life::Opens, ..event("support.asset.registered", &registered) };
    let assigned = event("support.asset.assigned", &json!({ "user_id": holder }));
    let assigned = NewEvent { references: vec![holder], ..assigned };
    world.write(asset, KIND, 0, vec![opening, assigned, returned]).await;
    asset
}

fn returned(version: i16, data: &Value) -> NewEvent {
    NewEvent { schema_version: version, ..event("support.asset.returned", data) }
}

/// The asset's row without what differs from one to the next.
async fn row(world: &World, asset: Uuid) -> Value {
    let row: Value = sqlx::query_scalar(
        "SELECT to_jsonb(a) - ARRAY['id', 'asset_tag', 'created_at', 'updated_at', 'assigned_at'] FROM public.it_assets a WHERE id = $1",
    )
    .bind(asset)
    .fetch_one(&world.reader)
    .await
    .unwrap();
    row
}

#[tokio::test]
async fn both_versions_leave_the_same_row_and_what_is_stored_stays() {
    let world = World::new().await;
    let worker = world.worker();
    let ada = world.user("ada", None).await;
    let old = laptop(&world, "IT-1", ada, returned(1, &json!({ "from": ada }))).await;
    let now = json!({ "came_from": "person", "returned_by": ada });
    let new = laptop(&world, "IT-2", ada, returned(2, &now)).await;
    world.caught_up().await;
    assert_eq!(row(&world, old).await, row(&world, new).await);
    let folded = past::fold(&world.log, old, Upto::Version(3)).await.unwrap();
    assert_eq!(folded.version, 3);

    let folder = tempfile::tempdir().unwrap();
    let replay = async |format, name: &str| {
        let types = Some(vec!["support.asset.returned".to_owned()]);
        let filter = Filter { types, ..Filter::default() };
        let order = Order { filter, after: 0, format, speed: None };
        let path = folder.path().join(name);
        let to = Destination::Path { path: path.clone(), anew: false };
        let planned = Replay::plan(&world.log, order, to).await.unwrap();
        planned.run(&world.log, &|_| ()).await.unwrap();
        path
    };
    // Lines are what is stored.
    let lines = fs::read_to_string(replay(Format::Ndjson, "x.ndjson").await).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (&lines[0]["schema_version"], &lines[0]["data"]),
        (&json!(1), &json!({ "from": ada }))
    );
    assert_eq!((&lines[1]["schema_version"], &lines[1]["data"]), (&json!(2), &now));
    // Typed columns are what it means now.
    let typed = replay(Format::ParquetByType, "typed").await.join("support.asset.returned.parquet");
    let reader = SerializedFileReader::new(File::open(typed).unwrap()).unwrap();
    let rows: Vec<BTreeMap<String, Field>> = reader
        .get_row_iter(None)
        .unwrap()
        .map(|row| {
            let row = row.unwrap();
            row.get_column_iter().map(|(name, field)| (name.clone(), field.clone())).collect()
        })
        .collect();
    assert_eq!(rows.len(), 2);
    for row in &rows {
        assert_eq!(row["came_from"], Field::Str("person".to_owned()));
        assert_eq!((&row["returned_by"], &row["other"]), (&rows[1]["returned_by"], &Field::Null));
    }
    assert!(matches!(rows[0]["returned_by"], Field::Bytes(_)));
    worker.stop().await;
}

#[tokio::test]
async fn a_version_that_nobody_knows_stops_its_lane_and_says_so() {
    let world = World::new().await;
    let worker = world.worker();
    let ada = world.user("ada", None).await;
    let newer = returned(3, &json!({ "came_from": "space" }));
    laptop(&world, "IT-1", ada, newer).await;
    support::until("it is parked", std::time::Duration::from_secs(20), || async {
        !parked::parked(&world.projector).await.unwrap().is_empty()
    })
    .await;
    let parked = parked::parked(&world.projector).await.unwrap();
    let says = "support.asset.returned has no version 3 in this build";
    assert!(format!("{parked:?}").contains(says), "{parked:?}");
    let folder = tempfile::tempdir().unwrap();
    let order =
        Order { filter: Filter::default(), after: 0, format: Format::ParquetByType, speed: None };
    let to = Destination::Path { path: folder.path().join("x"), anew: false };
    let planned = Replay::plan(&world.log, order, to).await.unwrap();
    let refused = planned.run(&world.log, &|_| ()).await.unwrap_err();
    assert!(refused.to_string().contains(says), "{refused}");
    worker.stop().await;
}
