//! From a JSON Schema to columns.

use serde_json::Value;

use super::{Kind, Name};

/// A column for each property of an object, in the order of their names. What has no type of its own
/// here (objects, lists, what may be several things) is JSON.
#[must_use]
pub fn columns_of(schema: &Value) -> Vec<Name> {
    let Some(properties) = schema["properties"].as_object() else { return Vec::new() };
    let mut columns: Vec<Name> = properties
        .iter()
        .map(|(name, property)| Name::optional(name.as_str(), kind_of(property, schema)))
        .collect();
    columns.sort_by(|left, right| left.name.cmp(&right.name));
    columns
}

fn kind_of(property: &Value, schema: &Value) -> Kind {
    if let Some(reference) = property["$ref"].as_str() {
        return match reference.strip_prefix('#').and_then(|path| schema.pointer(path)) {
            Some(found) => kind_of(found, schema),
            None => Kind::Json,
        };
    }
    // `Option<T>` of a type with a name of its own.
    if let Some(either) = property["anyOf"].as_array() {
        let mut there = either.iter().filter(|one| one["type"] != "null");
        return match (there.next(), there.next()) {
            (Some(one), None) => kind_of(one, schema),
            _ => Kind::Json,
        };
    }
    // An enum whose variants are documented.
    if let Some(variants) = property["oneOf"].as_array() {
        let named = |one: &Value| one["const"].is_string() || one["enum"].is_array();
        return if variants.iter().all(named) { Kind::Text } else { Kind::Json };
    }
    let types: Vec<&str> = match &property["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let mut types = types.into_iter().filter(|name| *name != "null");
    match (types.next(), types.next(), property["format"].as_str()) {
        (Some("string"), None, Some("uuid")) => Kind::Id,
        (Some("string"), None, Some("date-time")) => Kind::Time,
        (Some("string"), None, Some("date")) => Kind::Day,
        (Some("string"), None, Some("decimal")) => Kind::Money,
        (Some("string"), None, _) => Kind::Text,
        (Some("integer"), None, _) => Kind::Long,
        (Some("number"), None, _) => Kind::Double,
        (Some("boolean"), None, _) => Kind::Bool,
        _ => Kind::Json,
    }
}

#[cfg(test)]
mod tests {
    use daybook_domain::catalog;

    use super::*;

    fn kinds(event: &str) -> Vec<(String, Kind)> {
        let schema = (catalog::event(event).expect("an event").schema)();
        let schema = serde_json::to_value(schema).expect("JSON");
        columns_of(&schema).into_iter().map(|column| (column.name, column.kind)).collect()
    }

    #[test]
    fn fields_are_columns_of_their_own_types() {
        let deposited = kinds("banking.account.deposited");
        for (name, kind) in [
            ("amount", Kind::Money),
            ("balance_after", Kind::Money),
            ("transaction_id", Kind::Id),
            ("description", Kind::Text),
            ("direction", Kind::Text),
            ("status", Kind::Text),
        ] {
            assert!(deposited.contains(&(name.to_owned(), kind)), "{name}: {deposited:?}");
        }
        let registered = kinds("support.asset.registered");
        for (name, kind) in [
            ("purchase_date", Kind::Day),
            ("specifications", Kind::Json),
            ("manufacturer", Kind::Text),
        ] {
            assert!(registered.contains(&(name.to_owned(), kind)), "{name}: {registered:?}");
        }
        let opened = kinds("identity.session.opened");
        assert!(opened.contains(&("expires_at".to_owned(), Kind::Time)), "{opened:?}");
    }
}
