//! One event's fields into the typed columns of its type.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use daybook_domain::message::{self, DecodeError, MessageType};
use daybook_store::Recorded;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::ReplayError;
use crate::columns::{Column, Kind, Name, columns_of};
use daybook_store::redact;

/// What a type's fields are called where metadata has that name already.
const PREFIX: &str = "data_";
/// The column for fields that have none of their own.
const OTHER: &str = "other";

/// Where the fields of one type of event go.
#[derive(Debug)]
pub(super) struct Fields {
    of: &'static MessageType,
    /// Columns before the fields'.
    before: usize,
    /// The column of each field, counted from `before`.
    places: HashMap<String, usize>,
    /// Which of them this event has had.
    seen: Vec<bool>,
}

impl Fields {
    /// The columns of this type's fields, after those in `names`, to which they are added.
    pub(super) fn of(of: &'static MessageType, names: &mut Vec<Name>) -> Self {
        let schema = serde_json::to_value((of.schema)()).unwrap_or_default();
        let before = names.len();
        let taken: Vec<String> = names.iter().map(|name| name.name.clone()).collect();
        let mut places = HashMap::new();
        for (place, mut column) in columns_of(&schema).into_iter().enumerate() {
            places.insert(column.name.clone(), place);
            if taken.contains(&column.name) || column.name == OTHER {
                column.name = format!("{PREFIX}{}", column.name);
            }
            names.push(column);
        }
        names.push(Name::optional(OTHER, Kind::Json));
        let seen = vec![false; places.len()];
        Self { of, before, places, seen }
    }

    /// Puts the event's fields, as they are in the current version, into their columns.
    ///
    /// # Errors
    /// A version that this build does not know; data that is no JSON object.
    pub(super) fn take(
        &mut self,
        event: &Recorded,
        columns: &mut [Column],
    ) -> Result<(), ReplayError> {
        let json = |source| ReplayError::Json { position: event.position, source };
        let redacted = redact::redacted(&event.data).map_err(json)?;
        let stored = redacted.as_deref().unwrap_or(&event.data).get();
        let data = if event.schema_version == self.of.version {
            Cow::Borrowed(stored)
        } else {
            let MessageType { name, version, upcasters, .. } = self.of;
            let now = message::upcast(name, event.schema_version, *version, upcasters, stored);
            let now = now.map_err(|source| decode(event, source))?;
            Cow::Owned(now.to_string())
        };
        self.seen.fill(false);
        let (mine, other) = columns[self.before..].split_at_mut(self.places.len());
        let mut rest = String::new();
        let row =
            Row { places: &self.places, seen: &mut self.seen, columns: mine, rest: &mut rest };
        let mut reader = serde_json::Deserializer::from_str(&data);
        row.deserialize(&mut reader).map_err(json)?;
        for (column, _) in mine.iter_mut().zip(&self.seen).filter(|(_, seen)| !**seen) {
            column.null();
        }
        match other.first_mut() {
            Some(other) if rest.is_empty() => other.null(),
            Some(other) => {
                rest.push('}');
                other.text(&rest);
            }
            None => {}
        }
        Ok(())
    }
}

/// The event cannot be understood.
pub(super) fn decode(event: &Recorded, source: DecodeError) -> ReplayError {
    ReplayError::Decode { position: event.position, source }
}

/// Reads one JSON object into columns.
struct Row<'a> {
    places: &'a HashMap<String, usize>,
    seen: &'a mut [bool],
    columns: &'a mut [Column],
    /// What has no column, as a JSON object without its end.
    rest: &'a mut String,
}

impl<'de> DeserializeSeed<'de> for Row<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event's fields")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(place) = map.next_key_seed(Key(self.places))? {
            let raw: &RawValue = map.next_value()?;
            let taken = match &place {
                Ok(place) => !self.seen[*place] && self.columns[*place].json(raw.get()),
                Err(_) => false,
            };
            match place {
                Ok(place) if taken => self.seen[place] = true,
                Ok(place) => {
                    let name = self.places.iter().find(|(_, at)| **at == place);
                    add(self.rest, name.map_or("", |(name, _)| name), raw);
                }
                Err(name) => add(self.rest, &name, raw),
            }
        }
        Ok(())
    }
}

fn add(rest: &mut String, name: &str, value: &RawValue) {
    rest.push(if rest.is_empty() { '{' } else { ',' });
    rest.push_str(&serde_json::Value::from(name).to_string());
    rest.push(':');
    rest.push_str(value.get());
}

/// Reads a field's name into its place, or gives the name back.
struct Key<'a>(&'a HashMap<String, usize>);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Result<usize, String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Result<usize, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.0.get(name).copied().ok_or_else(|| name.to_owned()))
    }
}
