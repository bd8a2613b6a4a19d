//! Commands of settings. A setting is found by its key: its stream's id is made of it.

use daybook_domain::aggregate::Aggregate;
use daybook_domain::platform::setting::{Setting, SettingCommand};
use daybook_domain::values::SettingKey;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::Work;
use crate::engine::Attempt;
use crate::error::CommandError;
use crate::order::Intake;

/// One attempt at a command of a setting.
pub(crate) async fn attempt(
    work: &mut Work<'_>,
    command: &SettingCommand,
) -> Result<Attempt, CommandError> {
    super::plain::<Setting>(work, command).await
}

/// The stream of the setting with this key, where its first command named no other: a UUID of
/// version 8, out of SHA-256 of kind and key.
pub(crate) fn stream_of(key: &SettingKey) -> Uuid {
    let mut hash = Sha256::new();
    hash.update(Setting::KIND.as_bytes());
    hash.update([0]);
    hash.update(key.as_str().as_bytes());
    let digest: [u8; 32] = hash.finalize().into();
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// The stream of the setting that a line of a batch sets, found by its key.
pub(crate) fn stream_set_by(command_type: &str, fields: &Map<String, Value>) -> Option<Uuid> {
    if command_type.strip_prefix(Setting::KIND) != Some(".set") {
        return None;
    }
    Some(stream_of(&fields.get("key")?.as_str()?.parse().ok()?))
}

/// Whether this field of the command is a secret setting's value.
pub(crate) fn hides(intake: &Intake, field: &str) -> bool {
    field == "value"
        && intake.kind == Setting::KIND
        && intake.fields.get("is_secret") == Some(&Value::Bool(true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_stream_for_ever() {
        let stream = |key: &str| stream_of(&key.parse().expect("a key")).to_string();
        assert_eq!(stream("mail.smtp.host"), stream("mail.smtp.host"));
        assert_ne!(stream("mail.smtp.host"), stream("mail.smtp.port"));
        assert_eq!(stream("mail.smtp.host"), "9f0fe9c1-bbfb-8b24-a218-8ea0ebd7533b");
    }
}
