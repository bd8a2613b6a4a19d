//! A document's tables, made as it writes them, beside those that are there.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, PgConnection};

use super::catalogue::{self, Column, Constraint, Index, Table};
use super::wanted::{Source, Wanted};

/// One line of the table that the test prints.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// The document.
    pub document: &'static str,
    /// What it asks for.
    pub thing: String,
    /// What is not as it asks.
    pub complaint: Option<String>,
}

/// The tables that are there, as a document finds them with its `search_path`.
#[derive(Debug)]
pub struct There {
    /// `public`.
    pub public: BTreeMap<String, Table>,
    /// The document's own views.
    pub views: BTreeMap<String, Table>,
}

impl There {
    /// What is there for a document.
    pub async fn of(document: &str, connection: &mut PgConnection) -> Self {
        Self {
            public: catalogue::tables("public", connection).await,
            views: catalogue::tables(document, connection).await,
        }
    }

    /// A table or view by its name.
    pub fn seen(&self, name: &str) -> Option<&Table> {
        self.views.get(name).or_else(|| self.public.get(name))
    }
}

/// The tables of a source, made as they are written, in a schema that is gone afterwards.
async fn made(
    document: &str,
    source: &Source,
    connection: &mut PgConnection,
) -> BTreeMap<String, Table> {
    let schema = format!("wanted_{document}_{}", source.part);
    run(&format!("CREATE SCHEMA {schema}"), connection).await;
    run(&format!("SET search_path = {schema}, public"), connection).await;
    for statement in &source.statements {
        run(statement, connection).await;
    }
    let tables = catalogue::tables(&schema, connection).await;
    run(&format!("SET client_min_messages = warning; DROP SCHEMA {schema} CASCADE"), connection)
        .await;
    run("RESET search_path", connection).await;
    tables
}

async fn run(statement: &str, connection: &mut PgConnection) {
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned()))
        .execute(connection)
        .await
        .unwrap_or_else(|error| panic!("{statement}: {error}"));
}

/// Compares every table of a document.
pub async fn tables(wanted: &Wanted, there: &There, connection: &mut PgConnection) -> Vec<Row> {
    let mut rows = Vec::new();
    for source in &wanted.sources {
        for (name, asked) in made(wanted.document, source, connection).await {
            let mut comparison = Comparison {
                document: wanted.document,
                loose: source.loose,
                name: &name,
                asked: &asked,
                seen: there.seen(&name),
                base: there.public.get(&name),
                rows: &mut rows,
            };
            comparison.table(source);
        }
    }
    rows
}

struct Comparison<'a> {
    document: &'static str,
    loose: bool,
    name: &'a str,
    /// What the document asks for.
    asked: &'a Table,
    /// What it finds by the name: its own view, or the table.
    seen: Option<&'a Table>,
    /// The table, with its constraints and indexes.
    base: Option<&'a Table>,
    rows: &'a mut Vec<Row>,
}

impl Comparison<'_> {
    fn say(&mut self, thing: String, complaint: Option<String>) {
        // The same thing may be said twice in a document, by drawing and by definition.
        let row = Row { document: self.document, thing, complaint };
        if !self.rows.contains(&row) {
            self.rows.push(row);
        }
    }

    fn table(&mut self, source: &Source) {
        let name = self.name;
        let Some(seen) = self.seen else {
            self.say(format!("table {name}"), Some(format!("{name} is not there")));
            return;
        };
        self.say(format!("table {name}"), None);
        for (column, asked) in &self.asked.columns {
            let thing = format!("{name}.{column}");
            match seen.columns.get(column) {
                None => self.say(thing, Some("is not there".to_owned())),
                Some(has) => {
                    self.say(thing.clone(), None);
                    if !self.loose {
                        self.column(&thing, asked, has, column);
                    }
                }
            }
        }
        for constraint in &self.asked.constraints {
            self.constraint(constraint, source.named.contains(&constraint.name));
        }
        for index in &self.asked.indexes {
            let of_constraint = self.asked.constraints.iter().any(|c| c.name == index.name);
            if !of_constraint {
                self.index(index);
            }
        }
    }

    fn column(&mut self, thing: &str, asked: &Column, has: &Column, column: &str) {
        let complaint = (asked.type_name != has.type_name)
            .then(|| format!("is {}, not {}", has.type_name, asked.type_name));
        self.say(format!("{thing} type"), complaint);
        let base = self.base.and_then(|table| table.columns.get(column)).unwrap_or(has);
        let complaint = match (asked.not_null, base.not_null) {
            (true, false) => Some("may be null".to_owned()),
            (false, true) if base.default_value.is_some() => {
                Some("is never null, having a default".to_owned())
            }
            (false, true) => Some("is never null".to_owned()),
            (true, true) | (false, false) => None,
        };
        self.say(format!("{thing} null"), complaint);
        if let Some(default) = &asked.default_value {
            let plain = |text: &String| text.split("::").next().unwrap_or_default().to_owned();
            let complaint = match &base.default_value {
                _ if base.generated => Some("is computed".to_owned()),
                None => Some(format!("has no default, not {default}")),
                Some(other) if plain(other) != plain(default) => {
                    Some(format!("defaults to {other}, not {default}"))
                }
                Some(_) => None,
            };
            self.say(format!("{thing} default"), complaint);
        }
    }

    /// The table's own name of a column: views name keys after their table.
    fn base_column(&self, column: &str) -> String {
        let of_table = self.base.is_some_and(|table| table.columns.contains_key(column));
        let is_key = self.asked.primary_key().is_some_and(|key| key.columns == [column]);
        if !of_table && is_key { "id".to_owned() } else { column.to_owned() }
    }

    fn base_columns(&self, columns: &[String]) -> Vec<String> {
        columns.iter().map(|column| self.base_column(column)).collect()
    }

    fn constraint(&mut self, asked: &Constraint, named: bool) {
        let columns = self.base_columns(&asked.columns);
        let name = self.name;
        let on = columns.join(", ");
        let missing = |what: &str| Some(format!("is {what}"));
        let empty = Table::default();
        let base = self.base.unwrap_or(&empty);
        let (thing, complaint) = match asked.kind.as_str() {
            "p" => {
                let has = base.primary_key().map(|key| key.columns.join(", ")).unwrap_or_default();
                let complaint = (has != on).then(|| format!("is ({has})"));
                (format!("{name} primary key ({on})"), complaint)
            }
            "u" => {
                let complaint = if base.is_unique(&columns) { None } else { missing("not unique") };
                (format!("{name} unique ({on})"), complaint)
            }
            "f" => {
                let target = asked.target.clone().unwrap_or_default();
                let thing = format!("{name}.{on} refers to {target}");
                (thing, self.reference(asked, base.foreign_key(&columns), &target))
            }
            _ => {
                let same = |has: &&Constraint| has.kind == "c" && has.text == asked.text;
                let complaint = match base.constraints.iter().find(same) {
                    Some(_) => None,
                    None => missing("not checked"),
                };
                (format!("{name} check {}", asked.text), complaint)
            }
        };
        self.say(thing, complaint);
        if named {
            let there = base.constraints.iter().any(|has| has.name == asked.name);
            let complaint = if there { None } else { missing("not there under its name") };
            self.say(format!("{name} constraint {}", asked.name), complaint);
        }
    }

    fn reference(
        &self,
        asked: &Constraint,
        has: Option<&Constraint>,
        target: &str,
    ) -> Option<String> {
        let Some(has) = has else { return Some("does not".to_owned()) };
        if has.target.as_deref() != Some(target) {
            return Some(format!("refers to {}", has.target.clone().unwrap_or_default()));
        }
        // A rule that the document gives beside a line without one is the one that holds.
        let rule = self
            .asked
            .constraints
            .iter()
            .filter(|other| other.kind == "f" && other.columns == asked.columns)
            .filter_map(|other| other.on_delete.clone())
            .find(|rule| rule != "a")
            .or_else(|| asked.on_delete.clone());
        (!self.loose && has.on_delete != rule).then(|| {
            format!(
                "ON DELETE is {}, not {}",
                rule_name(has),
                rule.as_deref().map_or("", long_name)
            )
        })
    }

    fn index(&mut self, asked: &Index) {
        let columns: Vec<String> =
            asked.columns.iter().map(|column| self.base_column(column)).collect();
        let on = columns.join(", ");
        let empty = Table::default();
        let base = self.base.unwrap_or(&empty);
        let same = |has: &&Index| {
            has.method == asked.method
                && has.columns.len() >= columns.len()
                && has.columns.iter().zip(&columns).all(|(has, asked)| has == asked)
        };
        if self.loose {
            let found = base.indexes.iter().find(same).is_some()
                || base
                    .indexes
                    .iter()
                    .any(|has| has.columns.first() == Some(&format!("{on} DESC")));
            let complaint = (!found).then(|| "is not there".to_owned());
            self.say(format!("{} {} index ({on})", self.name, asked.method), complaint);
            return;
        }
        let thing = format!("{} index {} ({on})", self.name, asked.name);
        let complaint = match base.indexes.iter().find(|has| has.name == asked.name) {
            None => Some("is not there".to_owned()),
            Some(has) if has.method != asked.method || has.columns != columns => {
                Some(format!("is {} ({})", has.method, has.columns.join(", ")))
            }
            Some(_) => None,
        };
        self.say(thing, complaint);
    }
}

fn rule_name(constraint: &Constraint) -> &'static str {
    constraint.on_delete.as_deref().map_or("", long_name)
}

/// PostgreSQL's letter for what happens to a row when the one that it refers to goes.
pub fn long_name(rule: &str) -> &'static str {
    match rule {
        "a" => "NO ACTION",
        "r" => "RESTRICT",
        "c" => "CASCADE",
        "n" => "SET NULL",
        _ => "SET DEFAULT",
    }
}
