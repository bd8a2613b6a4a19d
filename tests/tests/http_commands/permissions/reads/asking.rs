//! Asking for what is somebody's: who they are, what is theirs, and where it is.

use daybook_domain::catalog::AGGREGATES;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::{Belongings, made, make};
use super::What;
use crate::support::{Answer, House, Server, answer, opening};

/// What is theirs besides what [`make`] makes: a row in each other table.
async fn more(house: &House, person: Uuid) {
    let role = made("identity.role", person);
    let name = format!("r{}", &person.simple().to_string()[12..]);
    let sample = json!({ "metric_type": "cpu", "value": "1", "unit": "percent",
        "recorded_at": "2024-01-01T00:00:00Z" });
    let transaction = json!({ "transaction_id": "T-1", "amount": "-1.00",
        "transaction_date": "2024-01-15" });
    let permission = made("identity.permission", person);
    for (kind, name, mut fields) in [
        ("identity.user", "describe", json!({ "bio": "Somebody" })),
        ("identity.role", "create", json!({ "name": name })),
        ("identity.role", "grant_permission", json!({ "permission_id": permission })),
        ("identity.user", "assign_role", json!({ "role_id": role })),
        ("organizations.resource", "set_metadata", json!({ "metadata": { "a": 1 } })),
        (
            "open_banking.aisp_account",
            "record_transactions",
            json!({ "attended": true, "transactions": [transaction] }),
        ),
        ("recycling.collection", "complete", json!({ "weight_kg": "10.00" })),
        (
            "recycling.collection",
            "record_processing",
            json!({ "material_type": "paper", "weight_kg": "1.00" }),
        ),
        ("datacentre.server", "record_usage", json!({ "samples": [sample] })),
        ("contracts.api_contract", "add_alias", json!({ "alias_name": person, "context": "web" })),
    ] {
        let stream = if kind == "identity.user" { person } else { made(kind, person) };
        fields["id"] = stream.to_string().into();
        house.engine.as_system(kind, name, fields).await.expect(name);
    }
}

/// A person of this role, with something of everything.
pub(super) async fn somebody(house: &House, name: &str, role: &str) -> Belongings {
    let person = house.person(name, role, &["*"]).await;
    let opened = house.engine.as_system("banking.account", "open", opening(person.id, name)).await;
    let account = opened.expect("an account").appended.stream_id.to_string();
    let deposit = json!({ "id": account, "amount": "10.00" });
    house.engine.as_system("banking.account", "deposit", deposit).await.expect("a deposit");
    make(house, person.id).await;
    more(house, person.id).await;
    Belongings { person, account }
}

/// The ids by which a row is known as somebody's.
fn marks(of: &Belongings) -> Vec<String> {
    let made = AGGREGATES.iter().map(|aggregate| made(aggregate.kind, of.person.id));
    let ids = made.chain([of.person.id, of.person.key_id]).map(|id| id.to_string());
    ids.chain([of.account.clone()]).collect()
}

/// Who asks: with which key, if any, and on whose behalf.
pub(super) struct Asking<'a> {
    server: &'a Server,
    pub(super) letter: char,
    key: Option<&'a str>,
    organization: Option<String>,
}

impl<'a> Asking<'a> {
    pub(super) fn new(server: &'a Server, letter: char, key: Option<&'a str>) -> Self {
        Self { server, letter, key, organization: None }
    }

    pub(super) fn on_behalf_of(self, organization: String) -> Self {
        Self { organization: Some(organization), ..self }
    }

    async fn get(&self, path: &str) -> Answer {
        let mut request = match self.key {
            Some(key) => self.server.request(Method::GET, path, key),
            None => self.server.request_openly(Method::GET, path),
        };
        if let Some(organization) = &self.organization {
            request = request.header("x-organization-id", organization);
        }
        answer(request).await
    }

    /// What is at an address; `None` where it is kept from who asks, who is told no more than that.
    async fn finds(&self, path: &str) -> Option<Value> {
        let asked = self.get(path).await;
        let kept: &[u16] = if self.key.is_none() { &[401] } else { &[403, 404] };
        let status = asked.status.as_u16();
        assert!(status == 200 || kept.contains(&status), "{} {path}: {asked:?}", self.letter);
        (status == 200).then_some(asked.body)
    }
}

/// Where something is.
#[derive(Clone)]
pub(super) struct Place {
    /// The table, and the ids by which its rows are known as somebody's.
    table: Option<(&'static str, Vec<String>)>,
    /// Addresses of it.
    alone: Vec<String>,
}

impl Place {
    /// Where that is which is somebody's, as an administrator finds it, who must.
    pub(super) async fn of(
        admin: &Asking<'_>,
        path: &'static str,
        what: &What,
        of: &Belongings,
        head: i64,
    ) -> Self {
        let alone = match what {
            What::Rows(..) => {
                let marks = marks(of);
                let rows = rows(admin, path, &marks).await;
                let row = rows.first().unwrap_or_else(|| panic!("{path} has no row of theirs"));
                return Self { alone: below(path, row, head), table: Some((path, marks)) };
            }
            What::Stream(..) => path.replace("{id}", &of.account),
            What::Whole(_) => path.replace("{journal}", "refusals"),
            What::Open => path
                .replace("{type}", "banking.account.opened")
                .replace("{version}", "1.json")
                .replace("{code}", "forbidden"),
        };
        Self { table: None, alone: vec![alone] }
    }

    /// Where it is seen, and was to be kept from who asks, or the other way round.
    pub(super) async fn seen_otherwise(&self, asking: &Asking<'_>, expected: bool) -> Vec<String> {
        let mut found = Vec::new();
        if let Some((path, marks)) = &self.table {
            found.push((*path, !rows(asking, path, marks).await.is_empty()));
        }
        for path in &self.alone {
            found.push((path, asking.finds(path).await.is_some()));
        }
        let wrong = found.into_iter().filter(|(_, seen)| *seen != expected);
        wrong.map(|(path, seen)| format!("{} {path}: {seen}", asking.letter)).collect()
    }
}

/// Addresses of one row, now and as it was, and of what changed in it, as far as it has any.
fn below(path: &str, row: &Value, head: i64) -> Vec<String> {
    let documented = daybook_app::http::openapi::build();
    let has = |below: &str| {
        documented["paths"].get(format!("{path}{below}")).is_some_and(|at| at.get("get").is_some())
    };
    let id = row["id"].as_str().map_or_else(|| row["id"].to_string(), str::to_owned);
    let mut addresses = Vec::new();
    if has("/{id}") {
        addresses.push(format!("{path}/{id}"));
        addresses.push(format!("{path}/{id}?at_position={head}"));
    }
    if has("/{id}/diff") {
        addresses.push(format!("{path}/{id}/diff?from=0"));
    }
    addresses
}

/// The rows that are somebody's, of those that are seen.
async fn rows(asking: &Asking<'_>, table: &str, marks: &[String]) -> Vec<Value> {
    let Some(page) = asking.finds(&format!("{table}?limit=1000")).await else { return Vec::new() };
    assert_eq!(page["has_more"], false, "{table}: more than a page");
    let rows = page["data"].as_array().expect("rows").iter();
    let theirs = |row: &&Value| marks.iter().any(|mark| row.to_string().contains(mark));
    rows.filter(theirs).cloned().collect()
}
