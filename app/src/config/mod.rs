//! Settings: defaults, then a file, then the environment, then flags; each remembers where it came from.

mod kafka;
mod origin;
mod settings;
mod value;

pub use kafka::{Names, SaslMechanism, Secret};
pub use origin::{ConfigError, Loaded, Origin, Sources};
pub use settings::{KEYS, Key, Settings};
pub use value::{DatabaseUrl, LogFormat, Seconds, ServiceRole, ServiceRoles, Value};
