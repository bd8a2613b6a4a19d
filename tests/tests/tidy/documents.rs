//! Documents tell the truth about the tree: links lead somewhere, files that
//! are named exist, and so does each test that is said to keep an invariant.

use std::path::Path;

use crate::assert_none;
use crate::tree::{TextFile, exists, files};

fn documents(files: &[TextFile]) -> impl Iterator<Item = &TextFile> {
    files.iter().filter(|file| file.path.ends_with(".md"))
}

/// A document's text without its fenced blocks.
fn prose(text: &str) -> String {
    let mut fenced = false;
    let mut kept = String::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// The targets of `[text](target)`.
fn links(prose: &str) -> Vec<&str> {
    prose
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target.trim())
        .collect()
}

/// The code spans.
fn code_spans(prose: &str) -> Vec<&str> {
    prose.split('`').skip(1).step_by(2).collect()
}

/// The anchors that headings make, as code hosts make them.
fn anchors(text: &str) -> Vec<String> {
    prose(text)
        .lines()
        .filter(|line| line.starts_with('#'))
        .map(|line| {
            line.trim_start_matches('#')
                .trim()
                .to_lowercase()
                .chars()
                .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
                .map(|c| if c == ' ' { '-' } else { c })
                .collect()
        })
        .collect()
}

/// `target` as seen from `document`, as a path from the root.
fn resolve(document: &str, target: &str) -> String {
    let mut parts: Vec<&str> = document.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

fn broken_links(files: &[TextFile], exists: impl Fn(&str) -> bool) -> Vec<String> {
    let mut complaints = Vec::new();
    for document in documents(files) {
        let prose = prose(&document.text);
        for link in links(&prose) {
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (target, anchor) = link.split_once('#').unwrap_or((link, ""));
            let path = if target.is_empty() {
                document.path.clone()
            } else {
                resolve(&document.path, target)
            };
            if !exists(&path) {
                complaints.push(format!("{} links to {path}, which is not there", document.path));
            } else if !anchor.is_empty() {
                let there = files.iter().find(|file| file.path == path);
                if !there.is_some_and(|file| anchors(&file.text).contains(&anchor.to_owned())) {
                    complaints.push(format!("{} links to {link}: no such heading", document.path));
                }
            }
        }
    }
    complaints
}

/// Code spans such as `store/src/lane.rs` or `store/tests/order.rs::positions_are_dense`
/// that name what is not there.
fn named_and_missing(files: &[TextFile], tops: &[&str]) -> Vec<String> {
    let mut complaints = Vec::new();
    for document in documents(files) {
        let prose = prose(&document.text);
        for span in code_spans(&prose) {
            let (path, test) = span.split_once("::").unwrap_or((span, ""));
            let is_path = tops.contains(&path.split('/').next().unwrap_or_default())
                && path.contains('/')
                && Path::new(path).extension().is_some()
                && !path.contains([' ', '{', '<', '*', '…'])
                && !path.contains("NNNN");
            if !is_path {
                continue;
            }
            let Some(file) = files.iter().find(|file| file.path == path) else {
                complaints.push(format!("{} names {path}, which is not there", document.path));
                continue;
            };
            if !test.is_empty() && !file.text.contains(&format!("fn {test}(")) {
                complaints.push(format!("{} names {span}: no such function", document.path));
            }
        }
    }
    complaints
}

/// The invariants of ARCHITECTURE.md that name no test: each is a numbered
/// item under "Invariants" and says `path.rs::test` somewhere.
fn unkept_invariants(architecture: &str) -> Vec<String> {
    let section = architecture.split("\n## Invariants").nth(1).unwrap_or_default();
    let section = section.split("\n## ").next().unwrap_or_default();
    let mut items: Vec<String> = Vec::new();
    for line in section.lines() {
        if line.split_once(". ").is_some_and(|(number, _)| number.parse::<u8>().is_ok()) {
            items.push(line.to_owned());
        } else if let Some(item) = items.last_mut() {
            item.push('\n');
            item.push_str(line);
        }
    }
    if items.len() < 8 {
        return vec![format!("only {} invariants were found", items.len())];
    }
    items
        .iter()
        .filter(|item| !code_spans(item).iter().any(|span| span.contains(".rs::")))
        .map(|item| format!("no test keeps: {}", item.lines().next().unwrap_or_default()))
        .collect()
}

#[test]
fn every_link_leads_somewhere() {
    assert_none("links", &broken_links(files(), exists));
}

#[test]
fn what_documents_name_exists() {
    let tops: Vec<&str> =
        files().iter().filter_map(|file| file.path.split_once('/')).map(|(top, _)| top).collect();
    assert_none("files and tests named", &named_and_missing(files(), &tops));
}

#[test]
fn every_invariant_names_the_test_that_keeps_it() {
    let architecture = files().iter().find(|file| file.path == "ARCHITECTURE.md");
    let text = &architecture.expect("ARCHITECTURE.md is there").text;
    assert_none("invariants", &unkept_invariants(text));
}

#[test]
fn an_untrue_document_is_seen() {
    let tree = [
        TextFile::new("README.md", "[a](docs/a.md) [b](docs/b.md#good-heading) [c](#nothing)"),
        TextFile::new("docs/b.md", "# Good heading\n[up](../README.md) `app/src/x.rs`"),
        TextFile::new("docs/c.md", "`app/src/y.rs::kept` `app/src/y.rs::gone` `app/src/{a,b}.rs`"),
        TextFile::new("app/src/y.rs", "fn kept() {}"),
    ];
    let exists = |path: &str| tree.iter().any(|file| file.path == path);
    let broken = broken_links(&tree, exists);
    assert_eq!(
        broken,
        [
            "README.md links to docs/a.md, which is not there",
            "README.md links to #nothing: no such heading",
        ]
    );
    let missing = named_and_missing(&tree, &["app", "docs"]);
    assert_eq!(
        missing,
        [
            "docs/b.md names app/src/x.rs, which is not there",
            "docs/c.md names app/src/y.rs::gone: no such function",
        ]
    );
    let mut invariants = "\n## Invariants\n\n".to_owned();
    for number in 1..=8 {
        invariants.push_str(&format!("{number}. Something.\n"));
    }
    assert_eq!(unkept_invariants(&invariants).len(), 8);
}
