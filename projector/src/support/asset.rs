//! `it_assets`.

use chrono::{DateTime, NaiveDate, Utc};
use daybook_domain::support::asset::AssetEvent;
use daybook_domain::support::asset::events::{Particulars, Registered};
use daybook_domain::values::AssetStatus;
use daybook_store::Recorded;
use uuid::Uuid;

use crate::catalog::{Rows, Touched};
use crate::rows::Fault;
use crate::table::JsonText;

crate::table! {
    /// A row of `it_assets`.
    pub struct ItAssetRow in "it_assets", key (id: Uuid), entity id;
    id: Uuid,
    asset_tag: String,
    asset_type: String,
    manufacturer: Option<String>,
    model: Option<String>,
    serial_number: Option<String>,
    assigned_to: Option<Uuid>,
    location: Option<String>,
    status: String,
    status_reason: Option<String>,
    purchase_date: Option<NaiveDate>,
    warranty_expires: Option<NaiveDate>,
    specifications: Option<JsonText> as "jsonb",
    assigned_at: Option<DateTime<Utc>>,
    retired_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    created_by: Uuid,
    updated_by: Uuid,
}

/// The rows of an event.
pub fn touches(event: &AssetEvent, recorded: &Recorded, touched: &mut Touched) {
    let asset = (recorded.stream_id,);
    match event {
        AssetEvent::Registered(_) => touched.it_assets.makes(asset),
        AssetEvent::Assigned(_)
        | AssetEvent::Returned(_)
        | AssetEvent::Moved(_)
        | AssetEvent::SentToRepair(_)
        | AssetEvent::Retired(_)
        | AssetEvent::Specified(_) => touched.it_assets.needs(asset),
    }
}

/// What an event makes of the rows.
///
/// # Errors
/// When the rows are not as the events before left them.
pub fn project(event: &AssetEvent, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
    let happened_at = recorded.happened_at();
    let told = |reason: &Option<daybook_domain::values::Reason>| {
        reason.as_ref().map(|reason| reason.as_str().to_owned())
    };
    match event {
        AssetEvent::Registered(event) => registered(event, recorded, rows),
        AssetEvent::Assigned(event) => change(recorded, rows, |asset| {
            stands(asset, AssetStatus::Assigned, None);
            asset.assigned_to = Some(event.user_id);
            asset.assigned_at = Some(happened_at);
        }),
        AssetEvent::Returned(_) => {
            change(recorded, rows, |asset| stands(asset, AssetStatus::Active, None))
        }
        AssetEvent::Moved(event) => change(recorded, rows, |asset| {
            asset.location = Some(event.location.as_str().to_owned());
        }),
        AssetEvent::SentToRepair(event) => change(recorded, rows, |asset| {
            stands(asset, AssetStatus::InRepair, told(&event.reason));
        }),
        AssetEvent::Retired(event) => change(recorded, rows, |asset| {
            stands(asset, AssetStatus::Retired, told(&event.reason));
            asset.retired_at = Some(happened_at);
        }),
        AssetEvent::Specified(event) => change(recorded, rows, |asset| is_now(asset, &event.0)),
    }
}

fn registered(event: &Registered, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
    let actor = recorded.metadata.actor_id;
    let mut asset = ItAssetRow {
        id: recorded.stream_id,
        asset_tag: event.asset_tag.as_str().to_owned(),
        asset_type: event.asset_type.as_str().to_owned(),
        manufacturer: None,
        model: None,
        serial_number: None,
        assigned_to: None,
        location: event.location.as_ref().map(|text| text.as_str().to_owned()),
        status: AssetStatus::Active.to_string(),
        status_reason: None,
        purchase_date: None,
        warranty_expires: None,
        specifications: None,
        assigned_at: None,
        retired_at: None,
        created_at: recorded.recorded_at,
        updated_at: recorded.recorded_at,
        created_by: actor,
        updated_by: actor,
    };
    is_now(&mut asset, &event.particulars);
    rows.it_assets.insert(asset)
}

/// Nobody has it who is not named afterwards.
fn stands(asset: &mut ItAssetRow, status: AssetStatus, reason: Option<String>) {
    asset.status = status.to_string();
    asset.status_reason = reason;
    asset.assigned_to = None;
    asset.assigned_at = None;
}

fn is_now(asset: &mut ItAssetRow, particulars: &Particulars) {
    asset.manufacturer = particulars.manufacturer.as_ref().map(|text| text.as_str().to_owned());
    asset.model = particulars.model.as_ref().map(|text| text.as_str().to_owned());
    asset.serial_number = particulars.serial_number.as_ref().map(|text| text.as_str().to_owned());
    asset.purchase_date = particulars.purchase_date;
    asset.warranty_expires = particulars.warranty_expires;
    asset.specifications =
        particulars.specifications.as_ref().map(|object| JsonText(object.to_text()));
}

fn change(
    recorded: &Recorded,
    rows: &mut Rows,
    change: impl FnOnce(&mut ItAssetRow),
) -> Result<(), Fault> {
    rows.it_assets.update(&(recorded.stream_id,), |asset| {
        change(asset);
        asset.updated_at = recorded.recorded_at;
        asset.updated_by = recorded.metadata.actor_id;
    })
}
