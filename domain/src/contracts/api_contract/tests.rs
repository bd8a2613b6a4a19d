use super::commands::*;
use super::events::*;
use super::*;
use crate::aggregate::RefusalSort::{Exists, Invalid, NotFound, Rule as Forbidden};
use crate::aggregate::{Given, given};
use crate::contracts::governance_rule::Check;
use crate::testing::*;
use crate::values::UserRole;

type Decision = Result<Vec<ApiContractEvent>, ApiContractError>;

const NOTHING: Decision = Ok(vec![]);

fn one(event: impl Into<ApiContractEvent>) -> Decision {
    Ok(vec![event.into()])
}

fn asked() -> Context {
    asked_as(UserRole::Manager)
}

fn register(url: &str) -> Register {
    Register {
        canonical_name: value("example.com/pets"),
        version: value("1.2.0"),
        description: None,
        base_url: value(url),
    }
}

fn registered(findings: Vec<Finding>) -> Registered {
    let Register { canonical_name, version, description, base_url } =
        register("http://example.com");
    Registered { canonical_name, version, description, base_url, findings }
}

/// A contract at version 1.2.0, after what else happened.
fn contract(more: impl IntoIterator<Item = ApiContractEvent>) -> Given<ApiContract> {
    given([registered(vec![]).into()].into_iter().chain(more))
}

fn revise(version: &str) -> Revise {
    Revise { version: value(version), description: None, base_url: None }
}

fn revised(version: &str) -> Revised {
    Revised {
        version: value(version),
        description: None,
        base_url: value("http://example.com"),
        findings: vec![],
    }
}

fn archived() -> ApiContractEvent {
    Archived { reason: None }.into()
}

fn rules(severities: &[Severity]) -> ApiContractFacts {
    let checks = [Check::HttpsOnly {}, Check::DescriptionRequired { min_length: 1 }];
    let rules = (1..).zip(checks).zip(severities).map(|((n, check), severity)| {
        let rule_name = value(check.kind());
        (Uuid::from_u128(n), Rule { rule_name, check, severity: *severity })
    });
    ApiContractFacts { rules: rules.collect() }
}

fn finding(n: u128, name: &str, severity: Severity, detail: Option<&str>) -> Finding {
    Finding {
        rule_id: Uuid::from_u128(n),
        rule_name: value(name),
        severity,
        passed: detail.is_none(),
        detail: detail.map(str::to_owned),
    }
}

const NOT_HTTPS: &str = "http://example.com is not https";
const NOT_DESCRIBED: &str = "a description of at least 1 characters is missing, this has 0";

#[test]
fn it_is_registered_once() {
    assert_eq!(
        given::<ApiContract>([]).decide(register("http://example.com"), &asked()),
        one(registered(vec![]))
    );
    let again = contract([]).decide(register("http://example.com"), &asked());
    let says = "this API contract is registered already";
    assert_refused(again, Exists, "api-contract-already-registered", says);
}

#[test]
fn every_rule_in_effect_is_asked_and_its_answer_kept() {
    use Severity::{Error, Warning};
    let facts = || rules(&[Warning, Warning]);
    let findings = |https: Option<&str>| {
        vec![
            finding(1, "https_only", Warning, https),
            finding(2, "description_required", Warning, Some(NOT_DESCRIBED)),
        ]
    };
    let plain =
        given::<ApiContract>([]).knowing(facts()).decide(register("http://example.com"), &asked());
    assert_eq!(plain, one(registered(findings(Some(NOT_HTTPS)))));
    let Ok(safe) =
        given::<ApiContract>([]).knowing(facts()).decide(register("https://example.com"), &asked())
    else {
        panic!("registered")
    };
    let ApiContractEvent::Registered(safe) = &safe[0] else { panic!("registered") };
    assert_eq!(safe.findings, findings(None));

    let to_https = || Revise { base_url: Some(value("https://example.com")), ..revise("1.3.0") };
    let revision = contract([]).knowing(rules(&[Error])).decide(to_https(), &asked());
    let findings = vec![finding(1, "https_only", Error, None)];
    assert_eq!(
        revision,
        one(Revised { base_url: value("https://example.com"), findings, ..revised("1.3.0") })
    );
}

#[test]
fn a_broken_rule_that_is_an_error_refuses() {
    use Severity::{Error, Warning};
    let decide = |facts| {
        given::<ApiContract>([]).knowing(facts).decide(register("http://example.com"), &asked())
    };
    let says = format!("1 governance rules refuse this: https_only: {NOT_HTTPS}");
    assert_refused(decide(rules(&[Error, Warning])), Forbidden, "governance-refuses", &says);
    let both = format!(
        "2 governance rules refuse this: https_only: {NOT_HTTPS}; description_required: {NOT_DESCRIBED}"
    );
    assert_refused(decide(rules(&[Error, Error])), Forbidden, "governance-refuses", &both);
    let revision = contract([]).knowing(rules(&[Error])).decide(revise("1.3.0"), &asked());
    assert_refused(revision, Forbidden, "governance-refuses", &says);
}

#[test]
fn versions_in_semver_only_grow() {
    let decide = |version: &str| {
        contract([revised("2.0.0-rc.1").into(), revised("stable").into()])
            .decide(revise(version), &asked())
    };
    assert_eq!(decide("2.0.0-rc.2"), one(revised("2.0.0-rc.2")));
    assert_eq!(decide("2.0.0"), one(revised("2.0.0")));
    assert_eq!(decide("2.0.0-rc.10"), one(revised("2.0.0-rc.10")));
    for lower in ["1.2.0", "1.10.0", "2.0.0-rc.1", "2.0.0-beta", "2.0.0-rc.1+build.7"] {
        let says = format!("versions only grow: {lower} is not above 2.0.0-rc.1");
        assert_refused(decide(lower), Forbidden, "version-not-above", &says);
    }
}

#[test]
fn versions_of_other_schemes_are_new() {
    let decide = |version: &str| {
        contract([revised("v1beta1").into(), revised("v1").into()])
            .decide(revise(version), &asked())
    };
    assert_eq!(decide("v2"), one(revised("v2")));
    assert_eq!(decide("1.3.0"), one(revised("1.3.0")));
    assert_eq!(decide("v1"), NOTHING);
    let says = "the contract had the version \"v1beta1\" before";
    assert_refused(decide("v1beta1"), Forbidden, "version-used", says);
    let elsewhere = Revise { base_url: Some(value("https://elsewhere.example")), ..revise("v1") };
    let refused = contract([revised("v1").into()]).decide(elsewhere, &asked());
    assert_refused(
        refused,
        Forbidden,
        "version-used",
        "the contract had the version \"v1\" before",
    );
}

#[test]
fn a_revision_keeps_what_it_does_not_name() {
    let described = Revise { description: Some(value("Pets")), ..revise("1.3.0") };
    let event = Revised { description: Some(value("Pets")), ..revised("1.3.0") };
    assert_eq!(contract([]).decide(described, &asked()), one(event.clone()));
    let next = contract([event.into()]).decide(revise("1.4.0"), &asked());
    assert_eq!(next, one(Revised { description: Some(value("Pets")), ..revised("1.4.0") }));
    assert_eq!(contract([]).decide(revise("1.2.0"), &asked()), NOTHING);
}

#[test]
fn it_is_deprecated_and_archived_once() {
    let (deprecate, archive) = (|| Deprecate { reason: None }, || Archive { reason: None });
    let deprecated = || -> ApiContractEvent { Deprecated { reason: None }.into() };
    assert_eq!(contract([]).decide(deprecate(), &asked()), Ok(vec![deprecated()]));
    assert_eq!(contract([deprecated()]).decide(deprecate(), &asked()), NOTHING);
    assert_eq!(contract([deprecated()]).decide(revise("1.3.0"), &asked()), one(revised("1.3.0")));
    assert_eq!(contract([]).decide(archive(), &asked()), Ok(vec![archived()]));
    assert_eq!(contract([deprecated()]).decide(archive(), &asked()), Ok(vec![archived()]));
    assert_eq!(contract([archived()]).decide(archive(), &asked()), NOTHING);
    let commands: [ApiContractCommand; 3] =
        [revise("1.3.0").into(), deprecate().into(), permanent("pets").into()];
    for command in commands {
        let refused = contract([archived()]).decide(command, &asked());
        assert_refused(refused, Forbidden, "api-contract-archived", "the API contract is archived");
    }
}

fn permanent(name: &str) -> AddAlias {
    AddAlias {
        alias_name: value(name),
        context: value("web"),
        alias_type: AliasType::Permanent,
        expires_at: None,
        description: None,
    }
}

fn temporary(minutes: i64) -> AddAlias {
    AddAlias {
        alias_type: AliasType::Temporary,
        expires_at: Some(after_noon(minutes)),
        ..permanent("pets")
    }
}

fn added(command: AddAlias) -> ApiContractEvent {
    let AddAlias { alias_name, context, alias_type, expires_at, description } = command;
    let alias_id = asked().fresh_id(0);
    AliasAdded { alias_id, alias_name, context, alias_type, expires_at, description }.into()
}

fn ended() -> ApiContractEvent {
    AliasDeactivated { alias_id: asked().fresh_id(0), reason: None }.into()
}

#[test]
fn an_alias_is_added_once_and_never_again() {
    let with = |events: Vec<ApiContractEvent>| contract(events);
    assert_eq!(
        with(vec![]).decide(permanent("pets"), &asked()),
        Ok(vec![added(permanent("pets"))])
    );
    assert_eq!(with(vec![added(permanent("pets"))]).decide(permanent("pets"), &asked()), NOTHING);
    let other = with(vec![added(permanent("pets"))]).decide(temporary(9), &asked());
    let says = "\"pets\" is an alias in \"web\" already, of another sort";
    assert_refused(other, Exists, "alias-taken", says);
    let after = with(vec![added(permanent("pets")), ended()]).decide(permanent("pets"), &asked());
    let says = "\"pets\" is an alias in \"web\" already, though it ended";
    assert_refused(after, Exists, "alias-taken", says);
    let elsewhere = AddAlias { context: value("mobile"), ..permanent("pets") };
    assert!(with(vec![added(permanent("pets"))]).decide(elsewhere, &asked()).is_ok());
}

#[test]
fn a_temporary_alias_ends_in_the_future_and_a_permanent_one_never() {
    let decide = |command: AddAlias| contract([]).decide(command, &asked());
    assert_eq!(decide(temporary(1)), Ok(vec![added(temporary(1))]));
    let says =
        "an alias expires in the future: 2023-11-14T22:13:20Z is not after 2023-11-14T22:13:20Z";
    assert_refused(decide(temporary(0)), Invalid, "expiry-not-in-future", says);
    let endless = AddAlias { expires_at: None, ..temporary(1) };
    assert_refused(
        decide(endless),
        Invalid,
        "expiry-missing",
        "a temporary alias says when it expires",
    );
    let ending = AddAlias { alias_type: AliasType::Permanent, ..temporary(1) };
    let says = "a permanent alias does not expire, this says 2023-11-14T22:14:20Z";
    assert_refused(decide(ending), Invalid, "expiry-of-permanent", says);
}

#[test]
fn an_alias_is_deactivated_also_on_an_archived_contract() {
    let deactivate = || DeactivateAlias { alias_id: asked().fresh_id(0), reason: None };
    let alias = || added(permanent("pets"));
    assert_eq!(contract([alias()]).decide(deactivate(), &asked()), Ok(vec![ended()]));
    assert_eq!(contract([alias(), archived()]).decide(deactivate(), &asked()), Ok(vec![ended()]));
    assert_eq!(contract([alias(), ended()]).decide(deactivate(), &asked()), NOTHING);
    let unknown = contract([]).decide(deactivate(), &asked());
    let says = format!("the contract has no alias {}", asked().fresh_id(0));
    assert_refused(unknown, Forbidden, "alias-not-found", &says);
}

#[test]
fn an_alias_expires_when_its_time_has_come() {
    let alias_id = asked().fresh_id(0);
    let decide = |alias: AddAlias, minutes: i64| {
        let context = Context { now: after_noon(minutes), ..asked() };
        contract([added(alias)]).decide(ExpireAlias { alias_id: Some(alias_id) }, &context)
    };
    assert_eq!(decide(temporary(9), 9), one(AliasExpired { alias_id }));
    let says = "the alias expires at 2023-11-14T22:22:20Z, not before";
    assert_refused(decide(temporary(9), 8), Forbidden, "alias-not-due", says);
    let never = decide(permanent("pets"), 9);
    assert_refused(never, Forbidden, "alias-not-due", "the alias never expires");
    let over = contract([added(temporary(9)), AliasExpired { alias_id }.into()]);
    assert_eq!(over.decide(ExpireAlias { alias_id: Some(alias_id) }, &asked()), NOTHING);
    assert_eq!(over.decide(DeactivateAlias { alias_id, reason: None }, &asked()), NOTHING);
}

#[test]
fn all_aliases_whose_time_has_come_expire_together() {
    let alias = |n: u128, minutes: Option<i64>| -> ApiContractEvent {
        AliasAdded {
            alias_id: Uuid::from_u128(n),
            alias_name: value(&n.to_string()),
            context: value("web"),
            alias_type: if minutes.is_some() { AliasType::Temporary } else { AliasType::Permanent },
            expires_at: minutes.map(after_noon),
            description: None,
        }
        .into()
    };
    let decide = |events: Vec<ApiContractEvent>, minutes: i64| {
        let context = Context { now: after_noon(minutes), ..asked() };
        contract(events).decide(ExpireAlias { alias_id: None }, &context)
    };
    let all = || vec![alias(1, Some(5)), alias(2, Some(9)), alias(3, None), alias(4, Some(7))];
    let expired = |n| -> ApiContractEvent { AliasExpired { alias_id: Uuid::from_u128(n) }.into() };
    assert_eq!(decide(all(), 8), Ok(vec![expired(1), expired(4)]));
    let later = [all(), vec![expired(1), expired(4)]].concat();
    let says = "the alias expires at 2023-11-14T22:22:20Z, not before";
    assert_refused(decide(later.clone(), 8), Forbidden, "alias-not-due", says);
    assert_eq!(decide(later, 9), Ok(vec![expired(2)]));
    assert_eq!(decide(vec![alias(3, None)], 9), NOTHING);
}

#[test]
fn it_has_room_for_a_thousand_aliases() {
    let alias = |n: u128| -> ApiContractEvent {
        let AddAlias { alias_name, context, alias_type, .. } = permanent(&n.to_string());
        let (alias_id, expires_at, description) = (Uuid::from_u128(n), None, None);
        AliasAdded { alias_id, alias_name, context, alias_type, expires_at, description }.into()
    };
    assert!(contract((1..1_000).map(alias)).decide(permanent("pets"), &asked()).is_ok());
    let full = contract((0..1_000).map(alias)).decide(permanent("pets"), &asked());
    let says = "an API contract has at most 1000 aliases, those that ended among them";
    assert_refused(full, Forbidden, "too-many-aliases", says);
}

#[test]
fn nothing_is_asked_of_no_contract() {
    let alias_id = asked().fresh_id(0);
    let commands: [ApiContractCommand; 6] = [
        revise("1.3.0").into(),
        Deprecate { reason: None }.into(),
        Archive { reason: None }.into(),
        permanent("pets").into(),
        DeactivateAlias { alias_id, reason: None }.into(),
        ExpireAlias { alias_id: Some(alias_id) }.into(),
    ];
    for command in commands {
        let refused = given::<ApiContract>([]).decide(command, &asked());
        let says = "there is no such API contract";
        assert_refused(refused, NotFound, "api-contract-not-found", says);
    }
}

#[test]
fn its_name_and_its_aliases_are_claimed_and_its_end_is_final() {
    let none = ApiContract::default();
    let opens = none.effects(BOB, &registered(vec![]).into());
    assert_eq!(opens.lifecycle, Lifecycle::Opens);
    assert_eq!(opens.claims, [Claim::new("api_contract.canonical_name", "example.com/pets")]);
    let alias = none.effects(BOB, &added(permanent("pets")));
    assert_eq!(alias.claims, [Claim::new("api_alias.name_context", "web\npets")]);
    assert_eq!(none.effects(BOB, &ended()), Effects::default());
    assert_eq!(none.effects(BOB, &archived()).lifecycle, Lifecycle::Closes);
}
