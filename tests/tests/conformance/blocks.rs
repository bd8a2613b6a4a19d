//! Markdown as blocks: what a document says, in the form in which it says it.

/// A part of a document, under the heading above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The nearest heading.
    pub heading: String,
    /// The nearest `**label**:` under that heading.
    pub label: String,
    /// What it is.
    pub form: Form,
}

/// The form of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// A fenced block and its language.
    Code { language: String, text: String },
    /// A table: its header and its rows.
    Table { header: Vec<String>, rows: Vec<Vec<String>> },
    /// A line of a list, without its bullet.
    Item(String),
    /// Any other line with words in it.
    Line(String),
}

/// The blocks of a document, in order.
pub fn blocks(text: &str) -> Vec<Block> {
    let (mut heading, mut label) = (String::new(), String::new());
    let mut found = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let trimmed = line.trim();
        let form = if let Some(language) = trimmed.strip_prefix("```") {
            let code: Vec<&str> = lines.by_ref().take_while(|line| line.trim() != "```").collect();
            Form::Code { language: language.to_owned(), text: code.join("\n") }
        } else if trimmed.starts_with('#') {
            trimmed.trim_start_matches('#').trim().clone_into(&mut heading);
            label.clear();
            continue;
        } else if trimmed.starts_with('|') {
            let header = cells(trimmed);
            let mut rows = Vec::new();
            while let Some(row) = lines.next_if(|line| line.trim().starts_with('|')) {
                let row = cells(row.trim());
                if !row.iter().all(|cell| cell.chars().all(|c| c == '-' || c == ':')) {
                    rows.push(row);
                }
            }
            Form::Table { header, rows }
        } else if let Some(item) = item(trimmed) {
            Form::Item(item.to_owned())
        } else if let Some(name) = trimmed.strip_prefix("**").and_then(|t| t.strip_suffix("**:")) {
            name.clone_into(&mut label);
            continue;
        } else if trimmed.is_empty() {
            continue;
        } else {
            Form::Line(trimmed.to_owned())
        };
        found.push(Block { heading: heading.clone(), label: label.clone(), form });
    }
    found
}

fn cells(line: &str) -> Vec<String> {
    line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// The text after `- ` or `1. `.
fn item(line: &str) -> Option<&str> {
    if let Some(text) = line.strip_prefix("- ") {
        return Some(text);
    }
    let (number, text) = line.split_once(". ")?;
    (!number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())).then_some(text)
}

/// The text between the first `(` and the `)` that closes it.
pub fn in_parentheses(text: &str) -> Option<&str> {
    let start = text.find('(')? + 1;
    let mut depth = 1;
    for (at, c) in text[start..].char_indices() {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        if depth == 0 {
            return Some(&text[start..start + at]);
        }
    }
    None
}

/// The parts of a list with commas between, those in parentheses left whole.
pub fn list(text: &str) -> Vec<String> {
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

#[test]
fn headings_labels_tables_items_and_code_are_told_apart() {
    let text = "# A\n\n**Indexes**:\n- `i` ON (b)\n1. one\n\n| x | y |\n|---|---|\n| 1 | |\nwords\n```sql\nSELECT 1;\n```\n";
    let found = blocks(text);
    assert!(found.iter().all(|block| block.heading == "A" && block.label == "Indexes"));
    let forms: Vec<Form> = found.into_iter().map(|block| block.form).collect();
    assert_eq!(
        forms,
        [
            Form::Item("`i` ON (b)".into()),
            Form::Item("one".into()),
            Form::Table {
                header: vec!["x".into(), "y".into()],
                rows: vec![vec!["1".into(), String::new()]]
            },
            Form::Line("words".into()),
            Form::Code { language: "sql".into(), text: "SELECT 1;".into() },
        ]
    );
    assert_eq!(list("a, b(c, d) , e"), ["a", "b(c, d)", "e"]);
    assert_eq!(in_parentheses("x (a (b)) c"), Some("a (b)"));
}
