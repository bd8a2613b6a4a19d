//! The rules of servers.

use std::collections::BTreeSet;

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::commands::{
    AssignCustomer, Decommission, EnterMaintenance, Provision, Readdress, RecordUsage, Relocate,
    Resize, Sample, ServerCommand,
};
use super::events::{
    CustomerAssigned, CustomerReleased, Decommissioned, MaintenanceEntered, MaintenanceLeft,
    Provisioned, Readdressed, Relocated, Resized,
};
use super::{Machine, Server, ServerError, ServerEvent, ServerFacts};
use crate::context::Context;
use crate::datacentre::usage::{MAX_SAMPLES, MAX_WEEKS, Week};
use crate::values::{ServerStatus, UserStatus};

type Decision = Result<Vec<ServerEvent>, ServerError>;

/// How far a server's clock may be ahead of the log's.
const AHEAD: Duration = Duration::minutes(5);

pub(super) fn decide(
    server: &Server,
    command: &ServerCommand,
    facts: &ServerFacts,
    context: &Context,
) -> Decision {
    use ServerCommand as Asked;
    match command {
        Asked::Provision(command) => provision(server, command, facts),
        Asked::Readdress(command) => readdress(working(server)?, command),
        Asked::Relocate(command) => relocate(working(server)?, command),
        Asked::Resize(command) => resize(working(server)?, command),
        Asked::AssignCustomer(command) => assign(working(server)?, command, facts),
        Asked::ReleaseCustomer(_) => match working(server)?.customer_id {
            Some(_) => one(CustomerReleased {}),
            None => Ok(vec![]),
        },
        Asked::EnterMaintenance(command) => enter_maintenance(working(server)?, command),
        Asked::LeaveMaintenance(_) => match working(server)?.status {
            ServerStatus::Maintenance => one(MaintenanceLeft {}),
            ServerStatus::Active | ServerStatus::Decommissioned => Ok(vec![]),
        },
        Asked::Decommission(command) => decommission(known(server)?, command),
        Asked::RecordUsage(command) => record_usage(working(server)?, command, context),
    }
}

fn one(event: impl Into<ServerEvent>) -> Decision {
    Ok(vec![event.into()])
}

fn known(server: &Server) -> Result<&Machine, ServerError> {
    server.machine().ok_or(ServerError::Unknown)
}

/// A server with which things may happen.
fn working(server: &Server) -> Result<&Machine, ServerError> {
    let machine = known(server)?;
    match machine.status {
        ServerStatus::Active | ServerStatus::Maintenance => Ok(machine),
        ServerStatus::Decommissioned => Err(ServerError::Decommissioned),
    }
}

fn active(customer_id: Uuid, facts: &ServerFacts) -> Result<(), ServerError> {
    let status = facts.customer.as_ref().and_then(|customer| customer.status());
    match status.ok_or(ServerError::CustomerUnknown { customer_id })? {
        UserStatus::Active => Ok(()),
        status @ (UserStatus::Inactive | UserStatus::Suspended | UserStatus::Deleted) => {
            Err(ServerError::CustomerNotActive { customer_id, status })
        }
    }
}

fn provision(server: &Server, command: &Provision, facts: &ServerFacts) -> Decision {
    if server.machine().is_some() {
        return Err(ServerError::AlreadyProvisioned);
    }
    if let Some(customer_id) = command.customer_id {
        active(customer_id, facts)?;
    }
    one(Provisioned {
        hostname: command.hostname.clone(),
        ip_address: command.ip_address,
        server_type: command.server_type.clone(),
        rack_location: command.rack_location.clone(),
        cpu_cores: command.cpu_cores,
        memory_gb: command.memory_gb,
        storage_gb: command.storage_gb,
        customer_id: command.customer_id,
    })
}

fn readdress(machine: &Machine, command: &Readdress) -> Decision {
    let hostname = command.hostname.as_ref().unwrap_or(&machine.hostname).clone();
    let ip_address = command.ip_address.unwrap_or(machine.ip_address);
    if hostname == machine.hostname && ip_address == machine.ip_address {
        return Ok(vec![]);
    }
    one(Readdressed { hostname, ip_address })
}

fn relocate(machine: &Machine, command: &Relocate) -> Decision {
    if command.rack_location == machine.rack_location {
        return Ok(vec![]);
    }
    one(Relocated { rack_location: command.rack_location.clone() })
}

fn resize(machine: &Machine, command: &Resize) -> Decision {
    let cpu_cores = command.cpu_cores.or(machine.cpu_cores);
    let memory_gb = command.memory_gb.or(machine.memory_gb);
    let storage_gb = command.storage_gb.or(machine.storage_gb);
    if (cpu_cores, memory_gb, storage_gb)
        == (machine.cpu_cores, machine.memory_gb, machine.storage_gb)
    {
        return Ok(vec![]);
    }
    one(Resized { cpu_cores, memory_gb, storage_gb })
}

fn assign(machine: &Machine, command: &AssignCustomer, facts: &ServerFacts) -> Decision {
    if machine.customer_id == Some(command.customer_id) {
        return Ok(vec![]);
    }
    active(command.customer_id, facts)?;
    one(CustomerAssigned { customer_id: command.customer_id })
}

fn enter_maintenance(machine: &Machine, command: &EnterMaintenance) -> Decision {
    match machine.status {
        ServerStatus::Active => one(MaintenanceEntered { reason: command.reason.clone() }),
        ServerStatus::Maintenance | ServerStatus::Decommissioned => Ok(vec![]),
    }
}

fn decommission(machine: &Machine, command: &Decommission) -> Decision {
    match machine.status {
        ServerStatus::Active | ServerStatus::Maintenance => {
            one(Decommissioned { reason: command.reason.clone() })
        }
        ServerStatus::Decommissioned => Ok(vec![]),
    }
}

/// Whether the delivery may be taken. Nothing happens to the server itself: which of the samples
/// are new is decided by the weeks that they belong to.
fn record_usage(_: &Machine, command: &RecordUsage, context: &Context) -> Decision {
    let count = command.samples.len();
    if !(1..=MAX_SAMPLES).contains(&count) {
        return Err(ServerError::SampleCount { count });
    }
    let (earliest, latest) = (DateTime::<Utc>::UNIX_EPOCH, context.now + AHEAD);
    for (index, Sample { recorded_at, .. }) in command.samples.iter().enumerate() {
        if !(earliest..=latest).contains(recorded_at) {
            let (number, recorded_at) = (index + 1, *recorded_at);
            return Err(ServerError::SampleTime { number, recorded_at, earliest, latest });
        }
    }
    let weeks: BTreeSet<Week> =
        command.samples.iter().map(|sample| Week::of(sample.recorded_at)).collect();
    if weeks.len() > MAX_WEEKS {
        return Err(ServerError::TooManyWeeks { count: weeks.len() });
    }
    Ok(vec![])
}
