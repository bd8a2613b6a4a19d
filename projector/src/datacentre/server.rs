//! `dc_servers`.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use daybook_domain::datacentre::server::ServerEvent;
use daybook_domain::datacentre::server::events::Provisioned;
use daybook_domain::values::{Capacity, Reason, ServerStatus, Text};
use daybook_store::Recorded;
use uuid::Uuid;

use crate::catalog::{Rows, Touched};
use crate::rows::Fault;

crate::table! {
    /// A row of `dc_servers`.
    pub struct ServerRow in "dc_servers", key (id: Uuid), entity id;
    id: Uuid,
    hostname: String,
    ip_address: IpAddr,
    server_type: String,
    rack_location: Option<String>,
    cpu_cores: Option<i32>,
    memory_gb: Option<i32>,
    storage_gb: Option<i32>,
    status: String,
    status_reason: Option<String>,
    customer_id: Option<Uuid>,
    decommissioned_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    created_by: Uuid,
    updated_by: Uuid,
}

/// The rows of an event.
pub fn touches(event: &ServerEvent, recorded: &Recorded, touched: &mut Touched) {
    let key = (recorded.stream_id,);
    match event {
        ServerEvent::Provisioned(_) => touched.dc_servers.makes(key),
        ServerEvent::Readdressed(_)
        | ServerEvent::Relocated(_)
        | ServerEvent::Resized(_)
        | ServerEvent::CustomerAssigned(_)
        | ServerEvent::CustomerReleased(_)
        | ServerEvent::MaintenanceEntered(_)
        | ServerEvent::MaintenanceLeft(_)
        | ServerEvent::Decommissioned(_) => touched.dc_servers.needs(key),
    }
}

/// What an event makes of the rows.
///
/// # Errors
/// When the rows are not as the events before left them.
pub fn project(event: &ServerEvent, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
    match event {
        ServerEvent::Provisioned(event) => provisioned(event, recorded, rows),
        ServerEvent::Readdressed(event) => change(recorded, rows, |server| {
            server.hostname = event.hostname.as_str().to_owned();
            server.ip_address = event.ip_address;
        }),
        ServerEvent::Relocated(event) => change(recorded, rows, |server| {
            server.rack_location = text(event.rack_location.as_ref());
        }),
        ServerEvent::Resized(event) => change(recorded, rows, |server| {
            server.cpu_cores = event.cpu_cores.map(Capacity::get);
            server.memory_gb = event.memory_gb.map(Capacity::get);
            server.storage_gb = event.storage_gb.map(Capacity::get);
        }),
        ServerEvent::CustomerAssigned(event) => change(recorded, rows, |server| {
            server.customer_id = Some(event.customer_id);
        }),
        ServerEvent::CustomerReleased(_) => {
            change(recorded, rows, |server| server.customer_id = None)
        }
        ServerEvent::MaintenanceEntered(event) => change(recorded, rows, |server| {
            stands(server, ServerStatus::Maintenance, event.reason.as_ref());
        }),
        ServerEvent::MaintenanceLeft(_) => {
            change(recorded, rows, |server| stands(server, ServerStatus::Active, None))
        }
        ServerEvent::Decommissioned(event) => change(recorded, rows, |server| {
            stands(server, ServerStatus::Decommissioned, event.reason.as_ref());
            server.decommissioned_at = Some(recorded.happened_at());
        }),
    }
}

fn provisioned(event: &Provisioned, recorded: &Recorded, rows: &mut Rows) -> Result<(), Fault> {
    let actor = recorded.metadata.actor_id;
    rows.dc_servers.insert(ServerRow {
        id: recorded.stream_id,
        hostname: event.hostname.as_str().to_owned(),
        ip_address: event.ip_address,
        server_type: event.server_type.as_str().to_owned(),
        rack_location: text(event.rack_location.as_ref()),
        cpu_cores: event.cpu_cores.map(Capacity::get),
        memory_gb: event.memory_gb.map(Capacity::get),
        storage_gb: event.storage_gb.map(Capacity::get),
        status: ServerStatus::Active.to_string(),
        status_reason: None,
        customer_id: event.customer_id,
        decommissioned_at: None,
        created_at: recorded.recorded_at,
        updated_at: recorded.recorded_at,
        created_by: actor,
        updated_by: actor,
    })
}

fn text(text: Option<&Text<20>>) -> Option<String> {
    text.map(|text| text.as_str().to_owned())
}

fn stands(server: &mut ServerRow, status: ServerStatus, reason: Option<&Reason>) {
    server.status = status.to_string();
    server.status_reason = reason.map(|reason| reason.as_str().to_owned());
}

fn change(
    recorded: &Recorded,
    rows: &mut Rows,
    change: impl FnOnce(&mut ServerRow),
) -> Result<(), Fault> {
    rows.dc_servers.update(&(recorded.stream_id,), |server| {
        change(server);
        server.updated_at = recorded.recorded_at;
        server.updated_by = recorded.metadata.actor_id;
    })
}
