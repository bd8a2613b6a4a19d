//! SQL as the documents print it, statement by statement.

use super::blocks::in_parentheses;
use super::wanted::Thing;

/// The statements of a block. One ends at a semicolon, or, as some documents write, at an empty or
/// a comment line or the block's end; not within quotes, dollar quotes or parentheses.
pub fn statements(text: &str) -> Vec<String> {
    let (mut found, mut now) = (Vec::new(), String::new());
    let mut in_body = false;
    for line in text.lines() {
        let code = if in_body { line } else { line.split("--").next().unwrap_or_default() };
        let dollars = code.matches("$$").count();
        in_body ^= dollars % 2 == 1;
        if code.trim().is_empty() {
            if !in_body {
                found.push(std::mem::take(&mut now));
            }
            continue;
        }
        now.push_str(code);
        now.push('\n');
        // psql's own commands end with their line.
        if !in_body && (code.trim_end().ends_with(';') || code.starts_with('\\')) {
            found.push(std::mem::take(&mut now));
        }
    }
    found.push(now);
    found
        .into_iter()
        .map(|statement| statement.trim().trim_end_matches(';').trim().to_owned())
        .filter(|statement| !statement.is_empty())
        .collect()
}

/// The words of a statement, lower case, white space and quotes aside.
pub fn words(statement: &str) -> Vec<String> {
    statement.split_whitespace().map(str::to_lowercase).collect()
}

/// What a statement asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// To be run in the document's own schema: a table, an index, a constraint.
    Definition(String),
    /// To be looked for in the database.
    Thing(Thing),
    /// A line of an example between BEGIN and COMMIT.
    Begin,
    /// The end of an example.
    Commit,
}

/// Sorts a statement; `None`: of no form known here, which fails the test.
pub fn sort(statement: &str) -> Option<Statement> {
    let words = words(statement);
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    let name = |at: usize| word(at).trim_matches(|c: char| "();,".contains(c)).to_owned();
    let text = statement.to_owned();
    Some(match (word(0), word(1), word(2)) {
        ("create", "table", _) if word(3) == "partition" => Statement::Thing(Thing::Partition {
            child: name(2),
            parent: name(5),
            bounds: statement.split_once("FOR VALUES")?.1.trim().to_owned(),
        }),
        ("create", "table", _) | ("create", "index" | "unique", _) => Statement::Definition(text),
        ("alter", "table", _) if word(3) == "add" && word(4) == "constraint" => {
            Statement::Definition(text)
        }
        ("alter", "table", _) if word(3) == "enable" => {
            Statement::Thing(Thing::RowSecurity { table: name(2) })
        }
        ("alter", "table", _) if word(3) == "alter" => Statement::Thing(Thing::ColumnType {
            table: name(2),
            column: name(5),
            type_name: name(9),
        }),
        ("alter", "table", _) | ("insert", "into", _) => Statement::Thing(Thing::Example(text)),
        ("create", "policy", _) => {
            Statement::Thing(Thing::Policy { name: name(2), table: name(4), text })
        }
        ("create", "or", "replace") if word(3) == "function" => {
            Statement::Thing(Thing::Function { name: name(4).trim_end_matches("()").to_owned() })
        }
        ("create", "trigger", _) => {
            let at = words.iter().position(|word| word == "on")?;
            let function = words.last()?.trim_end_matches("()").to_owned();
            Statement::Thing(Thing::Trigger { name: name(2), table: name(at + 1), function })
        }
        ("select" | "explain" | "analyze", _, _) => Statement::Thing(Thing::Query(text)),
        ("\\d", _, _) => Statement::Thing(Thing::Named { table: name(1) }),
        ("begin", "", "") => Statement::Begin,
        ("commit", "", "") => Statement::Commit,
        _ => return None,
    })
}

/// The names that constraints are given.
pub fn named_constraint(statement: &str) -> Option<String> {
    let words: Vec<&str> = statement.split_whitespace().collect();
    let at = words.iter().position(|word| word.eq_ignore_ascii_case("constraint"))?;
    words.get(at + 1).map(|name| (*name).to_owned())
}

/// The highest `$n` of a query.
pub fn parameters(query: &str) -> usize {
    let numbers = query.split('$').skip(1).filter_map(|rest| {
        rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse::<usize>().ok()
    });
    numbers.max().unwrap_or(0)
}

/// The values that `column IN ('a', 'b')` or a bracketed list of words names.
pub fn values(text: &str) -> Vec<String> {
    in_parentheses(text)
        .map(|inner| inner.split(',').map(|value| value.trim().to_owned()).collect())
        .unwrap_or_default()
}

#[test]
fn statements_end_where_their_writers_meant_them_to() {
    let text = "-- a comment\nSELECT 1 -- one\nFROM x\n\nSELECT $2\n-- next\n\\d users  -- psql\nCREATE FUNCTION f() AS $$\nBEGIN\n\n  RETURN NEW; -- so\nEND;\n$$ LANGUAGE plpgsql;\nBEGIN;";
    let found = statements(text);
    assert_eq!(found.len(), 5, "{found:?}");
    assert_eq!(found[0], "SELECT 1 \nFROM x");
    assert_eq!(found[2], "\\d users");
    assert!(found[3].contains("RETURN NEW; -- so"));
    assert_eq!((parameters(&found[1]), parameters(&found[0])), (2, 0));
    assert_eq!(sort("BEGIN"), Some(Statement::Begin));
    assert_eq!(sort("VACUUM users"), None);
    let partition = "CREATE TABLE a_y2024m01 PARTITION OF a\n FOR VALUES FROM ('x') TO ('y')";
    assert_eq!(
        sort(partition),
        Some(Statement::Thing(Thing::Partition {
            child: "a_y2024m01".into(),
            parent: "a".into(),
            bounds: "FROM ('x') TO ('y')".into(),
        }))
    );
}
