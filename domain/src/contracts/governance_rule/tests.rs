use super::*;
use crate::aggregate::RefusalSort::{Exists, Invalid, NotFound};
use crate::aggregate::{Given, given};
use crate::testing::*;
use crate::values::UserRole;

type Decision = Result<Vec<GovernanceRuleEvent>, GovernanceRuleError>;

const NOTHING: Decision = Ok(vec![]);

fn one(event: impl Into<GovernanceRuleEvent>) -> Decision {
    Ok(vec![event.into()])
}

fn asked() -> Context {
    asked_as(UserRole::Manager)
}

fn define(check: Check) -> Define {
    Define {
        rule_name: value("safe"),
        check,
        severity: Severity::Error,
        description: None,
        enabled: true,
    }
}

fn defined(enabled: bool) -> GovernanceRuleEvent {
    let (rule_name, severity) = (value("safe"), Severity::Error);
    Defined { rule_name, check: Check::HttpsOnly {}, severity, description: None, enabled }.into()
}

fn rule(enabled: bool) -> Given<GovernanceRule> {
    given([defined(enabled)])
}

fn pattern(text: &str) -> Check {
    Check::NamePattern { pattern: value(text) }
}

fn hosts(names: &[&str]) -> Check {
    Check::HostAllowed { hosts: names.iter().map(|name| value(name)).collect() }
}

#[test]
fn it_is_defined_once() {
    assert_eq!(
        given::<GovernanceRule>([]).decide(define(Check::HttpsOnly {}), &asked()),
        Ok(vec![defined(true)])
    );
    let again = rule(true).decide(define(Check::HttpsOnly {}), &asked());
    let says = "this governance rule is defined already";
    assert_refused(again, Exists, "governance-rule-already-defined", says);
}

#[test]
fn it_is_in_effect_while_it_is_enabled() {
    let disable = || Disable { reason: None };
    assert!(rule(true).state.in_effect().is_some() && rule(false).state.in_effect().is_none());
    assert_eq!(rule(true).decide(disable(), &asked()), one(Disabled { reason: None }));
    assert_eq!(rule(false).decide(disable(), &asked()), NOTHING);
    assert_eq!(rule(false).decide(Enable {}, &asked()), one(Enabled {}));
    assert_eq!(rule(true).decide(Enable {}, &asked()), NOTHING);
    let off: Given<GovernanceRule> = given([defined(true), Disabled { reason: None }.into()]);
    assert!(off.state.in_effect().is_none());
    let on: Given<GovernanceRule> = given([defined(false), Enabled {}.into()]);
    assert!(on.state.in_effect().is_some());
}

#[test]
fn only_what_is_named_is_changed() {
    let change = |check: Option<Check>, severity: Option<Severity>| Change {
        check,
        severity,
        description: None,
    };
    let milder =
        Changed { check: Check::HttpsOnly {}, severity: Severity::Warning, description: None };
    assert_eq!(rule(true).decide(change(None, Some(Severity::Warning)), &asked()), one(milder));
    assert_eq!(
        rule(true).decide(change(Some(Check::HttpsOnly {}), Some(Severity::Error)), &asked()),
        NOTHING
    );
    let said = Change { check: None, severity: None, description: Some(value("no eavesdropping")) };
    let Ok(events) = rule(true).decide(said.clone(), &asked()) else { panic!("a change") };
    let changed = given::<GovernanceRule>([vec![defined(true)], events].concat());
    assert_eq!(changed.decide(said, &asked()), NOTHING);
}

#[test]
fn what_cannot_be_answered_is_refused() {
    for check in [pattern("("), pattern("a{1000}{1000}"), pattern("(?<n>a)\\k<n>")] {
        let change = Change { check: Some(check.clone()), severity: None, description: None };
        for refused in [
            given::<GovernanceRule>([]).decide(define(check), &asked()),
            rule(true).decide(change, &asked()),
        ] {
            let refusal = refused.expect_err("a pattern that cannot be used");
            assert_eq!((refusal.code(), refusal.sort()), ("pattern-unusable", Invalid));
            assert!(refusal.to_string().len() > 35, "{refusal}");
        }
    }
    for count in [0, MAX_HOSTS + 1] {
        let refused =
            given::<GovernanceRule>([]).decide(define(hosts(&vec!["a"; count])), &asked());
        let says = format!("a rule allows 1 to 1000 hosts, this {count}");
        assert_refused(refused, Invalid, "host-count", &says);
    }
}

#[test]
fn nothing_is_asked_of_no_rule() {
    let commands: [GovernanceRuleCommand; 3] = [
        Change { check: None, severity: None, description: None }.into(),
        Enable {}.into(),
        Disable { reason: None }.into(),
    ];
    for command in commands {
        let refused = given::<GovernanceRule>([]).decide(command, &asked());
        let says = "there is no such governance rule";
        assert_refused(refused, NotFound, "governance-rule-not-found", says);
    }
}

#[test]
fn its_name_is_claimed() {
    let effects = GovernanceRule::default().effects(BOB, &defined(true));
    assert_eq!(effects.lifecycle, Lifecycle::Opens);
    assert_eq!(effects.claims, [Claim::new("governance_rule.name", "safe")]);
}

/// What the check says to a contract that is as these are.
fn complaint(
    check: &Check,
    name: &str,
    version: &str,
    described: &str,
    url: &str,
) -> Option<String> {
    let (version, url) = (value(version), value(url));
    check.complaint(&Subject {
        canonical_name: name,
        version: &version,
        description: (!described.is_empty()).then_some(described),
        base_url: &url,
    })
}

#[test]
fn names_match_a_pattern() {
    let says = |text: &str, name: &str| complaint(&pattern(text), name, "1", "", "https://a");
    assert_eq!(says("^[a-z]+/[a-z]+$", "adobe/aem"), None);
    assert_eq!(
        says("^[a-z]+$", "adobe/aem").as_deref(),
        Some("the name \"adobe/aem\" does not match ^[a-z]+$")
    );
    assert_eq!(says("aem", "adobe/aem"), None, "anchored only where it says so");
    // What would take another kind of engine longer than anybody waits.
    assert!(says("^(a+)+$", &format!("{}b", "a".repeat(250))).is_some());
}

#[test]
fn only_https_is_https() {
    let says = |url: &str| complaint(&Check::HttpsOnly {}, "a", "1", "", url);
    assert_eq!(says("https://a.example"), None);
    assert_eq!(says("http://a.example").as_deref(), Some("http://a.example is not https"));
}

#[test]
fn versions_are_of_a_scheme() {
    for (scheme, right, wrong) in [
        (VersionScheme::Semver, &["1.2.0", "1.0.0-rc.1"][..], &["1.2", "v1.2.0", "2024-01-01"][..]),
        (
            VersionScheme::Date,
            &["2024-01-31", "2019-12-01-preview"],
            &["2024-02-30", "2024-01-31x", "1.2.0", "ärzte-2024"],
        ),
        (VersionScheme::Major, &["v1", "v20"], &["v", "1", "v1beta1", "v1.0"]),
    ] {
        let check = Check::VersionScheme { scheme };
        let says = |version: &str| complaint(&check, "a", version, "", "https://a");
        for version in right {
            assert_eq!(says(version), None, "{scheme} {version}");
        }
        for version in wrong {
            let expected = format!("the version {version:?} is not of the scheme {scheme}");
            assert_eq!(says(version), Some(expected));
        }
    }
}

#[test]
fn a_description_is_long_enough() {
    let says = |min_length, text: &str| {
        complaint(&Check::DescriptionRequired { min_length }, "a", "1", text, "https://a")
    };
    assert_eq!(says(1, "x"), None);
    assert_eq!(says(3, "ärz"), None);
    for (min_length, text, length) in [(1, "", 0), (1, "  ", 0), (4, " ärz ", 3)] {
        let expected = format!(
            "a description of at least {min_length} characters is missing, this has {length}"
        );
        assert_eq!(says(min_length, text), Some(expected));
    }
}

#[test]
fn hosts_are_allowed_by_name_or_from_a_name_down() {
    let check = hosts(&["api.example.com", "*.example.org"]);
    let says = |url: &str| complaint(&check, "a", "1", "", url);
    for url in
        ["https://API.example.com:8443/v1", "https://a.example.org", "http://a.b.EXAMPLE.org/"]
    {
        assert_eq!(says(url), None, "{url}");
    }
    for (url, host) in [
        ("https://example.org", "example.org"),
        ("https://badexample.org", "badexample.org"),
        ("https://api.example.com.evil.net/", "api.example.com.evil.net"),
        ("https://evil.net/api.example.com", "evil.net"),
    ] {
        assert_eq!(says(url), Some(format!("the host {host} is not allowed")));
    }
}

#[test]
fn a_check_is_read_by_its_kind_and_takes_no_more_than_it_knows() {
    let read = |json: &str| serde_json::from_str::<Check>(json);
    assert_eq!(read(r#"{"kind":"https_only"}"#).unwrap(), Check::HttpsOnly {});
    let described = read(r#"{"kind":"description_required"}"#).unwrap();
    assert_eq!(described, Check::DescriptionRequired { min_length: 1 });
    for check in [Check::HttpsOnly {}, pattern("a"), hosts(&["a"]), described] {
        let json = serde_json::to_value(&check).unwrap();
        assert_eq!(json["kind"], check.kind());
    }
    for wrong in [
        r#"{"kind":"https_only","more":1}"#,
        r#"{"kind":"soup"}"#,
        r#"{"kind":"name_pattern"}"#,
        "{}",
    ] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}
