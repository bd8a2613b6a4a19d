use super::commands::Resume;
use super::*;
use crate::aggregate::RefusalSort::{Exists, NotFound, Rule};
use crate::aggregate::{Given, given};
use crate::testing::*;
use crate::values::UserRole;

const ORG: Uuid = Uuid::from_u128(0x0c);
const ID: Uuid = Uuid::from_u128(0xb111);
const NOTHING: Decision = Ok(vec![]);

fn details() -> Details {
    Details {
        billing_email: personal("bills@example.org"),
        company_name: personal("Oakford Ltd"),
        address_line1: Some(personal("1 High Street")),
        address_line2: None,
        city: Some(personal("Oakford")),
        region: None,
        postal_code: Some(personal("OX1 1AA")),
        country: Some(value("GB")),
        tax_id: Some(personal("GB123456789")),
    }
}

fn opened() -> BillingAccountEvent {
    Opened { org_id: ORG, currency: value("GBP"), details: details() }.into()
}

fn open() -> Open {
    Open {
        org_id: ORG,
        billing_email: personal("bills@example.org"),
        company_name: personal("Oakford Ltd"),
        address_line1: Some(personal("1 High Street")),
        address_line2: Some(personal(" ")),
        city: Some(personal("Oakford")),
        region: Some(personal("")),
        postal_code: Some(personal("OX1 1AA")),
        country: Some(value("GB")),
        tax_id: Some(personal("GB123456789")),
        currency: value("GBP"),
    }
}

const NO_CHANGE: ChangeDetails = ChangeDetails {
    billing_email: None,
    company_name: None,
    address_line1: None,
    address_line2: None,
    city: None,
    region: None,
    postal_code: None,
    country: None,
    tax_id: None,
};

fn suspended() -> BillingAccountEvent {
    Suspended { reason: None }.into()
}

fn closed() -> BillingAccountEvent {
    Closed { org_id: ORG, reason: None }.into()
}

fn past(events: impl IntoIterator<Item = BillingAccountEvent>) -> Given<BillingAccount> {
    given(events).knowing(BillingAccountFacts { organization: OrganizationStanding::Present })
}

fn asked() -> Context {
    asked_as(UserRole::User)
}

#[test]
fn it_is_opened_for_an_organization_that_is_there() {
    assert_eq!(past([]).decide(open(), &asked()), Ok(vec![opened()]));
    let decide = |organization| {
        given::<BillingAccount>([])
            .knowing(BillingAccountFacts { organization })
            .decide(open(), &asked())
    };
    let says = format!("there is no organization {ORG} to be billed");
    let refused = decide(OrganizationStanding::Unknown);
    assert_refused(refused, Rule, "organization-not-found", &says);
    let says = format!("the organization {ORG} is deleted; restore it first");
    let refused = decide(OrganizationStanding::Deleted);
    assert_refused(refused, Rule, "organization-deleted", &says);
    let again = past([opened()]).decide(open(), &asked());
    let says = "this billing account is open already";
    assert_refused(again, Exists, "billing-account-already-open", says);
}

#[test]
fn details_change_one_by_one() {
    let past = past([opened()]);
    let change = |command| past.decide(command, &asked());
    assert_eq!(change(NO_CHANGE), NOTHING);
    let same = ChangeDetails { city: Some(personal("Oakford")), ..NO_CHANGE };
    assert_eq!(change(same), NOTHING);
    let asked = ChangeDetails {
        company_name: Some(personal("Nexus Ltd")),
        tax_id: Some(personal("")),
        country: Some(value("CZ")),
        ..NO_CHANGE
    };
    let details = Details {
        company_name: personal("Nexus Ltd"),
        tax_id: None,
        country: Some(value("CZ")),
        ..details()
    };
    assert_eq!(change(asked), one(DetailsChanged { details }));
}

#[test]
fn it_is_suspended_and_resumed() {
    let suspend = Suspend { reason: None };
    assert_eq!(past([opened()]).decide(suspend.clone(), &asked()), Ok(vec![suspended()]));
    assert_eq!(past([opened()]).decide(Resume {}, &asked()), NOTHING);
    let waiting = past([opened(), suspended()]);
    assert_eq!(waiting.decide(suspend, &asked()), NOTHING);
    assert_eq!(waiting.decide(Resume {}, &asked()), one(Resumed {}));
    let back = past([opened(), suspended(), Resumed {}.into()]);
    assert_eq!(back.state, past([opened()]).state);
}

#[test]
fn it_is_closed_for_good() {
    let close = Close { reason: None };
    for events in [vec![opened()], vec![opened(), suspended()]] {
        assert_eq!(past(events).decide(close.clone(), &asked()), Ok(vec![closed()]));
    }
    let ended = past([opened(), closed()]);
    assert_eq!(ended.decide(close, &asked()), NOTHING);
    let says = "the billing account is closed for good; open another one";
    for refused in [
        ended.decide(NO_CHANGE, &asked()),
        ended.decide(Suspend { reason: None }, &asked()),
        ended.decide(Resume {}, &asked()),
    ] {
        assert_refused(refused, Rule, "billing-account-closed", says);
    }
}

#[test]
fn what_was_never_opened_does_nothing() {
    let commands: [BillingAccountCommand; 4] = [
        NO_CHANGE.into(),
        Suspend { reason: None }.into(),
        Resume {}.into(),
        Close { reason: None }.into(),
    ];
    for command in commands {
        assert_eq!(BillingAccount::default().organization(ID, &command), None);
        let refused = past([]).decide(command, &asked());
        let says = "there is no such billing account";
        assert_refused(refused, NotFound, "billing-account-not-found", says);
    }
}

#[test]
fn an_organization_has_one_that_is_not_closed() {
    let claim = vec![Claim::new(OPEN_CLAIM, ORG.to_string())];
    let effects = BillingAccount::default().effects(ID, &opened());
    assert_eq!((effects.claims, effects.references), (claim.clone(), vec![ORG]));
    let state = past([opened()]).state;
    assert_eq!(state.effects(ID, &suspended()), Effects::default());
    let effects = state.effects(ID, &closed());
    assert_eq!((effects.lifecycle, effects.releases), (Lifecycle::Closes, claim));
    assert_eq!(state.organization(ID, &Resume {}.into()), Some(ORG));
    assert_eq!(state.owner(ID, &Resume {}.into()), None);
}

#[test]
fn personal_details_are_not_told() {
    let told = format!("{:?}", details());
    assert!(!told.contains("Oakford") && !told.contains("bills@"), "{told}");
    assert_eq!(through_json(&opened()), opened());
}
