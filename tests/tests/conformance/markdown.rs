//! Tables that are written as markdown, diagrams, entity lines or another language's migrations,
//! turned into the SQL that they mean.

use super::blocks::{in_parentheses, list};

/// `CREATE TABLE` for a column table with the header Column, Type, Constraints, Description.
///
/// # Panics
/// For a constraint of a form unknown here: nothing is passed over.
pub fn column_table(table: &str, rows: &[Vec<String>]) -> String {
    let columns: Vec<String> = rows.iter().map(|row| column(row)).collect();
    format!("CREATE TABLE {table} ({})", columns.join(", "))
}

fn column(row: &[String]) -> String {
    let [name, type_name, constraints, description] = row else {
        panic!("not a column: {row:?}");
    };
    let mut sql = format!("{name} {type_name}");
    for constraint in list(constraints) {
        let part = match constraint.as_str() {
            "PRIMARY KEY" | "UNIQUE" | "NOT NULL" => constraint,
            "FOREIGN KEY" => {
                let target = description.strip_prefix("Reference to ").expect("what it refers to");
                let (table, key) = target.split_once('.').expect("table.column");
                format!("REFERENCES {table}({key})")
            }
            "CHECK constraint" => {
                let values = in_parentheses(description).expect("the values in the description");
                format!("CHECK ({name} IN ({}))", quoted(values))
            }
            other if other.starts_with("DEFAULT ") || other.starts_with("REFERENCES ") => {
                constraint
            }
            other => panic!("column {name}: {other:?} is no constraint known here"),
        };
        sql.push(' ');
        sql.push_str(&part);
    }
    sql
}

/// `a, b` as `'a', 'b'`.
pub fn quoted(values: &str) -> String {
    values.split(',').map(|value| format!("'{}'", value.trim())).collect::<Vec<_>>().join(", ")
}

/// The index or constraint that a list's line under a column table means.
///
/// # Panics
/// For a line of another form.
pub fn belonging(table: &str, line: &str) -> String {
    let plain = line.replace('`', "");
    if let Some((name, on)) = plain.split_once(" ON ").filter(|_| plain.starts_with("idx_")) {
        return format!("CREATE INDEX {name} ON {table} {on}");
    }
    if let Some((name, on)) = plain.split_once(" on ").filter(|_| plain.starts_with("idx_")) {
        return format!("CREATE INDEX {name} ON {table} ({on})");
    }
    let constraint = plain.split(" - ").next().unwrap_or_default();
    assert!(
        ["PRIMARY KEY", "FOREIGN KEY", "UNIQUE"].iter().any(|word| constraint.starts_with(word)),
        "{line:?} is neither an index nor a constraint"
    );
    format!("ALTER TABLE {table} ADD {constraint}")
}

/// The tables of an entity diagram (`USER { uuid id PK … }`), and its relations as pairs of tables.
pub fn diagram(text: &str) -> (Vec<String>, Vec<(String, String)>) {
    let (mut tables, mut relations) = (Vec::new(), Vec::new());
    let mut entity: Option<(String, Vec<String>)> = None;
    for line in text.lines().map(str::trim) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match (&mut entity, words.as_slice()) {
            (None, [left, _, right, ":", _]) => relations.push((plural(left), plural(right))),
            (None, [name, "{"]) => entity = Some((plural(name), Vec::new())),
            (Some((_, columns)), [type_name, column, keys @ ..]) => {
                columns.push(diagram_column(type_name, column, keys));
            }
            (Some((table, columns)), ["}"]) => {
                tables.push(format!("CREATE TABLE {table} ({})", columns.join(", ")));
                entity = None;
            }
            (None, [] | ["erDiagram"]) => {}
            other => panic!("{other:?} is nothing known in a diagram"),
        }
    }
    (tables, relations)
}

fn diagram_column(type_name: &str, column: &str, keys: &[&str]) -> String {
    let type_name = if type_name == "string" { "text" } else { type_name };
    let key = match keys {
        [] => String::new(),
        ["PK"] => " PRIMARY KEY".to_owned(),
        ["UK"] => " UNIQUE".to_owned(),
        ["FK"] => format!(" REFERENCES {}(id)", plural(column.trim_end_matches("_id"))),
        other => panic!("{other:?} is no key known here"),
    };
    format!("{column} {type_name}{key}")
}

fn plural(entity: &str) -> String {
    format!("{}s", entity.to_lowercase())
}

/// The table and the index of an Alembic migration.
pub fn alembic(text: &str) -> Vec<String> {
    let mut statements = Vec::new();
    let (mut table, mut columns) = (String::new(), Vec::new());
    let upgrade = text.split("def downgrade").next().unwrap_or_default();
    for line in upgrade.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("sa.Column(") {
            let rest = rest.trim_end_matches(',');
            columns.push(alembic_column(rest.strip_suffix(')').unwrap_or(rest)));
        } else if let Some(name) = line.strip_prefix('\'') {
            name.trim_end_matches("',").clone_into(&mut table);
        } else if line == ")" {
            statements.push(format!("CREATE TABLE {table} ({})", columns.join(", ")));
        } else if let Some(rest) = line.strip_prefix("op.create_index(") {
            let words: Vec<&str> = rest.split('\'').collect();
            let [_, name, _, on, _, column, ..] = words.as_slice() else {
                panic!("{line:?} is no index");
            };
            statements.push(format!("CREATE INDEX {name} ON {on} ({column})"));
        }
    }
    statements
}

fn alembic_column(text: &str) -> String {
    let parts = list(text);
    let name = parts[0].trim_matches('\'');
    let mut sql = name.to_owned();
    for part in &parts[1..] {
        sql.push(' ');
        match part.as_str() {
            "sa.UUID()" => sql.push_str("uuid"),
            "sa.Text()" => sql.push_str("text"),
            "sa.DateTime()" => sql.push_str("timestamp"),
            "primary_key=True" => sql.push_str("PRIMARY KEY"),
            "server_default=sa.func.now()" => sql.push_str("DEFAULT CURRENT_TIMESTAMP"),
            other => {
                let inner = in_parentheses(other)
                    .unwrap_or_else(|| panic!("{other:?} is nothing known of Alembic"));
                if other.starts_with("sa.String") {
                    sql.push_str(&format!("varchar({inner})"));
                } else if other.starts_with("sa.ForeignKey") {
                    let (table, key) = inner.trim_matches('\'').split_once('.').expect("a target");
                    sql.push_str(&format!("REFERENCES {table}({key})"));
                } else {
                    panic!("{other:?} is nothing known of Alembic");
                }
            }
        }
    }
    sql
}

#[test]
fn other_notations_become_the_sql_that_they_mean() {
    let row = |cells: [&str; 4]| cells.map(str::to_owned).to_vec();
    let rows = [
        row(["id", "UUID", "PRIMARY KEY, DEFAULT uuid_generate_v4()", ""]),
        row(["user_id", "UUID", "FOREIGN KEY, NOT NULL", "Reference to users.id"]),
        row(["role", "VARCHAR(50)", "CHECK constraint", "Role (admin, user)"]),
    ];
    assert_eq!(
        column_table("t", &rows),
        "CREATE TABLE t (id UUID PRIMARY KEY DEFAULT uuid_generate_v4(), \
         user_id UUID REFERENCES users(id) NOT NULL, role VARCHAR(50) CHECK (role IN ('admin', 'user')))"
    );
    assert_eq!(belonging("t", "`idx_a` ON (b DESC)"), "CREATE INDEX idx_a ON t (b DESC)");
    assert_eq!(belonging("t", "`idx_a` on b"), "CREATE INDEX idx_a ON t (b)");
    assert_eq!(
        belonging("t", "`UNIQUE(a, b)` - Ensures something"),
        "ALTER TABLE t ADD UNIQUE(a, b)"
    );
    let (tables, relations) = diagram(
        "erDiagram\n USER ||--o{ POST : creates\n POST {\n uuid id PK\n uuid user_id FK\n string title\n }\n",
    );
    assert_eq!(
        tables,
        ["CREATE TABLE posts (id uuid PRIMARY KEY, user_id uuid REFERENCES users(id), title text)"]
    );
    assert_eq!(relations, [("users".to_owned(), "posts".to_owned())]);
    let python = "def upgrade():\n    op.create_table(\n        'p',\n        sa.Column('id', sa.UUID(), primary_key=True),\n        sa.Column('user_id', sa.UUID(), sa.ForeignKey('users.id')),\n        sa.Column('url', sa.String(500)),\n        sa.Column('at', sa.DateTime(), server_default=sa.func.now())\n    )\n    op.create_index('idx_p', 'p', ['user_id'])\n\ndef downgrade():\n    op.drop_table('p')\n";
    assert_eq!(
        alembic(python),
        [
            "CREATE TABLE p (id uuid PRIMARY KEY, user_id uuid REFERENCES users(id), url varchar(500), \
             at timestamp DEFAULT CURRENT_TIMESTAMP)",
            "CREATE INDEX idx_p ON p (user_id)",
        ]
    );
}
