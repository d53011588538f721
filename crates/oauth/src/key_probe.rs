//! Keys that have a better question than the list of models: browsers' sessions, and keys of vendors that tell what
//! money is left. Data in `key_probes.json`.

use std::sync::LazyLock;

use serde::Deserialize;
use types::oauth::ProbeSpec;
use types::provider::ProviderKind;

/// How such a key is asked after.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyProbe {
    /// What the key begins with; empty for any key.
    #[serde(default)]
    pub key_prefix: String,
    /// The vendor's hosts; empty for any host.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Kinds of provider where it may stand.
    pub provider_kinds: Vec<ProviderKind>,
    /// A path at the provider's own host.
    pub probe_url: String,
    /// The header that carries it.
    pub header: String,
    /// The word in front of it.
    pub word: String,
    /// Whether it is a browser's session, which is asked after only where a setting says so.
    #[serde(default)]
    pub session: bool,
    /// How the answer is read.
    pub probe: ProbeSpec,
}

static PROBES: LazyLock<Vec<KeyProbe>> =
    LazyLock::new(|| serde_json::from_str(include_str!("key_probes.json")).unwrap_or_default());

/// How a key is asked after at a provider of that kind and address; `None` where the list of models says as much.
pub fn key_probe(kind: ProviderKind, base_url: &str, key: &str) -> Option<&'static KeyProbe> {
    let host = host_of(base_url);
    PROBES.iter().find(|probe| {
        probe.provider_kinds.contains(&kind)
            && key.starts_with(&probe.key_prefix)
            && (probe.hosts.is_empty() || probe.hosts.iter().any(|known| known.eq_ignore_ascii_case(host)))
    })
}

/// Whether a key is a browser's session at a provider of that kind.
pub fn is_session_key(kind: ProviderKind, key: &str) -> bool {
    let session = |probe: &&KeyProbe| probe.session && probe.provider_kinds.contains(&kind);
    PROBES.iter().filter(session).any(|probe| key.starts_with(&probe.key_prefix))
}

/// The host of an address, without its port.
fn host_of(base_url: &str) -> &str {
    let rest = base_url.split_once("://").map_or(base_url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    host.split(':').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hc_07_a_session_key_is_known_by_how_it_begins_and_an_api_key_is_none() {
        let at = |kind, key| key_probe(kind, "https://api.anthropic.com", key);
        let probe = at(ProviderKind::Anthropic, "sk-ant-sid01-abc").unwrap();
        assert_eq!((probe.header.as_str(), probe.word.as_str()), ("cookie", "sessionKey="));
        assert!(probe.session, "asked after only where a setting says so");
        assert!(probe.probe.remedy.contains("session key expired"));
        assert!(at(ProviderKind::Anthropic, "sk-ant-api03-abc").is_none());
        assert!(at(ProviderKind::OpenAi, "sk-ant-sid01-abc").is_none());
        assert!(is_session_key(ProviderKind::Anthropic, "sk-ant-sid01-abc"));
        assert!(!is_session_key(ProviderKind::Anthropic, "sk-ant-api03-abc"));
        assert!(!is_session_key(ProviderKind::OpenAiCompatible, "sk-ant-sid01-abc"));
    }

    #[test]
    fn hc_10_ex_12_vendors_that_tell_a_balance_are_known_by_their_host_and_by_nothing_like_it() {
        let name = |base_url| {
            let found = key_probe(ProviderKind::OpenAiCompatible, base_url, "sk-x")?;
            assert!(!found.session && found.probe.balance.is_some(), "{base_url}");
            Some(found.probe.name.as_str())
        };
        for (base_url, expected) in [
            ("https://api.deepseek.com", Some("deepseek_balance")),
            ("https://API.deepseek.com:443/v1", Some("deepseek_balance")),
            ("https://openrouter.ai/api/v1", Some("openrouter_key")),
            ("https://api.moonshot.cn/v1", Some("moonshot_balance")),
            ("https://api.moonshot.ai/v1", Some("moonshot_balance")),
            ("https://api.siliconflow.cn/v1", Some("siliconflow_balance")),
            ("https://api.siliconflow.com/v1", Some("siliconflow_balance")),
            ("https://api.deepseek.com.example.org", None),
            ("https://relay.example/api.deepseek.com", None),
            ("https://api.deepseek.com@relay.example", None),
            ("https://api.openai.com", None),
        ] {
            assert_eq!(name(base_url), expected, "{base_url}");
        }
        assert!(key_probe(ProviderKind::Gemini, "https://api.deepseek.com", "sk-x").is_none());
    }

    #[test]
    fn hc_10_every_question_goes_to_the_providers_own_host_and_is_sound() {
        assert_eq!(PROBES.len(), 7);
        for probe in PROBES.iter() {
            assert!(probe.probe_url.starts_with('/'), "it goes nowhere else: {}", probe.probe_url);
            assert!(!probe.probe.remedy.is_empty() && !probe.header.is_empty());
        }
    }
}
