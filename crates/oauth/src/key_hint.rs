//! What looks wrong with a key that was pasted. Hints only: vendors change the form of their keys, so that nothing is
//! refused for its looks.

use types::provider::ProviderKind;

use crate::is_session_key;

/// Session keys have about 120 characters.
const SHORT: usize = 60;

const COOKIE: &str =
    "this looks like a whole cookie; paste only what stands between 'sessionKey=' and the next semicolon";
const ACCOUNT: &str = "this looks like a token of an account; connect the account by signing in instead";
const API_KEY: &str = "this looks like an API key and not like a session key (sk-ant-sid…)";
const NO_SESSION: &str = "a session key begins with sk-ant-sid";
const CUT: &str = "this is shorter than session keys are; was it copied whole?";
const ANTHROPIC: &str = "this looks like a key of Anthropic's";
const OPENAI: &str = "this looks like a key of OpenAI's";
const GOOGLE: &str = "this looks like a key of Google's";

/// What looks wrong with it, in one sentence; `None` if nothing does. `session`: it takes the place of a session key.
pub fn key_hint(kind: ProviderKind, key: &str, session: bool) -> Option<&'static str> {
    let begins = |start: &str| key.starts_with(start);
    if kind == ProviderKind::Anthropic {
        let is_session = is_session_key(kind, key);
        return match () {
            () if key.contains("sessionKey=") || (is_session && key.contains(';')) => Some(COOKIE),
            () if begins("sk-ant-oat") || begins("sk-ant-ort") => Some(ACCOUNT),
            () if is_session => (key.len() < SHORT).then_some(CUT),
            () if session && begins("sk-ant-api") => Some(API_KEY),
            () if begins("sk-proj-") || begins("sk-svcacct-") => Some(OPENAI),
            () if begins("AIza") => Some(GOOGLE),
            () => session.then_some(NO_SESSION),
        };
    }
    match kind {
        ProviderKind::OpenAi if begins("AIza") => Some(GOOGLE),
        ProviderKind::OpenAi | ProviderKind::Gemini if begins("sk-ant-") => Some(ANTHROPIC),
        ProviderKind::Gemini if begins("sk-") => Some(OPENAI),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oa_07_each_usual_mistake_has_its_hint_and_a_good_key_has_none() {
        use ProviderKind::{Anthropic, Gemini, OpenAi, OpenAiCompatible};
        let whole = format!("sk-ant-sid01-{}", "a".repeat(100));
        for (kind, key, session, expected) in [
            (Anthropic, whole.as_str(), true, None),
            (Anthropic, whole.as_str(), false, None),
            (Anthropic, "sk-ant-sid01-abc", true, Some(CUT)),
            (Anthropic, "sessionKey=sk-ant-sid01-abc", true, Some(COOKIE)),
            (Anthropic, "sk-ant-sid01-abc;other=1", true, Some(COOKIE)),
            (Anthropic, "sk-ant-oat01-abc", true, Some(ACCOUNT)),
            (Anthropic, "sk-ant-ort01-abc", false, Some(ACCOUNT)),
            (Anthropic, "sk-ant-api03-abc", true, Some(API_KEY)),
            (Anthropic, "sk-ant-api03-abc", false, None),
            (Anthropic, "abc", true, Some(NO_SESSION)),
            (Anthropic, "abc", false, None),
            (Anthropic, "sk-proj-abc", false, Some(OPENAI)),
            (OpenAi, "sk-ant-api03-abc", false, Some(ANTHROPIC)),
            (OpenAi, "AIzaabc", false, Some(GOOGLE)),
            (OpenAi, "sk-proj-abc", false, None),
            (Gemini, "sk-proj-abc", false, Some(OPENAI)),
            (Gemini, "AIzaabc", false, None),
            (OpenAiCompatible, "sk-ant-api03-abc", false, None),
        ] {
            assert_eq!(key_hint(kind, key, session), expected, "{kind} {key} {session}");
        }
    }
}
