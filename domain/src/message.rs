//! Commands and events as messages: a name, a version, and JSON.
//!
//! The two macros make an enum out of structs and write down once which name
//! each variant has; everything else (decoding, schemas, registries) follows.

use std::fmt::Debug;

use schemars::Schema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

/// A message could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// No variant has this name.
    #[error("there is no {of} named {name:?}")]
    UnknownName {
        /// `command` or `event`, with the aggregate.
        of: &'static str,
        /// The name that was given.
        name: String,
    },
    /// This build does not know that version.
    #[error(
        "{name} has no version {version} in this build; it may have been written by a newer one"
    )]
    UnknownVersion {
        /// The event's type.
        name: String,
        /// The version that was found.
        version: i16,
    },
    /// The JSON does not fit.
    #[error("{name}{pointer}: {source}")]
    Json {
        /// The message's name.
        name: String,
        /// The field at fault, as a JSON pointer; empty for the whole.
        pointer: String,
        /// What serde says, with line and column.
        source: serde_json::Error,
    },
}

/// A name and the JSON Schema of what goes with it.
#[derive(Debug, Clone)]
pub struct MessageType {
    /// The name, such as `withdraw` or `banking.account.withdrawn`.
    pub name: &'static str,
    /// The version of its shape, from 1.
    pub version: i16,
    /// The first line of its documentation and its fields, as JSON Schema 2020-12.
    pub schema: fn() -> Schema,
    /// How its older versions become this one, oldest first.
    pub upcasters: &'static [Upcaster],
}

/// How an event's fields in one version become those of the next. Pure, and it never fails: what does
/// not fit afterwards was no such event, and decoding says so. What is stored never changes.
#[derive(Debug, Clone, Copy)]
pub struct Upcaster {
    /// The older version.
    pub from: i16,
    /// Changes its fields into those of the version after it.
    pub step: fn(&mut Map<String, Value>),
}

/// An event's fields, written in an older version, as they are in the version `current`: step by step,
/// one version at a time.
///
/// # Errors
/// A version that there never was, or a newer one; JSON that is no object.
pub fn upcast(
    name: &str,
    version: i16,
    current: i16,
    upcasters: &[Upcaster],
    data: &str,
) -> Result<Value, DecodeError> {
    let unknown = || DecodeError::UnknownVersion { name: name.to_owned(), version };
    if version > current {
        return Err(unknown());
    }
    let mut fields: Map<String, Value> = serde_json::from_str(data).map_err(|source| {
        DecodeError::Json { name: name.to_owned(), pointer: String::new(), source }
    })?;
    for from in version..current {
        let upcaster = upcasters.iter().find(|upcaster| upcaster.from == from);
        (upcaster.ok_or_else(unknown)?.step)(&mut fields);
    }
    Ok(Value::Object(fields))
}

/// Reads one message's fields, and says at which of them it failed.
///
/// # Errors
/// JSON that is malformed or does not fit.
pub fn read<T: DeserializeOwned>(name: &str, data: &str) -> Result<T, DecodeError> {
    let mut json = serde_json::Deserializer::from_str(data);
    let value: T = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let pointer = error
            .path()
            .iter()
            .map(|segment| match segment {
                serde_path_to_error::Segment::Seq { index } => format!("/{index}"),
                serde_path_to_error::Segment::Map { key } => format!("/{key}"),
                serde_path_to_error::Segment::Enum { variant } => format!("/{variant}"),
                serde_path_to_error::Segment::Unknown => "/?".to_owned(),
            })
            .collect();
        DecodeError::Json { name: name.to_owned(), pointer, source: error.into_inner() }
    })?;
    json.end().map_err(|source| DecodeError::Json {
        name: name.to_owned(),
        pointer: String::new(),
        source,
    })?;
    Ok(value)
}

/// For a field that may be absent (it stays) or null (it is removed): whatever is there is `Some`.
///
/// # Errors
/// A value that does not fit.
pub fn given_or_null<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

/// What can be asked of an aggregate.
pub trait CommandMessage: Clone + Debug + Send + Sync + 'static {
    /// All its commands.
    const TYPES: &'static [MessageType];
    /// The name of this one, such as `withdraw`.
    fn name(&self) -> &'static str;
    /// Reads a command from its name and its JSON fields.
    ///
    /// # Errors
    /// No such command, or fields that do not fit.
    fn decode(name: &str, data: &str) -> Result<Self, DecodeError>;
}

/// What can have happened to an aggregate.
pub trait EventMessage: Clone + Debug + PartialEq + Send + Sync + 'static {
    /// All its events, with full names.
    const TYPES: &'static [MessageType];
    /// The full type, such as `banking.account.withdrawn`.
    fn name(&self) -> &'static str;
    /// The version in which this build writes it.
    fn version(&self) -> i16;
    /// Its fields as JSON.
    ///
    /// # Errors
    /// A value that JSON cannot carry.
    fn encode(&self) -> Result<String, serde_json::Error>;
    /// Reads an event from its type, version and JSON fields.
    ///
    /// # Errors
    /// An unknown type or version, or fields that do not fit.
    fn decode(name: &str, version: i16, data: &str) -> Result<Self, DecodeError>;
}

/// Makes the enum of an aggregate's commands out of one struct a command.
///
/// `commands! { /// What can be asked. pub enum AccountCommand { "withdraw" => Withdraw, } }`
#[macro_export]
macro_rules! commands {
    ($(#[$meta:meta])* pub enum $Enum:ident { $($name:literal => $Variant:ident),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone)]
        pub enum $Enum {
            $(#[doc = concat!("`", $name, "`")] $Variant($Variant)),+
        }

        impl $crate::message::CommandMessage for $Enum {
            const TYPES: &'static [$crate::message::MessageType] = &[
                $($crate::message::MessageType { name: $name, version: 1, schema: || schemars::schema_for!($Variant), upcasters: &[] }),+
            ];

            fn name(&self) -> &'static str {
                match self { $(Self::$Variant(_) => $name),+ }
            }

            fn decode(name: &str, data: &str) -> Result<Self, $crate::message::DecodeError> {
                match name {
                    $($name => $crate::message::read(name, data).map(Self::$Variant),)+
                    _ => Err($crate::message::DecodeError::UnknownName { of: "command", name: name.to_owned() }),
                }
            }
        }

        $(impl From<$Variant> for $Enum { fn from(command: $Variant) -> Self { Self::$Variant(command) } })+
    };
}

/// Makes the enum of an aggregate's events out of one struct an event.
///
/// `events! { /// What happened. pub enum AccountEvent { "banking.account.withdrawn" @ 1 => Withdrawn, } }`
///
/// An event that needs another shape gets the next version, and a step from each older one to the one
/// after it: `"support.asset.returned" @ 2 => Returned { 1 => upcasts::returned_1 },`
#[macro_export]
macro_rules! events {
    ($(#[$meta:meta])* pub enum $Enum:ident { $($name:literal @ $version:literal => $Variant:ident $({ $($old:literal => $step:path),+ $(,)? })?),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $Enum {
            $(#[doc = concat!("`", $name, "`")] $Variant($Variant)),+
        }

        impl $crate::message::EventMessage for $Enum {
            const TYPES: &'static [$crate::message::MessageType] = &[
                $($crate::message::MessageType {
                    name: $name,
                    version: $version,
                    schema: || schemars::schema_for!($Variant),
                    upcasters: &[$($($crate::message::Upcaster { from: $old, step: $step }),+)?],
                }),+
            ];

            fn name(&self) -> &'static str {
                match self { $(Self::$Variant(_) => $name),+ }
            }

            fn version(&self) -> i16 {
                match self { $(Self::$Variant(_) => $version),+ }
            }

            fn encode(&self) -> Result<String, serde_json::Error> {
                match self { $(Self::$Variant(event) => serde_json::to_string(event)),+ }
            }

            fn decode(name: &str, version: i16, data: &str) -> Result<Self, $crate::message::DecodeError> {
                match (name, version) {
                    $(($name, $version) => serde_json::from_str(data).map(Self::$Variant).map_err(|source| {
                        $crate::message::DecodeError::Json { name: name.to_owned(), pointer: String::new(), source }
                    }),)+
                    $(($name, _) => {
                        const UPCASTERS: &[$crate::message::Upcaster] = &[$($($crate::message::Upcaster { from: $old, step: $step }),+)?];
                        let fields = $crate::message::upcast(name, version, $version, UPCASTERS, data)?;
                        serde_json::from_value(fields).map(Self::$Variant).map_err(|source| {
                            $crate::message::DecodeError::Json { name: name.to_owned(), pointer: String::new(), source }
                        })
                    },)+
                    _ => Err($crate::message::DecodeError::UnknownName { of: "event", name: name.to_owned() }),
                }
            }
        }

        $(impl From<$Variant> for $Enum { fn from(event: $Variant) -> Self { Self::$Variant(event) } })+
    };
}
