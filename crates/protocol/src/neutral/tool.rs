//! Tools that a request offers, and which of them the model must use.

use serde_json::Value;

use crate::Dialect;

/// What a caller's tool takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ToolKind {
    /// A JSON object.
    #[default]
    Function,
    /// Free text (OpenAI's custom tools).
    Custom,
}

/// A tool that the model may use.
#[derive(Clone, Debug, PartialEq)]
pub enum Tool {
    /// One that the caller runs.
    Caller {
        /// Its name.
        name: String,
        /// Responses: the namespace that it is nested in, with that namespace's description.
        namespace: Option<(String, Option<String>)>,
        /// What it does.
        description: Option<String>,
        /// JSON Schema of its arguments (types in lower case); for a custom tool its `format`.
        schema: Option<Value>,
        /// JSON object or free text.
        kind: ToolKind,
        /// OpenAI's and Anthropic's `strict`.
        strict: Option<bool>,
        /// A cache breakpoint follows it.
        cache: Option<Value>,
    },
    /// A web search that the vendor runs: every dialect has one.
    WebSearch(WebSearch),
    /// Another tool of the vendor's own.
    Native {
        /// Whose.
        dialect: Dialect,
        /// Its type there: `code_execution_20260120`, `file_search`, `urlContext`.
        kind: String,
        /// As it was written.
        value: Value,
    },
}

/// Wishes for the vendor's web search.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WebSearch {
    /// Only these hosts, if any.
    pub allowed_domains: Vec<String>,
    /// Never these hosts.
    pub blocked_domains: Vec<String>,
    /// At most so many searches (Anthropic).
    pub max_uses: Option<u64>,
    /// OpenAI's `search_context_size`.
    pub context_size: Option<String>,
    /// Approximate place: `{type, city, region, country, timezone}`, the same in Anthropic and OpenAI.
    pub location: Option<Value>,
    /// Its type there: `web_search_20250305`, `web_search_preview`.
    pub spelled: String,
}

/// Which tools the model must, may or must not use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ToolChoice {
    /// The model decides.
    Auto,
    /// No tool.
    None,
    /// Some tool.
    Required,
    /// This tool.
    Tool(String),
    /// One of these; `required` if it must use one.
    Allowed {
        /// Their names.
        names: Vec<String>,
        /// Whether one must be used.
        required: bool,
    },
}
