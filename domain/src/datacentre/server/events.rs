//! What can have happened to a server.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::{Capacity, Hostname, Reason, Text};

/// A server was taken into service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Provisioned {
    /// Its name.
    pub hostname: Hostname,
    /// Its address.
    pub ip_address: IpAddr,
    /// What sort of server it is.
    pub server_type: Text<50>,
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rack_location: Option<Text<20>>,
    /// Processor cores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_cores: Option<Capacity>,
    /// Memory, in GB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_gb: Option<Capacity>,
    /// Storage, in GB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_gb: Option<Capacity>,
    /// For whom it works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<Uuid>,
}

/// Its name or its address became another one; both as they are now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Readdressed {
    /// Its name.
    pub hostname: Hostname,
    /// Its address.
    pub ip_address: IpAddr,
}

/// It was put elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Relocated {
    /// Where it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rack_location: Option<Text<20>>,
}

/// What it has became more or less; all of it as it is now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Resized {
    /// Processor cores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_cores: Option<Capacity>,
    /// Memory, in GB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_gb: Option<Capacity>,
    /// Storage, in GB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_gb: Option<Capacity>,
}

/// It works for a customer now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CustomerAssigned {
    /// The user.
    pub customer_id: Uuid,
}

/// It works for nobody in particular now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CustomerReleased {}

/// Work on it began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MaintenanceEntered {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// Work on it ended.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MaintenanceLeft {}

/// It was taken out of service for good.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Decommissioned {
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

crate::events! {
    /// What can have happened to a server.
    pub enum ServerEvent {
        "datacentre.server.provisioned" @ 1 => Provisioned,
        "datacentre.server.readdressed" @ 1 => Readdressed,
        "datacentre.server.relocated" @ 1 => Relocated,
        "datacentre.server.resized" @ 1 => Resized,
        "datacentre.server.customer_assigned" @ 1 => CustomerAssigned,
        "datacentre.server.customer_released" @ 1 => CustomerReleased,
        "datacentre.server.maintenance_entered" @ 1 => MaintenanceEntered,
        "datacentre.server.maintenance_left" @ 1 => MaintenanceLeft,
        "datacentre.server.decommissioned" @ 1 => Decommissioned,
    }
}
