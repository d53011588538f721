//! Recorded exchanges and captured requests: the large collection where it is at hand, else the handful that lies in
//! the repository.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use protocol::{Dialect, Endpoint, gemini};
use serde_json::Value;

use crate::walk::{at, text};
use crate::{Result, fail};

/// One answer of a vendor's, with the request that it answers.
#[derive(Clone, Debug)]
pub(crate) struct Exchange {
    pub(crate) id: String,
    pub(crate) dialect: Dialect,
    pub(crate) streams: bool,
    pub(crate) body: String,
}

/// One request to a vendor.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) dialect: Dialect,
    pub(crate) body: Value,
    /// The model that the path names.
    pub(crate) model: Option<String>,
    pub(crate) streams: Option<bool>,
}

/// Everything that is measured with.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    pub(crate) exchanges: Vec<Exchange>,
    pub(crate) calls: Vec<Call>,
    /// Whether this is the large collection.
    pub(crate) whole: bool,
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

impl Recorded {
    /// What is at hand.
    pub(crate) fn load() -> Result<Self> {
        let shared = root().join("../shared/data");
        if shared.join("cassettes").is_dir() {
            let mut recorded = Self { whole: true, ..Self::default() };
            recorded.exchanges_of(&shared.join("cassettes"))?;
            recorded.captures_of(&shared.join("captures"))?;
            return Ok(recorded);
        }
        Self::vendored()
    }

    /// The handful in the repository.
    pub(crate) fn vendored() -> Result<Self> {
        let mut recorded = Self::default();
        recorded.exchanges_of(&root().join("crates/protocol/fixtures/exchanges"))?;
        Ok(recorded)
    }

    fn exchanges_of(&mut self, folder: &Path) -> Result {
        for file in files(folder, "jsonl")? {
            for line in fs::read_to_string(&file)?.lines() {
                self.exchange(&serde_json::from_str(line)?)?;
            }
        }
        Ok(())
    }

    fn exchange(&mut self, record: &Value) -> Result {
        let dialect = match text(record, "/api") {
            "messages" => Dialect::Anthropic,
            "chat" => Dialect::OpenAiChat,
            "responses" => Dialect::OpenAiResponses,
            "gemini" => Dialect::Gemini,
            _ => return Ok(()),
        };
        if record["status"] != 200 {
            return Ok(());
        }
        let id = text(record, "/id").to_owned();
        let streams = record["sse"] == true;
        let mut body = text(record, "/body").to_owned();
        if streams && body.trim_start().starts_with('[') {
            // Tollgate always asks Gemini for events; whoever recorded this did not.
            let values: Vec<Value> = serde_json::from_str(&body)?;
            body.clear();
            for value in values {
                write!(body, "data: {value}\n\n")?;
            }
        }
        if record["req"].is_object() {
            let (model, _) = of_path(text(record, "/path"));
            let streams = model.is_some().then_some(streams);
            self.calls.push(Call { id: id.clone(), dialect, body: record["req"].clone(), model, streams });
        }
        self.exchanges.push(Exchange { id, dialect, streams, body });
        Ok(())
    }

    fn captures_of(&mut self, folder: &Path) -> Result {
        for file in files(folder, "json")? {
            let capture: Value = serde_json::from_str(&fs::read_to_string(&file)?)?;
            let path = text(&capture, "/url").split('?').next().unwrap_or_default();
            let (model, endpoint) = of_path(path);
            let dialect = match (path, endpoint) {
                ("/v1/messages", _) => Dialect::Anthropic,
                ("/v1/chat/completions", _) => Dialect::OpenAiChat,
                ("/v1/responses", _) => Dialect::OpenAiResponses,
                (_, Some(Endpoint::GeminiGenerate | Endpoint::GeminiStream)) => Dialect::Gemini,
                _ => continue,
            };
            let mut body = at(&capture, "/bodyJson").clone();
            // Upgrades to another protocol, and requests that were made to be refused.
            if model.is_none() && text(&body, "/model").is_empty() {
                continue;
            }
            // Where tools were cut from the recording, half of them stands there still.
            if let Some(tools) = body.pointer_mut("/tools").and_then(Value::as_array_mut) {
                tools.retain(|tool| tool.get("…").is_none());
            }
            if body.is_object() {
                let id = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                let streams = endpoint.map(|endpoint| endpoint == Endpoint::GeminiStream);
                self.calls.push(Call { id, dialect, body, model, streams });
            }
        }
        Ok(())
    }
}

fn of_path(path: &str) -> (Option<String>, Option<Endpoint>) {
    let call = path.rsplit_once("/models/").and_then(|(_, tail)| gemini::parse_call(tail));
    call.map_or((None, None), |(model, endpoint)| (Some(model), Some(endpoint)))
}

fn files(folder: &Path, ending: &str) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).map_err(|error| fail(format!("{}: {error}", folder.display())))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path, ending)?);
        } else if path.extension().is_some_and(|own| own == ending) && !path.ends_with("errors.json") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
