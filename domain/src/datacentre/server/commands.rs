//! What can be asked of a server.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::values::{Capacity, Hostname, MetricValue, Reason, Text};

/// Takes a server into service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provision {
    /// Its name, unique.
    pub hostname: Hostname,
    /// Its IPv4 or IPv6 address.
    pub ip_address: IpAddr,
    /// What sort of server it is.
    pub server_type: Text<50>,
    /// Where it stands.
    #[serde(default)]
    pub rack_location: Option<Text<20>>,
    /// Processor cores.
    #[serde(default)]
    pub cpu_cores: Option<Capacity>,
    /// Memory, in GB.
    #[serde(default)]
    pub memory_gb: Option<Capacity>,
    /// Storage, in GB.
    #[serde(default)]
    pub storage_gb: Option<Capacity>,
    /// For whom it works; they must be active.
    #[serde(default)]
    pub customer_id: Option<Uuid>,
}

/// Gives it another name, another address, or both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Readdress {
    /// The new name, unique; as before where absent.
    #[serde(default)]
    pub hostname: Option<Hostname>,
    /// The new IPv4 or IPv6 address; as before where absent.
    #[serde(default)]
    pub ip_address: Option<IpAddr>,
}

/// Puts it elsewhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Relocate {
    /// Where it stands now; in no rack where absent.
    #[serde(default)]
    pub rack_location: Option<Text<20>>,
}

/// Changes what it has; what is absent stays as it was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resize {
    /// Processor cores.
    #[serde(default)]
    pub cpu_cores: Option<Capacity>,
    /// Memory, in GB.
    #[serde(default)]
    pub memory_gb: Option<Capacity>,
    /// Storage, in GB.
    #[serde(default)]
    pub storage_gb: Option<Capacity>,
}

/// Lets it work for a customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignCustomer {
    /// The user; they must be active.
    pub customer_id: Uuid,
}

/// Lets it work for nobody in particular.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseCustomer {}

/// Begins work on it. What is measured on it is still taken.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EnterMaintenance {
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Ends work on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LeaveMaintenance {}

/// Takes it out of service for good. Its name stays its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decommission {
    /// Why.
    #[serde(default)]
    pub reason: Option<Reason>,
}

/// Takes what was measured on it: a sample, that is server, metric and instant, once, however
/// often it is delivered; what was taken first stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordUsage {
    /// The samples, 1 to 10,000, in any order, of at most 104 different weeks.
    #[schemars(length(min = 1, max = 10_000))]
    pub samples: Vec<Sample>,
}

/// One measured value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Sample {
    /// What was measured, such as `cpu_utilization`.
    pub metric_type: Text<50>,
    /// What came out, kept to six decimals.
    pub value: MetricValue,
    /// In what, such as `percent`.
    pub unit: Text<20>,
    /// When, to the microsecond; from 1970 on, and at most five minutes ahead of the log's clock.
    pub recorded_at: DateTime<Utc>,
}

crate::commands! {
    /// What can be asked of a server.
    pub enum ServerCommand {
        "provision" => Provision,
        "readdress" => Readdress,
        "relocate" => Relocate,
        "resize" => Resize,
        "assign_customer" => AssignCustomer,
        "release_customer" => ReleaseCustomer,
        "enter_maintenance" => EnterMaintenance,
        "leave_maintenance" => LeaveMaintenance,
        "decommission" => Decommission,
        "record_usage" => RecordUsage,
    }
}
