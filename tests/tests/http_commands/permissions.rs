//! Who may send what: every command, every built-in role, on one's own and on another's.

mod banking;
mod content;
mod contracts;
mod datacentre;
mod identity;
mod open_banking;
mod organizations;
mod platform;
mod reads;
mod recycling;
mod services;
mod support;

use std::collections::BTreeSet;

use daybook_domain::catalog::AGGREGATES;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{House, Person, Server, opening};

const ROLES: [(char, &str); 5] =
    [('a', "admin"), ('m', "manager"), ('u', "user"), ('v', "viewer"), ('r', "auditor")];

/// What a context's part of the table says: its commands with the roles that may send them to what
/// is their own, and to what is another's. A command that is in no part fails the test.
pub(super) struct Part {
    context: &'static str,
    may: &'static [(&'static str, &'static str, &'static str)],
    fields: fn(&str, &Belongings, &Belongings) -> Value,
    target: fn(&str, &Belongings) -> String,
}

const PARTS: &[Part] = &[
    identity::PART,
    organizations::PART,
    content::PART,
    services::PART,
    banking::PART,
    open_banking::PART,
    recycling::PART,
    support::PART,
    datacentre::PART,
    contracts::PART,
    platform::PART,
];

/// A kind, a command and its fields.
pub(super) type Made = (&'static str, &'static str, Value);

/// What is made for everyone besides an account: kind, command and fields, with the id by [`made`].
const MAKES: &[fn(Uuid) -> Vec<Made>] = &[
    identity::makes,
    organizations::makes,
    content::makes,
    services::makes,
    open_banking::makes,
    recycling::makes,
    support::makes,
    datacentre::makes,
    contracts::makes,
    platform::makes,
];

/// The id of the thing of this kind that was made for a person.
pub(super) fn made(kind: &str, person: Uuid) -> Uuid {
    Uuid::new_v5(&person, kind.as_bytes())
}

/// Makes what is to belong to a person.
async fn make(house: &House, person: Uuid) {
    for (kind, command, mut fields) in MAKES.iter().flat_map(|makes| makes(person)) {
        fields["id"] = made(kind, person).to_string().into();
        house.engine.as_system(kind, command, fields).await.expect(kind);
    }
}

fn part(command: &str) -> &'static Part {
    let context = command.split('.').next();
    PARTS.iter().find(|part| Some(part.context) == context).expect("the context has a part")
}

fn may_table() -> impl Iterator<Item = &'static (&'static str, &'static str, &'static str)> {
    PARTS.iter().flat_map(|part| part.may)
}

/// What belongs to someone.
pub(super) struct Belongings {
    person: Person,
    account: String,
}

#[test]
fn every_command_is_in_the_table() {
    let known: BTreeSet<String> = AGGREGATES
        .iter()
        .flat_map(|aggregate| {
            aggregate.commands.iter().map(|command| format!("{}.{}", aggregate.kind, command.name))
        })
        .collect();
    let listed: BTreeSet<String> = may_table().map(|(command, ..)| (*command).to_owned()).collect();
    assert_eq!(listed, known, "say in the parts who may send each command");
    assert_eq!(listed.len(), may_table().count(), "a command stands there twice");
}

/// Whether `who` may send the command to what `owner` has, alone and in a batch.
async fn may(
    server: &Server,
    who: &Person,
    command: &str,
    owner: &Belongings,
    other: &Belongings,
) -> bool {
    let (kind, name) = command.rsplit_once('.').expect("a command");
    let entry = daybook_domain::catalog::by_kind(kind).expect("an aggregate");
    let part = part(command);
    let Some(path) = entry.path else {
        let line = json!({ "type": command, "stream_id": daybook_domain::identity::admins::ADMINS_STREAM,
            "data": { "user_id": who.id } });
        return server.many(&who.key, &[line]).await[0]["status"] != 404;
    };
    let path = if name == entry.creates {
        format!("/v1/{path}?dry_run=true")
    } else {
        format!("/v1/{path}/{}/{name}?dry_run=true", (part.target)(kind, owner))
    };
    let asked = server.post(&who.key, &path, (part.fields)(command, owner, other)).await;
    let readable = [200, 403, 409].contains(&asked.status.as_u16());
    assert!(readable, "{command} as {}: {asked:?}", who.id);
    asked.status != 403
}

#[tokio::test]
async fn roles_may_what_the_table_says() {
    let (house, server) = House::served().await;
    let mut people = Vec::new();
    for (letter, role) in ROLES {
        let person = house.person(&format!("p-{role}"), role, &["*"]).await;
        let number = format!("W-{role}");
        let account = house
            .engine
            .as_system("banking.account", "open", opening(person.id, &number))
            .await
            .expect("an account")
            .appended
            .stream_id
            .to_string();
        let deposit = json!({ "id": account, "amount": "10.00" });
        house.engine.as_system("banking.account", "deposit", deposit).await.expect("a deposit");
        make(&house, person.id).await;
        people.push((letter, Belongings { person, account }));
    }
    let bystander = house.person("bystander", "user", &["*"]).await;
    let account = server.account(&house.admin.key, bystander.id, "W-b", "10.00").await;
    make(&house, bystander.id).await;
    let bystander = Belongings { person: bystander, account };
    house.posted().await;
    let before = house.events().await;
    let mut wrong = Vec::new();
    for (command, own, others) in may_table() {
        for (letter, belongings) in &people {
            let who = &belongings.person;
            let found = may(&server, who, command, belongings, &bystander).await;
            if found != own.contains(*letter) {
                wrong.push(format!("{letter} {command} to their own: {found}"));
            }
            let found = may(&server, who, command, &bystander, belongings).await;
            if found != others.contains(*letter) {
                wrong.push(format!("{letter} {command} to another's: {found}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(house.events().await, before);
}

#[tokio::test]
async fn a_role_is_not_taken_but_given() {
    let (house, server) = House::served().await;
    let clerk = house.person("clerk", "manager", &["*"]).await;
    let ada = house.person("ada", "user", &["*"]).await;
    house.posted().await;
    for who in [&clerk, &ada] {
        let path = format!("/v1/identity/users/{}/change_role", who.id);
        server.post(&who.key, &path, json!({ "role": "admin" })).await.refused(403, "forbidden");
        // Nor by way of an account: the bank grants overdrafts.
        let mut fields = opening(who.id, "Q-1");
        fields["overdraft_limit"] = "1000000.00".into();
        let asked = server.post(&who.key, "/v1/banking/accounts?dry_run=true", fields).await;
        if who.id == ada.id {
            asked.refused(403, "overdraft-needs-manager");
        } else {
            asked.ok();
        }
    }
    // The users that are parts of the service are nobody's to change, and have no keys.
    for system in [daybook_domain::context::SYSTEM_USER, daybook_domain::context::IMPORTER_USER] {
        for (name, fields) in [
            ("suspend", json!({})),
            ("change_password", json!({ "password": "a password of length" })),
            ("delete", json!({})),
        ] {
            let path = format!("/v1/identity/users/{system}/{name}");
            server.post(&house.admin.key, &path, fields).await.refused(409, "system-user");
        }
        let fields = json!({ "user_id": system, "name": "k", "scopes": ["*"] });
        server
            .post(&house.admin.key, "/v1/identity/api_keys", fields)
            .await
            .refused(409, "owner-is-system-user");
    }
    // Nobody acts for an organization that they are not a member of.
    let headers = [("x-organization-id", "0193f3c4-0000-7000-8000-000000000000")];
    let asked = server
        .post_with(&house.admin.key, "/v1/banking/accounts", opening(ada.id, "Q-2"), &headers)
        .await;
    asked.refused(403, "forbidden");
}
