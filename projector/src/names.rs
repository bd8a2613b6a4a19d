//! Names that somebody mistyped, and those that they may have meant.

/// How many are named.
const MOST: usize = 5;

/// Those of `known` that are spelt most like `name`, or have it in them; the nearest first.
#[must_use]
pub fn near<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let name = name.to_lowercase();
    let far = (name.chars().count() / 3).max(2);
    let mut found: Vec<(usize, &str)> = known
        .into_iter()
        .filter_map(|known| {
            let spelt = known.to_lowercase();
            let distance = distance(&name, &spelt);
            let within = name.len() > 2 && (spelt.contains(&name) || name.contains(&spelt));
            (distance <= far || within).then_some((distance, known))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found.truncate(MOST);
    found.into_iter().map(|(_, known)| known).collect()
}

/// How many letters are to be put in, left out or changed (Levenshtein).
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (at, letter) in left.chars().enumerate() {
        let mut before = at;
        row[0] = at + 1;
        for (column, other) in right.iter().enumerate() {
            let changed = before + usize::from(letter != *other);
            before = row[column + 1];
            row[column + 1] = changed.min(before + 1).min(row[column] + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spelt_alike_is_near() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        let known = ["banking.account", "banking.account.opened", "content.post", "support.ticket"];
        assert_eq!(near("banking.acount", known)[0], "banking.account");
        assert_eq!(near("Post", known), ["content.post"]);
        assert!(near("zebra", known).is_empty());
    }
}
