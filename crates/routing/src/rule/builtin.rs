//! The built-in error rules: what well-known words of vendors mean.
//!
//! Each is a fact about a vendor's fixed sentence or code. A sentence belongs here only if it can mean nothing else:
//! one that is found wrongly keeps a request from failing over.

use types::error_rule::ErrorRuleSpec;
use types::routing::FailureClass::{self, Auth, Client, NotFound, Provider, Quota};

enum By {
    Kind(&'static str),
    Words(&'static str),
}
use By::{Kind, Words};

/// Name, what it goes by, what it means.
const RULES: &[(&str, By, FailureClass)] = &[
    // The account behind the credential, told with a 400 that looks like the caller's fault.
    ("Account out of credit", Words("credit balance is too low"), Quota),
    ("Organization switched off", Words("organization has been disabled"), Quota),
    ("API key not valid", Words("api key not valid"), Auth),
    ("API key expired", Words("api key expired"), Auth),
    ("Sign-in revoked", Words("oauth token has been revoked"), Auth),
    ("Location not served", Words("user location is not supported"), Provider),
    // Models that this account does not have.
    ("Model not at this account", Words("does not exist or you do not have access"), NotFound),
    ("Unknown model", Words("unknown model"), NotFound),
    ("Unknown model", Kind("invalid_model"), NotFound),
    ("Model missing", Words("model: field required"), Client),
    ("Model missing", Words("you must provide a model parameter"), Client),
    // Too long.
    ("Prompt too long", Words("prompt is too long"), Client),
    ("Context too long", Words("maximum context length"), Client),
    ("Context too long", Words("exceed context limit"), Client),
    ("Input too long", Words("input is too long for requested model"), Client),
    ("Input too long", Words("exceeds the maximum number of tokens allowed"), Client),
    ("Input too long", Words("your input exceeds the context window"), Client),
    ("Input too long", Kind("string_above_max_length"), Client),
    ("Too many output tokens", Words("which is the maximum allowed number of output tokens"), Client),
    ("Too many output tokens", Words("max_tokens is too large"), Client),
    // Refused for what it says.
    ("Content filter", Words("content management policy"), Client),
    ("Content filter", Words("blocked by content filtering policy"), Client),
    ("Content filter", Words("rejected as a result of our safety system"), Client),
    // Not well formed.
    ("Parameter missing", Words("missing required parameter"), Client),
    ("Parameter missing", Kind("missing_required_parameter"), Client),
    ("Parameter unknown", Words("unrecognized request argument"), Client),
    ("Parameter unknown", Words("extra inputs are not permitted"), Client),
    ("Parameter unknown", Kind("unknown_parameter"), Client),
    ("Parameter not supported", Kind("unsupported_parameter"), Client),
    ("Value not supported", Kind("unsupported_value"), Client),
    ("Value not valid", Kind("invalid_value"), Client),
    ("Value not valid", Kind("validationexception"), Client),
    ("Input not a list", Words("input must be a list"), Client),
    ("Empty content", Words("text content blocks must be non-empty"), Client),
    ("Empty content", Words("all messages must have non-empty content"), Client),
    ("Tool call twice", Words("`tool_use` ids must be unique"), Client),
    ("Tool named twice", Words("tool names must be unique"), Client),
    ("Tool result missing", Words("without `tool_result` blocks"), Client),
    ("Tool result missing", Words("no tool output found for function call"), Client),
    ("Tool call missing", Words("unexpected `tool_use_id` found"), Client),
    ("Tool call missing", Words("must be a response to a preceeding message with 'tool_calls'"), Client),
    ("Thinking not valid", Words("`signature` in `thinking` block"), Client),
    ("Thinking not valid", Words("expected `thinking` or `redacted_thinking`"), Client),
    ("Thinking not valid", Words("`thinking` or `redacted_thinking` blocks"), Client),
    ("Thinking budget", Words("thinking.enabled.budget_tokens"), Client),
    ("Too many cache points", Words("blocks with cache_control may be provided"), Client),
    ("Stored item gone", Words("items are not persisted when `store` is set to false"), Client),
    ("Stored answer gone", Kind("previous_response_not_found"), Client),
    // Media.
    ("Too many PDF pages", Words("pdf pages may be provided"), Client),
    ("PDF not readable", Words("could not process pdf"), Client),
    ("Image not readable", Words("could not process image"), Client),
    ("Image not readable", Kind("invalid_image_format"), Client),
    ("Image too large", Words("image exceeds"), Client),
    ("Image too large", Words("image dimensions exceed"), Client),
];

/// The built-in rules, in the order in which they are looked at.
pub fn builtin() -> Vec<ErrorRuleSpec> {
    let spec = |(name, by, class): &(&str, By, FailureClass)| {
        let (kind, contains) = match by {
            Kind(kind) => (Some((*kind).to_owned()), None),
            Words(words) => (None, Some((*words).to_owned())),
        };
        ErrorRuleSpec {
            name: (*name).to_owned(),
            enabled: true,
            priority: 0,
            status: None,
            kind,
            contains,
            class: *class,
            cooldown_s: None,
            answer_status: None,
            answer_message: None,
        }
    };
    RULES.iter().map(spec).collect()
}
