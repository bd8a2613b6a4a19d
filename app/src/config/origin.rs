//! Where each setting came from.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};

use super::settings::{KEYS, Key, Settings};

/// The variable that names the file.
pub(super) const FILE_VARIABLE: &str = "DAYBOOK_CONFIG";
/// The file that is read when it exists and none is named.
pub(super) const FILE: &str = "daybook.toml";

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Built in.
    Default,
    /// A file.
    File(PathBuf),
    /// An environment variable.
    Variable(&'static str),
    /// The command line.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Variable(name) => write!(f, "environment {name}"),
            Self::Flag => f.write_str("command line"),
        }
    }
}

/// Settings, and where each came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// An origin for each of [`KEYS`], in that order.
    pub origins: Vec<Origin>,
}

impl Loaded {
    /// Each setting with its value as shown and its origin.
    pub fn explained(&self) -> impl Iterator<Item = (&'static Key, String, &Origin)> {
        KEYS.iter()
            .zip(&self.origins)
            .map(|(key, origin)| (key, self.settings.show(key.name).unwrap_or_default(), origin))
    }
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: {reason}. Mend the file, or name another with --config or DAYBOOK_CONFIG", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A name that means nothing.
    #[error("there is no setting `{name}` ({origin}). `daybook config show` lists them all")]
    Unknown {
        /// The name.
        name: String,
        /// Where it stands.
        origin: String,
    },
    /// A value that cannot be read.
    #[error("{name} ({origin}): {reason}")]
    Value {
        /// The setting.
        name: &'static str,
        /// Where it stands.
        origin: String,
        /// What is wrong.
        reason: String,
    },
}

/// What was found before it is put together.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file's settings, and where the file is.
    pub file: Option<(PathBuf, BTreeMap<String, String>)>,
    /// The environment.
    pub environment: HashMap<String, String>,
    /// The command line; the last of a name counts.
    pub flags: Vec<(String, String)>,
}

impl Sources {
    /// Reads the file and the environment: `file` if given, else the one that `DAYBOOK_CONFIG` names,
    /// else `daybook.toml` here, if there is one.
    ///
    /// # Errors
    /// When a named file is not there, or a file cannot be read.
    pub fn gather(file: Option<&Path>, flags: Vec<(String, String)>) -> Result<Self, ConfigError> {
        let environment: HashMap<_, _> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .filter(|(name, _)| name == "DATABASE_URL" || name.starts_with("DAYBOOK_"))
            .collect();
        let named = file.map(Path::to_path_buf).or_else(|| {
            environment.get(FILE_VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from)
        });
        let path = named.or_else(|| Some(PathBuf::from(FILE)).filter(|path| path.exists()));
        let file = match path {
            Some(path) => {
                let wrong = |reason: String| ConfigError::File { path: path.clone(), reason };
                let text =
                    std::fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
                let values = read_toml(&text).map_err(wrong)?;
                Some((path, values))
            }
            None => None,
        };
        Ok(Self { file, environment, flags })
    }

    pub(super) fn find(&self, key: &Key) -> (Option<String>, Origin) {
        if let Some((_, text)) = self.flags.iter().rev().find(|(name, _)| name == key.name) {
            return (Some(text.clone()), Origin::Flag);
        }
        for variable in key.variables {
            // An empty variable is how shells and compose files say "not set".
            if let Some(text) = self.environment.get(*variable).filter(|text| !text.is_empty()) {
                return (Some(text.clone()), Origin::Variable(variable));
            }
        }
        if let Some((path, values)) = &self.file
            && let Some(text) = values.get(key.name)
        {
            return (Some(text.clone()), Origin::File(path.clone()));
        }
        (None, Origin::Default)
    }

    /// The environment's names are not checked: `DAYBOOK_*` may mean something to others.
    pub(super) fn refuse_unknown(&self) -> Result<(), ConfigError> {
        let known = |name: &str| KEYS.iter().any(|key| key.name == name);
        let in_file = self.file.iter().flat_map(|(path, values)| {
            values.keys().map(|name| (name, Origin::File(path.clone())))
        });
        let in_flags = self.flags.iter().map(|(name, _)| (name, Origin::Flag));
        match in_file.chain(in_flags).find(|(name, _)| !known(name)) {
            Some((name, origin)) => {
                Err(ConfigError::Unknown { name: name.clone(), origin: origin.to_string() })
            }
            None => Ok(()),
        }
    }
}

fn read_toml(text: &str) -> Result<BTreeMap<String, String>, String> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| error.to_string())?;
    table
        .into_iter()
        .map(|(name, value)| {
            let text = plain(&value)
                .or_else(|| {
                    let parts: Option<Vec<_>> = value.as_array()?.iter().map(plain).collect();
                    Some(parts?.join(","))
                })
                .ok_or_else(|| format!("`{name}` is neither a plain value nor a list of them"))?;
            Ok((name, text))
        })
        .collect()
}

fn plain(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        toml::Value::Float(number) => Some(number.to_string()),
        toml::Value::Boolean(flag) => Some(flag.to_string()),
        toml::Value::Datetime(_) | toml::Value::Array(_) | toml::Value::Table(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(file: &str, environment: &[(&str, &str)], flags: &[(&str, &str)]) -> Sources {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Sources {
            file: Some(("daybook.toml".into(), read_toml(file).unwrap())),
            environment: environment.iter().map(pair).collect(),
            flags: flags.iter().map(pair).collect(),
        }
    }

    fn listen(sources: &Sources) -> (u16, Origin) {
        let loaded = Settings::load(sources).unwrap();
        let index = KEYS.iter().position(|key| key.name == "listen").unwrap();
        (loaded.settings.listen.port(), loaded.origins[index].clone())
    }

    #[test]
    fn later_sources_win_and_are_remembered() {
        let file = "listen = '127.0.0.1:1'";
        let environment = [("DAYBOOK_LISTEN", "127.0.0.1:2")];
        let flags = [("listen", "127.0.0.1:3"), ("listen", "127.0.0.1:4")];
        assert_eq!(listen(&sources("", &[], &[])), (8080, Origin::Default));
        assert_eq!(listen(&sources(file, &[], &[])), (1, Origin::File("daybook.toml".into())));
        assert_eq!(
            listen(&sources(file, &environment, &[])),
            (2, Origin::Variable("DAYBOOK_LISTEN"))
        );
        assert_eq!(listen(&sources(file, &environment, &flags)), (4, Origin::Flag));
        assert_eq!(
            listen(&sources(file, &[("DAYBOOK_LISTEN", "")], &[])).0,
            1,
            "an empty variable is not set"
        );
    }

    #[test]
    fn our_own_variable_goes_before_the_common_one() {
        let both = [
            ("DATABASE_URL", "postgres://a@common/d"),
            ("DAYBOOK_DATABASE_URL", "postgres://a@own/d"),
        ];
        let url = |environment: &[(&str, &str)]| {
            Settings::load(&sources("", environment, &[])).unwrap().settings.show("database_url")
        };
        assert_eq!(url(&both).unwrap(), "postgres://a@own/d");
        assert_eq!(url(&both[..1]).unwrap(), "postgres://a@common/d");
    }

    #[test]
    fn files_hold_numbers_and_lists_as_well() {
        let file = "roles = ['projector', 'query']\nbody_limit = 2048\n";
        let loaded = Settings::load(&sources(file, &[], &[])).unwrap();
        assert_eq!(loaded.settings.roles.to_string(), "query,projector");
        assert_eq!(loaded.settings.body_limit, 2048);
    }

    #[test]
    fn unknown_names_and_wrong_values_are_refused_with_their_place() {
        let unknown = Settings::load(&sources("lisen = 'x'", &[], &[])).unwrap_err().to_string();
        assert!(unknown.contains("lisen") && unknown.contains("daybook.toml"), "{unknown}");
        let wrong = Settings::load(&sources("", &[("DAYBOOK_LISTEN", "here")], &[])).unwrap_err();
        assert!(wrong.to_string().contains("environment DAYBOOK_LISTEN"), "{wrong}");
        assert!(Settings::load(&sources("", &[], &[("nothing", "1")])).is_err());
    }

    #[test]
    fn every_setting_names_its_variable_in_its_meaning() {
        for key in KEYS {
            for variable in key.variables {
                assert!(key.meaning.contains(&format!("`{variable}`")), "{}", key.name);
            }
        }
    }
}
