//! Where values come from: environment over `.env` over `tollgate.toml`. It reads and places texts and
//! judges only names; what a text must look like is decided in `read`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::keys::{self, Key};
use super::problem::ConfigProblem;
use super::{dotenv, pool_lists, toml_file};

/// Which layer a value was found in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// A variable of the process.
    Environment,
    /// The file `.env`.
    DotEnv,
    /// The file `tollgate.toml`.
    Toml,
}

impl Layer {
    /// The name that `config show` and the system page print.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::DotEnv => ".env",
            Self::Toml => "tollgate.toml",
        }
    }
}

/// A text as found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Raw {
    /// The text, trimmed.
    pub text: String,
    /// The layer that won.
    pub layer: Layer,
    /// `environment`, `.env:3`, `tollgate.toml:7`.
    pub place: String,
    /// The name it was found under: the key's or its alias.
    pub name: String,
}

/// A configuration file as text.
#[derive(Clone, Debug)]
pub struct File {
    /// How it is called in messages.
    pub name: String,
    /// Its content.
    pub text: String,
}

/// Everything that a configuration is made from, before anybody judged it.
#[derive(Clone, Debug, Default)]
pub struct Inputs {
    /// Variables of the process.
    pub environment: Vec<(String, String)>,
    /// `.env`, if there is one.
    pub dotenv: Option<File>,
    /// `tollgate.toml`, if there is one.
    pub toml: Option<File>,
    /// What went wrong while they were read.
    pub problems: Vec<ConfigProblem>,
}

impl Inputs {
    /// Reads the process's environment and the two files: those named, else those in the working directory.
    pub fn from_process(toml: Option<&Path>, dotenv: Option<&Path>) -> Self {
        let mut inputs = Self {
            environment: std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
                .collect(),
            ..Self::default()
        };
        inputs.toml = inputs.file(toml, "tollgate.toml");
        inputs.dotenv = inputs.file(dotenv, ".env");
        inputs
    }

    fn file(&mut self, wanted: Option<&Path>, default: &str) -> Option<File> {
        let path = wanted.map_or_else(|| PathBuf::from(default), Path::to_path_buf);
        let name = path.display().to_string();
        match std::fs::read_to_string(&path) {
            Ok(text) => Some(File { name, text }),
            Err(error) if wanted.is_none() && error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => {
                self.problems.push(ConfigProblem {
                    key: String::new(),
                    place: name,
                    message: format!("the file cannot be read: {error}"),
                });
                None
            }
        }
    }
}

/// The winning text of each key, with what is wrong and what is merely odd.
#[derive(Debug, Default)]
pub(super) struct Layers {
    values: BTreeMap<&'static str, Raw>,
    /// What names credentials of the pool, by variable.
    pub(super) pool: BTreeMap<String, Raw>,
    pub(super) problems: Vec<ConfigProblem>,
    pub(super) warnings: Vec<String>,
}

/// One assignment of a file.
pub(super) struct Assignment {
    pub(super) name: String,
    pub(super) text: String,
    pub(super) line: usize,
}

impl Layers {
    pub(super) fn of(inputs: Inputs) -> Self {
        let mut layers = Self { problems: inputs.problems, ..Self::default() };
        if let Some(file) = inputs.toml {
            let found = toml_file::parse(&file, &mut layers.problems);
            layers.take_file(&file.name, Layer::Toml, found);
        }
        if let Some(file) = inputs.dotenv {
            let found = dotenv::parse(&file, &mut layers.problems);
            layers.take_file(&file.name, Layer::DotEnv, found);
        }
        layers.take_environment(inputs.environment);
        layers
    }

    pub(super) fn get(&self, name: &str) -> Option<&Raw> {
        self.values.get(name)
    }

    fn take_file(&mut self, file: &str, layer: Layer, found: Vec<Assignment>) {
        for Assignment { name, text, line } in found {
            let place = format!("{file}:{line}");
            let upper = if layer == Layer::Toml { name.to_ascii_uppercase() } else { name.clone() };
            if pool_lists::Variable::parse(&upper).is_some() {
                self.take_pool(&upper, Raw { text, layer, place, name });
                continue;
            }
            let Some(key) = keys::find(&upper) else {
                self.unknown(&name, &upper, place, layer);
                continue;
            };
            self.take(key, Raw { text, layer, place, name });
        }
    }

    /// An unknown name in `tollgate.toml` is an error. `.env` often serves other programs too (compose reads
    /// it), so there only names that look like misspelt ones of ours are.
    fn unknown(&mut self, name: &str, upper: &str, place: String, layer: Layer) {
        let nearest = keys::nearest(upper);
        if layer == Layer::Toml || nearest.is_some() || upper.starts_with("TOLLGATE_") {
            let hint = nearest.map_or_else(String::new, |known| format!("; did you mean {known}?"));
            let message = format!("unknown key{hint}");
            self.problems.push(ConfigProblem { key: name.to_owned(), place, message });
        } else {
            self.warnings.push(format!("{name} ({place}) is none of Tollgate's settings and is ignored"));
        }
    }

    fn take_environment(&mut self, environment: Vec<(String, String)>) {
        for (name, text) in environment {
            // The three proxy variables are lower case by old custom.
            let upper = match name.as_str() {
                "http_proxy" | "https_proxy" | "no_proxy" => name.to_ascii_uppercase(),
                _ => name.clone(),
            };
            match keys::find(&upper) {
                Some(key) => {
                    let place = Layer::Environment.as_str().to_owned();
                    let text = text.trim().to_owned();
                    self.take(key, Raw { text, layer: Layer::Environment, place, name });
                }
                None if pool_lists::Variable::parse(&name).is_some() => {
                    let place = Layer::Environment.as_str().to_owned();
                    let text = text.trim().to_owned();
                    let variable = name.clone();
                    self.take_pool(&variable, Raw { text, layer: Layer::Environment, place, name });
                }
                // Orchestrators inject variables of this form for a service that is called "tollgate".
                None if name.starts_with("TOLLGATE_") && keys::nearest(&name).is_some() => {
                    self.warnings
                        .push(format!("the environment variable {name} is not known and is ignored"));
                }
                None => {}
            }
        }
    }

    fn take_pool(&mut self, variable: &str, raw: Raw) {
        if !raw.text.is_empty() {
            self.pool.insert(variable.to_owned(), raw);
        }
    }

    /// Later calls come from stronger layers. An empty text means "not set", as in compose's `${NAME:-}`.
    fn take(&mut self, key: &'static Key, raw: Raw) {
        if raw.text.is_empty() {
            return;
        }
        if let Some(before) = self.values.get(key.name)
            && before.layer == raw.layer
            && before.name != raw.name
        {
            if before.text != raw.text && !before.name.eq_ignore_ascii_case(&raw.name) {
                self.problems.push(ConfigProblem {
                    key: raw.name.clone(),
                    place: raw.place.clone(),
                    message: format!(
                        "it means the same as {} ({}), but differs from it",
                        before.name, before.place
                    ),
                });
            }
            // The name in upper case or the key's own name wins over its other forms.
            if before.name == key.name {
                return;
            }
        }
        self.values.insert(key.name, raw);
    }
}
