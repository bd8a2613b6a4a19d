use serde_json::json;

use super::commands::{Assign, Move, Register, Retire, Return, SendToRepair, Specify};
use super::events::{Assigned, Moved, Registered, Retired, Returned, SentToRepair, Specified};
use super::*;
use crate::aggregate::{Given, RefusalSort, given};
use crate::testing::{ADA, BOB, asked_as, assert_refused, through_json, user, value};
use crate::values::{UserRole, UserStatus};

use RefusalSort::{Exists, NotFound, Rule};

type Decision = Result<Vec<AssetEvent>, AssetError>;

const NOTHING: Decision = Ok(vec![]);

fn one(event: impl Into<AssetEvent>) -> Decision {
    Ok(vec![event.into()])
}

fn clerk() -> Context {
    asked_as(UserRole::Manager)
}

fn register() -> Register {
    serde_json::from_value(json!({
        "asset_tag": "IT-0001", "asset_type": "laptop", "location": "Prague", "model": "X1",
        "purchase_date": "2024-02-29", "specifications": { "ram_gb": 32 },
    }))
    .expect("a command")
}

fn registered() -> AssetEvent {
    Registered {
        asset_tag: value("IT-0001"),
        asset_type: value("laptop"),
        location: Some(value("Prague")),
        particulars: register().particulars(),
    }
    .into()
}

fn assigned(user_id: Uuid) -> AssetEvent {
    Assigned { user_id }.into()
}

fn in_repair() -> AssetEvent {
    SentToRepair { from: None, reason: None }.into()
}

fn retired() -> AssetEvent {
    Retired { from: None, reason: None }.into()
}

fn past(events: impl IntoIterator<Item = AssetEvent>) -> Given<Asset> {
    let events = std::iter::once(registered()).chain(events);
    given::<Asset>(events)
        .knowing(AssetFacts { holder: Some(user(UserRole::User, UserStatus::Active)) })
}

#[test]
fn it_comes_into_stock_once_with_a_tag_of_its_own() {
    let new = given::<Asset>([]);
    assert_eq!(new.decide(register(), &clerk()), one(registered()));
    let again = past([]).decide(register(), &clerk());
    let says = "this asset is registered already";
    assert_refused(again, Exists, "asset-already-registered", says);
    let effects = Asset::default().effects(BOB, &registered());
    assert_eq!(effects.claims, [Claim::new("asset.tag", "IT-0001")]);
    assert_eq!(effects.lifecycle, Lifecycle::Opens);
    assert_eq!(past([]).state.piece().map(|piece| piece.status), Some(AssetStatus::Active));
}

#[test]
fn one_person_has_it_at_a_time() {
    let to = |user_id| Assign { user_id };
    assert_eq!(past([]).decide(to(ADA), &clerk()), one(Assigned { user_id: ADA }));
    assert_eq!(past([assigned(ADA)]).decide(to(ADA), &clerk()), NOTHING);
    let other = past([assigned(ADA)]).decide(to(BOB), &clerk());
    let says = format!("{ADA} has it; it must come back before another gets it");
    assert_refused(other, Rule, "asset-assigned", &says);
    let back = past([assigned(ADA), Returned::from(Some(ADA)).into()]);
    assert_eq!(back.decide(to(BOB), &clerk()), one(Assigned { user_id: BOB }));
    let says = "the asset is in repair; it must come back before anyone gets it";
    assert_refused(past([in_repair()]).decide(to(ADA), &clerk()), Rule, "asset-in-repair", says);
    assert_eq!(Asset::default().effects(BOB, &assigned(ADA)).references, [ADA]);
}

#[test]
fn whoever_gets_it_is_active() {
    let says = format!("there is no user {ADA} to have it");
    let nobody = past([]).knowing(AssetFacts::default()).decide(Assign { user_id: ADA }, &clerk());
    assert_refused(nobody, Rule, "holder-not-found", &says);
    for status in [UserStatus::Inactive, UserStatus::Suspended, UserStatus::Deleted] {
        let facts = AssetFacts { holder: Some(user(UserRole::User, status)) };
        let refused = past([]).knowing(facts).decide(Assign { user_id: ADA }, &clerk());
        let says = format!("the user {ADA} is {status}, not active");
        assert_refused(refused, Rule, "holder-not-active", &says);
    }
}

#[test]
fn it_comes_back_from_people_and_from_repair() {
    assert_eq!(past([]).decide(Return {}, &clerk()), NOTHING);
    let from_ada = past([assigned(ADA)]).decide(Return {}, &clerk());
    assert_eq!(from_ada, one(Returned::from(Some(ADA))));
    assert_eq!(past([in_repair()]).decide(Return {}, &clerk()), one(Returned::from(None)));
    let back = past([assigned(ADA), Returned::from(Some(ADA)).into()]);
    let piece = back.state.piece().expect("a piece");
    assert_eq!((piece.status, piece.assigned_to), (AssetStatus::Active, None));
}

#[test]
fn repair_takes_it_from_whoever_has_it() {
    let broken = SendToRepair { reason: Some(value("screen")) };
    let sent = SentToRepair { from: Some(ADA), reason: Some(value("screen")) };
    assert_eq!(past([assigned(ADA)]).decide(broken.clone(), &clerk()), one(sent.clone()));
    let away = past([assigned(ADA), sent.into()]);
    let piece = away.state.piece().expect("a piece");
    assert_eq!((piece.status, piece.assigned_to), (AssetStatus::InRepair, None));
    assert_eq!(away.decide(broken, &clerk()), NOTHING);
}

#[test]
fn it_moves_and_is_described() {
    let to = |place: &str| Move { location: value(place) };
    assert_eq!(past([]).decide(to("Prague"), &clerk()), NOTHING);
    assert_eq!(past([]).decide(to("Brno"), &clerk()), one(Moved { location: value("Brno") }));
    let same = Specify {
        manufacturer: None,
        model: Some(value("X1")),
        serial_number: None,
        purchase_date: register().purchase_date,
        warranty_expires: None,
        specifications: register().specifications,
    };
    assert_eq!(past([]).decide(same.clone(), &clerk()), NOTHING);
    let more = Specify { serial_number: Some(value("S-7")), specifications: None, ..same };
    let specified = Specified(more.particulars());
    assert_eq!(past([]).decide(more, &clerk()), one(specified.clone()));
    let described = past([specified.clone().into()]);
    assert_eq!(described.state.piece().map(|piece| &piece.particulars), Some(&specified.0));
}

#[test]
fn what_is_retired_stays_so_and_nobody_has_it() {
    let retire = || Retire { reason: Some(value("old")) };
    let gone = Retired { from: Some(ADA), reason: Some(value("old")) };
    assert_eq!(past([assigned(ADA)]).decide(retire(), &clerk()), one(gone.clone()));
    let state = past([assigned(ADA), gone.into()]).state;
    let piece = state.piece().expect("a piece");
    assert_eq!((piece.status, piece.assigned_to), (AssetStatus::Retired, None));
    assert_eq!(Asset::default().effects(BOB, &retired()).lifecycle, Lifecycle::Closes);
    assert_eq!(past([retired()]).decide(retire(), &clerk()), NOTHING);
    let commands: [AssetCommand; 5] = [
        Assign { user_id: ADA }.into(),
        Return {}.into(),
        Move { location: value("Brno") }.into(),
        SendToRepair { reason: None }.into(),
        specify_nothing().into(),
    ];
    for command in commands {
        let refused = past([retired()]).decide(command, &clerk());
        assert_refused(refused, Rule, "asset-retired", "the asset is retired");
    }
}

fn specify_nothing() -> Specify {
    serde_json::from_value(json!({})).expect("a command")
}

#[test]
fn nothing_is_asked_of_no_asset() {
    let commands: [AssetCommand; 6] = [
        Assign { user_id: ADA }.into(),
        Return {}.into(),
        Move { location: value("Brno") }.into(),
        SendToRepair { reason: None }.into(),
        Retire { reason: None }.into(),
        specify_nothing().into(),
    ];
    for command in commands {
        let refused = given::<Asset>([]).decide(command, &clerk());
        assert_refused(refused, NotFound, "asset-not-found", "there is no such asset");
    }
}

#[test]
fn it_belongs_to_whoever_has_it() {
    let owner = |events: Vec<AssetEvent>| past(events).state.owner(BOB, &Return {}.into());
    assert_eq!(owner(vec![]), None);
    assert_eq!(owner(vec![assigned(ADA)]), Some(ADA));
    assert_eq!(owner(vec![assigned(ADA), in_repair()]), None);
    assert_eq!(past([]).state.reads(&Assign { user_id: BOB }.into()), Some(BOB));
}

#[test]
fn its_particulars_stand_flat_in_the_log() {
    let event = registered();
    assert_eq!(through_json(&event), event);
    let AssetEvent::Registered(event) = event else { panic!("registered") };
    let data = serde_json::to_value(&event).expect("JSON");
    assert_eq!(data["model"], "X1");
    assert_eq!(data["specifications"], json!({ "ram_gb": 32 }));
}
