//! Many commands in a row: decided side by side where they may be, answered in
//! order. One that fails does not stop the others.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use daybook_http::{Caller, Problem};
use futures::stream::FuturesOrdered;
use futures::{Stream, StreamExt};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::{mpsc, watch};
use tracing::Instrument;
use uuid::Uuid;

use crate::engine::{Accepted, Engine};
use crate::error::CommandError;
use crate::handle::setting;
use crate::order::Intake;
use crate::sequence::{Predecessors, Progress, Stage};

/// How many commands of one batch are on their way at a time.
pub const WINDOW: usize = 512;

/// One command of a batch, as a line of JSON.
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// What makes it safe to send the line again. One is made where none is given.
    pub id: Option<Uuid>,
    /// The aggregate and the command, such as `banking.account.withdraw`.
    #[serde(rename = "type")]
    pub command_type: String,
    /// The stream; may be left out where the command makes a new one.
    pub stream_id: Option<Uuid>,
    /// The version that the stream must be at; 0: it must not exist.
    pub expected_version: Option<i64>,
    /// When it happened in the world.
    pub occurred_at: Option<String>,
    /// The command's fields.
    #[serde(default, deserialize_with = "crate::fields::deserialize")]
    pub data: Map<String, Value>,
}

/// What became of one line.
#[derive(Debug)]
pub struct LineAnswer {
    /// The line's number, from 1.
    pub line: u64,
    /// The command id that was given or made, where the line could be read.
    pub id: Option<Uuid>,
    /// What became of it.
    pub outcome: Result<Accepted, CommandError>,
}

impl LineAnswer {
    /// The answer as a line of JSON, consuming it.
    #[must_use]
    pub fn into_json(self) -> Value {
        match self.outcome {
            Ok(accepted) => {
                let mut body = crate::http::answer::body(&accepted);
                body["line"] = self.line.into();
                body["id"] = json!(self.id);
                body["status"] = crate::http::answer::status(&accepted).as_u16().into();
                body
            }
            Err(error) => {
                let problem = Problem::from(error);
                json!({
                    "line": self.line,
                    "id": self.id,
                    "status": problem.status.as_u16(),
                    "problem": problem.body(),
                })
            }
        }
    }
}

/// Submits the lines of a batch, and gives their answers in the same order.
///
/// Lines that name the same stream (as theirs, in a field such as `user_id`, or by
/// a setting's key) are decided in order; all others side by side, at most [`WINDOW`] at a time. Those
/// that have begun come to their end, whether or not anybody waits for their answers.
pub fn submit_lines<S>(
    engine: Arc<Engine>,
    caller: Caller,
    lines: S,
) -> impl Stream<Item = LineAnswer> + Send
where
    S: Stream<Item = (u64, Result<Line, CommandError>)> + Send + 'static,
{
    let mut latest: HashMap<Uuid, watch::Receiver<Stage>> = HashMap::new();
    let repeated = Arc::new(AtomicBool::new(false));
    let lines = lines.map(move |(number, line)| {
        let progress = Progress::default();
        let predecessors = line
            .as_ref()
            .map_or_else(|_| Predecessors::default(), |line| follow(&mut latest, line, &progress));
        let batch = Batch {
            engine: Arc::clone(&engine),
            caller: caller.clone(),
            repeated: Arc::clone(&repeated),
        };
        submit_line(batch, number, line, predecessors, progress)
    });
    let (told, answers) = mpsc::channel(1);
    // On a task of its own: who does not read the answers must not stop a line in the middle, while it
    // has its stream's turn.
    tokio::spawn(work(lines, told).in_current_span());
    futures::stream::unfold(answers, |mut answers| async {
        answers.recv().await.map(|answer| (answer, answers))
    })
}

/// Has at most [`WINDOW`] lines on their way or waiting to be told. Once nobody listens, what has begun
/// comes to its end, and nothing more is begun.
async fn work<S, F>(lines: S, told: mpsc::Sender<LineAnswer>)
where
    S: Stream<Item = F> + Send,
    F: Future<Output = LineAnswer> + Send,
{
    let mut lines = std::pin::pin!(lines);
    let (mut begun, mut done) = (FuturesOrdered::new(), VecDeque::new());
    let mut goes_on = true;
    loop {
        let room = begun.len() + done.len() < WINDOW;
        tokio::select! {
            Some(answer) = begun.next() => done.push_back(answer),
            line = lines.next(), if goes_on && room => match line {
                Some(line) => begun.push_back(line),
                None => goes_on = false,
            },
            listener = told.reserve(), if !done.is_empty() => match (listener, done.pop_front()) {
                (Ok(listener), Some(answer)) => listener.send(answer),
                _ => (goes_on, done) = (false, VecDeque::new()),
            },
            () = told.closed(), if goes_on => goes_on = false,
            else => break,
        }
    }
}

/// Reads one command of a batch.
///
/// # Errors
/// The text is no JSON, or no command.
pub fn parse_line(text: &str) -> Result<Line, CommandError> {
    daybook_domain::message::read("line", text).map_err(CommandError::from)
}

/// Finds the lines that this one comes after, and puts itself behind them.
fn follow(
    latest: &mut HashMap<Uuid, watch::Receiver<Stage>>,
    line: &Line,
    progress: &Progress,
) -> Predecessors {
    if latest.len() > 16 * WINDOW {
        latest.retain(|_, stage| *stage.borrow() != Stage::Done);
    }
    let named = line.data.values().filter_map(|value| Uuid::parse_str(value.as_str()?).ok());
    let by_key = setting::stream_set_by(&line.command_type, &line.data);
    let mut earlier = Vec::new();
    for stream in line.stream_id.into_iter().chain(named).chain(by_key) {
        if let Some(stage) = latest.insert(stream, progress.watch())
            && *stage.borrow() != Stage::Done
            && !stage.same_channel(&progress.watch())
        {
            earlier.push(stage);
        }
    }
    Predecessors::new(earlier)
}

/// What the lines of a batch have in common.
struct Batch {
    engine: Arc<Engine>,
    caller: Caller,
    /// Whether a line was answered again: then this batch was sent before, and
    /// the first answers are looked for before anything is decided.
    repeated: Arc<AtomicBool>,
}

async fn submit_line(
    batch: Batch,
    number: u64,
    line: Result<Line, CommandError>,
    predecessors: Predecessors,
    progress: Progress,
) -> LineAnswer {
    let line = match line {
        Ok(line) => line,
        Err(error) => return LineAnswer { line: number, id: None, outcome: Err(error) },
    };
    let Batch { engine, caller, repeated } = batch;
    let id = line.id.unwrap_or_else(|| engine.fresh_id());
    let submitted = async {
        let mut order = engine.order(intake(caller, line, id)?).await?;
        order.predecessors = predecessors;
        order.progress = progress;
        order.sent_before = repeated.load(Ordering::Relaxed);
        engine.submit(order).await
    };
    let outcome = submitted.await;
    if matches!(&outcome, Ok(accepted) if accepted.appended.replayed) {
        repeated.store(true, Ordering::Relaxed);
    }
    LineAnswer { line: number, id: Some(id), outcome }
}

fn intake(caller: Caller, line: Line, id: Uuid) -> Result<Intake, CommandError> {
    let Some((kind, name)) = line.command_type.rsplit_once('.') else {
        return Err(CommandError::Invalid {
            pointer: "/type".into(),
            detail: format!(
                "{:?} names no command; it looks like banking.account.withdraw",
                line.command_type
            ),
        });
    };
    let mut fields = line.data;
    if let Some(time) = line.occurred_at {
        fields.insert("occurred_at".into(), time.into());
    }
    Ok(Intake {
        caller,
        kind: kind.to_owned(),
        name: name.to_owned(),
        stream: line.stream_id,
        command_id: Some(id),
        fields,
        if_match: line.expected_version,
        dry_run: false,
    })
}
