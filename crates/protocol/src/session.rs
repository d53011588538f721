//! Which conversation a request belongs to, as far as the caller says so.
//!
//! The hint is only for stickiness and for people who search the log; it authorises nothing.

use crate::json::{self, text};
use crate::probe::Probe;
use crate::{Dialect, Endpoint};

mod prefix;

pub use prefix::prefix;

/// Longest hint, in characters. A longer one is dropped: cutting it could join two sessions.
const MAX_CHARS: usize = 128;

/// The session id, from the client's own header, then from the body, then from `x-session-id`.
///
/// `header` returns a header's value by lower-case name.
pub fn hint(endpoint: Endpoint, header: &dyn Fn(&str) -> Option<String>, probe: &Probe) -> Option<String> {
    let from_body = probe.session_hint.as_deref();
    let own = match endpoint.dialect() {
        Dialect::Anthropic => first(header, &["x-claude-code-session-id"])
            .or_else(|| from_body.and_then(claude_session).and_then(|id| clean(&id))),
        // `x-client-request-id` is left out: Codex puts its session there, but other clients send a new one each time.
        Dialect::OpenAiChat | Dialect::OpenAiResponses => {
            first(header, &["session-id", "session_id"]).or_else(|| from_body.and_then(clean))
        }
        Dialect::Gemini => None,
    };
    own.or_else(|| first(header, &["x-session-id"]))
}

fn first(header: &dyn Fn(&str) -> Option<String>, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| header(name).as_deref().and_then(clean))
}

/// Claude Code's `metadata.user_id`: a JSON text with `session_id`, formerly
/// `user_<hash>_account_<uuid>_session_<uuid>`. Anything else names a user, not a session.
fn claude_session(user_id: &str) -> Option<String> {
    let user_id = user_id.trim();
    if user_id.starts_with('{') {
        return text::decode(json::field(user_id.as_bytes(), "session_id")?);
    }
    let (head, session) = user_id.rsplit_once("_session_")?;
    head.starts_with("user_").then(|| session.to_owned())
}

fn clean(value: &str) -> Option<String> {
    let value = value.trim();
    let good = !value.is_empty() && value.chars().count() <= MAX_CHARS && !value.contains(char::is_control);
    good.then(|| value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(endpoint: Endpoint, headers: &[(&str, &str)], body: Option<&str>) -> Option<String> {
        let header =
            |name: &str| headers.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
        let probe = Probe { session_hint: body.map(str::to_owned), ..Probe::default() };
        hint(endpoint, &header, &probe)
    }

    #[test]
    fn claude_code_names_its_session_in_header_and_both_forms_of_user_id() {
        let json_form = r#"{"device_id":"ab","account_uuid":"","session_id":"1111-2222"}"#;
        let old_form = "user_ab_account__session_1111-2222";
        for (headers, body) in [
            (&[("x-claude-code-session-id", "1111-2222")][..], None),
            (&[], Some(json_form)),
            (&[], Some(old_form)),
            (&[("x-session-id", "1111-2222")], Some("just-a-user")),
        ] {
            assert_eq!(ask(Endpoint::Messages, headers, body).as_deref(), Some("1111-2222"));
        }
        assert_eq!(ask(Endpoint::Messages, &[], Some("just-a-user")), None);
        assert_eq!(ask(Endpoint::Messages, &[], Some(r#"{"session_id":7}"#)), None);
    }

    #[test]
    fn codex_names_its_session_in_header_and_prompt_cache_key() {
        assert_eq!(ask(Endpoint::Responses, &[("session-id", " s1 ")], Some("s2")).as_deref(), Some("s1"));
        assert_eq!(ask(Endpoint::Responses, &[], Some("s2")).as_deref(), Some("s2"));
        assert_eq!(ask(Endpoint::Responses, &[("x-client-request-id", "once")], None), None);
    }

    #[test]
    fn x21_a_hint_is_short_and_without_control_characters() {
        assert_eq!(ask(Endpoint::GeminiStream, &[("x-session-id", "a\r\nb")], None), None);
        assert_eq!(ask(Endpoint::GeminiStream, &[("x-session-id", "  ")], None), None);
        let long = "s".repeat(129);
        assert_eq!(ask(Endpoint::GeminiStream, &[("x-session-id", &long)], None), None);
        assert_eq!(ask(Endpoint::GeminiStream, &[("x-session-id", &long[1..])], None).unwrap().len(), 128);
    }
}
