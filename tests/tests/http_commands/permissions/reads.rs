//! Who may read what: every address that answers GET, asked by every built-in role, on behalf of an
//! organization, without a key and with a narrower one, for what is their own and what is another's.

mod asking;

use std::collections::BTreeSet;

use serde_json::json;

use self::asking::{Asking, Place, somebody};
use super::{Belongings, ROLES, made};
use crate::support::{House, Server};

const ORGANIZATION: &str = "organizations.organization";

/// What is at an address. Letters are who sees it: the roles' of [`ROLES`]; `o`, the user on behalf of
/// an organization of their own; `g`, a guest there: a user who is a viewer of that organization.
enum What {
    /// A table: who sees a row of what is theirs (the guest: of their host's), and of another's. The
    /// same see one such row, its past, and what changed in it.
    Rows(&'static str, &'static str),
    /// The events of a stream that is theirs, and of another's.
    Stream(&'static str, &'static str),
    /// Something that is nobody's: who may.
    Whole(&'static str),
    /// Something that is everybody's, with a key or without.
    Open,
}
use What::{Open, Rows, Stream, Whole};

/// Every address that answers GET: the scope that a key needs for it, and who may. `{id}` and what is
/// below a table follow from the table.
const READS: &[(&str, &str, What)] = &[
    ("/v1/identity/users", "identity.user:read", Rows("amuvrog", "amr")),
    ("/v1/identity/user_identifiers", "identity.user:read", Rows("amuvrog", "amr")),
    ("/v1/identity/user_profiles", "identity.user:read", Rows("amuvrog", "amr")),
    ("/v1/identity/user_roles", "identity.user:read", Rows("amuvro", "amr")),
    // Nobody's own, and no secret among those who work together.
    ("/v1/identity/permissions", "identity.permission:read", Rows("amrog", "amrog")),
    ("/v1/identity/roles", "identity.role:read", Rows("amrog", "amrog")),
    ("/v1/identity/role_permissions", "identity.role:read", Rows("amrog", "amrog")),
    ("/v1/identity/sessions", "identity.session:read", Rows("amuvro", "ar")),
    ("/v1/identity/api_keys", "identity.api_key:read", Rows("amuvro", "ar")),
    ("/v1/organizations/organizations", "organizations.organization:read", Rows("amuvrog", "amvr")),
    ("/v1/organizations/org_members", "organizations.organization:read", Rows("amuvrog", "amvr")),
    // The organization's: for its members, on its behalf or on nobody's in particular.
    (
        "/v1/organizations/billing_accounts",
        "organizations.billing_account:read",
        Rows("amuvrog", "amvr"),
    ),
    ("/v1/organizations/resources", "organizations.resource:read", Rows("amuvrog", "amvr")),
    ("/v1/organizations/resource_metadata", "organizations.resource:read", Rows("amuvrog", "amvr")),
    // Published.
    ("/v1/content/posts", "content.post:read", Rows("amuvrog", "amuvrog")),
    ("/v1/content/comments", "content.comment:read", Rows("amuvrog", "amuvrog")),
    ("/v1/services/services", "services.service:read", Rows("amuvrog", "amuvrog")),
    ("/v1/services/subscriptions", "services.subscription:read", Rows("amuvro", "amvr")),
    ("/v1/banking/accounts", "banking.account:read", Rows("amuvro", "amvr")),
    ("/v1/banking/transactions", "banking.account:read", Rows("amuvro", "amvr")),
    ("/v1/open_banking/accounts", "open_banking.aisp_account:read", Rows("amuvro", "amvr")),
    ("/v1/open_banking/transactions", "open_banking.aisp_account:read", Rows("amuvro", "amvr")),
    ("/v1/recycling/collections", "recycling.collection:read", Rows("amuvro", "amvr")),
    ("/v1/recycling/processing", "recycling.collection:read", Rows("amuvro", "amvr")),
    ("/v1/support/tickets", "support.ticket:read", Rows("amuvro", "amvr")),
    ("/v1/support/assets", "support.asset:read", Rows("amuvro", "amvr")),
    ("/v1/datacentre/servers", "datacentre.server:read", Rows("amuvro", "amvr")),
    ("/v1/datacentre/usage_metrics", "datacentre.server:read", Rows("amuvro", "amvr")),
    // The house's.
    ("/v1/contracts/api_contracts", "contracts.api_contract:read", Rows("amvr", "amvr")),
    ("/v1/contracts/api_aliases", "contracts.api_contract:read", Rows("amvr", "amvr")),
    ("/v1/contracts/audit_logs", "contracts.api_contract:read", Rows("amvr", "amvr")),
    ("/v1/contracts/governance_rules", "contracts.governance_rule:read", Rows("amvr", "amvr")),
    ("/v1/platform/settings", "platform.setting:read", Rows("amvr", "amvr")),
    ("/v1/platform/notifications", "platform.notification:read", Rows("amuvro", "amvr")),
    // Everyone's past.
    ("/v1/platform/audit_logs", "log:history", Rows("ar", "ar")),
    ("/v1/audit", "log:history", Whole("ar")),
    ("/v1/events", "log:history", Whole("ar")),
    ("/v1/journals/{journal}", "log:history", Whole("ar")),
    ("/v1/streams/{id}/events", "banking.account:read", Stream("amuvro", "amvr")),
    // How the house runs.
    ("/v1/platform/projector", "platform.projector:read", Whole("amvr")),
    ("/v1/rebuilds", "platform.projector:read", Whole("amvr")),
    ("/health/live", "", Open),
    ("/health/ready", "", Open),
    ("/metrics", "", Open),
    ("/openapi.json", "", Open),
    ("/asyncapi.json", "", Open),
    ("/schemas/{type}/{version}", "", Open),
    ("/docs", "", Open),
    ("/problems/{code}", "", Open),
];

/// What is below a table's address.
const BELOW: [&str; 2] = ["/{id}", "/{id}/diff"];

fn listed() -> BTreeSet<String> {
    READS.iter().map(|(path, ..)| (*path).to_owned()).collect()
}

#[test]
fn every_address_that_answers_get_is_in_the_table() {
    assert_eq!(listed().len(), READS.len(), "an address stands there twice");
    let document = daybook_app::http::openapi::build();
    let mut documented = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().expect("paths") {
        if operations.get("get").is_some() {
            let below = BELOW.iter().rev().find_map(|below| path.strip_suffix(below));
            documented.insert(below.unwrap_or(path).to_owned());
        }
    }
    assert!(documented.len() > 40, "{documented:?}");
    let missing: Vec<_> = documented.difference(&listed()).cloned().collect();
    assert!(missing.is_empty(), "say in READS who may read {missing:?}");
    // What is routed without being documented, as the sources have it.
    let routed = routed();
    let tables = ["/v1/{context}/{plural}", "/v1/{context}/{plural}/{id}"].map(str::to_owned);
    for table in &tables {
        assert!(routed.contains(table), "{table}: {routed:?}");
    }
    let diff = "/v1/{context}/{plural}/{id}/diff".to_owned();
    let missing: Vec<_> = routed
        .iter()
        .filter(|path| !listed().contains(*path) && !tables.contains(path) && **path != diff)
        .collect();
    assert!(missing.is_empty(), "say in READS who may read {missing:?}");
    let gone: Vec<_> = listed()
        .into_iter()
        .filter(|path| !routed.contains(path) && !documented.contains(path))
        .collect();
    assert!(gone.is_empty(), "{gone:?} are there no more");
}

/// Every pattern to which the sources of the three crates that serve HTTP route GET.
fn routed() -> BTreeSet<String> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let constants = std::fs::read_to_string(root.join("projector/src/http/operations.rs"));
    let constants = constants.expect("operations");
    let mut routed = BTreeSet::new();
    for folder in ["app/src/http", "projector/src/http", "command/src/http"] {
        for file in std::fs::read_dir(root.join(folder)).expect(folder) {
            let text = std::fs::read_to_string(file.expect("a file").path()).expect("a source");
            // Tests of a crate of its own have routers of their own.
            let text = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
            for route in text.split(".route(").skip(1) {
                let (pattern, rest) = route.split_once(',').expect("a pattern and what answers");
                let methods = rest.split(';').next().unwrap_or_default();
                if !methods.contains("get(") {
                    continue;
                }
                let pattern = pattern.trim();
                routed.insert(match pattern.strip_prefix("operations::") {
                    Some(name) => {
                        let value = constants.split(&format!("const {name}: &str = \"")).nth(1);
                        value.and_then(|rest| rest.split('"').next()).expect(name).to_owned()
                    }
                    None => pattern.trim_matches('"').to_owned(),
                });
            }
        }
    }
    routed
}

/// Keys of an administrator's with one scope, and with all others but the log's.
struct Narrow {
    only: String,
    except: String,
}

async fn narrow(house: &House, admin: &Belongings, scope: &str) -> Narrow {
    if scope.is_empty() {
        let key = admin.person.key.clone();
        return Narrow { only: key.clone(), except: key };
    }
    let scopes: BTreeSet<&str> = READS.iter().map(|(_, scope, _)| *scope).collect();
    let others: Vec<&str> =
        scopes.into_iter().filter(|other| ![scope, "", "log:history"].contains(other)).collect();
    let admin = admin.person.id;
    Narrow {
        only: house.key_of(admin, &[scope]).await.key,
        except: house.key_of(admin, &others).await.key,
    }
}

/// Everyone who asks, and what is theirs.
struct Everyone {
    people: Vec<(char, Belongings)>,
    guest: String,
    bystander: Belongings,
}

impl Everyone {
    async fn of(house: &House) -> Self {
        let mut people = Vec::new();
        for (letter, role) in ROLES {
            people.push((letter, somebody(house, &format!("p-{role}"), role).await));
        }
        let bystander = somebody(house, "bystander", "user").await;
        let guest = house.person("guest", "user", &["*"]).await;
        let everyone = Self { people, guest: guest.key, bystander };
        let add = json!({ "id": everyone.organization(), "user_id": guest.id, "role": "viewer" });
        house.engine.as_system(ORGANIZATION, "add_member", add).await.expect("a guest");
        everyone
    }

    fn person(&self, letter: char) -> &Belongings {
        let found = self.people.iter().find(|(of, _)| *of == letter);
        &found.expect("a role's letter").1
    }

    fn organization(&self) -> String {
        made(ORGANIZATION, self.person('u').person.id).to_string()
    }

    /// Each who asks, and what is theirs; the guest's is their host's.
    fn asking<'a>(&'a self, server: &'a Server) -> Vec<(Asking<'a>, &'a Belongings)> {
        let mut all: Vec<_> = self
            .people
            .iter()
            .map(|(letter, own)| (Asking::new(server, *letter, Some(&own.person.key)), own))
            .collect();
        let host = self.person('u');
        for (letter, key) in [('o', &host.person.key), ('g', &self.guest)] {
            let asking = Asking::new(server, letter, Some(key)).on_behalf_of(self.organization());
            all.push((asking, host));
        }
        all
    }
}

#[tokio::test]
async fn everyone_reads_what_the_table_says() {
    let (house, server) = House::served().await;
    let everyone = Everyone::of(&house).await;
    let mut keys = Vec::new();
    for (_, scope, _) in READS {
        keys.push(narrow(&house, everyone.person('a'), scope).await);
    }
    house.posted().await;
    let head = house.number("SELECT max(position) FROM journal.events").await;
    let admin = Asking::new(&server, 'a', Some(&everyone.person('a').person.key));
    let mut wrong = Vec::new();
    for ((path, _, what), keys) in READS.iter().zip(&keys) {
        let (of_own, of_others) = match what {
            Rows(own, others) | Stream(own, others) => (*own, *others),
            Whole(who) => (*who, ""),
            Open => ("", ""),
        };
        let theirs = Place::of(&admin, path, what, &everyone.bystander, head).await;
        for (asking, own) in everyone.asking(&server) {
            let mut asked = vec![(Place::of(&admin, path, what, own, head).await, of_own)];
            if matches!(what, Rows(..) | Stream(..)) {
                asked.push((theirs.clone(), of_others));
            }
            for (place, who) in asked {
                let expected = matches!(what, Open) || who.contains(asking.letter);
                wrong.extend(place.seen_otherwise(&asking, expected).await);
            }
        }
        // Whoever is not known sees what is open; a key's scopes let through what they name alone.
        let scoped = !matches!(what, Open);
        for (letter, key, expected) in [
            ('-', None, !scoped),
            ('1', Some(keys.only.as_str()), true),
            ('*', Some(keys.except.as_str()), !scoped),
        ] {
            let asking = Asking::new(&server, letter, key);
            wrong.extend(theirs.seen_otherwise(&asking, expected).await);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
