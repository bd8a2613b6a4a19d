//! No wildcard arm over events in `domain` and `projector`: whoever adds an
//! event is told by the compiler where it must be dealt with.
//!
//! Found by parsing: a `match` of which an arm names a variant of an enum called
//! `…Event` has no arm that takes the rest. What is not looked into is the
//! inside of macros. Beside that, arms that do nothing with the rest (`_ => {}`)
//! stand nowhere in the two crates, over whatever they match, except in rooms
//! that never see an event.

use syn::visit::{self, Visit};
use syn::{Arm, ExprMatch, ItemImpl, Pat, Path, Type};

use crate::assert_none;
use crate::tree::{TextFile, files};

const CRATES: [&str; 2] = ["domain", "projector"];

/// Rooms that never see an event: they parse values and parameters.
const WITHOUT_EVENTS: [&str; 3] =
    ["domain/src/values/", "projector/src/http/", "projector/src/queries/"];

/// Arms that drop the rest without a word.
const SILENT: [&str; 3] = ["_ => {}", "_ => ()", "_ => None"];

struct EventMatches<'f> {
    file: &'f str,
    /// Whether `Self` is an enum of events here.
    self_is_event: bool,
    complaints: Vec<String>,
}

/// Whether `pattern` names a variant of an event enum anywhere inside.
struct NamesEvent {
    self_is_event: bool,
    found: bool,
}

impl<'ast> Visit<'ast> for NamesEvent {
    fn visit_path(&mut self, path: &'ast Path) {
        let enum_name = path.segments.iter().rev().nth(1);
        self.found |= enum_name.is_some_and(|segment| {
            let name = segment.ident.to_string();
            name.ends_with("Event") || (self.self_is_event && name == "Self")
        });
        visit::visit_path(self, path);
    }
}

/// Whether `pattern` takes anything at all.
fn takes_the_rest(pattern: &Pat) -> bool {
    match pattern {
        Pat::Wild(_) => true,
        Pat::Ident(named) => {
            named.subpat.as_ref().is_none_or(|(_, inner)| takes_the_rest(inner))
                && named
                    .ident
                    .to_string()
                    .starts_with(|first: char| first.is_lowercase() || first == '_')
        }
        Pat::Paren(inner) => takes_the_rest(&inner.pat),
        Pat::Reference(inner) => takes_the_rest(&inner.pat),
        Pat::Tuple(tuple) => tuple.elems.iter().all(takes_the_rest),
        Pat::Or(either) => either.cases.iter().any(takes_the_rest),
        _ => false,
    }
}

impl EventMatches<'_> {
    fn names_event(&self, arm: &Arm) -> bool {
        let mut names = NamesEvent { self_is_event: self.self_is_event, found: false };
        names.visit_pat(&arm.pat);
        names.found
    }
}

impl<'ast> Visit<'ast> for EventMatches<'_> {
    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        let outer = self.self_is_event;
        self.self_is_event = matches!(&*item.self_ty, Type::Path(named)
            if named.path.segments.last().is_some_and(|last| last.ident.to_string().ends_with("Event")));
        visit::visit_item_impl(self, item);
        self.self_is_event = outer;
    }

    fn visit_expr_match(&mut self, expression: &'ast ExprMatch) {
        let over_events = expression.arms.iter().any(|arm| self.names_event(arm));
        if over_events {
            let named = expression.arms.iter().filter(|arm| takes_the_rest(&arm.pat)).count();
            if named > 0 {
                let line = expression.match_token.span.start().line;
                self.complaints.push(format!(
                    "{}:{line}: this match over events has an arm for the rest",
                    self.file
                ));
            }
        }
        visit::visit_expr_match(self, expression);
    }
}

fn complaints(files: &[TextFile]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.is_code_of(&CRATES)) {
        let sees_events = !WITHOUT_EVENTS.iter().any(|room| file.path.starts_with(room));
        for (index, line) in file.text.lines().enumerate() {
            if sees_events && SILENT.iter().any(|arm| line.contains(arm)) {
                complaints.push(format!("{}:{}: {}", file.path, index + 1, line.trim()));
            }
            if line.contains("Event::*") || line.contains("Event as ") && line.contains("use ") {
                let hidden = format!("{}:{}: events are named in full", file.path, index + 1);
                complaints.push(hidden);
            }
        }
        let parsed = syn::parse_file(&file.text)
            .unwrap_or_else(|error| panic!("{} does not parse: {error}", file.path));
        let mut matches =
            EventMatches { file: &file.path, self_is_event: false, complaints: Vec::new() };
        matches.visit_file(&parsed);
        complaints.append(&mut matches.complaints);
    }
    complaints
}

#[test]
fn no_match_over_events_takes_the_rest() {
    assert_none("wildcard arms", &complaints(files()));
}

#[test]
fn a_wildcard_arm_is_seen() {
    let bad = [
        "fn f(e: E) { match e { AccountEvent::Opened(_) => 1, _ => 2 }; }",
        "fn f(e: E) { match e { AccountEvent::Opened(_) => 1, other => other.g() }; }",
        "fn f(e: E) { match (e, r) { (AccountEvent::Opened(_), None) => 1, (_, _) => 2 }; }",
        "impl AccountEvent { fn f(&self) { match self { Self::Opened(_) => 1, _ => 2 }; } }",
        "fn f(n: u8) { match n { 1 => g(), _ => {} } }",
        "use crate::banking::account::AccountEvent as E;",
    ];
    for text in bad {
        let found = complaints(&[TextFile::new("projector/src/a.rs", text)]);
        assert_eq!(found.len(), 1, "{text}: {found:?}");
    }
    let good = [
        "fn f(e: E) { match e { AccountEvent::Opened(_) => 1, AccountEvent::Closed(_) => 2 }; }",
        "fn f(n: u8) { match n { 1 => 1, _ => 2 }; }",
        "fn f(e: E) { match (e, r) { (AccountEvent::Opened(_), _) => 1, (_, None) => 2 }; }",
    ];
    for text in good {
        let found = complaints(&[TextFile::new("domain/src/a.rs", text)]);
        assert!(found.is_empty(), "{text}: {found:?}");
    }
}
