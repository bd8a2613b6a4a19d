//! Reading and checking the questions and answers, line by line.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use chrono::{DateTime, Utc};
use daybook_domain::content::comment::Remark;
use daybook_domain::content::post::{Content, Title};
use serde::Deserialize;

use crate::import::report::{ImportError, Wrong};

/// The file.
pub const FILE: &str = "posts.ndjson";

/// A line as it stands in the file. What posts have no place for is not read.
#[derive(Debug, Deserialize)]
struct Row {
    id: u64,
    kind: String,
    parent_id: Option<u64>,
    created_at: DateTime<Utc>,
    owner_user_id: String,
    title: Option<String>,
    body: String,
}

/// A question or an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The line of the file.
    pub line: u64,
    /// The site's id.
    pub id: u64,
    /// The question that it answers; `None`: it is a question.
    pub answers: Option<u64>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// The number of the user who wrote it.
    pub owner: String,
    /// What a question is called; empty for an answer.
    pub title: String,
    /// Its text, as HTML.
    pub body: String,
}

/// The file, checked.
#[derive(Debug, Default)]
pub struct Site {
    /// Questions and answers in the file's order.
    pub entries: Vec<Entry>,
    /// The lines that were left out.
    pub wrong: Vec<Wrong>,
    /// The lines that are neither questions nor answers.
    pub passed_over: Vec<Wrong>,
}

impl Site {
    /// How many questions and how many answers there are.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let answers = self.entries.iter().filter(|entry| entry.answers.is_some()).count();
        (self.entries.len() - answers, answers)
    }
}

/// What a line turns out to be.
enum Found {
    Entry(Entry),
    /// Something of another kind.
    Other(String),
}

/// What the lines so far have said.
#[derive(Default)]
struct Known {
    ids: HashSet<u64>,
    /// The questions, with when they were asked.
    questions: HashMap<u64, DateTime<Utc>>,
}

/// Reads `posts.ndjson` in `folder`.
///
/// A line that cannot be understood is left out as a whole and told of, and so are the answers to
/// a question that was.
///
/// # Errors
/// The file cannot be opened or read.
pub fn read(folder: &Path) -> Result<Site, ImportError> {
    let path = folder.join(FILE);
    let unreadable =
        |error: std::io::Error| ImportError::File { path: path.clone(), reason: error.to_string() };
    let file = BufReader::new(File::open(&path).map_err(unreadable)?);
    let mut site = Site::default();
    let mut known = Known::default();
    for (text, line) in file.split(b'\n').zip(1..) {
        let text = text.map_err(unreadable)?;
        if text.trim_ascii().is_empty() {
            continue;
        }
        let wrong = |reason| Wrong { file: FILE, line, reason };
        match understand(&text, line, &mut known) {
            Ok(Found::Entry(entry)) => site.entries.push(entry),
            Ok(Found::Other(reason)) => site.passed_over.push(wrong(reason)),
            Err(reason) => site.wrong.push(wrong(reason)),
        }
    }
    Ok(site)
}

fn understand(text: &[u8], line: u64, known: &mut Known) -> Result<Found, String> {
    let row: Row = serde_json::from_slice(text).map_err(|error| told(&error))?;
    let id = row.id;
    if !known.ids.insert(id) {
        return Err(format!("{id} stands in the file twice"));
    }
    if !matches!(row.kind.as_str(), "question" | "answer") {
        return Ok(Found::Other(format!(
            "{id} is of kind {:?}, neither a question nor an answer",
            row.kind
        )));
    }
    if row.owner_user_id.is_empty() || !row.owner_user_id.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!("owner_user_id {:?} is no user's number", row.owner_user_id));
    }
    let entry = Entry {
        line,
        id,
        answers: None,
        created_at: row.created_at,
        owner: row.owner_user_id,
        title: String::new(),
        body: row.body,
    };
    if row.kind == "question" {
        let title = row.title.ok_or_else(|| "a question has a title".to_owned())?;
        title.parse::<Title>().map_err(|error| format!("title: {error}"))?;
        let content = entry.body.parse::<Content>().map_err(|error| format!("body: {error}"))?;
        if content.is_blank() {
            return Err("body: a question has a text".to_owned());
        }
        known.questions.insert(id, entry.created_at);
        return Ok(Found::Entry(Entry { title, ..entry }));
    }
    let question = row.parent_id.ok_or_else(|| "an answer has a parent_id".to_owned())?;
    let asked_at = known.questions.get(&question);
    let asked_at =
        asked_at.ok_or_else(|| format!("the question {question} is not before it in the file"))?;
    if entry.created_at < *asked_at {
        return Err(format!("it is of {}, before its question of {asked_at}", entry.created_at));
    }
    entry.body.parse::<Remark>().map_err(|error| format!("body: {error}"))?;
    Ok(Found::Entry(Entry { answers: Some(question), ..entry }))
}

/// What is wrong, without the line within the line.
fn told(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn understood(text: &str, known: &mut Known) -> Result<Entry, String> {
        match understand(text.as_bytes(), 1, known)? {
            Found::Entry(entry) => Ok(entry),
            Found::Other(reason) => Err(reason),
        }
    }

    #[test]
    fn an_answer_comes_after_its_question() {
        let mut known = Known::default();
        let answer = |id: u64, at: &str| {
            format!(
                r#"{{"id":{id},"kind":"answer","parent_id":1,"created_at":"{at}","owner_user_id":"8","title":null,"body":"<p>B</p>\n"}}"#
            )
        };
        let early = understood(&answer(2, "2015-01-27T20:13:58.610Z"), &mut known);
        assert_eq!(early, Err("the question 1 is not before it in the file".to_owned()));
        let question = r#"{"id":1,"kind":"question","parent_id":null,"created_at":"2015-01-27T20:09:32.720Z","owner_user_id":"4","title":"A?","body":"A"}"#;
        let asked = understood(question, &mut known).expect("a question");
        assert_eq!((asked.answers, asked.title.as_str()), (None, "A?"));
        let answered = understood(&answer(3, "2015-01-27T20:09:32.720Z"), &mut known);
        assert_eq!(answered.expect("an answer").answers, Some(1));
        let before = understood(&answer(4, "2015-01-27T20:09:32.719Z"), &mut known);
        assert!(before.expect_err("too early").contains("before its question"));
        let again = understood(question, &mut known);
        assert_eq!(again, Err("1 stands in the file twice".to_owned()));
    }
}
