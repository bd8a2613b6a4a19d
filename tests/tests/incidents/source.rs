//! The source's file, read plainly and without any of the project's code.

use std::collections::HashMap;
use std::path::Path;

/// What the source says of a ticket after a change.
pub(crate) struct Change {
    pub(crate) state: String,
    pub(crate) opened_at: String,
    pub(crate) updated_at: String,
    pub(crate) reassignment_count: i32,
    pub(crate) reopen_count: i32,
    pub(crate) priority: String,
    pub(crate) group: Option<String>,
    pub(crate) category: Option<String>,
}

/// What the source says.
pub(crate) struct Source {
    /// The changes of each ticket, in the file's order.
    pub(crate) tickets: HashMap<String, Vec<Change>>,
}

impl Source {
    pub(crate) fn read(folder: &Path) -> Self {
        let text =
            std::fs::read_to_string(folder.join("incident_event_log.csv")).expect("the file");
        let mut lines = text.lines();
        let header: Vec<&str> = lines.next().expect("a header").split(',').collect();
        let mut tickets: HashMap<String, Vec<Change>> = HashMap::new();
        for line in lines {
            let fields: Vec<&str> = line.split(',').collect();
            let field = |name: &str| {
                let at = header.iter().position(|column| *column == name).expect(name);
                fields[at].to_owned()
            };
            let known = |name: &str| Some(field(name)).filter(|text| text != "?");
            let priority = match field("priority").as_str() {
                "1 - Critical" => "critical",
                "2 - High" => "high",
                "3 - Moderate" => "medium",
                "4 - Low" => "low",
                other => panic!("{other}"),
            };
            tickets.entry(field("number")).or_default().push(Change {
                state: field("incident_state"),
                opened_at: field("opened_at"),
                updated_at: field("sys_updated_at"),
                reassignment_count: field("reassignment_count").parse().expect("a number"),
                reopen_count: field("reopen_count").parse().expect("a number"),
                priority: priority.to_owned(),
                group: known("assignment_group"),
                category: known("category"),
            });
        }
        Self { tickets }
    }
}

const COLUMNS: &str = "number,incident_state,reassignment_count,reopen_count,sys_mod_count,caller_id,opened_at,sys_updated_by,sys_updated_at,contact_type,location,category,subcategory,u_symptom,priority,assignment_group,assigned_to,closed_code";

/// A line: number, state, change, caller, opening, time and priority.
fn line(parts: [&str; 7]) -> String {
    let [number, state, change, caller, opened, time, priority] = parts;
    format!(
        "{number},{state},0,0,{change},{caller},{opened},Updated by 1,{time},Phone,?,Category 1,?,?,{priority},Group 1,?,code 1"
    )
}

const OPENED: &str = "01-02-2016 08:00";

fn write(folder: &Path, lines: &[String]) {
    let text = format!("{COLUMNS}\r\n{}\r\n", lines.join("\r\n"));
    std::fs::write(folder.join("incident_event_log.csv"), text).expect("a file");
}

/// Each of a few incidents as it should be.
fn good() -> Vec<String> {
    let usual = |number: &'static str, state: &'static str, change: &'static str| {
        line([number, state, change, "Caller 1", OPENED, "01-02-2016 09:00", "3 - Moderate"])
    };
    vec![
        usual("INC1", "New", "0"),
        usual("INC2", "New", "0"),
        usual("INC2", "Active", "1"),
        usual("INC1", "Closed", "1"),
        usual("INC3", "New", "0"),
        usual("INC4", "New", "0"),
        usual("INC5", "New", "0"),
        usual("INC6", "New", "0"),
        usual("INC7", "New", "0"),
        usual("INC8", "New", "0"),
        usual("INC8", "Resolved", "1"),
    ]
}

pub(crate) fn write_a_few_incidents(folder: &Path) {
    write(folder, &good());
}

/// The same, with one of each thing that a line can have wrong.
pub(crate) fn write_a_few_incidents_with_wrong_lines(folder: &Path) {
    let mut lines = good();
    let mut wrong = |at: usize, number: &str, change: [&str; 6]| {
        let [state, modified, caller, opened, time, priority] = change;
        lines[at - 2] = line([number, state, modified, caller, opened, time, priority]);
    };
    let time = "01-02-2016 09:00";
    wrong(4, "INC2", ["Asleep", "1", "Caller 1", OPENED, time, "3 - Moderate"]);
    wrong(6, "INC3", ["New", "0", "?", OPENED, time, "3 - Moderate"]);
    wrong(7, "INC4", ["New", "0", "Caller 1", OPENED, "30-02-2016 09:00", "3 - Moderate"]);
    wrong(8, "INC5", ["New", "0", "Caller 1", OPENED, time, "5 - Whatever"]);
    wrong(9, "INC6", ["New", "many", "Caller 1", OPENED, time, "3 - Moderate"]);
    wrong(12, "INC8", ["Resolved", "1", "Caller 2", OPENED, time, "3 - Moderate"]);
    lines[10 - 2] = "INC7,New,0".to_owned();
    write(folder, &lines);
}
