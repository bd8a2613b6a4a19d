//! What a setting may be: read from text, shown as text.

use std::collections::BTreeSet;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::PgConnectOptions;

use crate::database::DatabaseError;
use crate::dev::binaries::Source;

/// A kind of setting.
pub trait Value: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// What is wrong with the text.
    fn read(text: &str) -> Result<Self, String>;
    /// Shows it, with secrets masked.
    fn show(&self) -> String;
}

macro_rules! plain {
    ($($kind:ty),*) => {$(
        impl Value for $kind {
            fn read(text: &str) -> Result<Self, String> {
                text.parse().map_err(|error| format!("{error}"))
            }
            fn show(&self) -> String {
                self.to_string()
            }
        }
    )*};
}
plain!(bool, u32, u64, usize, String, SocketAddr, Source, LogFormat, ServiceRoles, Seconds);

impl Value for PathBuf {
    fn read(text: &str) -> Result<Self, String> {
        Ok(text.into())
    }
    fn show(&self) -> String {
        self.display().to_string()
    }
}

impl<V: Value> Value for Option<V> {
    fn read(text: &str) -> Result<Self, String> {
        if text.is_empty() { Ok(None) } else { V::read(text).map(Some) }
    }
    fn show(&self) -> String {
        self.as_ref().map_or_else(String::new, V::show)
    }
}

/// Where a database is. Its password is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// How to connect: what the URL leaves open is taken from the usual `PG*` variables and files.
    ///
    /// # Errors
    /// When the URL cannot be read.
    pub fn options(&self) -> Result<PgConnectOptions, DatabaseError> {
        self.0.parse().map_err(DatabaseError::Url)
    }
}

impl FromStr for DatabaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            Ok(Self(text.to_owned()))
        } else {
            Err("not of the form postgres://user:password@host:5432/database".into())
        }
    }
}

impl Value for DatabaseUrl {
    fn read(text: &str) -> Result<Self, String> {
        text.parse()
    }
    fn show(&self) -> String {
        self.to_string()
    }
}

/// Passwords may stand before the host and as a parameter.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (base, query) = self.0.split_once('?').unwrap_or((&self.0, ""));
        let (scheme, rest) = base.split_once("://").unwrap_or(("postgres", base));
        match rest.rsplit_once('@') {
            Some((user, host)) => {
                let name = user.split_once(':').map_or(user, |(name, _)| name);
                let mask = if name.len() < user.len() { ":***" } else { "" };
                write!(f, "{scheme}://{name}{mask}@{host}")?;
            }
            None => write!(f, "{scheme}://{rest}")?,
        }
        for (index, pair) in query.split('&').filter(|pair| !pair.is_empty()).enumerate() {
            let mark = if index == 0 { '?' } else { '&' };
            match pair.split_once('=') {
                Some((name, _)) if name.contains("password") => write!(f, "{mark}{name}=***")?,
                _ => write!(f, "{mark}{pair}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A time span in whole seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seconds(pub u64);

impl Seconds {
    /// As a duration.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0)
    }
}

impl FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.strip_suffix('s').unwrap_or(text);
        digits.parse().map(Self).map_err(|error| format!("{error} (whole seconds, such as 30)"))
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}s", self.0)
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Readable on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// A JSON object a line.
    Json,
    /// For people.
    Pretty,
}

impl FromStr for LogFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "json" => Ok(Self::Json),
            "pretty" => Ok(Self::Pretty),
            other => Err(format!("{other:?} is not auto, json or pretty")),
        }
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Json => "json",
            Self::Pretty => "pretty",
        })
    }
}

/// What a process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ServiceRole {
    /// Takes commands over HTTP and appends.
    Command,
    /// Answers queries over HTTP.
    Query,
    /// Publishes the log to Kafka; without Kafka there is nothing for it to do.
    Relay,
    /// Posts events to the read tables.
    Projector,
}

impl ServiceRole {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Command, Self::Query, Self::Relay, Self::Projector];
}

impl fmt::Display for ServiceRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Command => "command",
            Self::Query => "query",
            Self::Relay => "relay",
            Self::Projector => "projector",
        })
    }
}

/// Several roles; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceRoles(BTreeSet<ServiceRole>);

impl ServiceRoles {
    /// Whether a role is among them.
    #[must_use]
    pub fn has(&self, role: ServiceRole) -> bool {
        self.0.contains(&role)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = ServiceRole> {
        self.0.iter().copied()
    }
}

impl Default for ServiceRoles {
    fn default() -> Self {
        Self(ServiceRole::ALL.into())
    }
}

impl FromStr for ServiceRoles {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let role = |name: &str| {
            ServiceRole::ALL
                .into_iter()
                .find(|role| role.to_string() == name.trim())
                .ok_or_else(|| format!("{name:?} is not command, query, relay or projector"))
        };
        text.split(',').map(role).collect::<Result<_, _>>().map(Self)
    }
}

impl fmt::Display for ServiceRoles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&names.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_never_shown() {
        for (url, shown) in [
            ("postgres://a:b%40c@host:5432/d", "postgres://a:***@host:5432/d"),
            (
                "postgres://a@host/d?password=x&sslmode=require",
                "postgres://a@host/d?password=***&sslmode=require",
            ),
            ("postgresql:///d?sslpassword=x", "postgresql:///d?sslpassword=***"),
            ("postgres://host/d", "postgres://host/d"),
        ] {
            let url = DatabaseUrl::read(url).unwrap();
            assert_eq!(url.show(), shown);
            assert_eq!(format!("{url:?}"), shown);
        }
    }

    #[test]
    fn sslmode_is_honoured() {
        let url = DatabaseUrl::read("postgres://a@host/d?sslmode=verify-full").unwrap();
        let mode = url.options().unwrap().get_ssl_mode();
        assert!(matches!(mode, sqlx::postgres::PgSslMode::VerifyFull));
    }

    #[test]
    fn roles_are_read_in_any_order_and_shown_in_one() {
        let roles = ServiceRoles::read("projector, command").unwrap();
        assert_eq!(roles.show(), "command,projector");
        assert!(roles.has(ServiceRole::Projector) && !roles.has(ServiceRole::Query));
        assert!(ServiceRoles::read("").is_err());
        assert!(ServiceRoles::read("command,writer").unwrap_err().contains("writer"));
    }

    #[test]
    fn seconds_are_whole() {
        assert_eq!(Seconds::read("30"), Ok(Seconds(30)));
        assert_eq!(Seconds::read("30s"), Ok(Seconds(30)));
        assert!(Seconds::read("1.5").is_err());
    }
}
