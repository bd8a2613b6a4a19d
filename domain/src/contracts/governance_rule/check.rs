//! What a rule can ask of a contract, and how it is answered.

use regex::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::GovernanceRuleError;
use crate::values::{ApiVersion, BaseUrl, Text, named_values};

/// How many hosts a rule may allow.
pub const MAX_HOSTS: usize = 1_000;
/// How large a pattern may be once compiled. Matching takes time in proportion to the text's
/// length, whatever the pattern is: nothing is tried twice.
pub const PATTERN_BYTES: usize = 256 * 1024;

/// What a rule asks of a contract.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Check {
    /// The canonical name matches a regular expression, anchored only where it says so.
    NamePattern {
        /// The expression, in the syntax of the crate `regex`.
        pattern: Text<500>,
    },
    /// The base URL is `https://`.
    HttpsOnly {},
    /// The version is of this scheme.
    VersionScheme {
        /// Which one.
        scheme: VersionScheme,
    },
    /// There is a description.
    DescriptionRequired {
        /// How many characters it has at least; 1 where absent.
        #[serde(default = "one")]
        min_length: u32,
    },
    /// The base URL's host is one of these.
    HostAllowed {
        /// Host names, 1 to 1,000; `*.example.com` is every host below `example.com`.
        #[schemars(length(min = 1, max = 1_000))]
        hosts: Vec<Text<255>>,
    },
}

const fn one() -> u32 {
    1
}

named_values! {
    /// How versions are written.
    pub enum VersionScheme {
        /// `1.2.0`, as semver.org has it.
        Semver = "semver",
        /// `2024-01-31`, and what may follow after another `-`.
        Date = "date",
        /// `v1`: a `v` and a number.
        Major = "major",
    }
}

/// What is looked at of a contract.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// Its canonical name.
    pub canonical_name: &'a str,
    /// Its version.
    pub version: &'a ApiVersion,
    /// Its description.
    pub description: Option<&'a str>,
    /// Its base URL.
    pub base_url: &'a BaseUrl,
}

impl Check {
    /// The kind, as it stands in events and tables.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NamePattern { .. } => "name_pattern",
            Self::HttpsOnly {} => "https_only",
            Self::VersionScheme { .. } => "version_scheme",
            Self::DescriptionRequired { .. } => "description_required",
            Self::HostAllowed { .. } => "host_allowed",
        }
    }

    /// Refuses what could never be answered.
    pub(super) fn usable(&self) -> Result<(), GovernanceRuleError> {
        match self {
            Self::NamePattern { pattern } => match compile(pattern) {
                Ok(_) => Ok(()),
                Err(reason) => Err(GovernanceRuleError::Pattern { reason }),
            },
            Self::HostAllowed { hosts } if !(1..=MAX_HOSTS).contains(&hosts.len()) => {
                Err(GovernanceRuleError::HostCount { count: hosts.len() })
            }
            Self::HttpsOnly {}
            | Self::VersionScheme { .. }
            | Self::DescriptionRequired { .. }
            | Self::HostAllowed { .. } => Ok(()),
        }
    }

    /// What is wrong with a contract; nothing where it is as asked.
    #[must_use]
    pub fn complaint(&self, subject: &Subject<'_>) -> Option<String> {
        let Subject { canonical_name, version, description, base_url } = *subject;
        match self {
            Self::NamePattern { pattern } => match compile(pattern) {
                Ok(expression) if expression.is_match(canonical_name) => None,
                Ok(_) => Some(format!("the name {canonical_name:?} does not match {pattern}")),
                Err(reason) => Some(format!("the pattern cannot be used: {reason}")),
            },
            Self::HttpsOnly {} => {
                (!base_url.is_https()).then(|| format!("{base_url} is not https"))
            }
            Self::VersionScheme { scheme } => (!scheme.fits(version)).then(|| {
                format!("the version {:?} is not of the scheme {scheme}", version.as_str())
            }),
            Self::DescriptionRequired { min_length } => {
                let length = description.map_or(0, |text| text.trim().chars().count());
                let short = u32::try_from(length).is_ok_and(|length| length < *min_length);
                short.then(|| {
                    format!("a description of at least {min_length} characters is missing, this has {length}")
                })
            }
            Self::HostAllowed { hosts } => {
                let host = base_url.host();
                let allowed = hosts.iter().any(|allowed| is_host(&host, allowed.as_str()));
                (!allowed).then(|| format!("the host {host} is not allowed"))
            }
        }
    }
}

impl VersionScheme {
    fn fits(self, version: &ApiVersion) -> bool {
        let text = version.as_str();
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        match self {
            Self::Semver => version.semver().is_some(),
            Self::Date => {
                let day = text.get(..10).and_then(|day| day.parse::<chrono::NaiveDate>().ok());
                day.is_some()
                    && text.get(10..).is_some_and(|more| more.is_empty() || more.starts_with('-'))
            }
            Self::Major => text.strip_prefix('v').is_some_and(digits),
        }
    }
}

fn compile(pattern: &Text<500>) -> Result<Regex, String> {
    RegexBuilder::new(pattern.as_str())
        .size_limit(PATTERN_BYTES)
        .dfa_size_limit(PATTERN_BYTES)
        .build()
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(bytes) => {
                format!("compiled it is larger than {bytes} bytes")
            }
            // The last line says what; those before it draw where.
            other => other.to_string().lines().last().unwrap_or_default().trim().to_owned(),
        })
}

/// Whether `host` is the one allowed, or one below it where that begins with `*.`.
fn is_host(host: &str, allowed: &str) -> bool {
    let allowed = allowed.to_lowercase();
    match allowed.strip_prefix('*') {
        Some(below) if below.starts_with('.') => host.len() > below.len() && host.ends_with(below),
        Some(_) | None => host == allowed,
    }
}
