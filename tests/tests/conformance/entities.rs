//! Entity lines and trees, as one of the documents draws its tables.
//!
//! `users (user_id, email)` with `├── Primary Key: user_id` below it names columns, keys and indexes,
//! but no types and no names of indexes: a source made of these is compared loosely.

use super::blocks::{in_parentheses, list};
use super::wanted::Thing;

/// What a block of entity lines means.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Entities {
    /// Tables, then their keys and indexes.
    pub statements: Vec<String>,
    /// What is looked for in the database.
    pub things: Vec<Thing>,
}

/// Reads a block; `None`: it has no entity in it.
pub fn entities(text: &str) -> Option<Entities> {
    let mut found = Entities::default();
    let mut foreign = Vec::new();
    let mut lines = text.lines().filter(|line| !line.trim().is_empty()).peekable();
    while let Some(line) = lines.next() {
        let mut tree = Vec::new();
        while let Some(below) = lines.next_if(|line| line.starts_with([' ', '├', '└'])) {
            tree.push(below.trim_matches(|c: char| c == '├' || c == '└' || c == '─' || c == ' '));
        }
        let drawn = line.split_once(" (").filter(|_| line.ends_with(')'));
        if let Some((name, _)) = drawn.filter(|(name, _)| !name.contains(' ')) {
            let columns = list(in_parentheses(line)?);
            entity(name, &columns, &tree, &mut found, &mut foreign);
        } else if tree.iter().any(|line| line.contains("────")) {
            found
                .things
                .extend(tree.iter().filter_map(|line| numbered_relation(line.trim(), text)));
        } else if !tree.is_empty() && line.split_whitespace().count() <= 3 {
            keyed_listing(line, &tree, &mut found, &mut foreign);
        } else if let Some(thing) = single_line(line) {
            found.things.push(thing);
        } else if line != "..." {
            return None;
        }
    }
    found.statements.extend(foreign);
    Some(found)
}

fn entity(
    name: &str,
    columns: &[String],
    tree: &[&str],
    found: &mut Entities,
    foreign: &mut Vec<String>,
) {
    let type_of = |column: &str| {
        let start = format!("{column}: ");
        let says = tree.iter().find_map(|line| line.strip_prefix(&start));
        says.and_then(|text| text.split_whitespace().next()).unwrap_or("text").to_owned()
    };
    let list_of = |label: &str| {
        let says = tree.iter().find_map(|line| line.strip_prefix(label));
        says.map(list).unwrap_or_default()
    };
    let columns: Vec<String> =
        columns.iter().map(|column| format!("{column} {}", type_of(column))).collect();
    let mut parts = columns;
    parts.extend(list_of("Primary Key: ").iter().map(|key| format!("PRIMARY KEY ({key})")));
    parts.extend(list_of("Unique: ").iter().map(|key| format!("UNIQUE ({key})")));
    found.statements.push(format!("CREATE TABLE {name} ({})", parts.join(", ")));
    for column in list_of("Indexes: ") {
        foreign.push(format!("CREATE INDEX ON {name} ({column})"));
    }
    if tree.iter().any(|line| line.starts_with("Indexed: GIN")) {
        foreign.push(format!("CREATE INDEX ON {name} USING gin (data)"));
    }
    for column in list_of("Foreign Keys: ").into_iter().chain(list_of("Foreign Key: ")) {
        foreign.push(foreign_key(name, &column));
    }
    for relation in list_of("Relations: ") {
        let (other, via) = match relation.split_once(" (via ") {
            Some((other, via)) => (other.to_owned(), Some(via.trim_end_matches(')').to_owned())),
            None => (relation, None),
        };
        found.things.push(Thing::Relation { one: name.to_owned(), other, via });
    }
}

fn foreign_key(table: &str, column: &str) -> String {
    let target = match column {
        "user_id" => "users",
        "org_id" => "organizations",
        other => panic!("{other} refers to no table known here"),
    };
    format!("ALTER TABLE {table} ADD FOREIGN KEY ({column}) REFERENCES {target} ({column})")
}

/// `├── (1) ──── (N) users  [via org_members]` under the table's name.
fn numbered_relation(line: &str, text: &str) -> Option<Thing> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let at = words.iter().position(|word| word.starts_with('─') && word.len() > 6)?;
    let other = words.get(at + 2)?;
    let via = words.iter().position(|word| *word == "[via");
    let via =
        via.and_then(|at| words.get(at + 1)).map(|name| name.trim_end_matches(']').to_owned());
    let above = text.split(line).next()?;
    let one = above.lines().rfind(|line| line.starts_with(|c: char| c.is_ascii_lowercase()))?;
    Some(Thing::Relation { one: one.trim().to_owned(), other: (*other).to_owned(), via })
}

/// A table's name, and its columns below it with `(PK)` or `(FK)` behind.
fn keyed_listing(line: &str, tree: &[&str], found: &mut Entities, foreign: &mut Vec<String>) {
    let name = line.split_whitespace().next().unwrap_or_default();
    let mut parts = Vec::new();
    for row in tree {
        let (column, key) = row.split_once(' ').unwrap_or((row, ""));
        let primary = if key == "(PK)" { " PRIMARY KEY" } else { "" };
        parts.push(format!("{column} text{primary}"));
        if key == "(FK)" {
            foreign.push(foreign_key(name, column));
        }
    }
    found.statements.push(format!("CREATE TABLE {name} ({})", parts.join(", ")));
}

/// A column that tables include, a month's partition, or whose rows are seen.
fn single_line(line: &str) -> Option<Thing> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let first = *words.first()?;
    if line.contains("TIMESTAMP WITH TIME ZONE") {
        let column = first.to_owned();
        return Some(if line.contains("NULL if not") {
            Thing::Somewhere { column }
        } else {
            Thing::Everywhere { column }
        });
    }
    if let Some((parent, _)) = first.split_once("_20") {
        let (child, parent) = (first.to_owned(), parent.to_owned());
        return Some(Thing::Partition { child, parent, bounds: String::new() });
    }
    line.starts_with("users see rows WHERE").then_some(Thing::OrganizationPolicy)
}

#[test]
fn entity_lines_and_trees_are_understood() {
    let text = "sessions (session_id, user_id, data)\n  ├── Primary Key: session_id\n  ├── Foreign Keys: user_id\n  ├── Indexes: user_id\n  ├── data: JSONB of any kind\n  └── Relations: users, organizations (via org_members)\n";
    let found = entities(text).unwrap();
    assert_eq!(
        found.statements,
        [
            "CREATE TABLE sessions (session_id text, user_id text, data JSONB, PRIMARY KEY (session_id))",
            "CREATE INDEX ON sessions (user_id)",
            "ALTER TABLE sessions ADD FOREIGN KEY (user_id) REFERENCES users (user_id)",
        ]
    );
    assert_eq!(found.things.len(), 2);
    let tree = entities("organizations\n  ├── (1) ──── (N) users  [via org_members]\n").unwrap();
    let (one, other) = ("organizations".to_owned(), "users".to_owned());
    let via = Some("org_members".to_owned());
    assert_eq!(tree.things, [Thing::Relation { one, other, via }]);
    let listing = entities("org_members  [junction table]\n  org_id (FK)\n  role\n").unwrap();
    assert_eq!(listing.statements[0], "CREATE TABLE org_members (org_id text, role text)");
    let column = "created_at TIMESTAMP WITH TIME ZONE  -- Immutable";
    assert_eq!(
        entities(column).unwrap().things,
        [Thing::Everywhere { column: "created_at".into() }]
    );
    assert_eq!(entities("something else altogether, unknown"), None);
}
