//! JSON Merge Patch, RFC 7396.

use serde_json::{Map, Value};

/// What `patch` makes of `target`: members of an object that are `null` in the patch go, others
/// replace those of the same name, objects are merged; what is no object replaces the whole.
#[must_use]
pub fn merge_patch(target: Option<Value>, patch: &Value) -> Value {
    match patch {
        Value::Object(patch) => {
            let target = match target {
                Some(Value::Object(members)) => members,
                Some(_) | None => Map::new(),
            };
            Value::Object(merge_objects(target, patch))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            patch.clone()
        }
    }
}

/// [`merge_patch`] of two objects, which is an object.
#[must_use]
pub fn merge_objects(
    mut target: Map<String, Value>,
    patch: &Map<String, Value>,
) -> Map<String, Value> {
    for (name, value) in patch {
        let before = target.remove(name);
        if !value.is_null() {
            target.insert(name.clone(), merge_patch(before, value));
        }
    }
    target
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Original, patch and result of RFC 7396, appendix A.
    #[test]
    fn does_what_the_appendix_says() {
        let rows = [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":"b","b":"c"}), json!({"a":null}), json!({"b":"c"})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"c"}), json!({"a":["b"]}), json!({"a":["b"]})),
            (json!({"a":{"b":"c"}}), json!({"a":{"b":"d","c":null}}), json!({"a":{"b":"d"}})),
            (json!({"a":[{"b":"c"}]}), json!({"a":[1]}), json!({"a":[1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a":"b"}), json!(["c"]), json!(["c"])),
            (json!({"a":"foo"}), json!(null), json!(null)),
            (json!({"a":"foo"}), json!("bar"), json!("bar")),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (json!([1, 2]), json!({"a":"b","c":null}), json!({"a":"b"})),
            (json!({}), json!({"a":{"bb":{"ccc":null}}}), json!({"a":{"bb":{}}})),
        ];
        for (original, patch, result) in rows {
            let found = merge_patch(Some(original.clone()), &patch);
            assert_eq!(found, result, "{original} + {patch}");
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[a-c]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-c]", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_patch_applied_again_changes_nothing(target in values(), patch in values()) {
            let once = merge_patch(Some(target), &patch);
            prop_assert_eq!(merge_patch(Some(once.clone()), &patch), once);
        }

        #[test]
        fn a_patch_leaves_what_it_does_not_name(target in values(), patch in values()) {
            let found = merge_patch(Some(target.clone()), &patch);
            if let (Value::Object(target), Value::Object(patch), Value::Object(found)) = (target, patch, found) {
                for (name, value) in target.iter().filter(|(name, _)| !patch.contains_key(*name)) {
                    prop_assert_eq!(found.get(name), Some(value));
                }
            }
        }
    }
}
