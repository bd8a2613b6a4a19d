//! Nothing fires in a replay, a rebuild or a look into the past: there is nothing there that could.
//!
//! A projection is a function from rows to rows, and replay one from events to bytes. What could act on
//! the world (commands, mail, the network, other programs, a message bus) is not within reach of the code
//! that runs in them, and this keeps it so.

use crate::assert_none;
use crate::tree::{TextFile, files};

/// The rooms of `projector/src` that do other things than fold history: they answer requests, post
/// live, and tell Kafka of rows that were.
const LIVE: [&str; 3] = ["http/", "worker/", "row_topics/"];

/// Words by which code would act on the world, or ask somebody who does.
const ACTS: [&str; 12] = [
    "daybook_command",
    "Appender",
    "reqwest",
    "hyper::",
    "TcpStream",
    "UdpSocket",
    "UnixStream",
    "rdkafka",
    "lettre",
    "argon2::",
    "bcrypt::",
    "process::Command",
];

fn acting(files: &[TextFile]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| file.is_code_of(&["projector", "domain"])) {
        let room = file.path.strip_prefix("projector/src/").unwrap_or_default();
        if LIVE.iter().any(|live| room.starts_with(live)) {
            continue;
        }
        for (number, line) in file.text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            for word in ACTS.iter().filter(|word| code.contains(**word)) {
                complaints.push(format!("{}:{}: {word}", file.path, number + 1));
            }
        }
    }
    complaints
}

#[test]
fn what_folds_history_has_nothing_at_hand_that_acts() {
    assert_none("history must not act", &acting(files()));
}

#[test]
fn something_that_acts_is_seen() {
    let tree = [
        TextFile::new("projector/src/replay/mod.rs", "// reqwest\nuse reqwest::Client;\n"),
        TextFile::new("projector/src/banking/account.rs", "use daybook_store::Appender;\n"),
        TextFile::new("projector/src/worker/run.rs", "use rdkafka::Message;\n"),
        TextFile::new("command/src/sign_in.rs", "use argon2::Argon2;\n"),
    ];
    let complaints = acting(&tree);
    assert_eq!(
        complaints,
        ["projector/src/replay/mod.rs:2: reqwest", "projector/src/banking/account.rs:1: Appender"]
    );
}
