use super::commands::*;
use super::events::*;
use super::*;
use crate::aggregate::RefusalSort::{Exists, NotFound};
use crate::aggregate::{Given, given};
use crate::message::CommandMessage;
use crate::testing::*;
use crate::values::UserRole;

type Decision = Result<Vec<ServiceEvent>, ServiceError>;

const NOTHING: Decision = Ok(vec![]);

fn command(name: &str, fields: serde_json::Value) -> ServiceCommand {
    ServiceCommand::decode(name, &fields.to_string()).expect(name)
}

fn register() -> ServiceCommand {
    command(
        "register",
        serde_json::json!({
            "name": "Backup", "type": "storage", "description": "Every night.",
            "configuration": { "copies": 2 },
        }),
    )
}

fn object(text: &str) -> JsonObject {
    serde_json::from_str(text).expect(text)
}

fn registered() -> ServiceEvent {
    Registered {
        name: value("Backup"),
        service_type: value("storage"),
        description: Some(value("Every night.")),
        configuration: Some(object("{\"copies\":2}")),
    }
    .into()
}

fn described(name: &str, service_type: &str, description: Option<&str>) -> ServiceEvent {
    Described {
        from_name: value("Backup"),
        name: value(name),
        service_type: value(service_type),
        description: description.map(value),
    }
    .into()
}

fn service(events: impl IntoIterator<Item = ServiceEvent>) -> Given<Service> {
    given([registered()].into_iter().chain(events))
}

fn asked(past: &Given<Service>, command: impl Into<ServiceCommand>) -> Decision {
    past.decide(command, &asked_as(UserRole::Manager))
}

#[test]
fn is_registered_once() {
    assert_eq!(asked(&given([]), register()), Ok(vec![registered()]));
    let says = "this service is registered already";
    let again = asked(&service([]), register());
    assert_refused(again, Exists, "service-already-registered", says);
    let bare = command("register", serde_json::json!({ "name": "A", "type": "b" }));
    let ServiceEvent::Registered(event) = &asked(&given([]), bare).expect("registered")[0] else {
        panic!("registered");
    };
    assert_eq!((&event.description, &event.configuration), (&None, &None));
}

#[test]
fn describing_changes_what_it_names() {
    let describe = |fields| asked(&service([]), command("describe", fields));
    let night = Some("Every night.");
    let renamed = describe(serde_json::json!({ "name": "Backups" }));
    assert_eq!(renamed, Ok(vec![described("Backups", "storage", night)]));
    let sorted = describe(serde_json::json!({ "type": "safety" }));
    assert_eq!(sorted, Ok(vec![described("Backup", "safety", night)]));
    let told = describe(serde_json::json!({ "description": "Hourly.\nOr so." }));
    assert_eq!(told, Ok(vec![described("Backup", "storage", Some("Hourly.\nOr so."))]));
    let untold = describe(serde_json::json!({ "description": null }));
    assert_eq!(untold, Ok(vec![described("Backup", "storage", None)]));
    let same = serde_json::json!({ "name": "Backup", "type": "storage", "description": night });
    assert_eq!(describe(same), NOTHING);
    assert_eq!(describe(serde_json::json!({})), NOTHING);
}

#[test]
fn configuring_replaces_the_whole() {
    let configure = |text: &str| Configure { configuration: object(text) };
    let configured = |text: &str| Configured { configuration: object(text) };
    let other = asked(&service([]), configure("{\"hour\":3}"));
    assert_eq!(other, Ok(vec![configured("{\"hour\":3}").into()]));
    assert_eq!(asked(&service([]), configure("{\"copies\":2}")), NOTHING);
    let twice = service([configured("{\"hour\":3}").into()]);
    assert_eq!(asked(&twice, configure("{\"hour\":3}")), NOTHING);
}

#[test]
fn goes_on_and_off_the_offer() {
    let off = || Deactivated { reason: Some(value("sold")) };
    let deactivate = || Deactivate { reason: Some(value("sold")) };
    assert_eq!(asked(&service([]), deactivate()), Ok(vec![off().into()]));
    assert_eq!(asked(&service([off().into()]), deactivate()), NOTHING);
    assert_eq!(asked(&service([off().into()]), Activate {}), Ok(vec![Activated {}.into()]));
    assert_eq!(asked(&service([]), Activate {}), NOTHING);
    assert_eq!(asked(&service([off().into(), Activated {}.into()]), Activate {}), NOTHING);
}

#[test]
fn nothing_is_asked_of_no_service() {
    let none = serde_json::json!({});
    let configure = serde_json::json!({ "configuration": {} });
    for command in [
        command("describe", none.clone()),
        command("configure", configure),
        command("activate", none.clone()),
        command("deactivate", none),
    ] {
        let result = asked(&given([]), command);
        assert_refused(result, NotFound, "service-not-found", "there is no such service");
    }
}

#[test]
fn its_name_is_claimed_as_it_is_written_and_it_is_nobodys() {
    let claim = |name: &str| vec![Claim::new("service.name", name)];
    let none = Service::default();
    let opens = none.effects(BOB, &registered());
    assert_eq!((opens.lifecycle, opens.claims), (Lifecycle::Opens, claim("Backup")));
    let moves = none.effects(BOB, &described("BACKUP", "storage", None));
    assert_eq!((moves.claims, moves.releases), (claim("BACKUP"), claim("Backup")));
    assert_eq!(none.effects(BOB, &described("Backup", "safety", None)), Effects::default());
    let off = Deactivated { reason: None };
    assert_eq!(none.effects(BOB, &off.into()), Effects::default());
    assert_eq!(none.owner(BOB, &register()), None);
}
