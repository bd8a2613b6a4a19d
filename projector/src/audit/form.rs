//! Rows of the trail as lines of text.

use chrono::SecondsFormat;

use super::AuditRow;

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A JSON object a line: the form over which digests are taken.
    Ndjson,
    /// RFC 4180, without its line of names ([`HEADER`]).
    Csv,
}

/// The line of names of an export as CSV.
pub const HEADER: &str = "id,created_at,position,user_id,action,entity_type,entity_id,old_values,\
new_values,ip_address,event_type,stream_id,version,correlation_id,session_id,user_agent,tenant_id,\
command_id\n";

/// Writes one row as one line.
///
/// # Errors
/// What JSON cannot carry; nothing here is that.
pub fn write(row: &AuditRow, form: Form, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    match form {
        Form::Ndjson => serde_json::to_writer(&mut *out, row)?,
        Form::Csv => csv(row, out),
    }
    out.push(b'\n');
    Ok(())
}

fn csv(row: &AuditRow, out: &mut Vec<u8>) {
    fn said<T: ToString>(value: &Option<T>) -> Option<String> {
        value.as_ref().map(ToString::to_string)
    }
    let fields = [
        Some(row.id.to_string()),
        Some(row.created_at.to_rfc3339_opts(SecondsFormat::Micros, true)),
        said(&row.position),
        said(&row.user_id),
        Some(row.action.clone()),
        row.entity_type.clone(),
        said(&row.entity_id),
        said(&row.old_values),
        said(&row.new_values),
        said(&row.ip_address),
        row.event_type.clone(),
        said(&row.stream_id),
        said(&row.version),
        said(&row.correlation_id),
        said(&row.session_id),
        row.user_agent.clone(),
        said(&row.tenant_id),
        said(&row.command_id),
    ];
    for (at, field) in fields.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        crate::replay::csv_field(field.as_deref(), out);
    }
}
