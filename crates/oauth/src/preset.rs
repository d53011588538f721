//! The descriptors that come with the program: data in `presets.json`, to be changed by the operator where a vendor
//! changed.
//!
//! They hold addresses, scopes and ports that vendors publish or that their own programs show, and no client id or
//! secret: those are the operator's. What the vendor's terms say about it stands with each.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use types::oauth::VendorSpec;

static PRESETS: LazyLock<BTreeMap<String, VendorSpec>> =
    LazyLock::new(|| serde_json::from_str(include_str!("presets.json")).unwrap_or_default());

/// All of them by name.
pub fn presets() -> &'static BTreeMap<String, VendorSpec> {
    &PRESETS
}

/// One of them.
pub fn preset(name: &str) -> Option<&'static VendorSpec> {
    PRESETS.get(name)
}

#[cfg(test)]
mod tests {
    use types::oauth::{Grant, Terms, is_vendor_name};

    use super::*;

    #[test]
    fn every_preset_is_read_and_sound() {
        let text: serde_json::Value = serde_json::from_str(include_str!("presets.json")).unwrap();
        assert_eq!(presets().len(), text.as_object().unwrap().len());
        assert!(presets().len() >= 10);
        for (name, spec) in presets() {
            assert!(is_vendor_name(name), "{name}");
            spec.check().unwrap_or_else(|problem| panic!("{name}: {problem}"));
            assert!(!spec.terms_note.is_empty(), "{name} says nothing of the vendor's terms");
        }
    }

    #[test]
    fn oa_02_the_vendors_fixed_ports_are_those_of_the_seed() {
        let port = |name: &str| preset(name).unwrap().callback_port;
        assert_eq!(port("gemini"), Some(8085));
        assert_eq!(port("claude"), Some(54545));
        assert_eq!(port("codex"), Some(1455));
        assert_eq!(port("iflow"), Some(11451));
    }

    #[test]
    fn oa_05_every_browser_sign_in_has_pkce_unless_the_vendor_has_none() {
        for (name, spec) in presets() {
            let without = name == "iflow";
            assert!(spec.pkce || without || !spec.grants.contains(&Grant::AuthorizationCode), "{name}");
        }
    }

    #[test]
    fn hc_06_hc_08_hc_09_each_kind_of_account_has_a_question_of_its_own_and_a_remedy() {
        let probe = |name: &str| preset(name).unwrap().probe.clone().unwrap();
        for (name, at, what, remedy) in [
            ("claude", "/api/oauth/usage", "claude_usage", "re-authorise"),
            (
                "codex",
                "/backend-api/accounts/check/v4-2023-04-27",
                "chatgpt_accounts",
                "new ChatGPT OAuth token",
            ),
            ("gemini", "", "models", "Google OAuth authorisation needed"),
        ] {
            assert_eq!((preset(name).unwrap().probe_url.as_str(), probe(name).name.as_str()), (at, what));
            assert!(probe(name).remedy.contains(remedy), "{name}");
            assert_eq!(probe(name).meaning(401), Some(types::oauth::ProbeMeaning::SignIn), "{name}");
            assert_eq!(probe(name).meaning(429), Some(types::oauth::ProbeMeaning::Alive), "{name}");
        }
        assert!(probe("codex").token_is_jwt && probe("codex").needs == "accounts");
        assert_eq!(probe("claude").windows["five_hour"], "5h");
    }

    #[test]
    fn nothing_imitates_a_vendors_client() {
        let text = include_str!("presets.json").to_ascii_lowercase();
        for word in [
            "client_id\"",
            "client_secret",
            "user-agent",
            "apps.googleusercontent.com",
            "9d1c250a",
            "app_emoa",
        ] {
            assert!(!text.contains(word), "{word}");
        }
        for (name, spec) in presets() {
            for header in spec.extra_headers.keys() {
                assert!(header == "anthropic-beta", "{name}: {header}");
            }
        }
        let restricted = |name: &str| preset(name).unwrap().terms == Terms::Restricted;
        assert!(restricted("claude") && restricted("codex") && restricted("copilot"));
    }
}
