//! What the documents ask for, found by the form in which they ask.

use std::collections::BTreeSet;

use super::blocks::{Block, Form, blocks, list};
use super::entities::entities;
use super::sql::{self, Statement};
use super::{blocks, markdown};

/// A document, and where it lies in the shared material.
pub const DOCUMENTS: [(&str, &str); 4] = [
    ("oakford", "seeds/000_d14853605f512641.txt"),
    ("application", "seeds/001_6c55bddbce0ca5a1.txt"),
    ("saas", "seeds/003_8f989b979999c3ee.txt"),
    ("nexus", "seeds/004_f5aad3a353a65273.txt"),
];

/// Something to be looked for in the database.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// A table of this name.
    Named { table: String },
    /// A partition; without bounds, the month of its name.
    Partition { child: String, parent: String, bounds: String },
    /// A table in partitions.
    Partitioned { table: String },
    /// Row-level security is on.
    RowSecurity { table: String },
    /// A column of another type than its table first says.
    ColumnType { table: String, column: String, type_name: String },
    /// A policy, by what it does.
    Policy { name: String, table: String, text: String },
    /// Users see rows of their organization.
    OrganizationPolicy,
    /// A function in `public`.
    Function { name: String },
    /// A trigger, by what it does.
    Trigger { name: String, table: String, function: String },
    /// A statement that runs as it is printed.
    Query(String),
    /// A statement of an example.
    Example(String),
    /// Two tables refer to one another, directly or by way of a third.
    Relation { one: String, other: String, via: Option<String> },
    /// A column takes these values and no others.
    OneOf { table: String, column: String, values: Vec<String> },
    /// Columns that are unique together.
    Unique { table: String, columns: Vec<String> },
    /// A column that refers to another table, with the rule for deletion where one is given.
    ForeignKey { table: String, column: String, target: String, on_delete: Option<char> },
    /// A column of an enumerated type in some table.
    Enumerated { column: String },
    /// A column that every table has.
    Everywhere { column: String },
    /// A column that some tables have.
    Somewhere { column: String },
    /// Every table keeps `updated_at` by a trigger.
    UpdatedAtTriggers,
    /// Every table writes changes by hand to the audit trail.
    AuditTriggers,
    /// Every foreign key has an index.
    ForeignKeysIndexed,
    /// Something that is done to a database now and then, or watched.
    Procedure { heading: String, text: String },
}

/// Tables of one notation, to be made in a schema of their own and compared.
#[derive(Debug, Default)]
pub struct Source {
    /// The end of the schema's name.
    pub part: String,
    /// Types, nullability, defaults and the names of indexes are not said here.
    pub loose: bool,
    /// In order.
    pub statements: Vec<String>,
    /// Constraints whose names the document chose.
    pub named: BTreeSet<String>,
}

/// Everything that one document asks for.
#[derive(Debug)]
pub struct Wanted {
    /// Its name, which is that of its views' schema.
    pub document: &'static str,
    /// Its tables.
    pub sources: Vec<Source>,
    /// The rest.
    pub things: Vec<Thing>,
}

/// Reads a document.
///
/// # Panics
/// For something of an unknown form where only known ones can be: nothing is passed over.
pub fn read(document: &'static str, text: &str) -> Wanted {
    let mut wanted = Wanted { document, sources: Vec::new(), things: Vec::new() };
    let mut table = String::new();
    for block in blocks(text) {
        match &block.form {
            Form::Code { language, text } => code(language, text, &mut wanted),
            Form::Table { header, rows } if header[0] == "Column" => {
                table.clone_from(&block.heading);
                let definition = markdown::column_table(&table, rows);
                source(&mut wanted, "columns", false).statements.push(definition);
            }
            Form::Table { .. } => {}
            Form::Item(text) if !block.label.is_empty() && block.heading == table => {
                let definition = markdown::belonging(&table, text);
                source(&mut wanted, "columns", false).statements.push(definition);
            }
            Form::Item(text) | Form::Line(text) => {
                wanted.things.extend(sentence(&block, text));
            }
        }
    }
    wanted
}

fn source<'a>(wanted: &'a mut Wanted, part: &str, loose: bool) -> &'a mut Source {
    let at = wanted.sources.iter().position(|source| source.part == part).unwrap_or_else(|| {
        wanted.sources.push(Source { part: part.to_owned(), loose, ..Source::default() });
        wanted.sources.len() - 1
    });
    &mut wanted.sources[at]
}

fn code(language: &str, text: &str, wanted: &mut Wanted) {
    match language {
        "sql" => statements(text, wanted),
        "python" => {
            let made = markdown::alembic(text);
            source(wanted, "migration", false).statements.extend(made);
        }
        "mermaid" => {
            let (tables, relations) = markdown::diagram(text);
            source(wanted, "diagram", true).statements.extend(tables);
            wanted.things.extend(relations.into_iter().map(|(one, other)| {
                let via = None;
                Thing::Relation { one, other, via }
            }));
        }
        "" => {
            let found = entities(text).unwrap_or_else(|| panic!("{text:?} is of no known form"));
            wanted.things.extend(found.things);
            // A table that is drawn twice is drawn in a source of its own.
            let part = if text.contains("(PK)") { "normalized" } else { "entities" };
            source(wanted, part, true).statements.extend(found.statements);
        }
        other => panic!("a block in {other:?}, which is not known here"),
    }
}

fn statements(text: &str, wanted: &mut Wanted) {
    let mut example = false;
    for statement in sql::statements(text) {
        let sorted = sql::sort(&statement);
        match sorted.unwrap_or_else(|| panic!("{statement:?} is of no known form")) {
            Statement::Begin => example = true,
            Statement::Commit => example = false,
            _ if example => wanted.things.push(Thing::Example(statement)),
            Statement::Definition(text) => {
                let source = source(wanted, "tables", false);
                source.named.extend(sql::named_constraint(&text));
                source.statements.push(text);
            }
            Statement::Thing(thing) => wanted.things.push(thing),
        }
    }
}

/// Headings over lists of what is done to a database now and then, or watched.
const PROCEDURES: [&str; 6] = [
    "Backup Strategy",
    "Recovery Procedures",
    "Maintenance Tasks",
    "Archival and Retention",
    "Key Metrics",
    "Health Checks",
];

/// What a line of prose asks for, where it asks for something that can be looked for.
fn sentence(block: &Block, text: &str) -> Vec<Thing> {
    if PROCEDURES.contains(&block.heading.as_str()) && matches!(block.form, Form::Item(_)) {
        let (heading, text) = (block.heading.clone(), text.replace("**", ""));
        return vec![Thing::Procedure { heading, text }];
    }
    let bold = text.strip_prefix("**").and_then(|rest| rest.split_once("**"));
    let named = |table: &str| Thing::Named { table: table.to_owned() };
    match (block.heading.as_str(), bold) {
        ("Core Tables" | "SSOT Registry Tables" | "Supporting Tables", Some((name, _))) => {
            vec![named(name)]
        }
        ("Check Constraints", Some((name, says))) => {
            let (table, column) = name.split_once('.').expect("table.column");
            let values = sql::values(says);
            vec![Thing::OneOf { table: table.into(), column: column.into(), values }]
        }
        ("Unique Constraints", Some((name, _))) => vec![unique(name)],
        ("Functions", Some((name, _))) => {
            vec![Thing::Function { name: name.trim_end_matches("()").to_owned() }]
        }
        ("Data Types", Some(("ENUM", says))) => {
            sql::values(says).into_iter().map(|column| Thing::Enumerated { column }).collect()
        }
        ("Primary Relationships", None) => refers(text).into_iter().collect(),
        _ => prose(text),
    }
}

fn prose(text: &str) -> Vec<Thing> {
    let foreign_key = |table: &str, column: &str, target: &str, rule| Thing::ForeignKey {
        table: table.to_owned(),
        column: column.to_owned(),
        target: target.to_owned(),
        on_delete: Some(rule),
    };
    let starts = |start: &str| text.starts_with(start);
    if starts("All tables have triggers that automatically update the `updated_at`") {
        vec![Thing::UpdatedAtTriggers]
    } else if starts("All main tables have audit triggers") {
        vec![Thing::AuditTriggers]
    } else if starts("Always use indexes for foreign keys") || starts("Foreign keys are indexed") {
        vec![Thing::ForeignKeysIndexed]
    } else if text.contains("deleting org deletes its resources") {
        vec![foreign_key("resources", "org_id", "organizations", 'c')]
    } else if text.contains("cannot delete user with active sessions") {
        vec![foreign_key("sessions", "user_id", "users", 'r')]
    } else if starts("Large tables (") || starts("Consider partitioning for large tables (") {
        let tables = list(blocks::in_parentheses(text).unwrap_or_default());
        tables.into_iter().map(|table| Thing::Partitioned { table }).collect()
    } else {
        Vec::new()
    }
}

/// `users.email` or `aliases(name, context)`.
fn unique(name: &str) -> Thing {
    if let Some((table, columns)) = name.split_once('(') {
        return Thing::Unique { table: table.into(), columns: list(columns.trim_end_matches(')')) };
    }
    let (table, column) = name.split_once('.').expect("table.column");
    Thing::Unique { table: table.into(), columns: vec![column.into()] }
}

/// `Foreign key: accounts.user_id → users.id`.
fn refers(text: &str) -> Option<Thing> {
    let (from, to) = text.strip_prefix("Foreign key: ")?.split_once(" → ")?;
    let (table, column) = from.split_once('.')?;
    let target = to.split_once('.')?.0.to_owned();
    let (table, column) = (table.to_owned(), column.to_owned());
    Some(Thing::ForeignKey { table, column, target, on_delete: None })
}
