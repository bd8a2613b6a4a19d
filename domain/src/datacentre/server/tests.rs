use chrono::Duration;

use super::commands::*;
use super::events::*;
use super::*;
use crate::aggregate::RefusalSort::{Exists, Invalid, NotFound, Rule};
use crate::aggregate::{Given, given};
use crate::testing::*;
use crate::values::{UserRole, UserStatus};

type Decision = Result<Vec<ServerEvent>, ServerError>;

const NOTHING: Decision = Ok(vec![]);

fn one(event: impl Into<ServerEvent>) -> Decision {
    Ok(vec![event.into()])
}

fn asked() -> Context {
    asked_as(UserRole::Manager)
}

fn provision(customer_id: Option<Uuid>) -> Provision {
    Provision {
        hostname: value("db-1.example.com"),
        ip_address: value("192.0.2.7"),
        server_type: value("database"),
        rack_location: Some(value("A-7")),
        cpu_cores: Some(capacity(8)),
        memory_gb: None,
        storage_gb: Some(capacity(500)),
        customer_id,
    }
}

fn capacity(number: i64) -> Capacity {
    number.try_into().expect("a capacity")
}

fn provisioned(customer_id: Option<Uuid>) -> Provisioned {
    let Provision { hostname, ip_address, server_type, .. } = provision(None);
    Provisioned {
        hostname,
        ip_address,
        server_type,
        rack_location: Some(value("A-7")),
        cpu_cores: Some(capacity(8)),
        memory_gb: None,
        storage_gb: Some(capacity(500)),
        customer_id,
    }
}

/// A server after what else happened.
fn server(more: impl IntoIterator<Item = ServerEvent>) -> Given<Server> {
    given([provisioned(None).into()].into_iter().chain(more))
}

fn gone() -> ServerEvent {
    Decommissioned { reason: None }.into()
}

fn in_maintenance() -> ServerEvent {
    MaintenanceEntered { reason: None }.into()
}

fn customer(status: UserStatus) -> ServerFacts {
    ServerFacts { customer: Some(user(UserRole::User, status)) }
}

/// One of each command but Provision, each of which a server would do.
fn others() -> Vec<ServerCommand> {
    vec![
        Readdress { hostname: Some(value("db-2")), ip_address: None }.into(),
        Relocate { rack_location: None }.into(),
        Resize { cpu_cores: Some(capacity(16)), memory_gb: None, storage_gb: None }.into(),
        AssignCustomer { customer_id: ADA }.into(),
        ReleaseCustomer {}.into(),
        EnterMaintenance { reason: None }.into(),
        LeaveMaintenance {}.into(),
        RecordUsage { samples: vec![sample(0)] }.into(),
    ]
}

fn sample(seconds: i64) -> Sample {
    Sample {
        metric_type: value("cpu"),
        value: value("1"),
        unit: value("percent"),
        recorded_at: noon() + Duration::seconds(seconds),
    }
}

#[test]
fn it_is_provisioned_once() {
    assert_eq!(given::<Server>([]).decide(provision(None), &asked()), one(provisioned(None)));
    let again = server([]).decide(provision(None), &asked());
    assert_refused(
        again,
        Exists,
        "server-already-provisioned",
        "this server is provisioned already",
    );
}

#[test]
fn its_customer_is_an_active_user() {
    let decide = |facts| given::<Server>([]).knowing(facts).decide(provision(Some(ADA)), &asked());
    assert_eq!(decide(customer(UserStatus::Active)), one(provisioned(Some(ADA))));
    let unknown = format!("there is no user {ADA} for whom the server could work");
    assert_refused(decide(ServerFacts::default()), Rule, "customer-not-found", &unknown);
    let empty = ServerFacts { customer: Some(User::default()) };
    assert_refused(decide(empty), Rule, "customer-not-found", &unknown);

    let assign =
        |facts| server([]).knowing(facts).decide(AssignCustomer { customer_id: ADA }, &asked());
    assert_eq!(assign(customer(UserStatus::Active)), one(CustomerAssigned { customer_id: ADA }));
    for status in [UserStatus::Inactive, UserStatus::Suspended, UserStatus::Deleted] {
        let says = format!("the server's customer {ADA} is {status}, not active");
        assert_refused(decide(customer(status)), Rule, "customer-not-active", &says);
        assert_refused(assign(customer(status)), Rule, "customer-not-active", &says);
    }
}

#[test]
fn a_customer_is_assigned_and_released() {
    let hers = || server([CustomerAssigned { customer_id: ADA }.into()]);
    assert_eq!(hers().decide(AssignCustomer { customer_id: ADA }, &asked()), NOTHING);
    assert_eq!(hers().decide(ReleaseCustomer {}, &asked()), one(CustomerReleased {}));
    let free = server([CustomerAssigned { customer_id: ADA }.into(), CustomerReleased {}.into()]);
    assert_eq!(free.decide(ReleaseCustomer {}, &asked()), NOTHING);
    let (server, read) = (hers().state, ServerCommand::from(ReleaseCustomer {}));
    assert_eq!(server.owner(BOB, &read), Some(ADA));
    assert_eq!(free.state.owner(BOB, &read), None);
}

#[test]
fn what_it_is_called_and_where_it_stands_changes() {
    let to = |hostname: Option<&str>, address: Option<&str>| Readdress {
        hostname: hostname.map(value),
        ip_address: address.map(value),
    };
    let now = |hostname: &str, address: &str| {
        one(Readdressed { hostname: value(hostname), ip_address: value(address) })
    };
    let decide = |command| server([]).decide(command, &asked());
    assert_eq!(decide(to(None, Some("2001:db8::7"))), now("db-1.example.com", "2001:db8::7"));
    assert_eq!(decide(to(Some("db-2"), None)), now("db-2", "192.0.2.7"));
    assert_eq!(decide(to(Some("db-1.example.com"), Some("192.0.2.7"))), NOTHING);
    assert_eq!(decide(to(None, None)), NOTHING);

    let put = |rack: Option<&str>| Relocate { rack_location: rack.map(value) };
    assert_eq!(server([]).decide(put(None), &asked()), one(Relocated { rack_location: None }));
    assert_eq!(server([]).decide(put(Some("A-7")), &asked()), NOTHING);
}

#[test]
fn only_what_is_named_is_resized() {
    let resize = |cpu: Option<i64>, memory: Option<i64>| Resize {
        cpu_cores: cpu.map(capacity),
        memory_gb: memory.map(capacity),
        storage_gb: None,
    };
    let resized = Resized {
        cpu_cores: Some(capacity(8)),
        memory_gb: Some(capacity(64)),
        storage_gb: Some(capacity(500)),
    };
    assert_eq!(server([]).decide(resize(None, Some(64)), &asked()), one(resized.clone()));
    assert_eq!(server([]).decide(resize(Some(8), None), &asked()), NOTHING);
    assert_eq!(server([resized.into()]).decide(resize(Some(8), Some(64)), &asked()), NOTHING);
}

#[test]
fn maintenance_begins_and_ends() {
    let reason = || Some(value("a disk"));
    let enter = || EnterMaintenance { reason: reason() };
    assert_eq!(server([]).decide(enter(), &asked()), one(MaintenanceEntered { reason: reason() }));
    assert_eq!(server([in_maintenance()]).decide(enter(), &asked()), NOTHING);
    assert_eq!(
        server([in_maintenance()]).decide(LeaveMaintenance {}, &asked()),
        one(MaintenanceLeft {})
    );
    assert_eq!(server([]).decide(LeaveMaintenance {}, &asked()), NOTHING);
    let back = server([in_maintenance(), MaintenanceLeft {}.into()]);
    assert_eq!(back.state.machine().unwrap().status, ServerStatus::Active);
    let measured = RecordUsage { samples: vec![sample(0)] };
    assert_eq!(server([in_maintenance()]).decide(measured, &asked()), NOTHING);
}

#[test]
fn a_decommissioned_server_stays_so() {
    let decommission = || Decommission { reason: None };
    assert_eq!(server([]).decide(decommission(), &asked()), Ok(vec![gone()]));
    assert_eq!(server([in_maintenance()]).decide(decommission(), &asked()), Ok(vec![gone()]));
    assert_eq!(server([gone()]).decide(decommission(), &asked()), NOTHING);
    for command in others() {
        let refused =
            server([gone()]).knowing(customer(UserStatus::Active)).decide(command, &asked());
        assert_refused(refused, Rule, "server-decommissioned", "the server is decommissioned");
    }
}

#[test]
fn nothing_is_asked_of_no_server() {
    for command in others().into_iter().chain([Decommission { reason: None }.into()]) {
        let refused =
            given::<Server>([]).knowing(customer(UserStatus::Active)).decide(command, &asked());
        assert_refused(refused, NotFound, "server-not-found", "there is no such server");
    }
}

#[test]
fn a_delivery_has_some_samples_and_not_too_many() {
    let deliver =
        |count: usize| server([]).decide(RecordUsage { samples: vec![sample(0); count] }, &asked());
    assert_eq!(deliver(1), NOTHING);
    assert_eq!(deliver(10_000), NOTHING);
    for count in [0, 10_001] {
        let says = format!("a delivery has 1 to 10000 samples, this has {count}");
        assert_refused(deliver(count), Invalid, "sample-count", &says);
    }
}

#[test]
fn samples_are_of_the_past() {
    let deliver = |at: &str| {
        let late = Sample { recorded_at: at.parse().expect(at), ..sample(0) };
        server([]).decide(RecordUsage { samples: vec![sample(0), late] }, &asked())
    };
    assert_eq!(deliver("2023-11-14T22:18:20Z"), NOTHING);
    assert_eq!(deliver("1970-01-01T00:00:00Z"), NOTHING);
    for wrong in ["2023-11-14T22:18:20.000001Z", "1969-12-31T23:59:59Z", "9999-01-01T00:00:00Z"] {
        let says =
            format!("sample 2 of {wrong} is not from 1970-01-01T00:00:00Z to 2023-11-14T22:18:20Z");
        assert_refused(deliver(wrong), Invalid, "sample-time", &says);
    }
}

#[test]
fn a_delivery_is_of_a_few_weeks() {
    let deliver = |weeks: i64| {
        let samples = (0..weeks).map(|n| sample(-n * 7 * 86_400)).collect();
        server([]).decide(RecordUsage { samples }, &asked())
    };
    assert_eq!(deliver(104), NOTHING);
    let says = "a delivery is of at most 104 weeks, this is of 105: send it in parts";
    assert_refused(deliver(105), Invalid, "too-many-weeks", says);
}

#[test]
fn its_name_is_claimed_its_customer_referred_to_and_its_end_final() {
    let claim = |name: &str| vec![Claim::new("server.hostname", name)];
    let opens = Server::default().effects(BOB, &provisioned(Some(ADA)).into());
    assert_eq!((opens.lifecycle, opens.references), (Lifecycle::Opens, vec![ADA]));
    assert_eq!(opens.claims, claim("db-1.example.com"));
    let server = server([]).state;
    let readdressed = |name: &str| -> ServerEvent {
        Readdressed { hostname: value(name), ip_address: value("192.0.2.8") }.into()
    };
    let renamed = server.effects(BOB, &readdressed("db-2"));
    assert_eq!((renamed.claims, renamed.releases), (claim("db-2"), claim("db-1.example.com")));
    assert_eq!(server.effects(BOB, &readdressed("db-1.example.com")), Effects::default());
    let assigned = server.effects(BOB, &CustomerAssigned { customer_id: ADA }.into());
    assert_eq!(assigned.references, [ADA]);
    assert_eq!(server.effects(BOB, &gone()).lifecycle, Lifecycle::Closes);
}
