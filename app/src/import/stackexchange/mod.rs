//! The questions and answers of coffee.stackexchange.com (CC BY-SA 3.0): a question becomes a post,
//! an answer a comment on it, an owner a user.
//!
//! Absent here, since posts have no such thing: scores, tags, and when something was last edited.

pub mod plan;
pub mod read;

use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use daybook_command::Engine;
use sqlx::PgPool;
use uuid::Uuid;

use super::report::{Check, ImportError, Report};
use super::source::Source;
use super::submit;
use read::{Entry, Site};

impl Source for Site {
    type Told = Report;

    fn read(folder: &Path) -> Result<Self, ImportError> {
        read::read(folder)
    }

    fn told(&self) -> Report {
        Report {
            wrong: self.wrong.clone(),
            passed_over: self.passed_over.clone(),
            ..Report::default()
        }
    }

    fn summary(&self) -> String {
        let (questions, answers) = self.counts();
        format!("{questions} posts, {answers} comments")
    }

    async fn import(&self, engine: Arc<Engine>) -> Report {
        let mut report = self.told();
        let commands = plan::commands(self).collect();
        submit::planned(engine, read::FILE, commands, &mut report).await;
        report
    }

    /// Text, author and time of every question and answer.
    async fn compare(&self, pool: &PgPool) -> Result<Vec<Check>, ImportError> {
        let mut checks = Vec::new();
        for (what, sql, question) in [
            (
                "questions: title, text, author and time of the posts",
                include_str!("questions.sql"),
                true,
            ),
            (
                "answers: question, text, author and time of the comments",
                include_str!("answers.sql"),
                false,
            ),
        ] {
            let columns =
                Columns::of(self.entries.iter().filter(|e| e.answers.is_none() == question));
            let compared = columns.ids.len() as u64;
            let different = columns.differing(pool, sql).await?;
            checks.push(Check { what: what.to_owned(), compared, different });
        }
        Ok(checks)
    }
}

/// The file's entries, a list for each of their parts.
#[derive(Default)]
struct Columns {
    ids: Vec<Uuid>,
    authors: Vec<Uuid>,
    /// Titles of questions; the posts that answers belong to.
    of: Vec<String>,
    bodies: Vec<String>,
    times: Vec<DateTime<Utc>>,
}

impl Columns {
    fn of<'a>(entries: impl Iterator<Item = &'a Entry>) -> Self {
        let mut columns = Self::default();
        for entry in entries {
            columns.ids.push(plan::stream(entry));
            columns.authors.push(plan::id("user", &entry.owner));
            columns.of.push(match entry.answers {
                Some(question) => plan::id("post", &question.to_string()).to_string(),
                None => entry.title.clone(),
            });
            columns.bodies.push(entry.body.clone());
            columns.times.push(entry.created_at);
        }
        columns
    }

    async fn differing(self, pool: &PgPool, sql: &'static str) -> Result<u64, ImportError> {
        let count: i64 = sqlx::query_scalar(sql)
            .bind(self.ids)
            .bind(self.authors)
            .bind(self.of)
            .bind(self.bodies)
            .bind(self.times)
            .fetch_one(pool)
            .await?;
        Ok(count.unsigned_abs())
    }
}
