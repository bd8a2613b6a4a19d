//! A setting: how the platform is set up, by name.
//!
//! What sort of value it has is fixed when it is set first, also across an
//! unsetting. A secret one's value is in the log, for whoever runs the platform
//! by it, and in no answer, no row and no audit trail. Absent on purpose: a way
//! to make a secret readable again.

pub mod commands;
pub mod errors;
pub mod events;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::access::Owned;
use crate::aggregate::{Aggregate, Claim, Effects, Lifecycle};
use crate::context::Context;
use crate::values::{SecretValue, SettingKey, SettingType, Text};

pub use commands::SettingCommand;
pub use errors::SettingError;
pub use events::SettingEvent;

/// The scope of claims on keys.
pub const KEY_CLAIM: &str = "setting.key";
/// How many bytes a value has at most, written as JSON without spaces.
pub const MAX_VALUE: usize = 64 * 1024;

/// A setting as its events left it; nothing before the first one.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Setting(Option<Entry>);

/// A setting that was set once.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// What it is called.
    pub key: SettingKey,
    /// What sort of value it has.
    pub value_type: SettingType,
    /// Whether the value is shown to nobody.
    pub is_secret: bool,
    /// Its value, while it has one.
    pub value: Option<SecretValue>,
    /// What it is for.
    pub about: Option<Text<1000>>,
}

impl Setting {
    /// The setting, once set.
    #[must_use]
    pub fn entry(&self) -> Option<&Entry> {
        self.0.as_ref()
    }
}

impl Owned for Setting {
    /// Nobody's but the platform's.
    fn owner(&self, _: Uuid, _: &SettingCommand) -> Option<Uuid> {
        None
    }
}

type Decision = Result<Vec<SettingEvent>, SettingError>;

impl Aggregate for Setting {
    const KIND: &'static str = "platform.setting";
    type Command = SettingCommand;
    type Event = SettingEvent;
    type Error = SettingError;
    type Facts = ();

    fn decide(&self, command: &SettingCommand, (): &(), _: &Context) -> Decision {
        match command {
            SettingCommand::Set(command) => set(self.entry(), command),
            SettingCommand::Unset(_) => match self.entry() {
                None => Err(SettingError::Unknown),
                Some(entry) if entry.value.is_none() => Ok(vec![]),
                Some(_) => Ok(vec![events::Unset {}.into()]),
            },
        }
    }

    fn apply(&mut self, event: &SettingEvent) {
        match event {
            SettingEvent::Set(event) => {
                let shown = event.value.clone().map(SecretValue);
                self.0 = Some(Entry {
                    key: event.key.clone(),
                    value_type: event.value_type,
                    is_secret: event.is_secret,
                    value: shown.or_else(|| event.secret_value.clone()),
                    about: event.about.clone(),
                });
            }
            SettingEvent::Unset(_) => {
                if let Some(entry) = &mut self.0 {
                    entry.value = None;
                }
            }
        }
    }

    /// The key is claimed once and kept: an unset setting may be set again, as itself.
    fn effects(&self, _: Uuid, event: &SettingEvent) -> Effects {
        match event {
            SettingEvent::Set(event) if self.0.is_none() => Effects {
                lifecycle: Lifecycle::Opens,
                claims: vec![Claim::new(KEY_CLAIM, event.key.as_str())],
                ..Effects::default()
            },
            SettingEvent::Set(_) | SettingEvent::Unset(_) => Effects::default(),
        }
    }
}

fn set(before: Option<&Entry>, command: &commands::Set) -> Decision {
    let found = SettingType::of(&command.value).ok_or(SettingError::Null)?;
    let value_type = match before {
        Some(entry) => {
            goes_on(entry, command)?;
            entry.value_type
        }
        None => command.value_type.unwrap_or(found),
    };
    if !value_type.takes(&command.value) {
        return Err(SettingError::WrongType { value_type, found });
    }
    fits(&command.value)?;
    let was = before.and_then(|entry| entry.about.clone());
    let about = command.about.clone().or(was);
    let as_before = before.is_some_and(|entry| {
        entry.is_secret == command.is_secret
            && entry.value.as_ref().is_some_and(|value| value.0 == command.value)
            && entry.about == about
    });
    if as_before {
        return Ok(vec![]);
    }
    let (is_secret, value) = (command.is_secret, command.value.clone());
    let (value, secret_value) =
        if is_secret { (None, Some(SecretValue(value))) } else { (Some(value), None) };
    let key = command.key.clone();
    Ok(vec![events::Set { key, value_type, is_secret, value, secret_value, about }.into()])
}

/// What was fixed when the setting was set first stays so.
fn goes_on(entry: &Entry, command: &commands::Set) -> Result<(), SettingError> {
    if entry.key != command.key {
        return Err(SettingError::OtherKey { key: entry.key.clone() });
    }
    if let Some(asked) = command.value_type.filter(|asked| *asked != entry.value_type) {
        return Err(SettingError::TypeFixed { value_type: entry.value_type, asked });
    }
    if entry.is_secret && !command.is_secret {
        return Err(SettingError::StaysSecret);
    }
    Ok(())
}

fn fits(value: &Value) -> Result<(), SettingError> {
    // What writes nothing but JSON values into memory does not fail.
    let bytes = serde_json::to_string(value).map_or(usize::MAX, |text| text.len());
    if bytes > MAX_VALUE { Err(SettingError::ValueTooLarge { bytes }) } else { Ok(()) }
}
