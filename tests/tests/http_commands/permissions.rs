//! Who may send what: every command, every built-in role, on one's own and on another's.

use std::collections::BTreeSet;

use daybook_domain::catalog::AGGREGATES;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{House, Person, Server, opening, registration};

const ROLES: [(char, &str); 5] =
    [('a', "admin"), ('m', "manager"), ('u', "user"), ('v', "viewer"), ('r', "auditor")];

/// A command, the roles that may send it to what is their own, and to what is another's. A command
/// that is not here fails the test.
const MAY: &[(&str, &str, &str)] = &[
    ("identity.user.register", "a", "a"),
    ("identity.user.verify_email", "amuvr", "a"),
    ("identity.user.request_verification", "amuvr", "a"),
    ("identity.user.change_email", "amuvr", "a"),
    ("identity.user.change_username", "amuvr", "a"),
    ("identity.user.change_profile", "amuvr", "a"),
    ("identity.user.change_password", "amuvr", "a"),
    ("identity.user.change_role", "a", "a"),
    ("identity.user.record_login", "a", "a"),
    ("identity.user.record_failed_login", "a", "a"),
    ("identity.user.unlock", "a", "a"),
    ("identity.user.suspend", "a", "a"),
    ("identity.user.deactivate", "amuvr", "a"),
    ("identity.user.reactivate", "a", "a"),
    ("identity.user.delete", "amuvr", "a"),
    ("identity.user.restore", "a", "a"),
    // Nobody asks the roster from outside: it follows what happens to users.
    ("identity.admins.add", "", ""),
    ("identity.admins.remove", "", ""),
    ("identity.api_key.issue", "amuvr", "a"),
    ("identity.api_key.rotate", "amuvr", "a"),
    ("identity.api_key.revoke", "amuvr", "a"),
    ("identity.api_key.expire", "a", "a"),
    ("banking.account.open", "amu", "am"),
    ("banking.account.rename", "amu", "am"),
    ("banking.account.deposit", "amu", "am"),
    ("banking.account.withdraw", "amu", "am"),
    ("banking.account.charge_fee", "am", "am"),
    ("banking.account.post_interest", "am", "am"),
    ("banking.account.pay", "amu", "am"),
    ("banking.account.transfer", "amu", "am"),
    ("banking.account.receive_transfer", "am", "am"),
    ("banking.account.send_transfer", "amu", "am"),
    ("banking.account.complete_transaction", "am", "am"),
    ("banking.account.fail_transaction", "am", "am"),
    ("banking.account.cancel_transaction", "amu", "am"),
    ("banking.account.set_overdraft_limit", "am", "am"),
    ("banking.account.freeze", "amu", "am"),
    ("banking.account.unfreeze", "am", "am"),
    ("banking.account.close", "amu", "am"),
];

/// What belongs to someone.
struct Belongings {
    person: Person,
    account: String,
}

/// Fields with which the command can be read; whether a rule refuses it then does not matter.
fn fields(command: &str, owner: &Belongings, other_account: &str) -> Value {
    match command {
        "identity.user.register" => {
            let mut fields = registration("somebody");
            fields["password_hash"] = "!".into();
            fields.as_object_mut().expect("fields").remove("password");
            fields
        }
        "identity.user.verify_email" => json!({ "token": "x" }),
        "identity.user.change_email" => json!({ "email": "new@example.org" }),
        "identity.user.change_username" => json!({ "username": "new" }),
        "identity.user.change_password" => json!({ "password": "a password of length" }),
        "identity.user.change_role" => json!({ "role": "viewer" }),
        "identity.api_key.issue" => {
            json!({ "user_id": owner.person.id, "name": "k", "scopes": ["identity.api_key:read"] })
        }
        "banking.account.open" => opening(owner.person.id, "W-9"),
        "banking.account.rename" => json!({ "account_name": "New" }),
        "banking.account.deposit"
        | "banking.account.withdraw"
        | "banking.account.charge_fee"
        | "banking.account.pay" => json!({ "amount": "1.00" }),
        "banking.account.post_interest" => json!({ "amount": "1.00", "direction": "credit" }),
        "banking.account.transfer" => json!({ "amount": "1.00", "to_account_id": other_account }),
        "banking.account.receive_transfer" | "banking.account.send_transfer" => {
            json!({ "amount": "1.00", "counterparty_bank": "B", "counterparty_account": "1" })
        }
        "banking.account.complete_transaction"
        | "banking.account.fail_transaction"
        | "banking.account.cancel_transaction" => json!({ "transaction_id": Uuid::now_v7() }),
        "banking.account.set_overdraft_limit" => json!({ "overdraft_limit": "5.00" }),
        _ => json!({}),
    }
}

fn target(kind: &str, owner: &Belongings) -> String {
    match kind {
        "identity.user" => owner.person.id.to_string(),
        "identity.api_key" => owner.person.key_id.to_string(),
        _ => owner.account.clone(),
    }
}

#[test]
fn every_command_is_in_the_table() {
    let known: BTreeSet<String> = AGGREGATES
        .iter()
        .flat_map(|aggregate| {
            aggregate.commands.iter().map(|command| format!("{}.{}", aggregate.kind, command.name))
        })
        .collect();
    let listed: BTreeSet<String> = MAY.iter().map(|(command, ..)| (*command).to_owned()).collect();
    assert_eq!(listed, known, "say in MAY who may send each command");
    assert_eq!(listed.len(), MAY.len(), "a command stands there twice");
}

/// Whether `who` may send the command to what `owner` has, alone and in a batch.
async fn may(
    server: &Server,
    who: &Person,
    command: &str,
    owner: &Belongings,
    other: &str,
) -> bool {
    let (kind, name) = command.rsplit_once('.').expect("a command");
    let entry = daybook_domain::catalog::by_kind(kind).expect("an aggregate");
    let Some(path) = entry.path else {
        let line = json!({ "type": command, "stream_id": daybook_domain::identity::admins::ADMINS_STREAM,
            "data": { "user_id": who.id } });
        return server.many(&who.key, &[line]).await[0]["status"] != 404;
    };
    let path = if name == entry.creates {
        format!("/v1/{path}?dry_run=true")
    } else {
        format!("/v1/{path}/{}/{name}?dry_run=true", target(kind, owner))
    };
    let asked = server.post(&who.key, &path, fields(command, owner, other)).await;
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
        people.push((letter, Belongings { person, account }));
    }
    let bystander = house.person("bystander", "user", &["*"]).await;
    let account = server.account(&house.admin.key, bystander.id, "W-b", "10.00").await;
    let bystander = Belongings { person: bystander, account };
    house.posted().await;
    let before = house.events().await;
    let mut wrong = Vec::new();
    for (command, own, others) in MAY {
        for (letter, belongings) in &people {
            let who = &belongings.person;
            let found = may(&server, who, command, belongings, &bystander.account).await;
            if found != own.contains(*letter) {
                wrong.push(format!("{letter} {command} to their own: {found}"));
            }
            let found = may(&server, who, command, &bystander, &belongings.account).await;
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
