//! What API contracts and the rules about them are made of.

use super::{InvalidValue, checked_string, named_values, shown_as_text};

named_values! {
    /// Whether a contract is to be built upon.
    pub enum ContractStatus {
        /// It is.
        Active = "active",
        /// It works, and something better is there.
        Deprecated = "deprecated",
        /// It is kept for the record.
        Archived = "archived",
    }
}

named_values! {
    /// How long an alias is meant to last.
    pub enum AliasType {
        /// Until it is deactivated.
        Permanent = "permanent",
        /// Until a time that is known.
        Temporary = "temporary",
    }
}

named_values! {
    /// What a broken rule does.
    pub enum Severity {
        /// Refuses the contract.
        Error = "error",
        /// Is written down beside it.
        Warning = "warning",
    }
}

/// A version of an API: 1 to 50 characters, neither blank nor with control characters. `SemVer`
/// where it reads as such.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ApiVersion(String);

checked_string!(ApiVersion);

impl ApiVersion {
    /// The version as semver.org has it, where it is one.
    #[must_use]
    pub fn semver(&self) -> Option<semver::Version> {
        semver::Version::parse(&self.0).ok()
    }

    fn check(text: &str) -> Result<(), InvalidValue> {
        let length = text.chars().count();
        if !(1..=50).contains(&length) {
            return Err(InvalidValue::new(format!(
                "a version of 1 to 50 characters is allowed, this has {length}"
            )));
        }
        if text.trim().is_empty() || text.chars().any(char::is_control) {
            return Err(InvalidValue::new(
                "a version that is not blank and without control characters is allowed",
            ));
        }
        Ok(())
    }
}

/// Where an API is found: `http://` or `https://`, a host, and what follows; at most 500
/// characters, without white space. Templates such as `{region}` may stand in it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BaseUrl(String);

checked_string!(BaseUrl);

impl BaseUrl {
    /// Whether what is sent there is encrypted.
    #[must_use]
    pub fn is_https(&self) -> bool {
        scheme(&self.0).is_some_and(|(scheme, _)| scheme == "https")
    }

    /// The host in lower case, without its port.
    #[must_use]
    pub fn host(&self) -> String {
        let host = scheme(&self.0).and_then(|(_, rest)| host(rest)).unwrap_or_default();
        host.to_lowercase()
    }

    fn check(text: &str) -> Result<(), InvalidValue> {
        let fits = text.chars().count() <= 500
            && !text.chars().any(|c| c.is_whitespace() || c.is_control())
            && scheme(text).and_then(|(_, rest)| host(rest)).is_some();
        if !fits {
            return Err(InvalidValue::new(
                "an address such as \"https://api.example.com/v1\" is allowed, without a user in it, at most 500 characters",
            ));
        }
        Ok(())
    }
}

/// The scheme and what follows `://`; only the two that APIs are found under.
fn scheme(text: &str) -> Option<(&'static str, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    let known = ["http", "https"].into_iter().find(|known| scheme.eq_ignore_ascii_case(known));
    known.map(|scheme| (scheme, rest))
}

/// The host that `rest` of an address begins with: not empty, with a port that is a number if it
/// has one, and without a user, whose password would be kept for ever.
fn host(rest: &str) -> Option<&str> {
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let (host, port) = match authority.rfind(':') {
        // The colons of an IPv6 address stand in brackets.
        Some(at) if !authority[at..].contains(']') => {
            (&authority[..at], Some(&authority[at + 1..]))
        }
        Some(_) | None => (authority, None),
    };
    let number = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    let right = !host.is_empty() && !host.contains('@') && port.is_none_or(number);
    right.then_some(host)
}

shown_as_text! {
    ApiVersion { "type": "string", "minLength": 1, "maxLength": 50 }
    BaseUrl { "type": "string", "format": "uri-template", "maxLength": 500, "pattern": "^[hH][tT][tT][pP][sS]?://[^\\s]+$" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_scheme_and_a_host() {
        for (text, https, host) in [
            ("https://api.example.com", true, "api.example.com"),
            ("http://API.Example.com:8080/v1?x=1", false, "api.example.com"),
            ("HTTPS://{region}.example.com/", true, "{region}.example.com"),
            ("https://[2001:db8::7]:8443/x:y", true, "[2001:db8::7]"),
            ("https://[2001:db8::7]", true, "[2001:db8::7]"),
            ("https://evil.example\\.example.com", true, "evil.example"),
            ("https://host#@allowed.example", true, "host"),
        ] {
            let url: BaseUrl = text.parse().expect(text);
            assert_eq!((url.is_https(), url.host()), (https, host.to_owned()), "{text}");
        }
        let long = format!("https://{}", "a".repeat(493));
        for text in [
            "",
            "api.example.com",
            "ftp://example.com",
            "https://",
            "https:///x",
            "https://a b",
            "https://a:x",
            "https://a:",
            "https://user:secret@example.com",
            "https://:80",
            "https://a\u{7f}",
            &long,
        ] {
            assert!(text.parse::<BaseUrl>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_version_may_be_semver() {
        let semver = |text: &str| text.parse::<ApiVersion>().expect(text).semver().is_some();
        assert!(semver("1.2.0") && semver("1.0.0-rc.1+build.5"));
        assert!(!semver("v1") && !semver("2024-01-01") && !semver("1.2"));
        let long = "Wed Oct 15 2025 13:51:00 GMT+0000 (Coordinated Universal Time)";
        let says = long.parse::<ApiVersion>().unwrap_err().to_string();
        assert_eq!(says, "a version of 1 to 50 characters is allowed, this has 62");
        for text in ["", " ", "1\n"] {
            assert!(text.parse::<ApiVersion>().is_err(), "{text:?}");
        }
    }
}
