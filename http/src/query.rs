//! Query parameters, each of which must be known.

use std::collections::BTreeMap;
use std::str::FromStr;

use crate::Problem;

/// The query parameters of a request. What nobody took at the end is an error:
/// a misspelt filter must not answer with everything.
#[derive(Debug, Default)]
pub struct Params(BTreeMap<String, String>);

impl Params {
    /// The parameters, as the framework decoded them.
    ///
    /// # Errors
    /// `400` where one stands twice.
    pub fn new(pairs: Vec<(String, String)>) -> Result<Self, Problem> {
        let mut map = BTreeMap::new();
        for (name, value) in pairs {
            if map.contains_key(&name) {
                return Err(Problem::malformed(format!("query parameter {name:?} stands twice")));
            }
            map.insert(name, value);
        }
        Ok(Self(map))
    }

    /// Takes a parameter as text.
    pub fn text(&mut self, name: &str) -> Option<String> {
        self.0.remove(name)
    }

    /// Takes a parameter and parses it.
    ///
    /// # Errors
    /// `400` naming the parameter and what is expected.
    pub fn parse<T: FromStr>(&mut self, name: &str, expected: &str) -> Result<Option<T>, Problem> {
        let Some(value) = self.0.remove(name) else { return Ok(None) };
        value.parse().map(Some).map_err(|_| {
            Problem::malformed(format!("query parameter {name}={value:?} is not {expected}"))
        })
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// `400` naming the parameters that nobody took, and those that exist.
    pub fn finish(self, known: &[&str]) -> Result<(), Problem> {
        if self.0.is_empty() {
            return Ok(());
        }
        let unknown = self.0.into_keys().collect::<Vec<_>>().join(", ");
        Err(Problem::malformed(format!(
            "unknown query parameter(s) {unknown}; known are: {}",
            known.join(", ")
        )))
    }

    /// What is left, in order of name.
    #[must_use]
    pub fn rest(&self) -> Vec<(String, String)> {
        self.0.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}
