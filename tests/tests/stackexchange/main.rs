//! A real site's questions and answers through real commands: every text is the site's own.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use daybook_tests::{Finished, Service, head, naive, shared};
use serde_json::{Value, json};
use sqlx::{PgConnection, Row};

fn report(finished: &Finished) -> Value {
    serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {finished:?}"))
}

/// The file, read plainly and without any of the project's code.
fn source(folder: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join("posts.ndjson")).expect("the site's file");
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

fn of_kind<'a>(rows: &'a [Value], kind: &str) -> Vec<&'a Value> {
    rows.iter().filter(|row| row["kind"] == kind).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_site_is_here_to_the_letter() {
    let Some(folder) = shared("data/coffee-stackexchange") else { return };
    let rows = source(&folder);
    let (questions, answers) = (of_kind(&rows, "question"), of_kind(&rows, "answer"));
    let others = of_kind(&rows, "other");
    assert_eq!((questions.len() + answers.len(), others.len()), (552, 40));
    let owners: BTreeSet<&str> = questions
        .iter()
        .chain(&answers)
        .map(|row| row["owner_user_id"].as_str().expect("an owner"))
        .collect();
    let commands = owners.len() + 2 * questions.len() + answers.len();
    let service = Service::start().await;
    let mut database = service.database.superuser().await;
    let path = folder.to_str().expect("a path");

    let before = head(&mut database).await;
    let dry = service.tool(&["import", "stackexchange", path, "--dry-run"]);
    assert_eq!((dry.code, head(&mut database).await), (Some(0), before), "{dry:?}");
    let says = format!("{} posts, {} comments", questions.len(), answers.len());
    assert!(dry.stdout.contains(&says), "{dry:?}");

    // Interrupted after the first part of the file, the import goes on where it was.
    let part = tempfile::tempdir().expect("a folder");
    let text = std::fs::read_to_string(folder.join("posts.ndjson")).expect("the site's file");
    let beginning: String = text.split_inclusive('\n').take(200).collect();
    std::fs::write(part.path().join("posts.ndjson"), beginning).expect("a file");
    let half = part.path().to_str().expect("a path");
    let first = service.tool(&["import", "stackexchange", half, "--output", "json"]);
    assert_eq!(first.code, Some(0), "{first:?}");
    let already = report(&first)["accepted"].as_u64().expect("a number");
    assert!(already > 200, "{first:?}");

    let second = service.tool(&["import", "stackexchange", path, "--output", "json"]);
    assert_eq!(second.code, Some(0), "{second:?}");
    let told = report(&second);
    assert_eq!((&told["wrong"], &told["replayed"]), (&json!([]), &json!(already)));
    assert_eq!(told["accepted"], json!(commands as u64 - already));
    let passed: Vec<u64> = told["passed_over"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|line| line["line"].as_u64().expect("a line"))
        .collect();
    let expected: Vec<u64> =
        rows.iter().zip(1..).filter(|(row, _)| row["kind"] == "other").map(|(_, n)| n).collect();
    assert_eq!(passed, expected, "each line of another kind is named");
    for check in told["checks"].as_array().expect("checks") {
        assert_eq!(check["different"], 0, "{told}");
    }

    // Once more: nothing is appended.
    let before = head(&mut database).await;
    let third = service.tool(&["import", "stackexchange", path, "--output", "json"]);
    assert_eq!((third.code, &report(&third)["accepted"]), (Some(0), &json!(0)), "{third:?}");
    assert_eq!(head(&mut database).await, before, "a repeated import appended something");

    posts_are_the_questions(&mut database, &questions).await;
    comments_are_the_answers(&mut database, &answers, &questions).await;
    let pairs = [("content.post", 1_300), ("content.comment", 900), ("identity.user", 300)];
    naive::agrees(&service, &pairs).await;
    service.same_when_rebuilt();
}

async fn posts_are_the_questions(database: &mut PgConnection, questions: &[&Value]) {
    let posts = sqlx::query(
        "SELECT p.title, p.content, u.username, p.status,
                to_char(p.published_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')
         FROM public.posts p JOIN public.users u ON u.id = p.user_id",
    )
    .fetch_all(database)
    .await
    .expect("posts");
    assert_eq!(posts.len(), questions.len());
    let by_title: HashMap<&str, &Value> =
        questions.iter().map(|row| (row["title"].as_str().expect("a title"), *row)).collect();
    assert_eq!(by_title.len(), questions.len(), "titles are unique in this file");
    for row in posts {
        let question = by_title[row.get::<&str, _>(0)];
        assert_eq!(row.get::<&str, _>(1), question["body"], "{question}");
        assert_eq!(row.get::<&str, _>(2), owner(question), "{question}");
        assert_eq!(row.get::<&str, _>(3), "published");
        assert_eq!(row.get::<&str, _>(4), question["created_at"], "{question}");
    }
}

async fn comments_are_the_answers(
    database: &mut PgConnection,
    answers: &[&Value],
    questions: &[&Value],
) {
    let comments = sqlx::query(
        "SELECT u.username, p.title, c.content,
                to_char(c.written_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')
         FROM public.comments c JOIN public.users u ON u.id = c.user_id
         JOIN public.posts p ON p.id = c.post_id",
    )
    .fetch_all(database)
    .await
    .expect("comments");
    let titles: HashMap<u64, &str> = questions
        .iter()
        .map(|row| (row["id"].as_u64().expect("an id"), row["title"].as_str().expect("a title")))
        .collect();
    let mut theirs: Vec<[String; 4]> = answers
        .iter()
        .map(|answer| {
            let text = |name: &str| answer[name].as_str().expect(name).to_owned();
            let question = titles[&answer["parent_id"].as_u64().expect("a question")];
            [owner(answer), question.to_owned(), text("body"), text("created_at")]
        })
        .collect();
    let mut ours: Vec<[String; 4]> =
        comments.iter().map(|row| [0, 1, 2, 3].map(|at| row.get::<String, _>(at))).collect();
    theirs.sort();
    ours.sort();
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours, theirs);
    }
}

fn owner(row: &Value) -> String {
    format!("coffee-{}", row["owner_user_id"].as_str().expect("an owner"))
}

/// A question, its answer, and one of each thing that a line can have wrong.
fn write_small_site_with_wrong_lines(folder: &Path) {
    let line = |id: u64, kind: &str, parent: Value, title: Value, body: &str| {
        json!({
            "id": id, "kind": kind, "parent_id": parent, "created_at": "2015-01-27T20:09:32.720Z",
            "owner_user_id": "4", "score": 1, "title": title, "body": body, "tags": null,
            "last_edited_at": null,
        })
    };
    let none = Value::Null;
    let mut of_nobody = line(10, "question", none.clone(), json!("Q?"), "Q");
    of_nobody["owner_user_id"] = "-1".into();
    let mut early = line(11, "answer", json!(1), none.clone(), "A");
    early["created_at"] = "2015-01-27T20:09:32.719Z".into();
    let mut at_no_time = line(12, "question", none.clone(), json!("Q?"), "Q");
    at_no_time["created_at"] = "yesterday".into();
    let long = "x".repeat(50_001);
    let lines = [
        line(1, "question", none.clone(), json!("Why?"), "<p>Why</p>\n").to_string(),
        line(2, "answer", json!(1), none.clone(), "<p>So</p>\n").to_string(),
        line(3, "other", none.clone(), none.clone(), "").to_string(),
        "{\"id\": 4,".to_owned(),
        line(2, "answer", json!(1), none.clone(), "Twice").to_string(),
        line(5, "question", none.clone(), none.clone(), "No title").to_string(),
        line(6, "question", none.clone(), json!("Q".repeat(256)), "Long title").to_string(),
        line(7, "question", none.clone(), json!("Empty"), " \n").to_string(),
        line(8, "answer", json!(7), none.clone(), "To what was left out").to_string(),
        line(9, "answer", json!(1), none.clone(), &long).to_string(),
        of_nobody.to_string(),
        early.to_string(),
        at_no_time.to_string(),
        line(13, "question", none.clone(), json!("Bell?"), "\u{7}").to_string(),
    ];
    std::fs::write(folder.join("posts.ndjson"), lines.join("\n")).expect("a file");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_lines_are_named_and_nothing_of_them_is_half_done() {
    let here = tempfile::tempdir().expect("a folder");
    write_small_site_with_wrong_lines(here.path());
    let service = Service::start().await;
    let mut database = service.database.superuser().await;
    let path = here.path().to_str().expect("a path");
    let before = head(&mut database).await;
    for dry in [true, false] {
        let mut arguments = vec!["import", "stackexchange", path, "--output", "json"];
        arguments.extend(dry.then_some("--dry-run"));
        let done = service.tool(&arguments);
        assert_eq!(done.code, Some(1), "{done:?}");
        let told = report(&done);
        let lines = |name: &str| -> Vec<u64> {
            let list = told[name].as_array().expect("a list").iter();
            list.map(|line| line["line"].as_u64().expect("a line")).collect()
        };
        assert_eq!(lines("wrong"), (4..=14).collect::<Vec<_>>(), "{told}");
        assert_eq!(lines("passed_over"), [3], "{told}");
        let accepted = if dry { 0 } else { 4 };
        assert_eq!(told["accepted"], accepted, "a user, a post in two steps, a comment: {told}");
        assert_eq!(head(&mut database).await, before + accepted);
    }
    let missing = service.tool(&["import", "stackexchange", "/nowhere"]);
    assert_eq!(missing.code, Some(1), "{missing:?}");
    assert!(missing.stderr.contains("posts.ndjson"), "{missing:?}");
}
