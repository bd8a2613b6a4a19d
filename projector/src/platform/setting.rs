//! `system_settings`: what is set. An unset setting has no row, and a secret one's value is not here.

use chrono::{DateTime, Utc};
use daybook_domain::platform::setting::SettingEvent;
use daybook_store::Recorded;
use serde_json::Value;
use uuid::Uuid;

use crate::catalog::{Rows, Touched};
use crate::rows::Fault;
use crate::table::JsonText;

crate::table! {
    /// A row of `system_settings`.
    pub struct SystemSettingRow in "system_settings", key (id: Uuid), entity id;
    id: Uuid,
    key: String,
    value: JsonText as "jsonb",
    value_type: String,
    is_secret: bool,
    description: Option<String>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    created_by: Uuid,
    updated_by: Uuid,
}

/// What stands where a secret's value would.
const MASK: &str = "********";

/// The rows of an event.
pub fn touches(event: &SettingEvent, recorded: &Recorded, touched: &mut Touched) {
    match event {
        // The first setting makes the row, and so does the first after an unsetting.
        SettingEvent::Set(_) | SettingEvent::Unset(_) => {
            touched.system_settings.needs((recorded.stream_id,));
        }
    }
}

/// What an event makes of the rows.
///
/// # Errors
/// When the rows are not as the events before left them.
pub fn project(event: &SettingEvent, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
    let (id, actor, at) = (recorded.stream_id, recorded.metadata.actor_id, recorded.recorded_at);
    match event {
        SettingEvent::Set(event) => {
            let shown = event.value.clone().unwrap_or_else(|| Value::from(MASK));
            let value = JsonText(shown.to_string());
            let description = event.about.as_ref().map(|about| about.as_str().to_owned());
            if rows.system_settings.get(&(id,))?.is_some() {
                return rows.system_settings.update(&(id,), |setting| {
                    setting.value = value;
                    setting.is_secret = event.is_secret;
                    setting.description = description;
                    setting.updated_at = at;
                    setting.updated_by = actor;
                });
            }
            rows.system_settings.insert(SystemSettingRow {
                id,
                key: event.key.as_str().to_owned(),
                value,
                value_type: event.value_type.to_string(),
                is_secret: event.is_secret,
                description,
                created_at: at,
                updated_at: at,
                created_by: actor,
                updated_by: actor,
            })
        }
        SettingEvent::Unset(_) => rows.system_settings.delete(&(id,)),
    }
}
